/**
 * Closing listeners without losing anybody whom the kernel has already accepted.
 *
 * First a {@linkcode Trap} keeps newcomers out. Then whoever accepts goes on until the accept queues
 * are empty and no handshake is under way. From then on nobody can be lost, and the listeners can be
 * closed. Nobody outside can prolong this: see {@linkcode Emptying}.
 *
 * @module
 */

import { pause } from "../../values/pause.ts";
import type { Address } from "../../../protocols/effects.ts";
import { describeSystemError } from "../../net/constants.ts";
import { isIPv6 } from "../../net/address.ts";
import { whyNoSockets } from "../../net/libc.ts";
import { runtime } from "../../net/runtime.ts";
import { SocketError } from "../../net/socket_error.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import type { Journal } from "../journal/journal.ts";
import { AddressFigures, Emptying, LONGEST_CLOSE_MS, nameOf, queueOf } from "./accept_queue.ts";
import { takeOnlyNear, Trap } from "./trap.ts";

/** How often the kernel is asked about handshakes, in milliseconds. */
const ASK_MS = 8;

/** How long a runtime may take to close the listener of a thread that it stops, in milliseconds. */
const STOP_MS = 500;

/** What is to be closed. */
export interface SealedParts {
  /** The listeners: descriptors of sockets that all listen on one address. */
  readonly listeners: readonly number[];
  /**
   * The descriptors with which their threads will close them, in the same order, if those are others:
   * a socket is closed with its last descriptor.
   */
  readonly owned?: readonly number[];
  /**
   * Whether one of these may stay open as long as the process: its thread computes, and on Deno nobody
   * can stop it. It is waited for, but not for long.
   *
   * @param owned the descriptor
   */
  mayStay?(owned: number): boolean;
  /** Is told in one sentence where no trap can be set. */
  readonly journal: Journal;
  /** Is told the port of a connection to this server itself, which is none of its clients. */
  readonly ownPort?: Int32Array | undefined;
  /** Receives a connection that was faster than the trap, with its peer's address. */
  onConnection(fd: number, sockaddr: Uint8Array): void;
}

/** Listeners that are about to close, and into which nobody new comes. */
export class Seal implements AsyncDisposable {
  readonly #calls: Sockets;
  readonly #listeners: readonly number[];
  readonly #owned: readonly number[];
  readonly #mayStay: (owned: number) => boolean;
  /** What tells each listener from whatever has its number later. */
  readonly #cookies: readonly (string | undefined)[];
  readonly #trap: Trap;
  readonly #figures: AddressFigures | undefined;
  readonly #emptying: Emptying;
  readonly #isSix: boolean;
  #isBarred = false;

  private constructor(
    calls: Sockets,
    listeners: readonly number[],
    owned: readonly number[],
    mayStay: (owned: number) => boolean,
    trap: Trap,
    figures: AddressFigures | undefined,
    isSix: boolean,
  ) {
    this.#isSix = isSix;
    this.#calls = calls;
    this.#listeners = listeners;
    this.#owned = owned;
    this.#mayStay = mayStay;
    this.#cookies = listeners.map((listener) => nameOf(calls, listener));
    this.#trap = trap;
    this.#figures = figures;
    this.#emptying = new Emptying({ figures, askMs: ASK_MS });
  }

  /**
   * Keeps new connections out.
   *
   * @param parts what is to be closed
   * @returns `undefined` where that is impossible; the journal says why
   */
  static async begin(parts: SealedParts): Promise<Seal | undefined> {
    try {
      return await Seal.#begin(parts);
    } catch (error) {
      const reason = error instanceof SocketError
        ? `${error.syscall}: ${describeSystemError(error)}`
        : (error as Error).message;
      const text = "clients that connect while this server closes may be reset: {reason}";
      parts.journal.log({ level: "info", text, properties: { reason } });
      return undefined;
    }
  }

  static async #begin(
    { listeners, owned = listeners, mayStay = () => false, ownPort, onConnection }: SealedParts,
  ): Promise<Seal> {
    const why = whyNoTrap(listeners);
    if (why !== undefined) throw new Error(why);
    const calls = sockets();
    const [first] = listeners as [number, ...number[]];
    const address = calls.localAddress(first);
    const figures = openFigures(calls, address);
    try {
      const seen = figures?.listeners(address.hostname, nameOf(calls, first)).length ?? 0;
      const size = Math.max(listeners.length, seen);
      const trap = await Trap.set(calls, { listeners, size, ownPort }, onConnection);
      const isSix = isIPv6(address.hostname);
      return new Seal(calls, listeners, owned, mayStay, trap, figures, isSix);
    } catch (error) {
      figures?.[Symbol.dispose]();
      throw error;
    }
  }

  /** Looks whether the listeners can be closed now without losing anybody. */
  isEmpty(): boolean {
    const calls = this.#calls;
    const isOver = this.#emptying.isOver(() =>
      this.#listeners.some((listener) => waitsAt(calls, listener))
    );
    if (isOver) this.#bar();
    return isOver;
  }

  /**
   * Lets the listeners themselves take nobody any more. When one of several is closed, the trap gets
   * another number in the group, so that newcomers are no longer steered to it, and would come in at
   * those that are closed a moment later.
   */
  #bar(): void {
    if (this.#isBarred || this.#listeners.length < 2) return;
    this.#isBarred = true;
    for (const listener of this.#listeners) {
      try {
        takeOnlyNear(this.#calls, listener, this.#isSix);
      } catch (error) {
        // It was closed meanwhile.
        if (!(error instanceof SocketError)) throw error;
      }
    }
  }

  /**
   * Takes the trap away. The listeners must have been closed. Deno closes a socket only when its event
   * loop comes round, and until then newcomers must not get at it.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const from = performance.now();
    for (let ms = 0; this.#isListening(ms < STOP_MS) && ms < LONGEST_CLOSE_MS;) {
      await pause(1);
      ms = performance.now() - from;
    }
    this.#trap.release();
    this.#figures?.[Symbol.dispose]();
  }

  /** @param awaitsAll whether those count that may stay */
  #isListening(awaitsAll: boolean): boolean {
    const isOpen = (fd: number, index: number) => {
      const cookie = this.#cookies[index];
      return cookie !== undefined && nameOf(this.#calls, fd) === cookie;
    };
    return this.#listeners.some(isOpen) ||
      this.#owned.some((fd, index) => (awaitsAll || !this.#mayStay(fd)) && isOpen(fd, index));
  }
}

/** Whether anybody waits at a listener. If it was closed meanwhile, nobody does. */
function waitsAt(calls: Sockets, listener: number): boolean {
  try {
    return queueOf(calls, listener) > 0;
  } catch (error) {
    if (error instanceof SocketError) return false;
    throw error;
  }
}

/** Why no trap can be set; `undefined` if it may be tried. */
function whyNoTrap(listeners: readonly number[]): string | undefined {
  if (runtime.os !== "linux") return `${runtime.os} has no way to keep them out`;
  const why = whyNoSockets();
  if (why !== undefined) return why;
  return listeners.length === 0 ? `${runtime.name} does not tell its descriptor` : undefined;
}

function openFigures(calls: Sockets, address: Address): AddressFigures | undefined {
  try {
    return new AddressFigures(calls, address);
  } catch (error) {
    // Some containers have no netlink.
    if (error instanceof SocketError) return undefined;
    throw error;
  }
}
