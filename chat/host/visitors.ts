/**
 * The visitors of one server: admitted, served, counted, seen off. What is talked with them is not
 * known here.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import { LONGEST_MS } from "../../engine/values/durations.ts";
import type { Elsewhere } from "../../engine/drivers/elsewhere.ts";
import { Session } from "../../engine/drivers/session.ts";
import { type Lingerer, LingerSet } from "../../engine/drivers/linger.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { formatAddress } from "../../protocols/address.ts";
import type { Protocol } from "../../protocols/effects.ts";
import { SlowReaderError } from "../../protocols/errors.ts";
import { encodeLine } from "../../protocols/text.ts";
import { LazyContext } from "../../engine/server/core/context.ts";
import { CutError, type Observation, type Observer } from "../../engine/server/core/observer.ts";
import type { Hearer } from "../rooms/room.ts";
import { Dismissal } from "../talk/dismissal.ts";
import { GOODBYE, notice } from "../talk/notices.ts";
import type { OutboxCounts, OutboxLimits } from "./outbox.ts";
import { FLUSH_MS, VisitorConnection } from "./visitor_connection.ts";

/** Who is admitted, and what all visitors are held to. */
export interface AdmissionLimits {
  /** The most connections; `Infinity` without a limit. */
  readonly maxConnections: number;
  /** The most connections of one address; `Infinity` without a limit. */
  readonly maxPerHost: number;
  /** How much may wait for each of them. */
  readonly outbox: OutboxLimits;
}

/** What is counted of admission. */
export interface AdmissionCounts extends OutboxCounts {
  /** Connections refused because there were too many. */
  full: number;
  /** Connections refused because there were too many from one address. */
  perHost: number;
}

/** What the visitors of one server have in common. */
export interface VisitorsParts {
  /** Who is admitted. */
  readonly limits: AdmissionLimits;
  /** Keeps time. */
  readonly deadlines: Deadlines;
  /** Counts and tells of connections. */
  readonly observer: Observer;
  /** Counts the rest. */
  readonly counts: AdmissionCounts;
  /** Where that happens which the conversations wait for. */
  readonly events?: Elsewhere | undefined;
  /** Begins the conversation with a visitor. */
  converse(visitor: Visitor): Protocol;
}

/** The visitors of one server. */
export class Visitors {
  readonly #parts: VisitorsParts;
  readonly #lingering: LingerSet;
  readonly #visitors = new Set<ServedVisitor>();
  /** How many visitors an address has. */
  readonly #perHost = new Map<string, number>();
  /** How many connections are open, of visitors and of those refused. */
  #open = 0;
  #announcement: (() => string) | undefined;
  #isDismissing = false;
  #onGone: (() => void) | undefined;

  /** @param parts what they have in common */
  constructor(parts: VisitorsParts) {
    this.#parts = parts;
    this.#lingering = new LingerSet(parts.deadlines);
  }

  /**
   * Serves a connection, beside all others, or refuses it.
   *
   * @param connection is closed when the visitor has left
   */
  welcome(connection: Connection): void {
    const { limits: { maxConnections, maxPerHost }, counts } = this.#parts;
    const host = connection.remoteAddress.hostname;
    const fromHost = this.#perHost.get(host) ?? 0;
    if (this.#visitors.size >= maxConnections) {
      counts.full++;
      this.#refuse(connection, `server is full: limit is ${maxConnections} connections`);
    } else if (fromHost >= maxPerHost) {
      counts.perHost++;
      this.#refuse(connection, `too many connections from your address: limit is ${maxPerHost}`);
    } else {
      this.#perHost.set(host, fromHost + 1);
      this.#serve(connection, host);
    }
  }

