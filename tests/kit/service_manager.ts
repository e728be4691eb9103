/**
 * A small service manager: it starts a service as its unit says, gives it its socket, and hears what
 * it says (sd_notify(3), sd_listen_fds(3), systemd.service(5)).
 *
 * @module
 */

import process from "node:process";
import { readFileSync } from "node:fs";
import { UNIX } from "../../engine/net/address.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Address } from "../../protocol.ts";
import { assert, until } from "./harness.ts";
import { Program } from "./server_process.ts";

/** A unit: its settings by name, in order. A setting may be there several times. */
export class Unit {
  readonly #settings: readonly (readonly [name: string, value: string])[];

  /** @param path its file, from the project's folder */
  constructor(path: string) {
    const text = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
    const lines = text.split("\n").filter((line) => /^[A-Z]/.test(line));
    this.#settings = lines.map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    });
  }

  /** The last value of a setting. */
  get(name: string): string {
    const value = this.#settings.findLast(([key]) => key === name)?.[1];
    assert(value !== undefined, `there is no ${name}`);
    return value;
  }

  /** A setting of time, in microseconds. */
  microseconds(name: string): number {
    const [, seconds] = /^(\d+)s$/.exec(this.get(name)) ?? [];
    assert(seconds !== undefined, `${name}=${this.get(name)}`);
    return Number(seconds) * 1_000_000;
  }

  /**
   * The words of a command.
   *
   * @param name the setting
   * @param values what stands for a specifier or a variable, for instance `%t`
   */
  command(name: string, values: Readonly<Record<string, string>>): string[] {
    return this.get(name).split(" ").map((word) =>
      Object.entries(values).reduce((text, [key, value]) => text.replaceAll(key, value), word)
    );
  }
}

/** How to start a service. */
export interface StartOptions {
  /** The words of its command. */
  readonly command: readonly string[];
  /** Whether it gets the socket. @default {true} */
  readonly passesSocket?: boolean;
  /** How often it must say that it is well, in microseconds; 0 is never. @default {0} */
  readonly watchdogMicroseconds?: number;
}

/** Sets what has to be the number of the process, and becomes the command. */
const BECOME = 'export LISTEN_PID=$$ WATCHDOG_PID=$$; exec "$@"';

/** The manager of one service. */
export class ServiceManager implements AsyncDisposable {
  /** The address of the service's socket. */
  readonly address: Address;
  /** Everything that it was told, in order: one entry for each assignment. */
  readonly told: string[] = [];
  readonly #net = sockets();
  readonly #socket: string;
  readonly #notify: number;
  readonly #listener: number;
  readonly #buffer = new Uint8Array(4096);
  readonly #services: Program[] = [];

  /** @param socket NOTIFY_SOCKET: a path, or `@NAME` */
  constructor(socket: string) {
    const net = this.#net;
    const { AF_UNIX, SOCK_DGRAM, SOCK_NONBLOCK } = net.constants;
    this.#socket = socket;
    this.#notify = net.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK);
    net.bind(this.#notify, { hostname: `${UNIX}${socket}`, port: 0 });
    this.#listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
    this.address = net.localAddress(this.#listener);
  }

  /** Starts the service. */
  start({ command, passesSocket = true, watchdogMicroseconds = 0 }: StartOptions): Program {
    const { LISTEN_FDS: _, ...environment } = process.env as Record<string, string>;
    const service = new Program(["sh", "-c", BECOME, "sh", ...command], {
      environment: {
        ...environment,
        NOTIFY_SOCKET: this.#socket,
        ...(passesSocket && { LISTEN_FDS: "1" }),
        ...(watchdogMicroseconds > 0 && { WATCHDOG_USEC: `${watchdogMicroseconds}` }),
      },
      ...(passesSocket && { inherits: [this.#listener] }),
    });
    this.#services.push(service);
    return service;
  }

  /** Hears what it was told meanwhile. */
  hear(): void {
    const net = this.#net;
    for (;;) {
      const count = net.recv(this.#notify, this.#buffer, net.constants.MSG_DONTWAIT);
      if (count <= 0) return;
      const text = new TextDecoder().decode(this.#buffer.subarray(0, count));
      this.told.push(...text.split("\n"));
    }
  }

  /** How often it was told something. */
  count(assignment: string): number {
    this.hear();
    return this.told.filter((told) => told === assignment).length;
  }

  /** Waits until it was told something so often. */
  async heard(assignment: string, times = 1): Promise<void> {
    await until(`${assignment} ${times} times`, () => {
      const over = this.#services.find(({ isOver }) => isOver);
      const isThere = this.count(assignment) >= times;
      if (over !== undefined && this.#services.length === 1 && !isThere) {
        throw new Error(`the service ended: ${over.stderr}`);
      }
      return isThere;
    }).catch((error) => {
      const printed = this.#services.map(({ stderr }) => stderr).join("\n");
      throw new Error(`${error.message}: ${this.told.join(", ")}\n${printed}`);
    });
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#services) await service[Symbol.asyncDispose]();
    this.#net.close(this.#notify);
    this.#net.close(this.#listener);
  }
}
