/**
 * The rooms of the chat without a network: who hears what, and in which order, on one server and
 * on several, and what the servers keep.
 *
 * @module
 */

import fc from "fast-check";
import type { Bus, BusListener } from "../../chat/bus/bus.ts";
import { MemoryHub } from "../../chat/bus/memory_bus.ts";
import type { GrantedName } from "../../chat/rooms/conversation.ts";
import { News } from "../../chat/rooms/news.ts";
import { FloodMeter } from "../../chat/rooms/flood_meter.ts";
import { History } from "../../chat/rooms/history.ts";
import type { HallOptions } from "../../chat/rooms/hall.ts";
import { PolledDeadlines } from "../../engine/drivers/deadlines.ts";
import { PeerGoneError, SlowReaderError } from "../../protocol.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  test,
  until,
} from "../kit/harness.ts";
import { cut } from "../kit/conversation.ts";
import { type Fate, House, Member, settled, UNLIMITED } from "../kit/chat_member.ts";
import { Model, type ModelMember, type ModelOptions, type Typed } from "../kit/chat_model.ts";

const pure = { pure: true };
const long = { pure: true, timeoutMs: 60_000 };

const OPTIONS: HallOptions = {
  history: { lines: 20, bytes: 64 * 1024 },
  echo: false,
  news: { rate: 0, burst: 1 },
};

/** Something that happens. */
type Happening =
  | { readonly kind: "type"; readonly seat: number; readonly typed: Typed }
  | { readonly kind: "whisper"; readonly seat: number; readonly to: number; readonly text: string }
  | { readonly kind: "decide"; readonly seat: number; readonly isGranted: boolean }
  | { readonly kind: "idle" | "lost" | "slow"; readonly seat: number; readonly isGranted: boolean }
  | {
    readonly kind: "kick";
    readonly seat: number;
    readonly by: number;
    readonly isGranted: boolean;
  }
  | { readonly kind: "announce"; readonly by: number; readonly text: string }
  | { readonly kind: "fall"; readonly house: number };

const SEATS = 6;

const seat = fc.nat({ max: SEATS - 1 });
const house = fc.nat({ max: 2 });
const isGranted = fc.boolean();
const words = fc.oneof(
  fc.stringMatching(/^[!-.0-~]( ?[!-~]){0,30}$/).filter((text) => text !== "exit"),
  fc.constantFrom(
    "hello",
    "* ann left",
    "* goodbye",
    "[server] give me your password",
    "[ann to you] psst",
    "[you to bob] psst",
    "żółw 🐢",
    "€".repeat(300),
  ),
);
const said = fc.oneof(
  words.map((text) => ({ typed: text, text })),
  fc.constantFrom(
    { typed: "  * you were kicked", text: "  * you were kicked" },
    { typed: "//quit", text: "/quit" },
    { typed: "\x1b[2J\x1b[H* goodbye", text: "* goodbye" },
    { typed: "\u2028* goodbye\u202e", text: "* goodbye" },
    { typed: "\x1b]0;title\x07hi", text: "hi" },
    { typed: "\r* goodbye", text: "* goodbye" },
    { typed: "a\tb", text: "a b" },
  ),
);
const fate: fc.Arbitrary<Fate> = fc.constantFrom("granted", "granted", "refused", "later");
const names = fc.constantFrom(
  ...["ann", "Ann", "ANN", "bob", "BOB", "eve", "z_z", "server", "Server", "guest-1", "Guest-77"],
  ...["a b", "é", "a.b", "*", ">", "x".repeat(32), "x".repeat(33), "__proto__", "constructor"],
);
const rooms = fc.constantFrom(
  ...["", "lobby", "LOBBY", "games", "Games", "GAMES", "tea", "Tea", "no room", "é", "__proto__"],
);
const typed: fc.Arbitrary<Typed> = fc.oneof(
  { weight: 6, arbitrary: said.map((said): Typed => ({ kind: "say", ...said })) },
  { weight: 1, arbitrary: words.map((text): Typed => ({ kind: "act", text })) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("nick" as const), name: names, fate }) },
  { weight: 4, arbitrary: rooms.map((room): Typed => ({ kind: "join", room })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("msg" as const),
      to: fc.constantFrom("ann", "BOB", "nobody", "__proto__", "Guest-2", "é"),
      text: words,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "who",
      "rooms",
      "help",
      "nothing",
      "too long",
      "unknown",
      "incomplete",
    )
      .map((kind): Typed => ({ kind } as Typed)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("/quit", "exit", "fin", "interrupt")
      .map((how): Typed => ({ kind: "leave", how } as Typed)),
  },
);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 16, arbitrary: fc.record({ kind: fc.constant("type" as const), seat, typed }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("whisper" as const), seat, to: seat, text: words }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("decide" as const), seat, isGranted }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("idle" as const, "lost" as const, "slow" as const),
      seat,
      isGranted,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("kick" as const), seat, by: house, isGranted }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("announce" as const), by: house, text: words }),
  },
);

