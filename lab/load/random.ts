/**
 * Payloads for requests. Requests that are under way together have different payloads, so that no
 * answer can pass for another request's. Each run has the same payloads.
 *
 * @module
 */

import type { LoadRandom } from "../../protocols/load.ts";

/** How many requests in a row have payloads that all differ. After that they repeat. */
const PAYLOADS = 1024;

/** The distance between the beginnings of two payloads in their pool, in bytes. */
const STRIDE = 16;

/** After how many bytes the pool repeats itself: making each byte of a long one takes seconds. */
const BLOCK = 4 * PAYLOADS * STRIDE;

const LETTER_A = 0x61;
const LETTERS = 26;

/** Pseudo-random numbers and bytes. */
export class Random implements LoadRandom {
  #state: number;
  readonly #longest: number;
  #bytes: Pool | undefined;
  #letters: Pool | undefined;

  /**
   * @param seed the same seed gives the same numbers
   * @param longest the most bytes that a caller will ask for at once
   */
  constructor(seed: number, longest = 0) {
    this.#longest = longest;
    // Zero is the one state that xorshift cannot leave.
    this.#state = Math.imul(seed + 1, 0x9e37_79b9) | 1;
  }

  /** The next number: a whole number from 0 to 2 ** 32 - 1. */
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
   * A number from a range that includes both ends.
   *
   * @param least a whole number
   * @param most a whole number, no smaller than `least`
   */
  between(least: number, most: number): number {
    return least === most ? least : least + this.next() % (most - least + 1);
  }

  /** A number that is exponentially distributed, with the mean 1. */
  exponential(): number {
    // By the inverse of the distribution function. The state is never 0.
    return -Math.log(this.next() / 2 ** 32);
  }

  /**
   * Some bytes of any value.
   *
   * @param count how many bytes
   * @returns bytes that must not be changed
   */
  bytes(count: number): Uint8Array {
    this.#bytes ??= this.#fill(() => this.next() & 0xff);
    return this.#bytes.take(count);
  }

  /**
   * Some small ASCII letters.
   *
   * @param count how many letters
   * @returns bytes that must not be changed
   */
  letters(count: number): Uint8Array {
    this.#letters ??= this.#fill(() => LETTER_A + this.next() % LETTERS);
    return this.#letters.take(count);
  }

  #fill(next: () => number): Pool {
    return new Pool(this.#longest, next);
  }
}

/**
 * A pool that payloads are cut from: making new bytes for each payload costs more than sending
 * them.
 */
class Pool {
  readonly #longest: number;
  readonly #bytes: Uint8Array;
  /** The payloads of the longest length, which is usually the only length. */
  readonly #payloads: (Uint8Array | undefined)[];
  #taken = 0;

  constructor(longest: number, next: () => number) {
    this.#longest = longest;
    this.#bytes = new Uint8Array(PAYLOADS * STRIDE + longest);
    // Payloads that are under way together begin at different places of the first block.
    const block = Math.min(this.#bytes.length, BLOCK);
    for (let at = 0; at < block; at++) this.#bytes[at] = next();
    for (let at = block; at < this.#bytes.length; at *= 2) this.#bytes.copyWithin(at, 0, at);
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
