/**
 * How many more processes and threads the system allows here. Linux counts the two together, as tasks:
 * those of a user (getrlimit(2), `RLIMIT_NPROC`), and those in a control group (cgroups(7), `pids`).
 *
 * What this process may not read is not known, and does not count.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { runtime } from "../net/runtime.ts";
import { readSystemFile } from "../net/system_file.ts";
import { type ControlGroup, controlGroups } from "./control_groups.ts";
import type { RuntimeName } from "./runtimes.ts";

/** How many threads a process of each runtime has while it starts, as seen on one or two processors. */
const THREADS: Readonly<Record<RuntimeName, number>> = { deno: 7, bun: 8 };

/** CAP_SYS_ADMIN and CAP_SYS_RESOURCE: whoever has one of them is not bound to the user's limit. */
const UNBOUND = 1n << 21n | 1n << 24n;

/** The user 0 of the system, and not of a namespace of users, is not bound either. */
const ROOT_OF_ALL = /^\s*0\s+0\s+4294967295\s*$/;

/** A limit, and how much of it is used. */
interface TaskLimit {
  /** The limit in words. */
  readonly what: string;
  readonly most: number;
  readonly used: number;
}

/**
 * Why the system does not allow so many more processes.
 *
 * @param processes how many
 * @param on the runtime that runs them
 * @returns what its limit is and what is needed; `undefined` if it allows them, as far as is known
 */
export function whyTooManyProcesses(processes: number, on: RuntimeName): string | undefined {
  const more = processes * THREADS[on];
  const limit = taskLimits().find(({ most, used }) => used + more > most);
  if (limit === undefined) return undefined;
  const { what, most, used } = limit;
  return `${what} is ${most}, and at least ${used + more} are needed`;
}

/** All limits that bind this process, in words. */
export function describeTaskLimits(): string {
  return taskLimits().map(({ what, most, used }) => `${what} is ${most}, and ${used} are in use`)
    .join("; ");
}

function taskLimits(): TaskLimit[] {
  return [limitOfUser(), ...controlGroups("pids").map(limitOfGroup)]
    .filter((limit) => limit !== undefined);
}

function limitOfUser(): TaskLimit | undefined {
  const [, soft] = /^Max processes\s+(\d+) /m.exec(readSystemFile("/proc/self/limits") ?? "") ?? [];
  const status = readSystemFile("/proc/self/status") ?? "";
  const [, capabilities = "0"] = /^CapEff:\s+([0-9a-f]+)$/m.exec(status) ?? [];
  if (soft === undefined || (BigInt(`0x${capabilities}`) & UNBOUND) !== 0n) return undefined;
  const user = userIn(status);
  const isRoot = user === "0" && ROOT_OF_ALL.test(readSystemFile("/proc/self/uid_map") ?? "");
  if (isRoot) return undefined;
  const what = "the limit of processes and threads (ulimit -u)";
  return { what, most: Number(soft), used: tasksOf(user) };
}

/** The user of a process, and how many threads that has: from `/proc/PID/status`. */
const userIn = (status: string) => /^Uid:\s+(\d+)/m.exec(status)?.[1];
const threadsIn = (status: string) => Number(/^Threads:\s+(\d+)$/m.exec(status)?.[1] ?? 0);

/** How many tasks a user has. */
function tasksOf(user: string | undefined): number {
  const folder = runtime.openSystemFile("/proc");
  if (folder === undefined) return 0;
  folder.close();
  let tasks = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const status = readSystemFile(`/proc/${name}/status`) ?? "";
    if (userIn(status) === user) tasks += threadsIn(status);
  }
  return tasks;
}

function limitOfGroup({ folder }: ControlGroup): TaskLimit | undefined {
  const most = Number(readSystemFile(`${folder}/pids.max`));
  const used = Number(readSystemFile(`${folder}/pids.current`));
  // Without a limit it says `max`.
  if (Number.isNaN(most) || Number.isNaN(used)) return undefined;
  return { what: `the limit of tasks of a control group (${folder}/pids.max)`, most, used };
}
