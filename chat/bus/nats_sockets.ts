/**
 * Keeps a connection that is reset from ending the process.
 *
 * When a NATS server refuses somebody it says so and closes, often with a reset. The client of NATS
 * takes all listeners off its socket as soon as it has read why, and the error of the reset, which
 * is on its way by then, finds nobody: in the manner of Node.js that ends the process. So each of
 * its sockets keeps one listener that does nothing. All others hear as much as before.
 *
 * @module
 */

import type { Socket } from "node:net";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

/** What of the client's transport makes sockets; the rest is its own affair. */
type Dialer = Record<
  "dial" | "tlsFirst" | "startTLS",
  (...args: unknown[]) => Promise<Socket>
>;

/** Has the sockets that the client of NATS makes from now on keep a listener for errors. Once. */
export function keepResetsHarmless(): void {
  const dialer = NodeTransport.prototype as unknown as Dialer;
  for (const way of ["dial", "tlsFirst", "startTLS"] as const) {
    const connect = dialer[way];
    dialer[way] = async function (...args) {
      return keepListener(await connect.apply(this, args));
    };
  }
}

function keepListener(socket: Socket): Socket {
  const removeAllListeners = socket.removeAllListeners.bind(socket);
  socket.removeAllListeners = (...events) => {
    removeAllListeners(...events);
    return socket.on("error", ignore);
  };
  return socket.on("error", ignore);
}

function ignore(): void {}
