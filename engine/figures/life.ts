/**
 * What became of a client's time, as a server's recording tells it.
 *
 * @module
 */

import type { ClientEvent, Event, SpanEvent } from "../recording/events.ts";

/** What a client waited for, or had. */
export type Doing =
  /** It was connected, and the server had not taken the connection. */
  | "accept"
  /** The server had taken the connection, and no thread had begun to serve it. */
  | "queue"
  /** Its loop was busy with somebody else, or the thread that computes was. */
  | "thread"
  /** Somebody computed for it. */
  | "computing"
  /** None of these: it talked with the server, or one of both was on its way to. */
  | "talk";

/** What each of them is, in words. */
export const DOING_WORDS: Readonly<Record<Doing, string>> = {
  computing: "the server computes for it",
  accept: "waits to be accepted",
  queue: "waits in the server's queue, or for its thread to start",
  thread: "waits for a thread that is busy with another client",
  talk: "talks",
};

/** A part of a client's time. */
export interface Stretch {
  readonly doing: Doing;
  /** For whom it waited then, by their places: those who had what it waited for, the longest first. */
  readonly waitedFor: readonly Share[];
  /** When it began and ended, in microseconds since the recording began. */
  readonly fromUs: number;
  readonly toUs: number;
}

/** A part of a wait. */
export interface Share {
  /** The place of the client for which it was. */
  readonly place: number;
  /** How long, in microseconds. */
  readonly us: number;
}

/** When a client came and had its answer, in microseconds since the recording began. */
export interface Visit {
  /** The client's address, as the server sees it. */
  readonly peer: string;
  readonly fromUs: number;
  readonly toUs: number;
  /**
   * Whether its own clock is not known, and only its server has told: then it may have come earlier,
   * by two ticks of the kernel's clock, or by more where the kernel was not asked.
   *
   * @default {false}
   */
  readonly isByServer?: boolean;
}

/** A client's time. */
export interface Life {
  /** Its parts without gaps, in order. */
  readonly stretches: readonly Stretch[];
  /** How long it waited for another client, in microseconds. */
  readonly waitedUs: number;
  /**
   * That client, by its place among the visits: it had the thread that this one waited for.
   * `undefined` if this one hardly waited, or waited for something else, as a thread that starts.
   */
  readonly waitedFor: number | undefined;
}

/**
 * The clients: as they have seen themselves, where the recording has that. Of all others from when the
 * kernel had their connection at the latest, or the server took it, until the conversation was over.
 *
 * @param events a recording, in the order of time
 * @returns the clients in the order in which they came
 */
export function visitsOf(events: readonly Event[]): readonly Visit[] {
  const clients = events.filter((event) => event.type === "client");
  const waiting = new Map<string, number>();
  const visits = new Map<number, Visit>();
  const lastUs = events.at(-1)?.at ?? 0;
  for (const event of events) {
    if (event.type === "socket" && event.waiting === true) {
      const { at, remote, connected = at } = event;
      waiting.set(remote, Math.min(waiting.get(remote) ?? at, connected));
    } else if (event.type === "begun") {
      const { connection, peer, at, connected = at } = event;
      // The same address may have been another client's before.
      const own = clients.findIndex((client) => client.peer === peer && at <= client.to);
      const fromUs = Math.min(waiting.get(peer) ?? at, connected);
      visits.set(
        connection,
        own < 0
          ? { peer, fromUs, toUs: lastUs, isByServer: true }
          : visitOf(clients.splice(own, 1)[0] as ClientEvent),
      );
      waiting.delete(peer);
    } else if (event.type === "over") {
      const visit = visits.get(event.connection);
      if (visit?.isByServer === true) visits.set(event.connection, { ...visit, toUs: event.at });
    }
  }
  return [...visits.values(), ...clients.map(visitOf)]
    .sort((one, other) => one.fromUs - other.fromUs);
}

