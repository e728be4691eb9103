/**
 * Unix domain sockets, in every mode that has the descriptors of its connections.
 *
 * @module
 */

import { existsSync, lstatSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { BlockingDialer, type Dialer, EventDialer } from "../../engine/dial/dialer.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { helloClient } from "../../protocol.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, test, until, within } from "../kit/harness.ts";
import { type Row, ROWS } from "../kit/rows.ts";
import { type Ending, Script, totalsIn } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

const LIMITS = { readTimeoutMs: 5_000, sessionTimeoutMs: 5_000, computeTimeoutMs: 0 };

const here = {
  skip: whyNoSockets() ??
    (runtime.os === "linux" ? undefined : "the accept queue is tried on Linux"),
};

/** The rows whose connections have descriptors, and those that have not. */
const isByDescriptor = ({ mode, args }: Row) =>
  mode !== "event" && mode !== "cluster" && !args.includes("message");
const DESCRIPTOR_ROWS = ROWS.filter((row) =>
  isByDescriptor(row) && row.name !== "nonblocking computing in place"
);

/** A server on a Unix domain socket. */
class UnixServer extends Script {
  readonly hostname: string;

  constructor(mode: string, path: string, args: readonly string[] = [], cwd?: string) {
    const more = cwd === undefined ? {} : { cwd };
    super(`modes/${mode}.ts`, ["--host", `unix:${path}`, "--protocol", "hello", ...args], more);
    this.hostname = `unix:${path}`;
  }

  static async start(...parts: ConstructorParameters<typeof UnixServer>): Promise<UnixServer> {
    const server = new UnixServer(...parts);
    await server.printed(`Listening on ${server.hostname} · ${parts[0]} · `);
    return server;
  }

  stop(): Promise<Ending> {
    this.signal("SIGTERM");
    return this.end();
  }
}

async function shake(dialer: Dialer, hostname: string): Promise<number> {
  const call = await dialer.dial({ hostname, port: 0 }, 5_000);
  return await call.converse(helloClient(100));
}

/** A client that may keep silent. */
async function call(path: string): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  await within(5_000, "a connection", new Promise((resolve) => socket.once("connect", resolve)));
  return socket;
}

/** Everything that comes until FIN; fails when there is a reset. */
function rest(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  socket.setEncoding("latin1").on("data", (part) => text += part).on("error", reject)
    .on("end", () => resolve(text));
  return within(10_000, "FIN", promise).finally(() => socket.destroy());
}

/** A server of a row, from its start to its end, with clients that still wait when it closes. */
async function serveAndDrain({ mode, args }: Row): Promise<void> {
  using folder = new Folder();
  const path = folder.path("s");
  await using server = await UnixServer.start(mode, path, [...args, "--read-timeout", "5s"]);
  assertEquals(lstatSync(path).mode & 0o777, 0o660);
  using events = new EventDialer(LIMITS);
  using blocking = new BlockingDialer(LIMITS);
  assertEquals(await shake(events, server.hostname), 101);
  assertEquals(await shake(blocking, server.hostname), 101);
  // It is gone as soon as it has written, and nobody may wait for it.
  (await call(path)).end("HELLO 1\n").destroySoon();
  await server.printed(": peer gone: ", "stderr");

  // In most modes some of them are served now, and the others wait in a queue.
  const clients = await Promise.all(Array.from({ length: 12 }, () => call(path)));
  for (const client of clients) client.write("HELLO 1\n");
  const stopped = server.stop();
  await until("the file to go", () => !existsSync(path));
  const all = clients.map((client) => {
    client.end("HELLO 3\n");
    return rest(client);
  });
  assertEquals(await Promise.all(all), clients.map(() => "HELLO 2\n"));
  const { code, stderr } = await stopped;
  assertEquals(code, 0);
  assertMatch(totalsIn({ stderr }), /^accepted 15 · completed 14 · failed 1 /);
  assertMatch(stderr, new RegExp(`accepted unix:pid=${process.pid},uid=${process.getuid?.()}\n`));
}

const once = takeTurns(0, test);
for (const row of DESCRIPTOR_ROWS) {
  once(
    `${row.name} serves a Unix domain socket, and drains it without losing anybody`,
    async () => {
      await serveAndDrain(row);
    },
    here,
  );
}

test("a read over a Unix domain socket has its limit", async () => {
  await Promise.all(["sequential", "nonblocking"].map(async (mode) => {
    using folder = new Folder();
    await using server = await UnixServer.start(mode, folder.path("s"), [
      "--read-timeout",
      "100ms",
    ]);
    await rest(await call(folder.path("s")));
    await server.printed("read timeout: ", "stderr");
  }));
}, here);

