/**
 * One run of a load against one server.
 *
 * @module
 */

import { EventDialer } from "../../engine/dial/dialer.ts";
import { InterruptedError } from "../../engine/dial/failures.ts";
import { connect, findAddresses } from "../../engine/dial/target.ts";
import type { Address } from "../../protocols/effects.ts";
import type { Distribution } from "./distribution.ts";
import type { Recovery, Run, Second } from "./results.ts";
import { LoadTeam, type TeamSecond, type Totals } from "./load_team.ts";
import { REACHED } from "./knee.ts";
import { RateCourse } from "./rate_course.ts";
import { loadOf, type Plan } from "./plan.ts";
import { recoveriesOf } from "./recovery.ts";
import { reachableFrom } from "./sources.ts";
import { UNANSWERED } from "./tally.ts";
import { type ServerSecond, ServerWatch, type WatchedServer } from "./server_watch.ts";

/** The share of its time from which a thread counts as busy. */
const BUSY = 0.9;

/**
 * The shortest run of which it is said that a thread was busy, in milliseconds: in a few milliseconds
 * every thread has something to do.
 */
const LEAST_BUSY_MS = 50;

/** The lag from which a load was not the one that was asked for, in microseconds. */
const LATE_US = 1_000;

/** The share of all requests from which failures are the server's own trouble. */
const FAILING = 0.1;

/** The share of the run from which a silence of the server is its own trouble. */
const SILENT = 0.1;

/** The shortest row of its own at the end of a run, in milliseconds. */
const LEAST_ROW_MS = 500;

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
  /** The percentiles that are asked for. @default {[50, 90, 99, 99.9]} */
  readonly percentiles?: readonly number[] | undefined;
  /** Ends the run early. The result is what was measured until then. */
  readonly signal?: AbortSignal;
  /** Is called at the end of each second, also with all that was measured so far. */
  readonly onSecond?: (second: Second, soFar: SoFar) => void;
  /** Is called with what a reader of the result should know, one sentence each. */
  readonly onNote?: (note: string) => void;
}

/** What was measured so far, while a run goes on. */
export interface SoFar {
  /** The response times of the latest second. */
  readonly latency: Distribution;
  /** Requests with a correct answer in the latest second. */
  readonly requests: number;
  /** The run as it would be if it ended now. It takes a few milliseconds to make. */
  run(): Run;
  /**
   * The same, as if everything that waits for its answer were answered now, and what could not be
   * sent for longer than an answer may take had failed. So no duration is longer than it will be.
   * `undefined` if nothing waits, or the plan does not ask for it.
   */
  runWithWaiting(): Run | undefined;
}

/**
 * Finds a server and makes sure that it accepts connections.
 *
 * @param host its name or address
 * @param port its port
 * @param timeoutMs how long connecting may take, in milliseconds
 * @param signal abandons the attempt
 * @param sources where connections to it come from; only addresses of their family are tried
 * @returns its numeric address
 * @throws {ConnectError} if no connection can be made
 * @throws {InterruptedError} if the attempt was abandoned
 */
export async function findServer(
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
  sources: readonly string[] = [],
): Promise<Address> {
  const target = { host, port, connectTimeoutMs: timeoutMs };
  const addresses = reachableFrom(host, await findAddresses(target), sources);
  const limits = { readTimeoutMs: 0, sessionTimeoutMs: 0, computeTimeoutMs: 0 };
  using dialer = new EventDialer(limits, signal);
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
  const { address, signal, onSecond, onNote } = options;
  const rows = new Rows(plan);
  using team = await LoadTeam.start(plan, address, signal);
  // It begins only here, because the start of the load is no part of the run.
  using watch = ServerWatch.of(options.pid);
  const startedAt = new Date();
  const result = (totals: Totals, facts: RunFacts): Run =>
    runOf(plan, options, totals, {
      ...facts,
      startedAt,
      seconds: () => rows.whole(),
      recoveries: () =>
        plan.rateParts === null || facts.isCut ? [] : recoveriesOf(plan.rateParts, rows.all),
    });
  const totals = await team.run(
    ({ waiting, ...second }) => {
      const row = { ...second, used: watch?.look() };
      rows.add(row);
      const { latency, requests, endsAt } = second;
      const runOf = (totals: Totals) => {
        const durationS = endsAt / 1000;
        const server = watch?.figures(totals.requests, durationS);
        const facts = { durationS, rateS: durationS, due: null, server };
        return result(totals, { ...facts, isCut: false, isLimited: false });
      };
      onSecond?.(rows.latest(), {
        latency,
        requests,
        run: () => runOf(team.totals),
        runWithWaiting() {
          const isWaiting = waiting.some(({ latency }) => latency.length > 0);
          return isWaiting ? runOf(team.totals.with(waiting)) : undefined;
        },
      });
    },
    () => watch?.end(),
    signal,
  );
  const { ends } = totals;
  const isCut = ends.some(({ isCut }) => isCut);
  const durationS = Math.max(0, ...ends.map(({ durationMs }) => durationMs)) / 1000;
  const due = ends.reduce<number | null>(
    (sum, { due }) => due === undefined ? sum : (sum ?? 0) + due,
    null,
  );
  // Each request of an open model stands for the time until the next one is due.
  const standsForS = due === null || plan.rate === null
    ? 0
    : plan.rateParts === null
    ? due / plan.rate
    : new RateCourse(plan.rateParts).spanOf(due) / 1000;
  const rateS = isCut ? durationS : Math.max(durationS, standsForS);
  const server = watch?.figures(totals.requests, durationS);
  const limits = isFailing(totals) || isSilent(totals, durationS) ? [] : whatLimits(
    plan,
    totals,
    server,
    1_000 * durationS >= LEAST_BUSY_MS &&
      (due === null || isBehind(totals, due, durationS / standsForS)),
  );
  for (const note of [...limits, ...notesOn(totals)]) onNote?.(note);
  const isLimited = limits.length > 0;
  return result(totals, { durationS, rateS, due, server, isCut, isLimited });
}

