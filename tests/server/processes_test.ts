/**
 * The memory of a server whose connections are served by processes, with real ones of both runtimes,
 * which are killed at any moment.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { CommonMemory, whyNoCommonMemory } from "../../engine/net/common_memory.ts";
import { monotonicAheadMs } from "../../engine/net/monotonic_clock.ts";
import { HostCounts } from "../../engine/server/core/host_counts.ts";
import type { Journal } from "../../engine/server/journal/journal.ts";
import { JournalReader } from "../../engine/server/journal/shared_journal.ts";
import { ProcessGate } from "../../engine/server/team/process_gate.ts";
import {
  createTeamMemory,
  type TeamMemory,
  threadMemory,
} from "../../engine/server/team/team_memory.ts";
import { Timeline } from "../../engine/server/trace/timeline.ts";
import { moment } from "../../engine/values/moment.ts";
import { fakeClock } from "../kit/fake_clock.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, delay, test, until } from "../kit/harness.ts";
import { type Errand, HOSTS, LINE, LINES, MOST, WORDS, wordsOf } from "../kit/memory_member.ts";
import {
  otherRuntime,
  ourRuntime,
  Script,
  whyNoOtherRuntime,
  whyNoProgram,
} from "../kit/server_process.ts";
import { Trace } from "../kit/trace_events.ts";

const skip = whyNoCommonMemory();

/** The runtimes of two processes. */
const TWO = [ourRuntime, whyNoOtherRuntime === undefined ? otherRuntime : ourRuntime] as const;

/** The memory of a server with two processes. */
class Memory implements Disposable {
  readonly common: CommonMemory = CommonMemory.create();
  readonly memory: TeamMemory;
  readonly hosts: HostCounts;
  readonly words: Int32Array;

  constructor() {
    const { allocate } = this.common;
    this.hosts = HostCounts.create({ connections: 16, tables: TWO.length + 1 }, allocate);
    this.memory = {
      ...createTeamMemory(TWO.length, undefined, allocate),
      gate: ProcessGate.create(TWO.length, allocate),
      hosts: this.hosts.memory,
    };
    this.words = new Int32Array(allocate(4096));
  }

  /** Starts a process. */
  start(
    errand: Pick<Errand, "what" | "index" | "track">,
    environment?: Record<string, string>,
  ): Script {
    const { memory, words } = this;
    const description = this.common.describe({ ...errand, memory, words: words.buffer });
    return new Script("tests/kit/memory_member.ts", [description], {
      on: TWO[errand.index] as typeof ourRuntime,
      inherits: [this.common.fd],
      ...(environment !== undefined && { environment }),
    });
  }

  /** Waits until a process has made some steps. */
  async steps(index: number, process: Script, count = 100): Promise<void> {
    const at = wordsOf(index) + WORDS.steps;
    const before = Atomics.load(this.words, at);
    const has = () => process.isOver || Atomics.load(this.words, at) > before + count;
    await until(`process ${index} to work`, has);
    assert(!process.isOver, process.stderr);
  }

  [Symbol.dispose](): void {
    this.common.close();
  }
}

// The C library stays loaded. The first test would seem to have left it behind.
if (skip === undefined) {
  new Memory()[Symbol.dispose]();
  monotonicAheadMs();
}

test("of a process that is killed at any moment no connection stays counted", async () => {
  using server = new Memory();
  const { hosts, memory, words } = server;
  const gates = TWO.map((_, index) => new ProcessGate(memory.gate, index));
  const [gate] = gates as [ProcessGate];
  gate.limit(MOST.open, Infinity);
  const lock = new Int32Array(hosts.memory, 0, 1);
  const survivors = await Promise.all(TWO.map(async (_, index) => {
    for (let kills = 0; kills < 3; kills++) {
      await using process = server.start({ what: "countConnections", index });
      await server.steps(index, process);
      await delay(Math.random() * 3);
      process.signal("SIGKILL");
      await process.end();
      words.fill(0, wordsOf(index) + WORDS.open, wordsOf(index + 1));
      hosts.clear(index);
      gates[index]!.leaveFor(index);
    }
    const process = server.start({ what: "countConnections", index });
    await server.steps(index, process);
    return process;
  }));
  await using stopped = survivors[0] as Script;
  await using other = survivors[1] as Script;
  // One that is stopped is not dead. The other one goes on meanwhile.
  stopped.signal("SIGSTOP");
  await server.steps(1, other);
  stopped.signal("SIGCONT");
  // Both together must not let more in than they may.
  await Promise.all([server.steps(0, stopped, 10_000), server.steps(1, other, 10_000)]);
  gate.close();
  for (const process of survivors) {
    const { code, stderr } = await process.end();
    assertEquals([code, stderr], [0, ""]);
  }
  assertEquals([words[WORDS.broken], gate.open, lock[0]], [0, 0, 0]);
  for (const host of HOSTS) {
    for (let left = MOST.ofHost; left > 0; left--) assert(hosts.enter(2, host, MOST.ofHost), host);
    assert(!hosts.enter(2, host, MOST.ofHost), host);
  }
}, { skip, timeoutMs: 30_000 });

