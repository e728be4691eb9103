/**
 * How what was typed of a load is read.
 *
 * @module
 */

import { stripBrackets } from "../engine/net/address.ts";
import { UsageError, type Values } from "../engine/cli/flags.ts";
import { type EngineKind, type PlanOptions, SIZE, type Sizes } from "./load/plan.ts";

/**
 * Reads an address.
 *
 * @param text `HOST:PORT`, with an IPv6 address in brackets
 * @throws {UsageError} if the text is not an address
 */
export function readServer(text: string): { readonly host: string; readonly port: number } {
  const [, host = "", digits = ""] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const isBare = host.includes(":") && !host.startsWith("[");
  if (host === "" || isBare || port < 1 || port > 65535) {
    throw new UsageError(`wrong value for <server>: expected HOST:PORT or compare, got "${text}"`);
  }
  return { host: stripBrackets(host), port };
}

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
