/**
 * What joins chat servers, tested without a network: addresses, packets, which servers are in step,
 * and who has a name.
 *
 * @module
 */

import fc from "fast-check";
import type { BusEvent, BusMessage, Presence } from "../../chat/bus/bus.ts";
import { BusError, parseBusUrl } from "../../chat/bus/bus_url.ts";
import { Inbox } from "../../chat/bus/inbox.ts";
import { NameClaims, type NameEntry, type NameStore } from "../../chat/bus/name_claims.ts";
import { OutgoingEvents } from "../../chat/bus/outgoing_events.ts";
import { PeerDirectory } from "../../chat/bus/peer_directory.ts";
import {
  cutRoster,
  decodeHolder,
  decodePacket,
  encode,
  type Holder,
  type Packet,
  PACKET_LIMIT,
} from "../../chat/bus/wire.ts";
import { keyOf } from "../../chat/talk/names.ts";
import { assert, assertEquals, assertThrows, test, until } from "../kit/harness.ts";

const pure = { pure: true };

// Addresses.

test("the URL of a bus names a server, a chat and credentials", () => {
  const { credentials: none, ...plain } = parseBusUrl("nats://127.0.0.1");
  assertEquals(none, undefined);
  assertEquals(plain, {
    url: "nats://127.0.0.1:4222/handshake",
    hostname: "127.0.0.1",
    port: 4222,
    isSecure: false,
    chat: "handshake",
  });
  assertEquals(parseBusUrl("tls://u%40x:p%2F@[::1]:5/Work-2"), {
    url: "tls://[::1]:5/work-2",
    hostname: "::1",
    port: 5,
    isSecure: true,
    chat: "work-2",
    credentials: { user: "u@x", pass: "p/" },
  });
  assertEquals(parseBusUrl("nats://t0ken@h/").credentials, { token: "t0ken" });
}, pure);

test("a URL that is not a bus is refused in one line, without its password", () => {
  const wrong = [
    "",
    "nats",
    "127.0.0.1:4222",
    "http://h",
    "nats://",
    "nats:h",
    "nats://h:0",
    "nats://h:65536",
    "nats://h?x",
    "nats://h#x",
    "nats://h/a/b",
    "nats://h/a.b",
    `nats://h/${"a".repeat(33)}`,
    "nats://u:s3cret@h/>",
    "nats://u:s3cret@/",
    "nats://u:s3cret@@h:x/",
    "nats://%:s3cret@h",
  ];
  for (const url of wrong) {
    const { message } = assertThrows(() => parseBusUrl(url), BusError);
    assert(/^Cannot use the bus ".*": [^\n]+$/.test(message), message);
    assert(!message.includes("s3cret"), message);
  }
}, pure);

// Packets.

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/).filter((name) => keyOf(name) !== "server");
const text = fc.string({ unit: "grapheme-ascii", maxLength: 200 });
const count = fc.nat();
const presence: fc.Arbitrary<Presence> = fc.record({ name, room: name, since: count });
const busEvent: fc.Arbitrary<BusEvent> = fc.oneof(
  fc.record({ kind: fc.constant("enter" as const), user: presence }),
  fc.record({ kind: fc.constant("leave" as const), name, reason: text }, {
    requiredKeys: ["kind", "name"],
  }),
  fc.record({ kind: fc.constant("move" as const), name, room: name }),
  fc.record({ kind: fc.constant("rename" as const), name, to: name, since: count }),
  fc.record({
    kind: fc.constant("say" as const),
    name,
    room: name,
    text,
    action: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("announce" as const), text }),
);
const busMessage: fc.Arbitrary<BusMessage> = fc.oneof(
  fc.record({ kind: fc.constant("whisper" as const), from: name, to: name, text }),
  fc.record({ kind: fc.constant("unheard" as const), from: name, to: name }),
  fc.record({ kind: fc.constant("kick" as const), name, reason: text }),
);
const packet: fc.Arbitrary<Packet> = fc.oneof(
  fc.record({ kind: fc.constant("event" as const), from: name, number: count, event: busEvent }),
  fc.record({ kind: fc.constant("beat" as const), from: name, number: count }),
  fc.record({
    kind: fc.constant("roster" as const),
    from: name,
    number: count,
    part: count,
    parts: count,
    users: fc.array(presence),
  }),
  fc.record({ kind: fc.constantFrom("ask" as const, "goodbye" as const), from: name }),
  fc.record({ kind: fc.constant("message" as const), from: name, message: busMessage }),
  fc.record({ kind: fc.constant("taken" as const), from: name, name }),
);

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test("every packet arrives as it was sent, without anything that was added to it", () => {
  fc.assert(fc.property(packet, (packet) => {
    assertEquals(decodePacket(encode(packet)), packet);
    assertEquals(decodePacket(bytesOf({ ...packet, more: 1, __proto__: null })), packet);
  }));
}, pure);

