/**
 * The pulse of a thread: whether it is in a protocol's code, where nobody can stop it.
 *
 * A thread that waits for its peer is well, however long that takes: it has its limits. But a
 * conversation that computes between two `yield`s and never comes to the second is lost with its
 * thread. Both look the same from outside. So a thread writes a word of shared memory whenever it
 * enters the protocol's code and leaves it. If another thread finds the same number there for long,
 * this one is stuck.
 *
 * @module
 */

/** What the word says of a thread that is not in a protocol's code. */
export const AT_REST = 0;

/** How many numbers there are until they begin anew. */
const NUMBERS = 0x3fff_ffff;

/** The pulse of this thread. Only this thread writes it, so plain stores suffice. */
export class Pulse {
  readonly #word: Int32Array;
  #count = 0;

  /** @param word one word, which other threads may read; by default nobody does */
  constructor(word: Int32Array = new Int32Array(1)) {
    this.#word = word;
    // A thread that was lost may have left its own here.
    word[0] = AT_REST;
  }

  /** The thread enters the protocol's code. */
  works(): void {
    this.#count = this.#count % NUMBERS + 1;
    this.#word[0] = this.#count;
  }

  /** It leaves that code, or does what has a limit of its own: it waits, or computes a task. */
  rests(): void {
    this.#word[0] = AT_REST;
  }
}
