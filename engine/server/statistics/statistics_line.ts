/**
 * A line of statistics: for people, and with names for programs.
 *
 * @module
 */

import type { StatisticsSnapshot } from "./statistics_reader.ts";

const MIB = 1024 * 1024;

/** What stands for a figure that cannot be known here. */
const UNKNOWN = "–";

/**
 * Writes statistics on one line. A figure that this server does not have is left out, and so are
 * connections that were empty or refused while there are none. A figure that
 * cannot be known here is a dash. A server whose processes serve says how much memory these have.
 *
 * @param statistics the statistics
 * @returns for instance `accepted 8 · live 4 · queued 2 · workers 4 of 4 · accept queue 3 of 2 ·
 * overflows 5 · memory 61.2 MiB`
 */
export function formatStatistics(statistics: StatisticsSnapshot): string {
  const { counters, queued, workers, acceptQueue, listenOverflows, memoryBytes, loopLagMs } =
    statistics;
  const { processes } = statistics;
  const parts = [`accepted ${counters.accepted}`, `live ${counters.active}`];
  if (counters.empty > 0) parts.push(`empty ${counters.empty}`);
  if (counters.refused > 0) parts.push(`refused ${counters.refused}`);
  if (queued !== undefined) parts.push(`queued ${queued}`);
  if (workers !== undefined) parts.push(`workers ${workers.busy} of ${workers.running}`);
  const { waiting = UNKNOWN, limit = UNKNOWN } = acceptQueue ?? {};
  parts.push(`accept queue ${acceptQueue === undefined ? UNKNOWN : `${waiting} of ${limit}`}`);
  parts.push(`overflows ${listenOverflows ?? UNKNOWN}`);
  parts.push(`memory ${formatMemory(memoryBytes)}`);
  if (processes !== undefined) {
    parts.push(`that of ${processes.running} processes ${formatMemory(processes.memoryBytes)}`);
  }
  if (loopLagMs !== undefined) parts.push(`loop lag ${loopLagMs.toFixed(1)} ms`);
  return parts.join(" · ");
}

function formatMemory(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : `${(bytes / MIB).toFixed(1)} MiB`;
}

/**
 * Gives the figures flat names, for a log in JSON. A figure that is not there has no name.
 *
 * @param statistics the statistics
 */
export function nameStatistics(statistics: StatisticsSnapshot): Record<string, unknown> {
  const { counters, queued, workers, acceptQueue, listenOverflows, memoryBytes, loopLagMs } =
    statistics;
  const figures = {
    type: "statistics",
    accepted: counters.accepted,
    live: counters.active,
    completed: counters.completed,
    failed: Object.values(counters.failed).reduce((sum, count) => sum + count, 0),
    cut: counters.cut,
    empty: counters.empty,
    refused: counters.refused,
    lost: counters.lost,
    strays: counters.strays,
    threads_lost: counters.threadsLost,
    queued,
    workers_busy: workers?.busy,
    workers: workers?.running,
    accept_queue: acceptQueue?.waiting,
    accept_queue_limit: acceptQueue?.limit,
    listen_overflows: listenOverflows,
    memory_bytes: memoryBytes,
    processes: statistics.processes?.running,
    processes_memory_bytes: statistics.processes?.memoryBytes,
    loop_lag_ms: loopLagMs === undefined ? undefined : Math.round(loopLagMs * 1000) / 1000,
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}
