/**
 * For whom a connection has waited, where, and for how long: what its life tells, in words.
 *
 * @module
 */

import { formatTime } from "../values/units.ts";
import type { Happening } from "./happenings.ts";
import {
  awaitingOf,
  type Computing,
  type Conversation,
  type Interval,
  LEAST_US,
  lifeAmong,
  type Share,
  type Stretch,
} from "./life.ts";
import type { Thread } from "./thread.ts";
import type { Track } from "./track.ts";

/** How many of those for whom it has waited are named. */
const MOST_NAMED = 3;

/** From this share of a wait on, all of it was for one. */
const NEARLY_ALL = 0.9;

/**
 * Tells the waits of a connection that are over, each when it was.
 *
 * @param track the connection @param tracks all of them
 * @param threads the threads by their numbers
 * @param nowUs the last moment that is known
 */
export function waitsOf(
  track: Track,
  tracks: readonly Track[],
  threads: ReadonlyMap<number, Thread>,
  nowUs: number,
): readonly Happening[] {
  const { connection, fromUs, servedUs, overUs } = track;
  // For whom somebody waits who is not served yet, nobody can say afterwards.
  if (connection === undefined || servedUs === Infinity) return [];
  const visit = { fromUs, toUs: Math.min(overUs, nowUs) };
  const others = tracks.filter((other) =>
    other !== track && other.servedUs < visit.toUs && other.overUs > fromUs
  );
  const thread = threads.get(track.server ?? 0);
  const busy = thread?.isLoop === true ? busyOf(thread, visit) : undefined;
  const all = [track, ...others];
  const conversations = all.map((other) => conversationOf(other, busy, nowUs));
  const { stretches } = lifeAmong(visit, 0, conversations);
  const isOver = ({ toUs }: Stretch) => toUs < visit.toUs || overUs <= nowUs;
  return stretches.filter(isOver).flatMap((stretch) => {
    const where = placeOf(stretch, conversations[0] as Conversation);
    const { doing, fromUs, toUs, waitedFor } = stretch;
    // Others are served in turns all the time, and that is no wait for anybody.
    const isTold = toUs - fromUs >= LEAST_US && (doing !== "thread" || waitedFor.length > 0);
    if (where === undefined || !isTold) return [];
    const whom = whomOf(waitedFor, toUs - fromUs, (place) => all[place]?.connection);
    const text = `#${connection} waited ${formatTime(toUs - fromUs)}${whom} ${where}`;
    return [{ us: toUs, text, connection }];
  });
}

/** Where it waited; `undefined` if it did not. */
function placeOf({ doing, fromUs, toUs }: Stretch, { awaiting }: Conversation): string | undefined {
  switch (doing) {
    case "accept":
      return "in the accept queue";
    case "queue":
      return "in the hand-over queue";
    case "thread":
      return awaiting.some(({ until: [from, to] }) => from < toUs && fromUs < to)
        ? "until a thread could compute for it"
        : "until its loop was free";
    default:
      return undefined;
  }
}

function whomOf(
  shares: readonly Share[],
  us: number,
  numberOf: (place: number) => number | undefined,
): string {
  const [first] = shares;
  if (first === undefined) return "";
  if (first.us >= us * NEARLY_ALL) return ` for #${numberOf(first.place)}`;
  const named = shares.slice(0, MOST_NAMED).map(({ place, us }, index) =>
    `${formatTime(us)}${index === 0 ? " of it" : ""} for #${numberOf(place)}`
  );
  return `, ${named.join(", ")}${shares.length > named.length ? " and more for others" : ""},`;
}

/** When a loop was busy, by the connection with which it was. */
function busyOf(
  { turns, computing, open }: Thread,
  { fromUs, toUs }: { readonly fromUs: number; readonly toUs: number },
): ReadonlyMap<number, Interval[]> {
  const busy = new Map<number, Interval[]>();
  const now = open === undefined ? [] : [{ ...open, to: Math.min(open.to, toUs) }];
  for (const { connection, at, to } of [...turns.all, ...computing.all, ...now]) {
    if (connection === undefined || to <= fromUs || toUs <= at) continue;
    const known = busy.get(connection);
    if (known === undefined) busy.set(connection, [[at, to]]);
    else known.push([at, to]);
  }
  return busy;
}

function conversationOf(
  { connection = 0, takenUs, servedUs, overUs, server, computing, awaiting }: Track,
  busy: ReadonlyMap<number, Interval[]> | undefined,
  nowUs: number,
): Conversation {
  const computed = (computing?.all ?? [])
    .map(({ at, to, thread }): Computing => ({ during: [at, to], thread }));
  const waits = (awaiting?.all ?? []).map(({ at, to }): Interval => [at, to]);
  const own = busy?.get(connection) ?? [];
  return {
    begunUs: takenUs,
    servedUs,
    thread: server,
    computing: computed,
    awaiting: awaitingOf(waits, computed),
    busy: own,
    holds: busy === undefined ? [[servedUs, Math.min(overUs, nowUs)]] : own,
  };
}
