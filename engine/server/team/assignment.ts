/**
 * What the main thread tells a Worker of a team first, and how a Worker knows that it is meant.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { runtime } from "../../net/runtime.ts";
import { CounterBlock } from "../core/counters.ts";
import { Observer } from "../core/observer.ts";
import { describeError } from "../../values/thrown.ts";
import type { ServiceSettings } from "../core/options.ts";
import { loadProtocol } from "../core/protocol_loader.ts";
import { JournalWriter } from "../journal/shared_journal.ts";
import {
  Gate,
  recordNumbers,
  type TeamMemory,
  type ThreadMemory,
  threadMemory,
} from "./team_memory.ts";
import { type TrackShare, TrackWriter } from "../trace/timeline_track.ts";
import { threadName } from "../core/thread_names.ts";

/** What the main thread tells a thread first. */
export interface Assignment {
  /** Which part the thread plays in its mode. */
  readonly role: string;
  /** Its number in the team, from 0. */
  readonly index: number;
  /** What all threads of the server share. */
  readonly memory: TeamMemory;
  /** What all threads of the server share beside the memory: plain data, as their mode has it. */
  readonly shared: unknown;
  /** Whether the main thread starts more threads when it is asked to. */
  readonly elastic: boolean;
  /** The protocol and its limits. */
  readonly settings: ServiceSettings;
  /** Whether anybody wants to hear reports and read the log. */
  readonly wants: { readonly reports: boolean; readonly log: boolean };
  /** Where it writes down what happens, where a trace is written. */
  readonly track: TrackShare | undefined;
  /** What the mode itself wants to tell it. */
  readonly data: unknown;
}

/** What a thread tells the main thread. */
export type ThreadMessage =
  | "ready"
  | "finished"
  | "wake"
  | "queued"
  | "lingering"
  | { readonly cannotStart: string };

/** What a thread has in its team, whatever its part. */
export interface Place {
  /** Its part of the team's memory. */
  readonly memory: ThreadMemory;
  /** Where connections enter and leave, and where the end is announced. */
  readonly gate: Gate;
  /** Counts for this thread. */
  readonly counters: CounterBlock;
  /** Tells what happens in this thread. */
  readonly journal: JournalWriter;
  /** Writes down what happens in this thread, where a trace is written. */
  readonly track: TrackWriter | undefined;
  /** Counts and tells what becomes of its connections. */
  readonly observer: Observer;
}

/**
 * Takes a thread's place in its team.
 *
 * @param assignment from the main thread
 * @param tell answers it
 */
export function takePlace(
  { memory, index, wants, track: share }: Assignment,
  tell: (message: ThreadMessage) => void,
): Place {
  const own = threadMemory(memory, index);
  const counters = new CounterBlock(memory.counters, own.countersOffset);
  const journal = new JournalWriter(
    memory.journals,
    own.journalOffset,
    recordNumbers(memory),
    wants,
    () => tell("wake"),
  );
  const track = share && new TrackWriter(share);
  return {
    memory: own,
    gate: new Gate(memory.gate),
    counters,
    journal,
    track,
    observer: new Observer(counters, journal, track),
  };
}

/** What is used of a Worker's global scope. */
interface WorkerScope {
  onmessage: ((event: { data: Assignment }) => void) | null;
  postMessage(message: ThreadMessage): void;
}

/**
 * Does what the main thread assigns. Nothing happens in any other thread than one that was started
 * for this mode.
 *
 * @param mode the mode's name
 * @param work is told of the assignment, what to speak, and how to answer; it has finished when it
 * returns
 */
export function onAssignment(
  mode: string,
  work: (
    assignment: Assignment,
    protocol: ProtocolDefinition,
    tell: (message: ThreadMessage) => void,
  ) => Promise<void>,
): void {
  if (runtime.threadName !== threadName(mode)) return;
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = async ({ data: assignment }) => {
    scope.onmessage = null;
    const tell = (message: ThreadMessage) => scope.postMessage(message);
    let protocol: ProtocolDefinition;
    try {
      protocol = await loadProtocol(assignment.settings.protocol);
    } catch (error) {
      // The module of the protocol may throw here although it did not in the main thread.
      return tell({ cannotStart: describeError(error) });
    }
    await work(assignment, protocol, tell);
    tell("finished");
  };
}
