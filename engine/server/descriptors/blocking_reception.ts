/**
 * How a blocking thread receives connections whose clients come through a proxy: it waits for the
 * PROXY header, and lets in whom it names. Event loops do the same in
 * `engine/server/core/reception.ts`. A thread loads this module only if clients come so.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { BlockingDriver, type Need } from "../../drivers/blocking.ts";
import { type Introduction, readIntroduction } from "../../drivers/introduction.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { Door, Refusal } from "../core/door.ts";
import type { Observer } from "../core/observer.ts";
import {
  type Arrival,
  arrivalOf,
  headerFailure,
  headerLimits,
  MOST_EXPECTED,
} from "../core/reception.ts";

/** How many bytes one `recv` takes: more than a header has, for something else comes behind it. */
const RECEIVE_BYTES = 2_048;

/** How often a thread that waits for its turn looks whether the server ends, in milliseconds. */
const LOOK_MS = 100;

/** How many threads of a server may wait for a header at a time, in memory that they share. */
export class Places {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #left: Int32Array;

  /** @param memory from {@linkcode Places.create} */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#left = new Int32Array(memory);
  }

  /**
   * Makes the memory, for a server that has more threads than there are places.
   *
   * @param threads how many threads there may be
   * @param most how many places there are
   */
  static create(threads: number, most: number = MOST_EXPECTED): Places | undefined {
    if (threads <= most) return undefined;
    const places = new Places(new SharedArrayBuffer(4));
    Atomics.store(places.#left, 0, most);
    return places;
  }

  /**
   * Takes a place. Blocks the thread until one is free.
   *
   * @param mayWait is asked now and then
   * @returns whether there was one
   */
  enter(mayWait: () => boolean): boolean {
    const left = this.#left;
    for (;;) {
      const free = Atomics.load(left, 0);
      if (free === 0) {
        if (!mayWait()) return false;
        Atomics.wait(left, 0, 0, LOOK_MS);
      } else if (Atomics.compareExchange(left, 0, free, free - 1) === free) return true;
    }
  }

  /** Gives a place back. */
  leave(): void {
    Atomics.add(this.#left, 0, 1);
    Atomics.notify(this.#left, 0, 1);
  }
}

/** What a thread receives connections with. */
export interface BlockingReceptionParts {
  /** The Berkeley calls. */
  readonly sockets: Sockets;
  /** Says who may come in. */
  readonly door: Door;
  /** How long a header may take to come, in milliseconds. */
  readonly headerMs: number;
  /** Counts and logs connections that bring none. */
  readonly observer: Observer;
  /** The places of all threads, if there are fewer than threads. */
  readonly places: Places | undefined;
  /** Whether the server lets its connections finish. */
  readonly mayWait: () => boolean;
  /** Called with the address of a client that is in. */
  readonly onIn: (client: Address) => void;
}

/** What became of a connection that waited for its header. */
export type Reception =
  | { readonly kind: "in"; readonly arrival: Arrival }
  | { readonly kind: "refused"; readonly words: Uint8Array | undefined }
  | {
    readonly kind: "over";
    readonly error: unknown;
    readonly startedAt: number;
    /** Whether the peer left before its first byte. */
    readonly wasEmpty: boolean;
    /** Whether the proxy spoke for itself. */
    readonly isLocal: boolean;
  };

/** Receives connections on one thread, one after another. */
export class BlockingReception {
  /** Holds the first part of a connection. Its options are not those of a conversation. */
  readonly driver: BlockingDriver;
  readonly #parts: BlockingReceptionParts;
  #startedAt = 0;

  /** @param parts what it works with */
  constructor(parts: BlockingReceptionParts) {
    this.#parts = parts;
    this.driver = new BlockingDriver(parts.sockets, {
      ...headerLimits(parts.headerMs),
      receiveTimeoutMs: 0,
      receiveBytes: RECEIVE_BYTES,
    });
  }

  /**
   * Waits until this thread may wait for a header.
   *
   * @returns whether it may; `false` if the server ends
   */
  enter(): boolean {
    const { observer, places, mayWait } = this.#parts;
    const mayEnter = places === undefined || places.enter(mayWait);
    if (mayEnter) observer.expects();
    return mayEnter;
  }

  /**
   * Begins to wait for the header of a connection.
   *
   * @param fd the connection
   * @returns the call that the driver needs
   */
  begin(fd: number): Need {
    this.#startedAt = performance.now();
    return this.driver.begin(fd, readIntroduction(), false);
  }

  /**
   * The driver has got what it waited for, or has failed.
   *
   * @param error why it failed; `undefined` if it did not
   * @param through the proxy's address
   */
  end(error: unknown, through: Address): Reception {
    const { door, observer, places, onIn } = this.#parts;
    const startedAt = this.#startedAt;
    observer.expectsNoMore();
    places?.leave();
    const introduction = error === undefined ? this.driver.result as Introduction | null : null;
    if (introduction === null || introduction.header.isLocal) {
      return {
        kind: "over",
        error: headerFailure(error),
        startedAt,
        wasEmpty: this.driver.wasEmpty || error === undefined,
        isLocal: introduction !== null,
      };
    }
    const arrival = arrivalOf(introduction, through, startedAt);
    const why: Refusal | undefined = door.introduce(arrival.client.remoteAddress);
    if (why !== undefined) return { kind: "refused", words: door.lineFor(why) };
    onIn(arrival.client.remoteAddress);
    return { kind: "in", arrival };
  }
}
