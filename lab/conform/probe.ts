/**
 * An honest client that comes again and again while others attack. What it is told decides whether
 * the server is alive.
 *
 * @module
 */

import { LONGEST_MS } from "../../engine/values/durations.ts";
import { honestTurns } from "./cases.ts";
import { asMoves, type Move } from "./framing.ts";
import { play, type Played } from "./play.ts";
import type { Stage } from "./stage.ts";

/** How long an honest client rests before it comes again, in milliseconds. */
const REST_MS = 5;

/** Longer than any attack: an honest client waits its turn. */
const PATIENCE_MS = 60_000;

/** One visit of the honest client. */
interface Visit {
  readonly beganAt: number;
  readonly played: Promise<Played>;
}

/** The honest client. */
export class Probe {
  readonly #stage: Stage;
  readonly #over = new AbortController();
  readonly #moves: readonly Move[];
  #isOver = false;
  #served = 0;
  #slowestMs = 0;
  #visit: Visit | undefined;
  #next = Promise.withResolvers<Visit>();
  readonly #running: Promise<void>;

  /** @param stage the server */
  constructor(stage: Stage) {
    this.#stage = { ...stage, signal: AbortSignal.any([stage.signal, this.#over.signal]) };
    this.#moves = asMoves(honestTurns(stage.conformance));
    this.#running = this.#run();
  }

  /** How many visits were answered as they should be. */
  get served(): number {
    return this.#served;
  }

  /** How long the slowest of them has taken, in milliseconds. */
  get slowestMs(): number {
    return this.#slowestMs;
  }

  /**
   * Waits for a visit that begins from now on.
   *
   * @param ms how long it may take until it is answered, in milliseconds
   * @returns what it was like; `undefined` if it is not over in time
   */
  async visit(ms: number): Promise<Played | undefined> {
    const now = performance.now();
    return await this.#within(ms, async () => {
      let visit = this.#visit;
      while (visit === undefined || visit.beganAt < now) visit = await this.#next.promise;
      return await visit.played;
    });
  }

  /**
   * Lets the visit that is under way be the last one.
   *
   * @param ms how long it may still take, in milliseconds
   */
  async end(ms: number): Promise<void> {
    this.#isOver = true;
    await this.#within(ms, () => this.#running);
    this.#over.abort();
  }

  async #run(): Promise<void> {
    while (!this.#isOver && !this.#stage.signal.aborted) {
      const beganAt = performance.now();
      const played = play(this.#stage, this.#moves, {
        timeoutMs: PATIENCE_MS,
        limitMs: PATIENCE_MS,
      });
      this.#visit = { beganAt, played };
      this.#next.resolve(this.#visit);
      this.#next = Promise.withResolvers();
      const { verdict } = await played;
      if (verdict !== "failed") {
        this.#served++;
        this.#slowestMs = Math.max(this.#slowestMs, performance.now() - beganAt);
      }
      this.#visit = undefined;
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
  }

  /** Waits, but not longer than this, and no longer when everything is to end. */
  async #within<T>(ms: number, wait: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#stage;
    if (signal.aborted) return undefined;
    const over = Promise.withResolvers<undefined>();
    const giveUp = () => over.resolve(undefined);
    const timer = setTimeout(giveUp, Math.min(ms, LONGEST_MS));
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      return await Promise.race([wait(), over.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    }
  }
}
