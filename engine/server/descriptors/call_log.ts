/**
 * System calls in the log, for `--trace-calls`.
 *
 * @module
 */

import type { Sockets } from "../../net/sockets.ts";
import { TracedSockets } from "../../net/traced_sockets.ts";
import type { LogEvent } from "../journal/journal.ts";

/**
 * Sockets that tell of every call.
 *
 * @param log is given an entry for each
 * @param thread which thread makes the calls; nothing for the main thread
 */
export function traceSockets(log: (event: LogEvent) => void, thread = ""): Sockets {
  const who = thread === "" ? "" : `[${thread}] `;
  return new TracedSockets((call) =>
    log({ level: "trace", text: "{call}", properties: { call: who + call } })
  );
}
