/**
 * A lane of the load: one connection at a time, and the requests under way on it.
 *
 * It drives the client's side of a protocol as a server's driver drives the other side, but it runs
 * several exchanges on one connection. Each exchange is a generator. It writes its request as soon
 * as it begins, and it reads when all the requests before it have been answered.
 *
 * @module
 */

import { explainConnectError } from "../../engine/dial/failures.ts";
import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import {
  checkBytes,
  checkReport,
  failureBy,
  nothingToWaitFor,
  unknownEffect,
} from "../../engine/drivers/conversation.ts";
import { checkWithin } from "../../engine/drivers/limits.ts";
import type { Connection, Pulled, Sink } from "../../engine/net/transport.ts";
import { describeWithPlace } from "../../engine/values/places.ts";
import type { Effect, Protocol } from "../../protocols/effects.ts";
import { joinBytes } from "../../protocols/bytes.ts";
import { ConversationError, MessageTooLongError, PeerGoneError } from "../../protocols/errors.ts";
import { Input } from "../../protocols/input.ts";
import type { LoadContext } from "../../protocols/load.ts";
import { escapeBytes } from "../../protocols/text.ts";
import type { LoadProtocol } from "./load_protocol.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";

/** What a lane needs from its thread. */
export interface LaneHost {
  readonly protocol: LoadProtocol;
  readonly deadlines: Deadlines;
  readonly tally: Tally;
  readonly random: Random;
  /** The least and the most bytes of a payload. */
  readonly size: readonly [least: number, most: number];
  readonly pipeline: number;
  readonly timeoutMs: number;
  /** Whether each request has a connection of its own. */
  readonly connect: boolean;
  /** Whether the service time differs from the latency. */
  readonly timesService: boolean;
  /** Connects the lane. The lane hears of the outcome later, by `onOpen` or `onNotOpen`. */
  dial(lane: Lane): void;
  /** The lane is connected. */
  onOpened(lane: Lane): void;
  /** The lane is connected and was greeted, if the server speaks first. */
  onReady(lane: Lane): void;
  /** The lane has room for a request, on a new connection. */
  onRoom(lane: Lane, now: number): void;
  /** The connection failed or was never made, and the requests under way failed with it. */
  onFailed(lane: Lane, kind: string, message: string, requests: number): void;
  /** A request was answered, so the lane has room for another one. */
  onAnswered(lane: Lane, now: number): void;
}

/** A place for a request that is under way. */
class Exchange {
  conversation: Protocol<unknown> | undefined;
  /** The bytes that it has received and not consumed. */
  input = new Input();
  /** When it was due, or when it began. */
  dueAt = 0;
  /** When it was sent. */
  sentAt = 0;
  /** Whether the conversation has taken its first step. */
  isStarted = false;
  readonly limit: Deadline;

  constructor(onLate: () => void) {
    this.limit = new Deadline(onLate);
  }
}

/** One connection of the load, and the connections that replace it when it fails. */
export class Lane implements Sink {
  /**
   * When it last got room for a request, in milliseconds. A request that was due earlier could not
   * be sent earlier.
   */
  roomSince = 0;
  /** How far it has come for the first time: 1 is connected, 2 is ready for requests or failed. */
  stage: 0 | 1 | 2 = 0;
  /** Whether it stands in its host's queue for requests. */
  isQueued = false;
  readonly #host: LaneHost;
  /** A ring of places. `#count` of them, from `#first` on, hold the requests under way. */
  readonly #ring: Exchange[];
  #first = 0;
  #count = 0;
  #connection: Connection | undefined;
  /** The conversation that precedes the first request. */
  #greeting: Protocol<unknown> | undefined;
  #greetingInput = new Input();
  readonly #greetingLimit: Deadline;
  /** The conversation whose write waits for room; `undefined` if none waits. */
  #writer: Protocol<unknown> | undefined;
  /** The limit of a read that waits only for some time. */
  #within: Deadline | undefined;
  /**
   * What came for a conversation that was still writing its request: see {@linkcode
   * Lane.onWritten}. The FIN is the last.
   */
  #kept: (Uint8Array | null)[] = [];
  #keptBytes = 0;
  /** Whether the server's FIN has come. */
  #hasEnded = false;
  /** How many requests were answered on this connection. */
  #answered = 0;
  /** Whether any request was ever answered or anything has failed. */
  #isHeard = false;
  /** When it was last connected, in milliseconds; 0 if never. */
  #dialedAt = 0;

