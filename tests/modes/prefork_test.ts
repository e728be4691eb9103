/**
 * Processes that serve connections: what ends with them, and what does not.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { OptionError } from "../../engine/cli/options.ts";
import { whyNoCommonMemory } from "../../engine/net/common_memory.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { leftIn, swapLeftIn } from "../../engine/process/memory_limits.ts";
import { Control, TELL } from "../../engine/server/processes/control.ts";
import { type PreforkOptions, servePrefork } from "../../mod.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { MemoryGroup } from "../kit/memory_group.ts";
import { crawl, crowd } from "../proofs/processes.ts";
import { AS_NOBODY, whyNotAsNobody } from "../kit/nobody.ts";
import { Peer } from "../kit/peer.ts";
import { childrenOf, groupOf, isThere } from "../kit/processes.ts";
import { failureOf, wasEmpty } from "../kit/rows.ts";
import { Terminal, whyNoTerminal } from "../kit/terminal.ts";
import {
  commandOf,
  countsIn,
  otherRuntime,
  ourRuntime,
  Program,
  ServerProcess,
  totalsIn,
  untilStopped,
  whyNoOtherRuntime,
  whyNoProgram,
} from "../kit/server_process.ts";
import { Trace } from "../kit/trace_events.ts";

const options = { skip: whyNoSockets() ?? whyNoCommonMemory(), sanitize: false, timeoutMs: 30_000 };

const DEADLY = ["--protocol", "./tests/kit/protocols/deadly.ts"];

/** The two ways in which a connection reaches a process that stays. */
const HANDOFFS = [["--handoff", "listener"], ["--handoff", "descriptor"]] as const;

function start(...args: string[]): Promise<ServerProcess> {
  return ServerProcess.start("prefork", [...DEADLY, ...args]);
}

/** Asks over a connection. */
async function ask(peer: Peer, word: string): Promise<string> {
  return await (await peer.send(`${word}\n`)).line();
}

/** Says how many descriptors a process may have from now on. Those that it has stay. */
function limitDescriptors(pid: number, most: number): void {
  execFileSync("prlimit", [`--pid=${pid}`, `--nofile=${most}:`]);
}

/** Connects, and is told who serves the connection. */
async function served(server: ServerProcess): Promise<{ peer: Peer; pid: number }> {
  const peer = await Peer.connect(server.address);
  return { peer, pid: Number(await ask(peer, "pid")) };
}

