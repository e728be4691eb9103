/**
 * Ctrl-Z at the terminal of a server with processes.
 *
 * A terminal stops the programs in its foreground: the parent. Its processes are none of these
 * (`parent.ts` says why), and would go on serving. So the parent stops them first, and then itself, as
 * the signal does by default. When the shell continues the parent, that continues them.
 *
 * @module
 */

import process from "node:process";
import { SIGCONT } from "../../process/send_signal.ts";
import { ignoresStops, isStopPending } from "../../process/ending_signals.ts";

/** SIGSTOP on Linux: signal(7). */
const SIGSTOP = 19;

/** How long the kernel has until somebody looks whether it stops this process, in milliseconds. */
const STOPS_MS = 20;

/** Stops and continues the processes together with this one. */
export class JobControl {
  readonly #signalAll: (signal: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /** @param signalAll sends a signal, by its number, to each of the processes */
  constructor(signalAll: (signal: number) => void) {
    this.#signalAll = signalAll;
    if (ignoresStops()) return;
    process.on("SIGTSTP", this.#stop);
    process.on("SIGCONT", this.#continue);
  }

  readonly #stop = (): void => {
    this.#isStopped = true;
    this.#signalAll(SIGSTOP);
    process.off("SIGTSTP", this.#stop);
    // Without a shell that could continue it, the kernel does not stop it, and there is no SIGCONT.
    this.#timer = setTimeout(this.#goOn, STOPS_MS);
    process.kill(process.pid, "SIGTSTP");
  };

  /** This process runs: either it will be stopped in a moment, or never. */
  readonly #goOn = (): void => {
    if (isStopPending()) this.#timer = setTimeout(this.#goOn, STOPS_MS);
    else this.#continue();
  };

  readonly #continue = (): void => {
    clearTimeout(this.#timer);
    if (!this.#isStopped) return;
    this.#isStopped = false;
    process.on("SIGTSTP", this.#stop);
    this.#signalAll(SIGCONT);
  };

  /** Lets Ctrl-Z do what it does by default. May be called again. */
  close(): void {
    clearTimeout(this.#timer);
    process.off("SIGTSTP", this.#stop);
    process.off("SIGCONT", this.#continue);
  }
}
