/**
 * Runs the cases one after another, and keeps the server alive as far as that is in its power.
 *
 * @module
 */

import type { Conformance } from "../../protocols/conformance.ts";
import { escapeText } from "../../protocols/text.ts";
import { ConnectError, explainConnectError, messageOf } from "../../engine/dial/failures.ts";
import { abuseCases } from "./abuse.ts";
import { type Caller, callerOf } from "./caller.ts";
import { type Case, casesOf, honestTurns } from "./cases.ts";
import { type Concurrency, countClients } from "./concurrency.ts";
import { asMoves } from "./framing.ts";
import { plain, play } from "./play.ts";
import { countVerdicts, type Finding, type Report, type Result } from "./results.ts";
import type { Stage, Target } from "./stage.ts";

/** What is checked, and how. */
export interface Check {
  /** The name of the protocol. */
  readonly protocol: string;
  readonly conformance: Conformance;
  /** How long to wait when nothing comes, in milliseconds. */
  readonly timeoutMs: number;
  /** How many clients at once to try at most. */
  readonly clients: number;
  /** Why a case is not run; `undefined` if it is. */
  whySkip(one: Case): string | undefined;
  /** Whether a case was chosen at all. */
  isChosen(one: Case): boolean;
  /** Ends the check early. What was found by then is the report. */
  readonly signal: AbortSignal;
  /** Is told each result as it comes. */
  onResult?(result: Result): void;
}

/** Gives the server to be checked, and another one like it if it has died. */
export interface TargetSource {
  /** Its name, for people. */
  readonly name: string;
  /** The server. */
  first(): Promise<Target>;
  /** A new one in its place; `undefined` where the checker has not started it. */
  next: (() => Promise<Target>) | undefined;
}

/** The name of the case that counts the clients. */
const COUNTING: Omit<Case, "run"> = {
  section: "concurrency",
  name: "concurrency · clients served at once",
};

/** How long it takes at most until it is known that a process has ended, in milliseconds. */
const ENDING_MS = 150;

/** How long to wait before a server that did not answer is asked again, in milliseconds. */
const AGAIN_MS = 200;

/**
 * All cases that there are for a definition, in the order in which they are run.
 *
 * @param conformance the definition
 */
export function allCases(conformance: Conformance): Case[] {
  const counting: Case = { ...COUNTING, run: () => Promise.resolve({ verdict: "passed" }) };
  return [counting, ...casesOf(conformance), ...abuseCases()];
}

/**
 * Checks a server.
 *
 * @param source the server
 * @param check what is checked
 * @returns what was found
 * @throws {ConnectError} if there is no server
 */
export async function check(source: TargetSource, check: Check): Promise<Report> {
  const run = new Run(source, check);
  try {
    return await run.perform();
  } finally {
    run.end();
  }
}

class Run {
  readonly #source: TargetSource;
  readonly #check: Check;
  readonly #results: Result[] = [];
  readonly #beganAt = performance.now();
  #target!: Target;
  #caller!: Caller;
  #concurrency: Concurrency | undefined;
  /** Whether the server was seen to hold an honest conversation. */
  #isHonest = false;
  /** Why nothing more can be checked. */
  #whyOver: string | undefined;

  constructor(source: TargetSource, check: Check) {
    this.#source = source;
    this.#check = check;
  }

