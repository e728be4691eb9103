/**
 * How the checker calls a server: with descriptors, which can do all that a peer can do, or with the
 * runtime's own sockets.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { openEventConnection } from "../../engine/dial/event_connection.ts";
import { ConnectTimeoutError } from "../../engine/dial/failures.ts";
import { ReadyDialer } from "../../engine/dial/ready_dialer.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { connectionCeiling } from "../../engine/workers/descriptor_limits.ts";

/** How to open a connection. */
export interface CallOptions {
  /** How long connecting may take, in milliseconds. */
  readonly withinMs: number;
  /** The size of the receive buffer, in bytes, if it can be chosen. */
  readonly receiveBuffer?: number | undefined;
}

/** Opens connections to one server. */
export interface Caller extends Disposable {
  /** Why a connection cannot be reset, nor have a small window; `undefined` if it can. */
  readonly whyPlain: string | undefined;
  /** How many connections there can be at a time. */
  readonly most: number;
  /** Connects. */
  call(options: CallOptions): Promise<Connection>;
}

/** With how many connections it is safe to go on where descriptors cannot be counted. */
const UNCOUNTED = 200;

/**
 * Finds the best way to call a server.
 *
 * @param address its numeric address
 */
export function callerOf(address: Address): Caller {
  const why = whyNoSockets();
  if (why !== undefined) {
    return {
      whyPlain: why,
      most: UNCOUNTED,
      call: (options) => callPlainly(address, options),
      [Symbol.dispose]: () => {},
    };
  }
  const dialer = new ReadyDialer();
  return {
    whyPlain: undefined,
    get most() {
      return Math.max(1, connectionCeiling(dialer.sockets, 1) - dialer.sockets.nextDescriptor());
    },
    call: (options) => dialer.dial(address, options),
    [Symbol.dispose]: () => dialer[Symbol.dispose](),
  };
}

async function callPlainly(address: Address, { withinMs }: CallOptions): Promise<Connection> {
  const attempt = new AbortController();
  const late = setTimeout(() => attempt.abort(new ConnectTimeoutError(withinMs)), withinMs);
  try {
    return await openEventConnection(address, attempt.signal);
  } finally {
    clearTimeout(late);
  }
}
