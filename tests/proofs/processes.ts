/**
 * Twenty thousand processes come and go, and 500 serve at the same time: nobody is lost, and nothing is
 * left.
 *
 * In the crawl each of 20,000 clients, 50 at a time, gets a process of its own, and is told its number.
 * There are so many that numbers come again. Meanwhile the parent keeps as many descriptors as it had,
 * and its memory does not grow with them. Then 500 processes have a client each at the same time, with
 * both ways to hand connections over. One of these servers is told to end and does. The parent of
 * another one is killed, and its processes are gone a second later at most than those of a third one
 * that are all killed by hand: to take the memory of hundreds back is work for the kernel. None leaves a
 * zombie or a file.
 *
 * Words on the command line say how many clients there are, and how many processes.
 *
 * @module
 */

import process from "node:process";
import { whyNoCommonMemory } from "../../engine/net/common_memory.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { processesInMemory } from "../../engine/process/memory_limits.ts";
import { read } from "../../engine/process/process_status.ts";
import type { RuntimeName } from "../../engine/process/runtimes.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, delay, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { childrenOf, descriptorsOf, isThere, offspringOf } from "../kit/processes.ts";
import { prove } from "../kit/proof.ts";
import { type Ending, ServerProcess, totalsIn } from "../kit/server_process.ts";

/** Tells each client the number of its process. */
const PROTOCOL = ["--protocol", "./tests/kit/protocols/deadly.ts"];

/** How many clients connect at a time. */
const AT_A_TIME = 50;

/** After so many processes of a crawl a parent is warm: whatever it keeps, it has. */
const WARM = 1_000;

/** How much its memory may go up and down after that, in MiB: it is that of a collector. */
const SWING_MIB = 24;

/**
 * Has V8 collect all garbage soon and at once. Else it would take up to 48 MiB in each thread for what
 * dies young, a step at a time, and hide what the parent keeps. Bun has no use for it.
 */
const COLLECT_ALL = { DENO_V8_FLAGS: "--gc-global,--max-semi-space-size=1" };

/** How long the processes may take to start, in milliseconds. */
const START_MS = 300_000;

/** How much later processes whose parent was killed may be gone than if all were killed, in seconds. */
const ORPHANS_S = 1;

/** Why processes cannot be looked at here. */
export const whyNoProcesses: string | undefined = whyNoSockets() ?? whyNoCommonMemory();

/** A server in an environment in which it is seen what it leaves. */
class Watched implements AsyncDisposable {
  readonly server: ServerProcess;
  readonly #folder: Folder;

  private constructor(server: ServerProcess, folder: Folder) {
    this.server = server;
    this.#folder = folder;
  }

