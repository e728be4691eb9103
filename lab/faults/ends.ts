/**
 * The two ends of the proxy: it accepts connections, and it makes connections. With descriptors it
 * can do all that a peer can do; without, it takes the runtime's own sockets.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Address } from "../../protocols/effects.ts";
import { openEventConnection } from "../../engine/dial/event_connection.ts";
import { ReadyDialer } from "../../engine/dial/ready_dialer.ts";
import { AcceptPolicy } from "../../engine/net/accept_policy.ts";
import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { openListening } from "../../engine/net/socket_file.ts";
import { SocketError } from "../../engine/net/socket_error.ts";
import { listen } from "../../engine/net/tcp.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { countedReserve } from "../../engine/workers/descriptor_limits.ts";

/** Where a proxy gets its connections from. */
export interface Ends {
  /** Where clients connect. */
  readonly address: Address;
  /** Why no connection can be reset; `undefined` if it can. */
  readonly whyNoReset: string | undefined;
  /** Connects to the server. */
  dial(address: Address, withinMs: number): Promise<Connection>;
  /** Lets everything else have its turn. */
  turn(): Promise<void>;
  /** Accepts nobody any more. */
  stopListening(): void;
  /** Closes everything. */
  close(): void;
}

/**
 * Begins to listen.
 *
 * @param address where
 * @param onConnection receives each client
 */
export async function openEnds(
  address: Address,
  onConnection: (client: Connection) => void,
): Promise<Ends> {
  const why = whyNoSockets();
  return why === undefined
    ? openDescriptors(address, onConnection)
    : await openPlainly(address, onConnection, why);
}

function openDescriptors(asked: Address, onConnection: (client: Connection) => void): Ends {
  const loop = new ReadyDialer();
  const { sockets, poller } = loop;
  const { POLLIN, errno } = sockets.constants;
  const open = () => sockets.openListener(asked, { nonBlocking: true });
  let opened: ReturnType<typeof openListening>;
  try {
    opened = openListening(sockets, asked, open);
  } catch (error) {
    loop[Symbol.dispose]();
    throw error;
  }
  const { listener, file, address } = opened;
  // Each connection takes another one, to the server.
  const policy = new AcceptPolicy(countedReserve());
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isListening = true;
  const pause = (ms: number) => {
    poller.modify(listener, 0);
    timer = setTimeout(() => {
      if (isListening) poller.modify(listener, POLLIN);
    }, ms);
  };
  const accept = () => {
    for (;;) {
      if (policy.room <= 2) return pause(policy.pause());
      const sockaddr = new Uint8Array(SOCKADDR_SIZE);
      const fd = sockets.acceptNonBlocking(listener, sockaddr);
      if (fd === -errno.EAGAIN) return;
      if (fd < 0) {
        const waitMs = policy.failed(new SocketError("accept", -fd));
        if (waitMs > 0) return pause(waitMs);
        continue;
      }
      policy.accepted(fd);
      onConnection(loop.adopt(fd, sockaddr));
    }
  };
  poller.add(listener, POLLIN);
  loop.attend(listener, accept);
  const stopListening = () => {
    if (!isListening) return;
    isListening = false;
    clearTimeout(timer);
    poller.forget(listener);
    loop.onClose(listener);
    file?.remove();
    sockets.close(listener);
  };
  return {
    address,
    whyNoReset: undefined,
    dial: (address, withinMs) => loop.dial(address, { withinMs }),
    turn: () => loop.turn(),
    stopListening,
    close() {
      stopListening();
      loop[Symbol.dispose]();
    },
  };
}

async function openPlainly(
  { hostname, port }: Address,
  onConnection: (client: Connection) => void,
  why: string,
): Promise<Ends> {
  const listener = await listen({ hostname, port, reserve: countedReserve() });
  const accepting = (async () => {
    for await (const connection of listener) onConnection(connection);
  })();
  accepting.catch(() => {});
  return {
    address: listener.address,
    whyNoReset: why,
    dial: (address, withinMs) => openEventConnection(address, AbortSignal.timeout(withinMs)),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    stopListening: () => listener.close(),
    close: () => listener.close(),
  };
}
