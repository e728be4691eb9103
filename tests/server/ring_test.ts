/**
 * What threads share: the queue of descriptors, the slots, the journal and the counters.
 *
 * @module
 */

import fc from "fast-check";
import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { DescriptorRing } from "../../engine/server/descriptors/descriptor_ring.ts";
import { DescriptorSlot, SLOT_WORDS } from "../../engine/server/team/descriptor_slot.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { COUNTER_BYTES, CounterBlock, formatCounters } from "../../engine/server/core/counters.ts";
import type { Journal, LogEvent } from "../../engine/server/journal/journal.ts";
import {
  drainJournals,
  JOURNAL_BYTES,
  JournalReader,
  type JournalRecord,
  JournalWriter,
} from "../../engine/server/journal/shared_journal.ts";
import { assert, assertEquals, test, within } from "../kit/harness.ts";

const noSockets = { skip: whyNoSockets() };

/** An address whose every byte depends on the descriptor. */
function sockaddrOf(fd: number): Uint8Array {
  const bytes = Uint8Array.from({ length: SOCKADDR_SIZE }, (_, index) => fd * 31 + index);
  new DataView(bytes.buffer).setUint32(SOCKADDR_SIZE - 4, fd);
  return bytes;
}

// The queue of descriptors.

test("the descriptor ring returns what was put in, oldest first, with its address", () => {
  const ring = DescriptorRing.create(3, 1);
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  assertEquals([ring.capacity, ring.length, ring.tryTake(sockaddr)], [3, 0, -1]);
  for (const fd of [5, 0, 7]) assert(ring.tryPut(fd, sockaddrOf(fd)));
  assertEquals(ring.tryPut(8, sockaddrOf(8)), false, "a full ring takes nothing");
  assertEquals(ring.length, 3);
  for (const fd of [5, 0, 7]) {
    assertEquals(ring.tryTake(sockaddr), fd);
    assertEquals(sockaddr, sockaddrOf(fd));
  }
  assertEquals([ring.tryTake(sockaddr), ring.taken], [-1, 3]);
});

test("the descriptor ring is a bounded queue, for any sequence of puts and takes", () => {
  const steps = fc.array(fc.boolean(), { maxLength: 200 });
  // This includes values near the wrap of its 32-bit counters.
  const start = fc.constantFrom(0, 1, 2 ** 31 - 5, -5);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), start, steps, (capacity, start, steps) => {
      const ring = DescriptorRing.create(capacity, 1);
      new Int32Array(ring.memory).fill(start, 0, 2);
      const sockaddr = new Uint8Array(SOCKADDR_SIZE);
      const model: number[] = [];
      steps.forEach((puts, fd) => {
        if (puts) {
          assertEquals(ring.tryPut(fd, sockaddrOf(fd)), model.length < capacity);
          if (model.length < capacity) model.push(fd);
        } else {
          const expected = model.shift() ?? -1;
          assertEquals(ring.tryTake(sockaddr), expected);
          if (expected >= 0) assertEquals(sockaddr, sockaddrOf(expected));
        }
        assertEquals(ring.length, model.length);
      });
    }),
  );
});

test("a closed descriptor ring returns what is left, then -1 without waiting", () => {
  const ring = DescriptorRing.create(4, 1);
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  ring.tryPut(9, sockaddrOf(9));
  ring.close();
  assertEquals([ring.closed, ring.take(sockaddr, 0), ring.take(sockaddr, 0)], [true, 9, -1]);
});

test("a wait for room ends when there is room, or when the ring closes", () => {
  const ring = DescriptorRing.create(1, 1);
  assertEquals(ring.waitForRoom(() => false), true);
  ring.tryPut(1, sockaddrOf(1));
  assertEquals(ring.waitForRoom(() => true), false);
});

test("the descriptor ring hands each connection to one of several sleeping threads", async () => {
  const COUNT = 2000;
  const ring = DescriptorRing.create(64, 3);
  const url = new URL("../kit/ring_taker.ts", import.meta.url).href;
  const ready: Promise<void>[] = [];
  const results: Promise<{ taken: number[]; addresses: number[] }>[] = [];
  const threads = [0, 1, 2].map((taker) => {
    const thread = runtime.startThread(url, `ring taker ${taker}`);
    const isReady = Promise.withResolvers<void>();
    const result = Promise.withResolvers<{ taken: number[]; addresses: number[] }>();
    ready.push(isReady.promise);
    results.push(result.promise);
    thread.onmessage = ({ data }) => data === "ready" ? isReady.resolve() : result.resolve(data);
    thread.postMessage({ memory: ring.memory, taker });
    return thread;
  });
  try {
    await within(10_000, "threads that take", Promise.all(ready));
    for (let fd = 0; fd < COUNT; fd++) {
      assert(ring.waitForRoom(() => false));
      assert(ring.tryPut(fd, sockaddrOf(fd)));
      ring.wakeTaker();
    }
    ring.close();
    const taken = await within(10_000, "all to be taken", Promise.all(results));
    for (const { taken: own, addresses } of taken) {
      assertEquals(own, addresses, "each descriptor has its own address");
      assertEquals(own, own.toSorted((a, b) => a - b), "each thread sees the order of arrival");
    }
    assertEquals(
      taken.flatMap(({ taken }) => taken).sort((a, b) => a - b),
      Array.from({ length: COUNT }, (_, fd) => fd),
    );
  } finally {
    for (const thread of threads) thread.terminate();
  }
});