/** What is known of a run beside its totals. */
interface RunFacts {
  readonly durationS: number;
  /** The time over which its rate is taken. */
  readonly rateS: number;
  readonly due: number | null;
  readonly server: WatchedServer | undefined;
  readonly isCut: boolean;
  readonly isLimited: boolean;
}

function runOf(
  plan: Plan,
  { name, subject = null, repeat = 1, percentiles }: MeasureOptions,
  totals: Totals,
  { durationS, rateS, due, server, isCut, isLimited, startedAt, seconds, recoveries }:
    & RunFacts
    & {
      readonly startedAt: Date;
      seconds(): readonly Second[];
      recoveries(): readonly Recovery[];
    },
): Run {
  const { latency } = totals;
  // In the closed model, on a connection that stays, a request is due when it is sent.
  const service = totals.service.count > 0 ? totals.service : latency;
  return {
    name,
    subject,
    repeat,
    load: loadOf(plan),
    started_at: startedAt.toISOString(),
    duration_s: round(durationS, 6),
    interrupted: isCut,
    aborted: null,
    requests: totals.requests,
    due,
    rate: rateS > 0 ? significant(totals.requests / rateS) : 0,
    bytes_sent: totals.bytesSent,
    bytes_received: totals.bytesReceived,
    latency_us: latency.summary(percentiles),
    service_us: service.summary(percentiles),
    connect_us: plan.connect ? totals.connect.summary(percentiles) : null,
    lag_us: totals.lag.summary(percentiles),
    errors: totals.errors,
    starved_connections: totals.ends.reduce((sum, { starved }) => sum + starved, 0),
    load_limited: isLimited,
    server: server?.figures ?? null,
    seconds: seconds(),
    recoveries: recoveries(),
    histogram: {
      latency: latency.encode(),
      service: service.encode(),
      connect: plan.connect ? totals.connect.encode() : null,
      lag: totals.lag.encode(),
    },
  };
}

/** A second of the load, and what the server has used in it. */
interface Row extends Omit<TeamSecond, "waiting"> {
  readonly used: ServerSecond | undefined;
}

/**
 * The seconds of a run as the result holds them. Only the latest two keep what they have counted,
 * unless all are wanted.
 */
class Rows {
  /** All of them as they were counted, if they are wanted. */
  readonly all: Row[] = [];
  readonly #done: Second[] = [];
  readonly #keepsAll: boolean;
  /** The highest rate that is due; `Infinity` in the closed model. */
  readonly #mostDue: number;
  #latest: Row[] = [];

  constructor({ rate, rateParts }: Plan) {
    this.#keepsAll = rateParts !== null;
    this.#mostDue = rateParts === null
      ? rate ?? Infinity
      : Math.max(...rateParts.flatMap(({ from, to }) => [from, to]));
  }

