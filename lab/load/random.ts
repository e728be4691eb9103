/**
 * Payloads: different in requests that are under way together, so that no answer can pass for
 * another's, and the same in each run.
 *
 * @module
 */

/** How many requests in a row have payloads that all differ; then they come again. */
const PAYLOADS = 1024;

/** How far the beginnings of two of them are apart in their pool, in bytes. */
const STRIDE = 16;

const LETTER_A = 0x61;
const LETTERS = 26;

/** Pseudo-random numbers and bytes. */
export class Random {
  #state: number;
  readonly #longest: number;
  #bytes: Pool | undefined;
  #letters: Pool | undefined;

  /**
   * @param seed the same seed gives the same numbers
   * @param longest the most bytes that are asked for at a time
   */
  constructor(seed: number, longest = 0) {
    this.#longest = longest;
    // Zero is the one number that xorshift does not leave.
    this.#state = Math.imul(seed + 1, 0x9e37_79b9) | 1;
  }

  /** The next number: a whole one from 0, below 2 ** 32. */
  next(): number {
    // Marsaglia, "Xorshift RNGs" (2003).
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  /**
   * A number of a range, both ends included.
   *
   * @param least a whole number
   * @param most another, not smaller
   */
  between(least: number, most: number): number {
    return least === most ? least : least + this.next() % (most - least + 1);
  }

  /**
   * Some bytes, of any value.
   *
   * @param count how many
   * @returns bytes to be read only
   */
  bytes(count: number): Uint8Array {
    this.#bytes ??= this.#fill(() => this.next() & 0xff);
    return this.#bytes.take(count);
  }

  /**
   * Some small letters of ASCII.
   *
   * @param count how many
   * @returns bytes to be read only
   */
  letters(count: number): Uint8Array {
    this.#letters ??= this.#fill(() => LETTER_A + this.next() % LETTERS);
    return this.#letters.take(count);
  }

  #fill(next: () => number): Pool {
    return new Pool(this.#longest, next);
  }
}

/** Bytes of which payloads are parts: making bytes for each costs more than sending them. */
class Pool {
  readonly #longest: number;
  readonly #bytes: Uint8Array;
  /** Those of the longest length, which mostly is the only one. */
  readonly #payloads: (Uint8Array | undefined)[];
  #taken = 0;

  constructor(longest: number, next: () => number) {
    this.#longest = longest;
    this.#bytes = Uint8Array.from({ length: PAYLOADS * STRIDE + longest }, next);
    this.#payloads = new Array(PAYLOADS).fill(undefined);
  }

  take(length: number): Uint8Array {
    const index = this.#taken++ % PAYLOADS;
    if (length !== this.#longest) return this.#cut(index, length);
    return this.#payloads[index] ??= this.#cut(index, length);
  }

  #cut(index: number, length: number): Uint8Array {
    return this.#bytes.subarray(index * STRIDE, index * STRIDE + length);
  }
}
