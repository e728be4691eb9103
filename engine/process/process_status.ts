/**
 * What proc(5) says about processes, above all about a server under measurement. It works only on
 * Linux. Elsewhere nothing is known, and neither is it of a process that is gone or belongs to
 * another user.
 *
 * @module
 */

import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from "node:fs";
import type { Address } from "../../protocols/effects.ts";
import { isUnix, UNIX } from "../net/address.ts";

/** Clock ticks per second, the unit of CPU time in proc(5): the same on every Linux. */
const TICKS = 100;

/** The state of a listening socket in `/proc/net/tcp`. */
const LISTENING = "0A";

/** The flag of a listening socket in `/proc/net/unix` (`__SO_ACCEPTCON`). */
const ACCEPTS_CONNECTIONS = "00010000";

/**
 * A process, with all the processes that it has started: some servers divide their work among
 * processes, or fork one for each connection. Memory that they share is counted for each of them.
 */
export class ProcessStatus {
  readonly pid: number;

  /** @param pid its process ID */
  constructor(pid: number) {
    this.pid = pid;
  }

  /** Whether it runs, as far as is known. A process that nobody has waited for yet has ended. */
  get isAlive(): boolean {
    const line = read(`/proc/${this.pid}/stat`);
    // The state follows the command's name, which may contain anything.
    return line !== "" && !/^[ZXx]/.test(line.slice(line.lastIndexOf(")") + 2));
  }

