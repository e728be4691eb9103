/**
 * The modes and their hand-offs as a table, so that a test that holds for all is written once.
 *
 * @module
 */

import process from "node:process";
import { CommonMemory, whyNoCommonMemory } from "../../engine/net/common_memory.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { sendSignal } from "../../engine/process/send_signal.ts";
import { MeetingPoint } from "../../engine/server/processes/meeting_point.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import { type ModeName, MODES } from "../../modes/catalogue.ts";
import { assertMatch, test, until } from "./harness.ts";
import type { Peer } from "./peer.ts";
import { ServerProcess } from "./server_process.ts";
import { IS_LONG, isOurs } from "./turns.ts";

/** A mode, and how it hands connections over. */
export interface Row {
  /** What the names of its tests begin with. */
  readonly name: string;
  /** The script. */
  readonly mode: ModeName;
  readonly args: readonly string[];
  /** What its greeting must match. */
  readonly greeting: RegExp;
  /** Whether it serves several clients at a time. */
  readonly concurrent: boolean;
  /** Whether short requests are answered while a computation for another connection runs. */
  readonly overtakes: boolean;
  /** Whether Workers serve the connections: they import the protocol for themselves. */
  readonly workers: boolean;
  /** Whether one thread serves all connections, so that they share a protocol's variables. */
  readonly sharesMemory: boolean;
  /** Whether connections wait in a queue of the server's own. */
  readonly queues: boolean;
  /** Whether a thread serves many connections at a time. */
  readonly loops: boolean;
  /** Why it cannot run here. */
  readonly skip?: string | undefined;
}

const skip = whyNoSockets();

// The C library stays loaded. The first test of a mode with processes would seem to have left it behind.
if ((skip ?? whyNoCommonMemory()) === undefined) {
  using common = CommonMemory.create();
  common.allocate(1);
  sendSignal(process.pid, 0);
  new MeetingPoint(sockets()).close();
}

/** All rows. */
export const ROWS: readonly Row[] = [
  {
    name: "sequential",
    mode: "sequential",
    args: [],
    greeting: skip === undefined ? / · 1 thread · descriptors · / : / · 1 at a time · /,
    concurrent: false,
    overtakes: false,
    workers: skip === undefined,
    sharesMemory: true,
    queues: false,
    loops: false,
  },
  {
    name: "threaded by descriptors",
    mode: "threaded",
    args: ["--handoff", "fd"],
    greeting: / · up to 256 threads · 64 spare · descriptors · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: true,
    loops: false,
    skip,
  },
  {
    name: "threaded by messages",
    mode: "threaded",
    args: ["--handoff", "message"],
    greeting: / · up to 256 threads · 64 spare · messages · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: true,
    loops: false,
  },
  {
    name: "threadpool by descriptors",
    mode: "threadpool",
    args: ["--handoff", "fd", "--workers", "2"],
    greeting: / · 2 workers · descriptors · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: true,
    loops: false,
    skip,
  },
  {
    name: "threadpool without a queue",
    mode: "threadpool",
    args: ["--handoff", "fd", "--workers", "2", "--queue", "0"],
    greeting: / · 2 workers · descriptors · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: false,
    loops: false,
    skip,
  },
  {
    name: "threadpool by messages",
    mode: "threadpool",
    args: ["--handoff", "message", "--workers", "2"],
    greeting: / · 2 workers · messages · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: true,
    loops: false,
  },
  {
    name: "berkeley",
    mode: "berkeley",
    args: ["--protocol", "hello", "--workers", "2"],
    greeting: / · 2 workers · descriptors · TCP only · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: true,
    loops: false,
    skip,
  },
  {
    name: "prefork by listener",
    mode: "prefork",
    args: ["--workers", "2", "--handoff", "listener"],
    greeting: / · 2 processes · one listener · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: false,
    loops: false,
    skip: skip ?? whyNoCommonMemory(),
  },
  {
    name: "prefork by descriptor",
    mode: "prefork",
    args: ["--workers", "2", "--handoff", "descriptor"],
    greeting: / · 2 processes · descriptors · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: false,
    loops: false,
    skip: skip ?? whyNoCommonMemory(),
  },
  {
    name: "prefork per connection",
    mode: "prefork",
    args: ["--per-connection", "--spare", "2"],
    greeting: / · a process for each connection, up to 64 · 2 spare · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: true,
    loops: false,
    skip: skip ?? whyNoCommonMemory(),
  },
  {
    name: "event",
    mode: "event",
    args: [],
    greeting: / · 1 thread · (deno|bun)'s listener · /,
    concurrent: true,
    overtakes: true,
    workers: false,
    sharesMemory: true,
    queues: false,
    loops: true,
  },
  {
    name: "event computing in place",
    mode: "event",
    args: ["--offload", "0"],
    greeting: / · 1 thread · (deno|bun)'s listener · /,
    concurrent: true,
    overtakes: false,
    workers: false,
    sharesMemory: true,
    queues: false,
    loops: true,
  },
  {
    name: "nonblocking",
    mode: "nonblocking",
    args: [],
    greeting: / · 1 thread · e?poll · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: true,
    queues: false,
    loops: true,
    skip,
  },
  {
    name: "nonblocking by poll",
    mode: "nonblocking",
    args: ["--poller", "poll"],
    greeting: / · 1 thread · poll · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: true,
    queues: false,
    loops: true,
    skip,
  },
  {
    name: "nonblocking computing in place",
    mode: "nonblocking",
    args: ["--offload", "0"],
    greeting: / · 1 thread · e?poll · /,
    concurrent: true,
    overtakes: false,
    workers: true,
    sharesMemory: true,
    queues: false,
    loops: true,
    skip,
  },
  {
    name: "completion",
    mode: "completion",
    args: [],
    greeting: / · 1 thread · io_uring · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: true,
    queues: false,
    loops: true,
    skip: whyNoRing(),
  },
  {
    name: "cluster",
    mode: "cluster",
    args: ["--workers", "2"],
    greeting: / · 2 event loops · SO_REUSEPORT · /,
    concurrent: true,
    overtakes: true,
    workers: true,
    sharesMemory: false,
    queues: false,
    loops: true,
  },
];

