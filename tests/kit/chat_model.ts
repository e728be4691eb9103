/**
 * What the members of a chat should hear. It states the rules of the rooms a second time, for all
 * servers together, and says nothing about how they are implemented.
 *
 * @module
 */

import { HELP } from "../../chat/talk/notices.ts";
import type { Fate } from "./chat_member.ts";

/** A line that somebody types. */
export type Typed =
  | { readonly kind: "say"; readonly typed: string; readonly text: string }
  | { readonly kind: "act"; readonly text: string }
  | { readonly kind: "nick"; readonly name: string; readonly fate: Fate }
  | { readonly kind: "join"; readonly room: string }
  | { readonly kind: "msg"; readonly to: string; readonly text: string }
  | { readonly kind: "who" | "rooms" | "help" | "nothing" | "too long" | "unknown" | "incomplete" }
  | { readonly kind: "leave"; readonly how: "/quit" | "exit" | "fin" | "interrupt" };

interface ModelRoom {
  readonly name: string;
  history: string[];
}

interface ModelHouse {
  readonly rooms: Map<string, ModelRoom>;
  guests: number;
  delivered: number;
  said: number;
}

/** A member, who may have left. */
export interface ModelMember {
  readonly house: number;
  name: string;
  room: string;
  /** The name that the member waits for. */
  pending: string | undefined;
  /** What the member should hear next. */
  expected: string[];
  isHere: boolean;
}

/** The options of all halls. */
export interface ModelOptions {
  readonly lines: number;
  readonly bytes: number;
  readonly echo: boolean;
}

/** The rules. */
export class Model {
  readonly members: ModelMember[] = [];
  readonly houses: ModelHouse[];
  /** The servers, in the order in which they joined. */
  #order: number[];
  readonly #options: ModelOptions;

  constructor(houses: number, options: ModelOptions) {
    this.#options = options;
    this.houses = Array.from({ length: houses }, newHouse);
    this.#order = [...this.houses.keys()];
  }

  /** The members who are there. */
  get here(): ModelMember[] {
    return this.members.filter(({ isHere }) => isHere);
  }

  /** The rooms as one server names them, and the number of members in each. */
  rooms(house: number): string[] {
    const keys = [...new Set(this.here.map(({ room }) => room))].sort();
    return keys.map((key) => `${this.#room(house, key).name} (${this.#in(key).length})`);
  }

  /** The names in a room, as a list has them. */
  names(room: string): string[] {
    return this.#in(room).map(({ name }) => name).sort((a, b) => lower(a) < lower(b) ? -1 : 1);
  }

  isTaken(name: string): boolean {
    return this.here.some((member) =>
      lower(member.name) === lower(name) ||
      member.pending !== undefined && lower(member.pending) === lower(name)
    );
  }

  enter(house: number): ModelMember {
    const its = this.#house(house);
    let name: string;
    do name = `guest-${++its.guests}`; while (this.isTaken(name));
    const member = { house, name, room: "lobby", pending: undefined, expected: [], isHere: true };
    hear(
      member,
      "* welcome: type a line to talk, /help for commands, /quit or exit to leave",
      `* you are ${name} in lobby`,
    );
    this.#arrive(member);
    this.members.push(member);
    return member;
  }

  leave(member: ModelMember, reason?: string, ...last: readonly string[]): void {
    hear(member, ...last);
    member.isHere = false;
    member.pending = undefined;
    const said = reason === undefined ? "left" : `left: ${reason}`;
    this.#tell(member.room, () => `* ${member.name} ${said}`);
    this.#tidy(member.room);
  }

  type(member: ModelMember, typed: Typed): void {
    const { name, room, house } = member;
    switch (typed.kind) {
      case "say":
        return this.#say(member, `[${name}] ${typed.text}`);
      case "act":
        return this.#say(member, `[${name}] * ${typed.text}`);
      case "nick":
        return this.#nick(member, typed.name, typed.fate);
      case "join":
        return this.#join(member, typed.room);
      case "msg": {
        const to = this.here.find((other) => lower(other.name) === lower(typed.to));
        if (to === undefined) return hear(member, `* no such user: ${typed.to}`);
        hear(member, `[you to ${to.name}] ${typed.text}`);
        hear(to, `[${name} to you] ${typed.text}`);
        this.#house(house).said++;
        this.#house(to.house).delivered++;
        return;
      }
      case "who":
        return hear(
          member,
          `* in ${this.#room(house, room).name}: ${this.names(room).join(", ")}`,
        );
      case "rooms":
        return hear(member, `* rooms: ${this.rooms(house).join(", ")}`);
      case "help":
        return hear(member, ...HELP);
      case "too long":
        return hear(member, "* line too long: limit is 1024 bytes");
      case "unknown":
        return hear(member, "* unknown command /foo: try /help");
      case "incomplete":
        return hear(member, "* usage: /msg NAME TEXT");
      case "leave":
        return this.leave(member, undefined, "* goodbye");
      case "nothing":
    }
  }

  /** The name that the member waits for is granted or refused. */
  decide(member: ModelMember, isGranted: boolean): void {
    const name = member.pending as string;
    member.pending = undefined;
    if (isGranted) this.#rename(member, name);
    else hear(member, `* the name ${name} is taken`);
  }

