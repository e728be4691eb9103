/**
 * The load of one thread: its lanes, and which lane sends the next request at what time.
 *
 * Closed model: a lane that has its answer begins the next request, after a time to think. Open
 * model: a schedule says when requests are due, and the next lane that has room takes each of them.
 *
 * When answers come in turns of a loop, all answers of a turn are received before the next requests
 * are sent. So each answer is timed when it is there, not after the earlier ones have been dealt
 * with. And a server that gets many requests at once has not fallen asleep before the next one
 * arrives.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import { Backoff } from "../../engine/net/backoff.ts";
import { DurationCounts } from "./duration_counts.ts";
import { Lane, type LaneHost } from "./lane.ts";
import type { LoadProtocol } from "./load_protocol.ts";
import { ownTime } from "../../engine/workers/own_time.ts";
import type { Share } from "./plan.ts";
import { Random } from "./random.ts";
import { Schedule } from "./schedule.ts";
import { Tally, type ThreadSecond, UNANSWERED, type Waiting } from "./tally.ts";

/**
 * How long a connection of a closed model must have waited for its first answer before it counts as
 * starved, in milliseconds.
 */
const STARVED_MS = 1_000;

/** How long the connections that are made before the clock starts may take, in milliseconds. */
const OPENING_MS = 5_000;

/**
 * How long a server may take to greet the connections that are made before the clock starts, once
 * all of them are there, in milliseconds. A pool greets no more of them than it has workers.
 */
const GREETING_MS = 500;

/**
 * For how long connections are begun in one turn, in milliseconds: where ports run short, each of
 * thousands may take the kernel a millisecond, and nobody would hear of the end of the run.
 */
const DIALING_MS = 10;

/** The same while requests are under way. */
const DIALING_BESIDE_MS = 1;

/** How often an engine looks whether it is to stop, and at the server, in milliseconds. */
export const LOOK_MS = 20;

/** The length of a second, in milliseconds. */
const SECOND_MS = 1_000;

/** Makes a connection for a lane. */
export type Dial = (lane: Lane) => void;

/** The stages of a thread's run. */
type Phase = "opening" | "open" | "running" | "last answers" | "over";

/** What an engine waits for while its connections are open. */
export interface Pauses {
  /** The connections are there. The load begins when this resolves. */
  afterOpening(): Promise<void>;
  /** The load is over. The connections are closed when this resolves. */
  beforeClosing(loop: LoadLoop): Promise<void>;
}

/** Waits for nothing. */
export const NO_PAUSES: Pauses = {
  afterOpening: () => Promise.resolve(),
  beforeClosing: () => Promise.resolve(),
};

/** The load of one thread. */
export class LoadLoop implements LaneHost {
  readonly protocol: LoadProtocol;
  readonly deadlines: Deadlines;
  readonly tally: Tally = new Tally();
  readonly random: Random;
  readonly size: readonly [least: number, most: number];
  readonly pipeline: number;
  readonly timeoutMs: number;
  readonly connect: boolean;
  readonly timesService: boolean;
  readonly dial: Dial;
  readonly #share: Share;
  readonly #onSecond: (second: ThreadSecond) => void;
  readonly #lanes: Lane[];
  readonly #backoffs = new Map<Lane, Backoff>();
  #phase: Phase = "opening";
  readonly #openingUntil: number;
  /** How many lanes have begun to connect, of those that do so before the clock starts. */
  #dialed: number;
  /** How many lanes have neither connected nor failed to connect for the first time. */
  #unopened: number;
  /** How many lanes have neither been ready for a request nor failed. */
  #unready: number;
  /** When the last of them connected. */
  #openedAt = 0;
  #schedule: Schedule | undefined;
  /** Lanes that have room while nothing is due: a ring that holds each lane at most once. */
  readonly #free: LaneQueue;
  #startedAt = 0;
  #endsAt = Infinity;
  #secondAt = Infinity;
  #secondIndex = 0;
  /** The time up to which everything is counted: the beginning of the current second. */
  #countedAt = 0;
  /** When the last request was answered or failed. */
  #lastAt = 0;
  /** When the last request was answered, and since when a request has been under way again. */
  #answeredAt = 0;
  #askedAt = 0;
  /** Whether everything that was asked was answered. */
  #isIdle = true;
  /**
   * The time without any answer while something was under way, up to the last look, and the longest
   * such time, in milliseconds.
   */
  #silentMs = 0;
  #silenceMs = 0;
  #lookedAt = 0;
  /** How often a connection or its requests have failed since the last answer. */
  #failedInRow = 0;
  #hasFallenSilent = false;
  /** How long this thread had run or waited for a processor at that time, in milliseconds. */
  #ownMs = 0;
  /** When the last request began. */
  #sentAt = 0;
  /** Lanes whose next request is sent at the end of this turn; `undefined` without turns. */
  readonly #next: Lane[] | undefined;
  #overAt = 0;
  /** Whether the run was ended early. */
  #isCut = false;
  /** How many requests may still begin, in the closed model. */
  #left: number;
  /** How many requests have begun and are not over. */
  #underWay = 0;
  #starved = 0;

