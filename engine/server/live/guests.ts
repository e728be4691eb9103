/**
 * The three clients that every lesson has, as conversations: no I/O, no runtime.
 *
 * @module
 */

import { type Protocol, type ReadAnswer, readWithin } from "../../../protocols/effects.ts";
import { frameClient, frameGreeting } from "../../../protocols/frame.ts";
import { Input } from "../../../protocols/input.ts";

/** A prime whose trial division takes a tenth of a second. */
export const LONG_PRIME = "P9007199254740881";

/**
 * A client of `frame` that sends one frame and reads its answer.
 *
 * @param content what stands between `^` and `$`
 * @param greeted is called when the server has greeted, before the frame is sent
 * @returns the generator; it returns the answer as text
 */
export function* askFrame(content: string, greeted = (): void => {}): Protocol<string> {
  const input = new Input();
  yield* frameGreeting(input);
  greeted();
  return new TextDecoder().decode(yield* frameClient(input, new TextEncoder().encode(content)));
}

/**
 * Says nothing until the peer has said nothing for a time, too, or has closed.
 *
 * @param ms for how long, in milliseconds
 * @param take is given what comes meanwhile, valid until it returns
 * @returns `null` if the peer has closed, else `undefined`
 */
export function* beSilent(
  ms: number,
  take = (_bytes: Uint8Array): void => {},
): Protocol<null | undefined> {
  for (;;) {
    const answer: ReadAnswer = yield* readWithin(ms);
    if (!(answer instanceof Uint8Array)) return answer;
    take(answer);
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
