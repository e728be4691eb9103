/**
 * How a server opens its sockets: a listening socket, and perhaps a UDP socket on the same port.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { isUnix } from "../../net/address.ts";
import { betweenMessagesMs } from "../../drivers/limits.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { ListenSocketOptions, Sockets } from "../../net/sockets.ts";
import { SharedDatagramSocket } from "../datagrams/shared_datagram_socket.ts";
import type { CheckedOptions } from "../core/options.ts";
import type { Journal } from "../journal/journal.ts";
import { acquireListener } from "../takeover/acquire_listener.ts";
import type { HeldListener } from "../takeover/held_listener.ts";

/** If any port will do: how many ports are tried until one is free for UDP too. */
const ATTEMPTS = 16;

/** What the connections of a listener inherit. */
export type InheritedOptions = Required<
  Pick<ListenSocketOptions, "receiveTimeoutMs" | "keepAlive">
>;

/** How a mode opens its sockets, if it wants to show that itself. */
export interface SocketOpeners {
  /**
   * Opens a listening socket. The connections that it accepts must inherit what the options say.
   *
   * @returns its descriptor
   */
  listener(calls: Sockets, address: Address, options: InheritedOptions): number;
  /**
   * Opens a UDP socket. It is called only for protocols that work over UDP.
   *
   * @returns its descriptor
   */
  datagrams?(calls: Sockets, address: Address): number;
  /** How many datagrams of one source are answered in a second; 0 means no limit. @default {0} */
  readonly udpRate?: number;
}

/** The sockets of a server. */
export interface ServerSockets {
  /** The listening socket. */
  readonly held: HeldListener;
  /** The UDP socket beside it, if there is one. */
  readonly datagrams?: SharedDatagramSocket;
}

/** One listening socket and nothing else. */
const LISTENER_ONLY: SocketOpeners = {
  // It does not block, so that a thread can ask for a connection before it waits for one. Linux lets
  // calls on the connections block all the same.
  listener: (calls, address, options) =>
    calls.openListener(address, { ...options, nonBlocking: true }),
};

/**
 * Opens the sockets of a server, or takes those that are there already.
 *
 * @param calls the Berkeley calls
 * @param address a numeric address; port 0 picks one that is free for all of them
 * @param checked the server's options
 * @param journal is told which listener it is, if that may surprise
 * @param openers how to open each of them
 * @throws {Error} if one of them cannot be opened; then none is left open
 */
export async function openSockets(
  calls: Sockets,
  address: Address,
  checked: CheckedOptions,
  journal: Journal,
  openers: SocketOpeners = LISTENER_ONLY,
): Promise<ServerSockets> {
  const { protocol, settings, keepAlive } = checked;
  for (let attempt = 1;; attempt++) {
    // That connections inherit these saves calls for each of them.
    const inherited = {
      receiveTimeoutMs: betweenMessagesMs(settings),
      keepAlive: isUnix(address.hostname) ? undefined : keepAlive,
    };
    const open = () => openers.listener(calls, address, inherited);
    const held = await acquireListener({ net: calls, journal, address, checked, open });
    // A Unix domain socket has no port that UDP could share.
    // A datagram has no PROXY header, and would come in past all proxies.
    const hasDatagrams = !isUnix(held.address.hostname) &&
      settings.admission?.proxies === undefined && openers.datagrams !== undefined &&
      protocol.serveDatagram !== undefined;
    let fd = held.datagrams;
    if (!hasDatagrams) {
      // The server before had one, and nobody uses it now.
      if (fd !== undefined) calls.close(fd);
      held.datagrams = undefined;
      return { held };
    }
    try {
      fd ??= openers.datagrams?.(calls, held.address) as number;
      held.datagrams = fd;
      return { held, datagrams: SharedDatagramSocket.open(calls, fd, openers.udpRate ?? 0) };
    } catch (error) {
      held.abandon();
      calls.close(held.listener);
      if (fd !== undefined) calls.close(fd);
      // The kernel has picked a port that is free for TCP. It may still be taken for UDP.
      const isTaken = error instanceof SocketError && error.code === "EADDRINUSE";
      if (isTaken && address.port === 0 && attempt < ATTEMPTS) continue;
      throw new Error(`Cannot use UDP: ${(error as Error).message}`, { cause: error });
    }
  }
}
