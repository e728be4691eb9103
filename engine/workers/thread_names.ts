/**
 * The names of the Workers that a server starts. A Worker learns from its name alone what it is
 * for: in an executable, and in whatever else a bundler has made of all modules, they have one URL.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";

/** What the names begin with. */
const OURS = "handshake";

/** The name of the Workers of a mode. */
export function threadName(mode: string): string {
  return `${OURS} ${mode}`;
}

/** The name of the Workers of a mode that hand over messages. */
export function messageThreadName(mode: string): string {
  return `${OURS} ${mode} by messages`;
}

/** The name of the Workers of a mode that compute. */
export function computeThreadName(mode: string): string {
  return `${OURS} ${mode} computing`;
}

/** The mode that has started this Worker; `undefined` in every other thread. */
export function modeOfThread(): string | undefined {
  const [ours, mode] = runtime.threadName?.split(" ") ?? [];
  return ours === OURS ? mode : undefined;
}
