/**
 * A small HTTP server, for what a program tells about itself. It runs `http.ts` on the event loop of
 * its thread, with the driver that the modes use.
 *
 * It is bounded in everything: how many connections there are, how long a request may be, how long
 * it may take to come, and how long its answer may wait. When one connection more comes, the one
 * that has waited longest for a request makes room. So whoever holds connections open, and sends
 * nothing or a byte at a time, keeps nobody out.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { ConversationError } from "../../protocols/errors.ts";
import { Deadline, TimedDeadlines } from "../drivers/deadlines.ts";
import type { Elsewhere } from "../drivers/elsewhere.ts";
import type { TimeLimits } from "../drivers/limits.ts";
import { LingerSet } from "../drivers/linger.ts";
import { Session } from "../drivers/session.ts";
import { SendQueueLooks } from "../drivers/send_queue_looks.ts";
import { WriteWatch } from "../drivers/write_watch.ts";
import { isLoopback } from "../net/address.ts";
import { whyNoSockets } from "../net/libc.ts";
import type { Listener } from "../net/listener.ts";
import { ListenError } from "../net/listen_failure.ts";
import { runtime } from "../net/runtime.ts";
import { resolveHost } from "../net/resolve.ts";
import { sockets } from "../net/sockets.ts";
import { listen } from "../net/tcp.ts";
import type { Connection } from "../net/transport.ts";
import { countedCeiling } from "../workers/descriptor_limits.ts";
import { encodeReply, sayInText } from "./reply.ts";
import { http, type Site } from "./http.ts";

/** The most connections at a time. */
const MOST_CONNECTIONS = 64;

/** The most while the process is short of descriptors. */
const MOST_WHEN_SHORT = 8;

/** How many descriptors are left free even then. */
const KEPT_FREE = 8;

/** How long a connection may be silent between two requests, in milliseconds. */
const IDLE_MS = 75_000;

/** How long a request may take to come, and for how long nothing of an answer may be taken. */
const REQUEST_MS = 10_000;

/** How long answers that are being sent may take while the server closes, in milliseconds. */
const CLOSING_MS = 500;

/** How long a client may be silent that has been told to go, and how long that may take in all. */
const LINGER = { silenceMs: 1_000, totalMs: 5_000, most: 32, writeTimeoutMs: REQUEST_MS } as const;

/** The time limits by default. */
const LIMITS: TimeLimits = {
  readTimeoutMs: REQUEST_MS,
  idleTimeoutMs: IDLE_MS,
  messageTimeoutMs: REQUEST_MS,
  writeTimeoutMs: REQUEST_MS,
  sessionTimeoutMs: 0,
  computeTimeoutMs: 0,
};

/** How to serve. */
export interface HttpOptions {
  /** Where to listen. The host may be a name. */
  readonly address: Address;
  /** What there is. On an address of this machine only, it is local unless it says otherwise. */
  readonly site: Site;
  /** What the streams of its answers may wait for. By default there is nothing. */
  readonly events?: Elsewhere;
  /**
   * Lets other servers of this user listen at the same port: `later`, if the port is free now; or
   * `now`, even if one of them listens there already. By default nobody else may.
   */
  readonly shares?: "later" | "now" | undefined;
  /** From when on it answers; whoever comes earlier waits. By default it answers at once. */
  readonly opens?: Promise<void>;
  /** Other time limits than usual. */
  readonly limits?: Partial<TimeLimits>;
  /** Is told of mistakes of the site. */
  readonly onMistake?: (error: unknown) => void;
}

/** An HTTP server that is listening. */
export class HttpServer implements AsyncDisposable {
  readonly #listener: Listener;
  readonly #options: HttpOptions;
  readonly #site: Site;
  readonly #deadlines = new TimedDeadlines({ extendsLate: true });
  readonly #lingering: LingerSet;
  readonly #limits: TimeLimits;
  readonly #writeWatch: WriteWatch;
  readonly #sessions = new Set<Session<void>>();
  /** Those that wait for a request, the longest first. */
  readonly #waiting = new Set<Session<void>>();
  /** Those that have not sent a request yet. */
  readonly #fresh = new Set<Session<void>>();
  /** Those whose answer need not have an end. */
  readonly #streaming = new Set<Session<void>>();
  /** When descriptors are short; found out when the first connection comes. */
  #ceiling: number | undefined;
  readonly #accepting: Promise<void>;
  #closed: Promise<void> | undefined;
  #isClosing = false;
  #onOver: (() => void) | undefined;

