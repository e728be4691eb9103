/**
 * Looks into the queues of listeners: how many connections wait to be accepted, and how many
 * handshakes are not over yet.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { SOL_TCP, TCP_INFO } from "../../kernel/linux.ts";
import { cookieOf, SockDiag, type SocketRow } from "../../kernel/sock_diag.ts";
import { withoutZone } from "../../net/address.ts";
import type { Sockets } from "../../net/sockets.ts";

/**
 * For how long a queue must have been empty before its listener is closed, in milliseconds: a SYN that
 * was on its way through the kernel when newcomers were kept out may still arrive.
 */
const SETTLE_MS = 8;

/** How long handshakes are waited for where the kernel does not tell of them, in milliseconds. */
const UNSEEN_MS = 250;

/**
 * The longest that handshakes are waited for, in milliseconds. After three seconds the kernel has
 * sent its SYN-ACK twice in vain.
 */
const HANDSHAKE_MS = 3_500;

/** How long a runtime may take to close a listener, in milliseconds. On a busy machine it is seconds. */
export const LONGEST_CLOSE_MS = 10_000;

/** Where `struct tcp_info` of a listener has the length of its accept queue (`tcpi_unacked`). */
const QUEUE_AT = 24;

/**
 * How often the kernel may have sent its SYN-ACK again until nobody is expected to answer it. The
 * second time comes three seconds after the SYN (tcp(7)): a client whose acknowledgement was lost
 * has sent it again by then.
 */
const GIVEN_UP = 2;

/**
 * How many connections wait in the accept queue of a listener.
 *
 * @param calls the Berkeley calls
 * @param listener its descriptor
 * @throws {SocketError} if it cannot be told
 */
export function queueOf(calls: Sockets, listener: number): number {
  const info = new Uint8Array(QUEUE_AT + 4);
  calls.getOptionBytes(listener, SOL_TCP, TCP_INFO, info);
  return new DataView(info.buffer).getUint32(QUEUE_AT, true);
}

/**
 * The kernel's name of a socket.
 *
 * @param calls the Berkeley calls
 * @param fd its descriptor
 * @returns `undefined` if the number means no socket now, or if the kernel gives no names
 */
export function nameOf(calls: Sockets, fd: number): string | undefined {
  try {
    return cookieOf(calls, fd);
  } catch {
    return undefined;
  }
}

/** What netlink tells about the sockets on one local address. */
export class AddressFigures implements Disposable {
  readonly #diag: SockDiag;
  readonly #port: number;
  readonly #isHere: (row: SocketRow) => boolean;

  /**
   * @param calls the Berkeley calls
   * @param address where a server listens
   * @throws {SocketError} where there is no netlink
   */
  constructor(calls: Sockets, { hostname, port }: Address) {
    const own = plain(hostname);
    const isEvery = own === "0.0.0.0" || own === "::";
    this.#diag = new SockDiag(calls);
    this.#port = port;
    this.#isHere = ({ local }) => isEvery || plain(local.hostname) === own;
  }

  /**
   * The listeners that share precisely this address, the last one first for IPv4. The same address may
   * be on several devices, as link-local addresses are: listeners on others share nothing.
   *
   * @param hostname the address
   * @param cookie the kernel's name of one of them, which tells the device
   */
  listeners(hostname: string, cookie: string | undefined): readonly SocketRow[] {
    const host = withoutZone(hostname);
    const rows = this.#rows("LISTEN").filter(({ local }) => local.hostname === host);
    const own = rows.find((row) => row.cookie === cookie);
    return own === undefined ? rows : rows.filter(({ device }) => device === own.device);
  }

  /** The handshakes that wait for the client's acknowledgement: their names. */
  halfOpen(): readonly string[] {
    return this.#rows("SYN_RECV")
      .filter((row) => row.retransmissions < GIVEN_UP && this.#isHere(row))
      .map(({ remote }) => `${remote.hostname} ${remote.port}`);
  }

  #rows(state: "LISTEN" | "SYN_RECV"): readonly SocketRow[] {
    return this.#diag.sockets({ port: this.#port, states: [state] });
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#diag[Symbol.dispose]();
  }
}

/** What an {@linkcode Emptying} needs to know. */
export interface EmptyingParts {
  /** Tells of handshakes; `undefined` where the kernel does not. */
  readonly figures: AddressFigures | undefined;
  /** How often the kernel is asked about them, in milliseconds. That costs it a while. */
  readonly askMs: number;
  /**
   * Whether newcomers go on coming to other listeners on the address. Then only those handshakes
   * count that are under way when the kernel is asked first.
   *
   * @default {false}
   */
  readonly othersGoOn?: boolean;
}

/**
 * Watches accept queues from the moment when newcomers were kept out, until nobody can be in them any
 * more. Nobody outside can prolong this: half-open connections are given up after
 * {@linkcode HANDSHAKE_MS}.
 */
export class Emptying {
  readonly #parts: EmptyingParts;
  readonly #beganAt = performance.now();
  /** The handshakes that count, if not all do. */
  #awaited: ReadonlySet<string> | undefined;
  #isShaking = true;
  #askAgainAt = 0;
  /** Since when nobody was seen to wait; `Infinity` while somebody does. */
  #emptySince = Infinity;

  /** @param parts what it needs to know */
  constructor(parts: EmptyingParts) {
    this.#parts = parts;
  }

  /** How long ago newcomers were kept out, in milliseconds. */
  get ageMs(): number {
    return performance.now() - this.#beganAt;
  }

  /**
   * Whether nobody waits, and nobody will.
   *
   * @param isBusy whether anybody waits in the queues, or whether they are needed for another reason
   */
  isOver(isBusy: () => boolean): boolean {
    const now = performance.now();
    // First the handshakes and then the queues: a connection goes from the first to the second.
    this.#ask(now);
    if (this.#isShaking || isBusy()) this.#emptySince = Infinity;
    else if (this.#emptySince === Infinity) this.#emptySince = now;
    return now - this.#emptySince >= SETTLE_MS;
  }

  #ask(now: number): void {
    const { figures, askMs, othersGoOn = false } = this.#parts;
    const age = now - this.#beganAt;
    if (age >= HANDSHAKE_MS) this.#isShaking = false;
    else if (figures === undefined) this.#isShaking = age < UNSEEN_MS;
    else if (now >= this.#askAgainAt) {
      this.#askAgainAt = now + askMs;
      const handshakes = figures.halfOpen();
      // A SYN that was on its way while newcomers were kept out counts too.
      if (othersGoOn) this.#awaited ??= new Set(handshakes);
      this.#isShaking = handshakes.some((name) => this.#awaited?.has(name) ?? true);
    }
  }
}

/** A host without its zone, and IPv4 as such also where a socket of IPv6 has it. */
function plain(hostname: string): string {
  return withoutZone(hostname).replace(/^::ffff:(?=\d+\.)/, "");
}
