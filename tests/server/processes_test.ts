/**
 * The memory of a server whose connections are served by processes, with real ones of both runtimes,
 * which are killed at any moment.
 *
 * @module
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { CommonMemory, whyNoCommonMemory } from "../../engine/net/common_memory.ts";
import { EpollEvents } from "../../engine/net/poll_sets.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { HostCounts } from "../../engine/server/core/host_counts.ts";
import type { Journal } from "../../engine/server/journal/journal.ts";
import { drainJournals, JournalReader } from "../../engine/server/journal/shared_journal.ts";
import { Children } from "../../engine/server/processes/children.ts";
import { Turns } from "../../engine/server/processes/turns.ts";
import {
  type Silence,
  silenceOf,
  type Waiting,
  WaitingRoom,
} from "../../engine/server/processes/waiting_room.ts";
import { ProcessGate } from "../../engine/server/team/process_gate.ts";
import {
  createTeamMemory,
  recordNumbers,
  type TeamMemory,
  threadMemory,
} from "../../engine/server/team/team_memory.ts";
import type { ProcessHandle } from "../../engine/server/team/thread_team.ts";
import { Timeline } from "../../engine/server/trace/timeline.ts";
import { type Allocate, ofThisProcess } from "../../engine/values/shared_memory.ts";
import { moment } from "../../engine/values/moment.ts";
import { fakeClock } from "../kit/fake_clock.ts";
import { Folder } from "../kit/folder.ts";
import { metricsOf, scrape } from "../kit/metrics.ts";
import { Peer } from "../kit/peer.ts";
import { assert, assertEquals, delay, test, until } from "../kit/harness.ts";
import { type Errand, HOSTS, LINE, LINES, MOST, WORDS, wordsOf } from "../kit/memory_member.ts";
import {
  commandOf,
  otherRuntime,
  ourRuntime,
  Program,
  Script,
  ServerProcess,
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
    errand: Pick<Errand, "what" | "index" | "track" | "lines">,
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

test("only so many take their turn at the same time, in the order in which they came", async () => {
  const turns = new Turns(2);
  const has: number[] = [];
  const passes = await Promise.all([turns.take(), turns.take()]);
  const later = [1, 2, 3].map((each) => turns.take().then((pass) => (has.push(each), pass)));
  await delay(1);
  assertEquals(has, []);
  passes[1]!();
  (await later[0]!)();
  (await later[1]!)();
  await later[2];
  assertEquals(has, [1, 2, 3]);
});

/** Processes without a server: the test says what that would. */
class Lonely implements Disposable {
  readonly children: Children;
  readonly memory: TeamMemory;
  /** How often one was said to be ready. */
  ready = 0;

  /** @param script what a shell does in each @param allocate makes the memory of the team */
  constructor(script: string, allocate?: Allocate) {
    this.children = new Children({
      ...{ mode: "lonely", command: { path: "/bin/sh", args: ["-c", script] }, roles: [] },
      ...{ accept: false, processes: 1, queue: 0, silent: 0 },
    });
    this.memory = createTeamMemory(1, undefined, allocate ?? this.children.allocate);
  }

  start(): ProcessHandle {
    const { memory } = this;
    return this.children.start({
      ...{ url: "", name: "lonely", onReady: () => this.ready++ },
      assignment: { role: "", index: 0, memory, shared: { listener: 0, wake: 0 } },
    });
  }

  /** Whether one of them is there: a child of this process, whatever its shell has become. */
  get isThere(): boolean {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).some((name) => {
      try {
        const read = (file: string) => readFileSync(`/proc/${name}/${file}`, "latin1");
        const [, parent] = read("stat").split(") ").at(-1)?.split(" ") ?? [];
        return parent === `${process.pid}` && /\0lonely\0|^sleep\0/.test(read("cmdline"));
      } catch {
        return false;
      }
    });
  }

  [Symbol.dispose](): void {
    this.children.close();
  }
}

test(
  "a process that has done its work before its parent hears that it was ready is no failure",
  async () => {
    using lonely = new Lonely("exec sleep 0.05");
    const process = lonely.start();
    threadMemory(lonely.memory, 0).finished[0] = 1;
    await process.ready;
    assertEquals([await process.gone, lonely.ready], [undefined, 1]);
  },
  { skip, sanitize: false },
);

