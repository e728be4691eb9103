/**
 * Writes the statistics of a server to standard error, from a thread of its own.
 *
 * The thread shares nothing with the server but memory. So its lines come on time, and their figures
 * are right, while the server's loop is stuck in a computation. And a reader of standard error who
 * is stuck holds up this thread only: it leaves lines out, and the server goes on.
 *
 * This file runs twice, as the file of a mode does: in the main thread, and in the Worker that it
 * starts from itself.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { runtime } from "../../net/runtime.ts";
import { describeError } from "../../values/thrown.ts";
import { hasRoomForWorker, whyNoRoomForWorker } from "../../workers/descriptor_limits.ts";
import { requireWorkers, SupervisedWorker } from "../../workers/supervised_worker.ts";
import { STATISTICS_THREAD } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";
import type { StatisticsShare } from "../core/statistics_share.ts";
import { formatEntry, type LogFormat } from "../journal/logging.ts";
import { countOverflows } from "./listener_figures.ts";
import { formatStatistics, nameStatistics } from "./statistics_line.ts";
import { StatisticsReader } from "./statistics_reader.ts";

/** How the statistics are written. */
export interface PrinterOptions {
  /** The name of the server, for the log in JSON. */
  readonly name: string;
  /** How often, in milliseconds. */
  readonly everyMs: number;
  /** Whether people or programs read them. */
  readonly format: LogFormat;
}

/** The first message to the thread. */
interface PrinterAssignment extends PrinterOptions {
  /** One word that says what the thread is doing. */
  readonly control: SharedArrayBuffer;
}

// The values of that word. The main thread writes the last one. From then on no line begins.
const WAITING = 0;
const WRITING = 1;
const STOPPED = 2;

onAssigned(
  STATISTICS_THREAD,
  (assignment: PrinterAssignment, post: (message: { readonly kind: "finished" }) => void) => {
    // The server does not listen yet.
    const overflows = countOverflows();
    return Promise.resolve({
      hear(share: StatisticsShare) {
        printUntilStopped(share, assignment, overflows);
        post({ kind: "finished" });
      },
    });
  },
);

function printUntilStopped(
  share: StatisticsShare,
  assignment: PrinterAssignment,
  overflows: number | undefined,
): void {
  const { everyMs } = assignment;
  const control = new Int32Array(assignment.control);
  using reader = new StatisticsReader(share, overflows);
  const isStopped = (): boolean => Atomics.load(control, 0) === STOPPED;
  const write = (level: "info" | "warning", text: string, figures = {}): boolean => {
    if (Atomics.compareExchange(control, 0, WAITING, WRITING) !== WAITING) return false;
    const isWritten = print(
      `${formatEntry({ ...assignment, level, isStatistics: true, text, properties: figures })}\n`,
    );
    return Atomics.compareExchange(control, 0, WRITING, WAITING) === WRITING && isWritten;
  };

  for (const reason of reader.unknown) if (!write("warning", reason)) return;
  const startedAt = performance.now();
  for (let turn = 1;; turn++) {
    // Turns that were missed while a line could not be written are left out.
    turn = Math.max(turn, Math.ceil((performance.now() - startedAt) / everyMs));
    const waitMs = startedAt + turn * everyMs - performance.now();
    if (waitMs > 0) runtime.waitWhile(control, 0, WAITING, waitMs);
    if (isStopped()) return;
    const statistics = reader.read();
    if (!write("info", formatStatistics(statistics), nameStatistics(statistics))) return;
  }
}

/** Writes a line. Returns whether there is still a reader. */
function print(line: string): boolean {
  try {
    runtime.printNow("stderr", line);
    return true;
  } catch {
    // The reader has gone, as in `… 2>&1 | head -1`. Nobody has told the server to stop.
    return false;
  }
}

/** The main thread's side. */
export class StatisticsPrinter {
  readonly #worker: SupervisedWorker<StatisticsShare, never>;
  readonly #control: Int32Array;

  private constructor(options: PrinterOptions, logger: Logger) {
    const control = new SharedArrayBuffer(4);
    this.#control = new Int32Array(control);
    this.#worker = SupervisedWorker.start<StatisticsShare, never>({
      url: import.meta.url,
      name: STATISTICS_THREAD,
      assignment: { ...options, control } satisfies PrinterAssignment,
      cannotStart: "Cannot write statistics",
      died: "The statistics end here",
      onGone(error) {
        if (error !== undefined) logger.warn("{error}", { error: describeError(error) });
      },
    });
  }

  /**
   * Starts the thread. Servers count the descriptors that are free, so this comes before the server
   * starts.
   *
   * @param options how to write
   * @param logger is told if the thread dies
   * @throws {Error} if it cannot be started
   */
  static async start(options: PrinterOptions, logger: Logger): Promise<StatisticsPrinter> {
    requireWorkers(import.meta.url);
    if (!hasRoomForWorker()) {
      throw new Error(`Cannot write statistics: ${whyNoRoomForWorker()}`);
    }
    const printer = new StatisticsPrinter(options, logger);
    await printer.#worker.ready;
    return printer;
  }

  /**
   * Begins to write.
   *
   * @param share the server's statistics
   */
  print(share: StatisticsShare): void {
    this.#worker.post(share);
  }

  /**
   * Ends it. No line begins from now on.
   *
   * @param withinMs how long to wait for a line that is being written, in milliseconds. A thread
   * that is stuck for longer is abandoned
   */
  async stop(withinMs: number): Promise<void> {
    Atomics.store(this.#control, 0, STOPPED);
    Atomics.notify(this.#control, 0);
    await this.#worker.endWithin(withinMs);
  }
}
