/**
 * A real HAProxy for tests, in front of the servers of a test.
 *
 * @module
 */

import { existsSync, writeFileSync } from "node:fs";
import { findFreePorts } from "../../lab/free_port.ts";
import { until } from "./harness.ts";
import { Folder } from "./folder.ts";
import { Program, whyNoProgram } from "./server_process.ts";

/** Why there can be no HAProxy here. In CI there must be one. */
export const whyNoHaproxy: string | undefined = whyNoProgram("haproxy");

/** A part of its configuration: it listens, and passes on what comes. */
export interface Passage {
  /** The name of the part. */
  readonly name: string;
  /** Where else it listens, besides a port of 127.0.0.1. */
  readonly binds?: readonly string[];
  /** Where it connects to, and how: the words of its `server` line. */
  readonly server: string;
}

/** HAProxy in a process of its own. */
export class Haproxy implements AsyncDisposable {
  /** The port of each part, by its name. */
  readonly ports: ReadonlyMap<string, number>;
  readonly #folder: Folder;
  readonly #program: Program;

  private constructor(folder: Folder, program: Program, ports: ReadonlyMap<string, number>) {
    this.#folder = folder;
    this.#program = program;
    this.ports = ports;
  }

  /** Starts it, and waits until it listens. @param passages what it does */
  static async start(passages: readonly Passage[]): Promise<Haproxy> {
    const folder = new Folder("haproxy-");
    const ports = new Map<string, number>();
    // It cannot say which ports it has picked.
    const free = await findFreePorts("127.0.0.1", passages.length);
    for (const [index, { name }] of passages.entries()) ports.set(name, free[index] as number);
    const control = folder.path("control");
    writeFileSync(
      folder.path("cfg"),
      [
        `global\n  stats socket ${control}`,
        "defaults\n  mode tcp\n  unique-id-format %Ts-%rt\n  timeout connect 10s",
        "  timeout client 60s\n  timeout server 60s\n  timeout check 10s",
        ...passages.map(({ name, binds = [], server }) =>
          [
            `listen ${name}`,
            `  bind 127.0.0.1:${ports.get(name)}`,
            ...binds.map((bind) => `  bind ${bind}`),
            `  server ${name} ${server}\n`,
          ].join("\n")
        ),
      ].join("\n"),
    );
    const program = new Program(["haproxy", "-db", "-f", folder.path("cfg")]);
    const haproxy = new Haproxy(folder, program, ports);
    try {
      await until("HAProxy to listen", () => {
        if (program.isOver) throw new Error(`HAProxy ended: ${program.stderr}`);
        return existsSync(control);
      });
      return haproxy;
    } catch (error) {
      await haproxy[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What it has printed so far. */
  get printed(): string {
    return this.#program.stdout + this.#program.stderr;
  }

  /** Ends it, and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}
