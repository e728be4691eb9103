/**
 * Soaks one server: traffic, and then a look at its process while nobody is connected, again and
 * again. Between two looks everything may go up and down, but at each look the server must be as it
 * was before.
 *
 * Restarts come in the first part of the run, and once more at the end. So the last half belongs to
 * one process, and its figures can be compared.
 *
 * @module
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { Conformance } from "../../protocols/conformance.ts";
import { settled, type Settling } from "../conform/abuse.ts";
import { callerOf } from "../conform/caller.ts";
import { countClients } from "../conform/concurrency.ts";
import type { Target } from "../conform/stage.ts";
import { type LoadedServer, ServerStartError } from "../loaded_server.ts";
import { connectionsInLastHalf, judge, type Judgement, WARM_ROUNDS } from "./judge.ts";
import type { Sample, SoakRun, Work } from "./results.ts";
import type { Subject } from "./subject.ts";
import { type Kind, KINDS, Traffic } from "./traffic.ts";

/** How to soak. */
export interface SoakOptions {
  /** How long, in milliseconds. */
  readonly ms?: number;
  /** How many honest requests there are, in place of a time. */
  readonly requests?: number;
  /** What `makePlan` and the modes know the protocol by. */
  readonly protocol: string;
  readonly conformance: Conformance;
  /** How long an honest client waits, in milliseconds. */
  readonly timeoutMs: number;
  readonly seed: number;
  readonly kinds: readonly Kind[];
  /** One lost request in so many is to be found. */
  readonly rarest: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Is told of each look, and how many honest requests had failed by then. */
  onSample?(sample: Sample, failed: number): void;
}

/** How often the process is looked at in a run, as far as {@linkcode SHORTEST_MS} allows. */
const LOOKS = 40;

/** How often it is looked at where requests are counted. */
const COUNTED_LOOKS = 24;

/** How many times as long as it was asked to it goes on at most, if that is needed to judge it. */
const MOST_TIMES = 3;

/** How long traffic goes on between two looks, in milliseconds. */
const SHORTEST_MS = 1_000;
const LONGEST_MS = 10_000;

/** How many clients at once are tried. */
const CLIENTS = 64;

/** How long a process must be at rest before it is looked at, and how long that may take at most. */
const REST: Settling = { quietMs: 100, withinMs: 10_000 };

/** Where restarts come in a run; there is one more at its end. */
const RESTARTS_AT: readonly number[] = [0.04, 0.09, 0.14, 0.19];

/** How often a restart is tried. */
const RESTART_ATTEMPTS = 3;

/** From here on there is none, so that one process is warm when the last half begins. */
const NO_RESTART_FROM = 0.25;

/** How long a process that was replaced may take to end, in milliseconds. */
const END_MS = 40_000;

/** How a process has ended that has ended well, in the words of {@linkcode LoadedServer.whyEnded}. */
const EXITED = "exit status 0";

/** How often to look whether the server has ended, in milliseconds. */
const WATCH_MS = 50;

/**
 * Soaks a server from its start to its end.
 *
 * @param subject the server
 * @param options how
 */
export async function soak(subject: Subject, options: SoakOptions): Promise<SoakRun> {
  const beganAt = performance.now();
  await using soaking = new Soaking(subject, options);
  try {
    await soaking.run();
  } catch (error) {
    if (!(error instanceof ServerStartError)) throw error;
    soaking.troubles.push(error.message);
  }
  return soaking.result((performance.now() - beganAt) / 1000);
}

