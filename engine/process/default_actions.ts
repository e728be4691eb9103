/**
 * The default actions of the signals that ask a program to end: sigaction(2).
 *
 * A runtime handles a signal on its event loop. While that loop is stuck, the signal is caught and
 * nothing comes of it. Another thread can arm the default action. Then the runtime's handler stays, and
 * the kernel itself replaces it by the default action when the next signal comes (`SA_RESETHAND`). So
 * that thread sees that one came, and can end the process. If the loop turns after all, it hears that
 * signal as it hears any other. And one more signal ends the process at once.
 *
 * When a terminal closes, the kernel and the shell may both say so, and two hang-ups must not be taken
 * for that. So the handler of a hang-up is replaced by one that ignores all further ones: sigignore(3).
 * That one is seen as well, and told to the runtime when its handler is back.
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

/** More than `struct sigaction` takes on any system, in bytes. */
const ACTION_BYTES = 256;

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
  sigignore: { parameters: ["i32"], result: "i32" },
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
  /** Where sigignore(3) is; `undefined` where the runtime does not tell. */
  readonly #ignoring: bigint | undefined;
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
    this.#ignoring = runtime.codeOf(this.#libc.sigignore!);
  }

  /**
   * Opens the calls. Returns `undefined` where foreign functions cannot be called.
   *
   * @param withHangUps whether it has to be seen that SIGHUP has come
   */
  static open(withHangUps: boolean): DefaultActions | undefined {
    if (whyNoSockets() !== undefined) return undefined;
    const signals = SIGNALS.filter((signal) => withHangUps || signal !== SIGHUP);
    return new DefaultActions(signals);
  }

  /**
   * Lets SIGINT and SIGTERM keep their handlers once more, and then have their default actions. The
   * next SIGHUP is kept for the handler.
   */
  arm(): void {
    const reset = RESET[runtime.os];
    if (reset === undefined || this.#kept.size > 0) return;
    this.#keep();
    for (const [signal, old] of this.#kept) {
      const armed = old.slice();
      const words = new DataView(armed.buffer);
      if (signal === SIGHUP) words.setBigUint64(0, this.#ignoring as bigint, true);
      else words.setUint32(reset.at, words.getUint32(reset.at, true) | reset.flag, true);
      this.#set(signal, armed);
    }
  }

  /**
   * How many signals have come since they were armed, as far as it can be seen: 2 if the process was
   * told twice to end. A hang-up, of which the kernel and the shell may both tell, is no second one.
   */
  get comings(): number {
    if (this.#comings > 0) return this.#comings;
    const came = [...this.#kept.keys()].filter((signal) => {
      const action = this.#actionOf(signal);
      return signal === SIGHUP ? isIgnored(action) : isDefault(action);
    });
    if (came.length === 0) return 0;
    this.#came = came.at(-1);
    this.#comings = Math.max(1, came.filter((signal) => signal !== SIGHUP).length);
    // From now on the next one ends the process at once, whichever it is.
    for (const signal of this.#kept.keys()) {
      if (signal !== SIGHUP) this.#set(signal, this.#standard);
    }
    return this.#comings;
  }

  /** Puts the handlers back. */
  takeBack(): void {
    for (const [signal, old] of this.#kept) {
      const before = this.#set(signal, old);
      if (signal === SIGHUP && isIgnored(before)) this.#libc.kill!(this.#libc.getpid!(), SIGHUP);
    }
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
      if (signal === SIGHUP && this.#ignoring === undefined) continue;
      if (!isDefault(old) && !isIgnored(old)) this.#kept.set(signal, old);
    }
  }

  #actionOf(signal: number): Uint8Array {
    const action = new Uint8Array(ACTION_BYTES);
    this.#asking.sigaction!(signal, null, action);
    return action;
  }

  /** Sets an action. Returns the one before it. */
  #set(signal: number, action: Uint8Array): Uint8Array {
    const old = new Uint8Array(ACTION_BYTES);
    this.#libc.sigaction!(signal, action, old);
    return old;
  }
}

/** Whether an action is the default one: `SIG_DFL`, which is 0. */
function isDefault(action: Uint8Array): boolean {
  return handlerOf(action) === 0n;
}

/** Whether a signal with this action is ignored: `SIG_IGN`, which is 1. */
function isIgnored(action: Uint8Array): boolean {
  return handlerOf(action) === 1n;
}

/** The handler, with which `struct sigaction` begins. */
function handlerOf(action: Uint8Array): bigint {
  return new DataView(action.buffer).getBigUint64(0, true);
}
