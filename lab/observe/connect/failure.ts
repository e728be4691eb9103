/**
 * The ways in which an attempt can fail, each with its evidence.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { formatAddress } from "../../../protocols/address.ts";
import { escapeText } from "../../../protocols/text.ts";
import { EXIT_DONE, EXIT_FAILED } from "../../../engine/cli/exit_status.ts";
import { exitStatusOf } from "../../../engine/dial/failures.ts";
import type { ReportedError } from "../../../engine/kernel/error_queue.ts";
import type { SynSchedule } from "../../../engine/kernel/proc_net.ts";
import { ERRNO_TEXT } from "../../../engine/net/constants.ts";

/** A message of ICMP that has ended an attempt. */
export type Icmp = Pick<ReportedError, "origin" | "type" | "code" | "by"> & {
  /** Whether this machine has sent it to itself, because nobody answers on the link. */
  readonly own: boolean;
};

/** The accept queue of a listener of this machine. */
export interface AcceptQueue {
  /** How many connections wait. */
  readonly waiting: number;
  /** How many may wait, as listen(2) was told; Linux takes one more. Absent if not known. */
  readonly limit?: number;
  /** By how much the machine's ListenOverflows rose meanwhile. Absent if not known. */
  readonly overflows?: number;
}

/** Why an attempt failed. */
export type Failure =
  /** A RST has answered the SYN; or ICMP did, if there is such a message. */
  | { readonly kind: "refused"; readonly icmp?: Icmp }
  /** There is no way; without ICMP it is this machine that knows none. */
  | { readonly kind: "unreachable"; readonly code: string; readonly icmp?: Icmp }
  /** A rule forbids it; without ICMP it is a rule of this machine. */
  | { readonly kind: "filtered"; readonly code: string; readonly icmp?: Icmp }
  /** Nothing has answered. */
  | {
    readonly kind: "timeout";
    /** How long it was waited, in milliseconds. */
    readonly afterMs: number;
    /** Whether it was the kernel that gave up. */
    readonly byKernel: boolean;
    /** How many SYNs were sent. */
    readonly syns?: number;
    /** When the kernel sends SYNs. */
    readonly schedule?: SynSchedule;
    /** The listener's queue, if the server is this machine and the queue is full. */
    readonly queue?: AcceptQueue;
  }
  /** The peer has sent a RST after it had accepted. */
  | { readonly kind: "reset"; readonly during: "connecting" | "first byte" | "HELLO" }
  /** The peer has accepted and then said nothing in time, or nothing whole, although it was asked. */
  | {
    readonly kind: "silent";
    /** How long it was waited, in milliseconds. */
    readonly afterMs: number;
    /** How many bytes have come that were no whole answer; absent if there were none. */
    readonly received?: number;
  }
  /** The peer has closed before it had answered. */
  | { readonly kind: "closed" }
  /** The peer has answered something else. */
  | { readonly kind: "wrong_answer"; readonly detail: string }
  /** The socket has met itself: it got the port that it called. */
  | { readonly kind: "self" }
  /** This machine has no port left for the call. */
  | {
    readonly kind: "no_ports";
    /** The first and the last of the ports that the kernel may pick. */
    readonly range?: readonly [number, number];
    /** How many connections to that address are in TIME_WAIT. */
    readonly timeWait?: number;
  }
  /** This process has no descriptor left. */
  | { readonly kind: "no_descriptors" }
  /** The resolver says that there is no such name, or no address of that family. */
  | { readonly kind: "name_not_found" }
  /** The resolver cannot answer for now. */
  | { readonly kind: "name_unresolved" }
  /** The resolver has not answered in time. */
  | { readonly kind: "name_timeout"; readonly afterMs: number }
  /** Something else. */
  | { readonly kind: "failed"; readonly code: string; readonly detail: string };

/** The short word for a failure. */
export type FailureKind = Failure["kind"];

/**
 * The failures from the one that tells most about a server to the one that tells least, each with
 * the name under which the client counts it.
 */
const KINDS: Readonly<Record<FailureKind, string>> = {
  wrong_answer: "malformed",
  closed: "peer gone",
  reset: "peer gone",
  silent: "read timeout",
  self: "not connected",
  refused: "refused",
  timeout: "connect timeout",
  filtered: "unreachable",
  unreachable: "unreachable",
  no_ports: "no local port",
  no_descriptors: "no descriptor",
  name_not_found: "name not found",
  name_unresolved: "name not found",
  name_timeout: "connect timeout",
  failed: "not connected",
};

