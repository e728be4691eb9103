/**
 * The driver in virtual time: it holds a conversation of a protocol as the drivers of the modes do,
 * and each step costs what the model says.
 *
 * @module
 */

import type { Tasks } from "../../protocols/catalogue.ts";
import type { ComputeEffect, Effect, Protocol, WaitEffect } from "../../protocols/effects.ts";
import { PeerGoneError, ReadTimeoutError, SessionTimeoutError } from "../../protocols/errors.ts";
import { findTask } from "../../protocols/find_task.ts";
import type { Code } from "./machine.ts";
import { work } from "./machine.ts";
import type { End } from "./network.ts";
import type { Alarm, VirtualTime } from "./virtual_time.ts";

/** What the steps of a conversation cost its thread, in microseconds on a core. */
export interface StepCosts {
  /** A call that receives. */
  readonly receiveUs: number;
  /** A call that sends. */
  readonly sendUs: number;
  /** Each byte, in either. */
  readonly byteUs: number;
}

/** Does computations elsewhere. */
export interface Elsewhere {
  /**
   * Begins one.
   *
   * @param effect what the conversation has asked for
   * @param conversation which one it was
   * @param done is called with the result, or with what was thrown
   */
  begin(
    effect: ComputeEffect,
    conversation: Conversation,
    done: (result: unknown, error?: unknown) => void,
  ): void;
}

/** What a conversation needs besides its connection. */
export interface ConversationOptions {
  readonly time: VirtualTime;
  readonly costs: StepCosts;
  /** Does what the conversation asks to be computed. */
  readonly tasks: Computer;
  /** Computes elsewhere. Without it the thread computes by itself. */
  readonly elsewhere?: Elsewhere | undefined;
  /** How long one read may wait, in milliseconds; 0 means for ever. */
  readonly readTimeoutMs: number;
  /** How long the whole conversation may take, in milliseconds; 0 means for ever. */
  readonly sessionTimeoutMs: number;
  /** Hears of what it does. */
  readonly observer?: ConversationObserver | undefined;
}

/** Hears of what a conversation does. */
export interface ConversationObserver {
  /** It has computed in its own thread. */
  computed?(task: string, fromUs: number): void;
  /** It has waited for a computation elsewhere. */
  waitedForComputing?(task: string, fromUs: number): void;
  /** It has waited until its peer had taken what was sent. */
  wrote?(fromUs: number): void;
  /** It has reported a message. */
  reported?(message: string): void;
}

/**
 * The results of computations so far, by their tasks: a history that is simulated a thousand times
 * computes each once.
 */
const RESULTS = new WeakMap<Tasks, Map<string, unknown>>();

/** How many results are kept of the tasks of a protocol. */
const MOST_RESULTS = 1_024;

/** Knows what computations cost and what comes of them. */
export class Computer {
  readonly #tasks: Tasks;
  readonly #costUs: (task: string, argument: unknown) => number;
  readonly #results: Map<string, unknown>;

