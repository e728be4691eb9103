/**
 * The line that the user is typing at the bottom of a terminal, and what is printed above it.
 *
 * `node:readline` is the editor: it knows the keys, the history and completion. It draws nothing,
 * because it would have to know how many columns each character takes, and terminals differ about
 * that. If its idea was wrong, it would erase rows that are not its own. Here the line is always on
 * one row, and a long line scrolls sideways. The terminal is told not to wrap while the row is
 * drawn, and finds the cursor's place by itself. So whatever a character's width is, the row stays
 * one row, and nothing else is ever erased.
 *
 * @module
 */

import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { escapeText } from "../../protocols/text.ts";
import { withoutTowers } from "../talk/looks.ts";
import { type Position, TerminalInput } from "./terminal_input.ts";
import { type Row, snap, TypedRow } from "./typed_row.ts";

/** How many lines the arrow keys can go back. */
const HISTORY_LINES = 500;

/**
 * The most characters that a line may have while it is typed. That is more than can be sent, so
 * that a long line can be shortened, and not more than can be drawn again for each key.
 */
export const TYPED_CHARACTERS = 2_048;

/**
 * If a line was refused, input that follows without a pause of this many milliseconds was pasted
 * together with it. The user cannot have read yet what became of the line.
 */
const PASTE_PAUSE_MS = 200;

/** After how long a process that should have been stopped goes on as if it had been. */
const STOP_MS = 50;

