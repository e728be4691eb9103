/**
 * What a soak has found, as plain data. `--json` writes it.
 *
 * @module
 */

/** How a soak of one server has ended. */
export type SoakVerdict = "passed" | "failed" | "too little" | "skipped" | "interrupted";

/** The figures of the server's process while nobody is connected. */
export interface Sample {
  /** When it was taken, in seconds from the beginning. */
  readonly at: number;
  /** Which part of the run was over, from 0 to 1. */
  readonly progress: number;
  /** Which process it is: 0 is the first one, and each restart begins another one. */
  readonly generation: number;
  /** How many connections there had been by then, over all processes. */
  readonly connections: number;
  /** How many honest requests had been answered by then. */
  readonly requests: number;
  /** How often this process had borne each attack by then, at least. */
  readonly attack_rounds: number;
  readonly memory_bytes: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** The figures that must not rise. */
export type SoakFigure = "memory_bytes" | "descriptors" | "threads";

/** What one of the figures has done. */
export interface Course {
  /** After the warm-up; `null` if there was too little to tell. */
  readonly warm: number | null;
  /** At the end. */
  readonly end: number | null;
  /** By how much it has risen over the last half. */
  readonly rise: number | null;
  /** How likely it is that the same figures come in an order that rises so much by chance. */
  readonly chance: number | null;
}

/** How much was done. */
export interface Work {
  /** Honest requests of the load with a correct answer. */
  readonly requests: number;
  /** Those of them that came through faults. */
  readonly requests_through_faults: number;
  /** Cases of the definition that were played and held. */
  readonly cases: number;
  /** Connections of all kinds. */
  readonly connections: number;
  /** The connections in the last half. */
  readonly connections_last_half: number;
  /** How often each attack was made. */
  readonly attacks: Readonly<Record<string, number>>;
  /** Clients that were torn from the server by resets and the like. */
  readonly torn: number;
  readonly restarts: number;
}

/** What was found out about one server. */
export interface SoakRun {
  /** For instance `threadpool · deno`, or the command that has started it. */
  readonly name: string;
  readonly verdict: SoakVerdict;
  /** Why it has not passed, one sentence each. */
  readonly reasons: readonly string[];
  /** What a reader should know, one sentence each. */
  readonly notes: readonly string[];
  readonly seconds: number;
  readonly work: Work;
  /** Honest requests that failed, by kind. */
  readonly failed: Readonly<Record<string, number>>;
  readonly courses: Readonly<Record<SoakFigure, Course>>;
  readonly samples: readonly Sample[];
}

/** A whole soak. */
export interface SoakReport {
  readonly schema: "handshake-soak/1";
  readonly protocol: string;
  /** What all that is random began with. */
  readonly seed: number;
  /** How rare a fault was looked for: one lost request in so many. */
  readonly rarest: number;
  readonly runs: readonly SoakRun[];
}
