/**
 * Chat servers joined through a real NATS server, which is stopped, frozen and started again.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { connect, headers, type MsgHdrs } from "@nats-io/transport-node";
import type { Bus, BusEvent, BusListener, BusMessage, Presence } from "../../chat/bus/bus.ts";
import { BusError } from "../../chat/bus/bus_url.ts";
import { type NatsBusOptions, openNatsBus } from "../../chat/bus/nats_bus.ts";
import type { Listener } from "../../engine/net/listener.ts";
import { connect as connectTcp, listen } from "../../engine/net/tcp.ts";
import type { Connection } from "../../engine/net/transport.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  delay,
  test,
  until,
} from "../kit/harness.ts";
import { NatsServer, whyNoNats } from "../kit/nats_server.ts";
import { Script } from "../kit/server_process.ts";

const real = { skip: whyNoNats, timeoutMs: 60_000 };

/** Options for a quick bus: what usually takes seconds takes a fraction of one. */
const QUICK: NatsBusOptions = { beatMs: 250, nameTtlMs: 3_000 };

/** One server: what it does and what it hears. */
class Member implements BusListener, AsyncDisposable {
  readonly bus: Bus;
  readonly users = new Map<string, Presence>();
  /** The users of each other server, from the last roster and the events since then. */
  readonly others = new Map<string, string[]>();
  readonly events: string[] = [];
  readonly messages: string[] = [];
  readonly links: boolean[] = [];
  readonly lost: string[] = [];

  private constructor(bus: Bus) {
    this.bus = bus;
  }

  static async join(
    url: string,
    names: readonly string[] = [],
    options = QUICK,
  ): Promise<Member> {
    const member = new Member(await openNatsBus(url, options));
    for (const name of names) member.users.set(name, { name, room: "lobby", since: 1 });
    await member.bus.start(member);
    return member;
  }

  say(text: string): void {
    this.bus.publish({ kind: "say", name: "ann", room: "lobby", text, action: false });
  }

  /** A user enters. */
  enter(name: string): void {
    const user = { name, room: "lobby", since: 1 };
    this.users.set(name, user);
    this.bus.publish({ kind: "enter", user });
  }

  /** Waits until this server knows these users of another one. */
  knows(other: Member, names: readonly string[]): Promise<void> {
    return until(`one server to know ${names.length} users of another`, () => {
      const known = this.others.get(other.bus.server);
      return known !== undefined && known.join() === names.join();
    });
  }

  hears(event: string): Promise<void> {
    return until(`${event} to be heard`, () => this.events.includes(event));
  }

  roster(): readonly Presence[] {
    return [...this.users.values()];
  }

  onRoster(server: string, users: readonly Presence[]): void {
    this.others.set(server, users.map(({ name }) => name));
  }

  onServerGone(server: string): void {
    this.others.delete(server);
  }

  onEvent(server: string, event: BusEvent): void {
    if (event.kind === "enter") this.others.get(server)?.push(event.user.name);
    this.events.push(event.kind === "say" ? event.text : JSON.stringify(event));
  }

  onMessage(_server: string, message: BusMessage): void {
    this.messages.push(JSON.stringify(message));
  }

  onLink(isLinked: boolean): void {
    this.links.push(isLinked);
    if (!isLinked) this.others.clear();
  }

  onNameLost(name: string): void {
    this.lost.push(name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.bus.close();
  }
}

/** A relay in front of a NATS server, through which connections can be cut. */
class Relay implements AsyncDisposable {
  /** Whether connections are let through. */
  isOpen = true;
  readonly #listener: Listener;
  readonly #connections = new Set<Connection>();
  readonly #relaying: Promise<void>;

  private constructor(listener: Listener, port: number) {
    this.#listener = listener;
    this.#relaying = this.#relay(port);
  }

  /** @param port where the server listens */
  static async to(port: number): Promise<Relay> {
    return new Relay(await listen({ hostname: "127.0.0.1", port: 0 }), port);
  }

  get port(): number {
    return this.#listener.address.port;
  }

  /** Ends all connections. */
  cut(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await this.#listener[Symbol.asyncDispose]();
    await this.#relaying;
  }

