/**
 * What comes from the terminal: keys, text that was pasted, and the answer to the question where the
 * cursor is.
 *
 * @module
 */

import process from "node:process";
import { PassThrough } from "node:stream";

/**
 * How long a terminal may take to answer, in milliseconds, and for the rest of a sequence. Some never
 * answer, and what looks like a beginning may be a key.
 */
const ANSWER_MS = 200;

/** Asks for the position of the cursor (ECMA-48: DSR, answered with CPR). */
const ASK_POSITION = "\x1b[6n";

/** Asks the terminal to put marks around what is pasted (xterm's bracketed paste), or not to. */
const MARK_PASTED = "\x1b[?2004h";
const MARK_NOTHING = "\x1b[?2004l";

/** The marks around what was pasted, and the answer with a position. */
// deno-lint-ignore no-control-regex -- they begin with an escape character
const SEQUENCE = /\x1b\[(?:20([01])~|(\d{1,5});(\d{1,5})R)/;

/** The beginning of one of them, at the end of what has come. */
// deno-lint-ignore no-control-regex -- they begin with an escape character
const BEGUN_SEQUENCE = /\x1b(?:\[(?:\d{1,5}(?:;\d{0,5})?)?)?$/;

const ESCAPE = 0x1b;

/** A place on the screen, both numbers from 1. */
export interface Position {
  readonly row: number;
  readonly column: number;
}

/** Standard input, which must be a terminal. It is read key by key. */
export class TerminalInput {
  /** The keys, as the terminal sends them. */
  readonly keys: PassThrough = new PassThrough();
  #isPasting = false;
  #onPosition: ((position: Position | undefined) => void) | undefined;
  /** What may be the beginning of a sequence. */
  #begun = "";
  #begunLate: ReturnType<typeof setTimeout> | undefined;
  #late: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor() {
    process.stdin.on("data", this.#take);
    process.stdin.on("end", this.#end);
    process.stdin.on("error", this.#end);
    this.takeTerminal();
  }

  /**
   * Whether the key that comes is part of what was pasted. A terminal that does not tell pastes as
   * if everything were typed.
   */
  get isPasting(): boolean {
    return this.#isPasting;
  }

  /** Has the terminal send each key at once. A shell may have changed that in the meantime. */
  takeTerminal(): void {
    // Not only the second: a runtime that believes that it is so already does nothing.
    this.#setRaw(false);
    this.#setRaw(true);
    process.stdout.write(MARK_PASTED);
    process.stdin.resume();
  }

  /** Gives the terminal back as it was. */
  giveTerminal(): void {
    process.stdout.write(MARK_NOTHING);
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
    clearTimeout(this.#begunLate);
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
    if (this.#begun === "" && !bytes.includes(ESCAPE)) return this.#emit(bytes);
    clearTimeout(this.#begunLate);
    // One character for each byte: a key may be cut in the middle of a character.
    this.#split(this.#begun + Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    if (this.#begun !== "") this.#begunLate = setTimeout(() => this.#emitBegun(), ANSWER_MS);
  };

  /** Takes the sequences out of what has come, and hands on the keys between them. */
  #split(text: string): void {
    let rest = text;
    for (let found = SEQUENCE.exec(rest); found !== null; found = SEQUENCE.exec(rest)) {
      const [sequence, mark, row, column] = found;
      const isAnswer = mark === undefined;
      // Without a question it is a key. With Shift some terminals send F3 like this.
      const isKey = isAnswer && this.#onPosition === undefined;
      this.#emit(bytesOf(rest.slice(0, found.index + (isKey ? sequence.length : 0))));
      rest = rest.slice(found.index + sequence.length);
      if (!isAnswer) this.#isPasting = mark === "0";
      else if (!isKey) this.#answer({ row: Number(row), column: Number(column) });
    }
    this.#begun = BEGUN_SEQUENCE.exec(rest)?.[0] ?? "";
    this.#emit(bytesOf(rest.slice(0, rest.length - this.#begun.length)));
  }

  #answer(position: Position | undefined): void {
    const done = this.#onPosition;
    clearTimeout(this.#late);
    this.#onPosition = undefined;
    done?.(position);
  }

  /** The beginning of a sequence was none, but a key. */
  #emitBegun(): void {
    const begun = this.#begun;
    this.#begun = "";
    this.#emit(bytesOf(begun));
  }

  /** Hands on keys. They are taken before this returns, so that `isPasting` holds for each. */
  #emit(bytes: Uint8Array): void {
    if (bytes.length > 0) this.keys.emit("data", bytes);
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
