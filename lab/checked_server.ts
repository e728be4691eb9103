/**
 * The server that is checked: one that runs already, or one that is started for the check.
 *
 * @module
 */

import { formatAddress } from "../protocols/address.ts";
import { escapeText } from "../protocols/text.ts";
import { isLoopback, isUnix } from "../engine/net/address.ts";
import { ConnectError, explainConnectError } from "../engine/dial/failures.ts";
import { findAddresses, readServer } from "../engine/dial/target.ts";
import { callerOf } from "./conform/caller.ts";
import type { TargetSource } from "./conform/runner.ts";
import type { Target } from "./conform/stage.ts";
import { LoadedServer } from "./loaded_server.ts";
import { isCutOn, reach, type Reached, type Way } from "./through.ts";

/** Where a server comes from, and whether it may be attacked. */
export interface CheckedServer extends TargetSource, AsyncDisposable {
  /** Why it is not attacked; `undefined` if it may be. */
  whyNoAbuse(repeated: string | undefined): string | undefined;
}

/**
 * A server that runs already.
 *
 * @param text its address, as the user has typed it
 * @param connectTimeoutMs how long connecting may take, in milliseconds
 * @param signal gives up
 * @throws {UsageError} if that is no address
 * @throws {ConnectError} if nobody answers there
 */
export async function runningServer(
  text: string,
  connectTimeoutMs: number,
  signal: AbortSignal,
): Promise<CheckedServer> {
  const { host, port } = readServer(text);
  const target = { host, port, connectTimeoutMs };
  const found = isUnix(host) ? [host] : await findAddresses(target);
  // Whoever has one address is connected to when the first case begins.
  const address = found.length === 1
    ? { hostname: found[0] as string, port }
    : await firstThatAnswers(found, port, text, connectTimeoutMs, signal);
  const name = formatAddress({ hostname: host, port });
  return {
    name,
    first: () => Promise.resolve<Target>({ address, name }),
    next: undefined,
    whyNoAbuse: (repeated) => whyNoAbuse(address.hostname, [host, text], repeated),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * Why a server is not attacked that the checker has not started.
 *
 * @param hostname its numeric address
 * @param typed how the user has named it
 * @param repeated the name that the user has repeated, to say that it may be attacked
 * @returns the reason; `undefined` if it may be attacked
 */
export function whyNoAbuse(
  hostname: string,
  typed: readonly string[],
  repeated: string | undefined,
): string | undefined {
  const isHere = isUnix(hostname) || isLoopback(hostname);
  if (isHere || (repeated !== undefined && typed.includes(repeated))) return undefined;
  return repeated === undefined
    ? `it is not on this machine: if you may attack it, say --abuse ${typed[0]}`
    : `--abuse says ${repeated}, and the server is ${typed[0]}`;
}

async function firstThatAnswers(
  hosts: readonly string[],
  port: number,
  name: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ readonly hostname: string; readonly port: number }> {
  let last: unknown;
  for (const hostname of hosts) {
    if (signal.aborted) break;
    const address = { hostname, port };
    using caller = callerOf(address);
    try {
      (await caller.call({ withinMs: timeoutMs / hosts.length })).close();
      return address;
    } catch (error) {
      last = error;
    }
  }
  const { kind, detail } = explainConnectError(last);
  throw new ConnectError(kind, escapeText(name), detail, { cause: last });
}

/**
 * A server that is started, and started again when it has died.
 *
 * @param command a command line for the shell, with {@linkcode PORT} in place of the port
 * @param signal ends the start
 */
export function startedServer(command: string, signal: AbortSignal): CheckedServer {
  return new StartedServer(command, signal);
}

class StartedServer implements CheckedServer {
  readonly name: string;
  readonly #signal: AbortSignal;
  #server: LoadedServer | undefined;

  constructor(command: string, signal: AbortSignal) {
    this.name = command;
    this.#signal = signal;
  }

  first(): Promise<Target> {
    return this.next();
  }

  readonly next = async (): Promise<Target> => {
    await this[Symbol.asyncDispose]();
    const server = this.#server = await LoadedServer.startAny(this.name, this.#signal);
    return {
      address: server.address,
      name: this.name,
      status: server.status,
      output: () => server.output,
      whyEnded: () => server.whyEnded,
    };
  };

  whyNoAbuse(): undefined {
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.[Symbol.asyncDispose]();
  }
}

/**
 * The same server with something wrong on the way to it.
 *
 * @param server the server
 * @param way what is wrong, if anything
 */
export function reachedThrough(server: CheckedServer, way: Way | undefined): CheckedServer {
  if (way === undefined) return server;
  let reached: Reached | undefined;
  const put = async (target: Target): Promise<Target> => {
    await reached?.[Symbol.asyncDispose]();
    reached = await reach(way, target.address);
    return {
      ...target,
      address: reached.address,
      output: isCutOn(way) ? undefined : target.output,
    };
  };
  const { next } = server;
  return {
    name: server.name,
    first: async () => await put(await server.first()),
    next: next === undefined ? undefined : async () => await put(await next()),
    whyNoAbuse: (repeated) => server.whyNoAbuse(repeated),
    async [Symbol.asyncDispose]() {
      await reached?.[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