function visitOf({ peer, at, to }: ClientEvent): Visit {
  return { peer, fromUs: at, toUs: to };
}

/** An interval. */
export type Interval = readonly [fromUs: number, toUs: number];

/** Which of two things that are true at the same time is shown. */
const ORDER: readonly Doing[] = ["computing", "queue", "accept", "thread"];

/** What a client does that waits. */
const WAITS: readonly Doing[] = ["queue", "accept", "thread"];

/** Whoever has waited for less is not said to have waited for somebody, in microseconds. */
export const LEAST_US = 1_000;

/**
 * Tells what became of the time of several clients.
 *
 * Clocks of two processes may differ by a little. So a part ends where the client's visit does.
 *
 * @param events a server's recording
 * @param visits the clients
 * @returns the life of each client, in the same order
 */
export function livesOf(events: readonly Event[], visits: readonly Visit[]): readonly Life[] {
  const conversations = visits.map((visit) => conversationOf(events, visit));
  return visits.map((visit, index) => lifeAmong(visit, index, conversations));
}

/**
 * Tells what became of the time of one of several clients.
 *
 * @param visit its visit @param place its place @param conversations all of them
 */
export function lifeAmong(
  visit: Pick<Visit, "fromUs" | "toUs">,
  place: number,
  conversations: readonly Conversation[],
): Life {
  const own = conversations[place] as Conversation;
  const isOnSameThread = (other: Conversation) => other !== own && other.thread === own.thread;
  const onSameThread = conversations.filter(isOnSameThread);
  const known: Readonly<Record<Doing, readonly Interval[]>> = {
    accept: [[visit.fromUs, own.begunUs]],
    queue: [[own.begunUs, own.servedUs]],
    thread: [
      ...onSameThread.flatMap(({ busy }) => busy),
      ...own.awaiting.map(({ until }) => until),
    ],
    computing: own.computing.map(({ during }) => during),
    talk: [],
  };
  const held = conversations.map((other): readonly Interval[] => {
    if (other === own) return [];
    const kept = isOnSameThread(other) ? other.holds : [];
    const computing = own.awaiting.flatMap(({ until, thread }) =>
      common(
        until,
        other.computing.filter((its) => thread === undefined || its.thread === thread)
          .map(({ during }) => during),
      )
    );
    return [...kept, ...computing];
  });
  const sums = held.map(() => 0);
  const stretches = divide(visit, known).map((stretch): Stretch => {
    const { doing, fromUs, toUs } = stretch;
    if (!WAITS.includes(doing)) return stretch;
    const shares = held.map((intervals) => covered(common([fromUs, toUs], intervals)));
    for (const [other, us] of shares.entries()) sums[other] = sums[other] as number + us;
    const waitedFor = shares.map((us, place) => ({ place, us })).filter(({ us }) => us >= LEAST_US);
    return { ...stretch, waitedFor: waitedFor.sort((one, other) => other.us - one.us) };
  });
  const most = Math.max(...sums);
  const isKnown = most >= LEAST_US;
  return {
    stretches,
    waitedUs: isKnown ? most : 0,
    waitedFor: isKnown ? sums.indexOf(most) : undefined,
  };
}

/** For how long a client waited, for whomever or whatever, in microseconds. @param life its time */
export function waitingUs({ stretches }: Life): number {
  return stretches.reduce(
    (sum, { doing, fromUs, toUs }) => sum + (WAITS.includes(doing) ? toUs - fromUs : 0),
    0,
  );
}

/** When somebody computed for a client, and in which thread. */
export interface Computing {
  readonly during: Interval;
  readonly thread: number | undefined;
}

/**
 * When a client waited until somebody began to compute for it, and whose thread that was; `undefined`
 * if nobody has begun.
 */
export interface Awaiting {
  readonly until: Interval;
  readonly thread: number | undefined;
}

