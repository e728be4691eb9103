/**
 * The inside of a Worker that computes for an event loop.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { ComputeTimeoutError } from "../../../protocols/errors.ts";
import { runTask } from "../../drivers/conversation.ts";
import { placeOf } from "../../values/places.ts";
import { describeError } from "../../values/thrown.ts";
import { loadProtocol } from "../core/protocol_loader.ts";
import { computeThreadName } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";
import { openTrack } from "../trace/open_track.ts";
import type { TrackShare } from "../trace/timeline_track.ts";

/** The first message from the main thread to such a Worker. */
export interface ComputeAssignment {
  /** The location of the protocol whose tasks the Worker runs. */
  readonly protocol: string;
  /** One word: the number of the job that is to stop. */
  readonly stop: SharedArrayBuffer;
  /** The memory of this thread's track, if a trace is written. */
  readonly track: TrackShare | undefined;
}

/** A further message from the main thread: one job at a time. */
export interface Job {
  /** The job's number, at least 1. */
  readonly id: number;
  /** The name of the task. */
  readonly task: string;
  /** Its argument. */
  readonly argument: unknown;
  /** How long it may still take, in milliseconds; 0 means for ever. */
  readonly withinMs: number;
  /** The number of the connection in the trace, if one is written. */
  readonly connection: number | undefined;
}

/** The Worker's answer to a job. */
export type ComputeAnswer =
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | {
    readonly kind: "failed";
    readonly id: number;
    readonly message: string;
    /** Where in the protocol's module it was thrown, if that is known. */
    readonly place?: string | undefined;
  }
  | { readonly kind: "stopped" | "timedOut"; readonly id: number };

/** The error that ends a job that is to stop. */
const STOPPED = new Error("The computation was stopped");

/**
 * The computing half of a mode. In a thread that was not started for this it does nothing.
 *
 * @param mode the mode's name
 */
export function onComputeThread(mode: string): void {
  onAssigned(computeThreadName(mode), async (
    { protocol, stop: word, track: share }: ComputeAssignment,
    post: (answer: ComputeAnswer) => void,
  ) => {
    const definition = await loadProtocol(protocol);
    const stop = new Int32Array(word);
    const track = await openTrack(share);
    return {
      hear(job: Job) {
        const startedAt = track?.computes(job.connection ?? 0, job.task) ?? 0;
        const answer = perform(definition, job, () => Atomics.load(stop, 0) === job.id);
        track?.computed(job.connection ?? 0, startedAt, job.task);
        try {
          post(answer);
        } catch (error) {
          // The result cannot be sent to another thread.
          post({ kind: "failed", id: job.id, message: describeError(error) });
        }
      },
    };
  });
}

function perform(
  { tasks, hasSlicedTasks: isSliced }: ProtocolDefinition,
  { id, task, argument, withinMs: timeoutMs }: Job,
  isStopped: () => boolean,
): ComputeAnswer {
  try {
    const onSlice = () => {
      if (isStopped()) throw STOPPED;
    };
    const result = runTask(tasks, task, argument, { timeoutMs, isSliced, onSlice });
    return { kind: "done", id, result };
  } catch (error) {
    if (error === STOPPED) return { kind: "stopped", id };
    if (timeoutMs > 0 && error instanceof ComputeTimeoutError) return { kind: "timedOut", id };
    return { kind: "failed", id, message: describeError(error), place: placeOf(error) };
  }
}
