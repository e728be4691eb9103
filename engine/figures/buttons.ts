/**
 * What the buttons of the live page are called: there, and in what the server says of them.
 *
 * @module
 */

/** What a button is called, and what it does. */
export type ButtonWords = readonly [name: string, what: string];

/** The buttons, by the names of their actions, in their order. */
export const BUTTONS = {
  "three-clients": ["Three clients", "a long prime, an echo and a small prime"],
  "slow-client": ["A slow client", "it sends a byte at a time"],
  vanish: ["A client that vanishes", "it is gone without a word"],
  fifty: ["Fifty at once", "fifty clients connect at the same time"],
  burst: ["A burst of 1,000", "a thousand clients, as fast as they can"],
  "kill-worker": ["Kill a worker", "a thread or process of the server dies"],
} as const satisfies Readonly<Record<string, ButtonWords>>;