/** All words, the most telling first. */
export const FAILURE_KINDS = Object.keys(KINDS) as readonly FailureKind[];

/**
 * Picks the failure that tells most about a server with several addresses.
 *
 * @param failures at least one
 * @returns its index
 */
export function mostTelling(failures: readonly Failure[]): number {
  const ranks = failures.map(({ kind }) => FAILURE_KINDS.indexOf(kind));
  return ranks.indexOf(Math.min(...ranks));
}

/**
 * The exit status of a series of attempts.
 *
 * @param ok how many succeeded
 * @param failures how many failed, by kind, in the order in which the kinds first occurred
 * @returns 0 if one succeeded; else what the client returns for the most frequent failure, which is
 * 3 or 4 where no connection was made, and 1 otherwise
 */
export function exitStatus(ok: number, failures: ReadonlyMap<FailureKind, number>): number {
  if (ok > 0) return EXIT_DONE;
  let most: FailureKind | undefined;
  for (const [kind, count] of failures) {
    if (most === undefined || count > (failures.get(most) as number)) most = kind;
  }
  return most === undefined ? EXIT_FAILED : exitStatusOf(KINDS[most]);
}

/** The meaning of some codes of ICMP's type 3 (RFC 792, RFC 1812) and of ICMPv6's type 1. */
const ICMP_WORDS: Readonly<Record<string, string>> = {
  "icmp 3/0": "network unreachable",
  "icmp 3/1": "host unreachable",
  "icmp 3/2": "protocol unreachable",
  "icmp 3/3": "port unreachable",
  "icmp 3/9": "network administratively prohibited",
  "icmp 3/10": "host administratively prohibited",
  "icmp 3/13": "administratively prohibited",
  "icmp 11/0": "too many hops",
  "icmp6 1/0": "no route",
  "icmp6 1/1": "administratively prohibited",
  "icmp6 1/3": "address unreachable",
  "icmp6 1/4": "port unreachable",
  "icmp6 1/5": "source address failed the policy",
  "icmp6 1/6": "route rejected",
  "icmp6 3/0": "too many hops",
};

/** The messages that come from a rule and not from a lack. */
const RULES = ["icmp 3/9", "icmp 3/10", "icmp 3/13", "icmp6 1/1", "icmp6 1/5", "icmp6 1/6"];

/** The messages of the server's machine itself: nobody listens there. */
const PORTS = ["icmp 3/2", "icmp 3/3", "icmp6 1/4"];

function keyOf({ origin, type, code }: Icmp): string {
  return `${origin} ${type}/${code}`;
}

/**
 * Names a message of ICMP.
 *
 * @param icmp the message
 * @returns for instance `ICMP 3/13 (administratively prohibited) from 10.0.0.1`
 */
export function describeIcmp(icmp: Icmp): string {
  const words = ICMP_WORDS[keyOf(icmp)];
  const name = icmp.origin === "icmp6" ? "ICMPv6" : "ICMP";
  return `${name} ${icmp.type}/${icmp.code}${words === undefined ? "" : ` (${words})`}` +
    (icmp.by === undefined ? "" : ` from ${icmp.by}`);
}

/** What is known of an error of connect(2). */
export interface ConnectFinding {
  /** The system's name for the error. */
  readonly code: string;
  /** How long it was waited, in milliseconds. */
  readonly afterMs: number;
  /** The message of ICMP behind it. */
  readonly icmp?: Icmp | undefined;
}

/**
 * Tells which failure an error of connect(2) is.
 *
 * @param finding the error and its evidence
 */
