/**
 * A real NATS server for tests, on a free port of the loopback interface.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findFreePort } from "../../lab/free_port.ts";
import { until, within } from "./harness.ts";
import { untilStopped, whyNoProgram } from "./server_process.ts";

/** The servers that still run. They are ended if the tests themselves are. */
const running = new Set<NatsServer>();
process.on("exit", () => {
  for (const server of running) server.signal("SIGKILL");
});

/** Why there can be no NATS server here. In CI there must be one. */
export const whyNoNats: string | undefined = whyNoProgram("nats-server");

/** A NATS server in a process of its own. */
export class NatsServer implements AsyncDisposable {
  /** The URL that it listens on, as `--bus` takes it. */
  readonly url: string;
  /** Its port. It stays the same when the server is stopped and started again. */
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #output = "";

  private constructor(port: number, folder: string, args: readonly string[]) {
    this.port = port;
    this.url = `nats://127.0.0.1:${port}`;
    this.#folder = folder;
    this.#args = args;
  }

  /**
   * Starts a server with JetStream.
   *
   * @param args its flags
   */
  static async start(args: readonly string[] = ["-js"]): Promise<NatsServer> {
    const folder = await mkdtemp(join(tmpdir(), "nats-"));
    // NATS cannot say which port it picked before it listens.
    const { port } = await findFreePort("127.0.0.1");
    const server = new NatsServer(port, folder, args);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts it again, on the same port. */
  async start(): Promise<void> {
    const { port } = this;
    const args = ["-a", "127.0.0.1", "-p", `${port}`, "-sd", this.#folder, ...this.#args];
    const child = this.#child = spawn("nats-server", args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#output = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#output += text);
    running.add(this);
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#child = undefined;
        running.delete(this);
        resolve();
      };
      child.on("error", (error) => {
        this.#output += error.message;
        end();
      });
      child.on("close", end);
    });
    await until(`nats-server to listen on port ${port}`, async () => {
      if (this.#child === undefined) throw new Error(`nats-server ended: ${this.#output}`);
      return this.#output.includes("Server is ready") && await accepts(port);
    });
  }

  /** Sends a signal. */
  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    // With `child.kill()` on Deno, the child would seem to have died of the signal.
    if (this.#child !== undefined) process.kill(this.#child.pid as number, name);
  }

  /** Freezes it, and waits until it answers nobody. SIGCONT lets it go on. */
  async freeze(): Promise<void> {
    this.signal("SIGSTOP");
    await untilStopped(this.#child?.pid as number);
  }

  /** Ends it, and waits until it has ended; it can be started again. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): Promise<void> {
    this.signal("SIGCONT");
    this.signal(signal);
    await within(10_000, "nats-server to end", this.#ended);
  }

  /** Ends it, and removes what it has stored. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("connect", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", (hadError) => resolve(!hadError));
  });
}