  /**
   * @param share the thread's share of the load
   * @param protocol the protocol to speak
   * @param parts how to connect, where deadlines are kept, who hears of each second, and whether
   * {@linkcode LoadLoop.onTurn} is called whenever something has happened
   */
  constructor(share: Share, protocol: LoadProtocol, parts: {
    readonly dial: Dial;
    readonly deadlines: Deadlines;
    readonly onSecond: (second: ThreadSecond) => void;
    readonly hasTurns: boolean;
  }) {
    const { plan } = share;
    this.#share = share;
    this.protocol = protocol;
    this.deadlines = parts.deadlines;
    this.dial = parts.dial;
    this.#onSecond = parts.onSecond;
    this.#next = parts.hasTurns ? [] : undefined;
    this.size = plan.size;
    this.random = new Random(plan.seed + share.thread, plan.size[1]);
    this.pipeline = plan.pipeline;
    this.timeoutMs = plan.timeoutMs;
    this.connect = plan.connect;
    this.timesService = plan.connect || plan.rate !== null;
    this.#left = share.requests;
    this.#lanes = Array.from({ length: share.connections }, () => new Lane(this));
    this.#unopened = this.#unready = this.#lanes.length;
    this.#free = new LaneQueue(this.#lanes.length);
    // Hundreds of MiB take their time.
    if (protocol.payloads !== undefined) this.random[protocol.payloads](0);
    this.#openingUntil = performance.now() + Math.min(OPENING_MS, plan.timeoutMs);
    // The others have a reason to wait.
    this.#dialed = this.connect || plan.rampMs > 0 ? this.#lanes.length : 0;
  }

  /** Whether the connections are there with which the run begins, as far as they can be had. */
  get isOpen(): boolean {
    return this.#phase !== "opening";
  }

  /** Whether everything is over. */
  get isOver(): boolean {
    return this.#phase === "over";
  }

