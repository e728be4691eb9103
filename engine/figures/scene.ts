/**
 * What a recording shows at a moment: who is where, who waits, what the threads are busy with.
 *
 * A scene knows no browser. It takes the lines of a recording in whatever order they come, all at
 * once or as they happen, and answers for any moment. Nothing in it is guessed: a connection is in
 * the accept queue only while the kernel was seen to have it there, and an end that the kernel did
 * not tell is unknown.
 *
 * @module
 */

import type {
  BegunEvent,
  ClientEvent,
  ConnectionEvent,
  DoingEvent,
  FiguresEvent,
  Header,
  Outcome,
  SocketEvent,
  SpanEvent,
  ThreadEvent,
} from "../recording/events.ts";
import type { Line } from "./lines.ts";
import { type Happening, happeningsOf } from "./happenings.ts";
import { AcceptQueues, handOverQueue, type QueueView } from "./queue_counts.ts";
import { Course, Moments, type Stated } from "./spans.ts";
import { Thread, type ThreadKind, type ThreadView, threadView } from "./thread.ts";
import { type Computing, type Dot, type Ending, Track } from "./track.ts";
import { TrackOrder } from "./track_order.ts";
import { waitsOf } from "./waits.ts";

export type { Happening } from "./happenings.ts";
export type { QueueView } from "./queue_counts.ts";
export type { Activity, ThreadKind, ThreadView } from "./thread.ts";
export type { Doing, Dot, Ending, Place } from "./track.ts";

/** How many of a kind there have been. */
export interface Totals {
  /** Connections that the server has taken, as far as the recording has them. */
  readonly begun: number;
  /** Conversations that are over, by how. */
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Connections that are no more, by how the kernel ended them. */
  readonly endings: Readonly<Record<Ending, number>>;
}

/** Everything that is known about a moment. */
export interface View {
  /** The moment, in microseconds since the recording began. */
  readonly us: number;
  /** The connections that are in the picture, with those that have ended a short time ago. */
  readonly dots: readonly Dot[];
  /** The threads that are there, in the order of their numbers. */
  readonly threads: readonly ThreadView[];
  /** The accept queue, or those of all listeners together. */
  readonly acceptQueue: QueueView;
  /** Whether connections may wait in a queue of the server's own. */
  readonly hasHandOver: boolean;
  /** That queue. */
  readonly handOverQueue: QueueView;
  readonly totals: Totals;
  /** Whether the kernel tells of connections that end. Else only the server does. */
  readonly areEndsTold: boolean;
  /** Whether it is not known of some how they end, be it later. */
  readonly hasUnknownEnds: boolean;
  /** The server's own counters. */
  readonly counters: Readonly<Record<string, number>> | undefined;
  /** What was measured last. */
  readonly figures: FiguresEvent | undefined;
  /** How much was left out until then, by what. */
  readonly leftOut: ReadonlyMap<string, number>;
  /** Whether connections are left out at this time: the dots are not all, and some may be gone. */
  readonly isPartial: boolean;
  /** Whether the server was told to close. */
  readonly isClosing: boolean;
  /** The last sentence for people. */
  readonly note: string | undefined;
}

/** How a scene remembers. */
export interface SceneOptions {
  /**
   * For how long it remembers what is over, in microseconds.
   *
   * @default {Infinity}
   */
  readonly keepUs?: number;
}

/** For how long after connections were left out others may still be, in microseconds. */
const PARTIAL_US = 700_000;

/** How often what is over is forgotten, as a share of how long it is remembered. */
const FORGETFUL = 0.1;

const OUTCOMES: readonly Outcome[] = ["done", "cut", "empty", "failed", "unknown"];
const ENDINGS: readonly Ending[] = ["FIN", "RST", "unknown"];
const ENDED_WITH: Readonly<Record<ConnectionEvent["ended_with"], Ending>> = {
  fin: "FIN",
  reset: "RST",
  unknown: "unknown",
};

