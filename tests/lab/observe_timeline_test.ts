/**
 * `observe timeline` as users run it: against real servers, with the packets of the real loopback,
 * in the sandbox, and without either.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import type { Event, PacketEvent } from "../../engine/recording/events.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { SockDiag } from "../../engine/kernel/sock_diag.ts";
import { saveSyns, takeSavedSyn } from "../../engine/kernel/saved_syn.ts";
import type { TcpState } from "../../engine/kernel/tcp_states.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { formatAddress } from "../../protocol.ts";
import { PacketCapture, whyNoCapture } from "../../lab/observe/capture.ts";
import { conversationsIn } from "../../lab/observe/conversations.ts";
import { whyNoSandbox } from "../../lab/observe/sandbox.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { AS_NOBODY, whyNotAsNobody } from "../kit/nobody.ts";
import { commandOf, type Ending, Program } from "../kit/server_process.ts";

const skip = whyNoKernel();
const whyNoPackets = skip ?? whyNoCapture(sockets())?.message;
const refusal = skip === undefined ? await whyNoSandbox() : undefined;
const whyNotInside = skip ?? refusal?.sentence;
for (const why of new Set([whyNoPackets, whyNotInside])) {
  if (why !== undefined) console.log(`skipped in part: ${why}`);
}

const SCRIPT = "lab/observe.ts";

/** `observe timeline` with these arguments. */
function timeline(...args: readonly string[]): Program {
  return new Program(commandOf(SCRIPT, ["timeline", ...args]));
}

/** A listener of the test, whose calls never block. */
class Listener implements Disposable {
  readonly #net = sockets();
  readonly fd: number;
  readonly #open: number[] = [];

  constructor(hostname: string, backlog?: number) {
    const options = { nonBlocking: true, ...(backlog !== undefined && { backlog }) };
    this.fd = this.#net.openListener({ hostname, port: 0 }, options);
  }

