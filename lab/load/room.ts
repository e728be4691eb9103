/**
 * What so many connections take of this machine, and what of it there is not: descriptors, local
 * ports, memory, and what the kernel remembers of each.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { memoryLeft } from "../../engine/process/memory_limits.ts";
import { read } from "../../engine/process/process_status.ts";
import { formatBytes } from "../../engine/values/units.ts";
import { RESERVE } from "../../engine/workers/descriptor_limits.ts";

/** What connections need. */
export interface Need {
  readonly connections: number;
  /** How many descriptors this process takes for them. */
  readonly descriptors: number;
  /** How many addresses they come from. */
  readonly addresses: number;
  /** Whether they are told apart by ports: those to a Unix domain socket are not. */
  readonly hasPorts: boolean;
  /** Whether the server is on this machine, and takes as much again. */
  readonly isLocal: boolean;
  /** Whether an address such as 127.0.0.2 can be theirs. */
  readonly isLoopback: boolean;
}

/** What this machine has. What it does not tell is `Infinity`. */
export interface Room {
  /** The most descriptors of this process, and the most that it may ask for. */
  readonly descriptors: number;
  readonly hardLimit: number;
  /** The most descriptors that any process can have (`fs.nr_open`). */
  readonly anyProcess: number;
  /** How many more files can be open on the whole machine (`fs.file-max`). */
  readonly files: number;
  /** The local ports of each address. */
  readonly ports: number;
  /** Bytes of memory that nobody needs. */
  readonly memory: number;
  /** How many more connections the firewall can follow. */
  readonly tracked: number;
}

/** What is missing. */
export interface Missing {
  /** What there must be, or the connections cannot be made: clauses, each with its remedy. */
  readonly needed: readonly string[];
  /** What will probably not be enough. */
  readonly probable: readonly string[];
}

/**
 * The share of its ports that an address has quickly. The kernel takes every other port first, from a
 * random one on. When those are gone, each further connection looks at all of them again before it
 * comes to the rest (`__inet_hash_connect`): with the usual range that is a millisecond each.
 */
const QUICK = 0.5;

/** The local ports that sysctl can give each address. */
const MOST_PORTS = 65_535 - 1_024 + 1;

/**
 * About how much memory a connection takes at rest, in bytes: in the kernel on each side, and in a
 * thread that makes a load, with what its runtime has not collected yet. Measured on Linux 6.18: 3.8
 * KiB on each side, and with 20,000 connections 7.2 KiB in Deno and 6.3 KiB in Bun.
 */
const KERNEL_BYTES = 4_096;
const LOAD_BYTES = 8_192;

/**
 * How many descriptors the connections of a load take in this process, with all that it has besides.
 *
 * @param connections how many there are
 * @param threads how many Workers make them
 * @param more how many descriptors each takes here besides its own
 * @returns 0 where descriptors cannot be counted
 */
export function descriptorsOf(connections: number, threads: number, more: number): number {
  if (whyNoSockets() !== undefined) return 0;
  const used = sockets().nextDescriptor();
  return Math.max(0, used) + connections * (1 + more) +
    threads * (runtime.descriptorsPerThread + 1) + RESERVE;
}

/** Looks what room this machine has. */
export function roomHere(): Room {
  const limits = /^Max open files +\d+ +(\d+)/m.exec(read("/proc/self/limits"));
  const [first, last] = numbersIn("/proc/sys/net/ipv4/ip_local_port_range");
  const [open = 0, , mostFiles = Infinity] = numbersIn("/proc/sys/fs/file-nr");
  const [followed = 0] = numbersIn("/proc/sys/net/netfilter/nf_conntrack_count");
  const [mostFollowed = Infinity] = numbersIn("/proc/sys/net/netfilter/nf_conntrack_max");
  return {
    descriptors: whyNoSockets() === undefined ? sockets().descriptorLimit() : Infinity,
    hardLimit: limits === null ? Infinity : Number(limits[1]),
    anyProcess: numbersIn("/proc/sys/fs/nr_open")[0] ?? Infinity,
    files: mostFiles - open,
    ports: first === undefined || last === undefined
      ? Infinity
      : last - first + 1 - reservedIn(first, last),
    memory: memoryLeft(),
    tracked: mostFollowed === 0 ? Infinity : mostFollowed - followed,
  };
}

