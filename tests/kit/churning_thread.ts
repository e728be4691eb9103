/**
 * A thread that opens and closes connections, one after another, for `send_queues_test.ts`.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";

/** The name of such threads. */
export const CHURNING_THREAD = "churning";

/** The words of the memory that is the message to such a thread. */
export const CHURN = {
  /** How many connections it has closed. */
  closed: 0,
  /** Not 0 once it is to end. */
  isOver: 1,
};

/** After so many connections it ends in any case. */
const MOST = 1_000_000;

interface Scope {
  onmessage: ((event: { data: SharedArrayBuffer }) => void) | null;
  postMessage(message: "over"): void;
}

function churn(words: Int32Array): void {
  const net = sockets();
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
  const address = net.localAddress(listener);
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  for (let count = 0; count < MOST && Atomics.load(words, CHURN.isOver) === 0; count++) {
    const client = net.openConnection(address);
    const server = net.accept(listener, sockaddr);
    // No port stays taken for a while.
    net.resetOnClose(client);
    net.close(client);
    net.close(server);
    Atomics.add(words, CHURN.closed, 1);
  }
  net.close(listener);
}

if (runtime.threadName === CHURNING_THREAD) {
  const scope = globalThis as unknown as Scope;
  scope.onmessage = ({ data }) => {
    churn(new Int32Array(data));
    scope.postMessage("over");
  };
}
