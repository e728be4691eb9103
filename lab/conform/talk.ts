/**
 * One connection of the checker: what is sent over it, what comes back, and what was said so far.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { Connection } from "../../engine/net/transport.ts";
import { escapeBytes } from "../../protocols/text.ts";
import type { Caller, CallOptions } from "./caller.ts";
import { Inbox } from "./inbox.ts";

/** How much of what was said is shown, in characters. */
const SHOWN = 240;

/** How much is kept of what was said, to be shown, in bytes. */
const KEPT = 512;

/** How much is shown of one message, in bytes. */
const SHOWN_PIECE = 80;

/** How many unread bytes are kept before the server is held back. */
const UNREAD_LIMIT = 4 * 1024 * 1024;

/** How to open a connection, and how its client reads. */
export interface TalkOptions extends CallOptions {
  /** Whether the client never reads. @default {false} */
  readonly isDeaf?: boolean;
  /** Whether it throws away what it reads. @default {false} */
  readonly forgets?: boolean;
}

/** A connection that is read all the time, unless it is told not to. */
export class Talk {
  /** What has come. */
  readonly inbox: Inbox = new Inbox();
  readonly #connection: Connection;
  readonly #forgets: boolean;
  /** What was sent, in pieces, for people. */
  readonly #sent: string[] = [];
  #kept = 0;
  /** The beginning of what came, for people. */
  #heard: Uint8Array = new Uint8Array(0);
  #isOver = false;

  private constructor(connection: Connection, { isDeaf, forgets }: TalkOptions) {
    this.#connection = connection;
    this.#forgets = forgets === true;
    if (isDeaf !== true) void this.#listen();
  }

  /**
   * Connects.
   *
   * @param caller how
   * @param options how long it may take, and how the client reads
   * @throws {Error} if there is no connection
   */
  static async open(caller: Caller, options: TalkOptions): Promise<Talk> {
    return new Talk(await caller.call(options), options);
  }

  /**
   * Sends bytes in pieces.
   *
   * @param pieces each goes with a call of its own
   * @param gapMs how long to wait between two of them, in milliseconds
   * @returns whether all were taken; otherwise the server has gone, and reading tells how
   */
  async send(pieces: readonly Uint8Array[], gapMs = 0): Promise<boolean> {
    for (const [index, piece] of pieces.entries()) {
      if (index > 0 && gapMs > 0) await delay(gapMs);
      this.#note(piece);
      try {
        await this.#connection.write(piece);
      } catch {
        return false;
      }
    }
    return true;
  }

  /**
   * Sends bytes as long as the kernel takes them at once.
   *
   * @returns whether it took all of them. If not, nothing more can be sent
   */
  post(bytes: Uint8Array): boolean {
    this.#note(bytes);
    const nothing = () => {};
    return this.#connection.push(bytes, {
      onRead: nothing,
      onWritten: nothing,
      onError: nothing,
    });
  }

  /** Sends FIN. */
  finish(): void {
    this.#sent.push("FIN");
    try {
      this.#connection.closeWrite();
    } catch {
      // The connection has gone. Reading tells how.
    }
  }

  /** Ends the connection with RST, where that is possible. */
  reset(): void {
    this.#isOver = true;
    this.#connection.reset();
  }

  /** Closes the connection. */
  close(): void {
    this.#isOver = true;
    this.#connection.close();
  }

  /** What was sent so far, for people. */
  get sent(): string {
    return shorten(this.#sent.join(" ")) || "nothing";
  }

  /** What has come so far, for people. */
  get received(): string {
    const { total, ending } = this.inbox;
    const more = total > this.#heard.length ? ` … ${total} bytes` : "";
    const said = total === 0 ? "" : `"${shorten(escapeBytes(this.#heard))}"${more}`;
    const end = ending === "fin" ? "FIN" : ending === "reset" ? "RST" : "";
    return [said, end].filter(Boolean).join(" ") || "nothing";
  }

  #note(bytes: Uint8Array): void {
    const room = Math.min(KEPT - this.#kept, SHOWN_PIECE);
    if (room <= 0 || bytes.length === 0) return;
    const shown = bytes.subarray(0, room);
    this.#kept += shown.length;
    const more = shown.length < bytes.length ? ` … ${bytes.length} bytes` : "";
    this.#sent.push(`"${escapeBytes(shown)}"${more}`);
  }

  async #listen(): Promise<void> {
    const { inbox } = this;
    for (;;) {
      let bytes: Uint8Array | null;
      try {
        bytes = await this.#connection.read();
      } catch {
        if (!this.#isOver) inbox.end("reset");
        return;
      }
      if (bytes === null) return inbox.end("fin");
      if (this.#heard.length < KEPT) {
        const heard = new Uint8Array(Math.min(KEPT, this.#heard.length + bytes.length));
        heard.set(this.#heard);
        heard.set(bytes.subarray(0, heard.length - this.#heard.length), this.#heard.length);
        this.#heard = heard;
      }
      inbox.add(bytes);
      if (this.#forgets) inbox.take(inbox.length);
      while (inbox.length > UNREAD_LIMIT && !this.#isOver) await inbox.change(1_000);
      if (this.#isOver) return;
    }
  }
}

/** The beginning and the end of what is too long to show. */
function shorten(text: string): string {
  if (text.length <= SHOWN) return text;
  const half = SHOWN / 2 - 2;
  return `${text.slice(0, half)} … ${text.slice(-half)}`;
}
