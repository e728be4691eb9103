/**
 * How much memory more processes can have here: what the machine has left (proc_meminfo(5)), and what
 * the control groups of this process have left (cgroups(7), `memory`). Whoever takes more is killed,
 * and perhaps somebody else in his place.
 *
 * Everything that could be freed counts as left, and so does swap space. So it is the most that there
 * can be. What this process may not read is not known, and does not count.
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

/** A limit of memory, and how much of it is left. */
interface MemoryLimit {
  /** The limit in words. */
  readonly what: string;
  /** In bytes. */
  readonly left: number;
}

/** How much memory more is left here for this process and those that it starts, in bytes. */
export function memoryLeft(): number {
  return leastLeft().left;
}

/**
 * How many more processes there is memory for.
 *
 * @param on the runtime that runs them
 * @returns at least 0; `Infinity` if nothing is known
 */
export function processesInMemory(on: RuntimeName): number {
  return Math.max(0, Math.floor(leastLeft().left / LEAST[on]));
}

/**
 * Why there is too little memory for so many more processes.
 *
 * @param processes how many
 * @param on the runtime that runs them
 * @returns what is needed and what is left; `undefined` if there is enough, as far as is known
 */
export function whyTooLittleMemory(processes: number, on: RuntimeName): string | undefined {
  const needed = processes * LEAST[on];
  const { what, left } = leastLeft();
  if (needed <= left) return undefined;
  return `${processes === 1 ? "it takes" : "they take"} at least ${
    inMiB(needed)
  } of memory, and ${what} has ${inMiB(left)} left`;
}

const inMiB = (bytes: number) => `${Math.floor(bytes / MIB)} MiB`;

/** The limit that is reached first. */
function leastLeft(): MemoryLimit {
  const info = readSystemFile("/proc/meminfo") ?? "";
  const [available, swap = 0] = [figureIn(info, "MemAvailable"), figureIn(info, "SwapFree")];
  let least: MemoryLimit = { what: "the machine", left: (available ?? Infinity) + swap };
  for (const group of controlGroups("memory")) {
    const left = leftIn(group) + swap;
    if (left < least.left) least = { what: `the control group ${group.folder}`, left };
  }
  return least;
}

/** How much a control group has left, in bytes; `Infinity` if it has no limit, or none is known. */
export function leftIn({ folder, isUnified }: ControlGroup): number {
  const read = (name: string) => readSystemFile(`${folder}/${name}`);
  const [most, used, ...freed] = isUnified
    ? ["memory.max", "memory.current", "inactive_file", "active_file", "slab_reclaimable"] as const
    : [
      "memory.limit_in_bytes",
      "memory.usage_in_bytes",
      "total_inactive_file",
      "total_active_file",
    ] as const;
  const [limit, taken] = [Number(read(most)), Number(read(used))];
  // Without a limit the new hierarchy says `max`, and the old one the largest number.
  if (Number.isNaN(limit) || Number.isNaN(taken)) return Infinity;
  // Pages of files, and what the kernel remembers of them, are given up before anybody is killed.
  const figures = read("memory.stat") ?? "";
  const free = freed.map((name) => {
    return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(figures)?.[1] ?? 0);
  });
  return Math.max(0, limit - taken + free.reduce((sum, bytes) => sum + bytes, 0));
}

/** A figure of `/proc/meminfo`, in bytes. */
function figureIn(info: string, name: string): number | undefined {
  const [, kibibytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(info) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
