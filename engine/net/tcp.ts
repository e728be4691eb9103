/**
 * TCP with promises, the same on both runtimes.
 *
 * @example One connection to oneself
 * ```ts
 * import { connect, listen } from "./tcp.ts";
 *
 * await using listener = await listen({ hostname: "127.0.0.1", port: 0 });
 * await using client = await connect(listener.address);
 * await client.write(new TextEncoder().encode("hello"));
 * client.closeWrite();
 *
 * for await (const connection of listener) {
 *   for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) {
 *     console.log(new TextDecoder().decode(bytes)); // hello
 *   }
 *   connection.close();
 *   break;
 * }
 * ```
 *
 * @module
 */

import type { Listener } from "./listener.ts";
import { findListener } from "./find_listener.ts";
import { keepAlive } from "./keepalive.ts";
import { whyNoSockets } from "./libc.ts";
import { runtime } from "./runtime.ts";
import { sockets } from "./sockets.ts";
import {
  ACCEPT_QUEUE,
  type Connection,
  type ConnectOptions,
  type ListenOptions,
} from "./transport.ts";

/**
 * Listens with the runtime's own listener.
 *
 * @param options where
 * @returns the listener: iterate over it for the connections
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const listener = await runtime.listen({ find: findListener, ...options });
  const { descriptor } = listener;
  if (descriptor === undefined || whyNoSockets() !== undefined) {
    listener.keepAlive = options.keepAlive;
    return listener;
  }
  // Bun gives each accept queue 512 places. The system lets that be changed afterwards.
  sockets().listen(descriptor, ACCEPT_QUEUE);
  // All connections inherit it, so none of them costs a call.
  if (options.keepAlive !== undefined) keepAlive(sockets(), descriptor, options.keepAlive);
  const { IPPROTO_TCP, TCP_NODELAY } = sockets().constants;
  sockets().setOption(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  listener.inheritsNoDelay = true;
  return listener;
}

/**
 * Connects with the runtime's own sockets.
 *
 * @param options where to
 * @returns the connection
 */
export function connect(options: ConnectOptions): Promise<Connection> {
  return runtime.connect(options);
}