/** What was read of a journal. */
class Read {
  /** The numbers of the lines. */
  readonly lines: number[] = [];
  dropped = 0;
  readonly #reader: JournalReader;

  constructor({ journals }: TeamMemory, offset: number) {
    this.#reader = new JournalReader(journals, offset);
  }

  /** Reads what has come. Every line must be whole. */
  drain(): void {
    const journal: Journal = {
      wantsReports: true,
      wantsLog: true,
      report: (message) => {
        const [line, rest] = message.split(" ");
        assertEquals(rest, LINE);
        this.lines.push(Number(line));
      },
      log: ({ properties }) => {
        const { dropped = 0, line, rest } = properties ?? {};
        this.dropped += dropped as number;
        if (dropped !== 0) return;
        assertEquals(rest, LINE);
        this.lines.push(line as number);
      },
    };
    for (const record of this.#reader.drain()) record.tell(journal);
  }

  /** How many lines were written. They come in order, each once. */
  count(): number {
    const { lines } = this;
    lines.forEach((line, index) => assert(index === 0 || line > lines[index - 1]!));
    return lines.length + this.dropped;
  }
}

test(
  "a process that is killed while it writes leaves whole lines, and none waits for the reader",
  async () => {
    using server = new Memory();
    const { memory } = server;
    const [offset, otherOffset] = TWO.map((_, index) => threadMemory(memory, index).journalOffset);
    await Promise.all([
      (async () => {
        // The process that takes the place of another one writes on where that was.
        for (const kills of [true, true, false]) {
          const read = new Read(memory, offset!);
          await using process = server.start({ what: "writeLines", index: 0 });
          while (!process.isOver) {
            read.drain();
            if (kills && read.lines.length > 0) process.signal("SIGKILL");
            await delay(1);
          }
          read.drain();
          const { code, stderr } = await process.end();
          assertEquals([code, stderr], [kills ? null : 0, ""]);
          const last = read.lines.at(-1)!;
          assert(read.count() > last && (kills || read.count() === LINES), `${read.count()}`);
        }
      })(),
      (async () => {
        await using process = server.start({ what: "writeLines", index: 1 });
        const { code, stderr } = await process.end();
        assertEquals([code, stderr], [0, ""]);
        const read = new Read(memory, otherOffset!);
        read.drain();
        assert(read.dropped > 0 && read.lines.length > 0);
        assertEquals(read.count(), LINES);
      })(),
    ]);
  },
  { skip, timeoutMs: 30_000 },
);

test(
  "the tracks of two processes have one clock, whatever the time of day is for them",
  async () => {
    using server = new Memory();
    using folder = new Folder();
    const file = folder.path("trace.json");
    const { allocate } = server.common;
    const timeline = await Timeline.open({ trace: file }, { mode: "test", threads: 2, allocate });
    const shares = TWO.map((_, index) => timeline!.track(`process ${index}`));
    await using one = server.start({ what: "recordConnection", index: 0, track: shares[0]! });
    const clock = folder.path("clock");
    writeFileSync(clock, "+2h\n");
    await using two = server.start(
      { what: "recordConnection", index: 1, track: shares[1]! },
      whyNoProgram("faketime") === undefined ? fakeClock(clock) : undefined,
    );
    const words = server.words;
    const say = (value: number) =>
      [0, 1].every((index) => Atomics.load(words, wordsOf(index)) === value);
    await until("both processes", () => one.isOver || two.isOver || say(1));
    const began = moment();
    Atomics.store(words, WORDS.go, 1);
    await until("both connections", () => one.isOver || two.isOver || say(2));
    const ended = moment();
    for (const process of [one, two]) assertEquals((await process.end()).stderr, "");
    // A process that takes the place of another one gets its memory.
    timeline!.release(shares[1]!);
    assert(timeline!.track("process 1").ring === shares[1]!.ring);
    await timeline!.close();
    const { connections } = Trace.read(file);
    assertEquals(connections.length, 2);
    const { origin } = shares[0]!;
    for (const { from, to } of connections) {
      const times = [began, origin + from / 1_000, origin + to / 1_000, ended];
      // The file has whole microseconds.
      times.forEach((time, index) =>
        assert(index === 0 || time > times[index - 1]! - 0.01, `${times}`)
      );
    }
  },
  { skip },
);
