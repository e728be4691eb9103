/**
 * What a server counts. The numbers live in shared memory, in one block for each thread that
 * counts. They are added up when somebody asks for them.
 *
 * @module
 */

import { FAILURE_KINDS, type FailureKind } from "../../../protocols/errors.ts";

/** The counters of a server at a given moment. */
export interface Counters {
  /** Accepted connections. */
  readonly accepted: number;
  /** Accepted connections whose conversation is not over. */
  readonly active: number;
  /** Conversations that ended as their protocol intends. */
  readonly completed: number;
  /** Failed conversations, by kind. It contains only the kinds that occurred. */
  readonly failed: Readonly<Partial<Record<FailureKind, number>>>;
  /** Connections that the server itself ended because it was closing. */
  readonly cut: number;
  /**
   * Connections that ended before their first byte, as a load balancer's checks do: the peer has
   * sent nothing and closed. They are neither completed nor failed.
   */
  readonly empty: number;
  /** Connections that a limit of the server refused. They are not among the accepted. */
  readonly refused: number;
  /** Connections that were lost before they could be accepted. */
  readonly lost: number;
  /**
   * Errors that belong to no conversation: a timer or a microtask of the protocol threw, or a promise
   * was rejected that nobody awaited.
   */
  readonly strays: number;
  /** Threads that died while the server ran. Others have taken their places. */
  readonly threadsLost: number;
}

const ACCEPTED = 0;
const COMPLETED = 1;
const CUT = 2;
const LOST = 3;
const EMPTY = 4;
const REFUSED = 5;
const STRAYS = 6;
const THREADS_LOST = 7;
const EXPECTED = 8;
const FAILED = 9;

/**
 * The bytes of shared memory for a block: whole cache lines, at least two, that no other block
 * shares.
 */
export const COUNTER_BYTES = Math.ceil((FAILED + FAILURE_KINDS.length) * 8 / 64) * 64;

/**
 * The counters of one thread. Only that thread writes them, so plain additions suffice. Other
 * threads may read a number that is one too small, but never a wrong one: 64-bit stores are whole
 * on 64-bit systems.
 */
export class CounterBlock {
  /** The shared memory that it lies in, perhaps with blocks of other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Float64Array;

  /** @param memory shared memory @param offset where the block begins, in bytes */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(COUNTER_BYTES), offset = 0) {
    this.memory = memory;
    this.#numbers = new Float64Array(memory, offset, COUNTER_BYTES / 8);
  }

  /** How many accepted connections have a conversation that is not over. */
  get active(): number {
    const numbers = this.#numbers;
    let over = numbers[COMPLETED]! + numbers[CUT]! + numbers[EMPTY]!;
    for (let index = FAILED; index < numbers.length; index++) over += numbers[index]!;
    return numbers[ACCEPTED]! - over;
  }

  /** How many connections wait for their PROXY header. They are not among the accepted yet. */
  get expected(): number {
    return this.#numbers[EXPECTED]!;
  }

  /** A connection waits for its PROXY header. */
  expects(): void {
    this.#numbers[EXPECTED]!++;
  }

  /** It has come, or will not come any more. */
  expectsNoMore(): void {
    this.#numbers[EXPECTED]!--;
  }

  /** Counts a connection that was accepted. */
  accepted(): void {
    this.#numbers[ACCEPTED]!++;
  }

  /** Counts a conversation that ended well. */
  completed(): void {
    this.#numbers[COMPLETED]!++;
  }

  /** Counts a conversation that failed. */
  failed(kind: FailureKind): void {
    this.#numbers[FAILED + FAILURE_KINDS.indexOf(kind)]!++;
  }

  /** Counts connections that the server ended. */
  cut(count = 1): void {
    this.#numbers[CUT]! += count;
  }

  /** Counts a connection that ended before its first byte. */
  empty(): void {
    this.#numbers[EMPTY]!++;
  }

  /** Counts connections that a limit refused. */
  refused(count = 1): void {
    this.#numbers[REFUSED]! += count;
  }

  /** Counts a connection that was lost before it could be accepted. */
  lost(): void {
    this.#numbers[LOST]!++;
  }

  /** Counts errors that belong to no conversation. */
  strayed(count: number): void {
    this.#numbers[STRAYS]! += count;
  }

  /** Counts a thread that has died. */
  lostThread(): void {
    this.#numbers[THREADS_LOST]!++;
  }

  /** All blocks in a memory that consists of blocks. */
  static allIn(memory: SharedArrayBuffer): CounterBlock[] {
    const count = Math.floor(memory.byteLength / COUNTER_BYTES);
    return Array.from(
      { length: count },
      (_, index) => new CounterBlock(memory, index * COUNTER_BYTES),
    );
  }

  /** Adds up several blocks. */
  static sum(blocks: readonly CounterBlock[]): Counters {
    const total = new Float64Array(COUNTER_BYTES / 8);
    for (const block of blocks) block.#numbers.forEach((value, index) => total[index]! += value);
    // Other threads count meanwhile. What is over must not be more than what was accepted, so what
    // was accepted is read last.
    total[ACCEPTED] = blocks.reduce((sum, block) => sum + block.#numbers[ACCEPTED]!, 0);
    const [accepted = 0, completed = 0, cut = 0, lost = 0, empty = 0, refused = 0] = total;
    const failed: Partial<Record<FailureKind, number>> = {};
    let over = completed + cut + empty;
    FAILURE_KINDS.forEach((kind, index) => {
      const count = total[FAILED + index] as number;
      if (count > 0) failed[kind] = count;
      over += count;
    });
    const active = accepted - over;
    const [strays = 0, threadsLost = 0] = total.slice(STRAYS);
    return {
      accepted,
      active,
      completed,
      failed,
      cut,
      empty,
      refused,
      lost,
      strays,
      threadsLost,
    };
  }
}

/**
 * Writes the counters on one line.
 *
 * @param counters the counters
 * @returns for instance `accepted 3 · completed 2 · failed 1 (mismatch 1) · cut 0`
 */
export function formatCounters(counters: Counters): string {
  const kinds = Object.entries(counters.failed);
  const failures = kinds.reduce((sum, [, count]) => sum + count, 0);
  const byKind = kinds.map(([kind, count]) => `${kind} ${count}`).join(", ");
  const parts = [
    `accepted ${counters.accepted}`,
    `completed ${counters.completed}`,
    `failed ${failures}${byKind === "" ? "" : ` (${byKind})`}`,
    `cut ${counters.cut}`,
  ];
  if (counters.empty > 0) parts.push(`empty ${counters.empty}`);
  if (counters.refused > 0) parts.push(`refused ${counters.refused}`);
  if (counters.lost > 0) parts.push(`lost before accept ${counters.lost}`);
  if (counters.strays > 0) parts.push(`errors outside conversations ${counters.strays}`);
  if (counters.threadsLost > 0) parts.push(`threads lost ${counters.threadsLost}`);
  return parts.join(" · ");
}
