/**
 * The line that a person is typing at the bottom of a terminal, and what is printed above it.
 *
 * `node:readline` is the editor. It knows how many rows its line takes, and draws it again where it
 * is told to: that is how others' lines can come in between.
 *
 * @module
 */

import process from "node:process";
import { createInterface, type Interface } from "node:readline";

/** How many lines the arrow keys go back. */
const HISTORY_LINES = 500;

/**
 * The most characters that a line may have while it is typed: more than can be sent, so that it can
 * be cut, and no more than readline can draw with each key.
 */
export const TYPED_CHARACTERS = 2_048;

/**
 * What goes on without a pause of so many milliseconds after a line that was not taken was pasted
 * with it: nobody has read yet what became of the line.
 */
const PASTE_PAUSE_MS = 200;

/** What an editor asks and tells. */
export interface EditorOptions {
  /**
   * Takes a line that was typed.
   *
   * @returns whether it did; else the line is typed again, to be changed or sent later
   */
  readonly onLine: (text: string) => boolean;
  /** The person wants no more: Ctrl-D, Ctrl-C on an empty line, or the terminal is gone. */
  readonly onEnd: () => void;
  /** Something was typed or pasted for which the line has no room: told once for each line. */
  readonly onFull: () => void;
  /**
   * Lines were left out that were pasted after one that was not taken, which they would have become
   * a part of.
   */
  readonly onLeftOut: (lines: number) => void;
  /** Completes the last word of a text: what it could become, and the word. */
  readonly complete: (text: string) => [candidates: string[], word: string];
}

/** What `node:readline` has on both runtimes and its types do not tell. */
interface Editor extends Interface {
  line: string;
  cursor: number;
  /** In which row of the line the cursor was when it was drawn. */
  prevRows: number;
  history: string[];
  /** Takes a key, or text that was pasted. */
  _ttyWrite(text: string | undefined, key: Key): void;
}

/** A key, as `node:readline` is told of it. */
interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

const END_OF_LINE: Key = { ctrl: true, name: "e" };
const DELETE_TO_START: Key = { ctrl: true, name: "u" };

/** Standard output, with what both runtimes have of Node.js's and its types do not tell. */
const output = process.stdout as typeof process.stdout & {
  /** Asks the system for the terminal's size, and tells of the change if there was one. */
  _refreshSize?(): void;
};

/** A line editor on standard input and output, which must be a terminal. */
export class LineEditor {
  readonly #options: EditorOptions;
  readonly #editor: Editor;
  #isClosed = false;
  #isFull = false;
  /** Runs while what comes was pasted after a line that was not taken. */
  #leavingOut: ReturnType<typeof setTimeout> | undefined;
  #linesLeftOut = 0;
  #isInLineLeftOut = false;

  /** @param prompt what stands before the line @param options what it asks and tells */
  constructor(prompt: string, options: EditorOptions) {
    this.#options = options;
    // Before readline's own listener, which draws the line again at once.
    output.on("resize", this.#onResize);
    this.#editor = createInterface({
      input: process.stdin,
      output,
      terminal: true,
      prompt,
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
      completer: options.complete,
    }) as Editor;
    const take = this.#editor._ttyWrite.bind(this.#editor);
    this.#editor._ttyWrite = (text, key = {}) => {
      if (!this.#isLeftOut(text, key) && this.#hasRoom(text, key)) take(text, key);
    };
    process.stdin.on("data", this.#onInput);
    this.#editor.on("line", this.#onLine);
    this.#editor.on("SIGINT", this.#onInterrupt);
    this.#editor.on("close", this.#onClose);
    this.#editor.prompt();
  }

