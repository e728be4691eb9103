/**
 * The results of many handshakes, in numbers.
 *
 * @module
 */

import { build } from "hdr-histogram-js";
import { EXIT_DONE, EXIT_SIGNALLED } from "../engine/cli/exit_status.ts";
import { clientFailureKind, exitStatusOf, messageOf } from "../engine/dial/failures.ts";

interface Failures {
  count: number;
  /** The message of the first failure of this kind. */
  readonly example: string;
}

/** Counts handshakes and how long they took. */
export class Summary {
  // In microseconds: a handshake over loopback takes about a hundred.
  readonly #durations = build({ bitBucketSize: 32, numberOfSignificantValueDigits: 3 });
  readonly #failures = new Map<string, Failures>();
  readonly #wanted: number;
  #done = 0;
  #failed = 0;

  /** @param wanted how many handshakes are to be performed */
  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** How many handshakes were to be performed. */
  get wanted(): number {
    return this.#wanted;
  }

  /** How many succeeded. */
  get done(): number {
    return this.#done;
  }

  /** How many failed. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * A handshake succeeded.
   *
   * @param ms how long it took, including the time to connect, in milliseconds
   */
  addDone(ms: number): void {
    this.#done++;
    this.#durations.recordValue(Math.round(ms * 1000));
  }

  /**
   * A handshake failed.
   *
   * @param error the error that it failed with
   */
  addFailed(error: unknown): void {
    this.#failed++;
    const kind = clientFailureKind(error);
    const failures = this.#failures.get(kind);
    if (failures !== undefined) failures.count++;
    else this.#failures.set(kind, { count: 1, example: messageOf(error) });
  }

  /** One line for each kind of failure: how often it happened, and the message of the first. */
  examples(): string[] {
    return this.#byFrequency().map(([kind, { count, example }]) => `${count} ${kind}: ${example}`);
  }

  /**
   * The numbers on one line.
   *
   * @param elapsedMs how long everything took, in milliseconds
   * @returns for instance `done 98 · failed 2 (refused 2) · 5120 a second · p50 0.181 ms · p99 0.420 ms`
   */
  format(elapsedMs: number): string {
    const kinds = this.#byFrequency().map(([kind, { count }]) => `${kind} ${count}`).join(", ");
    const unfinished = this.#wanted - this.#done - this.#failed;
    return [
      `done ${this.#done}`,
      `failed ${this.#failed}${kinds === "" ? "" : ` (${kinds})`}`,
      ...(unfinished > 0 ? [`interrupted ${unfinished}`] : []),
      `${Math.round(this.#done / (elapsedMs / 1000))} a second`,
      `p50 ${this.#percentile(50)}`,
      `p99 ${this.#percentile(99)}`,
    ].join(" · ");
  }

  /** 0 if all succeeded, otherwise the status of the most frequent failure. */
  get exitStatus(): number {
    const [mostFrequent] = this.#byFrequency();
    if (mostFrequent !== undefined) return exitStatusOf(mostFrequent[0]);
    return this.#done === this.#wanted ? EXIT_DONE : EXIT_SIGNALLED;
  }

  #percentile(percentile: number): string {
    if (this.#done === 0) return "-";
    return `${(this.#durations.getValueAtPercentile(percentile) / 1000).toFixed(3)} ms`;
  }

  #byFrequency(): [string, Failures][] {
    return [...this.#failures].sort(([, a], [, b]) => b.count - a.count);
  }
}