test("what is not a packet is ignored, whatever it is", () => {
  const junk = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.json().map((json) => new TextEncoder().encode(json)),
    // A packet with one spoilt field.
    fc.tuple(packet, fc.nat(), fc.jsonValue()).map(([packet, index, value]) => {
      const fields: Record<string, unknown> = { ...packet };
      const keys = Object.keys(fields);
      fields[keys[index % keys.length] as string] = value;
      return bytesOf(fields);
    }),
  );
  fc.assert(fc.property(junk, (bytes) => {
    const packet = decodePacket(bytes);
    // By luck it may be a packet. Then it is a valid one.
    if (packet !== undefined) assertEquals(decodePacket(encode(packet)), packet);
    decodeHolder(bytes);
  }));
}, pure);

test("a packet with an invalid name, text or number is ignored", () => {
  const say = { kind: "say", name: "ann", room: "lobby", text: "hi", action: false };
  const event = (change: Record<string, unknown>) => ({
    kind: "event",
    from: "s1",
    number: 1,
    event: { ...say, ...change },
  });
  assert(decodePacket(bytesOf(event({}))) !== undefined);
  const wrong: unknown[] = [
    event({ text: "a\x1b[2J" }),
    event({ text: "a\nb" }),
    event({ text: "\u202e" }),
    event({ text: "\ud800" }),
    event({ text: "a".repeat(4097) }),
    event({ text: 5 }),
    event({ name: "a b" }),
    event({ name: "Server" }),
    event({ name: "" }),
    event({ room: "a.>" }),
    event({ action: 1 }),
    event({ kind: "shout" }),
    { ...event({}), from: "*" },
    { ...event({}), number: -1 },
    { ...event({}), number: 1.5 },
    { ...event({}), number: 2 ** 53 },
    { ...event({}), event: null },
    { kind: "roster", from: "s", number: 1, part: 0, parts: 1, users: {} },
    { kind: "roster", from: "s", number: 1, part: 0, parts: 1, users: [null] },
    { kind: "message", from: "s", message: { kind: "whisper", from: "a", to: "b" } },
    { kind: "message", from: "s", message: { kind: "kick", name: "server", reason: "" } },
    { kind: "taken", from: "s", name: "a.b" },
    [],
    null,
    "ask",
  ];
  for (const value of wrong) assertEquals(decodePacket(bytesOf(value)), undefined);
  const long = { ...event({}), more: "x".repeat(PACKET_LIMIT) };
  assertEquals(decodePacket(bytesOf(long)), undefined);
}, pure);

// Which servers are in step.

/** A server that sends, and a directory that hears what is not lost on the way. */
class Wire {
  readonly directory = new PeerDirectory();
  /** What the sender has, and what it is taken for by those who listen to the directory. */
  readonly sent = new Set<number>();
  heard = new Set<number>();
  readonly talk: number[] = [];
  #number = 0;

  /** A user enters, or somebody says something. */
  send(isTalk: boolean, isLost: boolean, copies: number): void {
    const number = ++this.#number;
    if (!isTalk) this.sent.add(number);
    for (let copy = 0; copy < (isLost ? 0 : copies); copy++) {
      if (!this.directory.onEvent("s", number, isTalk)) continue;
      if (isTalk) this.talk.push(number);
      else this.heard.add(number);
    }
  }

