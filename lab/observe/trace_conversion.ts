/**
 * Makes a recording of a trace, which a server has written with `--trace`.
 *
 * A trace has two rows for most things, that of the thread and that of the connection. A recording
 * has one event for both. So what stands in both rows is taken from the thread's.
 *
 * @module
 */

import { withoutZone } from "../../engine/net/address.ts";
import {
  type Event,
  type Header,
  type Outcome,
  type SpanEvent,
  VERSION,
} from "../../engine/recording/events.ts";
import {
  readEvent,
  readHeader,
  RecordingFormatError,
} from "../../engine/recording/read_recording.ts";
import type { TraceEvent } from "../../engine/server/trace/trace_file.ts";

/** A trace as a recording. */
export interface ConvertedTrace {
  readonly header: Header;
  /** The events, in the order of the trace. */
  readonly events: readonly Event[];
}

/** An event of any trace: nothing in it is sure. */
type AnyEvent = Partial<TraceEvent> & {
  readonly args?: Readonly<Record<string, unknown>> | undefined;
};

/** The spans of a thread's row that a recording has too. */
const SLICES: readonly string[] = ["computing", "writing", "turn", "turns"];

/**
 * Converts a trace.
 *
 * @param text the text of the file; the end of a trace may be missing
 * @param source the name of the file
 * @throws {RecordingFormatError} if it is no trace of a server of this project; the message is one line
 */
export function convertTrace(text: string, source: string): ConvertedTrace {
  const wrong = (what: string) => new RecordingFormatError(`Cannot convert ${source}: ${what}`);
  const { found, isWhole } = readTrace(text);
  if (found === undefined) throw wrong("it is not a trace, which is an array of events");
  const process = found.find(({ ph, name }) => ph === "M" && name === "process_name")?.args;
  const [, by, runtime] = /^(\S+) · (.+)$/.exec(String(process?.name)) ?? [];
  if (by === undefined || runtime === undefined) {
    throw wrong("it is not a trace of a server of this project");
  }
  if (typeof process?.began_us !== "number") {
    throw wrong("it does not say when it began, because an older version has written it");
  }
  const began_us = process.began_us;
  const header = { type: "recording", version: VERSION, began_us, by, runtime } as const;
  const conversion = new Conversion();
  let lastAt = 0;
  for (const event of found) {
    lastAt = Math.max(lastAt, numberOf(event.ts) + numberOf(event.dur));
    conversion.take(event);
  }
  const { events } = conversion;
  if (isWhole) events.push({ type: "end", at: lastAt });
  const converted = { header: { ...header, os: String(process.os) }, events };
  // Somebody may have changed the trace. Whatever is written can be shown again.
  try {
    readHeader(JSON.stringify(converted.header));
    for (const event of events) readEvent(JSON.stringify(event));
  } catch (error) {
    throw wrong(`no server has written this: ${(error as Error).message}`);
  }
  return converted;
}

/** Reads as much of the array as is there. */
function readTrace(text: string): { readonly found?: AnyEvent[]; readonly isWhole: boolean } {
  const whole = parse(text);
  if (Array.isArray(whole)) return { found: whole.filter(isObject), isWhole: true };
  if (!text.startsWith("[")) return { isWhole: false };
  // The writer was killed. Each event has a line of its own, and the last one may be cut.
  const lines = text.slice(1).split("\n").map((line) => parse(line.replace(/,\s*$/, "")));
  return { found: lines.filter(isObject), isWhole: false };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is AnyEvent {
  if (typeof value !== "object" || value === null) return false;
  const { name, args } = value as AnyEvent;
  const isNamed = name === undefined || typeof name === "string";
  return isNamed && (args === undefined || (typeof args === "object" && args !== null));
}

function numberOf(value: unknown): number {
  return typeof value === "number" && value >= 0 ? value : 0;
}

/** The events of one recording, as they come. */
class Conversion {
  readonly events: Event[] = [];
  readonly #loops = new Set<number>();
  /** The spans of connections that are open, by connection and name. */
  readonly #open = new Map<string, AnyEvent>();

  take(event: AnyEvent): void {
    switch (event.ph) {
      case "M":
        return this.#thread(event);
      case "X":
        return this.#slice(event);
      case "b":
        return this.#begin(event);
      case "e":
        return this.#end(event);
      case "i":
        return this.#leftOut(event);
    }
  }

  #thread({ name, tid, args }: AnyEvent): void {
    if (name !== "thread_name" || tid === undefined) return;
    const loop = args?.loop === true && { loop: true };
    if (loop !== false) this.#loops.add(tid);
    const at = numberOf(args?.at);
    this.events.push({ type: "thread", at, thread: tid, name: String(args?.name), ...loop });
  }

  /** A span of a thread's row. */
  #slice({ name = "", ts, dur, tid: thread, args = {} }: AnyEvent): void {
    if (!SLICES.includes(name)) return;
    const at = numberOf(ts);
    const connection = numberOf(args.connection);
    this.events.push({
      type: "span",
      at,
      to: at + numberOf(dur),
      name: name as SpanEvent["name"],
      ...(thread !== undefined && { thread }),
      ...(connection !== 0 && { connection }),
      ...(typeof args.task === "string" && { task: args.task }),
      ...(typeof args.turns === "number" && { count: args.turns }),
    });
  }

  /** Something begins in a connection's row. */
  #begin(event: AnyEvent): void {
    const { name = "", ts, id, tid, args = {} } = event;
    const at = numberOf(ts);
    const connection = Number(id);
    if (name === "connection") {
      const peer = withoutZone(String(args.peer));
      const client = typeof args.client === "string" && { client: args.client };
      const accepted = typeof args.accepted === "number" ? args.accepted : at;
      const connected = accepted !== at && { connected: at };
      this.events.push({ type: "begun", at: accepted, connection, peer, ...client, ...connected });
    } else if (name.startsWith("served by ") && tid !== undefined) {
      this.events.push({ type: "served", at, connection, thread: tid });
    } else this.#open.set(`${id} ${name}`, event);
  }

  /** Something ends in a connection's row. */
  #end({ name = "", ts, id, tid = 0, args = {} }: AnyEvent): void {
    const to = numberOf(ts);
    const connection = Number(id);
    if (name === "connection") {
      const outcome = args.outcome === "not recorded" ? "unknown" : args.outcome as Outcome;
      const failure = typeof args.failure === "string" && { failure: args.failure };
      this.events.push({ type: "over", at: to, connection, outcome, ...failure });
      return;
    }
    const begin = this.#open.get(`${id} ${name}`);
    if (begin === undefined) return;
    this.#open.delete(`${id} ${name}`);
    const at = numberOf(begin.ts);
    if (name === "queued") this.events.push({ type: "queued", at, to, connection });
    // The rest stands in a thread's row too, unless no thread was busy with it.
    if (name === "waiting for computing" || name === "writing" && this.#loops.has(tid)) {
      const task = typeof begin.args?.task === "string" && { task: begin.args.task };
      this.events.push({ type: "span", at, to, name, connection, ...task });
    }
  }

  #leftOut({ name, ts, args = {} }: AnyEvent): void {
    if (name !== "left out") return;
    for (const [what, count] of Object.entries(args)) {
      if (typeof count !== "number" || count === 0) continue;
      this.events.push({ type: "left_out", at: numberOf(ts), count, what });
    }
  }
}