export function failureOf({ code, icmp, afterMs }: ConnectFinding): Failure {
  const evidence = icmp !== undefined && { icmp };
  const key = icmp === undefined ? "" : keyOf(icmp);
  if (RULES.includes(key)) return { kind: "filtered", code, ...evidence };
  if (PORTS.includes(key)) return { kind: "refused", ...evidence };
  switch (code) {
    case "ECONNREFUSED":
      return { kind: "refused", ...evidence };
    case "EACCES":
    case "EPERM":
      return { kind: "filtered", code, ...evidence };
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
    case "ENETDOWN":
    case "EAFNOSUPPORT":
      return { kind: "unreachable", code, ...evidence };
    case "ETIMEDOUT":
      return { kind: "timeout", afterMs, byKernel: true };
    case "ECONNRESET":
    case "ECONNABORTED":
      return { kind: "reset", during: "connecting" };
    case "EADDRNOTAVAIL":
    case "EADDRINUSE":
      return { kind: "no_ports" };
    case "EMFILE":
    case "ENFILE":
      return { kind: "no_descriptors" };
    default:
      return { kind: "failed", code, detail: ERRNO_TEXT[code] ?? "" };
  }
}

/**
 * Says in words why an attempt failed.
 *
 * @param failure the failure
 * @param address the address that was called; `undefined` if there is none
 * @returns one line that is safe for a terminal
 */
export function describeFailure(failure: Failure, address?: Address): string {
  switch (failure.kind) {
    case "refused":
      return failure.icmp === undefined
        ? "refused: a RST came, so nobody listens on this port"
        : `refused by ${describeIcmp(failure.icmp)}`;
    case "unreachable":
    case "filtered":
      return `${failure.kind}: ${describeObstacle(failure)}`;
    case "timeout":
      return describeTimeout(failure);
    case "reset":
      return failure.during === "connecting"
        ? "reset while connecting"
        : `reset: TCP answered, and then a RST came instead of ${
          failure.during === "HELLO" ? "an answer" : "a first byte"
        }; what accepted may only stand in front of the server`;
    case "silent":
      return describeSilence(failure);
    case "closed":
      return "closed: TCP answered, and the server closed without an answer";
    case "wrong_answer":
      return `wrong answer: ${escapeText(failure.detail)}`;
    case "self":
      return `self: the socket got port ${address?.port} and met itself; nobody listens there`;
    case "no_ports":
      return describePorts(failure);
    case "no_descriptors":
      return "no descriptors: the limit of open files is reached (ulimit -n)";
    case "name_not_found":
      return "name not found (EAI_NONAME): there is no such name, or it has no address of that family";
    case "name_unresolved":
      return "name not resolved (EAI_AGAIN): the resolver cannot answer for now";
    case "name_timeout":
      return `name not resolved: the resolver has not answered within ${
        formatMs(failure.afterMs)
      } ms`;
    case "failed":
      return escapeText(
        failure.detail === "" ? failure.code : `${failure.detail} (${failure.code})`,
      );
  }
}

function describeObstacle(
  { kind, code, icmp }: Failure & { readonly kind: "unreachable" | "filtered" },
): string {
  const text = `${ERRNO_TEXT[code] ?? "system error"} (${code})`;
  if (icmp?.own === true) return `${text}: nobody has that address on the link`;
  if (icmp !== undefined) return describeIcmp(icmp);
  return kind === "filtered"
    ? `${text}: a rule of this machine`
    : `${text}: no ICMP came, so it is this machine that has no route`;
}

function describeTimeout(failure: Failure & { readonly kind: "timeout" }): string {
  const { afterMs, byKernel, syns, schedule, queue } = failure;
  const parts = [
    byKernel
      ? `timeout: the kernel has given up after ${formatMs(afterMs)} ms`
      : `timeout: nothing answered within ${formatMs(afterMs)} ms`,
  ];
  if (queue !== undefined) parts.push(describeQueue(queue));
  if (syns !== undefined) parts.push(`${syns} ${syns === 1 ? "SYN" : "SYNs"} sent`);
  if (schedule !== undefined) {
    const nextS = nextSyn(failure);
    const { sentAtS, endsAtS } = schedule;
    parts.push(
      `the kernel sends them at ${sentAtS.join(", ")} s and ends at ${endsAtS} s`,
      ...(nextS === undefined ? [] : [`the next would go at ${nextS} s`]),
    );
  }
  return parts.join(", ");
}

/**
 * When the kernel would have sent the next SYN, in seconds after the first.
 *
 * @param failure what is known
 * @returns `undefined` if it would have sent none, or if the schedule is not known
 */
export function nextSyn(failure: Failure & { readonly kind: "timeout" }): number | undefined {
  return failure.schedule?.sentAtS.find((at) => at * 1000 > failure.afterMs);
}

