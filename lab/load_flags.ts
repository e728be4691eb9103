/**
 * How what was typed of a load is read.
 *
 * @module
 */

import { type Flag, UsageError, type Values } from "../engine/cli/flags.ts";
import { readPercentile } from "./load/percentiles.ts";
import type { Option } from "../engine/cli/options.ts";
import {
  ARRIVALS,
  type EngineKind,
  type PlanOptions,
  RATE,
  SIZE,
  type Sizes,
} from "./load/plan.ts";

/**
 * Reads a size or a range of sizes.
 *
 * @param text for instance `64` or `1k..64k`
 * @throws {UsageError} if it is neither
 */
function readSizes(text: string): Sizes {
  try {
    return SIZE.read(text);
  } catch {
    throw new UsageError(
      `wrong value for --size: expected 64 or 1k..64k, at most 1g, got "${text}"`,
    );
  }
}

/** What the flags say about the load. */
export function planOptionsOf(values: Values): PlanOptions {
  const { size, rate, arrivals, ...rest } = values;
  return {
    ...rest as Omit<PlanOptions, "size" | "rate"> & { readonly engine?: EngineKind },
    ...(size !== undefined && { size: readSizes(size as string) }),
    ...(rate !== undefined && { rate: checked(RATE, rate as string) }),
    ...(arrivals !== undefined && { arrivals: checked(ARRIVALS, arrivals as string) }),
  };
}

/** Checks an option that is text on the command line, and says what is wrong as flags do. */
function checked(option: Option<unknown, string>, given: string): string {
  try {
    option.read(given);
    return given;
  } catch (error) {
    const why = (error as Error).message.replace(/^Cannot use \w+: /, "")
      .replace(/, current value is ".*?"/s, "");
    throw new UsageError(`wrong value for --${option.name}: ${why}, got "${given}"`);
  }
}

/** The percentiles that are shown. */
export const PERCENTILES: Flag = {
  name: "percentiles",
  kind: "string",
  value: "LIST",
  default: "p50,p90,p99,p99.9",
  suggestions: ["p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99"],
  help: "which percentiles to show; p needs 10 / (1 - p) requests",
};

/**
 * Reads which percentiles are asked for.
 *
 * @param values the flags
 * @returns the percentiles, the lowest first; `undefined` for the usual ones
 * @throws {UsageError} if one is none
 */
export function percentilesOf({ percentiles: given }: Values): readonly number[] | undefined {
  if (given === undefined) return undefined;
  const words = String(given).split(",").map((word) => word.trim()).filter(Boolean);
  const read = words.map((word) => readPercentile(/^\d/.test(word) ? `p${word}` : word));
  if (words.length > 0 && read.every((one) => one !== undefined)) {
    return [...new Set(read as number[])].sort((a, b) => a - b);
  }
  throw new UsageError(`wrong value for --percentiles: expected p50,p95,p99.9, got "${given}"`);
}
