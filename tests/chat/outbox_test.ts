/**
 * The outgoing half of a visitor's connection, over real connections. A visitor who reads slowly
 * holds up nobody, costs a bounded amount of memory, and learns what they have missed.
 *
 * @module
 */

import fc from "fast-check";
import { type OutboxLimits, watchWrites } from "../../chat/host/outbox.ts";
import { Rounds } from "../../chat/host/rounds.ts";
import { GRACE_MS, VisitorConnection } from "../../chat/host/visitor_connection.ts";
import { missed } from "../../chat/talk/notices.ts";
import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { LingerSet } from "../../engine/drivers/linger.ts";
import { type EventLoop, THIS_LOOP } from "../../engine/drivers/event_loop.ts";
import { SendQueueLooks } from "../../engine/drivers/send_queue_looks.ts";
import type { SendQueues } from "../../engine/drivers/write_watch.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import type { Listener } from "../../engine/net/listener.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { connect, listen } from "../../engine/net/tcp.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { encodeLine, SlowReaderError } from "../../protocol.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  delay,
  test,
  until,
  within,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";

const live = { timeoutMs: 60_000 };

/** Why nobody can say what the kernel has and a peer has not. */
const whyNoQueues = whyNoSockets() ??
  (runtime.os === "linux" ? undefined : `${runtime.os} does not tell its send queues`);

/** No limits. */
const UNLIMITED: OutboxLimits = { outboxBytes: 0, writeTimeoutMs: 0, slow: "disconnect" };

/** What one line counts for on top of its bytes. */
const LINE_BYTES = 64;

/** More bytes than the kernel takes for a peer that does not read, including dropped lines. */
const PLENTY = 64 * 1024 * 1024;

/** A visitor's connection on the server's side. */
class Served implements AsyncDisposable {
  readonly visitor: VisitorConnection;
  readonly counts = { dropped: 0 };
  /** The reports that the visitor is slow. */
  readonly slow: SlowReaderError[] = [];
  /** The reports that the connection is closed: true if it was cut. */
  readonly closed: boolean[] = [];
  /** What was read. */
  readonly read: (string | null)[] = [];
  readonly errors: Error[] = [];
  /** What was thrown at limits that were reached. */
  readonly thrown: unknown[] = [];
  /** Fails as often as this says. */
  failures = 0;
  readonly #loop: EventLoop = {
    ...THIS_LOOP,
    after: (ms, work) => THIS_LOOP.after(ms, () => this.#try(work)),
  };
  readonly #deadlines = new TimedDeadlines({ loop: this.#loop });
  readonly #lingering = new LingerSet(this.#deadlines);
  readonly #listener: Listener;
  #sent = 0;

