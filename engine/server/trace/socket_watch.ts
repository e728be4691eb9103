/**
 * The main thread's side of the watch over a server's sockets.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { whyNoKernel } from "../../kernel/linux.ts";
import type { RecordingFile } from "../../recording/recording_file.ts";
import { describeError } from "../../values/thrown.ts";
import { hasRoomForWorker } from "../../workers/descriptor_limits.ts";
import { requireWorkers, SupervisedWorker } from "../../workers/supervised_worker.ts";
import { SOCKETS_THREAD } from "../../workers/thread_names.ts";
import {
  SOCKETS_THREAD_URL,
  type ToWatch,
  type WatchAssignment,
  type WatchBatch,
} from "./socket_thread.ts";

/** How long the end waits for the last look, in milliseconds. */
const LAST_MS = 500;

/** A watch in progress. */
export class SocketWatch {
  readonly #worker: SupervisedWorker<ToWatch, WatchBatch>;

  private constructor(file: RecordingFile, address: Address) {
    this.#worker = SupervisedWorker.start<ToWatch, WatchBatch>({
      url: SOCKETS_THREAD_URL,
      name: SOCKETS_THREAD,
      assignment: { address, beganUs: file.beganUs } satisfies WatchAssignment,
      onMessage: ({ events, leftOut }) => {
        for (const event of events) file.add(event);
        file.leaveOut("sockets", leftOut);
        this.#worker.post("taken");
      },
      onGone(error) {
        if (error !== undefined) tell(file, describeError(error));
      },
    });
  }

  /**
   * Begins to watch. Where that is impossible, the recording says so.
   *
   * @param file where to write what is seen
   * @param address where the server listens
   */
  static start(file: RecordingFile, address: Address): SocketWatch | undefined {
    try {
      const why = whyNoKernel();
      if (why !== undefined) throw new Error(why);
      requireWorkers(SOCKETS_THREAD_URL);
      if (!hasRoomForWorker()) throw new Error("the limit of open files (ulimit -n) is too low");
      return new SocketWatch(file, address);
    } catch (error) {
      tell(file, describeError(error));
      return undefined;
    }
  }

  /** Takes a last look and ends. */
  async close(): Promise<void> {
    if (this.#worker.isReady) this.#worker.post("stop");
    else this.#worker.end();
    const late = setTimeout(() => this.#worker.end(undefined, true), LAST_MS);
    await this.#worker.gone;
    clearTimeout(late);
  }
}

function tell(file: RecordingFile, why: string): void {
  const text = `sockets are not recorded: ${why}`;
  file.add({ type: "note", at: file.now(), text });
}
