/**
 * The client's side of a protocol under load: what a module exports so that `lab/bench.ts` can
 * measure its servers.
 *
 * @module
 */

import type { Protocol } from "./effects.ts";
import type { Input } from "./input.ts";

/** Numbers and bytes that differ from request to request, and are the same in each run. */
export interface LoadRandom {
  /** The next number: a whole number from 0 to 2 ** 32 - 1. */
  next(): number;
  /**
   * A whole number from a range that includes both ends.
   *
   * @param least a whole number
   * @param most a whole number, no smaller than `least`
   */
  between(least: number, most: number): number;
  /** A number that is exponentially distributed, with the mean 1. */
  exponential(): number;
  /**
   * Some bytes of any value.
   *
   * @param count how many bytes
   * @returns bytes that must not be changed
   */
  bytes(count: number): Uint8Array;
  /**
   * Some small ASCII letters.
   *
   * @param count how many letters
   * @returns bytes that must not be changed
   */
  letters(count: number): Uint8Array;
}

/** What one run of a load receives. */
export interface LoadContext {
  /** The unread bytes. What the exchange leaves here is the beginning of the next answer. */
  readonly input: Input;
  /** How many bytes the request's payload is to have: `--size`. */
  readonly size: number;
  /** A source of payloads and numbers that differ from request to request. */
  readonly random: LoadRandom;
}

/** A load that needs more than a generator for one exchange. */
export interface LoadSide {
  /** Whether each exchange needs a connection of its own. @default {false} */
  readonly connects?: boolean;
  /** The conversation that comes first on each new connection. */
  greeting?(context: LoadContext): Protocol<unknown>;
  /**
   * One request and its answer. If several are under way at once, it must write before it reads. It
   * throws if the answer is wrong.
   */
  exchange(context: LoadContext): Protocol<unknown>;
}
