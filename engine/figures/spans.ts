/**
 * Intervals of time that can be asked what was at a moment, and moments that can be counted.
 *
 * Lines of a recording come nearly in the order of time. So both are kept sorted by putting what is
 * new to its place from the end.
 *
 * @module
 */

/** An interval, in microseconds since the recording began. */
export interface Interval {
  readonly at: number;
  readonly to: number;
}

/** How many of some things that are in the order of time have begun at a moment. */
function countUpTo<Item>(items: readonly Item[], atOf: (item: Item) => number, us: number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (atOf(items[middle] as Item) <= us) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts something to its place in the order of time. Returns the place. */
function insert<Item>(items: Item[], atOf: (item: Item) => number, item: Item): number {
  const us = atOf(item);
  const last = items.at(-1);
  if (last === undefined || atOf(last) <= us) return items.push(item) - 1;
  const at = countUpTo(items, atOf, us);
  items.splice(at, 0, item);
  return at;
}

const atOf = ({ at }: { readonly at: number }) => at;
const itself = (us: number) => us;

/** Intervals in the order of their beginnings. No two of them are at the same time. */
export class Spans<Span extends Interval> {
  readonly #weight: (span: Span) => number;
  #spans: Span[] = [];
  /** How much all spans before each one weigh, those that were forgotten too. */
  #before: number[] = [];
  #forgotten = 0;

  /** @param weight how much a span counts for {@linkcode Spans.weightAt} */
  constructor(weight: (span: Span) => number = () => 1) {
    this.#weight = weight;
  }

  /** The spans. */
  get all(): readonly Span[] {
    return this.#spans;
  }

  /** Adds a span. */
  add(span: Span): void {
    const at = insert(this.#spans, atOf, span);
    const last = at - 1;
    let sum = last < 0
      ? this.#forgotten
      : this.#before[last] as number + this.#weight(this.#spans[last] as Span);
    this.#before.splice(at, 0, sum);
    for (let index = at; index < this.#spans.length; index++) {
      this.#before[index] = sum;
      sum += this.#weight(this.#spans[index] as Span);
    }
  }

  /** The span in which a moment lies. */
  find(us: number): Span | undefined {
    const last = this.#spans[countUpTo(this.#spans, atOf, us) - 1];
    return last !== undefined && us < last.to ? last : undefined;
  }

  /** The last span that had begun at a moment, whether it was over or not. */
  last(us: number): Span | undefined {
    return this.#spans[countUpTo(this.#spans, atOf, us) - 1];
  }

  /** How much the spans weigh that were over at a moment. */
  weightAt(us: number): number {
    const index = countUpTo(this.#spans, atOf, us) - 1;
    if (index < 0) return this.#forgotten;
    const last = this.#spans[index] as Span;
    return this.#before[index] as number + (last.to <= us ? this.#weight(last) : 0);
  }

  /** Forgets spans that were over at a moment. */
  forget(beforeUs: number): void {
    const from = this.#spans.findIndex(({ to }) => to >= beforeUs);
    const count = from < 0 ? this.#spans.length : from;
    if (count === 0) return;
    const last = this.#spans[count - 1] as Span;
    this.#forgotten = this.#before[count - 1] as number + this.#weight(last);
    this.#spans = this.#spans.slice(count);
    this.#before = this.#before.slice(count);
  }
}

/** Something that was so from a moment on. */
export interface Stated<Value> {
  readonly at: number;
  readonly value: Value;
}

/** What was so from when on. */
export class Course<Value> {
  #states: Stated<Value>[] = [];

  /** Adds what is so from a moment on. */
  add(at: number, value: Value): void {
    insert(this.#states, atOf, { at, value });
  }

  /** Everything that was so, in the order of time. */
  get all(): readonly Stated<Value>[] {
    return this.#states;
  }

  /** How many states have begun at a moment. */
  countAt(us: number): number {
    return countUpTo(this.#states, atOf, us);
  }

  /** What is so at a moment; `undefined` if nothing was known yet. */
  at(us: number): Value | undefined {
    return this.last(us)?.value;
  }

  /** The same, and since when it is so. */
  last(us: number): Stated<Value> | undefined {
    return this.#states[this.countAt(us) - 1];
  }

  /** Forgets what was no longer so at a moment. */
  forget(beforeUs: number): void {
    const count = this.countAt(beforeUs) - 1;
    if (count > 0) this.#states = this.#states.slice(count);
  }
}

/** Moments that are counted. */
export class Moments {
  #moments: number[] = [];
  #forgotten = 0;

  /** Adds a moment. */
  add(us: number): void {
    insert(this.#moments, itself, us);
  }

  /** How many there have been at a moment. */
  countAt(us: number): number {
    return this.#forgotten + countUpTo(this.#moments, itself, us);
  }

  /** Keeps only the count of those before a moment. */
  forget(beforeUs: number): void {
    const from = this.#moments.findIndex((us) => us >= beforeUs);
    const count = from < 0 ? this.#moments.length : from;
    this.#forgotten += count;
    this.#moments = this.#moments.slice(count);
  }
}
