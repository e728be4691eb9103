/**
 * Another time of day for a process of its own.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync } from "node:fs";
import process from "node:process";
import { assert } from "./harness.ts";

/**
 * What `faketime` sets, so that the tests can set the clock of a process, also while it runs.
 *
 * @param file what the clock shows: a line like `+2h`
 */
export function fakeClock(file: string): Record<string, string> {
  removeRemains();
  const { stdout } = spawnSync("faketime", ["-f", "+0", "env"], { encoding: "utf8" });
  const preload = /^LD_PRELOAD=(.*)$/m.exec(stdout)?.[1];
  assert(preload !== undefined, stdout);
  return {
    ...process.env as Record<string, string>,
    // Threads need the other one of its two libraries.
    LD_PRELOAD: preload.replace("libfaketime.so", "libfaketimeMT.so"),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
  };
}

/** Where shared memory and semaphores of POSIX have their names: shm_overview(7). */
const SHARED = "/dev/shm";

/**
 * Removes what processes have left there that were killed. `faketime` names its memory after its
 * process, and refuses to run in a later process with the same number.
 */
function removeRemains(): void {
  if (!existsSync(SHARED)) return;
  for (const name of readdirSync(SHARED)) {
    const [, pid] = /^(?:sem\.faketime_sem|faketime_shm)_(\d+)$/.exec(name) ?? [];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    // Another test may remove it at the same time.
    rmSync(`${SHARED}/${name}`, { force: true });
  }
}
