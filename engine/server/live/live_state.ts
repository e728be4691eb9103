/**
 * What is known about a server while somebody reads along: its threads, its open connections, and what
 * each of them is doing. It is made of the records that the threads write, and of what they have under
 * way, which can be looked at whenever somebody comes.
 *
 * A connection is found in one of the two at least. A thread that ends one takes it out of its place
 * first, and then asks whether anybody reads. Whoever begins to read says so first, and then looks at
 * the places. A loop has so many places only: connections beyond that are counted, and left out, also
 * where a record tells of them, for nobody could say later whether they are still there.
 *
 * @module
 */

import { AT_REST } from "../../drivers/pulse.ts";
import type {
  DoingEvent,
  Event,
  ListenerEvent,
  OverEvent,
  SocketEvent,
  ThreadEvent,
} from "../../recording/events.ts";
import type { SharedPulses } from "../core/statistics_share.ts";
import { type Before, Foreword } from "../trace/foreword.ts";
import type { OwnListener } from "../trace/live_feed.ts";
import { acceptsEvent, beginEvents, endEvent, spanEvent } from "../trace/record_events.ts";
import { microseconds, type TimelineThread } from "../trace/timeline_sink.ts";
import {
  readUnderWay,
  RECORD,
  type TrackRecord,
  type TrackShare,
} from "../trace/timeline_track.ts";
import { DOING, DOING_NAMES, type DoingNow, type UnderWayReader } from "../trace/under_way.ts";
import { type Known, overDoing, whoseDoing } from "./known.ts";
import type { Present } from "./readers.ts";

/** What goes on for this long is told while it goes on, in milliseconds. */
const LONG_MS = 40;

/** How long it may take until the beginning of a connection is told, in milliseconds. */
const UNKNOWN_MS = 1_000;

/** How many connections that wait are told of in one look. */
const MOST_WAITING = 200;

/** How long a thread may take to record an end, in milliseconds. */
const LATE_MS = 150;

/** A thread, as far as it is known. */
interface KnownThread {
  readonly thread: TimelineThread;
  readonly at: number;
  readonly underWay: UnderWayReader;
  /** The number of what it was in the middle of at the last look, and when that was seen first. */
  seen: Seen | undefined;
}

/** Something that goes on: a number that tells it from the next one, and when it was seen first. */
interface Seen {
  readonly number: number;
  readonly at: number;
}

/** Somebody who waits in a queue of the server's own. */
export interface Queued {
  readonly peer: string;
  /** Since when, in milliseconds since the beginning. */
  readonly since: number;
}

/** A connection that is open. */
interface KnownConnection {
  readonly events: readonly Event[];
  /** The number of the thread that serves it; 0 for none. */
  readonly servedBy: number;
  /** When it came, in microseconds. */
  readonly at: number;
  /** The number of the thread that records its life. */
  readonly toldBy: number;
}

/** What a state needs. */
export interface StateParts {
  /** Takes what is new. */
  tell(event: Event): void;
  /** So many connections begin of which nothing is told. */
  leaveOut(count: number): void;
  /** Is told how long a connection was open. @param us in microseconds */
  lived(us: number): void;
  /** The time since the beginning, in milliseconds. */
  now(): number;
  /** Has {@linkcode LiveState.lookAround} called, now or as soon as that is possible. */
  lookAround(): void;
  /** Has everything collected that was recorded by now; {@linkcode LiveState.hasCollected} follows. */
  collect(): void;
}

/** What is known about the server. */
export class LiveState implements Present {
  readonly #parts: StateParts;
  readonly #threads = new Map<number, KnownThread>();
  readonly #isLoop = new Map<number, Pick<TimelineThread, "isLoop">>();
  readonly #open = new Map<number, KnownConnection>();
  /** What goes on, as it was told, by whose it is. */
  readonly #doings = new Map<string, DoingEvent>();
  /** Waits that nobody has measured, by connection, and when each was seen first. */
  #unmeasured = new Map<number, Seen>();
  readonly #sockets = new Map<string, SocketEvent>();
  readonly #listeners = new Map<string, ListenerEvent>();
  /** The listeners from which one thread of several accepts, by their cookies. */
  readonly #accepting = new Map<string, OwnListener>();
  /** The addresses from which the page itself has connected. */
  readonly #own = new Set<string>();
  readonly #foreword = new Foreword();
  /** Says which threads are in a protocol's code: see `pulse.ts`. */
  #pulses:
    | { readonly words: Int32Array; readonly first: number; readonly stride: number }
    | undefined;
  /** What may be found nowhere because its end is on its way, and whether that is waited for. */
  #vanished:
    | { readonly at: number; readonly ids: readonly number[]; isCollected: boolean }
    | undefined;