/** What a recording shows. */
export class Scene {
  /** The first line of the recording, when it is known. */
  header: Header | undefined;
  /** Whether the recording has ended. */
  isFinished = false;
  readonly #keepUs: number;
  readonly #threads = new Map<number, Thread>();
  readonly #acceptQueues = new AcceptQueues();
  /** The connections. */
  readonly #tracks = new TrackOrder();
  readonly #byNumber = new Map<number, Track>();
  /** The last connection of each peer, and of each socket. */
  readonly #byPeer = new Map<string, Track>();
  readonly #byCookie = new Map<string, Track>();
  /** What clients have told of connections that the server has not told of yet, by their addresses. */
  readonly #clients = new Map<string, ClientEvent>();
  /** What the kernel has told of connections that the server has not told of yet. */
  readonly #untold = new Map<string, ConnectionEvent>();
  readonly #begun = new Moments();
  readonly #outcomes = new Map(OUTCOMES.map((outcome) => [outcome, new Moments()]));
  readonly #endings = new Map(ENDINGS.map((ending) => [ending, new Moments()]));
  readonly #counters = new Course<Readonly<Record<string, number>>>();
  /** The first ones. */
  #firstCounters: Readonly<Record<string, number>> | undefined;
  readonly #figures = new Course<FiguresEvent>();
  readonly #notes = new Course<string>();
  readonly #leftOut = new Map<string, Course<number>>();
  #areEndsTold = false;
  #wasQueued = false;
  #ids = 0;
  #fromUs = Infinity;
  #toUs = 0;
  /** When the server was told to close. */
  #closingUs = Infinity;
  #forgottenUs = 0;
  #happenings: readonly Happening[] | undefined;
  /** The life that was asked for last. */
  #life: { readonly track: Track; readonly happenings: readonly Happening[] } | undefined;

  /** @param options how it remembers */
  constructor({ keepUs = Infinity }: SceneOptions = {}) {
    this.#keepUs = keepUs;
  }