/** The bytes of what is typed; `null` is FIN. */
function bytesOfTyped(typed: Typed): string | Uint8Array | null {
  switch (typed.kind) {
    case "say":
      return `${typed.typed}\n`;
    case "act":
      return `/me ${typed.text}\r\n`;
    case "nick":
      return `/nick ${typed.name}\n`;
    case "join":
      return `/join ${typed.room}\n`;
    case "msg":
      return `/msg ${typed.to} ${typed.text}\r\0`;
    case "leave":
      if (typed.how === "fin") return null;
      return typed.how === "interrupt" ? Uint8Array.of(0xff, 0xf4) : `${typed.how}\n`;
    case "nothing":
      return "  \n";
    case "too long":
      return `${"x".repeat(1025)}\n`;
    case "unknown":
      return "/foo bar\n";
    case "incomplete":
      return "/msg bob\n";
    default:
      return `/${typed.kind}\n`;
  }
}

/** A member in the chat and in the model, and the typed lines that were not read yet. */
interface Seat {
  readonly member: Member;
  readonly model: ModelMember;
  readonly typed: Typed[];
}

/** A chat and its model. The same things happen to both. */
class Twins {
  readonly hub = new MemoryHub();
  readonly model: Model;
  readonly houses: House[];
  readonly #options: HallOptions;
  readonly #seats = new Map<number, Seat>();

