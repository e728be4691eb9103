/**
 * Berkeley: the whole life of a socket, written out call by call, with TCP and UDP on the same
 * port.
 *
 * The calls are those of 4.2BSD (1983). Every network program ends in them. With TCP one socket
 * listens, and each connection is a socket of its own: it is accepted, served and closed. With UDP
 * there is only one socket. Every datagram comes with its sender's address, and an answer needs
 * that address. A pool of workers serves both. A worker serves a connection from beginning to end.
 * Datagrams are served a few at a time, and only one worker at a time does so, so that they stay in
 * order.
 *
 * With `--trace-calls` every call is shown as it is made, with its arguments and its result.
 *
 * Costs: those of the thread pool. While all workers are busy with connections, datagrams wait in
 * the socket's receive buffer. When that is full, they are lost. Use this mode to read, and where
 * one service must be there over both TCP and UDP, as DNS is.
 *
 * @module
 */

import { booleanOption, integerOption, type Option } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { isUnix, SOCKADDR_SIZE } from "../engine/net/address.ts";
import { keepAlive } from "../engine/net/keepalive.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import type { Sockets } from "../engine/net/sockets.ts";
import { ACCEPT_QUEUE } from "../engine/net/transport.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { DatagramService } from "../engine/server/datagrams/datagram_service.ts";
import { SharedDatagramSocket } from "../engine/server/datagrams/shared_datagram_socket.ts";
import { logCalls } from "../engine/server/descriptors/call_log.ts";
import {
  describeWorkers,
  type PoolOptions,
  WORKERS,
} from "../engine/server/descriptors/pool_options.ts";
import type { InheritedOptions } from "../engine/server/descriptors/open_sockets.ts";
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";
import type { Address } from "../protocols/effects.ts";

onThread("berkeley", {
  acceptor(thread: Thread) {
    const { calls, listener } = thread;
    // Takes the oldest connection of the accept queue. It gets a descriptor of its own.
    const accept = (peer: Uint8Array) => calls.accept(listener, peer);
    // poll(2) says which of the two sockets is ready.
    for (const ready of thread.readySockets()) {
      // A worker gets the connection, or the UDP socket itself.
      const fd = ready === listener ? thread.admit(accept) : ready;
      if (fd !== undefined) thread.handOver(fd);
    }
  },
  worker(thread: Thread) {
    const { datagrams } = thread;
    const receive = datagrams && datagramReceiver(thread, datagrams);
    for (const fd of thread.handedOver()) {
      if (fd === datagrams?.fd) receive?.();
      else serveConnection(thread, fd);
    }
  },
}, { logCalls, openDatagrams: (share, calls) => new SharedDatagramSocket(share, calls) });

/** Serves a connection. The protocol decides how often bytes are received and sent. */
function serveConnection(thread: Thread, fd: number): void {
  const { calls } = thread;
  const { MSG_DONTWAIT, SHUT_WR } = calls.constants;
  const service = thread.begin(fd);
  while (service.need !== "nothing") {
    // Waits until there are bytes, and takes as many as have come. 0 means the peer's FIN.
    if (service.need === "recv") service.received(calls.recv(fd, service.buffer, 0));
    // The kernel takes as many bytes as it has room for. The next turn of the loop sends the rest.
    else service.sent(calls.send(fd, service.unsent, MSG_DONTWAIT));
  }
  // From now on the connection does not count: who sees our FIN may come again at once.
  service.part();
  // Sends FIN: we will send no more bytes.
  service.shutDown(calls.shutdown(fd, SHUT_WR));
  // Gives the descriptor back. A moment later its number may belong to another connection. If the
  // peer may still be sending, it is too early to close: the kernel would answer the peer with RST,
  // and our last bytes could be lost.
  if (service.release()) calls.close(fd);
  service.over();
}

/**
 * Receives datagrams, a few at a time. One socket serves all peers, and no peer has to be closed.
 */
function datagramReceiver(thread: Thread, datagrams: SharedDatagramSocket): () => void {
  const { calls } = thread;
  const { fd } = datagrams;
  const { MSG_DONTWAIT } = calls.constants;
  const service = new DatagramService(datagrams, thread);
  const buffer = new Uint8Array(LONGEST);
  const sender = new Uint8Array(SOCKADDR_SIZE);
  // Sends the answer to where the datagram came from. Nobody will know whether it arrives, or even
  // whether there was room to send it.
  const send = (answer: Uint8Array) => void calls.sendto(fd, answer, sender, MSG_DONTWAIT);
  return () => {
    try {
      service.forgetSilent();
      for (let left = BURST; left > 0 && !thread.closing; left--) {
        // Takes one whole datagram and the address of its sender.
        const count = calls.recvfrom(fd, buffer, sender, MSG_DONTWAIT);
        // EAGAIN: there are no more. Any other error concerns an earlier answer that could not be
        // delivered.
        if (count < 0) break;
        service.serve(sender, buffer.subarray(0, count), send);
      }
    } finally {
      datagrams.bringHome();
    }
  };
}

