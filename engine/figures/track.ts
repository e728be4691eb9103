/**
 * The life of a connection, as far as it is known: where it is at a moment, and what it does there.
 *
 * @module
 */

import type { Outcome } from "../recording/events.ts";
import { type Interval, Spans } from "./spans.ts";

/** Where a connection can be. */
export type Place =
  /** The kernel has it, and no program has taken it: it was seen there. */
  | "accept queue"
  /** A program has it, and it is neither in a queue nor with a thread. */
  | "taken"
  /** It waits in a queue of the server's own. */
  | "hand-over queue"
  /** A thread or a loop serves it. */
  | "thread"
  /** Its conversation is over, and the kernel still has to do with it. */
  | "closing"
  /** It is no more. */
  | "ended";

/** What a connection does. */
export type Doing =
  /** It waits in a queue, or it is over. */
  | "waiting"
  /** Nobody does anything for it: its thread waits for what the peer will send. */
  | "reading"
  /** Its thread computes for it. */
  | "computing"
  /** It waits until its peer has taken what was sent. */
  | "writing"
  /** It waits while another thread computes for it, or will. */
  | "waiting for computing"
  /** Its loop computes for another connection, and can do nothing for this one meanwhile. */
  | "waiting for the loop";

/** How the kernel ended a connection. Without the kernel's word it is not known. */
export type Ending = "FIN" | "RST" | "unknown";

/** A connection at a moment. */
export interface Dot {
  /** A number that no other dot of the scene has. */
  readonly id: number;
  /** The connection's number; `undefined` while only the kernel knows it. */
  readonly connection: number | undefined;
  /** The client's address. */
  readonly peer: string;
  /** Whether the page that shows it has opened it. */
  readonly isOwn: boolean;
  /** Where it is. */
  readonly place: Place;
  /** The number of the thread that serves it, or has served it. */
  readonly thread: number | undefined;
  /** What it does. */
  readonly doing: Doing;
  /** What is computed for it. */
  readonly task: string | undefined;
  /** Since when it is there and does that, in microseconds since the recording began. */
  readonly sinceUs: number;
  /** The number of the connection that has what it waits for, if that is known. */
  readonly waitsFor: number | undefined;
  /** The number of the thread in whose accept queue it waits, if each has one and that is certain. */
  readonly queueOf: number | undefined;
  /** How it ended. */
  readonly ending: Ending | undefined;
  /** How its conversation ended. */
  readonly outcome: Outcome | undefined;
  /** The kind of failure. */
  readonly failure: string | undefined;
}

/** Somebody computes for a connection. */
export interface Computing extends Interval {
  /** The thread that does; absent if none is known. */
  readonly thread: number | undefined;
  /** What is computed. */
  readonly task: string | undefined;
}

/**
 * How long the kernel may take to tell how a connection has ended whose socket is gone, in
 * microseconds.
 */
const TELLING_US = 2_000_000;

/** A connection through time. Its fields of {@linkcode Dot} are those of the last look. */
export class Track implements Dot {
  readonly id: number;
  readonly peer: string;
  connection: number | undefined;
  isOwn = false;
  place: Place = "taken";
  thread: number | undefined;
  doing: Doing = "waiting";
  task: string | undefined;
  sinceUs = 0;
  waitsFor: number | undefined;
  queueOf: number | undefined;
  ending: Ending | undefined;
  outcome: Outcome | undefined;
  failure: string | undefined;

  /** When it was first seen in the accept queue. */
  seenUs = Infinity;
  /** When it was first seen not to be there any more. */
  leftUs = Infinity;
  /** When the server took it. */
  begunUs = Infinity;
  /** When it was in a queue of the server's own. */
  queued: Interval | undefined;
  /** When it was there, as long as the server has not told of it otherwise. */
  inQueue: Interval | undefined;
  /** When a thread began to serve it. */
  servedUs = Infinity;
  /** The thread that serves it. */
  server: number | undefined;
  /** When its conversation was over. */
  overUs = Infinity;
  /** When its socket was gone. */
  goneUs = Infinity;
  /** How its socket ended, as the kernel has told. */
  endedWith: Ending | undefined;
  /** Whether that was left out, and will not be told. */
  isLeftOut = false;
  /** How its conversation ended, and why. */
  over: { readonly outcome: Outcome; readonly failure: string | undefined } | undefined;
  /** When somebody computed for it, if that has happened: there may be very many that only wait. */
  computing: Spans<Computing> | undefined;
  /** When it waited for that. */
  awaiting: Spans<Computing> | undefined;
  /** When it waited for its peer to take what was sent. */
  writing: Spans<Computing> | undefined;
  /** What is done for it and not over yet. */
  open: Computing & { readonly what: string } | undefined;

  /**
   * @param id a number of its own
   * @param peer the client's address
   */
  constructor(id: number, peer: string) {
    this.id = id;
    this.peer = peer;
  }

  /** Adds what it spent some time on. */
  add(what: "computing" | "awaiting" | "writing", span: Computing): void {
    (this[what] ??= new Spans()).add(span);
  }

  /** Forgets what was over at a moment. */
  forget(beforeUs: number): void {
    this.computing?.forget(beforeUs);
    this.awaiting?.forget(beforeUs);
    this.writing?.forget(beforeUs);
  }

