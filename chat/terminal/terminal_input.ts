/**
 * What comes from the terminal: keys, and the answer to the question where the cursor is.
 *
 * @module
 */

import process from "node:process";
import { PassThrough } from "node:stream";

/** How long a terminal may take to answer, in milliseconds. Some never do. */
const ANSWER_MS = 200;

/** Asks for the position of the cursor (ECMA-48: DSR, answered with CPR). */
const ASK_POSITION = "\x1b[6n";

// deno-lint-ignore no-control-regex -- the answer begins with an escape character
const POSITION = /\x1b\[(\d{1,5});(\d{1,5})R/;

/** The beginning of such an answer, at the end of what has come. */
// deno-lint-ignore no-control-regex -- the answer begins with an escape character
const BEGUN_POSITION = /\x1b(?:\[(?:\d{1,5}(?:;\d{0,5})?)?)?$/;

/** A place on the screen, both numbers from 1. */
export interface Position {
  readonly row: number;
  readonly column: number;
}

/** Standard input, which must be a terminal. It is read key by key. */
export class TerminalInput {
  /** The keys, as the terminal sends them. */
  readonly keys: PassThrough = new PassThrough();
  #onPosition: ((position: Position | undefined) => void) | undefined;
  /** What may be the beginning of an answer. */
  #begun = "";
  #late: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor() {
    process.stdin.on("data", this.#take);
    process.stdin.on("end", this.#end);
    process.stdin.on("error", this.#end);
    this.takeTerminal();
  }

  /** Has the terminal send each key at once. A shell may have changed that in the meantime. */
  takeTerminal(): void {
    // Not only the second: a runtime that believes that it is so already does nothing.
    this.#setRaw(false);
    this.#setRaw(true);
    process.stdin.resume();
  }

  /** Gives the terminal back as it was. */
  giveTerminal(): void {
    this.#setRaw(false);
  }

  /**
   * Asks where the cursor is. What was written before counts, and what is written later does not.
   *
   * @param write writes to the terminal
   * @param done is called with the answer; with `undefined` if there is none. Not called any more
   * once something else is asked
   */
  askPosition(
    write: (text: string) => void,
    done: (position: Position | undefined) => void,
  ): void {
    this.#onPosition = done;
    clearTimeout(this.#late);
    this.#late = setTimeout(() => this.#answer(undefined), ANSWER_MS);
    write(ASK_POSITION);
  }

  /** Reads no more, and gives the terminal back. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#late);
    process.stdin.off("data", this.#take);
    process.stdin.off("end", this.#end);
    process.stdin.off("error", this.#end);
    this.giveTerminal();
    process.stdin.pause();
  }

  readonly #end = (): void => {
    this.keys.end();
  };

  readonly #take = (bytes: Uint8Array): void => {
    // Deno reads a terminal as long as there is input, and does nothing else in the meantime. While
    // a long text is pasted, nobody else would be heard and none of its lines would be sent.
    process.stdin.pause();
    setTimeout(() => {
      if (!this.#isClosed) process.stdin.resume();
    });
    this.keys.write(this.#onPosition === undefined ? bytes : this.#withoutAnswer(bytes));
  };

  /** Takes the answer out of what has come. */
  #withoutAnswer(bytes: Uint8Array): Uint8Array {
    // One character for each byte: a key may be cut in the middle of a character.
    const text = this.#begun + Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    const [answer, row, column] = POSITION.exec(text) ?? [];
    this.#begun = answer === undefined ? BEGUN_POSITION.exec(text)?.[0] ?? "" : "";
    if (answer === undefined) return bytesOf(text.slice(0, text.length - this.#begun.length));
    this.#answer({ row: Number(row), column: Number(column) });
    return bytesOf(text.replace(answer, ""));
  }

  #answer(position: Position | undefined): void {
    const done = this.#onPosition;
    clearTimeout(this.#late);
    this.#onPosition = undefined;
    const begun = this.#begun;
    this.#begun = "";
    // It was no answer after all, but a key.
    if (begun !== "") this.keys.write(bytesOf(begun));
    done?.(position);
  }

  #setRaw(isRaw: boolean): void {
    try {
      process.stdin.setRawMode(isRaw);
    } catch {
      // The terminal has gone. Reading it will tell.
    }
  }
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
