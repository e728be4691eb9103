/**
 * `--source`: the addresses of this machine that a load comes from.
 *
 * Each of them has its own ports, so with many of them there can be more connections to a server than
 * there are ports. With IP_BIND_ADDRESS_NO_PORT (ip(7)) a socket gets its port when it connects: only
 * then are the ports of one address free for every pair of addresses.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { isIPv6, isUnix, stripBrackets, toAddress } from "../../engine/net/address.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { parseHost } from "../../engine/net/networks.ts";
import { isNumeric } from "../../engine/net/resolve.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { SocketError } from "../../engine/net/socket_error.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { UsageError } from "../../engine/cli/flags.ts";
import { type Option, OptionError, stringOption } from "../../engine/cli/options.ts";
import { escapeText } from "../../protocols/text.ts";

/** The most addresses. */
const MOST = 65_536;

/** How many addresses are named that cannot be used; the others are only counted. */
const NAMED = 3;

/** What is to be known of a load. */
interface Origin {
  /** Where it comes from. */
  readonly sources: readonly string[];
  /** How it connects. */
  readonly engine: "descriptors" | "runtime";
}

/** Where the connections come from. */
export const SOURCE: Option<string> = stringOption("source", {
  value: "ADDRESS|FIRST-LAST,…",
  help: "the addresses to connect from, in turn; each has its own ports",
});

/**
 * Reads addresses.
 *
 * @param text for instance `127.0.0.2`, `127.0.0.2-127.0.0.20` or `fd00::1,fd00::8-fd00::f`
 * @returns each address once; none without a text
 * @throws {OptionError} if they are no addresses, too many, or of both families
 */
export function readSources(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  const sources = new Set<string>();
  for (const part of text.split(",").map((part) => part.trim())) {
    for (const address of readRange(part, text)) {
      sources.add(address);
      if (sources.size > MOST) {
        throw new OptionError(`Cannot use source: expected at most ${MOST} addresses`);
      }
    }
  }
  const all = [...sources];
  if (new Set(all.map(isIPv6)).size > 1) {
    throw new OptionError("Cannot use source: expected addresses of IPv4 or of IPv6, not of both");
  }
  return all;
}

/** The addresses from the first to the last. */
function* readRange(part: string, text: string): Generator<string> {
  const wrong = (why: string) =>
    new OptionError(`Cannot use source: ${why}, current value is "${escapeText(text)}"`);
  const expected = "expected an address such as 127.0.0.2, or a range such as 127.0.0.2-127.0.0.20";
  // The name of a zone may have a hyphen in it.
  const words = part.includes("%") ? [part] : part.split("-");
  const hosts = words.map((word) => parseHost(stripBrackets(word.trim())));
  const [first, last] = hosts;
  if (first === undefined || hosts.includes(undefined) || hosts.length > 2) throw wrong(expected);
  for (const host of hosts as readonly Uint8Array[]) {
    const why = whyNoHost(host);
    if (why !== undefined) throw wrong(`${toAddress(host, 0).hostname} ${why}`);
  }
  if (last === undefined) {
    return void (yield part.includes("%") ? stripBrackets(part) : toAddress(first, 0).hostname);
  }
  if (first.length !== last.length) throw wrong(expected);
  const [from, to] = [numberOf(first), numberOf(last)];
  if (from > to) throw wrong(`${words[0]} is behind ${words[1]}`);
  for (let number = from; number <= to; number++) {
    yield toAddress(bytesOf(number, first.length), 0).hostname;
  }
}

