/**
 * Whether the threads of this process have themselves profiled, and how one that is to end is given
 * the time to write its profile: see `thread_profile.ts`. Every Worker loads this module, so it
 * imports next to nothing.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import {
  LIVE_THREAD,
  METRICS_THREAD,
  SOCKETS_THREAD,
  STATISTICS_THREAD,
  WATCH_THREAD,
} from "./thread_names.ts";
import type { ThreadProfile } from "./thread_profile.ts";

/** The variable that names the folder for the profiles. */
export const PROFILE_FOLDER = "HANDSHAKE_PROFILE";

/** The variable that says how long it is from one sample to the next, in microseconds. */
export const PROFILE_SAMPLE = "HANDSHAKE_PROFILE_SAMPLE";

/** The message to a thread that is to end, and its answer when its profile is written. */
export const PROFILE_END = "handshake profile end";

/** How long writing a profile may take, in milliseconds. */
const WRITE_MS = 5_000;

/** Threads that serve nobody are not profiled. */
const OTHERS: ReadonlySet<string | undefined> = new Set([
  LIVE_THREAD,
  METRICS_THREAD,
  SOCKETS_THREAD,
  STATISTICS_THREAD,
  WATCH_THREAD,
]);

/** Whether the threads of this process are profiled. */
export function isProfiled(): boolean {
  return runtime.variable(PROFILE_FOLDER) !== undefined;
}

/** Begins the profile of this thread, if one is wanted. */
export async function beginProfile(): Promise<ThreadProfile | undefined> {
  const folder = runtime.variable(PROFILE_FOLDER);
  if (folder === undefined || OTHERS.has(runtime.threadName)) return undefined;
  const { ThreadProfile } = await import("./thread_profile.ts");
  const sampleUs = Number(runtime.variable(PROFILE_SAMPLE)) || undefined;
  try {
    return await ThreadProfile.begin(folder, sampleUs);
  } catch (error) {
    runtime.printNow("stderr", `No profile: ${(error as Error).message}\n`);
    return undefined;
  }
}

/**
 * Terminates a Worker that is idle, when it has written its profile.
 *
 * @param worker the Worker; nobody listens to it any more
 */
export function terminateAfterProfile(worker: Worker): void {
  const late = setTimeout(() => worker.terminate(), WRITE_MS);
  const end = () => {
    clearTimeout(late);
    worker.terminate();
  };
  worker.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data === PROFILE_END) end();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    end();
  };
  worker.postMessage(PROFILE_END);
}
