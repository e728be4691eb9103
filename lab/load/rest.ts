/**
 * Waits until this process has come to rest.
 *
 * Runtimes compile in threads of their own, and go on with it when the code has run. Such a thread
 * takes a processor from a server that is to answer its first requests, and that would look like
 * the server's time.
 *
 * @module
 */

import process from "node:process";
// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";

/** How long to look at a time, in milliseconds, and how much of it a process at rest may run. */
const LOOK_MS = 10;
const REST_SHARE = 0.05;

/** How often to look. A process that goes on running for so long is not waited for. */
const LOOKS = 30;

/**
 * Waits until all threads of this process together hardly run, or for 300 ms.
 *
 * @param isStopped whether nobody waits for it any more
 */
export async function comeToRest(isStopped: () => boolean): Promise<void> {
  let before = ranMs();
  for (let look = 0; look < LOOKS && !isStopped(); look++) {
    const lookedAt = performance.now();
    await delay(LOOK_MS);
    const now = ranMs();
    if (now - before < REST_SHARE * (performance.now() - lookedAt)) return;
    before = now;
  }
}

/** How long the threads of this process have run, in milliseconds. */
function ranMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
