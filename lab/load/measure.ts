/**
 * One run of a load against one server.
 *
 * @module
 */

import { EventDialer } from "../../engine/dial/dialer.ts";
import { InterruptedError } from "../../engine/dial/failures.ts";
import { connect, findAddresses } from "../../engine/dial/target.ts";
import type { Address } from "../../protocols/effects.ts";
import type { Run, Second } from "./results.ts";
import { LoadTeam, type TeamSecond, type TeamTotals } from "./load_team.ts";
import { loadOf, type Plan } from "./plan.ts";
import { ServerWatch, type WatchedServer } from "./server_watch.ts";

/** The share of its time from which a thread counts as busy. */
const BUSY = 0.9;

/** The lag from which a load was not the one that was asked for, in microseconds. */
const LATE_US = 1_000;

/** The server to measure, and how to report on it. */
export interface MeasureOptions {
  /** The server's numeric address, as {@linkcode findServer} returns it. */
  readonly address: Address;
  /** The server's process, if it is on this machine and may be looked at. */
  readonly pid?: number | undefined;
  /** The name of the run. */
  readonly name: string;
  /** The server that is compared. @default {null} */
  readonly subject?: Run["subject"];
  /** Which repeat of the same run this is. @default {1} */
  readonly repeat?: number;
  /** Ends the run early. The result is what was measured until then. */
  readonly signal?: AbortSignal;
  /** Is called at the end of each second. */
  readonly onSecond?: (second: Second) => void;
  /** Is called with what a reader of the result should know, one sentence each. */
  readonly onNote?: (note: string) => void;
}

/**
 * Finds a server and makes sure that it accepts connections.
 *
 * @param host its name or address
 * @param port its port
 * @param timeoutMs how long connecting may take, in milliseconds
 * @param signal abandons the attempt
 * @returns its numeric address
 * @throws {ConnectError} if no connection can be made
 * @throws {InterruptedError} if the attempt was abandoned
 */
export async function findServer(
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Address> {
  const target = { host, port, connectTimeoutMs: timeoutMs };
  const addresses = await findAddresses(target);
  using dialer = new EventDialer({ readTimeoutMs: 0, sessionTimeoutMs: 0, computeTimeoutMs: 0 });
  signal?.addEventListener("abort", () => dialer.interrupt(), { once: true });
  let last: unknown;
  for (const hostname of addresses) {
    if (signal?.aborted) throw new InterruptedError();
    try {
      const call = await connect(dialer, target, [hostname]);
      call.connection.close();
      return { hostname, port };
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/**
 * Puts a server under load and measures it.
 *
 * @param plan the load
 * @param options the server
 * @returns the measurement
 * @throws {Error} if the load cannot be made
 */
export async function measure(plan: Plan, options: MeasureOptions): Promise<Run> {
  const { address, name, subject = null, repeat = 1, signal, onSecond, onNote } = options;
  const seconds: Second[] = [];
  using team = await LoadTeam.start(plan, address);
  // It begins only here, because the start of the threads is no part of the run.
  const watch = ServerWatch.of(options.pid);
  const startedAt = new Date();
  const totals = await team.run((second) => {
    const row = secondOf(second, watch);
    seconds.push(row);
    onSecond?.(row);
  }, signal);
  const durationS = Math.max(0, ...totals.ends.map(({ durationMs }) => durationMs)) / 1000;
  const server = watch?.finish(totals.requests, durationS);
  const limits = whatLimits(plan, totals, server);
  for (const note of [...limits, ...notesOn(totals)]) onNote?.(note);
  // In the closed model, on a connection that stays, a request is due when it is sent.
  const service = totals.service.count > 0 ? totals.service : totals.latency;
  return {
    name,
    subject,
    repeat,
    load: loadOf(plan),
    started_at: startedAt.toISOString(),
    duration_s: round(durationS, 6),
    requests: totals.requests,
    rate: durationS > 0 ? round(totals.requests / durationS, 1) : 0,
    bytes_sent: totals.bytesSent,
    bytes_received: totals.bytesReceived,
    latency_us: totals.latency.summary,
    service_us: service.summary,
    connect_us: plan.connect ? totals.connect.summary : null,
    lag_us: totals.lag.summary,
    errors: totals.errors,
    starved_connections: totals.ends.reduce((sum, { starved }) => sum + starved, 0),
    load_limited: limits.length > 0,
    server: server?.figures ?? null,
    seconds,
    histogram: { latency: totals.latency.encode(), service: service.encode() },
  };
}

function secondOf(second: TeamSecond, watch: ServerWatch | undefined): Second {
  const { endsAt, durationMs, requests, errors, latency } = second;
  const used = watch?.look();
  return {
    at: round(endsAt / 1000, 3),
    rate: durationMs > 0 ? round(requests / durationMs * 1000, 1) : 0,
    p50_us: latency.at(50),
    p99_us: latency.at(99),
    errors,
    cpu_s: used?.cpu_s ?? null,
    memory_bytes: used?.memory_bytes ?? null,
  };
}

/** Says how the load itself set the limit, one sentence each. Empty if the server set it. */
function whatLimits(plan: Plan, totals: TeamTotals, server: WatchedServer | undefined): string[] {
  const limits: string[] = [];
  const shares = totals.ends.map(({ busyShare = 0 }) => busyShare);
  const busy = Math.max(0, ...shares);
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  // If a thread of the server had no time to spare either, more load would change nothing.
  if (busy >= BUSY && !(server !== undefined && server.busiestThread >= BUSY)) {
    limits.push(
      `The load was the limit, not the server: its thread was busy for ${percent(busy)} of the ` +
        `time. Give it more --threads, or another machine`,
    );
  }
  const late = totals.lag.at(99);
  if (plan.rate !== null && late >= LATE_US && late >= totals.latency.at(50) / 2) {
    limits.push(
      `The load was the limit, not the server: one request in a hundred was sent ` +
        `${(late / 1000).toFixed(1)} ms late although a connection was free`,
    );
  }
  const waiting = Math.max(0, ...totals.ends.map(({ waitingShare = 0 }) => waitingShare));
  if (limits.length > 0 && waiting >= 1 - BUSY) {
    limits.push(`The load had to wait for a processor for ${percent(waiting)} of the time`);
  }
  return limits;
}

/** Says what the first failure of each kind was. */
function notesOn({ words, errors }: TeamTotals): string[] {
  return Object.keys(errors).map((kind) => `The first "${kind}" was: ${words[kind]}`);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
