/**
 * How an event loop receives connections whose clients come through a proxy: it waits for the PROXY
 * header, and lets in whom it names. Blocking threads do the same in
 * `engine/server/descriptors/blocking_reception.ts`.
 *
 * @module
 */

import type { Address, Protocol } from "../../../protocols/effects.ts";
import { SessionTimeoutError } from "../../../protocols/errors.ts";
import type { Deadlines } from "../../drivers/deadlines.ts";
import {
  type Introduction,
  lateIntroduction,
  precede,
  readIntroduction,
} from "../../drivers/introduction.ts";
import type { IntroducedPeer } from "../../drivers/elsewhere.ts";
import type { TimeLimits } from "../../drivers/limits.ts";
import { Session, type SessionOptions } from "../../drivers/session.ts";
import type { Connection } from "../../net/transport.ts";
import type { Door, Refusal } from "./door.ts";
import { MOST_EXPECTED } from "./header_places.ts";
import { CutError, type Observer } from "./observer.ts";

/** A client that its proxy has named. It is not kept: its first bytes may be part of more memory. */
export interface Arrival {
  /** The client, with its own address, or that of the proxy if it has named none. */
  readonly client: IntroducedPeer;
  /** The proxy's address, if it has named the client. */
  readonly through: Address | undefined;
  /** The first bytes of the client, valid until the next read; there may be none. */
  readonly rest: Uint8Array;
  /** When the connection began to wait for its header, in the time of `performance.now()`. */
  readonly startedAt: number;
  /** Makes those bytes the first that a conversation reads, which has not been started. */
  precede(conversation: Protocol): Protocol;
}

/** What becomes of a connection that was received. One of these is called, once. */
export interface Welcome {
  /** The client is in. Say when it leaves. */
  onIn(arrival: Arrival): void;
  /** The client is refused. The connection is still open. */
  onRefused(why: Refusal): void;
  /** The connection ends, and its peer cannot see that yet: {@linkcode Welcome.onOver} follows. */
  onParting?(): void;
  /** The connection is over, and closed. */
  onOver(): void;
}

/** What a reception works with. */
export interface ReceptionParts {
  /** Says who may come in. */
  readonly door: Door;
  /** Counts and logs connections that bring no header. */
  readonly observer: Observer;
  /** Keeps the time for the header. */
  readonly deadlines: Deadlines;
  /** How many connections of this thread may wait for their header. */
  readonly most?: number;
}

/** A connection that is being received. */
interface Guest {
  readonly connection: Connection;
  readonly welcome: Welcome;
  readonly through: Address;
}

/** What a guest's proxy says. It closes the connection if it fails, and leaves it open if not. */
class Hearing extends Session<Introduction | null> {
  welcome!: Welcome;

  protected override parting(): void {
    this.welcome.onParting?.();
  }
}

/**
 * The time limits while the header comes: only the whole of it counts.
 *
 * @param headerMs how long it may take, in milliseconds
 */
export function headerLimits(headerMs: number): TimeLimits {
  return { readTimeoutMs: 0, sessionTimeoutMs: headerMs, computeTimeoutMs: 0 };
}

/** What a driver has read in place of a conversation, or why it could not. */
export interface ReadHeader {
  /** What has come; `null` if that was nothing at all. */
  readonly introduction: Introduction | null | undefined;
  /** What the driver has thrown. */
  readonly error: unknown;
  /** Whether the peer has sent nothing. */
  readonly wasEmpty: boolean;
  /** The proxy's address. */
  readonly through: Address;
  /** When the connection began to wait, in the time of `performance.now()`. */
  readonly startedAt: number;
}

/** What becomes of a connection that waited for its header. */
export type Verdict =
  | { readonly kind: "in"; readonly arrival: Arrival }
  | { readonly kind: "refused"; readonly why: Refusal }
  | {
    readonly kind: "over";
    readonly error: unknown;
    readonly startedAt: number;
    /** Whether the peer left before its first byte. */
    readonly wasEmpty: boolean;
    /** Whether the proxy spoke for itself. */
    readonly isLocal: boolean;
  };

/**
 * Says what becomes of a connection whose header has come, or something else.
 *
 * @param door says whether the client may come in, and counts it if so
 * @param read what has come
 */
export function judge(door: Door, read: ReadHeader): Verdict {
  const { introduction, error, wasEmpty, through, startedAt } = read;
  if (introduction == null || introduction.header.isLocal) {
    return {
      kind: "over",
      error: headerFailure(error),
      startedAt,
      wasEmpty: wasEmpty || error === undefined,
      isLocal: introduction != null,
    };
  }
  const arrival = arrivalOf(introduction, through, startedAt);
  const why = door.introduce(arrival.client.remoteAddress);
  return why === undefined ? { kind: "in", arrival } : { kind: "refused", why };
}

