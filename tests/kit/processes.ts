/**
 * The processes that a server has started, as proc(5) shows them.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

/** The fields of `/proc/PID/stat` after the name of the program: the state, the parent, the group. */
function statOf(pid: number | string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
  } catch {
    // It has ended.
    return [];
  }
}

/** What a process has started, and what has become of it. */
export interface Offspring {
  /** Those that run. */
  readonly running: readonly number[];
  /** Those that have ended, and that nobody has waited for. */
  readonly zombies: readonly number[];
}

/** The processes that a process has started and that are not gone. */
export function offspringOf(pid: number): Offspring {
  const running: number[] = [];
  const zombies: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [state, parent] = statOf(name);
    if (parent === `${pid}`) (state === "Z" ? zombies : running).push(Number(name));
  }
  return { running, zombies };
}

/** The processes that a process has started and that have not ended. */
export function childrenOf(pid: number): readonly number[] {
  return offspringOf(pid).running;
}

/** How many descriptors a process has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** The process group of a process: what a terminal sends, it sends to all of a group. */
export function groupOf(pid: number): string | undefined {
  return statOf(pid)[2];
}

/** A signal that tests send. */
export type SentSignal =
  | "SIGINT"
  | "SIGTERM"
  | "SIGHUP"
  | "SIGUSR2"
  | "SIGKILL"
  | "SIGSTOP"
  | "SIGCONT";

/** Sends a signal to a process that may have ended without anybody having been told. */
export function signalTo(pid: number, name: SentSignal): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ESRCH") throw error;
  }
}

/** Whether the first thread of a process waits for something, and not for a processor. */
export function waits(pid: number): boolean {
  return statOf(pid)[0] === "S";
}

/** Whether a process has not ended. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return statOf(pid)[0] !== "Z";
}