  async #relay(port: number): Promise<void> {
    for await (const near of this.#listener) {
      this.#connections.add(near);
      if (!this.isOpen) this.cut();
      else {
        const far = await connectTcp({ hostname: "127.0.0.1", port });
        this.#connections.add(far);
        for (const [from, to] of [[near, far], [far, near]] as const) {
          // Either end may be cut at any time. Then the other end has nobody to talk to.
          pass(from, to).catch(() => {}).finally(() => to.close());
        }
      }
    }
  }
}

async function pass(from: Connection, to: Connection): Promise<void> {
  for (let bytes = await from.read(); bytes !== null; bytes = await from.read()) {
    await to.write(bytes);
  }
}

/** Waits until these members have lost their link, or have it again. */
function linked(isLinked: boolean, ...members: readonly Member[]): Promise<void> {
  return until(`the links to be ${isLinked}`, () => {
    return members.every(({ bus, links }) =>
      bus.isLinked === isLinked && links.at(-1) === isLinked
    );
  }, 20_000);
}

test("servers hear each other's events once and in order, and not their own", async () => {
  await using nats = await NatsServer.start();
  await using a = await Member.join(nats.url, ["ann"]);
  await using b = await Member.join(nats.url, ["bob"]);
  await using stranger = await Member.join(`${nats.url}/elsewhere`);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  for (let number = 0; number < 1_000; number++) {
    a.say(`${number}`);
    if (number % 100 === 0) b.say("b");
  }
  await b.hears("999");
  assertEquals(b.events, Array.from({ length: 1_000 }, (_, number) => `${number}`));
  await until("ten lines of the other server", () => a.events.length >= 10);
  assertEquals(a.events, Array(10).fill("b"));
  b.bus.send(a.bus.server, { kind: "whisper", from: "bob", to: "ann", text: "psst" });
  await until("the whisper", () => a.messages.length > 0);
  assertEquals(a.messages, ['{"kind":"whisper","from":"bob","to":"ann","text":"psst"}']);
  assertEquals([stranger.events, stranger.others.size, b.messages], [[], 0, []]);
}, real);

test("a roster of thousands of users comes whole, and events follow it", async () => {
  await using nats = await NatsServer.start();
  const names = Array.from({ length: 5_000 }, (_, index) => `user-${index}`);
  await using a = await Member.join(nats.url, names);
  await using b = await Member.join(nats.url);
  await b.knows(a, names);
  a.enter("late");
  await b.knows(a, [...names, "late"]);
}, real);

test("a server that says goodbye is gone at once, with its names", async () => {
  await using nats = await NatsServer.start();
  const long = { ...QUICK, beatMs: 60_000 };
  await using a = await Member.join(nats.url, [], long);
  const b = await Member.join(nats.url, ["bob"], long);
  await a.knows(b, ["bob"]);
  assert(await b.bus.claim("bob", 1));
  assertEquals(await a.bus.claim("Bob", 2), false);
  await b.bus.close();
  await b.bus.close();
  await until("the server to be gone", () => a.others.size === 0);
  assertEquals(await a.bus.claim("Bob", 2), true);
  assertEquals(b.bus.isLinked, false);
}, real);

test(
  "a killed server is gone after a few beats, and its names are free when their time is up",
  async () => {
    await using nats = await NatsServer.start();
    await using a = await Member.join(nats.url);
    await using victim = new Script("tests/kit/bus_member.ts", [nats.url, "eve", "250", "3000"]);
    await until("the member to join", () => victim.stdout.includes("true"));
    const [server = ""] = victim.stdout.split(" ");
    await until("its roster", () => a.others.get(server)?.join() === "eve");
    assertEquals(await a.bus.claim("eve", 1), false);
    victim.signal("SIGKILL");
    await until("it to be gone", () => a.others.size === 0);
    await until("its name to be free", () => a.bus.claim("eve", 1));
  },
  real,
);

test("a process that closes its bus ends by itself", async () => {
  await using nats = await NatsServer.start();
  const args = [nats.url, "eve", "250", "3000", "leave"];
  await using member = new Script("tests/kit/bus_member.ts", args);
  const { code, stdout, stderr } = await member.end();
  assertEquals([code, stderr], [0, ""]);
  assert(stdout.endsWith("true\n"), stdout);
}, real);

