/**
 * The queues of io_uring, and connections for which the kernel receives and sends.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { PolledDeadlines } from "../../engine/drivers/deadlines.ts";
import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Sink } from "../../engine/net/transport.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import { OPERATION, Ring, type RingOptions } from "../../engine/uring/ring.ts";
import type { RingConnection } from "../../engine/uring/ring_connection.ts";
import { RingConnections } from "../../engine/uring/ring_connections.ts";
import type { ReceiveBufferOptions } from "../../engine/uring/receive_buffers.ts";
import type { Slot } from "../../engine/uring/send_slots.ts";
import { assert, assertEquals, assertMatch, test } from "../kit/harness.ts";
import { Folder } from "../kit/folder.ts";
import { AS_NOBODY, whyNotAsNobody } from "../kit/nobody.ts";
import { commandOf, Program } from "../kit/server_process.ts";

const skip = whyNoRing();

/** How many turns of a loop something may take. No test needs so many. */
const MOST_TURNS = 20_000;

/** A conversation that keeps all that it gets, and asks for more until it is told to stop. */
class Reader implements Sink {
  readonly connection: RingConnection;
  readonly chunks: string[] = [];
  ended = false;
  error: Error | undefined;
  written = 0;

  constructor(connection: RingConnection) {
    this.connection = connection;
  }

  get text(): string {
    return this.chunks.join("");
  }

  /** Takes what there is, and asks for more. */
  read(): void {
    for (let bytes = this.connection.pull(this); bytes !== undefined;) {
      if (!this.#take(bytes)) return;
      bytes = this.connection.pull(this);
    }
  }

  onRead(bytes: Uint8Array | null): void {
    if (this.#take(bytes)) this.read();
  }

  onWritten(): void {
    this.written++;
  }

  onError(error: Error): void {
    this.error = error;
  }

  #take(bytes: Uint8Array | null): boolean {
    if (bytes === null) this.ended = true;
    else this.chunks.push(new TextDecoder("latin1").decode(bytes));
    return bytes !== null;
  }
}

/** A ring with connections to peers in this thread. */
class Bench implements Disposable {
  readonly net = sockets();
  readonly ring: Ring;
  readonly deadlines = new PolledDeadlines();
  readonly connections: RingConnections;
  readonly peers: number[] = [];
  /** What was done, by operation. */
  readonly completed = new Map<number, number>();

  constructor(options: RingOptions = {}, buffers: ReceiveBufferOptions = {}) {
    this.ring = new Ring(options);
    const { net: sockets, ring, deadlines } = this;
    this.connections = new RingConnections({ sockets, ring, deadlines, buffers, onClose() {} });
  }

  /** A connection, and the descriptor of its peer. */
  connect(): [RingConnection, number] {
    const [own, peer] = this.net.socketpair();
    this.peers.push(peer);
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    sockaddr[0] = this.net.constants.AF_UNIX;
    return [this.connections.add(own, sockaddr), peer];
  }

  turn(): void {
    this.ring.submit();
    while (this.ring.next()) {
      const { operation } = this.ring;
      this.completed.set(operation, (this.completed.get(operation) ?? 0) + 1);
      this.connections.onCompletion();
    }
    this.deadlines.expire();
    this.connections.endTurn();
  }

  until(what: string, holds: () => boolean): void {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      if (holds()) return;
      this.turn();
    }
    throw new Error(`Waited in vain: ${what}`);
  }

  /** Sends without waiting. Returns how much was taken. */
  send(peer: number, text: string): number {
    const bytes = new TextEncoder().encode(text);
    return Math.max(0, this.net.send(peer, bytes, this.net.constants.MSG_DONTWAIT));
  }

  /** Receives what there is. */
  receive(peer: number): string {
    const buffer = new Uint8Array(256 * 1024);
    const count = this.net.recv(peer, buffer, this.net.constants.MSG_DONTWAIT);
    return new TextDecoder("latin1").decode(buffer.subarray(0, Math.max(0, count)));
  }

