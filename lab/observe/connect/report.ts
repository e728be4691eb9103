/**
 * What attempts have found, for people and for programs: text, JSON lines and CSV.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { TcpInfo } from "../../../engine/kernel/tcp_info.ts";
import { type Cell, formatRow } from "../../report/csv.ts";
import { encodeJson } from "../../report/json_line.ts";
import { formatShare, formatTime } from "../../../engine/values/units.ts";
import { describeFailure, evidenceOf, type Failure, showAddress } from "./failure.ts";
import type { AddressFate, Outcome } from "./probe.ts";
import type { Figures } from "./statistics.ts";

/** The forms in which results are written. */
export type Format = "text" | "json" | "csv";

/** One attempt, with the lookup before it. */
export interface Attempt {
  /** Its number, from 1. */
  readonly number: number;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  /** How long the lookup took, in microseconds; absent if there was none. */
  readonly resolveUs?: number;
  /** What it has found; absent if the name has no address. */
  readonly outcome?: Outcome;
  /** Why it failed. */
  readonly failure?: Failure;
}

/** What all results have in common. */
export interface Subject {
  /** The server as the user named it. */
  readonly server: Address;
  /** Which means there were, in one line. */
  readonly means: string;
  /** The short word for them. */
  readonly tier: string;
}

/** How to write results. */
export interface ReportOptions {
  readonly format: Format;
  /** Whether each line of text begins with the time. */
  readonly stamps: boolean;
  /** How wide a picture may be now, in characters; 0 for none. */
  readonly columns: () => number;
}

const COLUMNS = [
  "time",
  "attempt",
  "ok",
  "address",
  "connect_us",
  "resolve_us",
  "first_byte_us",
  "hello_us",
  "failure",
  "rtt_us",
  "rttvar_us",
  "retransmissions",
  "cwnd",
  "mss",
] as const;

/** Writes results, a line or some lines at a time. It knows no clock and prints nothing. */
export class Report {
  readonly #subject: Subject;
  readonly #options: ReportOptions;

  /** @param subject what all results have in common @param options how to write them */
  constructor(subject: Subject, options: ReportOptions) {
    this.#subject = subject;
    this.#options = options;
  }

  /** The lines before the first result, without the last line end. */
  begin(): readonly string[] {
    const { format } = this.#options;
    const { server, means } = this.#subject;
    if (format === "text") return [`observe ${showAddress(server)} · ${means}`];
    return format === "csv" ? [formatRow(COLUMNS)] : [];
  }

