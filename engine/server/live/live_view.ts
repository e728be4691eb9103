/**
 * What a live view tells, and to whom. While nobody reads, it does nothing.
 *
 * @module
 */

import { whyNoKernel } from "../../kernel/linux.ts";
import { DestroyEvents } from "../../kernel/sock_diag.ts";
import { isUnix, withoutZone } from "../../net/address.ts";
import { sockets } from "../../net/sockets.ts";
import type { Event } from "../../recording/events.ts";
import { makeHeader } from "../../recording/recording_file.ts";
import { describeError } from "../../values/thrown.ts";
import { moment } from "../../values/moment.ts";
import { formatAddress } from "../../../protocols/address.ts";
import { CounterBlock } from "../core/counters.ts";
import { figuresOf, readWords, type StatisticsShare } from "../core/statistics_share.ts";
import { DescriptorRing } from "../descriptors/descriptor_ring.ts";
import { ProcessFigures } from "../metrics/process_figures.ts";
import { countOverflows } from "../statistics/listener_figures.ts";
import { StatisticsReader, type StatisticsSnapshot } from "../statistics/statistics_reader.ts";
import { chooseTold, type OwnListener } from "../trace/live_feed.ts";
import type { TimelineThread } from "../trace/timeline_sink.ts";
import {
  LEVEL_OF,
  RECORD,
  TimelineCommon,
  TrackReader,
  type TrackRecord,
  type TrackShare,
} from "../trace/timeline_track.ts";
import { SocketLooks } from "../trace/socket_looks.ts";
import { LifeTimes } from "./life_times.ts";
import { LiveState, type Queued } from "./live_state.ts";
import { Knowledge } from "./known.ts";
import { itemOf, Reader } from "./readers.ts";

/**
 * How often readers get what is new, and how often they get figures, in milliseconds. Each batch costs,
 * however little is in it, and the page is later than that anyway.
 */
const BATCH_MS = 125;
const FIGURES_MS = 250;

/**
 * How many connections a second are told of one by one, and how many more at once. Beyond that only
 * counts are told.
 */
const MOST_RATE = 500;
const MOST_AT_ONCE = 1_500;

/** Over what time the rate and the CPU time are told, in milliseconds. */
const RATE_MS = 1_000;

/**
 * How many times as long as a look at the kernel has taken it is left alone. So looks take a twentieth
 * of a core, as long as one takes 50 ms at most: longer than four times {@linkcode FIGURES_MS} it is
 * never left alone, because a look takes long on a busy machine, too, and nobody must miss states for that.
 */
const REST = 19;

/**
 * How long the kernel is left alone while there is nothing to see, in milliseconds, and how often a
 * glance asks whether there is.
 */
const CALM_MS = 1_000;
const GLANCE_MS = 25;

/**
 * How often it is looked while nobody reads what threads are in the middle of, in milliseconds, and at
 * every which of these times what connections wait for: whoever comes later is to learn since when.
 */
const REMEMBER_MS = 250;
const REMEMBER_WAITS = 4;

/** How many of those who wait in a queue are told one by one. */
const MOST_QUEUED = 1_024;

/** For how many batches records are held back at most. */
const MOST_HELD = 8;

/**
 * How long after the last of the page's own connections its addresses are remembered, in milliseconds:
 * the server has told of them by then, or will not. Somebody else may come from there later.
 */
const OWN_MS = 2_000;

/** How many may read along. */
const MOST_READERS = 16;

/** What a live view needs from its server's main thread. */
export interface ViewParts {
  /** When the timeline began, in whole microseconds since 1970. */
  readonly beganUs: number;
  /** The server's mode. */
  readonly by: string;
  /** See `LooksPlan`. */
  readonly ownPort: Int32Array;
  /** Has records collected, or not any more. */
  want(isWanted: boolean): void;
  /** Has everything collected that was recorded by now; {@linkcode LiveView.hasCollected} follows. */
  collect(): void;
}

/** What it is about, once the server serves. */
export interface Served {
  readonly statistics: StatisticsShare;
}

