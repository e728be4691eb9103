/**
 * What can be wrong with a network, as people write it: `latency:50ms±10ms`, `down:slicer:1..7`.
 *
 * @module
 */

import { formatDuration, parseDuration } from "../../engine/values/durations.ts";
import { parseSize } from "../../engine/values/quantities.ts";
import { quote } from "../../engine/values/thrown.ts";

/** Where the bytes go: to the server (`up`) or to the client (`down`). */
export type Direction = "up" | "down";

/** Both directions. */
export const DIRECTIONS: readonly Direction[] = ["up", "down"];

/** When something happens in one direction of a connection: after so many bytes, or so long. */
export interface Moment {
  /** After this many bytes have passed. */
  readonly bytes?: number;
  /** This long after the connection was made, in milliseconds. */
  readonly ms?: number;
}

/** One thing that is wrong. */
export type Fault =
  | { readonly kind: "latency"; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: "bandwidth"; readonly bytesPerSecond: number }
  | { readonly kind: "slicer"; readonly least: number; readonly most: number }
  | { readonly kind: "slow-close"; readonly ms: number }
  | { readonly kind: "black-hole" }
  | { readonly kind: "vanish"; readonly at: Moment }
  | { readonly kind: "reset"; readonly at: Moment }
  | { readonly kind: "limit"; readonly bytes: number };

/** A fault, and where it acts. */
export interface Toxic {
  readonly fault: Fault;
  /** Where it acts: each direction on its own. */
  readonly directions: readonly Direction[];
}

/** How each kind is written, and what it does: for help, and for messages about wrong ones. */
export const TOXIC_FORMS: Readonly<Record<Fault["kind"], readonly [form: string, help: string]>> = {
  latency: [
    "latency:50ms±10ms",
    "each piece comes so much later, in order; ±10ms or +-10ms is the jitter",
  ],
  bandwidth: ["bandwidth:64k/s", "so many bytes pass in a second"],
  slicer: ["slicer:1..7", "what is sent is cut into pieces of 1 to 7 bytes, each sent by itself"],
  "slow-close": ["slow-close:500ms", "FIN comes so much later"],
  "black-hole": ["black-hole", "nothing passes; when it ends, what was held back does, and no FIN"],
  vanish: [
    "vanish:1s, vanish:100B or vanish",
    "from then on nothing passes any more, not even FIN",
  ],
  reset: ["reset:1s, reset:100B or reset", "after that both sides get RST"],
  limit: ["limit:100B", "after so many bytes both sides get FIN"],
};

/** A toxic is not written as one. */
export class ToxicError extends RangeError {
  override readonly name = "ToxicError";
}

/**
 * Reads a toxic.
 *
 * @param text for instance `up:latency:50ms±10ms`; without `up:` or `down:` it acts on both
 * @throws {ToxicError} if it is none; the message is one line
 */
export function parseToxic(text: string): Toxic {
  const [, prefix, kind = "", value] = /^(?:(up|down):)?([a-z-]+)(?::(.*))?$/s.exec(text.trim()) ??
    [];
  const form = Object.hasOwn(TOXIC_FORMS, kind) ? TOXIC_FORMS[kind as Fault["kind"]] : undefined;
  if (form === undefined) {
    const known = Object.values(TOXIC_FORMS).map(([form]) => form).join(", ");
    throw new ToxicError(`expected a toxic such as ${known}, got ${quote(text)}`);
  }
  const fault = readFault(kind as Fault["kind"], value);
  if (fault === undefined) throw new ToxicError(`expected ${form[0]}, got ${quote(text)}`);
  return { fault, directions: prefix === undefined ? DIRECTIONS : [prefix as Direction] };
}

/**
 * Reads several toxics, separated by spaces or commas.
 *
 * @param text for instance `slicer:1..7 down:latency:5ms`
 * @throws {ToxicError} if one of them is none
 */
export function parseToxics(text: string): Toxic[] {
  return text.split(/[\s,]+/).filter((word) => word !== "").map(parseToxic);
}

function readFault(kind: Fault["kind"], value: string | undefined): Fault | undefined {
  switch (kind) {
    case "latency": {
      const [, mean = "", jitter = "0"] = /^([^±+]+)(?:(?:±|\+-|\+\/-)(.+))?$/.exec(value ?? "") ??
        [];
      const [ms, jitterMs] = [durationOf(mean), durationOf(jitter)];
      return ms === undefined || jitterMs === undefined ? undefined : { kind, ms, jitterMs };
    }
    case "bandwidth": {
      const [, size = ""] = /^(.+)\/s$/.exec(value ?? "") ?? [];
      const bytesPerSecond = bytesOf(size) ?? 0;
      return bytesPerSecond > 0 ? { kind, bytesPerSecond } : undefined;
    }
    case "slicer": {
      const [, from = "", to = from] = /^(\d+)(?:\.\.(\d+))?$/.exec(value ?? "") ?? [];
      const [least, most] = [Number(from || NaN), Number(to || NaN)];
      return least >= 1 && most >= least && most <= 1 << 20 ? { kind, least, most } : undefined;
    }
    case "slow-close": {
      const ms = durationOf(value ?? "");
      return ms === undefined ? undefined : { kind, ms };
    }
    case "black-hole":
      return value === undefined ? { kind } : undefined;
    case "vanish":
    case "reset": {
      const at = value === undefined ? { ms: 0 } : momentOf(value);
      return at === undefined ? undefined : { kind, at };
    }
    case "limit": {
      const bytes = bytesOf(value ?? "");
      return bytes === undefined ? undefined : { kind, bytes };
    }
  }
}

/** A number of bytes, such as `100`, `100B` or `64KiB`. */
function bytesOf(text: string): number | undefined {
  try {
    return parseSize(text.replace(/^(\d+)B$/, "$1"));
  } catch {
    return undefined;
  }
}

/** A time with its unit, such as `50ms`. */
function durationOf(text: string): number | undefined {
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}

/** `1s` is a time, and everything without a unit of time is a number of bytes. */
function momentOf(text: string): Moment | undefined {
  const ms = /[smh]$/.test(text) ? durationOf(text) : undefined;
  if (ms !== undefined) return { ms };
  const bytes = bytesOf(text);
  return bytes === undefined ? undefined : { bytes };
}

/**
 * Writes a toxic as {@linkcode parseToxic} reads it.
 *
 * @param toxic the toxic
 */
export function formatToxic({ fault, directions }: Toxic): string {
  const prefix = directions.length === 1 ? `${directions[0]}:` : "";
  return prefix + formatFault(fault);
}

function formatFault(fault: Fault): string {
  switch (fault.kind) {
    case "latency": {
      const jitter = fault.jitterMs > 0 ? `±${formatDuration(fault.jitterMs)}` : "";
      return `latency:${formatDuration(fault.ms)}${jitter}`;
    }
    case "bandwidth":
      return `bandwidth:${fault.bytesPerSecond}/s`;
    case "slicer":
      return `slicer:${fault.least}..${fault.most}`;
    case "slow-close":
      return `slow-close:${formatDuration(fault.ms)}`;
    case "black-hole":
      return "black-hole";
    case "vanish":
    case "reset":
      return `${fault.kind}:${formatMoment(fault.at)}`;
    case "limit":
      return `limit:${fault.bytes}B`;
  }
}

function formatMoment({ bytes, ms = 0 }: Moment): string {
  return bytes === undefined ? (ms === 0 ? "0ms" : formatDuration(ms)) : `${bytes}B`;
}