for (const handoff of HANDOFFS) {
  const name = `prefork by ${handoff[1]}`;

  test(
    `${name}: a protocol that kills its process takes only its own connection along`,
    async () => {
      await using server = await start("--workers", "2", ...handoff);
      await using first = (await served(server)).peer;
      const second = await served(server);
      await using culprit = second.peer;
      const pid = Number(await ask(first, "pid"));
      assertNotEquals(pid, second.pid);
      await culprit.send("kill\n");
      await culprit.gone();
      assertEquals(await ask(first, "pid"), `${pid}`, "the other does not notice");
      // Another one takes its place, and serves while the first still does.
      const third = await served(server);
      await using next = third.peer;
      assert(third.pid !== pid && third.pid !== second.pid);
      first.finish();
      next.finish();
      await Promise.all([first.rest(), next.rest()]);
      const ending = await server.stop();
      assertEquals(ending.code, 0, ending.stderr);
      assertMatch(ending.stderr, / ERR A process died: SIGKILL\n.* WRN a process is replaced\n/);
      assertEquals(
        totalsIn(ending),
        "accepted 3 · completed 2 · failed 1 (other 1) · cut 0 · threads lost 1",
      );
    },
    options,
  );

  test(`${name}: whoever is killed from outside is replaced, and nobody is to blame`, async () => {
    await using server = await start("--workers", "2", ...handoff);
    await using first = (await served(server)).peer;
    const kept = Number(await ask(first, "pid"));
    // More often than a client may end processes.
    for (let times = 0; times < 4; times++) {
      const { peer, pid } = await served(server).catch((cause) => {
        throw new Error(server.stderr, { cause });
      });
      await using victim = peer;
      // It waits for its peer, or for a connection.
      const isIdle = times % 2 === 1;
      if (isIdle) {
        victim.finish();
        await victim.rest();
        await server.printed(` done ${victim.name} `, "stderr");
      }
      process.kill(pid, "SIGKILL");
      if (!isIdle) await victim.gone();
      await until(`process ${pid} to be gone`, () => !isThere(pid));
    }
    const { peer, pid } = await served(server);
    assertNotEquals(pid, kept);
    assertEquals(await ask(first, "pid"), `${kept}`);
    await peer[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    const ending = await server.stop();
    const { accepted, failed } = countsIn(ending);
    assertEquals([ending.code, accepted, failed], [0, 6, 2], ending.stderr);
    assertMatch(totalsIn(ending), / · threads lost 4$/);
  }, options);

  test(
    `${name}: its processes end with their parent, also one that computes for ever`,
    async () => {
      using folder = new Folder();
      const environment = {
        ...process.env as Record<string, string>,
        TMPDIR: folder.path(""),
        XDG_RUNTIME_DIR: "",
      };
      const args = [...DEADLY, "--workers", "3", ...handoff];
      await using server = await ServerProcess.start("prefork", args, { environment });
      const spinning = await served(server);
      const waiting = await served(server);
      await spinning.peer.send("spin\n");
      const children = childrenOf(server.pid);
      assert([spinning.pid, waiting.pid].every((pid) => children.includes(pid)), `${children}`);
      assert(children.length >= 3);
      server.signal("SIGKILL");
      assertEquals(folder.names, [], "it has left nothing");
      await until("all of them to end", () => !children.some(isThere));
      await until("the port to be free for anybody", () => {
        try {
          sockets().close(sockets().openListener(server.address));
          return true;
        } catch {
          return false;
        }
      });
      await Promise.all([spinning.peer.gone(), waiting.peer.gone()]);
    },
    options,
  );

  test(
    `${name}: processes of the other runtime serve as those of this one`,
    async () => {
      await using server = await start(
        "--workers",
        "2",
        "--child-runtime",
        otherRuntime.name,
        ...handoff,
      );
      assertMatch(server.greeting, new RegExp(` · processes on ${otherRuntime.name} · `));
      assertMatch(server.greeting, new RegExp(` · ${ourRuntime.name} [0-9.]+$`));
      const { peer, pid } = await served(server);
      assertEquals(await ask(peer, "runtime"), otherRuntime.name);
      const exiting = await Peer.connect(server.address);
      await exiting.send("exit\n");
      await exiting.gone();
      process.kill(pid, "SIGKILL");
      await peer.gone();
      const next = await served(server);
      assertEquals(await ask(next.peer, "runtime"), otherRuntime.name);
      next.peer.finish();
      await next.peer.rest();
      const ending = await server.stop();
      assertEquals(ending.code, 0, ending.stderr);
      assertMatch(ending.stderr, / failed \S+ after .*: Cannot exit: this process serves others/);
      const totals = /^accepted 3 · completed 1 · failed 2 .* · threads lost 1$/;
      assertMatch(totalsIn(ending), totals, ending.stderr);
    },
    { ...options, skip: options.skip ?? whyNoOtherRuntime },
  );

  test(
    `${name}: signals are the parent's, and the drain ends whoever computes for ever`,
    async () => {
      await using server = await start("--workers", "2", "--drain", "400ms", ...handoff);
      const spinning = await served(server);
      const waiting = await served(server);
      // A terminal and a service manager send them to all processes.
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"] as const) {
        process.kill(waiting.pid, signal);
      }
      assertEquals(await ask(waiting.peer, "pid"), `${waiting.pid}`);
      // They could not ignore those of a terminal while they start.
      assertNotEquals(groupOf(waiting.pid), groupOf(server.pid));
      await spinning.peer.send("spin\n");
      const ending = await server.stop();
      assertEquals(ending.code, 0, ending.stderr);
      await Promise.all([spinning.peer.gone(), waiting.peer.gone()]);
      // The one that waits is told, and closes its connection itself.
      assertMatch(ending.stderr, new RegExp(` cut ${waiting.peer.name} after `));
      assertMatch(ending.stderr, / ERR A process did not end in time/);
      assertEquals(totalsIn(ending), "accepted 2 · completed 0 · failed 0 · cut 2");
      assert(!isThere(spinning.pid) && !isThere(waiting.pid));
    },
    options,
  );
}