  hangUp(peer: number): void {
    this.peers.splice(this.peers.indexOf(peer), 1);
    this.net.close(peer);
  }

  /** Whether everything is back in its place. */
  get isClean(): boolean {
    const { buffers, slots, unread } = this.connections.memory;
    const areFree = buffers.free === buffers.size && unread.free === unread.pieces.length;
    return this.connections.size === 0 && areFree && slots.used === 0;
  }

  [Symbol.dispose](): void {
    for (const peer of this.peers) this.net.close(peer);
    this.until("all connections to be gone", () => this.connections.size === 0);
    this.ring.dispose();
    this.connections.dispose();
  }
}

/** Text that is different everywhere, so that no byte can be lost or doubled unseen. */
function textOf(length: number, from = 0): string {
  let text = "";
  for (let at = from; text.length < length; at++) text += `${at.toString(36)}.`;
  return text.slice(0, length);
}

test("without buffers nothing is lost: receiving goes on when some were given back", () => {
  using bench = new Bench({}, { waiting: 2, most: 2 });
  const readers = Array.from({ length: 8 }, (_, index) => {
    const [connection, peer] = bench.connect();
    const reader = new Reader(connection);
    reader.read();
    return { reader, peer, text: textOf(100_000, index), sent: 0 };
  });
  bench.until("all to be received", () => {
    for (const one of readers) one.sent += bench.send(one.peer, one.text.slice(one.sent));
    return readers.every(({ reader, text }) => reader.text.length >= text.length);
  });
  for (const { reader, text } of readers) assert(reader.text === text);
  for (const { reader } of readers) reader.connection.close();
  bench.until("everything to be given back", () => bench.isClean);
  assertEquals(bench.connections.memory.buffers.size, 2);
}, { skip });

test("a full queue of completions loses none, nor does a full queue of operations", () => {
  using bench = new Bench({ entries: 2, completions: 4 }, { waiting: 64 });
  const readers = Array.from({ length: 100 }, () => {
    const [connection, peer] = bench.connect();
    const reader = new Reader(connection);
    reader.read();
    return { reader, peer };
  });
  bench.turn();
  for (const [index, { peer }] of readers.entries()) bench.send(peer, textOf(500, index));
  bench.until(
    "all to be received",
    () => readers.every(({ reader }) => reader.text.length === 500),
  );
  for (const [index, { reader, peer }] of readers.entries()) {
    assertEquals(reader.text, textOf(500, index));
    assert(reader.connection.push(new TextEncoder().encode(`answer ${index}`), reader));
    void peer;
  }
  bench.turn();
  for (const [index, { peer }] of readers.entries()) {
    assertEquals(bench.receive(peer), `answer ${index}`);
  }
  assertEquals(bench.ring.lost, 0);
  for (const { reader } of readers) reader.connection.close();
  bench.until("everything to be given back", () => bench.isClean);
}, { skip });

test("what is pushed in one turn is one send", () => {
  using bench = new Bench();
  const [connection, peer] = bench.connect();
  const reader = new Reader(connection);
  for (const word of ["one ", "two ", "three"]) {
    assert(connection.push(new TextEncoder().encode(word), reader));
  }
  assertEquals(bench.ring.queued, 2, "a receive and a send");
  bench.turn();
  assertEquals(bench.receive(peer), "one two three");
  assertEquals(bench.completed.get(OPERATION.send), undefined, "nothing is said if all is well");
  connection.close();
}, { skip });

