/**
 * What the main thread tells a Worker of a team first, and how a Worker knows that it is meant.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { CounterBlock } from "../core/counters.ts";
import { Observer } from "../core/observer.ts";
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
import { threadName } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";

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

/** What a thread tells the main thread, besides when it is ready and when it has finished. */
export interface ThreadMessage {
  /**
   * `wake`: there is something to read in its journal; `queued`: connections wait for threads;
   * `lingering`: a connection has been left to the common lingerer.
   */
  readonly kind: "wake" | "queued" | "lingering";
}

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
    () => tell({ kind: "wake" }),
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

/**
 * Does what the main thread assigns. Nothing happens in any other thread than one that was started
 * for this mode.
 *
 * @param mode the mode's name
 * @param work is told of the assignment, what to speak, how to answer, and how to say that it is
 * ready; it has finished when it returns
 */
export function onAssignment(
  mode: string,
  work: (
    assignment: Assignment,
    protocol: ProtocolDefinition,
    tell: (message: ThreadMessage) => void,
    sayReady: () => void,
  ) => Promise<void>,
): void {
  onAssigned(threadName(mode), async (assignment: Assignment, tell) => {
    const protocol = await loadProtocol(assignment.settings.protocol);
    return { play: (sayReady) => work(assignment, protocol, tell, sayReady) };
  });
}
