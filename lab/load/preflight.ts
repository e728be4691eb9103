/**
 * Looks for what would spoil a measurement before it starts, and names a remedy for each problem.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { isLoopback, isUnix } from "../../engine/net/address.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { OptionError } from "../../engine/cli/options.ts";
import { ProcessStatus } from "../../engine/process/process_status.ts";
import { type Plan, whyNoDescriptors } from "./plan.ts";
import { descriptorsOf, missingFor, numbersIn, type Room, roomHere } from "./room.ts";
import { checkSources, checkWays } from "./sources.ts";

/** How long a port stays unusable after its connection was closed, in seconds. */
const TIME_WAIT_S = 60;

/** How many connections a second a server is sure to accept. */
const ACCEPTED = 10_000;

/** What is known of the load besides its plan. */
export interface Surroundings {
  /** How many descriptors each connection takes in this process besides its own. @default {0} */
  readonly more?: number;
  /** The server's process, if it is on this machine and may be looked at. */
  readonly pid?: number | undefined;
  /** What this machine has. @default what it says itself */
  readonly room?: Room;
}

/**
 * Looks for what would spoil a measurement.
 *
 * @param plan the load
 * @param address the server's address
 * @param surroundings what else is known
 * @returns the problems and their remedies, one sentence each
 * @throws {OptionError} if the load cannot be made at all
 */
export function preflight(
  plan: Plan,
  address: Address,
  { more = 0, pid, room = roomHere() }: Surroundings = {},
): string[] {
  checkSources(plan, address.hostname);
  checkWays(plan, address);
  const hasPorts = !isUnix(address.hostname);
  const isLocal = !hasPorts || isLoopback(address.hostname);
  return [
    checkEngine(plan),
    ...checkRoom(plan, address, room, more),
    hasPorts ? checkWaiting(plan, room, isLocal) : undefined,
    checkServer(plan, pid),
    ...(isLocal ? [checkQueue(plan), checkCores(plan)] : []),
    checkOtherLoad(),
  ].filter((warning) => warning !== undefined);
}

function checkEngine({ engine }: Plan): string | undefined {
  const why = whyNoDescriptors();
  if (engine === "descriptors" || why === undefined) return undefined;
  return `The load uses the runtime's own sockets, which are slower, and its timers, which count in ` +
    `milliseconds: ${why}`;
}

/** Looks for the room that the connections take. All that is missing is said at once. */
function checkRoom(
  { connections, threads, sources }: Plan,
  { hostname }: Address,
  room: Room,
  more: number,
): readonly string[] {
  const isLocal = isUnix(hostname) || isLoopback(hostname);
  const { needed, probable } = missingFor({
    connections,
    descriptors: descriptorsOf(connections, threads, more),
    // Each address has all the ports, and no connection to a server has the port of another one.
    addresses: Math.max(1, sources.length),
    hasPorts: !isUnix(hostname),
    isLocal,
    isLoopback: hostname.startsWith("127."),
  }, room);
  if (needed.length > 0) {
    const why = [...needed, ...probable].join("; ");
    throw new OptionError(`Cannot open ${connections} connections: ${why}`);
  }
  return probable.map((why) => `There is little room for ${connections} connections: ${why}`);
}

/** Looks whether the ports are enough for connections that are made and closed all the time. */
function checkWaiting(
  { connect, protocolName, sources }: Plan,
  { ports: each }: Room,
  isLocal: boolean,
): string | undefined {
  const ports = each * Math.max(1, sources.length);
  // The side that closes first keeps the port. In a handshake that is the server.
  if (!connect || protocolName === "hello" || ports === Infinity) return undefined;
  const [reuse = 0] = numbersIn("/proc/sys/net/ipv4/tcp_tw_reuse");
  if (reuse === 1 || (reuse === 2 && isLocal)) return undefined;
  const most = Math.floor(ports / TIME_WAIT_S);
  return `A port is used again only after ${TIME_WAIT_S} s, so ${ports} of them are enough for ` +
    `${most} connections a second: sysctl net.ipv4.tcp_tw_reuse=1, or ` +
    `net.ipv4.ip_local_port_range="1024 65535", or more addresses with --source`;
}

/** Looks whether the server can have so many connections. Several processes may divide them. */
function checkServer({ connections }: Plan, pid: number | undefined): string | undefined {
  if (pid === undefined) return undefined;
  const status = new ProcessStatus(pid);
  const { descriptorLimit: limit, youngest } = status;
  if (limit === undefined || connections < limit || youngest.some((one) => one !== pid)) {
    return undefined;
  }
  return `The server's limit of open files is ${limit}, so it cannot hold ${connections} ` +
    `connections: start it where ulimit -n is more`;
}

function checkQueue({ connections, rampMs }: Plan): string | undefined {
  const [most] = numbersIn("/proc/sys/net/core/somaxconn");
  if (most === undefined || connections <= most || rampMs > 0) return undefined;
  return `${connections} connections begin at once, and a server's queue holds ${most} at most: ` +
    `--ramp ${Math.ceil(connections / ACCEPTED)}s, or sysctl net.core.somaxconn=${connections}`;
}

function checkCores({ threads }: Plan): string | undefined {
  const { cpus } = runtime;
  if (cpus > threads) return undefined;
  return `The load takes ${threads} of ${cpus} processors and leaves the server none of its own: ` +
    `fewer --threads, or load it from another machine`;
}

function checkOtherLoad(): string | undefined {
  const [busy] = numbersIn("/proc/loadavg");
  if (busy === undefined || busy < runtime.cpus / 4) return undefined;
  return `The machine was busy already in the last minute, with a load of ${busy} on ` +
    `${runtime.cpus} processors: wait until the other programs have ended`;
}