test("what is pushed in one turn moves to a larger slot, and is still one send", () => {
  using bench = new Bench();
  const [connection, peer] = bench.connect();
  const reader = new Reader(connection);
  const text = textOf(60_000);
  // The slots have 512 bytes, 4 KiB and 64 KiB.
  const ends = [10, 500, 520, 4_000, 4_096, 4_097, 30_000, text.length];
  for (const [index, end] of ends.entries()) {
    assert(
      connection.push(new TextEncoder().encode(text.slice(ends[index - 1] ?? 0, end)), reader),
    );
  }
  assertEquals(bench.ring.queued, 2, "a receive and a send");
  assertEquals(bench.connections.memory.slots.used, 1);
  bench.turn();
  assert(bench.receive(peer) === text);
  connection.close();
  bench.until("everything to be given back", () => bench.isClean);
}, { skip });

test("after a rush the system gets the memory back of slots that nobody needs", () => {
  using bench = new Bench();
  const { slots } = bench.connections.memory;
  const fill = () => Array.from({ length: 3_000 }, () => slots.fill(new Uint8Array(300).fill(7)));
  const used = fill();
  // One is in use for longer, and so its page stays.
  const [kept] = used.splice(2_500, 1);
  for (const slot of used) slots.give(slot);
  const isEmpty = (slot: Slot) => slot.memory[slot.at] === 0;
  assert(!used.some(isEmpty) && slots.mayShrink);
  slots.shrink();
  assert(!slots.mayShrink);
  assert(!isEmpty(kept as Slot));
  const countInFirst = (some: readonly Slot[]) => some.filter((slot) => slot.index < 1024).length;
  const empty = used.filter(isEmpty);
  assertEquals(countInFirst(empty), 0, "those of the first slab are kept");
  assert(empty.length > 1_000, `${empty.length} slots were given back`);
  // They are used again as if nothing had been, and the first ones first.
  slots.give(kept as Slot);
  const again = fill();
  assert(!again.some(isEmpty));
  assertEquals(countInFirst(again.slice(0, 1_024)), 1_023);
  for (const slot of again) slots.give(slot);
}, { skip });

test("what nobody asks for is kept, but not without end", () => {
  using bench = new Bench();
  const [connection, peer] = bench.connect();
  const text = textOf(2_000_000);
  let sent = 0;
  let last = -1;
  while (sent > last) {
    last = sent;
    for (let turn = 0; turn < 20; turn++) {
      sent += bench.send(peer, text.slice(sent, sent + 65_536));
      bench.turn();
    }
  }
  // The kernel has some of it, this connection at most a few times its limit.
  assert(sent > 0 && sent < 1_500_000, `the peer could send ${sent} bytes`);
  assert(connection.hasUnread);
  const reader = new Reader(connection);
  reader.read();
  bench.until("all to be received", () => {
    sent += bench.send(peer, text.slice(sent, sent + 65_536));
    return reader.text.length === text.length;
  });
  assert(reader.text === text);
  bench.hangUp(peer);
  bench.until("the end", () => reader.ended);
  connection.close();
  bench.until("everything to be given back", () => bench.isClean);
  const { unread } = bench.connections.memory;
  assert(unread.pieces.length <= 32, "what waits uses the same memory again");
}, { skip });

test("a connection that closes still sends what was pushed, if the peer takes it", () => {
  using bench = new Bench();
  const [connection, peer] = bench.connect();
  const reader = new Reader(connection);
  const bytes = new TextEncoder().encode(textOf(50_000));
  let pushed = 0;
  for (let isTaken = true; isTaken; pushed++) {
    isTaken = connection.push(bytes, reader);
    if (isTaken) bench.turn();
    if (isTaken) bench.turn();
  }
  const whole = pushed - 1;
  connection.close();
  for (let turn = 0; turn < 3; turn++) bench.turn();
  assertEquals([bench.connections.size, bench.connections.unsent.size], [1, 1]);
  let heard = "";
  bench.until("the rest to be sent", () => {
    heard += bench.receive(peer);
    return bench.isClean;
  });
  for (let more = bench.receive(peer); more !== ""; more = bench.receive(peer)) heard += more;
  assert(heard.length >= whole * bytes.length, `${heard.length} of ${whole} times ${bytes.length}`);
  assert(textOf(50_000).repeat(pushed).startsWith(heard));
}, { skip });

