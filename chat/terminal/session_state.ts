/**
 * What the client knows of its session. It learns everything from what the server says.
 *
 * @module
 */

import { isName, isReserved, keyOf, LOBBY } from "../talk/names.ts";
import type { ServerLine } from "./server_line.ts";

/** The most names, and the most rooms, that are remembered. The oldest are forgotten first. */
const REMEMBERED = 2_000;

/** The state of one session, over all its connections. */
export class SessionState {
  #name: string | undefined;
  #room: string | undefined;
  #wantedName: string | undefined;
  #wantedRoom: string | undefined;
  #refusedName: string | undefined;
  #isShuttingDown = false;
  #saidGoodbye = false;
  readonly #names = new Memory();
  readonly #rooms = new Memory();

  /**
   * @param wantedName the name to begin with; without it, the one that the server gives
   * @param wantedRoom the room to begin in; without it, the one that everybody begins in
   */
  constructor(wantedName?: string, wantedRoom?: string) {
    this.#wantedName = wantedName;
    this.#wantedRoom = wantedRoom;
  }

  /** The user's own name; `undefined` before the server has said it. */
  get name(): string | undefined {
    return this.#name;
  }

  /** The user's own room; `undefined` before the server has said it. */
  get room(): string | undefined {
    return this.#room;
  }

  /** Whether the server has said that it is about to end. */
  get isShuttingDown(): boolean {
    return this.#isShuttingDown;
  }

  /** Whether the server has said goodbye, and so closes in order. */
  get saidGoodbye(): boolean {
    return this.#saidGoodbye;
  }

  /** The names of the other users that the client has heard of. */
  get names(): string[] {
    const own = this.#name === undefined ? undefined : keyOf(this.#name);
    return this.#names.list.filter((name) => keyOf(name) !== own);
  }

  /** The rooms that the client has heard of. */
  get rooms(): string[] {
    return this.#rooms.list;
  }

  /** The lines to send at the beginning of a connection, to get the same name and room. */
  get introduction(): string[] {
    const lines: string[] = [];
    if (this.#wantedName !== undefined) lines.push(`/nick ${this.#wantedName}`);
    if (this.#wantedRoom !== undefined) lines.push(`/join ${this.#wantedRoom}`);
    return lines;
  }

  /** A new connection begins: what is known of the last one is no longer true. */
  reconnect(): void {
    this.#name = undefined;
    this.#room = undefined;
    this.#refusedName = undefined;
    this.#isShuttingDown = false;
    this.#saidGoodbye = false;
  }

  /**
   * Takes the wanted name if the server has refused it since the last call because somebody has it.
   * That somebody may be the user's own lost connection.
   */
  takeRefusedName(): string | undefined {
    const name = this.#refusedName;
    this.#refusedName = undefined;
    return name;
  }

  /**
   * Learns from a line of the server.
   *
   * @param line what the server said
   */
  hear(line: ServerLine): void {
    if (line.kind === "talk" || line.kind === "private") return this.#names.add(line.name);
    if (line.kind !== "notice") return;
    for (const [pattern, learn] of this.#notices) {
      const match = pattern.exec(line.text);
      if (match !== null) return learn(...match.slice(1));
    }
  }

  /** The patterns of notices, and what each teaches. The first that matches is taken. */
  readonly #notices: readonly (readonly [RegExp, (...words: string[]) => void])[] = [
    [/^you are now (\S+)$/, (name = "") => {
      this.#isCalled(name);
      // A name that the server gave by itself is not one to ask for again.
      this.#wantedName = isName(name) && !isReserved(name) ? name : undefined;
    }],
    [/^you are in (\S+)$/, (room = "") => {
      this.#isIn(room);
      this.#wantedRoom = isName(room) && keyOf(room) !== LOBBY ? room : undefined;
    }],
    [/^you are (\S+) in (\S+)$/, (name = "", room = "") => {
      this.#isCalled(name);
      this.#isIn(room);
    }],
    [/^\d+ joined: (.+?)(?: and \d+ more)?$/, (names = "") => {
      for (const name of names.split(", ")) this.#names.add(name);
    }],
    [/^\d+ left: (.+?)(?: and \d+ more)?$/, (names = "") => {
      for (const name of names.split(", ")) this.#names.remove(name);
    }],
    [/^\d+ renamed: (.+?)(?: and \d+ more)?$/, (pairs = "") => {
      for (const pair of pairs.split(", ")) {
        const [name = "", to = ""] = pair.split(" to ");
        this.#names.remove(name);
        this.#names.add(to);
      }
    }],
    [/^(\S+) is now (\S+)$/, (name = "", to = "") => {
      this.#names.remove(name);
      this.#names.add(to);
    }],
    [/^(\S+) (?:joined|left) (\S+)$/, (name = "", room = "") => {
      this.#names.add(name);
      this.#rooms.add(room);
    }],
    [/^(\S+) left(?:: .*)?$/, (name = "") => this.#names.remove(name)],
    [/^no such user: (\S+)$/, (name = "") => this.#names.remove(name)],
    [/^(?:also here|in \S+): (.+)$/, (names = "") => {
      for (const name of names.split(", ")) this.#names.add(name);
    }],
    [/^rooms: (.+)$/, (rooms = "") => {
      for (const room of rooms.split(", ")) this.#rooms.add(room.replace(/ \(\d+\)$/, ""));
    }],
    [/^the name (\S+) is taken$/, (name = "") => {
      const wanted = this.#wantedName;
      if (wanted !== undefined && keyOf(name) === keyOf(wanted)) this.#refusedName = wanted;
    }],
    [/^server is shutting down in /, () => {
      this.#isShuttingDown = true;
    }],
    [/^goodbye$/, () => {
      this.#saidGoodbye = true;
    }],
  ];

  // The name appears in the prompt from then on, so it must be a valid one.
  #isCalled(name: string): void {
    if (isName(name)) this.#name = name;
  }

  #isIn(room: string): void {
    if (!isName(room)) return;
    this.#room = room;
    this.#rooms.add(room);
  }
}

/** Remembers the names that were heard last. */
class Memory {
  readonly #names = new Map<string, string>();

  /** The names, in alphabetical order. */
  get list(): string[] {
    return [...this.#names].sort(([a], [b]) => a < b ? -1 : 1).map(([, name]) => name);
  }

  /** Adds a name. What is not a name, such as `and 12 more` in a long list, is left out. */
  add(name: string): void {
    if (!isName(name)) return;
    const key = keyOf(name);
    this.#names.delete(key);
    this.#names.set(key, name);
    if (this.#names.size <= REMEMBERED) return;
    const [oldest] = this.#names.keys();
    this.#names.delete(oldest as string);
  }

  remove(name: string): void {
    this.#names.delete(keyOf(name));
  }
}
