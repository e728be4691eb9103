/**
 * Takes lines out of the bytes that `nc`, `telnet` and the like send.
 *
 * @module
 */

import {
  type Protocol,
  READ,
  READ_BEGUN,
  READ_REST,
  type ReadAnswer,
  type ReadEffect,
} from "../../protocols/effects.ts";
import { stripControls } from "../../protocols/text.ts";

/** The most bytes that a line may have, not counting its line end. */
export const LINE_LIMIT = 1024;

/** The most bytes of a telnet subnegotiation. One that goes on beyond them is given up. */
const SUBNEGOTIATION_LIMIT = 512;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NUL = 0x00;

/** The character that begins files on Windows, the byte order mark. */
const BYTE_ORDER_MARK = "\ufeff";

/** The telnet commands (RFC 854) that matter here. Each follows an IAC. */
const IAC = 0xff;
const DONT = 0xfe;
const WILL = 0xfb;
const SUBNEGOTIATION = 0xfa;
const INTERRUPT = 0xf4;
const SUBNEGOTIATION_END = 0xf0;

/** The first of all telnet commands: the end of a file (RFC 1184). The others follow it. */
const FIRST_COMMAND = 0xec;

/** How many bytes are kept ready for a line. Most users say little, and many say nothing. */
const SHORT_LINE = 64;

/** Decodes whole lines, so all readers share it. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The position in a telnet command after the last byte. */
type Telnet = "none" | "command" | "option" | "subnegotiation" | "subnegotiation command";

/** A line, or what came instead of one. */
export type Line =
  /** A line of text that is safe to show to others. */
  | { readonly kind: "line"; readonly text: string }
  /** More bytes than a line may have. The rest, up to the line end, is skipped. */
  | { readonly kind: "too long" }
  /** Ctrl-C in `telnet`. */
  | { readonly kind: "interrupt" };

const TOO_LONG: Line = { kind: "too long" };
const INTERRUPTED: Line = { kind: "interrupt" };

/**
 * Takes lines out of a stream of bytes, wherever the network has cut it.
 *
 * A line ends with `\n`, `\r\n` or telnet's `\r\0`. Telnet commands are removed. UTF-8 is decoded,
 * and invalid bytes become U+FFFD. Control characters and escape sequences are removed, and so is a
 * byte order mark at the beginning of a line. The reader never buffers more than one line of the
 * longest permitted length.
 *
 * A byte 255 that no telnet command follows is text: it is a letter in many old code pages. A line
 * end is never a part of an option, for that would be one of two (10 and 13) that have been out of
 * use for decades, while many words end that way in Windows-1251.
 */
export class LineReader {
  #line = new Uint8Array(SHORT_LINE);
  #length = 0;
  #isSkipping = false;
  /** Whether the rest of the line was asked for already. */
  #hasBegun = false;
  #sawReturn = false;
  #telnet: Telnet = "none";
  /** The command of the option whose number is the next byte. */
  #optionCommand = DONT;
  #subnegotiated = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;

