/**
 * `observe HOST:PORT` with real servers, kernels, processes and terminals, and in a network of its
 * own with real routers' messages.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import form from "../../docs/observe.schema.json" with { type: "json" };
import { parseFlags, UsageError } from "../../engine/cli/flags.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { SockDiag } from "../../engine/kernel/sock_diag.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { connect } from "../../lab/observe/connect.ts";
import { describeFailure, FAILURE_KINDS } from "../../lab/observe/connect/failure.ts";
import type { Outcome, Prober, ProbeRequest } from "../../lab/observe/connect/probe.ts";
import { RuntimeProber } from "../../lab/observe/connect/runtime_prober.ts";
import { Interrupt } from "../../lab/observe/connect/interrupt.ts";
import { Series, type SeriesPlan } from "../../lab/observe/connect/series.ts";
import { ThreadProber } from "../../lab/observe/connect/thread.ts";
import type { Address } from "../../protocol.ts";
import { serve } from "../../modes/event.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { exploreNetwork, whyNoNetwork } from "../kit/network.ts";
import { objectsIn } from "../kit/observe_lines.ts";
import { Script, type ScriptOptions } from "../kit/server_process.ts";
import {
  type Findings,
  HOSTS,
  HOSTS_SIX,
  PORT,
  ROUTERS,
  ROUTERS_SIX,
} from "../kit/small_internet.ts";
import { Terminal, whyNoTerminal } from "../kit/terminal.ts";

const noSockets = whyNoSockets();
const noKernel = whyNoKernel();
const needsKernel = { skip: noKernel, sanitize: false };
const needsSockets = { skip: noSockets, sanitize: false };

const SCRIPT = "lab/observe.ts";

/** A listener in this thread whose queue nobody empties unless the test does. */
class Listener implements Disposable {
  readonly net = sockets();
  readonly fd: number;
  readonly address: Address;
  readonly #open = new Set<number>();

  constructor(backlog = 16, hostname = "127.0.0.1") {
    this.fd = this.net.openListener({ hostname, port: 0 }, { backlog });
    this.address = this.net.localAddress(this.fd);
  }

  /** The address as a user types it. */
  get text(): string {
    return `${this.address.hostname}:${this.address.port}`;
  }

  /** Accepts the next connection. */
  async accept(): Promise<number> {
    const { POLLIN } = this.net.constants;
    await until("a connection", () => this.net.poll(this.fd, POLLIN, 0) > 0);
    const fd = this.net.accept(this.fd);
    this.#open.add(fd);
    return fd;
  }

  /** What `recv` on a connection returns, as soon as it would not wait. */
  async received(fd: number): Promise<number> {
    await until("something to read", () => this.net.poll(fd, this.net.constants.POLLIN, 0) > 0);
    return this.net.recv(fd, new Uint8Array(64));
  }

  /** Closes a connection, with a RST if it is to be. */
  close(fd: number, reset = false): void {
    const { SOL_SOCKET, SO_LINGER } = this.net.constants;
    const atOnce = new Uint8Array(Int32Array.of(1, 0).buffer);
    if (reset) this.net.setOptionBytes(fd, SOL_SOCKET, SO_LINGER, atOnce);
    this.net.close(fd);
    this.#open.delete(fd);
  }

