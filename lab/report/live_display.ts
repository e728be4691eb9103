/**
 * What people see during a measurement: one line, or two on a narrow terminal, redrawn in place. In
 * a pipe it writes a line every few seconds instead, for logs.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import stringWidth from "string-width";
import {
  CLEAR_BELOW,
  CLEAR_REST,
  clip,
  NO_WRAP,
  render,
  type Screen,
  WRAP,
  wrap,
} from "./screen.ts";
import { formatCount, formatRate, formatTime } from "../../engine/values/units.ts";

/** How often it writes a line if it cannot redraw, in milliseconds. */
const LINE_MS = 5_000;

/** The length of the bar, in characters. */
const CELLS = 20;

/** How much of a line's first part must stay for people to recognise it, in characters. */
const LEAST_FIRST = 12;

/** The indent of a sentence's further lines, in characters. */
const INDENT = 2;

/** The gap between two parts. */
const GAP = "  ";

const UP = "\x1b[A";

/** The progress of a measurement. */
export interface Progress {
  /** What is measured, for instance `threadpool · deno, 2 of 3`. */
  readonly title: string;
  /** From 0 to 1; `undefined` if it is not known. */
  readonly share?: number;
  /** Seconds to go; `undefined` if they are not known. */
  readonly left_s?: number;
  /** Requests answered in the last second. */
  readonly rate: number;
  /** Response times in the last second, in microseconds; `null` if there were too few. */
  readonly p50_us: number | null;
  readonly p99_us: number | null;
  /** Requests that failed so far. */
  readonly errors: number;
}

/** A part of the line. The parts with the highest numbers are left out first. */
interface Part {
  readonly text: string;
  readonly order: number;
  readonly isBad?: boolean;
}

/** Where the measurement is, and how it goes. */
interface Parts {
  readonly where: readonly [title: Part, ...Part[]];
  readonly how: readonly [rate: Part, ...Part[]];
}

/** The line or lines. Disposing of the display removes them. */
export class LiveDisplay implements Disposable {
  readonly #screen: Screen;
  readonly #now: () => number;
  #writtenAt = -Infinity;
  /** How many lines are on the screen. */
  #drawn = 0;
  #isGone = false;

  /**
   * @param screen where the line appears: standard error, so that results can go elsewhere
   * @param now returns the time in milliseconds
   */
  constructor(screen: Screen, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
  }

  /**
   * Shows the progress. It may be called as often as you like.
   *
   * @param progress the progress
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
   * Prints a sentence that stays, above the line.
   *
   * @param text one line, without its line end; on a narrow terminal it becomes several
   */
  say(text: string): void {
    this.clear();
    this.#write(`${wrap(escapeText(text), this.#columns(), INDENT).join("\n")}\n`);
  }

  /** Removes the lines until they are shown again. */
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

  /** Moves to the beginning of what is drawn. */
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
  const time = (us: number | null) => formatTime(rate > 0 ? us : null).padStart(7);
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
