/**
 * Clients in a loop: connect, ask, read, and again. A Worker runs them, so that the thread of the
 * test can start and stop servers meanwhile.
 *
 * @module
 */

import { IP_TTL, SOL_IP } from "../../engine/kernel/linux.ts";
import { encodeSockaddr, isIPv6 } from "../../engine/net/address.ts";
import { openPoller } from "../../engine/net/poller.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Address } from "../../protocol.ts";

/** What became of the attempts. */
export interface Asked {
  /** The server answered. */
  readonly answered: number;
  /** `connect` succeeded, and then the connection was reset. */
  readonly reset: number;
  /** `connect` succeeded, and then FIN came before any byte. */
  readonly ended: number;
  /** `connect` succeeded, and nothing came until the end. */
  readonly unanswered: number;
  /** `connect` was refused: nobody listens. That is honest. */
  readonly refused: number;
  /** `connect` had not succeeded at the end: the SYN was dropped. That is honest too. */
  readonly dropped: number;
  /** `connect` failed for another reason, for instance because the client has no ports left. */
  readonly failed: number;
}

/** What the clients do. */
export interface AskingPlan {
  /** Where to connect. */
  readonly address: Address;
  /** What each of them sends as soon as it is connected. */
  readonly question: string;
  /** How many there are. */
  readonly clients: number;
  /**
   * How long they rest before those who have their answer connect again, in milliseconds: for tests
   * that last long, in which they would otherwise take all that the processors have.
   *
   * @default {0}
   */
  readonly restMs?: number;
  /** Whether their packets look as if they had crossed no router: with the largest time to live. */
  readonly isNear?: boolean;
}

const COUNTS = [
  "answered",
  "reset",
  "ended",
  "unanswered",
  "refused",
  "dropped",
  "failed",
] as const;

/** How long clients go on after they were told to stop, for answers that are still to come. */
const PATIENCE_MS = 8_000;

// The words of the memory that both threads share. The counts lie behind them.
const STOP = 0;
const FIRST_COUNT = 1;

/** Clients that run. */
export class AskingClients implements AsyncDisposable {
  readonly #words: Int32Array;
  readonly #worker: Worker;
  readonly #over = Promise.withResolvers<void>();

  /** @param plan what they do */
  constructor(plan: AskingPlan) {
    this.#words = new Int32Array(new SharedArrayBuffer(4 * (FIRST_COUNT + COUNTS.length)));
    this.#worker = runtime.startThread(import.meta.url, THREAD);
    this.#worker.onmessage = () => this.#over.resolve();
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#over.reject(new Error(event.message));
    };
    this.#over.promise.catch(() => {});
    this.#worker.postMessage({ plan, words: this.#words });
  }

  /** What has become of the attempts so far. */
  get asked(): Asked {
    return Object.fromEntries(
      COUNTS.map((name, index) => [name, Atomics.load(this.#words, FIRST_COUNT + index)]),
    ) as unknown as Asked;
  }

  /** Lets them finish: those who are connected wait for their answer, and nobody connects again. */
  async finish(): Promise<Asked> {
    Atomics.store(this.#words, STOP, 1);
    await this.#over.promise;
    return this.asked;
  }

  /** Ends them. */
  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.#words, STOP, 1);
    await this.#over.promise.catch(() => {});
    this.#worker.terminate();
  }
}

const THREAD = "asking clients";

interface Client {
  fd: number;
  isConnected: boolean;
}

function run(plan: AskingPlan, words: Int32Array): void {
  const { address, question, clients, restMs = 0, isNear = false } = plan;
  const net = sockets();
  const poller = openPoller("epoll", net);
  const { AF_INET, AF_INET6, SOCK_STREAM, SOCK_NONBLOCK, SOL_SOCKET, SO_ERROR } = net.constants;
  const { POLLIN, POLLOUT, errno } = net.constants;
  const sockaddr = encodeSockaddr(address, net.constants);
  const family = isIPv6(address.hostname) ? AF_INET6 : AF_INET;
  const bytes = new TextEncoder().encode(question);
  const buffer = new Uint8Array(256);
  const open = new Map<number, Client>();
  const count = (name: typeof COUNTS[number]) =>
    Atomics.add(words, FIRST_COUNT + COUNTS.indexOf(name), 1);
  let isRefused = false;

  function connect(): void {
    const fd = net.socket(family, SOCK_STREAM | SOCK_NONBLOCK);
    if (isNear) net.setOption(fd, SOL_IP, IP_TTL, 255);
    const result = net.connectNonBlocking(fd, sockaddr);
    if (result < 0 && result !== -errno.EINPROGRESS) {
      net.close(fd);
      return notConnected(-result);
    }
    open.set(fd, { fd, isConnected: false });
    poller.add(fd, POLLOUT);
  }

  function notConnected(error: number): void {
    // Clients that are refused do not come again.
    isRefused ||= error === errno.ECONNREFUSED;
    count(error === errno.ECONNREFUSED ? "refused" : "failed");
  }

  function end(client: Client, name: typeof COUNTS[number]): void {
    count(name);
    drop(client);
  }

  function drop({ fd }: Client): void {
    open.delete(fd);
    poller.forget(fd);
    net.close(fd);
  }

  function go(client: Client): void {
    const { fd } = client;
    if (client.isConnected) {
      const got = net.recv(fd, buffer);
      if (got === -errno.EAGAIN) return;
      if (got > 0) return end(client, "answered");
      return end(client, got === 0 ? "ended" : "reset");
    }
    const error = net.getOption(fd, SOL_SOCKET, SO_ERROR);
    if (error !== 0) {
      drop(client);
      return notConnected(error);
    }
    client.isConnected = true;
    const sent = net.send(fd, bytes);
    if (sent === bytes.length) return poller.modify(fd, POLLIN);
    end(client, "reset");
  }

  let endsAt = Infinity;
  let restsUntil = 0;
  for (;;) {
    const isStopped = Atomics.load(words, STOP) === 1;
    if (isStopped && endsAt === Infinity) endsAt = performance.now() + PATIENCE_MS;
    const now = performance.now();
    if (now >= restsUntil) {
      for (let left = clients - open.size; left > 0 && !isStopped && !isRefused; left--) connect();
      restsUntil = now + restMs;
    }
    const isWaiting = [...open.values()].some(({ isConnected }) => isConnected);
    if (isStopped && (!isWaiting || performance.now() >= endsAt)) break;
    const ready = poller.wait(5);
    for (let index = 0; index < ready; index++) {
      const client = open.get(poller.fdAt(index));
      if (client !== undefined) go(client);
    }
  }
  for (const client of open.values()) end(client, client.isConnected ? "unanswered" : "dropped");
  poller.close();
}

if (runtime.threadName === THREAD) {
  globalThis.onmessage = ({ data: { plan, words } }: MessageEvent) => {
    run(plan, words);
    postMessage("over");
  };
}
