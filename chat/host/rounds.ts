/**
 * Rounds of the mail: the outboxes of one server are written one after another.
 *
 * A write costs far more than putting a line into an outbox. If a room of thousands were written to
 * at once, nobody else would be served in the meantime. So the outboxes that have something to send
 * form a queue, and the event loop gets a turn every few milliseconds. What is said until an
 * outbox's turn comes goes along with the same write: the more there is to do, the less each line
 * costs. When little is to be done, nothing waits.
 *
 * A runtime may take bytes and pass them on to the kernel later: Deno does so for 128 writes in each
 * turn of its event loop, however many wait. If it were given more, what was said to those who read
 * would lie there for seconds, and they would be taken for slow readers. So the next outboxes have
 * to wait until most of these writes are over.
 *
 * @module
 */

import { joinBytes } from "../../protocols/bytes.ts";
import { type EventLoop, THIS_LOOP } from "../../engine/drivers/event_loop.ts";
import type { Writer } from "../../engine/drivers/write_watch.ts";

/** How long the event loop may be kept from anything else, in milliseconds. */
const SLICE_MS = 8;

/** After how many writes the clock is looked at. */
const WRITES_A_LOOK = 16;

/** The most writes that the runtime is given before those that it has are over. */
const WRITES_UNDER_WAY = 512;

/**
 * How many turns of the event loop these may take. Those that take more wait for a peer who does not
 * read, and nobody waits for that.
 */
const TURNS_UNDER_WAY = 8;

/** The outboxes of one server that have something to send. */
export class Rounds {
  readonly #loop: EventLoop;
  #queue: (() => void)[] = [];
  #head = 0;
  #isScheduled = false;
  /** Work that need not wait for the queue. */
  #light: (() => void)[] = [];
  readonly #underWay = new Set<Writer>();
  /** How many of these wait for their peers. */
  #held = 0;
  /** The lines that were joined last, and what came of it. */
  #joinedLines: readonly Uint8Array[] = [];
  #joined: Uint8Array = new Uint8Array(0);

  /** @param loop the event loop of the server */
  constructor(loop: EventLoop = THIS_LOOP) {
    this.#loop = loop;
  }

  /**
   * Does something as soon as that which runs now is over.
   *
   * @param work what to do
   */
  soon(work: () => void): void {
    this.#loop.soon(work);
  }

  /**
   * Joins the lines of one write. The members of a room hear the same lines, so their outboxes
   * share the result.
   *
   * @param lines the lines, which nobody changes any more
   */
  join(lines: readonly Uint8Array[]): Uint8Array {
    if (!isSame(lines, this.#joinedLines)) {
      this.#joined = joinBytes(lines);
      this.#joinedLines = lines;
    }
    return this.#joined;
  }

  /**
   * Does some work soon, after all work that was added before.
   *
   * @param work writes an outbox, or goes on when those before it are written
   * @param isLight whether it need not wait for the work before it, because it is one of few
   */
  add(work: () => void, isLight = false): void {
    if (isLight) {
      if (this.#light.push(work) === 1) this.#loop.soon(this.#runLight);
      return;
    }
    this.#queue.push(work);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Not at once, so that lines said together are sent together.
    this.#loop.soon(this.#run);
  }

  /** Those whose writes are under way: the runtime has taken them, and will tell when they are over. */
  get underWay(): ReadonlySet<Writer> {
    return this.#underWay;
  }

  /** A write was begun, and is under way. @param writer whose */
  began(writer: Writer): void {
    this.#underWay.add(writer);
  }

  /** Such a write is over, whatever became of it. @param writer whose */
  ended(writer: Writer): void {
    this.#underWay.delete(writer);
    if (this.#held > this.#underWay.size) this.#held = this.#underWay.size;
  }

  readonly #runLight = (): void => {
    const light = this.#light;
    this.#light = [];
    for (const work of light) work();
  };

  readonly #run = (): void => {
    const endsAt = this.#loop.now() + SLICE_MS;
    try {
      for (let done = 1; this.#head < this.#queue.length; done++) {
        (this.#queue[this.#head++] as () => void)();
        if (done % WRITES_A_LOOK > 0) continue;
        if (this.#underWay.size - this.#held >= WRITES_UNDER_WAY || this.#loop.now() >= endsAt) {
          break;
        }
      }
    } finally {
      // Also if some work has thrown: all the others' work is still to be done.
      this.#goOn();
    }
  };

  /** Ends a slice. */
  #goOn(): void {
    // Removing from the front of a long array moves all of it, so this is done once a slice.
    this.#queue.splice(0, this.#head);
    this.#head = 0;
    if (this.#queue.length > 0) return this.#pause(TURNS_UNDER_WAY);
    this.#isScheduled = false;
    this.#joinedLines = [];
  }

  /** Lets the event loop do everything else, and the runtime pass on what it has. */
  #pause(turns: number): void {
    this.#loop.after(0, () => {
      if (this.#underWay.size > this.#held && turns > 1) return this.#pause(turns - 1);
      this.#held = this.#underWay.size;
      this.#run();
    });
  }
}

function isSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((line, index) => line === others[index]);
}
