/**
 * The visitors of one server: they are admitted, served, counted and seen off here. This module
 * does not know what the conversations with them are about.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import { LONGEST_MS } from "../../engine/values/durations.ts";
import type { Elsewhere, IntroducedPeer } from "../../engine/drivers/elsewhere.ts";
import { Session } from "../../engine/drivers/session.ts";
import type { LingerSet } from "../../engine/drivers/linger.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { formatAddress } from "../../protocols/address.ts";
import type { Address, Protocol } from "../../protocols/effects.ts";
import { SlowReaderError } from "../../protocols/errors.ts";
import { encodeLine } from "../../protocols/text.ts";
import type { AdmissionRules, Door, Rejection } from "../../engine/server/core/door.ts";
import { CutError, type Observation, type Observer } from "../../engine/server/core/observer.ts";
import type { Arrival, Reception } from "../../engine/server/core/reception.ts";
import type { Hearer } from "../rooms/room.ts";
import { Dismissal } from "../talk/dismissal.ts";
import { GOODBYE, notice } from "../talk/notices.ts";
import { type OutboxCounts, type OutboxLimits, watchWrites } from "./outbox.ts";
import type { Rounds } from "./rounds.ts";
import { type ConnectionParts, FLUSH_MS, VisitorConnection } from "./visitor_connection.ts";

/** How many visitors are admitted, and the limits for each. */
export interface AdmissionLimits {
  /** The most connections; `Infinity` means no limit. */
  readonly maxConnections: number;
  /** Who may come in. */
  readonly rules: AdmissionRules;
  /** How long a line may take to come, in milliseconds; 0 means no limit. */
  readonly messageTimeoutMs: number;
  /** How much may wait for each visitor. */
  readonly outbox: OutboxLimits;
}

/** What is counted when connections are admitted. */
export interface AdmissionCounts extends OutboxCounts {
  /** Connections refused because there were too many. */
  full: number;
  /** Connections refused because there were too many from one address. */
  perHost: number;
  /** Connections refused because their address is not allowed. */
  denied: number;
  /** Connections refused, unread, because only proxies may connect. */
  stranger: number;
}

/** What the visitors of one server share. */
export interface VisitorsParts {
  /** How many are admitted, and the limits for each. */
  readonly limits: AdmissionLimits;
  /** Keeps time. */
  readonly deadlines: Deadlines;
  /** Says when it is whose turn to be written to. */
  readonly rounds: Rounds;
  /** Takes connections that have to linger. */
  readonly lingering: LingerSet;
  /** Knows what the kernel has, where connections do not: see {@linkcode ConnectionParts}. */
  readonly queues?: ConnectionParts["queues"];
  /** Counts and logs connections. */
  readonly observer: { begin(...about: Parameters<Observer["begin"]>): VisitObservation };
  /** Counts and logs those that are refused. */
  readonly door: Pick<Door, "enter" | "leave">;
  /** Receives visitors who come through a proxy, if they do. */
  readonly reception?: Reception | undefined;
  /** Counts everything else. */
  readonly counts: AdmissionCounts;
  /** Does what the conversations wait for. */
  readonly events?: Elsewhere | undefined;
  /** Begins the conversation with a visitor. */
  converse(visitor: Visitor): Protocol;
}

/** What watches one visit. */
export type VisitObservation = Pick<Observation, "watch" | "enter" | "leave" | "over">;

/** The visitors of one server. */
export class Visitors {
  readonly #parts: VisitorsParts;
  readonly #shared: ConnectionParts;
  readonly #visitors = new Set<ServedVisitor>();
  /** How many connections are open, including those that are being refused. */
  #open = 0;
  #announcement: (() => string) | undefined;
  #isDismissing = false;
  #onGone: (() => void) | undefined;

  /** @param parts what the visitors share */
  constructor(parts: VisitorsParts) {
    this.#parts = parts;
    const { deadlines, rounds, limits: { outbox }, counts, lingering: lingerer, queues } = parts;
    const shared = { deadlines, rounds, outbox, counts, lingerer, queues };
    this.#shared = { ...shared, writeWatch: watchWrites(shared, deadlines) };
  }

  /**
   * Serves a connection side by side with all others, or refuses it.
   *
   * @param connection is closed when the visitor has left
   */
  welcome(connection: Connection): void {
    const { limits: { maxConnections }, door, reception } = this.#parts;
    const here = this.#visitors.size + (reception?.size ?? 0);
    const why = door.enter(connection.remoteAddress, () => here < maxConnections);
    if (why !== undefined) this.#turnAway(connection, why);
    else if (reception === undefined) this.#serve(connection, connection);
    else this.#receive(reception, connection);
  }

