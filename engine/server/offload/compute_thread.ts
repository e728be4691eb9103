/**
 * The inside of a Worker that computes for an event loop.
 *
 * @module
 */

import type { Tasks } from "../../../protocols/catalogue.ts";
import { runTask } from "../../drivers/conversation.ts";
import { describeError } from "../../values/thrown.ts";
import { loadProtocol } from "../core/protocol_loader.ts";
import { computeThreadName } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";
import { RECORD, type TrackShare, TrackWriter } from "../trace/timeline_track.ts";

/** What the main thread tells such a thread first. */
export interface ComputeAssignment {
  /** Where the protocol is found whose tasks it does. */
  readonly protocol: string;
  /** One word: the number of the job that is to stop. */
  readonly stop: SharedArrayBuffer;
  /** Where it writes down what it computes, where a trace is written. */
  readonly track: TrackShare | undefined;
}

/** What the main thread tells it then: one job at a time. */
export interface Job {
  /** The job's number, at least 1. */
  readonly id: number;
  /** The name of the task. */
  readonly task: string;
  /** Its argument. */
  readonly argument: unknown;
  /** The number of the connection in the trace, where one is written. */
  readonly connection: number | undefined;
}

/** What it answers to a job. */
export type ComputeAnswer =
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly message: string }
  | { readonly kind: "stopped"; readonly id: number };

/** What ends a job that is to stop. */
const STOPPED = new Error("The computation was stopped");

/**
 * The computing half of a mode. Does nothing in any other thread than one that was started for it.
 *
 * @param mode the mode's name
 */
export function onComputeThread(mode: string): void {
  onAssigned(computeThreadName(mode), async (
    { protocol, stop: word, track: share }: ComputeAssignment,
    post: (answer: ComputeAnswer) => void,
  ) => {
    const { tasks } = await loadProtocol(protocol);
    const stop = new Int32Array(word);
    const track = share && new TrackWriter(share);
    return {
      hear(job: Job) {
        const startedAt = track?.now() ?? 0;
        const answer = perform(tasks, job, () => Atomics.load(stop, 0) === job.id);
        track?.tell(RECORD.task, job.connection ?? 0, startedAt, track.now(), job.task);
        try {
          post(answer);
        } catch (error) {
          // The result is nothing that can be sent to another thread.
          post({ kind: "failed", id: job.id, message: describeError(error) });
        }
      },
    };
  });
}

function perform(
  tasks: Tasks | undefined,
  { id, task, argument }: Job,
  isStopped: () => boolean,
): ComputeAnswer {
  try {
    // How long it may take the loop knows that waits for it.
    const result = runTask(tasks, task, argument, 0, () => {
      if (isStopped()) throw STOPPED;
    });
    return { kind: "done", id, result };
  } catch (error) {
    if (error === STOPPED) return { kind: "stopped", id };
    return { kind: "failed", id, message: describeError(error) };
  }
}
