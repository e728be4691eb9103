/**
 * When a Worker that has died is replaced: after a pause, and when there are descriptors for another.
 *
 * @module
 */

import { Backoff } from "../net/backoff.ts";
import { hasRoomForWorker, RESERVE } from "./descriptor_limits.ts";
import type { WorkerHandle } from "./supervised_worker.ts";

/** A Worker that lived so long, in milliseconds, did not die of how it was started. */
const LIVED_MS = 10_000;

/** Where it is written what a Worker died of. */
export interface DeathLog {
  /** Takes one death. */
  log(event: {
    readonly level: "error";
    readonly text: string;
    readonly properties: { readonly error: string };
  }): void;
}

/** How Workers are replaced. */
export interface KeeperOptions {
  /** Where deaths are logged, before the pause. */
  readonly journal: DeathLog;
  /** Whether one that is missing is still wanted. @default until {@linkcode WorkerKeeper.stop} */
  readonly isWanted?: () => boolean;
  /** Whether there is no time for a pause after a death. @default never */
  readonly isUrgent?: () => boolean;
  /** How many descriptors must be free beside those of a replacement. @default {RESERVE} */
  readonly reserve?: number;
}

/** Replaces the Workers of one server, or of one pool. */
export class WorkerKeeper {
  readonly #options: KeeperOptions;
  // One for all: a protocol that kills each Worker kills many of them at a time.
  readonly #backoff = new Backoff();
  /** The pauses under way, each with what ends it. */
  readonly #pauses = new Map<ReturnType<typeof setTimeout>, () => void>();
  #isStopped = false;

  /** @param options how */
  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /**
   * Starts a Worker, and another in its place whenever it dies.
   *
   * @param start starts the first one
   * @param replace starts another; `undefined` if none is wanted any more
   * @returns resolves when the first one is ready; rejects if it could not start
   */
  async keepRunning(
    start: () => WorkerHandle,
    replace: () => WorkerHandle | undefined = start,
  ): Promise<void> {
    const first = start();
    await first.ready;
    void this.#replace(first, replace);
  }

  async #replace(worker: WorkerHandle, replace: () => WorkerHandle | undefined): Promise<void> {
    for (let next: WorkerHandle | undefined = worker; next !== undefined;) {
      if (await this.settle(next) === undefined || !await this.#room()) return;
      next = replace();
    }
  }

  /** Waits until there is room for a replacement; returns whether it is still wanted. */
  async #room(): Promise<boolean> {
    const { isWanted = () => true, reserve = RESERVE } = this.#options;
    while (!this.#isStopped && isWanted()) {
      if (hasRoomForWorker(reserve)) return true;
      await this.pause();
    }
    return false;
  }

  /**
   * Waits until a Worker is gone. If it died that is logged, and waited for a while longer: one that
   * cannot live is not brought back to life without end.
   *
   * @param worker which
   * @returns the error that it died of, if it did
   */
  async settle({ gone }: WorkerHandle): Promise<Error | undefined> {
    const startedAt = performance.now();
    const error = await gone;
    if (error !== undefined) {
      const properties = { error: error.message };
      this.#options.journal.log({ level: "error", text: "{error}", properties });
    }
    if (performance.now() - startedAt > LIVED_MS) this.#backoff.reset();
    if (error !== undefined && this.#options.isUrgent?.() !== true) await this.pause();
    return error;
  }

  /** Waits, each time for longer, but not beyond {@linkcode WorkerKeeper.stop}. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isStopped) return resolve();
      const timer = setTimeout(() => {
        this.#pauses.delete(timer);
        resolve();
      }, this.#backoff.next());
      this.#pauses.set(timer, resolve);
    });
  }

  /** Replaces no other Worker, and ends the pauses. May be called again. */
  stop(): void {
    this.#isStopped = true;
    for (const [timer, resolve] of this.#pauses) {
      clearTimeout(timer);
      resolve();
    }
    this.#pauses.clear();
  }
}
