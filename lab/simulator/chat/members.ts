/**
 * The members of a simulated chat: what each of them types, and when.
 *
 * Every line says who has said it, where, and the how manieth it is. So whoever hears it can tell
 * whether it comes twice, too late, or to the wrong room.
 *
 * @module
 */

import { type Protocol, type ReadAnswer, readWithin, write } from "../../../protocols/effects.ts";
import { encodeLine } from "../../../protocols/text.ts";
import { LOBBY } from "../../../chat/talk/names.ts";
import { Random } from "../../load/random.ts";
import { PAUSE } from "../conversation.ts";

/** One thing that a member does. */
export type Step =
  /** Sends a line: talk, or a command. */
  | { readonly kind: "types"; readonly line: string }
  /** Reads what comes, for so many milliseconds. */
  | { readonly kind: "listens"; readonly ms: number }
  /** Neither reads nor writes, for so many milliseconds. */
  | { readonly kind: "sleeps"; readonly ms: number }
  /** Reads what has come, sleeps for so many milliseconds, and so on to the end: slowly but steadily. */
  | { readonly kind: "sips"; readonly ms: number };

/** How a member ends. */
export type Ending =
  /** Stays until the server has ended the connection. */
  | "stays"
  /** Says that it leaves, and waits for the server to say goodbye. */
  | "quits"
  /** Closes the connection without a word. */
  | "vanishes";

/** A member. */
export interface Member {
  /** The name of its program. In the chat it may take others. */
  readonly name: string;
  /** When it connects, in microseconds after the server is ready. */
  readonly atUs: number;
  readonly steps: readonly Step[];
  readonly ending: Ending;
}

/** What a company of members is like. */
export interface CompanyOptions {
  /** How many there are: 1 to {@linkcode MOST_MEMBERS}. */
  readonly members: number;
  /** How many lines each of them says. */
  readonly lines: number;
  /** Whether the second one sleeps while the others talk, and they talk much. */
  readonly hasSleeper: boolean;
  /**
   * Whether the sleeper, once awake, reads slowly but steadily.
   *
   * @default {false}
   */
  readonly sips?: boolean;
  /**
   * How long each of them listens before it talks, in milliseconds: so long that all are there.
   *
   * @default {0}
   */
  readonly waitsMs?: number;
}

const NAMES = ["ann", "bob", "cas", "dee", "eva", "fay", "gus", "hal"];

/** The most members of a company. */
export const MOST_MEMBERS = 64;

/** The rooms besides the lobby. */
const ROOMS = ["tea", "sea"];

/** How long a sleeper sleeps, in milliseconds: until the others are done, or until the server has ended. */
const [SHORT_SLEEP_MS, LONG_SLEEP_MS] = [40, 140];

/** How long a slow reader sleeps between two looks, in milliseconds: less than a server waits that ends. */
const [SHORT_SIP_MS, LONG_SIP_MS] = [500, 1_800];

/** How often a sleeper asks for help before: its own conversation, too, has much to say to it then. */
const MOST_HELP = 8;

/** How many letters a line has on top where there is a sleeper, so that much has to wait for it. */
const MUCH = 900;

/** The most milliseconds that a member listens between two lines. */
const MOST_LISTENED = 4;

/** Within how many microseconds all of them come. */
const ARRIVALS_US = 2_000;

/**
 * Makes members whose doings follow from a seed.
 *
 * @param seed the same seed makes the same members
 * @param options what they are like
 */
export function companyOf(seed: number, options: CompanyOptions): readonly Member[] {
  const chance = new Random(seed);
  return Array.from({ length: options.members }, (_, place) => {
    const round = Math.floor(place / NAMES.length);
    const name = `${NAMES[place % NAMES.length]}${round === 0 ? "" : round + 1}`;
    const sleeps = options.hasSleeper && place === 1;
    const atUs = chance.between(0, ARRIVALS_US);
    const steps = sleeps ? nap(chance, options) : stepsOf(name, chance, options);
    const fate = chance.between(0, 5);
    const ending = sleeps || fate > 1 ? "stays" : fate === 0 ? "quits" : "vanishes";
    return { name, atUs, steps, ending };
  });
}

/** What a sleeper does. */
function nap(chance: Random, { sips = false }: CompanyOptions): readonly Step[] {
  const asks = Array.from({ length: chance.between(0, MOST_HELP) }, (): Step => {
    return { kind: "types", line: "/help" };
  });
  const sleep = { kind: "sleeps", ms: chance.between(SHORT_SLEEP_MS, LONG_SLEEP_MS) } as const;
  if (!sips) return [...asks, sleep];
  return [...asks, sleep, { kind: "sips", ms: chance.between(SHORT_SIP_MS, LONG_SIP_MS) }];
}

