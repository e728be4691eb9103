/**
 * An event loop in virtual time: one thread that does what has become due, in turns.
 *
 * It has what the loops of the runtimes have: events of connections, timers, and a queue of what is
 * done before the next turn. What several connections bring at the same moment comes in any order on
 * a real loop; here a seed decides.
 *
 * @module
 */

import type { EventLoop } from "../../../engine/drivers/event_loop.ts";
import type { Random } from "../../load/random.ts";
import { type Code, Signal, waitFor, work } from "../machine.ts";
import type { VirtualTime } from "../virtual_time.ts";

/** Something that a loop has to do. */
export interface Turn<About> {
  /** What it is about, for whoever watches the loop. */
  readonly about: About | undefined;
  readonly act: () => void;
}

/** How a loop is run. */
export interface VirtualLoopOptions<About> {
  readonly time: VirtualTime;
  /** What it costs to ask what is ready, in microseconds on a core. */
  readonly pollUs: number;
  /** Chooses which of several events comes first. Without it, the one that has happened first. */
  readonly chance?: Random | undefined;
  /** Hears of each turn when it is over. */
  onTurn?(about: About | undefined, fromUs: number): void;
}

/** The loop of one thread. */
export class VirtualLoop<About> implements EventLoop {
  readonly #options: VirtualLoopOptions<About>;
  readonly #woken = new Signal();
  /** What connections have brought. */
  #events: Turn<About>[] = [];
  /** Timers that are due, in the order in which they became so. */
  #timers: Turn<About>[] = [];
  /** What is done before the next turn. */
  #soon: (() => void)[] = [];
  /** How long the present turn has taken so far, in microseconds. */
  #spentUs = 0;

  /** @param options how it is run */
  constructor(options: VirtualLoopOptions<About>) {
    this.#options = options;
  }

  now(): number {
    return (this.#options.time.nowUs + this.#spentUs) / 1_000;
  }

  date(): number {
    return this.now();
  }

  soon(work: () => void): void {
    this.#soon.push(work);
  }

  after(ms: number, work: () => void): () => void {
    let isWanted = true;
    const act = () => isWanted && work();
    const alarm = this.#options.time.after(this.#spentUs + Math.max(0, ms) * 1_000, () => {
      this.#timers.push({ about: undefined, act });
      this.#woken.wakeAll();
    });
    return () => {
      isWanted = false;
      alarm.cancel();
    };
  }

  /**
   * Something has happened that the loop has to see to.
   *
   * @param act what it does
   * @param about what it is about
   */
  event(act: () => void, about?: About): void {
    this.#events.push({ act, about });
    this.#woken.wakeAll();
  }

  /**
   * The present turn takes longer.
   *
   * @param us by how much, in microseconds on a core
   */
  spend(us: number): void {
    this.#spentUs += us;
  }

  /** What its thread does. It never ends. */
  *run(): Code {
    const { time, pollUs, onTurn } = this.#options;
    for (;;) {
      while (this.#events.length + this.#timers.length === 0) yield* waitFor(this.#woken);
      yield* work(pollUs);
      // What happens meanwhile has its turn after the next look.
      for (let left = this.#events.length + this.#timers.length; left > 0; left--) {
        const { act, about } = this.#next();
        const fromUs = time.nowUs;
        act();
        for (let at = 0; at < this.#soon.length; at++) this.#soon[at]?.();
        this.#soon = [];
        yield* work(this.#spentUs);
        this.#spentUs = 0;
        onTurn?.(about, fromUs);
      }
    }
  }

  /** Takes the next turn. Timers keep their order, events of connections need not. */
  #next(): Turn<About> {
    const { chance } = this.#options;
    const choices = this.#events.length + Math.min(1, this.#timers.length);
    const choice = chance === undefined ? choices - 1 : chance.between(0, choices - 1);
    const queue = this.#timers.length > 0 && choice === choices - 1 ? this.#timers : this.#events;
    const at = queue === this.#timers || chance === undefined ? 0 : choice;
    return queue.splice(at, 1)[0] as Turn<About>;
  }
}