/** How many ports of a range the system gives to nobody (`ip_local_reserved_ports`). */
function reservedIn(first: number, last: number): number {
  const text = read("/proc/sys/net/ipv4/ip_local_reserved_ports").trim();
  return text.split(",").filter(Boolean).reduce((sum, range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return sum + Math.max(0, Math.min(to, last) - Math.max(from, first) + 1);
  }, 0);
}

/**
 * Says what is missing for connections.
 *
 * @param need what they need
 * @param room what there is
 */
export function missingFor(need: Need, room: Room): Missing {
  const { connections, isLocal } = need;
  const bytes = connections * (LOAD_BYTES + KERNEL_BYTES * (isLocal ? 2 : 1));
  const files = connections * (isLocal ? 2 : 1);
  const whyFew = whyNoPorts(need, room);
  return {
    needed: [whyNoDescriptors(need, room), whyFew].filter(isThere),
    probable: [
      whyFew === undefined ? whySlow(need, room) : undefined,
      files > room.files
        ? `the machine can open ${room.files} more files, and both ends need ${files}: ` +
          `sysctl fs.file-max`
        : undefined,
      bytes > room.memory
        ? `they take about ${formatBytes(bytes)} of memory${
          isLocal ? " without what the server itself takes" : ""
        }, and ${formatBytes(room.memory)} are free: fewer of them, or several machines and merge`
        : undefined,
      need.hasPorts && connections > room.tracked
        ? `the firewall follows ${room.tracked} more connections and drops the others: ` +
          `sysctl net.netfilter.nf_conntrack_max`
        : undefined,
    ].filter(isThere),
  };
}

function isThere(text: string | undefined): text is string {
  return text !== undefined;
}

function whyNoDescriptors({ descriptors }: Need, room: Room): string | undefined {
  if (descriptors <= room.descriptors) return undefined;
  const first = descriptors > room.anyProcess ? `sysctl fs.nr_open=${descriptors}, then ` : "";
  const who = descriptors > room.hardLimit ? " as root" : "";
  return `the limit of open files is ${room.descriptors}: ${first}ulimit -n ${descriptors}${who}`;
}

function whyNoPorts(need: Need, { ports }: Room): string | undefined {
  const { connections, addresses, hasPorts, isLoopback } = need;
  if (!hasPorts || connections <= ports * addresses) return undefined;
  const some = addresses === 1 ? "" : `, ${ports} on each of ${addresses} addresses`;
  return `there are ${ports * addresses} local ports${some}: ${
    moreAddresses(connections, ports, isLoopback)
  }${ports < MOST_PORTS ? `, or sysctl net.ipv4.ip_local_port_range="1024 65535"` : ""}`;
}

/** Whether so many connections take ports that are found slowly. */
function whySlow(need: Need, { ports }: Room): string | undefined {
  const { connections, addresses, hasPorts, isLoopback } = need;
  if (!hasPorts || connections <= QUICK * ports * addresses) return undefined;
  return `they take more than half of the ${
    ports * addresses
  } local ports, and the rest is found ` +
    `slowly: ${moreAddresses(connections, ports, isLoopback)}`;
}

/** How to connect from as many addresses as have the ports quickly. */
function moreAddresses(connections: number, ports: number, isLoopback: boolean): string {
  const count = Math.ceil(connections / Math.max(1, Math.floor(QUICK * ports)));
  if (!isLoopback) return `--source with ${count} addresses`;
  // From 127.0.0.2 on: the first may have other connections.
  const last = 1 + count;
  const hostname = [127, last >> 16 & 255, last >> 8 & 255, last & 255].join(".");
  return `--source 127.0.0.2-${hostname}`;
}

/**
 * The numbers at the beginning of a small system file.
 *
 * @param path the file
 * @returns none if it does not exist
 */
export function numbersIn(path: string): number[] {
  return read(path).split(/\s+/).filter((word) => /^[\d.]+$/.test(word)).map(Number);
}
