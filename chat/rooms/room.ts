/**
 * A room and the users in it: plain data. What is said in it is formatted and encoded once, and the
 * same bytes go to everybody.
 *
 * @module
 */

import { encodeLine } from "../../protocols/text.ts";
import { list, PRESENT_LINES } from "../talk/notices.ts";
import { History, type HistoryLimits } from "./history.ts";
import { type Change, News, type NewsParts } from "./news.ts";

/** What it costs to keep a line, in bytes on top of its own length. */
export const LINE_BYTES = 64;

/** What so many hear, or fewer, need not wait for what is said to thousands. */
const FEW_HEARERS = 16;

/** Takes the lines for a user: an outbox, or a list. */
export interface Hearer {
  /**
   * Takes a line. It is not copied, and nobody changes it any more.
   *
   * @param line the line
   * @param isForFew whether few others hear it, so that it need not wait for what many hear
   */
  hear(line: Uint8Array, isForFew?: boolean): void;
}

/** A user of this server. */
export interface User {
  /** The user's name. */
  name: string;
  /** When the user took it, in milliseconds since 1970. */
  since: number;
  /** The room that the user is in. */
  room: Room;
  /** Takes the lines for the user. */
  readonly hearer: Hearer;
}

/** A user of another server. */
export interface RemoteUser {
  name: string;
  since: number;
  room: Room;
  /** The server that the user is on. */
  readonly server: string;
}

/** A room. */
export class Room {
  /** The name, in the spelling of the user who made the room. */
  readonly name: string;
  /** The users of this server. */
  readonly users = new Set<User>();
  /** The users of other servers. */
  readonly remoteUsers = new Set<RemoteUser>();
  readonly #history: History;
  readonly #news: News;
  /** What newcomers are shown of those who are here; `undefined` if that is no longer true. */
  #present: readonly Uint8Array[] | undefined;

  /**
   * @param name the name as it is shown
   * @param limits how much the room remembers
   * @param news how its members hear of changes
   */
  constructor(
    name: string,
    limits: HistoryLimits,
    news: Pick<NewsParts, "limits" | "deadlines">,
  ) {
    this.name = name;
    this.#history = new History(limits);
    this.#news = new News({
      ...news,
      population: () => this.users.size,
      tell: (notice, except) => {
        this.#present = undefined;
        this.tell(notice, except);
      },
    });
  }

  /** How many users of all servers are in it. */
  get population(): number {
    return this.users.size + this.remoteUsers.size;
  }

  /** The names of all users in it, in alphabetical order. */
  get names(): string[] {
    return sortNames([...this.users, ...this.remoteUsers].map(({ name }) => name));
  }

  /** What was said last, the oldest first. */
  get history(): readonly Uint8Array[] {
    return this.#history.lines;
  }

  /**
   * The lines that tell a newcomer who is here, before the newcomer is. While changes are gathered
   * they stay the same: the newcomer will hear of the changes too.
   */
  get present(): readonly Uint8Array[] {
    if (!this.#news.isGathering) this.#present = undefined;
    return this.#present ??= this.population === 0
      ? []
      : list("also here", this.names, PRESENT_LINES).map(encodeLine);
  }

  /**
   * Tells all users of this server who are in the room that its members have changed: at once, or
   * a moment later if they change too fast.
   *
   * @param change what has changed
   * @param except a user who need not hear it
   */
  change(change: Change, except?: User): void {
    this.#news.add(change, except);
  }

  /**
   * Says something to all users of this server who are in the room.
   *
   * @param text a line without its line end
   * @param except a user who need not hear it
   * @returns how many users heard it
   */
  tell(text: string, except?: object): number {
    return this.#send(encodeLine(text), except);
  }

  /** Does the same with talk, which is also shown to those who join later. */
  talk(text: string, except?: User): number {
    const line = encodeLine(text);
    this.#history.add(line);
    return this.#send(line, except);
  }

  #send(line: Uint8Array, except: object | undefined): number {
    const isForFew = this.users.size <= FEW_HEARERS;
    let heard = 0;
    for (const user of this.users) {
      if (user === except) continue;
      user.hearer.hear(line, isForFew);
      heard++;
    }
    return heard;
  }
}

/** Compares names for a list. */
export function compareNames(a: string, b: string): number {
  return compare(a.toLowerCase(), b.toLowerCase());
}

/** Sorts many names for a list: the key of each is made only once. */
export function sortNames(names: readonly string[]): string[] {
  return names.map((name) => [name.toLowerCase(), name] as const)
    .sort(([a], [b]) => compare(a, b))
    .map(([, name]) => name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
