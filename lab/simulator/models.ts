/**
 * The models of concurrency, one for each mode, as what their threads do.
 *
 * Each reads like the script of its mode. The calls are the same, and only their time is virtual.
 *
 * @module
 */

import type { ModeName } from "../../modes/catalogue.ts";
import type { Conversation, Elsewhere } from "./conversation.ts";
import { type Code, Signal, waitFor, work } from "./machine.ts";
import type { End, Listener } from "./network.ts";
import { Queue, type Server } from "./server.ts";

/** Starts the threads of a server. */
export type Model = (server: Server) => void;

/** The models by the name of their mode. */
export const MODELS: Readonly<Partial<Record<ModeName, Model>>> = {
  sequential(server) {
    server.start("worker 0", function* (thread) {
      for (;;) yield* server.serve(yield* server.accept(), thread);
    });
  },

  threaded(server) {
    const queue = new Queue<End>(server.time, Infinity);
    const { spare, costs } = server.options;
    let idle = 0;
    let started = 0;
    const startWorker = () => {
      idle++;
      server.start(`worker ${++started}`, function* (thread) {
        for (;;) {
          const { item, sinceUs } = yield* queue.take();
          idle--;
          server.history.queued(item, sinceUs);
          yield* server.serve(item, thread);
          idle++;
        }
      });
    };
    server.start("acceptor 0", function* () {
      for (;;) {
        const end = yield* server.accept();
        yield* work(costs.handOverUs);
        queue.add(end);
        // One for each connection that waits, if no spare thread takes it.
        if (queue.length > idle) startWorker();
      }
    });
    for (let each = 0; each < spare; each++) startWorker();
  },

  threadpool(server) {
    const { workers, queue: most, costs } = server.options;
    if (most === 0) return acceptingWorkers(server, "worker");
    const queue = new Queue<End>(server.time, most);
    for (let index = 0; index < workers; index++) {
      server.start(`worker ${index}`, function* (thread) {
        for (;;) {
          const { item, sinceUs } = yield* queue.take();
          server.history.queued(item, sinceUs);
          yield* server.serve(item, thread);
        }
      });
    }
    server.start(`acceptor ${workers}`, function* () {
      for (;;) {
        const end = yield* server.accept();
        yield* work(costs.handOverUs);
        yield* queue.put(end);
      }
    });
  },

  event(server) {
    const [listener] = server.listeners as [Listener];
    const { offload } = server;
    server.startMain((thread) => loop(server, listener, thread, offload), true);
  },

  nonblocking: startLoops,

  // What the kernel does for each message costs about as much in both ways to ask for it.
  completion: startLoops,

  cluster: startLoops,

  prefork: (server) => acceptingWorkers(server, "process"),
};

/** Threads that each accept for themselves. */
function acceptingWorkers(server: Server, name: string): void {
  for (let index = 0; index < server.options.workers; index++) {
    server.start(`${name} ${index}`, function* (thread) {
      for (;;) yield* server.serve(yield* server.accept(), thread);
    });
  }
}

/** A thread with an event loop for each listener. */
function startLoops(server: Server): void {
  const { offload } = server;
  for (const [index, listener] of server.listeners.entries()) {
    server.start(`loop ${index}`, (thread) => {
      if (server.listeners.length > 1) server.history.accepts(thread, listener);
      return loop(server, listener, thread, offload);
    }, true);
  }
}

/** An event loop: it asks what is ready, and lets each conversation go on as far as it can. */
function* loop(
  server: Server,
  listener: Listener,
  thread: number,
  offload: Elsewhere | undefined,
): Code {
  const { time, history, options: { costs } } = server;
  const woken = new Signal();
  const ready = new Set<Conversation>();
  let mayAccept = listener.waiting > 0;
  listener.onChange = () => {
    mayAccept = true;
    woken.wakeAll();
  };
  for (;;) {
    while (!mayAccept && ready.size === 0) yield* waitFor(woken);
    yield* work(costs.pollUs);
    if (mayAccept) {
      mayAccept = false;
      for (let end; (end = listener.accept()) !== undefined;) {
        history.begun(end);
        history.served(end, thread);
        yield* work(costs.acceptUs);
        const conversation = server.converse(end, thread, offload);
        conversation.onChange = () => {
          ready.add(conversation);
          woken.wakeAll();
        };
        ready.add(conversation);
      }
    }
    // Those that become ready meanwhile have their turn the next time.
    for (const conversation of [...ready]) {
      ready.delete(conversation);
      if (conversation.isOver) continue;
      const fromUs = time.nowUs;
      yield* conversation.advance();
      history.span("turn", fromUs, { end: conversation.end, thread });
      if (conversation.isOver) history.over(conversation);
    }
  }
}