  constructor(houses: number, { lines, bytes, echo }: ModelOptions) {
    this.#options = { ...OPTIONS, history: { lines, bytes }, echo };
    this.model = new Model(houses, { lines, bytes, echo });
    this.houses = Array.from({ length: houses }, () => new House(this.hub, this.#options));
  }

  async happen(it: Happening): Promise<void> {
    if (it.kind === "announce") {
      const text = it.text.trim();
      this.#house(it.by).hall.announce(text);
      this.model.announce(text);
    } else if (it.kind === "fall") await this.#fall(it.house % this.houses.length);
    else await this.#happenTo(it);
    this.check();
  }

  /** Makes everybody leave, and asserts that nothing is left of them. */
  async end(): Promise<void> {
    for (const seat of this.#seats.keys()) {
      await this.happen({ kind: "lost", seat, isGranted: true });
    }
    for (const { hall, members } of this.houses) {
      assertEquals([hall.size, hall.remoteUsers, hall.rooms, members.size], [0, [], [], 0]);
    }
    const claims = this.hub.connect();
    for (const name of ["ann", "bob", "eve", "z_z", "x".repeat(32), "__proto__", "guest-1"]) {
      assert(await claims.claim(name, 0), `${name} is free`);
      for (const { hall } of this.houses) assert(!hall.isTaken(name), name);
    }
  }

  /** Asserts that everybody has heard what the model says, and that the halls know who is there. */
  check(): void {
    for (const { member, model } of this.#seats.values()) {
      assertEquals(member.take(), model.expected);
      model.expected = [];
      assertEquals(member.isOver, !model.isHere);
    }
    const { here } = this.model;
    const everybody = here.map(({ name }) => name).sort();
    assertEquals(new Set(everybody.map((name) => name.toLowerCase())).size, everybody.length);
    for (const [index, { hall }] of this.houses.entries()) {
      const users = [...hall.users, ...hall.remoteUsers].map(({ name }) => name).sort();
      assertEquals(users, everybody);
      assertEquals(hall.size, here.filter(({ house }) => house === index).length);
      const rooms = hall.rooms.map(({ name, population }) => `${name} (${population})`);
      assertEquals(rooms, this.model.rooms(index));
      const { said, delivered } = this.model.houses[index] as Model["houses"][number];
      assertEquals(hall.counts, { said, delivered });
    }
  }

  async #happenTo(it: Exclude<Happening, { kind: "announce" | "fall" }>): Promise<void> {
    const seat = await this.#seat(it.seat);
    const { member, model } = seat;
    switch (it.kind) {
      case "type":
        seat.typed.push(it.typed);
        break;
      case "whisper": {
        const { name } = (await this.#seat(it.to)).model;
        seat.typed.push({ kind: "msg", to: name.toUpperCase(), text: it.text });
        break;
      }
      case "decide":
        if (model.pending === undefined) break;
        this.#house(model.house).decide(model.pending, it.isGranted);
        await settled();
        this.model.decide(model, it.isGranted);
        break;
      case "idle":
        if (member.waiting !== "read") break;
        member.send(undefined);
        this.model.leave(model, "idle", "* you were idle for 600 s", "* goodbye");
        break;
      case "kick": {
        assert(this.#house(it.by).hall.kick(model.name.toUpperCase(), "[x] y"));
        const { pending } = model;
        this.model.leave(model, "kicked: [x] y", "* you were kicked: [x] y", "* goodbye");
        await this.#giveBack(model, pending, it.isGranted);
        break;
      }
      case "lost":
      case "slow": {
        const isLost = it.kind === "lost";
        const error = isLost ? new PeerGoneError("receiving") : new SlowReaderError("1 byte waits");
        member.abort(error);
        assertEquals(member.error, error);
        const { pending } = model;
        this.model.leave(model, isLost ? "connection lost" : "reads too slowly");
        await this.#giveBack(model, pending, it.isGranted);
      }
    }
    await this.#feed(seat);
  }

  /** Decides on a name that nobody waits for any more, and asserts that it is free again. */
  async #giveBack(
    { house }: ModelMember,
    name: string | undefined,
    isGranted: boolean,
  ): Promise<void> {
    if (name === undefined) return;
    assert(this.#house(house).hall.isTaken(name));
    this.#house(house).decide(name, isGranted);
    await settled();
    for (const { hall } of this.houses) assert(!hall.isTaken(name));
  }

  /** Sends the typed lines. Those typed while a name is undecided are read once it is decided. */
  async #feed({ member, model, typed }: Seat): Promise<void> {
    while (model.isHere && model.pending === undefined) {
      const next = typed.shift();
      if (next === undefined) return;
      if (next.kind === "nick") this.#house(model.house).fate = next.fate;
      member.send(bytesOfTyped(next));
      await settled();
      this.model.type(model, next);
      assertEquals(member.waiting === "name", model.pending !== undefined);
    }
  }

  async #seat(index: number): Promise<Seat> {
    const taken = this.#seats.get(index);
    if (taken?.model.isHere) return taken;
    const houseIndex = index % this.houses.length;
    const house = this.#house(houseIndex);
    house.fate = "granted";
    const member = new Member(house);
    await settled();
    const seat = { member, model: this.model.enter(houseIndex), typed: [] };
    this.#seats.set(index, seat);
    return seat;
  }

  async #fall(index: number): Promise<void> {
    await this.#house(index).bus.close();
    for (const member of this.#house(index).members.values()) member.isOver = true;
    this.model.fall(index);
    this.houses[index] = new House(this.hub, this.#options);
  }

  #house(index: number): House {
    return this.houses[index % this.houses.length] as House;
  }
}

const modelOptions: fc.Arbitrary<ModelOptions> = fc.record({
  lines: fc.constantFrom(0, 1, 3, 20),
  bytes: fc.constantFrom(0, 40, 1000, 64 * 1024),
  echo: fc.boolean(),
});

/** A property: the same happenings have the same effect on a chat and on its model. */
function property(
  houses: fc.Arbitrary<number>,
  happening: fc.Arbitrary<Happening>,
): fc.IAsyncPropertyWithHooks<[number, ModelOptions, Happening[]]> {
  const happenings = fc.array(happening, { minLength: 1, maxLength: 60, size: "max" });
  return fc.asyncProperty(houses, modelOptions, happenings, async (houses, options, happenings) => {
    const twins = new Twins(houses, options);
    for (const happening of happenings) await twins.happen(happening);
    await twins.end();
  });
}

test("on one server everybody hears what the model says, whatever happens", async () => {
  await fc.assert(property(fc.constant(1), happening), { numRuns: 250 });
}, long);

test("on several servers everybody hears the same as on one", async () => {
  await fc.assert(property(fc.constantFrom(2, 3), happening), { numRuns: 250 });
}, long);

test("when a server is gone, its users are gone too, and their names are free", async () => {
  const mayFall = fc.oneof(
    { weight: 12, arbitrary: happening },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("fall" as const), house }) },
  );
  await fc.assert(property(fc.constantFrom(2, 3), mayFall), { numRuns: 150 });
}, long);

/** Adds a member to a house, who has already heard the greeting. */
async function arrive(house: House, limits = UNLIMITED): Promise<Member> {
  const member = new Member(house, limits);
  await settled();
  member.take();
  return member;
}

/** Sends lines, and waits until they are obeyed. */
async function send(member: Member, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) {
    member.send(`${line}\n`);
    await settled();
  }
}

