/**
 * The options of the mode whose connections are served by processes.
 *
 * @module
 */

import {
  booleanOption,
  choiceOption,
  integerOption,
  type Option,
  OptionError,
} from "../../cli/options.ts";
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
   * How many processes there are. It means nothing with `perConnection`.
   *
   * @default {cores}
   */
  readonly workers?: number;
  /**
   * How a connection reaches its process: the process accepts it from the listener that all have, or
   * the parent does and passes its descriptor on. With `perConnection` the parent always does.
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
   * How many processes there are at most, if each connection gets one of its own. The limit of open
   * descriptors may allow fewer. While memory allows fewer, connections wait.
   *
   * @default {64}
   */
  readonly maxProcesses?: number;
  /**
   * On which runtime the processes run. The parent may run on the other one.
   *
   * @default {"deno"} on Deno, `"bun"` on Bun
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

/**
 * Whether each connection gets a process of its own. An option that then means nothing, or means
 * something only then, is a mistake.
 *
 * @param options the caller's options
 * @throws {OptionError} if there is one of those
 */
export function isPerConnection(options: ProcessOptions): boolean {
  const isTrue = PER_CONNECTION.read(options.perConnection);
  const [vain, why] = isTrue
    ? [["workers", "handoff"] as const, "with perConnection each connection gets its own process"]
    : [["spare", "maxProcesses"] as const, "without perConnection the processes stay"];
  const wrong = vain.find((option) => options[option] !== undefined);
  if (wrong !== undefined) throw new OptionError(`Cannot use ${wrong}: ${why}`);
  return isTrue;
}

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
