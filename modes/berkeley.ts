/**
 * Berkeley: the whole life of a socket written out call by call, TCP and UDP on the same port.
 *
 * The calls are those of 4.2BSD, 1983, and every network program ends in them. Over TCP a socket
 * listens, and each connection is another socket: accepted, served and closed. Over UDP one socket
 * is all there is: every datagram comes with its sender's address, and an answer needs it. A pool of
 * workers serves both: a connection from beginning to end, and datagrams a few at a time, by one
 * worker at a time so that they stay in order.
 *
 * With `--trace-calls` every call is shown with its arguments and its result as it is made.
 *
 * Costs: those of the thread pool. While all workers are busy with connections, datagrams wait in the
 * socket's receive buffer, and when that is full they are lost. Use it to read, and where one service
 * has to be had over TCP and UDP, as DNS does.
 *
 * @module
 */

import { booleanOption, integerOption, type Option } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { isIPv6, SOCKADDR_SIZE } from "../engine/net/address.ts";
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
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";
import type { Address } from "../protocols/effects.ts";

onThread("berkeley", {
  acceptor(thread: Thread) {
    const { calls, listener, datagrams } = thread;
    // The oldest connection of the accept queue: a descriptor for this peer alone.
    const accept = (peer: Uint8Array) => calls.accept(listener, peer);
    // poll(2) tells which of the two sockets has something.
    for (const ready of thread.readySockets()) {
      const fd = ready === datagrams?.fd ? ready : thread.admit(accept);
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

/** The life of a connection. The protocol decides how often bytes are received and sent. */
function serveConnection(thread: Thread, fd: number): void {
  const { calls } = thread;
  const { MSG_DONTWAIT, SHUT_WR } = calls.constants;
  const service = thread.begin(fd);
  for (let need = service.next(); need !== "nothing"; need = service.next()) {
    // Waits for bytes, however many there are; 0 is the peer's FIN.
    if (need === "recv") service.received(calls.recv(fd, service.buffer, 0));
    // The kernel takes as many bytes as it has room for. The next turn sends the rest.
    else service.sent(calls.send(fd, service.unsent, MSG_DONTWAIT));
  }
  // FIN: we have said all there is to say.
  service.shutDown(calls.shutdown(fd, SHUT_WR));
  // The number goes back, and may be somebody else's a moment later. Not yet, if the peer may still
  // be talking: the answer to that would be RST, and our last words could be lost.
  if (service.release()) calls.close(fd);
  service.over();
}

/** Receives datagrams, a few at a time: one socket serves all peers, and there is none to close. */
function datagramReceiver(thread: Thread, datagrams: SharedDatagramSocket): () => void {
  const { calls } = thread;
  const { fd } = datagrams;
  const { MSG_DONTWAIT } = calls.constants;
  const service = new DatagramService(datagrams, thread);
  const buffer = new Uint8Array(LONGEST);
  const sender = new Uint8Array(SOCKADDR_SIZE);
  // To where it came from. Whether it arrives, or found room to be sent at all, nobody will know.
  const send = (answer: Uint8Array) => void calls.sendto(fd, answer, sender, MSG_DONTWAIT);
  return () => {
    try {
      service.forgetSilent();
      for (let left = BURST; left > 0 && !thread.closing; left--) {
        // One datagram, whole, and the address of its sender.
        const count = calls.recvfrom(fd, buffer, sender, MSG_DONTWAIT);
        // EAGAIN: that was all. Any other error is of an answer that could not be delivered.
        if (count < 0) break;
        service.serve(sender, buffer.subarray(0, count), send);
      }
    } finally {
      datagrams.bringHome();
    }
  };
}

/** How many datagrams a worker receives until it looks for other work. */
const BURST = 64;

/** No datagram is longer, in bytes: its length has 16 bits. */
const LONGEST = 65_535;

/** A TCP socket that listens. The server closes it when no thread accepts any more. */
function openListener(calls: Sockets, address: Address, receiveTimeoutMs: number): number {
  const { AF_INET, AF_INET6, SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY } = calls.constants;
  const { SOL_SOCKET, SO_REUSEADDR } = calls.constants;
  // A descriptor for an endpoint of a stream, without an address so far.
  const fd = calls.socket(isIPv6(address.hostname) ? AF_INET6 : AF_INET, SOCK_STREAM);
  try {
    // The port may be taken although old connections of it linger in TIME-WAIT.
    calls.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    // Small answers are sent at once. Like the next option, accepted connections inherit it.
    calls.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (receiveTimeoutMs > 0) calls.setReceiveTimeout(fd, receiveTimeoutMs);
    // Its own address. With port 0 the kernel picks one.
    calls.bind(fd, address);
    // From now on the kernel shakes hands with clients, and queues their connections.
    calls.listen(fd, ACCEPT_QUEUE);
    return fd;
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

/** A UDP socket: it has nothing to listen for and nobody to accept. */
function openDatagrams(calls: Sockets, address: Address): number {
  const { AF_INET, AF_INET6, SOCK_DGRAM } = calls.constants;
  const fd = calls.socket(isIPv6(address.hostname) ? AF_INET6 : AF_INET, SOCK_DGRAM);
  try {
    // Not SO_REUSEADDR: with it two servers could have the same port, and one gets nothing.
    calls.bind(fd, address);
    return fd;
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

/** How many accepted connections wait for a worker. */
const QUEUE = 1024;

/** What is spoken when nothing else is said. */
const PROTOCOL = "print";

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections and datagrams on the same port with a fixed number of threads.
 *
 * @param options where to listen, what to speak, how many threads
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
  const transports = server.datagrams === undefined ? "TCP only" : "TCP and UDP";
  const details = [describeWorkers(workers), "descriptors", transports];
  return await server.serve(Promise.all(started), details);
}

/** How to serve with Berkeley sockets. */
export interface BerkeleyOptions extends ServeOptions, PoolOptions {
  /**
   * What to speak, as in every mode.
   *
   * @default {"print"}
   */
  readonly protocol?: string | URL;
  /**
   * How many datagrams from one address and port are answered in a second; 0 is any number.
   *
   * @default {1000}
   */
  readonly udpRate?: number;
  /**
   * Whether every call is shown with its arguments and its result: in the log, under the category
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
  help: "how many datagrams of one source are answered in a second; 0: any number",
});

const TRACE_CALLS: Option<boolean> = booleanOption("traceCalls", {
  default: false,
  help: "show every call with its arguments and result",
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