  private constructor(listener: Listener, connection: Connection, limits: OutboxLimits) {
    this.#listener = listener;
    const looks = new SendQueueLooks(this.#deadlines, limits.writeTimeoutMs, GRACE_MS);
    const queues: SendQueues = {
      read: () => {
        if (this.failures-- > 0) throw new Error("cannot be read");
        return looks.read();
      },
    };
    const parts = {
      deadlines: this.#deadlines,
      rounds: new Rounds(),
      lingerer: this.#lingering,
      outbox: limits,
      counts: this.counts,
      queues,
    };
    const writeWatch = watchWrites(parts, this.#deadlines);
    this.visitor = new VisitorConnection(connection, { ...parts, writeWatch }, {
      onSlow: (error) => void this.slow.push(error),
      onParting() {},
      onClosed: (isCut) => void this.closed.push(isCut),
    });
  }

  /** @param limits the limits of the outbox @param dial connects to the address that it is given */
  static async open<Client>(
    limits: OutboxLimits,
    dial: (address: Listener["address"]) => Promise<Client>,
  ): Promise<{ served: Served; client: Client }> {
    const listener = await listen({ hostname: "127.0.0.1", port: 0 });
    const [client, { value }] = await Promise.all([dial(listener.address), listener.next()]);
    return { client, served: new Served(listener, value as Connection, limits) };
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.thrown.push(error);
    }
  }

  get bytes(): number {
    return this.visitor.outbox.bytes;
  }

  /** How many lines have been handed to the outbox. */
  get sent(): number {
    return this.#sent;
  }

  /** Hands numbered lines of this size, in bytes, to the outbox. */
  hear(count: number, size: number): void {
    for (let index = 0; index < count; index++) {
      const number = `${this.#sent++} `;
      this.visitor.outbox.hear(encodeLine(number + ".".repeat(Math.max(0, size - number.length))));
    }
  }

  /** Hands lines to the outbox, a few at a time, until the condition holds. */
  async hearUntil(holds: () => boolean, size = 4_000): Promise<void> {
    for (let bytes = 0; !holds(); bytes += 4 * size) {
      assert(bytes < PLENTY, "the kernel takes no more");
      this.hear(4, size);
      await delay(0);
    }
  }

  /** Hands lines to the outbox until the peer's kernel takes nothing more. */
  async stuff(size = 4_000): Promise<void> {
    for (let bytes = 0;; bytes += 16 * size) {
      assert(bytes < PLENTY, "the kernel takes no more");
      this.hear(16, size);
      for (let turn = 0; turn < 20 && this.bytes > 0; turn++) await delay(turn);
      if (this.bytes > 0) return;
    }
  }

  /** Reads, as a conversation does. */
  listen(): void {
    const sink = {
      onRead: (chunk: Uint8Array | null) =>
        this.read.push(chunk && new TextDecoder().decode(chunk)),
      onWritten: () => {},
      onError: (error: Error) => this.errors.push(error),
    };
    const pulled = this.visitor.pull(sink);
    if (pulled !== undefined) sink.onRead(pulled);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.visitor.cut();
    assertEquals(this.thrown.filter((error) => !/cannot be read/.test(String(error))), []);
    this.#lingering.close();
    this.#deadlines[Symbol.dispose]();
    this.#listener.close();
    // On Deno, pending calls on a connection end a moment after it is closed.
    await delay(0);
  }
}

/** A client that reads only when it is told to, and counts the lines. */
class Reader {
  readonly #connection: Connection;
  readonly #decoder = new TextDecoder();
  #text = "";
  #allowance = 0;
  #allowed = Promise.withResolvers<void>();
  /** Resolves at the server's FIN, and rejects at a reset. */
  readonly over: Promise<void>;
  /** The lines that came. */
  readonly lines: string[] = [];

  constructor(connection: Connection) {
    this.#connection = connection;
    this.over = this.#read();
    this.over.catch(() => {});
  }

  /** Reads on, for about this many bytes. */
  allow(bytes: number): void {
    this.#allowance += bytes;
    this.#allowed.resolve();
  }

  /** Reads so many bytes a second, however late it is woken, until something holds. */
  async sip(bytesPerSecond: number, holds: () => boolean): Promise<void> {
    const begin = performance.now();
    for (let allowed = 0; !holds(); await delay(50)) {
      const due = Math.floor((performance.now() - begin) / 1000 * bytesPerSecond);
      this.allow(due - allowed);
      allowed = due;
    }
  }

  /** Reads to the end. Asserts that each line either came, in order, or was reported as missed. */
  async count(): Promise<{ lines: number; missed: number }> {
    this.allow(Infinity);
    await within(20_000, "the server's FIN", this.over);
    assertEquals(this.#text, "", "whole lines only");
    let [next, missedLines] = [0, 0];
    for (const line of this.lines) {
      const [, count] = /^\* you missed (\d+) lines?$/.exec(line) ?? [];
      if (count === undefined) assertEquals(Number.parseInt(line), next++);
      else {
        assertEquals(line, missed(Number(count)));
        next += Number(count);
        missedLines += Number(count);
      }
    }
    return { lines: next, missed: missedLines };
  }

  async #read(): Promise<void> {
    for (;;) {
      while (this.#allowance <= 0) {
        await this.#allowed.promise;
        this.#allowed = Promise.withResolvers();
      }
      const chunk = await this.#connection.read();
      if (chunk === null) return;
      this.#allowance -= chunk.length;
      const lines = (this.#text + this.#decoder.decode(chunk, { stream: true })).split("\n");
      this.#text = lines.pop() as string;
      this.lines.push(...lines);
    }
  }
}

/** A client of whom the kernel hears in steps: it reads some bytes at a time, with a usual buffer. */
class Sipper implements Disposable {
  readonly #net = sockets();
  readonly #buffer = new Uint8Array(16 * 1024);
  #fd = -1;
  /** How many bytes it has read. */
  read = 0;

