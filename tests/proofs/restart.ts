/**
 * A server that is restarted ten times under load fails no request.
 *
 * The bench connects anew for each request. Meanwhile servers take the listener over from one
 * another: `threadpool` and `nonblocking` in turn, on Deno and on Bun, and each also restarts itself
 * at SIGUSR2.
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { read } from "../../engine/process/process_status.ts";
import { type RuntimeCommand, RUNTIMES } from "../../engine/process/runtimes.ts";
import type { Address } from "../../protocol.ts";
import { assert, assertEquals, until } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { Script, ServerProcess } from "../kit/server_process.ts";

/** How many restarts there are. */
const RESTARTS = 10;

/** How many connections the bench has at a time. */
const CONNECTIONS = 50;

/** How long the bench runs at most, in seconds: longer than the restarts take. */
const BENCH_S = 240;

/** Why listeners cannot be passed on here. */
export const whyNoTakeover: string | undefined = runtime.os !== "linux"
  ? "only Linux passes listeners on"
  : whyNoSockets();

/** Which server comes next, and how. */
export interface Stage {
  /** The mode's script. */
  readonly mode: string;
  /** The runtime. */
  readonly on: RuntimeCommand;
  /** Whether the server before starts it, at SIGUSR2; then it is the same as that one. */
  readonly isRestart?: boolean;
}

/** Servers that take over from one another. */
export class Relay implements AsyncDisposable {
  /** Where all of them listen. */
  address: Address = { hostname: "", port: 0 };
  readonly #folder = mkdtempSync(join(tmpdir(), "handshake-relay-"));
  readonly #args: readonly string[];
  readonly #started: ServerProcess[] = [];
  #server: ServerProcess | undefined;
  /** The process that serves: the server, or one that it has started. */
  #pid = 0;

  /** @param args the flags of all servers */
  constructor(args: readonly string[]) {
    this.#args = [...args, "--takeover", this.path];
  }

  /** Where the listener is offered. */
  get path(): string {
    return join(this.#folder, "socket");
  }

  /** The number of the process that offers the listener; 0 if nobody does. */
  get pid(): number {
    const net = sockets();
    let fd: number | undefined;
    try {
      fd = net.openConnection({ hostname: `unix:${this.path}`, port: 0 }, 1_000);
      return net.peerCredentials(fd)?.pid ?? 0;
    } catch {
      return 0;
    } finally {
      if (fd !== undefined) net.close(fd);
    }
  }

  /** Lets the next server take over, and waits until the one before has ended. */
  async next({ mode, on, isRestart = false }: Stage): Promise<void> {
    const before = this.#server;
    const pid = this.#pid;
    if (before !== undefined && isRestart) {
      process.kill(pid, "SIGUSR2");
      await until("the next process to serve", () => {
        assert(!before.stderr.includes("goes on"), before.stderr);
        this.#pid = this.pid;
        return this.#pid !== pid && this.#pid !== 0;
      }, 30_000);
    } else {
      this.#server = await ServerProcess.start(mode, this.#args, { on });
      this.#started.push(this.#server);
      this.#pid = this.#server.pid;
      assertEquals(this.pid, this.#pid);
      if (before !== undefined) assertEquals(this.#server.address, this.address);
      this.address = this.#server.address;
    }
    if (before !== undefined) await gone(pid);
  }

  /** Ends the last server. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (isAlive(this.#pid)) process.kill(this.#pid, "SIGTERM");
    await gone(this.#pid);
    for (const server of this.#started) await server[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Waits until a process is gone. */
async function gone(pid: number): Promise<void> {
  await until(`process ${pid} to end`, () => !isAlive(pid), 30_000);
}

/** Whether a process runs. One that has ended, and that nobody has waited for, does not. */
function isAlive(pid: number): boolean {
  const state = read(`/proc/${pid}/stat`).split(") ").at(-1)?.[0] ?? "Z";
  return state !== "Z";
}

/** The other server of each kind: Deno to Bun, `threadpool` to `nonblocking`, and back. */
function stages(count: number): Stage[] {
  const [deno, bun] = RUNTIMES as readonly [RuntimeCommand, RuntimeCommand];
  const circle: Stage[] = [
    { mode: "nonblocking", on: bun },
    { mode: "nonblocking", on: bun, isRestart: true },
    { mode: "threadpool", on: deno },
    { mode: "threadpool", on: deno, isRestart: true },
  ];
  return Array.from({ length: count }, (_, index) => circle[index % circle.length] as Stage);
}

await prove(import.meta, async () => {
  await using relay = new Relay(["--protocol", "echo", "--quiet"]);
  await relay.next({ mode: "threadpool", on: RUNTIMES[0] as RuntimeCommand });
  const { hostname, port } = relay.address;
  await using bench = new Script("lab/bench.ts", [
    "--no-floor",
    `${hostname}:${port}`,
    ...["--protocol", "echo", "--connect", "-c", String(CONNECTIONS), "-d", `${BENCH_S}s`],
    ...["--json", "-"],
  ]);
  await until("the bench to begin", () => bench.stderr.includes(" left "), 60_000);
  for (const stage of stages(RESTARTS)) await relay.next(stage);
  bench.signal("SIGINT");
  const { stdout, stderr } = await bench.end(60_000);
  const [run] = JSON.parse(stdout).runs;
  assertEquals(run.errors, {}, stderr);
  assert(run.requests > 1000, `${run.requests} requests`);
  return `${run.requests} requests, 0 failed, through ${RESTARTS} restarts`;
}, { skip: whyNoTakeover });