test("in threadpool the same protocol takes all connections along", async () => {
  const args = [...DEADLY, "--workers", "2"];
  await using server = await ServerProcess.start("threadpool", args);
  await using bystander = (await served(server)).peer;
  await using culprit = await Peer.connect(server.address);
  await culprit.send("kill\n");
  await Promise.all([culprit.gone(), bystander.gone()]);
  assertEquals((await server.end()).signal, "SIGKILL");
}, options);

test("prefork per connection: each has a process of its own, started when it comes", async () => {
  await using server = await start("--per-connection", "--spare", "0", "--max-processes", "2");
  assertEquals(childrenOf(server.pid), []);
  const first = await served(server);
  const second = await served(server);
  assertNotEquals(first.pid, second.pid);
  // There may be two. The third one waits until a process has ended.
  await using third = await Peer.connect(server.address);
  await third.send("pid\n");
  assertEquals(await ask(first.peer, "pid"), `${first.pid}`);
  assertEquals(third.heard, "");
  await first.peer.send("kill\n");
  await first.peer.gone();
  const pid = Number(await third.line());
  assert(pid !== first.pid && pid !== second.pid);
  second.peer.finish();
  third.finish();
  await Promise.all([second.peer.rest(), third.rest()]);
  await until("no process to be left", () => childrenOf(server.pid).length === 0);
  const ending = await server.stop();
  assertEquals(ending.code, 0, ending.stderr);
  assertEquals(
    totalsIn(ending),
    "accepted 3 · completed 2 · failed 1 (other 1) · cut 0 · threads lost 1",
  );
}, options);

test("prefork per connection: spare processes are kept ready", async () => {
  await using server = await start("--per-connection", "--spare", "1");
  const spares = childrenOf(server.pid);
  assertEquals(spares.length, 1);
  const { peer, pid } = await served(server);
  assertEquals(pid, spares[0]);
  await until("another one to be there", () => childrenOf(server.pid).length === 2);
  // What it says of itself is longer than a message.
  assertEquals(await ask(peer, "stray"), "stray");
  peer.finish();
  await peer.rest();
  await until("the first one to end", () => !isThere(pid));
  const ending = await server.stop();
  assertMatch(ending.stderr, /ERR an error outside every conversation: \u{1f4a5}{4000,}$/mu);
  assertEquals(
    totalsIn(ending),
    "accepted 1 · completed 1 · failed 0 · cut 0 · errors outside conversations 1",
  );
}, options);

/** How many connections had a process. */
function servedIn(trace: string): number {
  const { connections } = Trace.read(trace);
  const isServed = ({ name }: { readonly name: string }) => name.startsWith("served by ");
  return connections.filter(({ spans }) => spans.some(isServed)).length;
}

test(
  "prefork per connection: who has said nothing costs no process, and who has is served",
  async () => {
    using folder = new Folder();
    const trace = folder.path("trace.json");
    await using server = await ServerProcess.start("prefork", [
      ...["--per-connection", "--spare", "0", "--max-processes", "2", "--protocol", "echo"],
      ...["--max-per-host", "9", "--drain", "0", "--trace", trace],
    ]);
    const { address } = server;
    const silent = await Promise.all(Array.from({ length: 8 }, () => Peer.connect(address)));
    const [left, reset, late] = silent as [Peer, Peer, Peer];
    await using honest = await Peer.connect(address);
    // All of them count for their host, and one more is too much.
    await using refused = await Peer.connect(address);
    await refused.gone();
    assertEquals(await ask(honest, "here"), "here");
    left.finish();
    await Promise.all([left.rest(), wasEmpty(server, left)]);
    reset.reset();
    await wasEmpty(server, reset);
    // Nor do they count any more.
    await using next = await Peer.connect(address);
    assertEquals(await ask(late, "late"), "late");
    for (const peer of [honest, late]) {
      peer.finish();
      await peer.rest();
    }
    await until("both processes to end", () => childrenOf(server.pid).length === 0);
    const ending = await server.stop();
    await Promise.all([...silent.slice(3), next].map((peer) => peer.gone()));
    assertEquals(ending.code, 0, ending.stderr);
    assertEquals(
      totalsIn(ending),
      "accepted 10 · completed 2 · failed 0 · cut 6 · empty 2 · refused 1",
    );
    assertEquals(servedIn(trace), 2);
  },
  options,
);