// Who may touch a descriptor.

/** Closes a connection as its owner does; returns whether it was still its own. */
function closeOwn(slot: DescriptorSlot): boolean {
  const fd = slot.release();
  if (fd >= 0) sockets().close(fd);
  return fd >= 0;
}

test("when another thread cuts a slot's connection, the slot's owner still closes it", () => {
  const net = sockets();
  const slot = new DescriptorSlot(new Int32Array(new SharedArrayBuffer(SLOT_WORDS * 4)));
  assertEquals(slot.cut(net), false, "there is nothing to cut yet");
  const [own, peer] = net.socketpair();
  slot.own(own);
  assertEquals(slot.wasCut, false);
  assertEquals(slot.cut(net), true);
  assertEquals(slot.wasCut, true);
  const buffer = new Uint8Array(1);
  assertEquals([net.recv(own, buffer), net.recv(peer, buffer)], [0, 0], "both see the end");
  closeOwn(slot);
  assertEquals(net.recv(own, buffer), -net.constants.errno.EBADF);
  net.close(peer);
}, noSockets);

test("after its owner has closed a slot's descriptor, nobody touches that number", () => {
  const net = sockets();
  const slot = new DescriptorSlot(new Int32Array(new SharedArrayBuffer(SLOT_WORDS * 4)));
  const [own, peer] = net.socketpair();
  slot.own(own);
  closeOwn(slot);
  // The number is reused, lowest first: it now belongs to a stranger, to us or to the runtime.
  const [stranger, other] = net.socketpair();
  assertEquals([slot.cut(net), slot.reclaim(net), closeOwn(slot)], [false, false, false]);
  assertEquals(net.send(stranger, Uint8Array.of(1)), 1);
  for (const fd of [stranger, other, peer]) net.close(fd);
}, noSockets);

test("what a dead thread has left open in its slot is closed once", () => {
  const net = sockets();
  const slot = new DescriptorSlot(new Int32Array(new SharedArrayBuffer(SLOT_WORDS * 4)));
  const [own, peer] = net.socketpair();
  slot.own(own);
  assertEquals([slot.reclaim(net), slot.reclaim(net)], [true, false]);
  assertEquals(net.recv(peer, new Uint8Array(1)), 0);
  net.close(peer);
}, noSockets);

test("a slot that was cut is ready for the next connection", () => {
  const net = sockets();
  const slot = new DescriptorSlot(new Int32Array(new SharedArrayBuffer(SLOT_WORDS * 4)));
  const [first, second] = net.socketpair();
  slot.own(first);
  slot.cut(net);
  closeOwn(slot);
  slot.own(second);
  assertEquals(slot.wasCut, false);
  closeOwn(slot);
}, noSockets);

// The journal.

/** A journal that keeps what it receives. */
class Memory implements Journal {
  readonly wantsReports = true;
  readonly wantsLog = true;
  readonly reports: string[] = [];
  readonly events: LogEvent[] = [];
  report(message: string): void {
    this.reports.push(message);
  }
  log(event: LogEvent): void {
    this.events.push(event);
  }
}

/** Both ends of a journal, and what was heard from it. */
interface Line {
  readonly writer: JournalWriter;
  readonly reader: JournalReader;
  readonly heard: Memory;
  /** Takes everything out of the ring. */
  drain(): JournalRecord[];
  /** How often it woke the reader. */
  woken(): number;
}

function journal(numbers = new Int32Array(new SharedArrayBuffer(4))): Line {
  // The ring begins in the middle of its memory, as it does for every thread but the first.
  const memory = new SharedArrayBuffer(2 * JOURNAL_BYTES);
  let woken = 0;
  const wants = { reports: true, log: true };
  const reader = new JournalReader(memory, JOURNAL_BYTES);
  const heard = new Memory();
  return {
    writer: new JournalWriter(memory, JOURNAL_BYTES, numbers, wants, () => woken++),
    reader,
    heard,
    drain() {
      const records = drainJournals([reader], numbers);
      for (const record of records) record.tell(heard);
      return records;
    },
    woken: () => woken,
  };
}

