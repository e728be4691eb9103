/**
 * The modes by name, in the order of reading. The commands, the bench and the tests read this table.
 *
 * @module
 */

import type { Program } from "../engine/cli/program.ts";

/** One mode. */
export interface ModeEntry {
  /** Its script, from the folder of the project. */
  readonly script: string;
  /** Loads it. */
  load(): Promise<{ program(): Promise<Program> }>;
}

/** The modes. */
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

/** The names of the modes, in the order of reading. */
export const MODE_NAMES: readonly string[] = Object.keys(MODES);