/** The live view of one server. */
export class LiveView implements Disposable {
  readonly #parts: ViewParts;
  readonly #readers = new Set<Reader>();
  readonly #lives = new LifeTimes();
  readonly #state: LiveState;
  readonly #process = new ProcessFigures();
  #share: StatisticsShare | undefined;
  #statistics: StatisticsReader | undefined;
  #common: TimelineCommon | undefined;
  #queue: Queue | undefined;
  #blocks: readonly CounterBlock[] = [];
  #looks: SocketLooks | undefined;
  /** Why the kernel's sockets are not shown. */
  #blind: string | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #remembering: ReturnType<typeof setInterval> | undefined;
  #figuresAt = 0;
  #counters = "";
  #listener = "";
  /** Whether there are so many connections that only counts are told. */
  #isFlooded = false;
  /** How many connections may still be told of one by one. */
  #allowance = MOST_AT_ONCE;
  #accepted = 0;
  /** How many were accepted in the last second, and how much CPU time was used. */
  readonly #accepting = new Course();
  readonly #computing = new Course();
  /** The rings that are emptied here, and when that was done last. */
  readonly #rings: { readonly number: number; readonly ring: TrackReader }[] = [];
  #collectedAt = 0;
  /** How many connections the page is making, and the records that wait until it has. */
  #dialing = 0;
  #held: TrackRecord[] = [];
  #heldFor = 0;
  /** Whether a look around waits for the same, and the word that all of them have come. */
  #looksAround = false;
  #isCollected = false;
  /** How many connections the page itself has made, and when the last of them was over. */
  #byPage = 0;
  #doneAt: number | undefined;