test("prefork per connection: who says nothing for too long costs no process either", async () => {
  using folder = new Folder();
  const trace = folder.path("trace.json");
  const limit = ["--idle-timeout", "100ms", "--trace", trace];
  await using server = await ServerProcess.start("prefork", [
    ...["--per-connection", "--spare", "0", ...limit],
  ]);
  await using peer = await Peer.connect(server.address);
  assertEquals(await peer.rest(), "");
  assertMatch(
    await failureOf(server, peer),
    /^idle timeout: Timed out: no message came for 100 ms$/,
  );
  const ending = await server.stop();
  assertEquals(totalsIn(ending), "accepted 1 · completed 0 · failed 1 (idle timeout 1) · cut 0");
  assertEquals(servedIn(trace), 0);
}, options);

test("prefork per connection: those who have left before their turn cost no process", async () => {
  using folder = new Folder();
  const trace = folder.path("trace.json");
  await using server = await ServerProcess.start("prefork", [
    ...["--per-connection", "--spare", "0", "--max-processes", "1", "--protocol", "frame"],
    ...["--trace", trace],
  ]);
  const { address } = server;
  await using first = await Peer.connect(address);
  assertEquals(await first.take(1), "*");
  // Whoever wants to be greeted waits until there is a process.
  const many = await Promise.all(Array.from({ length: 20 }, () => Peer.connect(address)));
  await using honest = await Peer.connect(address);
  many.forEach((peer, index) => index % 2 === 0 ? peer.finish() : peer.reset());
  await first.send("^a$");
  assertEquals(await first.take(1), "b");
  assertEquals(honest.heard, "");
  first.finish();
  await honest.send("^b$");
  assertEquals(await honest.take(2), "*c");
  await Promise.all(many.map((peer) => wasEmpty(server, peer)));
  honest.finish();
  await honest.rest();
  const ending = await server.stop();
  assertEquals(ending.code, 0, ending.stderr);
  assertEquals(totalsIn(ending), "accepted 22 · completed 2 · failed 0 · cut 0 · empty 20");
  assertEquals(servedIn(trace), 2);
}, options);

test(
  "prefork per connection: a protocol that serves everybody serves whoever says nothing",
  async () => {
    using folder = new Folder();
    const clock = folder.path("clock.js");
    const seven = "yield { kind: 'write', bytes: Uint8Array.of(55) };";
    writeFileSync(clock, `export default function* () { ${seven} }`);
    const flags = ["--per-connection", "--spare", "0", "--protocol", clock];
    await using server = await ServerProcess.start("prefork", flags);
    const peers = await Promise.all([1, 2, 3].map(() => Peer.connect(server.address)));
    const [silent, finished, reset] = peers as [Peer, Peer, Peer];
    finished.finish();
    reset.reset();
    assertEquals([await silent.rest(), await finished.rest()], ["7", "7"]);
    silent.finish();
    assertEquals((await server.stop()).code, 0);
  },
  options,
);

test("prefork gives connections only to processes that it has just started", async () => {
  await using server = await start("--workers", "1", "--handoff", "descriptor");
  const { peer, pid } = await served(server);
  peer.finish();
  await peer.rest();
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const path = words.find((word) => word.startsWith("/proc/")) as string;
  // A stranger of the same user, who finds the socket.
  const control = Control.connect(sockets(), path);
  try {
    const next = await served(server);
    assertEquals(next.pid, pid);
    assertEquals(control.hear(sockets().constants.MSG_DONTWAIT), undefined, "nothing is said");
    control.send(TELL.connection);
    assertEquals(await ask(next.peer, "here"), "here");
    await next.peer[Symbol.asyncDispose]();
  } finally {
    control.close();
  }
  assertEquals((await server.stop()).code, 0);
}, options);