  /** Tells everybody something. */
  tellAll(line: string): void {
    const bytes = encodeLine(line);
    for (const { hearer } of this.#visitors) hearer.hear(bytes);
  }

  /**
   * Tells everybody something, and everybody who still comes.
   *
   * @param line what is true at the moment
   */
  announce(line: () => string): void {
    this.#announcement = line;
    this.tellAll(line());
  }

  /** How many connections are open. */
  get open(): number {
    return this.#open;
  }

  /** Asks everybody to go. */
  dismissAll(): void {
    this.#isDismissing = true;
    for (const visitor of this.#visitors) visitor.abort(new Dismissal(ENDING));
  }

  /**
   * Resolves when no connection is open.
   *
   * @param withinMs how long to wait for that, in milliseconds
   */
  async gone(withinMs = LONGEST_MS): Promise<void> {
    if (this.#open === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = new Deadline(resolve);
    this.#parts.deadlines.set(late, withinMs);
    this.#onGone = resolve;
    await promise;
    late.lift();
  }

  /** Resolves when no connection lingers any more; after a last moment those that do are closed. */
  async parted(): Promise<void> {
    const late = new Deadline(() => this.#lingering.close());
    this.#parts.deadlines.set(late, FLUSH_MS);
    await this.#lingering.empty();
    late.lift();
  }

  /** Has who waits for {@linkcode Visitors.gone} look at the time again. */
  lookAgain(): void {
    this.#onGone?.();
  }

  #serve(connection: Connection, host: string): void {
    const visitor: ServedVisitor = new ServedVisitor(
      this.#parts,
      this.#lingering,
      connection,
      () => this.#isDismissing,
      () => {
        this.#visitors.delete(visitor);
        const others = (this.#perHost.get(host) ?? 0) - 1;
        if (others > 0) this.#perHost.set(host, others);
        else this.#perHost.delete(host);
        this.#closed();
      },
    );
    this.#open++;
    this.#visitors.add(visitor);
    if (this.#announcement !== undefined) visitor.hearer.hear(encodeLine(this.#announcement()));
    visitor.start();
    if (this.#isDismissing) visitor.abort(new Dismissal(ENDING));
  }

  /** Says why, and closes. */
  #refuse(connection: Connection, why: string): void {
    const { limits: { outbox }, deadlines, counts } = this.#parts;
    const lingerer = this.#lingering;
    const refused = new VisitorConnection(connection, deadlines, lingerer, outbox, counts, {
      onSlow() {},
      onClosed: () => this.#closed(),
    });
    this.#open++;
    for (const line of [notice(why), GOODBYE]) refused.outbox.hear(encodeLine(line));
    refused.close();
  }

  #closed(): void {
    if (--this.#open === 0) this.#onGone?.();
  }
}

/** What the others are told of somebody who leaves because the server ends. */
const ENDING = "server is shutting down";

/** A visitor, as her conversation knows her. */
export interface Visitor {
  /** Where she is connected from. */
  readonly peer: string;
  /** Takes what she is to read. */
  readonly hearer: Hearer;
  /** Throws an error into her conversation. */
  abort(error: Error): void;
}

/** One visitor: her connection and her conversation. */
class ServedVisitor implements Visitor {
  readonly peer: string;
  readonly hearer: Hearer;
  readonly #session: Session<void>;
  readonly #observation: Observation;
  #failure: unknown;
  /** How much of her is over: her conversation is one part, her connection the other. */
  #over = 0;

  constructor(
    parts: VisitorsParts,
    lingerer: Lingerer,
    connection: Connection,
    isEnding: () => boolean,
    onClosed: () => void,
  ) {
    const { limits, deadlines, observer, counts, events } = parts;
    const context = new LazyContext(connection);
    this.peer = formatAddress(context.peer);
    this.#observation = observer.begin(context);
    const { outbox } = limits;
    const buffered = new VisitorConnection(connection, deadlines, lingerer, outbox, counts, {
      onSlow: (error) => this.abort(error),
      onClosed: (isCut) => {
        if (isCut) this.#failure ??= isEnding() ? new CutError() : new SlowReaderError(UNREAD);
        onClosed();
        this.#end();
      },
    });
    this.hearer = buffered.outbox;
    const options = { ...NO_LIMITS, deadlines, events };
    this.#session = new Session(buffered, parts.converse(this), options, (error) => {
      this.#failure ??= error;
      this.#end();
    });
  }

  /** Begins the conversation. */
  start(): void {
    this.#session.start();
  }

  abort(error: Error): void {
    this.#session.abort(error);
  }

  #end(): void {
    if (++this.#over === 2) this.#observation.over(this.#failure);
  }
}

/** A chat has limits of its own. */
const NO_LIMITS = { readTimeoutMs: 0, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

/** What a visitor has exceeded who does not read how the server says goodbye. */
const UNREAD = `the last lines were not taken for ${FLUSH_MS} ms`;
