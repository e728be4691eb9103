/**
 * The runtime's own listener in one of several Workers.
 *
 * @module
 */

import { TimedDeadlines } from "../../drivers/deadlines.ts";
import { findListener } from "../../net/find_listener.ts";
import type { FindDescriptor, ListenOptions } from "../../net/transport.ts";
import { listenAt } from "../core/listening.ts";
import { ListenerLoop } from "./listener_loop.ts";
import type { LoopThread, ToLoop } from "./loop_thread.ts";

/** How often a loop checks whether connections of the other loops have ended, in milliseconds. */
const POLL_MS = 2;

/**
 * Listens on the address that all loops of a server share. It serves until the server closes and no
 * conversation is under way.
 *
 * @param thread this loop's thread
 * @param options how to listen
 * @param body serves the connections of the loop until there are no more
 */
export async function listenOn(
  thread: LoopThread,
  options: Pick<ListenOptions, "reusePort">,
  body: (loop: ListenerLoop) => Promise<void>,
): Promise<void> {
  using deadlines = new TimedDeadlines({ extendsLate: true });
  const { gate, port } = thread;
  // The other loops may listen on the same address at the same moment.
  const find: FindDescriptor = (open) => gate.alone(() => findListener(open));
  const more = { ...options, find, keepAlive: thread.keepAlive };
  const listener = await listenAt(thread.address, thread.counters, thread.journal, more);
  const sessions = thread.makeSessions(deadlines);
  const loop = new ListenerLoop(listener, sessions, {
    tryEnter: () => gate.tryEnter(),
    leave: () => thread.leave(),
    over: () => thread.over(),
    pollMs: POLL_MS,
  });
  let isStopping = false;
  const stop = async () => {
    if (isStopping) return;
    isStopping = true;
    await listener.stop(() => gate.cutting, gate.trapped ? () => gate.sealed : undefined);
    thread.stoppedListening();
  };
  const look = () => {
    // The connections that wait in its accept queue are still served.
    if (gate.closing) void stop();
    if (gate.cutting) sessions.cutAll();
  };
  port.onmessage = ({ data: message }: MessageEvent<ToLoop>) => {
    thread.hear(message);
    look();
  };
  thread.listening(listener.address, listener.descriptor);
  // The server may have started to close before this loop listened.
  look();
  await body(loop);
  await loop.over();
}