  /**
   * How long the run was, in milliseconds. An open model that is limited by time lasts for that
   * whole time, and as long as it still sends requests that are late. The last answers may come
   * after that: they make a server neither quicker nor slower.
   */
  get durationMs(): number {
    const { requests } = this.#share;
    const isCounted = requests < Infinity && this.#endsAt === Infinity;
    if (this.#schedule === undefined || isCounted) return this.#overAt - this.#startedAt;
    const lastMs = Math.max(Math.min(this.#endsAt, this.#overAt), this.#sentAt);
    return lastMs - this.#startedAt;
  }

  /** How many requests were due; `undefined` in the closed model. */
  get due(): number | undefined {
    return this.#schedule?.dueBefore(this.#isCut ? this.#overAt : Infinity);
  }

  /**
   * The longest time, in milliseconds, in which the server answered nothing although something was
   * under way.
   */
  get silenceMs(): number {
    return this.#silenceMs;
  }

  /** Whether at some time as many connections have failed in a row as there are. */
  get hasFallenSilent(): boolean {
    return this.#hasFallenSilent;
  }

  /** Whether the run was ended early. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /**
   * How many connections still had no answer to their first request when the run of a closed model
   * ended. In an open model those requests are errors of the kind `unanswered`.
   */
  get starved(): number {
    return this.#starved;
  }

  /** Begins to make connections, as many as one turn may; returns whether there are more. */
  #dialSome(now: number): boolean {
    // Answers that come meanwhile wait, and would seem to be late.
    const until = now + (this.#phase === "opening" ? DIALING_MS : DIALING_BESIDE_MS);
    for (let at = now; this.#dialed < this.#lanes.length && at < until; at = performance.now()) {
      (this.#lanes[this.#dialed++] as Lane).open(at);
    }
    return this.#dialed < this.#lanes.length;
  }

  /**
   * Does everything that is due by now.
   *
   * @param now the time, in milliseconds
   * @returns when to call it again, if nothing happens before
   */
  turn(now: number): number {
    const isDialing = this.#phase !== "over" && this.#dialed < this.#lanes.length &&
      this.#dialSome(now);
    if (this.#phase === "opening") this.#mayBeOpen(now);
    if (this.#phase === "opening") {
      if (isDialing) return now;
      return this.#unopened > 0 ? this.#openingUntil : this.#openedAt + GREETING_MS;
    }
    if (this.#phase === "open") return now;
    // It was stopped: what is still under way is waited for no more.
    if (this.#phase === "over") return now;
    // A conversation that ends because nothing more comes ends outside any turn.
    this.#beginAll();
    if (this.#schedule !== undefined) this.#sendDue(now, this.#schedule);
    this.#mayEnd(now);
    if (this.isOver) return now;
    // When a run ends together with a second, there is no further second: it would be empty.
    if (now >= this.#secondAt) this.#countSecond(now);
    if (isDialing) return now;
    const isLast = this.#phase === "last answers";
    const nextEnd = isLast ? this.#endsAt + this.timeoutMs : this.#endsAt;
    const nextDue = this.#free.size > 0 ? this.#schedule?.next ?? Infinity : Infinity;
    return Math.min(this.#secondAt, nextEnd, nextDue);
  }

  #mayBeOpen(now: number): void {
    const waits = !this.connect && this.#share.plan.rampMs === 0;
    if (waits && now < this.#openingUntil) {
      if (this.#unopened > 0) return;
      if (this.#unready > 0 && now < this.#openedAt + GREETING_MS) return;
    }
    this.#phase = "open";
  }

  /**
   * Starts the clock and the load.
   *
   * @param now the time, in milliseconds
   */
  start(now: number): void {
    if (this.#phase !== "open") return;
    const { plan, thread } = this.#share;
    this.#phase = "running";
    this.#startedAt = this.#lastAt = this.#countedAt = now;
    this.#answeredAt = this.#askedAt = this.#lookedAt = now;
    this.#endsAt = now + plan.durationMs;
    this.#secondAt = now + SECOND_MS;
    if (plan.rate !== null) {
      this.#schedule = new Schedule({
        rate: plan.rate,
        parts: plan.rateParts,
        arrivals: plan.arrivals,
        seed: plan.seed,
        startsAt: now,
        endsAt: this.#endsAt,
        requests: this.#left,
        thread,
        threads: plan.threads,
      });
    }
    if (plan.rampMs > 0) return this.#ramp(plan.rampMs);
    // Each is sent at a time of its own: what the earlier ones take is not the server's time.
    for (const lane of this.#lanes) {
      const sentAt = performance.now();
      if (this.#schedule === undefined) this.tally.lag.add(sentAt - now);
      this.#enter(lane, sentAt, now);
    }
  }

  /**
   * Lets the lanes begin one after the other, evenly over the ramp.
   *
   * @param first the first lane that has not begun
   */
  #ramp(rampMs: number, first = 0): void {
    const now = performance.now();
    const everyMs = rampMs / this.#lanes.length;
    const dueAt = (index: number) => this.#startedAt + index * everyMs;
    let index = first;
    for (let at = now; at < now + DIALING_MS; at = performance.now(), index++) {
      if (index === this.#lanes.length || dueAt(index) > now) break;
      this.#admit(this.#lanes[index] as Lane, at);
    }
    if (index === this.#lanes.length || this.#phase === "over") return;
    // There is one deadline at a time, because each length of time has a queue of its own.
    const next = new Deadline(() => this.#ramp(rampMs, index));
    this.deadlines.set(next, Math.max(1, Math.round(dueAt(index) - now)), now);
  }

  /** Lets a lane without a connection begin. */
  #admit(lane: Lane, now: number): void {
    if (this.connect) this.#enter(lane, now);
    else lane.open(now);
  }

  #enter(lane: Lane, now: number, since = now): void {
    lane.roomSince = since;
    for (let place = 0; place < this.pipeline && lane.hasRoom; place++) this.onRoom(lane, now);
  }

  onOpened(lane: Lane): void {
    if (lane.stage > 0) return;
    lane.stage = 1;
    if (--this.#unopened === 0) this.#openedAt = performance.now();
  }

  onReady(lane: Lane): void {
    if (lane.stage === 2) return;
    this.onOpened(lane);
    lane.stage = 2;
    this.#unready--;
  }

  onRoom(lane: Lane, now: number): void {
    // Nothing begins before the clock starts.
    if (!this.#isGoing) return;
    if (this.#schedule !== undefined) this.#fill(lane, now, this.#schedule);
    else this.#beginNext(lane, now, now);
  }

  /** Whether requests may begin. */
  get #isGoing(): boolean {
    return this.#phase === "running" || this.#phase === "last answers";
  }

  onAnswered(lane: Lane, now: number): void {
    // The connections stay open for a moment after the end.
    if (!this.#isGoing) return;
    this.#isIdle = --this.#underWay === 0;
    this.#lastAt = now;
    this.#answeredAt = now;
    this.#failedInRow = 0;
    if (this.#backoffs.size > 0) this.#backoffs.delete(lane);
    if (this.#schedule !== undefined) return this.#fill(lane, now, this.#schedule);
    const { thinkMs } = this.#share.plan;
    if (thinkMs > 0) this.#think(lane, now, thinkMs);
    else if (this.#next === undefined) this.#beginNext(lane, now, now);
    else this.#next.push(lane);
  }

  /**
   * Sends the next requests of the lanes that were answered in this turn; returns whether there
   * were any.
   */
  #beginAll(): boolean {
    const lanes = this.#next;
    if (lanes === undefined || lanes.length === 0) return false;
    const now = performance.now();
    for (const lane of lanes) {
      // The lane may have lost its connection since.
      if (!lane.hasRoom) continue;
      this.#beginNext(lane, now, now);
    }
    lanes.length = 0;
    return true;
  }

  #think(lane: Lane, now: number, thinkMs: number): void {
    const goOn = () => {
      if (this.#phase === "running" && lane.hasRoom) {
        this.#beginNext(lane, now + thinkMs, performance.now());
      }
    };
    this.deadlines.set(new Deadline(goOn), thinkMs, now);
  }

  #beginNext(lane: Lane, dueAt: number, now: number): void {
    if (this.#left === 0) return;
    this.#left--;
    this.#onAsking(now);
    if (now > dueAt) this.tally.lag.add(now - dueAt);
    // A closed model has no due times, and a delay of its own thread is not the server's fault.
    lane.begin(now, now);
  }

  /** Gives a lane a request that is due, or keeps the lane for the next one. */
  #fill(lane: Lane, now: number, schedule: Schedule): void {
    const dueAt = schedule.take(now);
    if (dueAt !== undefined) return this.#send(lane, dueAt, now);
    this.#free.add(lane);
  }

  #onAsking(now: number): void {
    this.#underWay++;
    if (!this.#isIdle) return;
    this.#isIdle = false;
    this.#askedAt = now;
  }

  /**
   * Looks whether the server has answered anything lately. It is called every {@linkcode LOOK_MS}
   * milliseconds. If that was longer ago, only the time counts in which this thread had nothing to
   * do: if it ran, or waited for a processor, the silence may be its own fault.
   *
   * @param now the time, in milliseconds
   */
  look(now: number): void {
    const since = this.#lookedAt;
    const isSilent = this.#isGoing && !this.#isIdle && this.#askedAt <= since &&
      this.#answeredAt < since;
    const own = ownTime();
    const ownMs = own === undefined ? undefined : own.ranMs + own.waitedMs;
    const atLeastMs = Math.min(LOOK_MS, now - since);
    const idleMs = ownMs === undefined
      ? atLeastMs
      : Math.max(atLeastMs, now - since - (ownMs - this.#ownMs));
    this.#silentMs = isSilent ? this.#silentMs + idleMs : 0;
    this.#ownMs = ownMs ?? 0;
    this.#silenceMs = Math.max(this.#silenceMs, this.#silentMs);
    this.#lookedAt = now;
  }

  #send(lane: Lane, dueAt: number, now: number): void {
    this.#onAsking(now);
    this.#sentAt = now;
    this.tally.lag.add(now - Math.max(dueAt, lane.roomSince));
    lane.begin(dueAt, now);
  }

  #sendDue(now: number, schedule: Schedule): void {
    while (this.#free.size > 0 && schedule.next <= now) {
      const lane = this.#free.take();
      if (!lane.hasRoom) continue;
      this.#send(lane, schedule.take(now) as number, now);
      // It may have room for more, but the other lanes come first.
      if (lane.hasRoom) this.#free.add(lane);
    }
  }

  onFailed(lane: Lane, kind: string, message: string, requests: number): void {
    const now = performance.now();
    this.onReady(lane);
    if (this.#phase === "over") return;
    if (++this.#failedInRow >= this.#lanes.length) this.#hasFallenSilent = true;
    this.#underWay -= requests;
    this.#lastAt = now;
    // A connection that cannot be made, or that ends unused, fails the request that waited for it.
    const failed = requests > 0 ? requests : this.#takeUnsent(now);
    this.tally.fail(kind, message, failed);
    this.#again(lane, now, requests > 0 && !NOT_CONNECTED.has(kind));
  }

  /** Takes a request that nobody will send; returns how many there were. */
  #takeUnsent(now: number): 0 | 1 {
    if (this.#schedule !== undefined) return this.#schedule.take(now) === undefined ? 0 : 1;
    // In an open model nothing is due before the clock starts.
    if (this.#share.plan.rate !== null) return 0;
    if (this.#left === 0) return 0;
    this.#left--;
    return 1;
  }

  /** Lets a lane go on after a failure: at once, or later if it would probably fail again. */
  #again(lane: Lane, now: number, atOnce: boolean): void {
    const goOn = () => {
      if (this.#phase !== "over") this.#admit(lane, performance.now());
    };
    let backoff = this.#backoffs.get(lane);
    if (backoff === undefined) this.#backoffs.set(lane, backoff = new Backoff());
    // It never happens at once, because this lane is still closing further down the stack.
    const waitMs = atOnce ? 1 : backoff.next();
    this.deadlines.set(new Deadline(goOn), waitMs, now);
  }

  #countSecond(now: number): void {
    this.#secondIndex++;
    const second = this.tally.take(now - this.#countedAt);
    const { tellsWaiting = false } = this.#share.plan;
    this.#onSecond(tellsWaiting ? { ...second, waiting: this.#waiting(now) } : second);
    this.#countedAt = now;
    this.#secondAt = this.#startedAt + (this.#secondIndex + 1) * SECOND_MS;
  }

  #waiting(now: number): Waiting {
    const latency = new DurationCounts();
    const service = new DurationCounts();
    let overdue = 0;
    for (const lane of this.#lanes) {
      lane.tellWaiting((dueAt, sentAt) => {
        latency.add(now - dueAt);
        if (this.timesService) service.add(now - sentAt);
      });
    }
    this.#schedule?.tellWaiting(now, (ms, count) => {
      latency.add(ms, count);
      if (ms >= this.timeoutMs) overdue += count;
    });
    return { latency: latency.take(), service: service.take(), overdue };
  }

  /**
   * Ends a turn in which things have happened, and counts how late the thread was.
   *
   * @param since when the thread began to deal with what was ready: the last thing waited from then
   * on
   */
  onTurn(since: number): void {
    const lastAt = this.#beginAll() ? performance.now() : this.#answeredAt;
    this.tally.lag.add(Math.max(lastAt, since) - since);
  }

  #mayEnd(now: number): void {
    const isLate = now >= this.#endsAt;
    if (this.#underWay === 0 && this.#nothingLeft(isLate)) {
      return this.#end(now, isLate ? now : this.#lastAt);
    }
    if (!isLate) return;
    if (this.#schedule === undefined) return this.#end(now);
    this.#phase = "last answers";
    if (now < this.#endsAt + this.timeoutMs) return;
    const unanswered = this.#underWay + this.#schedule.waitingAt(this.#endsAt);
    const message = `No answer within ${this.timeoutMs} ms after the end`;
    this.tally.fail(UNANSWERED, message, unanswered);
    this.#end(now);
  }

  #nothingLeft(isLate: boolean): boolean {
    if (this.#schedule === undefined) return this.#left === 0;
    // A run that is limited by time lasts for that whole time.
    const isCounted = this.#share.requests < Infinity;
    return this.#schedule.next === Infinity && (isCounted || isLate);
  }

  /**
   * Ends the run early.
   *
   * @param now the time, in milliseconds
   */
  stop(now: number): void {
    if (this.#phase === "over") return;
    this.#isCut = true;
    this.#end(now);
  }

  /** Ends the run, as of a time no later than now. */
  #end(now: number, overAt = now): void {
    if (!this.#isGoing) this.#startedAt = this.#countedAt = overAt = now;
    this.#phase = "over";
    this.#overAt = overAt;
    if (this.#schedule === undefined) {
      const since = overAt - Math.min(STARVED_MS, (overAt - this.#startedAt) / 2);
      const undialed = this.#lanes.length - this.#dialed;
      this.#starved = undialed + this.#lanes.filter((lane) => lane.isStarved(since)).length;
    }
    this.#onSecond(this.tally.take(Math.max(0, overAt - this.#countedAt)));
  }

  /** Closes the connections. Until then the server can be looked at as the load has left it. */
  close(): void {
    for (const lane of this.#lanes) lane.end();
  }
}

/** A queue of lanes that holds each lane at most once. */
class LaneQueue {
  readonly #ring: (Lane | undefined)[];
  #first = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#ring = new Array(capacity).fill(undefined);
  }

  get size(): number {
    return this.#size;
  }

  add(lane: Lane): void {
    if (lane.isQueued) return;
    lane.isQueued = true;
    this.#ring[(this.#first + this.#size++) % this.#ring.length] = lane;
  }

  take(): Lane {
    const lane = this.#ring[this.#first] as Lane;
    this.#ring[this.#first] = undefined;
    this.#first = (this.#first + 1) % this.#ring.length;
    this.#size--;
    lane.isQueued = false;
    return lane;
  }
}

/** Failures after which a new connection would probably fail too. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  "refused",
  "closed",
  "unreachable",
  "connect timeout",
  "no local port",
  "no descriptor",
  "not connected",
]);