test(
  "when two servers want a hundred names at the same time, each name goes to one of them",
  async () => {
    await using nats = await NatsServer.start();
    // On a busy machine it may take seconds to keep so many entries alive.
    const calm = { ...QUICK, nameTtlMs: 8_000 };
    await using a = await Member.join(nats.url, [], calm);
    await using b = await Member.join(nats.url, [], calm);
    const names = Array.from({ length: 100 }, (_, index) => `name-${index}`);
    const claim = ({ bus }: Member) => Promise.all(names.map((name) => bus.claim(name, 1)));
    const [ofA, ofB] = await Promise.all([claim(a), claim(b)]);
    assertEquals(ofA.map((isGranted) => !isGranted), ofB);
    // This is longer than an entry lives. Both servers keep their entries alive.
    await delay(calm.nameTtlMs);
    const [laterA, laterB] = await Promise.all([claim(a), claim(b)]);
    assertEquals([laterA, laterB], [ofA, ofB]);
    assertEquals([a.lost, b.lost], [[], []]);
    for (const [index, name] of names.entries()) if (ofA[index]) a.bus.release(name);
    await until("all names to be free for the other", async () => {
      return (await claim(b)).every((isGranted) => isGranted);
    });
  },
  real,
);

test("while NATS is down talk stays local, and afterwards the older claims hold", async () => {
  await using nats = await NatsServer.start();
  await using a = await Member.join(nats.url, ["ann"]);
  await using b = await Member.join(nats.url, ["bob"]);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  assert(await a.bus.claim("old", 1) && await b.bus.claim("new", 9));
  a.say("before");
  await b.hears("before");
  await nats.stop();
  await linked(false, a, b);
  a.say("meanwhile");
  // Without a link every name is granted, with the time when its claim begins.
  const wanted: readonly [Member, Readonly<Record<string, number>>][] = [
    [a, { "older-at-a": 4, "older-at-b": 5, equal: 4, new: 5 }],
    [b, { "older-at-a": 5, "older-at-b": 4, equal: 4, old: 4 }],
  ];
  for (const [{ bus }, names] of wanted) {
    for (const [name, since] of Object.entries(names)) assert(await bus.claim(name, since), name);
  }
  await delay(300);
  await nats.start();
  await linked(true, a, b);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  await until("the younger to lose", () => a.lost.length + b.lost.length === 5);
  const [first, second] = a.bus.server < b.bus.server ? [a, b] : [b, a];
  assertEquals(a.lost.filter((name) => name !== "equal"), ["older-at-b"]);
  assertEquals(
    b.lost.filter((name) => name !== "equal").sort(),
    ["new", "older-at-a", "old"].sort(),
  );
  assertEquals([first.lost.includes("equal"), second.lost.includes("equal")], [false, true]);
  a.say("after");
  await b.hears("after");
  assertEquals(b.events, ["before", "after"]);
  assertEquals([a.links, b.links], [[false, true], [false, true]]);
  // Nobody else loses a name, and the winners keep theirs.
  await delay(QUICK.nameTtlMs as number);
  assertEquals(a.lost.length + b.lost.length, 5);
  assertEquals(await a.bus.claim("older-at-b", 0), false);
  assertEquals(await b.bus.claim("older-at-a", 0), false);
}, real);

test(
  "names keep their owners, however often NATS is started again",
  async () => {
    await using nats = await NatsServer.start();
    await using a = await Member.join(nats.url, ["ann"]);
    assert(await a.bus.claim("ann", 1));
    for (let time = 0; time < 3; time++) {
      await nats.stop("SIGTERM");
      await nats.start();
      await linked(true, a);
      await until("the name to be held again", async () => {
        await using b = await Member.join(nats.url);
        return !await b.bus.claim("ann", 0);
      });
    }
    assertEquals([a.lost, a.links], [[], [false, true, false, true, false, true]]);
  },
  real,
);

