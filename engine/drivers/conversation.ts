/**
 * What all drivers share: how to begin a conversation, how to do the work that it asks for, and how
 * to refuse what it may not do.
 *
 * @module
 */

import type { ProtocolDefinition, ProtocolSettings, Tasks } from "../../protocols/catalogue.ts";
import type { Context, Protocol, WaitEffect } from "../../protocols/effects.ts";
import { madeHere, STEPS_AFTER_MISTAKE, traceSteps } from "../../protocols/asked_here.ts";
import { ComputeTimeoutError } from "../../protocols/errors.ts";
import { findTask } from "../../protocols/find_task.ts";
import { OutOfTimeError, runWithin } from "../net/run_within.ts";

/**
 * Begins the server's side of a conversation. If the protocol throws here already, the conversation
 * fails at its first step, like any other.
 *
 * @param protocol the protocol
 * @param context what the protocol may know about its connection
 * @param settings the protocol's settings
 */
export function beginConversation(
  protocol: ProtocolDefinition,
  context: Context,
  settings: ProtocolSettings,
): Protocol {
  try {
    return protocol.serve(context, settings);
  } catch (error) {
    return failAtOnce(error);
  }
}

// deno-lint-ignore require-yield -- it never gets that far
function* failAtOnce(error: unknown): Protocol {
  throw error;
}

/** How a task is kept from running for ever. */
export interface TaskLimits {
  /** How long it may take, in milliseconds; 0 means for ever. */
  readonly timeoutMs: number;
  /**
   * Whether it is known to yield every few milliseconds. Then nothing else has to watch it.
   *
   * @default {false}
   */
  readonly isSliced?: boolean | undefined;
  /** Called between the slices of a task that has slices. If it throws, the work ends. */
  readonly onSlice?: () => void;
}

/**
 * How much longer than its time a task may run until it is stopped where it is, in milliseconds. A
 * task that yields is stopped at a `yield` before that, and its `finally` runs.
 */
const LATE_MS = 50;

/**
 * Does the work that a protocol asked for, here and now.
 *
 * @param tasks the protocol's tasks
 * @param name the name of the task
 * @param argument its argument
 * @param limits how it is kept from running for ever
 * @returns its result
 * @throws {TypeError} if there is no task of that name
 * @throws {ComputeTimeoutError} if it takes too long
 * @throws what the task threw, which is never nothing
 */
export function runTask(
  tasks: Tasks | undefined,
  name: string,
  argument: unknown,
  limits: TaskLimits,
): unknown {
  const { timeoutMs } = limits;
  const work = () => runSlices(tasks, name, argument, limits);
  try {
    return timeoutMs === 0 || limits.isSliced === true
      ? work()
      : runWithin(timeoutMs + LATE_MS, work);
  } catch (error) {
    throw error instanceof OutOfTimeError
      ? new ComputeTimeoutError(name, timeoutMs)
      : failureBy(error);
  }
}

function runSlices(
  tasks: Tasks | undefined,
  name: string,
  argument: unknown,
  { timeoutMs, onSlice }: TaskLimits,
): unknown {
  const until = timeoutMs > 0 ? performance.now() + timeoutMs : Infinity;
  const work = findTask(tasks, name)(argument);
  if (!isSliced(work)) return work;
  for (;;) {
    const slice = work.next();
    if (slice.done === true) return slice.value;
    try {
      onSlice?.();
      if (performance.now() >= until) throw new ComputeTimeoutError(name, timeoutMs);
    } catch (error) {
      abandon(work);
      throw error;
    }
  }
}

/**
 * Whether a task has returned work that is done slice by slice.
 *
 * @param work what the task has returned
 */
export function isSliced(work: unknown): work is Generator<unknown, unknown> {
  return Object.prototype.toString.call(work) === "[object Generator]";
}

/**
 * Makes the error for a protocol that waits for an event that its server does not have.
 *
 * @param effect the effect that the protocol yielded
 */
export function nothingToWaitFor({ event }: WaitEffect): TypeError {
  return new TypeError(`Cannot wait: nothing happens here, current event is "${String(event)}"`);
}