  connect(address: Listener["address"]): Promise<void> {
    const { SOCK_STREAM, SOL_SOCKET, SO_RCVBUF } = this.#net.constants;
    this.#fd = this.#net.socket(this.#net.familyOf(address), SOCK_STREAM);
    // Linux takes twice of it: what connections begin with (`tcp_rmem`), and here it does not grow.
    this.#net.setOption(this.#fd, SOL_SOCKET, SO_RCVBUF, 64 * 1024);
    this.#net.connect(this.#fd, address);
    return Promise.resolve();
  }

  /** Reads so many bytes a second, however late it is woken, until something holds. */
  async sip(bytesPerSecond: number, holds: () => boolean): Promise<void> {
    const begin = performance.now();
    const { MSG_DONTWAIT } = this.#net.constants;
    for (let due = 0; !holds(); await delay(20)) {
      due = Math.floor((performance.now() - begin) / 1000 * bytesPerSecond);
      for (let left = due - this.read; left > 0;) {
        const piece = this.#buffer.subarray(0, Math.min(left, this.#buffer.length));
        const count = this.#net.recv(this.#fd, piece, MSG_DONTWAIT);
        if (count <= 0) break;
        this.read += count;
        left -= count;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#net.close(this.#fd);
  }
}

test("lines go out whole and in order, however many are said at once", async () => {
  const { served, client } = await Served.open(UNLIMITED, connect);
  await using _ = served;
  await using _client = client;
  const reader = new Reader(client);
  reader.allow(Infinity);
  for (const [count, size] of [[1, 10], [5_000, 20], [1, 100_000], [300, 3_000]] as const) {
    served.hear(count, size);
    await delay(0);
  }
  await until("all is sent", () => served.bytes === 0);
  served.visitor.close();
  assertEquals(await reader.count(), { lines: served.sent, missed: 0 });
  client.close();
  await until("the end", () => served.closed.length > 0);
  assertEquals([served.closed, served.slow], [[false], []]);
}, live);

test("a visitor who does not read is disconnected before more waits than the limit", async () => {
  for (const outboxBytes of [16 * 1024, 256 * 1024]) {
    const { served, client } = await Served.open({ ...UNLIMITED, outboxBytes }, connect);
    await using _ = served;
    await using _client = client;
    let most = 0;
    await served.hearUntil(() => {
      most = Math.max(most, served.bytes);
      return served.slow.length > 0;
    });
    assert(most > outboxBytes / 2 && most <= outboxBytes, `${most} bytes`);
    assertInstanceOf(served.slow[0], SlowReaderError);
    assertEquals(served.slow[0].message, `Reads too slowly: ${outboxBytes} bytes wait`);
    // Nothing more is taken, and everything is reported once.
    served.hear(1_000, 4_000);
    await delay(0);
    assertEquals([served.bytes, served.slow.length, served.closed], [0, 1, [false]]);
    assertEquals(served.counts.dropped, 0);
    // The peer reads what the kernel still has, and then the end.
    const reader = new Reader(client);
    reader.allow(Infinity);
    await within(20_000, "the end", reader.over.catch(() => {}));
  }
}, live);

test("a visitor who reads nothing for too long is disconnected, however little waits", async () => {
  const { served, client } = await Served.open({ ...UNLIMITED, writeTimeoutMs: 1_000 }, connect);
  await using _ = served;
  await using _client = client;
  await served.hearUntil(() => served.bytes > 100_000);
  await until("the visitor to count as slow", () => served.slow.length > 0);
  assertEquals(served.slow[0]?.message, "Reads too slowly: nothing was taken for 1000 ms");
  assertEquals([served.closed, served.bytes], [[false], 0]);
}, live);

test("a visitor who reads 300 KB/s may take longer for one write than its limit", async () => {
  const { served, client } = await Served.open({ ...UNLIMITED, writeTimeoutMs: 3_000 }, connect);
  await using _ = served;
  await using _client = client;
  await served.hearUntil(() => served.bytes > 100_000);
  const reader = new Reader(client);
  // The kernel takes more when a third of its megabytes was read.
  await reader.sip(300_000, () => served.bytes === 0 || served.slow.length > 0);
  served.visitor.close();
  assertEquals(await reader.count(), { lines: served.sent, missed: 0 });
  assertEquals(served.slow, []);
}, live);

test(
  "a visitor who reads 80 KB/s with a limit of 2 s is not cut: a step of 127 KB takes 1.6 s",
  async () => {
    const sipper = new Sipper();
    const limits = { ...UNLIMITED, writeTimeoutMs: 2_000 };
    const { served } = await Served.open(limits, (address) => sipper.connect(address));
    await using _ = served;
    using _sipper = sipper;
    await served.hearUntil(() => served.bytes > 100_000);
    const { writes } = served.visitor.outbox;
    // One write waits for three times its limit.
    await sipper.sip(80_000, () => sipper.read > 500_000 || served.slow.length > 0);
    assertEquals([served.slow, served.visitor.outbox.writes], [[], writes]);
  },
  { ...live, skip: whyNoQueues },
);

test("where lines are dropped nobody is disconnected, and the outbox stays full", async () => {
  const outboxBytes = 64 * 1024;
  const limits = { outboxBytes, writeTimeoutMs: 50, slow: "drop" } as const;
  const { served, client } = await Served.open(limits, connect);
  await using _ = served;
  await using _client = client;
  await served.stuff();
  for (let turn = 0; turn < 200; turn++) {
    served.hear(10, 1_000);
    assert(served.bytes <= outboxBytes, `${served.bytes} bytes`);
  }
  assert(served.bytes > outboxBytes - 2 * (1_000 + LINE_BYTES), `${served.bytes} bytes`);
  await delay(150);
  assertEquals([served.slow, served.closed], [[], []]);
  const { dropped } = served.counts;
  assert(dropped > 1_900);
  const reader = new Reader(client);
  reader.allow(Infinity);
  await until("all is sent", () => served.bytes === 0);
  served.hear(3, 100);
  served.visitor.close();
  assertEquals(await reader.count(), { lines: served.sent, missed: dropped });
  assertEquals(served.counts.dropped, dropped);
  // There is one gap, and it is reported once, in its place.
  assertEquals(reader.lines.filter((line) => line.startsWith("*")), [missed(dropped)]);
}, live);

test("a visitor who missed everything is told so, even if nobody says anything more", async () => {
  const limits = { outboxBytes: 16 * 1024, writeTimeoutMs: 0, slow: "drop" } as const;
  const { served, client } = await Served.open(limits, connect);
  await using _ = served;
  await using _client = client;
  await served.stuff();
  // There is no room for these lines, and they leave none for the lines before them.
  const before = served.counts.dropped;
  served.hear(5, 16 * 1024);
  assert(served.counts.dropped >= before + 5);
  const reader = new Reader(client);
  reader.allow(Infinity);
  await until("the notice", () => /^\* you missed/.test(reader.lines.at(-1) ?? ""));
  served.visitor.close();
  assertEquals(await reader.count(), { lines: served.sent, missed: served.counts.dropped });
}, live);

test("what came and what was missed add up to what was sent, however it was read", async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("say" as const),
      count: fc.integer({ min: 1, max: 300 }),
      size: fc.constantFrom(1, 20, 1_000, 3_100, 15_000),
    }),
    fc.record({ kind: fc.constant("read" as const), bytes: fc.nat({ max: 3_000_000 }) }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant("stuff" as const) }),
  );
  const outbox = fc.constantFrom(16 * 1024, 50_000, 256 * 1024);
  type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;
  const steps = fc.array(step, { minLength: 1, maxLength: 25, size: "max" });
  const run = async (outboxBytes: number, steps: readonly Step[]) => {
    const limits = { outboxBytes, writeTimeoutMs: 100, slow: "drop" } as const;
    const { served, client } = await Served.open(limits, connect);
    await using _ = served;
    await using _client = client;
    const reader = new Reader(client);
    for (const step of steps) {
      if (step.kind === "say") served.hear(step.count, step.size);
      else if (step.kind === "read") reader.allow(step.bytes);
      else if (step.kind === "wait") await delay(step.ms);
      else for (let turn = 0; turn < 50; turn++, await delay(0)) served.hear(20, 3_100);
      assert(served.bytes <= outboxBytes, `${served.bytes} bytes`);
    }
    served.visitor.close();
    // A line that comes too late is not sent.
    served.visitor.outbox.hear(encodeLine("* too late"));
    assertEquals(await reader.count(), { lines: served.sent, missed: served.counts.dropped });
    assertEquals([served.slow, served.errors], [[], []]);
  };
  await fc.assert(fc.asyncProperty(outbox, steps, run), { numRuns: 25, endOnFailure: true });
}, live);

