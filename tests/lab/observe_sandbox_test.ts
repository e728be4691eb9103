/**
 * The sandbox: how it is found out whether there is one, and what is said if there is none.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { PROBE, runInTerminal, Sandbox, whyNoSandbox } from "../../lab/observe/sandbox.ts";
import {
  explainRefusal,
  type RefusalReason,
  type SandboxSigns,
} from "../../lab/observe/sandbox_signs.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, test } from "../kit/harness.ts";
import { commandOf, type Ending, Program, whyNoProgram } from "../kit/server_process.ts";

const skip = whyNoKernel() ?? whyNoProgram("unshare");
const refusal = skip === undefined ? await whyNoSandbox() : undefined;
const whyNotInside = skip ?? refusal?.sentence;
if (whyNotInside !== undefined) console.log(`skipped in part: ${whyNotInside}`);

/** The signs of a machine that has nothing against a sandbox. */
const FINE: SandboxSigns = {
  os: "linux",
  said: "",
  settings: {
    "user/max_user_namespaces": "127000",
    "user/max_net_namespaces": "127000",
    "kernel/unprivileged_userns_clone": undefined,
    "kernel/apparmor_restrict_unprivileged_userns": undefined,
  },
  seccomp: "0",
  isContainer: false,
  isChroot: false,
};

const FORBIDDEN = "unshare: unshare failed: Operation not permitted\n";
const CLONE = "kernel/unprivileged_userns_clone";
const APPARMOR = "kernel/apparmor_restrict_unprivileged_userns";

function settingsWith(name: string, value: string): SandboxSigns["settings"] {
  return { ...FINE.settings, [name]: value };
}

/** Signs, the reason that they give, and what the sentence must say. */
const CASES: readonly (readonly [Partial<SandboxSigns>, RefusalReason, RegExp])[] = [
  [{ os: "darwin" }, "not linux", /needs Linux/],
  [{ startCode: "ENOENT" }, "no unshare", /`unshare` of util-linux/],
  [{ startCode: "EACCES" }, "no permission", /may not start `unshare` \(EACCES\)/],
  [{ said: "unshare: unrecognized option '--kill-child'\n" }, "old unshare", /2\.32/],
  [
    { inside: { call: "unshare", code: "the same network" } },
    "old unshare",
    /no network of its own/,
  ],
  [
    {
      said: "unshare: unshare failed: No space left on device\n",
      settings: settingsWith("user/max_user_namespaces", "0"),
    },
    "no namespaces left",
    /no user namespaces \(user\.max_user_namespaces = 0\)/,
  ],
  [
    {
      said: "unshare: unshare failed: No space left on device\n",
      settings: settingsWith("user/max_net_namespaces", "0"),
    },
    "no namespaces left",
    /no network namespaces \(user\.max_net_namespaces = 0\)/,
  ],
  [
    { said: "unshare: unshare failed: No space left on device\n" },
    "no namespaces left",
    /used up/,
  ],
  [
    { said: FORBIDDEN, seccomp: "2", isContainer: true },
    "seccomp",
    /docker run --security-opt seccomp=unconfined/,
  ],
  // With --pid=host the first process has another root folder.
  [{ said: FORBIDDEN, seccomp: "2", isContainer: true, isChroot: true }, "seccomp", /docker/],
  [{ said: FORBIDDEN, seccomp: "2" }, "seccomp", /a seccomp filter/],
  [{ said: FORBIDDEN, isChroot: true }, "chroot", /in a chroot/],
  [
    { said: FORBIDDEN, settings: settingsWith(CLONE, "0") },
    "sysctl",
    /sudo sysctl kernel\.unprivileged_userns_clone=1/,
  ],
  [{ said: FORBIDDEN, settings: settingsWith(APPARMOR, "1") }, "apparmor", /AppArmor/],
  [
    {
      said: "unshare: write failed /proc/self/uid_map: Operation not permitted\n",
      settings: settingsWith(APPARMOR, "1"),
    },
    "apparmor",
    /sudo sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0/,
  ],
  [
    { inside: { call: "ioctl", code: "EPERM" }, settings: settingsWith(APPARMOR, "1") },
    "apparmor",
    /give this program a profile with `userns,`/,
  ],
  [{ inside: { call: "socket", code: "EPERM" } }, "unknown", /socket failed inside it: EPERM/],
  [{ said: "unshare: unshare failed: Invalid argument\n" }, "no user namespaces", /kernel/],
  [{ said: FORBIDDEN }, "unknown", /Operation not permitted/],
  [{ said: "" }, "unknown", /ended at once/],
  [{ said: "unshare: \x1b[2J\n" }, "unknown", /\\x1b\[2J/],
];

test("each sign of a missing sandbox has its reason and its sentence", () => {
  for (const [signs, reason, sentence] of CASES) {
    const found = explainRefusal({ ...FINE, ...signs });
    assertEquals(found.reason, reason, JSON.stringify(signs));
    assertMatch(found.sentence, sentence);
    assert(!found.sentence.endsWith("."));
  }
}, { pure: true });

const TIMELINE = commandOf("lab/observe.ts", ["timeline", "--sandbox"]);

/** Runs the timeline where something is missing. */
function run(before: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return new Program([...before, ...TIMELINE], {
    environment: { ...process.env as Record<string, string>, ...environment },
  }).end();
}

/** Asserts that the timeline has gone on without the sandbox. */
function assertWentOn({ code, stdout, stderr }: Ending, sentence: string): void {
  assertEquals(stderr, "");
  assertEquals(code, 0);
  assertStringIncludes(stdout, `No sandbox: ${sentence}`);
  assertMatch(stdout, /it goes on outside/);
  assertMatch(stdout, /^T[01]: /);
  assertMatch(stdout, /^ {2}ESTABLISHED /m);
}

/** An `unshare` that runs the program where it is. As root, that one may set what it likes there. */
const UNSHARES_NOTHING = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
"$@"
`;

/** A shell that runs what follows where no user namespace can be made. */
const WITHOUT_NAMESPACES = [
  "unshare",
  "--user",
  "--map-root-user",
  "sh",
  "-c",
  `echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"`,
  "sh",
];