test("the journal carries lines and log entries in order, and wakes once for many", () => {
  const { writer, drain, heard, woken } = journal();
  const event: LogEvent = { level: "warning", text: "failed {peer}", properties: { peer: "é🐢" } };
  writer.report("HELLO 1");
  writer.log(event);
  writer.report("");
  assertEquals(woken(), 1);
  drain();
  assertEquals(heard.reports, ["HELLO 1", ""]);
  assertEquals(heard.events, [event]);
  writer.report("HELLO 2");
  assertEquals(woken(), 2);
});

test("the journal returns every line, however often its ring wraps around", () => {
  const lines = fc.array(fc.string({ unit: "grapheme", maxLength: 400 }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(lines, { minLength: 5, maxLength: 40 }), (batches) => {
      const { writer, drain, heard } = journal();
      // Most of the ring is used first, so that what follows wraps.
      for (let line = 0; line < 8; line++) writer.report("x".repeat(4000));
      drain();
      heard.reports.length = 0;
      for (const batch of batches) {
        for (const line of batch) writer.report(line);
        drain();
      }
      assertEquals(heard.reports, batches.flat());
      assertEquals(heard.events, []);
    }),
    { numRuns: 30 },
  );
});

test("a full journal drops lines, counts them, and says so once", () => {
  const { writer, drain, heard } = journal();
  for (let line = 0; line < 10_000; line++) writer.report(`HELLO ${line}`);
  drain();
  assert(heard.reports.length > 1000);
  assertEquals(heard.reports.at(-1), `HELLO ${heard.reports.length - 1}`);
  assertEquals(heard.events.length, 1);
  assertEquals(heard.events[0]?.level, "warning");
  assertEquals(heard.events[0]?.properties, { dropped: 10_000 - heard.reports.length });
  writer.report("after");
  drain();
  assertEquals([heard.reports.at(-1), heard.events.length], ["after", 1]);
});

test("the journal shortens a report that is too long, and drops a log entry of that length", () => {
  const { writer, drain, heard } = journal();
  writer.report("x".repeat(5000));
  writer.log({ level: "info", text: "y".repeat(5000) });
  drain();
  assertEquals(heard.reports.map((line) => /^x+$/.test(line) && line.length < 5000), [true]);
  assertEquals(heard.events.map(({ properties }) => properties), [{ dropped: 1 }]);
});

test("the records of several threads have one order, by their numbers", () => {
  const numbers = new Int32Array(new SharedArrayBuffer(4));
  const lines = [journal(numbers), journal(numbers)];
  for (let turn = 0; turn < 6; turn++) lines[turn % 2]?.writer.report(`line ${turn}`);
  const heard = new Memory();
  const drain = () => {
    const readers = lines.map(({ reader }) => reader);
    for (const record of drainJournals(readers, numbers)) record.tell(heard);
  };
  drain();
  assertEquals(heard.reports, Array.from({ length: 6 }, (_, turn) => `line ${turn}`));
  // One thread writes when its ring was read already, and then another one, whose ring was not.
  const [one, other] = lines as [Line, Line];
  const take = other.reader.take.bind(other.reader);
  other.reader.take = (end) => {
    one.writer.report("line 6");
    other.writer.report("line 7");
    other.reader.take = take;
    return take(end);
  };
  const before = lines.map(({ woken }) => woken());
  drain();
  assertEquals(heard.reports.length, 6);
  // What is left wakes the reader.
  assertEquals(lines.map(({ woken }) => woken()), before.map((times) => times + 1));
  drain();
  assertEquals(heard.reports, Array.from({ length: 8 }, (_, turn) => `line ${turn}`));
});

// Counters.

test("the counters of several threads are added up, and the line names only what occurred", () => {
  const memory = new SharedArrayBuffer(2 * COUNTER_BYTES);
  const one = new CounterBlock(memory, 0);
  const two = new CounterBlock(memory, COUNTER_BYTES);
  for (let connection = 0; connection < 5; connection++) one.accepted();
  two.accepted();
  two.accepted();
  one.completed();
  two.completed();
  one.failed("mismatch");
  two.failed("too long");
  one.cut();
  two.lost();
  one.empty();
  two.refused(3);
  const counters = CounterBlock.sum([one, two]);
  assertEquals(counters, {
    accepted: 7,
    active: 1,
    completed: 2,
    failed: { mismatch: 1, "too long": 1 },
    cut: 1,
    empty: 1,
    refused: 3,
    lost: 1,
    strays: 0,
    threadsLost: 0,
  });
  assertEquals(
    formatCounters(counters),
    "accepted 7 · completed 2 · failed 2 (mismatch 1, too long 1) · cut 1 · empty 1 · refused 3 · lost before accept 1",
  );
  assertEquals(
    formatCounters(CounterBlock.sum([])),
    "accepted 0 · completed 0 · failed 0 · cut 0",
  );
});
