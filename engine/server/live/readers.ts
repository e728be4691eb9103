/**
 * Those who read along: a queue for each of them, bounded. Whoever is too slow for what happens is
 * told counts, and how much was left out. When it is fast enough again, it is told how things are now.
 * Nobody waits for it.
 *
 * @module
 */

import type { Event, Header, SocketEvent } from "../../recording/events.ts";

/** A line of a recording. */
export type Line = Header | Event;

/** A line, and its text: all readers share it. */
export interface Item {
  readonly line: Line;
  readonly text: string;
}

/** Makes an item. @param line the line */
export function itemOf(line: Line): Item {
  return { line, text: JSON.stringify(line) };
}

/** How many characters may wait for a reader. */
const MOST_CHARS = 256 * 1024;

/** A reader that comes for more after this time at the latest keeps up, in milliseconds. */
const PROMPT_MS = 300;

/** How many sentences are kept for a reader that is slow. */
const MOST_NOTES = 64;

/** The types of lines that a slow reader is told too: the latest of each. */
const COUNTS: ReadonlySet<string> = new Set(["counters", "figures", "listener"]);

/** What is left out, as `left_out` calls it. */
const LEFT_OUT: { readonly [type in Line["type"]]?: string } = {
  begun: "connections",
  span: "spans",
  socket: "sockets",
};

/** What a reader knows to be there. */
export interface Known {
  /** Connections, by their numbers. */
  readonly connections: ReadonlySet<number>;
  /** Sockets, by their cookies. */
  readonly sockets: ReadonlyMap<string, SocketEvent>;
}

/** A reader that has just come knows nothing. */
export const NOTHING_KNOWN: Known = { connections: new Set(), sockets: new Map() };

/** Tells a reader how things are now. */
export interface Present {
  /**
   * The lines that say so.
   *
   * @param known what the reader knows to be there
   */
  lines(known: Known): Iterable<Line>;
  /** The time, as lines have it. */
  now(): number;
}

/** Somebody who reads. */
export class Reader {
  readonly #present: Present;
  #queue: Item[] = [];
  #chars = 0;
  /** What it knows to be there. */
  readonly #known = { connections: new Set<number>(), sockets: new Map<string, SocketEvent>() };
  /** Whether it is told counts only. */
  #isBehind = false;
  readonly #leftOut = new Map<string, number>();
  readonly #counts = new Map<string, Item>();
  readonly #notes: Item[] = [];
  #tookAt = 0;
  #isOver = false;
  /** Is called when there is something for it. */
  #waiter: (() => void) | undefined;

  /** @param present tells how things are now @param first the lines that it begins with */
  constructor(present: Present, first: Iterable<Line>) {
    this.#present = present;
    for (const line of first) this.#queue.push(itemOf(line));
  }

  /** Whether there is something for it to take, or nothing will come any more. */
  get isReady(): boolean {
    return this.#queue.length > 0 || this.#counts.size > 0 || this.#notes.length > 0 ||
      this.#isOver;
  }

  /** Whether it is told counts only. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Adds a line. It never waits. */
  add(item: Item): void {
    if (this.#isOver) return;
    if (this.#isBehind) return this.#leave(item);
    this.#queue.push(item);
    this.#chars += item.text.length;
    if (this.#chars <= MOST_CHARS) return;
    this.#isBehind = true;
    const queue = this.#queue;
    this.#queue = [];
    this.#chars = 0;
    for (const left of queue) this.#leave(left);
  }

  #leave(item: Item): void {
    const { type } = item.line;
    if (COUNTS.has(type)) this.#counts.set(type, item);
    else if (type === "note" && this.#notes.length < MOST_NOTES) this.#notes.push(item);
    else this.leaveOut(LEFT_OUT[type] ?? "events", 1);
  }

  /** Says that something was left out. @param what a plural @param count how many */
  leaveOut(what: string, count: number): void {
    if (count > 0) this.#leftOut.set(what, (this.#leftOut.get(what) ?? 0) + count);
  }

  /**
   * Takes what there is. It may have to be told how things are now, so this may take a while.
   *
   * @returns the texts of lines; `undefined` if nothing will come any more
   */
  take(): readonly string[] | undefined {
    const now = performance.now();
    const isPrompt = now - this.#tookAt < PROMPT_MS;
    this.#tookAt = now;
    const taken = this.#queue;
    this.#queue = [];
    this.#chars = 0;
    if (this.#leftOut.size > 0) {
      const at = this.#present.now();
      for (const [what, count] of this.#leftOut) {
        taken.push(itemOf({ type: "left_out", at, count, what }));
      }
      this.#leftOut.clear();
    }
    if (this.#isBehind && isPrompt) {
      this.#isBehind = false;
      for (const { line } of taken) this.#learn(line);
      for (const line of this.#present.lines(this.#known)) taken.push(itemOf(line));
    }
    taken.push(...this.#notes.splice(0), ...this.#counts.values());
    this.#counts.clear();
    for (const { line } of taken) this.#learn(line);
    return taken.length === 0 && this.#isOver ? undefined : taken.map(({ text }) => text);
  }

  #learn(line: Line): void {
    const { connections, sockets } = this.#known;
    if (line.type === "begun") connections.add(line.connection);
    else if (line.type === "over") connections.delete(line.connection);
    else if (line.type !== "socket") return;
    else if (line.state === "CLOSE") sockets.delete(line.cookie);
    else sockets.set(line.cookie, line);
  }

  /** Has it called back once when there is something for it. @returns forgets that again */
  wait(waiter: () => void): () => void {
    this.#waiter = waiter;
    return () => this.#waiter = undefined;
  }

  /** Calls back if there is something for it. */
  wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined || !this.isReady) return;
    this.#waiter = undefined;
    waiter();
  }

  /** Nothing will come any more. @param last the last line */
  end(last: Item): void {
    if (this.#isOver) return;
    this.add(last);
    this.#isOver = true;
    this.wake();
  }
}
