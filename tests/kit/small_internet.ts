/**
 * A network of its own with three routers, a resolver and some strange hosts, in which the observer
 * is tried. It runs inside a user, network and mount namespace that the test has made, and nothing
 * leaves it.
 *
 * The wire is a TUN device. What is sent to 10.9.0.100 comes back with its addresses swapped, so
 * the kernel answers for that host; the other hosts are answered for with ICMP, or not at all.
 *
 * It makes all attempts at the same time and prints what they found as one line of JSON.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { encodeSockaddr } from "../../engine/net/address.ts";
import { isMainModule, runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Outcome, ProbeRequest } from "../../lab/observe/connect/probe.ts";
import { type Lookup, lookUp } from "../../lab/observe/connect/series.ts";
import { ThreadProber } from "../../lab/observe/connect/thread.ts";
import { giveAddress, raiseInterface } from "../../lab/observe/interface.ts";
import { swapAddresses, TunDevice } from "../../lab/observe/wire/device.ts";
import { commandOf } from "./server_process.ts";

/** This machine in that network. */
const OWN = "10.9.0.1";

/** The routers, from the nearest. */
export const ROUTERS = ["10.9.0.71", "10.9.0.72", "10.9.0.73"] as const;

/** The hosts, and what becomes of packets to them. */
export const HOSTS = {
  /** Answers: port 7000 listens, the others refuse. */
  real: "10.9.0.100",
  /** The second router has no way to it: ICMP 3/1. */
  unreachable: "10.9.0.101",
  /** The third router forbids it: ICMP 3/13. */
  filtered: "10.9.0.102",
  /** Answers itself with ICMP 3/3. */
  portless: "10.9.0.103",
  /** Nothing comes back. */
  silent: "10.9.0.104",
  /** The third router says ICMP 3/3 in its place, as some firewalls do. */
  guarded: "10.9.0.105",
  /** Nothing comes back, and who asks is interrupted. */
  patient: "10.9.0.106",
  /** No route leads there. */
  elsewhere: "192.0.2.1",
} as const;

/** The same in IPv6: this machine, two routers, a host that answers, and one that is forbidden. */
const OWN_SIX = "fd00:9::1";
export const ROUTERS_SIX = ["fd00:9::71", "fd00:9::72"] as const;
export const HOSTS_SIX = { real: "fd00:9::100", filtered: "fd00:9::102" } as const;

/** The port that listens on the real host. */
export const PORT = 7000;

/** How a command ended. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

type ProbeName =
  | "connected"
  | "connectedSix"
  | "filteredSix"
  | "refusedByRst"
  | "refusedByIcmp"
  | "unreachable"
  | "filtered"
  | "timeout"
  | "noRoute"
  | "eyeballs"
  | "slowEyeballs"
  | "self"
  | "lastPort"
  | "noPort";
type RunName =
  | "pathReached"
  | "pathSix"
  | "pathRefused"
  | "pathFiltered"
  | "pathSilent"
  | "pathGuarded"
  | "pathElsewhere"
  | "pathInterrupted"
  | "timelineMissing"
  | "timelineSelf"
  | "resolving";
type LookupName = "missing" | "broken" | "four" | "both";

/** What was found in that network. */
export type Findings =
  & Readonly<Record<ProbeName, Outcome>>
  & Readonly<Record<RunName, Ran>>
  & Readonly<Record<LookupName, Lookup>>;

const net = sockets();