/** Why a mode cannot run here, by default; `undefined` if it can. */
export function whyNot(mode: string): string | undefined {
  return ROWS.find((row) => row.mode === mode)?.skip;
}

/**
 * Registers tests that check something in several rows at a time: for checks that mostly wait.
 *
 * @param what what is checked
 * @param rows the rows; those that cannot run here are left out
 * @param body checks one row
 * @param atOnce how many rows a test checks
 */
export function testTogether(
  what: string,
  rows: readonly Row[],
  body: (row: Row) => Promise<void>,
  atOnce = 3,
): void {
  const left = rows.filter((row) => row.skip === undefined);
  while (left.length > 0) {
    const group = left.splice(0, atOnce);
    test(`${group.map(({ name }) => name).join(", ")}: ${what}`, async () => {
      await Promise.all(group.map((row) =>
        body(row).catch((cause) => {
          throw new Error(`${row.name}: ${cause.message}`, { cause });
        })
      ));
    }, { sanitize: false });
  }
}

/** The server of a row, shared by several tests. It is started when it is first needed. */
export class Shared {
  readonly #row: Row;
  readonly #args: readonly string[];
  #server: Promise<ServerProcess> | undefined;

  /** @param row the mode @param args further flags */
  constructor(row: Row, ...args: string[]) {
    this.#row = row;
    this.#args = args;
  }

  /** The server, listening. */
  get(): Promise<ServerProcess> {
    return this.#server ??= ServerProcess.start(this.#row.mode, [...this.#row.args, ...this.#args]);
  }
}

/** Waits until the log says that the conversation with this peer failed, and returns why. */
export async function failureOf(server: ServerProcess, peer: Peer): Promise<string> {
  const entry = new RegExp(` failed ${peer.name} after [0-9.]+ ms: (.*)$`, "m");
  await until(`the log to say that ${peer.name} failed`, () => entry.test(server.stderr));
  return entry.exec(server.stderr)?.[1] ?? "";
}

/** Waits until the log says that the conversation with this peer failed, and checks why. */
export async function failedAs(server: ServerProcess, peer: Peer, kind: string): Promise<void> {
  assertMatch(await failureOf(server, peer), new RegExp(`^${kind}: `));
}

/** Waits until the log says that a client has come and left without a byte. */
export async function wasEmpty(server: ServerProcess, peer: Peer): Promise<void> {
  const entry = ` empty ${peer.name} `;
  await until(`the log to say that ${peer.name} said nothing`, () => server.stderr.includes(entry));
}

/** Whether a mode has a flag. */
export async function hasFlag(mode: string, name: string): Promise<boolean> {
  const { command } = await (await MODES[mode as ModeName].load()).program();
  return command.flags.some((flag) => flag.name === name);
}

/**
 * The flags of a row for tests with one client at a time: a pool then has one thread, and a start
 * takes a fraction of the work.
 */
export function forOne(row: Row): readonly string[] {
  return withWorkers(row, 1);
}

/**
 * The flags of a row, with another number of threads in a pool.
 *
 * @param row the row
 * @param count how many threads
 */
export function withWorkers({ args }: Row, count: number): readonly string[] {
  return args.map((arg, index) => args[index - 1] === "--workers" ? `${count}` : arg);
}

/** Why a row is not given a hundred connections at a time; `undefined` if it is. */
export function whyFew({ args }: Row): string | undefined {
  return args.includes("--per-connection")
    ? "each connection would cost the start of a process"
    : undefined;
}

/** Whether a row differs from another one only in which thread computes. */
export function computesInPlace({ args }: Row): boolean {
  return args.includes("--offload");
}

/**
 * The rows that are tested every day. A process for each connection takes ten times as long as a
 * thread. poll(2) differs from epoll(7) only in how it asks, a pool without a queue from `berkeley`
 * only in who makes the calls. Computing in place is tried in `event`, and threads by messages in
 * `threadpool`. All these rows go through the whole contract where there is time.
 */
export const DAILY: readonly Row[] = ROWS.filter((row) =>
  IS_LONG ||
  !(["--per-connection", "--poller", "--queue"].some((flag) => row.args.includes(flag)) ||
    (row.mode === "nonblocking" && computesInPlace(row)) ||
    (row.mode === "threaded" && row.args.includes("message")))
);

/**
 * Those of them that differ in more than which thread computes: for what has to do with that in no
 * way. The others are among them where there is time.
 */
export const DIFFERENT: readonly Row[] = DAILY.filter((row) => IS_LONG || !computesInPlace(row));

/** The number of a row, for those who take turns: see `turns.ts`. */
export function numberOf(row: Row): number {
  return DAILY.indexOf(row);
}

/**
 * Whether a row is asked this on this runtime. Each row is asked everything, on one of the runtimes,
 * and each runtime asks everything, of every other row. Where there is time, all is asked of all.
 *
 * @param row the row
 * @param turn the number of what is asked: that which follows is asked of the other rows
 */
export function hasTurn(row: Row, turn: number): boolean {
  return isOurs(numberOf(row) + turn);
}

/**
 * The rows that are asked this on this runtime.
 *
 * @param rows the rows
 * @param turn see {@linkcode hasTurn}
 */
export function inTurn(rows: readonly Row[], turn: number): readonly Row[] {
  return rows.filter((row) => hasTurn(row, turn));
}
