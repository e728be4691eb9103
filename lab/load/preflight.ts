/**
 * Looks for what would spoil a measurement before it starts, and names a remedy for each problem.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { isUnix } from "../../engine/net/address.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { OptionError } from "../../engine/cli/options.ts";
import { read } from "../../engine/process/process_status.ts";
import { RESERVE } from "../../engine/workers/descriptor_limits.ts";
import { type Plan, whyNoDescriptors } from "./plan.ts";
import { checkSources, checkWays } from "./sources.ts";

/** How long a port stays unusable after its connection was closed, in seconds. */
const TIME_WAIT_S = 60;

/**
 * Looks for what would spoil a measurement.
 *
 * @param plan the load
 * @param address the server's address
 * @param more how many descriptors each connection takes in this process besides its own
 * @returns the problems and their remedies, one sentence each
 * @throws {OptionError} if the load cannot be made at all
 */
export function preflight(plan: Plan, address: Address, more = 0): string[] {
  checkSources(plan, address.hostname);
  checkWays(plan, address);
  const hasPorts = !isUnix(address.hostname);
  const isLocal = !hasPorts || /^(127\.|::1$)/.test(address.hostname);
  return [
    checkEngine(plan),
    checkDescriptors(plan, more),
    hasPorts ? checkPorts(plan, isLocal) : undefined,
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

function checkDescriptors({ connections, threads }: Plan, more: number): string | undefined {
  if (whyNoSockets() !== undefined) return undefined;
  const net = sockets();
  const limit = net.descriptorLimit();
  const needed = net.nextDescriptor() + connections * (1 + more) +
    threads * (runtime.descriptorsPerThread + 1) + RESERVE;
  if (needed <= limit) return undefined;
  throw new OptionError(
    `Cannot open ${connections} connections: the limit of open files is ${limit}: ulimit -n ${needed}`,
  );
}

function checkPorts({ connections, connect, protocolName, sources }: Plan, isLocal: boolean) {
  const range = numbersIn("/proc/sys/net/ipv4/ip_local_port_range");
  if (range.length < 2) return undefined;
  const each = (range[1] as number) - (range[0] as number) + 1;
  const addresses = Math.max(1, sources.length);
  // Each address has all the ports, and no connection to a server has the port of another one.
  const ports = each * addresses;
  const remedy =
    `sysctl net.ipv4.ip_local_port_range="1024 65535", or more addresses with --source`;
  if (connections > ports) {
    throw new OptionError(
      `Cannot open ${connections} connections: there are ${ports} local ports` +
        `${addresses === 1 ? "" : `, ${each} on each of ${addresses} addresses`}: ${remedy}`,
    );
  }
  // The side that closes first keeps the port. In a handshake that is the server.
  if (!connect || protocolName === "hello") return undefined;
  const [reuse = 0] = numbersIn("/proc/sys/net/ipv4/tcp_tw_reuse");
  if (reuse === 1 || (reuse === 2 && isLocal)) return undefined;
  const most = Math.floor(ports / TIME_WAIT_S);
  return `A port is used again only after ${TIME_WAIT_S} s, so ${ports} of them are enough for ` +
    `${most} connections a second: sysctl net.ipv4.tcp_tw_reuse=1, or ${remedy}`;
}

function checkQueue({ connections, rampMs }: Plan): string | undefined {
  const [most] = numbersIn("/proc/sys/net/core/somaxconn");
  if (most === undefined || connections <= most || rampMs > 0) return undefined;
  return `${connections} connections begin at once, and a server's queue holds ${most} at most: ` +
    `--ramp 1s, or sysctl net.core.somaxconn=${connections}`;
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

/** The numbers at the beginning of a small system file; none if the file does not exist. */
function numbersIn(path: string): number[] {
  return read(path).split(/\s+/).filter((word) => /^[\d.]+$/.test(word)).map(Number);
}
