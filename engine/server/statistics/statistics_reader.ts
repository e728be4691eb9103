/**
 * The statistics of a server, as they are at one moment. Any thread of the process can read them,
 * also while the thread that serves is stuck.
 *
 * @module
 */

import { CounterBlock, type Counters } from "../core/counters.ts";
import { readCounts } from "../core/own_counts.ts";
import {
  isDraining,
  readFigure,
  readWords,
  type StatisticsShare,
} from "../core/statistics_share.ts";
import { moment } from "../../values/moment.ts";
import { LagReader } from "./heartbeat.ts";
import { type AcceptQueue, ListenerFigures } from "./listener_figures.ts";
import { memoryOf, ProcessMemory } from "./process_memory.ts";

/**
 * The statistics of a server at one moment. A figure that this kind of server does not have, or that
 * cannot be known here, is absent and never 0.
 */
export interface StatisticsSnapshot {
  /** When it was taken: milliseconds since 1970. */
  readonly at: number;
  /**
   * What the server has counted. `accepted` counts a connection when its conversation begins;
   * `active` are the live ones.
   */
  readonly counters: Counters;
  /** What only this kind of server counts, by name, as a chat its lines. Absent where that is nothing. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Whether the server closes: it accepts nobody any more, and lets connections finish. */
  readonly isDraining: boolean;
  /**
   * Connections that the server has accepted and that wait in its own queue for a thread. Absent
   * where there is no such queue.
   */
  readonly queued?: number;
  /**
   * The threads that serve one connection at a time: how many of them serve one, and how many run.
   * Absent where event loops serve.
   */
  readonly workers?: { readonly busy: number; readonly running: number };
  /**
   * Connections that the kernel has opened and that the server has not accepted: those of all its
   * listeners, with their limits.
   */
  readonly acceptQueue?: AcceptQueue;
  /**
   * How often a connection found an accept queue full, since the reader was made or as it was told:
   * `ListenOverflows`. It is the machine's, or the network namespace's, and counts for all programs.
   * Each further attempt of the same client counts too.
   */
  readonly listenOverflows?: number;
  /** The resident memory of the process, in bytes. */
  readonly memoryBytes?: number;
  /** The processes that serve, if others than this one do. */
  readonly processes?: ProcessesSnapshot;
  /**
   * The longest time that something due on an event loop had to wait since the last reading, in
   * milliseconds: how late the loop was, or is. With several loops it is that of the latest one.
   * Absent where no event loop serves, or where the server was not asked to measure it
   * (`statsEvery`).
   */
  readonly loopLagMs?: number;
}

/** The processes that serve, together. A figure that cannot be known is absent. */
export interface ProcessesSnapshot {
  /** How many run. */
  readonly running: number;
  /** Their resident memory, in bytes. What they share with each other counts for each of them. */
  readonly memoryBytes?: number;
}

/** Reads the statistics of one server. Each thread makes a reader of its own. */
export class StatisticsReader implements Disposable {
  readonly #share: StatisticsShare;
  readonly #blocks: readonly CounterBlock[];
  readonly #listeners: ListenerFigures;
  readonly #memory = new ProcessMemory();
  readonly #lags: LagReader | undefined;

  /**
   * Makes a reader.
   *
   * @param share the server's `statistics`, perhaps from another thread
   * @param overflowsBefore the `ListenOverflows` of the machine that are not told; by default those
   * until now
   */
  constructor(share: StatisticsShare, overflowsBefore?: number) {
    this.#share = share;
    this.#blocks = CounterBlock.allIn(share.counters);
    this.#lags = share.beats && new LagReader(share.beats);
    this.#listeners = new ListenerFigures(share.address, overflowsBefore);
  }

  /** What is not known here and why, in sentences without a stop. */
  get unknown(): readonly string[] {
    return this.#listeners.unknown;
  }

  /** Whether the server closes: see {@linkcode StatisticsSnapshot.isDraining}. */
  get isDraining(): boolean {
    return isDraining(this.#share);
  }

  /** Reads the statistics. It waits for nobody. */
  read(): StatisticsSnapshot {
    const { queued, busy, workers, counts, processes } = this.#share;
    const loopLagMs = this.#lags?.read();
    const memoryBytes = this.#memory.bytes;
    const { acceptQueue, overflows: listenOverflows } = this.#listeners;
    return {
      at: moment(),
      counters: CounterBlock.sum(this.#blocks),
      ...(counts !== undefined && { counts: readCounts(counts) }),
      isDraining: isDraining(this.#share),
      ...(queued !== undefined && { queued: readFigure(queued) }),
      ...(busy !== undefined && workers !== undefined && {
        workers: { busy: readFigure(busy), running: readFigure(workers) },
      }),
      ...(acceptQueue !== undefined && { acceptQueue }),
      ...(listenOverflows !== undefined && { listenOverflows }),
      ...(memoryBytes !== undefined && { memoryBytes }),
      ...(processes !== undefined && { processes: readProcesses(readWords(processes)) }),
      ...(loopLagMs !== undefined && { loopLagMs }),
    };
  }

  /** Gives its descriptors back. */
  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
    this.#listeners[Symbol.dispose]();
  }
}

/** @param numbers those of the processes, and 0 where there is none */
function readProcesses(numbers: readonly number[]): ProcessesSnapshot {
  const running = numbers.filter((pid) => pid !== 0);
  const memory = running.map(memoryOf);
  const known = memory.filter((bytes) => bytes !== undefined);
  // One that has just ended has none. But where nobody may ask, nothing is known.
  const isKnown = known.length > 0 || running.length === 0;
  return {
    running: running.length,
    ...(isKnown && { memoryBytes: known.reduce((sum, bytes) => sum + bytes, 0) }),
  };
}
