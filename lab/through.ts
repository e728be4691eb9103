/**
 * `--through 'slicer:1..7'`: puts the fault proxy between a command and the server that it talks to.
 *
 * @module
 */

import type { Address } from "../protocols/effects.ts";
import { type Flag, UsageError } from "../engine/cli/flags.ts";
import { type Faults, startFaults } from "./faults/proxy.ts";
import { ownTime } from "../engine/workers/own_time.ts";
import type { Run } from "./load/results.ts";
import {
  type Fault,
  formatToxic,
  parseToxic,
  parseToxics,
  type Toxic,
  TOXIC_FORMS,
  ToxicError,
} from "./faults/toxic.ts";

/** The flag that says what is wrong on the way to the server. */
export const THROUGH: Flag = {
  name: "through",
  kind: "string",
  value: "'TOXIC …'",
  suggestions: Object.keys(TOXIC_FORMS),
  help: "put faults between: toxics as those of faults, for instance 'slicer:1..7 latency:5ms'",
};

/** The same with a flag for the seed, for commands that have none otherwise. */
export const THROUGH_FLAGS: readonly Flag[] = [
  THROUGH,
  {
    name: "seed",
    kind: "integer",
    value: "N",
    least: 0,
    most: 0x7fff_ffff,
    default: "1",
    help: "what the random numbers of --through begin with",
  },
];

/** What is wrong on the way to a server. */
export interface Way {
  readonly toxics: readonly Toxic[];
  readonly seed: number;
}

/**
 * Reads the flags.
 *
 * @param values the values of {@linkcode THROUGH}, and of a seed
 * @returns `undefined` if nothing is to be put between
 * @throws {UsageError} if a toxic is none
 */
export function readWay(
  { through, seed = 1 }: { readonly through?: unknown; readonly seed?: unknown },
): Way | undefined {
  if (through === undefined) return undefined;
  try {
    const toxics = parseToxics(through as string);
    // Words that name none are a mistake too, and the message about it is the same.
    if (toxics.length === 0) parseToxic(through as string);
    return { toxics, seed: seed as number };
  } catch (error) {
    if (!(error instanceof ToxicError)) throw error;
    throw new UsageError(`wrong value for --through: ${error.message}`, { cause: error });
  }
}

/**
 * The name of a server, with what is wrong on the way to it.
 *
 * @param name the server's name
 * @param way what is wrong, if anything
 */
export function nameThrough(name: string, way: Way | undefined): string {
  return way === undefined ? name : `${name} through ${way.toxics.map(formatToxic).join(" ")}`;
}

/** What sends bytes on in other pieces than they were sent in. */
const CUTTING: readonly Fault["kind"][] = ["slicer", "bandwidth"];

/**
 * Whether what clients send reaches the server in other pieces. A server that prints what each read
 * brings then prints it in pieces, too.
 *
 * @param way what is wrong
 */
export function isCutOn({ toxics }: Way): boolean {
  return toxics.some(({ fault, directions }) =>
    directions.includes("up") && CUTTING.includes(fault.kind)
  );
}

/** How many connections the proxy has for each client's: the client's, and one to the server. */
const FOR_EACH = 2;

/** The share of the time from which the proxy's thread counts as busy. */
const BUSY = 0.9;

/** A server as it is reached: through the proxy, or directly. */
export interface Reached extends AsyncDisposable {
  readonly address: Address;
  /**
   * Whether the proxy was the limit since it was there, or since it was asked last: its thread, which is this one, had no time to
   * spare. Then the figures are the proxy's.
   *
   * @returns what the user should know about that; `undefined` if it was not
   */
  whyLimited(): string | undefined;
}

/**
 * How many descriptors this process needs for each connection besides the connection's own.
 *
 * @param way what is wrong, if anything
 */
export function descriptorsFor(way: Way | undefined): number {
  return way === undefined ? 0 : FOR_EACH;
}

/**
 * Puts the proxy between, if something is to be wrong.
 *
 * @param way what is wrong, if anything
 * @param upstream the server
 */
export async function reach(way: Way | undefined, upstream: Address): Promise<Reached> {
  if (way === undefined) {
    return {
      address: upstream,
      whyLimited: () => undefined,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const faults: Faults = await startFaults({ upstream, toxics: way.toxics, seed: way.seed });
  let [before, beganAt] = [ownTime(), performance.now()];
  return {
    address: faults.address,
    whyLimited() {
      const [after, endedAt] = [ownTime(), performance.now()];
      if (before === undefined || after === undefined) return undefined;
      const ownMs = after.ranMs + after.waitedMs - before.ranMs - before.waitedMs;
      const share = ownMs / (endedAt - beganAt);
      [before, beganAt] = [after, endedAt];
      if (share < BUSY) return undefined;
      return `The proxy of --through was the limit, not the server: its thread was busy for ${
        Math.round(Math.min(1, share) * 100)
      } % of the time`;
    },
    [Symbol.asyncDispose]: () => faults.close(),
  };
}

/**
 * Marks runs as limited by the load if the proxy was the limit.
 *
 * @param reached how the server was reached
 * @param runs the runs since it was asked last
 * @param onNote hears what the user should know
 * @returns the runs, as they are to be told
 */
export function limitedBy(
  reached: Reached,
  runs: readonly Run[],
  onNote: (text: string) => void,
): readonly Run[] {
  const why = reached.whyLimited();
  if (why === undefined) return runs;
  onNote(why);
  return runs.map((run) => ({ ...run, load_limited: true }));
}
