/**
 * Ends writes whose peer takes nothing.
 *
 * Most writes never wait, and those that do mostly wait for a moment. A limit that is set and
 * lifted for each of them would cost something each time. So nothing is set: while any write waits,
 * all of them are looked at a few times within the limit. A write that has got no further at so many
 * looks in turn is given up.
 *
 * A look sees what the kernel tells: how much the peer has acknowledged. A peer whose buffer is full
 * acknowledges nothing more before its program has read a good part of it. Until then nothing that the
 * kernel tells, not even of its probes, differs from what it tells of a peer that does not read. So
 * whoever reads less than such a part within the limit is given up too: `docs/limits.md` names the rate.
 *
 * @module
 */

import type { SlowReaderError } from "../../protocols/errors.ts";
import type { Connection } from "../net/transport.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import { LOOKS_AT_WRITE, tookNothing } from "./limits.ts";

/** What writes, and may have to wait. */
export interface Writer {
  /** Whether a write waits. */
  readonly isWriting: boolean;
  /** How many writes there were, to tell one from the next. */
  readonly writes: number;
  /** Where it writes: knows how many bytes the peer has not taken yet. */
  readonly connection: Pick<Connection, "pending" | "ends">;
  /** The peer has taken nothing for too long. It may be told again, a look later. */
  giveUp(error: SlowReaderError): void;
}

/** Knows what the kernel has of connections and their peers have not: `send_queue_looks.ts`. */
export interface SendQueues {
  /** How it is now. @returns bytes by the `ends` of connections */
  read(): ReadonlyMap<string, number>;
}

/** What was seen of a write that waits. */
interface Seen {
  readonly writes: number;
  readonly pending: number;
  /** How many looks in turn have found it the same. */
  readonly looks: number;
}

/** Looks after the writes of one thread. */
export class WriteWatch {
  readonly #deadlines: Deadlines;
  readonly #timeoutMs: number;
  readonly #writers: Iterable<Writer>;
  readonly #queues: SendQueues | undefined;
  readonly #limit = new Deadline(() => this.#look());
  #seen = new Map<Writer, Seen>();
  #isAwake = false;

  /**
   * @param deadlines keeps time
   * @param timeoutMs how long a write may wait while the peer takes nothing, in milliseconds
   * @param writers all that may write, as they are at each look
   * @param queues knows what the kernel has, where connections have `ends`. Without it, only what the
   * kernel has not taken is known: so it is where time is virtual
   */
  constructor(
    deadlines: Deadlines,
    timeoutMs: number,
    writers: Iterable<Writer>,
    queues?: SendQueues,
  ) {
    this.#deadlines = deadlines;
    this.#timeoutMs = timeoutMs;
    this.#writers = writers;
    this.#queues = queues;
  }

  /** A write has to wait. */
  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#wait();
  }

  #wait(): void {
    this.#deadlines.set(this.#limit, this.#timeoutMs / LOOKS_AT_WRITE);
  }

  #look(): void {
    // Whatever fails below, there is a next look: without one, no write would end any more.
    this.#wait();
    const seen = new Map<Writer, Seen>();
    const stuck: Writer[] = [];
    let queues: ReadonlyMap<string, number> | undefined;
    for (const writer of this.#writers) {
      if (!writer.isWriting) continue;
      const { writes, connection } = writer;
      const { ends } = connection;
      // A socket takes more only when a good part of its buffer is empty. Its peer has acknowledged
      // something long before that.
      const queued = ends === undefined ? 0 : (queues ??= this.#queues?.read())?.get(ends) ?? 0;
      const pending = connection.pending + queued;
      if (pending === 0) continue;
      const before = this.#seen.get(writer);
      const isSame = before?.writes === writes && before.pending <= pending;
      const looks = isSame ? before.looks + 1 : 0;
      seen.set(writer, { writes, pending, looks });
      if (looks >= LOOKS_AT_WRITE) stuck.push(writer);
    }
    this.#seen = seen;
    this.#isAwake = seen.size > 0;
    // Counted from now on, however long the look has taken.
    if (this.#isAwake) this.#wait();
    else this.#limit.lift();
    for (const writer of stuck) writer.giveUp(tookNothing(this.#timeoutMs));
  }
}
