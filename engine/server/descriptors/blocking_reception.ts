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
import type { Places } from "../core/header_places.ts";
import { headerLimits, judge, type Verdict } from "../core/reception.ts";

/** How many bytes one `recv` takes: more than a header has, for something else comes behind it. */
const RECEIVE_BYTES = 2_048;

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
  end(error: unknown, through: Address): Verdict {
    const { door, observer, places, onIn } = this.#parts;
    observer.expectsNoMore();
    places?.leave();
    const { result, wasEmpty } = this.driver;
    const introduction = error === undefined ? result as Introduction | null : null;
    const startedAt = this.#startedAt;
    const verdict = judge(door, { introduction, error, wasEmpty, through, startedAt });
    if (verdict.kind === "in") onIn(verdict.arrival.client.remoteAddress);
    return verdict;
  }

  /** What to tell a client that is refused: see {@linkcode Door.lineFor}. */
  lineFor(why: Refusal): Uint8Array | undefined {
    return this.#parts.door.lineFor(why);
  }
}
