/**
 * A computer: some cores, and threads that want them.
 *
 * The code of a thread is a generator. It yields what it needs: time on a core, or that something
 * happens. So a model of a server reads like its mode: a loop that accepts and serves.
 *
 * @module
 */

import type { Random } from "../load/random.ts";
import type { Alarm, VirtualTime } from "./virtual_time.ts";

/** What a thread needs before it goes on. */
export type Need =
  | { readonly kind: "core"; readonly us: number }
  | { readonly kind: "signal"; readonly signal: Signal; readonly withinUs: number };

/**
 * What a thread does. A need for a core is answered with nothing, a need for a signal with whether
 * it came in time.
 */
export type Code<Result = void> = Generator<Need, Result, boolean>;

/**
 * Something that threads wait for. Whoever is woken looks again whether it has what it wants: another
 * thread may have been faster.
 */
export class Signal {
  /** Those who wait, the longest first. */
  readonly waiting: Set<Thread> = new Set<Thread>();

  /** Wakes the thread that has waited longest. */
  wakeOne(): void {
    for (const thread of this.waiting) return thread.wake(true);
  }

  /** Wakes all. */
  wakeAll(): void {
    for (const thread of [...this.waiting]) thread.wake(true);
  }
}

/**
 * Works on a core for a time.
 *
 * @param us how long, in microseconds; with 0 the thread does not stop
 */
export function* work(us: number): Code {
  if (us > 0) yield { kind: "core", us };
}

/**
 * Waits for a signal.
 *
 * @param signal the signal
 * @param withinUs for how long at most, in microseconds
 * @returns whether it came in time
 */
export function* waitFor(signal: Signal, withinUs = Infinity): Code<boolean> {
  return yield { kind: "signal", signal, withinUs };
}

/** What a computer is like. */
export interface MachineOptions {
  /** How many cores there are; `Infinity` for computers that nobody looks at. */
  readonly cores: number;
  /**
   * How long a thread may have a core while others wait for it, in microseconds.
   *
   * @default {3000}
   */
  readonly sliceUs?: number;
  /**
   * What it costs to wake a thread that waits, in microseconds on its core.
   *
   * @default {0}
   */
  readonly wakeUs?: number;
  /** Chooses who gets a core next. Without it, whoever has waited longest. */
  readonly chance?: Random | undefined;
}

/** A computer. */
export class Machine {
  readonly time: VirtualTime;
  readonly #options: MachineOptions;
  /** Those who could go on if they had a core. */
  readonly #ready: Thread[] = [];
  #idle: number;
  #busyUs = 0;

  /**
   * @param time the clock
   * @param options what the computer is like
   */
  constructor(time: VirtualTime, options: MachineOptions) {
    this.time = time;
    this.#options = options;
    this.#idle = options.cores;
  }

  /** How long its cores have worked so far, added up, in microseconds. */
  get busyUs(): number {
    return this.#busyUs;
  }

  /**
   * Starts a thread. It begins as soon as it gets a core.
   *
   * @param name what it is called
   * @param code what it does
   */
  start(name: string, code: Code): Thread {
    const { wakeUs = 0 } = this.#options;
    const thread = new Thread(name, this, code, wakeUs);
    thread.wake(false);
    return thread;
  }

  /** Puts a thread among those who want a core. */
  enqueue(thread: Thread): void {
    this.#ready.push(thread);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#idle > 0 && this.#ready.length > 0) {
      const { chance, sliceUs = 3_000 } = this.#options;
      const index = chance === undefined ? 0 : chance.between(0, this.#ready.length - 1);
      const [thread] = this.#ready.splice(index, 1) as [Thread];
      const us = Math.min(thread.owedUs, sliceUs);
      this.#idle--;
      this.time.after(us, () => {
        this.#idle++;
        this.#busyUs += us;
        thread.owedUs -= us;
        if (thread.owedUs > 0) this.#ready.push(thread);
        else thread.goOn();
        this.#dispatch();
      });
    }
  }
}

/** A thread. */
export class Thread {
  /** What it is called. */
  readonly name: string;
  /** How much longer it needs a core until it goes on, in microseconds. */
  owedUs = 0;
  readonly #machine: Machine;
  readonly #code: Code;
  readonly #wakeUs: number;
  #isOver = false;
  /** What it waits for, and the alarm that ends the wait. */
  #signal: Signal | undefined;
  #alarm: Alarm | undefined;
  #answer = false;

  /**
   * @param name what it is called
   * @param machine whose cores it uses
   * @param code what it does
   * @param wakeUs what it costs to wake it
   */
  constructor(name: string, machine: Machine, code: Code, wakeUs: number) {
    this.name = name;
    this.#machine = machine;
    this.#code = code;
    this.#wakeUs = wakeUs;
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * Ends its wait.
   *
   * @param answer whether what it waited for has come
   */
  wake(answer: boolean): void {
    this.#signal?.waiting.delete(this);
    this.#signal = undefined;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#answer = answer;
    this.owedUs = this.#wakeUs;
    this.#machine.enqueue(this);
  }

  /** Lets its code run until it needs something again. */
  goOn(): void {
    for (;;) {
      const { done, value: need } = this.#code.next(this.#answer);
      if (done === true) {
        this.#isOver = true;
        return;
      }
      if (need.kind === "core") {
        this.owedUs = need.us;
        this.#machine.enqueue(this);
        return;
      }
      if (need.withinUs > 0) {
        this.#signal = need.signal;
        need.signal.waiting.add(this);
        if (need.withinUs !== Infinity) {
          this.#alarm = this.#machine.time.after(need.withinUs, () => this.wake(false));
        }
        return;
      }
      this.#answer = false;
    }
  }
}