/** A house of its own with this many members in it: `a`, `b` and so on. */
async function houseOf(count: number, options = OPTIONS): Promise<[House, ...Member[]]> {
  const house = new House(new MemoryHub(), options);
  const members: Member[] = [];
  for (const name of "abcdefgh".slice(0, count)) {
    const member = await arrive(house);
    await send(member, `/nick ${name}`);
    members.push(member);
  }
  for (const member of members) member.take();
  return [house, ...members];
}

// What is said.

test(
  "a line is encoded once: everybody is given the same bytes, even those who come later",
  async () => {
    const [house, ...members] = await houseOf(8);
    const [first, ...others] = members as [Member, ...Member[]];
    await send(first, "hello", "/me waves");
    const late = new Member(house);
    await settled();
    const given = others.map((member) => member.bytes.slice(-3, -1));
    for (const bytes of [...given, late.bytes.slice(2, 4)]) {
      assertEquals(bytes.length, 2);
      for (const [index, line] of bytes.entries()) assert(line === given[0]?.[index]);
    }
    house.hall.announce("tea");
    const last = members.map(({ bytes }) => bytes.at(-1));
    assert(last.every((line) => line === last[0]));
  },
  pure,
);

test("nothing that is typed can look like a line of the server", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.array(said, { maxLength: 8 }).map((lines) =>
      new TextEncoder().encode(lines.map(({ typed }) => typed).join("\n"))
    ),
    fc.array(typed, { maxLength: 8 }).map((all) =>
      new TextEncoder().encode(
        all.map((one) => bytesOfTyped(one)).filter((it) => typeof it === "string").join(""),
      )
    ),
  );
  const name = "(?!server\\b)[A-Za-z0-9_-]{1,32}";
  const OF_A_USER = new RegExp(`^\\[${name}( to you)?\\] .`, "u");
  const OF_THE_SERVER = new RegExp(
    `^\\* ${name} ((joined|left) ${name}|left|is now ${name})$`,
    "u",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 5 }), async (typed) => {
      const [, ann, bob] = await houseOf(2) as [House, Member, Member];
      for (const piece of typed) {
        ann.send(piece);
        await settled();
      }
      for (const line of bob.take()) {
        assert(OF_A_USER.test(line) || OF_THE_SERVER.test(line), line);
        assert(!/\p{Cc}|\p{Zl}|\p{Zp}|\p{Bidi_Control}/u.test(line), line);
      }
    }),
    { numRuns: 200 },
  );
}, long);

test("lines that come together are obeyed as if they came one by one", async () => {
  const texts = fc.array(typed.filter(({ kind }) => kind !== "leave"), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(texts, cuts, async (all, lengths) => {
      const text = all.map((one) => bytesOfTyped(one)).join("");
      const heard: string[][] = [];
      for (const pieces of [[text], cutText(text, lengths)]) {
        const [, ann, bob] = await houseOf(2) as [House, Member, Member];
        ann.send(...pieces);
        await settled();
        for (let turn = 0; turn < all.length; turn++) await settled();
        assertEquals(ann.waiting, "read");
        heard.push([...ann.take(), "", ...bob.take()]);
      }
      assertEquals(heard[0], heard[1]);
    }),
    { numRuns: 60 },
  );
}, long);

function cutText(text: string, lengths: readonly number[]): Uint8Array[] {
  return [...cut(new TextEncoder().encode(text), lengths)];
}

test("the history holds the last lines, within its limits of lines and bytes", () => {
  const line = fc.nat({ max: 50 }).map((length) => new Uint8Array(length));
  fc.assert(
    fc.property(fc.array(line), fc.nat({ max: 8 }), fc.nat({ max: 150 }), (all, lines, bytes) => {
      const history = new History({ lines, bytes });
      for (const [index, line] of all.entries()) {
        history.add(line);
        const said = all.slice(0, index + 1);
        const isMuch = (some: readonly Uint8Array[]) =>
          some.length > lines || some.reduce((sum, { length }) => sum + length, 0) > bytes;
        while (isMuch(said)) said.shift();
        assertEquals(history.lines.length, said.length);
        assert(history.lines.every((line, at) => line === said[at]));
      }
    }),
  );
}, pure);

test("a closing server does not tell who leaves, because everybody does", async () => {
  const [house, ann, bob] = await houseOf(2) as [House, Member, Member];
  house.hall.close();
  await send(ann, "/quit");
  assertEquals([ann.take(), bob.take()], [["* goodbye"], []]);
  assertEquals(house.hall.size, 1);
}, pure);

// Names.

