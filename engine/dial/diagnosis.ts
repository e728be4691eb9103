/**
 * Finds out why a connection failed when the runtime does not say.
 *
 * @module
 */

// @ts-types="../types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { Address } from "../../protocols/effects.ts";
import { isLoopback } from "../net/address.ts";
import { runtime } from "../net/runtime.ts";
import { whyNoSockets } from "../net/libc.ts";
import { SocketError } from "../net/socket_error.ts";
import { sockets } from "../net/sockets.ts";

/**
 * How long a server has for a second refusal, in milliseconds. A refusal takes one round trip. If
 * none comes from another machine, the first failure was of another kind.
 */
const PROBE_MS = 1_000;

/**
 * Finds the true error of a failed connect. Bun calls every failure `ECONNREFUSED`, even when there
 * is no route, no local port or no descriptor left. On Bun, the system is asked again with a socket
 * of our own, which does not block the event loop.
 *
 * @param address the address that could not be connected to
 * @param error the error from the runtime
 * @param signal abandons the search
 * @param source the numeric address that the connection was to come from, if not any
 * @returns the system's error if it can be found, otherwise `error`
 */
export async function trueConnectError(
  address: Address,
  error: unknown,
  signal: AbortSignal,
  source?: string,
): Promise<unknown> {
  if (runtime.name !== "bun" || (error as { code?: unknown }).code !== "ECONNREFUSED") return error;
  if (whyNoSockets() !== undefined || sockets().constants.SOCK_NONBLOCK === 0) return error;
  try {
    const errno = await probe(address, signal, source) ?? withoutAnswer(address);
    return errno === 0 ? error : new SocketError("connect", errno);
  } catch (cause) {
    return cause;
  }
}

/**
 * What the first failure was if nobody answers the second attempt; 0 if it was what Bun says. There
 * is always a way to this machine itself: its server refused and is starting again, or its queue is
 * full.
 */
function withoutAnswer({ hostname }: Address): number {
  return isLoopback(hostname) ? 0 : sockets().constants.errno.EHOSTUNREACH;
}

/** The error number of a second connect; 0 if it succeeds this time, `undefined` without an answer. */
async function probe(
  address: Address,
  signal: AbortSignal,
  source?: string,
): Promise<number | undefined> {
  const net = sockets();
  const { SOCK_STREAM, SOCK_NONBLOCK, SOL_SOCKET, SO_ERROR, POLLOUT, errno } = net.constants;
  const fd = net.socket(net.familyOf(address), SOCK_STREAM | SOCK_NONBLOCK);
  try {
    if (source !== undefined) {
      net.bindSource(fd, net.writeAddress({ hostname: source, port: 0 }));
    }
    try {
      net.connect(fd, address);
    } catch (error) {
      if ((error as SocketError).errno !== errno.EINPROGRESS) throw error;
    }
    const until = performance.now() + PROBE_MS;
    for (let waitMs = 1; net.poll(fd, POLLOUT, 0) === 0; waitMs = Math.min(50, waitMs * 2)) {
      signal.throwIfAborted();
      if (performance.now() > until) return undefined;
      await delay(waitMs);
    }
    return net.getOption(fd, SOL_SOCKET, SO_ERROR);
  } finally {
    net.close(fd);
  }
}