test(
  "prefork per connection: short of descriptors it goes on with the connections it has",
  async () => {
    const descriptors = ourRuntime.name === "deno" ? 60 : 42;
    const args = [...DEADLY, "--per-connection", "--spare", "1", "--drain", "60s"];
    await using server = await ServerProcess.start("prefork", args, { descriptors });
    const peers = await Promise.all(
      Array.from({ length: 16 }, () => Peer.connect(server.address)),
    );
    // There are no more processes at a time than the parent has descriptors for.
    assertMatch(server.greeting, / a process for each connection, up to \d · /);
    for (const peer of peers) peer.finish();
    await Promise.all(peers.map((peer) => peer.rest()));
    await using last = (await served(server)).peer;
    last.finish();
    await last.rest();
    // Nobody is left, and to see that takes no descriptor.
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
  },
  options,
);

test("a process that is stopped holds up nobody, and the drain ends it", async () => {
  const args = ["--workers", "2", "--handoff", "descriptor", "--drain", "300ms"];
  await using server = await start(...args);
  const first = await served(server);
  const { pid } = first;
  first.peer.finish();
  await first.peer.rest();
  await server.printed(` done ${first.peer.name} `, "stderr");
  // Who was busy last is handed the next connection. It is taken back, for another process.
  process.kill(pid, "SIGSTOP");
  await untilStopped(pid);
  const other = await served(server);
  assertNotEquals(other.pid, pid);
  // Nobody else has it: whoever serves it can end it.
  other.peer.finish();
  await other.peer.rest();
  await using next = (await served(server)).peer;
  assertEquals(await ask(next, "pid"), `${other.pid}`);
  process.kill(pid, "SIGCONT");
  const last = await served(server);
  assertEquals(last.pid, pid, "it goes on as if nothing had happened");
  // With a client it holds up that one only, until the drain has passed.
  process.kill(pid, "SIGSTOP");
  await untilStopped(pid);
  assertEquals(await ask(next, "here"), "here");
  await next[Symbol.asyncDispose]();
  const ending = await server.stop();
  assertEquals(ending.code, 0, ending.stderr);
  await last.peer.gone();
  assert(!isThere(pid));
  assertEquals(totalsIn(ending), "accepted 4 · completed 3 · failed 0 · cut 1");
}, options);

test("a stopped process without a client does not hold up the end of its server", async () => {
  await Promise.all(HANDOFFS.map(async (handoff) => {
    await using server = await start("--workers", "2", "--drain", "1h", ...handoff);
    const { peer, pid } = await served(server);
    await peer[Symbol.asyncDispose]();
    await server.printed(` done ${peer.name} `, "stderr");
    process.kill(pid, "SIGSTOP");
    await untilStopped(pid);
    assertEquals((await server.stop()).code, 0);
    assert(!isThere(pid));
  }));
}, options);

test("a parent without descriptors waits for some, and then lets processes in again", async () => {
  await using server = await start("--workers", "1", "--handoff", "descriptor");
  const { peer, pid } = await served(server);
  await peer[Symbol.asyncDispose]();
  limitDescriptors(server.pid, 3);
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const stranger = Control.connect(sockets(), words.find((word) => word.startsWith("/proc/"))!);
  try {
    await server.printed(" waits 80 ms: Cannot accept a process: ", "stderr");
    const waits = [...server.stderr.matchAll(/ waits (\d+) ms: Cannot accept a process/g)];
    assertEquals(waits.map(([, ms]) => Number(ms)), [5, 10, 20, 40, 80]);
  } finally {
    stranger.close();
  }
  limitDescriptors(server.pid, 1_024);
  process.kill(pid, "SIGKILL");
  const next = await served(server);
  assertNotEquals(next.pid, pid);
  await next.peer[Symbol.asyncDispose]();
  assertEquals((await server.stop()).code, 0);
}, { ...options, skip: options.skip ?? whyNoProgram("prlimit") });

test(
  "a process that has used up its descriptors is replaced, and its next client served",
  async () => {
    await using server = await start("--workers", "1", "--handoff", "descriptor");
    const { peer, pid } = await served(server);
    limitDescriptors(pid, 3);
    peer.finish();
    await peer.rest();
    const next = await served(server);
    assertNotEquals(next.pid, pid);
    next.peer.finish();
    await next.peer.rest();
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertMatch(ending.stderr, / ERR A process died: it has no descriptors left /);
    assertEquals(
      totalsIn(ending),
      "accepted 2 · completed 2 · failed 0 · cut 0 · threads lost 1",
    );
  },
  { ...options, skip: options.skip ?? whyNoProgram("prlimit") },
);