  /** The first moment that is known. */
  get fromUs(): number {
    return Math.max(this.#fromUs === Infinity ? 0 : this.#fromUs, this.#forgottenUs);
  }

  /** The last moment that is known. */
  get toUs(): number {
    return this.#toUs;
  }

  /** When the first connection comes; `undefined` if none has come. */
  get firstUs(): number | undefined {
    const first = this.#tracks.all[0]?.fromUs ?? Infinity;
    return first === Infinity ? undefined : first;
  }

  /** What was measured, in the order of time. */
  get figures(): readonly FiguresEvent[] {
    return this.#figures.all.map(({ value }) => value);
  }

  /** All connections that are remembered in the order in which they came, each as it was at the last look. */
  get dots(): readonly Dot[] {
    return this.#tracks.all;
  }

  /**
   * Adds lines of the recording.
   *
   * @param lines the lines, in the order in which they came
   */
  add(lines: Iterable<Line>): void {
    for (const line of lines) this.#add(line);
    this.#happenings = this.#life = undefined;
    const horizonUs = this.#toUs - this.#keepUs;
    if (horizonUs - this.#forgottenUs > this.#keepUs * FORGETFUL) this.#forget(horizonUs);
  }

  /**
   * Looks at a moment.
   *
   * @param us the moment, in microseconds since the recording began
   * @param lingerUs for how long a connection that has ended stays in the picture
   * @returns what is known about it; its dots are valid until the next look
   */
  at(us: number, lingerUs = 0): View {
    const dots = this.#tracks.presentAt(us, lingerUs, this.#areEndsTold);
    const served = new Map<number, Track[]>();
    const waiting: Track[] = [];
    let queued = 0;
    for (const dot of dots) {
      dot.look(us, this.#areEndsTold);
      if (dot.place === "accept queue") waiting.push(dot);
      if (dot.place === "hand-over queue") queued++;
      if (dot.place !== "thread" || dot.server === undefined) continue;
      const others = served.get(dot.server);
      if (others === undefined) served.set(dot.server, [dot]);
      else others.push(dot);
    }
    const threads: ThreadView[] = [];
    for (const thread of this.#threads.values()) {
      const own = served.get(thread.number) ?? [];
      if (thread.presence.at(us) !== true && own.length === 0) continue;
      threads.push(threadView(thread, us, own));
    }
    this.#acceptQueues.sayWhose(us, waiting);
    sayWhom(dots, threads);
    const counters = this.#counters.at(us);
    const tracks = this.#tracks.all;
    const leftOut = new Map([...this.#leftOut].map(([what, course]) => [what, course.at(us) ?? 0]));
    const outcomes = countsAt(this.#outcomes, us);
    return {
      us,
      dots,
      threads: threads.sort((one, other) => one.number - other.number),
      acceptQueue: this.#acceptQueues.at(us, tracks, waiting),
      hasHandOver: this.#hasQueue || threads.some(({ kind }) => kind === "accepts"),
      handOverQueue: handOverQueue(us, {
        counters: this.#counters,
        counts: this.#countsAt(us),
        tracks,
        seen: queued,
      }),
      totals: {
        begun: this.#begun.countAt(us),
        outcomes,
        endings: this.#endingsAt(us, outcomes, leftOut, dots),
      },
      areEndsTold: this.#areEndsTold,
      hasUnknownEnds: this.#hasUnknownEnds,
      counters,
      figures: this.#figures.at(us),
      leftOut,
      isPartial: us - (this.#leftOut.get("connections")?.last(us)?.at ?? -Infinity) < PARTIAL_US,
      isClosing: us >= this.#closingUs,
      note: this.#notes.at(us),
    };
  }

  /** The server's own counters at a moment, and when they were counted. */
  countersAt(us: number): Stated<Readonly<Record<string, number>>> | undefined {
    const value = this.#counters.at(us);
    const at = this.#countsAt(us).last(us)?.at;
    return value === undefined || at === undefined ? undefined : { at, value };
  }

  /** When the server has counted. A stream tells counters that have changed, and figures each time. */
  #countsAt(us: number): Course<unknown> {
    return this.#figures.countAt(us) > 0 ? this.#figures : this.#counters;
  }

  /** A server that has a queue counts it from the beginning. */
  get #hasQueue(): boolean {
    return this.#wasQueued || this.#firstCounters?.queued !== undefined;
  }

  /** Of a server that runs such an end may come at any time, and its place is there before. */
  get #hasUnknownEnds(): boolean {
    return !this.#areEndsTold || this.#keepUs < Infinity ||
      (this.#endings.get("unknown")?.countAt(Infinity) ?? 0) > 0 ||
      [...this.#leftOut.keys()].some((what) => what !== "spans");
  }

  #endingsAt(
    us: number,
    outcomes: Totals["outcomes"],
    leftOut: ReadonlyMap<string, number>,
    dots: readonly Track[],
  ): Totals["endings"] {
    const endings = countsAt(this.#endings, us);
    const isComplete = ![...leftOut].some(([what, count]) => what !== "spans" && count > 0);
    const untold = isComplete ? 0 : this.#countUntold(this.#counters.at(us), endings, dots);
    // Where the kernel tells nothing of ends, only the server does.
    const over = Object.values(outcomes).reduce((sum, each) => sum + each, 0);
    const more = this.#areEndsTold ? untold : Math.max(untold, over);
    return { ...endings, unknown: endings.unknown + more };
  }

  /** How many have ended according to the server, of which nothing else was told. */
  #countUntold(
    counters: Readonly<Record<string, number>> | undefined,
    endings: Readonly<Record<Ending, number>>,
    dots: readonly Track[],
  ): number {
    const first = this.#firstCounters;
    if (counters === undefined || first === undefined) return 0;
    const over = ({ accepted = 0, live = 0 }: Readonly<Record<string, number>>) => accepted - live;
    const told = endings.FIN + endings.RST + endings.unknown;
    const closing = dots.reduce((sum, { place }) => sum + (place === "closing" ? 1 : 0), 0);
    return Math.max(0, over(counters) - over(first) - told - closing);
  }

  /**
   * Finds a connection, as it was at the last look.
   *
   * @param connection its number, if it has one @param id that of its dot, if it has none
   */
  find(connection: number | undefined, id: number | undefined): Dot | undefined {
    if (connection !== undefined) return this.#byNumber.get(connection);
    return this.#tracks.all.find((track) => track.id === id);
  }

  /**
   * What happens to a connection, in words and in the order of time, and for whom it waits.
   *
   * @param dot from this scene
   */
  lifeOf(dot: Dot): readonly Happening[] {
    const track = dot as Track;
    if (this.#life?.track !== track) {
      const waits = waitsOf(track, this.#tracks.all, this.#threads, this.#toUs);
      const happenings = inOrder([...happeningsOf(track, this.#nameOf), ...waits]);
      this.#life = { track, happenings };
    }
    return this.#life.happenings;
  }

  /** Everything that happens, in words and in the order of time. */
  happenings(): readonly Happening[] {
    return this.#happenings ??= inOrder([
      ...this.#tracks.all.flatMap((track) => happeningsOf(track, this.#nameOf)),
      ...this.#tellClosing(),
    ]);
  }

  /** That it closes is told if somebody was still there. */
  #tellClosing(): readonly Happening[] {
    const us = this.#closingUs;
    const isNews = this.#tracks.all.some(({ doneUs }) => us < doneUs) && us < Infinity;
    return isNews ? [{ us, text: "the server is told to close", connection: undefined }] : [];
  }

  readonly #nameOf = (thread: number | undefined): string =>
    this.#threads.get(thread ?? 0)?.name ?? "a thread";

  #add(line: Line): void {
    if (line.type === "recording") {
      this.header = line;
      return;
    }
    this.#fromUs = Math.min(this.#fromUs, line.at);
    this.#toUs = Math.max(this.#toUs, line.at, "to" in line && line.type === "span" ? line.to : 0);
    switch (line.type) {
      case "thread":
        return this.#addThread(line);
      case "begun":
        return this.#addBegun(line);
      case "queued": {
        this.#wasQueued = true;
        const track = this.#byNumber.get(line.connection);
        if (track !== undefined) track.queued = line;
        return;
      }
      case "served": {
        const track = this.#byNumber.get(line.connection);
        if (track === undefined) return;
        track.servedUs = line.at;
        track.server = line.thread;
        return;
      }
      case "over": {
        this.#outcomes.get(line.outcome)?.add(line.at);
        const track = this.#byNumber.get(line.connection);
        if (track === undefined) return;
        track.overUs = line.at;
        track.over = { outcome: line.outcome, failure: line.failure };
        track.open = undefined;
        return;
      }
      case "span":
        return this.#addSpan(line);
      case "doing":
        return this.#addDoing(line);
      case "client":
        return this.#addClient(line);
      case "socket":
        return this.#addSocket(line);
      case "connection":
        return this.#addEnd(line);
      case "listener":
        // Only the kernel names it.
        if (line.cookie !== undefined) this.#tellsEnds();
        return this.#acceptQueues.add(line);
      case "counters":
        this.#firstCounters ??= line.values;
        this.#counters.add(line.at, line.values);
        return;
      case "figures":
        this.#figures.add(line.at, line);
        return;
      case "closing":
        this.#closingUs = Math.min(this.#closingUs, line.at);
        return;
      case "note":
        this.#notes.add(line.at, line.text);
        return;
      case "left_out": {
        const course = this.#leftOut.get(line.what) ?? new Course<number>();
        this.#leftOut.set(line.what, course);
        course.add(line.at, (course.at(line.at) ?? 0) + line.count);
        if (line.what !== "spans") this.#giveUp(line.at);
        return;
      }
      case "end":
        this.isFinished = true;
    }
  }

  #addThread({ thread: number, name, loop, gone, at }: ThreadEvent): void {
    const thread = this.#threads.get(number) ?? new Thread(number, String(name));
    this.#threads.set(number, thread);
    thread.name = String(name);
    thread.isLoop ||= loop === true;
    thread.presence.add(at, gone !== true);
    if (gone !== true) return this.#acceptQueues.comes(number, at);
    thread.open = undefined;
    this.#acceptQueues.leaves(number, at);
  }

  #addBegun(line: BegunEvent): void {
    const { at, connection, peer, cookie, connected = Infinity, by } = line;
    this.#begun.add(at);
    const byCookie = cookie === undefined ? undefined : this.#byCookie.get(cookie);
    const known = byCookie ?? this.#byPeer.get(peer);
    // The same address may have been another client's before.
    const isSame = known !== undefined && known.connection === undefined && at < known.goneUs;
    const track = isSame ? known : this.#newTrack(peer);
    // Its end was told before its beginning.
    if (track.goneUs < Infinity) this.#tracks.lookAnew();
    const { fromUs } = track;
    track.connection = connection;
    track.begunUs = at;
    track.seenUs = Math.min(track.seenUs, connected);
    this.#tracks.comes(track, fromUs);
    track.isOwn = by === "page";
    this.#byNumber.set(connection, track);
    if (cookie !== undefined) this.#byCookie.set(cookie, track);
    const client = this.#clients.get(peer);
    if (client !== undefined) this.#addClient(client);
    const ended = this.#untold.get(peer);
    if (ended === undefined) return;
    this.#untold.delete(peer);
    if (ended.at >= at) end(track, ended);
  }

  /** A client knows since when it was connected: until it was taken it was in the accept queue. */
  #addClient(line: ClientEvent): void {
    const { peer, connected, to } = line;
    const track = this.#byPeer.get(peer);
    // The same address may have been another client's before, or will be.
    if (track === undefined || track.begunUs > to || track.goneUs < connected) {
      this.#clients.set(peer, line);
      return;
    }
    this.#clients.delete(peer);
    const { fromUs } = track;
    track.seenUs = Math.min(track.seenUs, connected);
    this.#tracks.comes(track, fromUs);
  }

  #newTrack(peer: string): Track {
    const track = new Track(++this.#ids, String(peer));
    this.#tracks.add(track);
    this.#byPeer.set(peer, track);
    return track;
  }

  #addSpan(line: SpanEvent): void {
    const { name, at, to, thread: number, task } = line;
    const thread = number === undefined ? undefined : this.#threads.get(number);
    if (thread?.open !== undefined && thread.open.at < to) thread.open = undefined;
    const track = line.connection === undefined ? undefined : this.#byNumber.get(line.connection);
    if (track?.open !== undefined && track.open.at < to) track.open = undefined;
    const part: Computing = { at, to, thread: number, task };
    switch (name) {
      case "computing":
        thread?.computing.add(line);
        track?.add("computing", part);
        return;
      case "waiting for computing":
        track?.add("awaiting", part);
        return;
      case "writing":
        thread?.writing.add(line);
        track?.add("writing", part);
        return;
      case "turn":
      case "turns":
        thread?.turns.add(line);
    }
  }

  #addDoing(line: DoingEvent): void {
    const { at, thread: number, connection, peer, what, task } = line;
    if (peer !== undefined) return this.#addQueued(peer, at, what !== undefined);
    const thread = number === undefined ? undefined : this.#threads.get(number);
    if (what === undefined) {
      // It is over, and its span was not told.
      const whose = thread === undefined ? connection : thread.open?.connection;
      if (thread?.open !== undefined) thread.open = { ...thread.open, to: at };
      const track = this.#byNumber.get(whose ?? 0);
      if (track?.open !== undefined) track.open = { ...track.open, to: at };
      return;
    }
    if (thread !== undefined) thread.open = { ...line, to: Infinity };
    const track = this.#byNumber.get(connection ?? 0);
    if (track !== undefined) track.open = { at, to: Infinity, thread: number, task, what };
  }