function sixBytes(hostname: string): Uint8Array {
  return encodeSockaddr({ hostname, port: 0 }, net.constants).slice(8, 24);
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += (bytes[at]! << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

/** A message of ICMP about a packet (RFC 792). */
function icmp(type: number, code: number, from: string, about: Uint8Array): Uint8Array {
  const quoted = about.subarray(0, 40);
  const bytes = new Uint8Array(28 + quoted.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x45, 0, 0, bytes.length, 0, 0, 0, 0, 64, 1]);
  bytes.set(from.split(".").map(Number), 12);
  bytes.set(about.subarray(12, 16), 16);
  view.setUint16(10, checksum(bytes.subarray(0, 20)));
  bytes.set([type, code], 20);
  bytes.set(quoted, 28);
  view.setUint16(22, checksum(bytes.subarray(20)));
  return bytes;
}

/** A message of ICMPv6 about a packet (RFC 4443). */
function icmpSix(type: number, code: number, from: string, about: Uint8Array): Uint8Array {
  const body = new Uint8Array(8 + about.length);
  body.set([type, code]);
  body.set(about, 8);
  const pseudo = new Uint8Array(40 + body.length);
  pseudo.set(sixBytes(from));
  pseudo.set(about.subarray(8, 24), 16);
  new DataView(pseudo.buffer).setUint32(32, body.length);
  pseudo[39] = 58;
  pseudo.set(body, 40);
  new DataView(body.buffer).setUint16(2, checksum(pseudo));
  const bytes = new Uint8Array(40 + body.length);
  bytes.set([0x60, 0, 0, 0, body.length >> 8, body.length & 255, 58, 64]);
  bytes.set(pseudo.subarray(0, 32), 8);
  bytes.set(body, 40);
  return bytes;
}

/** What comes back for a packet of IPv6. */
function answerSix(packet: Uint8Array): Uint8Array | undefined {
  const goesTo = (host: string) => sixBytes(host).every((byte, at) => packet[24 + at] === byte);
  const isTcp = packet[6] === 6;
  const hops = packet[7] as number;
  const router = ROUTERS_SIX[hops - 1];
  if (isTcp && goesTo(HOSTS_SIX.filtered) && hops >= 2) {
    return icmpSix(1, 1, ROUTERS_SIX[1], packet);
  }
  if (!isTcp) return undefined;
  if (router !== undefined) return icmpSix(3, 0, router, packet);
  if (!goesTo(HOSTS_SIX.real)) return undefined;
  return swapAddresses(packet);
}

/** Resolves when the first packet has gone to the host that makes its clients wait. */
const patience = Promise.withResolvers<void>();

/** What comes back for a packet. */
function answer(packet: Uint8Array): Uint8Array | undefined {
  if (packet[0]! >> 4 === 6) return answerSix(packet);
  const to = packet.subarray(16, 20).join(".");
  const hops = packet[8] as number;
  // The kernel's answers for the real host have gone the whole way already.
  if (to === HOSTS.real && packet[9] === 6 && hops > ROUTERS.length) {
    return swapAddresses(packet);
  }
  const end = to === HOSTS.unreachable ? 2 : ROUTERS.length;
  const router = ROUTERS[hops - 1];
  const isGuard = hops === end && (to === HOSTS.filtered || to === HOSTS.guarded);
  if (to === HOSTS.patient) {
    patience.resolve();
    return undefined;
  }
  if (router !== undefined && hops <= end && !isGuard) {
    return icmp(11, 0, router, packet);
  }
  switch (to) {
    case HOSTS.unreachable:
      return icmp(3, 1, ROUTERS[1], packet);
    case HOSTS.filtered:
      return icmp(3, 13, ROUTERS[2], packet);
    case HOSTS.guarded:
      return icmp(3, 3, ROUTERS[2], packet);
    case HOSTS.portless:
      return icmp(3, 3, HOSTS.portless, packet);
    default:
      return undefined;
  }
}

/** Carries packets until it is told to stop. */
function carry(tun: TunDevice): () => void {
  const timer = setInterval(() => {
    for (let packet = tun.read(); packet !== undefined; packet = tun.read()) {
      const back = answer(packet);
      if (back !== undefined) tun.write(back);
    }
  }, 1);
  return () => clearInterval(timer);
}

/**
 * A resolver (RFC 1035): it is silent about `silent.test`, fails for `broken.test`, and knows no other
 * name.
 */
function resolver(onSilent: () => void): Promise<() => void> {
  const socket = createSocket("udp4");
  socket.on("message", (question, { port, address }) => {
    const name = question.toString("latin1", 12);
    if (name.includes("silent")) return onSilent();
    const reply = Buffer.from(question);
    reply[2] = 0x81;
    reply[3] = 0x80 | (name.includes("broken") ? 2 : 3);
    socket.send(reply, port, address);
  });
  return new Promise((resolve) =>
    socket.bind(53, "127.0.0.1", () => resolve(() => socket.close()))
  );
}

/** Accepts, and closes when its peer has closed. */
function listen(port: number, host: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on("error", () => {});
    socket.resume();
    socket.on("end", () => socket.end());
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

const USUAL: ProbeRequest = {
  addresses: [],
  timeoutMs: 5_000,
  firstByteMs: 0,
  hello: false,
  rst: false,
  source: undefined,
  closeWithinMs: 0,
};

async function probe(hosts: readonly string[], port: number, own: Partial<ProbeRequest> = {}) {
  using prober = await ThreadProber.start();
  const addresses = hosts.map((hostname) => ({ hostname, port }));
  const found = await prober.probe({ ...USUAL, addresses, ...own });
  await prober.finish();
  return found;
}

function find(hostname: string, family?: 4 | 6): Promise<Lookup> {
  return lookUp({ server: { hostname, port: 1 }, family, timeoutMs: 5_000 });
}

/** Runs the command, and interrupts it when something has happened. */
function observe(args: readonly string[], interrupt?: Promise<void>) {
  const [file, ...rest] = commandOf("lab/observe.ts", args) as [string, ...string[]];
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text) => stderr += text);
  void interrupt?.then(() => process.kill(child.pid as number, "SIGINT"));
  return new Promise<Ran>((resolve) =>
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  );
}