test("Ctrl-Z stops the whole server, and fg continues it", async () => {
  await using terminal = await Terminal.openShell({ columns: 200 });
  const command = commandOf("modes/prefork.ts", ["0", "--workers", "1", ...DEADLY, "--quiet"]);
  await terminal.type(`${command.join(" ")}\n`);
  const text = await terminal.shows(/Listening on [^ ]+:\d+ /);
  const port = Number(/:(\d+) /.exec(text)?.[1]);
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port });
  const pid = Number(await ask(peer, "pid"));
  for (let times = 0; times < 2; times++) {
    await terminal.press("C-z");
    await terminal.shows(/Stopped/);
    await untilStopped(pid);
    await peer.send("here\n");
    await terminal.type("clear; fg\n");
    assertEquals(await peer.line(), "here");
  }
  peer.finish();
  await peer.rest();
  await terminal.press("C-c");
  await terminal.shows(/totals: accepted 1 /);
}, { ...options, skip: options.skip ?? whyNoTerminal });

test("prefork takes no option that would mean nothing", async () => {
  const wrong: readonly [PreforkOptions, RegExp][] = [
    [{ perConnection: true, handoff: "descriptor" }, /^Cannot use handoff: with perConnection /],
    [{ perConnection: true, workers: 2 }, /^Cannot use workers: with perConnection /],
    [{ spare: 1 }, /^Cannot use spare: without perConnection /],
    [{ perConnection: false, maxProcesses: 1 }, /^Cannot use maxProcesses: without /],
  ];
  for (const [each, why] of wrong) {
    const error = await servePrefork({ port: 0, ...each }).catch((error) => error);
    assert(error instanceof OptionError, `${error}`);
    assertMatch(error.message, why);
  }
}, options);

const whyNoTaskLimit = whyNoProgram("prlimit") ??
  (process.getuid?.() === 0 ? whyNotAsNobody() : undefined);

test("prefork says at the start which limit of processes and threads is too low", async () => {
  const user = process.getuid?.() === 0 ? AS_NOBODY : [];
  const server = commandOf("modes/prefork.ts", ["0", "--workers", "200"]);
  await using program = new Program([...user, "prlimit", "--nproc=300", ...server]);
  const { code, stdout, stderr } = await program.end();
  assertEquals([code, stdout], [1, ""]);
  const what = "the limit of processes and threads (ulimit -u) is 300, and at least 1";
  assertStringIncludes(stderr, `prefork: Cannot start 200 processes: ${what}`);
}, { ...options, skip: options.skip ?? whyNoTaskLimit });

test(
  "prefork says at the start that memory is too little, and starts what it suffices for",
  async () => {
    using group = MemoryGroup.make(256 * 2 ** 20) as MemoryGroup;
    const run = (...args: string[]) =>
      new Program(group.around(commandOf("modes/prefork.ts", ["0", ...args])));
    await using crowd = run("--workers", "1000");
    await using each = run("--per-connection", "--spare", "0", "--max-processes", "1000");
    const { code, stdout, stderr } = await crowd.end();
    assertEquals([code, stdout], [1, ""]);
    const what =
      "they take at least \\d+ MiB of memory, and the control group \\S+ has \\d+ MiB left";
    assertMatch(stderr, new RegExp(`^prefork: Cannot start 1000 processes: ${what}$`, "m"));
    await each.printed("\n");
    each.signal("SIGTERM");
    assertEquals((await each.end()).code, 0);
  },
  { ...options, skip: options.skip ?? MemoryGroup.whyNot },
);

/** What a process takes with the reserve of its parent, in MiB. */
const WITH_RESERVE = [["deno", 24], ["bun", 12]] as const;