  add(row: Row): void {
    this.#latest.push(row);
    if (this.#keepsAll) this.all.push(row);
    if (this.#latest.length > 2) this.#done.push(this.#whole(this.#latest.shift() as Row));
  }

  /** The latest, for those who follow the run. The rate of a fraction is that of the last second. */
  latest(): Second {
    const last = this.#latest.at(-1) as Row;
    const before = this.#latest.at(-2);
    const isWhole = before === undefined || last.durationMs >= LEAST_ROW_MS;
    return { ...secondOf(last), rate: this.#rateOf(isWhole ? last : joined(before, last)) };
  }

  /**
   * Requests a second. In an open model each request of a short run stands for the time until the next
   * one is due.
   */
  #rateOf({ requests, durationMs }: Row): number {
    const rate = durationMs > 0 ? requests / durationMs * 1000 : 0;
    return significant(durationMs < LEAST_ROW_MS ? Math.min(rate, this.#mostDue) : rate);
  }

  /** A second with its whole distribution. */
  #whole(row: Row): Second {
    return { ...secondOf(row), rate: this.#rateOf(row), histogram: row.latency.encode() };
  }

  /**
   * All of them. A last fraction of a second belongs to the second before it: a few answers in a few
   * milliseconds are no rate.
   */
  whole(): readonly Second[] {
    const [before, last] = this.#latest;
    const isWhole = before === undefined || last === undefined || last.durationMs >= LEAST_ROW_MS;
    return [
      ...this.#done,
      ...(isWhole ? this.#latest : [joined(before, last)]).map((row) => this.#whole(row)),
    ];
  }
}

function joined(before: Row, last: Row): Row {
  return {
    endsAt: last.endsAt,
    durationMs: before.durationMs + last.durationMs,
    requests: before.requests + last.requests,
    errors: before.errors + last.errors,
    latency: before.latency.with(last.latency),
    used: before.used && last.used && {
      cpu_s: before.used.cpu_s + last.used.cpu_s,
      memory_bytes: last.used.memory_bytes,
    },
  };
}

function secondOf({ endsAt, errors, latency, used }: Row): Omit<Second, "rate"> {
  return {
    at: round(endsAt / 1000, 3),
    p50_us: latency.at(50),
    p99_us: latency.at(99),
    errors,
    cpu_s: used === undefined ? null : round(used.cpu_s, 2),
    memory_bytes: used?.memory_bytes ?? null,
    histogram: null,
  };
}

/**
 * Whether the server failed a large part of the requests, or all of them. Then it is what did not
 * answer, however busy the load may have been with its failures.
 */
function isFailing(totals: Totals): boolean {
  // Some of the unanswered were never sent. That may be the load's fault.
  const failed = Object.entries(totals.errors)
    .reduce((sum, [kind, count]) => kind === UNANSWERED ? sum : sum + count, 0);
  return totals.requests === 0 || failed >= FAILING * (failed + totals.requests);
}

/**
 * Whether the server was silent for a part of the run: all connections failed in a row, or the load
 * had nothing to do for so long. Then the load has waited for the server, however late it may have
 * been at other times. On a busy machine a thread that only waits is short of time too.
 */
function isSilent({ ends }: Totals, durationS: number): boolean {
  return ends.some(({ silenceMs, hasFallenSilent }) =>
    hasFallenSilent || silenceMs >= SILENT * durationS * 1000
  );
}

/**
 * Whether less was answered in an open model than was due, or it took longer. A load that keeps up
 * has time enough, however busy it is.
 *
 * @param due how many requests were due
 * @param took how many times as long as it should the run took
 */
function isBehind({ requests }: Totals, due: number, took: number): boolean {
  return requests < REACHED * due || took > 1 / REACHED;
}

/**
 * Says how the load itself set the limit, one sentence each. Empty if the server set it.
 *
 * @param mayBeShort whether more requests might have been answered if there had been more load
 */
function whatLimits(
  plan: Plan,
  totals: Totals,
  server: WatchedServer | undefined,
  mayBeShort: boolean,
): string[] {
  const limits: string[] = [];
  // On a busy machine, a thread without time to spare waits for a processor besides.
  const shares = totals.ends.map(({ busyShare = 0, waitingShare = 0 }) => busyShare + waitingShare);
  const busy = Math.max(0, ...shares);
  const percent = (share: number) => `${Math.round(Math.min(1, share) * 100)} %`;
  // If a thread of the server had no time to spare either, more load would change nothing.
  if (mayBeShort && busy >= BUSY && !(server !== undefined && server.busiestThread >= BUSY)) {
    limits.push(
      `The load was the limit, not the server: its thread was busy for ${percent(busy)} of the ` +
        `time. Give it more --threads, or another machine`,
    );
  }
  const [late, usual] = ownShare(plan, totals);
  if (late >= LATE_US && late >= usual) {
    limits.push(
      `The load was the limit, not the server: it was ${
        totals.lag.at(99) === null ? "up to " : ""
      }${(late / 1000).toFixed(1)} ms late${
        totals.lag.at(99) === null ? "" : " in one case of a hundred"
      }, which is a large part of what it measured`,
    );
  }
  const waiting = Math.max(0, ...totals.ends.map(({ waitingShare = 0 }) => waitingShare));
  if (limits.length > 0 && waiting >= 1 - BUSY) {
    limits.push(`The load had to wait for a processor for ${percent(waiting)} of the time`);
  }
  return limits;
}

/**
 * How late the load was, and how late it may have been, in microseconds. In an open model, half of
 * the slow responses must not be its own. In a closed model, where only its speed could suffer, it
 * must not take longer than the usual answer.
 */
function ownShare({ rate }: Plan, { lag, latency }: Totals): readonly [number, number] {
  const late = lag.at(99) ?? lag.longest;
  const usual = latency.at(50) ?? latency.longest;
  const slow = latency.at(99) ?? latency.longest;
  return [late, rate === null ? Math.max(usual, slow / 2) : slow / 2];
}

/** Says what the first failure of each kind was. */
function notesOn({ words, errors }: Totals): string[] {
  return Object.keys(errors).map((kind) => `The first "${kind}" was: ${words[kind]}`);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** To a tenth; of a small value, its first six digits. */
function significant(value: number): number {
  return value >= 1_000 ? round(value, 1) : Number(value.toPrecision(6));
}
