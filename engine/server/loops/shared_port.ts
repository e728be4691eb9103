/**
 * The runtime's own listener in each of several Workers, all on the same port.
 *
 * @module
 */

import { TimedDeadlines } from "../../drivers/deadlines.ts";
import type { Listener } from "../../net/listener.ts";
import { ListenerLoop } from "./listener_loop.ts";
import { listenAt } from "../core/listening.ts";
import type { LoopThread, ToLoop } from "./loop_thread.ts";

/** How often a loop asks whether connections of the other loops have ended, in milliseconds. */
const POLL_MS = 2;

/**
 * Listens on the port that all loops of a server share, until the server closes.
 *
 * @param thread this loop's
 * @param body takes connections from the listener until there are no more
 */
export async function listenTogether(
  thread: LoopThread,
  body: (listener: Listener, loop: ListenerLoop) => Promise<void>,
): Promise<void> {
  using deadlines = new TimedDeadlines();
  const { gate, port } = thread;
  const listener = await listenAt(thread.address, thread.counters, thread.journal, {
    reusePort: true,
  });
  const sessions = thread.makeSessions(deadlines);
  const loop = new ListenerLoop(sessions, {
    tryEnter: () => gate.tryEnter(),
    leave: () => gate.leave(),
    pollMs: POLL_MS,
  });
  const look = () => {
    // Who waits in its accept queue is served.
    if (gate.closing) void listener.stop();
    if (gate.cutting) sessions.cutAll();
  };
  port.onmessage = ({ data: message }: MessageEvent<ToLoop>) => {
    thread.hear(message);
    look();
  };
  thread.listening(listener.address);
  // It may have been told before it listened.
  look();
  await body(listener, loop);
  await loop.over();
}