  /** When it comes into the picture. */
  get fromUs(): number {
    return Math.min(this.seenUs, this.takenUs);
  }

  /** When it was over, and only the kernel may still have to do with it. */
  get doneUs(): number {
    if (this.begunUs < Infinity) return this.overUs;
    return Math.min(this.goneUs, this.inQueue?.to ?? this.leftUs);
  }

  /** When the server took it. */
  get takenUs(): number {
    return Math.min(this.begunUs, this.inQueue?.at ?? Infinity);
  }

  /** When it was in a queue of the server's own, as far as that is told. */
  get waiting(): Interval | undefined {
    const { begunUs, queued, servedUs } = this;
    if (queued !== undefined) return queued;
    if (begunUs === Infinity) return this.inQueue;
    // Who is not served yet may wait in a queue: a recording says so only when that is over.
    return servedUs < Infinity ? undefined : { at: begunUs, to: this.overUs };
  }

  /** When it was in the accept queue, if it was seen there. */
  get accepting(): Interval | undefined {
    const to = Math.min(this.leftUs, this.takenUs, this.goneUs);
    return this.seenUs < to ? { at: this.seenUs, to } : undefined;
  }

  /**
   * Whether it is in the picture no more. Of ten thousand most are not over, and quickly told.
   *
   * @param us the moment @param areEndsTold whether the kernel tells of connections that end
   */
  hasEnded(us: number, areEndsTold: boolean): boolean {
    const earliestUs = this.begunUs === Infinity ? this.goneUs : this.overUs;
    return us >= earliestUs && us >= this.endUs(areEndsTold);
  }

  /**
   * When it goes out of the picture.
   *
   * @param areEndsTold whether the kernel tells of connections that end
   */
  endUs(areEndsTold: boolean): number {
    if (this.begunUs === Infinity) return this.goneUs;
    if (this.overUs === Infinity) return Infinity;
    if (this.goneUs < Infinity) {
      // Until it is told how it ended, nobody knows.
      const isToBeTold = areEndsTold && this.endedWith === undefined && !this.isLeftOut;
      return Math.max(this.overUs, this.goneUs + (isToBeTold ? TELLING_US : 0));
    }
    // Where it was left out how it was over, its end may have been left out too.
    return areEndsTold && this.over?.outcome !== "unknown" ? Infinity : this.overUs;
  }

  /**
   * Finds out where it is at a moment at which it is in the picture.
   *
   * @param us the moment
   * @param areEndsTold whether the kernel tells of connections that end
   */
  look(us: number, areEndsTold: boolean): void {
    this.waitsFor = undefined;
    this.queueOf = undefined;
    this.task = undefined;
    this.doing = "waiting";
    const hasEnded = this.hasEnded(us, areEndsTold);
    const isOver = us >= this.overUs || hasEnded;
    this.thread = us >= this.servedUs ? this.server : undefined;
    this.outcome = isOver ? this.over?.outcome : undefined;
    this.failure = isOver ? this.over?.failure : undefined;
    this.ending = hasEnded ? this.endedWith ?? "unknown" : undefined;
    if (hasEnded) this.#is("ended", this.endUs(areEndsTold));
    else if (us >= this.overUs) this.#is("closing", this.overUs);
    else if (us >= this.servedUs) this.#lookAtService(us);
    else if (us >= this.begunUs) this.#lookAtQueue(us);
    else if (this.inQueue !== undefined && us >= this.inQueue.at) {
      this.#is(us < this.inQueue.to ? "hand-over queue" : "taken", this.inQueue.at);
    } else if (us < this.leftUs) this.#is("accept queue", this.seenUs);
    else this.#is("taken", this.leftUs);
  }

  #is(place: Place, sinceUs: number): void {
    this.place = place;
    this.sinceUs = sinceUs;
  }

  #lookAtQueue(us: number): void {
    const { waiting } = this;
    const isQueued = waiting !== undefined && waiting.at <= us && us < waiting.to;
    this.#is(isQueued ? "hand-over queue" : "taken", waiting?.at ?? this.begunUs);
  }

  #lookAtService(us: number): void {
    const { open } = this;
    this.#is("thread", this.servedUs);
    const computing = this.computing?.find(us) ?? openAt(open, "computing", us);
    const awaiting = this.awaiting?.find(us) ?? openAt(open, "waiting for computing", us);
    if (computing !== undefined && computing.thread === this.server) {
      return this.#does("computing", computing);
    }
    const elsewhere = awaiting ?? computing;
    if (elsewhere !== undefined) return this.#does("waiting for computing", elsewhere);
    const writing = this.writing?.find(us) ?? openAt(open, "writing", us);
    if (writing !== undefined) return this.#does("writing", writing);
    this.doing = "reading";
    // Ten thousand are looked at for each frame: nothing is made for that.
    this.sinceUs = Math.max(
      this.servedUs,
      this.computing?.last(us)?.to ?? 0,
      this.awaiting?.last(us)?.to ?? 0,
      this.writing?.last(us)?.to ?? 0,
    );
  }

  #does(doing: Doing, { at, task }: Interval & { readonly task?: string | undefined }): void {
    this.doing = doing;
    this.task = task;
    this.sinceUs = at;
  }
}

function openAt(open: Track["open"], what: string, us: number): Computing | undefined {
  return open?.what === what && open.at <= us && us < open.to ? open : undefined;
}
