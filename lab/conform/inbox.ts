/**
 * What a server has sent and nobody has judged yet.
 *
 * @module
 */

import { isWithin } from "../../engine/values/pause.ts";

/** How the server's side of a connection has ended. */
export type Ending = "fin" | "reset";

/** The bytes of one connection, in the order in which they came. */
export class Inbox {
  #bytes = new Uint8Array(1024);
  #from = 0;
  #to = 0;
  #total = 0;
  #ending: Ending | undefined;
  #changed = Promise.withResolvers<void>();

  /** What was not taken yet. It is valid until more comes. */
  get unread(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#to);
  }

  /** How many bytes were not taken yet. */
  get length(): number {
    return this.#to - this.#from;
  }

  /** How many bytes have come so far. */
  get total(): number {
    return this.#total;
  }

  /** How it has ended; `undefined` while more may come. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Adds what has come. */
  add(bytes: Uint8Array): void {
    this.#total += bytes.length;
    if (this.#to + bytes.length > this.#bytes.length) this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#to);
    this.#to += bytes.length;
    this.#change();
  }

  /** Notes the end. */
  end(how: Ending): void {
    this.#ending ??= how;
    this.#change();
  }

  /** Takes some of the unread bytes away. */
  take(count: number): void {
    this.#from += count;
    if (this.#from === this.#to) this.#from = this.#to = 0;
    this.#change();
  }

  /**
   * Waits until something changes.
   *
   * @param ms how long at most
   * @returns whether something has changed
   */
  change(ms: number): Promise<boolean> {
    return isWithin(ms, this.#changed.promise);
  }

  #makeRoom(more: number): void {
    const unread = this.unread;
    const size = Math.max(this.#bytes.length, 2 * (unread.length + more));
    const bytes = size === this.#bytes.length ? this.#bytes : new Uint8Array(size);
    // `set` copies correctly within one buffer too.
    bytes.set(unread);
    this.#bytes = bytes;
    this.#from = 0;
    this.#to = unread.length;
  }

  #change(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}