test("closing sends what waits and FIN, even if the visitor has sent unread bytes", async () => {
  const { served, client } = await Served.open(UNLIMITED, connect);
  await using _ = served;
  await using _client = client;
  await within(5_000, "the client's bytes to go", client.write(new Uint8Array(40_000)));
  await served.stuff();
  served.hear(100, 3_000);
  served.visitor.outbox.hear(encodeLine(`${served.sent} goodbye`));
  served.visitor.close();
  served.visitor.close();
  // The last line stays the last: this one is not taken any more.
  served.visitor.outbox.hear(encodeLine("* server is shutting down in 5 s"));
  const reader = new Reader(client);
  assertEquals(await reader.count(), { lines: served.sent + 1, missed: 0 });
  client.close();
  await until("the end", () => served.closed.length > 0);
  assertEquals([served.closed, served.slow], [[false], []]);
}, live);

test("a visitor who reads slowly but steadily gets the time for the last lines", async () => {
  const { served, client } = await Served.open(UNLIMITED, connect);
  await using _ = served;
  await using _client = client;
  await served.stuff();
  // More than all buffers on the way grow to meanwhile.
  served.hear(2_700, 3_000);
  served.visitor.close();
  const reader = new Reader(client);
  await reader.sip(2_000_000, () => served.closed.length > 0);
  assertEquals(await reader.count(), { lines: served.sent, missed: 0 });
  assertEquals([served.closed, served.slow], [[false], []]);
}, live);