/** Control functions (ECMA-48, DEC): to the start of the row, erasing from there to the end. */
const ERASE = "\r\x1b[J";
const ERASE_REST = "\x1b[K";
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const KEEP_CURSOR = "\x1b7";
const CURSOR_BACK = "\x1b8";

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
  readonly #input = new TerminalInput();
  readonly #editor: Editor;
  readonly #row = new TypedRow();
  /** The row as it stands on the screen; `undefined` if the cursor may be anywhere. */
  #drawn: (Row & { readonly columns: number }) | undefined;
  #isDrawing = false;
  #isClosed = false;
  #isFull = false;
  #wasTab = false;
  /** Runs as long as the input counts as pasted after a refused line. */
  #leavingOut: ReturnType<typeof setTimeout> | undefined;
  #linesLeftOut = 0;
  #isInLineLeftOut = false;

  /** @param prompt the prompt before the line @param options what the editor asks and tells */
  constructor(prompt: string, options: EditorOptions) {
    this.#options = options;
    output.on("resize", this.#onResize);
    process.on("SIGCONT", this.#onContinue);
    this.#editor = createInterface({
      input: this.#input.keys,
      output: nowhere(),
      terminal: true,
      prompt,
      historySize: HISTORY_LINES,
      removeHistoryDuplicates: true,
    }) as Editor;
    const take = this.#editor._ttyWrite.bind(this.#editor);
    this.#editor._ttyWrite = (text, key = {}) => {
      if (key.ctrl === true && key.name === "z") return this.#stop();
      if (!this.#isLeftOut(text, key) && this.#hasRoom(text, key)) this.#take(take, text, key);
    };
    this.#editor.on("line", this.#onLine);
    this.#editor.on("SIGINT", this.#onInterrupt);
    this.#editor.on("close", this.#onClose);
    this.#draw();
  }

  /**
   * Prints lines above the one that is being typed.
   *
   * @param lines lines without line ends, which are safe to show in a terminal
   */
  async print(lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${line}\r\n`).join("");
    const isTaken = this.#isClosed ? output.write(text) : this.#draw(ERASE + text);
    // The terminal may have been stopped with Ctrl-S.
    if (!isTaken) await new Promise<void>((resolve) => output.once("drain", resolve));
  }

  /** Changes the prompt before the line. */
  setPrompt(prompt: string): void {
    if (this.#isClosed || prompt === this.#editor.getPrompt()) return;
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
    process.off("SIGCONT", this.#onContinue);
    clearTimeout(this.#leavingOut);
    const { line } = this.#editor;
    const typed = `${this.#editor.getPrompt()}${withoutTowers(escapeText(line))}\r\n`;
    output.write(ERASE + (line === "" ? "" : typed));
    this.#editor.close();
    this.#input.close();
  }

  /** Hands a key to readline, and shows what becomes of it. */
  #take(take: Editor["_ttyWrite"], text: string | undefined, key: Key): void {
    const isTab = key.name === "tab" && !this.#input.isPasting;
    const editor = this.#editor;
    if (isTab) this.#complete();
    else take(text, key);
    const isMove = key.ctrl !== true && key.meta !== true;
    if (isMove && (key.name === "left" || key.name === "right")) {
      editor.cursor = snap(editor.line, editor.cursor, key.name === "left");
    }
    this.#wasTab = isTab;
    this.#drawSoon();
  }

  /**
   * Completes the word before the cursor. If there is nothing to add, the second Tab shows what it
   * could become. Readline could do this too, but it takes a Tab for text if more keys come with it.
   */
  #complete(): void {
    const editor = this.#editor;
    const before = editor.line.slice(0, editor.cursor);
    const [candidates, word] = this.#options.complete(before);
    const start = commonStart(candidates);
    if (start.length > word.length) {
      const completed = before.slice(0, before.length - word.length) + start;
      editor.line = completed + editor.line.slice(editor.cursor);
      editor.cursor = completed.length;
    } else if (this.#wasTab && candidates.length > 1) {
      void this.print([candidates.map((candidate) => candidate.trim()).join("  ")]);
    }
  }

  readonly #onLine = (text: string): void => {
    // What became of the line takes the place of what was typed.
    this.#drawSoon();
    if (this.#options.onLine(text) || this.#isClosed) return;
    if (this.#editor.history[0] === text) this.#editor.history.shift();
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

  readonly #onInterrupt = (): void => {
    if (this.#editor.line === "") return this.#end();
    this.#editor.write(null, END_OF_LINE);
    this.#editor.write(null, DELETE_TO_START);
    this.#drawSoon();
  };

  readonly #onClose = (): void => {
    if (!this.#isClosed) this.#end();
  };

  // A row that is longer than the window is wide now has been wrapped by most terminals, and cut by
  // others. Only the terminal knows which.
  readonly #onResize = (): void => {
    const drawn = this.#drawn;
    const columns = columnsNow();
    if (this.#isClosed || drawn === undefined || drawn.columns === columns) return;
    if (drawn.width <= columns || drawn.column === undefined) return void this.#draw(ERASE);
    this.#input.askPosition((text) => output.write(text), (position) => {
      // What was written in the meantime has moved the cursor.
      if (this.#isClosed || this.#drawn !== drawn) return;
      if (columns !== columnsNow()) return this.#onResize();
      const rows = position === undefined ? 0 : rowsAbove(drawn, columns, position);
      this.#draw(rows > 0 ? `\x1b[${rows}A${ERASE}` : ERASE);
    });
  };

  /** Stops this process and those that belong to it, as Ctrl-Z does where no program reads keys. */
  #stop(): void {
    output.write(ERASE);
    this.#drawn = undefined;
    this.#input.giveTerminal();
    process.kill(0, "SIGTSTP");
    // Without a shell that could continue it, the kernel does not stop it, and there is no SIGCONT.
    setTimeout(this.#onContinue, STOP_MS);
  }

  // The shell has had the terminal in the meantime, and the window may have another size.
  readonly #onContinue = (): void => {
    if (this.#isClosed) return;
    this.#drawn = undefined;
    this.#input.takeTerminal();
    this.#draw();
  };

  #end(): void {
    this.close();
    this.#options.onEnd();
  }

  /** Draws the row when all keys are taken that came together. */
  #drawSoon(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => {
      this.#isDrawing = false;
      this.#draw();
    });
  }

  /**
   * Draws the row where the cursor is.
   *
   * @param before what is written first
   * @returns whether the terminal takes more
   */
  #draw(before = ""): boolean {
    if (this.#isClosed) return true;
    const { line, cursor } = this.#editor;
    const columns = columnsNow();
    const row = this.#row.lay(this.#editor.getPrompt(), line, cursor, columns);
    this.#drawn = { ...row, columns };
    return output.write(
      `${before}\r${NO_WRAP}${row.before}${KEEP_CURSOR}${row.after}${ERASE_REST}${CURSOR_BACK}${WRAP}`,
    );
  }
}

/** What all texts begin with, in whatever case, as the first of them spells it. */
function commonStart([first = "", ...others]: readonly string[]): string {
  const lower = others.map((other) => other.toLowerCase());
  let length = first.length;
  while (!lower.every((other) => other.startsWith(first.slice(0, length).toLowerCase()))) length--;
  return first.slice(0, length);
}

/** Where readline draws: nobody sees it. */
function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

/** The width of the terminal. The signal for a changed width may not have been delivered yet. */
function columnsNow(): number {
  output._refreshSize?.();
  return output.columns || 80;
}

/**
 * How many rows above the cursor's a row begins that the terminal has wrapped, as far as that is
 * certain. Where the terminal did not wrap it, the cursor stands in another column.
 */
function rowsAbove({ column }: Row, columns: number, position: Position): number {
  if (column === undefined || position.column === columns) return 0;
  const isWrapped = position.column === column % columns + 1;
  return isWrapped ? Math.min(Math.floor(column / columns), position.row - 1) : 0;
}

/** Whether a key adds to the line. */
function adds(text = "", key: Key): boolean {
  return text >= " " && text !== "\x7f" && key.ctrl !== true && key.meta !== true;
}
