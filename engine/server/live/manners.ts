/**
 * What the clients of the page say to a server, by its protocol: no I/O, no runtime.
 *
 * @module
 */

import { echoClient } from "../../../protocols/echo.ts";
import {
  type Protocol,
  READ,
  type ReadAnswer,
  readWithin,
  write,
} from "../../../protocols/effects.ts";
import { RejectedError } from "../../../protocols/errors.ts";
import { helloClient } from "../../../protocols/hello.ts";
import { Input } from "../../../protocols/input.ts";
import { printClient } from "../../../protocols/print.ts";
import { encodeLine, escapeText } from "../../../protocols/text.ts";
import { askFrame, GUESTS } from "./guests.ts";

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
  /**
   * What is true of clients to whom all that has happened, in words.
   *
   * @default {"were answered"}
   */
  readonly wereWell?: string;
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
    wereWell: "were heard",
    slow: encoder.encode("a slow client speaks\n"),
  },
  rooms: {
    says: "a chat knows no primes: each joins, says a line and leaves",
    three: times(3, () => chat("hello from the page")),
    one: () => chat(),
    wereWell: "were let in",
    slow: encoder.encode("a slow client speaks\n"),
  },
};

/** A protocol of which nothing is known gets a line. */
function unknown(protocol: string): Manner {
  return {
    says: `nothing is known of primes in ${protocol}: each sends a line`,
    three: times(3, talk),
    one: talk,
    wereWell: "have said their line",
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

/** Joins a chat, says a line, and leaves. */
function* chat(line?: string): Protocol {
  const decoder = new TextDecoder();
  let heard = "";
  // Whoever is not let in is told why, and hears that nowhere else.
  while (!/\byou are \S+ in /.test(heard)) {
    const bytes: Uint8Array | null = yield READ;
    if (bytes === null) throw new RejectedError(escapeText(heard.trim()));
    heard += decoder.decode(bytes, { stream: true });
  }
  if (line !== undefined) yield* write(encodeLine(line));
  yield* write(encodeLine("/quit"));
  while ((yield READ) !== null);
}

/** Sends a line, and reads for a while whatever comes. */
function* talk(): Protocol {
  yield* write(encodeLine("hello"));
  if ((yield* readWithin(PATIENCE_MS)) instanceof Uint8Array) yield* listenFor(PATIENCE_MS);
}

/**
 * Says nothing for a time, and reads whatever comes meanwhile.
 *
 * @param ms for how long, in milliseconds
 * @returns `null` if the peer has closed, else how many bytes have come
 */
export function* listenFor(ms: number): Protocol<number | null> {
  const until = performance.now() + ms;
  let heard = 0;
  for (;;) {
    const leftMs = Math.ceil(until - performance.now());
    if (leftMs <= 0) return heard;
    const answer: ReadAnswer = yield* readWithin(leftMs);
    if (answer === null) return null;
    if (answer === undefined) return heard;
    heard += answer.length;
  }
}

/**
 * A slow client: it sends its message byte by byte, reads what comes and leaves.
 *
 * @param manner how clients speak
 * @returns what became of it, in words
 */
export function* speakSlowly({ slow }: Manner): Protocol<string> {
  let heard = 0;
  for (const [index, byte] of slow.entries()) {
    yield* write(Uint8Array.of(byte));
    const more = yield* listenFor(SLOW_MS);
    if (more === null) return index + 1 < slow.length ? GIVEN_UP : "the server has closed";
    heard += more;
  }
  return heard > 0 ? "it was answered, and has left" : "nobody has answered, and it has left";
}

/** How long a slow client takes for its message, in milliseconds. @param manner how clients speak */
export function slownessMs({ slow }: Manner): number {
  return slow.length * SLOW_MS;
}

const GIVEN_UP = "the server has closed before it had said all";
