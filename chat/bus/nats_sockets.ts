/**
 * Keeps a connection that is reset from ending the process.
 *
 * When a NATS server refuses a client, it says why and closes the connection, often with a reset.
 * As soon as the client of NATS has read why, it removes all listeners from its socket. The error
 * of the reset is on its way by then and finds no listener, and in Node.js an "error" event without
 * a listener ends the process. So each of its sockets keeps one listener that does nothing. All
 * other listeners hear as much as before.
 *
 * @module
 */

import type { Socket } from "node:net";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

/** The part of the client's transport that makes sockets. The rest is its own affair. */
type Dialer = Record<
  "dial" | "tlsFirst" | "startTLS",
  (...args: unknown[]) => Promise<Socket>
>;

/** Makes each future socket of the client of NATS keep a listener for errors. To be called once. */
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
