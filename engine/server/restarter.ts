/**
 * SIGUSR2: the server starts its own command line again, and the new process takes over.
 *
 * @module
 */

import { pause } from "../values/pause.ts";
import { formatDuration } from "../values/durations.ts";
import type { StartedProgram } from "../net/adapter.ts";
import { describeSystemError } from "../net/constants.ts";
import { runtime } from "../net/runtime.ts";
import type { Handover } from "./core/handover.ts";
import { BY_DESCRIPTOR } from "./core/options.ts";
import { loggerOf } from "./journal/logging.ts";

/** The first process of a container: when it ends, all others are killed. */
const INIT = 1;

/** How long a process that has not taken over may take to end, in milliseconds. */
const END_MS = 1_000;

/** Restarts a server at SIGUSR2. Without it the signal would end the process. */
export class Restarter {
  /** Stops listening for the signal. */
  readonly forget: () => void;
  readonly #logger: ReturnType<typeof loggerOf>;
  #handover: Handover | undefined;
  #isServing = false;
  #isBusy = false;
  #child: StartedProgram | undefined;
  /** Where the listener is offered, if the command line does not say it. */
  #place: string | undefined;

  /** @param name the command's name */
  constructor(name: string) {
    this.#logger = loggerOf(name);
    this.forget = runtime.onSignal("SIGUSR2", () => void this.#restart());
  }

  /** The server serves. @param handover its listener, if another process can take it */
  serves(handover: Handover | undefined): void {
    this.#isServing = true;
    this.#handover = handover;
  }

  /** The server is asked to end: a process that has not taken over must not take its place. */
  cancel(): void {
    this.#isServing = false;
    if (this.#child === undefined) return;
    this.#handover?.refuse(this.#child.pid);
    void end(this.#child);
  }

  async #restart(): Promise<void> {
    const handover = this.#handover;
    const why = this.#whyNot();
    if (why !== undefined || handover === undefined) {
      this.#logger.warn("SIGUSR2: cannot restart: {why}", { why });
      return;
    }
    this.#isBusy = true;
    try {
      await this.#replace(handover);
    } catch (error) {
      const why = describeSystemError(error);
      this.#logger.error("SIGUSR2: cannot restart: {why}: this server goes on", { why });
    } finally {
      handover.hurry(false);
      this.#child = undefined;
      this.#isBusy = false;
    }
  }

  #whyNot(): string | undefined {
    if (this.#isBusy) return "it is doing so already";
    if (!this.#isServing) return "it does not serve";
    if (runtime.os !== "linux") return "a listener can be passed on on Linux only";
    if (this.#handover === undefined) {
      return `the runtime has the listener, and only ${BY_DESCRIPTOR} can pass theirs on`;
    }
    if (runtime.pid !== INIT) return undefined;
    return "this is process 1, with which all others end: start another server with --takeover";
  }

  async #replace(handover: Handover): Promise<void> {
    // Few servers are ever asked to restart. The others start faster without this.
    const { TAKEOVER_MS } = await import("./takeover/offer.ts");
    const { privatePlace } = await import("./takeover/private_path.ts");
    if (!this.#isServing) return;
    if (handover.path === undefined) this.#place = handover.offerAt(privatePlace());
    // A process that finds nobody there would open a listener of its own.
    handover.offerAgain();
    const more = this.#place === undefined ? [] : ["--takeover", this.#place];
    const { ownCommandLine } = await import("../process/own_command_line.ts");
    const { path, args, folder } = ownCommandLine(more);
    handover.hurry(true);
    let isTaken = false;
    const taken = new Promise<"taken">((resolve) =>
      handover.onTakenOver(() => {
        isTaken = true;
        this.#child = undefined;
        resolve("taken");
      })
    );
    const child = await runtime.startProgram(path, args, folder);
    if (!this.#isServing) return await end(child);
    this.#child = child;
    child.unref();
    const { pid } = child;
    this.#logger.info("SIGUSR2: process {pid} starts, to take over", { pid });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), TAKEOVER_MS);
    });
    const ended = child.ended.then((how) => `ended with ${how}`);
    const outcome = await Promise.race([taken, ended, late]);
    clearTimeout(timer);
    // From now on it cannot take over. Otherwise it might do so just before it is ended, and then nobody
    // would serve.
    if (outcome === "late") handover.refuse(pid, "it took too long");
    // A program in between may have ended, and started another one.
    if (isTaken || !this.#isServing) return;
    const what = outcome === "late"
      ? `has not taken over within ${formatDuration(TAKEOVER_MS)}`
      : outcome;
    this.#logger.error("SIGUSR2: process {pid} {what}: this server goes on", { pid, what });
    if (outcome === "late") await end(child);
  }
}

/** Ends a process that has taken too long: it must not take over later. */
async function end(child: StartedProgram): Promise<void> {
  child.signal("SIGTERM");
  await Promise.race([child.ended, pause(END_MS)]);
  child.signal("SIGKILL");
}