  /**
   * @param tasks the protocol's tasks
   * @param costUs what one costs, in microseconds on a core
   */
  constructor(tasks: Tasks, costUs: (task: string, argument: unknown) => number) {
    this.#tasks = tasks;
    this.#costUs = costUs;
    this.#results = RESULTS.get(tasks) ?? new Map();
    RESULTS.set(tasks, this.#results);
  }

  /** What a computation costs, in microseconds on a core. */
  costUs({ task, argument }: ComputeEffect): number {
    return this.#costUs(task, argument);
  }

  /**
   * Does it. In virtual time that takes nothing.
   *
   * @throws {TypeError} if there is no such task
   * @throws what the task throws
   */
  run({ task, argument }: ComputeEffect): unknown {
    const key = `${task} ${JSON.stringify(argument)}`;
    if (this.#results.has(key)) return this.#results.get(key);
    let result = findTask(this.#tasks, task)(argument);
    if (Object.prototype.toString.call(result) === "[object Generator]") {
      const slices = result as Generator<unknown, unknown>;
      let slice = slices.next();
      while (slice.done !== true) slice = slices.next();
      result = slice.value;
    }
    if (this.#results.size === MOST_RESULTS) this.#results.clear();
    this.#results.set(key, result);
    return result;
  }
}

/** What a conversation waits for. */
export type Waiting = "read" | "write" | "computation" | "pause" | "nothing";

/** What a conversation can wait for here: that so many milliseconds are over. */
export const PAUSE = "pause";

/** A conversation under way. */
export class Conversation {
  /** Called when it may be able to go on. */
  onChange: () => void = () => {};
  /** Its end of the connection. */
  readonly end: End;
  readonly #talk: Protocol<unknown>;
  readonly #options: ConversationOptions;
  /** What it has asked for and not got. */
  #effect: Effect | undefined;
  /** Since when, in microseconds. */
  #sinceUs = 0;
  #alarm: Alarm | undefined;
  #sessionAlarm: Alarm | undefined;
  /** What is thrown into it, or answered, as soon as it goes on. */
  #thrown: unknown;
  #answered: { readonly answer: unknown } | undefined;
  /** How much of what it writes was sent. */
  #sent = 0;
  #isOver = false;
  #error: unknown;
  #result: unknown;
  #hasReceived = false;

  /**
   * @param end its end of the connection
   * @param talk a generator that has not been started
   * @param options how it is held
   */
  constructor(end: End, talk: Protocol<unknown>, options: ConversationOptions) {
    this.end = end;
    this.#talk = talk;
    this.#options = options;
    end.onChange = () => this.onChange();
    const { sessionTimeoutMs, time } = options;
    if (sessionTimeoutMs === 0) return;
    this.#sessionAlarm = time.after(sessionTimeoutMs * 1_000, () => {
      this.#thrown = new SessionTimeoutError(sessionTimeoutMs);
      this.onChange();
    });
  }

  /** Whether it is over. Then the connection is closed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it failed; `undefined` if it did not. */
  get error(): unknown {
    return this.#error;
  }

  /** What it has returned. */
  get result(): unknown {
    return this.#result;
  }

  /** Whether its peer left before it had sent a byte. */
  get wasEmpty(): boolean {
    return this.#isOver && !this.#hasReceived;
  }

  /**
   * Goes on until it has to wait or is over.
   *
   * @returns what it waits for
   */
  *advance(): Code<Waiting> {
    while (!this.#isOver) {
      if (this.#effect === undefined) this.#step(undefined);
      else if (this.#thrown !== undefined) this.#fail(this.#thrown);
      else {
        const waiting = yield* this.#grant(this.#effect);
        if (waiting !== "nothing") return waiting;
      }
    }
    return "nothing";
  }

  /** Grants an effect, or says what it has to wait for. */
  *#grant(effect: Effect): Code<Waiting> {
    const { costs, time } = this.#options;
    switch (effect.kind) {
      case "report":
        this.#options.observer?.reported?.(effect.message);
        this.#step(undefined);
        return "nothing";
      case "read": {
        if (this.#answered !== undefined) {
          this.#step(undefined);
          return "nothing";
        }
        const received = this.end.receive();
        if (received === undefined && this.end.isReset) {
          this.#fail(new PeerGoneError("receiving"));
          return "nothing";
        }
        if (received === undefined) {
          this.#limitRead(effect.withinMs);
          return "read";
        }
        this.#alarm?.cancel();
        this.#alarm = undefined;
        if (received !== null) this.#hasReceived = true;
        yield* work(costs.receiveUs + (received?.length ?? 0) * costs.byteUs);
        this.#step(received);
        return "nothing";
      }
      case "write": {
        if (this.end.isReset) {
          this.#fail(new PeerGoneError("sending"));
          return "nothing";
        }
        const rest = effect.bytes.subarray(this.#sent);
        yield* work(costs.sendUs);
        const taken = this.end.send(rest);
        yield* work(taken * costs.byteUs);
        this.#sent += taken;
        if (taken < rest.length) return "write";
        if (time.nowUs > this.#sinceUs && rest.length < effect.bytes.length) {
          this.#options.observer?.wrote?.(this.#sinceUs);
        }
        this.#step(undefined);
        return "nothing";
      }
      case "compute":
        return yield* this.#compute(effect);
      case "wait":
        return this.#pause(effect);
      default:
        this.#fail(new TypeError("Cannot go on: there is no such effect"));
        return "nothing";
    }
  }

  /** Waits without reading, as a program that sleeps. */
  #pause({ event, argument }: WaitEffect): Waiting {
    if (this.#answered !== undefined) this.#step(undefined);
    else if (event !== PAUSE) {
      this.#fail(new TypeError("Cannot wait: nothing else happens in a simulation"));
    } else {
      this.#alarm ??= this.#options.time.after(argument as number * 1_000, () => {
        this.#alarm = undefined;
        this.#answered = { answer: undefined };
        this.onChange();
      });
      return "pause";
    }
    return "nothing";
  }

  *#compute(effect: ComputeEffect): Code<Waiting> {
    const { tasks, elsewhere, observer } = this.#options;
    if (this.#answered !== undefined) {
      observer?.waitedForComputing?.(effect.task, this.#sinceUs);
      this.#step(undefined);
      return "nothing";
    }
    if (elsewhere !== undefined) {
      if (this.#isComputing) return "computation";
      this.#isComputing = true;
      elsewhere.begin(effect, this, (answer, error) => {
        this.#isComputing = false;
        if (this.#effect !== effect) return;
        if (error === undefined) this.#answered = { answer };
        else this.#thrown = error;
        this.onChange();
      });
      return "computation";
    }
    yield* work(tasks.costUs(effect));
    observer?.computed?.(effect.task, this.#sinceUs);
    try {
      this.#step(tasks.run(effect));
    } catch (error) {
      this.#fail(error);
    }
    return "nothing";
  }

  /** Whether what it has asked for is being computed elsewhere. */
  #isComputing = false;

  /** Sets the time limit of a read that has to wait. */
  #limitRead(withinMs: number | undefined): void {
    if (this.#alarm !== undefined) return;
    const { readTimeoutMs, time } = this.#options;
    const limitMs = readTimeoutMs > 0 ? readTimeoutMs : Infinity;
    const ms = Math.min(withinMs ?? Infinity, limitMs);
    if (ms === Infinity) return;
    this.#alarm = time.after(ms * 1_000, () => {
      this.#alarm = undefined;
      if (withinMs !== undefined && withinMs <= limitMs) this.#answered = { answer: undefined };
      else this.#thrown = new ReadTimeoutError(readTimeoutMs);
      this.onChange();
    });
  }

  /** Resumes the protocol with an answer, and hears what it wants next. */
  #step(answer: unknown): void {
    const given = this.#answered === undefined ? answer : this.#answered.answer;
    this.#go(() => this.#talk.next(given));
  }

  /** Throws an error into the protocol. */
  #fail(error: unknown): void {
    if (error === this.#fatal) {
      this.#finish(error);
      return;
    }
    if (error instanceof PeerGoneError || error instanceof SessionTimeoutError) this.#fatal = error;
    this.#go(() => this.#talk.throw(error));
  }

  /** The error after which nothing can be received or sent: it is thrown once. */
  #fatal: unknown;

  #go(resume: () => IteratorResult<Effect, unknown>): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#answered = undefined;
    this.#thrown = undefined;
    this.#isComputing = false;
    this.#sent = 0;
    this.#sinceUs = this.#options.time.nowUs;
    try {
      const { done, value } = resume();
      if (done === true) {
        this.#result = value;
        this.#finish(undefined);
        return;
      }
      this.#effect = value;
      const { kind } = value;
      if (this.#fatal !== undefined && (kind === "read" || kind === "write")) {
        try {
          this.#talk.return(undefined);
        } catch {
          // The first error counts.
        }
        this.#finish(this.#fatal);
      }
    } catch (error) {
      this.#finish(error ?? new Error("The protocol threw nothing"));
    }
  }

  #finish(error: unknown): void {
    this.#isOver = true;
    this.#error = error;
    this.#sessionAlarm?.cancel();
    this.end.onChange = () => {};
    // What was written last still arrives, as in the modes: unread bytes must not make it an RST.
    while (this.end.hasUnread) this.end.receive();
    this.end.close();
  }
}
