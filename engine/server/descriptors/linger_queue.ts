/**
 * How a thread gives a connection away that has to linger: through shared memory, to the main
 * thread.
 *
 * A thread that waited itself for what a peer still sends would be held by any peer that trickles.
 * So the worker puts the descriptor in here and goes on with its next connection. Whoever puts a
 * descriptor in does not touch it any more: it has given up its slot first (`descriptor_slot.ts`),
 * and from then on only the {@linkcode DescriptorLingerer} closes it.
 *
 * @module
 */

/** Whether the main thread looks into the queue already, so that it need not be told. */
const CALLED = 0;
/** How many descriptors are in it or about to be, and where the next producer tries first. */
const LENGTH = 1;
const NEXT = 2;
/** Behind the control words, in a cache line of their own: a place is 0 or a descriptor plus one. */
const PLACES = 16;

const EMPTY = 0;

/** How many descriptors it holds. It is emptied every few milliseconds. */
const CAPACITY = 1_024;

/** The queue: many threads put descriptors in, one takes them out. Nobody sleeps on it. */
export class LingerQueue {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param memory made by {@linkcode LingerQueue.create} on some thread */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** Makes an empty queue. */
  static create(): LingerQueue {
    return new LingerQueue(new SharedArrayBuffer((PLACES + CAPACITY) * 4));
  }

  /**
   * Gives a descriptor away.
   *
   * @returns whether there was room; if not, it is still the caller's
   */
  put(fd: number): boolean {
    const words = this.#words;
    // First: whoever takes looks only where something may be.
    Atomics.add(words, LENGTH, 1);
    for (let tries = 0; tries < CAPACITY; tries++) {
      const place = PLACES + (Atomics.add(words, NEXT, 1) & (CAPACITY - 1));
      if (Atomics.compareExchange(words, place, EMPTY, fd + 1) === EMPTY) return true;
    }
    Atomics.sub(words, LENGTH, 1);
    return false;
  }

  /**
   * To be asked after a put.
   *
   * @returns whether the main thread must be told, for it does not look by itself
   */
  mustCall(): boolean {
    return Atomics.exchange(this.#words, CALLED, 1) === 0;
  }

  /** The main thread looks no more, until it is told. What comes from now on makes it so. */
  rest(): void {
    Atomics.store(this.#words, CALLED, 0);
  }

  /** Whether nothing is in it. */
  get isEmpty(): boolean {
    return Atomics.load(this.#words, LENGTH) === 0;
  }

  /** Takes all descriptors out. */
  take(): number[] {
    const words = this.#words;
    const taken: number[] = [];
    if (this.isEmpty) return taken;
    for (let place = PLACES; place < PLACES + CAPACITY; place++) {
      const found = Atomics.exchange(words, place, EMPTY);
      if (found !== EMPTY) taken.push(found - 1);
    }
    Atomics.sub(words, LENGTH, taken.length);
    return taken;
  }
}
