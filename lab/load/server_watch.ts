/**
 * Watches a server's process over a run.
 *
 * @module
 */

import { ProcessStatus, type ThreadStatus } from "../../engine/process/process_status.ts";
import type { ServerFigures } from "./results.ts";

/** How often it looks, in milliseconds. Threads that live for a shorter time may not be seen. */
const LOOK_MS = 100;

/** How many times as long as a look the time between two looks is at least. */
const SPARING = 50;

/** What a server has used in one second. */
export interface ServerSecond {
  readonly cpu_s: number;
  /** `null` if the process had ended. */
  readonly memory_bytes: number | null;
}

/** What a thread has used. */
type Usage = Readonly<Record<keyof ThreadStatus, number>>;

const NOTHING: Usage = {
  cpuSeconds: 0,
  waitingSeconds: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
};

/** Watches a process from the time of its own construction. */
export class ServerWatch implements Disposable {
  readonly #status: ProcessStatus;
  readonly #cpuBefore: number;
  readonly #threadsBefore: ReadonlyMap<string, Usage>;
  readonly #peakBefore: number;
  /** What each thread had used when it was last seen; threads that have ended stay here. */
  readonly #threads = new Map<string, Usage>();
  /** What threads had used whose number was given to another one. */
  #replaced: Usage = NOTHING;
  #mostThreads = 0;
  #cpu: number;
  #cpuTold: number;
  #memory: number | null = null;
  #peak = 0;
  #hasEnded = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(status: ProcessStatus) {
    this.#status = status;
    this.#cpuBefore = this.#cpuTold = this.#cpu = status.cpuSeconds;
    this.#threadsBefore = status.eachThread();
    this.#peakBefore = status.peakMemory;
    this.#lookAgain();
  }

  /**
   * Begins to watch a process.
   *
   * @param pid the server's process; without it, nothing is known of the server
   */
  static of(pid: number | undefined): ServerWatch | undefined {
    if (pid === undefined) return undefined;
    const status = new ProcessStatus(pid);
    return status.isAlive ? new ServerWatch(status) : undefined;
  }

  #lookAgain(): void {
    const began = performance.now();
    this.#look();
    const nextMs = Math.max(LOOK_MS, SPARING * (performance.now() - began));
    this.#timer = setTimeout(() => this.#lookAgain(), nextMs);
  }

  #look(): void {
    const { cpuSeconds, isAlive } = this.#status;
    this.#cpu = Math.max(this.#cpu, cpuSeconds);
    this.#hasEnded = !isAlive;
    const threads = this.#status.eachThread();
    // It may have ended in the meantime. Then what was read of it is not complete.
    if (this.#hasEnded || !this.#status.isAlive) return;
    const { memory } = this.#status;
    if (memory > 0) {
      this.#memory = memory;
      // The system's own peak is that of the process's whole life, so it counts only if this run
      // raised it.
      const { peakMemory } = this.#status;
      this.#peak = Math.max(this.#peak, memory, peakMemory > this.#peakBefore ? peakMemory : 0);
    }
    this.#mostThreads = Math.max(this.#mostThreads, threads.size);
    for (const [name, now] of threads) {
      const last = this.#threads.get(name);
      if (last !== undefined && now.voluntarySwitches < last.voluntarySwitches) {
        this.#replaced = add(this.#replaced, last);
      }
      this.#threads.set(name, now);
    }
  }

  /** Reads the figures of the last second. It is called once a second. */
  look(): ServerSecond {
    this.#look();
    const cpu_s = round(this.#cpu - this.#cpuTold);
    this.#cpuTold = this.#cpu;
    return { cpu_s, memory_bytes: this.#hasEnded ? null : this.#memory };
  }

  /** Looks for the last time: while the connections are open, and the threads that serve them live. */
  end(): void {
    this.#look();
    this[Symbol.dispose]();
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  /**
   * The figures of the whole run.
   *
   * @param requests how many requests the server has answered
   * @param seconds how long the run was
   */
  figures(requests: number, seconds: number): WatchedServer {
    let all = this.#replaced;
    let busiest = 0;
    for (const [name, now] of this.#threads) {
      const before = this.#threadsBefore.get(name) ?? NOTHING;
      all = add(all, now, before);
      const own = add(NOTHING, now, before);
      busiest = Math.max(busiest, own.cpuSeconds + own.waitingSeconds);
    }
    // Threads that were never seen are only in the one, and parts of a hundredth only in the other.
    const cpu = Math.max(this.#cpu - this.#cpuBefore, all.cpuSeconds);
    return {
      busiestThread: seconds > 0 ? busiest / seconds : 0,
      figures: {
        cpu_s: Number(cpu.toFixed(4)),
        requests_per_cpu_s: cpu > 0 ? Math.round(requests / cpu) : null,
        memory_bytes: this.#hasEnded ? null : this.#memory,
        peak_memory_bytes: this.#peak,
        threads: this.#mostThreads,
        voluntary_switches: all.voluntarySwitches,
        involuntary_switches: all.involuntarySwitches,
        ended: this.#hasEnded,
      },
    };
  }
}

/** What the watch has found. */
export interface WatchedServer {
  readonly figures: ServerFigures;
  /** The share of the time in which the server's busiest thread ran or waited for a processor. */
  readonly busiestThread: number;
}

/** Adds what was used, without what was used before. */
function add(sum: Usage, usage: Usage, before: Usage = NOTHING): Usage {
  return {
    cpuSeconds: sum.cpuSeconds + usage.cpuSeconds - before.cpuSeconds,
    waitingSeconds: sum.waitingSeconds + usage.waitingSeconds - before.waitingSeconds,
    voluntarySwitches: sum.voluntarySwitches + usage.voluntarySwitches - before.voluntarySwitches,
    involuntarySwitches: sum.involuntarySwitches + usage.involuntarySwitches -
      before.involuntarySwitches,
  };
}

/** Rounds to hundredths of a second, the system's own unit. */
function round(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
