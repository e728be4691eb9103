/**
 * What a trace says. It is read as the Trace Event format requires, and checked against it.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { assert, assertEquals } from "./harness.ts";

/** An event of the format. Times are in microseconds. */
interface Event {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly ts: number;
  readonly dur?: number;
  readonly id?: string;
  readonly s?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** A span of time on a thread's row or on a connection's row. */
export interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A connection, and the spans on its row. */
export interface TracedConnection extends Span {
  readonly spans: readonly Span[];
}

/** A trace whose events are all valid. */
export class Trace {
  /** The name of the process. */
  readonly process: string;
  /** The spans of each thread by its name, in the order in which they begin. */
  readonly threads: ReadonlyMap<string, readonly Span[]>;
  /** The connections, in the order in which they begin. */
  readonly connections: readonly TracedConnection[];
  /** How many connections and spans the trace says it leaves out. */
  readonly leftOut: Readonly<Record<string, unknown>>;

  /** @param text the text of the file */
  constructor(text: string) {
    const events = JSON.parse(text) as Event[];
    for (const event of events) checkEvent(event);
    const names = (kind: string) =>
      events.filter(({ ph, name }) => ph === "M" && name === kind)
        .map(({ tid, args }) => [tid, String(args?.name)] as const);
    assertEquals(names("process_name").length, 1);
    this.process = names("process_name")[0]?.[1] as string;
    const threads = new Map(names("thread_name"));
    assertEquals(threads.size, names("thread_name").length, "a thread has one name");
    for (const { tid } of events) assert(threads.has(tid), `thread ${tid} has a name`);
    const timed = events.filter(({ ph }) => ph !== "M");
    // Viewers sort the events by time. Events at the same time keep their order.
    timed.sort((a, b) => a.ts - b.ts);
    this.threads = new Map(
      [...threads].map(([tid, name]) => [name, slicesOf(timed.filter((one) => one.tid === tid))]),
    );
    const ids = new Set(timed.flatMap(({ id }) => id ?? []));
    this.connections = [...ids].map((id) => connectionOf(timed.filter((one) => one.id === id)));
    this.leftOut = timed.find(({ ph }) => ph === "i")?.args ?? { connections: 0, spans: 0 };
    this.#checkThreads();
  }

  /** @param path the path of the file */
  static read(path: string): Trace {
    return new Trace(readFileSync(path, "utf8"));
  }

  /** The spans with this name on rows of threads, each with its thread's name. */
  slices(name: string): (Span & { readonly thread: string })[] {
    return [...this.threads].flatMap(([thread, spans]) =>
      spans.filter((span) => span.name === name).map((span) => ({ ...span, thread }))
    );
  }

  /** How many connections ended in each way. */
  get outcomes(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { args } of this.connections) {
      const outcome = String(args.failure ?? args.outcome);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
    return counts;
  }

  /** Each span on a thread's row must belong to a connection, and must not begin before it. */
  #checkThreads(): void {
    const byNumber = new Map(this.connections.map((one) => [one.args.connection, one]));
    for (const [thread, spans] of this.threads) {
      for (const { name, from, to, args } of spans) {
        if (args.connection === undefined) continue;
        const connection = byNumber.get(args.connection);
        assert(connection !== undefined, `${name} on ${thread} belongs to a connection`);
        assert(from >= connection.from, `${name} on ${thread} begins after it was accepted`);
        if (name === "served") assertEquals(to, connection.to);
      }
    }
  }
}

/** Checks that an event has the fields of its phase, and no others. */
function checkEvent(event: Event): void {
  const shown = JSON.stringify(event);
  const isTime = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
  const fields = ["name", "ph", "pid", "tid"];
  assert(event.name !== "" && typeof event.name === "string", shown);
  assert(Number.isInteger(event.pid) && Number.isInteger(event.tid), shown);
  const more: Readonly<Record<string, readonly string[]>> = {
    M: ["args"],
    X: ["cat", "ts", "dur", "args"],
    b: ["cat", "ts", "id"],
    e: ["cat", "ts", "id"],
    i: ["ts", "s", "args"],
  };
  assert(more[event.ph] !== undefined, shown);
  const expected = [...fields, ...more[event.ph] ?? []];
  assertEquals(expected.filter((field) => !(field in event)), [], shown);
  const rest = Object.keys(event).filter((field) => field !== "args" && !expected.includes(field));
  assertEquals(rest, [], shown);
  if (event.ph !== "M") assert(isTime(event.ts), shown);
  if (event.ph === "X") assert(isTime(event.dur), shown);
  if (event.id !== undefined) assert(/^0x[0-9a-f]+$/.test(event.id), shown);
}

/** The spans on a thread's row. Each must lie within another one or beside it. */
function slicesOf(events: readonly Event[]): Span[] {
  const spans = events.filter(({ ph }) => ph === "X").map(({ name, ts, dur = 0, args = {} }) => ({
    name,
    from: ts,
    to: ts + dur,
    args,
  }));
  spans.sort((a, b) => a.from - b.from || b.to - a.to);
  const around: Span[] = [];
  for (const span of spans) {
    while (around.length > 0 && (around.at(-1) as Span).to <= span.from) around.pop();
    const outer = around.at(-1);
    assert(
      outer === undefined || span.to <= outer.to,
      `${JSON.stringify(span)} in ${JSON.stringify(outer)}`,
    );
    around.push(span);
  }
  return spans;
}

/**
 * A connection's row. Every beginning must have its end, and the connection must enclose them all.
 */
function connectionOf(events: readonly Event[]): TracedConnection {
  const open: Event[] = [];
  const spans: Span[] = [];
  for (const event of events) {
    assertEquals(event.cat, "connection");
    if (event.ph === "b") {
      assertEquals(event.name === "connection", open.length === 0 && spans.length === 0);
      open.push(event);
      continue;
    }
    const begin = open.pop();
    assertEquals(begin?.name, event.name);
    const { name, ts: from, args } = begin as Event;
    spans.push({ name, from, to: event.ts, args: { ...args, ...event.args } });
  }
  assertEquals(open, [], "every beginning has its end");
  const connection = spans.pop() as Span;
  assertEquals(connection.name, "connection");
  return { ...connection, spans };
}
