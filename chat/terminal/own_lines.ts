/**
 * One's own lines, which stand on the screen since they were typed: which of the server's lines
 * are their echo and need not be shown again.
 *
 * @module
 */

import { keyOf } from "../talk/names.ts";
import type { ServerLine } from "./server_line.ts";

/** The most lines that are waited for: those of a long text that is pasted come back much later. */
const REMEMBERED = 16 * 1024;

/** Something that was sent, and comes back in the order in which it was sent, if it does. */
type Sent =
  | { readonly kind: "said"; readonly text: string }
  | { readonly kind: "joined"; readonly room: string };

/** One's own lines that may come back. The server returns them to who is alone, or to all. */
export class OwnLines {
  #sent: Sent[] = [];

  /**
   * Something was said to the room.
   *
   * @param text as the server repeats it, without the name
   */
  said(text: string): void {
    this.#add({ kind: "said", text });
  }

  /**
   * A room was asked for. What was said before does not come back after its history has begun,
   * where the same words may stand.
   *
   * @param room its name
   */
  joined(room: string): void {
    this.#add({ kind: "joined", room });
  }

  /** A new connection begins: nothing comes back. */
  reconnect(): void {
    this.#sent = [];
  }

  /**
   * Whether a line of the server is the echo of one's own.
   *
   * @param line what the server said
   * @param name one's own name
   */
  isEcho(line: ServerLine, name: string | undefined): boolean {
    if (line.kind === "notice") {
      const [, room] = /^you are in (\S+)$/.exec(line.text) ?? [];
      if (room !== undefined) this.#take((sent) => isJoin(sent, room));
      return false;
    }
    if (line.kind !== "talk" || line.name !== name) return false;
    return this.#take((sent) => sent.kind === "said" && sent.text === line.text);
  }

  #add(sent: Sent): void {
    this.#sent.push(sent);
    if (this.#sent.length > REMEMBERED) this.#sent.shift();
  }

  /** Takes what fits, and all before it: that did not come back. Says whether there was any. */
  #take(fits: (sent: Sent) => boolean): boolean {
    const at = this.#sent.findIndex(fits);
    this.#sent.splice(0, at + 1);
    return at >= 0;
  }
}

function isJoin(sent: Sent, room: string): boolean {
  return sent.kind === "joined" && keyOf(sent.room) === keyOf(room);
}