test(
  "without `unshare`, or without namespaces, the sentence is said and the timeline goes on",
  async () => {
    using folder = new Folder();
    writeFileSync(folder.path("unshare"), UNSHARES_NOTHING, { mode: 0o755 });
    const [missing, idle, limited] = await Promise.all([
      run([], { PATH: "/nonexistent" }),
      run([], { PATH: folder.path("") }),
      whyNotInside === undefined ? run(WITHOUT_NAMESPACES) : undefined,
    ]);
    assertWentOn(missing, "the sandbox needs `unshare` of util-linux");
    assertWentOn(idle, "the `unshare` of this machine has made no network of its own");
    if (limited === undefined) return;
    assertWentOn(
      limited,
      "this machine allows no user namespaces (user.max_user_namespaces = 0)",
    );
    // Root of a namespace has no rights over the network outside of it.
    assertMatch(limited.stdout, /^T0: /);
    assertStringIncludes(limited.stdout, "without packets: states only");
  },
  { skip },
);

/** Runs what follows with another root folder, which has everything that is in the real one. */
const CHROOT = `
set -e
root=$1
shift
mount -t tmpfs none "$root"
for path in /*; do
  if [ -h "$path" ]; then cp -P "$path" "$root"; continue; fi
  [ -d "$path" ] || continue
  mkdir "$root$path"
  mount --rbind "$path" "$root$path"
done
exec chroot "$root" "$@"
`;

const whyNoChroot = skip ?? whyNoProgram("chroot") ??
  (process.getuid?.() === 0 ? undefined : "only root can change its root folder");
if (whyNoChroot !== undefined) console.log(`skipped in part: ${whyNoChroot}`);

test("in a chroot the kernel forbids it, and that is said", async () => {
  using folder = new Folder();
  const own = ["unshare", "--mount", "sh", "-c", CHROOT, "sh"];
  const root = folder.path("");
  const mayMount = await new Program([...own, root, "true"]).end();
  if (mayMount.code !== 0) return console.log(`skipped: ${mayMount.stderr}`);
  const cwd = process.cwd();
  const ending = await run([...own, root, "env", "-C", cwd]);
  assertWentOn(ending, "in a chroot the kernel allows no user namespaces");
}, { skip: whyNoChroot });

test("a role of the sandbox is ready, hears its end, and gives its status", async () => {
  await using sandbox = await Sandbox.open(PROBE);
  assertEquals([await sandbox.ended, await sandbox.next()], [0, undefined]);
  assertEquals(await runInTerminal(PROBE), 0);
  // A role that there is not.
  let words = "";
  await Sandbox.open("nothing").catch((error) => words = String(error));
  assertMatch(words, /^SandboxError: Cannot make the sandbox/);
}, { skip: whyNotInside });

test("a role that takes too long is killed", async () => {
  // It waits for its plan, which nobody tells it.
  const sandbox = await Sandbox.open("timeline", { limitMs: 200 });
  assertEquals(await sandbox.next(), undefined);
  assert(await sandbox.ended !== 0);
}, { skip: whyNotInside });
