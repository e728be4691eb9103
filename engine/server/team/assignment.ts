/**
 * The first message to a Worker of a team, and how the Worker takes its place in the team.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { CounterBlock } from "../core/counters.ts";
import { Observer } from "../core/observer.ts";
import type { ServiceSettings } from "../core/options.ts";
import { loadProtocol } from "../core/protocol_loader.ts";
import { JournalWriter } from "../journal/shared_journal.ts";
import { openGate } from "./process_gate.ts";
import {
  type Gate,
  recordNumbers,
  type TeamMemory,
  type ThreadMemory,
  threadMemory,
} from "./team_memory.ts";
import { openTrack } from "../trace/open_track.ts";
import type { TrackShare } from "../trace/timeline_track.ts";
import type { WatchingTrack } from "../trace/timeline_watch.ts";
import { threadName } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";

/** The first message from the main thread to a thread. */
export interface Assignment {
  /** The thread's role in its mode. */
  readonly role: string;
  /** Its number in the team, from 0. */
  readonly index: number;
  /** The memory that all threads of the server share. */
  readonly memory: TeamMemory;
  /**
   * What all threads of the server share besides the memory: plain data, which the mode chooses.
   */
  readonly shared: unknown;
  /** Whether the main thread starts more threads on request. */
  readonly elastic: boolean;
  /** The protocol and its limits. */
  readonly settings: ServiceSettings;
  /** Whether anybody reads the reports and the log. */
  readonly wants: { readonly reports: boolean; readonly log: boolean };
  /** The memory of this thread's track, if a trace is written. */
  readonly track: TrackShare | undefined;
  /** Its table of the connections that each host has, if it has one of its own. */
  readonly table?: number | undefined;
  /** The mode's own data for this thread. */
  readonly data: unknown;
}

/** A message to the main thread, apart from those that say "ready" and "finished". */
export interface ThreadMessage {
  /**
   * `wake`: the thread's journal has something to read. `queued`: connections wait for threads.
   * `lingering`: the thread has left a connection to the common lingerer. `child`: the thread speaks
   * for a process.
   */
  readonly kind: "wake" | "queued" | "lingering" | "child";
}

/** What every thread of a team has, whatever its role. */
export interface Place {
  /** Its part of the team's memory. */
  readonly memory: ThreadMemory;
  /** Counts the open connections, and says when the server closes. */
  readonly gate: Gate;
  /** The counters of this thread. */
  readonly counters: CounterBlock;
  /** The journal of this thread. */
  readonly journal: JournalWriter;
  /** The track of this thread, if a trace is written. */
  readonly track: WatchingTrack | undefined;
  /** Counts and reports what becomes of its connections. */
  readonly observer: Observer;
}

/**
 * Takes a thread's place in its team.
 *
 * @param assignment what the main thread wants of it
 * @param tell sends a message to the main thread
 */
export async function takePlace(
  { memory, index, wants, track: share }: Assignment,
  tell: (message: ThreadMessage) => void,
): Promise<Place> {
  const own = threadMemory(memory, index);
  const counters = new CounterBlock(memory.counters, own.countersOffset);
  const journal = new JournalWriter(
    memory.journals,
    own.journalOffset,
    recordNumbers(memory),
    wants,
    () => tell({ kind: "wake" }),
  );
  const track = await openTrack(share);
  return {
    memory: own,
    gate: openGate(memory.gate, index),
    counters,
    journal,
    track,
    observer: new Observer(counters, journal, track),
  };
}

/**
 * Does what the main thread assigns. In a thread that was not started for this mode it does
 * nothing.
 *
 * @param mode the mode's name
 * @param work receives the assignment, its place, the protocol, a function that sends messages to the main
 * thread, and one that says "ready"; the thread has finished when `work` returns
 */
export function onAssignment(
  mode: string,
  work: (
    assignment: Assignment,
    place: Place,
    protocol: ProtocolDefinition,
    tell: (message: ThreadMessage) => void,
    sayReady: () => void,
  ) => Promise<void>,
): void {
  onAssigned(threadName(mode), async (assignment: Assignment, tell) => {
    const protocol = await loadProtocol(assignment.settings.protocol);
    const place = await takePlace(assignment, tell);
    return { play: (sayReady) => work(assignment, place, protocol, tell, sayReady) };
  });
}