  /**
   * Adds the bytes of a read. All lines of the previous read must have been taken.
   *
   * @param chunk must not change until {@linkcode LineReader.next} finds nothing more in it
   */
  add(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Takes the next line; `undefined` if the rest of it has not come yet. */
  next(): Line | undefined {
    const chunk = this.#chunk;
    while (this.#at < chunk.length) {
      const byte = chunk[this.#at++] as number;
      const line = this.#telnet === "none" && byte !== IAC
        ? this.#take(byte)
        : this.#takeTelnet(byte);
      if (line !== undefined) return line;
    }
    return undefined;
  }

  /** The read for what comes next: another line, or the rest of one. */
  get read(): ReadEffect {
    const isInside = this.#length > 0 || this.#isSkipping || this.#sawReturn;
    if (!isInside) return READ;
    const effect = this.#hasBegun ? READ_REST : READ_BEGUN;
    this.#hasBegun = true;
    return effect;
  }

  /** Takes the unfinished line when nothing more can come: the last line needs no line end. */
  last(): Line | undefined {
    const tooLong = this.#takeUnfinishedTelnet();
    if (tooLong !== undefined) return tooLong;
    const isLine = this.#length > 0 && !this.#isSkipping;
    return isLine ? this.#finish() : undefined;
  }

  /** Takes a byte of text. */
  #take(byte: number): Line | undefined {
    if (this.#sawReturn) {
      this.#sawReturn = false;
      // A lone carriage return is a control character like any other.
      if (byte === NUL || byte === LINE_FEED) return this.#finish();
    }
    if (byte === LINE_FEED) return this.#finish();
    if (byte === CARRIAGE_RETURN) {
      this.#sawReturn = true;
      return undefined;
    }
    if (this.#isSkipping) return undefined;
    if (this.#length === LINE_LIMIT) {
      this.#isSkipping = true;
      return TOO_LONG;
    }
    if (this.#length === this.#line.length) {
      const longer = new Uint8Array(LINE_LIMIT);
      longer.set(this.#line);
      this.#line = longer;
    }
    this.#line[this.#length++] = byte;
    return undefined;
  }

  #finish(): Line | undefined {
    const text = decoder.decode(this.#line.subarray(0, this.#length));
    const wasSkipping = this.#isSkipping;
    this.#length = 0;
    this.#isSkipping = false;
    this.#hasBegun = false;
    if (wasSkipping) return undefined;
    const shown = stripControls(text);
    // Not only on the first line: several files may be sent one after another.
    return { kind: "line", text: shown.startsWith(BYTE_ORDER_MARK) ? shown.slice(1) : shown };
  }

  /** Takes a byte of a telnet command. */
  #takeTelnet(byte: number): Line | undefined {
    switch (this.#telnet) {
      case "none":
        this.#telnet = "command";
        return undefined;
      case "command":
        if (byte < FIRST_COMMAND) return this.#takeAsText();
        this.#telnet = byte === SUBNEGOTIATION
          ? "subnegotiation"
          : byte >= WILL && byte <= DONT
          ? "option"
          : "none";
        this.#subnegotiated = 0;
        this.#optionCommand = byte;
        if (byte === INTERRUPT) return INTERRUPTED;
        // A doubled IAC stands for the byte 255 itself.
        return byte === IAC ? this.#take(byte) : undefined;
      case "option":
        if (byte === LINE_FEED || byte === CARRIAGE_RETURN) return this.#takeAsText();
        this.#telnet = "none";
        return undefined;
      case "subnegotiation":
        this.#telnet = byte === IAC ? "subnegotiation command" : "subnegotiation";
        break;
      case "subnegotiation command":
        this.#telnet = byte === SUBNEGOTIATION_END ? "none" : "subnegotiation";
    }
    if (++this.#subnegotiated > SUBNEGOTIATION_LIMIT) this.#telnet = "none";
    return undefined;
  }

  /** What began like a telnet command was none. The byte that shows this is taken once more. */
  #takeAsText(): Line | undefined {
    this.#at--;
    return this.#takeUnfinishedTelnet();
  }

  /** Takes the bytes as text that could have become a telnet command. */
  #takeUnfinishedTelnet(): Line | undefined {
    const begun = this.#telnet;
    this.#telnet = "none";
    if (begun !== "command" && begun !== "option") return undefined;
    const tooLong = this.#take(IAC);
    return begun === "option" ? this.#take(this.#optionCommand) ?? tooLong : tooLong;
  }
}

/**
 * Reads the next line.
 *
 * @param lines the reader of the connection, the same object for every call
 * @param withinMs how long each read may take, in milliseconds; 0 means no limit
 * @param pace is run after each read, with the number of bytes that it brought
 * @returns the line; `null` at the peer's FIN; `undefined` if nothing came in time
 */
export function* readChatLine(
  lines: LineReader,
  withinMs: number,
  pace?: (bytes: number) => Protocol,
): Protocol<Line | null | undefined> {
  for (;;) {
    const line = lines.next();
    if (line !== undefined) return line;
    const { read } = lines;
    const chunk: ReadAnswer = yield withinMs > 0 ? { ...read, withinMs } : read;
    if (chunk === undefined) return undefined;
    if (chunk === null) return lines.last() ?? null;
    lines.add(chunk);
    if (pace !== undefined) yield* pace(chunk.length);
  }
}