/**
 * How many more effects are granted after a fatal error. A protocol may still report or compute
 * something in its `finally`, but not for ever.
 */
export const MOST_LAST = 64;

/**
 * Ends work that is suspended, and of which nothing more is wanted. Its `finally` runs as far as its
 * next `yield`. An error in there is too late to change anything.
 *
 * @param work a protocol, or a task with slices
 */
export function abandon(work: Generator<unknown, unknown>): void {
  try {
    work.return(undefined);
  } catch {
    // It has failed already, and its first error counts.
  }
}

/**
 * Takes care of a value that a driver refuses. If it is a promise, nobody else will ever look at it,
 * and its rejection would end the thread.
 *
 * @param refused what the protocol has yielded
 */
function disown(refused: unknown): void {
  if (refused instanceof Promise) Promise.prototype.then.call(refused, undefined, () => {});
}

/**
 * The error of a failed conversation. It is never `undefined`, which stands for success, not even
 * if the protocol threw that.
 *
 * @param thrown what the protocol threw
 */
export function failureBy(thrown: unknown): unknown {
  return thrown ?? new Error("The protocol threw nothing");
}

/**
 * Makes the error for a protocol that yields something other than an effect.
 *
 * @param effect what the protocol yielded
 */
export function unknownEffect(effect: never): TypeError {
  disown(effect);
  const error = new TypeError(`Cannot grant the effect: ${whyNoEffect(effect)}`);
  madeHere(error, effect);
  traceSteps(STEPS_AFTER_MISTAKE);
  return error;
}

function whyNoEffect(effect: unknown): string {
  if (effect instanceof Promise) {
    return 'a protocol cannot wait for promises, only with "yield*" for steps and computations';
  }
  if (typeof effect !== "object" || effect === null) return `expected one, got ${tagOf(effect)}`;
  const { kind, [Symbol.iterator]: iterator } = effect as Record<PropertyKey, unknown>;
  if (kind !== undefined) return `its kind is "${String(kind)}"`;
  // What readLine and its like return is asked for step by step.
  const isStep = typeof iterator === "function" && tagOf(effect) !== "Array" &&
    !ArrayBuffer.isView(effect);
  return isStep
    ? 'it is a step, so it needs "yield*" in place of "yield"'
    : `expected one, got ${tagOf(effect)}`;
}

/** The kind of a value, for instance `Uint8Array`. */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** What an array of bytes is that nobody has extended. */
const PLAIN = Uint8Array.prototype;

/** Whether bytes are an array of bytes, and its length is its own. */
export function isPlain(bytes: unknown): bytes is Uint8Array {
  return ArrayBuffer.isView(bytes) && Object.getPrototypeOf(bytes) === PLAIN &&
    !Object.hasOwn(bytes, "length");
}

/**
 * Checks what a protocol wants to send. If it were no array of bytes, a runtime or the system might
 * send a part of it, or report a failure of the connection.
 *
 * @param bytes what the protocol wants to send
 * @returns the same bytes, as an array whose length is its own
 * @throws {TypeError} if it is no `Uint8Array`, which is the protocol's mistake
 */
export function checkBytes(bytes: Uint8Array): Uint8Array {
  if (bytes instanceof Uint8Array) {
    // What only looks like an array of bytes throws here.
    if (isPlain(bytes) && bytes.length >= 0) return bytes;
    // A class of its own may have a `length` of its own. The system would believe it, and send what
    // lies behind the bytes.
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  disown(bytes);
  throw new TypeError(`Cannot write: expected a Uint8Array, got ${tagOf(bytes)}`);
}

/**
 * Checks what a protocol wants to report. What is no text would fail later, in another thread, where
 * nobody expects that.
 *
 * @param message what it wants to report
 * @returns the same
 * @throws {TypeError} if it is no text, which is the protocol's mistake
 */
export function checkReport(message: string): string {
  if (typeof message === "string") return message;
  disown(message);
  throw new TypeError(`Cannot report: expected a string, got ${typeof message}`);
}
