/**
 * The null server: it answers at once and does nothing else. What it reaches on this machine, few
 * servers can beat under the same load.
 *
 * It is a readiness loop in a Worker, written with the calls of the system alone: no protocol runs in
 * it, nothing is counted and nothing is limited. It speaks `echo` and `frame`, whose answers need no
 * memory of what came before.
 *
 * @module
 */

import { EpollEvents } from "../../engine/net/poll_sets.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { requireWorkers, SupervisedWorker } from "../../engine/workers/supervised_worker.ts";
import { onAssigned } from "../../engine/workers/worker_side.ts";
import type { Address } from "../../protocols/effects.ts";

/** What a null server can speak. */
export type NullProtocol = "echo" | "frame";

/** The name of the Worker. Its second word names the command that an executable loads for it. */
const THREAD = "handshake bench null";

/** Where it listens. */
const STAGE = { hostname: "127.0.0.1", port: 0 } as const;

/** How often it looks whether it is to end, in milliseconds. */
const LOOK_MS = 20;

/** How many events it takes at a time, and how many bytes. */
const EVENTS = 256;
const BYTES = 64 * 1024;

/** What a server of `frame` says first, and the marks of a frame, which are not answered. */
const GREETING = new TextEncoder().encode("*");
const [BEGIN, END] = ["^".charCodeAt(0), "$".charCodeAt(0)];

/** The first message to the Worker. */
interface NullAssignment {
  readonly protocol: NullProtocol;
  /** One word: whether it is to end. */
  readonly stop: SharedArrayBuffer;
}

/** Where it listens. */
interface Listening {
  readonly kind: "listening";
  readonly address: Address;
}

onAssigned(THREAD, ({ protocol, stop }: NullAssignment, post: (message: Listening) => void) => {
  const word = new Int32Array(stop);
  const isStopped = () => Atomics.load(word, 0) !== 0;
  return Promise.resolve({
    play(sayReady: () => void) {
      const net = sockets();
      const listener = net.openListener(STAGE, { nonBlocking: true });
      post({ kind: "listening", address: net.localAddress(listener) });
      sayReady();
      try {
        serve(listener, protocol, isStopped);
      } finally {
        net.close(listener);
      }
    },
  });
});

function serve(listener: number, protocol: NullProtocol, isStopped: () => boolean): void {
  const net = sockets();
  const { POLLIN, EPOLL_CTL_ADD, errno: { EAGAIN, EINTR } } = net.constants;
  const epoll = net.epollCreate();
  const events = new EpollEvents(EVENTS);
  const sockaddr = net.writeAddress(STAGE);
  const buffer = new Uint8Array(BYTES);
  const views: Uint8Array[] = [];
  const open = new Set<number>();
  const viewOf = (count: number) => views[count] ??= buffer.subarray(0, count);
  const accept = () => {
    for (;;) {
      const fd = net.acceptNonBlocking(listener, sockaddr);
      if (fd < 0) return;
      open.add(fd);
      net.epollControl(epoll, EPOLL_CTL_ADD, fd, POLLIN, fd);
      if (protocol === "frame") net.send(fd, GREETING);
    }
  };
  const end = (fd: number) => {
    open.delete(fd);
    net.close(fd);
  };
  net.epollControl(epoll, EPOLL_CTL_ADD, listener, POLLIN, listener);
  try {
    while (!isStopped()) {
      const count = net.epollWait(epoll, events, LOOK_MS);
      for (let index = 0; index < count; index++) {
        const fd = events.tokenAt(index);
        if (fd === listener) {
          accept();
          continue;
        }
        const received = net.recv(fd, buffer);
        if (received === -EAGAIN || received === -EINTR) continue;
        if (received <= 0) end(fd);
        else {
          const length = protocol === "echo" ? received : raise(buffer, received);
          if (length > 0 && !sendAll(fd, viewOf(length))) end(fd);
        }
      }
    }
  } finally {
    for (const fd of open) net.close(fd);
    net.close(epoll);
  }
}

/** Sends all bytes. The load takes what it has asked for, so this waits for little. */
function sendAll(fd: number, bytes: Uint8Array): boolean {
  const net = sockets();
  const { POLLOUT, errno: { EAGAIN, EINTR } } = net.constants;
  for (let at = 0; at < bytes.length;) {
    const sent = net.send(fd, at === 0 ? bytes : bytes.subarray(at));
    if (sent > 0) at += sent;
    else if (sent !== -EAGAIN && sent !== -EINTR) return false;
    else if (net.poll(fd, POLLOUT, LOOK_MS) <= 0) return false;
  }
  return true;
}

/** Puts the answer to frames in their place: each byte one higher, without the marks. */
function raise(buffer: Uint8Array, count: number): number {
  let length = 0;
  for (let at = 0; at < count; at++) {
    const byte = buffer[at] as number;
    if (byte !== BEGIN && byte !== END) buffer[length++] = byte + 1;
  }
  return length;
}

/** A null server that runs. */
export interface NullServer extends AsyncDisposable {
  readonly address: Address;
}

/**
 * Starts a null server. The system must have epoll, and descriptors for a Worker.
 *
 * @param protocol what it speaks
 * @throws {Error} if it cannot be started
 */
export async function startNullServer(protocol: NullProtocol): Promise<NullServer> {
  requireWorkers(import.meta.url);
  const stop = new SharedArrayBuffer(4);
  let address: Address | undefined;
  const worker = SupervisedWorker.start<never, Listening>({
    url: import.meta.url,
    name: THREAD,
    assignment: { protocol, stop } satisfies NullAssignment,
    cannotStart: "Cannot start a null server",
    onMessage: (message) => address = message.address,
  });
  await worker.ready;
  return {
    address: address as Address,
    async [Symbol.asyncDispose]() {
      Atomics.store(new Int32Array(stop), 0, 1);
      await worker.endWithin(1_000);
    },
  };
}
