/**
 * The conversation with one visitor: the inbound side of the chat, a protocol like any other. What
 * others say does not pass through here. The hall gives it straight to those who hear it.
 *
 * @module
 */

import { type Protocol, write } from "../../protocols/effects.ts";
import { MessageTimeoutError, SlowReaderError } from "../../protocols/errors.ts";
import { encodeLine } from "../../protocols/text.ts";
import { type Command, parseCommand } from "../talk/commands.ts";
import { Dismissal } from "../talk/dismissal.ts";
import { type Line, LineReader, readChatLine } from "../talk/lines.ts";
import { isName, isReserved, LOBBY } from "../talk/names.ts";
import {
  BAD_NAME,
  GOODBYE,
  HELP,
  list,
  notice,
  TOO_LONG,
  TOWER,
  UNSEEN,
  WELCOME,
} from "../talk/notices.ts";
import { type FloodLimits, FloodMeter } from "./flood_meter.ts";
import type { Hall } from "./hall.ts";
import { type Hearer, LINE_BYTES, type User } from "./room.ts";

/**
 * How many bytes count as a line if a visitor sends many without a line end. To skip them costs as
 * much as to give a line to a hundred recipients.
 */
const BYTES_OF_A_LINE = 1024 * 1024;

/** How many bytes of a turn it costs to give a line to one more recipient. */
export const BYTES_OF_A_HEARER = 1 / 16;

/** What costs more than this, or is for a room with more users, is for many. */
const FEW_BYTES = 512;
const FEW_USERS = 64;

/** How many bytes of a turn it costs to put a user or a room into a list. */
const BYTES_OF_AN_ITEM = 8;

/** How many bytes of a turn it costs to come to a room, besides what is shown of it. */
const BYTES_OF_A_COMING = 1024;

/** The limits for each visitor. */
export interface VisitorLimits extends FloodLimits {
  /** How long a visitor may say nothing, in milliseconds; 0 means no limit. */
  readonly idleMs: number;
}

/** What happens to visitors, counted. */
export interface VisitorCounts {
  /** Lines that were too long. */
  tooLong: number;
  /** How often somebody had to wait because they talked too fast. */
  floodPauses: number;
  /** Visitors who said nothing for too long. */
  idle: number;
}

/** A name that was granted. */
export interface GrantedName {
  readonly name: string;
  /** When it was granted, in milliseconds since 1970. */
  readonly since: number;
}

/** What is to be said. */
export interface Share {
  /** How many bytes of a turn it takes. */
  readonly bytes: number;
  /** Whether it is for a crowd. What is for few does not wait behind a crowd. */
  readonly isForMany: boolean;
}

/** What a conversation waits for. Each entry has an argument and a result. */
export interface Awaited {
  /** A name for a new guest. */
  "guest name": (argument: undefined) => GrantedName;
  /** A name, which must be reserved; `undefined` if another server has granted it. */
  "name": (name: string) => GrantedName | undefined;
  /** The end of a pause of this many milliseconds. */
  "pause": (ms: number) => void;
  /** The turn to say this many bytes. */
  "turn": (share: Share) => void;
}

/** The reason that the others are given if a conversation did not end as its visitor wanted. */
function reasonOf(error: unknown): string {
  if (error instanceof Dismissal) return error.reason;
  if (error instanceof MessageTimeoutError) return "took too long for a line";
  return error instanceof SlowReaderError ? "reads too slowly" : "connection lost";
}

/** A visit: what the conversation needs from the server. */
export interface Visit {
  readonly hall: Hall;
  readonly limits: VisitorLimits;
  readonly counts: VisitorCounts;
  /** Knows the time, in milliseconds. */
  readonly clock: { readonly now: number };
  /** Takes the lines for the visitor. What the conversation writes ends up there too. */
  readonly hearer: Hearer;
  /** Is told which user the visitor has become. */
  onEnter?(user: User): void;
  /** Whether the visitor may say this now; without it, they never wait for a turn. */
  takeTurn?(share: Share): boolean;
}

/**
 * Talks with a visitor until either side has had enough.
 *
 * @param visit what the conversation needs from the server
 */
export function* converse(visit: Visit): Protocol {
  const { hall, hearer } = visit;
  let user: User | undefined;
  let reason: string | undefined;
  try {
    yield* waitForTurn(visit, BYTES_OF_A_COMING + costOfShowing(hall, LOBBY), true);
    const { name, since } = yield* waitFor("guest name", undefined);
    yield* say(WELCOME, notice(`you are ${name} in ${LOBBY}`));
    user = hall.enter(hearer, name, since);
    visit.onEnter?.(user);
    yield* listen(visit, user);
    sayLast(hearer, GOODBYE);
  } catch (error) {
    reason = reasonOf(error);
    if (!(error instanceof Dismissal)) throw error;
    if (error.notice !== undefined) sayLast(hearer, notice(error.notice));
    sayLast(hearer, GOODBYE);
  } finally {
    if (user !== undefined) hall.leave(user, reason);
  }
}

/**
 * Says one of the last lines. It does not wait until the visitor has read what was said before, as a
 * write may: meanwhile the visitor would hear what others say after the goodbye.
 */
function sayLast(hearer: Hearer, line: string): void {
  hearer.hear(encodeLine(line));
}