function stepsOf(
  name: string,
  chance: Random,
  { lines, hasSleeper, waitsMs = 0 }: CompanyOptions,
): readonly Step[] {
  const steps: Step[] = waitsMs > 0 ? [{ kind: "listens", ms: waitsMs }] : [];
  const types = (line: string) => void steps.push({ kind: "types", line });
  let room = LOBBY;
  let visit = 1;
  let said = 0;
  for (let line = 0; line < lines; line++) {
    // Where somebody sleeps, all stay with it.
    const choice = hasSleeper ? 9 : chance.between(0, 9);
    if (choice === 0) types(`/nick ${name}-${line}`);
    if (choice === 1 || choice === 2) {
      room = chance.between(0, 1) === 0 ? LOBBY : ROOMS[chance.between(0, 1)] as string;
      visit++;
      said = 0;
      types(`/join ${room}`);
    }
    const talk = talkOf({ name, visit, number: ++said, room });
    types(hasSleeper ? `${talk} ${"x".repeat(MUCH)}` : talk);
    const ms = chance.between(0, MOST_LISTENED);
    if (ms > 0) steps.push({ kind: "listens", ms });
  }
  return steps;
}

/** What a line of talk says about itself. */
export interface Talk {
  /** Who has said it: the name of the program. */
  readonly name: string;
  /** The how manieth room of its speaker it was said in. */
  readonly visit: number;
  /** The how manieth line of its speaker there it is. */
  readonly number: number;
  /** The room. */
  readonly room: string;
}

function talkOf({ name, visit, number, room }: Talk): string {
  return `${name} ${visit}.${number} ${room}`;
}

const TALK = /^\[[^\]]*\] (\S+) (\d+)\.(\d+) (\S+)/;

/**
 * Reads what a member was told.
 *
 * @param line the line
 * @returns `undefined` if it is no talk
 */
export function readTalk(line: string): Talk | undefined {
  const [, name, visit, number, room] = TALK.exec(line) ?? [];
  if (name === undefined || room === undefined) return undefined;
  return { name, visit: Number(visit), number: Number(number), room };
}

/** What a member needs besides its connection. */
export interface MemberParts {
  /** Knows the time, in milliseconds. */
  now(): number;
  /** It types a line. */
  onTyped(line: string): void;
  /** It reads a line. */
  onHeard(line: string): void;
  /** The server has ended the connection in order. */
  onEnd(): void;
}

/**
 * A member's side of the conversation.
 *
 * @param member what it does
 * @param parts what it needs
 */
export function* beMember({ steps, ending }: Member, parts: MemberParts): Protocol {
  const lines = new Lines(parts.onHeard);
  for (const step of steps) {
    if (step.kind === "sleeps") {
      yield { kind: "wait", event: PAUSE, argument: step.ms };
    } else if (step.kind === "sips") {
      yield* sip(step.ms, lines);
      return parts.onEnd();
    } else if (step.kind === "listens") {
      if (!(yield* listen(step.ms, parts, lines))) return parts.onEnd();
    } else {
      parts.onTyped(step.line);
      yield* write(encodeLine(step.line));
    }
  }
  if (ending === "vanishes") return;
  if (ending === "quits") {
    parts.onTyped("/quit");
    yield* write(encodeLine("/quit"));
  }
  yield* listen(Infinity, parts, lines);
  parts.onEnd();
}

/** Reads for a time. Returns false at the end. */
function* listen(ms: number, { now }: MemberParts, lines: Lines): Protocol<boolean> {
  const until = now() + ms;
  for (;;) {
    const left = until - now();
    if (left <= 0) return true;
    const answer: ReadAnswer = left === Infinity ? yield { kind: "read" } : yield* readWithin(left);
    if (answer === null) return false;
    if (answer !== undefined) lines.add(answer);
  }
}

/** Reads a little at a time, to the end. */
function* sip(ms: number, lines: Lines): Protocol {
  for (;;) {
    const bytes: ReadAnswer = yield { kind: "read" };
    if (bytes === null || bytes === undefined) return;
    lines.add(bytes);
    yield { kind: "wait", event: PAUSE, argument: ms };
  }
}

/** Puts lines together, wherever they were cut. */
class Lines {
  readonly #decoder = new TextDecoder();
  readonly #hear: (line: string) => void;
  #rest = "";

  constructor(hear: (line: string) => void) {
    this.#hear = hear;
  }

  add(bytes: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#hear(line);
  }
}
