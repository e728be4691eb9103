/**
 * What the clients of the page say to a server, by its protocol: no I/O, no runtime.
 *
 * @module
 */

import { echoClient } from "../../../protocols/echo.ts";
import { type Protocol, readWithin, write } from "../../../protocols/effects.ts";
import { helloClient } from "../../../protocols/hello.ts";
import { Input } from "../../../protocols/input.ts";
import { printClient } from "../../../protocols/print.ts";
import { encodeLine } from "../../../protocols/text.ts";
import { askFrame, beSilent, GUESTS } from "./guests.ts";

/** How clients speak. */
export interface Manner {
  /** What the three clients send, in words. */
  readonly says: string;
  /**
   * The three clients, in their order.
   *
   * @param greeted is called when the server has let the client in
   */
  readonly three: readonly ((greeted: () => void) => Protocol<unknown>)[];
  /** Another client, who wants little. */
  one(): Protocol<unknown>;
  /** A message that a slow client sends byte by byte. */
  readonly slow: Uint8Array;
}

/** How long a client waits for an answer that need not come, in milliseconds. */
const PATIENCE_MS = 1_000;

/** The time between two bytes of a slow client, in milliseconds. */
const SLOW_MS = 500;

const encoder = new TextEncoder();

/**
 * How clients speak to a server.
 *
 * @param protocol the name of its protocol
 */
export function mannerFor(protocol: string): Manner {
  return Object.hasOwn(MANNERS, protocol) ? MANNERS[protocol] as Manner : unknown(protocol);
}

const MANNERS: Readonly<Record<string, Manner>> = {
  frame: {
    says: "one asks for a long prime, one wants an echo, one asks for a small prime",
    three: GUESTS.map(({ asks }) => (greeted) => askFrame(asks, greeted)),
    one: () => askFrame("hello"),
    slow: encoder.encode("^a slow client speaks$"),
  },
  hello: {
    says: "hello knows no primes: each shakes hands",
    three: times(3, () => helloClient(1)),
    one: () => helloClient(1),
    slow: encoder.encode("HELLO               1\n"),
  },
  echo: {
    says: "echo knows no primes: one sends 200,000 bytes, two send a few",
    three: [
      () => echoClient(new Input(), new Uint8Array(200_000).fill(0x2e)),
      ...times(2, () => echoClient(new Input(), encoder.encode("echo\n"))),
    ],
    one: () => echoClient(new Input(), encoder.encode("hello\n")),
    slow: encoder.encode("a slow client speaks\n"),
  },
  print: {
    says: "print knows no primes: each sends a line",
    three: times(3, () => printClient([encoder.encode("hello")])),
    one: () => printClient([encoder.encode("hello")]),
    slow: encoder.encode("a slow client speaks\n"),
  },
  rooms: {
    says: "a chat knows no primes: each joins, says a line and leaves",
    three: times(3, () => talk("hello from the page\n", "/quit\n")),
    one: () => talk("/quit\n"),
    slow: encoder.encode("a slow client speaks\n"),
  },
};

/** A protocol of which nothing is known gets a line. */
function unknown(protocol: string): Manner {
  return {
    says: `nothing is known of primes in ${protocol}: each sends a line`,
    three: times(3, () => talk("hello\n")),
    one: () => talk("hello\n"),
    slow: encoder.encode("a slow client speaks\n"),
  };
}

function times(count: number, converse: () => Protocol<unknown>): Manner["three"] {
  return Array.from({ length: count }, () => (greeted: () => void) => begun(greeted, converse()));
}

function* begun(greeted: () => void, conversation: Protocol<unknown>): Protocol<unknown> {
  greeted();
  return yield* conversation;
}

/** Sends lines, and reads until the server says nothing more. */
function* talk(...lines: readonly string[]): Protocol {
  for (const line of lines) {
    yield* write(encodeLine(line.trimEnd()));
    const answer = yield* readWithin(PATIENCE_MS);
    if (answer === null) return;
  }
  yield* beSilent(PATIENCE_MS);
}

/**
 * A slow client: it sends its message byte by byte, reads what comes and leaves.
 *
 * @param manner how clients speak
 */
export function* speakSlowly({ slow }: Manner): Protocol {
  for (const byte of slow) {
    yield* write(Uint8Array.of(byte));
    if ((yield* beSilent(SLOW_MS)) === null) return;
  }
}
