/**
 * Questions about waiting for many sockets at once.
 *
 * @module
 */

import process from "node:process";
import { ProcessStatus } from "../../engine/process/process_status.ts";
import { EpollEvents } from "../../engine/net/poll_sets.ts";
import type { End } from "../observe/stage/ends.ts";
import { count, order } from "../observe/stage/seen.ts";
import type { Stage } from "../observe/stage/stage.ts";
import { said } from "./found.ts";
import { receiveNow } from "./helpers.ts";
import type { ProcessQuestion, SocketQuestion } from "./question.ts";

/** How long this process computes, in milliseconds. */
const BUSY_MS = 20;

const isItAsynchronous: SocketQuestion = {
  id: "epoll-and-reading",
  topic: "readiness",
  text: "epoll_wait(2) has reported a socket. Where are the bytes that have come?",
  answers: [
    "in my program's memory: the kernel has copied them while I waited",
    "in the kernel: it only says that a recv(2) would not wait",
    "on their way: the kernel asks the peer for them now",
  ],
  book: 2,
  why:
    "epoll tells readiness. The read is still a call of one's own, which copies the bytes, and the " +
    "thread does nothing else meanwhile. Asynchronous is what io_uring does: there the kernel reads, " +
    "and says afterwards that it was done.",
  sources: ["epoll(7)", "io_uring(7)"],
  on: "sockets",
  async run(stage) {
    const [client, server] = await stage.pair(stage.listen());
    using epoll = new Epoll(stage, server, "level");
    client.send(5);
    await stage.until("the bytes", () => (stage.rowOf(server)?.receiveQueue ?? 0) >= 5);
    return [
      count("sockets that epoll_wait(2) reports", epoll.ready()),
      count("bytes in the kernel after that", stage.rowOf(server)?.receiveQueue ?? 0),
      said("then recv(2) returns", receiveNow(stage, server)),
    ];
  },
  decide(found) {
    if (found.count("sockets that epoll_wait(2) reports") !== 1) return undefined;
    if (found.count("bytes in the kernel after that") === 0) return 1;
    return found.word("then recv(2) returns") === "5" ? 2 : 3;
  },
};

const edge: SocketQuestion = {
  id: "edge-triggered",
  topic: "readiness",
  text:
    "A socket is watched edge-triggered (EPOLLET). Ten bytes come, epoll_wait(2) reports it, and " +
    "the program reads four of them. What does the next epoll_wait(2) say, if nothing more comes?",
  answers: [
    "it reports the socket again: six bytes are left",
    "nothing, for ever: nothing has changed",
    "an error: the first event was not dealt with",
  ],
  book: 2,
  why:
    "Edge-triggered means that changes are reported, and not what is. Who reads less than there is " +
    "hears of the rest only when something new comes, and a peer that waits for an answer sends nothing " +
    "new. So read until EAGAIN. Level-triggered, as epoll is at first, it would be reported again.",
  sources: ["epoll(7): Level-triggered and edge-triggered"],
  on: "sockets",
  async run(stage) {
    const [client, server] = await stage.pair(stage.listen());
    using edgeWise = new Epoll(stage, server, "edge");
    using levelWise = new Epoll(stage, server, "level");
    client.send(10);
    await stage.until("the bytes", () => (stage.rowOf(server)?.receiveQueue ?? 0) >= 10);
    const first = edgeWise.ready();
    receiveNow(stage, server, 4);
    const second = edgeWise.ready();
    const left = stage.rowOf(server)?.receiveQueue ?? 0;
    const level = levelWise.ready();
    client.send(1);
    await stage.until("one more", () => (stage.rowOf(server)?.receiveQueue ?? 0) > left);
    return [
      count("edge-triggered: sockets reported at first", first),
      count("bytes left after the read", left),
      count("edge-triggered: sockets reported after the read", second),
      count("level-triggered: sockets reported after the read", level),
      count("edge-triggered: sockets reported when one more byte comes", edgeWise.ready()),
    ];
  },
  decide(found) {
    if (found.count("edge-triggered: sockets reported at first") !== 1) return undefined;
    if (!(found.count("bytes left after the read") > 0)) return undefined;
    const again = found.count("edge-triggered: sockets reported after the read");
    return again === 1 ? 1 : again === 0 ? 2 : 3;
  },
};

/** An epoll instance that watches the receiving side of one end. */
class Epoll implements Disposable {
  readonly #stage: Stage;
  readonly #fd: number;
  readonly #events = new EpollEvents(1);

  constructor(stage: Stage, { fd }: End, how: "edge" | "level") {
    const { EPOLL_CTL_ADD, EPOLLIN, EPOLLET } = stage.net.constants;
    this.#stage = stage;
    this.#fd = stage.net.epollCreate();
    const events = how === "edge" ? EPOLLIN | EPOLLET : EPOLLIN;
    stage.net.epollControl(this.#fd, EPOLL_CTL_ADD, fd, events, 0);
  }

  /** How many sockets are reported now; less than 0 is an error. */
  ready(): number {
    return this.#stage.net.epollWait(this.#fd, this.#events, 0);
  }

  [Symbol.dispose](): void {
    this.#stage.net.close(this.#fd);
  }
}

const singleThreaded: ProcessQuestion = {
  id: "single-threaded",
  topic: "readiness",
  text: "Deno, Bun and Node.js are called single-threaded. What does that mean?",
  answers: [
    "the whole process has one thread",
    "JavaScript does one thing at a time; the process has more threads",
    "JavaScript runs on several threads, which take turns at every call",
  ],
  book: 2,
  why:
    "The JavaScript of one isolate runs on one thread, and a timer that is due waits until the code " +
    "that runs has returned. Files, names and the garbage collector have threads of their own, and " +
    "each Worker is an isolate of its own with a thread of its own.",
  sources: ["nodejs.org: Don't block the event loop (or the worker pool)"],
  on: "process",
  async run() {
    const happened: string[] = [];
    const due = new Promise<void>((resolve) =>
      setTimeout(() => {
        happened.push("the timer's function has run");
        resolve();
      }, 1)
    );
    const endsAt = performance.now() + BUSY_MS;
    while (performance.now() < endsAt);
    happened.push("the computation has ended");
    await due;
    return [
      count("threads of this process", new ProcessStatus(process.pid).threads),
      order(`a timer of 1 ms, and a computation of ${BUSY_MS} ms`, happened),
    ];
  },
  decide(found) {
    const threads = found.count("threads of this process");
    const [first] = found.order(`a timer of 1 ms, and a computation of ${BUSY_MS} ms`);
    if (!(threads >= 1) || first === undefined) return undefined;
    return first !== "the computation has ended" ? 3 : threads === 1 ? 1 : 2;
  },
};

/** The questions of this file. */
export const READINESS: readonly (SocketQuestion | ProcessQuestion)[] = [
  isItAsynchronous,
  edge,
  singleThreaded,
];
