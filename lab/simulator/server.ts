/**
 * What the models of a simulated server share: to accept, to serve, to hand over.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../protocols/catalogue.ts";
import type { ComputeEffect } from "../../protocols/effects.ts";
import { type Computer, Conversation, type Elsewhere } from "./conversation.ts";
import type { Costs } from "./costs.ts";
import type { History } from "./history.ts";
import { type Code, type Machine, Signal, waitFor, work } from "./machine.ts";
import type { End, Listener } from "./network.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** The knobs of a simulated server. Not every model has all of them. */
export interface ServerOptions {
  /** The protocol that it serves. */
  readonly protocol: ProtocolDefinition;
  /** What things cost. */
  readonly costs: Costs;
  /** Threads of a pool, loops of a cluster, processes. */
  readonly workers: number;
  /** How many accepted connections may wait for a worker. */
  readonly queue: number;
  /** Threads that are ready before anybody comes, where a connection gets a thread of its own. */
  readonly spare: number;
  /** Threads that compute for event loops; 0 means that the loops compute by themselves. */
  readonly offload: number;
}

/** A server under simulation. */
export class Server {
  /** The clock. */
  readonly time: VirtualTime;
  /** Its knobs. */
  readonly options: ServerOptions;
  /** Where it listens: one socket, or one for each loop of a cluster. */
  readonly listeners: readonly Listener[];
  /** What happens. */
  readonly history: History;
  readonly #machine: Machine;
  readonly #computer: Computer;
  readonly #arrivals = new Map<Listener, Signal>();
  #pool: Offload | undefined;

  constructor(
    machine: Machine,
    listeners: readonly Listener[],
    history: History,
    computer: Computer,
    options: ServerOptions,
  ) {
    this.time = machine.time;
    this.#machine = machine;
    this.listeners = listeners;
    this.history = history;
    this.#computer = computer;
    this.options = options;
  }

  /**
   * Starts a thread.
   *
   * @param name what it is called
   * @param code what it does; it is told its number
   * @param isLoop whether it serves many connections at a time
   */
  start(name: string, code: (thread: number) => Code, isLoop = false): void {
    const { startThreadUs } = this.options.costs;
    const { history } = this;
    this.#machine.start(
      name,
      (function* () {
        yield* work(startThreadUs);
        yield* code(history.thread(name, isLoop));
      })(),
    );
  }

  /**
   * Lets the main thread do something.
   *
   * @param code what it does; it is told its number
   * @param isLoop whether it serves many connections at a time
   */
  startMain(code: (thread: number) => Code, isLoop = false): void {
    this.#machine.start("main", code(this.history.thread("main", isLoop)));
  }

  /** Waits for a connection and takes it: accept(2) that blocks. */
  *accept(listener = this.listeners[0] as Listener): Code<End> {
    let arrival = this.#arrivals.get(listener);
    if (arrival === undefined) {
      arrival = new Signal();
      this.#arrivals.set(listener, arrival);
      listener.onChange = () => arrival?.wakeOne();
    }
    for (;;) {
      const end = listener.accept();
      if (end !== undefined) {
        this.history.begun(end);
        yield* work(this.options.costs.acceptUs);
        return end;
      }
      yield* waitFor(arrival);
    }
  }

  /** Serves a connection from its first byte to its last, with calls that block. */
  *serve(end: End, thread: number): Code {
    this.history.served(end, thread);
    const conversation = this.converse(end, thread);
    const changed = new Signal();
    conversation.onChange = () => changed.wakeAll();
    for (;;) {
      yield* conversation.advance();
      if (conversation.isOver) break;
      yield* waitFor(changed);
    }
    this.history.over(conversation);
  }

  /**
   * Begins the conversation of a connection.
   *
   * @param end the connection
   * @param thread the thread that computes for it in place
   * @param elsewhere who computes instead
   */
  converse(end: End, thread: number, elsewhere?: Elsewhere): Conversation {
    const { protocol, costs } = this.options;
    const { history } = this;
    const never = new AbortController().signal;
    const talk = protocol.serve({ peer: end.remote, signal: never }, {});
    return new Conversation(end, talk, {
      time: this.time,
      costs,
      tasks: this.#computer,
      elsewhere,
      readTimeoutMs: protocol.readTimeoutMs,
      sessionTimeoutMs: protocol.sessionTimeoutMs,
      observer: {
        computed: (task, fromUs) => history.span("computing", fromUs, { end, thread, task }),
        waitedForComputing: (task, fromUs) =>
          history.span("waiting for computing", fromUs, { end, task }),
        wrote: (fromUs) => history.span("writing", fromUs, { end }),
      },
    });
  }

  /** The threads that compute for event loops; `undefined` if loops compute by themselves. */
  get offload(): Elsewhere | undefined {
    const { offload } = this.options;
    if (offload === 0) return undefined;
    this.#pool ??= new Offload(this, this.#computer, offload);
    return this.#pool;
  }
}

/** A queue between threads. */
export class Queue<Item> {
  readonly #items: { readonly item: Item; readonly sinceUs: number }[] = [];
  readonly #most: number;
  readonly #time: VirtualTime;
  readonly #filled = new Signal();
  readonly #emptied = new Signal();

  /**
   * @param time the clock
   * @param most how many may wait
   */
  constructor(time: VirtualTime, most: number) {
    this.#time = time;
    this.#most = most;
  }

  /** How many wait. */
  get length(): number {
    return this.#items.length;
  }

  /** Puts something into the queue, when there is room. */
  *put(item: Item): Code {
    while (this.#items.length >= this.#most) yield* waitFor(this.#emptied);
    this.add(item);
  }

  /** Puts something into the queue, whether there is room or not. */
  add(item: Item): void {
    this.#items.push({ item, sinceUs: this.#time.nowUs });
    this.#filled.wakeOne();
  }

  /** Takes what has waited longest, when there is something. Says since when it has waited. */
  *take(): Code<{ readonly item: Item; readonly sinceUs: number }> {
    for (;;) {
      const first = this.#items.shift();
      if (first !== undefined) {
        this.#emptied.wakeOne();
        return first;
      }
      yield* waitFor(this.#filled);
    }
  }
}

/** Threads that compute for event loops. */
class Offload implements Elsewhere {
  readonly #server: Server;
  readonly #computer: Computer;
  readonly #queue: Queue<(thread: number) => Code>;

  constructor(server: Server, computer: Computer, threads: number) {
    this.#server = server;
    this.#computer = computer;
    const queue: Queue<(thread: number) => Code> = new Queue(server.time, Infinity);
    this.#queue = queue;
    for (let index = 0; index < threads; index++) {
      server.start(`computing ${index}`, function* (thread) {
        for (;;) yield* (yield* queue.take()).item(thread);
      });
    }
  }

  begin(
    effect: ComputeEffect,
    { end }: Conversation,
    done: (result: unknown, error?: unknown) => void,
  ): void {
    const computer = this.#computer;
    const { time, history, options: { costs } } = this.#server;
    this.#queue.add(function* (thread) {
      const fromUs = time.nowUs;
      yield* work(computer.costUs(effect));
      history.span("computing", fromUs, { end, thread, task: effect.task });
      yield* work(costs.handOverUs);
      try {
        done(computer.run(effect));
      } catch (error) {
        done(undefined, error);
      }
    });
  }
}