  async perform(): Promise<Report> {
    const { conformance, protocol, isChosen, whySkip, signal } = this.#check;
    this.#use(await this.#source.first());
    const chosen = allCases(conformance).filter(isChosen);
    const counts = chosen.some(({ name }) => name === COUNTING.name);
    const isNeeded = chosen.some((one) => whySkip(one) === undefined);
    if (isNeeded) await this.#count(counts);
    for (const one of chosen) {
      if (one.name === COUNTING.name && this.#concurrency !== undefined) continue;
      if (signal.aborted) break;
      const skipped = whySkip(one) ?? this.#whyOver;
      if (skipped !== undefined) {
        this.#note(one, { verdict: "skipped", remark: skipped }, performance.now());
        continue;
      }
      await this.#run(one);
    }
    return {
      schema: "handshake-conform/1",
      protocol,
      server: this.#source.name,
      clients_at_once: this.#concurrency?.clients ?? null,
      clients_may_be_more: this.#concurrency?.mayBeMore ?? false,
      results: this.#results,
      counts: countVerdicts(this.#results),
      seconds: secondsSince(this.#beganAt),
    };
  }

  end(): void {
    this.#caller?.[Symbol.dispose]();
  }

  #use(target: Target): void {
    this.end();
    this.#target = target;
    this.#caller = callerOf(target.address);
  }

  get #stage(): Stage {
    const { conformance, timeoutMs, signal } = this.#check;
    return {
      target: this.#target,
      caller: this.#caller,
      conformance,
      timeoutMs,
      signal,
      clientsAtOnce: this.#concurrency?.clients ?? 1,
    };
  }

  /** Counts the clients at once. All other cases need that, so it is done in any case. */
  async #count(isCase: boolean): Promise<void> {
    const beganAt = performance.now();
    const honest = asMoves(honestTurns(this.#check.conformance));
    const first = await play(this.#stage, honest);
    if (first.connectError !== undefined && this.#source.next === undefined) {
      const { kind, detail } = explainConnectError(first.connectError);
      throw new ConnectError(kind, escapeText(this.#source.name), detail);
    }
    this.#isHonest = first.verdict !== "failed";
    const { clients, mayBeMore } = await countClients(this.#stage, this.#check.clients);
    this.#concurrency = { clients, mayBeMore };
    const remark = mayBeMore
      ? `${clients} or more`
      : clients === 1
      ? "1: one at a time"
      : `${clients}`;
    let finding: Finding = { verdict: "passed", remark };
    if (clients === 0) {
      finding = {
        ...plain(first),
        verdict: "failed",
        remark: first.remark ?? "no client is served",
      };
    }
    if (clients > 0) finding = await this.#followUp(finding);
    const ended = await this.#whyEnded(finding);
    if (ended !== undefined) finding = withEnd(finding, ended);
    const isRun = this.#check.whySkip({ ...COUNTING, run: this.#never }) === undefined;
    if (isCase && isRun) this.#note(COUNTING, finding, beganAt);
    if (finding.verdict === "failed") await this.#revive();
  }

  readonly #never = (): Promise<Finding> => Promise.reject(new Error("it is not run"));

  async #run(one: Case): Promise<void> {
    const beganAt = performance.now();
    let finding: Finding;
    try {
      finding = await one.run(this.#stage);
    } catch (error) {
      finding = { verdict: "failed", remark: `the checker has failed: ${messageOf(error)}` };
    }
    if (finding.verdict !== "failed" && one.isAbuse !== true) {
      finding = await this.#followUp(finding);
    }
    // What was broken off says nothing.
    if (this.#check.signal.aborted) return;
    const ended = await this.#whyEnded(finding);
    if (ended !== undefined) finding = withEnd(finding, ended);
    this.#note(one, finding, beganAt);
    if (finding.verdict === "failed") await this.#revive();
  }

  /** A server that does not survive a case has failed it, whatever it has answered. */
  async #followUp(finding: Finding): Promise<Finding> {
    if (!this.#isHonest) return finding;
    const next = await play(this.#stage, asMoves(honestTurns(this.#check.conformance)));
    if (next.verdict !== "failed") return finding;
    return { ...plain(next), remark: `afterwards the next client is not served: ${next.remark}` };
  }

  /** How the server has ended. The system tells that a moment after its connections have ended. */
  async #whyEnded({ verdict }: Finding): Promise<string | undefined> {
    const { whyEnded } = this.#target;
    if (whyEnded === undefined) return undefined;
    const until = performance.now() + ENDING_MS;
    while (verdict === "failed" && whyEnded() === undefined && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return whyEnded();
  }

  #note({ section, name }: Omit<Case, "run">, finding: Finding, beganAt: number): void {
    const result = { section, name, ...finding, seconds: secondsSince(beganAt) };
    this.#results.push(result);
    this.#check.onResult?.(result);
  }

  /** Whether an honest client is served within the time. */
  async #isServed(): Promise<boolean> {
    const until = performance.now() + this.#check.timeoutMs;
    const moves = asMoves(honestTurns(this.#check.conformance));
    for (;;) {
      const { verdict, received } = await play(this.#stage, moves);
      // A server that answers, even if wrongly, is there.
      if (verdict !== "failed" || (received ?? "nothing") !== "nothing") return true;
      if (this.#check.signal.aborted || performance.now() >= until) return false;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }

  /** After a failure: if the server is no longer there, another one takes its place. */
  async #revive(): Promise<void> {
    const hasEnded = this.#target.whyEnded?.() !== undefined;
    if (!hasEnded && await this.#isServed()) return;
    if (this.#check.signal.aborted) return;
    if (this.#source.next === undefined) {
      this.#whyOver = "the server serves nobody any more";
      return;
    }
    try {
      this.#use(await this.#source.next());
    } catch (error) {
      this.#whyOver = messageOf(error);
    }
  }
}

/** A server that has ended has failed, whatever it was asked. */
function withEnd(finding: Finding, ended: string): Finding {
  const remark = `the server has ended: ${ended}`;
  return finding.verdict === "failed"
    ? { ...finding, remark: `${finding.remark}; ${remark}` }
    : { ...finding, verdict: "failed", remark };
}

function secondsSince(beganAt: number): number {
  return Math.round(performance.now() - beganAt) / 1000;
}