  beat(): void {
    this.directory.onBeat("s", this.#number);
  }

  /** Answers a request with the parts of a roster, some of which may be lost. */
  roster(isLost: (part: number) => boolean): void {
    const users = [...this.sent].map((id) => ({ name: `u${id}`, room: "r", since: id }));
    for (const part of cutRoster(users, this.#number, 500)) {
      const all = isLost(part.part) ? undefined : this.directory.onRoster("s", part);
      if (all !== undefined) this.heard = new Set(all.map(({ since }) => since));
    }
  }
}

test(
  "whatever is lost or duplicated, one roster brings a server into step, and talk comes once",
  () => {
    const step = fc.record({
      isTalk: fc.boolean(),
      isLost: fc.boolean(),
      copies: fc.integer({ min: 1, max: 2 }),
      rosterLoss: fc.option(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 })),
    });
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const wire = new Wire();
      for (const { isTalk, isLost, copies, rosterLoss } of steps) {
        wire.send(isTalk, isLost, copies);
        const isAsked = wire.directory.takeToAsk().length > 0;
        if (isAsked && rosterLoss !== null) wire.roster((part) => rosterLoss[part] ?? false);
      }
      assertEquals(wire.talk, [...new Set(wire.talk)].sort((a, b) => a - b));
      wire.beat();
      wire.directory.beat();
      // A server that is out of step, or was never heard, is asked again with every beat.
      if (wire.directory.takeToAsk().length > 0) wire.roster(() => false);
      assertEquals(wire.heard, wire.sent);
      wire.send(false, false, 1);
      assertEquals(wire.heard, wire.sent);
      assertEquals(wire.directory.takeToAsk(), []);
    }));
  },
  pure,
);

test("a server is gone after three silent beats, and not before", () => {
  const directory = new PeerDirectory();
  directory.onBeat("a", 0);
  directory.onBeat("b", 0);
  for (let beat = 0; beat < 3; beat++) {
    assertEquals(directory.beat(), []);
    directory.onBeat("b", 0);
  }
  assertEquals(directory.beat(), ["a"]);
  assertEquals([directory.size, directory.onGoodbye("a"), directory.onGoodbye("b")], [
    1,
    false,
    true,
  ]);
}, pure);