  announce(text: string): void {
    for (const key of new Set(this.here.map(({ room }) => room))) {
      this.#talk(key, `[server] ${text}`);
    }
  }

  /** A server is gone. Another one, which remembers nothing, takes its place. */
  fall(house: number): void {
    const gone = this.here.filter((member) => member.house === house);
    const names = new Map<string, string[]>();
    for (const { room } of gone) names.set(room, []);
    for (const room of names.keys()) {
      names.set(room, this.names(room).filter((name) => gone.some((one) => one.name === name)));
    }
    for (const member of gone) {
      member.isHere = false;
      member.pending = undefined;
      member.expected = [];
    }
    this.#order = this.#order.filter((other) => other !== house);
    for (const [room, list] of names) {
      this.#tell(room, () => `* gone with their server: ${list.join(", ")}`);
      this.#tidy(room);
    }
    const its = this.houses[house] = newHouse();
    for (const other of this.#order) {
      for (const { room } of this.here.filter((member) => member.house === other)) {
        if (!its.rooms.has(room)) this.#room(house, room, this.#room(other, room).name);
      }
    }
    this.#order.push(house);
  }

  #nick(member: ModelMember, name: string, fate: Fate): void {
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(name)) {
      hear(member, "* cannot use the name: a name is 1 to 32 ASCII letters, digits, _ or -");
    } else if (/^(server|guest-\d+)$/i.test(name)) hear(member, `* the name ${name} is reserved`);
    else if (lower(name) === lower(member.name)) this.#rename(member, name);
    else if (this.isTaken(name) || fate === "refused") hear(member, `* the name ${name} is taken`);
    else if (fate === "granted") this.#rename(member, name);
    else member.pending = name;
  }

  #rename(member: ModelMember, name: string): void {
    const { name: old, room } = member;
    member.name = name;
    if (old !== name) this.#tell(room, () => `* ${old} is now ${name}`, member);
    hear(member, `* you are now ${name}`);
  }

  #join(member: ModelMember, typed: string): void {
    const name = typed === "" ? "lobby" : typed;
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(name)) {
      return hear(member, "* cannot use the name: a name is 1 to 32 ASCII letters, digits, _ or -");
    }
    const { room: old, house } = member;
    const room = this.#room(house, lower(name), name);
    hear(member, `* you are in ${room.name}`);
    if (lower(name) === old) return;
    for (const other of this.houses.keys()) this.#room(other, lower(name), room.name);
    this.#tell(old, ({ name }) => `* ${member.name} left ${name}`, member);
    member.room = lower(name);
    this.#tidy(old);
    this.#arrive(member);
  }

  /** A member has come to a room. The member is shown the room, and the room is told. */
  #arrive(member: ModelMember): void {
    const { house, name, room } = member;
    const others = this.names(room).filter((other) => other !== name);
    this.#tell(room, (its) => `* ${name} joined ${its.name}`, member);
    hear(member, ...this.#room(house, room).history);
    if (others.length > 0) hear(member, `* also here: ${others.join(", ")}`);
  }

  #say(member: ModelMember, line: string): void {
    const isAlone = this.#in(member.room).length === 1;
    this.#house(member.house).said++;
    this.#talk(member.room, line, isAlone || this.#options.echo ? undefined : member);
  }

  #talk(key: string, line: string, except?: ModelMember): void {
    const { lines, bytes } = this.#options;
    for (const house of this.houses.keys()) {
      const room = this.#room(house, key);
      room.history.push(line);
      while (room.history.length > lines || sizeOf(room.history) > bytes) room.history.shift();
    }
    for (const member of this.#in(key)) {
      if (member !== except) this.#house(member.house).delivered++;
    }
    this.#tell(key, () => line, except);
  }

  #tell(key: string, line: (room: ModelRoom) => string, except?: ModelMember): void {
    for (const member of this.#in(key)) {
      if (member !== except) hear(member, line(this.#room(member.house, key)));
    }
  }

  /** Forgets a room if nobody is in it and nothing was said in it. */
  #tidy(key: string): void {
    if (key === "lobby" || this.#in(key).length > 0) return;
    for (const { rooms } of this.houses) {
      if (rooms.get(key)?.history.length === 0) rooms.delete(key);
    }
  }

  #in(key: string): ModelMember[] {
    return this.here.filter(({ room }) => room === key);
  }

  #house(house: number): ModelHouse {
    return this.houses[house] as ModelHouse;
  }

  #room(house: number, key: string, name = key): ModelRoom {
    const { rooms } = this.#house(house);
    let room = rooms.get(key);
    if (room === undefined) rooms.set(key, room = { name, history: [] });
    return room;
  }
}

function newHouse(): ModelHouse {
  const rooms = new Map([["lobby", { name: "lobby", history: [] }]]);
  return { rooms, guests: 0, delivered: 0, said: 0 };
}

function hear(member: ModelMember, ...lines: readonly string[]): void {
  member.expected.push(...lines);
}

function lower(name: string): string {
  return name.toLowerCase();
}

function sizeOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + new TextEncoder().encode(`${line}\n`).length, 0);
}