  /** The CPU time of all threads so far, in seconds, including processes that have ended. */
  get cpuSeconds(): number {
    return this.#sum((pid) => {
      const { own, waitedFor } = cpuSecondsIn(read(`/proc/${pid}/stat`));
      return own + waitedFor;
    });
  }

  /** Its resident memory, in bytes. */
  get memory(): number {
    return this.#sumOf("VmRSS") * 1024;
  }

  /** The peak of its resident memory, in bytes. */
  get peakMemory(): number {
    return this.#sumOf("VmHWM") * 1024;
  }

  /** How many descriptors it has open. */
  get descriptors(): number {
    return this.#sum((pid) => list(`/proc/${pid}/fd`).length);
  }

  /** How many descriptors the process itself may have; `undefined` if that is not known. */
  get descriptorLimit(): number | undefined {
    const [, soft] = /^Max open files +(\d+)/m.exec(read(`/proc/${this.pid}/limits`)) ?? [];
    return soft === undefined ? undefined : Number(soft);
  }

  /** How many threads it has. */
  get threads(): number {
    return this.#sumOf("Threads");
  }

  /** Those of its processes that have started none: the workers of a server with processes. */
  get youngest(): readonly number[] {
    return this.#family().filter((pid) => familyOf(pid).length === 1);
  }

  /** The CPU seconds and context switches of each thread so far, by thread ID. */
  eachThread(): Map<string, ThreadStatus> {
    const found = new Map<string, ThreadStatus>();
    for (const pid of this.#family()) {
      for (const name of list(`/proc/${pid}/task`)) {
        const status = read(`/proc/${pid}/task/${name}/status`);
        // The thread has ended since it was listed. Counts of 0 would be less than it had before.
        if (status === "") continue;
        const [ran, waited] = schedulerSecondsIn(read(`/proc/${pid}/task/${name}/schedstat`));
        found.set(name, {
          // The scheduler counts nanoseconds, and the other file counts in hundredths of a second.
          cpuSeconds: ran ?? cpuSecondsIn(read(`/proc/${pid}/task/${name}/stat`)).own,
          waitingSeconds: waited ?? 0,
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

  #family(): number[] {
    return familyOf(this.pid);
  }
}

/** A process and all its descendants. */
function familyOf(pid: number): number[] {
  const family = [pid];
  // The list grows during the loop.
  for (const pid of family) {
    for (const thread of list(`/proc/${pid}/task`)) {
      const children = read(`/proc/${pid}/task/${thread}/children`).split(" ");
      family.push(...children.filter((child) => child !== "").map(Number));
    }
  }
  return family;
}

/** What is known about a thread. */
export interface ThreadStatus {
  readonly cpuSeconds: number;
  /** How long it could have run but had no processor; 0 if the kernel does not count that. */
  readonly waitingSeconds: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

/**
 * Finds the process that listens on a port of this machine, or on a Unix domain socket.
 *
 * @param address the port, or the socket as it was bound
 * @returns its process ID; `undefined` if it cannot be seen
 */
export function findListener({ hostname, port }: Address): number | undefined {
  const sockets = new Set(
    isUnix(hostname) ? unixListeners(hostname) : allListeners().filter((one) => one.port === port)
      .map(({ socket }) => socket),
  );
  if (sockets.size === 0) return undefined;
  for (const pid of list("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of list(`/proc/${pid}/fd`)) {
      if (sockets.has(link(`/proc/${pid}/fd/${fd}`))) return Number(pid);
    }
  }
  return undefined;
}

/**
 * Whether anybody listens on a port of this machine.
 *
 * @param port the port
 * @returns `undefined` if that cannot be seen
 */
export function isListening(port: number): boolean | undefined {
  const ipv4 = listenersIn("tcp");
  if (ipv4 === undefined) return undefined;
  const isIts = (one: { readonly port: number }) => one.port === port;
  return ipv4.some(isIts) || (listenersIn("tcp6")?.some(isIts) ?? false);
}

/**
 * Finds the TCP ports on which a process and its descendants listen.
 *
 * @param pid its process ID
 * @returns the ports; empty if they cannot be seen
 */
export function listeningPorts(pid: number): number[] {
  const all = allListeners();
  const open = new Set(
    familyOf(pid).flatMap((member) =>
      list(`/proc/${member}/fd`).map((fd) => link(`/proc/${member}/fd/${fd}`))
    ),
  );
  return all.filter(({ socket }) => open.has(socket)).map(({ port }) => port);
}

/** A socket that listens, named as in the links of `/proc/PID/fd`, and its port. */
interface ListeningSocket {
  readonly socket: string;
  readonly port: number;
}

/** All TCP sockets that listen. */
function allListeners(): ListeningSocket[] {
  return ["tcp", "tcp6"].flatMap((table) => listenersIn(table) ?? []);
}

/** How much of a table is read at a time, in bytes. */
const TABLE_PART = 16_384;

/**
 * The sockets in a table that listen. The kernel has them before all others (`tcp_seq_start`), of
 * which there may be a hundred thousand: it is not asked for those.
 *
 * @returns `undefined` if the table cannot be seen
 */
function listenersIn(table: string): ListeningSocket[] | undefined {
  let fd: number | undefined;
  let text = "";
  try {
    fd = openSync(`/proc/net/${table}`, "r");
    const part = new Uint8Array(TABLE_PART);
    for (let isPast = false; !isPast;) {
      const count = readSync(fd, part, 0, part.length, null);
      if (count === 0) break;
      text += new TextDecoder().decode(part.subarray(0, count));
      // Before the last end of a line stands the last whole line; the first of all is a heading.
      const whole = text.slice(0, text.lastIndexOf("\n")).split("\n");
      isPast = whole.length > 1 && fieldsOf(whole.at(-1) as string)[3] !== LISTENING;
    }
  } catch {
    // Not on Linux, or it must not be read.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  if (text === "") return undefined;
  return text.split("\n").map(fieldsOf).filter(([, , , state]) => state === LISTENING)
    .map(([, local = "", , , , , , , , inode]) => ({
      socket: `socket:[${inode}]`,
      port: parseInt(local.split(":")[1] ?? "", 16),
    }));
}

function fieldsOf(line: string): string[] {
  return line.trim().split(/\s+/);
}

/** The Unix domain sockets that listen under a name (proc_net_unix, in proc(5)). */
function unixListeners(hostname: string): string[] {
  const name = hostname.slice(UNIX.length);
  return read("/proc/net/unix").split("\n").flatMap((line) => {
    const [, flags, inode, path] = /^\S+: \S+ \S+ (\S+) \S+ \S+ +(\d+) (.*)$/.exec(line) ?? [];
    return flags === ACCEPTS_CONNECTIONS && path === name ? [`socket:[${inode}]`] : [];
  });
}

/** CPU time: the process's own, and that of its children that have ended. */
function cpuSecondsIn(stat: string): { readonly own: number; readonly waitedFor: number } {
  // The command's name in parentheses may contain anything.
  const fields = stat.split(") ").at(-1)?.split(" ") ?? [];
  const [user = 0, system = 0, theirUser = 0, theirSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: (user + system) / TICKS, waitedFor: (theirUser + theirSystem) / TICKS };
}

/** How long a thread has run and has waited for a processor, from nanoseconds (proc(5)). */
function schedulerSecondsIn(schedstat: string): readonly (number | undefined)[] {
  return schedstat === "" ? [] : schedstat.split(" ").slice(0, 2).map((ns) => Number(ns) / 1e9);
}

function fieldIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
}

/**
 * The parent of a process (proc(5)).
 *
 * @param pid its process ID
 * @returns the parent's; 0 if there is none, or if nothing is known
 */
export function parentOf(pid: number): number {
  const line = read(`/proc/${pid}/stat`);
  // The second field, the program's name in parentheses, may itself contain spaces.
  return Number(line.slice(line.lastIndexOf(")") + 1).trim().split(" ")[1] ?? 0);
}

/**
 * Reads a small system file.
 *
 * @param path the path of the file
 * @returns its text; empty if the file does not exist or must not be read
 */
export function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not on Linux, or the process is gone.
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    // Not on Linux, or the process is gone or belongs to another user.
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed in the meantime.
    return "";
  }
}