  /** Fills the accept queue, until the kernel drops the SYNs of all who come later. */
  fill(connections: number): void {
    for (let made = 0; made < connections; made++) {
      this.#open.add(this.net.openConnection(this.address, 1_000));
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.net.close(fd);
    this.net.close(this.fd);
  }
}

/** A port on which nobody listens. */
function closedPort(): Address {
  using listener = new Listener();
  return listener.address;
}

function request(address: Address, own: Partial<ProbeRequest> = {}): ProbeRequest {
  return {
    addresses: [address],
    timeoutMs: 5_000,
    firstByteMs: 0,
    hello: false,
    rst: false,
    source: undefined,
    closeWithinMs: 1_000,
    ...own,
  };
}

/** The ways to probe that are there. */
const PROBERS: Readonly<Record<string, () => Promise<Prober & Partial<Disposable>>>> = {
  ...(noKernel === undefined && { "a thread": () => ThreadProber.start() }),
  "the runtime's sockets": () => Promise.resolve(new RuntimeProber()),
};

for (const [name, start] of Object.entries(PROBERS)) {
  test(`by ${name}, a closed port is refused and not timed out`, async () => {
    // paping #22.
    const prober = await start();
    const { failure, connectUs } = await prober.probe(request(closedPort()));
    prober[Symbol.dispose]?.();
    assertEquals(failure, { kind: "refused" });
    assert((connectUs as number) > 0);
  }, needsSockets);

  test(`by ${name}, a limit of a millisecond is one, although nobody answers`, async () => {
    // jlyo/tcping #1: it hung for 21 s.
    using listener = new Listener(0);
    listener.fill(1);
    const prober = await start();
    const { failure } = await prober.probe(request(listener.address, { timeoutMs: 1 }));
    prober[Symbol.dispose]?.();
    assert(failure?.kind === "timeout" && !failure.byKernel);
    assert(failure.afterMs >= 1 && failure.afterMs < 900, `${failure.afterMs} ms`);
  }, needsKernel);

  test(`by ${name}, a server that speaks, is silent, closes or resets is told apart`, async () => {
    using listener = new Listener();
    const prober = await start();
    const { net } = listener;
    const find = async (firstByteMs: number, act: (fd: number) => void) => {
      const found = prober.probe(request(listener.address, { firstByteMs }));
      act(await listener.accept());
      return await found;
    };
    const spoke = await find(5_000, (fd) => {
      net.send(fd, new TextEncoder().encode("*\n"));
      listener.close(fd);
    });
    const closed = await find(5_000, (fd) => listener.close(fd));
    const reset = await find(5_000, (fd) => listener.close(fd, true));
    const silent = await find(5, () => {});
    await prober.finish();
    prober[Symbol.dispose]?.();
    assertEquals([spoke, closed, reset, silent].map(({ beginning }) => beginning), [
      "spoke",
      "closed",
      undefined,
      "silent",
    ]);
    assert((spoke.firstByteUs as number) > 0 && silent.firstByteUs === undefined);
    assertEquals([spoke, closed, silent].map(({ failure }) => failure), [
      undefined,
      undefined,
      undefined,
    ]);
    // The RST may come as soon as the connection.
    assertEquals(reset.failure?.kind, "reset");
  }, needsSockets);

  test(`by ${name}, HELLO succeeds, or fails in its own ways`, async () => {
    await using server = await serve({ port: 0, protocol: "hello" });
    using listener = new Listener();
    const prober = await start();
    const hello = { hello: true, timeoutMs: 5_000 };
    const done = await prober.probe(request(server.address, hello));
    const find = async (act: (fd: number) => void) => {
      const found = prober.probe(request(listener.address, hello));
      const fd = await listener.accept();
      await listener.received(fd);
      act(fd);
      return (await found).failure?.kind;
    };
    assertEquals([done.failure, done.helloUs! > 0], [undefined, true]);
    assertEquals(
      await find((fd) => void listener.net.send(fd, new TextEncoder().encode("HTTP/1.1 400\r\n"))),
      "wrong_answer",
    );
    assertEquals(await find((fd) => listener.close(fd)), "closed");
    assertEquals(await find((fd) => listener.close(fd, true)), "reset");
    const silent = await prober.probe(request(listener.address, { hello: true, timeoutMs: 5 }));
    assertEquals(silent.failure?.kind, "silent");
    await prober.finish();
    prober[Symbol.dispose]?.();
  }, needsSockets);

  test(`by ${name}, a probe of a server that speaks first ends with FIN`, async () => {
    // ClickHouse #1851: probes that end with RST fill the server's log.
    using listener = new Listener();
    const prober = await start();
    const found = prober.probe(request(listener.address));
    const fd = await listener.accept();
    // The probe has ended, and only now does the server speak.
    await found;
    assertEquals(await listener.received(fd), 0);
    listener.net.send(fd, new Uint8Array(1000));
    listener.net.send(fd, new Uint8Array(1000));
    const { SOL_SOCKET, SO_ERROR } = listener.net.constants;
    listener.net.shutdown(fd, listener.net.constants.SHUT_WR);
    await prober.finish();
    assertEquals(listener.net.getOption(fd, SOL_SOCKET, SO_ERROR), 0);
    prober[Symbol.dispose]?.();
  }, needsSockets);
}

test("a server of two addresses is raced for, and each address has a fate", async () => {
  using listener = new Listener();
  const { port } = listener.address;
  const addresses = ["::1", "127.0.0.1", "127.0.0.2"].map((hostname) => ({ hostname, port }));
  for (const start of Object.values(PROBERS)) {
    const prober = await start();
    const found = await prober.probe(request(listener.address, { addresses }));
    await prober.finish();
    prober[Symbol.dispose]?.();
    const [first, second, third] = found.fates.map(({ fate }) => fate);
    // Where there is no IPv6, its address is not refused but unreachable.
    assertMatch(typeof first === "object" ? first.kind : "", /^(refused|unreachable)$/);
    assertEquals([second, third], ["connected", "not tried"]);
    assertEquals(found.address.hostname, "127.0.0.1");
  }
}, needsSockets);

test("a full accept queue is named, with its length, its limit and ListenOverflows", async () => {
  // agentmail-mcp #46: 512 of 511, and an idle loop.
  using listener = new Listener(2);
  listener.fill(3);
  using prober = await ThreadProber.start();
  const { failure } = await prober.probe(request(listener.address, { timeoutMs: 20 }));
  assert(failure?.kind === "timeout");
  const { waiting, limit, overflows = 0 } = failure.queue ?? {};
  assertEquals([waiting, limit, failure.syns], [3, 2, 1]);
  assert(overflows >= 1);
  assertStringIncludes(describeFailure(failure), "the accept queue is full (3 of 2)");
  assertStringIncludes(describeFailure(failure), "the next would go at 1 s");
}, needsKernel);

test("the kernel's figures of a connection are there, and --rst closes with a RST", async () => {
  using listener = new Listener();
  using prober = await ThreadProber.start();
  const { info, local, cookie } = await prober.probe(request(listener.address, { rst: true }));
  const fd = await listener.accept();
  assertEquals(await listener.received(fd), -listener.net.constants.errno.ECONNRESET);
  assertEquals(info?.state, "ESTABLISHED");
  assert(
    info !== undefined && info.rtt !== undefined && info.snd_mss !== undefined &&
      info.total_retrans === 0,
  );
  assertEquals(local?.hostname, "127.0.0.1");
  assertMatch(cookie as string, /^\d+$/);
}, needsKernel);

/** A series of attempts at a server that is named. */
function series(server: Address, own: Partial<SeriesPlan>, interrupt = new Interrupt()): Series {
  const plan: SeriesPlan = {
    server,
    family: 4,
    count: 3,
    intervalMs: 2,
    timeoutMs: 5_000,
    firstByteMs: 0,
    hello: false,
    rst: false,
    source: undefined,
    resolveEveryMs: 0,
    ...own,
  };
  return new Series(plan, new RuntimeProber(), interrupt);
}

test("a name is looked up once, and again only with --resolve-every", async () => {
  using listener = new Listener();
  const server = { hostname: "localhost", port: listener.address.port };
  const lookups = async (resolveEveryMs: number) => {
    const found = await Array.fromAsync(series(server, { resolveEveryMs }).attempts());
    return found.map(({ resolveUs }) => resolveUs !== undefined);
  };
  assertEquals(await lookups(0), [true, false, false]);
  assertEquals(await lookups(1e-6), [true, true, true]);
}, needsSockets);

test(
  "a series has an attempt for each time that is due, and ends when it is interrupted",
  async () => {
    using listener = new Listener();
    const interrupt = new Interrupt();
    const endless = series(listener.address, { count: Infinity, intervalMs: 5 }, interrupt);
    const times: number[] = [];
    for await (const { number, failure } of endless.attempts()) {
      times.push(performance.now());
      assertEquals([number, failure], [times.length, undefined]);
      if (number === 4) interrupt.end();
    }
    const { sent, ok, upMs, downMs } = endless.figures;
    assertEquals([sent, ok, downMs], [4, 4, 0]);
    // Three intervals of 5 ms lie between four attempts.
    assert(upMs >= 5, `${upMs} ms`);
  },
  needsSockets,
);

// The command.

/** The command in a process of its own. */
class Observe extends Script {
  constructor(args: readonly string[], options: ScriptOptions = {}) {
    super(SCRIPT, args, options);
  }
}

test("--json prints an object a line, the summary last, and one line says the means", async () => {
  using listener = new Listener(1024);
  const flags = ["--json", "-i", "10ms", "--first-byte", "0"];
  await using address = new Observe([listener.text, "-c", "3", ...flags]);
  await using name = new Observe(["localhost", `${listener.address.port}`, "-c", "2", ...flags]);
  const [ending, named] = [await address.end(), await name.end()];
  assertEquals([ending.code, named.code], [0, 0]);
  assertMatch(ending.stderr, /^observe: T0, any user: [^\n]+\n$/);
  const attempts = objectsIn(ending.stdout);
  const summary = attempts.pop() as Record<string, unknown>;
  assertEquals(
    attempts.map(({ type, ok, address }) => [type, ok, address]),
    Array(3).fill(["connect", true, listener.text]),
  );
  assertEquals([summary.type, summary.sent, summary.ok, summary.failures, summary.outages], [
    "summary",
    3,
    3,
    {},
    [],
  ]);
  // zhengxiaowai/tcping #15: the lookup is apart from connecting, and there is only one.
  const lookups = objectsIn(named.stdout).map((object) => "resolve_us" in object);
  assertEquals(lookups, [true, false, false]);
  assert(attempts.every((object) => !("resolve_us" in object)), "an address needs no lookup");
}, needsSockets);

test("Ctrl-C ends a connect that hangs, with statistics and without NaN", async () => {
  // jlyo/tcping #1 and pouriyajamshidi/tcping #81.
  using listener = new Listener(0);
  listener.fill(1);
  const run = (...flags: string[]) =>
    new Observe([listener.text, "--connect-timeout", "5m", ...flags]);
  await using text = run();
  await using json = run("--json");
  using diag = new SockDiag();
  const hanging = () =>
    diag.sockets({ port: listener.address.port, either: true, states: ["SYN_SENT"] }).length;
  await until("both to hang", () => hanging() === 2);
  text.signal("SIGINT");
  json.signal("SIGTERM");
  const [one, other] = [await text.end(5_000), await json.end(5_000)];
  assertEquals([one.code, other.code], [1, 1]);
  assertMatch(one.stdout, /\n[\d.]+:\d+: 1 sent, 0 ok, 1 under way\n$/);
  assertNotMatch(one.stdout + other.stdout, /NaN|Infinity|null|connect: min/);
  const [summary] = objectsIn(other.stdout);
  assertEquals([summary?.type, summary?.sent, summary?.ok, summary?.duration_us], [
    "summary",
    1,
    0,
    0,
  ]);
}, needsKernel);

test("lines come out at once into a pipe, and a reader who leaves ends it quietly", async () => {
  // bcc #5142: output into a pipe that comes late.
  using listener = new Listener(1024);
  await using endless = new Observe([listener.text, "-i", "5ms", "--first-byte", "0"]);
  await endless.printed("#2 ");
  endless.hangUp();
  const { code, stderr } = await endless.end();
  assertEquals([code, stderr], [0, ""]);
}, needsSockets);

test("IPv6 addresses are understood with brackets and without", async () => {
  // cloverstd/tcping #38.
  const { port } = closedPort();
  const run = (...args: string[]) => new Observe([...args, "-c", "1"]);
  await using bare = run("::1", `${port}`);
  await using brackets = run(`[::1]:${port}`);
  for (const { code, stdout } of [await bare.end(), await brackets.end()]) {
    assertEquals(code, 3);
    assertStringIncludes(stdout, `#1 [::1]:${port} failed`);
  }
}, needsSockets);

test("what is wrong with a command line is said before anything is sent", async () => {
  const { command, perform } = connect();
  const WRONG: readonly (readonly [string, string])[] = [
    ["::1", "[::1]:443 or ::1 443"],
    ["localhost", "expected HOST:PORT"],
    ["127.0.0.1:0", "expected HOST:PORT"],
    ["-4 ::1 80", "::1 is no IPv4 address"],
    ["-6 127.0.0.1:80", "127.0.0.1 is no IPv6 address"],
    ["-4 -6 localhost:80", "exclude each other"],
    ["localhost:80 --json --csv", "exclude each other"],
    ["localhost:80 --source example", "expected an address"],
    ["localhost:80 --source ::1 -4", "is an IPv6 address, and -4"],
    ["localhost:80 --max-hops 3", "only for --path"],
    ["localhost:80 --path --hello", "--hello is not for --path"],
    ["127.0.0.1:80 --source 192.0.2.77", noKernel ?? "not an address of this machine"],
  ];
  for (const [line, why] of WRONG) {
    const values = parseFlags(command, line.split(" "));
    const { message } = await assertRejects(() => perform(values), UsageError);
    assertStringIncludes(message, why);
  }
}, needsSockets);

test("--csv and --record write what was found, and a replay shows it", async () => {
  using listener = new Listener(1024);
  using folder = new Folder();
  const file = folder.path("connect.jsonl");
  const flags = ["-c", "2", "-i", "5ms", "--first-byte", "0", "--csv", "--record", file];
  await using table = new Observe([listener.text, ...flags]);
  const { code, stdout } = await table.end();
  assertEquals(code, 0);
  const rows = stdout.trimEnd().split("\n").map((row) => row.split(","));
  assertEquals(rows.map((row) => row.length), [14, 14, 14]);
  assertEquals(rows[1]?.slice(1, 4), ["1", "true", listener.text]);
  const { events, header } = readRecording(readFileSync(file, "utf8"), file);
  const of = (wanted: string) => events.filter(({ type }) => type === wanted).length;
  assertEquals([header.by, header.tier, of("note")], ["observe", "T0", 2]);
  if (noKernel === undefined) assertEquals(of("socket"), 2);
}, needsSockets);

test("without foreign functions the runtime's sockets are used, and one line says so", async () => {
  using listener = new Listener(1024);
  const permissions = ["net", "read", "env", "sys", "run"].map((name) => `--allow-${name}`);
  const run = (...flags: string[]) =>
    new Observe([listener.text, "-c", "1", "--first-byte", "0", ...flags], { permissions });
  await using json = run("--json");
  await using path = run("--path");
  const { code, stdout, stderr } = await json.end();
  const [attempt, summary] = objectsIn(stdout);
  assertEquals([code, attempt?.ok, "tcp" in attempt!, summary?.ok], [0, true, false, 1]);
  assertMatch(stderr, /^observe: T0, .*no figures of the kernel: no permission [^\n]+\n$/);
  const refused = await path.end();
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "--path cannot be used here: no permission");
}, {
  skip: noSockets ?? (runtime.name === "deno" ? undefined : "Bun has no permissions"),
  sanitize: false,
});