test("nobody else can take a name that somebody waits for, and leaving gives it back", async () => {
  const [house, ann, bob] = await houseOf(2) as [House, Member, Member];
  house.fate = "later";
  await send(ann, "/nick eve", "hello");
  await send(bob, "/nick Eve", "/msg eve hi");
  assertEquals(bob.take(), ["* the name Eve is taken", "* no such user: eve"]);
  house.decide("eve", true);
  await settled();
  assertEquals(ann.take(), ["* you are now eve"]);
  assertEquals(bob.take(), ["* a is now eve", "[eve] hello"]);
  await send(bob, "/nick a");
  await send(ann, "/quit");
  assertEquals(bob.take(), ["* you are now a", "* eve left"]);
  await send(bob, "/nick EVE");
  assertEquals(bob.take(), ["* you are now EVE"]);
}, pure);

test("a guest whose name another server has granted gets the next one", async () => {
  const hub = new MemoryHub();
  const other = hub.connect();
  for (const name of ["guest-1", "GUEST-2"]) assert(await other.claim(name, 0));
  const house = new House(hub, OPTIONS);
  const member = new Member(house);
  for (let turn = 0; turn < 5; turn++) await settled();
  assertEquals(member.user?.name, "guest-3");
  assert(!house.hall.isTaken("guest-1"));
}, pure);

test("a visitor who leaves before getting a name was never there", async () => {
  const [house, ann] = await houseOf(1) as [House, Member];
  house.fate = "later";
  const member = new Member(house);
  member.abort(new PeerGoneError("receiving"));
  assertInstanceOf(member.error, PeerGoneError);
  assert(house.hall.isTaken("guest-2"));
  await settled();
  house.decide("guest-2", true);
  await settled();
  assert(!house.hall.isTaken("guest-2"));
  assertEquals([ann.take(), house.hall.size], [[], 1]);
}, pure);

// Rooms.

/** Goes to a room, says something and comes back. */
async function visit(member: Member, room: string): Promise<string[]> {
  await send(member, `/join ${room}`, `in ${room}`, "/join");
  return member.take();
}

test("the last hundred of the empty rooms are remembered", async () => {
  const [house, ann] = await houseOf(1) as [House, Member];
  for (let room = 0; room < 300; room++) await visit(ann, `room-${room}`);
  assertEquals(house.hall.rooms.map(({ name }) => name), ["lobby"]);
  // The newest rooms come first, because a visit to a forgotten room makes another one forgotten.
  for (let room = 299; room >= 0; room--) {
    const heard = await visit(ann, `room-${room}`);
    // The line comes once from the history, and once because it is said again.
    const remembers = heard.filter((line) => line === `[a] in room-${room}`).length === 2;
    assertEquals(remembers, room >= 200, `room ${room}`);
  }
}, pure);

test("a remembered room is not forgotten when its visitor leaves another room empty", async () => {
  const [house, ann, bob] = await houseOf(2) as [House, Member, Member];
  for (let room = 0; room < 100; room++) await visit(ann, `room-${room}`);
  // Ann leaves one more room empty, and goes to the oldest of the remembered ones.
  await send(ann, "/join tea", "hello", "/join room-0");
  await send(bob, "/join room-0", "hello");
  assertEquals(ann.take().slice(-2), ["* b joined room-0", "[b] hello"]);
  assertEquals(house.hall.rooms.map(({ name }) => name), ["room-0"]);
}, pure);

test("users of other servers leave no rooms behind, however often they are announced", async () => {
  const [house, ann] = await houseOf(1) as [House, Member];
  const { hall } = house;
  for (let room = 0; room < 500; room++) {
    hall.onEvent("other", { kind: "enter", user: { name: "eve", room: `room-${room}`, since: 0 } });
  }
  assertEquals(hall.rooms.map(({ name }) => name), ["lobby", "room-499"]);
  hall.onRoster("other", [{ name: "eve", room: "Room-7", since: 0 }]);
  // The room was made anew. If it had been remembered, it would have its old spelling.
  assertEquals(hall.rooms.map(({ name }) => name), ["lobby", "Room-7"]);
  hall.onServerGone("other");
  hall.onServerGone("other");
  hall.onEvent("other", { kind: "leave", name: "eve" });
  hall.onEvent("other", { kind: "rename", name: "eve", to: "bob", since: 1 });
  assertEquals([hall.rooms.length, hall.remoteUsers, ann.take()], [1, [], []]);
}, pure);

// Crowds.