test("a link that is cut for one server is restored, and that server catches up", async () => {
  await using nats = await NatsServer.start();
  await using relay = await Relay.to(nats.port);
  await using a = await Member.join(`nats://127.0.0.1:${relay.port}`, ["ann"]);
  await using b = await Member.join(nats.url, ["bob"]);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  assert(await a.bus.claim("ann", 1));
  relay.isOpen = false;
  relay.cut();
  await linked(false, a);
  a.enter("amy");
  b.enter("ben");
  b.say("missed");
  await delay(200);
  relay.isOpen = true;
  await linked(true, a);
  await Promise.all([a.knows(b, ["bob", "ben"]), b.knows(a, ["ann", "amy"])]);
  b.say("heard");
  await a.hears("heard");
  assertEquals(a.events, ["heard"]);
  assertEquals([a.lost, b.lost, a.links, b.links], [[], [], [false, true], []]);
}, real);

test("a frozen NATS server is noticed, and is sent no more than the outbox holds", async () => {
  await using nats = await NatsServer.start();
  const options = { ...QUICK, timeoutMs: 1_500, outboxBytes: 256 * 1024 };
  await using a = await Member.join(nats.url, ["ann"], options);
  await using b = await Member.join(nats.url, ["bob"], options);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  await nats.freeze();
  // The pending claim is settled: it is granted, because there is no link any more.
  const claim = a.bus.claim("ann", 1);
  let sent = 0;
  for (; b.bus.isLinked; sent += 1_000) b.say("x".repeat(1_000));
  assert(sent < 300 * 1024, `${sent} bytes were sent`);
  assertEquals(await claim, true);
  await linked(false, a, b);
  nats.signal("SIGCONT");
  await linked(true, a, b);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  b.say("after");
  await a.hears("after");
}, real);

test("while NATS is frozen names are granted at once, and are put to the test later", async () => {
  await using nats = await NatsServer.start();
  const options = { ...QUICK, timeoutMs: 10_000 };
  await using a = await Member.join(nats.url, [], options);
  await using b = await Member.join(nats.url, [], options);
  assert(await b.bus.claim("ann", 1));
  await nats.freeze();
  const claims = await Promise.all(["ann", "bob", "carl"].map((name) => a.bus.claim(name, 2)));
  assertEquals(claims, [true, true, true]);
  // This one is given back before there was an answer.
  a.bus.release("carl");
  assert(a.bus.isLinked, "nobody has noticed yet that NATS is frozen");
  nats.signal("SIGCONT");
  await until("the older claim to hold", () => a.lost.includes("ann"));
  await until("the name that was given back to be free", () => b.bus.claim("carl", 3));
  await until("the other name to be taken", async () => !await b.bus.claim("bob", 3));
  assertEquals([a.lost, a.links, b.links], [["ann"], [], []]);
}, real);

test("names that others delete or purge are claimed anew, and talk goes on", async () => {
  await using nats = await NatsServer.start();
  await using a = await Member.join(nats.url, ["ann"]);
  await using b = await Member.join(nats.url, ["bob"]);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  assert(await a.bus.claim("ann", 1));
  const stranger = await connect({ servers: `127.0.0.1:${nats.port}` });
  const bucket = "KV_handshake-chat-handshake";
  const entry = "$KV.handshake-chat-handshake.ann";
  const deeds: readonly (() => unknown)[] = [
    () => stranger.request(`$JS.API.STREAM.PURGE.${bucket}`),
    () => stranger.request(`$JS.API.STREAM.DELETE.${bucket}`),
    () => stranger.request(entry, "garbage"),
    () => stranger.request(entry, "", { timeout: 5_000, headers: operation("DEL") }),
    () => stranger.request(entry, "", { timeout: 5_000, headers: operation("PURGE") }),
  ];
  for (const [index, deed] of deeds.entries()) {
    await deed();
    assert(await b.bus.claim(`name-${index}`, 1), "a new name is granted");
    b.say(`line ${index}`);
    await a.hears(`line ${index}`);
    // The name is back when it was renewed.
    await until("the name to be taken again", async () => {
      if (!await b.bus.claim("ann", 2)) return true;
      await until("the older claim to hold", () => b.lost.splice(0).includes("ann"));
      return false;
    });
  }
  await stranger.close();
  assertEquals([a.lost, a.links, b.links], [[], [], []]);
}, real);

