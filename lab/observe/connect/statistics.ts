/**
 * What a series of attempts has found: figures that are sound whatever happens. It knows no clock.
 *
 * @module
 */

import { Distribution } from "../../load/distribution.ts";
import type { FailureKind } from "./failure.ts";

/** How many outages are told one by one. */
const MOST_OUTAGES = 1000;

/** How many attempts the small picture shows at most. */
const MOST_RECENT = 500;

/** How long connecting took, over the successful attempts only, in whole microseconds. */
export interface ConnectFigures {
  readonly min: number;
  readonly mean: number;
  /** The median, exact to three digits. */
  readonly p50: number;
  /** What 99 of 100 did not exceed, exact to three digits. */
  readonly p99: number;
  readonly max: number;
  /**
   * The mean distance between each success and the one before: the D of RFC 3550, section 6.4.1,
   * but not smoothed. Absent with a single success.
   */
  readonly jitter?: number;
}

/** A time in which attempts failed, one after the other. */
export interface Outage {
  /** When its first attempt began, in milliseconds on the clock of the series. */
  readonly beganAt: number;
  /** How long it lasted, in milliseconds: until the next attempt that succeeded began. */
  readonly durationMs: number;
  /** How many attempts failed. */
  readonly attempts: number;
  /** How the first one failed. */
  readonly failure: FailureKind;
}

/** What is known so far. */
export interface Figures {
  /** How many attempts were begun. The last one may be under way. */
  readonly sent: number;
  /** How many succeeded. */
  readonly ok: number;
  /** How many failed, by kind, in the order in which the kinds first occurred. */
  readonly failures: ReadonlyMap<FailureKind, number>;
  /** How long connecting took. Absent if no attempt succeeded. */
  readonly connectUs?: ConnectFigures;
  /** The outages, the oldest first; of very many, only the first thousand. */
  readonly outages: readonly Outage[];
  /** How many outages there were. */
  readonly outageCount: number;
  /** How long the series has lasted, in milliseconds; an attempt under way does not count. */
  readonly durationMs: number;
  /** How long of it the server answered: from a success to the next attempt. */
  readonly upMs: number;
  /** How long of it the server did not answer: from a failure to the next attempt. */
  readonly downMs: number;
  /** The last attempts: microseconds for a success, `null` for a failure. */
  readonly recent: readonly (number | null)[];
}

/** How an attempt ended. */
export type Result = { readonly connectUs: number } | { readonly failure: FailureKind };

interface OpenOutage {
  readonly beganAt: number;
  readonly failure: FailureKind;
  attempts: number;
}

/**
 * Counts the attempts of a series, which follow one another.
 *
 * The server is taken to be as the last attempt found it, until the next one begins. So the time up
 * and the time down are together the duration.
 */
export class ConnectStatistics {
  readonly #distribution = new Distribution();
  readonly #failures = new Map<FailureKind, number>();
  readonly #outages: Outage[] = [];
  readonly #recent: (number | null)[] = [];
  #sent = 0;
  #ok = 0;
  #min = Infinity;
  #max = 0;
  #sum = 0;
  #last: number | undefined;
  #distance = 0;
  #upMs = 0;
  #downMs = 0;
  #outageCount = 0;
  /** The attempt under way or the last one: when it began and ended, and whether it succeeded. */
  #beganAt = 0;
  #endedAt: number | undefined;
  #wasUp = true;
  #open: OpenOutage | undefined;

  /**
   * An attempt begins.
   *
   * @param at when, in milliseconds on a clock that never goes back
   */
  begin(at: number): void {
    if (this.#endedAt !== undefined) this.#account(at - this.#beganAt);
    this.#sent++;
    this.#beganAt = at;
    this.#endedAt = undefined;
  }

  /**
   * The attempt has ended.
   *
   * @param at when
   * @param result how
   */
  end(at: number, result: Result): void {
    this.#endedAt = at;
    this.#wasUp = "connectUs" in result;
    if ("connectUs" in result) this.#succeed(Math.max(0, Math.round(result.connectUs)));
    else this.#fail(result.failure);
    if (this.#recent.length > MOST_RECENT) this.#recent.shift();
  }

  /** What is known now. */
  get figures(): Figures {
    const lastMs = this.#endedAt === undefined ? 0 : this.#endedAt - this.#beganAt;
    const upMs = this.#upMs + (this.#wasUp ? lastMs : 0);
    const downMs = this.#downMs + (this.#wasUp ? 0 : lastMs);
    const untilNow = this.#endedAt ?? this.#beganAt;
    return {
      sent: this.#sent,
      ok: this.#ok,
      failures: this.#failures,
      ...(this.#ok > 0 && { connectUs: this.#connectFigures() }),
      outages: this.#open === undefined || this.#outages.length === MOST_OUTAGES
        ? this.#outages
        : [...this.#outages, closeOutage(this.#open, untilNow)],
      outageCount: this.#outageCount,
      durationMs: upMs + downMs,
      upMs,
      downMs,
      recent: this.#recent,
    };
  }

  #account(ms: number): void {
    if (this.#wasUp) this.#upMs += ms;
    else this.#downMs += ms;
  }

  #succeed(us: number): void {
    this.#ok++;
    this.#recent.push(us);
    this.#distribution.add(Float64Array.of(us, 1));
    this.#min = Math.min(this.#min, us);
    this.#max = Math.max(this.#max, us);
    this.#sum += us;
    if (this.#last !== undefined) this.#distance += Math.abs(us - this.#last);
    this.#last = us;
    if (this.#open === undefined) return;
    if (this.#outages.length < MOST_OUTAGES) {
      this.#outages.push(closeOutage(this.#open, this.#beganAt));
    }
    this.#open = undefined;
  }

  #fail(kind: FailureKind): void {
    this.#recent.push(null);
    this.#failures.set(kind, (this.#failures.get(kind) ?? 0) + 1);
    if (this.#open === undefined) {
      this.#outageCount++;
      this.#open = { beganAt: this.#beganAt, failure: kind, attempts: 0 };
    }
    this.#open.attempts++;
  }

  #connectFigures(): ConnectFigures {
    const between = (us: number) => Math.min(this.#max, Math.max(this.#min, us));
    return {
      min: this.#min,
      mean: oneDecimal(this.#sum / this.#ok),
      p50: between(this.#distribution.seen(50)),
      p99: between(this.#distribution.seen(99)),
      max: this.#max,
      ...(this.#ok > 1 && { jitter: oneDecimal(this.#distance / (this.#ok - 1)) }),
    };
  }
}

function closeOutage({ beganAt, failure, attempts }: OpenOutage, at: number): Outage {
  return { beganAt, durationMs: at - beganAt, attempts, failure };
}

/** Between two whole numbers this never leaves their range. */
function oneDecimal(value: number): number {
  return Math.round(value * 10) / 10;
}