  /** The lines of an attempt. */
  attempt(attempt: Attempt): readonly string[] {
    switch (this.#options.format) {
      case "text":
        return [this.#stamp(attempt.at) + describeAttempt(attempt, this.#subject.server)];
      case "json":
        return [encodeJson(attemptObject(attempt))];
      case "csv":
        return [formatRow(attemptCells(attempt))];
    }
  }

  /**
   * The lines after the last result.
   *
   * @param figures what was found
   * @param origin when the clock of the figures was at 0, in milliseconds since 1970
   */
  end(figures: Figures, origin: number): readonly string[] {
    switch (this.#options.format) {
      case "text":
        return ["", ...this.statistics(figures)];
      case "json":
        return [encodeJson(summaryObject(this.#subject, figures, origin))];
      case "csv":
        return [];
    }
  }

  /** The figures so far, as people read them. */
  statistics(figures: Figures): readonly string[] {
    return describeFigures(this.#subject.server, figures, this.#options.columns());
  }

  #stamp(at: number): string {
    return this.#options.stamps ? `${new Date(at).toISOString()} ` : "";
  }
}

/** The object of an attempt, for other programs. */
function attemptObject({ number, at, resolveUs, outcome, failure }: Attempt): object {
  const { fates = [], address, local, connectUs, beginning, firstByteUs, helloUs, info } =
    outcome ?? {};
  return {
    type: "connect",
    attempt: number,
    time: new Date(at).toISOString(),
    ok: failure === undefined,
    ...(address !== undefined && { address: formatAddress(address) }),
    ...(local !== undefined && { local: formatAddress(local) }),
    ...microseconds("resolve_us", resolveUs),
    ...microseconds("connect_us", connectUs),
    ...microseconds("first_byte_us", firstByteUs),
    ...microseconds("hello_us", helloUs),
    ...(beginning !== undefined && { server: beginning }),
    ...(failure !== undefined && { failure: failure.kind, evidence: evidenceOf(failure) }),
    ...(fates.length > 1 && { addresses: fates.map(fateObject) }),
    ...(info !== undefined && { tcp: infoObject(info) }),
  };
}

function microseconds(name: string, us: number | undefined): Readonly<Record<string, number>> {
  return us === undefined ? {} : { [name]: Math.round(us) };
}

function fateObject({ address, fate, us }: AddressFate): object {
  const failed = typeof fate === "object";
  return {
    address: formatAddress(address),
    result: failed ? fate.kind : fate.replace(" ", "_"),
    ...microseconds("connect_us", us),
    ...(failed && { evidence: evidenceOf(fate) }),
  };
}

function infoObject(info: TcpInfo): object {
  const { timestamps, sack, ecn, windowScale } = info.options;
  return {
    ...present("rtt_us", info.rtt),
    ...present("rttvar_us", info.rttvar),
    ...present("retransmissions", info.total_retrans),
    ...present("cwnd", info.snd_cwnd),
    ...present("mss", info.snd_mss),
    options: {
      timestamps,
      sack,
      ecn,
      ...(windowScale !== undefined && { window_scale: windowScale }),
    },
  };
}

function present(name: string, value: number | undefined): Readonly<Record<string, number>> {
  return value === undefined ? {} : { [name]: value };
}

function summaryObject({ server, tier }: Subject, figures: Figures, origin: number): object {
  const { sent, ok, failures, connectUs, outages, outageCount } = figures;
  return {
    type: "summary",
    server: formatAddress(server),
    tier,
    sent,
    ok,
    ...(connectUs !== undefined && { connect_us: connectUs }),
    failures: Object.fromEntries(failures),
    outages: outages.map(({ beganAt, durationMs, attempts, failure }) => ({
      // The same moment as that of its first attempt.
      time: new Date(Math.round(origin + beganAt)).toISOString(),
      duration_us: Math.round(durationMs * 1000),
      attempts,
      failure,
    })),
    outage_count: outageCount,
    ...durations(figures),
  };
}

/** Rounded so that up and down still are the duration. */
function durations({ upMs, downMs }: Figures): object {
  const [up_us, down_us] = [Math.round(upMs * 1000), Math.round(downMs * 1000)];
  return { duration_us: up_us + down_us, up_us, down_us };
}

function attemptCells({ number, at, resolveUs, outcome, failure }: Attempt): readonly Cell[] {
  const { address, connectUs, firstByteUs, helloUs, info } = outcome ?? {};
  const whole = (us: number | undefined) => us === undefined ? null : Math.round(us);
  const cells: Readonly<Record<(typeof COLUMNS)[number], Cell>> = {
    time: new Date(at).toISOString(),
    attempt: number,
    ok: failure === undefined,
    address: address === undefined ? null : formatAddress(address),
    connect_us: whole(connectUs),
    resolve_us: whole(resolveUs),
    first_byte_us: whole(firstByteUs),
    hello_us: whole(helloUs),
    failure: failure?.kind ?? null,
    rtt_us: info?.rtt ?? null,
    rttvar_us: info?.rttvar ?? null,
    retransmissions: info?.total_retrans ?? null,
    cwnd: info?.snd_cwnd ?? null,
    mss: info?.snd_mss ?? null,
  };
  return COLUMNS.map((column) => cells[column]);
}

/**
 * Says what an attempt has found.
 *
 * @param attempt the attempt
 * @param server the server, as the user named it
 * @returns one line, safe for a terminal
 */
export function describeAttempt(
  { number, resolveUs, outcome, failure }: Attempt,
  server: Address,
): string {
  const { fates = [], address, connectUs, beginning, firstByteUs, helloUs, info } = outcome ?? {};
  const us = (value: number) => `${Math.round(value)} µs`;
  const where = showAddress(address ?? server);
  const parts = [
    ...(resolveUs === undefined ? [] : [`resolve ${us(resolveUs)}`]),
    ...(connectUs === undefined ? [] : [`connect ${us(connectUs)}`]),
    ...(firstByteUs === undefined ? [] : [`first byte ${us(firstByteUs)}`]),
    ...(beginning === "silent" ? ["no first byte"] : []),
    ...(beginning === "closed" ? ["closed by the server without a byte"] : []),
    ...(helloUs === undefined ? [] : [`HELLO ${us(helloUs)}`]),
    ...(failure === undefined ? [] : [describeFailure(failure, address)]),
    ...(info === undefined || failure !== undefined ? [] : describeInfo(info)),
    ...(fates.length < 2 ? [] : [`addresses: ${fates.map(describeFate).join(", ")}`]),
  ];
  return `#${number} ${where} ${failure === undefined ? "ok" : "failed"} · ${parts.join(" · ")}`;
}

function describeFate({ address, fate, us }: AddressFate): string {
  const result = typeof fate === "object" ? fate.kind : fate;
  const after = us === undefined ? "" : ` after ${Math.round(us)} µs`;
  return `${showAddress(address)} ${result}${after}`;
}

/**
 * What the kernel knows of a connection, in words.
 *
 * @param info its figures
 */
function describeInfo(info: TcpInfo): string[] {
  const { timestamps, sack, ecn, windowScale } = info.options;
  const figure = (name: string, value: number | undefined) =>
    value === undefined ? [] : [`${name} ${value}`];
  const options = [
    ...(windowScale === undefined
      ? []
      : [`window scale ${windowScale.own} own ${windowScale.peer} peer`]),
    ...(sack ? ["SACK"] : []),
    ...(timestamps ? ["timestamps"] : []),
    ...(ecn ? ["ECN"] : []),
  ];
  return [
    ...(info.rtt === undefined
      ? []
      : [`rtt ${info.rtt} µs${info.rttvar === undefined ? "" : ` ± ${info.rttvar}`}`]),
    ...figure("retransmissions", info.total_retrans),
    ...figure("cwnd", info.snd_cwnd),
    ...figure("mss", info.snd_mss),
    ...(options.length === 0 ? [] : [options.join(", ")]),
  ];
}

function describeFigures(server: Address, figures: Figures, columns: number): readonly string[] {
  const { sent, ok, failures, connectUs, outages, outageCount, durationMs, upMs, downMs, recent } =
    figures;
  const failed = [...failures].map(([kind, count]) => `${count} ${kind}`).join(", ");
  const open = sent - ok - [...failures.values()].reduce((sum, count) => sum + count, 0);
  const counts = [
    `${sent} sent`,
    `${ok} ok`,
    ...(failed === "" ? [] : [failed]),
    ...(open > 0 ? [`${open} under way`] : []),
  ];
  const longest = outages.reduce((most, { durationMs }) => Math.max(most, durationMs), 0);
  const time = (ms: number) => formatTime(Math.round(ms * 1000));
  const picture = drawSparkline(recent, columns);
  return [
    `${showAddress(server)}: ${counts.join(", ")}`,
    ...(connectUs === undefined ? [] : [
      `connect: min ${connectUs.min} µs, mean ${connectUs.mean} µs, p50 ${connectUs.p50} µs, ` +
      `p99 ${connectUs.p99} µs, max ${connectUs.max} µs` +
      (connectUs.jitter === undefined ? "" : `, jitter ${connectUs.jitter} µs`),
    ]),
    ...(durationMs === 0 ? [] : [
      `up ${time(upMs)}, down ${time(downMs)} of ${time(durationMs)} ` +
      `(${formatShare(upMs / durationMs)} up)`,
    ]),
    ...(outageCount === 0 ? [] : [
      `${outageCount} ${outageCount === 1 ? "outage" : "outages"}, the longest ${time(longest)}`,
    ]),
    ...(picture === "" ? [] : [picture]),
  ];
}

const BARS = [..."▁▂▃▄▅▆▇█"];

/**
 * Draws the last attempts as a row of bars.
 *
 * @param recent microseconds, or `null` for a failure
 * @param columns how wide the picture may be
 * @returns a bar for each attempt, from the shortest time to the longest, and × for a failure
 */
export function drawSparkline(recent: readonly (number | null)[], columns: number): string {
  const shown = columns > 0 ? recent.slice(-columns) : [];
  const times = shown.filter((us) => us !== null);
  const [least, most] = [Math.min(...times), Math.max(...times)];
  return shown.map((us) => {
    if (us === null) return "×";
    const share = most === least ? 0 : (us - least) / (most - least);
    return BARS[Math.round(share * (BARS.length - 1))];
  }).join("");
}