  /**
   * Prints lines above the one that is being typed.
   *
   * @param lines without their ends, fit for a terminal
   */
  async print(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${line}\r\n`).join("");
    const isTaken = output.write(this.#isClosed ? text : this.#erasure() + text);
    if (!this.#isClosed) this.#draw();
    // A terminal may be stopped, with Ctrl-S.
    if (!isTaken) await new Promise<void>((resolve) => output.once("drain", resolve));
  }

  /** Changes what stands before the line. */
  setPrompt(prompt: string): void {
    if (this.#isClosed || prompt === this.#editor.getPrompt()) return;
    output.write(this.#erasure());
    this.#editor.setPrompt(prompt);
    this.#draw();
  }

  /**
   * Reads no more and gives the terminal back. What was typed and not sent is left on the screen.
   * May be called again.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    output.off("resize", this.#onResize);
    process.stdin.off("data", this.#onInput);
    clearTimeout(this.#leavingOut);
    const { line } = this.#editor;
    if (line === "") output.write(this.#erasure());
    else {
      this.#editor.write(null, END_OF_LINE);
      output.write("\r\n");
    }
    this.#editor.close();
  }

  readonly #onLine = (text: string): void => {
    // Instead of what was typed stands, from now on, what became of it.
    output.write(`\x1b[${this.#rowsOf(text)}A\r\x1b[J`);
    if (this.#options.onLine(text)) return this.#draw();
    if (this.#isClosed) return;
    if (this.#editor.history[0] === text) this.#editor.history.shift();
    this.#draw();
    this.#editor.write(text);
    this.#leaveOut();
  };

  /** Leaves out what comes from now on, up to the next pause. */
  #leaveOut(): void {
    clearTimeout(this.#leavingOut);
    this.#leavingOut = setTimeout(() => this.#takeAgain(), PASTE_PAUSE_MS);
  }

  /** Leaves out nothing more, and tells what was. */
  #takeAgain(): void {
    const lines = this.#linesLeftOut;
    clearTimeout(this.#leavingOut);
    this.#leavingOut = undefined;
    this.#linesLeftOut = 0;
    this.#isInLineLeftOut = false;
    if (lines > 0) this.#options.onLeftOut(lines);
  }

  /** Whether a key is part of what is left out. Ctrl-C, the arrows and their like come by hand. */
  #isLeftOut(text: string | undefined, key: Key): boolean {
    if (this.#leavingOut === undefined) return false;
    const endsLine = key.name === "return" || key.name === "enter";
    if (!endsLine && key.name !== "tab" && !adds(text, key)) {
      this.#takeAgain();
      return false;
    }
    if (!endsLine && !this.#isInLineLeftOut) this.#linesLeftOut++;
    this.#isInLineLeftOut = !endsLine;
    this.#leaveOut();
    return true;
  }

  /** Whether a key can be taken. Only what adds to the line needs room. */
  #hasRoom(text: string | undefined, key: Key): boolean {
    const isFull = this.#editor.line.length >= TYPED_CHARACTERS;
    const isTooMuch = isFull && adds(text, key);
    if (isTooMuch && !this.#isFull) this.#options.onFull();
    this.#isFull = isFull;
    return !isTooMuch;
  }

  // Deno reads a terminal for as long as it has something, and does nothing else: while a long text
  // is pasted, what others say would not be heard, nor a line of it be sent.
  readonly #onInput = (): void => {
    process.stdin.pause();
    setTimeout(() => {
      if (!this.#isClosed) process.stdin.resume();
    });
  };

  readonly #onInterrupt = (): void => {
    if (this.#editor.line === "") return this.#end();
    this.#editor.write(null, END_OF_LINE);
    this.#editor.write(null, DELETE_TO_START);
  };

  readonly #onClose = (): void => {
    if (!this.#isClosed) this.#end();
  };

  // Most terminals fold long lines anew when their width changes, and the cursor goes with them.
  readonly #onResize = (): void => {
    this.#editor.prevRows = this.#editor.getCursorPos().rows;
  };

  #end(): void {
    this.close();
    this.#options.onEnd();
  }

  /** Goes to where the prompt begins and clears the screen from there. */
  #erasure(): string {
    // The signal that tells of another width (SIGWINCH) may not have been delivered yet.
    output._refreshSize?.();
    const { rows } = this.#editor.getCursorPos();
    this.#editor.prevRows = 0;
    return `${rows > 0 ? `\x1b[${rows}A` : ""}\r\x1b[J`;
  }

  #draw(): void {
    if (!this.#isClosed) this.#editor.prompt(true);
  }

  /** How many rows prompt and text have taken, after the line end that followed them. */
  #rowsOf(text: string): number {
    const editor = this.#editor;
    const { line, cursor } = editor;
    editor.line = text;
    editor.cursor = text.length;
    const { rows } = editor.getCursorPos();
    editor.line = line;
    editor.cursor = cursor;
    return rows + 1;
  }
}

/** Whether a key adds to the line. */
function adds(text = "", key: Key): boolean {
  return text >= " " && text !== "\x7f" && key.ctrl !== true && key.meta !== true;
}