test("a process that nobody wants any more when it is its turn is not started", async () => {
  using lonely = new Lonely("sleep 100");
  lonely.children.isWanted = () => false;
  assertEquals(await lonely.start().gone, undefined);
  assert(!lonely.isThere);
}, { skip, sanitize: false });

test("a process that cannot be told what to do is ended, and its mailbox closed", async () => {
  // It could not see this memory.
  using lonely = new Lonely("exec sleep 5", ofThisProcess);
  const before = sockets().nextDescriptor();
  const process = lonely.start();
  const error = await process.gone;
  assert(/^Cannot start a process: /.test(error?.message ?? ""), `${error}`);
  assertEquals([lonely.isThere, lonely.ready], [false, 0]);
  assertEquals(sockets().nextDescriptor(), before);
}, { skip, sanitize: false });

/** Connections, and a room in which they wait. */
class Room implements Disposable {
  readonly net = sockets();
  readonly epoll = this.net.epollCreate();
  readonly room: WaitingRoom;
  /** What the room has said about those that are over. */
  readonly over: string[] = [];
  readonly #listener = this.net.openListener({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<number>([this.epoll, this.#listener]);
  readonly #names = new Map<number, string>();

  constructor(silence: Silence, most = 8) {
    const { net, epoll } = this;
    this.room = new WaitingRoom({
      ...{ net, epoll, silence, most },
      onOver: ({ fd }, error, wasEmpty) => {
        this.over.push(`${this.#names.get(fd)} ${error?.name} ${wasEmpty}`);
        this.close(fd);
      },
    });
  }

