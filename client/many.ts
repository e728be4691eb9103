/**
 * Many handshakes, several at a time.
 *
 * @module
 */

import { onInterrupt } from "../engine/process/interrupts.ts";
import { runtime } from "../engine/net/runtime.ts";
import type { Dialer } from "../engine/dial/dialer.ts";
import { EXIT_SIGNALLED } from "../engine/cli/exit_status.ts";
import { InterruptedError } from "../engine/dial/failures.ts";
import { type HandshakeTarget, shakeHands } from "./handshake.ts";
import type { Tell } from "../engine/dial/target.ts";
import { Summary } from "./summary.ts";

/** How many handshakes to perform, and how. */
export interface ManyOptions {
  /** How many handshakes to perform. */
  readonly count: number;
  /** How many at a time. */
  readonly concurrency: number;
  /** The initial sequence number of the first handshake. Each later one begins 3 higher. */
  readonly initialSequence: number;
  /** Makes the function that is told the steps of the handshake with this index. */
  readonly tellOf: (index: number) => Tell | undefined;
}

/** The distance between the initial sequence numbers of two successive handshakes. */
const STRIDE = 3;

/** How long blocking calls may go on before timers and signals get a turn, in milliseconds. */
const TURN_MS = 20;

/** Performs handshakes until all are begun or somebody interrupts. */
export class ManyHandshakes {
  /** The results so far. */
  readonly summary: Summary;
  readonly #dialer: Dialer;
  readonly #target: HandshakeTarget;
  readonly #options: ManyOptions;
  #begun = 0;
  #interrupted = false;
  #yieldedAt = performance.now();

  /** @param dialer makes connections @param target the server @param options how many, and how */
  constructor(dialer: Dialer, target: HandshakeTarget, options: ManyOptions) {
    this.#dialer = dialer;
    this.#target = target;
    this.#options = options;
    this.summary = new Summary(options.count);
  }

  /**
   * Performs all handshakes. The first SIGINT or SIGTERM ends them early, the second one ends the
   * process.
   *
   * @param addresses the addresses of the server
   */
  async run(addresses: readonly string[]): Promise<void> {
    const onSignal = () => {
      if (this.#interrupted) runtime.exit(EXIT_SIGNALLED);
      this.#interrupted = true;
      this.#dialer.interrupt();
    };
    const forget = onInterrupt(onSignal);
    const { concurrency, count } = this.#options;
    const lanes = Array.from(
      { length: Math.min(concurrency, count) },
      () => this.#runLane(addresses),
    );
    await Promise.all(lanes);
    forget();
  }

  /** Performs handshakes one after another, side by side with the other lanes. */
  async #runLane(addresses: readonly string[]): Promise<void> {
    const { count, initialSequence, tellOf } = this.#options;
    while (this.#begun < count && !this.#interrupted) {
      const index = this.#begun++;
      const x = (initialSequence + STRIDE * index) | 0;
      const startedAt = performance.now();
      try {
        await shakeHands(this.#dialer, this.#target, addresses, x, tellOf(index));
        this.summary.addDone(performance.now() - startedAt);
      } catch (error) {
        // A handshake that was interrupted is neither done nor failed.
        if (!(error instanceof InterruptedError)) this.summary.addFailed(error);
      }
      await this.#yield();
    }
  }

  /** Lets timers and signals run. Blocking calls leave them no time, but Ctrl-C must work. */
  async #yield(): Promise<void> {
    if (performance.now() - this.#yieldedAt < TURN_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#yieldedAt = performance.now();
  }
}
