/**
 * A server in a process of its own, which the bench starts in order to load and measure it.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
// @ts-types="../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { runtime } from "../engine/net/runtime.ts";
import { connect } from "../engine/net/tcp.ts";
import type { Address } from "../protocols/effects.ts";
import { escapeText } from "../protocols/text.ts";
import { quoteWord } from "../engine/cli/invocation.ts";
import { isListening, listeningPorts, ProcessStatus } from "../engine/process/process_status.ts";
import { findFreePort } from "./free_port.ts";

/** How long a port may take to be free again, in milliseconds. */
const FREE_MS = 1_000;

/** How long a server may take to start listening, and to end, in milliseconds. */
const PATIENCE_MS = 20_000;

/** After what time a server that listens elsewhere will not come, in milliseconds. */
const ELSEWHERE_MS = 1_500;

/** How often to try whether a server listens that does not say so itself, in milliseconds. */
const ASK_MS = 20;

/** How much of a server's latest output is kept, in characters. */
const KEPT = 2_000;

/** How much of a server's latest standard output is kept, in characters. */
const KEPT_OUTPUT = 4 * 1024 * 1024;

/** Whether the system has a shell and process groups. */
const hasShell = runtime.os !== "windows";

/** The placeholder in a command line for the server's port. */
export const PORT = "{port}";

/** Variables of the environment. */
export type Variables = Readonly<Record<string, string>>;

/** What a server is started with in a run that does not count. */
export interface StartExtras {
  /** The file of its trace. */
  readonly trace?: string;
  /** What its environment has besides that of this process. */
  readonly variables?: Variables;
}

/** A server could not be started. */
export class ServerStartError extends Error {
  override readonly name = "ServerStartError";
}

/** The servers that still run. */
const running = new Set<ServerProcess>();

/** Kills all servers that still run, when the program ends before it has ended them in order. */
export function endAllAtOnce(): void {
  for (const server of running) server.send("SIGKILL");
}

/** A server that is listening. */
export class LoadedServer implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
  /** What the system reports about its process. */
  readonly status: ProcessStatus;
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess, address: Address) {
    this.#server = server;
    this.address = address;
    this.status = new ProcessStatus(server.pid);
  }

  /**
   * Starts one of this project's servers on a free port, and waits until it says where it listens.
   *
   * @param command the program and its arguments, including the port 0
   * @param signal ends the wait and the server
   * @param variables what its environment has besides that of this process
   * @throws {ServerStartError} if the server does not start to listen
   */
  static async start(
    command: readonly string[],
    signal?: AbortSignal,
    variables: Variables = {},
  ): Promise<LoadedServer> {
    const line = command.map(quoteWord).join(" ");
    const program = hasShell ? shell(line) : command;
    const server = new ServerProcess(program, command.join(" "), variables);
    const address = await server.awaited(server.printed(/^Listening on ([\d.]+):(\d+) /m), signal);
    return new LoadedServer(server, address);
  }

  /**
   * Starts any server, and waits until it accepts connections.
   *
   * @param commandLine a command line for the shell, with {@linkcode PORT} in place of the port
   * @param signal ends the wait and the server
   * @param variables what its environment has besides that of this process
   * @throws {ServerStartError} if the server does not start to listen
   */
  static async startAny(
    commandLine: string,
    signal?: AbortSignal,
    variables: Variables = {},
  ): Promise<LoadedServer> {
    const address = await findFreePort("127.0.0.1");
    // A runtime may close a listener a moment later. It must not be taken for the server's.
    const endsAt = performance.now() + FREE_MS;
    while (isListening(address.port) === true && performance.now() < endsAt) await delay(1);
    const line = commandLine.replaceAll(PORT, String(address.port));
    const server = new ServerProcess(shell(line), line, variables);
    await server.awaited(server.accepts(address), signal);
    return new LoadedServer(server, address);
  }

  /** What it has printed to standard output, the latest part of it. */
  get output(): string {
    return this.#server.output;
  }

  /** How its process has ended, in words; `undefined` while it runs. */
  get whyEnded(): string | undefined {
    return this.#server.whyEnded;
  }

  /** Tells the server to close, and does not wait until it has. */
  tellToClose(): void {
    this.#server.tell();
  }

  /** Ends the server. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.end();
  }
}

/**
 * A command line that starts a server so that nothing of it is left when this program ends, in
 * whatever way.
 *
 * A watcher in the server's process group waits for the end of its standard input. This program holds
 * the other end of that pipe, and a kill(2) that nobody can hear closes it too. Then the watcher kills
 * the group: the server, what it has started, and itself. The watcher is nobody's child, so that a
 * server that waits for its children never finds it. The shell replaces itself with the server, so
 * the process that is measured is the server's own.
 */
function guarded(line: string): string {
  const watch = `trap "" HUP INT TERM; cat <&3 >/dev/null; kill -9 -$$`;
  return `exec 3<&0; ( ( ${watch} ) >/dev/null 2>&1 & ); exec 3<&- </dev/null; exec ${line}`;
}

