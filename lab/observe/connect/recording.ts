/**
 * Attempts in a recording: the sockets that connected, and a sentence for each attempt.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { RecordingFile } from "../../../engine/recording/recording_file.ts";
import type { Attempt } from "./report.ts";

/**
 * Adds an attempt to a recording.
 *
 * @param recording the recording
 * @param attempt what was found
 * @param sentence the same in words
 */
export function recordAttempt(recording: RecordingFile, attempt: Attempt, sentence: string): void {
  const { address, local, cookie, connectedAt, info } = attempt.outcome ?? {};
  const isKnown = local !== undefined && cookie !== undefined && connectedAt !== undefined;
  if (address !== undefined && isKnown) {
    recording.add({
      type: "socket",
      at: recording.at(connectedAt * 1000),
      cookie,
      local: formatAddress(local),
      remote: formatAddress(address),
      // It was in this state then. What follows, after its FIN, is not watched.
      state: "ESTABLISHED",
      end: "client",
      ...(info?.rtt !== undefined && { rtt_us: info.rtt }),
      ...(info?.total_retrans !== undefined && { retransmissions: info.total_retrans }),
    });
  }
  recording.add({ type: "note", at: recording.now(), text: sentence });
  recording.flush();
}
