/**
 * The main thread's view of the Workers that make a load. It also adds up what they have counted.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { requireDescriptors, requireThreads } from "../../engine/server/core/descriptor_limits.ts";
import { requireWorkers } from "../../engine/server/team/thread_team.ts";
import { Distribution } from "./distribution.ts";
import {
  type FromLoadThread,
  LOAD_THREAD,
  LOAD_THREAD_URL,
  type ThreadEnd,
  type ToLoadThread,
} from "./load_thread.ts";
import { type Plan, type Share, shareOut } from "./plan.ts";
import type { ThreadSecond } from "./tally.ts";

/** How many descriptors must be free beyond those of the threads, which open their modules. */
const RESERVE = 16;

/** One second of the load, summed over all threads. */
export interface TeamSecond {
  /** When it ends, in milliseconds from the beginning of the run. */
  readonly endsAt: number;
  readonly durationMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly latency: Distribution;
}

/** The totals of a run. */
export class TeamTotals {
  readonly latency = new Distribution();
  readonly service = new Distribution();
  readonly connect = new Distribution();
  readonly lag = new Distribution();
  readonly errors: Record<string, number> = {};
  /** The message of the first failure of each kind. */
  readonly words: Record<string, string> = {};
  readonly ends: ThreadEnd[] = [];
  requests = 0;
  bytesSent = 0;
  bytesReceived = 0;

  /** Adds one second of a thread. */
  add(second: ThreadSecond): void {
    this.requests += second.requests;
    this.bytesSent += second.bytesSent;
    this.bytesReceived += second.bytesReceived;
    this.latency.add(second.latency);
    this.service.add(second.service);
    this.connect.add(second.connect);
    this.lag.add(second.lag);
    for (const [kind, count] of Object.entries(second.errors)) {
      this.errors[kind] = (this.errors[kind] ?? 0) + count;
    }
  }

  /** Adds the summary of a thread's run. */
  end(end: ThreadEnd): void {
    this.ends.push(end);
    for (const [kind, text] of Object.entries(end.words)) this.words[kind] ??= text;
  }
}

/** One thread. */
interface Member {
  readonly worker: Worker;
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

/** Makes a load with Workers. */
export class LoadTeam implements Disposable {
  readonly totals = new TeamTotals();
  readonly #stop = new SharedArrayBuffer(4);
  readonly #members: Member[] = [];
  /** The seconds that not all threads have reported yet. */
  readonly #seconds = new Map<number, ThreadSecond[]>();
  #nextSecond = 0;
  #endedAt = 0;
  #onSecond: ((second: TeamSecond) => void) | undefined;

  private constructor() {}

  /**
   * Starts the threads.
   *
   * @param plan the load
   * @param address the server's numeric address
   * @throws {Error} if Workers cannot be started
   */
  static async start(plan: Plan, address: Address): Promise<LoadTeam> {
    requireWorkers(LOAD_THREAD_URL);
    // If descriptors cannot be counted, trying uses up ports, and the load may have few of them.
    if (whyNoSockets() === undefined) requireThreads(plan.threads);
    else requireDescriptors(plan.threads, "threads", RESERVE);
    const team = new LoadTeam();
    try {
      for (const share of shareOut(plan, address)) team.#add(share);
      await Promise.all(team.#members.map(({ ready }) => ready));
      return team;
    } catch (error) {
      team[Symbol.dispose]();
      throw error;
    }
  }

  #add(share: Share): void {
    const worker = runtime.startThread(LOAD_THREAD_URL, LOAD_THREAD);
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    // Those who wait for the promises see these errors.
    ready.promise.catch(() => {});
    ended.promise.catch(() => {});
    const fail = (why: string) => {
      const error = new Error(`Cannot make the load: ${why}`);
      ready.reject(error);
      ended.reject(error);
    };
    worker.onmessage = ({ data: message }: MessageEvent<FromLoadThread>) => {
      if (message.kind === "ready") ready.resolve();
      else if (message.kind === "cannotStart") fail(message.why);
      else if (message.kind === "second") this.#gather(message);
      else {
        this.totals.end(message);
        ended.resolve();
      }
    };
    worker.onerror = (event) => {
      // On Deno, an error that is not prevented ends the main thread too.
      event.preventDefault();
      fail(`a thread died: ${event.message}`);
    };
    this.#members.push({ worker, ready: ready.promise, ended: ended.promise });
    this.#say(worker, { kind: "assignment", share, stop: this.#stop });
  }

  #say(worker: Worker, message: ToLoadThread): void {
    worker.postMessage(message);
  }

  /**
   * Makes the load, from beginning to end.
   *
   * @param onSecond is called for each second once all threads have reported it
   * @param signal ends the load early
   */
  async run(onSecond: (second: TeamSecond) => void, signal?: AbortSignal): Promise<TeamTotals> {
    this.#onSecond = onSecond;
    const stop = () => Atomics.store(new Int32Array(this.#stop), 0, 1);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (const { worker } of this.#members) this.#say(worker, { kind: "begin" });
      await Promise.all(this.#members.map(({ ended }) => ended));
    } finally {
      signal?.removeEventListener("abort", stop);
    }
    // A thread that ended early reports no more seconds.
    for (const index of [...this.#seconds.keys()].sort((a, b) => a - b)) this.#tell(index);
    return this.totals;
  }

  #gather(second: ThreadSecond): void {
    this.totals.add(second);
    const others = this.#seconds.get(second.index);
    if (others === undefined) this.#seconds.set(second.index, [second]);
    else others.push(second);
    while (this.#seconds.get(this.#nextSecond)?.length === this.#members.length) {
      this.#tell(this.#nextSecond);
    }
  }

  #tell(index: number): void {
    const seconds = this.#seconds.get(index) as ThreadSecond[];
    this.#seconds.delete(index);
    this.#nextSecond = index + 1;
    const latency = new Distribution();
    let requests = 0;
    let errors = 0;
    let durationMs = 0;
    for (const second of seconds) {
      latency.add(second.latency);
      requests += second.requests;
      errors += Object.values(second.errors).reduce((sum, count) => sum + count, 0);
      durationMs = Math.max(durationMs, second.durationMs);
    }
    this.#endedAt += durationMs;
    // The remainder after the last whole second may be empty.
    if (requests + errors === 0 && durationMs < 10) return;
    this.#onSecond?.({ endsAt: this.#endedAt, durationMs, requests, errors, latency });
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    for (const { worker } of this.#members) worker.terminate();
  }
}