/** The error of a connection that brought no header. */
function headerFailure(error: unknown): unknown {
  return error instanceof SessionTimeoutError ? lateIntroduction(error.timeoutMs) : error;
}

function arrivalOf(
  { header: { source }, rest }: Introduction,
  through: Address,
  startedAt: number,
): Arrival {
  const hasSpoken = rest.length > 0;
  return {
    client: { remoteAddress: source ?? through, hasSpoken },
    through: source && through,
    rest,
    startedAt,
    precede: (conversation) => hasSpoken ? precede(conversation, rest) : conversation,
  };
}

/**
 * Opens the reception of one event loop.
 *
 * @param parts what it works with
 * @returns `undefined` if clients come by themselves
 */
export function openReception(parts: ReceptionParts): Reception | undefined {
  const { headerMs } = parts.door;
  return headerMs === undefined ? undefined : new Reception(parts, headerMs);
}

/** The connections of one event loop whose header has not come yet. */
export class Reception {
  readonly #parts: ReceptionParts;
  readonly #options: SessionOptions;
  readonly #most: number;
  readonly #reading = new Set<Session<Introduction | null>>();
  /** Those that come first are read first. */
  readonly #waiting = new Set<Guest>();
  #isBusy = false;
  #cutting = false;

  /**
   * @param parts what it works with
   * @param headerMs how long a header may take, in milliseconds
   */
  constructor(parts: ReceptionParts, headerMs: number) {
    this.#parts = parts;
    this.#most = parts.most ?? MOST_EXPECTED;
    const { deadlines } = parts;
    this.#options = { ...headerLimits(headerMs), deadlines, keepOpen: true };
  }

  /** How many connections are being received. */
  get size(): number {
    return this.#reading.size + this.#waiting.size;
  }

  /**
   * Receives a connection that the door has let in.
   *
   * @param connection the connection
   * @param welcome learns what becomes of it, perhaps before this returns
   */
  receive(connection: Connection, welcome: Welcome): void {
    const guest = { connection, welcome, through: connection.remoteAddress };
    this.#parts.observer.expects();
    this.#waiting.add(guest);
    if (this.#cutting) this.#cutWaiting();
    else this.#readNext();
  }

  /** Reads the headers of those that wait, as many as may be read at a time. */
  #readNext(): void {
    // Some end at once, and this is called again while it runs.
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (const guest of this.#waiting) {
        if (this.#reading.size >= this.#most) break;
        this.#waiting.delete(guest);
        this.#read(guest);
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #read(guest: Guest): void {
    const startedAt = performance.now();
    const conversation = readIntroduction();
    const session: Hearing = new Hearing(
      guest.connection,
      conversation,
      this.#options,
      (error, introduction) => {
        this.#reading.delete(session);
        this.#parts.observer.expectsNoMore();
        const { through } = guest;
        const { wasEmpty } = session;
        this.#heard(guest, { introduction, error, wasEmpty, through, startedAt });
        this.#readNext();
      },
    );
    session.welcome = guest.welcome;
    this.#reading.add(session);
    session.start();
  }

  /** The header has come, or something else. */
  #heard({ connection, welcome }: Guest, read: ReadHeader): void {
    const { door, observer } = this.#parts;
    const verdict = judge(door, read);
    if (verdict.kind === "in") return welcome.onIn(verdict.arrival);
    if (verdict.kind === "refused") return welcome.onRefused(verdict.why);
    const { error, startedAt, wasEmpty, isLocal } = verdict;
    // After a failure the connection has been closed already.
    if (read.error === undefined) welcome.onParting?.();
    connection.close();
    const observation = observer.begin({ peer: read.through }, "", { startedAt });
    if (isLocal) observation.wasCheck();
    else observation.over(error, wasEmpty);
    welcome.onOver();
  }

  /** Cuts all connections that wait for their header, and those that come later. */
  cutAll(): void {
    this.#cutting = true;
    this.#cutWaiting();
    for (const session of this.#reading) session.cut(new CutError());
  }

  #cutWaiting(): void {
    const { observer } = this.#parts;
    for (const guest of this.#waiting) {
      // Whoever hears that there is room may bring the next one at once.
      this.#waiting.delete(guest);
      guest.welcome.onParting?.();
      guest.connection.close();
      observer.expectsNoMore();
      observer.begin({ peer: guest.through }).over(new CutError());
      guest.welcome.onOver();
    }
  }
}
