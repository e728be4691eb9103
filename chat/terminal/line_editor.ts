/**
 * The line that the user is typing at the bottom of a terminal, and what is printed above it.
 *
 * `node:readline` is the editor. It knows how many rows its line takes, and it can draw the line
 * again somewhere else. So the lines of others can be printed in between.
 *
 * @module
 */

import process from "node:process";
import { createInterface, type Interface } from "node:readline";

/** How many lines the arrow keys can go back. */
const HISTORY_LINES = 500;

/**
 * The most characters that a line may have while it is typed. That is more than can be sent, so
 * that a long line can be shortened, and not more than readline can draw again for each key.
 */
export const TYPED_CHARACTERS = 2_048;

/**
 * If a line was refused, input that follows without a pause of this many milliseconds was pasted
 * together with it. The user cannot have read yet what became of the line.
 */
const PASTE_PAUSE_MS = 200;

/** What an editor asks its owner, and what it tells. */
export interface EditorOptions {
  /**
   * Takes a line that was typed.
   *
   * @returns whether it was taken; if not, it stays in the editor to be changed or sent later
   */
  readonly onLine: (text: string) => boolean;
  /** The user wants to leave: Ctrl-D, Ctrl-C on an empty line, or the terminal is gone. */
  readonly onEnd: () => void;
  /** The line has no room for what was typed or pasted. Called once for each line. */
  readonly onFull: () => void;
  /**
   * Lines were left out. They were pasted after a line that was refused, and would have become a
   * part of it.
   */
  readonly onLeftOut: (lines: number) => void;
  /** Completes the last word of a text; returns what it could become, and the word. */
  readonly complete: (text: string) => [candidates: string[], word: string];
}

/** What `node:readline` has on both runtimes but does not declare in its types. */
interface Editor extends Interface {
  line: string;
  cursor: number;
  /** The row of the line that the cursor was in when the line was last drawn. */
  prevRows: number;
  history: string[];
  /** Takes a key, or text that was pasted. */
  _ttyWrite(text: string | undefined, key: Key): void;
}

/** A key, as `node:readline` describes it. */
interface Key {
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

const END_OF_LINE: Key = { ctrl: true, name: "e" };
const DELETE_TO_START: Key = { ctrl: true, name: "u" };

/** Standard output, with a method of Node.js that both runtimes have but do not declare. */
const output = process.stdout as typeof process.stdout & {
  /** Asks the system for the size of the terminal, and emits "resize" if it has changed. */
  _refreshSize?(): void;
};

/** A line editor on standard input and output, which must be a terminal. */
export class LineEditor {
  readonly #options: EditorOptions;
  readonly #editor: Editor;
  #isClosed = false;
  #isFull = false;
  /** Runs as long as the input counts as pasted after a refused line. */
  #leavingOut: ReturnType<typeof setTimeout> | undefined;
  #linesLeftOut = 0;
  #isInLineLeftOut = false;

  /** @param prompt the prompt before the line @param options what the editor asks and tells */
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
   * @param lines lines without line ends, which are safe to show in a terminal
   */
  async print(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${line}\r\n`).join("");
    const isTaken = output.write(this.#isClosed ? text : this.#erasure() + text);
    if (!this.#isClosed) this.#draw();
    // The terminal may have been stopped with Ctrl-S.
    if (!isTaken) await new Promise<void>((resolve) => output.once("drain", resolve));
  }

  /** Changes the prompt before the line. */
  setPrompt(prompt: string): void {
    if (this.#isClosed || prompt === this.#editor.getPrompt()) return;
    output.write(this.#erasure());
    this.#editor.setPrompt(prompt);
    this.#draw();
  }

  /**
   * Stops reading and gives the terminal back. What was typed and not sent stays on the screen. May
   * be called twice.
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
    // What became of the line takes the place of what was typed.
    output.write(`\x1b[${this.#rowsOf(text)}A\r\x1b[J`);
    if (this.#options.onLine(text)) return this.#draw();
    if (this.#isClosed) return;
    if (this.#editor.history[0] === text) this.#editor.history.shift();
    this.#draw();
    this.#editor.write(text);
    this.#leaveOut();
  };

  /** Leaves out all input from now on, up to the next pause. */
  #leaveOut(): void {
    clearTimeout(this.#leavingOut);
    this.#leavingOut = setTimeout(() => this.#takeAgain(), PASTE_PAUSE_MS);
  }

  /** Takes input again, and tells how much was left out. */
  #takeAgain(): void {
    const lines = this.#linesLeftOut;
    clearTimeout(this.#leavingOut);
    this.#leavingOut = undefined;
    this.#linesLeftOut = 0;
    this.#isInLineLeftOut = false;
    if (lines > 0) this.#options.onLeftOut(lines);
  }

  /** Whether a key belongs to what is left out. Ctrl-C, the arrows and the like come by hand. */
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

  /** Whether there is room for a key. Only keys that add to the line need room. */
  #hasRoom(text: string | undefined, key: Key): boolean {
    const isFull = this.#editor.line.length >= TYPED_CHARACTERS;
    const isTooMuch = isFull && adds(text, key);
    if (isTooMuch && !this.#isFull) this.#options.onFull();
    this.#isFull = isFull;
    return !isTooMuch;
  }

  // Deno reads a terminal as long as there is input, and does nothing else in the meantime. While a
  // long text is pasted, nobody else would be heard and none of its lines would be sent.
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

  // Most terminals wrap long lines anew when their width changes, and the cursor moves along.
  readonly #onResize = (): void => {
    this.#editor.prevRows = this.#editor.getCursorPos().rows;
  };

  #end(): void {
    this.close();
    this.#options.onEnd();
  }

  /** The escape sequence that goes to the start of the prompt and clears the screen from there. */
  #erasure(): string {
    // The signal for a changed width (SIGWINCH) may not have been delivered yet.
    output._refreshSize?.();
    const { rows } = this.#editor.getCursorPos();
    this.#editor.prevRows = 0;
    return `${rows > 0 ? `\x1b[${rows}A` : ""}\r\x1b[J`;
  }

  #draw(): void {
    if (!this.#isClosed) this.#editor.prompt(true);
  }

  /** How many rows the prompt, the text and the line end after them have taken. */
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
