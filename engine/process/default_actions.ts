/**
 * The default actions of the signals that ask a program to end: sigaction(2).
 *
 * A runtime handles a signal on its event loop. While that loop is stuck, the signal is caught and
 * nothing comes of it. Another thread can give the signal its default action back: then the next one
 * ends the process. The handler of the runtime is kept, and put back when the loop turns again.
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "../net/adapter.ts";
import { moreFunctions, whyNoSockets } from "../net/libc.ts";

/** SIGHUP, SIGINT and SIGTERM. They have these numbers on every system: signal(7). */
const SIGNALS = [1, 2, 15] as const;
const SIGTERM = 15;

/** More than `struct sigaction` takes on any system, in bytes. It begins with the handler. */
const ACTION_BYTES = 256;
const HANDLER_BYTES = 8;

const SIGNATURES = {
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  _exit: { parameters: ["i32"], result: "void" },
} as const satisfies ForeignSignatures;

/** The default actions, and the handlers that they have replaced. */
export class DefaultActions {
  readonly #libc: ForeignFunctions;
  /** No flag, no mask, and the handler `SIG_DFL`, which is 0. */
  readonly #standard = new Uint8Array(ACTION_BYTES);
  /** The handlers that were there, by signal. */
  readonly #kept = new Map<number, Uint8Array>();

  private constructor(libc: ForeignFunctions) {
    this.#libc = libc;
  }

  /** Opens the calls. Returns `undefined` where foreign functions cannot be called. */
  static open(): DefaultActions | undefined {
    if (whyNoSockets() !== undefined) return undefined;
    return new DefaultActions(moreFunctions(SIGNATURES));
  }

  /** Gives every signal that has a handler its default action. */
  give(): void {
    if (this.#kept.size > 0) return;
    for (const signal of SIGNALS) {
      const old = new Uint8Array(ACTION_BYTES);
      if (this.#libc.sigaction!(signal, this.#standard, old) !== 0) continue;
      // 0 is `SIG_DFL` and 1 is `SIG_IGN`. A signal that is ignored stays so.
      const isHandled = old.subarray(1, HANDLER_BYTES).some((byte) => byte !== 0) || old[0]! > 1;
      if (isHandled) this.#kept.set(signal, old);
      else this.#set(signal, old);
    }
  }

  /** Puts the handlers back. */
  takeBack(): void {
    for (const [signal, old] of this.#kept) this.#set(signal, old);
    this.#kept.clear();
  }

  /** Ends the process as SIGTERM does by default. */
  endProcess(): void {
    this.give();
    this.#libc.kill!(this.#libc.getpid!(), SIGTERM);
    // For process 1 of a container the default action is to go on.
    this.#libc._exit!(128 + SIGTERM);
  }

  #set(signal: number, action: Uint8Array): void {
    this.#libc.sigaction!(signal, action, new Uint8Array(ACTION_BYTES));
  }
}
