/**
 * What proc(5) says about TCP: counters, settings, and the tables of sockets where netlink is
 * missing. It works only on Linux; elsewhere nothing is known.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { toAddress } from "../net/address.ts";
import { readSystemFile } from "../net/system_file.ts";
import type { SocketRow } from "./sock_diag.ts";
import { stateOf, timerOf } from "./tcp_states.ts";

/** How long the kernel waits before it sends a SYN again for the first time: RFC 6298, section 2. */
const FIRST_TIMEOUT_S = 1;

/** The longest time between two SYNs, in milliseconds, if no setting says otherwise. */
const LONGEST_TIMEOUT_MS = 120_000;

/**
 * The counters of this network namespace, by the kernel's names: `ListenOverflows`, `RetransSegs`.
 * They count what all programs do.
 *
 * @returns the counters of `/proc/net/snmp` and `/proc/net/netstat`, of TCP only; empty if they
 * cannot be read
 */
export function readCounters(): Map<string, number> {
  return new Map(
    ["snmp", "netstat"].flatMap((file) => [...parseCounters(readProc(`net/${file}`))]),
  );
}

/**
 * Reads the counters in the text of one of those files.
 *
 * @param text the text of `/proc/net/snmp` or `/proc/net/netstat`
 * @returns its counters of TCP
 */
export function parseCounters(text: string): Map<string, number> {
  const counters = new Map<string, number>();
  const lines = text.split("\n");
  // The names stand in one line, and the numbers in the next. Each kernel adds some names.
  for (let at = 0; at + 1 < lines.length; at += 2) {
    const names = (lines[at] as string).split(" ");
    const numbers = (lines[at + 1] as string).split(" ");
    if (!/^Tcp(Ext)?:$/.test(names[0] as string)) continue;
    names.slice(1).forEach((name, index) => counters.set(name, Number(numbers[index + 1])));
  }
  return counters;
}

/**
 * A setting of the kernel (sysctl(8)).
 *
 * @param name its path, for instance `net/ipv4/tcp_syn_retries`
 * @returns its text; `undefined` if this kernel does not have it
 */
export function readSetting(name: string): string | undefined {
  const text = readProc(`sys/${name}`).trim();
  return text === "" ? undefined : text;
}

/** When the kernel sends the SYNs of a connection that nobody answers. */
export interface SynSchedule {
  /** When each SYN goes, in seconds after the first one, which is at 0. */
  readonly sentAtS: readonly number[];
  /** When the kernel gives up, in seconds. */
  readonly endsAtS: number;
}

/**
 * Computes when the kernel sends the SYNs of a connection that nobody answers.
 *
 * Since Linux 6.5 a few more SYNs are sent before the waits grow (`tcp_syn_linear_timeouts`). From
 * then on each wait is twice as long as the one before (ip-sysctl of the kernel's documentation).
 *
 * @param retries how often a SYN is sent again with a longer wait: `tcp_syn_retries`, or the
 * socket's option `TCP_SYNCNT`
 * @param linear how often it is sent again without: `tcp_syn_linear_timeouts`
 */
export function synSchedule(
  retries = Number(readSetting("net/ipv4/tcp_syn_retries") ?? 6),
  linear = Number(readSetting("net/ipv4/tcp_syn_linear_timeouts") ?? 0),
): SynSchedule {
  const longestS = Number(readSetting("net/ipv4/tcp_rto_max_ms") ?? LONGEST_TIMEOUT_MS) / 1000;
  // The kernel also gives up when as much time has passed as the longer waits alone would take. With
  // few of them that comes first, and not all of the SYNs before them are sent.
  const patienceS = waitsS(retries, longestS).reduce((sum, waitS) => sum + waitS);
  const sentAtS = [0];
  let at = 0;
  let waitS = FIRST_TIMEOUT_S;
  for (let sent = 1; sent <= retries + linear; sent++) {
    if (sent > 1 && at + waitS >= patienceS) break;
    at += waitS;
    sentAtS.push(at);
    if (sent > linear) waitS = Math.min(longestS, waitS * 2);
  }
  return { sentAtS, endsAtS: at + waitS };
}