  get address(): string {
    return formatAddress(this.#net.localAddress(this.fd));
  }

  /** Accepts the next connection. */
  async accept(): Promise<number> {
    let fd = -1;
    await until("a connection", () => (fd = this.#net.accept(this.fd)) >= 0);
    this.#open.push(fd);
    return fd;
  }

  /** Closes a connection by RST. */
  reset(fd: number): void {
    const { SOL_SOCKET, SO_LINGER } = this.#net.constants;
    this.#net.setOptionBytes(
      fd,
      SOL_SOCKET,
      SO_LINGER,
      new Uint8Array(Int32Array.of(1, 0).buffer),
    );
    this.close(fd);
  }

  close(fd: number): void {
    this.#open.splice(this.#open.indexOf(fd), 1);
    this.#net.close(fd);
  }

  [Symbol.dispose](): void {
    for (const fd of [...this.#open, this.fd]) this.#net.close(fd);
  }
}

/** Waits for the peer's FIN. */
async function untilFin(fd: number): Promise<void> {
  const net = sockets();
  const { MSG_DONTWAIT } = net.constants;
  await until("the client's FIN", () => net.recv(fd, new Uint8Array(64), MSG_DONTWAIT) === 0);
}

/** The recording that a command has printed. */
function recordingOf({ stdout, stderr }: Ending): { tier: string; events: readonly Event[] } {
  assertEquals(stderr, "");
  const { header, events, isFinished } = readRecording(stdout, "standard output");
  assert(isFinished);
  return { tier: String(header.tier), events };
}

/** The states of both ends of the one connection in the events. */
function statesIn(events: readonly Event[]): { client: TcpState[]; server: TcpState[] } {
  const found = conversationsIn(events);
  assertEquals(found.length, 1, JSON.stringify(events));
  const [{ client, server }] = found as [typeof found[0]];
  const names = (states: typeof client.states) =>
    states.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
  return { client: names(client.states), server: names(server.states) };
}

/** Asserts that each of some states was seen or, as a note says, passed between two looks. */
function assertPassed(
  events: readonly Event[],
  end: "client" | "server",
  states: TcpState[],
): void {
  const seen = statesIn(events)[end];
  const notes = events.flatMap((event) => event.type === "note" ? [event.text] : []);
  const missing = states.filter((state) =>
    !seen.includes(state) &&
    !notes.some((text) => text.includes(state) && text.includes(`of the ${end}`))
  );
  assertEquals(missing, [], JSON.stringify(events));
}

/** Asserts that states are in the order of RFC 9293, as many of them as were seen. */
function assertOrder(seen: readonly TcpState[], order: readonly TcpState[]): void {
  assertEquals(seen, order.filter((state) => seen.includes(state)));
}

function packetsIn(events: readonly Event[]): PacketEvent[] {
  return events.filter((event) => event.type === "packet").sort((a, b) => a.at - b.at);
}

/** Asserts that the numbers of packets fit together: RFC 9293, sections 3.4 and 3.5. */
function assertHandshake(packets: readonly PacketEvent[]): void {
  const [syn, answer, last] = packets as [PacketEvent, PacketEvent, PacketEvent];
  assertEquals([syn, answer, last].map(({ flags }) => flags), ["S", "SA", "A"]);
  assertEquals([answer.from, answer.to], [syn.to, syn.from]);
  assertEquals(answer.ack, (syn.seq + 1) >>> 0);
  assertEquals(last.seq, (syn.seq + 1) >>> 0);
  assertEquals(last.ack, (answer.seq + 1) >>> 0);
  assert((syn.options?.mss ?? 0) > 500);
  // Each packet once, although the loopback shows each twice.
  const names = packets.map(({ from, flags, seq, ack, length, window, options }) =>
    JSON.stringify([from, flags, seq, ack, length, window, options])
  );
  assertEquals(new Set(names).size, names.length);
  assertEquals(packets, [...packets].sort((a, b) => a.at - b.at));
}

test("timeline: the client closes first, and both ends are seen with their packets", async () => {
  using folder = new Folder();
  using listener = new Listener("127.0.0.1");
  saveSyns(sockets(), listener.fd);
  const [pcap, file] = [folder.path("it.pcap"), folder.path("it.jsonl")];
  await using program = timeline(
    listener.address,
    "--first-byte",
    "20ms",
    "--json",
    "--pcap",
    pcap,
    "--record",
    file,
  );
  const fd = await listener.accept();
  const syn = takeSavedSyn(sockets(), fd);
  // Other traffic of the same port is none of its business.
  const other = sockets().openConnection(sockets().localAddress(listener.fd));
  await untilFin(fd);
  sockets().close(other);
  // A look at the ends is not one moment: the server's state may come one look after the client's.
  await isRecorded(file, "FIN_WAIT2");
  await isRecorded(file, "CLOSE_WAIT");
  listener.close(fd);
  const ending = await program.end();
  assertEquals(ending.code, 0);
  const { tier, events } = recordingOf(ending);
  const { client, server } = statesIn(events);
  assertOrder(client, ["SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"]);
  assertEquals([client[0], client.at(-2), client.at(-1)], [
    "ESTABLISHED",
    "FIN_WAIT2",
    "TIME_WAIT",
  ]);
  assertOrder(server, ["SYN_RECV", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"]);
  assert(server.includes("CLOSE_WAIT"));
  assertEquals(server.at(-1), "CLOSE");
  assertPassed(events, "client", ["FIN_WAIT1"]);
  assertPassed(events, "server", ["LAST_ACK"]);
  const notes = events.flatMap((event) => event.type === "note" ? [event.text] : []);
  assert(notes.some((text) => text.startsWith("SYN_SENT cannot be seen")), notes.join());
  const last = events.findLast((event) => event.type === "socket" && event.end === "client");
  assert(last?.type === "socket" && last.timer === "TIME_WAIT");
  assert((last.timer_us ?? 0) > 50_000_000);
  const saved = readRecording(readFileSync(file, "utf8"), file);
  assertEquals(saved.header.tier, tier);
  assertEquals(saved.events.length, events.length);
  const packets = packetsIn(events);
  if (whyNoPackets !== undefined) {
    assertEquals([tier, packets.length], ["T0", 0]);
    return;
  }
  assertEquals(tier, "T1");
  assertHandshake(packets);
  assertEquals(packets[0]?.seq, syn?.seq);
  assertEquals(packets.filter(({ flags }) => flags.includes("F")).length, 2);
  assertEquals(packets.at(-1)?.flags, "A");
  checkPcap(readFileSync(pcap), packets);
  // States and packets are in one time base: what a packet does is seen after the packet.
  for (const [state, flags] of [["ESTABLISHED", "S"], ["FIN_WAIT2", "FA"]] as const) {
    const seen = events.find((event) =>
      event.type === "socket" && event.end === "client" && event.state === state
    );
    const sent = packets.find((packet) => packet.flags === flags);
    assert((seen?.at ?? 0) > (sent?.at ?? Infinity), state);
  }
}, { skip });

/** Walks through a file of packets. */
function checkPcap(bytes: Uint8Array, packets: readonly PacketEvent[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  assertEquals(view.getUint32(0, true), 0xa1b23c4d);
  assertEquals(view.getUint32(20, true), 101);
  const seqs: number[] = [];
  const stamps: number[] = [];
  let at = 24;
  while (at < bytes.length) {
    stamps.push(view.getUint32(at, true) * 1e6 + view.getUint32(at + 4, true) / 1000);
    assertEquals(view.getUint8(at + 16) >> 4, 4);
    seqs.push(view.getUint32(at + 16 + 20 + 4));
    at += 16 + view.getUint32(at + 8, true);
  }
  assertEquals(at, bytes.length);
  assertEquals(seqs, packets.map(({ seq }) => seq));
  packets.slice(1).forEach((packet, index) => {
    const apart = packet.at - (packets[0] as PacketEvent).at;
    const [first, own] = [stamps[0] as number, stamps[index + 1] as number];
    assert(Math.abs(own - first - apart) < 2, `${own - first} and ${apart}`);
  });
}

/** Waits until a state of the connection has been seen. */
type Seen = (state: TcpState) => Promise<void>;

/** Waits until a command has recorded a state. */
function isRecorded(file: string, state: TcpState): Promise<void> {
  const isThere = () => existsSync(file) && readFileSync(file, "utf8").includes(`"${state}"`);
  return until(`${state} to be recorded`, isThere);
}

/** Runs the command against a server that does something, and returns the recording. */
async function against(
  serve: (listener: Listener, fd: number, seen: Seen) => void | Promise<void>,
  { hostname = "127.0.0.1", args = [] as readonly string[] } = {},
): Promise<{ ending: Ending; events: readonly Event[] }> {
  using folder = new Folder();
  const file = folder.path("it.jsonl");
  using listener = new Listener(hostname);
  await using program = timeline(listener.address, "--json", "--record", file, ...args);
  await serve(listener, await listener.accept(), (state) => isRecorded(file, state));
  const ending = await program.end();
  return { ending, events: recordingOf(ending).events };
}

test("timeline: the server closes first, resets, is reset, and speaks IPv6", async () => {
  using silent = new Listener("127.0.0.1");
  // Otherwise the client closes after a moment, and on a busy machine that may be before the server.
  const patient = ["--first-byte", "60s"];
  const [first, reset, own, six, open] = await Promise.all([
    against((listener, fd) => listener.close(fd), { args: patient }),
    against((listener, fd, seen) => seen("ESTABLISHED").then(() => listener.reset(fd)), {
      args: patient,
    }),
    against(untilGone, { args: ["--rst", "--first-byte", "0"] }),
    against((listener, fd) => listener.close(fd), { hostname: "::1", args: patient }),
    timeline(silent.address, "--first-byte", "1ms", "--for", "700ms").end(),
  ]);
  // Nobody accepts, and nobody closes.
  assertEquals(open.code, 0);
  assertMatch(open.stdout, /The time is over, and the client is still in FIN_WAIT[12]\./);
  assertMatch(open.stdout, /^ {2}CLOSE_WAIT .*░/m);
  assertStringIncludes(open.stdout, "░ waits to be accepted");

  for (const { ending } of [first, reset, own, six]) assertEquals(ending.code, 0);
  for (const { events } of [first, six]) {
    const { client, server } = statesIn(events);
    assertOrder(client, ["SYN_SENT", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"]);
    assertEquals(client.at(-1), "CLOSE");
    assertPassed(events, "client", ["CLOSE_WAIT", "LAST_ACK"]);
    assertOrder(server, ["SYN_RECV", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"]);
    assertEquals(server.at(-1), "TIME_WAIT");
    if (whyNoPackets === undefined) assertHandshake(packetsIn(events));
  }
  for (const { events } of [reset, own]) {
    assertEquals(statesIn(events).client, ["ESTABLISHED", "CLOSE"]);
    // A reset skips the states of closing: nothing was missed.
    assert(!JSON.stringify(events).includes("passed between two looks"));
  }
  if (whyNoPackets !== undefined) return;
  const senderOf = (events: readonly Event[]) => {
    const packets = packetsIn(events);
    assertHandshake(packets);
    const resets = packets.filter(({ flags }) => flags.includes("R"));
    assertEquals(packets.filter(({ flags }) => flags.includes("F")), []);
    return resets.map(({ from }) => from === packets[0]?.from ? "client" : "server");
  };
  assertEquals(senderOf(reset.events), ["server"]);
  assertEquals(senderOf(own.events), ["client"]);
}, { skip });

async function untilGone(_listener: Listener, fd: number): Promise<void> {
  const net = sockets();
  const { MSG_DONTWAIT, errno } = net.constants;
  await until(
    "the client's RST",
    () => net.recv(fd, new Uint8Array(64), MSG_DONTWAIT) === -errno.ECONNRESET,
  );
}

test("timeline: what cannot be connected to is told apart by the exit status", async () => {
  using full = new Listener("127.0.0.1", 0);
  const net = sockets();
  const address = net.localAddress(full.fd);
  // Linux takes one more than the limit. From then on SYNs are dropped.
  const waiting = [net.openConnection(address)];
  // Nobody listens there, and nobody else can get the port.
  const bound = net.socket(net.constants.AF_INET, net.constants.SOCK_STREAM);
  net.bind(bound, { hostname: "127.0.0.1", port: 0 });
  const closed = formatAddress(net.localAddress(bound));
  await using hanging = timeline(full.address, "--connect-timeout", "15s");
  const [late, refused, none, both, unwritable] = await Promise.all([
    timeline(full.address, "--json", "--connect-timeout", "150ms").end(),
    timeline(closed, "--json").end(),
    timeline().end(),
    timeline(closed, "--sandbox").end(),
    timeline(closed, "--pcap", "/dev/full").end(),
  ]);
  // The other one that hung has given up by now.
  using diag = new SockDiag(net);
  await until(
    "a SYN that nobody answers",
    () => diag.sockets({ port: address.port, either: true, states: ["SYN_SENT"] }).length > 0,
  );
  hanging.signal("SIGINT");
  const interrupted = await hanging.end(5_000);
  assertEquals(interrupted.code, 130);
  assertMatch(interrupted.stdout, /^ {2}SYN_SENT /m);
  assertStringIncludes(interrupted.stdout, "Interrupted.");
  for (const fd of [...waiting, bound]) net.close(fd);
  assertEquals([late.code, refused.code, none.code, both.code], [4, 3, 2, 2]);
  if (existsSync("/dev/full")) {
    assertEquals([unwritable.code, unwritable.stdout], [1, ""]);
    assertMatch(
      unwritable.stderr,
      /^observe: Cannot write the packets to \/dev\/full: no space[^:]+\n$/,
    );
  }
  const { events } = recordingOf(late);
  assertEquals(statesIn(events).client, ["SYN_SENT"]);
  assertMatch(late.stdout, /Cannot connect to 127\.0\.0\.1:\d+: timed out after 150 ms/);
  assertMatch(refused.stdout, /connection refused \(ECONNREFUSED\)/);
  if (whyNoPackets !== undefined) return;
  assertEquals(packetsIn(events).map(({ flags }) => flags), ["S"]);
  assertEquals(packetsIn(recordingOf(refused).events).map(({ flags }) => flags), ["S", "RA"]);
}, { skip });

test(
  "timeline --sandbox: two real ends, their packets and states, and Ctrl-C at any moment",
  async () => {
    using folder = new Folder();
    const [file, drawing] = [folder.path("stayed.jsonl"), folder.path("drawn.jsonl")];
    const stay = ["--protocol", "echo", "--stay", "15s", "--record", file];
    await using stayed = timeline("--sandbox", ...stay);
    const [hello, drawn] = await Promise.all([
      timeline("--sandbox", "--json").end(),
      timeline("--sandbox", "--protocol", "echo", "--record", drawing).end(),
      isRecorded(file, "ESTABLISHED"),
    ]);
    stayed.signal("SIGINT");
    const interrupted = await stayed.end(5_000);
    const { tier, events } = recordingOf(hello);
    assertEquals([hello.code, tier], [0, "T2"]);
    assertHandshake(packetsIn(events));
    const { client, server } = statesIn(events);
    // The server of hello closes first.
    assertEquals([client.at(-1), server.at(-1)], ["CLOSE", "TIME_WAIT"]);
    assertPassed(events, "client", ["ESTABLISHED", "CLOSE_WAIT", "LAST_ACK"]);
    // In echo the client does.
    assertMatch(drawn.stdout, /^T2: states and packets, of a server and a client in a network/);
    assertMatch(drawn.stdout, /─ SYN seq=0 win=\d+ ─+▶│/);
    // What is left of the minute when it is first seen.
    assertMatch(drawn.stdout, /TIME_WAIT +(60\.0|59\.\d) s/);
    const again = await new Program(commandOf(SCRIPT, ["replay", "--draw", drawing])).end();
    assertEquals([again.code, again.stderr], [0, ""]);
    assertDocumented(drawn.stdout);
    // After the line about the file, the same is drawn.
    const [, ...lines] = again.stdout.trimEnd().split("\n");
    assertStringIncludes(drawn.stdout, lines.join("\n"));
    for (const line of drawn.stdout.split("\n").filter((text) => text.includes("│"))) {
      assert([...line].length <= 80, line);
    }
    assertEquals(interrupted.code, 0);
    assertStringIncludes(interrupted.stdout, "Interrupted.");
    assertStringIncludes(interrupted.stdout, "ESTABLISHED");
  },
  { skip: whyNotInside },
);

/** The lines of an output without what differs from run to run: numbers, and widths of bars. */
function shapesOf(output: string): string[] {
  return output.split("\n").map((line) =>
    line.replace(/[\d.]+/g, "0").replace(/ (µs|ms|s)\b/g, " s").replace(/[ ─█▏▸░]+/g, " ").trim()
  );
}

/** Asserts that what the documentation shows is what is printed, as far as it is always the same. */
function assertDocumented(output: string): void {
  for (const path of ["docs/observe.md", "README.md"]) assertShown(path, output);
}

/** @param path the document, whose block `console timeline` shows it @param output what is printed */
function assertShown(path: string, output: string): void {
  const document = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  const [, shown] = /^```console timeline\n(.*?)^```$/ms.exec(document) ?? [];
  // Which states were seen, and which acknowledgements came alone, is a matter of chance.
  const isSure = (line: string) =>
    /^T2|^client|^server|µs client|^ESTABL|SYN seq|SYN ACK|len=|TIME_W/.test(line);
  const expected = shapesOf(shown ?? "").filter(isSure);
  assert(expected.length > 9, "the documentation shows a timeline");
  const printed = new Set(shapesOf(output));
  for (const line of expected) assert(printed.has(line), `${line}\nis not in\n${output}`);
}

function childrenOf(pid: number): number[] {
  const text = existsSync(`/proc/${pid}/task/${pid}/children`)
    ? readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    : "";
  return text.trim().split(" ").filter((word) => word !== "").map(Number);
}

test("the sandbox ends with the process outside, even if that is killed", async () => {
  const program = timeline("--sandbox", "--stay", "15s");
  let inside: number[] = [];
  await until("the sandbox", () => {
    inside = childrenOf(program.pid).flatMap(childrenOf);
    return inside.length > 0;
  });
  program.signal("SIGKILL");
  await program.ended;
  await until("the end of the program inside", () => !inside.some(isAlive));
}, { skip: whyNotInside });

test(
  "timeline --sandbox: Ctrl-C while it starts is an interrupt, and not a missing sandbox",
  async () => {
    await using program = timeline("--sandbox", "--stay", "15s");
    let inside: number[] = [];
    await until("the sandbox", () => {
      inside = childrenOf(program.pid).flatMap(childrenOf);
      return inside.length > 0;
    });
    // A terminal interrupts all of its programs, and the one outside may be the last to notice.
    for (const pid of inside) process.kill(pid, "SIGINT");
    const { code, stdout } = await program.end(5_000);
    assertEquals([code, stdout.includes("No sandbox")], [130, false], stdout);
    assertStringIncludes(stdout, "Interrupted.");
    assertStringIncludes(stdout, "sampled 0 times");
  },
  { skip: whyNotInside },
);

function isAlive(pid: number): boolean {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

const whyNobody = skip ?? whyNotAsNobody();
if (whyNobody !== undefined) console.log(`skipped in part: ${whyNobody}`);

test("timeline: an ordinary user sees the states, and in the sandbox packets too", async () => {
  using folder = new Folder();
  const run = (...args: readonly string[]) =>
    new Program([
      ...AS_NOBODY,
      ...commandOf(SCRIPT, ["timeline", ...args]),
    ], {
      environment: {
        ...process.env as Record<string, string>,
        HOME: folder.path("home"),
      },
    });
  using listener = new Listener("127.0.0.1");
  await using outside = run(listener.address);
  await using inside = run("--sandbox", "--json");
  const fd = await listener.accept();
  listener.close(fd);
  const [states, packets] = await Promise.all([outside.end(), inside.end()]);
  assertEquals(states.code, 0);
  assertMatch(states.stdout, /^T0: states only, as every user may see them\n/);
  assertStringIncludes(
    states.stdout,
    "No packets: to capture them needs CAP_NET_RAW, which root has.",
  );
  assertStringIncludes(states.stdout, "CLOSE_WAIT");
  if (refusal === undefined) {
    assertStringIncludes(
      states.stdout,
      "timeline --sandbox` shows the packets of a server of its own",
    );
    const { tier, events } = recordingOf(packets);
    assertEquals(tier, "T2");
    assertHandshake(packetsIn(events));
  } else assertStringIncludes(states.stdout, refusal.sentence);
}, { skip: whyNobody });

test("packets that come faster than they are taken are counted", () => {
  const net = sockets();
  const { MSG_DONTWAIT } = net.constants;
  const fd = net.openListener({ hostname: "127.0.0.1", port: 0 });
  const address = net.localAddress(fd);
  using capture = new PacketCapture(net, { port: address.port });
  const client = net.openConnection(address);
  const server = net.accept(fd);
  assertEquals(capture.takeDrops(), 0);
  assertEquals(capture.take().map(({ segment }) => segment.flags), ["S", "SA", "A"]);
  const chunk = new Uint8Array(512 * 1024);
  for (let sent = 0; sent < 96 * 1024 * 1024;) {
    sent += Math.max(0, net.send(client, chunk, MSG_DONTWAIT));
    while (net.recv(server, chunk, MSG_DONTWAIT) > 0);
  }
  const drops = capture.takeDrops();
  assert(drops > 0);
  assert(capture.take().length > 10);
  assertEquals(capture.takeDrops(), 0);
  for (const each of [client, server, fd]) net.close(each);
}, { skip: whyNoPackets });
