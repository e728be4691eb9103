/**
 * A visitor's connection as the conversation sees it. What is written goes into the outbox, and
 * closing waits until the visitor has read it.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import type { Lingerer } from "../../engine/drivers/linger.ts";
import { Connection, type Pulled, type Sink } from "../../engine/net/transport.ts";
import type { Address } from "../../protocols/effects.ts";
import type { SlowReaderError } from "../../protocols/errors.ts";
import { Outbox, type OutboxParts } from "./outbox.ts";

/** Within which time a visitor has to take a good share of the last lines, in milliseconds. */
export const FLUSH_MS = 2_000;

/** How often that time is given. A good share is what is enough to be done within all of them. */
const MOST_FLUSHES = 8;

/** After that time a server looks once more, because the peer may have read them by now. */
export const GRACE_MS = 250;

/** A server that looks later than this, in milliseconds, had no time to see that they were read. */
const LATE_MS = 50;

/** How often a busy server looks again. */
const MOST_LOOKS = 20;

/** What the connections of one server share. */
export interface ConnectionParts extends OutboxParts {
  /** Keeps time. */
  readonly deadlines: Deadlines;
  /** Takes a connection when everything that waits has been sent. */
  readonly lingerer: Lingerer;
}

/** What a visitor's connection tells its owner. */
export interface ConnectionOwner {
  /** The visitor reads too slowly. The connection is closed. */
  onSlow(error: SlowReaderError): void;
  /** Called once, before the visitor can see that the connection is closed, or its sending side. */
  onParting(): void;
  /**
   * The connection is closed, or lingers. Called once.
   *
   * @param isCut whether the last lines were not read in time
   */
  onClosed(isCut: boolean): void;
}

/** A connection whose outgoing half is an outbox. */
export class VisitorConnection extends Connection {
  /** Takes the lines for the visitor. */
  readonly outbox: Outbox;
  readonly #connection: Connection;
  readonly #deadlines: Deadlines;
  readonly #owner: ConnectionOwner;
  #reader: Sink | undefined;
  readonly #limit = new Deadline(() => this.#onLimit());
  readonly #lingerer: Lingerer;
  #isClosing = false;
  /** How the last lines go, once they have taken a moment. */
  #flush: Flush | undefined;
  /** How often it was looked whether the last lines were read after the time for them was up. */
  #looks = 0;
  #isClosed = false;

  /**
   * @param connection the underlying connection, which is closed at the end
   * @param parts what it shares with the other connections
   * @param owner is told when the connection ends, and why
   */
  constructor(
    connection: Connection,
    parts: ConnectionParts,
    owner: ConnectionOwner,
  ) {
    super();
    this.#connection = connection;
    this.#deadlines = parts.deadlines;
    this.#lingerer = parts.lingerer;
    this.#owner = owner;
    this.outbox = new Outbox(connection, parts, {
      onSlow: (error) => {
        if (this.#isClosing) return this.#end(true);
        // There is no point in waiting until the visitor has read the rest.
        this.cut();
        owner.onSlow(error);
      },
      onError: (error) => {
        if (this.#isClosing) this.#end();
        else this.#reader?.onError(error);
      },
    });
  }

  override get localAddress(): Address {
    return this.#connection.localAddress;
  }

  override get remoteAddress(): Address {
    return this.#connection.remoteAddress;
  }

  override pull(sink: Sink): Pulled {
    this.#reader = sink;
    return this.#connection.pull(sink);
  }

  override get hasUnread(): boolean {
    return this.#connection.hasUnread;
  }

  override unpull(): void {
    this.#connection.unpull();
  }

  override watch(sink: Sink): void {
    this.#reader = sink;
    this.#connection.watch(sink);
  }

  override push(bytes: Uint8Array, sink: Sink): boolean {
    this.outbox.hear(bytes);
    if (this.#isClosing || !this.outbox.isHalfFull) return true;
    // A visitor who asks for more than they read is not listened to until they have read it.
    this.outbox.whenEmpty(() => sink.onWritten());
    return false;
  }

  override get pending(): number {
    return this.#connection.pending;
  }

  /** The outbox keeps whole lines. */
  override get keepsWhole(): boolean {
    return true;
  }

  override get mayLose(): boolean {
    return this.#connection.mayLose;
  }

  /** Does nothing. FIN is sent by `close`, after the lines that still wait. */
  override closeWrite(): void {}

  /** Sends the lines that wait and FIN, and then hands the connection over to linger. */
  override close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#reader = undefined;
    this.#connection.unpull();
    // Mostly they are taken at once. To ask what the kernel has of them costs more than a moment's wait.
    this.#deadlines.set(this.#limit, GRACE_MS);
    this.outbox.finish(() => this.#finish());
  }

  /** Closes at once. */
  cut(): void {
    this.#isClosing = true;
    this.#end();
  }

  /** Everything is sent. Sends FIN, and hands the connection over to linger. */
  #finish(): void {
    if (!this.#settle()) return;
    this.#owner.onParting();
    this.#connection.closeWrite();
    this.#lingerer.add(this.#connection);
    this.#owner.onClosed(false);
  }

  /** The time for the last lines is up, unless it was this server that had no time to send them. */
  #onLimit(): void {
    const dueAt = this.#limit.at;
    // Whatever fails below, there is a next look: without one, nobody would end the connection.
    this.#deadlines.set(this.#limit, GRACE_MS);
    if (this.outbox.isDue || this.#mayGoOn()) {
      this.#looks = 0;
      return this.#deadlines.set(this.#limit, FLUSH_MS);
    }
    const isBusy = this.#deadlines.now - dueAt > LATE_MS && this.#looks < MOST_LOOKS;
    if (this.#looks > 0 && !isBusy) return this.#end(true);
    this.#looks++;
    // Counted from now on, however long the look has taken.
    this.#deadlines.set(this.#limit, GRACE_MS);
  }

  /**
   * Whether the visitor has taken a good share since the time was given last, and gets it once more. A
   * kernel tells only in large steps what its program has read. So whoever has taken something since
   * closing may once seem to take nothing.
   */
  #mayGoOn(): boolean {
    const { left, bytes } = this.outbox;
    const flush = this.#flush ??= {
      left: Infinity,
      share: Math.max(1, bytes / MOST_FLUSHES),
      given: 0,
      isTrusted: false,
    };
    const isTaking = flush.left - left >= flush.share;
    if (flush.given === MOST_FLUSHES || !isTaking && !flush.isTrusted) return false;
    flush.isTrusted = isTaking && flush.given > 0;
    if (isTaking) flush.left = left;
    flush.given++;
    return true;
  }

  #end(isCut = false): void {
    if (!this.#settle()) return;
    this.#owner.onParting();
    this.#connection.close();
    this.#owner.onClosed(isCut);
  }

  /** Stops sending and reading; returns false if that was done before. */
  #settle(): boolean {
    if (this.#isClosed) return false;
    this.#isClosed = true;
    this.#limit.lift();
    this.outbox.close();
    this.#connection.unpull();
    return true;
  }
}

/** How the last lines of a visitor go. */
interface Flush {
  /** How many bytes the visitor had yet to take when the time was given last. */
  left: number;
  /** How many of them have to go each time: of those that the kernel has, too. */
  readonly share: number;
  /** How often the time was given. */
  given: number;
  /** Whether the visitor has taken a good share in the time before. */
  isTrusted: boolean;
}
