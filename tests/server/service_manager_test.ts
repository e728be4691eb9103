/**
 * A server as a service: what it tells the manager that has started it, and when it is thought to be
 * stuck. The unit files of the documentation are started by a small manager.
 *
 * @module
 */

import { existsSync, mkdirSync } from "node:fs";
import process from "node:process";
import { whyNoCommonMemory } from "../../engine/net/common_memory.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { AT_REST, Pulse } from "../../engine/drivers/pulse.ts";
import { Stillness } from "../../engine/server/statistics/stillness.ts";
import { findFreePort } from "../../lab/free_port.ts";
import { type Address, formatAddress } from "../../protocol.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { get, scrape } from "../kit/metrics.ts";
import { Peer } from "../kit/peer.ts";
import { ROWS, testTogether } from "../kit/rows.ts";
import { ServiceManager, Unit } from "../kit/service_manager.ts";
import { commandOf, Program, Script, whyNoProgram } from "../kit/server_process.ts";
import { isOurs } from "../kit/turns.ts";

const skip = runtime.os === "linux" ? whyNoSockets() : "systemd is of Linux";
const SPIN = "tests/kit/protocols/spin.ts";

const SERVICE = "docs/deploy/handshake.service";

/** The command of the unit, with this runtime in place of the executable. */
function commandOfUnit(unit: Unit, folder: string, metrics: Address): string[] {
  const [program = "", ...args] = unit.command("ExecStart", { "%t": folder });
  assertEquals(program, "/usr/local/bin/handshake");
  const own = args.map((word, index) =>
    args[index - 1] === "--metrics" ? formatAddress(metrics) : word
  );
  return commandOf("main.ts", own);
}

/** A name for a manager's socket that no other has. */
function abstractName(): string {
  return `@handshake-${process.pid}-${names++}`;
}

let names = 0;

async function echoes(address: Address): Promise<void> {
  await using peer = await Peer.connect(address);
  await peer.send("hello\n");
  assertEquals(await peer.line(), "hello");
}

test("the unit's command serves the socket that it is given, is reloaded, and stops", async () => {
  using folder = new Folder();
  const unit = new Unit(SERVICE);
  assertEquals(unit.get("RuntimeDirectory"), "handshake");
  mkdirSync(folder.path("handshake"), { mode: Number(`0o${unit.get("RuntimeDirectoryMode")}`) });
  await using manager = new ServiceManager(folder.path("notify"));
  const metrics = await findFreePort("127.0.0.1");
  const service = manager.start({
    command: commandOfUnit(unit, folder.path(""), metrics),
    watchdogMicroseconds: 400_000,
  });
  await manager.heard("READY=1");
  await service.printed("\n");
  const { hostname, port } = manager.address;
  assertStringIncludes(service.stdout, `Listening on ${hostname}:${port} · threadpool · echo · `);
  assert(manager.told.includes(`STATUS=serving on ${hostname}:${port} · live 0 · accepted 0`));
  assert(!manager.told.some((line) => line.startsWith("MAINPID")));
  await echoes(manager.address);
  await manager.heard("WATCHDOG=1", 3);

  // Somebody is connected all the time.
  await using peer = await Peer.connect(manager.address);
  await peer.send("before\n");
  assertEquals(await peer.line(), "before");
  const [kill = "", ...args] = unit.command("ExecReload", { "$MAINPID": `${service.pid}` });
  await using reload = new Program([kill, ...args]);
  assertEquals((await reload.end()).code, 0);
  await manager.heard("READY=1", 2);
  const main = manager.told.find((line) => line.startsWith("MAINPID="))?.slice("MAINPID=".length);
  assert(main !== undefined && main !== `${service.pid}`, `${main}`);
  // The new one answers at the same port.
  await until("the new one to tell metrics", async () => {
    const found = await scrape(metrics).catch(() => undefined);
    return found?.get("handshake_connections_accepted_total") === 0;
  });
  assertEquals((await get(metrics, "/healthz")).status, 200);
  await peer.send("after\n");
  assertEquals(await peer.line(), "after");
  peer.finish();
  await until("the old process to end", () => !existsSync(`/proc/${service.pid}/fd/0`));
  await echoes(manager.address);
  // The old one has not said that the service stops, and the new one feeds the watchdog.
  assertEquals(manager.count("STOPPING=1"), 0);
  await manager.heard("WATCHDOG=1", manager.count("WATCHDOG=1") + 3);
  process.kill(Number(main), "SIGTERM");
  await manager.heard("STOPPING=1");
  assert(manager.told.at(-1)?.startsWith("STATUS=finishing on "), manager.told.at(-1));
  await service.end();
}, { skip, sanitize: false, timeoutMs: 40_000 });