for (const [on, needed] of WITH_RESERVE) {
  const skip = on === ourRuntime.name ? undefined : whyNoOtherRuntime;
  test(`a process on ${on} for a connection is started once there is memory for it`, async () => {
    using group = MemoryGroup.make(2 ** 30) as MemoryGroup;
    const args = ["--per-connection", "--spare", "0", "--child-runtime", on];
    await using server = await start(...args);
    group.take(server.pid);
    const first = await served(server);
    await using _first = first.peer;
    group.leave((needed - 2) * 2 ** 20);
    await using second = await Peer.connect(server.address);
    await second.send("pid\n");
    const why = `it takes with a reserve ${needed} MiB of memory, and the control group `;
    await server.printed(` WRN no other process is started: ${why}`, "stderr");
    assertEquals(childrenOf(server.pid).length, 1);
    // With a little more there is enough for it, and for the parent.
    await until("the second process", () => {
      group.leave((needed + 1) * 2 ** 20);
      return childrenOf(server.pid).length === 2;
    });
    const pid = Number(await second.line());
    assert(pid > 0 && pid !== first.pid, `${pid}`);
    for (const peer of [first.peer, second]) {
      peer.finish();
      await peer.rest();
    }
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertEquals(totalsIn(ending), "accepted 2 · completed 2 · failed 0 · cut 0");
  }, { ...options, skip: options.skip ?? skip ?? MemoryGroup.whyNot });
}

test(
  "where memory runs out, the kernel ends a process that serves, and not the parent",
  async () => {
    using group = MemoryGroup.make(2 ** 30) as MemoryGroup;
    // All of the parent's memory counts, as in a container.
    const command = commandOf("modes/prefork.ts", ["0", "--workers", "2", ...DEADLY]);
    await using server = new Program(group.around(command));
    await server.printed("\n");
    const port = Number(/^Listening on [^ ]*:(\d+) /.exec(server.stdout)?.[1]);
    const connect = () => Peer.connect({ hostname: "127.0.0.1", port });
    await using witness = await connect();
    const stays = await ask(witness, "pid");
    await using greedy = await connect();
    const ends = Number(await ask(greedy, "pid"));
    // It ends before it has as much as the parent.
    group.leave(24 * 2 ** 20);
    await greedy.send("grow\n");
    await greedy.gone();
    await until("the kernel to have ended it", () => !isThere(ends));
    group.limit(2 ** 30);
    assertEquals(await ask(witness, "pid"), stays);
    await using next = await connect();
    assert(Number(await ask(next, "pid")) !== ends);
    for (const peer of [witness, next]) {
      peer.finish();
      await peer.rest();
    }
    server.signal("SIGTERM");
    const { code, stderr } = await server.end();
    assertEquals(code, 0, stderr);
  },
  { ...options, skip: options.skip ?? MemoryGroup.whyNot },
);

test("swap space counts as far as a control group may use it", () => {
  using group = MemoryGroup.make(2 ** 26) as MemoryGroup;
  const swap = Math.min(2 ** 40, swapLeftIn(group.place));
  assertEquals(leftIn(group.place, swap), 2 ** 26);
}, { ...options, skip: options.skip ?? MemoryGroup.whyNot });

test("many processes serve and come and go, in small", async () => {
  const clients = 6;
  const [{ numbers }] = await Promise.all([
    crawl({ clients, atATime: 3, spare: 1 }),
    crowd({ processes: 3, handoff: "listener", ending: "orphaned" }),
    crowd({ processes: 3, handoff: "descriptor", ending: "told" }),
  ]);
  assert(numbers > 1, "each client has a process of its own");
}, options);

test("prefork serves although most of its processes are late, and ends without them", async () => {
  const startLate = async () => {
    const folder = new Folder();
    const environment = { ...process.env as Record<string, string>, LATE_FOLDER: folder.path("") };
    const args = ["--workers", "5", "--protocol", "./tests/kit/protocols/late.ts"];
    const server = await ServerProcess.start("prefork", args, { environment });
    await server.printed(" 1 of 5 processes run, and the others are starting\n", "stderr");
    await using peer = await Peer.connect(server.address);
    assertEquals(await peer.rest(), "here\n");
    return { server, folder };
  };
  const [one, other] = await Promise.all([startLate(), startLate()]);
  await using patient = one.server;
  using folder = one.folder;
  await using hasty = other.server;
  using _folder = other.folder;
  writeFileSync(folder.path("go"), "");
  await patient.printed(" all 5 processes run\n", "stderr");
  const endings = await Promise.all([patient.stop(), hasty.stop()]);
  for (const ending of endings) {
    assertEquals(ending.code, 0, ending.stderr);
    assertEquals(totalsIn(ending), "accepted 1 · completed 1 · failed 0 · cut 0");
  }
}, options);