  /** Connects over TCP. @returns the client, and its connection at the server */
  connect(name: string): { readonly client: number; readonly waiting: Waiting } {
    const { net } = this;
    const client = net.socket(net.constants.AF_INET, net.constants.SOCK_STREAM);
    net.connect(client, net.localAddress(this.#listener));
    return this.#keep(name, client, net.accept(this.#listener, new Uint8Array(SOCKADDR_SIZE)));
  }

  /** The same over a Unix domain socket. */
  connectUnix(name: string): { readonly client: number; readonly waiting: Waiting } {
    return this.#keep(name, ...this.net.socketpair());
  }

  #keep(name: string, client: number, fd: number) {
    this.#open.add(client).add(fd);
    this.#names.set(fd, name);
    const waiting = { fd, sockaddr: new Uint8Array(SOCKADDR_SIZE), since: 0, startedAt: 0 };
    return { client, waiting };
  }

  say(client: number): void {
    this.net.send(client, Uint8Array.of(1), 0);
  }

  finish(client: number): void {
    this.net.shutdown(client, this.net.constants.SHUT_WR);
  }

  reset(client: number): void {
    this.net.resetOnClose(client);
    this.close(client);
  }

  close(fd: number): void {
    if (this.#open.delete(fd)) this.net.close(fd);
  }

  /** Lets the room hear what has happened. @returns how many were told of */
  look(): number {
    const events = new EpollEvents(16);
    const count = this.net.epollWait(this.epoll, events, 0);
    for (let at = 0; at < count; at++) this.room.hear(events.tokenAt(at));
    return count;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.net.close(fd);
  }
}

const PATIENT: Silence = { opening: "client", ms: 0, error: () => new RangeError("late") };

test("of those who wait for a process only who has spoken gets one, in turn", () => {
  using it = new Room(PATIENT, 4);
  const { room } = it;
  const [one, two, three, four] = ["one", "two", "three", "four"].map((name) => it.connect(name));
  it.say(two!.client);
  for (const each of [one, two, three, four]) room.add(each!.waiting);
  assertEquals([room.ready, room.silent, room.isFull], [1, 3, false]);
  // Who is silent is told of when it speaks, has left, or was reset, and once.
  assertEquals(it.look(), 0);
  it.finish(one!.client);
  it.reset(three!.client);
  it.say(four!.client);
  assertEquals(it.look(), 3);
  assertEquals(it.over.sort(), ["one undefined true", "three PeerGoneError true"]);
  assertEquals([room.ready, room.silent, it.look()], [2, 0, 0]);
  // One that comes back is the next.
  const { waiting } = it.connect("back");
  room.addFirst(waiting);
  const inTurn = [];
  for (let next = room.first(); next !== undefined; next = room.first()) {
    inTurn.push(next.fd);
    room.removeFirst();
  }
  assertEquals(inTurn, [waiting.fd, two!.waiting.fd, four!.waiting.fd]);
  // A process has them now, and the room is not told of them.
  it.reset(four!.client);
  assertEquals([it.look(), room.size], [0, 0]);
  const crowd = [1, 2, 3, 4].map((each) => it.connect(`${each}`).waiting);
  for (const each of crowd) room.add(each);
  assert(room.isFull);
  assertEquals(room.clear(), crowd);
  assertEquals([room.size, it.over.length], [0, 2]);
}, { skip });

test("who was reset before its turn gets no process, whoever speaks first", () => {
  for (const opening of ["client", "greeting", "server"] as const) {
    using it = new Room({ ...PATIENT, opening });
    const [silent, spoken, left, next] = ["silent", "spoken", "left", "next"].map((name) => {
      const each = it.connect(name);
      if (name === "spoken" || name === "next") it.say(each.client);
      it.room.add(each.waiting);
      return each;
    });
    it.finish(left!.client);
    it.reset(silent!.client);
    it.reset(spoken!.client);
    const first = it.room.first()!.fd;
    it.look();
    const isServed = opening === "server";
    assertEquals(it.over.sort(), [
      ...(isServed ? [] : ["left undefined true"]),
      "silent PeerGoneError true",
      "spoken PeerGoneError false",
    ]);
    assertEquals(it.room.ready, isServed ? 2 : 1);
    assertEquals(first, (isServed ? left : next)!.waiting.fd);
  }
}, { skip });

test("a peer that has said something over a Unix domain socket and is gone is told of once", () => {
  for (const opening of ["client", "server"] as const) {
    using it = new Room({ ...PATIENT, opening });
    const { client, waiting } = it.connectUnix("gone");
    it.room.add(waiting);
    it.say(client);
    it.look();
    it.close(client);
    it.look();
    assertEquals([it.look(), it.room.first()?.fd, it.over], [0, waiting.fd, []]);
  }
}, { skip });

test("those who say nothing have the time of a conversation, or of a PROXY header", async () => {
  const limits = { readTimeoutMs: 5, sessionTimeoutMs: 9, computeTimeoutMs: 0 };
  const told = (...args: Parameters<typeof silenceOf>) => {
    const { opening, ms, error } = silenceOf(...args);
    return [opening, ms, error().message];
  };
  const read = "Timed out: nothing was received for 5 ms";
  assertEquals(told(limits, "client"), ["client", 5, read]);
  const idle = "Timed out: no message came for 7 ms";
  assertEquals(told({ ...limits, idleTimeoutMs: 7 }, "client"), ["client", 7, idle]);
  const session = "Timed out: the session was not over after 9 ms";
  assertEquals(told({ ...limits, readTimeoutMs: 0 }), ["server", 9, session]);
  const header = "Timed out: no whole PROXY header came within 3 ms";
  assertEquals(told(limits, "greeting", 3), ["client", 3, header]);
  using it = new Room(silenceOf({ ...limits, readTimeoutMs: 1 }, "client"));
  const [late, early] = [it.connect("late"), it.connect("early")];
  for (const each of [late, early]) it.room.add(each.waiting);
  it.say(early.client);
  await until("one of them to be late", () => it.room.tend() < 0);
  assertEquals([it.over, it.room.first()?.fd], [["late ReadTimeoutError false"], early.waiting.fd]);
}, { skip });

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
  await Promise.all([server.steps(0, stopped, 3_000), server.steps(1, other, 3_000)]);
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
  readonly #numbers: Int32Array;

  constructor(memory: TeamMemory, offset: number) {
    this.#reader = new JournalReader(memory.journals, offset);
    this.#numbers = recordNumbers(memory);
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
    for (const record of drainJournals([this.#reader], this.#numbers)) record.tell(journal);
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
          await using process = server.start({
            what: "writeLines",
            index: 0,
            lines: kills ? Infinity : LINES,
          });
          while (!process.isOver && !(kills && read.lines.length > 0)) {
            read.drain();
            await delay(1);
          }
          if (kills) process.signal("SIGKILL");
          const { code, stderr } = await process.end();
          read.drain();
          assertEquals([code, stderr], [kills ? null : 0, ""]);
          const [count, last] = [read.count(), read.lines.at(-1)!];
          assert(kills ? count > last : count === LINES, `${count} lines, the last is ${last}`);
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
    const shares = TWO.map((_, index) => timeline!.track(`process ${index}`, false, true));
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
    // One of them may have ended before the other one begins.
    await until("both connections", () => (one.isOver && two.isOver) || say(2));
    const ended = moment();
    for (const process of [one, two]) assertEquals((await process.end()).stderr, "");
    // A process that takes the place of another one gets its memory.
    timeline!.release(shares[1]!);
    assert(timeline!.track("process 1", false, true).ring === shares[1]!.ring);
    await timeline!.close();
    const { connections } = Trace.read(file);
    assertEquals(connections.length, 2);
    const { origin } = shares[0]!;
    for (const { from, to, spans } of connections) {
      const times = [began, origin + from / 1_000, origin + to / 1_000, ended];
      // The file has whole microseconds. Each look at the clock that was set takes long, so nobody can
      // look at two clocks at the same moment.
      const most = spans.at(-1)!.name.endsWith(" 0") ? 1 : 100;
      times.forEach((time, index) =>
        assert(index === 0 || time > times[index - 1]! - most, `${times}`)
      );
    }
  },
  { skip },
);

test(
  "what its processes do and take is in the trace, the statistics and the metrics of a server",
  async () => {
    using folder = new Folder();
    const file = folder.path("trace.json");
    await using server = await ServerProcess.start("prefork", [
      "--per-connection",
      // On a busy machine a connection may be taken back, and a second process would start for it.
      ...["--max-processes", "1", "--spare", "0"],
      ...["--protocol", "./tests/kit/protocols/deadly.ts"],
      ...["--trace", file],
      ...["--log-format", "json"],
      ...["--stats-every", "50ms"],
      ...["--metrics", "0"],
    ]);
    const statistics = () =>
      server.stderr.split("\n").slice(0, -1).map((line) => JSON.parse(line))
        .findLast(({ type }) => type === "statistics");
    await using peer = await Peer.connect(server.address);
    const pid = Number(await (await peer.send("pid\n")).line());
    await until("the process in the statistics", () => {
      const { queued, processes, processes_memory_bytes: memory } = statistics() ?? {};
      return processes === 1 && queued === 0 && memory > 1024 * 1024;
    });
    const figures = await scrape(metricsOf(server));
    assertEquals(figures.get("handshake_processes"), 1);
    assert(figures.get("handshake_processes_resident_memory_bytes")! > 1024 * 1024);
    const seconds = "handshake_processes_cpu_seconds_total";
    const before = figures.get(seconds)!;
    assert(before > 0);
    process.kill(pid, "SIGKILL");
    await peer.gone();
    await until("no process in the statistics", () => statistics()?.processes === 0);
    // What one that has ended has taken is not forgotten.
    assert((await scrape(metricsOf(server))).get(seconds)! >= before);
    const { code, stderr } = await server.stop();
    assertEquals(code, 0, stderr);
    const { connections: [connection, ...others], outcomes, leftOut } = Trace.read(file);
    assertEquals([others, outcomes], [[], { other: 1 }]);
    assertEquals(leftOut, { connections: 0, spans: 0 });
    // It has waited until its process had started. On a busy machine it has waited before that, too.
    assertEquals(connection!.spans.map(({ name }) => name).slice(-2), [
      "queued",
      "served by process 1",
    ]);
    assertEquals(connection!.args.peer, peer.name);
  },
  { skip, sanitize: false, timeoutMs: 30_000 },
);

test("a server that cannot open its processes keeps no descriptor", async () => {
  const script = 'ulimit -n 100; exec "$@"';
  const command = commandOf("tests/kit/crowded_children.ts", []);
  await using crowded = new Program(["sh", "-c", script, "sh", ...command]);
  const { code, stdout, stderr } = await crowded.end();
  assertEquals(code, 0, stderr);
  const tries = stdout.trim().split("\n").map((line) => line.split(" "));
  for (const [before, after] of tries) assertEquals(after, before, stdout);
  const last = tries.at(-1) as string[];
  assertEquals([tries[0]?.[2], last[2]], ["failed", "opened"]);
}, { skip });
