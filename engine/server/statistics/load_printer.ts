/**
 * Loads the printer of statistics in the thread that is to run it.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { STATISTICS_THREAD } from "../../workers/thread_names.ts";

/**
 * In an executable each Worker runs the executable's first module, so that module has to call this.
 * In every other thread it does nothing.
 */
export async function loadPrinter(): Promise<void> {
  if (runtime.threadName === STATISTICS_THREAD) await import("./statistics_printer.ts");
}
