/**
 * The default actions of the signals that ask a program to end: sigaction(2).
 *
 * A runtime handles a signal on its event loop. While that loop is stuck, the signal is caught and
 * nothing comes of it. Another thread can arm the default action. Then the runtime's handler stays, and
 * the kernel itself replaces it by the default action when the next signal comes (`SA_RESETHAND`). So
 * that thread sees that one came, and can end the process. If the loop turns after all, it hears that
 * signal as it hears any other. And one more signal ends the process at once.
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "../net/adapter.ts";
import { moreFunctions, whyNoSockets } from "../net/libc.ts";
import { runtime } from "../net/runtime.ts";

/** SIGHUP, SIGINT and SIGTERM. They have these numbers on every system: signal(7). */
const SIGNALS = [1, 2, 15] as const;
const SIGHUP = 1;
const SIGTERM = 15;

/** More than `struct sigaction` takes on any system, in bytes. It begins with the handler. */
const ACTION_BYTES = 256;
const HANDLER_BYTES = 8;

/** Where the flags are in `struct sigaction`, in bytes, and which of them is `SA_RESETHAND`. */
const RESET: Readonly<Record<string, { readonly at: number; readonly flag: number }>> = {
  linux: { at: 136, flag: 0x8000_0000 },
  darwin: { at: 12, flag: 4 },
};

const SIGNATURES = {
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpid: { parameters: [], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  _exit: { parameters: ["i32"], result: "void" },
} as const satisfies ForeignSignatures;

/** The same call for a caller that only asks: Bun takes no `null` for a buffer. */
const ASKING = {
  sigaction: { parameters: ["i32", "pointer", "buffer"], result: "i32" },
} as const satisfies ForeignSignatures;

/** The default actions, and the handlers that they have replaced. */
export class DefaultActions {
  readonly #libc: ForeignFunctions;
  readonly #asking: ForeignFunctions;
  readonly #signals: readonly number[];
  /** No flag, no mask, and the handler `SIG_DFL`, which is 0. */
  readonly #standard = new Uint8Array(ACTION_BYTES);
  /** The handlers that were there, by signal. */
  readonly #kept = new Map<number, Uint8Array>();
  /** A signal that has come since they were armed, and how many have. */
  #came: number | undefined;
  #comings = 0;

  private constructor(signals: readonly number[]) {
    this.#libc = moreFunctions(SIGNATURES);
    this.#asking = moreFunctions(ASKING);
    this.#signals = signals;
  }

  /**
   * Opens the calls. Returns `undefined` where foreign functions cannot be called.
   *
   * @param withHangUps whether SIGHUP ends this program too
   */
  static open(withHangUps: boolean): DefaultActions | undefined {
    if (whyNoSockets() !== undefined) return undefined;
    const signals = SIGNALS.filter((signal) => withHangUps || signal !== SIGHUP);
    return new DefaultActions(signals);
  }

  /** Lets every signal that has a handler keep that once more, and then have its default action. */
  arm(): void {
    const reset = RESET[runtime.os];
    if (reset === undefined || this.#kept.size > 0) return;
    this.#keep();
    for (const [signal, old] of this.#kept) {
      const armed = old.slice();
      const flags = new DataView(armed.buffer);
      flags.setUint32(reset.at, flags.getUint32(reset.at, true) | reset.flag, true);
      this.#set(signal, armed);
    }
  }

  /**
   * How many signals have come since they were armed, as far as it can be seen: 2 if the process was
   * told twice to end. A hang-up, of which the kernel and the shell may both tell, is no second one.
   */
  get comings(): number {
    if (this.#comings > 0) return this.#comings;
    const came = [...this.#kept.keys()].filter((signal) => isDefault(this.#actionOf(signal)));
    if (came.length === 0) return 0;
    this.#came = came.at(-1);
    this.#comings = Math.max(1, came.filter((signal) => signal !== SIGHUP).length);
    // From now on the next one ends the process at once, whichever it is.
    for (const [signal, old] of this.#kept) {
      this.#set(signal, signal === SIGHUP ? old : this.#standard);
    }
    return this.#comings;
  }

  /** Puts the handlers back. */
  takeBack(): void {
    for (const [signal, old] of this.#kept) this.#set(signal, old);
    this.#kept.clear();
    this.#came = undefined;
    this.#comings = 0;
  }

  /** Ends the process as the signal that has come does by default; SIGTERM, if none is known. */
  endProcess(): void {
    const signal = this.#came ?? SIGTERM;
    this.#set(signal, this.#standard);
    this.#libc.kill!(this.#libc.getpid!(), signal);
    // For process 1 of a container the default action is to go on.
    this.#libc._exit!(128 + signal);
  }

  /** Keeps the handlers that are there. What is ignored, or has its default action, stays so. */
  #keep(): void {
    for (const signal of this.#signals) {
      const old = this.#actionOf(signal);
      // 0 is `SIG_DFL` and 1 is `SIG_IGN`.
      if (!isDefault(old) && (old[0]! > 1 || hasByte(old, 1))) this.#kept.set(signal, old);
    }
  }

  #actionOf(signal: number): Uint8Array {
    const action = new Uint8Array(ACTION_BYTES);
    this.#asking.sigaction!(signal, null, action);
    return action;
  }

  #set(signal: number, action: Uint8Array): void {
    this.#libc.sigaction!(signal, action, new Uint8Array(ACTION_BYTES));
  }
}

/** Whether an action is the default one. */
function isDefault(action: Uint8Array): boolean {
  return !hasByte(action, 0);
}

/** Whether the handler of an action has a byte that is not 0, from one of its bytes on. */
function hasByte(action: Uint8Array, from: number): boolean {
  return action.subarray(from, HANDLER_BYTES).some((byte) => byte !== 0);
}