/** How many datagrams a worker receives before it looks for other work. */
const BURST = 64;

/** The length of the longest datagram, in bytes: its header has 16 bits for the length. */
const LONGEST = 65_535;

/**
 * Opens a TCP socket that listens. The server closes it when all threads have stopped accepting.
 */
function openListener(calls: Sockets, address: Address, options: InheritedOptions): number {
  const { SOCK_STREAM, SOCK_NONBLOCK, SOL_SOCKET, SO_REUSEADDR } = calls.constants;
  const { IPPROTO_TCP, TCP_NODELAY } = calls.constants;
  // Makes an endpoint of a byte stream: AF_INET, AF_INET6, or AF_UNIX for a path. It has a
  // descriptor, but no address yet. accept(2) on it will not block: poll(2) says when to ask.
  const fd = calls.socket(calls.familyOf(address), SOCK_STREAM | SOCK_NONBLOCK);
  try {
    // Allows binding to the port although old connections on it are still in TIME-WAIT.
    calls.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    // Sends small answers at once. Accepted connections inherit this option and the next ones.
    if (!isUnix(address.hostname)) calls.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    // Finds peers that have vanished: SO_KEEPALIVE, its times, and TCP_USER_TIMEOUT.
    if (options.keepAlive !== undefined) keepAlive(calls, fd, options.keepAlive);
    const { receiveTimeoutMs } = options;
    if (receiveTimeoutMs > 0) calls.setReceiveTimeout(fd, receiveTimeoutMs);
    // Gives the socket its address. For port 0 the kernel picks a free port. For a path it makes a
    // file.
    calls.bind(fd, address);
    // From now on the kernel does the handshake with clients and queues their connections.
    calls.listen(fd, ACCEPT_QUEUE);
    return fd;
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

/** Opens a UDP socket. It does not listen and does not accept: there are no connections. */
function openDatagrams(calls: Sockets, address: Address): number {
  const fd = calls.socket(calls.familyOf(address), calls.constants.SOCK_DGRAM);
  try {
    // Without SO_REUSEADDR: with it two servers could have the same port, and one would get
    // nothing.
    calls.bind(fd, address);
    return fd;
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

/** How many accepted connections may wait for a worker. */
const QUEUE = 1024;

/** The protocol if the caller names none. */
const PROTOCOL = "print";

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections and datagrams on the same port with a fixed number of threads.
 *
 * @param options the address, the protocol and the number of threads
 * @returns the server, listening
 */
export async function serve(options: BerkeleyOptions = {}): Promise<Server> {
  const { DescriptorServer, requireThreads } = await mainThread();
  const { protocol = PROTOCOL } = options;
  const workers = WORKERS.read(options.workers);
  const udpRate = UDP_RATE.read(options.udpRate);
  requireThreads(workers + 1);
  const plan = {
    mode: "berkeley",
    url: import.meta.url,
    threads: workers + 1,
    queue: QUEUE,
    open: { listener: openListener, datagrams: openDatagrams, udpRate },
    traceCalls: TRACE_CALLS.read(options.traceCalls),
  };
  const server = await DescriptorServer.open(plan, { ...options, protocol });
  const started = Array.from({ length: workers }, () => server.team.keepRunning("worker"));
  started.push(server.team.keepRunning("acceptor"));
  const connections = isUnix(options.host ?? "") ? "Unix domain socket" : "TCP";
  const why = options.proxyProtocol === true ? ": a datagram has no PROXY header" : "";
  const transports = server.datagrams === undefined ? `${connections} only${why}` : "TCP and UDP";
  const details = [describeWorkers(workers), "descriptors", transports];
  return await server.serve(Promise.all(started), details);
}

/** How to serve with Berkeley sockets. */
export interface BerkeleyOptions extends ServeOptions, PoolOptions {
  /**
   * The protocol, as in every mode.
   *
   * @default {"print"}
   */
  readonly protocol?: string | URL;
  /**
   * How many datagrams from one address and port are answered in a second. With 0 there is no
   * limit.
   *
   * @default {1000}
   */
  readonly udpRate?: number;
  /**
   * Whether the log shows every call with its arguments and its result, under the category
   * `handshake-trace`.
   *
   * @default {false}
   */
  readonly traceCalls?: boolean;
}

const UDP_RATE: Option<number> = integerOption("udpRate", {
  least: 0,
  most: 1_000_000,
  default: 1000,
  help: "how many datagrams of one source are answered in a second; 0: no limit",
});

const TRACE_CALLS: Option<boolean> = booleanOption("traceCalls", {
  default: false,
  help: "show every call with its arguments and its result",
});

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("berkeley", serve, {
    summary: "the calls of a socket one by one, TCP and UDP on one port, a pool of threads",
    flags: [WORKERS, UDP_RATE, TRACE_CALLS],
    protocol: PROTOCOL,
  });
}

if (isMainModule(import.meta)) (await program()).run();