/** The header with which the store of keys and values marks an entry that is gone. */
function operation(name: string): MsgHdrs {
  const marks = headers();
  marks.set("KV-Operation", name);
  return marks;
}

test("a flood of strangers holds up nobody, and makes no server send without end", async () => {
  await using nats = await NatsServer.start();
  const names = Array.from({ length: 1_000 }, (_, index) => `name-${index}`);
  await using a = await Member.join(nats.url, names);
  await using b = await Member.join(nats.url, ["bob"]);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, names)]);
  const stranger = await connect({ servers: `127.0.0.1:${nats.port}` });
  for (let index = 0; index < 20_000; index++) {
    const from = `evil-${index % 2_000}`;
    const packet = index % 2 === 0
      ? "x".repeat(index % 500)
      : JSON.stringify({ kind: "ask", from });
    stranger.publish("handshake-chat.handshake.all", packet);
    if (index % 1_000 === 0) await stranger.flush();
  }
  await stranger.close();
  b.say("still here");
  await a.hears("still here");
  assertEquals([a.links, b.links], [[], []]);
}, real);

test("with the permissions of the documents the chat can do all it does", async () => {
  const file = fileURLToPath(new URL("../../docs/nats-chat.conf", import.meta.url));
  await using nats = await NatsServer.start(["-c", file]);
  const url = `nats://chat:change-me@127.0.0.1:${nats.port}`;
  await using a = await Member.join(url, ["ann"]);
  await using b = await Member.join(url, ["bob"]);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  assert(await a.bus.claim("ann", 1));
  assert(!await b.bus.claim("ann", 2));
  a.bus.release("ann");
  assert(await b.bus.claim("ann", 3));
  a.bus.send(b.bus.server, { kind: "whisper", from: "ann", to: "bob", text: "psst" });
  await until("the whisper to come", () => b.messages.length === 1);
  const user = { user: "chat", pass: "change-me" };
  const thief = await connect({ servers: `127.0.0.1:${nats.port}`, ...user });
  const refused = thief.status()[Symbol.asyncIterator]().next();
  thief.publish("$JS.API.STREAM.DELETE.KV_handshake-chat-handshake");
  assertMatch(JSON.stringify(await refused), /PermissionViolationError/);
  await thief.close();
  assertEquals([a.links, b.links], [[], []]);
}, real);

test("a bus closes in good time, whatever NATS does", async () => {
  await using nats = await NatsServer.start();
  const options = { ...QUICK, timeoutMs: 2_000 };
  await using frozen = await Member.join(nats.url, [], options);
  await using cut = await Member.join(nats.url, [], options);
  assert(await frozen.bus.claim("ann", 1));
  await nats.freeze();
  await frozen.bus.close();
  await nats.stop();
  await linked(false, cut);
  await cut.bus.close();
  assertEquals([frozen.links, cut.links], [[], [false]]);
}, real);

