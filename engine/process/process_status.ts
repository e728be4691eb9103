/**
 * What proc(5) says of processes, above all of a server that is measured. Linux only; elsewhere,
 * and of a process that is gone or somebody else's, there is nothing to know.
 *
 * @module
 */

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Clock ticks in a second, as proc(5) counts CPU time: the same on every Linux. */
const TICKS = 100;

/** The first signal, in a set of signals. */
const SIGHUP_BIT = 1n;

/** The state of a socket that listens, in `/proc/net/tcp`. */
const LISTENING = "0A";

/**
 * A process, with all that it has started: servers divide their work among processes too, or fork
 * one for each connection. Memory that these share is counted for each of them.
 */
export class ProcessStatus {
  readonly pid: number;

  /** @param pid its number */
  constructor(pid: number) {
    this.pid = pid;
  }

  /** Whether anything is known of it. */
  get isKnown(): boolean {
    return read(`/proc/${this.pid}/stat`) !== "";
  }

  /** The CPU time of all threads so far, in seconds; of processes that have ended too. */
  get cpuSeconds(): number {
    return this.#sum((pid) => {
      const { own, waitedFor } = cpuSecondsIn(read(`/proc/${pid}/stat`));
      return own + waitedFor;
    });
  }

  /** The resident memory, in bytes. */
  get memory(): number {
    return this.#sumOf("VmRSS") * 1024;
  }

  /** The most resident memory that there has been, in bytes. */
  get peakMemory(): number {
    return this.#sumOf("VmHWM") * 1024;
  }

  /** How many threads there are. */
  get threads(): number {
    return this.#sumOf("Threads");
  }

  /** Of each thread, by number: CPU seconds and context switches so far. */
  eachThread(): Map<string, ThreadStatus> {
    const found = new Map<string, ThreadStatus>();
    for (const pid of this.#family()) {
      for (const name of list(`/proc/${pid}/task`)) {
        const status = read(`/proc/${pid}/task/${name}/status`);
        found.set(name, {
          cpuSeconds: cpuSecondsIn(read(`/proc/${pid}/task/${name}/stat`)).own,
          voluntarySwitches: fieldIn(status, "voluntary_ctxt_switches"),
          involuntarySwitches: fieldIn(status, "nonvoluntary_ctxt_switches"),
        });
      }
    }
    return found;
  }

  #sumOf(field: string): number {
    return this.#sum((pid) => fieldIn(read(`/proc/${pid}/status`), field));
  }

  #sum(figure: (pid: number) => number): number {
    return this.#family().reduce((sum, pid) => sum + figure(pid), 0);
  }

  /** The process, and all that it or one of these has started. */
  #family(): number[] {
    const family = [this.pid];
    // It grows while it is walked along.
    for (const pid of family) {
      for (const thread of list(`/proc/${pid}/task`)) {
        const children = read(`/proc/${pid}/task/${thread}/children`).split(" ");
        family.push(...children.filter((child) => child !== "").map(Number));
      }
    }
    return family;
  }
}

/** What is known of a thread. */
export interface ThreadStatus {
  readonly cpuSeconds: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/** Whether this process ignores hang-ups, as nohup(1) has it; `undefined` where nobody can tell. */
export function ignoresHangUps(): boolean | undefined {
  const [, ignored] = /^SigIgn:\s+([0-9a-f]+)$/m.exec(read("/proc/self/status")) ?? [];
  return ignored === undefined ? undefined : (BigInt(`0x${ignored}`) & SIGHUP_BIT) !== 0n;
}

/**
 * Finds the process that listens on a port of this machine.
 *
 * @param port the port
 * @returns its number; `undefined` where that cannot be seen
 */
export function findListener(port: number): number | undefined {
  const sockets = new Set(["tcp", "tcp6"].flatMap((table) => listenersIn(table, port)));
  if (sockets.size === 0) return undefined;
  for (const pid of list("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of list(`/proc/${pid}/fd`)) {
      if (sockets.has(link(`/proc/${pid}/fd/${fd}`))) return Number(pid);
    }
  }
  return undefined;
}

/** The sockets that listen on a port, as the links of a process name them. */
function listenersIn(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return read(`/proc/net/${table}`).split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTENING && local?.endsWith(suffix))
    .map((fields) => `socket:[${fields[9]}]`);
}

/** CPU time: its own, and that of processes which it has started and which have ended. */
function cpuSecondsIn(stat: string): { readonly own: number; readonly waitedFor: number } {
  // The name of the command, in brackets, may hold anything.
  const fields = stat.split(") ").at(-1)?.split(" ") ?? [];
  const [user = 0, system = 0, theirUser = 0, theirSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: (user + system) / TICKS, waitedFor: (theirUser + theirSystem) / TICKS };
}

function fieldIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
}

/**
 * Reads a small file of the system.
 *
 * @param path the file
 * @returns its text; empty where there is none, or it may not be read
 */
export function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not on Linux, or gone.
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    // Not on Linux, gone, or somebody else's.
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed in the meantime.
    return "";
  }
}
