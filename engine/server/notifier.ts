/**
 * Keeps the service manager informed about a server: that it serves, how it does, that it ends, and,
 * if the manager has a watchdog, that it is well.
 *
 * The watchdog is fed by the main thread, so a main thread that is stuck feeds it no more. And it is
 * fed only while the threads answer: while every event loop turns, and no thread is stuck in a
 * conversation that does not come to its next `yield`. Nothing else could free such a thread.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { runtime } from "../net/runtime.ts";
import type { ServiceManager } from "../process/service_manager.ts";
import { CounterBlock } from "./core/counters.ts";
import type { Handover } from "./core/handover.ts";
import { readWords, type StatisticsShare } from "./core/statistics_share.ts";
import { readDue } from "./statistics/heartbeat.ts";
import { Stillness } from "./statistics/stillness.ts";

/** How often the status is told if it has changed, in milliseconds. */
const STATUS_MS = 5_000;

/** How many times the threads are looked at within the time of the watchdog. */
const LOOKS = 4;

/** The server, as far as its service manager wants to know. */
export interface Noted {
  readonly address: Address;
  readonly statistics: StatisticsShare;
  readonly handover?: Handover | undefined;
}

/** Tells the service manager about one server. */
export class Notifier {
  readonly #manager: ServiceManager;
  readonly #onStuck: (what: string) => void;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #served: Noted | undefined;
  #status = "";
  #isStopping = false;
  #isOver = false;

  /**
   * @param manager the service manager
   * @param onStuck is told what is stuck, when the watchdog is fed no more because of that
   */
  constructor(manager: ServiceManager, onStuck: (what: string) => void) {
    this.#manager = manager;
    this.#onStuck = onStuck;
  }

  /**
   * The server serves.
   *
   * @param served the server
   */
  serves(served: Noted): void {
    this.#served = served;
    const { handover, statistics } = served;
    const status = this.#describe(served);
    this.#status = status;
    this.#manager.tell({
      // A process that has taken over is the service from now on.
      ...(handover?.isSuccessor === true && { MAINPID: runtime.pid }),
      READY: 1,
      STATUS: status,
    });
    handover?.onTakenOver(() => this.end());
    this.#every(STATUS_MS, () => this.#tellStatus());
    const { watchdogMs } = this.#manager;
    if (watchdogMs !== undefined) this.#watch(statistics, watchdogMs);
  }

  /** The server begins to close. It may be said again. */
  stops(): void {
    if (this.#isOver || this.#isStopping) return;
    this.#isStopping = true;
    const status = this.#served === undefined ? "stopping" : this.#describe(this.#served);
    this.#manager.tell({ STOPPING: 1, STATUS: status });
  }

  /** Tells nothing any more: another process is the service, or this one ends. */
  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
  }

  #every(ms: number, act: () => void): void {
    const timer = setInterval(act, ms);
    // What keeps the process running is its server.
    runtime.unrefTimer(timer);
    this.#timers.push(timer);
  }

  #describe({ address, statistics }: Noted): string {
    const { active, accepted } = CounterBlock.sum(CounterBlock.allIn(statistics.counters));
    const what = this.#isStopping ? "finishing" : "serving";
    return `${what} on ${formatAddress(address)} · live ${active} · accepted ${accepted}`;
  }

  #tellStatus(): void {
    if (this.#served === undefined) return;
    const status = this.#describe(this.#served);
    if (status === this.#status) return;
    this.#status = status;
    this.#manager.tell({ STATUS: status });
  }

  /** Feeds the watchdog while all is well. */
  #watch({ beats, processes, queued, ...share }: StatisticsShare, watchdogMs: number): void {
    // Only where a process is started for each connection these wait in this process: none of those that
    // compute for ever holds up another.
    const isOneEach = processes !== undefined && queued !== undefined;
    const pulses = isOneEach ? undefined : share.pulses;
    const everyMs = watchdogMs / LOOKS;
    const loops = new Stillness();
    const threads = new Stillness();
    let before = performance.now();
    let isTold = false;
    const look = () => {
      const now = performance.now();
      // While this thread could not look, perhaps because the machine slept, nobody was late.
      const passedMs = Math.min(now - before, 2 * everyMs);
      before = now;
      const loop = beats && longest(loops.look(readDue(beats), passedMs));
      const still = pulses && threads.look(readWords(pulses), passedMs);
      const thread = still && processes === undefined ? longest(still) : undefined;
      const isHeldUp = still !== undefined && processes !== undefined &&
        shortest(still, readWords(processes)) >= watchdogMs / 2;
      const stuck = [
        loop !== undefined && loop.ms >= watchdogMs / 2 && `event loop ${loop.index}`,
        thread !== undefined && thread.ms >= watchdogMs / 2 && `thread ${thread.index}`,
        isHeldUp && "every process",
      ].find((what) => typeof what === "string");
      if (stuck === undefined) this.#manager.tell({ WATCHDOG: 1 });
      else if (!isTold) this.#onStuck(stuck);
      isTold = stuck !== undefined;
    };
    look();
    this.#every(everyMs, look);
  }
}

/**
 * For how long all processes are stuck. While one is not, it serves the others' clients.
 *
 * @param stillMs for how long each has been in a protocol's code
 * @param numbers the number of each process; 0 where there is none
 */
function shortest(stillMs: readonly number[], numbers: readonly number[]): number {
  const running = stillMs.filter((_, index) => numbers[index] !== 0);
  return running.length === 0 ? 0 : Math.min(...running);
}

/** The number that has not changed for longest. */
function longest(stillMs: readonly number[]): { readonly ms: number; readonly index: number } {
  const ms = Math.max(0, ...stillMs);
  return { ms, index: stillMs.indexOf(ms) };
}