test("the unit files are in order, and the service can do little harm", async () => {
  using folder = new Folder();
  // The executable is not there, and nothing is started.
  await using copy = new Program([
    "sh",
    "-c",
    `sed 's|/usr/local/bin/handshake|/bin/true|' ${SERVICE} >'${
      folder.path("handshake.service")
    }' && cp docs/deploy/handshake.socket '${folder.path("handshake.socket")}'`,
  ]);
  assertEquals((await copy.end()).code, 0);
  const files = [folder.path("handshake.service"), folder.path("handshake.socket")];
  await using verify = new Program(["systemd-analyze", "verify", ...files]);
  assertEquals(await verify.end().then(({ code, stderr }) => [code, stderr]), [0, ""]);
  await using security = new Program([
    "systemd-analyze",
    "security",
    "--offline=yes",
    "--threshold=20",
    files[0] as string,
  ]);
  const { code, stdout } = await security.end();
  assertEquals([code, /level for handshake.service: (.*) OK/.test(stdout)], [0, true]);
  const unit = new Unit(SERVICE);
  const [, drain] = /--drain (\d+)s/.exec(unit.get("ExecStart")) ?? [];
  assert(unit.microseconds("TimeoutStopSec") > Number(drain) * 1_000_000);
}, { skip: skip ?? whyNoProgram("systemd-analyze") });

/** Threads with descriptors and with messages, and loops of the main thread and of a Worker. */
const WAYS = ROWS.filter(({ name }) =>
  ["threadpool by descriptors", "threadpool by messages", "event", "nonblocking"].includes(name)
).filter((_, index) => isOurs(index));

testTogether(
  "the watchdog is fed while clients wait and compute, and not while a conversation is stuck",
  skip === undefined ? WAYS : [],
  async ({ mode, args, name }) => {
    // An abstract socket will do as well.
    await using manager = new ServiceManager(abstractName());
    const flags = args.filter((word, index) =>
      word !== "--protocol" && args[index - 1] !== "--protocol"
    );
    const service = manager.start({
      command: commandOf(`modes/${mode}.ts`, [
        "0",
        ...flags,
        "--protocol",
        SPIN,
        "--drain",
        "0",
      ]),
      passesSocket: false,
      watchdogMicroseconds: 300_000,
    });
    await manager.heard("READY=1");
    await service.printed("\n");
    const [, port] = /^Listening on [^ ]*:(\d+) /.exec(service.stdout) ?? [];
    const address = { hostname: "127.0.0.1", port: Number(port) };
    // Who waits for a client is not stuck.
    await using idle = await Peer.connect(address);
    await idle.send("hello\n");
    assertEquals(await idle.line(), "hello");
    await manager.heard("WATCHDOG=1", manager.count("WATCHDOG=1") + 4);
    await using _other = name === "sequential" ? undefined : await Peer.connect(address);
    await idle.send("spin\n");
    const isOnMain = mode === "event";
    if (!isOnMain) {
      await until("it to be told", () => service.stderr.includes("is stuck: the watchdog"));
      assertMatch(
        service.stderr,
        /(thread|event loop) \d+ is stuck: the watchdog of the service manager is fed no more/,
      );
    }
    // What was sent before may still come.
    let count = -1;
    await until("nothing more to come", async () => {
      const before = count;
      count = manager.count("WATCHDOG=1");
      await new Promise((resolve) => setTimeout(resolve, 200));
      return count === before;
    });
    service.signal("SIGKILL");
    await service.ended;
  },
  4,
);

test("a process that is stuck is no reason to end the others, but all of them are", async () => {
  await using manager = new ServiceManager(abstractName());
  const flags = ["0", "--workers", "2", "--protocol", SPIN, "--drain", "0"];
  const service = manager.start({
    command: commandOf("modes/prefork.ts", flags),
    passesSocket: false,
    watchdogMicroseconds: 300_000,
  });
  await manager.heard("READY=1");
  await service.printed("\n");
  const [, port] = /^Listening on [^ ]*:(\d+) /.exec(service.stdout) ?? [];
  const spin = async () => {
    const peer = await Peer.connect({ hostname: "127.0.0.1", port: Number(port) });
    await peer.send("hello\n");
    assertEquals(await peer.line(), "hello");
    await peer.send("spin\n");
    return peer;
  };
  await using _one = await spin();
  // Longer than the watchdog waits.
  await manager.heard("WATCHDOG=1", manager.count("WATCHDOG=1") + 10);
  assert(!service.stderr.includes("is stuck"), service.stderr);
  await using _other = await spin();
  await until("it to be told", () => service.stderr.includes("every process is stuck"));
  service.signal("SIGKILL");
  await service.ended;
}, { skip: skip ?? whyNoCommonMemory(), sanitize: false });

