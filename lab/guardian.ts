/**
 * Servers that end with the bench, however the bench ends.
 *
 * SIGKILL leaves a program no time for its children. So a guardian watches: a shell that reads from a
 * pipe which the system closes when the bench is gone. Then it kills the process groups of all the
 * servers that still run. A server itself has a parent-death signal besides, where the system knows
 * that (`PR_SET_PDEATHSIG`, prctl(2)).
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { runtime } from "../engine/net/runtime.ts";
import { findExecutable } from "../engine/process/runtimes.ts";

/**
 * Keeps a list of process groups: `+ GROUP` adds one and `- GROUP` removes it. At the end of its
 * input it kills those that are left.
 */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r sign group; do
  case $sign in
    +) groups="$groups$group " ;;
    -) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

/** The path of setpriv(1); `undefined` if it is not here. */
const setpriv = runtime.os === "linux" ? findExecutable("setpriv") : undefined;

let guardian: ChildProcess | undefined;

/** Whether the system has process groups. */
export const hasGroups: boolean = runtime.os !== "windows";

/** Starts the guardian. To be called before the first server is started. */
export function startGuardian(): void {
  if (!hasGroups || guardian !== undefined) return;
  guardian = spawn("sh", ["-c", SCRIPT], {
    stdio: ["pipe", "ignore", "ignore"],
    // What ends the group of the bench, as Ctrl-C does, must not end the guardian before it.
    detached: true,
  });
  // Without a shell there is no guardian, and the servers are ended in order only.
  guardian.on("error", () => {});
  guardian.stdin?.on("error", () => {});
  guardian.unref();
}

/**
 * Tells the guardian to kill a process group when this process is gone.
 *
 * @param group the group's number
 * @param done called when the guardian will learn of it, even if this process is gone by then
 */
export function guard(group: number, done: () => void): void {
  const input = guardian?.stdin;
  if (!input?.writable) return done();
  input.write(`+ ${group}\n`, () => done());
}

/**
 * Tells the guardian that a process group is no more.
 *
 * @param group the group's number
 */
export function forget(group: number): void {
  guardian?.stdin?.write(`- ${group}\n`);
}

/**
 * A command that begins when it reads a line, because the guardian must know of it before, and that
 * the system kills when this process ends, where that is possible.
 *
 * @param command a program and its arguments
 */
export function guarded(command: readonly string[]): readonly string[] {
  if (!hasGroups) return command;
  const mortal = setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--"];
  return [...mortal, "sh", "-c", 'read -r _ && exec "$@" </dev/null', "sh", ...command];
}
