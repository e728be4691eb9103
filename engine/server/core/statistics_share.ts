/**
 * Where the figures of a server lie in shared memory. A reader in any thread finds them there
 * (`engine/server/statistics/statistics_reader.ts`), whatever the server's own threads are doing.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import type { Counters } from "./counters.ts";
import type { OwnCounts } from "./own_counts.ts";

/** A figure that a server keeps in 32-bit words of shared memory. */
export type SharedFigure =
  /** A word, less what another word says. */
  | {
    readonly kind: "word";
    readonly memory: SharedArrayBuffer;
    readonly at: number;
    readonly minus?: number;
  }
  /** How many words are not 0: the first one, and from there every one that is `stride` further. */
  | {
    readonly kind: "set";
    readonly memory: SharedArrayBuffer;
    readonly first: number;
    readonly stride: number;
  };

/** Words of shared memory: the first one, and from there every one that is `stride` further. */
export interface SharedPulses {
  /** The memory. */
  readonly memory: SharedArrayBuffer;
  /** The index of the first word. */
  readonly first: number;
  /** How many words further the next one is. */
  readonly stride: number;
}

/** The figures that a server of one kind has and a server of another kind has not. */
export interface OwnFigures {
  /** How many accepted connections wait in the server's own queue for a thread. */
  readonly queued?: SharedFigure | undefined;
  /** That queue itself, if it is one of descriptors: a `DescriptorRing`. */
  readonly queue?: SharedArrayBuffer | undefined;
  /** How many of its threads that serve one connection at a time are serving one. */
  readonly busy?: SharedFigure | undefined;
  /** How many such threads run. */
  readonly workers?: SharedFigure | undefined;
  /** The pulses of its threads that are no event loops: see `pulse.ts`. */
  readonly pulses?: SharedPulses | undefined;
  /** The numbers of the processes that serve, if it has any; 0 where there is none. */
  readonly processes?: SharedPulses | undefined;
  /** The heartbeats of its event loops, if they have any: see `heartbeat.ts`. */
  readonly beats?: SharedArrayBuffer | undefined;
  /** Whether its event loop is that of the main thread, which also handles signals. */
  readonly loopsOnMain?: boolean;
  /** What it counts besides what every server counts. */
  readonly counts?: OwnCounts | undefined;
}

/** Where the figures of a server lie. It is plain data, which can be posted to any thread. */
export interface StatisticsShare extends OwnFigures {
  /** The address that the server listens on. */
  readonly address: Address;
  /** The blocks of counters, one behind the other: see `counters.ts`. */
  readonly counters: SharedArrayBuffer;
  /** One word that says whether the server closes: see {@linkcode isDraining}. */
  readonly state: SharedArrayBuffer;
}

/**
 * Makes the word that says whether a server closes. It does not.
 *
 * @param allocate makes the memory; by default only threads share it
 */
export function makeState(allocate: Allocate = ofThisProcess): SharedArrayBuffer {
  return allocate(4);
}

/**
 * Says that a server has begun to close.
 *
 * @param state its word
 */
export function sayDraining(state: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(state), 0, 1);
}

/** Whether a server has begun to close, and lets connections finish. */
export function isDraining({ state }: Pick<StatisticsShare, "state">): boolean {
  return Atomics.load(new Int32Array(state), 0) === 1;
}

/**
 * The figures of a server for a recording, by the names that `--stats-every` gives them in JSON.
 *
 * @param counters its counters; they may have more than every server has
 * @param figures the figures that not every server has
 */
export function figuresOf(
  { accepted, active: live, completed, failed, ...more }: Counters,
  { queued, busy, workers }: OwnFigures = {},
): Record<string, number> {
  const own = { queued, workers_busy: busy, workers };
  return {
    accepted,
    live,
    completed,
    failed: Object.values(failed).reduce((sum, count) => sum + count, 0),
    ...more,
    ...Object.fromEntries(
      Object.entries(own).flatMap(([name, figure]) =>
        figure === undefined ? [] : [[name, readFigure(figure)]]
      ),
    ),
  };
}

/**
 * Reads words of shared memory.
 *
 * @param words where they lie
 * @returns what they say, in order
 */
export function readWords({ memory, first, stride }: SharedPulses): number[] {
  const words = new Int32Array(memory);
  const values: number[] = [];
  for (let at = first; at < words.length; at += stride) values.push(Atomics.load(words, at));
  return values;
}

/**
 * Reads a figure.
 *
 * @param figure where it lies
 */
export function readFigure(figure: SharedFigure): number {
  const words = new Int32Array(figure.memory);
  if (figure.kind === "word") {
    const minus = figure.minus === undefined ? 0 : Atomics.load(words, figure.minus);
    // Another thread may change one word between the two readings.
    return Math.max(0, (Atomics.load(words, figure.at) - minus) | 0);
  }
  let count = 0;
  for (let at = figure.first; at < words.length; at += figure.stride) {
    if (Atomics.load(words, at) !== 0) count++;
  }
  return count;
}
