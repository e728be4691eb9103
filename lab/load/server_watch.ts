/**
 * Watches a server's process over a run.
 *
 * @module
 */

import { ProcessStatus, type ThreadStatus } from "../../engine/process/process_status.ts";
import type { ServerFigures } from "./results.ts";

/** What a server has used in one second. */
export interface ServerSecond {
  readonly cpu_s: number;
  readonly memory_bytes: number;
}

/** Watches a process from the time of its own construction. */
export class ServerWatch {
  readonly #status: ProcessStatus;
  readonly #cpuBefore: number;
  readonly #threadsBefore: ReadonlyMap<string, ThreadStatus>;
  readonly #peakBefore: number;
  #cpuLast: number;
  #memory: number;
  #peak = 0;
  #threads = 0;

  private constructor(status: ProcessStatus) {
    this.#status = status;
    this.#cpuBefore = this.#cpuLast = status.cpuSeconds;
    this.#threadsBefore = status.eachThread();
    this.#peakBefore = status.peakMemory;
    this.#memory = status.memory;
  }

  /**
   * Begins to watch a process.
   *
   * @param pid the server's process; without it, nothing is known of the server
   */
  static of(pid: number | undefined): ServerWatch | undefined {
    if (pid === undefined) return undefined;
    const status = new ProcessStatus(pid);
    return status.isKnown ? new ServerWatch(status) : undefined;
  }

  /** Reads the figures of the last second. It is called once a second. */
  look(): ServerSecond {
    const { cpuSeconds, memory, threads } = this.#status;
    const used = cpuSeconds - this.#cpuLast;
    // Once the process has ended, there is nothing more to see.
    if (used < 0) return { cpu_s: 0, memory_bytes: this.#memory };
    this.#cpuLast = cpuSeconds;
    this.#memory = memory;
    this.#peak = Math.max(this.#peak, memory);
    this.#threads = Math.max(this.#threads, threads);
    return { cpu_s: round(used), memory_bytes: memory };
  }

  /**
   * The figures of the whole run.
   *
   * @param requests how many requests the server has answered
   * @param seconds how long the run was
   */
  finish(requests: number, seconds: number): WatchedServer {
    this.look();
    const cpu = this.#cpuLast - this.#cpuBefore;
    const peak = this.#status.peakMemory;
    let voluntary = 0;
    let involuntary = 0;
    let busiest = 0;
    for (const [name, now] of this.#status.eachThread()) {
      const before = this.#threadsBefore.get(name);
      voluntary += now.voluntarySwitches - (before?.voluntarySwitches ?? 0);
      involuntary += now.involuntarySwitches - (before?.involuntarySwitches ?? 0);
      busiest = Math.max(busiest, now.cpuSeconds - (before?.cpuSeconds ?? 0));
    }
    return {
      busiestThread: seconds > 0 ? busiest / seconds : 0,
      figures: {
        cpu_s: round(cpu),
        requests_per_cpu_s: cpu > 0 ? Math.round(requests / cpu) : 0,
        memory_bytes: this.#memory,
        // The system's own peak is that of the process's whole life, so it counts only if this run
        // raised it.
        peak_memory_bytes: peak > this.#peakBefore ? peak : this.#peak,
        threads: this.#threads,
        voluntary_switches: voluntary,
        involuntary_switches: involuntary,
      },
    };
  }
}

/** What the watch has found. */
export interface WatchedServer {
  readonly figures: ServerFigures;
  /** The share of the time in which the server's busiest thread ran. */
  readonly busiestThread: number;
}

/** Rounds to hundredths of a second, the system's own unit. */
function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
