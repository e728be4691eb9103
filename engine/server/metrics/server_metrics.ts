/**
 * What a server tells those who collect metrics: everything that its totals and its statistics have.
 *
 * @module
 */

import { FAILURE_KINDS } from "../../../protocols/errors.ts";
import type { StatisticsSnapshot } from "../statistics/statistics_reader.ts";
import type { Metric, Sample } from "./exposition.ts";
import type { ProcessSnapshot } from "./process_figures.ts";

/** What does not change while a server runs, by the names of labels. */
export type About = Readonly<Record<string, string>>;

/** What the metrics are made of. */
export interface Findings {
  /** What does not change. */
  readonly about: About;
  /** The server's statistics. */
  readonly statistics: StatisticsSnapshot;
  /** The longest lag of its event loops within {@linkcode LAG_WINDOW_MS}, in milliseconds. */
  readonly lagMs: number | undefined;
  /** What the system says about the process. */
  readonly process: ProcessSnapshot;
  /** The CPU time of the processes that serve, and have served, if others than this one do. */
  readonly processesCpuSeconds?: number | undefined;
}

/** Over how much time the longest lag of a loop is told, in milliseconds. */
export const LAG_WINDOW_MS = 60_000;

/** What a chat counts, by the names of its counters: the rest of a metric's name, and what it is. */
const CHAT: Readonly<Record<string, readonly [name: string, help: string]>> = {
  said: ["lines_said", "Lines that users of this server have said."],
  delivered: ["lines_delivered", "Lines given to users of this server, once for each of them."],
  dropped: ["lines_dropped", "Lines that a user who reads slowly did not get."],
  floodPauses: ["flood_pauses", "Times that a user who talks too fast was held back."],
  tooLong: ["lines_too_long", "Lines that were refused because they are too long."],
  idle: ["users_idle", "Users who were asked to leave because they said nothing."],
  kicked: ["users_kicked", "Users whom an operator has asked to leave."],
};

/** Why a chat refuses connections, by the names of its counters. */
const REFUSALS: Readonly<Record<string, string>> = {
  full: "full",
  perHost: "per host",
  denied: "denied",
  stranger: "no proxy",
};

/**
 * Makes the metrics. A figure that this server does not have, or that cannot be known here, is
 * absent and never 0.
 *
 * @param findings what they are made of
 */
export function metricsOf(findings: Findings): Metric[] {
  const { about, statistics, lagMs, process } = findings;
  const { counters, counts, queued, workers, acceptQueue } = statistics;
  return [
    {
      name: "handshake_build",
      type: "info",
      help: "What runs here.",
      samples: [{ labels: about, value: 1 }],
    },
    counter(
      "handshake_connections_accepted",
      "Connections whose conversation has begun.",
      counters.accepted,
    ),
    gauge(
      "handshake_connections_active",
      "Accepted connections whose conversation is not over.",
      counters.active,
    ),
    counter(
      "handshake_conversations_completed",
      "Conversations that ended as their protocol intends.",
      counters.completed,
    ),
    {
      name: "handshake_conversations_failed",
      type: "counter",
      help: "Conversations that failed, by the kind of failure.",
      // A kind that has not occurred is 0, so that its first time is seen as a change.
      samples: FAILURE_KINDS.map((kind) => ({
        labels: { kind },
        value: counters.failed[kind] ?? 0,
      })),
    },
    counter(
      "handshake_conversations_cut",
      "Conversations that the server ended because it was closing.",
      counters.cut,
    ),
    counter(
      "handshake_connections_empty",
      "Connections that ended before their first byte.",
      counters.empty,
    ),
    {
      name: "handshake_connections_refused",
      type: "counter",
      help: "Connections that a limit of the server refused.",
      samples: refusals(counters.refused, counts),
    },
    counter(
      "handshake_connections_lost",
      "Connections that were lost before they could be accepted.",
      counters.lost,
    ),
    counter(
      "handshake_stray_errors",
      "Errors of the protocol that belong to no conversation.",
      counters.strays,
    ),
    counter(
      "handshake_threads_lost",
      "Threads or processes that died and were replaced.",
      counters.threadsLost,
    ),
    gauge(
      "handshake_queued_connections",
      "Accepted connections that wait in the server's queue for a thread.",
      queued,
    ),
    gauge(
      "handshake_workers",
      "Threads or processes that serve one connection at a time.",
      workers?.running,
    ),
    gauge("handshake_workers_busy", "Those of them that serve a connection.", workers?.busy),
    gauge(
      "handshake_accept_queue_connections",
      "Connections that the kernel has opened and the server has not accepted.",
      acceptQueue?.waiting,
    ),
    gauge(
      "handshake_accept_queue_limit",
      "How many connections the accept queue has room for.",
      acceptQueue?.limit,
    ),
    counter(
      "handshake_listen_overflows",
      "Times that an accept queue of this machine was full since the server's start.",
      statistics.listenOverflows,
    ),
    {
      ...gauge(
        "handshake_loop_lag_seconds",
        `The longest that something due on an event loop had to wait in the last ${
          LAG_WINDOW_MS / 1_000
        } s.`,
        lagMs === undefined ? undefined : lagMs / 1_000,
      ),
      unit: "seconds",
    },
    gauge(
      "handshake_draining",
      "Whether the server is closing and lets connections finish: 1 or 0.",
      Number(statistics.isDraining),
    ),
    ...chatMetrics(counts),
    ...servingMetrics(findings),
    ...processMetrics(process, statistics.memoryBytes),
  ];
}