test("the directory knows a bounded number of servers, parts and users", () => {
  const directory = new PeerDirectory();
  for (let server = 0; server < 2_000; server++) directory.onBeat(`s${server}`, 0);
  assertEquals(directory.size, 1024);
  assertEquals(directory.takeToAsk().length, 1024);
  const user = { name: "a", room: "r", since: 0 };
  const part = { number: 1, parts: 1e9 };
  const roster = (index: number, users: readonly Presence[]) =>
    directory.onRoster("s0", { ...part, part: index, users });
  // An empty part in the middle ends the roster, and so do too many users.
  assertEquals([roster(0, []), roster(1, [user])], [undefined, undefined]);
  const many = Array<Presence>(60_000).fill(user);
  assertEquals([roster(0, many), roster(1, many), roster(2, [user])], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(directory.onRoster("s0", { number: 1, part: 3, parts: 3, users: [] }), undefined);
  assertEquals(directory.onRoster("s0", { number: 1, part: 0, parts: 0, users: [] }), undefined);
  assertEquals(directory.onRoster("s0", { number: 1, part: 0, parts: 1, users: [] }), []);
}, pure);

// Who has a name.

/** A store of names that answers each request when the scheduler wants it to. */
class ScheduledStore implements NameStore {
  readonly entries = new Map<string, { revision: number; holder?: Holder }>();
  readonly #scheduler: Pick<fc.Scheduler, "schedule">;
  #revision = 0;

  constructor(scheduler: Pick<fc.Scheduler, "schedule">) {
    this.#scheduler = scheduler;
  }

  async get(key: string): Promise<NameEntry | undefined> {
    await this.#scheduler.schedule(Promise.resolve(), `get ${key}`);
    return this.entries.get(key);
  }

  async put(key: string, holder: Holder, revision: number): Promise<number | undefined> {
    await this.#scheduler.schedule(Promise.resolve(), `put ${key} ${holder.server}`);
    if ((this.entries.get(key)?.revision ?? 0) !== revision) return undefined;
    this.entries.set(key, { revision: ++this.#revision, holder });
    return this.#revision;
  }

  async delete(key: string, revision: number): Promise<boolean> {
    await this.#scheduler.schedule(Promise.resolve(), `delete ${key}`);
    if (this.entries.get(key)?.revision !== revision) return false;
    this.entries.set(key, { revision: ++this.#revision });
    return true;
  }
}

/** Servers that share a store, and tell each other which names they have taken over. */
class Servers {
  readonly store: ScheduledStore;
  readonly claims: NameClaims[];
  readonly lost: string[] = [];
  readonly #notices: Promise<void>[] = [];

  constructor(scheduler: Pick<fc.Scheduler, "schedule">, count: number) {
    this.store = new ScheduledStore(scheduler);
    this.claims = Array.from({ length: count }, (_, index) =>
      new NameClaims(`${index}`, {
        onLost: (name) => this.lost.push(`${name}@${index}`),
        onTakenOver: (name, from) => {
          const tell = async () => {
            await scheduler.schedule(Promise.resolve(), `tell ${from}`);
            await this.claims[Number(from)]?.settle(name);
          };
          this.#notices.push(tell());
        },
      }));
  }

  /** Waits until everything that they told each other has taken effect. */
  async quiet(): Promise<void> {
    for (let notice = this.#notices.pop(); notice !== undefined; notice = this.#notices.pop()) {
      await notice;
    }
  }
}

test("when servers ask for a name at the same time, one of them gets it", async () => {
  await fc.assert(fc.asyncProperty(fc.scheduler(), async (scheduler) => {
    const { claims, store } = new Servers(scheduler, 3);
    for (const claim of claims) await claim.attach(store);
    const granted = await scheduler.waitFor(
      Promise.all(claims.map((claim, index) => claim.claim(index === 1 ? "ANN" : "ann", 5))),
    );
    assertEquals(granted.filter((isGranted) => isGranted).length, 1);
    const winner = store.entries.get("ann")?.holder?.server;
    assertEquals(winner, `${granted.indexOf(true)}`);
  }));
}, pure);

test("after a split the oldest claim keeps the name, and each other loses it once", async () => {
  const sinces = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 2, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), sinces, fc.boolean(), async (scheduler, sinces, isOld) => {
      const servers = new Servers(scheduler, sinces.length);
      const { claims, lost, store } = servers;
      // The entry of a dead server may still stand there.
      if (isOld) store.entries.set("ann", { revision: 99, holder: { server: "x", since: 9 } });
      for (const [index, claim] of claims.entries()) {
        assert(await claim.claim("ann", sinces[index] as number), "without a store all is granted");
      }
      const settle = async () => {
        await Promise.all(claims.map((claim) => claim.attach(store)));
        await servers.quiet();
      };
      await scheduler.waitFor(settle());
      const winner = sinces.indexOf(Math.min(...sinces));
      const losers = claims.map((_, index) => index).filter((index) => index !== winner);
      assertEquals(lost.sort(), losers.map((index) => `ann@${index}`));
      assertEquals(store.entries.get("ann")?.holder?.server, `${winner}`);
      assertEquals(claims.map((claim) => claim.has("Ann")), sinces.map((_, i) => i === winner));
    }),
  );
}, pure);

test("a name given back is free, unless it is asked for again in the meantime", async () => {
  const isAgain = fc.boolean();
  await fc.assert(fc.asyncProperty(fc.scheduler(), isAgain, async (scheduler, isAgain) => {
    const { claims: [one, other], store } = new Servers(scheduler, 2);
    assert(one !== undefined && other !== undefined);
    await one.attach(store);
    await other.attach(store);
    assert(await scheduler.waitFor(one.claim("Ann", 1)));
    assert(one.has("ANN"));
    one.release("ann");
    assert(!one.has("Ann"));
    const again = isAgain ? one.claim("ann", 3) : Promise.resolve(false);
    assertEquals(await scheduler.waitFor(again), isAgain);
    if (isAgain) assertEquals(await scheduler.waitFor(other.claim("ann", 4)), false);
    await scheduler.waitFor(one.releaseAll());
    assertEquals(await scheduler.waitFor(other.claim("ANN", 4)), true);
    assertEquals(await scheduler.waitFor(one.claim("ann", 4)), false);
  }));
}, pure);

test(
  "an ordered store has a name given back before everything that follows",
  async () => {
    const { claims: [one, other], store } = new Servers({ schedule: (task) => task }, 2);
    assert(one !== undefined && other !== undefined);
    await one.attach(store);
    await other.attach(store);
    assert(await one.claim("ann", 1));
    one.release("ann");
    assertEquals(await other.claim("ann", 2), true);
    // If the entry has changed, it is looked up.
    assert(await one.claim("bob", 1));
    store.entries.set("bob", { revision: 99, holder: { server: "0", since: 1 } });
    one.release("bob");
    await one.releaseAll();
    assertEquals(await other.claim("bob", 2), true);
    // It is looked up in the store that is attached by then.
    assert(await one.claim("eve", 1));
    const { store: another } = new Servers({ schedule: (task) => task }, 1);
    another.entries.set("eve", { revision: 99, holder: { server: "0", since: 1 } });
    const settled = one.settle("eve");
    one.release("eve");
    await Promise.all([settled, one.attach(another), one.releaseAll()]);
    assertEquals(another.entries.get("eve")?.holder, undefined);
  },
  pure,
);

test(
  "a name given back while the store is out of reach is given back when the store is there",
  async () => {
    await fc.assert(fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const { claims: [one, other], store } = new Servers(scheduler, 2);
      assert(one !== undefined && other !== undefined);
      await one.attach(store);
      await other.attach(store);
      assert(await scheduler.waitFor(one.claim("ann", 1)));
      one.detach();
      one.release("ann");
      assertEquals(await scheduler.waitFor(other.claim("ann", 2)), false);
      await scheduler.waitFor(one.attach(store));
      assertEquals(await scheduler.waitFor(other.claim("ann", 3)), true);
    }));
  },
  pure,
);