test("on a terminal Enter prints the statistics so far, and Ctrl-C ends with them", async () => {
  using listener = new Listener(1);
  await using terminal = await Terminal.open(SCRIPT, [
    listener.text,
    ...["--first-byte", "0", "-i", "10ms", "--connect-timeout", "5m"],
  ], { columns: 100, rows: 60 });
  // The queue takes two. The third attempt hangs.
  await terminal.shows("#2 ");
  const so = "3 sent, 2 ok, 1 under way";
  const told = async () => (await terminal.screen()).join("\n").split(so).length - 1;
  await until("statistics of the third attempt", async () => {
    await terminal.press("Enter");
    return await told() > 0;
  });
  const before = await told();
  await terminal.press("C-c");
  assertEquals(await terminal.end(), 0);
  assert(await told() > before);
  const screen = (await terminal.screen()).join("\n");
  assertMatch(screen, /^[▁▂▃▄▅▆▇█]{2}$/m);
}, { skip: noKernel ?? whyNoTerminal, sanitize: false });

// The documentation.

const lesson = readFileSync(new URL("../../docs/observe.md", import.meta.url), "utf8");

/** The blocks of the documentation in a language, in order. */
function blocksOf(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
  return [...lesson.matchAll(pattern)].map(([, text]) => text as string);
}

