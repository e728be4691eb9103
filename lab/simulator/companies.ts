/**
 * Companies: clients that come to a server together. They are generators like its protocol, so the
 * same ones go to real servers and to simulated ones.
 *
 * @module
 */

import { type Protocol, READ, write } from "../../protocols/effects.ts";
import { frameGreeting } from "../../protocols/frame.ts";
import { Input } from "../../protocols/input.ts";
import { askFrame, beSilent, type Guest, GUESTS } from "./clients.ts";
import type { Client } from "./simulate.ts";

/** One client of a company. All of them speak `frame`. */
export interface Visitor {
  /** What it is called. */
  readonly name: string;
  /**
   * Its side of the conversation.
   *
   * @param greeted is called when the server has greeted it
   */
  converse(greeted: () => void): Protocol<unknown>;
}

/** How long after the one before it a client comes, in milliseconds. */
export const APART_MS = 5;

/**
 * How long those who have come wait before the server is told to close, in milliseconds: whoever looks
 * at its sockets sees them. And how long nobody comes after that: whoever comes then finds it closing.
 */
export const SEEN_MS = 30;
export const SETTLE_MS = 20;

/** How long a silent client stays, in milliseconds. */
const SILENT_MS = 150;

/** How long a slow client waits before each byte, in milliseconds. */
const PAUSE_MS = 20;

/**
 * How many bytes are more than the kernels keep on the way to a client that does not read, and fewer
 * than they keep on both ways: 4 MB each on Linux. With more, both ends would wait for ever.
 */
const TOO_MANY = 5 * 1024 * 1024;

/** How many clients a crowd has. */
const CROWD = 12;

const [LONG, ECHO, SMALL] = GUESTS as readonly [Guest, Guest, Guest];

/** A client that asks one question. */
function asking({ name, asks }: Guest): Visitor {
  return { name, converse: (greeted) => askFrame(asks, greeted) };
}

/** A client that sends its frame byte by byte, with a pause before each. */
function* sendSlowly(content: string, greeted: () => void): Protocol<string> {
  const input = new Input();
  yield* frameGreeting(input);
  greeted();
  let answer = "";
  const take = (bytes: Uint8Array) => {
    answer += new TextDecoder().decode(bytes);
  };
  for (const byte of new TextEncoder().encode(`^${content}$`)) {
    yield* beSilent(PAUSE_MS, take);
    yield* write(Uint8Array.of(byte));
  }
  while (answer.length < content.length) {
    const bytes: Uint8Array | null = yield READ;
    if (bytes === null) break;
    take(bytes);
  }
  return answer;
}

/** A client that sends all it has before it reads an answer. @returns how many bytes came back */
function* sendMuch(greeted: () => void): Protocol<number> {
  yield* frameGreeting(new Input());
  greeted();
  const frame = new Uint8Array(TOO_MANY).fill(0x61);
  frame[0] = 0x5e;
  frame[TOO_MANY - 1] = 0x24;
  yield* write(frame);
  let came = 0;
  while (came < TOO_MANY - 2) {
    const bytes: Uint8Array | null = yield READ;
    if (bytes === null) break;
    came += bytes.length;
  }
  return came;
}

/** The companies. The first client of each is greeted before the others come. */
export const COMPANIES = {
  /** The three clients that go through every model. */
  three: GUESTS.map(asking),
  /** The long prime, and behind it many with small questions. */
  crowd: Array.from({ length: CROWD }, (_, place) => {
    const { name, asks } = place === 0 ? LONG : place % 2 === 1 ? ECHO : SMALL;
    return asking({ name: place === 0 ? name : `${name} ${Math.ceil(place / 2)}`, asks });
  }),
  /** One that is connected and says nothing, and two with small questions. */
  "silent first": [
    {
      name: "silent",
      *converse(greeted: () => void): Protocol {
        yield* frameGreeting(new Input());
        greeted();
        yield* beSilent(SILENT_MS);
      },
    },
    asking(ECHO),
    asking(SMALL),
  ],
  /** One that sends a byte at a time, and two with small questions. */
  "slow first": [
    { name: "slow", converse: (greeted: () => void) => sendSlowly("slow", greeted) },
    asking(ECHO),
    asking(SMALL),
  ],
  /** One that sends more than there is room for before it reads, and two with small questions. */
  "much first": [
    { name: "much", converse: sendMuch },
    asking(ECHO),
    asking(SMALL),
  ],
} as const satisfies Readonly<Record<string, readonly Visitor[]>>;

/** The name of a company. */
export type CompanyName = keyof typeof COMPANIES;

/**
 * A company as clients of a simulation.
 *
 * @param company the clients, who come {@linkcode APART_MS} after each other
 * @param closesAfter after how many of them the server is told to close
 */
export function clientsOf(
  company: readonly Visitor[],
  closesAfter: number = company.length,
): readonly Client[] {
  return company.map(({ name, converse }, place) => ({
    name,
    atUs: (place * APART_MS + (place < closesAfter ? 0 : SEEN_MS + SETTLE_MS)) * 1_000,
    converse: () => converse(() => {}),
  }));
}
