/**
 * The options of the mode whose connections are served by processes.
 *
 * @module
 */

import { booleanOption, choiceOption, integerOption, type Option } from "../../cli/options.ts";
import { runtime } from "../../net/runtime.ts";
import type { RuntimeName } from "../../process/runtimes.ts";
import { CHILD_RUNTIME } from "./child_command.ts";

export { CHILD_RUNTIME };

/**
 * With `listener` each process accepts for itself, from one listening socket that all of them have.
 * With `descriptor` the parent accepts, and passes each connection to a process that waits for one.
 */
export type ProcessHandoff = "listener" | "descriptor";

/** How many processes serve, and how connections reach them. */
export interface ProcessOptions {
  /**
   * How many processes there are.
   *
   * @default {cores}
   */
  readonly workers?: number;
  /**
   * How a connection reaches its process: the process accepts it from the listener that all have, or
   * the parent does and passes its descriptor on.
   *
   * @default {"listener"}
   */
  readonly handoff?: ProcessHandoff;
  /**
   * Whether each connection gets a process of its own, which ends with it.
   *
   * @default {false}
   */
  readonly perConnection?: boolean;
  /**
   * How many processes are kept ready for the next connections, if each gets one of its own. With 0
   * a process is started when the connection has come.
   *
   * @default {2}
   */
  readonly spare?: number;
  /**
   * How many processes there are at most, if each connection gets one of its own.
   *
   * @default {64}
   */
  readonly maxProcesses?: number;
  /**
   * On which runtime the processes run. The parent may run on the other one.
   *
   * @default {the runtime of the parent}
   */
  readonly childRuntime?: RuntimeName;
}

/** How many processes to start. */
export const WORKERS: Option<number> = integerOption("workers", {
  least: 1,
  most: 1024,
  default: () => runtime.cpus,
  shown: "one for each core",
  help: "how many processes there are",
});

/** How connections reach them. */
export const HANDOFF: Option<ProcessHandoff> = choiceOption("handoff", {
  choices: ["listener", "descriptor"],
  default: "listener",
  help: "a process accepts for itself, or is passed what the parent has accepted",
});

/** Whether each connection gets a process of its own. */
export const PER_CONNECTION: Option<boolean> = booleanOption("perConnection", {
  default: false,
  help: "each connection gets a process of its own, which ends with it",
});

/** How many of those are kept ready. */
export const SPARE: Option<number> = integerOption("spare", {
  least: 0,
  most: 1024,
  default: 2,
  help: "how many of those are kept ready; 0: started when the connection is there",
});

/** How many of those there may be. */
export const MAX_PROCESSES: Option<number> = integerOption("maxProcesses", {
  least: 1,
  most: 1024,
  default: 64,
  help: "how many of those there are at most; beyond it connections wait",
});