  /** @param host its thread */
  constructor(host: LaneHost) {
    this.#host = host;
    const onLate = () => this.#fail("timeout", `No answer within ${host.timeoutMs} ms`);
    this.#ring = Array.from({ length: host.pipeline }, () => new Exchange(onLate));
    this.#greetingLimit = new Deadline(onLate);
  }

  /** Whether another request can begin now. */
  get hasRoom(): boolean {
    if (this.#count === this.#ring.length) return false;
    return this.#host.connect || (this.#connection !== undefined && this.#greeting === undefined);
  }

  /** How many requests are under way. */
  get underWay(): number {
    return this.#count;
  }

  /**
   * Whether its first request still waits: for an answer, for a connection, or for the greeting of
   * a server that speaks first.
   *
   * @param since only a request that began no later than this counts
   */
  isStarved(since: number): boolean {
    if (this.#isHeard) return false;
    if (this.#count > 0) return (this.#ring[this.#first] as Exchange).dueAt <= since;
    const isReady = this.#connection !== undefined && this.#greeting === undefined;
    return !isReady && this.#dialedAt > 0 && this.#dialedAt <= since;
  }

  /**
   * Tells since when its requests wait for their answers.
   *
   * @param tell receives when a request was due, and when it was sent; in milliseconds
   */
  tellWaiting(tell: (dueAt: number, sentAt: number) => void): void {
    for (let place = 0; place < this.#count; place++) {
      const { dueAt, sentAt } = this.#ring[(this.#first + place) % this.#ring.length] as Exchange;
      tell(dueAt, sentAt);
    }
  }

  /** Connects, for all requests to come. */
  open(now: number): void {
    this.#dialedAt = now;
    this.#host.dial(this);
  }

  /**
   * Begins a request. There must be room.
   *
   * @param dueAt when it should have begun, in milliseconds
   * @param now the time, in milliseconds
   */
  begin(dueAt: number, now: number): void {
    const exchange = this.#ring[(this.#first + this.#count++) % this.#ring.length] as Exchange;
    exchange.dueAt = dueAt;
    exchange.sentAt = now;
    exchange.conversation = undefined;
    exchange.isStarted = false;
    if (this.#host.connect) return this.open(now);
    this.#limit(exchange, now);
    // Otherwise its request would land in the middle of another one.
    if (this.#writer === undefined) this.#start(exchange);
  }

  #limit(exchange: Exchange, now: number): void {
    const { deadlines, timeoutMs } = this.#host;
    deadlines.set(exchange.limit, timeoutMs, now);
  }

  #start(exchange: Exchange): void {
    exchange.isStarted = true;
    try {
      const conversation = this.#host.protocol.exchange(this.#context(exchange.input));
      exchange.conversation = conversation;
      if (this.#run(conversation, undefined)) this.#failWith(new TypeError("It asked for nothing"));
    } catch (error) {
      this.#failWith(error);
    }
  }

  #context(input: Input): LoadContext {
    const { size: [least, most], random } = this.#host;
    return { input, size: random.between(least, most), random };
  }

  /** Begins to use the connection that was made. */
  onOpen(connection: Connection): void {
    const { protocol, tally, connect } = this.#host;
    const now = performance.now();
    tally.connect.add(now - this.#dialedAt);
    this.#host.onOpened(this);
    this.#connection = connection;
    for (const exchange of this.#ring) exchange.input = new Input();
    this.#answered = 0;
    this.#hasEnded = false;
    if (connect) {
      const exchange = this.#ring[this.#first] as Exchange;
      exchange.sentAt = now;
      this.#limit(exchange, now);
    }
    if (protocol.greeting !== undefined) this.#greet(now);
    else this.#onReady(now);
    if (this.#connection === connection) this.#receive(undefined);
  }

  #greet(now: number): void {
    const { protocol, deadlines, timeoutMs } = this.#host;
    deadlines.set(this.#greetingLimit, timeoutMs, now);
    try {
      const context = this.#context(this.#greetingInput = new Input());
      const greeting = this.#greeting = protocol.greeting?.(context) as Protocol<unknown>;
      if (this.#run(greeting, undefined)) this.#onGreeted();
    } catch (error) {
      this.#failWith(error);
    }
  }

  #onGreeted(): void {
    this.#greeting = undefined;
    this.#greetingLimit.lift();
    this.#onReady(performance.now());
  }

  #onReady(now: number): void {
    this.roomSince = now;
    this.#host.onReady(this);
    if (this.#host.connect) this.#start(this.#ring[this.#first] as Exchange);
    else this.#offerRoom(now);
  }

  #offerRoom(now: number): void {
    for (let room = this.#ring.length - this.#count; room > 0 && this.hasRoom; room--) {
      this.#host.onRoom(this, now);
    }
  }

  /**
   * Fails the requests under way, because no connection could be made.
   *
   * @param error the reason, as a runtime or the system gave it
   */
  onNotOpen(error: unknown): void {
    const { kind, detail } = explainConnectError(error);
    const isReset = OVER_ALREADY.has(String((error as { code?: unknown }).code));
    this.#host.onFailed(this, isReset ? "reset" : kind, detail, this.#loseAll());
  }

  onRead(chunk: Uint8Array | null): void {
    this.#receive(chunk);
  }

  onWritten(): void {
    const writer = this.#writer as Protocol<unknown>;
    this.#writer = undefined;
    try {
      if (this.#run(writer, undefined)) this.#onDone();
      this.#startWaiting();
    } catch (error) {
      return this.#failWith(error);
    }
    this.#takeKept();
  }

  /** Starts the requests that waited while another one was written. */
  #startWaiting(): void {
    for (let place = 0; place < this.#count && this.#writer === undefined; place++) {
      const exchange = this.#ring[(this.#first + place) % this.#ring.length] as Exchange;
      if (!exchange.isStarted) this.#start(exchange);
    }
  }

  onError(error: Error): void {
    this.#failWith(new PeerGoneError("receiving", { cause: error }));
  }

  /** Hands on the bytes that have arrived, and asks for more. */
  #receive(arrived: Pulled): void {
    const connection = this.#connection as Connection;
    try {
      if (arrived !== undefined) this.#take(arrived);
      // Meanwhile the connection may have been closed, and another one may have been made.
      while (this.#connection === connection && arrived !== null && !this.#isFull) {
        arrived = connection.pull(this);
        if (arrived === undefined) return;
        this.#take(arrived);
      }
    } catch (error) {
      if (this.#connection === connection) this.#failWith(error);
    }
  }

  /**
   * Whether no more is received before the request is written. Until then it is received: the server
   * may read no more of the request while its answer has nowhere to go.
   */
  get #isFull(): boolean {
    return this.#keptBytes > 0 &&
      this.#keptBytes >= (this.#host.protocol.longestAnswer ?? KEPT_BYTES);
  }

  /** Gives the bytes that arrived to the waiting exchanges, one after another. */
  #take(chunk: Uint8Array | null): void {
    if (chunk !== null) this.#host.tally.bytesReceived += chunk.length;
    else this.#hasEnded = true;
    this.#hand(chunk);
  }

  #hand(chunk: Uint8Array | null): void {
    const connection = this.#connection;
    let rest: Uint8Array | null | undefined = chunk;
    // What is asked meanwhile cannot be answered by what has come already.
    let asked = this.#greeting === undefined ? this.#count : 0;
    while (rest !== undefined && this.#connection === connection) rest = this.#give(rest, asked--);
  }

  /**
   * Gives the bytes to the exchange that waits for them. When it is complete, returns the bytes
   * that it has not used.
   *
   * @param asked how many requests the bytes may be the answers to
   */
  #give(chunk: Uint8Array | null, asked: number): Uint8Array | undefined {
    const conversation = this.#greeting ?? this.#reader();
    if (conversation === undefined) {
      this.#onUnasked(chunk);
      return undefined;
    }
    if (chunk === null && !this.#host.connect) {
      this.#fail("closed", "The server closed the connection before it had answered");
      return undefined;
    }
    if (conversation === this.#writer) {
      // It does not read yet. The bytes are only borrowed.
      this.#kept.push(chunk?.slice() ?? null);
      this.#keptBytes += chunk?.length ?? 0;
      return undefined;
    }
    this.#within?.lift();
    if (!this.#run(conversation, chunk)) return undefined;
    const input = this.#greeting === undefined
      ? (this.#ring[this.#first] as Exchange).input
      : this.#greetingInput;
    // The rest belongs to the next exchange. If there is none, more came than was asked for.
    const rest = input.length > 0 ? input.take(input.length) : undefined;
    if (rest !== undefined && asked <= 1) {
      const what = this.#greeting === undefined ? "answer" : "greeting";
      this.#fail("surplus", `More came after the ${what}: "${escapeBytes(rest, 24)}"`);
      return undefined;
    }
    this.#onDone();
    return rest;
  }

  /** Hands on what came while the conversation was still writing, and asks for more. */
  #takeKept(): void {
    const kept = this.#kept;
    if (kept.length === 0) return;
    this.#forgetKept();
    const connection = this.#connection;
    const bytes = joinBytes(kept.filter((chunk) => chunk !== null));
    try {
      if (bytes.length > 0) this.#hand(bytes);
      if (kept.at(-1) === null && this.#connection === connection) this.#hand(null);
    } catch (error) {
      return this.#failWith(error);
    }
    if (kept.at(-1) !== null && this.#connection === connection) this.#receive(undefined);
  }

  #forgetKept(): void {
    if (this.#kept.length > 0) this.#kept = [];
    this.#keptBytes = 0;
  }

  /** The conversation whose turn it is to read. */
  #reader(): Protocol<unknown> | undefined {
    return this.#count === 0 ? undefined : (this.#ring[this.#first] as Exchange).conversation;
  }

  #onUnasked(chunk: Uint8Array | null): void {
    if (chunk !== null) {
      return this.#fail(
        "surplus",
        `Nothing was asked, but this came: "${escapeBytes(chunk, 24)}"`,
      );
    }
    if (this.#answered === 0) return this.#fail("closed", "The server closes connections at once");
    // The server has waited long enough for another request. It may close.
    this.#close();
    this.open(performance.now());
  }

  /** Ends the greeting, or the first of the requests under way. */
  #onDone(): void {
    if (this.#greeting !== undefined) return this.#onGreeted();
    const exchange = this.#ring[this.#first] as Exchange;
    const { tally, timesService, connect } = this.#host;
    exchange.limit.lift();
    exchange.conversation = undefined;
    this.#first = (this.#first + 1) % this.#ring.length;
    this.#count--;
    this.#answered++;
    this.#isHeard = true;
    const now = performance.now();
    tally.requests++;
    tally.latency.add(now - exchange.dueAt);
    if (timesService) tally.service.add(now - exchange.sentAt);
    if (connect) this.#close();
    this.roomSince = now;
    this.#host.onAnswered(this, now);
  }

  /** Runs a conversation until it waits for something. Returns whether it is over. */
  #run(conversation: Protocol<unknown>, answer: unknown): boolean {
    let step = conversation.next(answer);
    while (step.done !== true) {
      try {
        if (!this.#grant(conversation, step.value)) return false;
        answer = this.#answer;
      } catch (error) {
        // A failure of the connection is not thrown into the conversation: everything under way on
        // the connection has failed.
        if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
        step = conversation.throw(error);
        continue;
      }
      step = conversation.next(answer);
    }
    return true;
  }

  /** The answer of an effect that was granted at once. */
  #answer: Pulled;

  #grant(conversation: Protocol<unknown>, effect: Effect): boolean {
    this.#answer = undefined;
    // A protocol may yield anything, even `undefined`.
    switch (effect?.kind) {
      case "read":
        if (effect.withinMs !== undefined) checkWithin(effect.withinMs);
        // What came before the FIN comes first.
        if (this.#hasEnded && this.#keptBytes === 0) {
          this.#answer = null;
          return true;
        }
        if (effect.withinMs !== undefined) this.#limitRead(effect.withinMs);
        return false;
      case "write": {
        const bytes = checkBytes(effect.bytes);
        this.#host.tally.bytesSent += bytes.length;
        if ((this.#connection as Connection).push(bytes, this)) return true;
        this.#writer = conversation;
        return false;
      }
      case "report":
        checkReport(effect.message);
        return true;
      case "compute":
        throw new TypeError("Cannot compute: the client's side of a load does not");
      case "wait":
        throw nothingToWaitFor(effect);
      default:
        throw unknownEffect(effect);
    }
  }

  #limitRead(withinMs: number): void {
    this.#within ??= new Deadline(() => {
      try {
        const conversation = this.#greeting ?? this.#reader();
        if (conversation !== undefined && this.#run(conversation, undefined)) this.#onDone();
      } catch (error) {
        this.#failWith(error);
      }
    });
    this.#host.deadlines.set(this.#within, withinMs);
  }

  #failWith(thrown: unknown): void {
    const error = failureBy(thrown);
    const cause = error instanceof PeerGoneError ? error.cause : error;
    const { code, message } = (cause ?? error) as { code?: unknown; message?: string };
    const text = String(message ?? error);
    if (error instanceof PeerGoneError) {
      return this.#fail(cause === undefined ? "closed" : KINDS[String(code)] ?? "reset", text);
    }
    // An error of the connection has the system's name in `code`. A protocol's own error has none.
    const isOfSystem = !(error instanceof ConversationError) && /^E[A-Z]+$/.test(String(code));
    if (isOfSystem) return this.#fail(KINDS[code as string] ?? "reset", text);
    if (error instanceof MessageTooLongError) return this.#fail("too long", text);
    // It may be a mistake in somebody's own module.
    this.#fail("wrong reply", error instanceof ConversationError ? text : describeWithPlace(error));
  }

  /** Fails everything under way on this connection. */
  #fail(kind: string, message: string): void {
    // While it closes, a runtime may report one more error.
    if (this.#connection === undefined) return;
    this.#host.onFailed(this, kind, message, this.#loseAll());
  }

  /** Abandons all requests under way and returns how many there were. */
  #loseAll(): number {
    const lost = this.#count;
    this.#isHeard = true;
    for (; this.#count > 0; this.#count--) {
      const exchange = this.#ring[this.#first] as Exchange;
      exchange.limit.lift();
      exchange.conversation = undefined;
      this.#first = (this.#first + 1) % this.#ring.length;
    }
    this.#close();
    return lost;
  }

  #close(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#greeting = undefined;
    this.#writer = undefined;
    this.#forgetKept();
    this.#greetingLimit.lift();
    this.#within?.lift();
    if (connection === undefined) return;
    connection.unpull();
    connection.close();
  }

  /** Ends everything without counting it. */
  end(): void {
    this.#loseAll();
  }
}

/** How much is received while a request is written, if its protocol says nothing else, in bytes. */
const KEPT_BYTES = 1024 * 1024;

/**
 * The error codes of connecting to a server that accepts and resets at once. The socket reports the
 * first. Deno then asks for the peer's address and gets the second.
 */
const OVER_ALREADY: ReadonlySet<string> = new Set(["ECONNRESET", "ENOTCONN"]);

/** How the system's errors are counted; all others count as `reset`. */
const KINDS: Readonly<Record<string, string>> = {
  ECONNRESET: "reset",
  EPIPE: "reset",
  ECONNABORTED: "reset",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
};
