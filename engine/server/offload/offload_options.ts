/**
 * The option of the modes that hand computations to Workers.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { integerOption, type Option } from "../../cli/options.ts";
import type { CheckedOptions } from "../core/options.ts";

/** How a mode with event loops computes. */
export interface OffloadOptions {
  /**
   * How many Workers compute for the event loops. With 0 a loop computes in place, and everybody
   * else waits.
   *
   * @default {cores}
   */
  readonly offload?: number;
}

/** How many Workers compute. */
export const OFFLOAD: Option<number> = integerOption("offload", {
  least: 0,
  most: 256,
  default: () => runtime.cpus,
  shown: "one for each core",
  help: "how many workers compute; 0: in place, while everybody else waits",
});

/** How many Workers to start. A protocol that computes nothing needs none. */
export function countComputing(checked: CheckedOptions, { offload }: OffloadOptions): number {
  const wanted = OFFLOAD.read(offload);
  return checked.protocol.tasks === undefined ? 0 : wanted;
}

/** The number of computing Workers, in words for people. */
export function describeComputing(threads: number): readonly string[] {
  return threads === 0 ? [] : [`${threads} computing`];
}
