/**
 * Whose turn it is on an event loop, in shared memory: if the loop gets stuck, the thread that watches
 * it can say with whom (`loop_watch.ts`).
 *
 * A turn costs two stores. Who the connections are is written down when they begin, for the last ones
 * of each loop: what runs for ever has mostly begun lately. Of an older one it is not known who it is.
 * The memory lies behind the heartbeats.
 *
 * @module
 */

/** For how many connections of a loop it is known who they are. A power of two. */
const ENTRIES = 4096;

/** An entry: the number of the connection, the length of the text, and the text. */
const ENTRY_BYTES = 64;
const TEXT = 5;

/** In front of the entries: the number of the connection whose turn it is, and 0 between turns. */
const HEAD_BYTES = 64;

/** How much memory a loop needs for this, in bytes. Untouched pages of it cost nothing. */
export const TURN_BYTES: number = HEAD_BYTES + ENTRIES * ENTRY_BYTES;

const encoder = new TextEncoder();

/** The part of one loop. */
class Turns {
  protected readonly words: Int32Array;
  protected readonly bytes: Uint8Array;

  /**
   * @param memory where the parts of all loops are
   * @param offset where this part begins, in bytes
   */
  constructor(memory: SharedArrayBuffer, offset: number) {
    this.words = new Int32Array(memory, offset, TURN_BYTES / 4);
    this.bytes = new Uint8Array(memory, offset, TURN_BYTES);
  }

  /** Where the entry of a connection is, in bytes. */
  protected entryOf(number: number): number {
    return HEAD_BYTES + (number & ENTRIES - 1) * ENTRY_BYTES;
  }
}

/** The loop's side. */
export class TurnNote extends Turns {
  #count = 0;

  /**
   * A conversation begins.
   *
   * @param peer with whom, for people
   * @returns its number, which is never 0
   */
  add(peer: string): number {
    this.#count = (this.#count % 0x7fff_ffff) + 1;
    const number = this.#count;
    const at = this.entryOf(number);
    // `encodeInto` takes no shared memory on every runtime.
    const text = encoder.encode(peer).subarray(0, ENTRY_BYTES - TEXT);
    // Nobody reads an entry whose number is not there.
    Atomics.store(this.words, at / 4, 0);
    this.bytes[at + TEXT - 1] = text.length;
    this.bytes.set(text, at + TEXT);
    Atomics.store(this.words, at / 4, number);
    return number;
  }

  /**
   * The turn of a conversation begins or ends.
   *
   * @param number its number; 0 for none
   * @returns whose turn it was before
   */
  pass(number: number): number {
    const before = this.words[0] as number;
    this.words[0] = number;
    return before;
  }
}

/** The side of those who watch. */
export class TurnReader extends Turns {
  /** The number of the conversation whose turn it is; 0 if it is nobody's. */
  get number(): number {
    return Atomics.load(this.words, 0);
  }

  /**
   * With whom the conversation is whose turn it is.
   *
   * @returns `undefined` if it is nobody's turn, or if that is not known any more
   */
  read(): string | undefined {
    const number = Atomics.load(this.words, 0);
    const at = this.entryOf(number);
    if (number === 0 || Atomics.load(this.words, at / 4) !== number) return undefined;
    const length = this.bytes[at + TEXT - 1] as number;
    const peer = new TextDecoder().decode(this.bytes.slice(at + TEXT, at + TEXT + length));
    return Atomics.load(this.words, at / 4) === number ? peer : undefined;
  }
}
