/**
 * The Workers of a server that belong to no mode: they watch it or write about it.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import {
  LIVE_THREAD,
  METRICS_THREAD,
  SOCKETS_THREAD,
  STATISTICS_THREAD,
  WATCH_THREAD,
} from "../workers/thread_names.ts";

/** Loads the modules of these Workers, by their names. */
const THREADS: Readonly<Record<string, () => Promise<unknown>>> = {
  [LIVE_THREAD]: () => import("./live/live_server.ts"),
  [METRICS_THREAD]: () => import("./metrics/metrics_server.ts"),
  [SOCKETS_THREAD]: () => import("./trace/socket_thread.ts"),
  [STATISTICS_THREAD]: () => import("./statistics/statistics_printer.ts"),
  [WATCH_THREAD]: () => import("./statistics/loop_watch.ts"),
};

/**
 * Loads the module that this Worker is for. In an executable each Worker runs the executable's first
 * module, so that module has to call this. In every other thread it does nothing.
 */
export async function loadServiceThread(): Promise<void> {
  const name = runtime.threadName ?? "";
  if (Object.hasOwn(THREADS, name)) await THREADS[name]?.();
}