  /** A connection that has no number yet waits in a queue of the server's own, or has left it. */
  #addQueued(peer: string, at: number, isThere: boolean): void {
    this.#wasQueued = true;
    const known = this.#openTrackOf(peer, at);
    if (isThere) {
      // The same address may have been another client's before.
      const track = known?.connection === undefined && known !== undefined
        ? known
        : this.#newTrack(peer);
      const { fromUs } = track;
      track.inQueue = { at, to: Infinity };
      this.#tracks.comes(track, fromUs);
    } else if (known?.inQueue !== undefined) known.inQueue = { ...known.inQueue, to: at };
  }

  #addSocket(
    { at, cookie, remote, state, end: which, waiting, connected = at }: SocketEvent,
  ): void {
    if (which === "client") return;
    this.#tellsEnds();
    let track = this.#byCookie.get(cookie) ?? this.#openTrackOf(remote, at);
    if (state === "CLOSE") {
      this.#byCookie.delete(cookie);
      if (track === undefined) return;
      track.goneUs = Math.min(track.goneUs, at);
      track.leftUs = Math.min(track.leftUs, at);
      return;
    }
    this.#acceptQueues.seesSockets(at);
    if (waiting === true) {
      track ??= this.#newTrack(remote);
      const { fromUs } = track;
      track.seenUs = Math.min(track.seenUs, connected);
      this.#tracks.comes(track, fromUs);
    } else if (track !== undefined && track.seenUs < at) {
      track.leftUs = Math.min(track.leftUs, at);
    }
    if (track !== undefined) this.#byCookie.set(cookie, track);
  }

  /** Whoever looks at sockets also hears of their ends. */
  #tellsEnds(): void {
    if (!this.#areEndsTold) this.#tracks.lookAnew();
    this.#areEndsTold = true;
  }

  /** The connection of a peer that is not gone at a moment. */
  #openTrackOf(peer: string, us: number): Track | undefined {
    const track = this.#byPeer.get(peer);
    return track !== undefined && us < track.goneUs ? track : undefined;
  }

  #addEnd(line: ConnectionEvent): void {
    this.#tellsEnds();
    this.#endings.get(ENDED_WITH[line.ended_with] ?? "unknown")?.add(line.at);
    const byCookie = line.cookie === undefined ? undefined : this.#byCookie.get(line.cookie);
    const track = byCookie ?? this.#byPeer.get(line.remote);
    if (track !== undefined && track.endedWith === undefined && track.fromUs <= line.at) {
      if (track.goneUs < line.at) this.#tracks.lookAnew();
      end(track, line);
    } else this.#untold.set(line.remote, line);
  }

  /** Something was left out. It may have been the ends of those that nobody has seen since. */
  #giveUp(us: number): void {
    const seen = new Set(this.#byCookie.values());
    for (const track of this.#tracks.all) {
      if (track.overUs > us || track.endedWith !== undefined || seen.has(track)) continue;
      track.isLeftOut = true;
      if (track.goneUs === Infinity) track.goneUs = us;
    }
  }

  /** Forgets what was over at a moment. */
  #forget(beforeUs: number): void {
    this.#forgottenUs = beforeUs;
    // Who closes for so long may have been left out when it ended.
    const isOld = ({ doneUs }: Track) => doneUs < beforeUs;
    this.#tracks.keep((track) => {
      if (!isOld(track)) return true;
      if (track.connection !== undefined) this.#byNumber.delete(track.connection);
      if (this.#byPeer.get(track.peer) === track) this.#byPeer.delete(track.peer);
      return false;
    });
    for (const [cookie, track] of this.#byCookie) {
      if (isOld(track)) this.#byCookie.delete(cookie);
    }
    for (const [peer, { at }] of this.#untold) if (at < beforeUs) this.#untold.delete(peer);
    for (const [peer, { to }] of this.#clients) if (to < beforeUs) this.#clients.delete(peer);
    for (const track of this.#tracks.all) track.forget(beforeUs);
    for (const [number, thread] of this.#threads) {
      thread.forget(beforeUs);
      const { all } = thread.presence;
      const isGone = all.length === 1 && all[0]?.value === false && all[0].at < beforeUs;
      if (isGone) this.#threads.delete(number);
    }
    this.#acceptQueues.forget(beforeUs);
    for (const moments of [this.#begun, ...this.#outcomes.values(), ...this.#endings.values()]) {
      moments.forget(beforeUs);
    }
    for (const course of [this.#counters, this.#figures, this.#notes, ...this.#leftOut.values()]) {
      course.forget(beforeUs);
    }
  }
}

function inOrder(happenings: readonly Happening[]): readonly Happening[] {
  return happenings.toSorted((one, other) => one.us - other.us);
}

function end(track: Track, { at, ended_with }: ConnectionEvent): void {
  track.goneUs = at;
  track.endedWith = ENDED_WITH[ended_with] ?? "unknown";
}

function countsAt<Name extends string>(
  moments: ReadonlyMap<Name, Moments>,
  us: number,
): Readonly<Record<Name, number>> {
  const entries = [...moments].map(([name, found]) => [name, found.countAt(us)]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

/** Says for whom dots wait, where only one can be meant. */
function sayWhom(dots: readonly Track[], threads: readonly ThreadView[]): void {
  const only = (kind: ThreadKind) => {
    const found = threads.filter((thread) => thread.kind === kind);
    return found.length === 1 ? found[0] : undefined;
  };
  const holderOf = (serving: ThreadView | undefined) =>
    serving?.isLoop === true
      ? serving.standsStill ? serving.activity?.connection : undefined
      : serving?.dots[0]?.connection;
  const holder = holderOf(only("serves"));
  const computing = only("computes")?.activity?.connection;
  for (const dot of dots) {
    const { place, doing, connection, queueOf } = dot;
    if (queueOf !== undefined) {
      dot.waitsFor = holderOf(threads.find(({ number }) => number === queueOf));
    } else if (place === "accept queue" || place === "hand-over queue") dot.waitsFor = holder;
    else if (doing === "waiting for computing" && connection !== computing) {
      dot.waitsFor = computing;
    }
  }
}
