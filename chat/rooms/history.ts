/**
 * The last lines of a room, for those who join it.
 *
 * @module
 */

/** How much of a room's talk is kept. */
export interface HistoryLimits {
  /** The most lines. */
  readonly lines: number;
  /** The most bytes. */
  readonly bytes: number;
}

/** The last lines of a room. */
export class History {
  readonly #limits: HistoryLimits;
  readonly #lines: Uint8Array[] = [];
  #bytes = 0;

  /** @param limits how much to keep */
  constructor(limits: HistoryLimits) {
    this.#limits = limits;
  }

  /** The lines, the oldest first. */
  get lines(): readonly Uint8Array[] {
    return this.#lines;
  }

  /** Adds a line, and forgets the oldest lines if there are too many. */
  add(line: Uint8Array): void {
    this.#lines.push(line);
    this.#bytes += line.length;
    while (this.#lines.length > this.#limits.lines || this.#bytes > this.#limits.bytes) {
      this.#bytes -= (this.#lines.shift() as Uint8Array).length;
    }
  }
}
