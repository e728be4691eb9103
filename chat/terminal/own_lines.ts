/**
 * The user's own lines, which have been on the screen since they were typed. This module finds
 * their echoes among the server's lines, so that they are not shown again.
 *
 * @module
 */

import { keyOf } from "../talk/names.ts";
import type { ServerLine } from "./server_line.ts";

/** The most lines that are remembered. The lines of a long pasted text come back much later. */
const REMEMBERED = 16 * 1024;

/** Something that was sent. What comes back comes in the order in which it was sent. */
type Sent =
  | { readonly kind: "said"; readonly text: string }
  | { readonly kind: "joined"; readonly room: string };

/** Own lines that may come back: the server echoes to users who are alone, or to everybody. */
export class OwnLines {
  #sent: Sent[] = [];

  /**
   * Something was said to the room.
   *
   * @param text the text as the server repeats it, without the name
   */
  said(text: string): void {
    this.#add({ kind: "said", text });
  }

  /**
   * A room was asked for. Nothing that was said before comes back once the room's history has
   * begun, though the same words may stand there.
   *
   * @param room the name of the room
   */
  joined(room: string): void {
    this.#add({ kind: "joined", room });
  }

  /** A new connection begins: nothing comes back. */
  reconnect(): void {
    this.#sent = [];
  }

  /**
   * Whether a line of the server is the echo of an own line.
   *
   * @param line what the server said
   * @param name the user's own name
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

  /** Takes the first match and everything before it, which did not come back; false if none. */
  #take(fits: (sent: Sent) => boolean): boolean {
    const at = this.#sent.findIndex(fits);
    this.#sent.splice(0, at + 1);
    return at >= 0;
  }
}

function isJoin(sent: Sent, room: string): boolean {
  return sent.kind === "joined" && keyOf(sent.room) === keyOf(room);
}
