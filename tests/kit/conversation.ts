/**
 * Conversations without a network: what a protocol does with bytes that it is given.
 *
 * @module
 */

import {
  abandon,
  checkBytes,
  checkReport,
  failureBy,
  MOST_LAST,
  nothingToWaitFor,
  runTask,
  unknownEffect,
} from "../../engine/drivers/conversation.ts";
import { checkWithin } from "../../engine/drivers/limits.ts";
import type { Effect, Protocol, ReadAnswer, Tasks } from "../../protocol.ts";

/** All that can be seen of a conversation from outside. */
export interface Transcript {
  /** What was reported, written and computed, in order. A write appears as its text. */
  readonly events: readonly string[];
  /** What the conversation returned. */
  readonly result?: unknown;
  /** The class of the error that it threw. */
  readonly error?: string;
  /** The fields of the error that it threw. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** One side of a conversation, resumed by hand. */
export class Talk {
  /** What was reported, written and computed so far. */
  readonly events: string[] = [];
  /** The bytes written since they were last taken. */
  written: Uint8Array[] = [];
  /** How long the requested read may wait; `undefined` means for ever. */
  withinMs: number | undefined;
  /** How many reads the conversation has requested. */
  reads = 0;
  /** Whether it has returned or thrown. */
  over = false;
  /** What it returned. */
  result: unknown;
  /** The error that it threw. */
  error: unknown;
  readonly #conversation: Protocol<unknown>;
  readonly #tasks: Tasks | undefined;
  readonly #computeTimeoutMs: number;
  // One buffer for all reads, as the blocking driver has it: what a protocol keeps without
  // copying it is overwritten by the next read.
  #buffer = new Uint8Array(1 << 12);

  /**
   * @param conversation is run until it asks for its first read
   * @param tasks the work that it may ask for, done in place
   * @param computeTimeoutMs how long that may take, in milliseconds; 0 is for ever
   */
  constructor(conversation: Protocol<unknown>, tasks?: Tasks, computeTimeoutMs = 0) {
    this.#conversation = conversation;
    this.#tasks = tasks;
    this.#computeTimeoutMs = computeTimeoutMs;
    this.#run(() => conversation.next());
  }

  /** Answers the requested read. */
  answer(answer: ReadAnswer): void {
    this.#buffer.fill(0x23);
    if (answer) {
      if (answer.length > this.#buffer.length) this.#buffer = new Uint8Array(2 * answer.length);
      this.#buffer.set(answer);
      const borrowed = this.#buffer.subarray(0, answer.length);
      this.#run(() => this.#conversation.next(borrowed));
    } else this.#run(() => this.#conversation.next(answer));
  }

  /** Throws an error into it, as a driver does when a limit is reached. */
  throw(error: Error): void {
    this.#run(() => this.#conversation.throw(error), error);
  }

  /** All that it has written, with one character for each byte. */
  get text(): string {
    return this.written.map((bytes) => String.fromCharCode(...bytes)).join("");
  }

  /** All that can be seen of it. */
  get transcript(): Transcript {
    const { events, result, error } = this;
    if (!(error instanceof Error)) return { events, ...(result !== undefined && { result }) };
    const { cause: _, stack: __, ...fields } = error as Error & Record<string, unknown>;
    return { events, error: error.constructor.name, fields };
  }

  /**
   * @param resume resumes the conversation
   * @param failure what has failed, if that has ended everything but its last words
   */
  #run(resume: () => IteratorResult<Effect, unknown>, failure?: Error): void {
    try {
      let step = resume();
      for (let effects = 1; step.done !== true; effects++) {
        if (failure !== undefined && effects > MOST_LAST) {
          abandon(this.#conversation);
          throw failure;
        }
        try {
          if (!this.#grant(step.value)) return;
        } catch (thrown) {
          step = this.#conversation.throw(thrown);
          continue;
        }
        step = this.#conversation.next(this.#answer);
      }
      this.result = step.value;
    } catch (error) {
      this.error = failureBy(error);
    }
    this.over = true;
  }

  /** The answer to an effect that was granted at once. */
  #answer: unknown;

  #grant(effect: Effect): boolean {
    this.#answer = undefined;
    switch (effect?.kind) {
      case "read":
        if (effect.withinMs !== undefined) checkWithin(effect.withinMs);
        this.reads++;
        this.withinMs = effect.withinMs;
        return false;
      case "write":
        this.written.push(checkBytes(effect.bytes).slice());
        this.events.push(`write ${new TextDecoder("latin1").decode(effect.bytes)}`);
        return true;
      case "report":
        this.events.push(`report ${checkReport(effect.message)}`);
        return true;
      case "compute":
        this.events.push(`compute ${effect.task} ${effect.argument}`);
        this.#answer = runTask(this.#tasks, effect.task, effect.argument, {
          timeoutMs: this.#computeTimeoutMs,
        });
        return true;
      case "wait":
        throw nothingToWaitFor(effect);
      default:
        throw unknownEffect(effect);
    }
  }
}

/**
 * Holds a conversation with a peer that sends these pieces and then FIN.
 *
 * @param conversation the protocol's side
 * @param pieces what each read returns; `undefined` answers only a read with a time limit
 * @param tasks the tasks that it may ask for
 */
export function hold(
  conversation: Protocol<unknown>,
  pieces: Iterable<Uint8Array | string | undefined>,
  tasks?: Tasks,
): Talk {
  const talk = new Talk(conversation, tasks);
  for (const piece of pieces) {
    if (talk.over) return talk;
    if (piece === undefined && talk.withinMs === undefined) {
      throw new Error("Cannot time out: the read has no limit");
    }
    talk.answer(typeof piece === "string" ? bytesOf(piece) : piece);
  }
  while (!talk.over) talk.answer(null);
  return talk;
}

/** Text as bytes, one for each character up to U+00FF. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * Cuts bytes into pieces of these lengths, using the lengths in turn until nothing is left.
 *
 * @param bytes the bytes to cut
 * @param lengths at least one length, each at least 1
 */
export function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] as number;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}
