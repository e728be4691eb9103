/**
 * The journal of a thread that a system call may block for hours.
 *
 * To post a message for each line would cost more than the handshake that the line is about. So a
 * thread writes its lines into a ring of shared memory. It wakes the main thread once, and not
 * again before the main thread has read. The main thread empties the ring whether or not the other
 * thread runs. A full ring drops lines and counts them: log lines must never slow the server.
 *
 * @module
 */

import type { Journal, LogEvent } from "./journal.ts";

// Control words. HEAD counts the bytes taken, and only the reader writes it. TAIL counts the bytes
// put, and only the writer writes it.
const HEAD = 0;
const TAIL = 1;
const WOKEN = 2;
const DROPPED = 3;
const CONTROL_BYTES = 64;

/** How many bytes of lines a ring holds. It is a power of two, because the counters wrap. */
const RING_BYTES = 32 * 1024;

/** How many bytes of shared memory a journal needs. */
export const JOURNAL_BYTES = CONTROL_BYTES + RING_BYTES;

/**
 * The header of a record: two bytes of length, one byte of kind and four bytes of number. The text
 * follows.
 */
const HEADER_BYTES = 7;
const REPORT = 0;
const LOG = 1;

/** The longest text of one record, in bytes: people need no more. */
const TEXT_BYTES = 4 * 1024;

/** What both sides of a ring share. */
class JournalRing {
  protected readonly words: Int32Array;
  protected readonly bytes: Uint8Array;

  /**
   * @param memory shared memory
   * @param offset where the ring begins, in bytes
   */
  constructor(memory: SharedArrayBuffer, offset: number) {
    this.words = new Int32Array(memory, offset, CONTROL_BYTES / 4);
    this.bytes = new Uint8Array(memory, offset + CONTROL_BYTES, RING_BYTES);
  }
}

/** The writing thread's side. */
export class JournalWriter extends JournalRing implements Journal {
  readonly wantsReports: boolean;
  readonly wantsLog: boolean;
  readonly #wake: () => void;
  readonly #numbers: Int32Array;
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #encoder = new TextEncoder();
  readonly #text = new Uint8Array(TEXT_BYTES);

  /**
   * @param memory shared with the reader
   * @param offset where the ring begins, in bytes
   * @param numbers a shared word that numbers the records of all threads, so that they can be put
   * in order
   * @param wants whether anybody reads the reports and the log
   * @param wake wakes the main thread
   */
  constructor(
    memory: SharedArrayBuffer,
    offset: number,
    numbers: Int32Array,
    wants: { readonly reports: boolean; readonly log: boolean },
    wake: () => void,
  ) {
    super(memory, offset);
    this.wantsReports = wants.reports;
    this.wantsLog = wants.log;
    this.#numbers = numbers;
    this.#wake = wake;
  }

  report(message: string): void {
    this.#put(REPORT, message);
  }

  log(event: LogEvent): void {
    this.#put(LOG, JSON.stringify(event));
  }

  #put(kind: number, text: string): void {
    const { written, read } = this.#encoder.encodeInto(text, this.#text);
    const { words } = this;
    const tail = Atomics.load(words, TAIL);
    const used = (tail - Atomics.load(words, HEAD)) | 0;
    // Half an event cannot be parsed, but half a message can still be read.
    const isWhole = read === text.length || kind === REPORT;
    if (!isWhole || used + HEADER_BYTES + written > RING_BYTES) {
      Atomics.add(words, DROPPED, 1);
    } else {
      const number = Atomics.add(this.#numbers, 0, 1);
      const header = this.#header;
      header[0] = written;
      header[1] = written >> 8;
      header[2] = kind;
      for (let byte = 0; byte < 4; byte++) header[3 + byte] = number >> (8 * byte);
      this.#copy(tail, header);
      this.#copy(tail + HEADER_BYTES, this.#text.subarray(0, written));
      Atomics.store(words, TAIL, (tail + HEADER_BYTES + written) | 0);
    }
    if (Atomics.exchange(words, WOKEN, 1) === 0) this.#wake();
  }

  #copy(to: number, source: Uint8Array): void {
    const at = to & (RING_BYTES - 1);
    const first = Math.min(source.length, RING_BYTES - at);
    this.bytes.set(source.subarray(0, first), at);
    this.bytes.set(source.subarray(first), 0);
  }
}

/** A record that a thread has put into its ring. */
export interface JournalRecord {
  /** Its number among the records of all threads. It wraps at 2^32. */
  readonly number: number;
  /** Passes it to a journal. */
  tell(journal: Journal): void;
}

/**
 * Takes out of the rings of several threads what they have written.
 *
 * Whatever one thread has written before another one wrote comes before that. But the rings are read
 * one after another, and a thread whose ring was read already may write more, and another one after
 * it. So what is numbered only after the reading has begun is left for the next time.
 *
 * @param readers the rings
 * @param numbers the shared word that numbers their records
 * @returns the records, the oldest first
 */
export function drainJournals(
  readers: readonly JournalReader[],
  numbers: Int32Array,
): JournalRecord[] {
  // This comes first: what is left has to wake the main thread again.
  for (const reader of readers) reader.listen();
  const end = Atomics.load(numbers, 0);
  return readers.flatMap((reader) => reader.take(end))
    .sort((a, b) => (a.number - b.number) | 0);
}

/** The main thread's side. {@linkcode drainJournals} reads. */
export class JournalReader extends JournalRing {
  readonly #decoder = new TextDecoder();

  /** From now on the next record wakes the main thread again. */
  listen(): void {
    Atomics.store(this.words, WOKEN, 0);
  }

  /**
   * Takes records out of the ring.
   *
   * @param end the number from which on they are left there
   * @returns the thread's records, the oldest first
   */
  take(end: number): JournalRecord[] {
    const { words } = this;
    const records: JournalRecord[] = [];
    const tail = Atomics.load(words, TAIL);
    let head = Atomics.load(words, HEAD);
    while (head !== tail) {
      const header = new DataView(this.#copy(head, HEADER_BYTES).buffer);
      const number = header.getInt32(3, true);
      if (((number - end) | 0) >= 0) break;
      const length = header.getUint16(0, true);
      const text = this.#decoder.decode(this.#copy(head + HEADER_BYTES, length));
      const isReport = header.getUint8(2) === REPORT;
      records.push({
        number,
        tell: (journal) => isReport ? journal.report(text) : journal.log(JSON.parse(text)),
      });
      head = (head + HEADER_BYTES + length) | 0;
      Atomics.store(words, HEAD, head);
    }
    const dropped = Atomics.exchange(words, DROPPED, 0);
    if (dropped > 0) {
      const text = "{dropped} lines were dropped: they came faster than they could be read";
      const number = records.at(-1)?.number ?? (end - 1) | 0;
      records.push({
        number,
        tell: (journal) => journal.log({ level: "warning", text, properties: { dropped } }),
      });
    }
    return records;
  }

  /** Copies bytes, because text cannot be decoded from shared memory. */
  #copy(from: number, length: number): Uint8Array {
    const at = from & (RING_BYTES - 1);
    const copy = new Uint8Array(length);
    const first = Math.min(length, RING_BYTES - at);
    copy.set(this.bytes.subarray(at, at + first));
    copy.set(this.bytes.subarray(0, length - first), first);
    return copy;
  }
}