  /** @param parts what it tells */
  constructor(parts: StateParts) {
    this.#parts = parts;
  }

  /** The time, as lines have it. */
  now(): number {
    return microseconds(this.#parts.now());
  }

  /** How many connections are known to be open. */
  get size(): number {
    return this.#open.size;
  }

  /** Whether something goes on that takes long. */
  get isBusy(): boolean {
    return this.#doings.size > 0;
  }

  /** How many more are open, which have no place. */
  get unplaced(): number {
    return [...this.#threads.values()].reduce((sum, { underWay }) => sum + underWay.unplaced, 0);
  }

  /** The server serves. @param pulses where the pulses of its threads lie, if they have any */
  serves(pulses: SharedPulses | undefined): void {
    this.#pulses = pulses && { ...pulses, words: new Int32Array(pulses.memory) };
  }

  /** A thread begins. @param thread the thread @param at when, in milliseconds @param share its track */
  addThread(thread: TimelineThread, at: number, share: TrackShare): void {
    const { number } = thread;
    const underWay = readUnderWay(share);
    this.#threads.set(number, { thread, at, underWay, seen: undefined });
    this.#isLoop.set(number, thread);
    this.#parts.tell(threadEvent(thread, at));
  }

  /** One of several threads has a listener of its own. */
  accepts(listener: OwnListener): void {
    this.#accepting.set(listener.cookie, listener);
    this.#parts.tell(acceptsEvent(listener, this.now()));
  }

  /** A thread is gone, and what it served. */
  removeThread(number: number, at: number, outcome: number): void {
    const known = this.#threads.get(number);
    if (known === undefined) return;
    this.#threads.delete(number);
    this.#doings.delete(`thread ${number}`);
    for (const { cookie, thread } of this.#accepting.values()) {
      if (thread !== number) continue;
      this.#accepting.delete(cookie);
      // Whoever opens the page later is not told of its last count.
      this.#listeners.delete(cookie);
    }
    for (const [id, { toldBy }] of this.#open) {
      if (toldBy === number) this.#end(endEvent(id, at, outcome));
    }
    this.#parts.tell({ ...threadEvent(known.thread, at), gone: true });
  }

  /** The page has connected from here. */
  addOwn(peer: string): void {
    this.#own.add(peer);
  }

  /** What comes from such an address later is not the page. */
  forgetOwn(): void {
    this.#own.clear();
  }

  /** Takes records of the threads. */
  take(records: readonly TrackRecord[]): void {
    let unplaced = 0;
    for (const record of records) {
      const { kind, id, to, value, thread } = record;
      if (this.#foreword.take(record)) continue;
      if (record.isUnplaced) unplaced++;
      else if (kind === RECORD.begin) this.#begin(record, thread, this.#foreword.of(id));
      else if (kind === RECORD.end) this.#end(endEvent(id, to, value));
      else {
        const event = spanEvent(record, this.#isLoop, this.#open.has(id));
        if (event !== undefined) this.#parts.tell(event);
      }
    }
    if (unplaced > 0) this.#parts.leaveOut(unplaced);
  }

  /** Takes what a look at the kernel has seen. */
  see(events: readonly Event[]): void {
    for (const event of events) {
      if (event.type === "socket") {
        if (event.state === "CLOSE") this.#sockets.delete(event.cookie);
        else this.#sockets.set(event.cookie, event);
      } else if (event.type === "listener") this.#listeners.set(event.cookie ?? event.local, event);
      this.#parts.tell(event);
    }
  }

  /** The kernel is not looked at any more. */
  forgetSockets(): void {
    const at = this.now();
    for (const event of this.#sockets.values()) this.#parts.tell(closed(event, at));
    this.#sockets.clear();
  }

  /**
   * Looks at everything that the threads have under way: somebody has begun to read, records are
   * collected again, or a thread is busy with a connection of which nothing was told yet.
   */
  lookAround(): void {
    const found = new Set<number>();
    for (const { thread, underWay } of this.#threads.values()) {
      for (const { id, thread: servedBy, from, to, peer } of underWay.open()) {
        found.add(id);
        this.#begin({ id, from, to, value: servedBy, text: peer }, thread.number);
      }
    }
    const ids = [...this.#open.keys()].filter((id) => !found.has(id));
    this.#vanished = ids.length === 0
      ? undefined
      : { at: this.#parts.now(), ids, isCollected: false };
  }

  /** All records have come that there were when it was asked for them. */
  hasCollected(): void {
    const vanished = this.#vanished;
    if (vanished?.isCollected !== true) return;
    this.#vanished = undefined;
    // Nobody read when these have ended.
    for (const id of vanished.ids) this.#end(endEvent(id, this.#parts.now(), undefined));
  }

  /** Nobody reads any more. */
  forget(): void {
    this.#open.clear();
    this.#doings.clear();
    this.#sockets.clear();
    this.#listeners.clear();
    this.#own.clear();
    this.#vanished = undefined;
  }

  /**
   * Remembers since when each thread is in the middle of what it does: nobody measures that while
   * nobody reads, and whoever comes later is to learn it.
   *
   * @param withWaits whether it also looks what connections wait for
   */
  remember(withWaits: boolean): void {
    const now = this.#parts.now();
    for (const known of this.#threads.values()) this.#see(known, this.#doingOf(known), now);
    if (!withWaits) return;
    const before = this.#unmeasured;
    this.#unmeasured = new Map();
    for (const { underWay } of this.#threads.values()) {
      underWay.unmeasured((id, number) =>
        this.#unmeasured.set(id, seenAs(number, before.get(id), now))
      );
    }
  }

  /** What a thread is in the middle of. */
  #doingOf({ thread, underWay }: KnownThread): DoingNow | undefined {
    return underWay.doing() ?? this.#inProtocol(thread);
  }

  /** Takes note of what a thread is in the middle of, and since when that was seen. */
  #see(known: KnownThread, doing: DoingNow | undefined, now: number): void {
    known.seen = doing && seenAs(doing.number, known.seen, now);
  }

  /** Looks what each thread is in the middle of. */
  lookAtThreads(): void {
    const now = this.#parts.now();
    for (const [thread, known] of this.#threads) {
      const doing = this.#doingOf(known);
      if (doing === undefined || doing.number !== known.seen?.number) {
        const told = this.#doings.get(`thread ${thread}`);
        if (told !== undefined) this.#tellDoing(overDoing(told, microseconds(now)));
      }
      this.#see(known, doing, now);
      if (doing !== undefined) this.#tellIfLong(thread, known, doing, now);
    }
    const vanished = this.#vanished;
    if (vanished === undefined || vanished.isCollected || now - vanished.at <= LATE_MS) return;
    vanished.isCollected = true;
    this.#parts.collect();
  }

  /**
   * What a thread that is no loop does in the code of its protocol: if it is still there at the next
   * look, it computes.
   */
  #inProtocol({ number: thread, seat }: TimelineThread): DoingNow | undefined {
    const pulses = this.#pulses;
    if (pulses === undefined || seat === undefined) return undefined;
    const pulse = Atomics.load(pulses.words, pulses.first + seat * pulses.stride);
    if (pulse === AT_REST) return undefined;
    // These numbers are none of those that the thread has for what it says itself.
    return {
      number: -pulse,
      what: DOING.computing,
      id: this.#servedBy(thread),
      since: 0,
      task: "",
    };
  }

  /** The connection that a thread serves, if that is one; 0 for none. */
  #servedBy(thread: number): number {
    for (const [id, { servedBy }] of this.#open) if (servedBy === thread) return id;
    return 0;
  }

  #tellIfLong(thread: number, known: KnownThread, doing: DoingNow, now: number): void {
    const since = doing.since || known.seen?.at || now;
    if (this.#doings.has(`thread ${thread}`) || now - since < LONG_MS) return;
    const what = DOING_NAMES[doing.what];
    if (what === undefined) return;
    const { id: connection, task } = doing;
    if (connection !== 0 && !this.#open.has(connection)) {
      // The thread that collects the records may be this very one.
      this.#parts.lookAround();
      if (!this.#open.has(connection) && now - since < UNKNOWN_MS) return;
    }
    this.#tellDoing({
      type: "doing",
      at: microseconds(since),
      thread,
      ...(connection !== 0 && { connection }),
      what,
      ...(task !== "" && { task }),
    });
  }

  /** Tells what goes on from now on, or is over. */
  #tellDoing(event: DoingEvent): void {
    if (event.what === undefined) this.#doings.delete(whoseDoing(event));
    else this.#doings.set(whoseDoing(event), event);
    this.#parts.tell(event);
  }

  /**
   * Tells what is new of something, and that the rest of it is over.
   *
   * @param doings all that goes on @param isOfThese whether something that was told is one of these
   */
  #tellChanges(doings: readonly DoingEvent[], isOfThese: (doing: DoingEvent) => boolean): void {
    const now = this.now();
    const goOn = new Set<string>();
    for (const doing of doings) {
      const whose = whoseDoing(doing);
      goOn.add(whose);
      if (this.#doings.get(whose)?.at !== doing.at) this.#tellDoing(doing);
    }
    for (const [whose, doing] of this.#doings) {
      if (!goOn.has(whose) && isOfThese(doing)) this.#tellDoing(overDoing(doing, now));
    }
  }

  /** Looks which connections wait for something. */
  lookAtConnections(): void {
    const now = this.#parts.now();
    const waiting: DoingEvent[] = [];
    const unmeasured = new Map<number, Seen>();
    for (const { underWay } of this.#threads.values()) {
      for (const { id: connection, state, since: said } of underWay.waiting()) {
        let since = said;
        if (said < 0) {
          const seen = seenAs(said, this.#unmeasured.get(connection), now);
          unmeasured.set(connection, seen);
          since = seen.at;
        }
        const what = DOING_NAMES[state];
        const isLong = now - since >= LONG_MS && this.#open.has(connection);
        if (what === undefined || !isLong || waiting.length >= MOST_WAITING) continue;
        waiting.push({ type: "doing", at: microseconds(since), connection, what });
      }
    }
    this.#tellChanges(waiting, ({ thread, peer }) => thread === undefined && peer === undefined);
    this.#unmeasured = unmeasured;
  }

  /**
   * Looks who waits in queues of the server's own.
   *
   * @param ring those in a queue of descriptors, and since when
   */
  lookAtQueues(ring: readonly Queued[]): void {
    const now = this.#parts.now();
    const own = [...this.#threads.values()].flatMap(({ underWay }) => underWay.queued());
    const all = [...own.map(({ peer, from: since }) => ({ peer, since })), ...ring];
    const queued = all.filter(({ since }) => now - since >= LONG_MS)
      .map(({ peer, since }): DoingEvent => {
        return { type: "doing", at: microseconds(since), peer, what: "queued" };
      });
    this.#tellChanges(queued, ({ peer }) => peer !== undefined);
  }

  /** How things are now, for a reader that knows some of it. */
  *lines({ connections, sockets, threads, doings }: Known): Iterable<Event> {
    const at = this.now();
    for (const [number, event] of threads) {
      if (!this.#threads.has(number)) yield { ...event, at, gone: true };
    }
    for (const { thread, at } of this.#threads.values()) yield threadEvent(thread, at);
    for (const connection of connections) {
      if (!this.#open.has(connection)) yield { type: "over", at, connection, outcome: "unknown" };
    }
    for (const [cookie, event] of sockets) {
      if (!this.#sockets.has(cookie)) yield closed(event, at);
    }
    for (const [whose, event] of doings) {
      if (this.#doings.get(whose)?.at !== event.at) yield overDoing(event, at);
    }
    const unknown = [...this.#open].filter(([id]) => !connections.has(id));
    // The places of threads are in no order, and whoever draws them wants them in that of time.
    for (const [, { events }] of unknown.sort(([, a], [, b]) => a.at - b.at)) yield* events;
    yield* this.#sockets.values();
    yield* this.#listeners.values();
    for (const listener of this.#accepting.values()) yield acceptsEvent(listener, at);
    for (const [whose, event] of this.#doings) {
      if (doings.get(whose)?.at !== event.at) yield event;
    }
  }

  #begin(
    record: Pick<TrackRecord, "id" | "from" | "to" | "value" | "text">,
    toldBy: number,
    before?: Before,
  ): void {
    if (this.#open.has(record.id)) return;
    const [begun, ...more] = beginEvents(record, before);
    const by = this.#own.delete(begun.peer) && { by: "page" as const };
    const events = [{ ...begun, ...by }, ...more];
    this.#open.set(record.id, { events, at: begun.at, toldBy, servedBy: record.value });
    for (const event of events) this.#parts.tell(event);
  }

  #end(event: OverEvent): void {
    const known = this.#open.get(event.connection);
    if (known === undefined) return;
    this.#open.delete(event.connection);
    this.#doings.delete(`connection ${event.connection}`);
    this.#parts.lived(event.at - known.at);
    this.#parts.tell(event);
  }
}

/** What goes on now, if it may be what was seen before. */
function seenAs(number: number, before: Seen | undefined, now: number): Seen {
  return before?.number === number ? before : { number, at: now };
}

function threadEvent({ number, name, isLoop }: TimelineThread, at: number): ThreadEvent {
  return {
    type: "thread",
    at: microseconds(at),
    thread: number,
    name,
    ...(isLoop && { loop: true }),
  };
}

function closed({ cookie, local, remote, end }: SocketEvent, at: number): SocketEvent {
  const which = end !== undefined && { end };
  return { type: "socket", at, cookie, local, remote, state: "CLOSE", ...which };
}
