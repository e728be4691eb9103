/**
 * What happens to connections, in words.
 *
 * @module
 */

import type { Track } from "./track.ts";

/** Something that happens, in words. */
export interface Happening {
  readonly us: number;
  readonly text: string;
  /** The number of the connection that it happens to. */
  readonly connection: number | undefined;
}

/**
 * What happens to a connection, in no order.
 *
 * @param track the connection @param threadName names a thread by its number
 */
export function happeningsOf(
  track: Track,
  threadName: (number: number | undefined) => string,
): readonly Happening[] {
  const all: Happening[] = [];
  const { connection, peer, accepting, takenUs } = track;
  // Before it has a number, what is seen of the queue is all that is known.
  const queued = connection === undefined ? track.inQueue : track.queued;
  const name = connection === undefined ? peer : `#${connection}`;
  const tell = (us: number, text: string) => all.push({ us, text, connection });
  if (accepting !== undefined) tell(accepting.at, `${name} is in the accept queue`);
  const acceptedUs = Math.min(track.begunUs, connection === undefined ? takenUs : Infinity);
  if (acceptedUs < Infinity) tell(acceptedUs, `${name} is accepted`);
  if (queued !== undefined) tell(queued.at, `${name} waits in the hand-over queue`);
  if (track.servedUs < Infinity) {
    tell(track.servedUs, `${threadName(track.server)} begins to serve ${name}`);
  }
  for (const { at, to, task, thread } of track.computing?.all ?? []) {
    const what = task === undefined ? "" : ` ${task}`;
    tell(at, `${threadName(thread)} begins to compute${what} for ${name}`);
    tell(to, `${threadName(thread)} has computed${what} for ${name}`);
  }
  for (const { at, to } of track.awaiting?.all ?? []) {
    tell(at, `${name} waits while another thread computes`);
    tell(to, `${name} has the result`);
  }
  for (const { at, to } of track.writing?.all ?? []) {
    tell(at, `${name} waits for its peer to take what was sent`);
    tell(to, `the peer of ${name} has taken it`);
  }
  if (track.over !== undefined) {
    const { outcome, failure } = track.over;
    const why = failure === undefined ? "" : `, ${failure}`;
    const how = outcome === "unknown" ? ": how was left out" : `: ${outcome}${why}`;
    tell(track.overUs, `the conversation of ${name} is over${how}`);
  }
  const endUs = track.endUs(true);
  if (endUs < Infinity && track.endedWith !== undefined) {
    tell(endUs, `${name} has ended with ${track.endedWith}`);
  }
  return all;
}
