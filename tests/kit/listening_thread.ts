/**
 * A thread that listens on a shared port at the same moment as others, for `find_listener_test.ts`.
 *
 * @module
 */

import { findListener } from "../../engine/net/find_listener.ts";
import type { Listener } from "../../engine/net/listener.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { Gate } from "../../engine/server/team/team_memory.ts";

/** The message to such a thread. */
export interface ListenErrand {
  /** The memory of the gate that lets one thread listen at a time. */
  readonly gate: SharedArrayBuffer;
  /** A word that is 0 until all threads may begin. */
  readonly start: SharedArrayBuffer;
  /** Where to listen. */
  readonly port: number;
  /** How many listeners it opens. */
  readonly times: number;
}

/** The name of such threads. */
export const LISTENING_THREAD = "listening";

interface Scope {
  onmessage: ((event: { data: ListenErrand | "close" }) => void) | null;
  postMessage(message: "ready" | readonly (number | undefined)[]): void;
}

async function listen({ gate: memory, start, port, times }: ListenErrand): Promise<Listener[]> {
  const gate = new Gate(memory);
  Atomics.wait(new Int32Array(start), 0, 0);
  const listeners: Listener[] = [];
  while (listeners.length < times) {
    listeners.push(
      await runtime.listen({
        hostname: "127.0.0.1",
        port,
        reusePort: true,
        find: (open) => gate.alone(() => findListener(open)),
      }),
    );
  }
  return listeners;
}

if (runtime.threadName === LISTENING_THREAD) {
  const scope = globalThis as unknown as Scope;
  let listeners: Listener[] = [];
  scope.onmessage = async ({ data }) => {
    if (data === "close") {
      for (const listener of listeners) listener.close();
      return scope.postMessage("ready");
    }
    scope.postMessage("ready");
    listeners = await listen(data);
    scope.postMessage(listeners.map((listener) => listener.descriptor));
  };
}