  static async start(
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<Watched> {
    const folder = new Folder();
    const environment = {
      ...process.env as Record<string, string>,
      ...more,
      TMPDIR: folder.path(""),
      XDG_RUNTIME_DIR: "",
    };
    try {
      const all = [...PROTOCOL, ...args];
      return new Watched(await ServerProcess.start("prefork", all, { environment }), folder);
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  /** Connects, and is told who serves the connection. */
  async served(): Promise<{ readonly peer: Peer; readonly pid: number }> {
    const peer = await Peer.connect(this.server.address);
    return { peer, pid: Number(await (await peer.send("pid\n")).line()) };
  }

  /** What the parent itself has: descriptors beyond one for each process, and memory in MiB. */
  get parent(): { readonly descriptors: number; readonly memory: number } {
    const { pid } = this.server;
    // It has some for each of its processes.
    const descriptors = descriptorsOf(pid) - childrenOf(pid).length;
    const [, kibibytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? [];
    return { descriptors, memory: Math.round(Number(kibibytes) / 1024) };
  }

  /** Waits until it has so many processes, or a few more, and all are ready. */
  async settle(processes: number, more = 0): Promise<void> {
    const { server } = this;
    await until(`${processes} processes to be there`, async () => {
      // To look at all processes of the machine takes a while.
      await delay(20);
      const { length } = childrenOf(server.pid);
      return length >= processes && length <= processes + more;
    }, START_MS);
    if (!server.stderr.includes("the others are starting")) return;
    await until("all of them to run", () => server.stderr.includes("processes run\n"), START_MS);
  }

  /** Tells it to end, and sees that it leaves nothing. */
  async stop(): Promise<Ending> {
    const children = childrenOf(this.server.pid);
    this.server.signal("SIGTERM");
    const ending = await this.server.end(START_MS);
    assertEquals(ending.code, 0, ending.stderr);
    assertEquals(children.filter(isThere), []);
    assertEquals(this.left, [], "it has left nothing");
    return ending;
  }

  /** The names of the files that it has left. */
  get left(): readonly string[] {
    return this.#folder.names;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}

/** A client is done, and sees that its server is. */
async function leave(peer: Peer): Promise<void> {
  peer.finish();
  assertEquals(await peer.rest(), "");
}

/** How many clients there are, and how many processes are kept ready. */
export interface CrawlPlan {
  readonly clients: number;
  /** How many of them there are at a time. @default {50} */
  readonly atATime?: number;
  readonly spare: number;
}

/** What a crawl has seen. */
export interface Crawl {
  /** How many different numbers the processes had. */
  readonly numbers: number;
  /** What the parent had when it was warm, and at the end. */
  readonly before: Watched["parent"];
  readonly after: Watched["parent"];
  readonly seconds: number;
}

/**
 * Gives each of very many clients a process of its own.
 *
 * @param plan how many there are
 * @returns what was seen
 * @throws {Error} if a client was not served, or if something is left
 */
export async function crawl({ clients, atATime = AT_A_TIME, spare }: CrawlPlan): Promise<Crawl> {
  const began = performance.now();
  const flags = ["--per-connection", "--spare", `${spare}`, "--quiet"];
  await using watched = await Watched.start(flags, COLLECT_ALL);
  const pids = new Set<number>();
  let begun = 0;
  const client = async (most: number) => {
    while (begun < most) {
      begun++;
      const { peer, pid } = await watched.served();
      pids.add(pid);
      await leave(peer);
    }
  };
  /** Serves so many in all, and looks at the parent when it rests. */
  const serve = async (most: number) => {
    await Promise.all(Array.from({ length: atATime }, () => client(most)));
    // One that was started for somebody who found another one is spare too.
    await watched.settle(spare, atATime);
    // Between its end and the parent's wait(2) each process is a zombie for a moment.
    await until("no zombie to be left", () => offspringOf(watched.server.pid).zombies.length === 0);
    return watched.parent;
  };
  const before = await serve(Math.min(WARM, clients >> 1));
  const after = await serve(clients);
  // A process may have one more, or not have called its parent yet, at the first look or at this one.
  const isBack = () => watched.parent.descriptors <= before.descriptors + spare;
  await until("no more descriptors to be open than before", isBack);
  assert(after.memory <= before.memory + SWING_MIB, `${before.memory} MiB, then ${after.memory}`);
  const totals = `accepted ${clients} · completed ${clients} · failed 0 · cut 0`;
  assertEquals(totalsIn(await watched.stop()), totals);
  return { numbers: pids.size, before, after, seconds: (performance.now() - began) / 1_000 };
}

/** How many processes there are, and how they get their connections. */
export interface CrowdPlan {
  readonly processes: number;
  readonly handoff: "listener" | "descriptor";
  /** How they end: the server is told to, its parent is killed, or all processes are. */
  readonly ending: "told" | "orphaned" | "killed";
}

/** What was seen of many processes. */
export interface Crowd {
  /** How long it took until the server listened, until all processes ran, and until all were gone. */
  readonly seconds: {
    readonly listening: number;
    readonly started: number;
    readonly ended: number;
  };
  /** How much of the memory belongs to each of them, in MiB: what they share is divided among them. */
  readonly memory: number;
}

/**
 * Has many processes serve at the same time.
 *
 * @param plan how many, and how
 * @returns what was seen
 * @throws {Error} if a client was not served, or if something is left
 */
export async function crowd({ processes, handoff, ending }: CrowdPlan): Promise<Crowd> {
  const began = performance.now();
  const since = (from: number) => (performance.now() - from) / 1_000;
  const args = ["--workers", `${processes}`, "--handoff", handoff, "--max-per-host", "5000"];
  await using watched = await Watched.start(args);
  const { server } = watched;
  const listening = since(began);
  await watched.settle(processes);
  const started = since(began);
  const children = childrenOf(server.pid);
  // Each of them has a client at the same time.
  const peers: Peer[] = [];
  const pids = new Set<number>();
  while (peers.length < processes) {
    const length = Math.min(AT_A_TIME, processes - peers.length);
    const more = await Promise.all(Array.from({ length }, () => watched.served()));
    for (const { peer, pid } of more) {
      peers.push(peer);
      pids.add(pid);
    }
  }
  assertEquals(pids.size, processes);
  const memory = shareOf(children);
  // They serve others after that, and all of these are counted.
  await Promise.all(peers.map(leave));
  for (let times = 0; times < 3; times++) {
    const more = await Promise.all(Array.from({ length: processes }, () => watched.served()));
    await Promise.all(more.map(({ peer }) => leave(peer)));
  }
  assertEquals(offspringOf(server.pid), { running: children, zombies: [] });
  const end = performance.now();
  if (ending === "told") {
    const all = 4 * processes;
    assertEquals(
      totalsIn(await watched.stop()),
      `accepted ${all} · completed ${all} · failed 0 · cut 0`,
    );
  } else {
    assertEquals(watched.left, [], "nothing would be left");
    server.signal("SIGKILL");
    if (ending === "killed") { for (const child of children) process.kill(child, "SIGKILL"); }
    await until("all of them to end", () => !children.some(isThere));
  }
  return { seconds: { listening, started, ended: since(end) }, memory };
}

/** How much memory belongs to each of some processes (`Pss`), in MiB. */
function shareOf(pids: readonly number[]): number {
  const shares = pids.map((pid) =>
    Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)
  );
  return shares.reduce((sum, share) => sum + share, 0) / 1024 / pids.length;
}

/** How many processes there are memory for, with as much left for everybody else. */
function mostInMemory(): number {
  return Math.floor(processesInMemory(runtime.name as RuntimeName) / 2);
}

await prove(import.meta, async () => {
  const [clients = 20_000, wanted = 500] = process.argv.slice(2).map(Number);
  const processes = Math.min(wanted, mostInMemory());
  const orphaned = await crowd({ processes, handoff: "listener", ending: "orphaned" });
  const killed = await crowd({ processes, handoff: "listener", ending: "killed" });
  const told = await crowd({ processes, handoff: "descriptor", ending: "told" });
  const [late, soon] = [orphaned.seconds.ended, killed.seconds.ended];
  const ends = `without a parent ${late.toFixed(2)} s, killed by hand ${soon.toFixed(2)}`;
  assert(late <= soon + ORPHANS_S, `they end late: ${ends}`);
  const crowds = [orphaned, told].map(({ seconds: { listening, started }, memory }) =>
    `${processes} processes listen after ${listening.toFixed(1)} s, all run after ` +
    `${started.toFixed(1)}, ${memory.toFixed(1)} MiB each`
  );
  const end = `they end: ${ends}, told ${told.seconds.ended.toFixed(2)}`;
  const { numbers, before, after, seconds } = await crawl({ clients, spare: 2 });
  const memory = `parent ${before.memory} MiB, then ${after.memory}`;
  const rate = `${clients} clients in ${seconds.toFixed(0)} s by ${numbers} numbers`;
  return [...crowds, end, rate, memory].join("; ");
}, { skip: whyNoProcesses });