function counter(name: string, help: string, value: number | undefined): Metric {
  return { name, type: "counter", help, samples: samplesOf(value) };
}

function gauge(name: string, help: string, value: number | undefined): Metric {
  return { name, type: "gauge", help, samples: samplesOf(value) };
}

function samplesOf(value: number | undefined): Sample[] {
  return value === undefined ? [] : [{ value }];
}

/** All that were refused; by reason, where the server tells them apart. */
function refusals(all: number, counts: Readonly<Record<string, number>> = {}): Sample[] {
  const reasons = Object.entries(REFUSALS).filter(([name]) => counts[name] !== undefined);
  if (reasons.length === 0) return [{ value: all }];
  return reasons.map(([name, reason]) => ({ labels: { reason }, value: counts[name] as number }));
}

function chatMetrics(counts: Readonly<Record<string, number>> = {}): Metric[] {
  return Object.entries(CHAT).map(([name, [rest, help]]) =>
    counter(`handshake_chat_${rest}`, help, counts[name])
  );
}

/** Of the processes that serve. What follows under usual names is about this process alone. */
function servingMetrics({ statistics: { processes }, processesCpuSeconds }: Findings): Metric[] {
  return [
    gauge("handshake_processes", "Processes that serve.", processes?.running),
    {
      ...gauge(
        "handshake_processes_resident_memory_bytes",
        "Their resident memory together.",
        processes?.memoryBytes,
      ),
      unit: "bytes",
    },
    {
      ...counter(
        "handshake_processes_cpu_seconds",
        "The CPU time of the processes that serve, and of those that have served.",
        processesCpuSeconds,
      ),
      unit: "seconds",
    },
  ];
}

/** The names are those that every program uses which tells its metrics to Prometheus. */
function processMetrics(process: ProcessSnapshot, memoryBytes: number | undefined): Metric[] {
  return [
    {
      ...counter(
        "process_cpu_seconds",
        "The CPU time of all threads of the process.",
        process.cpuSeconds,
      ),
      unit: "seconds",
    },
    {
      ...gauge("process_resident_memory_bytes", "The resident memory of the process.", memoryBytes),
      unit: "bytes",
    },
    {
      ...gauge(
        "process_virtual_memory_bytes",
        "The address space of the process.",
        process.virtualBytes,
      ),
      unit: "bytes",
    },
    gauge("process_open_fds", "Open descriptors.", process.openDescriptors),
    gauge("process_max_fds", "How many descriptors the process may have.", process.mostDescriptors),
    gauge("process_threads", "The threads of the process.", process.threads),
    {
      ...gauge(
        "process_start_time_seconds",
        "When the process was started: seconds since 1970.",
        process.startedAt,
      ),
      unit: "seconds",
    },
  ];
}
