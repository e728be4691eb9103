/**
 * Loads the watch over sockets in the thread that is to run it.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { SOCKETS_THREAD } from "../../workers/thread_names.ts";

/**
 * In an executable each Worker runs the executable's first module, so that module has to call this.
 * In every other thread it does nothing.
 */
export async function loadSocketWatch(): Promise<void> {
  if (runtime.threadName === SOCKETS_THREAD) await import("./socket_thread.ts");
}
