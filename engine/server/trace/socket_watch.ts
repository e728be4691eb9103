/**
 * The main thread's side of the watch over a server's sockets.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { isUnix } from "../../net/address.ts";
import { whyNoKernel } from "../../kernel/linux.ts";
import type { RecordingFile } from "../../recording/recording_file.ts";
import { describeError } from "../../values/thrown.ts";
import { hasRoomForWorker, whyNoRoomForWorker } from "../../workers/descriptor_limits.ts";
import { requireWorkers, SupervisedWorker } from "../../workers/supervised_worker.ts";
import { SOCKETS_THREAD } from "../../workers/thread_names.ts";
import {
  SOCKETS_THREAD_URL,
  type ToWatch,
  type WatchAssignment,
  type WatchBatch,
} from "./socket_thread.ts";

/** How long the end waits for the last look, in milliseconds. */
const LAST_MS = 3_000;

/** A watch in progress. */
export class SocketWatch {
  /** Where the server writes the port of a connection to itself, before it connects. */
  readonly ownPort: Int32Array = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: SupervisedWorker<ToWatch, WatchBatch>;
  readonly #file: RecordingFile;

  private constructor(file: RecordingFile) {
    this.#file = file;
    this.#worker = SupervisedWorker.start<ToWatch, WatchBatch>({
      url: SOCKETS_THREAD_URL,
      name: SOCKETS_THREAD,
      assignment: { beganUs: file.beganUs, ownPort: this.ownPort } satisfies WatchAssignment,
      onMessage: ({ events, leftOut }) => {
        for (const event of events) file.add(event);
        file.leaveOut("sockets", leftOut);
        this.#worker.post({ kind: "taken" });
      },
      onGone(error) {
        if (error !== undefined) tell(file, describeError(error));
      },
    });
  }

  /**
   * Begins to hear of connections that end. Where that is impossible, the recording says so.
   *
   * @param file where to write what is seen
   */
  static async start(file: RecordingFile): Promise<SocketWatch | undefined> {
    let watch: SocketWatch;
    try {
      const why = whyNoKernel();
      if (why !== undefined) throw new Error(why);
      requireWorkers(SOCKETS_THREAD_URL);
      if (!hasRoomForWorker()) throw new Error(whyNoRoomForWorker());
      watch = new SocketWatch(file);
    } catch (error) {
      tell(file, describeError(error));
      return undefined;
    }
    // If it cannot start, that has been told.
    return await watch.#worker.ready.then(() => watch, () => undefined);
  }

  /**
   * Begins to look at the server's sockets.
   *
   * @param address where the server listens
   */
  look(address: Address): void {
    if (isUnix(address.hostname)) return tell(this.#file, "only TCP has states to record");
    this.#worker.post({ kind: "listening", address });
  }

  /**
   * Takes a last look and ends.
   *
   * @param accepted how many connections the server has accepted
   */
  async close(accepted: number): Promise<void> {
    this.#worker.post({ kind: "stop", accepted });
    await this.#worker.endWithin(LAST_MS);
  }

  /** Ends at once. It may be called after the end. */
  abandon(): void {
    this.#worker.end();
  }
}

function tell(file: RecordingFile, why: string): void {
  const text = `sockets are not recorded: ${why}`;
  file.add({ type: "note", at: file.now(), text });
}
