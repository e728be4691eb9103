/**
 * The hall of one server: its users, the rooms, and what is known of the users of other servers.
 * It is plain data without a socket: users enter and hear, and nothing here waits.
 *
 * @module
 */

import type { Bus, BusEvent, BusListener, BusMessage, Presence } from "../bus/bus.ts";
import { encodeLine } from "../../protocols/text.ts";
import { guestName, keyOf, LOBBY } from "../talk/names.ts";
import { action, announcement, list, notice, talk, whisper, whispered } from "../talk/notices.ts";
import type { Deadlines } from "../../engine/drivers/deadlines.ts";
import type { FloodLimits } from "./flood_meter.ts";
import type { HistoryLimits } from "./history.ts";
import { compareNames, type Hearer, type RemoteUser, Room, sortNames, type User } from "./room.ts";

/** How many empty rooms are remembered, with what was said in them. */
const EMPTY_ROOMS = 100;

/** The most users of other servers that are known. What the bus says may be made up. */
const REMOTE_USERS = 200_000;

/** The options of a hall. */
export interface HallOptions {
  /** How much of each room's talk is kept for those who join it. */
  readonly history: HistoryLimits;
  /** Whether speakers hear their own lines. If not, they do only when they are alone in a room. */
  readonly echo: boolean;
  /**
   * How many notices that tell of one user each may be given to the members of a room, all members
   * counted. Beyond that a notice tells of several users.
   */
  readonly news: FloodLimits;
}

/** The host that runs the hall. */
export interface Host {
  /** Keeps time. */
  readonly deadlines: Deadlines;
  /** Something was said in a room for all to hear. */
  onTalk(room: string, line: string): void;
  /** An operator, perhaps of another server, wants a user to leave. */
  onKick(user: User, reason: string): void;
  /** A user must take another name, because theirs belongs to somebody else. */
  onNameLost(user: User): void;
  /** Where to count. @default counters of the hall's own */
  readonly counts?: HallCounts;
}

/** What is counted. */
export interface HallCounts {
  /** Lines said by users of this server. */
  said: number;
  /** Lines of talk given to users of this server. A line counts once for each recipient. */
  delivered: number;
}

/** The users and rooms of one server. */
export class Hall implements BusListener {
  /** The counters. */
  readonly counts: HallCounts;
  readonly #options: HallOptions;
  readonly #bus: Pick<Bus, "publish" | "send" | "release">;
  readonly #host: Host;
  readonly #rooms = new Map<string, Room>();
  /** The users of this server. */
  readonly #users = new Map<string, User>();
  /** Names that somebody on this server is about to take. */
  readonly #reserved = new Set<string>();
  /** The users of other servers, by server and name. */
  readonly #remote = new Map<string, Map<string, RemoteUser>>();
  #remoteUsers = 0;
  /** The rooms that are empty but still remembered, the oldest first. */
  readonly #empty = new Set<string>();
  #guests = 0;
  #isClosing = false;

  /** @param options its options @param bus reaches the other servers @param host runs the hall */
  constructor(options: HallOptions, bus: Pick<Bus, "publish" | "send" | "release">, host: Host) {
    this.#options = options;
    this.#bus = bus;
    this.#host = host;
    this.counts = host.counts ?? { said: 0, delivered: 0 };
    this.#room(LOBBY);
  }

  /** How many users this server has. */
  get size(): number {
    return this.#users.size;
  }

  /** The users of this server. */
  get users(): Iterable<User> {
    return this.#users.values();
  }

