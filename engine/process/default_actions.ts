/**
 * The signals that ask a program to end, while its runtime cannot hear them: sigaction(2).
 *
 * A runtime handles a signal on its event loop. While that loop is stuck, the signal is caught and
 * nothing comes of it. Some runtimes tell other threads of it, and some do not. There another thread
 * can arm the default action. Then the runtime's handler stays, and the kernel itself replaces it by the
 * default action when the next signal comes (`SA_RESETHAND`). So that thread sees that one has come. If
 * the loop turns after all, it hears that signal as it hears any other.
 *
 * When a terminal closes, the kernel and the shell may both say so. The default action of the second
 * hang-up would end the process. So the handler of hang-ups is replaced by one that makes the kernel
 * ignore all further ones: sigignore(3). The first one is seen too, and the runtime is told of it when
 * its handler is back.
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "../net/adapter.ts";
import { moreFunctions, whyNoSockets } from "../net/libc.ts";
import { runtime } from "../net/runtime.ts";
import type { EndingSignal } from "./ending_signals.ts";

/** Their numbers, which they have on every system: signal(7). */
const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

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

/** The default actions, and the handlers that they are to replace. */
export class DefaultActions {
  readonly #libc: ForeignFunctions;
  readonly #asking: ForeignFunctions;
  readonly #signals: readonly EndingSignal[];
  /** Where sigignore(3) is; `undefined` where the runtime does not tell. */
  readonly #ignoring: bigint | undefined;
  /** No flag, no mask, and the handler `SIG_DFL`, which is 0. */
  readonly #standard = new Uint8Array(ACTION_BYTES);
  /** The handlers that were there. */
  readonly #kept = new Map<EndingSignal, Uint8Array>();
  #isHungUp = false;

  private constructor(signals: readonly EndingSignal[]) {
    this.#libc = moreFunctions(SIGNATURES);
    this.#asking = moreFunctions(ASKING);
    this.#signals = signals;
    this.#ignoring = runtime.codeOf(this.#libc.sigignore!);
  }

  /**
   * Opens the calls. Returns `undefined` where foreign functions cannot be called.
   *
   * @param signals those that end this program
   */
  static open(signals: readonly EndingSignal[]): DefaultActions | undefined {
    return whyNoSockets() === undefined ? new DefaultActions(signals) : undefined;
  }

  /** From now on it is seen which signals come. */
  arm(): void {
    if (RESET[runtime.os] === undefined || this.#kept.size > 0) return;
    for (const signal of this.#signals) {
      if (signal === "SIGHUP" && this.#ignoring === undefined) continue;
      const old = this.#actionOf(signal);
      // What is ignored, or has its default action, stays so.
      if (!isDefault(old) && !isIgnored(old)) this.#kept.set(signal, old);
    }
    for (const signal of this.#kept.keys()) this.#armOne(signal);
  }

  /**
   * Tells which signals have come since the last call. Of those of one kind that come before this is
   * called, the second one ends the process, unless it is a hang-up.
   */
  take(): EndingSignal[] {
    return [...this.#kept.keys()].filter((signal) => {
      const action = this.#actionOf(signal);
      if (signal !== "SIGHUP") {
        if (!isDefault(action)) return false;
        this.#armOne(signal);
        return true;
      }
      if (this.#isHungUp || !isIgnored(action)) return false;
      return this.#isHungUp = true;
    });
  }

  /**
   * Puts the handlers back.
   *
   * @returns whether the runtime was told of a hang-up only now
   */
  takeBack(): boolean {
    let isTold = false;
    for (const [signal, old] of this.#kept) {
      const before = this.#set(signal, old);
      if (signal !== "SIGHUP" || !isIgnored(before)) continue;
      this.#send(signal);
      isTold = true;
    }
    this.#kept.clear();
    this.#isHungUp = false;
    return isTold;
  }

  /** Ends the process as a signal does by default. */
  endProcess(signal: EndingSignal): void {
    this.#set(signal, this.#standard);
    this.#send(signal);
    // For process 1 of a container the default action is to go on.
    this.#libc._exit!(128 + NUMBERS[signal]);
  }

  #armOne(signal: EndingSignal): void {
    const armed = (this.#kept.get(signal) as Uint8Array).slice();
    const words = new DataView(armed.buffer);
    const reset = RESET[runtime.os]!;
    if (signal === "SIGHUP") words.setBigUint64(0, this.#ignoring as bigint, true);
    else words.setUint32(reset.at, words.getUint32(reset.at, true) | reset.flag, true);
    this.#set(signal, armed);
  }

  #send(signal: EndingSignal): void {
    this.#libc.kill!(this.#libc.getpid!(), NUMBERS[signal]);
  }

  #actionOf(signal: EndingSignal): Uint8Array {
    const action = new Uint8Array(ACTION_BYTES);
    this.#asking.sigaction!(NUMBERS[signal], null, action);
    return action;
  }

  /** Sets an action. Returns the one before it. */
  #set(signal: EndingSignal, action: Uint8Array): Uint8Array {
    const old = new Uint8Array(ACTION_BYTES);
    this.#libc.sigaction!(NUMBERS[signal], action, old);
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
