/**
 * Which runtime runs this process. It is detected here and nowhere else.
 *
 * @module
 */

import type { Runtime } from "./adapter.ts";
import { bunRuntime } from "./bun.ts";
import { denoRuntime } from "./deno.ts";
import { type Parentage, readParentage } from "./parentage.ts";
import { stopWith } from "./run_within.ts";

/** The runtime that runs this process. */
export const runtime: Runtime = "Bun" in globalThis ? bunRuntime : denoRuntime;

stopWith(runtime);

/** Whose child this process is; `undefined` in every Worker, and if somebody else has started it. */
export const parentage: Parentage | undefined = runtime.isMainThread
  ? readParentage(runtime.args)
  : undefined;

/**
 * Whether a module is the script that was started.
 *
 * `import.meta.main` alone does not tell. On Deno and in an executable of Bun it is true inside a
 * Worker too, so a script that starts its Workers from its own URL would start them without end. In
 * a bundle, which makes one file of all modules, it is true in each of them, so all would run. And
 * a process that a server has started runs the script again, to serve its connections: see
 * `parentage.ts`.
 *
 * @param meta the module's `import.meta`
 */
export function isMainModule(meta: ImportMeta): boolean {
  return runtime.isMainThread && parentage === undefined &&
    (meta as { main?: boolean }).main === true && meta.url.endsWith(".ts");
}
