/**
 * The table of the modes, in the order in which to read them. The commands, the bench and the tests
 * use it.
 *
 * @module
 */

import type { Program } from "../engine/cli/program.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";

/** One mode. */
export interface ModeEntry {
  /** The path of its script, relative to the project's folder. */
  readonly script: string;
  /** Loads it. */
  load(): Promise<ModeModule>;
  /**
   * How many connections can stay at a time, if each of them keeps a thread: one, or as many as this
   * flag says. Left out, their number does not depend on threads.
   */
  readonly stay?: 1 | `--${string}`;
}

/** What the script of a mode exports. */
export interface ModeModule {
  /** The mode in the library. */
  serve(options?: ServeOptions): Promise<Server>;
  /** The mode as a command. */
  program(): Promise<Program>;
}

/** The modes by name. */
export const MODES = {
  sequential: {
    script: "modes/sequential.ts",
    load: () => import("./sequential.ts"),
    stay: 1,
  },
  threaded: {
    script: "modes/threaded.ts",
    load: () => import("./threaded.ts"),
    stay: "--max-threads",
  },
  threadpool: {
    script: "modes/threadpool.ts",
    load: () => import("./threadpool.ts"),
    stay: "--workers",
  },
  berkeley: {
    script: "modes/berkeley.ts",
    load: () => import("./berkeley.ts"),
    stay: "--workers",
  },
  prefork: {
    script: "modes/prefork.ts",
    load: () => import("./prefork.ts"),
    stay: "--workers",
  },
  nonblocking: { script: "modes/nonblocking.ts", load: () => import("./nonblocking.ts") },
  completion: { script: "modes/completion.ts", load: () => import("./completion.ts") },
  event: { script: "modes/event.ts", load: () => import("./event.ts") },
  cluster: { script: "modes/cluster.ts", load: () => import("./cluster.ts") },
} as const satisfies Readonly<Record<string, ModeEntry>>;

/** The name of a mode. */
export type ModeName = keyof typeof MODES;

/** The names of the modes, in the order in which to read them. */
export const MODE_NAMES: readonly string[] = Object.keys(MODES);
