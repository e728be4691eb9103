/**
 * The main thread's view of the Workers that make a load. It also adds up what they have counted.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { requireDescriptors, requireThreads } from "../../engine/workers/descriptor_limits.ts";
import { requireWorkers, SupervisedWorker } from "../../engine/workers/supervised_worker.ts";
import { Distribution } from "./distribution.ts";
import {
  type FromLoadThread,
  LOAD_THREAD,
  LOAD_THREAD_URL,
  type LoadAssignment,
  type ThreadEnd,
  type ToLoadThread,
} from "./load_thread.ts";
import { type Plan, type Share, shareOut } from "./plan.ts";
import { comeToRest } from "./rest.ts";
import { type ThreadSecond, UNANSWERED, type Waiting } from "./tally.ts";

/** What the error begins with if a thread fails. */
const CANNOT = "Cannot make the load";

/** One second of the load, summed over all threads. */
export interface TeamSecond {
  /** When it ends, in milliseconds from the beginning of the run. */
  readonly endsAt: number;
  readonly durationMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly latency: Distribution;
  /** What each thread said that it waits for. */
  readonly waiting: readonly Waiting[];
}

/** The totals of a run, as they are at one time. */
export type Totals = Omit<TeamTotals, "add" | "end" | "with">;

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

  /**
   * The same totals, as if what waits were answered now, and had failed where it waits too long.
   *
   * @param waiting what each thread waits for
   */
  with(waiting: readonly Waiting[]): Totals {
    const late = { latency: new Distribution(), service: new Distribution() };
    let overdue = this.errors[UNANSWERED] ?? 0;
    for (const each of waiting) {
      late.latency.add(each.latency);
      late.service.add(each.service);
      overdue += each.overdue;
    }
    return {
      ...this,
      latency: this.latency.with(late.latency),
      service: this.service.with(late.service),
      errors: overdue === 0 ? this.errors : { ...this.errors, [UNANSWERED]: overdue },
    };
  }

  /** Adds the summary of a thread's run. */
  end(end: ThreadEnd): void {
    this.ends.push(end);
    for (const [kind, text] of Object.entries(end.words)) this.words[kind] ??= text;
  }
}

/** Makes a load with Workers. */
export class LoadTeam implements Disposable {
  readonly totals = new TeamTotals();
  readonly #stop = new SharedArrayBuffer(4);
  readonly #members: SupervisedWorker<ToLoadThread, FromLoadThread>[] = [];
  /** The seconds that not all threads have reported yet. */
  readonly #seconds = new Map<number, ThreadSecond[]>();
  /** Resolves when the load is over in all threads. */
  readonly #over = Promise.withResolvers<void>();
  #nextSecond = 0;
  #endedAt = 0;
  #onSecond: ((second: TeamSecond) => void) | undefined;

  private constructor() {}

  /**
   * Starts the threads, warms them up and makes the connections with which the load begins.
   *
   * @param plan the load
   * @param address the server's numeric address
   * @param signal ends the load early
   * @throws {Error} if Workers cannot be started
   */
  static async start(plan: Plan, address: Address, signal?: AbortSignal): Promise<LoadTeam> {
    requireWorkers(LOAD_THREAD_URL);
    // If descriptors cannot be counted, they are tried out. That uses up ports, and the load may
    // have few of them. So counting comes first.
    if (whyNoSockets() === undefined) requireThreads(plan.threads);
    else requireDescriptors(plan.threads, "thread");
    const team = new LoadTeam();
    if (signal?.aborted) team.#cut();
    signal?.addEventListener("abort", team.#cut, { once: true });
    try {
      for (const share of shareOut(plan, address)) team.#add(share);
      await Promise.all(team.#members.map(({ ready }) => ready));
      if (plan.rehearse) await comeToRest(() => team.#isCut);
      return team;
    } catch (error) {
      team[Symbol.dispose]();
      throw error;
    } finally {
      signal?.removeEventListener("abort", team.#cut);
    }
  }

  readonly #cut = (): void => {
    Atomics.store(new Int32Array(this.#stop), 0, 1);
  };

  get #isCut(): boolean {
    return Atomics.load(new Int32Array(this.#stop), 0) !== 0;
  }

  #add(share: Share): void {
    const member = SupervisedWorker.start<ToLoadThread, FromLoadThread>({
      url: LOAD_THREAD_URL,
      name: LOAD_THREAD,
      assignment: { share, stop: this.#stop } satisfies LoadAssignment,
      cannotStart: CANNOT,
      died: `${CANNOT}: a thread died`,
      onMessage: (message) => {
        if (message.kind === "second") this.#gather(message);
        else if (message.kind === "end") this.#onEnd(message);
        else if (message.kind === "rehearsed") member.post("rehearse again");
        else member.end(new Error(`${CANNOT}: ${message.why}`));
      },
    });
    this.#members.push(member);
  }

  /**
   * Makes the load, from beginning to end.
   *
   * @param onSecond called for each second, when all threads have reported it
   * @param onOver called when the load is over and its connections are still open
   * @param signal ends the load early
   */
  async run(
    onSecond: (second: TeamSecond) => void,
    onOver: () => void,
    signal?: AbortSignal,
  ): Promise<TeamTotals> {
    this.#onSecond = onSecond;
    if (signal?.aborted) this.#cut();
    signal?.addEventListener("abort", this.#cut, { once: true });
    const gone = Promise.all(this.#members.map(async ({ gone }) => {
      const error = await gone;
      if (error !== undefined) throw error;
    }));
    try {
      for (const member of this.#members) member.post("begin");
      await Promise.race([this.#over.promise, gone]);
      onOver();
      for (const member of this.#members) member.post("close");
      await gone;
    } finally {
      signal?.removeEventListener("abort", this.#cut);
    }
    // A thread that ended early reports no more seconds.
    for (const index of [...this.#seconds.keys()].sort((a, b) => a - b)) this.#tell(index);
    return this.totals;
  }

  #onEnd(end: ThreadEnd): void {
    this.totals.end(end);
    if (this.totals.ends.length === this.#members.length) this.#over.resolve();
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
    const waiting = seconds.flatMap((second) => second.waiting ?? []);
    this.#onSecond?.({ endsAt: this.#endedAt, durationMs, requests, errors, latency, waiting });
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    this.#cut();
    for (const member of this.#members) member.end();
  }
}
