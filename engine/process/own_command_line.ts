/**
 * The command line of this process, to start it again: with the flags of the runtime, in the same
 * folder.
 *
 * @module
 */

import process from "node:process";
import { resolve } from "node:path";
import { runtime } from "../net/runtime.ts";
import { type Sockets, sockets } from "../net/sockets.ts";
import { ignoresHangUps } from "./ending_signals.ts";
import { findExecutable, isExecutable } from "./executables.ts";

/** How to start a program. */
export interface CommandLine {
  /** The path of the program. */
  readonly path: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its current directory. */
  readonly folder: string;
}

/** Starts a program that ignores SIGHUP, as this process does. */
const DEAF = ["-c", `trap "" HUP; exec "$@"`, "sh"];

/**
 * The command line of this process (proc(5), `cmdline`). The program is looked up anew, as a shell
 * does it: a new version of the runtime that has taken the place of the old one is used.
 *
 * @param more arguments to add
 * @throws {Error} where the command line cannot be read
 */
export function ownCommandLine(more: readonly string[]): CommandLine {
  const text = readCommandLine(sockets());
  const [name = "", ...args] = text.replace(/\0$/, "").split("\0");
  // What follows "--" are no flags.
  const end = runtime.args.indexOf("--");
  const at = end < 0 ? args.length : args.length - runtime.args.length + end;
  args.splice(at, 0, ...more);
  const folder = process.cwd();
  const path = findProgram(name, folder);
  // A handler for any signal has ended that (`ignoresHangUps`).
  if (ignoresHangUps()) return { path: "/bin/sh", args: [...DEAF, path, ...args], folder };
  return { path, args, folder };
}

/**
 * What stands on this command line between the program and its script: how the runtime was told to run
 * it. What makes it wait for a debugger, or start again, is left out.
 *
 * @returns `undefined` if the runtime was not told to run a script, but for instance to test it
 */
export function runtimeArguments(): readonly string[] | undefined {
  const words = readCommandLine(sockets()).replace(/\0$/, "").split("\0");
  const args = words.slice(1, words.length - runtime.args.length - 1);
  if (args[0] !== "run") return undefined;
  return args.filter((arg) => !/^--(inspect|watch)/.test(arg));
}

/** Reads it by system calls: on Deno only `-A` opens the files of proc(5) otherwise. */
function readCommandLine(net: Sockets): string {
  const fd = net.open("/proc/self/cmdline", 0);
  try {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(4096);
    let text = "";
    for (;;) {
      const count = net.read(fd, buffer);
      if (count <= 0) return text;
      text += decoder.decode(buffer.subarray(0, count), { stream: true });
    }
  } finally {
    net.close(fd);
  }
}

/** The program of a name, as it was typed; the file that runs here, if there is none. */
function findProgram(name: string, folder: string): string {
  const typed = resolve(folder, name);
  const found = !name.includes("/")
    ? findExecutable(name, folder)
    : isExecutable(typed)
    ? typed
    : undefined;
  // The kernel adds this to the path of a file that was removed.
  return found ?? process.execPath.replace(/ \(deleted\)$/, "");
}
