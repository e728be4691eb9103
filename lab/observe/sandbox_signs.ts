/**
 * Why there is no sandbox here: the signs that are found by trying, and the sentence for each.
 *
 * @module
 */

import { existsSync, readFileSync, statSync } from "node:fs";
import process from "node:process";
import { readSetting } from "../../engine/kernel/proc_net.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { parentOf } from "../../engine/process/process_status.ts";
import { escapeText } from "../../protocols/text.ts";

/** Why there is no sandbox. */
export type RefusalReason =
  | "not linux"
  | "no unshare"
  | "old unshare"
  | "no permission"
  | "no namespaces left"
  | "no user namespaces"
  | "chroot"
  | "sysctl"
  | "apparmor"
  | "seccomp"
  | "unknown";

/** What tells why. */
export interface SandboxSigns {
  /** The operating system. */
  readonly os: string;
  /** The system's code if `unshare` could not even be started, for instance `ENOENT`. */
  readonly startCode?: string | undefined;
  /** What `unshare` or the program inside has said last. */
  readonly said: string;
  /** The call that failed inside, and its code, if it came that far. */
  readonly inside?: { readonly call: string; readonly code: string } | undefined;
  /** The machine's settings by their paths below `/proc/sys`, as far as they are there. */
  readonly settings: Readonly<Record<string, string | undefined>>;
  /** The mode of the seccomp filter of this process: 2 is a filter (proc(5)). */
  readonly seccomp: string | undefined;
  /** Whether this is a container of Docker or Podman. */
  readonly isContainer: boolean;
  /** Whether this process has another root folder than the machine, as far as that can be told. */
  readonly isChroot: boolean;
}

/** A sandbox that cannot be had, and why. */
export interface Refusal {
  /** Why, for programs. */
  readonly reason: RefusalReason;
  /** Why, for people, and what can be done: one sentence without its full stop. */
  readonly sentence: string;
}

const MAX_USER = "user/max_user_namespaces";
const MAX_NET = "user/max_net_namespaces";
const CLONE = "kernel/unprivileged_userns_clone";
const APPARMOR = "kernel/apparmor_restrict_unprivileged_userns";

/**
 * Looks for the signs on this machine.
 *
 * @param tried what came of trying
 */
export function gatherSigns(
  tried: Pick<SandboxSigns, "startCode" | "said" | "inside">,
): SandboxSigns {
  return {
    os: runtime.os,
    ...tried,
    settings: Object.fromEntries(
      [MAX_USER, MAX_NET, CLONE, APPARMOR].map((name) => [name, readSetting(name)]),
    ),
    seccomp: /^Seccomp:\s*(\d)/m.exec(readText("/proc/self/status"))?.[1],
    isContainer: existsSync("/.dockerenv") || existsSync("/run/.containerenv"),
    isChroot: hasOtherRoot(),
  };
}

/**
 * Finds the reason in the signs.
 *
 * @param signs what was found by trying
 */
export function explainRefusal(signs: SandboxSigns): Refusal {
  const { os, startCode, said, inside, settings } = signs;
  const refuse = (reason: RefusalReason, sentence: string): Refusal => ({ reason, sentence });
  if (os !== "linux") return refuse("not linux", "the sandbox needs Linux");
  if (startCode === "ENOENT") {
    return refuse(
      "no unshare",
      "the sandbox needs `unshare` of util-linux (Debian: util-linux, Alpine: util-linux)",
    );
  }
  if (startCode !== undefined) {
    return refuse(
      "no permission",
      `this process may not start \`unshare\` (${escapeText(startCode)})`,
    );
  }
  if (/(unrecognized|unknown|invalid) option/.test(said)) {
    return refuse(
      "old unshare",
      "the `unshare` of this machine is too old or not of util-linux: install util-linux 2.32 or later",
    );
  }
  if (/No space left on device/.test(said)) {
    const name = [MAX_USER, MAX_NET].find((setting) => settings[setting] === "0");
    const kind = name === MAX_NET ? "network" : "user";
    return refuse(
      "no namespaces left",
      name === undefined
        ? "this machine allows no more namespaces (user.max_user_namespaces is used up)"
        : `this machine allows no ${kind} namespaces (${name.replaceAll("/", ".")} = 0)`,
    );
  }
  if (/Invalid argument/.test(said)) {
    return refuse("no user namespaces", "this kernel was built without user namespaces");
  }
  if (inside?.call === "unshare") {
    return refuse(
      "old unshare",
      "the `unshare` of this machine has made no network of its own: install that of util-linux",
    );
  }
  if (inside !== undefined || /uid_map|setgroups|gid_map/.test(said)) {
    return settings[APPARMOR] === "1" ? refuse("apparmor", APPARMOR_SENTENCE) : unknown(signs);
  }
  return /Operation not permitted|Permission denied/.test(said)
    ? explainForbidden(signs)
    : unknown(signs);
}

const APPARMOR_SENTENCE =
  "Ubuntu's AppArmor restricts user namespaces; until the next start of the machine: `sudo sysctl -w " +
  "kernel.apparmor_restrict_unprivileged_userns=0`; or give this program a profile with `userns,`";

/** unshare(2) itself was refused: EPERM has several causes. */
function explainForbidden(signs: SandboxSigns): Refusal {
  const { settings, seccomp, isContainer, isChroot } = signs;
  // With --pid=host a container, too, has another root folder than the first process.
  if (isContainer && seccomp === "2") {
    return {
      reason: "seccomp",
      sentence: "the container's seccomp profile forbids user namespaces: " +
        "`docker run --security-opt seccomp=unconfined`, or run outside of it",
    };
  }
  if (isChroot) {
    return { reason: "chroot", sentence: "in a chroot the kernel allows no user namespaces" };
  }
  if (settings[CLONE] === "0") {
    return {
      reason: "sysctl",
      sentence: "this machine allows user namespaces to root only: " +
        "`sudo sysctl kernel.unprivileged_userns_clone=1` allows them to all",
    };
  }
  if (seccomp === "2") {
    return {
      reason: "seccomp",
      sentence: "a seccomp filter forbids user namespaces to this process",
    };
  }
  if (settings[APPARMOR] === "1") return { reason: "apparmor", sentence: APPARMOR_SENTENCE };
  return unknown(signs);
}

function unknown({ said, inside }: SandboxSigns): Refusal {
  const what = inside === undefined
    ? escapeText(said.trim().split("\n").at(-1) ?? "").slice(0, 200)
    : `${escapeText(inside.call)} failed inside it: ${escapeText(inside.code)}`;
  return {
    reason: "unknown",
    sentence: `the sandbox cannot be made (${what === "" ? "unshare has ended at once" : what})`,
  };
}

/**
 * Whether a process that has led to this one has another root folder. Processes of others may not be
 * looked at.
 */
function hasOtherRoot(): boolean {
  const own = rootOf("self");
  for (let pid = process.ppid; pid > 0; pid = parentOf(pid)) {
    const root = rootOf(String(pid));
    if (root !== undefined && root !== own) return true;
  }
  // In a chroot to a folder that is no mount, no mount is at the root.
  const mounts = readText("/proc/self/mountinfo").trim();
  return mounts !== "" && !mounts.split("\n").some((line) => line.split(" ")[4] === "/");
}

function rootOf(pid: string): string | undefined {
  try {
    const { dev, ino } = statSync(`/proc/${pid}/root/`);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
