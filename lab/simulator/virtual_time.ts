/**
 * Virtual time: it stands still while something happens, and then jumps to what happens next.
 *
 * So an hour of a server takes a moment, and nothing depends on how busy this machine is.
 *
 * @module
 */

/** Something that is due, and can be cancelled. */
export interface Alarm {
  /** Sees to it that it does not happen. May be called again, and afterwards. */
  cancel(): void;
}

/** An action, and when it is due. */
interface Due {
  readonly atUs: number;
  /** Of two that are due at the same moment, the one that was asked for first comes first. */
  readonly order: number;
  action: (() => void) | undefined;
}

/** How many actions may happen in all: a history that never ends is a mistake of its author. */
const MOST_ACTIONS = 20_000_000;

/** The clock, and all that is due. */
export class VirtualTime {
  #nowUs = 0;
  #asked = 0;
  #done = 0;
  readonly #most: number;
  /** A binary heap: each entry is due no later than the two at twice its index, and one more. */
  readonly #heap: Due[] = [];

  /** @param most how many actions may happen in all; more are a mistake */
  constructor(most = MOST_ACTIONS) {
    this.#most = most;
  }

  /** The present, in microseconds since the beginning. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /**
   * Asks for something to happen later.
   *
   * @param us in how many microseconds: 0 or more
   * @param action what happens
   * @throws {RangeError} if that is no time, or lies in the past
   */
  after(us: number, action: () => void): Alarm {
    if (!(us >= 0 && us < Infinity)) {
      throw new RangeError(`Cannot wait in virtual time: current value is "${us}"`);
    }
    return this.at(this.#nowUs + us, action);
  }

  /**
   * Asks for something to happen at a moment. What has to keep an order asks for the moment itself: a
   * difference that is added to the present again may be off by the last digit of a number.
   *
   * @param atUs when, in microseconds since the beginning
   * @param action what happens
   * @throws {RangeError} if that is no time, or lies in the past
   */
  at(atUs: number, action: () => void): Alarm {
    if (!(atUs >= this.#nowUs && atUs < Infinity)) {
      throw new RangeError(`Cannot wait in virtual time: current value is "${atUs}"`);
    }
    const due: Due = { atUs, order: this.#asked++, action };
    this.#push(due);
    return { cancel: () => void (due.action = undefined) };
  }

  /**
   * Lets everything happen, one after the other.
   *
   * @param untilUs when to stop; without it, when nothing is due any more
   * @throws {Error} if there is no end to it
   */
  run(untilUs = Infinity): void {
    for (let next; (next = this.#heap[0]) !== undefined && next.atUs <= untilUs;) {
      this.#pop();
      const { action } = next;
      if (action === undefined) continue;
      if (++this.#done > this.#most) throw new Error("Cannot simulate: it does not end");
      this.#nowUs = next.atUs;
      next.action = undefined;
      action();
    }
    if (untilUs !== Infinity) this.#nowUs = Math.max(this.#nowUs, untilUs);
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (isBefore(heap[above] as Due, due)) break;
      heap[at] = heap[above] as Due;
      at = above;
    }
    heap[at] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Due;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Due, heap[below] as Due)) below++;
      if (isBefore(last, heap[below] as Due)) break;
      heap[at] = heap[below] as Due;
      at = below;
    }
    heap[at] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atUs < other.atUs || one.atUs === other.atUs && one.order < other.order;
}
