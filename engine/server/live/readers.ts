/**
 * Those who read along: a queue for each of them, bounded. Whoever is too slow for what happens is
 * told counts, and how much was left out. When it is fast enough again, it is told how things are now.
 * Nobody waits for it.
 *
 * @module
 */

import { Knowledge, type Known, type Line } from "./known.ts";

/** A line, and its text: all readers share it. */
export interface Item {
  readonly line: Line;
  readonly text: string;
}

/** Makes an item. @param line the line */
export function itemOf(line: Line): Item {
  return { line, text: JSON.stringify(line) };
}

/**
 * How many characters may wait for a reader that has not taken its last lines yet, and for one that
 * has: whatever happens at once, nobody can have taken it meanwhile.
 */
const MOST_CHARS = 256 * 1024;
const MOST_CHARS_AT_ONCE = 2 * 1024 * 1024;

/**
 * A reader that is called so often before it comes for more does not keep up. That is counted, and no
 * time is measured: on a busy machine everything takes longer, also what the reader has no part in.
 */
const SLOW_CALLS = 3;

/** How many sentences are kept for a reader that is slow. */
const MOST_NOTES = 64;

/** The types of lines that a slow reader is told too: the latest of each, and of each listener. */
const COUNTS: ReadonlySet<string> = new Set(["counters", "figures", "listener"]);

/** What is left out, as `left_out` calls it. */
const LEFT_OUT: { readonly [type in Line["type"]]?: string } = {
  begun: "connections",
  span: "spans",
  socket: "sockets",
};

/** Whether a line tells a count. Who accepts from a listener is none, and belongs to the picture. */
function isCount(line: Line): boolean {
  return COUNTS.has(line.type) && (line.type !== "listener" || line.waiting !== undefined);
}

/** What a line counts: of several listeners each has a queue of its own. */
function countOf(line: Line): string {
  return line.type === "listener" ? `${line.type} ${line.cookie ?? line.local}` : line.type;
}

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
  readonly #known = new Knowledge();
  /** Whether it is told counts only, until it is told how things are. */
  #isBehind = false;
  readonly #leftOut = new Map<string, number>();
  readonly #counts = new Map<string, Item>();
  readonly #notes: Item[] = [];
  /** How often it was called since it has taken something, and did not come for more. */
  #missed = 0;
  #isOver = false;
  /** The last line, until it is taken: whoever is slow is told of the end too. */
  #last: Item | undefined;
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
      this.#isBehind || this.#isOver;
  }

  /** Whether it is told counts only. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Something was told to nobody. As soon as it takes more, it is told how things are. */
  fallBehind(): void {
    this.#isBehind = true;
  }

  /** Adds a line. It never waits. */
  add(item: Item): void {
    if (this.#isOver) return;
    if (this.#isBehind) return this.#leave(item);
    this.#queue.push(item);
    this.#chars += item.text.length;
    const isWaiting = this.#waiter !== undefined;
    if (this.#chars <= (isWaiting ? MOST_CHARS_AT_ONCE : MOST_CHARS)) return;
    this.#isBehind = true;
    const queue = this.#queue;
    this.#queue = [];
    this.#chars = 0;
    for (const left of queue) this.#leave(left);
  }

  #leave(item: Item): void {
    const { type } = item.line;
    if (isCount(item.line)) this.#counts.set(countOf(item.line), item);
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
    const isPrompt = this.#missed < SLOW_CALLS;
    this.#missed = 0;
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
    if (this.#isBehind && (isPrompt || this.#isOver)) {
      this.#isBehind = false;
      for (const { line } of taken) this.#known.learn(line);
      for (const line of this.#present.lines(this.#known)) taken.push(itemOf(line));
    }
    taken.push(...this.#notes.splice(0), ...this.#counts.values());
    this.#counts.clear();
    if (this.#last !== undefined) taken.push(this.#last);
    this.#last = undefined;
    for (const { line } of taken) this.#known.learn(line);
    return taken.length === 0 && this.#isOver ? undefined : taken.map(({ text }) => text);
  }

  /** Has it called back once when there is something for it. @returns forgets that again */
  wait(waiter: () => void): () => void {
    this.#waiter = waiter;
    return () => this.#waiter = undefined;
  }

  /** Calls it: it is called back if it waits, and if there is something for it. */
  wake(): void {
    const waiter = this.#waiter;
    if (waiter === undefined) this.#missed++;
    else if (this.isReady) {
      this.#waiter = undefined;
      waiter();
    }
  }

  /** Nothing will come any more. @param last the last line */
  end(last: Item): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#last = last;
    this.wake();
  }
}