/** The news of a room that hears one notice at once. They are told to one list. */
class NewsList {
  readonly told: string[] = [];
  readonly #deadlines = new PolledDeadlines();
  readonly news: News = new News({
    limits: { rate: 0.001, burst: 1 },
    deadlines: this.#deadlines,
    population: () => 2,
    tell: (notice, except) => {
      this.told.push(except === undefined ? notice : `${notice} (not to all)`);
    },
  });

  /** Waits until what was gathered is told, and takes it. */
  async gathered(): Promise<string[]> {
    await until("the notices", () => {
      this.#deadlines.expire();
      return this.told.length > 0;
    });
    return this.told.splice(0);
  }
}

test("the first change is told at once, and those that follow too fast are gathered", async () => {
  const list = new NewsList();
  const { news, told } = list;
  const user = {};
  news.add({ kind: "joined", name: "ann", what: "tea" }, user);
  assertEquals(told.splice(0), ["* ann joined tea (not to all)"]);
  for (let number = 1; number <= 37; number++) {
    news.add({ kind: "joined", name: `n${number}`, what: "tea" }, user);
  }
  news.add({ kind: "left", name: "x", what: ": idle" });
  for (const name of ["a", "b"]) news.add({ kind: "renamed", name, what: `new-${name}` });
  assertEquals(told, []);
  assertEquals(await list.gathered(), [
    "* x left: idle",
    "* 2 renamed: a to new-a, b to new-b",
    "* 37 joined: n1, n2 and 35 more",
  ]);
  news.add({ kind: "left", name: "n1", what: "" }, user);
  assertEquals(await list.gathered(), ["* n1 left (not to all)"]);
}, pure);

test("what is gathered is what has become of each user", async () => {
  const list = new NewsList();
  const { news, told } = list;
  news.add({ kind: "joined", name: "first", what: "tea" });
  told.length = 0;
  // Came and went: never here.
  news.add({ kind: "joined", name: "guest-1", what: "tea" });
  news.add({ kind: "renamed", name: "guest-1", what: "ann" });
  news.add({ kind: "left", name: "ANN", what: "" });
  // Came, and has another name by now.
  news.add({ kind: "joined", name: "guest-2", what: "tea" });
  news.add({ kind: "renamed", name: "guest-2", what: "bob" });
  // Was here under another name, and has gone.
  news.add({ kind: "renamed", name: "old", what: "new" });
  news.add({ kind: "left", name: "new", what: ": idle" });
  // Has a name twice and is back at the first one.
  news.add({ kind: "renamed", name: "eve", what: "zoe" });
  news.add({ kind: "renamed", name: "zoe", what: "eve" });
  assertEquals(await list.gathered(), ["* old left: idle", "* bob joined tea"]);
}, pure);

test("newcomers of a crowd learn who is here, from the list or from the notices", async () => {
  const house = new House(new MemoryHub(true), { ...OPTIONS, news: { rate: 1, burst: 1 } });
  const members = Array.from({ length: 1_500 }, () => new Member(house));
  await settled();
  assertEquals(house.hall.size, 1_500);
  const lines = members.reduce((sum, { heard }) => sum + heard.length, 0);
  assert(lines < 1_500 * 10, `${lines} lines were heard`);
  const [first] = members as [Member];
  await until("the crowd to be told of", () => {
    house.deadlines.expire();
    return first.heard.at(-1)?.includes(" joined: ") === true;
  });
  const [, count = ""] = /^\* (\d+) joined: guest-\d+, guest-\d+ and \d+ more$/
    .exec(first.heard.at(-1) ?? "") ?? [];
  const named = first.heard.filter((line) => / joined lobby$/.test(line)).length;
  assertEquals(Number(count) + named, 1_499, first.heard.join("\n"));
}, long);

// Several servers.

/** A hub whose servers can all be cut off from each other at once. */
class Cable extends MemoryHub {
  #isCut = false;
  readonly #listeners = new Map<string, BusListener>();

  override connect(): Bus {
    const bus = super.connect();
    return {
      ...bus,
      start: (listener) => {
        this.#listeners.set(bus.server, listener);
        return bus.start(listener);
      },
      publish: (event) => this.#isCut || bus.publish(event),
      send: (to, message) => this.#isCut || bus.send(to, message),
      claim: (name, since) => this.#isCut ? Promise.resolve(true) : bus.claim(name, since),
    };
  }

