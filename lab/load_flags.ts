/**
 * The flags that describe the load, and the functions that read them.
 *
 * @module
 */

import { stripBrackets } from "../engine/net/address.ts";
import { type Flag, UsageError, type Values } from "../engine/cli/flags.ts";
import { parseSize } from "../engine/values/quantities.ts";
import type { EngineKind, PlanOptions } from "./load/plan.ts";

/** The flags that describe the load. */
export const LOAD_FLAGS: readonly Flag[] = [
  {
    name: "protocol",
    kind: "string",
    value: "NAME|PATH",
    suggestions: ["hello", "frame", "echo"],
    default: "hello",
    help: "what to speak: hello, frame, echo, or a module that exports a generator load",
  },
  {
    name: "connections",
    short: "c",
    kind: "integer",
    value: "N",
    least: 1,
    most: 1_000_000,
    default: "50",
    help: "how many connections at a time",
  },
  {
    name: "duration",
    short: "d",
    kind: "duration",
    default: "10s, or as long as -n takes",
    help: "how long to measure",
  },
  {
    name: "requests",
    short: "n",
    kind: "integer",
    value: "N",
    least: 1,
    most: 1_000_000_000,
    help: "how many requests to send",
  },
  {
    name: "rate",
    kind: "rate",
    default: "as fast as the answers come",
    help: "requests that are due, of all connections together, whether or not they are answered",
  },
  {
    name: "pipeline",
    kind: "integer",
    value: "N",
    least: 1,
    most: 1024,
    default: "1",
    help: "how many requests a connection has under way",
  },
  { name: "connect", kind: "boolean", help: "a new connection for each request, as in hello" },
  {
    name: "think",
    kind: "duration",
    default: "0",
    help: "how long a connection waits between an answer and its next request",
  },
  { name: "ramp", kind: "duration", default: "0", help: "over how long the connections begin" },
  {
    name: "size",
    kind: "string",
    value: "SIZE|LEAST..MOST",
    default: "64",
    help: "how many bytes a request asks with: 64, or 1k..64k",
  },
  {
    name: "timeout",
    kind: "duration",
    default: "10s",
    help: "how long connecting, and then a request, may take",
  },
  {
    name: "threads",
    kind: "integer",
    value: "N",
    least: 1,
    most: 256,
    default: "one for each four processors",
    help: "how many Workers make the load",
  },
  {
    name: "engine",
    kind: "choice",
    choices: ["descriptors", "runtime"],
    default: "descriptors where they can be had",
    help: "how to connect: by system calls, or with the runtime's own sockets",
  },
  {
    name: "seed",
    kind: "integer",
    value: "N",
    least: 0,
    most: 0x7fff_ffff,
    default: "1",
    help: "another one gives other payloads",
  },
];

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
export function readSizes(text: string): readonly [least: number, most: number] {
  try {
    const [least = 0, most = least, ...more] = text.split("..").map(parseSize);
    if (least > 0 && least <= most && more.length === 0) return [least, most];
  } catch {
    // The error below says so.
  }
  throw new UsageError(`wrong value for --size: expected 64 or 1k..64k, got "${text}"`);
}

/** What the flags say about the load. */
export function planOptionsOf(values: Values): PlanOptions {
  const { size, ...rest } = values;
  return {
    ...rest as Omit<PlanOptions, "size"> & { readonly engine?: EngineKind },
    ...(size !== undefined && { size: readSizes(size as string) }),
  };
}
