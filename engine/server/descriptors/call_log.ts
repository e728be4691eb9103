/**
 * Writes system calls into the log, for `--trace-calls`: one line for each call, with its arguments
 * and its result. `--trace` is something else: it writes spans into a file (`trace_file.ts`).
 *
 * @module
 */

import type { Sockets } from "../../net/sockets.ts";
import { LoggedSockets } from "../../net/logged_sockets.ts";
import type { LogEvent } from "../journal/journal.ts";

/**
 * Makes sockets that write every call into the log.
 *
 * @param log receives an entry for each call
 * @param thread the name of the thread that makes the calls; empty for the main thread
 */
export function logCalls(log: (event: LogEvent) => void, thread = ""): Sockets {
  const prefix = thread === "" ? "" : `[${thread}] `;
  return new LoggedSockets((call) =>
    log({ level: "trace", text: "{call}", properties: { call: prefix + call } })
  );
}
