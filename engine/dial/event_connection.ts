/**
 * A connection to a server with the runtime's own sockets, and the true reason if there is none.
 *
 * @module
 */

// @ts-types="../types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { Address } from "../../protocols/effects.ts";
import { isUnix } from "../net/address.ts";
import { runtime } from "../net/runtime.ts";
import type { Connection, ConnectOptions } from "../net/transport.ts";
import { trueConnectError } from "./diagnosis.ts";
import { refuseSelf } from "./failures.ts";

/** How long to wait for a place in the accept queue of a Unix domain socket, in milliseconds. */
const FULL_MS = 5;

/**
 * Connects.
 *
 * @param address a numeric address, or that of a Unix domain socket
 * @param signal abandons the attempt
 * @param source the numeric address to come from, if not any
 * @throws {SelfConnectError} if the connection has met itself
 * @throws {unknown} the reason of `signal`, or the system's error
 */
export async function openEventConnection(
  address: Address,
  signal: AbortSignal,
  source?: string,
): Promise<Connection> {
  let connection: Connection;
  try {
    connection = await connectPatiently({ ...address, source, signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : await trueConnectError(address, error, signal, source);
  }
  try {
    refuseSelf(connection.localAddress, connection.remoteAddress);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** An attempt that somebody may abandon. */
type PatientOptions = ConnectOptions & { readonly signal: AbortSignal };

/**
 * Over TCP the kernel waits while an accept queue is full, and sends its SYN again. A Unix domain
 * socket that does not block fails at once with EAGAIN (connect(2)).
 */
async function connectPatiently(options: PatientOptions): Promise<Connection> {
  const { hostname, signal } = options;
  for (;;) {
    try {
      return await runtime.connect(options);
    } catch (error) {
      const isFull = isUnix(hostname) && (error as { code?: unknown }).code === "EAGAIN";
      if (!isFull || signal.aborted) throw error;
      await delay(FULL_MS, { signal });
    }
  }
}
