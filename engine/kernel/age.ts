/**
 * How old a connection is, by the kernel's own clock, whenever it is looked at.
 *
 * Linux notes when a socket last sent data and when it last received some, and both begin with the
 * moment in which the connection opens. So as long as no data has gone in one of the directions,
 * that direction's note tells the age. After that both still tell how old the connection is at least.
 *
 * @module
 */

import { library } from "../net/libc.ts";
import type { Sockets } from "../net/sockets.ts";
import type { SocketRow } from "./sock_diag.ts";
import { readSentSince, type TcpInfo } from "./tcp_info.ts";

/** The longest tick of Linux's clock of jiffies, in milliseconds: 100 a second (time(7)). */
export const TICK_MS = 10;

/** The clock that moves with the tick. */
const CLOCK_MONOTONIC_COARSE = 6;

/** How long TIME_WAIT lasts, in milliseconds: `TCP_TIMEWAIT_LEN`, which no setting changes. */
const TIME_WAIT_MS = 60_000;

/** How old a connection is. */
export interface Age {
  /** In milliseconds, in steps of the kernel's tick. */
  readonly ms: number;
  /** Whether it is as old as that; else it is at least as old. */
  readonly isExact: boolean;
}

/**
 * How old a connection was when the kernel described it.
 *
 * @param row a socket that is or was connected, with figures that the kernel has not forgotten
 * @returns `undefined` if the kernel does not tell
 */
export function ageOf({ state, timer, expiresMs, info }: SocketRow): Age | undefined {
  if (timer === "TIME_WAIT" && state === "TIME_WAIT") {
    return { ms: inTimeWaitMs(expiresMs), isExact: false };
  }
  // Before it is open, nothing is noted.
  if (info === undefined || ["SYN_SENT", "SYN_RECV", "LISTEN"].includes(info.state)) {
    return undefined;
  }
  const { last_data_sent, last_data_recv, data_segs_out, data_segs_in } = info;
  if (last_data_sent === undefined || last_data_recv === undefined) return undefined;
  if (data_segs_out === 0) return { ms: last_data_sent, isExact: true };
  if (data_segs_in === 0) return { ms: last_data_recv, isExact: true };
  return { ms: Math.max(0, Math.max(last_data_sent, last_data_recv) - TICK_MS), isExact: false };
}

let tick: number | undefined;

/** The tick of this machine, in milliseconds: the ages that the kernel tells are multiples of it. */
export function tickMs(): number {
  return tick ??= askForTick();
}

function askForTick(): number {
  const timespec = new BigInt64Array(2);
  library().libc.clock_getres!(CLOCK_MONOTONIC_COARSE, new Uint8Array(timespec.buffer));
  const ms = Number(timespec[1]) / 1e6;
  // A kernel that is only imitated may say anything.
  return ms >= 1 && ms < TICK_MS ? ms : TICK_MS;
}

/**
 * For how long a connection has been open at least, if its owner has sent nothing yet: so its program
 * learns when it takes it how long it lay in the accept queue. The kernel counts the ticks that have
 * begun since, so one less has passed.
 *
 * @param info its figures
 * @returns in milliseconds; `undefined` if that is less than a tick, or if the kernel does not tell
 */
export function openForMs(
  { data_segs_out, last_data_sent }: Pick<TcpInfo, "data_segs_out" | "last_data_sent">,
): number | undefined {
  if (data_segs_out !== 0 || last_data_sent === undefined) return undefined;
  const ms = last_data_sent - tickMs();
  return ms > 0 ? ms : undefined;
}

/**
 * The same of an own socket.
 *
 * @param net the calls
 * @param fd a TCP socket
 * @throws {SocketError} if it is none
 */
export function readOpenForMs(net: Sockets, fd: number): number | undefined {
  return openForMs(readSentSince(net, fd));
}

/**
 * How long a connection has been in TIME_WAIT.
 *
 * @param expiresMs when its timer ends, in milliseconds
 */
export function inTimeWaitMs(expiresMs: number): number {
  return Math.max(0, TIME_WAIT_MS - expiresMs);
}

/**
 * How much time has passed between two descriptions of the same socket.
 *
 * @param before its earlier figures
 * @param after its later figures
 * @returns in milliseconds; `undefined` if data has gone in both directions since
 */
export function msBetween(before: TcpInfo, after: TcpInfo): number | undefined {
  const passed = (then?: number, now?: number) =>
    then === undefined || now === undefined ? undefined : Math.max(0, now - then);
  if (isSame(before.data_segs_out, after.data_segs_out)) {
    return passed(before.last_data_sent, after.last_data_sent);
  }
  // A segment is counted a moment before it has arrived. Only a FIN may have come since.
  const received = (after.bytes_received ?? NaN) - (before.bytes_received ?? NaN);
  if (isSame(before.data_segs_in, after.data_segs_in) && received <= 1) {
    return passed(before.last_data_recv, after.last_data_recv);
  }
  return undefined;
}

function isSame(one: number | undefined, other: number | undefined): boolean {
  return one !== undefined && one === other;
}