  /** Waits until the proxy has named the visitor. */
  #receive(reception: Reception, connection: Connection): void {
    this.#open++;
    reception.receive(connection, {
      onIn: (arrival) => {
        this.#open--;
        this.#serve(connection, arrival.client, arrival);
      },
      onRefused: (why) => {
        this.#open--;
        this.#turnAway(connection, why);
      },
      onOver: () => this.#closed(),
    });
  }

  #turnAway(connection: Connection, why: Rejection): void {
    if (why === "gone") return connection.close();
    const { limits: { maxConnections, rules: { maxPerHost } }, counts } = this.#parts;
    counts[why]++;
    // Nothing is said to somebody of whom nothing was read.
    if (why === "stranger") return connection.close();
    const words = {
      full: `server is full: limit is ${maxConnections} connections`,
      perHost: `too many connections from your address: limit is ${maxPerHost}`,
      denied: "your address is not allowed",
    };
    this.#refuse(connection, words[why]);
  }

  /** Tells everybody something. */
  tellAll(line: string): void {
    const bytes = encodeLine(line);
    for (const { hearer } of this.#visitors) hearer.hear(bytes);
  }

  /**
   * Tells something to everybody who is here, and to everybody who still comes.
   *
   * @param line returns the line as it is true at the moment
   */
  announce(line: () => string): void {
    this.#announcement = line;
    this.tellAll(line());
  }

  /** How many connections are open. */
  get open(): number {
    return this.#open;
  }

  /** Asks everybody to leave. */
  dismissAll(): void {
    this.#isDismissing = true;
    this.#parts.reception?.cutAll();
    for (const visitor of this.#visitors) visitor.abort(new Dismissal(ENDING));
  }

  /**
   * Waits until no connection is open any more, or until the time is up.
   *
   * @param withinMs the longest wait, in milliseconds
   * @param done called then, perhaps at once; a later call of this method replaces it
   */
  whenGone(withinMs: number, done: () => void): void {
    if (this.#open === 0) return done();
    const late = new Deadline(() => this.#onGone?.(), true);
    this.#parts.deadlines.set(late, Math.min(withinMs, LONGEST_MS));
    this.#onGone = () => {
      this.#onGone = undefined;
      late.lift();
      done();
    };
  }

  /**
   * Waits until no connection lingers any more. Those that still do after {@linkcode FLUSH_MS} are
   * closed.
   *
   * @param done called then, perhaps at once
   */
  whenParted(done: () => void): void {
    const { deadlines, lingering } = this.#parts;
    const late = new Deadline(() => lingering.close());
    deadlines.set(late, FLUSH_MS);
    lingering.whenEmpty(() => {
      late.lift();
      done();
    });
  }

  /** Makes the caller that waits in {@linkcode Visitors.whenGone} look at the time again. */
  lookAgain(): void {
    this.#onGone?.();
  }

  #serve(connection: Connection, client: Client, arrival?: Arrival): void {
    const { door } = this.#parts;
    const { remoteAddress } = client;
    const visitor: ServedVisitor = new ServedVisitor(
      this.#parts,
      this.#shared,
      connection,
      client,
      arrival,
      () => this.#isDismissing,
      () => {
        this.#visitors.delete(visitor);
        door.leave(remoteAddress);
      },
      () => this.#closed(),
    );
    this.#open++;
    this.#visitors.add(visitor);
    if (this.#announcement !== undefined) visitor.hearer.hear(encodeLine(this.#announcement()));
    visitor.start();
    if (this.#isDismissing) visitor.abort(new Dismissal(ENDING));
  }

  /** Tells the client why it is refused, and closes. */
  #refuse(connection: Connection, why: string): void {
    const refused = new VisitorConnection(connection, this.#shared, {
      onSlow() {},
      onParting() {},
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

/** The reason that the others are given when somebody leaves because the server ends. */
const ENDING = "server is shutting down";

/** Who knows the address of a visitor: the connection, or the proxy. */
type Client = { readonly remoteAddress: Address };

/** A visitor, as the conversation knows them. */
export interface Visitor {
  /** The address that the visitor is connected from. */
  readonly peer: string;
  /** Takes the lines for the visitor. */
  readonly hearer: Hearer;
  /** Throws an error into the conversation. */
  abort(error: Error): void;
}

/** One visitor: a connection and a conversation. */
class ServedVisitor implements Visitor {
  readonly peer: string;
  readonly hearer: Hearer;
  readonly #session: Session<void>;
  readonly #observation: VisitObservation;
  readonly #introduced: IntroducedPeer | undefined;
  #failure: unknown;
  /** How many of the two parts, the conversation and the connection, are over. */
  #over = 0;

  constructor(
    parts: VisitorsParts,
    shared: ConnectionParts,
    connection: Connection,
    client: Client,
    arrival: Arrival | undefined,
    isEnding: () => boolean,
    onParting: () => void,
    onClosed: () => void,
  ) {
    const { limits: { messageTimeoutMs }, deadlines, observer, events } = parts;
    // It is asked for now: nobody knows the address of a connection that is closed.
    const peer = client.remoteAddress;
    this.peer = formatAddress(peer);
    this.#introduced = arrival?.client;
    this.#observation = observer.begin({ peer }, "", arrival);
    const buffered = new VisitorConnection(connection, shared, {
      onSlow: (error) => this.abort(error),
      onParting,
      onClosed: (isCut) => {
        if (isCut) this.#failure ??= isEnding() ? new CutError() : new SlowReaderError(UNREAD);
        onClosed();
        this.#end();
      },
    });
    this.hearer = buffered.outbox;
    const options = { ...NO_LIMITS, messageTimeoutMs, deadlines, events };
    const watched = this.#observation.watch(buffered);
    const begun = parts.converse(this);
    const conversation = arrival === undefined ? begun : arrival.precede(begun);
    this.#session = new Session(watched, conversation, options, (error) => {
      this.#failure ??= error;
      this.#end();
    });
  }

  /** Begins the conversation. */
  start(): void {
    this.#observation.enter();
    this.#session.start(this.#introduced);
    this.#observation.leave();
  }

  abort(error: Error): void {
    this.#session.abort(error);
  }

  #end(): void {
    // The last lines are not the session's, so it does not know that whoever only listened got them.
    if (++this.#over === 2) {
      this.#observation.over(this.#failure, this.#failure !== undefined && this.#session.wasEmpty);
    }
  }
}

/** No limits for the session: a chat has its own. */
const NO_LIMITS = { readTimeoutMs: 0, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

/** The limit that a visitor exceeds who does not read the last lines. */
const UNREAD = "the last lines were not taken in time";