/**
 * For which threads a client has waited. What comes after a computation is no wait for its thread: the
 * loop is to hear of the result.
 *
 * @param waits when it waited for a thread that computes, up to the result
 * @param computing when somebody computed for it
 */
export function awaitingOf(
  waits: readonly Interval[],
  computing: readonly Computing[],
): readonly Awaiting[] {
  return waits.map(([from, to]) => {
    const its = computing.find(({ during: [a, b] }) => a < to && from < b);
    const begunUs = Math.max(from, its?.during[0] ?? to);
    return { until: [from, begunUs], thread: its?.thread };
  });
}

/** What the server has recorded of a client. */
export interface Conversation {
  readonly begunUs: number;
  readonly servedUs: number;
  readonly thread: number | undefined;
  readonly computing: readonly Computing[];
  readonly awaiting: readonly Awaiting[];
  /** When its loop was busy with it. */
  readonly busy: readonly Interval[];
  /** When nobody else could have its thread. */
  readonly holds: readonly Interval[];
}

function conversationOf(events: readonly Event[], visit: Visit): Conversation {
  const begun = events.find((event) => event.type === "begun" && event.peer === visit.peer);
  const connection = begun?.type === "begun" ? begun.connection : undefined;
  const own = events.filter((event) => "connection" in event && event.connection === connection);
  const served = own.find((event) => event.type === "served");
  const over = own.find((event) => event.type === "over");
  const thread = served?.type === "served" ? served.thread : undefined;
  const spans = own.filter((event): event is SpanEvent => event.type === "span");
  const intervals = (name: SpanEvent["name"]) =>
    spans.filter((span) => span.name === name).map(({ at, to }): Interval => [at, to]);
  const isLoop = events.some((event) =>
    event.type === "thread" && event.thread === thread && event.loop === true
  );
  const begunUs = begun?.at ?? visit.toUs;
  const servedUs = served?.at ?? begunUs;
  const busy = isLoop ? intervals("turn") : [];
  const computing = spans.filter(({ name }) => name === "computing")
    .map(({ at, to, thread }): Computing => ({ during: [at, to], thread }));
  return {
    begunUs,
    servedUs,
    thread,
    computing,
    awaiting: awaitingOf(intervals("waiting for computing"), computing),
    busy,
    // A thread that is no loop has one client from beginning to end.
    holds: isLoop ? busy : [[servedUs, over?.at ?? visit.toUs]],
  };
}

/** Divides a visit into stretches, each the first thing of {@linkcode ORDER} that is true. */
function divide(
  { fromUs, toUs }: Pick<Visit, "fromUs" | "toUs">,
  known: Readonly<Record<Doing, readonly Interval[]>>,
): readonly Stretch[] {
  const ends = Object.values(known).flat(2).filter((us) => us > fromUs && us < toUs);
  const cuts = [...new Set([fromUs, ...ends, toUs])].sort((a, b) => a - b);
  const stretches: Stretch[] = [];
  for (let index = 1; index < cuts.length; index++) {
    const [from, to] = [cuts[index - 1] as number, cuts[index] as number];
    const middle = (from + to) / 2;
    const doing = ORDER.find((name) => known[name].some(([a, b]) => a <= middle && middle < b)) ??
      "talk";
    const last = stretches.at(-1);
    if (last?.doing === doing) stretches[stretches.length - 1] = { ...last, toUs: to };
    else stretches.push({ doing, waitedFor: [], fromUs: from, toUs: to });
  }
  return stretches;
}

/** The parts that an interval has in common with others. */
function common([from, to]: Interval, others: readonly Interval[]): readonly Interval[] {
  return others
    .map(([a, b]): Interval => [Math.max(a, from), Math.min(b, to)])
    .filter(([a, b]) => a < b);
}

/** How long the time is that intervals cover; they may overlap. */
function covered(intervals: readonly Interval[]): number {
  let [sum, until] = [0, -Infinity];
  for (const [from, to] of intervals.toSorted(([a], [b]) => a - b)) {
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum;
}