class Soaking implements AsyncDisposable {
  /** What went wrong besides honest requests. */
  readonly troubles: string[] = [];
  readonly #subject: Subject;
  readonly #options: SoakOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), `handshake-soak-${process.pid}-`));
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  readonly #samples: Sample[] = [];
  /** The process that serves. */
  #server: LoadedServer | undefined;
  /** The one before it, while its connections finish. */
  #replaced: LoadedServer | undefined;
  #generation = 0;
  /** Whether another process takes the listener over just now. */
  #isRestarting = false;
  #traffic: Traffic | undefined;
  /** When the traffic began, in milliseconds. */
  #startedAt = 0;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(subject: Subject, options: SoakOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#over.signal]);
  }

  async run(): Promise<void> {
    const server = this.#server = await this.#start();
    if (!server.status.isAlive || server.status.memory === 0) {
      this.troubles.push("nothing is known of the server's process: only Linux tells that");
      return;
    }
    this.#watch = setInterval(() => this.#look(), WATCH_MS);
    const clientsAtOnce = await this.#countClients();
    if (this.#signal.aborted) return;
    if (clientsAtOnce === 0) {
      this.troubles.push("no honest client is served");
      return;
    }
    const target = this.#target;
    const signal = this.#signal;
    this.#traffic = await Traffic.open({ ...this.#options, target, clientsAtOnce, signal });
    this.#startedAt = performance.now();
    const restarts = this.#restarts ? [...RESTARTS_AT] : [];
    while (!this.#isOver && (this.#progress < 1 || this.#needsMore)) {
      const progress = this.#progress;
      const isDue = progress >= (restarts[0] ?? Infinity) && progress < NO_RESTART_FROM;
      if (isDue) restarts.shift();
      await this.#round(isDue);
    }
    if (this.#restarts && !this.#isOver) await this.#round(true);
  }

  get #restarts(): boolean {
    return this.#subject.whyNoRestart === undefined && this.#options.kinds.includes("restarts");
  }

  get #isOver(): boolean {
    return this.#signal.aborted || this.#traffic?.hasFailedEnough === true;
  }

  /** Which part of the run is over, from 0 to 1. */
  get #progress(): number {
    const { ms = 0, requests } = this.#options;
    const part = requests === undefined
      ? (performance.now() - this.#startedAt) / ms
      : this.#samples.length / COUNTED_LOOKS;
    return Math.min(1, part);
  }

  /**
   * Whether it goes on although its time is over. On a busy machine too little is done in it. And a
   * leak goes on, while a heap that grows until its collector thinks that it is enough does not.
   */
  get #needsMore(): boolean {
    const { ms, requests } = this.#options;
    if (ms === undefined || requests !== undefined) return false;
    return performance.now() - this.#startedAt < ms * MOST_TIMES && this.#judge().mayChange;
  }

  get #target(): Target {
    const { address } = this.#server as LoadedServer;
    // Its process is looked at between the attacks, and is another one after a restart.
    return { address, name: this.#subject.name, whyEnded: () => this.#whyEnded };
  }

  #start(): Promise<LoadedServer> {
    return this.#subject.start(this.#signal, join(this.#folder, "listener"));
  }

  /** How the process that serves has ended, if it has. */
  get #whyEnded(): string | undefined {
    const why = this.#server?.whyEnded;
    // One that was taken over, and had nobody left to serve, may have ended before it is known here
    // who serves now.
    return this.#isRestarting && why?.startsWith(EXITED) ? undefined : why;
  }

  /** A server that ends by itself has failed, and there is nothing to soak any more. */
  #look(): void {
    const why = this.#whyEnded;
    if (why === undefined || this.#signal.aborted) return;
    this.troubles.push(`the server has ended: ${why}`);
    this.#over.abort();
  }

  async #countClients(): Promise<number> {
    const { conformance, timeoutMs } = this.#options;
    const target = this.#target;
    using caller = callerOf(target.address);
    const signal = this.#signal;
    const stage = { target, caller, conformance, timeoutMs, signal, clientsAtOnce: 1 };
    return (await countClients(stage, CLIENTS)).clients;
  }

  /** Traffic, with a restart in it if one is due, and then a look at the process. */
  async #round(withRestart: boolean): Promise<void> {
    const { ms = 0, requests, onSample } = this.#options;
    const traffic = this.#traffic as Traffic;
    const amount = requests === undefined
      ? { ms: Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ms / LOOKS)) }
      : { requests: Math.ceil(requests / COUNTED_LOOKS) };
    // Once it is warm, every other time without attacks: they take seconds, and looks would be few.
    const attacks = this.#samples.length % 2 === 0 || traffic.roundsBorne < WARM_ROUNDS;
    await traffic.go({ ...amount, attacks }, withRestart ? () => this.#restart() : undefined);
    if (withRestart) await this.#untilReplaced();
    if (this.#isOver) return;
    const { status } = this.#server as LoadedServer;
    const earlier = this.#samples.filter(({ generation }) => generation === this.#generation)
      .map(({ descriptors }) => descriptors);
    const enough = earlier.length === 0 ? -Infinity : Math.min(...earlier);
    await settled(() => status.descriptors, { ...REST, enough });
    if (this.#isOver) return;
    const sample: Sample = {
      at: Math.round(performance.now() - this.#startedAt) / 1000,
      progress: Number(this.#progress.toFixed(4)),
      generation: this.#generation,
      connections: traffic.connections,
      requests: traffic.requests,
      attack_rounds: traffic.roundsBorne,
      memory_bytes: status.memory,
      descriptors: status.descriptors,
      threads: status.threads,
    };
    this.#samples.push(sample);
    onSample?.(sample, traffic.failures);
  }

  /**
   * Another process takes the listener over. One that is too slow does not, and the server goes on as
   * before: on a busy machine that is no fault, so another one may try.
   */
  async #restart(): Promise<void> {
    this.#isRestarting = true;
    try {
      await this.#replace();
    } finally {
      this.#isRestarting = false;
    }
  }

  async #replace(): Promise<void> {
    for (let attempt = 1; !this.#signal.aborted; attempt++) {
      try {
        const next = await this.#start();
        this.#replaced = this.#server;
        this.#server = next;
        this.#generation++;
        this.#traffic?.onRestart();
        return;
      } catch (error) {
        if (!(error instanceof ServerStartError)) throw error;
        if (attempt < RESTART_ATTEMPTS || this.#signal.aborted) continue;
        this.troubles.push(`a restart has failed ${attempt} times: ${error.message}`);
        this.#over.abort();
      }
    }
  }

  /** The process before has no clients any more, and ends. */
  async #untilReplaced(): Promise<void> {
    const before = this.#replaced;
    if (before === undefined) return;
    const until = performance.now() + END_MS;
    while (before.whyEnded === undefined && performance.now() < until && !this.#signal.aborted) {
      await delay(WATCH_MS);
    }
    if (this.#signal.aborted) return;
    const how = before.whyEnded ?? `it still runs after ${END_MS / 1000} s`;
    if (!how.startsWith(EXITED)) {
      this.troubles.push(`after a restart the process before did not end as it should: ${how}`);
      this.#over.abort();
    }
    await before[Symbol.asyncDispose]();
    this.#replaced = undefined;
  }

  get #work(): Work {
    const traffic = this.#traffic;
    return {
      requests: traffic?.requests ?? 0,
      requests_through_faults: traffic?.requestsThroughFaults ?? 0,
      cases: traffic?.cases ?? 0,
      connections: traffic?.connections ?? 0,
      connections_last_half: connectionsInLastHalf(this.#samples),
      attacks: traffic?.attacks ?? {},
      torn: traffic?.torn ?? 0,
      restarts: this.#generation,
    };
  }

  #judge(): Judgement {
    return judge({
      samples: this.#samples,
      work: this.#work,
      failed: this.#traffic?.failed ?? {},
      words: this.#traffic?.words ?? {},
      troubles: this.troubles,
      attackKinds: this.#traffic?.attackKinds ?? 0,
      rarest: this.#options.rarest,
    });
  }

  /** What was found, and what that says. */
  result(seconds: number): SoakRun {
    const { signal, kinds } = this.#options;
    const work = this.#work;
    const { verdict, reasons, courses } = this.#judge();
    const attackKinds = this.#traffic?.attackKinds ?? 0;
    const isCut = signal.aborted && verdict !== "failed";
    const { whyNoRestart } = this.#subject;
    const left = KINDS.filter((kind) => !kinds.includes(kind));
    const missed = attackKinds - Object.keys(work.attacks).length;
    return {
      name: this.#subject.name,
      verdict: isCut ? "interrupted" : verdict,
      reasons: isCut ? [] : reasons,
      notes: [
        ...(left.length === 0 ? [] : [`without ${left.join(", ")}`]),
        ...(kinds.includes("restarts") && whyNoRestart !== undefined
          ? [`no restarts: ${whyNoRestart}`]
          : []),
        ...(missed > 0 ? [`${missed} of ${attackKinds} kinds of attack never came`] : []),
      ],
      seconds: Number(seconds.toFixed(1)),
      work,
      failed: this.#traffic?.failed ?? {},
      courses,
      samples: this.#samples,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watch);
    await this.#traffic?.[Symbol.asyncDispose]();
    await Promise.all([this.#replaced, this.#server].map((one) => one?.[Symbol.asyncDispose]()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