test("lines that were given up at the very end do not pass for lines that were sent", async () => {
  const { served, client } = await Served.open({ ...UNLIMITED, outboxBytes: 16 * 1024 }, connect);
  await using _ = served;
  await using _client = client;
  // More than the limit, in the same turn in which the conversation ends.
  served.hear(40, 500);
  served.visitor.close();
  await until("the end", () => served.closed.length > 0);
  assertEquals([served.closed, served.slow], [[true], []]);
}, live);

test("a visitor who does not read the last lines is cut, and that is reported", async () => {
  const { served, client } = await Served.open(UNLIMITED, connect);
  await using _ = served;
  await using _client = client;
  await served.stuff();
  served.visitor.close();
  assertEquals(served.closed, []);
  await until("the visitor to be cut", () => served.closed.length > 0);
  assertEquals([served.closed, served.slow, served.bytes], [[true], [], 0]);
}, live);

test("a visitor who does not read the last lines is cut, also after looks that fail", async () => {
  const { served, client } = await Served.open(UNLIMITED, connect);
  await using _ = served;
  await using _client = client;
  await served.stuff();
  served.failures = 2;
  served.visitor.close();
  await until("the visitor to be cut", () => served.closed.length > 0);
  assertEquals([served.closed, served.slow, served.thrown.length], [[true], [], 2]);
}, { ...live, skip: whyNoQueues });

test(
  "a visitor who exceeds the time for one write of the last lines is cut, and that is reported",
  async () => {
    // The limit must not be over before it is closed, however busy the machine is.
    const { served, client } = await Served.open({ ...UNLIMITED, writeTimeoutMs: 1_000 }, connect);
    await using _ = served;
    await using _client = client;
    await served.hearUntil(() => served.bytes > 100_000);
    served.visitor.close();
    await until("the visitor to be cut", () => served.closed.length > 0);
    assertEquals([served.closed, served.slow], [[true], []]);
  },
  live,
);

test("a reset by the peer is reported to the reader, and nothing more is sent", async () => {
  for (const isStuffed of [false, true]) {
    const { served, client } = await Served.open(UNLIMITED, Peer.connect);
    await using _ = served;
    await using peer = client;
    peer.pause();
    served.listen();
    if (isStuffed) await served.stuff();
    peer.reset();
    await until("the reset", () => served.errors.length > 0 || served.read.includes(null));
    served.hear(10, 100);
    served.visitor.close();
    await until("the end", () => served.closed.length > 0);
    assertEquals([served.closed, served.slow, served.bytes], [[false], [], 0]);
  }
}, live);

test("a reset by the peer ends the sending of the last lines", async () => {
  const { served, client } = await Served.open(UNLIMITED, Peer.connect);
  await using _ = served;
  await using peer = client;
  peer.pause();
  await served.stuff();
  served.visitor.close();
  peer.reset();
  await until("the end", () => served.closed.length > 0);
  assertEquals([served.closed, served.slow], [[false], []]);
}, live);

test("a cut takes effect at once, and is reported once", async () => {
  const { served, client } = await Served.open(UNLIMITED, connect);
  await using _ = served;
  await using _client = client;
  await served.stuff();
  served.visitor.cut();
  served.visitor.cut();
  served.visitor.close();
  assertEquals([served.closed, served.bytes], [[false], 0]);
}, live);
