/**
 * How what was typed of a load is read.
 *
 * @module
 */

import { UsageError, type Values } from "../engine/cli/flags.ts";
import { type EngineKind, type PlanOptions, SIZE, type Sizes } from "./load/plan.ts";

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
    throw new UsageError(`wrong value for --size: expected 64 or 1k..64k, got "${text}"`);
  }
}

/** What the flags say about the load. */
export function planOptionsOf(values: Values): PlanOptions {
  const { size, ...rest } = values;
  return {
    ...rest as Omit<PlanOptions, "size"> & { readonly engine?: EngineKind },
    ...(size !== undefined && { size: readSizes(size as string) }),
  };
}
