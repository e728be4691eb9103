/**
 * The outgoing queue of one connection. What others say waits here for a user who reads slowly, so
 * that nobody else has to wait. The queue is bounded.
 *
 * @module
 */

import type { Deadlines } from "../../engine/drivers/deadlines.ts";
import { type SendQueues, type Writer, WriteWatch } from "../../engine/drivers/write_watch.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { encodeLine } from "../../protocols/text.ts";
import { SlowReaderError } from "../../protocols/errors.ts";
import { type Hearer, LINE_BYTES } from "../rooms/room.ts";
import { missed } from "../talk/notices.ts";
import type { Rounds } from "./rounds.ts";

/** What happens to a slow reader: the connection ends, or the oldest lines are dropped. */
export const SLOW_POLICIES = ["disconnect", "drop"] as const;

/** One of {@linkcode SLOW_POLICIES}. */
export type SlowPolicy = typeof SLOW_POLICIES[number];

/** How much may wait, and for how long. */
export interface OutboxLimits {
  /** The most bytes that may wait, with the cost of keeping each line; 0 means no limit. */
  readonly outboxBytes: number;
  /**
   * How long a write may wait while the peer takes nothing, in ms; 0 means no limit. Not used if lines
   * are dropped.
   */
  readonly writeTimeoutMs: number;
  /** What happens beyond the limits. */
  readonly slow: SlowPolicy;
}

/** What is counted over all outboxes. */
export interface OutboxCounts {
  /** Lines that were dropped. */
  dropped: number;
}

/** What the outboxes of one server share. */
export interface OutboxParts {
  /** Says when it is whose turn to be written. */
  readonly rounds: Rounds;
  /** How much may wait in each. */
  readonly outbox: OutboxLimits;
  /** Counts dropped lines. */
  readonly counts: OutboxCounts;
  /**
   * Knows what the kernel has and a peer has not, where the runtime keeps the descriptor to itself.
   * Without it, only what the kernel has not taken is known.
   */
  readonly queues?: SendQueues | undefined;
  /** Ends writes whose peers take nothing: see {@linkcode watchWrites}. */
  readonly writeWatch?: WriteWatch | undefined;
}

/**
 * Looks after the writes of all outboxes of one server.
 *
 * @param parts what the outboxes share
 * @param deadlines keeps time
 * @returns `undefined` if a write may wait for ever
 */
export function watchWrites(
  { rounds, outbox: { writeTimeoutMs, slow }, queues }: OutboxParts,
  deadlines: Deadlines,
): WriteWatch | undefined {
  if (writeTimeoutMs === 0 || slow === "drop") return undefined;
  return new WriteWatch(deadlines, writeTimeoutMs, rounds.underWay, queues);
}

/** What an outbox tells its owner. */
export interface OutboxOwner {
  /** The peer reads too slowly. Nothing more is sent. */
  onSlow(error: SlowReaderError): void;
  /** The connection failed. Nothing more is sent. */
  onError(error: Error): void;
}

/** How many bytes are written at a time. */
export const BATCH_BYTES = 16 * 1024;

/** The outgoing queue of one connection. */
export class Outbox implements Hearer, Writer {
  readonly connection: Connection;
  readonly #rounds: Rounds;
  readonly #limits: OutboxLimits;
  readonly #counts: OutboxCounts;
  readonly #owner: OutboxOwner;
  readonly #queues: OutboxParts["queues"];
  readonly #writeWatch: WriteWatch | undefined;
  #writes = 0;
  /** The lines that wait, from `#head` on. */
  #lines: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;
  /** The bytes that the current write counts for: none, if it only says what was missed. */
  #writing = 0;
  #isWriting = false;
  /** Whether the runtime has taken a write and will tell when it is over. */
  #isUnderWay = false;
  #missed = 0;
  #isScheduled = false;
  #isFinishing = false;
  #isOver = false;
  /** Whether the peer reads too slowly. The owner hears of it in a moment, or has heard. */
  #isGivenUp = false;
  #onEmpty: (() => void) | undefined;

  /**
   * @param connection the connection to write to; nobody else writes to it
   * @param parts what it shares with the other outboxes
   * @param owner is told when something goes wrong
   */
  constructor(
    connection: Connection,
    { rounds, outbox: limits, counts, queues, writeWatch }: OutboxParts,
    owner: OutboxOwner,
  ) {
    this.connection = connection;
    this.#rounds = rounds;
    this.#limits = limits;
    this.#counts = counts;
    this.#owner = owner;
    this.#queues = queues;
    this.#writeWatch = writeWatch;
  }

  /** How many bytes wait, including what it costs to keep them. */
  get bytes(): number {
    return this.#bytes + this.#writing;
  }

  /** How many bytes the peer has yet to take, as far as is known: also those that the kernel has. */
  get left(): number {
    return this.#bytes + this.#untaken;
  }

  /** Whether those who can hold back more lines should; never if lines are dropped. */
  get isHalfFull(): boolean {
    const { outboxBytes, slow } = this.#limits;
    return slow === "disconnect" && outboxBytes > 0 && this.bytes > outboxBytes / 2;
  }

  /** Whether a write waits for the peer. */
  get isWriting(): boolean {
    return this.#isUnderWay;
  }

