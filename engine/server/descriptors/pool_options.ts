/**
 * The option of the modes that serve with a fixed number of threads.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { integerOption, type Option } from "../../cli/options.ts";

/** How large a pool of threads is. */
export interface PoolOptions {
  /**
   * How many workers there are.
   *
   * @default {Math.max(4, 2 * cores)}
   */
  readonly workers?: number;
}

/** How many workers to start. */
export const WORKERS: Option<number> = integerOption("workers", {
  least: 1,
  most: 4096,
  default: () => Math.max(4, 2 * runtime.cpus),
  shown: "twice the cores, at least 4",
  help: "how many workers there are",
});

/** The number of workers, in words for people. */
export function describeWorkers(workers: number): string {
  return workers === 1 ? "1 worker" : `${workers} workers`;
}