  /** The users of all other servers. */
  get remoteUsers(): RemoteUser[] {
    return [...this.#remote.values()].flatMap((users) => [...users.values()]);
  }

  /** The rooms that are not empty, in alphabetical order. */
  get rooms(): Room[] {
    return [...this.#rooms.values()]
      .filter(({ population }) => population > 0)
      .sort((a, b) => compareNames(a.name, b.name));
  }

  /** The lines that are shown to those who join a room. */
  historyOf(room: string): readonly Uint8Array[] {
    return this.#rooms.get(keyOf(room))?.history ?? [];
  }

  /** Finds a user of this server. */
  findUser(name: string): User | undefined {
    return this.#users.get(keyOf(name));
  }

  /** Finds a user of another server. */
  findRemote(name: string): RemoteUser | undefined {
    for (const users of this.#remote.values()) {
      const user = users.get(keyOf(name));
      if (user !== undefined) return user;
    }
    return undefined;
  }

  /** Whether somebody has a name or is about to take it, as far as this server knows. */
  isTaken(name: string): boolean {
    return this.#users.has(keyOf(name)) || this.#reserved.has(keyOf(name)) ||
      this.findRemote(name) !== undefined;
  }

  /**
   * Reserves a name for a user until it is known whether they can have it.
   *
   * @returns whether it was free, as far as this server knows
   */
  reserve(name: string): boolean {
    if (this.isTaken(name)) return false;
    this.#reserved.add(keyOf(name));
    return true;
  }

  /** Ends the reservation of a name. */
  unreserve(name: string): void {
    this.#reserved.delete(keyOf(name));
  }

  /** Reserves a name for a new guest, one that nobody has had on this server. */
  reserveGuest(): string {
    for (;;) {
      const name = guestName(++this.#guests);
      if (this.reserve(name)) return name;
    }
  }

  /**
   * A user enters the lobby.
   *
   * @param hearer takes the lines for the user
   * @param name the user's name, which is reserved
   * @param since when the user took it, in milliseconds since 1970
   */
  enter(hearer: Hearer, name: string, since: number): User {
    this.unreserve(name);
    const user: User = { name, since, room: this.#room(LOBBY), hearer };
    this.#users.set(keyOf(name), user);
    this.#bus.publish({ kind: "enter", user: presenceOf(user) });
    this.#arrive(user);
    return user;
  }

  /**
   * A user leaves.
   *
   * @param user a user in the hall
   * @param reason why, if it was not the user's own wish
   */
  leave(user: User, reason?: string): void {
    const { name, room } = user;
    this.#users.delete(keyOf(name));
    room.users.delete(user);
    this.#bus.release(name);
    // Those who are about to leave too need not be told.
    if (this.#isClosing) return;
    this.#bus.publish({ kind: "leave", name, ...(reason !== undefined && { reason }) });
    room.change({ kind: "left", name, what: because(reason) });
    this.#tidy(room);
  }

  /**
   * A user takes another name.
   *
   * @param user a user in the hall
   * @param name a reserved name, or the user's own in another spelling
   * @param since when the user took it, in milliseconds since 1970
   */
  rename(user: User, name: string, since: number): void {
    const { name: old, room } = user;
    this.unreserve(name);
    this.#users.delete(keyOf(old));
    user.name = name;
    user.since = since;
    this.#users.set(keyOf(name), user);
    if (old !== name) {
      // A name is always given back first, because those who hear of it may want it at once.
      if (keyOf(old) !== keyOf(name)) this.#bus.release(old);
      this.#bus.publish({ kind: "rename", name: old, to: name, since });
      room.change({ kind: "renamed", name: old, what: name }, user);
    }
    hear(user, notice(`you are now ${name}`));
  }

  /**
   * A user moves to another room.
   *
   * @param user a user in the hall
   * @param roomName a valid name
   */
  join(user: User, roomName: string): void {
    const { name, room: old } = user;
    const room = this.#room(roomName);
    if (room !== old) {
      old.users.delete(user);
      old.change({ kind: "left", name, what: ` ${old.name}` });
      user.room = room;
      this.#bus.publish({ kind: "move", name, room: room.name });
    }
    hear(user, notice(`you are in ${room.name}`));
    if (room === old) return;
    this.#arrive(user);
    // Not earlier: the room that the user has moved to might be the next one to be forgotten.
    this.#tidy(old);
  }

  /**
   * A user says something to their room.
   *
   * @param user a user in the hall
   * @param text a text that is safe to show in a terminal
   * @param isAction whether the text says what the user does
   */
  say(user: User, text: string, isAction = false): void {
    const { name, room } = user;
    const hears = this.#options.echo || room.population === 1;
    this.counts.said++;
    this.#talk(room, name, text, isAction, hears ? undefined : user);
    this.#bus.publish({ kind: "say", name, room: room.name, text, action: isAction });
  }

  /**
   * A user says something to another in private.
   *
   * @param user a user in the hall
   * @param to the name of the other, which may be any text
   * @param text a text that is safe to show in a terminal
   * @returns whether there is such a user
   */
  whisper(user: User, to: string, text: string): boolean {
    const local = this.findUser(to);
    const remote = local === undefined ? this.findRemote(to) : undefined;
    const name = (local ?? remote)?.name;
    if (name === undefined) return false;
    this.counts.said++;
    hear(user, whispered(name, text));
    if (local !== undefined) this.#deliver(local, whisper(user.name, text));
    else if (remote !== undefined) {
      this.#bus.send(remote.server, { kind: "whisper", from: user.name, to: name, text });
    }
    return true;
  }

  /**
   * The operator says something to all rooms of all servers.
   *
   * @param text a text that is safe to show in a terminal
   */
  announce(text: string): void {
    this.#announce(text);
    this.#bus.publish({ kind: "announce", text });
  }

  /** From now on nobody is told who leaves, because everybody does. */
  close(): void {
    this.#isClosing = true;
  }

  /** Tells all users of this server something. */
  tellAll(line: string): void {
    const bytes = encodeLine(line);
    for (const { hearer } of this.#users.values()) hearer.hear(bytes);
  }

  /**
   * Asks a user to leave, whichever server they are on.
   *
   * @returns whether there is such a user
   */
  kick(name: string, reason: string): boolean {
    const user = this.findUser(name);
    const remote = this.findRemote(name);
    if (user !== undefined) this.#host.onKick(user, reason);
    else if (remote !== undefined) this.#bus.send(remote.server, { kind: "kick", name, reason });
    return user !== undefined || remote !== undefined;
  }

  roster(): Presence[] {
    return Array.from(this.#users.values(), presenceOf);
  }

  onRoster(server: string, users: readonly Presence[]): void {
    this.#forget(server);
    for (const user of users) this.#addRemote(server, user);
  }

  onServerGone(server: string): void {
    const byRoom = new Map<Room, string[]>();
    for (const { name, room } of this.#remote.get(server)?.values() ?? []) {
      byRoom.set(room, [...byRoom.get(room) ?? [], name]);
    }
    this.#forget(server);
    for (const [room, names] of byRoom) {
      const [first = ""] = list("gone with their server", sortNames(names));
      room.tell(first);
    }
  }

  onEvent(server: string, event: BusEvent): void {
    if (event.kind === "announce") return this.#announce(event.text);
    if (event.kind === "enter") {
      const user = this.#addRemote(server, event.user);
      user?.room.change({ kind: "joined", name: user.name, what: user.room.name });
      return;
    }
    const user = this.#remote.get(server)?.get(keyOf(event.name));
    if (event.kind === "say") {
      // Talk is shown even if the speaker is not known yet.
      const room = this.#room(event.room);
      this.#talk(room, event.name, event.text, event.action);
      this.#tidy(room);
    } else if (user !== undefined) this.#follow(server, user, event);
  }

  onMessage(server: string, message: BusMessage): void {
    switch (message.kind) {
      case "whisper": {
        const user = this.findUser(message.to);
        if (user !== undefined) return this.#deliver(user, whisper(message.from, message.text));
        const { from, to } = message;
        return this.#bus.send(server, { kind: "unheard", from, to });
      }
      case "unheard": {
        const user = this.findUser(message.from);
        if (user !== undefined) hear(user, notice(`no such user: ${message.to}`));
        return;
      }
      case "kick": {
        const user = this.findUser(message.name);
        if (user !== undefined) this.#host.onKick(user, message.reason);
      }
    }
  }

  onLink(isLinked: boolean): void {
    // Users who cannot be reached count as gone. Their servers send rosters once there is a link.
    if (!isLinked) { for (const server of [...this.#remote.keys()]) this.#forget(server); }
    this.tellAll(notice(`link to other servers ${isLinked ? "restored" : "lost"}`));
  }

  onNameLost(name: string): void {
    const user = this.findUser(name);
    if (user !== undefined) this.#host.onNameLost(user);
  }

  /** Applies an event about a user of another server. */
  #follow(
    server: string,
    user: RemoteUser,
    event: Extract<BusEvent, { kind: "leave" | "move" | "rename" }>,
  ): void {
    const { name, room } = user;
    switch (event.kind) {
      case "leave":
        this.#removeRemote(user);
        room.change({ kind: "left", name, what: because(event.reason) });
        break;
      case "move":
        room.remoteUsers.delete(user);
        room.change({ kind: "left", name, what: ` ${room.name}` });
        user.room = this.#room(event.room);
        user.room.remoteUsers.add(user);
        this.#empty.delete(keyOf(event.room));
        user.room.change({ kind: "joined", name, what: user.room.name });
        break;
      case "rename": {
        const users = this.#remote.get(server) as Map<string, RemoteUser>;
        users.delete(keyOf(name));
        // Names are unique on a server, but the packet might say otherwise.
        const other = users.get(keyOf(event.to));
        if (other !== undefined) this.#removeRemote(other);
        user.name = event.to;
        user.since = event.since;
        users.set(keyOf(event.to), user);
        if (other !== undefined) this.#tidy(other.room);
        room.change({ kind: "renamed", name, what: event.to });
      }
    }
    this.#tidy(room);
  }

  /** Finds a room, or makes it. A caller that puts nobody into it has to tidy up. */
  #room(name: string): Room {
    const key = keyOf(name);
    let room = this.#rooms.get(key);
    if (room === undefined) {
      const { history, news } = this.#options;
      room = new Room(name, history, { limits: news, deadlines: this.#host.deadlines });
      this.#rooms.set(key, room);
    }
    return room;
  }

  /** Forgets a room if it is empty. The last few empty rooms are kept, with their history. */
  #tidy(room: Room): void {
    const key = keyOf(room.name);
    this.#empty.delete(key);
    if (room.population > 0 || key === LOBBY) return;
    if (room.history.length === 0) this.#rooms.delete(key);
    else this.#empty.add(key);
    for (const oldest of this.#empty) {
      if (this.#empty.size <= EMPTY_ROOMS) break;
      this.#empty.delete(oldest);
      this.#rooms.delete(oldest);
    }
  }

  /** Shows a user the room that they have come to, and tells the room about the user. */
  #arrive(user: User): void {
    const { name, room } = user;
    const { present } = room;
    room.change({ kind: "joined", name, what: room.name }, user);
    room.users.add(user);
    this.#empty.delete(keyOf(room.name));
    for (const line of room.history) user.hearer.hear(line);
    for (const line of present) user.hearer.hear(line);
  }

  #talk(room: Room, name: string, text: string, isAction: boolean, except?: User): void {
    const line = isAction ? action(name, text) : talk(name, text);
    this.counts.delivered += room.talk(line, except);
    this.#host.onTalk(room.name, line);
  }

  #announce(text: string): void {
    const line = announcement(text);
    for (const room of this.#rooms.values()) {
      if (room.population > 0) this.counts.delivered += room.talk(line);
    }
  }

  #deliver(user: User, line: string): void {
    this.counts.delivered++;
    user.hearer.hear(encodeLine(line), true);
  }

  #addRemote(server: string, { name, room: roomName, since }: Presence): RemoteUser | undefined {
    if (this.#remoteUsers >= REMOTE_USERS) return undefined;
    let users = this.#remote.get(server);
    if (users === undefined) this.#remote.set(server, users = new Map());
    const known = users.get(keyOf(name));
    if (known !== undefined) this.#removeRemote(known);
    const room = this.#room(roomName);
    const user = { name, since, room, server };
    users.set(keyOf(name), user);
    this.#remoteUsers++;
    room.remoteUsers.add(user);
    this.#empty.delete(keyOf(roomName));
    if (known !== undefined) this.#tidy(known.room);
    return user;
  }

  #removeRemote(user: RemoteUser): void {
    if (this.#remote.get(user.server)?.delete(keyOf(user.name)) === true) this.#remoteUsers--;
    user.room.remoteUsers.delete(user);
  }

  #forget(server: string): void {
    const users = this.#remote.get(server);
    this.#remote.delete(server);
    this.#remoteUsers -= users?.size ?? 0;
    for (const user of users?.values() ?? []) {
      user.room.remoteUsers.delete(user);
      this.#tidy(user.room);
    }
  }
}

/** Says something to one user. */
export function hear(user: User, line: string): void {
  user.hearer.hear(encodeLine(line));
}

function presenceOf({ name, room, since }: User): Presence {
  return { name, room: room.name, since };
}

function because(reason: string | undefined): string {
  return reason === undefined ? "" : `: ${reason}`;
}