/** An output without what differs from run to run: times and ports, and figures of the kernel. */
function shapeOf(output: string): string {
  return output.replace(/[\d.]+ (µs|ms|s)\b/g, "0 s").replace(/\b\d+(\.\d+)?\b/g, "0")
    // How many SYNs the kernel sends, and when, is a setting.
    .replace(/at (0, )*0 s and/, "at 0 s and");
}

test("the documentation shows what the command prints", async () => {
  await using server = await serve({ port: 0, protocol: "frame" });
  using full = new Listener(2);
  full.fill(3);
  const closed = `127.0.0.1:${closedPort().port}`;
  await using good = new Observe([
    `127.0.0.1:${server.address.port}`,
    ...["-c", "3", "-i", "100ms"],
  ]);
  await using refused = new Observe([closed, "-c", "1"]);
  await using late = new Observe([full.text, "-c", "1", "--connect-timeout", "20ms"]);
  await using json = new Observe([closed, "-c", "1", "--json"]);
  const endings = await Promise.all([good, refused, late, json].map((script) => script.end()));
  // cloverstd/tcping #34: all attempts fail and the status is 0.
  assertEquals(endings.map(({ code }) => code), [0, 3, 4, 3]);
  const [series, ...others] = endings.map(({ stdout }) => stdout) as [string, ...string[]];
  const attempts = others.slice(0, 2).map((text) => `${text.split("\n")[1]}\n`);
  const blocks = blocksOf("console");
  assertEquals([series, ...attempts].map(shapeOf), blocks.slice(0, 3).map(shapeOf));
  const [objects] = blocksOf("json") as [string];
  const keysOf = (text: string) => objectsIn(text).map((object) => Object.keys(object));
  assertEquals(keysOf(others[2] as string), keysOf(objects));
  const [attempt, summary] = objectsIn(others[2] as string);
  assertEquals([attempt?.failure, attempt?.evidence], ["refused", { by: "rst" }]);
  assertEquals([summary?.ok, summary?.failures], [0, { refused: 1 }]);
}, needsKernel);