test("a conversation keeps its bytes, whatever the kernel receives meanwhile", () => {
  using bench = new Bench({}, { waiting: 4, most: 64 });
  const kept: { bytes: Uint8Array; text: string; connection: RingConnection }[] = [];
  for (let index = 0; index < 40; index++) {
    const [connection, peer] = bench.connect();
    const text = textOf(3_000, index);
    connection.pull({
      onRead: (bytes) => kept.push({ bytes: bytes as Uint8Array, text, connection }),
      onWritten() {},
      onError() {},
    });
    bench.send(peer, text);
    bench.until("its bytes", () => kept.length === index + 1);
  }
  const [connection, peer] = bench.connect();
  const reader = new Reader(connection);
  reader.read();
  for (let times = 0; times < 50; times++) {
    bench.send(peer, "x".repeat(4_000));
    bench.turn();
  }
  assert(reader.text.length > 100_000);
  for (const { bytes, text } of kept) {
    assertEquals(new TextDecoder("latin1").decode(bytes), text);
  }
  connection.close();
  for (const one of kept) one.connection.close();
  bench.until("everything to be given back", () => bench.isClean);
}, { skip });

/** Numbers that look random, and are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed;;) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e37_79b9 | 0;
    yield (state >>> 8) % 1_000_000;
  }
}

/** A connection that is under test. */
interface Live {
  readonly connection: RingConnection;
  peer: number | undefined;
  readonly reader: Reader;
}

test("in the middle of everything both ends close, reset and vanish, and nothing is left", () => {
  const before = sockets().nextDescriptor();
  {
    using bench = new Bench({ entries: 8, completions: 16 }, { waiting: 8, most: 16 });
    const random = numbers(25);
    const next = (below: number): number => (random.next().value as number) % below;
    const live = new Set<Live>();
    /** A conversation that closes as soon as anything happens. */
    const closing = (one: Live): Sink => {
      const close = () => {
        live.delete(one);
        one.connection.close();
      };
      return { onRead: close, onWritten: close, onError: close };
    };
    const large = new Uint8Array(100_000).fill(65);
    for (let step = 0; step < 4_000; step++) {
      const all = [...live];
      const one = all[next(Math.max(1, all.length))];
      const deed = next(13);
      if (one === undefined || (deed === 0 && live.size < 60)) {
        const [connection, peer] = bench.connect();
        live.add({ connection, peer, reader: new Reader(connection) });
        continue;
      }
      const { connection, peer, reader } = one;
      try {
        if (deed === 1) bench.turn();
        else if (deed === 2) connection.pull(next(3) > 0 ? reader : closing(one));
        else if (deed === 3) connection.unpull();
        else if (deed === 4) connection.push(large.subarray(0, 1 + next(50)), reader);
        else if (deed === 5 && !reader.error && connection.pending === 0) {
          connection.push(large.subarray(0, next(large.length)), reader);
        } else if (deed === 6) connection.closeWrite();
        else if (deed === 7) connection.close();
        else if (deed === 8) connection.reset();
        else if (deed === 9 && peer !== undefined) bench.send(peer, "y".repeat(next(20_000)));
        else if (deed === 10 && peer !== undefined) bench.receive(peer);
        else if (deed === 11 && peer !== undefined && next(4) === 0) {
          one.peer = undefined;
          bench.hangUp(peer);
        }
      } catch (error) {
        // Whoever pulls or pushes after the end is told so.
        assertEquals((error as Error).name, "SocketError");
      }
      if (deed === 7 || deed === 8) live.delete(one);
    }
    for (const { connection } of live) connection.close();
    bench.connections.dropUnsent();
    bench.until("everything to be given back", () => bench.isClean);
  }
  assertEquals(sockets().nextDescriptor(), before);
}, { skip });