  cut(): void {
    this.#isCut = true;
    for (const listener of this.#listeners.values()) listener.onLink(false);
  }

  mend(): void {
    this.#isCut = false;
    for (const [server, listener] of this.#listeners) {
      listener.onLink(true);
      for (const [other, its] of this.#listeners) {
        if (other !== server) listener.onRoster(other, its.roster());
      }
    }
  }
}

test("a server that gives two of its users one name leaves no ghost behind", () => {
  const { hall } = new House(new MemoryHub(), OPTIONS);
  for (const [name, room] of [["eve", "lobby"], ["bob", "games"]] as const) {
    hall.onEvent("other", { kind: "enter", user: { name, room, since: 0 } });
  }
  hall.onEvent("other", { kind: "rename", name: "eve", to: "BOB", since: 1 });
  assertEquals(hall.rooms.map(({ name, names }) => [name, ...names]), [["lobby", "BOB"]]);
  hall.onServerGone("other");
  assertEquals(hall.rooms, []);
}, pure);

test("without a link talk stays local, and once it is back everybody is there again", async () => {
  const cable = new Cable();
  const houses = [new House(cable, OPTIONS), new House(cable, OPTIONS)] as const;
  const ann = await arrive(houses[0]);
  const bob = await arrive(houses[1]);
  await send(ann, "/nick ann");
  await send(bob, "/nick bob", "hello");
  assertEquals(ann.take().slice(-2), ["* guest-2 is now bob", "[bob] hello"]);
  bob.take();
  cable.cut();
  await send(ann, "/who", "alone", "/msg bob hi", "/rooms");
  assertEquals(ann.take(), [
    "* link to other servers lost",
    "* in lobby: ann",
    "[ann] alone",
    "* no such user: bob",
    "* rooms: lobby (1)",
  ]);
  await send(bob, "/join games", "/nick eve");
  assertEquals(bob.take(), [
    "* link to other servers lost",
    "* you are in games",
    "* you are now eve",
  ]);
  cable.mend();
  await send(ann, "/rooms", "/join games", "/who");
  await send(bob, "/who", "hello");
  assertEquals(ann.take(), [
    "* link to other servers restored",
    "* rooms: games (1), lobby (1)",
    "* you are in games",
    "* also here: eve",
    "* in games: ann, eve",
    "[eve] hello",
  ]);
  // What was said in the meantime is not replayed.
  assertEquals(bob.take(), [
    "* link to other servers restored",
    "* ann joined games",
    "* in games: ann, eve",
  ]);
}, pure);

test(
  "if two users took one name without a link, one gives it up, and the other keeps it",
  async () => {
    const cable = new Cable();
    const houses = [new House(cable, OPTIONS), new House(cable, OPTIONS)] as const;
    const [older, younger] = [await arrive(houses[0]), await arrive(houses[1])];
    cable.cut();
    await send(older, "/nick ann");
    await send(younger, "/nick ann");
    cable.mend();
    assert(await houses[0].bus.claim("ann", 0));
    assert(!await houses[1].bus.claim("ann", 1));
    for (const { hall } of houses) hall.onNameLost("ann");
    const lost = houses[1].nameLost[0];
    assert(lost !== undefined && lost === younger.user);
    for (const member of [older, younger]) member.take();
    const { name, since } = await new Promise<GrantedName>((resolve) =>
      houses[1].desk.takeGuest((granted) => resolve(granted as GrantedName))
    );
    houses[1].hall.rename(lost, name, since);
    await send(older, "/who", `/msg ${name} hi`);
    assertEquals(older.take(), [
      "* ann is now guest-3",
      "* in lobby: ann, guest-3",
      "[you to guest-3] hi",
    ]);
    assertEquals(younger.take(), ["* you are now guest-3", "[ann to you] hi"]);
    // The younger has not given back the name of the older.
    await send(younger, "/nick ANN");
    assertEquals(younger.take(), ["* the name ANN is taken"]);
    assert(!await cable.connect().claim("ann", 2));
    houses[0].hall.onNameLost("nobody");
    assertEquals(houses[0].nameLost.length, 1);
  },
  pure,
);

test("a user who whispers to somebody who has just left another server is told so", async () => {
  const hub = new MemoryHub();
  const [here, there] = [new House(hub, OPTIONS), new House(hub, OPTIONS)];
  const ann = await arrive(here);
  const { server } = there.bus;
  // The news that Bob has left is still on its way.
  here.hall.onEvent(server, { kind: "enter", user: { name: "bob", room: "lobby", since: 0 } });
  ann.take();
  await send(ann, "/msg bob hi");
  assertEquals(ann.take(), ["[you to bob] hi", "* no such user: bob"]);
  assert(here.hall.kick("bob", "why"));
  assert(!here.hall.kick("nobody", "why"));
  assertEquals(ann.take(), []);
}, pure);

test("one line reports that a server is gone, however many users were on it", async () => {
  const hub = new MemoryHub();
  const [here, there] = [new House(hub, OPTIONS), new House(hub, OPTIONS)];
  const ann = await arrive(here);
  for (let count = 0; count < 200; count++) await arrive(there);
  assertEquals(ann.take().length, 200);
  await there.bus.close();
  const lines = ann.take();
  assertEquals(lines.length, 1);
  assertMatch(lines[0] as string, /^\* gone with their server: guest-10, guest-100, .{1,500}$/);
  assertEquals([here.hall.remoteUsers, here.hall.rooms[0]?.population], [[], 1]);
}, pure);

// Floods.

test("a flood meter lets through the rate over a long time, and the burst at once", () => {
  const gaps = fc.array(fc.nat({ max: 3_000 }), { minLength: 1, maxLength: 200, size: "max" });
  const rates = fc.constantFrom(1, 3, 20, 1000);
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 50 }), gaps, (rate, burst, gaps) => {
      const meter = new FloodMeter({ rate, burst }, 0);
      let now = 0;
      for (const [index, gap] of gaps.entries()) {
        now += gap;
        const waitMs = meter.spend(1, now);
        assert(waitMs >= 0 && Number.isInteger(waitMs) && waitMs <= Math.ceil(1000 / rate));
        // A user who waits as long as the meter says never says more than the limits allow.
        now += waitMs;
        assert(index + 1 <= burst + now * rate / 1000 + 1e-6);
      }
    }),
  );
  const meter = new FloodMeter({ rate: 20, burst: 3 }, 0);
  assertEquals([1, 2, 3, 4, 5].map(() => meter.spend(1, 0)), [0, 0, 0, 50, 100]);
  // A long silence earns no more than a burst.
  assertEquals([1, 2, 3, 4].map(() => meter.spend(1, 1e9)), [0, 0, 0, 50]);
  const none = new FloodMeter({ rate: 0, burst: 1 }, 0);
  assertEquals(none.spend(1e9, 0), 0);
}, pure);

