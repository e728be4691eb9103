/**
 * How much memory more processes can have here: what the machine has left (proc_meminfo(5)), and what
 * the control groups of this process have left (cgroups(7), `memory`). Whoever takes more is killed,
 * and perhaps somebody else in his place.
 *
 * Everything that could be freed counts as left, and so does swap space, as far as the groups may use
 * it. So it is the most that there can be. What this process may not read is not known, and does not
 * count.
 *
 * @module
 */

import { readSystemFile } from "../net/system_file.ts";
import { type ControlGroup, controlGroups } from "./control_groups.ts";
import type { RuntimeName } from "./runtimes.ts";

const MIB = 2 ** 20;

/**
 * What a process of each runtime takes at least that serves connections, in bytes. Everything that it
 * shares with the others is left out.
 */
const LEAST: Readonly<Record<RuntimeName, number>> = { deno: 14 * MIB, bun: 6 * MIB };

/**
 * What such a process takes while it starts and serves, in bytes. Where a control group had 20 MiB left
 * with Deno, or 8 MiB with Bun, the kernel has killed a process when another one started, and none
 * where it had 22 or 9.
 */
const SERVING: Readonly<Record<RuntimeName, number>> = { deno: 20 * MIB, bun: 8 * MIB };

/** What is kept for the parent of such processes, in bytes: it serves on while they start. */
const FOR_PARENT = 4 * MIB;

/** A limit of memory, and how much of it is left. */
interface MemoryLimit {
  /** The limit in words. */
  readonly what: string;
  /** In bytes. */
  readonly left: number;
}

/**
 * How much memory this process and those that it starts may have together, in bytes.
 *
 * @returns `Infinity` if nothing is known
 */
export function mostMemory(): number {
  const machine = figureIn(readSystemFile("/proc/meminfo") ?? "", "MemTotal") ?? Infinity;
  const limits = controlGroups("memory").map(({ folder, isUnified }) => {
    return limitIn(folder, isUnified ? "memory.max" : "memory.limit_in_bytes");
  });
  return Math.min(machine, ...limits);
}

/** How much memory more is left here for this process and those that it starts, in bytes. */
export function memoryLeft(): number {
  return leastLeft().left;
}

/**
 * How many more processes can start and serve while their parent serves on.
 *
 * @param on the runtime that runs them
 * @returns at least 0; `Infinity` if nothing is known
 */
export function processesInMemory(on: RuntimeName): number {
  return Math.max(0, Math.floor((leastLeft().left - FOR_PARENT) / SERVING[on]));
}

/**
 * Why there is certainly too little memory for so many more processes.
 *
 * @param processes how many
 * @param on the runtime that runs them
 * @returns what is needed and what is left; `undefined` if there may be enough, as far as is known
 */
export function whyTooLittleMemory(processes: number, on: RuntimeName): string | undefined {
  return whyLess(processes * LEAST[on], `${takes(processes)} at least`);
}

/**
 * Why so many more processes should not be started now: for want of memory the kernel would kill one
 * of them, or another process.
 *
 * @param processes how many
 * @param on the runtime that runs them
 * @returns what is needed and what is left; `undefined` if there is enough, as far as is known
 */
export function whyNoMemoryNow(processes: number, on: RuntimeName): string | undefined {
  return whyLess(processes * SERVING[on] + FOR_PARENT, `${takes(processes)} with a reserve`);
}

const takes = (processes: number) => processes === 1 ? "it takes" : "they take";

/** Says it, if less than that is left. */
function whyLess(needed: number, clause: string): string | undefined {
  const { what, left } = leastLeft();
  if (needed <= left) return undefined;
  return `${clause} ${inMiB(needed)} of memory, and ${what} has ${inMiB(left)} left`;
}

const inMiB = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;

/** The limit that is reached first. */
function leastLeft(): MemoryLimit {
  const info = readSystemFile("/proc/meminfo") ?? "";
  const available = figureIn(info, "MemAvailable") ?? Infinity;
  const groups = controlGroups("memory");
  const swap = Math.min(figureIn(info, "SwapFree") ?? 0, ...groups.map(swapLeftIn));
  let least: MemoryLimit = { what: "the machine", left: available + swap };
  for (const group of groups) {
    const left = leftIn(group, swap);
    if (left < least.left) least = { what: `the control group ${group.folder}`, left };
  }
  return least;
}

/**
 * How much a control group has left, in bytes.
 *
 * @param group the group
 * @param swap how much of the machine's swap space it may still use, in bytes
 * @returns `Infinity` if it has no limit, or none is known
 */
export function leftIn(group: ControlGroup, swap: number): number {
  // Pages of files, and what the kernel remembers of them, are given up before anybody is killed.
  const figures = readSystemFile(`${group.folder}/memory.stat`) ?? "";
  const names = group.isUnified
    ? ["inactive_file", "active_file", "slab_reclaimable"]
    : ["total_inactive_file", "total_active_file"];
  const free = names.map((name) => {
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(figures)?.[1] ?? 0);
  }).reduce((sum, bytes) => sum + bytes, 0);
  const left = group.isUnified ? below(group, "memory.max", "memory.current") + swap : Math.min(
    below(group, "memory.limit_in_bytes", "memory.usage_in_bytes") + swap,
    // The old hierarchy bounds memory and swap space together.
    below(group, "memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes"),
  );
  return Math.max(0, left + free);
}

/** How much swap space a control group of the new hierarchy may still use, in bytes. */
export function swapLeftIn(group: ControlGroup): number {
  if (!group.isUnified) return Infinity;
  return Math.max(0, below(group, "memory.swap.max", "memory.swap.current"));
}

/**
 * How far a control group is below one of its limits, in bytes.
 *
 * @param group the group
 * @param most the file of the limit
 * @param used the file that says how much is used
 * @returns `Infinity` if it has no such limit, or none is known
 */
function below({ folder }: ControlGroup, most: string, used: string): number {
  const left = limitIn(folder, most) - Number(readSystemFile(`${folder}/${used}`));
  return Number.isNaN(left) ? Infinity : left;
}

/** A limit of a control group, in bytes; `Infinity` if it has none, or if it is not known. */
function limitIn(folder: string, file: string): number {
  const limit = Number(readSystemFile(`${folder}/${file}`));
  // Without a limit the new hierarchy says `max`, and the old one the largest number.
  return Number.isNaN(limit) ? Infinity : limit;
}

/** A figure of `/proc/meminfo`, in bytes. */
function figureIn(info: string, name: string): number | undefined {
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(info) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