/**
 * Says how full an accept queue is.
 *
 * @param queue the queue
 */
export function describeQueue({ waiting, limit, overflows }: AcceptQueue): string {
  const full = limit === undefined ? `${waiting}` : `${waiting} of ${limit}`;
  return `the accept queue is full (${full})` +
    (overflows === undefined ? "" : `, ListenOverflows of this machine +${overflows}`);
}

function describeSilence({ afterMs, received }: Failure & { readonly kind: "silent" }): string {
  const within = `within ${formatMs(afterMs)} ms`;
  return received === undefined
    ? `silent: TCP answered, nobody spoke ${within}; ` +
      "what accepted may only stand in front of the server"
    : `silent: no whole answer came ${within}, only ${received} ${
      received === 1 ? "byte" : "bytes"
    }`;
}

function describePorts({ range, timeWait }: Failure & { readonly kind: "no_ports" }): string {
  const details = [
    ...(range === undefined ? [] : [`ip_local_port_range is ${range[0]} to ${range[1]}`]),
    ...(timeWait === undefined ? [] : [`${timeWait} connections to this address are in TIME_WAIT`]),
  ];
  return `no local port is left${details.length === 0 ? "" : `: ${details.join(", ")}`}`;
}

/** Three significant digits, or whole milliseconds: a limit may be as short as one. */
function formatMs(ms: number): string {
  return ms >= 100 ? String(Math.round(ms)) : String(Number(ms.toPrecision(3)));
}

/**
 * The evidence as other programs read it.
 *
 * @param failure the failure
 * @returns its fields; all names are as `docs/observe.schema.json` has them
 */
export function evidenceOf(failure: Failure): Readonly<Record<string, unknown>> {
  switch (failure.kind) {
    case "refused":
      return failure.icmp === undefined
        ? { by: "rst" }
        : { by: "icmp", icmp: icmpOf(failure.icmp) };
    case "unreachable":
    case "filtered":
      return {
        code: failure.code,
        by: failure.icmp === undefined || failure.icmp.own ? "own" : "icmp",
        ...(failure.icmp !== undefined && { icmp: icmpOf(failure.icmp) }),
      };
    case "timeout":
      return timeoutEvidence(failure);
    case "reset":
      return { during: failure.during.toLowerCase().replace(" ", "_") };
    case "silent":
      return {
        after_us: Math.round(failure.afterMs * 1000),
        ...(failure.received !== undefined && { received_bytes: failure.received }),
      };
    case "name_timeout":
      return { after_us: Math.round(failure.afterMs * 1000) };
    case "wrong_answer":
      return { detail: failure.detail };
    case "no_ports":
      return {
        ...(failure.range !== undefined && { range: failure.range }),
        ...(failure.timeWait !== undefined && { time_wait: failure.timeWait }),
      };
    case "failed":
      return { code: failure.code, detail: failure.detail };
    default:
      return {};
  }
}

function icmpOf({ origin, type, code, by }: Icmp): Readonly<Record<string, unknown>> {
  return { version: origin === "icmp6" ? 6 : 4, type, code, ...(by !== undefined && { from: by }) };
}

function timeoutEvidence(
  failure: Failure & { readonly kind: "timeout" },
): Readonly<Record<string, unknown>> {
  const { afterMs, byKernel, syns, schedule, queue } = failure;
  const nextS = nextSyn(failure);
  return {
    by: byKernel ? "kernel" : "limit",
    after_us: Math.round(afterMs * 1000),
    ...(syns !== undefined && { syns }),
    ...(schedule !== undefined && {
      syn_schedule_s: schedule.sentAtS,
      syn_schedule_ends_s: schedule.endsAtS,
    }),
    ...(nextS !== undefined && { next_syn_s: nextS }),
    ...(queue !== undefined && {
      accept_queue: {
        waiting: queue.waiting,
        ...(queue.limit !== undefined && { limit: queue.limit }),
        ...(queue.overflows !== undefined && { listen_overflows: queue.overflows }),
      },
    }),
  };
}

/**
 * An address, or what stands for it, in words.
 *
 * @param address the address
 */
export function showAddress(address: Address): string {
  return escapeText(formatAddress(address));
}
