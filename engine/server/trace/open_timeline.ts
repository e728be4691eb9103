/**
 * Opens the timeline of a server. Servers that write none start without its modules.
 *
 * @module
 */

import type { Timeline, TimelineFiles, TimelineOptions } from "./timeline.ts";

/**
 * Opens a timeline, if anybody wants one. See `Timeline.open`.
 *
 * @param files the files to write, and who reads along
 * @param options describes the server
 * @returns `undefined` if there is none of these
 * @throws {Error} if a file cannot be written
 */
export async function openTimeline(
  files: TimelineFiles,
  options: TimelineOptions,
): Promise<Timeline | undefined> {
  const { trace, record, live } = files;
  if (trace === undefined && record === undefined && live === undefined) return undefined;
  const { Timeline } = await import("./timeline.ts");
  return await Timeline.open(files, options);
}
