/**
 * The table of the modes, in the order in which to read them. The commands, the bench and the tests
 * use it.
 *
 * @module
 */

import type { Program } from "../engine/cli/program.ts";

/** One mode. */
export interface ModeEntry {
  /** The path of its script, relative to the project's folder. */
  readonly script: string;
  /** Loads the script. */
  load(): Promise<{ program(): Promise<Program> }>;
}

/** The modes by name. */
export const MODES = {
  sequential: { script: "modes/sequential.ts", load: () => import("./sequential.ts") },
  threaded: { script: "modes/threaded.ts", load: () => import("./threaded.ts") },
  threadpool: { script: "modes/threadpool.ts", load: () => import("./threadpool.ts") },
  berkeley: { script: "modes/berkeley.ts", load: () => import("./berkeley.ts") },
  nonblocking: { script: "modes/nonblocking.ts", load: () => import("./nonblocking.ts") },
  event: { script: "modes/event.ts", load: () => import("./event.ts") },
  cluster: { script: "modes/cluster.ts", load: () => import("./cluster.ts") },
} as const satisfies Readonly<Record<string, ModeEntry>>;

/** The name of a mode. */
export type ModeName = keyof typeof MODES;

/** The names of the modes, in the order in which to read them. */
export const MODE_NAMES: readonly string[] = Object.keys(MODES);
