/**
 * The gate, which counts and limits the connections of all threads.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { createTeamMemory, Gate } from "../../engine/server/team/team_memory.ts";
import { GATE_THREAD, type GateErrand, type GateReport } from "../kit/gate_thread.ts";
import { assert, assertEquals, delay, test, within } from "../kit/harness.ts";

/** Opens a gate for this many connections. Returns it with its memory. */
function openGate(connections: number): { gate: Gate; memory: SharedArrayBuffer } {
  const { gate: memory } = createTeamMemory(4);
  const gate = new Gate(memory);
  gate.limit(connections, Infinity);
  return { gate, memory };
}

/** A thread that goes through the gate. */
class Goer implements Disposable {
  /** Resolves when it is about to go. */
  readonly ready: Promise<void>;
  /** Its report at the end. */
  readonly report: Promise<Exclude<GateReport, "ready">>;
  /** Whether it has come through or was refused. */
  isOver = false;
  readonly #worker: Worker;

  constructor(errand: GateErrand) {
    const ready = Promise.withResolvers<void>();
    const report = Promise.withResolvers<Exclude<GateReport, "ready">>();
    this.ready = ready.promise;
    this.report = report.promise;
    const url = new URL("../kit/gate_thread.ts", import.meta.url).href;
    this.#worker = runtime.startThread(url, GATE_THREAD);
    this.#worker.onmessage = ({ data }: MessageEvent<GateReport>) => {
      if (data === "ready") return ready.resolve();
      this.isOver = true;
      report.resolve(data);
    };
    this.#worker.postMessage(errand);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

test("the gate admits as many connections as its limit allows, and counts them", () => {
  const { gate } = openGate(2);
  assertEquals([gate.tryEnter(), gate.full, gate.tryEnter(), gate.full], [true, false, true, true]);
  assertEquals([gate.tryEnter(), gate.open], [false, 2]);
  gate.leave();
  assertEquals([gate.open, gate.full, gate.tryEnter(), gate.open], [1, false, true, 2]);
});

test("a gate without a limit is never full", () => {
  const { gate } = openGate(Infinity);
  for (let count = 0; count < 10_000; count++) assert(gate.tryEnter());
  assertEquals([gate.full, gate.open, gate.ceiling], [false, 10_000, 0x7fff_ffff]);
});

test("a gate says first that it closes, and later that connections are cut", () => {
  const { gate } = openGate(1);
  assertEquals([gate.closing, gate.cutting], [false, false]);
  gate.close();
  assertEquals([gate.closing, gate.cutting, gate.enter()], [true, false, false]);
  gate.cut();
  assertEquals(gate.cutting, true);
});

test("many requests for help count as one until the answer", () => {
  const { gate } = openGate(1);
  assertEquals([gate.askForThreads(3), gate.askForThreads(5)], [true, false]);
  assertEquals([gate.takeThreadsAskedFor(), gate.takeThreadsAskedFor()], [5, 0]);
  assertEquals([gate.askForThreads(Infinity), gate.takeThreadsAskedFor()], [true, 0x7fff_ffff]);
});

test("threads that come and go are never more inside than the limit, and none is lost", async () => {
  const TIMES = 20_000;
  const { gate, memory } = openGate(2);
  const inside = new Int32Array(new SharedArrayBuffer(12));
  const errand = { gate: memory, inside: inside.buffer, times: TIMES };
  using first = new Goer(errand);
  using second = new Goer(errand);
  using third = new Goer(errand);
  const threads = [first, second, third];
  await within(10_000, "threads at the gate", Promise.all(threads.map(({ ready }) => ready)));
  Atomics.store(inside, 2, 1);
  Atomics.notify(inside, 2);
  const reports = await within(
    15_000,
    "three threads to come and go",
    Promise.all(threads.map(({ report }) => report)),
  );
  assertEquals(reports, Array(3).fill({ entered: TIMES, refused: false }));
  const most = inside[1] as number;
  assert(most >= 1 && most <= 2, `${most} were inside`);
  assertEquals(gate.open, 0);
});

test("each time one leaves a full gate, one that waits comes in", async () => {
  const { gate, memory } = openGate(1);
  assert(gate.tryEnter());
  const errand = { gate: memory, inside: new SharedArrayBuffer(12), times: 0 };
  using first = new Goer(errand);
  using second = new Goer(errand);
  await within(10_000, "threads at the gate", Promise.all([first.ready, second.ready]));
  await delay(20);
  assertEquals([first.isOver, second.isOver], [false, false]);
  gate.leave();
  await within(10_000, "one of them", Promise.race([first.report, second.report]));
  await delay(20);
  assertEquals(Number(first.isOver) + Number(second.isOver), 1);
  gate.leave();
  await within(10_000, "the other one", Promise.all([first.report, second.report]));
  assertEquals(gate.open, 1);
});

test("closing wakes the threads that wait at the gate and those that sleep", async () => {
  const { gate, memory } = openGate(1);
  assert(gate.tryEnter());
  const errand = { gate: memory, inside: new SharedArrayBuffer(12) };
  using waiting = new Goer({ ...errand, times: 0 });
  using sleeping = new Goer({ ...errand, times: -1 });
  await within(10_000, "threads at the gate", Promise.all([waiting.ready, sleeping.ready]));
  await delay(20);
  gate.close();
  const reports = await within(
    10_000,
    "threads to wake up",
    Promise.all([waiting.report, sleeping.report]),
  );
  assertEquals(reports, Array(2).fill({ entered: 0, refused: true }));
  assertEquals(gate.open, 1);
});

test("who acts alone does not give back a turn that another thread has taken over", () => {
  const { gate, memory } = openGate(1);
  const words = new Int32Array(memory);
  const before = words.slice();
  const other = 77;
  let at = -1;
  gate.alone(() => {
    at = words.findIndex((word, index) => word !== before[index]);
    // It took so long that another thread did not believe in it any more.
    words[at] = other;
  });
  assertEquals(words[at], other);
  words[at] = 0;
  gate.alone(() => assert(words[at] !== 0));
  assertEquals(words[at], 0);
});
