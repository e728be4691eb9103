/**
 * Adds up the profiles of a server's threads: what a flame graph shows, and the functions that took
 * the most time.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import type { FlameNode, Profile, ProfiledFunction } from "../load/results.ts";
import { type Frame, readThreadProfile, type SeenThread, type Window } from "./thread_profile.ts";

/** Nodes with less than this share of all the time are left out of the graph. */
const LEAST_SHARE = 0.001;

/** How many functions are listed. */
const LISTED = 20;

/** The longest stack that is drawn. */
const DEEPEST = 64;

/** What is known of the run in which the profiles were taken. */
export type ProfiledRun = Pick<Profile, "name" | "subject" | "load" | "duration_s" | "rate">;

/**
 * Reads the profiles of a folder.
 *
 * @param folder the folder
 * @param suffix how the names of profiles end
 * @param but names that are left out
 * @param window when the load ran
 * @returns what each thread has done, and the names of the files that are damaged
 */
export function readProfiles(
  folder: string,
  suffix: string,
  but: ReadonlySet<string>,
  window: Window,
): { readonly threads: readonly SeenThread[]; readonly broken: readonly string[] } {
  const names = readdirSync(folder).filter((name) => name.endsWith(suffix) && !but.has(name))
    .sort();
  const threads: SeenThread[] = [];
  const broken: string[] = [];
  for (const name of names) {
    const text = readFileSync(`${folder}/${name}`, "utf8");
    try {
      threads.push(readThreadProfile(text, window));
    } catch {
      broken.push(name);
    }
  }
  return { threads, broken };
}

/** A node while it grows. */
interface Growing {
  readonly frame: Frame;
  ms: number;
  readonly children: Map<string, Growing>;
}

/**
 * Adds up profiles.
 *
 * @param run the run in which they were taken
 * @param threads what is known of each thread
 */
export function profileOf(run: ProfiledRun, threads: readonly SeenThread[]): Profile {
  const root = grow({ name: "all threads", where: "" });
  const functions = new Map<string, { frame: Frame; self: number; total: number }>();
  for (const { stacks } of threads) {
    for (const { frames, ms } of stacks) {
      root.ms += ms;
      let node = root;
      for (const frame of frames.slice(0, DEEPEST)) {
        const key = keyOf(frame);
        const next = node.children.get(key) ?? grow(frame);
        node.children.set(key, next);
        next.ms += ms;
        node = next;
      }
      const last = frames.at(-1);
      const inside = new Map(frames.map((frame) => [keyOf(frame), frame]));
      for (const [key, frame] of inside) {
        const found = functions.get(key) ?? { frame, self: 0, total: 0 };
        functions.set(key, found);
        found.total += ms;
        if (last !== undefined && keyOf(last) === key) found.self += ms;
      }
    }
  }
  const ranMs = root.ms;
  const waitedMs = threads.reduce((sum, { waitedMs }) => sum + waitedMs, 0);
  return {
    ...run,
    threads: threads.length,
    ran_ms: rounded(ranMs),
    waited_ms: rounded(waitedMs),
    functions: [...functions.values()]
      .toSorted((a, b) => b.self - a.self)
      .slice(0, LISTED)
      .map(({ frame, self, total }): ProfiledFunction => ({
        ...frame,
        self_ms: rounded(self),
        total_ms: rounded(total),
      })),
    graph: finished(root, ranMs * LEAST_SHARE),
  };
}

function grow(frame: Frame): Growing {
  return { frame, ms: 0, children: new Map() };
}

function keyOf({ name, where }: Frame): string {
  return `${where}\n${name}`;
}

function finished({ frame, ms, children }: Growing, leastMs: number): FlameNode {
  const kept = [...children.values()].filter((child) => child.ms >= leastMs)
    .toSorted((a, b) => b.ms - a.ms);
  return { ...frame, ms: rounded(ms), children: kept.map((child) => finished(child, leastMs)) };
}

function rounded(ms: number): number {
  return Number(ms.toFixed(2));
}