test("a wait ends at its time, also if that is moved forward", () => {
  using bench = new Bench();
  const startedAt = performance.now();
  const wait = (ms: number): boolean => {
    bench.ring.submitAndWait(startedAt + ms);
    while (bench.ring.next()) bench.connections.onCompletion();
    return performance.now() >= startedAt + ms;
  };
  const [connection, peer] = bench.connect();
  bench.send(peer, "hello");
  // It ends because something came. Its timer is still set.
  wait(60_000);
  bench.until("its bytes", () => connection.hasUnread);
  assert(wait(30));
  assert(wait(60));
  connection.close();
}, { skip });

const EPERM = 1;
const ENOSYS = 38;
const EINVAL = 22;
const SETUP = 425;
const ENTER = 426;
const REGISTER = 427;

/** Runs `completion` where a system call fails. Returns what it says before it ends. */
async function refusal(
  call: number,
  errno: number,
  before: readonly string[] = [],
): Promise<string> {
  const environment = {
    ...process.env as Record<string, string>,
    REFUSED_CALL: `${call}`,
    REFUSED_WITH: `${errno}`,
  };
  const command = [...before, ...commandOf("tests/kit/without_ring.ts", ["0"])];
  await using program = new Program(command, { environment });
  const { code, stdout, stderr } = await program.end();
  assertEquals([code, stdout], [1, ""], stderr);
  return stderr;
}

test("where io_uring is forbidden, one line says who forbids it and what allows it", async () => {
  const refused = [[SETUP, EPERM], [SETUP, ENOSYS], [ENTER, EPERM], [REGISTER, EPERM]] as const;
  await Promise.all(refused.map(async ([call, errno]) => {
    assertEquals(
      await refusal(call, errno),
      "completion: Cannot use io_uring: a seccomp filter forbids it, as Docker's own does: allow " +
        "io_uring_setup, io_uring_enter and io_uring_register in its profile, or start the container " +
        "with --security-opt seccomp=unconfined\n",
    );
  }));
}, { skip, sanitize: false });

/** Lays a file over one of the system's, which only one program sees, and runs the rest as somebody. */
const OVERLAID = 'mount --bind "$0" "$1" && shift && exec "$@"';

/** Why no other system can be pretended. */
function whyNoOtherSystem(): string | undefined {
  const why = whyNotAsNobody();
  if (why !== undefined) return why;
  const tried = spawnSync("unshare", ["--mount", "true"]);
  return tried.status === 0 ? undefined : "no namespaces for mounts";
}

test(
  "where the system forbids io_uring or is too old, one line says so and what allows it",
  async () => {
    using folder = new Folder();
    const allows = "`sysctl kernel.io_uring_disabled=0` allows it";
    const systems = [
      ["io_uring_disabled", "2", [], EPERM, `the system forbids it: ${allows}`],
      [
        ...["io_uring_disabled", "1", AS_NOBODY, EPERM] as const,
        "the system allows it to root and to one group only: " +
        `${allows} to all, kernel.io_uring_group names the group`,
      ],
      ["osrelease", "5.15.0", [], EINVAL, "it needs Linux 6.1 or newer, and this is 5.15.0"],
      ["osrelease", "4.4.0", [], ENOSYS, "it needs Linux 6.1 or newer, and this is 4.4.0"],
    ] as const;
    await Promise.all(systems.map(async ([name, text, user, errno, why], index) => {
      const file = folder.path(`${index}`);
      writeFileSync(file, `${text}\n`);
      const overlay = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        OVERLAID,
        file,
        `/proc/sys/kernel/${name}`,
      ];
      const said = await refusal(SETUP, errno, [...overlay, ...user]);
      assertEquals(said, `completion: Cannot use io_uring: ${why}\n`);
    }));
  },
  { skip: skip ?? whyNoOtherSystem(), sanitize: false },
);

test("where there is none, the reason is the system", () => {
  assertMatch(whyNoRing() ?? "", /^only Linux has it, and this is /);
}, { skip: runtime.os === "linux" ? "Linux has it" : undefined });
