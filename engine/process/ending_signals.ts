/**
 * The signals that ask a program to end, for a program that has started other processes.
 *
 * @module
 */

import { onInterrupt } from "./interrupts.ts";
import { runtime } from "../net/runtime.ts";
import { ignoresHangUps } from "./process_status.ts";

/**
 * Calls a function when this process is asked to end: at Ctrl-C, at SIGTERM, and when its terminal
 * closes, unless the process was started to outlive its terminal, as by nohup(1).
 *
 * @param handler is called each time
 * @returns a function that stops the calls
 */
export function onEndingSignal(handler: () => void): () => void {
  // This is asked first, because on Deno a process that listens for any signal no longer ignores
  // hang-ups.
  const isDeaf = ignoresHangUps();
  const forget = [onInterrupt(handler)];
  if (isDeaf !== undefined) forget.push(runtime.onSignal("SIGHUP", isDeaf ? () => {} : handler));
  return () => forget.forEach((stop) => stop());
}