test("the documentation names every failure", () => {
  const [section = ""] = /^### How it fails$.*?(?=^### )/ms.exec(lesson) ?? [];
  const [, ...rows] = [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, kind]) => kind);
  assertEquals(rows, form.$defs.failure.enum);
  assertEquals([...rows].sort(), [...FAILURE_KINDS].sort());
});

// A network of its own.

const network = { skip: noKernel ?? whyNoNetwork(), sanitize: false, timeoutMs: 60_000 };

let findings: Promise<Findings> | undefined;

/** What was found in that network, which is made once. */
function found(): Promise<Findings> {
  return findings ??= exploreNetwork();
}

/** The failure of an attempt, and the message of ICMP behind it. */
function evidence({ failure }: Outcome): unknown[] {
  const icmp = failure !== undefined && "icmp" in failure ? failure.icmp : undefined;
  return [failure?.kind, icmp?.type, icmp?.code, icmp?.by];
}

test("ICMP errors are told apart, with the address of the router that sent them", async () => {
  const findings = await found();
  const { connected, refusedByRst, refusedByIcmp, unreachable, filtered, noRoute } = findings;
  const { connectedSix, filteredSix, timeout } = findings;
  assertEquals(connected.failure, undefined);
  assertEquals(evidence(refusedByRst), ["refused", undefined, undefined, undefined]);
  assertEquals(evidence(refusedByIcmp), ["refused", 3, 3, HOSTS.portless]);
  assertEquals(evidence(unreachable), ["unreachable", 3, 1, ROUTERS[1]]);
  assertEquals(evidence(filtered), ["filtered", 3, 13, ROUTERS[2]]);
  assertEquals(connectedSix.failure, undefined);
  assertEquals(evidence(filteredSix), ["filtered", 1, 1, ROUTERS_SIX[1]]);
  assertEquals(evidence(noRoute), ["unreachable", undefined, undefined, undefined]);
  assertStringIncludes(
    describeFailure(filtered.failure!),
    `ICMP 3/13 (administratively prohibited) from ${ROUTERS[2]}`,
  );
  assertStringIncludes(describeFailure(noRoute.failure!), "this machine that has no route");
  assert(timeout.failure?.kind === "timeout");
  assertEquals([timeout.failure.syns, timeout.failure.queue], [1, undefined]);
}, network);

