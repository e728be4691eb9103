/**
 * Servers that run already, as a comparison names them: `HOST:PORT` or `NAME=HOST:PORT`. They are
 * loaded in turn like those that the bench starts, and left as they are.
 *
 * @module
 */

import process from "node:process";
import { formatAddress } from "../protocols/address.ts";
import type { Address } from "../protocols/effects.ts";
import { isLoopback, isUnix } from "../engine/net/address.ts";
import { type Flag, UsageError } from "../engine/cli/flags.ts";
import { isNumeric } from "../engine/net/resolve.ts";
import { messageOf } from "../engine/dial/failures.ts";
import { findAddresses, readServer } from "../engine/dial/target.ts";
import { findListener } from "../engine/process/process_status.ts";
import { findServer } from "./load/measure.ts";
import type { Plan } from "./load/plan.ts";
import { reachableFrom } from "./load/sources.ts";
import { ServerStartError } from "./loaded_server.ts";

/** The servers as arguments. */
export const RUNNING_ARGUMENT: Flag = {
  name: "server",
  kind: "string",
  help: "servers that run already: HOST:PORT, NAME=HOST:PORT or unix:PATH",
};

/** The processes of those servers. */
export const RUNNING_PID: Flag = {
  name: "pid",
  kind: "string",
  value: "NAME=N",
  repeats: true,
  help: "the process of a server that runs already, for its CPU time and memory",
};

/** A server that is ready to be loaded. */
export interface ReadyServer extends AsyncDisposable {
  readonly address: Address;
  /** Its process, if it is known. */
  readonly status: { readonly pid: number | undefined };
}

/** A server that runs already. */
export interface RunningServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/**
 * Reads a server that runs already.
 *
 * @param text `HOST:PORT`, `unix:PATH`, or either with `NAME=` before it
 * @throws {UsageError} if it is neither
 */
export function readRunning(text: string): RunningServer {
  // The path of a Unix domain socket may have such a sign in it.
  const [, name, address = text] = isUnix(text) ? [] : /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (name?.trim() === "") {
    throw new UsageError(`wrong value for <server>: expected NAME=HOST:PORT, got "${text}"`);
  }
  const { host, port } = readServer(address.trim(), "HOST:PORT, NAME=HOST:PORT or unix:PATH");
  return { name: name?.trim() ?? formatAddress({ hostname: host, port }), host, port };
}

/**
 * Reads which process is which server.
 *
 * @param texts the values of {@linkcode RUNNING_PID}: `NAME=N`, or `N` where there is one server
 * @param servers the servers that run already
 * @returns the processes, by the names of their servers
 * @throws {UsageError} if there is no such server, or no such process
 */
export function readPids(
  texts: readonly string[],
  servers: readonly RunningServer[],
): ReadonlyMap<string, number> {
  const names = servers.map(({ name }) => name);
  const pids = new Map<string, number>();
  for (const text of texts) {
    const [, given, digits = ""] = /^(?:(.*)=)?(\d+)$/s.exec(text) ?? [];
    const name = given?.trim() ?? (names.length === 1 ? names[0] : undefined);
    const wrong = (why: string) => new UsageError(`wrong value for --pid: ${why}`);
    if (digits === "" || name === undefined) throw wrong(`expected NAME=N, got "${text}"`);
    if (!names.includes(name)) {
      const known = names.length === 0 ? "no server runs already" : `expected ${names.join(", ")}`;
      throw wrong(`${known}, got "${name}"`);
    }
    if (!isRunning(Number(digits))) throw wrong(`there is no process ${digits}`);
    pids.set(name, Number(digits));
  }
  return pids;
}

/**
 * Finds a server that runs already.
 *
 * @param server the server
 * @param plan the load for which it is to be ready
 * @param pid its process, if the user has named it
 * @param signal gives up
 * @throws {ServerStartError} if it accepts no connection
 */
export async function reachRunning(
  { host, port }: RunningServer,
  { timeoutMs, sources }: Plan,
  pid: number | undefined,
  signal: AbortSignal,
): Promise<ReadyServer> {
  let address: Address;
  try {
    address = await findServer(host, port, timeoutMs, signal, sources);
  } catch (cause) {
    throw new ServerStartError(messageOf(cause), { cause });
  }
  return readyServer(address, pid ?? pidOf(address));
}

/**
 * A server that nobody starts and nobody ends.
 *
 * @param address its numeric address
 * @param pid its process, if it is known
 */
export function readyServer(address: Address, pid: number | undefined): ReadyServer {
  return { address, status: { pid }, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/**
 * The process of a server on this machine.
 *
 * @param address its numeric address
 * @returns `undefined` if it is elsewhere, or cannot be seen
 */
export function pidOf(address: Address): number | undefined {
  const { hostname } = address;
  return isUnix(hostname) || isLoopback(hostname) ? findListener(address) : undefined;
}

/**
 * Whether there is such a process (kill(2) with the signal 0).
 *
 * @param pid its number
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}

/**
 * The address by which it can be told beforehand what would spoil a load on a server.
 *
 * @param server the server
 * @param plan the load
 * @returns `undefined` if its name cannot be looked up
 * @throws {OptionError} if the load cannot come from its sources
 */
export async function probableAddress(
  { host, port }: RunningServer,
  { timeoutMs, sources }: Plan,
): Promise<Address | undefined> {
  if (isUnix(host) || isNumeric(host)) return { hostname: host, port };
  let found: readonly string[];
  try {
    found = await findAddresses({ host, port, connectTimeoutMs: timeoutMs });
  } catch {
    // It is said when its turn comes.
    return undefined;
  }
  return { hostname: reachableFrom(host, found, sources)[0] as string, port };
}
