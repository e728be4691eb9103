/**
 * The load of one thread: its lanes, and which of them sends the next request when.
 *
 * Closed model: a lane that has its answer begins the next request, after a time to think. Open
 * model: a schedule says when requests are due, and the next lane that has room takes them.
 *
 * Where answers come in turns of a loop, all of a turn are received before the next requests are
 * sent: each is timed when it is there, not when those before it have been seen to, and a server
 * that gets many at once has not fallen asleep before the next one comes.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import { Backoff } from "../../engine/net/backoff.ts";
import { Lane, type LaneHost } from "./lane.ts";
import type { LoadProtocol } from "./load_protocol.ts";
import type { Share } from "./plan.ts";
import { Random } from "./random.ts";
import { Schedule } from "./schedule.ts";
import { Tally, type ThreadSecond } from "./tally.ts";

/**
 * How long the last answers of an open model are waited for, and how long a connection of a closed
 * one must have waited for its first answer to be told of, in milliseconds.
 */
const LAST_MS = 1_000;

/** How long the connections may take that are made before the clock starts, in milliseconds. */
const OPENING_MS = 5_000;

/** How long one second is. */
const SECOND_MS = 1_000;

/** Makes connections for lanes. */
export type Dial = (lane: Lane) => void;

/** Where a thread is in its run. */
type Phase = "opening" | "running" | "last answers" | "over";

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
  /** How many lanes have not been connected, or failed to be, for the first time. */
  #unopened: number;
  #schedule: Schedule | undefined;
  /** Lanes that have room while nothing is due: a ring, each lane at most once. */
  readonly #free: LaneQueue;
  #startedAt = 0;
  #endsAt = Infinity;
  #secondAt = Infinity;
  #secondIndex = 0;
  /** Until when all is counted: where the current second begins. */
  #countedAt = 0;
  /** When the last request was answered or failed. */
  #lastAt = 0;
  /** When the last request began. */
  #sentAt = 0;
  /** Lanes whose next request is sent at the end of this turn; `undefined` without turns. */
  readonly #next: Lane[] | undefined;
  #overAt = 0;
  /** Whether it was ended before its time. */
  #isCut = false;
  /** How many requests may still begin, in the closed model. */
  #left: number;
  /** How many have begun and are not over. */
  #underWay = 0;
  #starved = 0;

  /**
   * @param share its part of the load
   * @param protocol what to speak
   * @param parts how to connect, where limits are kept, who hears of each second, and whether
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
    this.#unopened = this.#lanes.length;
    this.#free = new LaneQueue(this.#lanes.length);
    this.#openingUntil = performance.now() + Math.min(OPENING_MS, plan.timeoutMs);
    this.#open();
  }

  /** When the run began, in milliseconds. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** Whether everything is over. */
  get isOver(): boolean {
    return this.#phase === "over";
  }

  /**
   * How long the run was, in milliseconds. In the open model it is as long as its schedule, whether
   * the last answers come sooner or have to be waited for: that makes no server quicker or slower.
   */
  get durationMs(): number {
    const schedule = this.#schedule;
    if (schedule === undefined) return this.#overAt - this.#startedAt;
    const sentUntil = Math.max(schedule.endsAt, this.#sentAt);
    return (this.#isCut ? Math.min(this.#overAt, sentUntil) : sentUntil) - this.#startedAt;
  }

  /**
   * How many connections had still no answer to their first request when a closed model's run was
   * over. In the open one those requests are errors, `unanswered`.
   */
  get starved(): number {
    return this.#starved;
  }

  /** Connections that need not wait for anything are made before the clock starts. */
  #open(): void {
    if (this.connect || this.#share.plan.rampMs > 0) return;
    const now = performance.now();
    for (const lane of this.#lanes) lane.open(now);
  }

  /**
   * Does what is to be done by now.
   *
   * @param now in milliseconds
   * @returns when to call it again, if nothing happens before
   */
  turn(now: number): number {
    if (this.#phase === "opening") this.#mayStart(now);
    if (this.#phase === "opening") return this.#openingUntil;
    // An answer that is over when nothing more comes is over in no turn.
    this.#beginAll();
    if (this.#schedule !== undefined) this.#sendDue(now, this.#schedule);
    this.#mayEnd(now);
    if (this.#phase === "over") return now;
    // What is over with a second has no other one behind it, in which there would be nothing.
    if (now >= this.#secondAt) this.#countSecond(now);
    const isLast = this.#phase === "last answers";
    const nextEnd = isLast ? this.#endsAt + LAST_MS : this.#endsAt;
    const nextDue = this.#free.size > 0 ? this.#schedule?.next ?? Infinity : Infinity;
    return Math.min(this.#secondAt, nextEnd, nextDue);
  }

  #mayStart(now: number): void {
    const waits = !this.connect && this.#share.plan.rampMs === 0;
    if (waits && this.#unopened > 0 && now < this.#openingUntil) return;
    const { plan, thread } = this.#share;
    this.#phase = "running";
    this.#startedAt = this.#lastAt = this.#countedAt = now;
    this.#endsAt = now + plan.durationMs;
    this.#secondAt = now + SECOND_MS;
    if (plan.rate !== null) {
      this.#schedule = new Schedule({
        rate: plan.rate,
        startsAt: now,
        endsAt: this.#endsAt,
        requests: this.#left,
        thread,
        threads: plan.threads,
      });
    }
    if (plan.rampMs > 0) return this.#ramp(plan.rampMs);
    for (const lane of this.#lanes) this.#enter(lane, now);
  }

  /**
   * Lets lanes begin one after the other, evenly over the ramp.
   *
   * @param first the first of those that have not begun
   */
  #ramp(rampMs: number, first = 0): void {
    const now = performance.now();
    const everyMs = rampMs / this.#lanes.length;
    const dueAt = (index: number) => this.#startedAt + index * everyMs;
    let index = first;
    for (; index < this.#lanes.length && dueAt(index) <= now; index++) {
      this.#admit(this.#lanes[index] as Lane, now);
    }
    if (index === this.#lanes.length || this.#phase === "over") return;
    // One limit at a time: each length has a queue of its own.
    const next = new Deadline(() => this.#ramp(rampMs, index));
    this.deadlines.set(next, Math.max(1, Math.round(dueAt(index) - now)), now);
  }

  /** Lets a lane that has no connection begin. */
  #admit(lane: Lane, now: number): void {
    if (this.connect) this.#enter(lane, now);
    else lane.open(now);
  }

  #enter(lane: Lane, now: number): void {
    lane.roomSince = now;
    for (let place = 0; place < this.pipeline && lane.hasRoom; place++) this.onRoom(lane, now);
  }

  onOpened(): void {
    if (this.#unopened > 0) this.#unopened--;
  }

  onRoom(lane: Lane, now: number): void {
    // Before the clock starts nothing begins.
    if (this.#phase === "opening" || this.#phase === "over") return;
    if (this.#schedule !== undefined) this.#fill(lane, now, this.#schedule);
    else this.#beginNext(lane, now, now);
  }

  onAnswered(lane: Lane, now: number): void {
    this.#underWay--;
    this.#lastAt = now;
    if (this.#backoffs.size > 0) this.#backoffs.delete(lane);
    if (this.#schedule !== undefined) return this.#fill(lane, now, this.#schedule);
    const { thinkMs } = this.#share.plan;
    if (thinkMs > 0) this.#think(lane, now, thinkMs);
    else if (this.#next === undefined) this.#beginNext(lane, now, now);
    else this.#next.push(lane);
  }

  /** Sends the next requests of those that were answered in this turn; whether there were any. */
  #beginAll(): boolean {
    const lanes = this.#next;
    if (lanes === undefined || lanes.length === 0) return false;
    const now = performance.now();
    for (const lane of lanes) {
      // It may have lost its connection since.
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
    this.#underWay++;
    if (now > dueAt) this.tally.lag.add(now - dueAt);
    // A closed model has no due times: what its own thread was late is no fault of the server's.
    lane.begin(now, now);
  }

  /** Gives a lane what is due, or keeps it for what will be. */
  #fill(lane: Lane, now: number, schedule: Schedule): void {
    const dueAt = schedule.take(now);
    if (dueAt !== undefined) return this.#send(lane, dueAt, now);
    this.#free.add(lane);
  }

  #send(lane: Lane, dueAt: number, now: number): void {
    this.#underWay++;
    this.#sentAt = now;
    this.tally.lag.add(now - Math.max(dueAt, lane.roomSince));
    lane.begin(dueAt, now);
  }

  #sendDue(now: number, schedule: Schedule): void {
    while (this.#free.size > 0 && schedule.next <= now) {
      const lane = this.#free.take();
      if (!lane.hasRoom) continue;
      this.#send(lane, schedule.take(now) as number, now);
      // It may have room for more, but others come first.
      if (lane.hasRoom) this.#free.add(lane);
    }
  }

  onFailed(lane: Lane, kind: string, message: string, requests: number): void {
    const now = performance.now();
    if (this.#unopened > 0) this.#unopened--;
    if (this.#phase === "over") return;
    this.#underWay -= requests;
    this.#lastAt = now;
    // A connection that cannot be made, or ends unused, fails the request that waited for it.
    const failed = requests > 0 ? requests : this.#takeUnsent(now);
    this.tally.fail(kind, message, failed);
    this.#again(lane, now, requests > 0 && !NOT_CONNECTED.has(kind));
  }

  /** Takes a request that nobody will send; returns how many there was. */
  #takeUnsent(now: number): 0 | 1 {
    if (this.#schedule !== undefined) return this.#schedule.take(now) === undefined ? 0 : 1;
    if (this.#left === 0) return 0;
    this.#left--;
    return 1;
  }

  /** Has a lane go on after a failure: at once, or after a while where it may only fail again. */
  #again(lane: Lane, now: number, atOnce: boolean): void {
    const goOn = () => {
      if (this.#phase !== "over") this.#admit(lane, performance.now());
    };
    let backoff = this.#backoffs.get(lane);
    if (backoff === undefined) this.#backoffs.set(lane, backoff = new Backoff());
    // Never here and now: below us on the stack the lane is still closing.
    const waitMs = atOnce ? 1 : backoff.next();
    this.deadlines.set(new Deadline(goOn), waitMs, now);
  }

  #countSecond(now: number): void {
    this.#secondIndex++;
    this.#onSecond(this.tally.take(now - this.#countedAt));
    this.#countedAt = now;
    this.#secondAt = this.#startedAt + (this.#secondIndex + 1) * SECOND_MS;
  }

  /**
   * Ends a turn, in which some things have happened, and counts how late the thread was.
   *
   * @param since when it began to do what had become ready: the last of it waited as long as this
   */
  onTurn(since: number): void {
    const lastAt = this.#beginAll() ? performance.now() : this.#lastAt;
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
    if (now < this.#endsAt + LAST_MS) return;
    const unanswered = this.#underWay + this.#schedule.waitingAt(this.#endsAt);
    this.tally.fail("unanswered", `No answer within ${LAST_MS} ms after the end`, unanswered);
    this.#end(now);
  }

  #nothingLeft(isLate: boolean): boolean {
    if (this.#schedule === undefined) return this.#left === 0;
    // Where the time is the limit, the run lasts as long as that.
    const isCounted = this.#share.requests < Infinity;
    return this.#schedule.next === Infinity && (isCounted || isLate);
  }

  /**
   * Ends the run before its time.
   *
   * @param now in milliseconds
   */
  stop(now: number): void {
    if (this.#phase === "over") return;
    this.#isCut = true;
    this.#end(now);
  }

  /** Ends the run, which was over at some time up to now. */
  #end(now: number, overAt = now): void {
    if (this.#phase === "opening") this.#startedAt = this.#countedAt = overAt = now;
    this.#phase = "over";
    this.#overAt = overAt;
    if (this.#schedule === undefined) {
      const since = overAt - Math.min(LAST_MS, (overAt - this.#startedAt) / 2);
      this.#starved = this.#lanes.filter((lane) => lane.isStarved(since)).length;
    }
    for (const lane of this.#lanes) lane.end();
    this.#onSecond(this.tally.take(Math.max(0, overAt - this.#countedAt)));
  }
}

/** Lanes that wait, each at most once. */
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