/** The command that runs a line in a shell, with a guard. */
function shell(line: string): string[] {
  return ["sh", "-c", guarded(line)];
}

/** Whether a connection can be made. */
async function isAnswered(address: Address): Promise<boolean> {
  try {
    (await connect(address)).close();
    return true;
  } catch {
    return false;
  }
}

/** The process of a server. It leads a process group that is ended with it. */
class ServerProcess {
  readonly #child: ChildProcess;
  readonly #title: string;
  readonly #ended: Promise<void>;
  #isOver = false;
  #isTold = false;
  #hasExited = false;
  #whyEnded: string | undefined;
  #printed = "";
  #output = "";
  #onPrint: () => void = () => {};

  /**
   * @param command the program and its arguments
   * @param title its name in messages
   * @param variables what its environment has besides that of this process
   */
  constructor(command: readonly string[], title: string, variables: Variables) {
    const [program, ...args] = command as [string, ...string[]];
    const isPlain = Object.keys(variables).length === 0;
    const child = spawn(program, args, {
      stdio: "pipe",
      detached: hasShell,
      ...(!isPlain && { env: { ...process.env, ...variables } }),
    });
    this.#child = child;
    this.#title = title;
    running.add(this);
    this.#ended = new Promise((resolve) => {
      const end = (code: number | null = null, signal: string | null = null) => {
        this.#isOver = true;
        this.#whyEnded = signal === null ? `exit status ${code}` : signal;
        running.delete(this);
        resolve();
        this.#onPrint();
      };
      // What is left of its group holds its streams open, so that it would never close them.
      child.on("exit", (code, signal) => {
        this.#hasExited = true;
        this.#whyEnded = signal === null ? `exit status ${code}` : signal;
        this.#killGroup();
      });
      child.on("close", end);
      child.on("error", (error) => {
        this.#printed += error.message;
        end();
      });
    });
    // The guard may have ended.
    child.stdin?.on("error", () => {});
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#printed = (this.#printed + text).slice(-KEPT);
        if (stream === child.stdout) this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
        this.#onPrint();
      });
    }
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** What it has printed to standard output, the latest part of it. */
  get output(): string {
    return this.#output;
  }

  /** How it has ended, with what it said last; `undefined` while it runs. */
  get whyEnded(): string | undefined {
    return this.#whyEnded === undefined ? undefined : `${this.#whyEnded}${this.#said}`;
  }

  /** What it said last, with a colon before it; empty if it said nothing. */
  get #said(): string {
    const said = this.#printed.trim().split("\n").at(-1) ?? "";
    return said === "" ? "" : `: ${escapeText(said)}`;
  }

  /** Waits until the server listens. If the wait is abandoned, the server is ended. */
  async awaited<T>(listening: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const end = () => this.send("SIGTERM");
    signal?.addEventListener("abort", end, { once: true });
    try {
      return await listening;
    } finally {
      signal?.removeEventListener("abort", end);
    }
  }

  /** Waits until it has printed its address. */
  async printed(pattern: RegExp): Promise<Address> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => pattern.exec(this.#printed);
    this.#onPrint = () => {
      if (look() !== null || this.#isOver) resolve();
    };
    this.#onPrint();
    const late = setTimeout(resolve, PATIENCE_MS);
    await promise;
    clearTimeout(late);
    const [, hostname, port] = look() ?? await this.#fail();
    return { hostname: hostname as string, port: Number(port) };
  }

  /**
   * Waits until it accepts connections. Where the system tells who listens, nobody connects for that:
   * a server may take the first connection for a client.
   */
  async accepts(address: Address): Promise<void> {
    const beganAt = performance.now();
    while (performance.now() < beganAt + PATIENCE_MS) {
      if (this.#isOver) break;
      const listens = isListening(address.port) ?? await isAnswered(address);
      if (listens) return;
      if (performance.now() > beganAt + ELSEWHERE_MS) {
        const [port] = listeningPorts(this.pid);
        if (port !== undefined && port !== address.port) {
          await this.#fail(`it listens on port ${port} and not on ${address.port}`);
        }
      }
      await delay(ASK_MS);
    }
    await this.#fail();
  }

  /** Sends a signal to the process, or to its group. */
  send(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#isOver || this.#hasExited) return;
    try {
      process.kill(hasShell ? -this.pid : this.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  /** Kills what the process has started and left behind. */
  #killGroup(): void {
    if (!hasShell) return;
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // There is nothing left.
    }
  }

  /** Tells it to end, once: a second signal would end it at once. */
  tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.send("SIGTERM");
  }

  /** Ends it, with time to end in order. */
  async end(): Promise<void> {
    this.tell();
    const late = setTimeout(() => {
      this.send("SIGKILL");
      // A daemon that it has left behind may hold its streams open for ever.
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, PATIENCE_MS);
    await this.#ended;
    clearTimeout(late);
  }

  /** @param known the reason, if it is known already */
  async #fail(known?: string): Promise<never> {
    const why = known ?? this.whyEnded ?? `it does not listen${this.#said}`;
    await this.end();
    throw new ServerStartError(`Cannot start ${escapeText(this.#title)}: ${why}`);
  }
}
