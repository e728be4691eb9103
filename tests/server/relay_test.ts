/**
 * A connection that is relayed by messages. The bytes under way are bounded in both directions, and
 * each side's FIN comes through. The tests of the drivers run conversations over it, in a thread of
 * their own.
 *
 * @module
 */

import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { LingerSet } from "../../engine/drivers/linger.ts";
import { runtime } from "../../engine/net/runtime.ts";
import type { Listener } from "../../engine/net/listener.ts";
import type { Connection, Sink } from "../../engine/net/transport.ts";
import {
  type FromThread,
  Relay,
  RelayedConnection,
  type ToThread,
} from "../../engine/server/messages/relay.ts";
import { bytesOf } from "../kit/conversation.ts";
import { assert, assertEquals, assertRejects, delay, test, until, within } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";

/** Another piece, of any length, may be sent only while fewer bytes than this are under way. */
const WINDOW = 64 * 1024;

/** What a message counts beside its bytes. */
const MESSAGE_COST = 1_024;

/** More bytes than the kernel keeps for a peer that does not read. */
const TOO_MUCH = 16 << 20;

/** A relayed socket, its peer, and the messages to the thread. */
class Relayed implements AsyncDisposable {
  readonly peer: Peer;
  readonly relay: Relay;
  /** The messages that were posted to the thread and that it has not taken. */
  readonly posted: ToThread[] = [];
  /** How often the relay has said that it is closed. */
  closings = 0;
  readonly #listener: Listener;
  readonly #deadlines = new TimedDeadlines();
  readonly #lingering = new LingerSet(this.#deadlines);

  private constructor(listener: Listener, peer: Peer, connection: Connection) {
    this.#listener = listener;
    this.peer = peer;
    this.relay = new Relay(connection, 7, this.#lingering, (message) => {
      this.posted.push(structuredClone(message));
    });
    this.relay.onClosed = () => this.closings++;
    this.relay.start(0);
  }

  static async open(): Promise<Relayed> {
    const listener = await runtime.listen({ hostname: "127.0.0.1", port: 0 });
    const [peer, { value }] = await within(
      5_000,
      "a connection",
      Promise.all([Peer.connect(listener.address), listener.next()]),
    );
    return new Relayed(listener, peer, value as Connection);
  }

  /** What the pieces of the peer's bytes take of the window that were posted and not taken. */
  get underWay(): number[] {
    return this.posted.flatMap((message) =>
      message.kind === "data" ? [message.bytes.length + MESSAGE_COST] : []
    );
  }

  /** Waits for a message of this kind. */
  async heard<Kind extends ToThread["kind"]>(kind: Kind): Promise<ToThread & { kind: Kind }> {
    const find = () => this.posted.find((message) => message.kind === kind);
    await until(`the message ${kind}`, () => find() !== undefined);
    return find() as ToThread & { kind: Kind };
  }

  /** Makes the thread's side. It takes all messages, posted already or later. */
  accept(): RelayedConnection {
    const [opened, ...rest] = this.posted.splice(0);
    assert(opened?.kind === "open");
    const connection = new RelayedConnection(opened, (message) => {
      this.relay.handle(structuredClone(message));
    });
    const push = (message: ToThread) => {
      // Messages arrive as between threads: later, and in order.
      queueMicrotask(() => connection.handle(structuredClone(message)));
      return 0;
    };
    for (const message of rest) push(message);
    this.posted.push = push;
    return connection;
  }

  say(message: Omit<FromThread, "id"> & Record<string, unknown>): void {
    this.relay.handle({ ...message, id: 7 } as FromThread);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _limits = this.#deadlines;
    this.relay.close();
    await this.peer[Symbol.asyncDispose]();
    this.#listener.close();
  }
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Asserts that there was still room before the last piece was sent. */
function assertInWindow(underWay: readonly number[]): void {
  const before = sum(underWay.slice(0, -1));
  assert(before < WINDOW, `${before} bytes were under way, and then another piece`);
}

test("a relay first names the peer, and then passes its bytes on", async () => {
  await using relayed = await Relayed.open();
  await relayed.peer.send("hello");
  const opened = await relayed.heard("open");
  assertEquals([opened.id, `127.0.0.1:${opened.peer.port}`], [7, relayed.peer.name]);
  const { bytes } = await relayed.heard("data");
  assertEquals(bytes, bytesOf("hello"));
  assertEquals(bytes.buffer.byteLength, 5, "the bytes alone are posted");
});

test("a thread that takes nothing gets no more than the window, whatever the peer sends", async () => {
  await using relayed = await Relayed.open();
  relayed.peer.post("x".repeat(TOO_MUCH));
  await until("the window to be full", () => sum(relayed.underWay) >= WINDOW);
  await delay(50);
  assertInWindow(relayed.underWay);
  assert(relayed.peer.unsent > 0, "the peer is held back");
});

test("bytes that were taken make room for more, until all have come", async () => {
  await using relayed = await Relayed.open();
  relayed.peer.post("x".repeat(TOO_MUCH));
  relayed.peer.finish();
  let received = 0;
  await until("all to come", () => {
    assertInWindow(relayed.underWay);
    for (const message of relayed.posted.splice(0)) {
      if (message.kind === "end") return true;
      if (message.kind !== "data") continue;
      received += message.bytes.length;
      relayed.say({ kind: "consumed", count: message.bytes.length + MESSAGE_COST });
    }
    return false;
  });
  assertEquals(received, TOO_MUCH);
});

