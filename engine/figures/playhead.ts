/**
 * Which moment of a recording is shown: it plays, pauses, slows down, steps, or follows the present.
 *
 * @module
 */

/** How fast a recording can be shown, as a share of real time. */
export const SPEEDS: readonly number[] = [
  0.001,
  0.002,
  0.005,
  0.01,
  0.02,
  0.05,
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
];

/** What can be shown, in microseconds since the recording began. */
export interface Range {
  readonly fromUs: number;
  readonly toUs: number;
}

/** The moment that is shown. */
export class Playhead {
  /** The moment. */
  us = 0;
  /** As a share of real time. */
  speed = 1;
  isPlaying = false;
  /** Whether the present is shown, and not what was before. */
  isLive = false;
  #range: Range = { fromUs: 0, toUs: 0 };
  #lastMs: number | undefined;

  /** What can be shown. */
  get range(): Range {
    return this.#range;
  }

  /** Says what can be shown from now on. */
  set range(range: Range) {
    this.#range = range;
    if (!this.isLive) this.us = this.#within(this.us);
  }

  /** Whether the end is shown. */
  get isAtEnd(): boolean {
    return this.us >= this.#range.toUs;
  }

  /** Plays on; from the beginning, if the end is shown. */
  play(): void {
    if (this.isAtEnd && !this.isLive) this.us = this.#range.fromUs;
    this.isPlaying = true;
  }

  /** Stops at the moment that is shown. */
  pause(): void {
    this.isPlaying = false;
    this.isLive = false;
  }

  /** Shows another moment. */
  seek(us: number): void {
    this.isLive = false;
    this.us = this.#within(us);
  }

  /** Shows the present, at its speed. */
  goLive(): void {
    this.isLive = true;
    this.isPlaying = true;
    this.speed = 1;
  }

  /** Another speed: the next of {@linkcode SPEEDS} that is slower or faster. */
  changeSpeed(by: 1 | -1): void {
    const next = by > 0
      ? SPEEDS.find((speed) => speed > this.speed)
      : SPEEDS.findLast((speed) => speed < this.speed);
    if (next !== undefined) this.setSpeed(next);
  }

  /** Another speed. Whoever slows down leaves the present. */
  setSpeed(speed: number): void {
    this.speed = speed;
    if (speed !== 1) this.isLive = false;
  }

  /**
   * Time goes by.
   *
   * @param nowMs the time, in milliseconds
   * @param liveUs the present of a recording that goes on; `undefined` if there is none
   */
  advance(nowMs: number, liveUs?: number): void {
    const passedMs = this.#lastMs === undefined ? 0 : nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (this.isLive && liveUs !== undefined) {
      this.us = liveUs;
      return;
    }
    if (!this.isPlaying) {
      this.us = this.#within(this.us);
      return;
    }
    this.us = this.#within(this.us + passedMs * 1000 * this.speed);
    if (this.isAtEnd && liveUs === undefined) this.isPlaying = false;
  }

  #within(us: number): number {
    return Math.max(this.#range.fromUs, Math.min(this.#range.toUs, us));
  }
}

/** How far the picture is behind what comes, so that lines that come late are in it, in microseconds. */
const BEHIND_US = 300_000;

/** By how much the clocks of two machines may drift apart, as a share. */
const DRIFT = 1e-4;

/** Knows the present of a recording that goes on, from when its lines come. */
export class LiveClock {
  #aheadUs = -Infinity;
  #atMs = 0;

  /**
   * A line has come.
   *
   * @param us the latest moment that it tells of
   * @param nowMs when it came, in milliseconds
   */
  hear(us: number, nowMs: number): void {
    const agedUs = this.#aheadUs - (nowMs - this.#atMs) * 1000 * DRIFT;
    this.#aheadUs = Math.max(agedUs, us - nowMs * 1000);
    this.#atMs = nowMs;
  }

  /**
   * The moment to show.
   *
   * @param nowMs the time, in milliseconds
   * @returns `undefined` if no line has come
   */
  at(nowMs: number): number | undefined {
    return this.#aheadUs === -Infinity ? undefined : nowMs * 1000 + this.#aheadUs - BEHIND_US;
  }
}
