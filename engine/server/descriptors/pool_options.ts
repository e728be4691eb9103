/**
 * The option of the modes that serve with a fixed number of threads.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { checkInteger } from "../../values/checks.ts";
import type { Flag } from "../../cli/flags.ts";

/** How large a pool of threads is. */
export interface PoolOptions {
  /**
   * How many workers there are.
   *
   * @default {Math.max(4, 2 * cores)}
   */
  readonly workers?: number;
}

/** The most workers. */
const MOST = 4096;

/** The flag for it. */
export const WORKERS_FLAG: Flag = {
  name: "workers",
  kind: "integer",
  value: "N",
  least: 1,
  most: MOST,
  default: "twice the cores, at least 4",
  help: "how many workers there are",
};

/** How many workers to start. */
export function countWorkers({ workers }: PoolOptions): number {
  return checkInteger("workers", workers ?? Math.max(4, 2 * runtime.cpus), 1, MOST);
}

/** What a person wants to know of them. */
export function describeWorkers(workers: number): string {
  return workers === 1 ? "1 worker" : `${workers} workers`;
}