test("the thread's side acknowledges only the bytes that were read", async () => {
  await using relayed = await Relayed.open();
  const connection = relayed.accept();
  relayed.peer.post("x".repeat(TOO_MUCH));
  await delay(50);
  assert(relayed.peer.unsent > 0, "nobody reads: the peer is held back");
  relayed.peer.finish();
  let received = 0;
  for (;;) {
    const chunk = await within(10_000, "bytes", connection.read());
    if (chunk === null) break;
    received += chunk.length;
  }
  assertEquals([received, await connection.read()], [TOO_MUCH, null]);
});

test("the thread cannot write more than the window until the socket has taken some", async () => {
  await using relayed = await Relayed.open();
  const connection = relayed.accept();
  relayed.peer.pause();
  let isWritten = false;
  const sink: Sink = {
    onRead() {},
    onWritten: () => isWritten = true,
    onError() {},
  };
  const piece = new Uint8Array(32 * 1024).fill(0x78);
  let pushed = 0;
  const hasRoom = async () => {
    for (let look = 0; look < 40 && !isWritten; look++) await delay(5);
    return isWritten;
  };
  // The kernel takes some bytes. Then it stops, and so do the relay and the thread.
  do {
    isWritten = connection.push(piece, sink);
    pushed += piece.length;
  } while (pushed < TOO_MUCH && await hasRoom());
  assert(pushed < TOO_MUCH, "it was held back");
  const rest = relayed.peer.take(pushed);
  relayed.peer.resume();
  assertEquals((await rest).length, pushed);
  await until("room again", () => isWritten);
});

test("a thread cannot keep the main thread busy with many small messages", async () => {
  await using relayed = await Relayed.open();
  const connection = relayed.accept();
  relayed.peer.pause();
  const sink: Sink = { onRead() {}, onWritten() {}, onError() {} };
  let pushed = 1;
  while (connection.push(bytesOf("x"), sink)) pushed++;
  assert(pushed <= WINDOW / MESSAGE_COST, `${pushed} messages`);
});

test("what has come in many pieces goes to the thread in few messages", async () => {
  await using relayed = await Relayed.open();
  // One message each, until as many are under way as may be.
  for (let piece = 0; piece < 200; piece++) {
    await relayed.peer.send("x");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertInWindow(relayed.underWay);
  const count = relayed.posted.length;
  assert(count <= WINDOW / MESSAGE_COST + 1, `${count} messages`);
  // Whoever takes them gets the rest at once. On a busy machine, pieces have met in the kernel too.
  let bytesTaken = 0;
  for (const message of relayed.posted.splice(0)) {
    if (message.kind !== "data") continue;
    bytesTaken += message.bytes.length;
    relayed.say({ kind: "consumed", count: message.bytes.length + MESSAGE_COST });
  }
  const bytes = () => sum(relayed.underWay) - MESSAGE_COST * relayed.underWay.length;
  await until("the rest", () => bytesTaken + bytes() === 200);
  assert(relayed.posted.length < 10, `${relayed.posted.length} messages`);
});

test("FIN comes through in both directions, one without the other", async () => {
  await using relayed = await Relayed.open();
  const connection = relayed.accept();
  await relayed.peer.send("asked");
  relayed.peer.finish();
  assertEquals(await within(5_000, "bytes", connection.read()), bytesOf("asked"));
  assertEquals(await within(5_000, "FIN", connection.read()), null);
  await connection.write(bytesOf("answered"));
  connection.closeWrite();
  assertEquals(await relayed.peer.rest(), "answered");
  assertEquals([relayed.relay.closed, relayed.closings], [false, 0]);
  connection.close();
  assertEquals([relayed.relay.closed, relayed.closings], [true, 1]);
});

test("the thread's FIN comes after all its bytes, and the peer may go on", async () => {
  await using relayed = await Relayed.open();
  const connection = relayed.accept();
  const written = connection.write(new Uint8Array(1 << 20).fill(0x79));
  connection.closeWrite();
  const received = await relayed.peer.rest();
  await within(5_000, "the write to end", written);
  assertEquals(received, "y".repeat(1 << 20));
  await relayed.peer.send("still here");
  assertEquals(await within(5_000, "bytes", connection.read()), bytesOf("still here"));
});

test("closing waits until all bytes are written, but closing the relay itself does not", async () => {
  await using slow = await Relayed.open();
  const connection = slow.accept();
  slow.peer.pause();
  void connection.write(new Uint8Array(TOO_MUCH)).catch(() => {});
  connection.close();
  await delay(20);
  assertEquals([slow.relay.closed, slow.closings], [false, 0], "the peer has not read it all");
  slow.relay.close();
  slow.relay.close();
  assertEquals([slow.relay.closed, slow.closings], [true, 1]);
});

test("a connection that its thread has closed can be neither read nor written", async () => {
  await using relayed = await Relayed.open();
  const connection = relayed.accept();
  connection.close();
  connection.close();
  await assertRejects(() => connection.write(bytesOf("too late")), Error, "closed");
  await assertRejects(() => connection.read(), Error, "closed");
  assertEquals(await relayed.peer.rest(), "");
});

test("the thread hears of a reset after the bytes before it", async () => {
  await using relayed = await Relayed.open();
  const connection = relayed.accept();
  await relayed.peer.send("last words");
  assertEquals(await within(5_000, "bytes", connection.read()), bytesOf("last words"));
  const reading = connection.read();
  relayed.peer.reset();
  await assertRejects(() => within(5_000, "the end", reading), Error);
  await assertRejects(() => connection.write(bytesOf("x")), Error);
  assertEquals([relayed.relay.closed, relayed.closings], [true, 1]);
});
