/**
 * The signals by which somebody asks a program to end that has begun others.
 *
 * @module
 */

import { onInterrupt } from "./interrupts.ts";
import { runtime } from "../net/runtime.ts";
import { ignoresHangUps } from "./process_status.ts";

/**
 * Calls back when this process is asked to end: at Ctrl-C, at SIGTERM, and when its terminal is
 * closed, unless it was started to outlive that, as by nohup(1).
 *
 * @param handler called each time
 * @returns a function after which it is not called any more
 */
export function onEndingSignal(handler: () => void): () => void {
  // Asked first: who listens for any signal on Deno no longer ignores a hang-up.
  const isDeaf = ignoresHangUps();
  const forget = [onInterrupt(handler)];
  if (isDeaf !== undefined) forget.push(runtime.onSignal("SIGHUP", isDeaf ? () => {} : handler));
  return () => forget.forEach((stop) => stop());
}
