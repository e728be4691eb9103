/**
 * The conversations of one event loop: started, counted, limited, drained.
 *
 * @module
 */

import { beginConversation } from "../drivers/conversation.ts";
import { TimedDeadlines } from "../drivers/deadlines.ts";
import { Session, type SessionOptions } from "../drivers/session.ts";
import type { Connection } from "../net/transport.ts";
import type { Listener } from "../net/listener.ts";
import { LazyContext } from "./context.ts";
import { CounterBlock } from "./counters.ts";
import { MainJournal } from "./journal.ts";
import { listen } from "./listening.ts";
import { CutError, Observer } from "./observer.ts";
import { type CheckedOptions, checkOptions, type ServeOptions } from "./options.ts";
import { makeServer, type Server } from "./server.ts";

/** The conversations under way on this thread. */
export class SessionSet implements Disposable {
  readonly #options: CheckedOptions;
  readonly #observer: Observer;
  readonly #deadlines = new TimedDeadlines();
  readonly #sessions = new Set<Session<void>>();
  readonly #sessionOptions: SessionOptions;
  #roomWanted: (() => void) | undefined;
  #emptied: (() => void) | undefined;
  #cutting = false;

  /** @param options the server's @param observer this thread's */
  constructor(options: CheckedOptions, observer: Observer) {
    this.#options = options;
    this.#observer = observer;
    const { readTimeoutMs, sessionTimeoutMs, computeTimeoutMs } = options.settings;
    this.#sessionOptions = {
      readTimeoutMs,
      sessionTimeoutMs,
      computeTimeoutMs,
      deadlines: this.#deadlines,
      tasks: options.protocol.tasks,
      onReport: observer.onReport,
    };
  }

  /** How many conversations are under way. */
  get size(): number {
    return this.#sessions.size;
  }

  /**
   * Serves a connection, beside all others.
   *
   * @param connection is closed when its conversation is over
   * @returns a promise of the end of the conversation; it does not reject
   */
  serve(connection: Connection): Promise<void> {
    const { protocol, settings } = this.#options;
    const over = Promise.withResolvers<void>();
    const context = new LazyContext(connection);
    const observation = this.#observer.begin(context);
    const conversation = beginConversation(protocol, context, settings.protocolSettings);
    const session = new Session(connection, conversation, this.#sessionOptions, (error) => {
      this.#sessions.delete(session);
      observation.over(error);
      context.end();
      if (this.#roomWanted !== undefined && this.#sessions.size < this.#options.maxConnections) {
        this.#roomWanted();
        this.#roomWanted = undefined;
      }
      if (this.#sessions.size === 0) this.#emptied?.();
      over.resolve();
    });
    this.#sessions.add(session);
    session.start();
    if (this.#cutting) session.cut(new CutError());
    return over.promise;
  }

  /** Resolves when another conversation may begin. */
  room(): Promise<void> | undefined {
    if (this.#sessions.size < this.#options.maxConnections) return undefined;
    return new Promise((resolve) => this.#roomWanted = resolve);
  }

  /**
   * Stops listening and lets the conversations finish.
   *
   * @param listener is stopped: who waits in its accept queue is served
   * @param accepting resolves when all connections of the listener were served or begun
   * @param drainMs how long they may take
   */
  async drain(listener: Listener, accepting: Promise<void>, drainMs: number): Promise<void> {
    const late = setTimeout(() => this.#cutAll(), drainMs);
    const stopped = listener.stop();
    if (drainMs === 0) this.#cutAll();
    await stopped;
    await accepting;
    if (this.#sessions.size > 0) await new Promise<void>((resolve) => this.#emptied = resolve);
    clearTimeout(late);
  }

  #cutAll(): void {
    this.#cutting = true;
    for (const session of this.#sessions) session.cut(new CutError());
  }

  /** Stops its timers. */
  [Symbol.dispose](): void {
    this.#deadlines[Symbol.dispose]();
  }
}

/**
 * Serves with the runtime's own listener, all on this thread.
 *
 * @param mode the mode's name
 * @param options what the caller wants
 * @param details what a person wants to know of how it runs
 * @param accept takes connections from the listener until there are no more
 */
export async function serveListener(
  mode: string,
  options: ServeOptions,
  details: readonly string[],
  accept: (listener: Listener, sessions: SessionSet) => Promise<void>,
): Promise<Server> {
  const checked = await checkOptions(options);
  const counters = new CounterBlock();
  const journal = new MainJournal(mode, options.onReport);
  const sessions = new SessionSet(checked, new Observer(counters, journal));
  const listener = await listen(checked, counters, journal);
  const accepting = accept(listener, sessions);
  return makeServer({
    mode,
    address: listener.address,
    protocol: checked.protocol.name,
    details,
    drainMs: checked.drainMs,
    signal: options.signal,
    count: () => CounterBlock.sum([counters]),
    async shutDown(drainMs) {
      using _timers = sessions;
      await sessions.drain(listener, accepting, drainMs);
    },
  });
}
