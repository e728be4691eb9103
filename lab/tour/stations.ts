/**
 * The stations of the tour: a model each, with what its threads do.
 *
 * @module
 */

import type { ModeName } from "../../modes/catalogue.ts";

/** A station. */
export interface Station {
  readonly mode: ModeName;
  /** The flags that make the model show what it is about. */
  readonly flags: readonly string[];
  /** What the model is, in two sentences. */
  readonly why: string;
}

/** The stations, in the order in which the models were thought of. */
export const STATIONS: readonly Station[] = [
  {
    mode: "sequential",
    flags: [],
    why: "One thread serves one client from the first byte to the last. " +
      "Everybody else stays in the kernel's accept queue, whatever they want.",
  },
  {
    mode: "threaded",
    flags: [],
    why: "Each client has a thread of its own, so nobody waits for anybody. " +
      "But each thread costs memory, and time to start.",
  },
  {
    mode: "threadpool",
    flags: ["--workers", "2"],
    why: "Two threads that are started once serve one client each. " +
      "Who finds both busy waits in a queue of the server's own.",
  },
  {
    mode: "berkeley",
    flags: ["--workers", "2"],
    why: "Two threads call accept() themselves, each on the same socket. " +
      "So the only queue is the kernel's.",
  },
  {
    mode: "prefork",
    flags: ["--workers", "2"],
    why: "Two processes in place of two threads: they share nothing but the listening socket. " +
      "If one of them dies, it takes only its own client along.",
  },
  {
    mode: "event",
    flags: ["--offload", "0"],
    why:
      "One thread serves everybody in turns, and a turn ends where a client has to be waited for. " +
      "A turn that computes ends when the result is there, and all others wait so long.",
  },
  {
    mode: "event",
    flags: ["--offload", "2"],
    why: "The same loop, and two Workers beside it that compute. " +
      "The loop's turns stay short, so small questions overtake the long one.",
  },
  {
    mode: "nonblocking",
    flags: ["--offload", "2"],
    why: "The same without the runtime's event loop. " +
      "epoll says which sockets are ready, and calls that do not block do the rest.",
  },
  {
    mode: "completion",
    flags: ["--offload", "2"],
    why: "The kernel is told what to do, and says when it was done (io_uring). " +
      "No call asks whether a socket is ready.",
  },
  {
    mode: "cluster",
    flags: ["--workers", "2", "--offload", "0"],
    why: "Two loops, each with a listening socket of its own on the same port. " +
      "The kernel chooses one by a hash of both addresses and ports, and who meets the loop that " +
      "computes waits.",
  },
];

/** The stations of the short tour, which has one idea: each differs from the one before in one thing. */
export const SHORT_STATIONS: readonly Station[] = [
  {
    mode: "sequential",
    flags: [],
    why: "One thread, and one client after another. " +
      "The other two are connected, but nobody has accepted them: they wait in the kernel's queue.",
  },
  {
    mode: "event",
    flags: ["--offload", "0"],
    why: "One thread again, but it serves all of them in turns. " +
      "A turn that computes is a long one, and meanwhile the loop does nothing else: " +
      "it does not even accept.",
  },
  {
    mode: "event",
    flags: ["--offload", "2"],
    why: "The same loop, and two threads beside it that compute. " +
      "The turns stay short, so the small questions are answered while the long one is worked on.",
  },
];