test(
  "a file of a server that was killed is taken away, by one of those who start at once",
  async () => {
    using folder = new Folder();
    const path = folder.path("s");
    await using first = await UnixServer.start("sequential", path);
    await using second = new UnixServer("sequential", path);
    const inUse =
      `sequential: Cannot listen on unix:${path}: address already in use (EADDRINUSE)\n`;
    const { code, stderr } = await second.end();
    assertEquals([code, stderr], [1, inUse]);
    first.signal("SIGKILL");
    await first.ended;
    assert(existsSync(path));

    const starting = Array.from({ length: 3 }, () => new UnixServer("sequential", path));
    try {
      const listening = () => starting.filter(({ stdout }) => stdout.includes("Listening"));
      await until("all but one to end", () => starting.filter(({ isOver }) => isOver).length === 2);
      await until("one to listen", () => listening().length > 0);
      assertEquals(listening().length, 1);
      const losers = await Promise.all(
        starting.filter((server) => !listening().includes(server)).map((server) => server.end()),
      );
      assertEquals(losers.map(({ stderr }) => stderr), [inUse, inUse]);
      using events = new EventDialer(LIMITS);
      assertEquals(await shake(events, `unix:${path}`), 101);
      await listening()[0]?.stop();
      assertEquals(folder.names, []);
    } finally {
      for (const server of starting) await server[Symbol.asyncDispose]();
    }
  },
  here,
);

test("a file that is no socket, or is another one than the server's, is left alone", async () => {
  using folder = new Folder();
  const [plain, replaced] = [folder.path("plain"), folder.path("replaced")];
  writeFileSync(plain, "precious");
  await using refused = new UnixServer("nonblocking", plain);
  await using server = await UnixServer.start("nonblocking", replaced);
  renameSync(replaced, folder.path("moved"));
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(replaced, () => resolve()));
  const { code, stderr } = await refused.end();
  const why = "there is a file of that name, and it is no socket";
  assertEquals([code, stderr], [1, `nonblocking: Cannot listen on unix:${plain}: ${why}\n`]);
  assertEquals(readFileSync(plain, "utf8"), "precious");
  await server.stop();
  assertEquals(folder.names, ["moved", "plain", "replaced"]);
  await new Promise((resolve) => other.close(resolve));
}, here);

test("a relative path and an abstract name work, and bench finds the server", async () => {
  using folder = new Folder();
  const name = `@handshake-${runtime.name}-${Date.now()}`;
  await using relative = await UnixServer.start("threadpool", "s", [], folder.path(""));
  await using abstract = await UnixServer.start("berkeley", name, ["--workers", "1"]);
  assertMatch(abstract.stdout, / · Unix domain socket only · /);
  await using client = new Script("client.ts", [`unix:${folder.path("s")}`, "7", "--blocking"]);
  await using other = new Script("client.ts", [`unix:${name}`, "7", "--verbose"]);
  await using bench = new Script("lab/bench.ts", [
    ...[`unix:${name}`, "-n", "20", "-c", "2", "--no-floor", "--json"],
  ]);
  assertEquals((await client.end()).stdout, "HELLO 8\n");
  const verbose = await other.end();
  assertEquals(verbose.stdout, "HELLO 8\n");
  assertMatch(verbose.stderr, new RegExp(`connected to unix:${name} from unix:\n`));
  const { stdout, code } = await bench.end();
  assertEquals(code, 0);
  const [run] = JSON.parse(stdout).runs;
  assertEquals([run.name, run.requests, run.errors], [`unix:${name}`, 20, {}]);
  assert(run.server !== null, "bench has not found the server's process");
  await relative.stop();
  assertEquals(folder.names, []);
}, here);

test("what has no place on a Unix domain socket is refused in one sentence", async () => {
  using folder = new Folder();
  const host = `unix:${folder.path("s")}`;
  const long = `unix:/${"x".repeat(120)}`;
  const listens =
    /\w+: Cannot use host unix:.*: this server has the runtime's own listener, and only sequential, /;
  const cases: readonly [script: string, args: readonly string[], code: number, said: RegExp][] = [
    ["modes/event.ts", ["--host", host], 2, listens],
    ["modes/cluster.ts", ["--host", host], 2, listens],
    ["modes/threaded.ts", ["--host", host, "--handoff", "message"], 2, listens],
    ["chat/server.ts", ["--host", host], 2, listens],
    [
      "modes/sequential.ts",
      ["8080", "--host", host],
      2,
      /: Cannot use port with host unix:.*: it has none/,
    ],
    ["modes/sequential.ts", ["--host", host, "--log-syn"], 2, /: a Unix domain socket has no SYN/],
    [
      "modes/sequential.ts",
      ["--host", long],
      2,
      /: the system has room for 107 bytes, and this one has 121: /,
    ],
    ["client.ts", [long, "1"], 2, /: the system has room for 107 bytes, and this one has 121: /],
    [
      "client.ts",
      [host, "hi", "--protocol", "echo", "--udp"],
      2,
      /: --udp needs a host and a port/,
    ],
    [
      "client.ts",
      [host, "1"],
      3,
      /: Cannot connect to unix:.*: no such file or directory \(ENOENT\)/,
    ],
    ["lab/observe.ts", [host], 2, /: observe shows TCP, and a Unix domain socket has no handshake/],
  ];
  await Promise.all(cases.map(async ([script, args, code, said]) => {
    await using program = new Script(script, args);
    const ending = await program.end();
    assertMatch(ending.stderr, said);
    assertEquals(ending.code, code);
  }));
  assertEquals(folder.names, []);
}, here);
