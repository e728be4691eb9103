/**
 * Servers in poor surroundings: standard streams that are closed, broken or full, and no proc(5).
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { runtime } from "../../engine/net/runtime.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { type Row, ROWS } from "../kit/rows.ts";
import { commandOf, Program, ServerProcess } from "../kit/server_process.ts";
import { IS_LONG } from "../kit/turns.ts";

/** Whether every mode is tried, and not only those that differ in this. */

const whyNotLinux = runtime.os === "linux" ? undefined : "this needs Linux";

/** What a process has as a descriptor; empty if nothing. */
function linkOf(pid: number, descriptor: number): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return "";
  }
}

/** The port on which a process listens that cannot say so; `undefined` if it does not listen. */
function portOf(pid: number): number | undefined {
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((name) => linkOf(pid, Number(name))));
  const rows = readFileSync("/proc/net/tcp", "utf8").split("\n").map((row) =>
    row.trim().split(/\s+/)
  );
  // 0A is LISTEN.
  const found = rows.find((row) => row[3] === "0A" && own.has(`socket:[${row[9]}]`));
  return found && Number.parseInt(found[1]?.split(":")[1] ?? "", 16);
}

/** Servers that use descriptors in different ways, and the answer to the line `HELLO 1`. */
const SERVERS: readonly (readonly [script: string, args: readonly string[], answer: RegExp])[] = [
  ["modes/event.ts", [], /^HELLO 2$/m],
  ["modes/threadpool.ts", ["--workers", "1"], /^HELLO 2$/m],
  ["chat/server.ts", [], /^\[guest-1\] HELLO 1$/m],
];

/** Asks a server that cannot say where it listens. Returns whether it has answered. */
async function answers(server: Program, answer: RegExp): Promise<boolean> {
  assert(!server.isOver, "it has ended");
  const port = portOf(server.pid);
  if (port === undefined) return false;
  try {
    await using peer = await Peer.connect({ hostname: "127.0.0.1", port });
    await peer.send("HELLO 1\n");
    await until("an answer", () => answer.test(peer.heard) || peer.isBroken);
    return answer.test(peer.heard);
  } catch {
    // On Deno a server that counts its free descriptors listens elsewhere for a moment.
    return false;
  }
}

/** Standard streams: what is wrong with them, how a shell makes them so, and who is tried with them. */
const STREAMS: readonly (readonly [what: string, streams: string, servers: typeof SERVERS])[] = [
  ["closed", "<&- >&- 2>&-", SERVERS.slice(0, 2)],
  ["write-only, or full", "0>/dev/null >/dev/full 2>/dev/full", SERVERS.slice(1)],
];

for (const [what, streams, tried] of STREAMS) {
  test(`servers serve with standard streams that are ${what}`, async () => {
    await Promise.all((IS_LONG ? SERVERS : tried).map(async ([script, args, answer]) => {
      const flags = ["0", ...args, "--stats-every", "20ms", "--drain", "100ms"];
      const shell = ["sh", "-c", `exec "$@" ${streams}`, "sh"];
      await using server = new Program([...shell, ...commandOf(script, flags)]);
      for (const turn of ["first", "second"]) {
        await until(`the ${turn} answer of ${script}`, () => answers(server, answer), 20_000);
        // A socket in one of these places would be sent the log.
        const links = [0, 1, 2].map((number) => linkOf(server.pid, number));
        for (const link of links) assertMatch(link, /^\/dev\/(null|full)$/);
      }
      server.signal("SIGTERM");
      const { code, signal } = await server.end();
      assertEquals([code, signal], [0, null], script);
    }));
  }, { sanitize: false, skip: whyNotLinux, timeoutMs: 60_000 });
}

test("a server serves on when nobody reads what it prints any more", async () => {
  await using server = await ServerProcess.start("threadpool", ["--workers", "1"]);
  server.hangUp();
  for (let x = 1; x < 4; x++) await handshake(server.address, x);
  const ending = await server.stop();
  assertEquals(ending.code, 0, ending.stderr);
  assertStringIncludes(ending.stderr, "completed 3");
}, { sanitize: false });

/** Runs the rest where proc(5) is empty. */
const WITHOUT_PROC = [
  ...["unshare", "--user", "--map-root-user", "--mount", "--"],
  ...["sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"],
];

const FAULTY = "./tests/kit/protocols/faulty.ts";

/** What some of them are asked. */
const ASKED: Readonly<Record<string, string>> = {
  "a computation": "^P97$",
  "tasks of its own": "double 21\n",
};

/** Why that cannot be tried; `undefined` if it can. */
function whyNotWithoutProc(): string | undefined {
  if (runtime.name === "bun") return "Bun itself ends at once without proc(5)";
  if (whyNotLinux !== undefined) return whyNotLinux;
  const [unshare = "", ...args] = WITHOUT_PROC;
  return spawnSync(unshare, [...args, "true"]).status === 0 ? undefined : "there are no namespaces";
}

test("servers start, serve and end without proc(5)", async () => {
  const rows = ROWS.filter(({ name, skip }) =>
    skip === undefined && (IS_LONG || /^cluster|^threadpool by messages/.test(name))
  );
  const cases: readonly (readonly [Row["name"], string, readonly string[]])[] = [
    ...rows.map(({ name, mode, args }) => [name, `modes/${mode}.ts`, args] as const),
    ["a computation", "modes/nonblocking.ts", ["--protocol", "frame", "--offload", "1"]],
    ["a protocol of its own", "modes/event.ts", ["--protocol", "./examples/kv.ts"]],
    ["tasks of its own", "modes/event.ts", ["--protocol", FAULTY, "--offload", "1"]],
    ["the chat", "chat/server.ts", []],
  ];
  await Promise.all(cases.map(async ([name, script, args]) => {
    await using server = new Program([...WITHOUT_PROC, ...commandOf(script, ["0", ...args])]);
    try {
      await server.printed("Listening on ");
      const port = Number(/^Listening on [^ ]*:(\d+) /m.exec(server.stdout)?.[1]);
      await using peer = await Peer.connect({ hostname: "127.0.0.1", port });
      await peer.send(ASKED[name] ?? "HELLO 1\nHELLO 3\n");
      await until("an answer", () => /HELLO|^\*prime|^42$/m.test(peer.heard));
      peer.finish();
      await peer.gone();
      server.signal("SIGTERM");
      const { code, signal } = await server.end();
      assertEquals([code, signal], [0, null]);
    } catch (cause) {
      throw new Error(`${name}: ${(cause as Error).message}\n${server.stderr}`, { cause });
    }
  }));
}, { sanitize: false, skip: whyNotWithoutProc(), timeoutMs: 40_000 });