  private constructor(listener: Listener, options: HttpOptions) {
    this.#listener = listener;
    this.#options = options;
    const { site } = options;
    const isLocal = site.isLocal ?? isLoopback(listener.address.hostname);
    this.#site = { isLocal, find: (path) => site.find(path) };
    this.#limits = { ...LIMITS, ...options.limits };
    const { writeTimeoutMs = REQUEST_MS } = this.#limits;
    const queues = new SendQueueLooks(this.#deadlines, Math.min(writeTimeoutMs, REQUEST_MS));
    this.#lingering = new LingerSet(this.#deadlines, LINGER, queues);
    this.#writeWatch = new WriteWatch(this.#deadlines, writeTimeoutMs, this.#sessions, queues);
    this.#accepting = this.#acceptAll();
  }

  /**
   * Listens.
   *
   * @param options where, and what there is
   * @throws {Error} that names the address, if it cannot be listened on
   */
  static async listen(options: HttpOptions): Promise<HttpServer> {
    const { address: { hostname, port }, shares } = options;
    const address = { hostname: await resolveHost(hostname), port };
    const reusePort = shares === "now" && runtime.whyNoReusePort() === undefined;
    try {
      const reserve = { ceiling: leastFree, nextDescriptor };
      const listener = await listen({ ...address, reusePort, reserve });
      if (shares === "later") letOthersJoin(listener);
      return new HttpServer(listener, options);
    } catch (cause) {
      throw new ListenError(options.address, cause, address.hostname);
    }
  }

  /** Where it listens. */
  get address(): Address {
    return this.#listener.address;
  }

  /** The descriptor of its listener, if it is known. */
  get descriptor(): number | undefined {
    return this.#listener.descriptor;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#sessions.size;
  }

  async #acceptAll(): Promise<void> {
    await this.#options.opens;
    for await (const connection of this.#listener) this.#welcome(connection);
  }

  #welcome(connection: Connection): void {
    const most = this.#isShort ? MOST_WHEN_SHORT : MOST_CONNECTIONS;
    for (const longest of this.#waiting) {
      if (this.#sessions.size < most) break;
      longest.cut(new GoneError());
    }
    if (this.#sessions.size < most) this.#serve(connection);
    else this.#refuse(connection);
  }

  #serve(connection: Connection): void {
    const attention = {
      waits: () => {
        if (this.#isClosing && !this.#fresh.has(session)) session.cut(new GoneError());
        else this.#waiting.add(session);
      },
      answers: () => {
        this.#waiting.delete(session);
        this.#fresh.delete(session);
      },
      streams: () => {
        if (this.#isClosing) session.cut(new GoneError());
        else this.#streaming.add(session);
      },
    };
    const session: Session<void> = new Session(connection, http(this.#site, attention), {
      ...this.#limits,
      deadlines: this.#deadlines,
      events: this.#options.events,
      lingerer: this.#lingering,
      writeWatch: this.#writeWatch,
    }, (error) => {
      this.#sessions.delete(session);
      this.#waiting.delete(session);
      this.#fresh.delete(session);
      this.#streaming.delete(session);
      const isExpected = error === undefined || error instanceof ConversationError ||
        error instanceof GoneError;
      if (!isExpected) this.#options.onMistake?.(error);
      this.#onOver?.();
    });
    this.#sessions.add(session);
    this.#fresh.add(session);
    session.start();
  }

  /** Nobody can make room: all are being answered. */
  #refuse(connection: Connection): void {
    const words = encodeReply(sayInText(503, "too many connections"), { stays: false });
    try {
      connection.push(words, { onRead() {}, onWritten() {}, onError() {} });
    } catch {
      // The client has gone.
    }
    connection.closeWrite();
    this.#lingering.add(connection);
  }

  get #isShort(): boolean {
    this.#ceiling ??= countedCeiling();
    if (this.#ceiling === Infinity) return false;
    const next = nextDescriptor();
    return next < 0 || next >= this.#ceiling;
  }

  /**
   * Stops listening, and ends all connections: at once those that wait for another request, and after
   * a moment those whose first request may be on its way, or whose answer is being sent.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    using _limits = this.#deadlines;
    this.#isClosing = true;
    this.#listener.close();
    await this.#accepting;
    for (const session of [...this.#waiting, ...this.#streaming]) {
      if (!this.#fresh.has(session)) session.cut(new GoneError());
    }
    await this.#over();
    for (const session of [...this.#sessions]) session.cut(new GoneError());
    this.#lingering.close();
  }

  /** Resolves when no connection is left, or when the time for that is over. */
  #over(): Promise<void> {
    return new Promise((resolve) => {
      const late = new Deadline(resolve, true);
      this.#onOver = () => {
        if (this.#sessions.size > 0) return;
        late.lift();
        resolve();
      };
      this.#deadlines.set(late, CLOSING_MS);
      this.#onOver();
    });
  }

  /** Closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** A connection makes room for others, or for the end of the server. */
class GoneError extends Error {
  override readonly name = "GoneError";

  constructor() {
    super("Gone: the connection was needed no more");
  }
}

/**
 * Lets other servers of this user listen at the same port from now on. Whoever shares a port from the
 * beginning shares it with any other who does, so of two that started at once both would have it. The
 * kernel compares the options of the two sockets when the second one is bound and when it listens, and
 * then makes a group of them (`inet_reuseport_add_sock`, Linux).
 */
function letOthersJoin({ descriptor }: Listener): void {
  // Where it is not known, no server can be taken over.
  if (descriptor === undefined || whyNoSockets() !== undefined) return;
  const net = sockets();
  const { SOL_SOCKET, SO_REUSEPORT } = net.constants;
  net.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
}

/** The number of the descriptor below which connections stay: some are left for the process. */
function leastFree(): number {
  return whyNoSockets() === undefined ? sockets().descriptorLimit() - KEPT_FREE : Infinity;
}

function nextDescriptor(): number {
  return whyNoSockets() === undefined ? sockets().nextDescriptor() : 0;
}