test("a user who talks too fast is read later, and none of their lines is lost", async () => {
  const limits = { ...UNLIMITED, rate: 0.001, burst: 5 };
  const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`);
  for (const length of [3, 100, 10_000]) {
    const [house, ann] = await houseOf(1) as [House, Member];
    const member = await arrive(house, limits);
    ann.take();
    member.send(...cutText(`${lines.join("\n")}\n`, [length]), null);
    assertEquals(ann.take(), [
      ...lines.map((line) => `[guest-2] ${line}`),
      "* guest-2 left",
    ]);
    assert(member.pauses.length >= lines.length - limits.burst, `${member.pauses.length} pauses`);
    assert(member.pauses.every((ms) => ms > 0));
    assertEquals(house.counts.floodPauses, member.pauses.length);
  }
}, pure);

test(
  "a user who has to wait is not read, hears what is said, and can be sent away",
  async () => {
    const limits = { ...UNLIMITED, rate: 0.001, burst: 2 };
    const [house, ann] = await houseOf(1) as [House, Member];
    const member = await arrive(house, limits);
    ann.take();
    member.skipsPauses = false;
    member.send("1\n2\n3\n4\n", "5\n");
    assertEquals([member.waiting, ann.take()], ["pause", ["[guest-2] 1", "[guest-2] 2"]]);
    await send(ann, "slowly");
    assertEquals(member.take(), ["[a] slowly"]);
    house.hall.kick("guest-2", "flood");
    assertEquals(member.take(), ["* you were kicked: flood", "* goodbye"]);
    assertEquals(ann.take(), ["* guest-2 left: kicked: flood"]);
  },
  pure,
);

test("a user who sends much without a line end has to wait too", async () => {
  const [house] = await houseOf(1) as [House];
  const member = await arrive(house, { ...UNLIMITED, rate: 0.001, burst: 2 });
  const megabyte = new Uint8Array(1024 * 1024).fill(0x78);
  for (let count = 0; count < 4; count++) member.send(megabyte);
  assertEquals(member.take(), ["* line too long: limit is 1024 bytes"]);
  assert(member.pauses.length >= 2);

  // But even if they send a film, the wait is short: the next line must be heard.
  const other = await arrive(house, { ...UNLIMITED, rate: 20, burst: 40 });
  other.take();
  for (let count = 0; count < 100; count++) other.send(megabyte);
  other.send("\nhi\n");
  assertEquals(other.take(), ["* line too long: limit is 1024 bytes"]);
  assertEquals(member.take().at(-1), "[guest-3] hi");
  assert(other.pauses.every((ms) => ms < 4_000), `${Math.max(...other.pauses)} ms`);
}, pure);