test("a socket that meets itself is a failure, and so is a machine without ports", async () => {
  const { self, lastPort, noPort } = await found();
  assertEquals(self.failure?.kind, "self");
  assertEquals(self.local, self.address);
  assertEquals(lastPort.failure, undefined);
  assert(noPort.failure?.kind === "no_ports");
  assertEquals(noPort.failure.range, [40001, 40001]);
  assert((noPort.failure.timeWait ?? 0) >= 1);
}, network);

test("the first address has its head start, and then the next one is tried", async () => {
  const { slowEyeballs, eyeballs } = await found();
  assertEquals(slowEyeballs.fates.map(({ fate }) => fate), [
    "under way",
    "connected",
    "not tried",
  ]);
  assertEquals(eyeballs.address.hostname, "127.0.0.1");
}, network);

test("a name that is not there, a resolver that fails, and the file of hosts", async () => {
  const { missing, broken, four, both } = await found();
  assertEquals(missing.failure, { kind: "name_not_found" });
  assertEquals(broken.failure, { kind: "name_unresolved" });
  // pouriyajamshidi/tcping #299: -4 that ignores the file of hosts.
  assertEquals(four.addresses.map(({ hostname }) => hostname), ["127.0.0.2"]);
  assertEquals(both.addresses.map(({ hostname }) => hostname).sort(), ["127.0.0.1", "::1"]);
}, network);