/** Why nobody can come from an address; `undefined` if somebody may. */
function whyNoHost(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return "stands for any address";
  const [first = 0] = bytes;
  const isMulticast = bytes.length === 4 ? first >> 4 === 14 : first === 255;
  return isMulticast ? "is the address of a group" : undefined;
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

function bytesOf(number: bigint, length: number): Uint8Array {
  const shift = (index: number) => BigInt(8 * (length - 1 - index));
  return Uint8Array.from({ length }, (_, index) => Number((number >> shift(index)) & 0xffn));
}

/**
 * Takes values in turn, so that all threads together take each of them as often as the others.
 *
 * @param values the values
 * @param thread the number of the thread, from 0
 * @param threads how many threads there are
 * @returns gives the next one; `undefined` if there are none
 */
export function inTurn<T>(
  values: readonly T[],
  thread: number,
  threads: number,
): () => T | undefined {
  let index = thread;
  return () => {
    if (values.length === 0) return undefined;
    const value = values[index % values.length];
    index = (index + threads) % (values.length * threads);
    return value;
  };
}

/**
 * Makes sure that a load can come from its sources, before anybody is called.
 *
 * @param plan the load
 * @param host the server: its name, its address, or that of a Unix domain socket
 * @throws {OptionError} if it cannot
 */
export function checkSources({ sources, engine }: Origin, host: string): void {
  const [first] = sources;
  if (first === undefined) return;
  const refuse = (why: string): never => {
    throw new OptionError(`Cannot use source: ${why}`);
  };
  if (isUnix(host)) refuse("a Unix domain socket has no address to connect from");
  if (isNumeric(host) && isIPv6(host) !== isIPv6(first)) {
    refuse(`${first} is of ${familyName(first)}, and the server's address ${host} is not`);
  }
  const why = engine === "runtime" ? runtime.whyNoSource() : undefined;
  if (why !== undefined) refuse(`${why}: --engine descriptors can, on Linux`);
  if (whyNoSockets() !== undefined) return;
  refuseAll(sources, (net, fd, source) => {
    net.bind(fd, { hostname: source, port: 0 });
    refuseBroadcast(net, fd, source);
  });
}

/** Any port: nothing is sent there. */
const DISCARD = 9;

/**
 * Refuses the address of all hosts of a network. A socket can be bound to it, and then the system
 * connects from another one; but it lets nobody connect to it without SO_BROADCAST (socket(7)).
 */
function refuseBroadcast(net: Sockets, fd: number, source: string): void {
  try {
    net.connect(fd, { hostname: source, port: DISCARD });
  } catch (error) {
    // What else may be wrong with the way to itself is no matter.
    if ((error as { code?: unknown }).code === "EACCES") throw error;
  }
}

/**
 * Refuses sources where others connect to the server.
 *
 * @param plan the load
 * @param isThrough whether a proxy is put between
 * @throws {UsageError} if the server would see the proxy's address
 */
export function refuseThrough({ sources }: Origin, isThrough: boolean): void {
  if (sources.length === 0 || !isThrough) return;
  throw new UsageError(
    "--source and --through exclude each other: the server would see where the faults come from",
  );
}

/**
 * Makes sure that there is a way from each source to the server. Nothing is sent for that: a
 * connected datagram socket only looks the way up (udp(7)).
 *
 * @param plan the load
 * @param address the server's address
 * @throws {OptionError} if there is none
 */
export function checkWays({ sources }: Origin, address: Address): void {
  if (sources.length === 0 || whyNoSockets() !== undefined) return;
  refuseAll(sources, (net, fd, source) => {
    net.bind(fd, { hostname: source, port: 0 });
    net.connect(fd, address);
  });
}

/**
 * The addresses of a server to which a load with these sources can connect.
 *
 * @param host how the user has named the server
 * @param addresses its addresses
 * @param sources where the load comes from; none is anywhere
 * @throws {OptionError} if there are none
 */
export function reachableFrom(
  host: string,
  addresses: readonly string[],
  [first]: readonly string[],
): readonly string[] {
  if (first === undefined) return addresses;
  const same = addresses.filter((address) => isIPv6(address) === isIPv6(first));
  if (same.length > 0) return same;
  throw new OptionError(
    `Cannot use source: ${first} is of ${familyName(first)}, and ${escapeText(host)} has no ` +
      "such address",
  );
}

function familyName(address: string): string {
  return isIPv6(address) ? "IPv6" : "IPv4";
}

/** Tries something with each source, and names those with which it fails. */
function refuseAll(
  sources: readonly string[],
  attempt: (net: Sockets, fd: number, source: string) => void,
): void {
  const net = sockets();
  const failed: string[] = [];
  let why = "";
  for (const source of sources) {
    const family = net.familyOf({ hostname: source, port: 0 });
    const fd = net.socket(family, net.constants.SOCK_DGRAM);
    try {
      attempt(net, fd, source);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      failed.push(source);
      why ||= error.message;
    } finally {
      net.close(fd);
    }
  }
  if (failed.length === 0) return;
  const others = failed.length - NAMED;
  const named = failed.slice(0, NAMED).join(", ") +
    (others > 0 ? ` and ${others} other${others === 1 ? "" : "s"}` : "");
  throw new OptionError(`Cannot connect from ${named}: ${why}`);
}