  /** @param parts what it needs */
  constructor(parts: ViewParts) {
    this.#parts = parts;
    this.#state = new LiveState({
      tell: (event) => this.#tell(event),
      leaveOut: (count) => this.#leaveOut(count),
      lived: (us) => this.#lives.add(us),
      now: () => this.#now(),
      lookAround: () => this.collects(),
      collect: () => parts.collect(),
    });
  }

  /** The server serves. */
  serves(share: StatisticsShare): void {
    this.#share = share;
    this.#statistics = new StatisticsReader(share, countOverflows());
    this.#blocks = CounterBlock.allIn(share.counters);
    this.#state.serves(share.pulses);
    if (share.queue !== undefined && this.#common !== undefined) {
      this.#queue = new Queue(share.queue, this.#common);
    }
    if (this.#readers.size > 0) this.#lookAtSockets();
    else this.#remember();
  }

  /** Remembers what goes on while nobody reads. */
  #remember(): void {
    clearInterval(this.#remembering);
    let times = 0;
    this.#remembering = setInterval(() => {
      this.#state.remember(++times % REMEMBER_WAITS === 0);
    }, REMEMBER_MS);
  }

  /** How many read along. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Whether another one may. */
  get hasRoom(): boolean {
    return this.#readers.size < MOST_READERS;
  }

  /** A thread begins. @param isYours whether its records are collected here */
  addThread(thread: TimelineThread, at: number, share: TrackShare, isYours: boolean): void {
    this.#common ??= new TimelineCommon(share.common);
    if (isYours) this.#rings.push({ number: thread.number, ring: new TrackReader(share) });
    this.#state.addThread(thread, at, share);
  }

  /** One of several threads has a listener of its own. */
  accepts(listener: OwnListener): void {
    this.#state.accepts(listener);
  }

  /** A thread is gone. */
  removeThread(number: number, at: number, outcome: number): void {
    this.#collect();
    // Another one may have its number by now.
    const gone = this.#rings.findIndex((thread) => thread.number === number);
    if (gone >= 0) this.#rings.splice(gone, 1);
    if (this.#dialing === 0) this.#release();
    // Of a connection that it served nobody may have heard yet: its beginning is held back.
    else this.#held.push(...endsOf(this.#held, number, at, outcome));
    this.#state.removeThread(number, at, outcome);
  }

  /** Takes all records out of the rings that nobody else empties. */
  #drain(): TrackRecord[] {
    const records: TrackRecord[] = [];
    // The main thread is the first, and it has heard of nothing that the others have not recorded.
    for (let at = this.#rings.length; at-- > 0;) this.#rings[at]?.ring.drain(records);
    return records.sort((a, b) => a.to - b.to);
  }

  /** Takes what was recorded until now, as far as it is collected here. */
  #collect(): void {
    if (this.#readers.size === 0) return;
    const records = this.#drain();
    if (records.length === 0) return;
    const now = performance.now();
    const { told, leftOut } = chooseTold(records, Math.min(now - this.#collectedAt, FIGURES_MS));
    this.#collectedAt = now;
    this.#hold(told, leftOut);
  }

  /** Takes records. @param records in their order @param leftOut how many spans are missing */
  take(records: readonly TrackRecord[], leftOut: number): void {
    if (this.#readers.size === 0) return;
    this.#hold(records, leftOut);
    if (this.#dialing === 0) this.#release();
  }

  #hold(records: readonly TrackRecord[], leftOut: number): void {
    // Not as arguments of one call: a thread has room for so many only.
    for (const record of records) this.#held.push(record);
    for (const reader of this.#readers) reader.leaveOut("spans", leftOut);
  }

  /**
   * The page makes so many more connections, or fewer. A server may tell of one before its address here
   * is known: then that waits a moment.
   */
  dials(change: 1 | -1): void {
    this.#dialing += change;
    if (this.#dialing === 0) this.#release();
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    this.#heldFor = 0;
    this.#state.take(held);
    if (this.#isCollected) this.#state.hasCollected();
    this.#isCollected = false;
    if (this.#looksAround) this.#state.lookAround();
    this.#looksAround = false;
  }

  /**
   * From now on all records are collected, or one is missing: what has begun before that lies in its
   * place.
   */
  collects(): void {
    if (this.#readers.size === 0) return;
    this.#collect();
    this.#looksAround = true;
    if (this.#dialing === 0) this.#release();
  }

  /** All records have come that there were when it was asked for them. Some may be held back. */
  hasCollected(): void {
    if (this.#readers.size === 0) return;
    this.#collect();
    this.#isCollected = true;
    if (this.#dialing === 0) this.#release();
  }

  /**
   * Somebody begins to read.
   *
   * @returns the reader; its first lines say how things are now
   */
  open(): Reader {
    const isFirst = this.#readers.size === 0;
    if (isFirst) this.#begin();
    const { by, beganUs } = this.#parts;
    const reader = new Reader(this.#state, [
      makeHeader(by, beganUs),
      ...this.#state.lines(new Knowledge()),
      ...this.#leftOutNow(),
      ...this.#countersNow(),
      ...(this.#blind === undefined ? [] : [this.#note(this.#blind)]),
    ]);
    this.#readers.add(reader);
    if (isFirst) this.#parts.want(true);
    return reader;
  }

  /** Somebody reads no more. */
  close(reader: Reader): void {
    if (this.#readers.delete(reader) && this.#readers.size === 0) this.#end();
  }

  /** Tells everybody a sentence. @param text the sentence */
  say(text: string): void {
    this.#tell(this.#note(text));
  }

  /** The page has made a connection. @param from its address there, if it has one */
  connected(from: string | undefined): void {
    this.#byPage++;
    this.#doneAt = undefined;
    if (this.#readers.size > 0 && from !== undefined) this.#state.addOwn(from);
  }

  /** The connections of the page are over. */
  isDone(): void {
    this.#doneAt = performance.now();
  }

  #note(text: string): Event {
    return { type: "note", at: this.#state.now(), text };
  }

  #begin(): void {
    clearInterval(this.#remembering);
    // What the last reader has left is no news: its end may not have been recorded any more.
    this.#drain();
    this.#collectedAt = performance.now();
    // The main thread is asked to collect. But it may be late, and what ends meanwhile must not be lost.
    if (this.#common !== undefined) this.#common.level = LEVEL_OF.all;
    // While the page connects, that waits until it knows its own connections.
    if (this.#dialing === 0) this.#state.lookAround();
    else this.#looksAround = true;
    this.#accepted = this.#countAccepted();
    this.#allowance = MOST_AT_ONCE;
    this.#isFlooded = false;
    this.#counters = "";
    this.#lookAtSockets();
    this.#timer = setInterval(() => this.#turn(), BATCH_MS);
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#parts.want(false);
    this.#looks?.[Symbol.dispose]();
    this.#looks = undefined;
    this.#held = [];
    this.#looksAround = this.#isCollected = false;
    this.#state.forget();
    this.#lives.clear();
    this.#accepting.clear();
    this.#computing.clear();
    if (this.#share !== undefined) this.#remember();
  }

  #lookAtSockets(): void {
    const { address } = this.#share ?? {};
    if (address === undefined || this.#looks !== undefined) return;
    const { beganUs, ownPort } = this.#parts;
    try {
      const why = isUnix(address.hostname) ? "only TCP has states" : whyNoKernel();
      if (why !== undefined) throw new Error(why);
      const often = { pauseMs: FIGURES_MS, rest: REST, calmMs: CALM_MS, glanceMs: GLANCE_MS };
      const plan = { address, beganUs, ownPort, ...often };
      const onSeen = (events: readonly Event[]) => this.#state.see(events);
      this.#looks = new SocketLooks(
        { ...plan, tellsRemainders: false, onSeen },
        new DestroyEvents(),
      );
    } catch (error) {
      this.#blind = `sockets are not shown: ${describeError(error)}`;
    }
  }

  #turn(): void {
    const now = performance.now();
    this.#collect();
    if (this.#dialing === 0) this.#release();
    const waits = this.#held.length > 0 || this.#looksAround || this.#isCollected;
    if (waits && ++this.#heldFor > MOST_HELD) {
      this.#release();
    }
    if (this.#doneAt !== undefined && now - this.#doneAt > OWN_MS) {
      this.#doneAt = undefined;
      this.#state.forgetOwn();
    }
    this.#watchRate();
    this.#state.lookAtThreads();
    if (!this.#isFlooded) this.#state.lookAtQueues(this.#queue?.waiting() ?? []);
    if (now - this.#figuresAt >= FIGURES_MS - BATCH_MS / 2) {
      this.#figuresAt = now;
      if (!this.#isFlooded) this.#state.lookAtConnections();
      for (const event of this.#figuresNow(now)) this.#tell(event);
    }
    for (const reader of this.#readers) reader.wake();
  }

  /** Tells connections one by one while there are not too many. */
  #watchRate(): void {
    const accepted = this.#countAccepted();
    const more = accepted - this.#accepted;
    this.#accepted = accepted;
    const earned = MOST_RATE * BATCH_MS / 1_000;
    this.#allowance = Math.max(
      -MOST_RATE,
      Math.min(MOST_AT_ONCE, this.#allowance + earned - more),
    );
    if (this.#isFlooded) {
      for (const reader of this.#readers) reader.leaveOut("connections", more);
      if (this.#allowance < MOST_RATE) return;
      this.#isFlooded = false;
      // What had begun before the flood may have ended in it.
      for (const reader of this.#readers) reader.fallBehind();
      this.#lookAtSockets();
      this.#parts.want(true);
    } else if (this.#allowance <= 0) {
      this.#parts.want(false);
      this.#looks?.[Symbol.dispose]();
      this.#looks = undefined;
      this.#state.forgetSockets();
      this.#isFlooded = true;
    }
  }

  #tell(event: Event): void {
    if (this.#readers.size === 0 || (this.#isFlooded && !ALWAYS.has(event.type))) return;
    const item = itemOf(event);
    for (const reader of this.#readers) reader.add(item);
  }

  #leaveOut(connections: number): void {
    // While there are too many, all of them are counted anyway.
    if (this.#isFlooded) return;
    for (const reader of this.#readers) reader.leaveOut("connections", connections);
  }

  /** How many are open of which nobody can tell more. */
  *#leftOutNow(): Iterable<Event> {
    const count = this.#state.unplaced;
    if (count > 0) yield { type: "left_out", at: this.#state.now(), count, what: "connections" };
  }

  #countAccepted(): number {
    return CounterBlock.sum(this.#blocks).accepted;
  }

  /** The counters, if they have changed. */
  *#countersNow(statistics = this.#statistics?.read()): Iterable<Event> {
    if (statistics === undefined) return;
    const { counters, counts } = statistics;
    const values = {
      ...figuresOf({ ...counters, ...counts }, this.#share),
      by_page: this.#byPage,
    };
    yield { type: "counters", at: this.#state.now(), values };
  }

  *#figuresNow(now: number): Iterable<Event> {
    const statistics = this.#statistics?.read();
    if (statistics === undefined) return;
    for (const event of this.#countersNow(statistics)) {
      const text = JSON.stringify({ ...event, at: 0 });
      const isNews = text !== this.#counters;
      const waits = (statistics.acceptQueue?.waiting ?? 0) > 0;
      if (isNews || waits || this.#state.isBusy) this.#looks?.attend();
      if (isNews) yield event;
      this.#counters = text;
    }
    yield* this.#listenerNow(statistics);
    const rate = this.#accepting.add(now, statistics.counters.accepted);
    const seconds = this.#cpuSeconds;
    const cpu = seconds === undefined ? undefined : this.#computing.add(now, seconds);
    const { memoryBytes, processes, loopLagMs } = statistics;
    const bytes = memoryBytes === undefined
      ? undefined
      : memoryBytes + (processes?.memoryBytes ?? 0);
    yield {
      type: "figures",
      at: this.#state.now(),
      ...(rate !== undefined && { rate: rounded(rate, 1) }),
      ...(this.#isFlooded ? {} : this.#lives.read()),
      ...(cpu !== undefined && { cpu: rounded(cpu, 2) }),
      ...(bytes !== undefined && { memory_bytes: bytes }),
      ...(loopLagMs !== undefined && { loop_still_ms: rounded(loopLagMs, 1) }),
    };
  }

  /** The accept queue, where the looks at the kernel do not tell it. */
  *#listenerNow({ acceptQueue }: StatisticsSnapshot): Iterable<Event> {
    if (acceptQueue === undefined || this.#looks !== undefined || this.#share === undefined) return;
    const { waiting, limit } = acceptQueue;
    const text = `${waiting} ${limit}`;
    if (text === this.#listener) return;
    this.#listener = text;
    yield {
      type: "listener",
      at: this.#state.now(),
      local: formatAddress(this.#share.address),
      waiting,
      ...(limit !== undefined && { limit }),
    };
  }

  /** The CPU time of the process, and of those that serve for it, in seconds. */
  get #cpuSeconds(): number | undefined {
    const own = this.#process.cpuSeconds();
    const processes = this.#share?.processes;
    if (own === undefined || processes === undefined) return own;
    const serving = readWords(processes).filter((pid) => pid !== 0);
    return own + (this.#process.cpuSecondsOf(serving) ?? 0);
  }

  /** The time since the beginning, in milliseconds. */
  #now(): number {
    return moment() - this.#parts.beganUs / 1_000;
  }

  /**
   * Tells everybody that the server has closed.
   *
   * @param next who serves in place of it, if anybody does
   */
  finish(next?: { readonly successor: number; readonly page?: string }): void {
    if (this.#readers.size === 0) return;
    this.#collect();
    this.#release();
    for (const event of this.#figuresNow(performance.now())) this.#tell(event);
    const last = itemOf({ type: "end", at: this.#state.now(), ...next });
    for (const reader of this.#readers) reader.end(last);
  }

  /** Gives its descriptors back. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearInterval(this.#remembering);
    this.#looks?.[Symbol.dispose]();
    this.#statistics?.[Symbol.dispose]();
    this.#process[Symbol.dispose]();
  }
}

/** The ends of what a thread has begun according to records, which do not tell them. */
function endsOf(
  records: readonly TrackRecord[],
  thread: number,
  at: number,
  value: number,
): TrackRecord[] {
  const open = new Set<number>();
  for (const { thread: by, kind, id } of records) {
    if (by !== thread) continue;
    if (kind === RECORD.begin) open.add(id);
    else if (kind === RECORD.end) open.delete(id);
  }
  const end = { thread, kind: RECORD.end, from: at, to: at, value, text: "", isUnplaced: false };
  return [...open].map((id) => ({ ...end, id }));
}

/** The queue of a server whose connections are descriptors. */
class Queue {
  readonly #ring: DescriptorRing;
  readonly #common: TimelineCommon;

  constructor(memory: SharedArrayBuffer, common: TimelineCommon) {
    this.#ring = new DescriptorRing(memory);
    this.#common = common;
  }

  /** Those who wait in it. */
  waiting(): Queued[] {
    return this.#ring.look(MOST_QUEUED).flatMap(({ fd, sockaddr }) => {
      // Something else than a connection has no time.
      const since = this.#common.queuedSince(fd);
      const address = since === 0 ? undefined : sockets().readAddress(sockaddr);
      if (address === undefined || isUnix(address.hostname)) return [];
      return [{ peer: withoutZone(formatAddress(address)), since }];
    });
  }
}

/** How fast something that only grows has grown lately. */
class Course {
  readonly #seen: { readonly at: number; readonly value: number }[] = [];

  /**
   * Adds what it is now.
   *
   * @param at when, in milliseconds @param value how much it is
   * @returns how much more it becomes in a second; `undefined` if that is not known yet
   */
  add(at: number, value: number): number | undefined {
    const seen = this.#seen;
    seen.push({ at, value });
    while (seen.length > 2 && at - (seen[1]?.at ?? at) >= RATE_MS) seen.shift();
    const [first] = seen;
    if (first === undefined || at - first.at < FIGURES_MS / 2) return undefined;
    return Math.max(0, (value - first.value) * 1_000 / (at - first.at));
  }

  /** Forgets all. */
  clear(): void {
    this.#seen.length = 0;
  }
}

/** What is told however many connections there are. */
const ALWAYS: ReadonlySet<Event["type"]> = new Set<Event["type"]>(
  ["counters", "figures", "listener", "note", "thread", "doing"],
);

function rounded(value: number, decimals: number): number {
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}
