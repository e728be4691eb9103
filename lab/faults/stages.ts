/**
 * What happens to the bytes of one direction on their way: a chain of stages, each with one fault.
 *
 * @module
 */

import type { Random } from "../load/random.ts";
import type { Fault, Moment } from "./toxic.ts";

/** A stage of the way. A call resolves when the stage takes more. */
export interface Stage {
  /** Takes bytes, which it may keep. */
  push(bytes: Uint8Array): Promise<void>;
  /** Takes FIN. It resolves when FIN has come to the end of the way. */
  finish(): Promise<void>;
}

/** What a stage can do to its whole connection, and what it must know about it. */
export interface Surroundings {
  /** Waits for so many milliseconds, but not longer than the toxics act and the connection is there. */
  rest(ms: number): Promise<void>;
  /** Lets everything else have its turn. */
  turn(): Promise<void>;
  /** Whether the toxics act, and the connection is there. */
  readonly isActive: boolean;
  /** Numbers for this stage alone. */
  readonly random: Random;
  /** Ends the connection with RST on both sides. */
  reset(): void;
  /** Ends the connection with FIN on both sides. */
  close(): void;
  /** Lets nothing pass any more, in either direction. */
  vanish(): void;
}

/** How many bytes a stage keeps until it takes no more. */
const KEPT = 1024 * 1024;

/** How often in a second bytes pass at a limited rate. */
const TURNS = 50;

/** How long a piece of many is, in bytes, and how many of them are sent in one turn at most. */
const FEW = 1024;
const MOST_TOGETHER = 16;

/**
 * Makes the stage of a fault.
 *
 * @param fault the fault
 * @param next what comes after it
 * @param around its connection
 */
export function stageOf(fault: Fault, next: Stage, around: Surroundings): Stage {
  switch (fault.kind) {
    case "latency":
      return new Latency(fault, next, around);
    case "bandwidth":
      return bandwidth(fault.bytesPerSecond, next, around);
    case "slicer":
      return slicer(fault, next, around);
    case "slow-close":
      return {
        push: (bytes) => next.push(bytes),
        async finish() {
          await around.rest(fault.ms);
          await next.finish();
        },
      };
    case "black-hole":
      return {
        async push(bytes) {
          await around.rest(Infinity);
          await next.push(bytes);
        },
        async finish() {
          // The kernel of whoever has sent it would send it again until the hole is gone.
          await around.rest(Infinity);
          await next.finish();
        },
      };
    case "vanish":
      return at(fault.at, next, around, () => around.vanish());
    case "reset":
      return at(fault.at, next, around, () => around.reset());
    case "limit":
      return at({ bytes: fault.bytes }, next, around, () => {
        // What has passed already is still on its way.
        void next.finish().then(() => around.close());
      });
  }
}

/** Each piece comes later. Those that follow do not wait longer for that: they are on the way too. */
class Latency implements Stage {
  readonly #fault: { readonly ms: number; readonly jitterMs: number };
  readonly #next: Stage;
  readonly #around: Surroundings;
  /** What is on the way; `null` is FIN. */
  readonly #way: { readonly bytes: Uint8Array | null; readonly dueAt: number }[] = [];
  #kept = 0;
  #room = Promise.withResolvers<void>();
  #isMoving = false;

  constructor(
    fault: { readonly ms: number; readonly jitterMs: number },
    next: Stage,
    around: Surroundings,
  ) {
    this.#fault = fault;
    this.#next = next;
    this.#around = around;
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#kept += bytes.length;
    this.#enqueue(bytes);
    while (this.#kept > KEPT) await this.#room.promise;
  }

  async finish(): Promise<void> {
    this.#enqueue(null);
    while (this.#way.length > 0) await this.#room.promise;
  }

  #enqueue(bytes: Uint8Array | null): void {
    const { ms, jitterMs } = this.#fault;
    const { random, isActive } = this.#around;
    const share = random.next() / 0x8000_0000 - 1;
    const delayMs = isActive ? Math.max(0, ms + share * jitterMs) : 0;
    this.#way.push({ bytes, dueAt: performance.now() + delayMs });
    if (!this.#isMoving) void this.#move();
  }

  async #move(): Promise<void> {
    this.#isMoving = true;
    for (let first = this.#way[0]; first !== undefined; first = this.#way[0]) {
      // TCP keeps the order, so whoever is late holds up those behind.
      await this.#around.rest(first.dueAt - performance.now());
      if (first.bytes === null) await this.#next.finish();
      else await this.#next.push(first.bytes);
      this.#way.shift();
      this.#kept -= first.bytes?.length ?? 0;
      this.#room.resolve();
      this.#room = Promise.withResolvers();
    }
    this.#isMoving = false;
  }
}

function bandwidth(bytesPerSecond: number, next: Stage, around: Surroundings): Stage {
  const most = Math.max(1, Math.floor(bytesPerSecond / TURNS));
  let freeAt = 0;
  return {
    async push(bytes) {
      for (let from = 0; from < bytes.length; from += most) {
        const piece = bytes.subarray(from, from + most);
        await around.rest(freeAt - performance.now());
        freeAt = Math.max(performance.now(), freeAt) + piece.length / bytesPerSecond * 1_000;
        await next.push(piece);
      }
    },
    async finish() {
      await around.rest(freeAt - performance.now());
      await next.finish();
    },
  };
}

function slicer(
  { least, most }: { readonly least: number; readonly most: number },
  next: Stage,
  around: Surroundings,
): Stage {
  return {
    async push(bytes) {
      // Many pieces are sent some at a time, or nobody would wait for their end.
      const together = Math.max(1, Math.min(MOST_TOGETHER, Math.floor(bytes.length / FEW)));
      let count = 0;
      for (let from = 0; from < bytes.length;) {
        const length = around.isActive ? around.random.between(least, most) : bytes.length;
        await next.push(bytes.subarray(from, from + length));
        from += length;
        // The receiver gets a chance to read the piece by itself.
        if (from < bytes.length && ++count % together === 0) await around.turn();
      }
    },
    finish: () => next.finish(),
  };
}

/** Something happens after so many bytes, or after a time. Bytes beyond that do not pass. */
function at(
  { bytes: most = Infinity, ms }: Moment,
  next: Stage,
  around: Surroundings,
  action: () => void,
): Stage {
  let passed = 0;
  if (ms !== undefined && around.isActive) {
    void around.rest(ms).then(() => {
      if (around.isActive) action();
    });
  }
  if (most === 0 && around.isActive) action();
  return {
    async push(bytes) {
      const left = around.isActive ? most - passed : Infinity;
      passed += bytes.length;
      if (bytes.length < left) return await next.push(bytes);
      await next.push(bytes.subarray(0, left));
      if (around.isActive) action();
      else await next.push(bytes.subarray(left));
    },
    finish: () => next.finish(),
  };
}
