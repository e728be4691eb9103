/**
 * What a person sees while a measurement goes on: a line, on a narrow terminal two, drawn anew in
 * their place. Where it goes into a pipe there is a line every few seconds, for logs.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import stringWidth from "string-width";
import { clip, render, type Screen, wrap } from "./screen.ts";
import { formatCount, formatRate, formatTime } from "./units.ts";

/** How often a line is written where none can be drawn over, in milliseconds. */
const LINE_MS = 5_000;

/** How long the bar is, in characters. */
const CELLS = 20;

/** The least of the first part of a line that tells what it is, in characters. */
const LEAST_FIRST = 12;

/** How far to the right a sentence goes on in its next line, in characters. */
const INDENT = 2;

/** What stands between two parts. */
const GAP = "  ";

// Without wrapping a terminal that has just become narrower shows the beginning of the line.
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const CLEAR_REST = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";
const UP = "\x1b[A";

/** How far a measurement has come. */
export interface Progress {
  /** What is measured, for instance `threadpool · deno, 2 of 3`. */
  readonly title: string;
  /** From 0 to 1; `undefined` where nobody knows. */
  readonly share?: number;
  /** Seconds to go; `undefined` where nobody knows. */
  readonly left_s?: number;
  /** Requests answered in the last second. */
  readonly rate: number;
  /** Response times so far, in microseconds. */
  readonly p50_us: number;
  readonly p99_us: number;
  /** Requests that failed so far. */
  readonly errors: number;
}

/** A part of the line; those with the highest numbers give way first. */
interface Part {
  readonly text: string;
  readonly order: number;
  readonly isBad?: boolean;
}

/** How far it has come, and how it does. */
interface Parts {
  readonly where: readonly [title: Part, ...Part[]];
  readonly how: readonly [rate: Part, ...Part[]];
}

/** The line or lines; they are taken away when it is disposed. */
export class LiveDisplay implements Disposable {
  readonly #screen: Screen;
  readonly #now: () => number;
  #writtenAt = -Infinity;
  /** How many lines are drawn. */
  #drawn = 0;
  #isGone = false;

  /**
   * @param screen where it appears: standard error, so that results can go elsewhere
   * @param now the time in milliseconds
   */
  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
  }

  /**
   * Shows how far it has come; as often as one likes.
   *
   * @param progress what has become of it
   */
  show(progress: Progress): void {
    const { where, how } = partsOf(progress);
    if (this.#screen.isTerminal) {
      const columns = this.#columns();
      const all = [...where, ...how] as const;
      const lines = widthOf(all) <= columns ? [all] : [where, how];
      const home = this.#home();
      this.#drawn = lines.length;
      const drawn = lines.map((parts) => this.#compose(parts, columns)).join(`${CLEAR_REST}\r\n`);
      this.#write(`${home}${NO_WRAP}${drawn}${CLEAR_BELOW}${WRAP}`);
    } else if (this.#now() - this.#writtenAt >= LINE_MS) {
      this.#writtenAt = this.#now();
      const [title, ...others] = where;
      const parts = others.filter(({ text }) => !text.startsWith("["));
      this.#write(`${this.#compose([title, ...parts, ...how], Infinity)}\n`);
    }
  }

  /**
   * Says something that stays, above the line.
   *
   * @param text a line, without its line end; on a narrow terminal it becomes several
   */
  say(text: string): void {
    this.clear();
    this.#write(`${wrap(escapeText(text), this.#columns(), INDENT).join("\n")}\n`);
  }

  /** Takes the lines away, until they are shown again. */
  clear(): void {
    if (this.#drawn > 0) this.#write(`${this.#home()}${CLEAR_BELOW}`);
    this.#drawn = 0;
  }

  [Symbol.dispose](): void {
    this.clear();
  }

  /** The last column stays free: some terminals go on to the next line when it is filled. */
  #columns(): number {
    return this.#screen.columns() - 1;
  }

  /** The beginning of what is drawn. */
  #home(): string {
    return `${UP.repeat(Math.max(0, this.#drawn - 1))}\r`;
  }

  #compose([first, ...others]: readonly [Part, ...Part[]], columns: number): string {
    let parts = others;
    const least = { ...first, text: clip(first.text, LEAST_FIRST) };
    while (widthOf([least, ...parts]) > columns && parts.length > 0) {
      const last = Math.max(...parts.map(({ order }) => order));
      parts = parts.filter(({ order }) => order !== last);
    }
    const room = columns - widthOf(parts) - (parts.length > 0 ? GAP.length : 0);
    return [
      render(this.#screen, "bold", clip(first.text, room)),
      ...parts.map(({ text, isBad }) => isBad ? render(this.#screen, "red", text) : text),
    ].join(GAP);
  }

  #write(text: string): void {
    if (this.#isGone) return;
    try {
      this.#screen.write(text);
    } catch {
      // The terminal was closed: nobody is left to see it.
      this.#isGone = true;
    }
  }
}

function partsOf(progress: Progress): Parts {
  const { title, share, left_s, rate, p50_us, p99_us, errors } = progress;
  const time = (us: number) => (rate > 0 ? formatTime(us) : "–").padStart(7);
  return {
    where: [
      { text: escapeText(title), order: 0 },
      ...(share === undefined ? [] : [
        { text: `[${bar(share)}]`, order: 3 },
        { text: `${Math.floor(clamp(share) * 100)} %`.padStart(5), order: 1 },
      ]),
      ...(left_s === undefined ? [] : [{ text: `${formatLeft(left_s)} left`, order: 2 }]),
    ],
    how: [
      { text: formatRate(rate).padStart(8), order: 0 },
      { text: `p50 ${time(p50_us)}`, order: 3 },
      { text: `p99 ${time(p99_us)}`, order: 2 },
      { text: `errors ${formatCount(errors)}`, order: 1, isBad: errors > 0 },
    ],
  };
}

function widthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { text }) => sum + GAP.length + stringWidth(text), -GAP.length);
}

function bar(share: number): string {
  const filled = Math.floor(clamp(share) * CELLS);
  return "#".repeat(filled) + ".".repeat(CELLS - filled);
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** For instance `8 s` or `2:05 min`. */
function formatLeft(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}