test("what strangers publish is ignored, and harms nobody", async () => {
  await using nats = await NatsServer.start();
  await using a = await Member.join(nats.url, ["ann"]);
  await using b = await Member.join(nats.url, ["bob"]);
  assert(await a.bus.claim("ann", 5));
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  const stranger = await connect({ servers: `127.0.0.1:${nats.port}` });
  const { server } = b.bus;
  const say = { kind: "say", name: "ann", room: "lobby", text: "hi", action: false };
  const users = [{ name: "ann", room: "lobby", since: 0 }];
  const payloads: (string | Uint8Array)[] = [
    "",
    "null",
    "{",
    new Uint8Array([0xff, 0xfe]),
    "x".repeat(200_000),
    ...[
      { kind: "event", from: "evil", number: 1, event: { ...say, text: "\x1b[2J" } },
      { kind: "event", from: "evil", number: 1, event: { ...say, name: "server" } },
      { kind: "event", from: "e.>", number: 1, event: say },
      // These pose as another server. One number is too high, the other was heard before.
      { kind: "beat", from: server, number: Number.MAX_SAFE_INTEGER },
      { kind: "event", from: server, number: 0, event: { ...say, text: "old" } },
      { kind: "roster", from: "evil", number: 1, part: 5, parts: 9, users },
      // These claim a name that belongs to somebody else, as the bucket says.
      { kind: "roster", from: "evil", number: 1, part: 0, parts: 1, users },
      { kind: "taken", from: "evil", name: "ann" },
      { kind: "message", from: "evil", message: { kind: "whisper", from: "x", to: "y z" } },
      { kind: "ask", from: "evil" },
    ].map((value) => JSON.stringify(value)),
  ];
  for (const payload of payloads) {
    for (const subject of ["all", `to.${a.bus.server}`]) {
      stranger.publish(`handshake-chat.handshake.${subject}`, payload);
    }
  }
  await stranger.flush();
  await stranger.close();
  b.say("still here");
  await a.hears("still here");
  assertEquals([a.events, a.messages, a.lost], [["still here"], [], []]);
  await Promise.all([a.knows(b, ["bob"]), b.knows(a, ["ann"])]);
  await until("the impostor to be gone", () => !a.others.has("evil"));
  assertEquals([a.links, b.links], [[], []]);
  assert(a.bus.details.includes(`packets ignored: ${2 * 9}`), a.bus.details.join());
}, real);

test("a NATS server that wants a password gets it, and nobody else learns it", async () => {
  await using nats = await NatsServer.start(["-js", "--user", "u", "--pass", "s3cret"]);
  const url = `nats://u:s3cret@127.0.0.1:${nats.port}/work`;
  await using a = await Member.join(url);
  assertEquals(a.bus.details[0], `nats://127.0.0.1:${nats.port}/work`);
  const error = await assertRejects(() => openNatsBus(url.replace("s3cret", "s4cret")), BusError);
  assertEquals(
    error.message,
    `Cannot use the bus nats://127.0.0.1:${nats.port}/work: the server refuses this user: ` +
      "give the right one, as in nats://USER:PASSWORD@HOST",
  );
}, real);

test("a client that is refused and reset at once is told why, and nothing else ends", async () => {
  await using nats = await NatsServer.start(["-js", "--user", "u", "--pass", "s3cret"]);
  const url = `nats://u:wrong@127.0.0.1:${nats.port}`;
  // It is a matter of luck whether the reset comes before the refusal has been read.
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 10 }, async () => {
      const error = await assertRejects(() => openNatsBus(url), BusError);
      assertMatch(error.message, /the server refuses this user|reset/);
    }));
  }
}, real);

test("without JetStream the start stops with one sentence", async () => {
  await using nats = await NatsServer.start([]);
  const error = await assertRejects(() => openNatsBus(nats.url), BusError);
  assertEquals(
    error.message,
    `Cannot use the bus ${nats.url}/handshake: the server has no JetStream: ` +
      "start it with nats-server -js",
  );
}, real);

test("a bus that is missing, or is something else, is reported in one sentence", async () => {
  const listener = await listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.address;
  const url = `nats://127.0.0.1:${port}`;
  const why = async (url: string) => {
    const error = await assertRejects(() => openNatsBus(url, { timeoutMs: 300 }), BusError);
    return error.message.replace(`Cannot use the bus ${url}/handshake: `, "");
  };
  assertEquals(await why(url), "no answer within 300 ms: is a NATS server there?");
  const answering = (async () => {
    for await (const connection of listener) {
      // The first one is the connection from above, which nobody has accepted yet.
      await connection.write(new TextEncoder().encode("220 mail\r\n")).catch(() => {});
      connection.close();
    }
  })();
  assertEquals(await why(url), "this is no NATS server");
  await listener[Symbol.asyncDispose]();
  await answering;
  const unused = await listen({ hostname: "127.0.0.1", port: 0 });
  await unused[Symbol.asyncDispose]();
  assertEquals(
    await why(`nats://127.0.0.1:${unused.address.port}`),
    "connection refused (ECONNREFUSED): is nats-server running there?",
  );
  assertEquals(await why("nats://no-such-host.invalid:4222"), "there is no such host");
});
