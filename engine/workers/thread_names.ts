/**
 * The names of the Workers that a server starts. Only its name tells a Worker what it is for: in an
 * executable, or in any other bundle of all modules, all Workers have the same URL.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";

/** The prefix of the names. */
const OURS = "handshake";

/** The name of the Workers of a mode. */
export function threadName(mode: string): string {
  return `${OURS} ${mode}`;
}

/** The name of a mode's Workers that receive the bytes of their connections as messages. */
export function messageThreadName(mode: string): string {
  return `${OURS} ${mode} by messages`;
}

/** The name of a mode's Workers that compute. */
export function computeThreadName(mode: string): string {
  return `${OURS} ${mode} computing`;
}

/** The name of the Worker that watches the sockets of a server, for its recording. */
export const SOCKETS_THREAD = `${OURS} sockets`;

/** The name of the Worker that writes the statistics of a server. */
export const STATISTICS_THREAD = `${OURS} statistics`;

/** The name of the Worker that answers those who collect metrics. */
export const METRICS_THREAD = `${OURS} metrics`;

/** The name of the Worker that shows a server to whoever opens its page. */
export const LIVE_THREAD = `${OURS} live`;

/** The name of the Worker that watches whether event loops turn. */
export const WATCH_THREAD = `${OURS} watch`;

/** The mode that started this Worker. It is `undefined` in every other thread. */
export function modeOfThread(): string | undefined {
  const [ours, mode] = runtime.threadName?.split(" ") ?? [];
  return ours === OURS ? mode : undefined;
}
