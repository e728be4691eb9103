/**
 * Connections that linger: when they are closed and by whom, over real sockets, with small limits.
 *
 * @module
 */

import { BlockingDriver } from "../../engine/drivers/blocking.ts";
import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { LINGER_LIMITS, type LingerLimits, lingerLimits } from "../../engine/drivers/limits.ts";
import { LingerSet } from "../../engine/drivers/linger.ts";
import { Session } from "../../engine/drivers/session.ts";
import type { Listener } from "../../engine/net/listener.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { listen } from "../../engine/net/tcp.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { DescriptorLingerer } from "../../engine/server/team/lingerer.ts";
import { LingerQueue } from "../../engine/server/team/linger_queue.ts";
import { DescriptorSlot, SLOT_WORDS } from "../../engine/server/team/descriptor_slot.ts";
import { type Protocol, READ } from "../../protocol.ts";
import { assert, assertEquals, delay, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";

const skip = whyNoSockets();

/** Limits that no test reaches by accident. */
const PATIENT: LingerLimits = { totalMs: 60_000, silenceMs: 60_000, most: 16 };

/** Accepts connections and lets them linger. */
interface Bench extends AsyncDisposable {
  /** How many connections linger. */
  readonly size: number;
  /** Makes a connection that lingers. Returns its peer. */
  linger(): Promise<Peer>;
  /** Closes all of them. */
  close(): void;
  empty(): Promise<void>;
}

async function benchOfConnections(limits: LingerLimits): Promise<Bench> {
  const listener: Listener = await listen({ hostname: "127.0.0.1", port: 0 });
  const deadlines = new TimedDeadlines();
  const set = new LingerSet(deadlines, limits);
  return {
    get size() {
      return set.size;
    },
    async linger() {
      const [peer, { value }] = await Promise.all([
        Peer.connect(listener.address),
        listener.next(),
      ]);
      set.add(value as Connection);
      return peer;
    },
    close: () => set.close(),
    empty: () => set.empty(),
    async [Symbol.asyncDispose]() {
      set.close();
      deadlines[Symbol.dispose]();
      listener.close();
      // On Deno, a pending read of a connection ends a moment after the connection is closed.
      await delay(0);
    },
  };
}

function benchOfDescriptors(limits: LingerLimits): Promise<Bench> {
  const net = sockets();
  const fd = net.openListener({ hostname: "127.0.0.1", port: 0 });
  const queue = LingerQueue.create();
  const lingerer = new DescriptorLingerer(queue, net, limits);
  return Promise.resolve({
    get size() {
      return lingerer.size;
    },
    async linger() {
      const peer = await Peer.connect(net.localAddress(fd));
      const before = lingerer.size;
      assert(queue.put(net.accept(fd)));
      if (queue.mustCall()) lingerer.wake();
      // At the limit, the oldest one makes room.
      const after = Math.min(before + 1, limits.most);
      await until("the descriptor to be taken", () => queue.isEmpty && lingerer.size === after);
      return peer;
    },
    close: () => lingerer.close(),
    empty: () => lingerer.empty(),
    async [Symbol.asyncDispose]() {
      lingerer.close();
      await lingerer.empty();
      net.close(fd);
    },
  });
}

const BENCHES: readonly [string, (limits: LingerLimits) => Promise<Bench>, string | undefined][] = [
  ["connection", benchOfConnections, undefined],
  ["descriptor", benchOfDescriptors, skip],
];

/** Waits until this many connections linger. */
function lingers(bench: Bench, count: number): Promise<void> {
  return until(`${count} to linger`, () => bench.size === count);
}

for (const [what, open, skip] of BENCHES) {
  const check = (name: string, body: () => Promise<void>) =>
    test(`a lingering ${what} ${name}`, body, { skip, sanitize: false });

  check("is closed at once when its peer sends FIN, with or without bytes before", async () => {
    await using bench = await open(PATIENT);
    await using silent = await bench.linger();
    await using talking = await bench.linger();
    await talking.send("x".repeat(200_000));
    talking.finish();
    assertEquals(await talking.rest(), "");
    await lingers(bench, 1);
    silent.finish();
    await bench.empty();
  });

  check("is closed when its peer resets it", async () => {
    await using bench = await open(PATIENT);
    await using peer = await bench.linger();
    peer.reset();
    await bench.empty();
  });

  check(
    "of a silent peer is closed soon when the server closes, but not while bytes come",
    async () => {
      await using bench = await open(PATIENT);
      await using silent = await bench.linger();
      await using talking = await bench.linger();
      const sending = setInterval(() => void talking.send("x"), 20);
      const emptied = bench.empty();
      assertEquals(await silent.rest(), "");
      await lingers(bench, 1);
      clearInterval(sending);
      talking.finish();
      await emptied;
    },
  );

  check("is closed after a time without a byte, and stays open while bytes come", async () => {
    await using bench = await open({ ...PATIENT, silenceMs: 1_500 });
    await using silent = await bench.linger();
    await using talking = await bench.linger();
    const over = silent.rest();
    let isOver = false;
    void over.then(() => isOver = true);
    for (let byte = 0; !isOver; byte++) {
      await talking.send("x");
      await delay(20);
    }
    await talking.send("x");
    assertEquals(bench.size, 1, "it talks");
    await bench.empty();
    assertEquals(await talking.rest(), "");
  });

  check("is closed after the total time, however much its peer sends", async () => {
    await using bench = await open({ ...PATIENT, totalMs: 300 });
    await using peer = await bench.linger();
    while (!peer.isBroken) {
      peer.post("x".repeat(10_000));
      await delay(5);
    }
    assertEquals(bench.size, 0);
  });

  check("does not keep others from being closed while its peer floods", async () => {
    await using bench = await open(PATIENT);
    await using flood = await bench.linger();
    let isOver = false;
    const flooding = (async () => {
      while (!isOver) await flood.send("f".repeat(100_000));
    })();
    for (let count = 0; count < 5; count++) {
      await using peer = await bench.linger();
      peer.finish();
      assertEquals(await peer.rest(), "");
      await lingers(bench, 1);
    }
    isOver = true;
    await flooding;
    flood.finish();
    await bench.empty();
  });

  check("is closed when too many linger, the oldest first", async () => {
    await using bench = await open({ ...PATIENT, most: 3 });
    const peers: Peer[] = [];
    for (let count = 0; count < 3; count++) peers.push(await bench.linger());
    for (const oldest of [...peers]) {
      peers.push(await bench.linger());
      assertEquals(await oldest.rest(), "");
      assertEquals(bench.size, 3);
      assertEquals(peers.slice(-3).map(({ isBroken }) => isBroken), [false, false, false]);
    }
    for (const peer of peers) await peer[Symbol.asyncDispose]();
  });

  check("is closed when all are closed, and so is one that comes later", async () => {
    await using bench = await open(PATIENT);
    await using first = await bench.linger();
    await using second = await bench.linger();
    bench.close();
    assertEquals([await first.rest(), await second.rest()], ["", ""]);
    await bench.empty();
  });
}

test("1,024 connections may linger, or as many as a quarter of the descriptors", () => {
  assertEquals(LINGER_LIMITS, { totalMs: 30_000, silenceMs: 5_000, most: 1_024 });
  assertEquals(lingerLimits(Infinity), LINGER_LIMITS);
  assertEquals([lingerLimits(20_000), lingerLimits(256), lingerLimits(1)].map(({ most }) => most), [
    1_024,
    64,
    1,
  ]);
});

// How a thread gives a descriptor away.

test("a queue for lingering descriptors takes 1,024 of them, and asks for one wake-up", () => {
  const queue = LingerQueue.create();
  const [producer, other] = [new LingerQueue(queue.memory), new LingerQueue(queue.memory)];
  assertEquals(queue.take(), []);
  assert(producer.put(0) && other.put(7));
  assertEquals([producer.mustCall(), other.mustCall()], [true, false]);
  assertEquals(queue.take().sort(), [0, 7]);
  assertEquals(queue.isEmpty, true);
  queue.rest();
  assertEquals([other.mustCall(), producer.mustCall()], [true, false]);
  for (let fd = 0; fd < 1_024; fd++) assert((fd % 2 ? producer : other).put(fd));
  assertEquals(producer.put(1_024), false, "it is full");
  assertEquals(queue.take().sort((a, b) => a - b), Array.from({ length: 1_024 }, (_, fd) => fd));
  assert(producer.put(1_024));
  assertEquals(queue.take(), [1_024]);
});

test("a descriptor that was given away cannot be cut or closed through its slot", () => {
  const slot = new DescriptorSlot(new Int32Array(new SharedArrayBuffer(SLOT_WORDS * 4)));
  const never = {
    close: () => assert(false, "it is closed"),
    shutdown: () => assert(false, "it is shut down"),
  } as unknown as Sockets;
  slot.own(57);
  assertEquals(slot.release(), 57);
  assertEquals([slot.cut(never), slot.reclaim(never)], [false, false]);
  assertEquals(slot.release(), -1);
});

const NO_LIMITS = { readTimeoutMs: 0, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

// Which connections linger: the same table for both drivers.

/** More than the peer's kernel takes while the peer does not read. */
const MUCH = 1_000_000;

function* says(...steps: ("read" | "write" | "write much" | "fail" | "wait")[]): Protocol {
  for (const step of steps) {
    if (step === "read") yield READ;
    else if (step === "wait") yield { kind: "read", withinMs: 0 };
    else if (step === "write") yield { kind: "write", bytes: new Uint8Array(3) };
    else if (step === "write much") yield { kind: "write", bytes: new Uint8Array(MUCH) };
    else throw new Error("asked to fail");
  }
}

/** What the peer sends first, what the server does then, and whether the connection lingers. */
const CASES: readonly {
  readonly what: string;
  readonly steps: Parameters<typeof says>;
  readonly peer: string;
  readonly fin?: boolean;
  readonly lingers: boolean;
  /** The calls that a blocking driver makes to decide that. */
  readonly calls: readonly string[];
}[] = [
  { what: "nothing was written", steps: ["read"], peer: "x", lingers: false, calls: [] },
  {
    what: "the conversation failed and nothing was written",
    steps: ["read", "fail"],
    peer: "x",
    lingers: false,
    calls: [],
  },
  {
    what: "FIN was read",
    steps: ["read", "write", "read"],
    peer: "x",
    fin: true,
    lingers: false,
    calls: [],
  },
  {
    what: "FIN was read before the last write",
    steps: ["read", "read", "write", "fail"],
    peer: "x",
    fin: true,
    lingers: false,
    calls: [],
  },
  {
    what: "the server wrote last",
    steps: ["read", "write"],
    peer: "x",
    lingers: true,
    calls: ["poll"],
  },
  {
    what: "the server waited in vain after its last write",
    steps: ["read", "write", "wait"],
    peer: "x",
    lingers: true,
    calls: ["poll"],
  },
  {
    what: "the peer sent the last bytes",
    steps: ["write", "read"],
    peer: "x",
    lingers: false,
    calls: ["poll", "unacknowledged"],
  },
  {
    what: "the peer sent the last bytes and has yet to take what was written",
    steps: ["write much", "read"],
    peer: "x",
    lingers: true,
    calls: ["poll", "unacknowledged"],
  },
  {
    what: "the peer sent the last bytes and the conversation failed",
    steps: ["write", "read", "fail"],
    peer: "x",
    lingers: true,
    calls: ["poll"],
  },
  {
    what: "the peer sent more bytes than the conversation read",
    steps: ["write", "read"],
    // More bytes than one read takes.
    peer: "x".repeat(200_000),
    lingers: true,
    calls: ["poll", "recv"],
  },
];

for (const { what, steps, peer: text, fin = false, lingers, calls } of CASES) {
  const verdict = lingers ? "lets the connection linger" : "closes at once";

  test(`the blocking driver ${verdict} when ${what}`, async () => {
    const net = sockets();
    const listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
    await using peer = await Peer.connect(net.localAddress(listener));
    const fd = net.accept(listener);
    await peer.send(text);
    if (fin) peer.finish();
    await arrived(net, fd, text.length, fin);
    const { made, calls: watched } = watch(net);
    const driver = new BlockingDriver(watched, { ...NO_LIMITS, receiveTimeoutMs: 0 });
    let hasFailed = false;
    try {
      driver.converse(fd, says(...steps));
    } catch {
      hasFailed = true;
    }
    // The peer's kernel may acknowledge a few bytes a moment later than it has taken them.
    const isTaken = () => net.unacknowledged(fd) === 0;
    if (!steps.includes("write much")) await until("the peer's kernel to take all", isTaken);
    made.length = 0;
    assertEquals(driver.mustLinger(hasFailed), lingers);
    assertEquals(made, calls);
    if (lingers) {
      net.shutdown(fd, net.constants.SHUT_WR);
      await peer.rest();
    }
    net.close(fd);
    net.close(listener);
  }, { skip, sanitize: false });

  test(`the event-driven driver ${verdict} when ${what}`, async () => {
    await using listener = await listen({ hostname: "127.0.0.1", port: 0 });
    using deadlines = new TimedDeadlines();
    const [peer, { value }] = await Promise.all([Peer.connect(listener.address), listener.next()]);
    await using _peer = peer;
    await peer.send(text);
    if (fin) peer.finish();
    // Bun receives by itself, and needs some turns of the event loop for that.
    for (let turn = 0; turn < 10; turn++) await delay(2);
    const lingering: Connection[] = [];
    const lingerer = { add: (connection: Connection) => void lingering.push(connection) };
    const options = { ...NO_LIMITS, deadlines, lingerer };
    await new Promise<void>((resolve) => {
      new Session(value as Connection, says(...steps), options, () => resolve()).start();
    });
    assertEquals(lingering.length, lingers ? 1 : 0);
    // The server sends FIN in either case.
    if (text.length < 100) await peer.rest();
    for (const connection of lingering) connection.close();
    await delay(0);
  }, { sanitize: false });
}

for (const how of ["FIN", "a reset"] as const) {
  test(`the blocking driver closes at once when ${how} has come unread`, async () => {
    const net = sockets();
    const { POLLIN, POLLHUP, POLLERR } = net.constants;
    const listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
    await using peer = await Peer.connect(net.localAddress(listener));
    const fd = net.accept(listener);
    const { made, calls } = watch(net);
    const driver = new BlockingDriver(calls, { ...NO_LIMITS, receiveTimeoutMs: 0 });
    driver.converse(fd, says("write"));
    assertEquals(await peer.take(3), "\0\0\0");
    if (how === "FIN") peer.finish();
    else peer.reset();
    await until(
      `${how} to come`,
      () => (net.poll(fd, POLLIN, 0) & (POLLIN | POLLHUP | POLLERR)) > 0,
    );
    made.length = 0;
    assertEquals(driver.mustLinger(false), false);
    assertEquals(made, how === "FIN" ? ["poll", "recv"] : ["poll"]);
    net.close(fd);
    net.close(listener);
  }, { skip, sanitize: false });
}

/** Wraps the real calls and records the names of those that were made. */
function watch(net: Sockets): { readonly made: string[]; readonly calls: Sockets } {
  const made: string[] = [];
  const calls = new Proxy(net, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        made.push(String(name));
        return value.apply(target, given);
      };
    },
  });
  return { made, calls };
}

/** Waits until the peer's bytes can be received. */
async function arrived(net: Sockets, fd: number, count: number, fin: boolean): Promise<void> {
  const { MSG_DONTWAIT, MSG_PEEK, POLLRDHUP } = net.constants;
  const buffer = new Uint8Array(count);
  // If there are very many bytes, it waits only for more than one read takes.
  const enough = Math.min(count, 100_000);
  await until("the bytes", () => net.recv(fd, buffer, MSG_DONTWAIT | MSG_PEEK) >= enough);
  if (fin && POLLRDHUP !== 0) await until("FIN", () => net.poll(fd, POLLRDHUP, 0) > 0);
}