test("Ctrl-C ends the command while its name is looked up", async () => {
  const { code, stdout } = (await found()).resolving;
  assertEquals(code, 1);
  assertMatch(stdout, /^silent\.test:80: 1 sent, 0 ok, 1 under way$/m);
}, network);

test("--path finds each router, and connected, refused and filtered end the way", async () => {
  // mtr #425: the TTL of a probe is ignored.
  const { pathReached, pathRefused, pathFiltered, pathSilent, pathSix } = await found();
  assertEquals([pathReached, pathRefused, pathFiltered, pathSilent].map(({ code }) => code), [
    0,
    0,
    3,
    4,
  ]);
  const objects = objectsIn(pathReached.stdout) as {
    readonly type: string;
    readonly hop: number;
    readonly probes: readonly { readonly by: string; readonly result: string }[];
  }[];
  const path = objects.pop() as unknown as Record<string, unknown>;
  assertEquals(objects.map(({ hop, probes }) => [hop, ...probes.map(({ by }) => by)]), [
    ...ROUTERS.map((router, index) => [index + 1, router, router, router]),
    [4, HOSTS.real, HOSTS.real, HOSTS.real],
  ]);
  assertEquals([path.type, path.reached, path.hops, path.by], ["path", true, 4, "connected"]);
  assertStringIncludes(pathRefused.stdout, `${HOSTS.real}:1 was reached after 4 hops: refused`);
  assertStringIncludes(
    pathFiltered.stdout,
    `${HOSTS.filtered}:${PORT} was not reached after 3 hops: filtered: ICMP 3/13`,
  );
  assertStringIncludes(pathSilent.stdout, "  4  *\n");
  const hops = [...pathSix.stdout.matchAll(/^ +\d+ {2}(\S+)/gm)].map(([, by]) => by);
  assertEquals([pathSix.code, hops], [0, [...ROUTERS_SIX, HOSTS_SIX.real]]);
  const shown = [pathRefused, pathFiltered].map(({ stdout }) => shapeOf(stdout));
  assertEquals(shown, blocksOf("console").slice(3).map(shapeOf));
}, network);
