/**
 * The runtime that this process is: detected here and nowhere else.
 *
 * @module
 */

import type { Runtime } from "./adapter.ts";
import { bunRuntime } from "./bun.ts";
import { denoRuntime } from "./deno.ts";

/** The runtime that this process is. */
export const runtime: Runtime = "Bun" in globalThis ? bunRuntime : denoRuntime;

/**
 * Whether a module is the script that was started.
 *
 * `import.meta.main` alone is true inside a Worker too, on Deno and in an executable of Bun: a
 * script that starts its Workers from its own URL would then start them without end. And where a
 * bundler has made one file of all modules it is true in each of them: they would all run.
 *
 * @param meta the module's `import.meta`
 */
export function isMainModule(meta: ImportMeta): boolean {
  return runtime.isMainThread && (meta as { main?: boolean }).main === true &&
    meta.url.endsWith(".ts");
}