  /** How many writes there were. */
  get writes(): number {
    return this.#writes;
  }

  /** Whether it is for the server to write the next lines, and not for the peer to read. */
  get isDue(): boolean {
    return this.#isScheduled;
  }

  /** Takes a line, which is sent soon. */
  hear(line: Uint8Array, isForFew = false): void {
    if (this.#isOver || this.#isFinishing) return;
    this.#lines.push(line);
    this.#bytes += line.length + LINE_BYTES;
    const { outboxBytes, slow } = this.#limits;
    if (outboxBytes > 0 && this.bytes > outboxBytes) {
      if (slow === "disconnect") {
        return this.giveUp(new SlowReaderError(`${outboxBytes} bytes wait`));
      }
      while (this.bytes > outboxBytes && this.#head < this.#lines.length) {
        this.#take();
        this.#missed++;
        this.#counts.dropped++;
      }
    }
    if (this.#isWriting || this.#isScheduled && !isForFew) return;
    this.#isScheduled = true;
    this.#rounds.add(this.#write, isForFew);
  }

  /**
   * Takes no more lines, so that the last line stays the last.
   *
   * @param done called when everything is sent; if that fails, the owner is told instead
   */
  finish(done: () => void): void {
    this.#isFinishing = true;
    // What was given up is not sent, and must not pass for it.
    if (!this.#isGivenUp) this.whenEmpty(done);
  }

  /**
   * Waits until the outbox is empty.
   *
   * @param done called then, but not if sending fails; a later call of this method replaces it
   */
  whenEmpty(done: () => void): void {
    if (this.#isOver || !this.#isWriting && !this.#hasMore) done();
    else this.#onEmpty = done;
  }

  /** Drops the lines that wait, and takes no more. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ended();
    this.#lines = [];
    this.#head = this.#bytes = this.#writing = 0;
    this.#onEmpty = undefined;
  }

  /** Whether there is something to send, be it only the notice about dropped lines. */
  get #hasMore(): boolean {
    return this.#bytes > 0 || this.#missed > 0;
  }

  /** Takes the oldest line off the queue. */
  #take(): Uint8Array {
    const line = this.#lines[this.#head] as Uint8Array;
    this.#lines[this.#head++] = NOTHING;
    this.#bytes -= line.length + LINE_BYTES;
    if (this.#head === this.#lines.length && this.#head > FEW_LINES) {
      this.#lines = [];
      this.#head = 0;
    }
    // Removing from the front of a long array moves all of it, so this is done only now and then.
    if (this.#head > 64 && this.#head * 2 > this.#lines.length) {
      this.#lines.splice(0, this.#head);
      this.#head = 0;
    }
    return line;
  }

  readonly #write = (): void => {
    this.#isScheduled = false;
    if (this.#isOver || this.#isWriting) return;
    try {
      while (this.#hasMore) {
        const before = this.#bytes;
        const batch = this.#takeBatch();
        this.#writing = before - this.#bytes;
        this.#isWriting = true;
        this.#writes++;
        if (!this.connection.push(batch, this.#sink)) {
          this.#isUnderWay = true;
          this.#rounds.began(this);
          return this.#writeWatch?.wake();
        }
        this.#written();
      }
    } catch (error) {
      return this.#fail(error as Error);
    }
    const done = this.#onEmpty;
    // Cleared first: the callback may add lines and wait again.
    this.#onEmpty = undefined;
    done?.();
  };

  /** How many bytes of what the connection was given the peer has not taken. */
  get #untaken(): number {
    const { pending, ends } = this.connection;
    return pending + (ends === undefined ? 0 : this.#queues?.read().get(ends) ?? 0);
  }

  /** The write that the runtime had taken is over, if there was one. */
  #ended(): void {
    if (!this.#isUnderWay) return;
    this.#isUnderWay = false;
    this.#rounds.ended(this);
  }

  #written(): void {
    this.#writing = 0;
    this.#isWriting = false;
  }

  readonly #sink = {
    onRead: () => {},
    onWritten: () => {
      if (this.#isOver) return;
      this.#ended();
      this.#written();
      this.#write();
    },
    onError: (error: Error) => this.#fail(error),
  };

  /** Takes as many of the oldest lines as are written at a time, at least one. */
  #takeBatch(): Uint8Array {
    const first = this.#missed === 0 ? this.#take() : encodeLine(missed(this.#missed));
    this.#missed = 0;
    const lines = [first];
    let length = first.length;
    while (this.#head < this.#lines.length && length < BATCH_BYTES) {
      const line = this.#take();
      lines.push(line);
      length += line.length;
    }
    // Mostly it is one line, and its bytes are shared by all outboxes.
    return lines.length === 1 ? first : this.#rounds.join(lines);
  }

  /** The peer reads too slowly. */
  giveUp(error: SlowReaderError): void {
    if (this.#isOver) return;
    this.close();
    this.#isGivenUp = true;
    // Not at once: a slow reader is found out in the middle of telling others something.
    this.#rounds.soon(() => this.#owner.onSlow(error));
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.close();
    this.#owner.onError(error);
  }
}

/** An outbox that has been emptied keeps room for this many lines. */
const FEW_LINES = 16;

const NOTHING = new Uint8Array(0);
