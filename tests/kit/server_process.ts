/**
 * The modes as users run them: as processes, on the runtime that runs the tests.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { COMMANDS } from "../../commands.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { type RuntimeCommand, RUNTIMES } from "../../engine/process/runtimes.ts";
import type { Address } from "../../protocol.ts";
import { assert, assertStringIncludes, until, within } from "./harness.ts";
import { type SentSignal, signalTo } from "./processes.ts";

/** How a process ended. */
export interface Ending {
  /** Its exit status; `null` when a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What to start a program with, beside its arguments. */
export interface ProgramOptions {
  /** What it reads from standard input: nothing if left out; with `"open"` the test writes it. */
  readonly input?: string | Uint8Array;
  /** Whether it prints bytes and not text. Each byte is then read as one character. */
  readonly binary?: boolean;
  /** The current directory. @default the project's */
  readonly cwd?: string;
  /** All variables of its environment. @default those of the tests */
  readonly environment?: Readonly<Record<string, string>>;
  /** Descriptors that it inherits, as 3, 4, … */
  readonly inherits?: readonly number[];
}

/** What to start a script with, beside its arguments. */
export interface ScriptOptions extends ProgramOptions {
  /** How many descriptors it may have: `ulimit -n`. */
  readonly descriptors?: number;
  /** Where to make a pipe that is full and that nobody reads. It is the script's standard error. */
  readonly fullPipe?: string;
  /** The runtime's own arguments. @default {ALL_PERMISSIONS} on Deno */
  readonly permissions?: readonly string[];
  /** The runtime that it runs on. @default the one that runs the tests */
  readonly on?: RuntimeCommand;
  /** An executable with the script as one of its commands, to be run without a runtime. */
  readonly executable?: string;
}

/** The runtime that runs the tests, and the other one. */
const [ours, theirs] = (runtime.name === "deno" ? RUNTIMES : [...RUNTIMES].reverse()) as [
  RuntimeCommand,
  RuntimeCommand,
];

/** The runtime that runs the tests. */
export const ourRuntime: RuntimeCommand = ours;

/** The runtime that does not run the tests. */
export const otherRuntime: RuntimeCommand = theirs;

/** Why that runtime cannot be used. */
export const whyNoOtherRuntime: string | undefined = existsSync(theirs.path)
  ? undefined
  : `${theirs.name} cannot be found`;

/** The programs that still run. They are ended if the tests themselves end. */
const running = new Set<Program>();
process.on("exit", () => {
  for (const program of running) program.signal("SIGKILL");
});

/**
 * Why a program cannot be used. In CI everything that `scripts/peers.ts` can install must be there:
 * a test that misses it fails.
 *
 * @param name the program's name, as a shell knows it
 */
export function whyNoProgram(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const isThere = folders.some((folder) => existsSync(join(folder, name)));
  const mustBeThere = process.env.CI !== undefined && runtime.os === "linux";
  return isThere || mustBeThere ? undefined : `${name} is not installed`;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Resolves when nothing more will come from a stream. */
function isRead(stream: Readable | null): Promise<void> {
  return new Promise((resolve) => {
    if (stream === null || stream.readableEnded || stream.destroyed) return resolve();
    for (const event of ["end", "close", "error"]) stream.once(event, () => resolve());
  });
}

/** A program in a process of its own. */
export class Program implements AsyncDisposable {
  /** What it has printed so far. */
  stdout = "";
  /** What it has printed to standard error so far. */
  stderr = "";
  /** Resolves when it has ended and everything that it printed was read. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #isOver = false;
  /** Whether its process has ended. One that it has started may still write to its streams. */
  #hasExited = false;

  /** @param command its name or path, and its arguments @param options how to run it */
  constructor(command: readonly string[], options: ProgramOptions = {}) {
    const { input, binary = false, cwd = root, environment, inherits = [] } = options;
    const [file, ...args] = command as [string, ...string[]];
    const child = this.#child = spawn(file, args, {
      cwd,
      ...(environment !== undefined && { env: { ...environment } }),
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe", ...inherits],
    });
    // Some tests are about a program that ends before it has read everything.
    child.stdin?.on("error", () => {});
    if (input !== undefined && input !== "open") child.stdin?.end(input);
    child.stdout?.setEncoding(binary ? "latin1" : "utf8").on(
      "data",
      (text: string) => this.stdout += text,
    );
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.stderr += text);
    running.add(this);
    // On a busy machine Deno may report the close before everything printed has been read.
    const read = Promise.all([isRead(child.stdout), isRead(child.stderr)]);
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", () => this.#hasExited = true);
      child.on("close", async (code, signal) => {
        await read;
        this.#isOver = true;
        running.delete(this);
        const { stdout, stderr } = this;
        resolve({ code, signal, stdout, stderr });
      });
    });
    // Those who wait for its end get the error.
    this.ended.catch(() => this.#isOver = this.#hasExited = true);
  }

  /** Writes to its standard input, which must be `"open"`. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Closes its standard input. */
  finish(): void {
    this.#child.stdin?.end();
  }

  /** Waits until it has printed something. */
  async printed(text: string, to: "stdout" | "stderr" = "stdout"): Promise<void> {
    await until(`${this.describe} to print ${JSON.stringify(text)}`, () => {
      if (this.#isOver) assertStringIncludes(this[to], text);
      return this[to].includes(text);
    });
  }

  /** Closes its standard output for reading: its next write fails. */
  hangUp(): void {
    this.#child.stdout?.destroy();
  }

  /** Sends a signal. */
  signal(name: SentSignal): void {
    // Not `child.kill()`: on Deno the child would then seem to have died of the signal.
    if (!this.#hasExited) signalTo(this.#child.pid as number, name);
  }

  /** Waits for its end. */
  end(ms = 15_000): Promise<Ending> {
    return within(ms, `${this.describe} to end by itself`, this.ended).catch((error) => {
      throw new Error(`${error.message}\n${this.stdout}${this.stderr}`, { cause: error });
    });
  }

  /** The number of its process. */
  get pid(): number {
    return this.#child.pid as number;
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The command line, for errors. */
  get describe(): string {
    return this.#child.spawnargs.slice(-4).join(" ");
  }

  /** Ends it, if it has not ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.ended.catch(() => {});
  }
}

/**
 * Deno with every permission. It reads a module that is imported on demand when that is demanded,
 * and so starts a thread with three quarters of the work. With fewer permissions it must not: it
 * would ask for permission to read that module.
 */
const ALL_PERMISSIONS: readonly string[] = ["-A", "--unstable-lazy-dynamic-imports"];

/**
 * The command by which a runtime, or an executable, runs a script.
 *
 * @param script its path in the project
 * @param args its arguments
 * @param options which runtime, and its own arguments
 */
export function commandOf(
  script: string,
  args: readonly string[],
  { permissions = ALL_PERMISSIONS, on = ours, executable, cwd = root }: ScriptOptions = {},
): string[] {
  if (executable !== undefined) {
    const [command] = Object.entries(COMMANDS).find(([, entry]) => entry.script === script) ?? [];
    return [executable, command as string, ...args];
  }
  const path = cwd === root ? script : root + script;
  // The packages are there. If Deno looked, each start would lock their folder, and those who wait
  // for it say so on standard error.
  return on.name === "deno"
    ? [on.path, "run", "--no-prompt", "--node-modules-dir=manual", ...permissions, path, ...args]
    : [on.path, path, ...args];
}

/** Why no pipe can be filled; `undefined` if one can. */
export const whyNoFullPipe: string | undefined = runtime.os === "linux"
  ? undefined
  : "pipes have other sizes here";

/** The shell fills the pipe. It holds both ends, so nobody waits for a reader to come. */
const FILL = 'mkfifo "$0" && exec 3<>"$0" && head -c 65536 /dev/zero >&3 && exec "$@" 2>&3';

/** A script of this project in a process of its own. */
export class Script extends Program {
  /** @param path the script @param args its arguments @param options how to run it */
  constructor(path: string, args: readonly string[], options: ScriptOptions = {}) {
    const { descriptors, fullPipe } = options;
    const command = commandOf(path, args, options);
    const limited = descriptors === undefined
      ? command
      : ["sh", "-c", `ulimit -n ${descriptors} && exec "$@"`, "sh", ...command];
    super(fullPipe === undefined ? limited : ["sh", "-c", FILL, fullPipe, ...limited], options);
  }
}

/** The server of a mode, or another server, in a process of its own. */
export class ServerProcess extends Script {
  /** Where it listens. */
  address: Address = { hostname: "", port: 0 };

  /**
   * Starts a server on a free port and waits until it listens.
   *
   * @param mode the name of its script, with its folder where that is not `modes`
   * @param args its flags
   * @param options how to run it
   */
  static async start(
    mode: string,
    args: readonly string[] = [],
    options: ScriptOptions = {},
  ): Promise<ServerProcess> {
    const server = new ServerProcess(`${mode.includes("/") ? mode : `modes/${mode}`}.ts`, [
      "0",
      ...args,
    ], options);
    try {
      await until(`${mode} ${args.join(" ")} to listen`, () => {
        if (server.isOver) throw new Error(`${mode} ended: ${server.stdout}${server.stderr}`);
        return server.stdout.includes("\n");
      });
      const match = /^Listening on (?:\[([^\]]+)\]|([^: ]+)):(\d+) /.exec(server.stdout);
      assert(match !== null, server.stdout);
      server.address = { hostname: (match[1] ?? match[2]) as string, port: Number(match[3]) };
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The first line that it printed. */
  get greeting(): string {
    return this.stdout.split("\n")[0] as string;
  }

  /**
   * Has it restarted, and waits until another process serves in its place. On a busy machine that one
   * may be too slow; then it is asked again.
   *
   * @returns the number of the other process, which whoever asks has to end
   */
  async restart(): Promise<number> {
    let asked = 0;
    let pid: number | undefined;
    await until(`a process in place of ${this.describe}`, () => {
      const refused = this.stderr.split("this server goes on").length - 1;
      if (refused >= asked) {
        this.signal("SIGUSR2");
        asked++;
      }
      const [, found] = /process (\d+) serves now/.exec(this.stderr) ?? [];
      pid = found === undefined ? undefined : Number(found);
      return pid !== undefined;
    }, 30_000).catch((cause) => {
      throw new Error(`${cause.message}\n${this.stderr}`, { cause });
    });
    return pid as number;
  }

  /** Asks it to end, and waits until it has ended. */
  stop(signal: "SIGINT" | "SIGTERM" = "SIGTERM"): Promise<Ending> {
    this.signal(signal);
    return this.end();
  }
}

/**
 * Waits until a process has stopped after SIGSTOP: each of its threads stops by itself. Only Linux
 * tells that.
 */
export async function untilStopped(pid: number): Promise<void> {
  if (runtime.os !== "linux") return;
  const folder = `/proc/${pid}/task`;
  const isStopped = (thread: string) =>
    readFileSync(`${folder}/${thread}/stat`, "utf8").split(") ").at(-1)?.startsWith("T") === true;
  await until(`process ${pid} to have stopped`, () => readdirSync(folder).every(isStopped));
}

/** The totals that a server printed at its end. */
export function totalsIn({ stderr }: { readonly stderr: string }): string {
  const match = /totals: (.*)$/m.exec(stderr);
  assert(match !== null, `There are no totals in: ${stderr}`);
  return match[1] as string;
}

/** The numbers in the totals; what there was none of is 0. */
export function countsIn(
  ending: { readonly stderr: string },
): Readonly<Record<"accepted" | "completed" | "failed" | "cut" | "empty", number>> {
  const line = totalsIn(ending);
  const count = (name: string) => Number(new RegExp(`\\b${name} (\\d+)`).exec(line)?.[1] ?? 0);
  const [accepted, completed, failed] = [count("accepted"), count("completed"), count("failed")];
  return { accepted, completed, failed, cut: count("cut"), empty: count("empty") };
}

/** Why the number of a script's descriptors cannot be limited; `undefined` if it can. */
export const whyNoLimit: string | undefined = runtime.os === "windows"
  ? "Windows has no ulimit"
  : undefined;

/** The bit of SIGTERM in a mask of proc(5). */
const SIGTERM_BIT = 1n << 14n;

/** Whether a process catches SIGTERM: proc(5), `status`. */
export function catchesTerm(pid: number): boolean {
  const [, mask = "0"] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ??
    [];
  return (BigInt(`0x${mask}`) & SIGTERM_BIT) !== 0n;
}
