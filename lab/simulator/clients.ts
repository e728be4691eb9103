/**
 * Clients for simulations: the three that every lesson has, and crowds.
 *
 * @module
 */

import type { Protocol } from "../../protocols/effects.ts";
import { frameClient, frameGreeting } from "../../protocols/frame.ts";
import { Input } from "../../protocols/input.ts";
import { readWithin } from "../../protocols/effects.ts";
import type { Client } from "./simulate.ts";

/** A prime whose trial division takes a tenth of a second. */
export const LONG_PRIME = "P9007199254740881";

/**
 * A client of `frame` that sends one frame and reads its answer.
 *
 * @param content what stands between `^` and `$`
 * @param greeted is called when the server has greeted, before the frame is sent
 * @returns the generator; it returns the answer as text
 */
export function* askFrame(content: string, greeted = () => {}): Protocol<string> {
  const input = new Input();
  yield* frameGreeting(input);
  greeted();
  return new TextDecoder().decode(yield* frameClient(input, new TextEncoder().encode(content)));
}

/**
 * A client that says nothing for a time, and then closes.
 *
 * @param ms for how long, in milliseconds
 */
export function* beSilent(ms: number): Protocol {
  for (let answer = yield* readWithin(ms); answer instanceof Uint8Array;) {
    answer = yield* readWithin(ms);
  }
}

/** A client of `frame`, and what it asks. */
export interface Guest {
  readonly name: string;
  /** What stands between `^` and `$`. */
  readonly asks: string;
}

/**
 * The three clients that go through every model: one asks for a long computation, one has its bytes
 * echoed, one asks for a short computation. They come in this order.
 */
export const GUESTS: readonly Guest[] = [
  { name: "long prime", asks: LONG_PRIME },
  { name: "echo", asks: "echo" },
  { name: "small prime", asks: "P7" },
];

/**
 * The {@linkcode GUESTS} as clients of a simulation.
 *
 * @param apartUs how long after each other they come, in microseconds
 */
export function threeClients(apartUs = 1_000): readonly Client[] {
  return GUESTS.map(({ name, asks }, place) => ({
    name,
    atUs: place * apartUs,
    converse: () => askFrame(asks),
  }));
}