/** Does what a visitor says, line by line. */
function* listen(visit: Visit, user: User): Protocol {
  const { hall, limits, counts, clock } = visit;
  const lines = new LineReader();
  const meter = new FloodMeter(limits, clock.now);
  function* pace(share: number): Protocol {
    const waitMs = meter.spend(share, clock.now);
    if (waitMs === 0) return;
    // Nothing is read in the meantime, and nothing is lost: TCP holds the sender back.
    counts.floodPauses++;
    yield* waitFor("pause", waitMs);
  }
  for (;;) {
    const line: Line | null | undefined = yield* readChatLine(
      lines,
      limits.idleMs,
      (bytes) => pace(bytes / BYTES_OF_A_LINE),
    );
    if (line === null || line?.kind === "interrupt") return;
    if (line === undefined) {
      counts.idle++;
      throw new Dismissal("idle", `you were idle for ${limits.idleMs / 1000} s`);
    }
    if (line.kind === "too long") {
      counts.tooLong++;
      yield* say(TOO_LONG);
    } else {
      const command = parseCommand(line.text);
      const cost = costOf(command, hall, user);
      const isForMany = cost > FEW_BYTES || isHeard(command) && user.room.population > FEW_USERS;
      yield* waitForTurn(visit, line.text.length + cost, isForMany);
      if (!(yield* obey(hall, user, command))) return;
    }
    yield* pace(1);
  }
}

/** Waits until this much can be said. So a crowd enters, and talks, one after another. */
function* waitForTurn(visit: Visit, bytes: number, isForMany: boolean): Protocol {
  const share = { bytes, isForMany };
  if (visit.takeTurn?.(share) === false) yield* waitFor("turn", share);
}

/** Whether the others in the room hear of a command. */
function isHeard({ kind }: Command): boolean {
  return kind === "say" || kind === "act" || kind === "nick";
}

/** How many bytes of a turn a command costs, besides its own length. */
function costOf(command: Command, hall: Hall, { room }: User): number {
  switch (command.kind) {
    case "say":
    case "act":
      return room.population * BYTES_OF_A_HEARER;
    case "nick":
      return LINE_BYTES;
    case "who":
      return room.population * BYTES_OF_AN_ITEM;
    case "join":
      return BYTES_OF_A_COMING + costOfShowing(hall, command.room);
    case "rooms":
      return hall.size * BYTES_OF_AN_ITEM;
    default:
      // Only the visitor who asks gets an answer.
      return 0;
  }
}

/** The cost of showing a room's history. A visitor who runs through many rooms is shown a lot. */
function costOfShowing(hall: Hall, room: string): number {
  const lines = hall.historyOf(room === "" ? LOBBY : room);
  return lines.reduce((sum, line) => sum + line.length + LINE_BYTES, 0);
}

/** Does what one line says; returns whether the visitor stays. */
function* obey(hall: Hall, user: User, command: Command): Protocol<boolean> {
  switch (command.kind) {
    case "nothing":
      break;
    case "say":
      hall.say(user, command.text);
      break;
    case "act":
      hall.say(user, command.text, true);
      break;
    case "nick":
      yield* takeName(hall, user, command.name);
      break;
    case "join":
      if (command.room === "") hall.join(user, LOBBY);
      else if (isName(command.room)) hall.join(user, command.room);
      else yield* say(BAD_NAME);
      break;
    case "rooms":
      yield* say(...list("rooms", hall.rooms.map((room) => `${room.name} (${room.population})`)));
      break;
    case "who":
      yield* say(...list(`in ${user.room.name}`, user.room.names));
      break;
    case "whisper":
      if (!hall.whisper(user, command.to, command.text)) {
        yield* say(notice(`no such user: ${command.to}`));
      }
      break;
    case "help":
      for (const line of HELP_BYTES) yield* write(line);
      break;
    case "quit":
      return false;
    case "unseen":
      yield* say(UNSEEN);
      break;
    case "tower":
      yield* say(TOWER);
      break;
    case "incomplete":
      yield* say(notice(`usage: ${command.usage}`));
      break;
    case "unknown":
      yield* say(notice(`unknown command /${command.name}: try /help`));
  }
  return true;
}

function* takeName(hall: Hall, user: User, name: string): Protocol {
  if (!isName(name)) return yield* say(BAD_NAME);
  if (isReserved(name)) return yield* say(notice(`the name ${name} is reserved`));
  // The user already owns their own name in another spelling.
  if (hall.findUser(name) === user) return hall.rename(user, name, user.since);
  const granted = hall.reserve(name) ? yield* waitFor("name", name) : undefined;
  if (granted === undefined) return yield* say(notice(`the name ${name} is taken`));
  hall.rename(user, granted.name, granted.since);
}

/** The lines of `/help`, encoded once because everybody asks for them. */
const HELP_BYTES = HELP.map(encodeLine);

function* say(...lines: readonly string[]): Protocol {
  for (const line of lines) yield* write(encodeLine(line));
}

function* waitFor<Name extends keyof Awaited>(
  event: Name,
  argument: Parameters<Awaited[Name]>[0],
): Protocol<ReturnType<Awaited[Name]>> {
  return yield { kind: "wait", event, argument };
}
