/**
 * The track of a Worker: loaded only if a trace is written, for a Worker starts faster without.
 *
 * @module
 */

import type { TrackShare } from "./timeline_track.ts";
import type { WatchingTrack } from "./timeline_watch.ts";

/**
 * Opens the track of this thread.
 *
 * @param share from the main thread; `undefined` if no trace is written
 */
export async function openTrack(share: TrackShare | undefined): Promise<WatchingTrack | undefined> {
  if (share === undefined) return undefined;
  const { WatchingTrack } = await import("./timeline_watch.ts");
  return new WatchingTrack(share);
}