test("a thread that computes a task within its limit is well", async () => {
  const ways = [["threadpool", "--handoff", "fd"], ["threadpool", "--handoff", "message"]];
  await Promise.all(ways.map(async ([mode, ...args]) => {
    await using manager = new ServiceManager(abstractName());
    const flags = ["0", ...args, "--protocol", "frame", "--drain", "0"];
    const service = manager.start({
      command: commandOf(`modes/${mode}.ts`, flags),
      passesSocket: false,
      watchdogMicroseconds: 200_000,
    });
    await manager.heard("READY=1");
    await service.printed("\n");
    const [, port] = /^Listening on [^ ]*:(\d+) /.exec(service.stdout) ?? [];
    await using peer = await Peer.connect({ hostname: "127.0.0.1", port: Number(port) });
    // It takes minutes.
    await peer.send("^P18446744073709551557$");
    assertEquals(await peer.take(1), "*");
    await manager.heard("WATCHDOG=1", manager.count("WATCHDOG=1") + 5);
    assert(!service.stderr.includes("is stuck"), service.stderr);
  }));
}, { skip, sanitize: false });

test("without a watchdog, or with one for another process, nothing is fed", async () => {
  const started = await Promise.all(
    ["WATCHDOG_PID=1 WATCHDOG_USEC=100000", "WATCHDOG_USEC=0", ""].map(async (variables) => {
      const manager = new ServiceManager(abstractName());
      const command = commandOf("modes/event.ts", ["0", "--quiet"]);
      manager.start({
        command: ["env", "-u", "WATCHDOG_PID", ...variables.split(" ").filter(Boolean), ...command],
        passesSocket: false,
      });
      await manager.heard("READY=1");
      return manager;
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 150));
  for (const manager of started) {
    assertEquals(manager.count("WATCHDOG=1"), 0);
    await manager[Symbol.asyncDispose]();
  }
}, { skip, sanitize: false });

test("a manager that cannot be told harms nothing, and the log says so once", async () => {
  using folder = new Folder();
  const wrong = [folder.path("nobody"), "vsock:2:1234", "relative"];
  await Promise.all(wrong.map(async (socket) => {
    await using script = new Script("modes/event.ts", ["0"], {
      environment: { ...process.env as Record<string, string>, NOTIFY_SOCKET: socket },
    });
    await script.printed("cannot be told", "stderr");
    await script.printed("\n");
    script.signal("SIGTERM");
    const { code, stderr } = await script.end();
    assertEquals(code, 0);
    assertEquals(stderr.split("the service manager cannot be told").length, 2, stderr);
  }));
}, { skip, sanitize: false });

test("the chat tells its manager too, and its metrics say that it drains", async () => {
  await using manager = new ServiceManager(abstractName());
  const service = manager.start({
    command: commandOf("chat/server.ts", ["0", "--metrics", "0", "--drain", "20s"]),
    passesSocket: false,
    watchdogMicroseconds: 200_000,
  });
  await manager.heard("READY=1");
  await manager.heard("WATCHDOG=1", 2);
  await service.printed("\n");
  const [, port] = / metrics at http:\/\/127\.0\.0\.1:(\d+)\//.exec(service.stdout) ?? [];
  const [, own] = /^Listening on 127\.0\.0\.1:(\d+) /.exec(service.stdout) ?? [];
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port: Number(own) });
  await peer.line();
  service.signal("SIGTERM");
  await manager.heard("STOPPING=1");
  const { status } = await get({ hostname: "127.0.0.1", port: Number(port) }, "/healthz");
  assertEquals(status, 503);
  service.signal("SIGTERM");
  await service.ended;
}, { skip, sanitize: false });

test("a pulse is still only while its thread stays in the same code", () => {
  const word = new Int32Array(1);
  const pulse = new Pulse(word);
  const stillness = new Stillness();
  assertEquals(stillness.look([...word], 10), [0]);
  pulse.works();
  assert(word[0] !== AT_REST);
  assertEquals([stillness.look([...word], 10), stillness.look([...word], 10)], [[0], [10]]);
  pulse.rests();
  pulse.works();
  assertEquals(stillness.look([...word], 10), [0]);
  pulse.rests();
  assertEquals([stillness.look([...word], 10), stillness.look([...word], 10)], [[0], [0]]);
}, { pure: true });