/** With a single local port: the socket meets itself, and then nothing is left. */
async function narrow() {
  const range = (text: string) => writeFileSync("/proc/sys/net/ipv4/ip_local_port_range", text);
  writeFileSync("/proc/sys/net/ipv4/tcp_tw_reuse", "0");
  range("40001 40001");
  const self = await probe(["127.0.0.1"], 40001);
  // Whatever listens there for practice has gone by then.
  const timelineSelf = await observe(["timeline", "127.0.0.1:40001", "--rst", "--first-byte", "0"]);
  const lastPort = await probe(["127.0.0.1"], PORT);
  const noPort = await probe(["127.0.0.1"], PORT);
  return { self, timelineSelf, lastPort, noPort };
}

async function main(): Promise<void> {
  raiseInterface(net, "lo");
  using tun = new TunDevice(net, "wire0", OWN, 24);
  giveAddress(net, tun.name, OWN_SIX, 64);
  const stop = carry(tun);
  const asked = Promise.withResolvers<void>();
  const [closeResolver, ...servers] = await Promise.all([
    resolver(asked.resolve),
    listen(PORT, OWN),
    listen(PORT, OWN_SIX),
    listen(PORT, "127.0.0.1"),
  ]);
  const { real, unreachable, filtered, portless, silent, guarded, patient, elsewhere } = HOSTS;
  // The routers answer as soon as this process has its turn. Only for silence nobody wants to wait long.
  const path = (host: string, port: number, ...flags: readonly string[]) =>
    observe([`${host}:${port}`, "--path", "--connect-timeout", "10s", ...flags]);
  const wide = await all({
    connected: probe([real], PORT),
    connectedSix: probe([HOSTS_SIX.real], PORT),
    filteredSix: probe([HOSTS_SIX.filtered], PORT),
    refusedByRst: probe([real], 1),
    refusedByIcmp: probe([portless], 1),
    unreachable: probe([unreachable], PORT),
    filtered: probe([filtered], PORT),
    timeout: probe([silent], PORT, { timeoutMs: 20 }),
    noRoute: probe([elsewhere], PORT),
    eyeballs: probe(["::1", "127.0.0.1"], PORT),
    slowEyeballs: probe([silent, "127.0.0.1", "::1"], PORT),
    missing: find("missing.test"),
    broken: find("broken.test"),
    four: find("four.test", 4),
    both: find("both.test"),
    pathReached: path(real, PORT, "--json"),
    pathSix: path(`[${HOSTS_SIX.real}]`, PORT),
    pathRefused: path(real, 1),
    pathFiltered: path(filtered, PORT),
    pathSilent: observe(
      [`${silent}:${PORT}`, "--path", "--connect-timeout", "150ms", "--max-hops", "4"],
    ),
    pathGuarded: path(guarded, PORT),
    pathElsewhere: path(elsewhere, PORT),
    pathInterrupted: observe(
      [`${patient}:${PORT}`, "--path", "--connect-timeout", "1m"],
      patience.promise,
    ),
    timelineMissing: observe(["timeline", "missing.test:1"]),
    resolving: observe(["silent.test:80", "--connect-timeout", "1m"], asked.promise),
  });
  const findings: Findings = { ...wide, ...await narrow() };
  stop();
  closeResolver();
  for (const server of servers) server.close();
  runtime.printNow("stdout", `${JSON.stringify(findings)}\n`);
  runtime.exit(0);
}

/** Waits for all of them. */
async function all<Made extends Record<string, Promise<unknown>>>(
  made: Made,
): Promise<{ [Name in keyof Made]: Awaited<Made[Name]> }> {
  const entries = Object.entries(made).map(async ([name, promise]) => [name, await promise]);
  return Object.fromEntries(await Promise.all(entries));
}

if (isMainModule(import.meta)) {
  main().catch((error) => {
    runtime.printNow("stderr", `${error.stack}\n`);
    runtime.exit(1);
  });
}
