/**
 * A thread of a server through time: what it is there for, and what it is in the middle of.
 *
 * @module
 */

import type { DoingEvent, SpanEvent } from "../recording/events.ts";
import { Course, type Interval, Spans } from "./spans.ts";
import type { Dot, Track } from "./track.ts";

/** What a thread is there for, as its name says. */
export type ThreadKind =
  /** It serves connections: one at a time, or many as a loop. */
  | "serves"
  /** It takes connections and hands them over. */
  | "accepts"
  /** It computes for loops. */
  | "computes"
  /** It does neither. */
  | "other";

/** What a thread is in the middle of. */
export interface Activity {
  /** What it does. */
  readonly what: "computing" | "writing" | "turn";
  /** The connection that it is for; `undefined` if it is for none or for several. */
  readonly connection: number | undefined;
  /** What is computed. */
  readonly task: string | undefined;
  /** Since when. */
  readonly sinceUs: number;
}

/** A thread at a moment. */
export interface ThreadView {
  readonly number: number;
  readonly name: string;
  readonly isLoop: boolean;
  readonly kind: ThreadKind;
  /** What it is in the middle of; `undefined` if it waits. */
  readonly activity: Activity | undefined;
  /** Whether it is a loop that can do nothing for others meanwhile. */
  readonly standsStill: boolean;
  /** How many turns a loop has ended. */
  readonly turns: number;
  /** The connection whose turn was the last one; `undefined` if none was, or several were. */
  readonly lastTurn: number | undefined;
  /** The connections that it serves. */
  readonly dots: readonly Dot[];
}

/** A thread through time. */
export class Thread {
  readonly number: number;
  name: string;
  isLoop = false;
  /** Whether it is there. */
  readonly presence = new Course<boolean>();
  readonly computing = new Spans<SpanEvent>();
  readonly writing = new Spans<SpanEvent>();
  readonly turns = new Spans<SpanEvent>(({ count }) => count ?? 1);
  /** What it is in the middle of, and until when if that is known. */
  open: (DoingEvent & Interval) | undefined;

  constructor(number: number, name: string) {
    this.number = number;
    this.name = name;
  }

  get kind(): ThreadKind {
    if (this.isLoop) return "serves";
    if (this.name.startsWith("acceptor")) return "accepts";
    if (this.name.startsWith("computing")) return "computes";
    return /^(worker|process|loop|child)/.test(this.name) ? "serves" : "other";
  }

  activityAt(us: number): Activity | undefined {
    const [computing, writing] = [this.computing.find(us), this.writing.find(us)];
    if (computing !== undefined) return activityOf("computing", computing);
    if (writing !== undefined) return activityOf("writing", writing);
    const { open } = this;
    if (open !== undefined && open.at <= us && us < open.to) {
      if (open.what === "computing" || open.what === "writing") {
        return activityOf(open.what, open);
      }
      if (open.what === "turn") return activityOf("turn", open);
    }
    const turn = this.turns.find(us);
    return turn && activityOf("turn", turn);
  }

  forget(beforeUs: number): void {
    this.presence.forget(beforeUs);
    this.computing.forget(beforeUs);
    this.writing.forget(beforeUs);
    this.turns.forget(beforeUs);
  }
}

function activityOf(
  what: Activity["what"],
  { at, connection, task }: SpanEvent | DoingEvent,
): Activity {
  return { what, connection, task, sinceUs: at };
}

/** From this length on a turn holds up the others of its loop, in microseconds. */
const LONG_TURN_US = 1_000;

/**
 * A thread as it is at a moment.
 *
 * @param thread the thread
 * @param us the moment
 * @param dots the connections that it serves, which have been looked at; those that a loop keeps
 * waiting are told so, and so is the one for which it computes
 */
export function threadView(thread: Thread, us: number, dots: readonly Track[]): ThreadView {
  const activity = thread.activityAt(us);
  const standsStill = thread.isLoop && activity !== undefined &&
    (activity.what === "computing" || us - activity.sinceUs >= LONG_TURN_US);
  if (standsStill) {
    for (const dot of dots) {
      if (dot.doing !== "reading") continue;
      dot.sinceUs = Math.max(dot.sinceUs, activity.sinceUs);
      if (dot.connection === activity.connection) {
        // Whatever its conversation does there: it is the one that has the loop.
        dot.doing = "computing";
        dot.task = activity.task;
      } else {
        dot.doing = "waiting for the loop";
        dot.waitsFor = activity.connection;
      }
    }
  }
  return {
    number: thread.number,
    name: thread.name,
    isLoop: thread.isLoop,
    kind: thread.kind,
    activity,
    standsStill,
    turns: thread.turns.weightAt(us),
    lastTurn: thread.turns.last(us)?.connection,
    dots,
  };
}