// What comes and goes in crowds.

test(
  "events are gathered when many come at once, in order, and talk takes them along",
  async () => {
    const packets: string[][] = [];
    const outgoing = new OutgoingEvents((events) => {
      packets.push(events.map((event) => event.kind === "leave" ? event.name : event.kind));
    });
    const names = Array.from({ length: 100 }, (_, index) => `name-${index}`);
    for (const name of names) outgoing.add({ kind: "leave", name });
    outgoing.add({ kind: "announce", text: "hi" });
    assertEquals(packets.flat(), [...names, "announce"]);
    assertEquals(packets.map(({ length }) => length), [...new Array(16).fill(1), 64, 21]);
    outgoing.add({ kind: "leave", name: "last" });
    assertEquals(packets.length, 18, "it waits for others");
    await until("it to be sent", () => packets.length === 19);
    outgoing.add({ kind: "leave", name: "nobody" });
    outgoing.clear();
  },
  { timeoutMs: 10_000 },
);

test("packets that come too fast wait for their turn, a bounded number of them", async () => {
  const taken: number[] = [];
  let turn: (isOn: boolean) => void = () => {};
  const pace = {
    take: () => false,
    pass: () => new Promise<boolean>((resolve) => turn = resolve),
  };
  const inbox = new Inbox(pace, (packet) => taken.push(packet.length));
  let waiting = 0;
  while (inbox.add(new Uint8Array(1_000))) waiting++;
  assert(waiting > 1_000 && waiting < 10_000, `${waiting} packets wait`);
  turn(true);
  await until("the first to be taken", () => taken.length === 1);
  assert(inbox.add(new Uint8Array(1)), "there is room again");
  inbox.clear();
  turn(true);
  await Promise.resolve();
  await until("the inbox to be idle", () => inbox.add(new Uint8Array(2)));
  turn(true);
  await until("what came later to be taken", () => taken.at(-1) === 2);
  assertEquals(taken, [1_000, 2]);
}, { timeoutMs: 10_000 });
