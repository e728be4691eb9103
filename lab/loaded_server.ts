/**
 * A server in a process of its own, which the bench starts in order to load and measure it.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
// @ts-types="../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { connect, listen } from "../engine/net/tcp.ts";
import type { Address } from "../protocols/effects.ts";
import { escapeText } from "../protocols/text.ts";
import { listeningPorts, ProcessStatus } from "../engine/process/process_status.ts";
import { forget, guard, guarded, hasGroups, startGuardian } from "./guardian.ts";

/** How long a server may take to start listening, and to end, in milliseconds. */
const PATIENCE_MS = 20_000;

/** After what time a server that listens elsewhere will not come, in milliseconds. */
const ELSEWHERE_MS = 1_500;

/** How often to try whether a server listens that does not say so itself, in milliseconds. */
const ASK_MS = 20;

/** How much of a server's latest output is kept, in characters. */
const KEPT = 2_000;

/** The placeholder in a command line for the server's port. */
export const PORT = "{port}";

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
   * @throws {ServerStartError} if the server does not start to listen
   */
  static async start(command: readonly string[], signal?: AbortSignal): Promise<LoadedServer> {
    const server = new ServerProcess(command);
    const address = await server.awaited(server.printed(/^Listening on ([\d.]+):(\d+) /m), signal);
    return new LoadedServer(server, address);
  }

  /**
   * Starts any server, and waits until it accepts connections.
   *
   * @param commandLine a command line for the shell, with {@linkcode PORT} in place of the port
   * @param signal ends the wait and the server
   * @throws {ServerStartError} if the server does not start to listen
   */
  static async startAny(commandLine: string, signal?: AbortSignal): Promise<LoadedServer> {
    const listener = await listen({ hostname: "127.0.0.1", port: 0 });
    const { address } = listener;
    listener.close();
    const line = commandLine.replaceAll(PORT, String(address.port));
    // The shell replaces itself with the server, so the measured process is the server's. What the
    // server starts ends with it.
    const server = new ServerProcess(["sh", "-c", `exec ${line}`], line);
    await server.awaited(server.accepts(address), signal);
    return new LoadedServer(server, address);
  }

  /** Ends the server. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.end();
  }
}

/** The process of a server. It leads a process group that is ended with it. */
class ServerProcess {
  readonly #child: ChildProcess;
  readonly #title: string;
  readonly #ended: Promise<void>;
  #isOver = false;
  /** How it ended, in words. */
  #how = "it ended";
  #printed = "";
  #onPrint: () => void = () => {};

  /** @param command the program and its arguments @param title its name in messages */
  constructor(command: readonly string[], title = command.join(" ")) {
    startGuardian();
    const [program, ...args] = guarded(command) as [string, ...string[]];
    const child = spawn(program, args, { stdio: "pipe", detached: hasGroups });
    this.#child = child;
    this.#title = title;
    running.add(this);
    child.stdin.on("error", () => {});
    if (child.pid !== undefined) guard(child.pid, () => child.stdin.end("\n"));
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#isOver = true;
        running.delete(this);
        if (child.pid !== undefined) forget(child.pid);
        resolve();
        this.#onPrint();
      };
      child.on("close", (status, signal) => {
        this.#how = signal === null
          ? `it ended with the status ${status}`
          : `it was ended by ${signal}`;
        end();
      });
      child.on("error", (error) => {
        this.#printed += error.message;
        end();
      });
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#printed = (this.#printed + text).slice(-KEPT);
        this.#onPrint();
      });
    }
  }

  get pid(): number {
    return this.#child.pid as number;
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

  /** Waits until it accepts a connection. */
  async accepts(address: Address): Promise<void> {
    const beganAt = performance.now();
    while (performance.now() < beganAt + PATIENCE_MS) {
      if (this.#isOver) break;
      if (performance.now() > beganAt + ELSEWHERE_MS) {
        const [port] = listeningPorts(this.pid);
        if (port !== undefined && port !== address.port) {
          await this.#fail(`it listens on port ${port} and not on ${address.port}`);
        }
      }
      try {
        (await connect(address)).close();
        return;
      } catch {
        // Not yet.
        await delay(ASK_MS);
      }
    }
    await this.#fail();
  }

  /** Sends a signal to the process, or to its group. */
  send(signal: "SIGTERM" | "SIGKILL"): void {
    if (this.#isOver) return;
    try {
      process.kill(hasGroups ? -this.pid : this.pid, signal);
    } catch {
      // It has just ended.
    }
  }

  /** Ends it, with time to end in order. */
  async end(): Promise<void> {
    this.send("SIGTERM");
    const late = setTimeout(() => {
      this.send("SIGKILL");
      // A daemon that it has left behind may hold its streams open for ever.
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, PATIENCE_MS);
    await this.#ended;
    clearTimeout(late);
  }

  async #fail(known?: string): Promise<never> {
    const why = known ?? (this.#isOver ? this.#how : "it does not listen");
    await this.end();
    const said = this.#printed.trim().split("\n").at(-1) ?? "";
    const words = said === "" ? "" : `: ${escapeText(said)}`;
    throw new ServerStartError(`Cannot start ${escapeText(this.#title)}: ${why}${words}`);
  }
}
