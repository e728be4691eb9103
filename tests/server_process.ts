/**
 * The modes as people run them: processes of the runtime that runs the tests.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import process from "node:process";
import { runtime } from "../net/runtime.ts";
import type { Address } from "../protocol.ts";
import { assert, until, within } from "./harness.ts";

/** How a process ended. */
export interface Ending {
  /** Its exit status; `null` when a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What to start a script with, beside its arguments. */
export interface ScriptOptions {
  /** The most descriptors it may have: `ulimit -n`. */
  readonly descriptors?: number;
  /** What it reads from standard input; with `"open"` the test writes it. Nothing if left out. */
  readonly input?: string | Uint8Array;
  /** Whether it prints bytes, of which each is to be one character, and no text. */
  readonly binary?: boolean;
  /** The runtime's own arguments. @default {["-A"]} on Deno */
  readonly permissions?: readonly string[];
  /** The current directory. @default the project's */
  readonly cwd?: string;
}

/** What still runs, to be ended if the tests themselves are. */
const running = new Set<Script>();
process.on("exit", () => {
  for (const script of running) script.signal("SIGKILL");
});

const root = fileURLToPath(new URL("../", import.meta.url));

/** A script of this project in a process of its own. */
export class Script implements AsyncDisposable {
  /** What it has printed so far. */
  stdout = "";
  /** What it has printed to standard error so far. */
  stderr = "";
  /** Resolves when it has ended and all it printed was read. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  #isOver = false;

  /** @param path the script @param args its arguments @param options how to run it */
  constructor(path: string, args: readonly string[], options: ScriptOptions = {}) {
    const { descriptors, input, permissions = ["-A"], binary = false, cwd = root } = options;
    const script = cwd === root ? path : root + path;
    const command = runtime.name === "deno"
      ? [process.execPath, "run", "--no-prompt", ...permissions, script, ...args]
      : [process.execPath, script, ...args];
    const limited = descriptors === undefined
      ? command
      : ["sh", "-c", `ulimit -n ${descriptors} && exec "$@"`, "sh", ...command];
    const [file, ...rest] = limited as [string, ...string[]];
    const child = this.#child = spawn(file, rest, {
      cwd,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    // A script that ends before it has read everything is what some tests are about.
    child.stdin?.on("error", () => {});
    if (input !== undefined && input !== "open") child.stdin?.end(input);
    child.stdout?.setEncoding(binary ? "latin1" : "utf8").on(
      "data",
      (text: string) => this.stdout += text,
    );
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.stderr += text);
    running.add(this);
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        this.#isOver = true;
        running.delete(this);
        const { stdout, stderr } = this;
        resolve({ code, signal, stdout, stderr });
      });
    });
    // Whoever waits for it is told.
    this.ended.catch(() => this.#isOver = true);
  }

  /** Writes to its standard input, which must be `"open"`. */
  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Reads no more of what it prints: the next that it writes fails. */
  hangUp(): void {
    this.#child.stdout?.destroy();
  }

  /** Sends a signal. */
  signal(name: "SIGINT" | "SIGTERM" | "SIGKILL"): void {
    // Not `child.kill()`: on Deno the child then seems to have died of it.
    if (!this.#isOver) process.kill(this.#child.pid as number, name);
  }

  /** Waits for its end. */
  end(ms = 15_000): Promise<Ending> {
    return within(ms, `${this.describe} to end by itself`, this.ended).catch((error) => {
      throw new Error(`${error.message}\n${this.stdout}${this.stderr}`, { cause: error });
    });
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

/** A mode's server in a process of its own. */
export class ServerProcess extends Script {
  /** Where it listens. */
  address: Address = { hostname: "", port: 0 };

  /**
   * Starts a server on a free port and waits until it listens.
   *
   * @param mode the name of its script
   * @param args its flags
   * @param options how to run it
   */
  static async start(
    mode: string,
    args: readonly string[] = [],
    options: ScriptOptions = {},
  ): Promise<ServerProcess> {
    const server = new ServerProcess(`modes/${mode}.ts`, ["0", ...args], options);
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

  /** Asks it to end, and waits for that. */
  stop(signal: "SIGINT" | "SIGTERM" = "SIGTERM"): Promise<Ending> {
    this.signal(signal);
    return this.end();
  }
}

/** The totals in what a server printed at its end. */
export function totalsIn({ stderr }: { readonly stderr: string }): string {
  const match = /totals: (.*)$/m.exec(stderr);
  assert(match !== null, `There are no totals in: ${stderr}`);
  return match[1] as string;
}

/** Whether the script's parent may say how many descriptors it has, and why not. */
export const whyNoLimit: string | undefined = runtime.os === "windows"
  ? "Windows has no ulimit"
  : undefined;