/** The waits after each SYN, each twice as long as the one before, the last one included. */
function waitsS(retries: number, longestS: number): number[] {
  return Array.from(
    { length: retries + 1 },
    (_, index) => Math.min(longestS, FIRST_TIMEOUT_S * 2 ** index),
  );
}

/** Whether the tables of sockets can be read. Deno lets nobody read them without all permissions. */
export function hasSocketTable(): boolean {
  return readProc("net/tcp") !== "";
}

/**
 * The TCP sockets in `/proc/net/tcp` and `/proc/net/tcp6`, for systems without netlink. The table
 * has neither cookies nor figures of TCP, nor the limit of an accept queue. So the cookie here is
 * made of the two addresses, and the limit is `NaN`. Several listeners may have the same address
 * (`SO_REUSEPORT`), so theirs has the inode too.
 *
 * @param port only those with this local port; by default all
 * @returns each socket once
 */
export function readSocketTable(port?: number): SocketRow[] {
  const found = new Map<string, SocketRow>();
  for (const file of ["tcp", "tcp6"]) {
    for (const row of parseSocketTable(readProc(`net/${file}`))) {
      // A row can appear twice when the table changes while it is read.
      if ((port ?? row.local.port) === row.local.port) found.set(row.cookie, row);
    }
  }
  return [...found.values()];
}

/**
 * Reads the text of such a table.
 *
 * @param text the text of `/proc/net/tcp` or `/proc/net/tcp6`
 * @returns its rows; what is no row is passed over
 */
export function parseSocketTable(text: string): SocketRow[] {
  const [, ...lines] = text.split("\n");
  return lines.flatMap((line) => parseTableRow(line.trim().split(/\s+/)) ?? []);
}

/** An address as the tables write it: one word or four, and the port. */
const TABLE_END = /^(?:[0-9A-F]{8}|[0-9A-F]{32}):[0-9A-F]{4}$/;

function parseTableRow(fields: readonly string[]): SocketRow | undefined {
  const [, local = "", remote = "", state = "", queues = "", timer = "", retransmissions = ""] =
    fields;
  if (!TABLE_END.test(local) || !TABLE_END.test(remote)) return undefined;
  const [sendQueue = 0, receiveQueue = 0] = queues.split(":").map(hexadecimal);
  const [kind = 0, when = 0] = timer.split(":").map(hexadecimal);
  const running = timerOf(kind);
  const listens = state === "0A";
  return {
    cookie: `${local} ${remote}${listens ? ` ${fields[9]}` : ""}`,
    state: stateOf(hexadecimal(state)),
    local: parseEnd(local),
    remote: parseEnd(remote),
    timer: running,
    // The table counts in hundredths of a second.
    expiresMs: running === undefined ? 0 : when * 10,
    retransmissions: hexadecimal(retransmissions),
    receiveQueue,
    sendQueue: listens ? NaN : sendQueue,
    uid: Number(fields[7]),
    inode: Number(fields[9]),
  };
}

function hexadecimal(text: string): number {
  return parseInt(text, 16);
}

/** For instance `0100007F:1F90`: the address in words of this machine's order, and the port. */
function parseEnd(text: string): Address {
  const [words = "", port = ""] = text.split(":");
  const host = new Uint8Array(words.length / 2);
  const view = new DataView(host.buffer);
  for (let at = 0; at < words.length; at += 8) {
    view.setUint32(at / 2, hexadecimal(words.slice(at, at + 8)), true);
  }
  return toAddress(host, hexadecimal(port));
}

function readProc(path: string): string {
  // Empty where this is not Linux, or where it may not be read.
  return readSystemFile(`/proc/${path}`) ?? "";
}
