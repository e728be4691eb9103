/**
 * Replaces Workers that have died: after a pause, and when there are descriptors for another
 * Worker.
 *
 * @module
 */

import { Backoff } from "../net/backoff.ts";
import { hasRoomForWorker, RESERVE } from "./descriptor_limits.ts";
import type { WorkerHandle } from "./supervised_worker.ts";

/** A Worker that lived longer than this, in milliseconds, did not fail because of its start. */
const LIVED_MS = 10_000;

/** A log of why Workers died. */
export interface DeathLog {
  /** Logs the death of one Worker. */
  log(event: {
    readonly level: "error";
    readonly text: string;
    readonly properties: { readonly error: string };
  }): void;
}

/** How Workers are replaced. */
export interface KeeperOptions {
  /** The log for deaths. It is written before the pause. */
  readonly journal: DeathLog;
  /** Whether a replacement is still wanted. @default until {@linkcode WorkerKeeper.stop} */
  readonly isWanted?: () => boolean;
  /** Whether there is no time for a pause after a death. @default never */
  readonly isUrgent?: () => boolean;
  /** How many descriptors must be free besides those of a replacement. @default {RESERVE} */
  readonly reserve?: number;
}

/** Replaces the Workers of one server, or of one pool. */
export class WorkerKeeper {
  readonly #options: KeeperOptions;
  // All Workers share one back-off: a protocol that kills each Worker kills many at the same time.
  readonly #backoff = new Backoff();
  /** The pauses under way: each timer, and the function that ends its pause. */
  readonly #pauses = new Map<ReturnType<typeof setTimeout>, () => void>();
  /** The errors of Workers that somebody from outside has ended. */
  readonly #excused = new WeakSet<Error>();
  #isStopped = false;

  /** @param options how Workers are replaced */
  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /**
   * Starts a Worker, and starts another one in its place whenever it dies.
   *
   * @param start starts the first one
   * @param replace starts another one, or returns `undefined` if none is wanted
   * @param isNeeded whether it is an error if the first one cannot start. If not, that is logged, and
   * another one is started in its place; by default it is
   * @returns a promise that resolves when the first one is ready, and rejects if it cannot start
   */
  async keepRunning(
    start: () => WorkerHandle,
    replace: () => WorkerHandle | undefined = start,
    isNeeded: () => boolean = () => true,
  ): Promise<void> {
    const first = start();
    try {
      await first.ready;
    } catch (error) {
      if (isNeeded()) throw error;
    }
    void this.#replace(first, replace);
  }

  async #replace(worker: WorkerHandle, replace: () => WorkerHandle | undefined): Promise<void> {
    for (let next: WorkerHandle | undefined = worker; next !== undefined;) {
      if (await this.settle(next) === undefined || !await this.#room()) return;
      next = replace();
    }
  }

  /** Waits until there is room for a replacement. Returns whether it is still wanted. */
  async #room(): Promise<boolean> {
    const { isWanted = () => true, reserve = RESERVE } = this.#options;
    while (!this.#isStopped && isWanted()) {
      if (hasRoomForWorker(reserve)) return true;
      await this.pause();
    }
    return false;
  }

  /**
   * A Worker has died, and it is known who made it die. Others must not wait because of that: no
   * pause follows. Call this as soon as the Worker is gone.
   *
   * @param error the error that it died of
   */
  excuse(error: Error): void {
    this.#excused.add(error);
  }

  /**
   * Waits until a Worker is gone. If it died, this is logged and followed by a pause, so that a
   * Worker that cannot live is not started again and again without one.
   *
   * @param worker the Worker
   * @returns the error, if the Worker died of one
   */
  async settle({ gone }: WorkerHandle): Promise<Error | undefined> {
    const startedAt = performance.now();
    const error = await gone;
    if (error !== undefined) {
      const properties = { error: error.message };
      this.#options.journal.log({ level: "error", text: "{error}", properties });
    }
    if (performance.now() - startedAt > LIVED_MS) this.#backoff.reset();
    if (error === undefined || this.#excused.has(error)) return error;
    if (this.#options.isUrgent?.() !== true) await this.pause();
    return error;
  }

  /** Waits, each time for longer. {@linkcode WorkerKeeper.stop} ends the wait. */
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

  /** Stops replacing Workers, and ends the pauses. This may be called again. */
  stop(): void {
    this.#isStopped = true;
    for (const [timer, resolve] of this.#pauses) {
      clearTimeout(timer);
      resolve();
    }
    this.#pauses.clear();
  }
}
