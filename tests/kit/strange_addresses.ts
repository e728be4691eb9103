/**
 * Tries addresses that few machines have, in a network of its own: link-local ones with zones, ports
 * that a client calls from itself, and at last a system without IPv6. It prints what it has found as
 * one line of JSON.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { BlockingDialer, type Dialer, EventDialer } from "../../engine/dial/dialer.ts";
import { resolveHost } from "../../engine/net/resolve.ts";
import { isMainModule, runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { LogEvent } from "../../engine/server/journal/journal.ts";
import { Seal } from "../../engine/server/listening/seal.ts";
import type { ServeOptions, Server } from "../../mod.ts";
import {
  serveCluster,
  serveCompletion,
  serveEvent,
  serveNonblocking,
  serveThreadpool,
} from "../../mod.ts";
import { runOnRuntime } from "../../lab/load/event_engine.ts";
import { runOnDescriptors } from "../../lab/load/epoll_engine.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import { loadLoadProtocol } from "../../lab/load/load_protocol.ts";
import { makePlan, type Share, shareOut } from "../../lab/load/plan.ts";
import { giveAddress, raiseInterface } from "../../lab/observe/interface.ts";
import { type Address, formatAddress, type Protocol } from "../../protocol.ts";
import { refuseFamily } from "./refused_by_kernel.ts";

const LIMITS = { readTimeoutMs: 2_000, sessionTimeoutMs: 2_000, computeTimeoutMs: 0 };

type Serve = (options: ServeOptions) => Promise<Server>;

const SERVERS: Readonly<Record<string, Serve>> = {
  event: serveEvent,
  cluster: (options) => serveCluster({ ...options, workers: 1 }),
  threadpool: (options) => serveThreadpool({ ...options, workers: 1 }),
  nonblocking: serveNonblocking,
  ...(whyNoRing() === undefined && { completion: serveCompletion }),
};

const LINK_LOCAL = "fe80::7";

/** What was found. */
export interface Findings {
  /** For each mode: where it listens, without the port, and where its client is. */
  readonly zoned: Readonly<Record<string, readonly string[]>>;
  /** What is said about a zone that does not exist, by name and by number. */
  readonly unknown: readonly string[];
  /** What is logged when listeners keep newcomers out: in a zone, by SYN cookies, without IPv6. */
  readonly sealed: readonly LogEvent[];
  /** What is said to a client that has met itself, in each way to call. */
  readonly self: readonly string[];
  /** What a load counts then, on descriptors and on the runtime's sockets. */
  readonly loads: readonly (readonly string[])[];
  /** For each mode: what a server says where there is no IPv6, for `::` and for `::1`. */
  readonly without: Readonly<Record<string, readonly string[]>>;
}

const withoutPort = (address: Address) => formatAddress(address).replace(/:\d+$/, "");

const messageOf = async (attempt: () => unknown) => {
  try {
    await attempt();
    return "it worked";
  } catch (error) {
    return (error as Error).message;
  }
};

function* nothing(): Protocol {}

async function tryZone(serve: Serve, zone: string): Promise<string[]> {
  await using server = await serve({ host: `${LINK_LOCAL}%${zone}`, port: 0, protocol: "echo" });
  const { port } = server.address;
  const clients: string[] = [];
  for (const dialer of [new EventDialer(LIMITS), new BlockingDialer(LIMITS)]) {
    using dialing = dialer as Dialer;
    const hostname = await resolveHost(`${LINK_LOCAL}%${zone}`);
    const call = await dialing.dial({ hostname, port }, 2_000);
    clients.push(withoutPort(call.localAddress));
    await call.converse(nothing());
  }
  return [withoutPort(server.address), ...clients];
}

/** Keeps newcomers out of a listener, and returns what is logged. */
async function sealOn(hostname: string): Promise<LogEvent[]> {
  const net = sockets();
  const fd = net.openListener({ hostname, port: 0 });
  const logged: LogEvent[] = [];
  const journal = {
    wantsReports: false,
    wantsLog: true,
    report() {},
    log: (event: LogEvent) => void logged.push(event),
  };
  const seal = await Seal.begin({ listeners: [fd], journal, onConnection() {} });
  net.close(fd);
  await seal?.[Symbol.asyncDispose]();
  return logged;
}

/** Where it is said whether SYNs are answered with cookies: 1 if need be, 2 always. */
const COOKIES = "/proc/sys/net/ipv4/tcp_syncookies";

/** Where IPv6 is switched off: then no interface has an address of it. */
const NO_IPV6 = "/proc/sys/net/ipv6/conf/all/disable_ipv6";

/** The range of the ports that the system gives to clients. */
const PORTS = "/proc/sys/net/ipv4/ip_local_port_range";

let port = 40_000;

/** A port from which the next call will be made, because there is no other. */
function onlyPort(): number {
  port++;
  writeFileSync(PORTS, `${port} ${port}`);
  return port;
}

async function meetItself(make: () => Dialer, hostname: string): Promise<string> {
  using dialer = make();
  const address = { hostname, port: onlyPort() };
  const said = await messageOf(() => dialer.dial(address, 2_000));
  return said.replace(String(address.port), "PORT");
}

async function loadItself(run: typeof runOnDescriptors | typeof runOnRuntime): Promise<string[]> {
  const plan = await makePlan({ protocol: "echo", connections: 1, requests: 1, timeout: 500 });
  const [share] = shareOut(plan, { hostname: "127.0.0.1", port: onlyPort() });
  const kinds = new Set<string>();
  await run(share as Share, await loadLoadProtocol("echo"), ({ errors }) => {
    for (const kind of Object.keys(errors)) kinds.add(kind);
  }, () => kinds.size > 0);
  return [...kinds];
}

async function explore(): Promise<Findings> {
  const net = sockets();
  raiseInterface(net, "lo");
  giveAddress(net, "lo", LINK_LOCAL, 64);
  const zoned: Record<string, string[]> = {};
  for (const [name, serve] of Object.entries(SERVERS)) zoned[name] = await tryZone(serve, "lo");
  zoned.byNumber = await tryZone(serveThreadpool, "1");
  const sealed = await sealOn(`${LINK_LOCAL}%lo`);
  const unknown = [
    await messageOf(() => serveEvent({ host: "fe80::7%nope", port: 0 })),
    await messageOf(() => serveThreadpool({ host: "::1%77", port: 0 })),
  ];
  const events = () => new EventDialer(LIMITS);
  const blocking = () => new BlockingDialer(LIMITS);
  const self = [
    await meetItself(events, "127.0.0.1"),
    await meetItself(blocking, "127.0.0.1"),
    await meetItself(events, "::1"),
    await meetItself(blocking, "::1%lo"),
    await meetItself(blocking, "0.0.0.0"),
  ];
  const loads = [await loadItself(runOnDescriptors), await loadItself(runOnRuntime)];
  writeFileSync(PORTS, "32768 60999");
  writeFileSync(COOKIES, "2");
  for (const host of ["127.0.0.1", "::1"]) sealed.push(...await sealOn(host));
  writeFileSync(NO_IPV6, "1");
  sealed.push(...await sealOn("::"));
  refuseFamily(net.constants.AF_INET6);
  const without: Record<string, string[]> = {};
  for (const [name, serve] of Object.entries(SERVERS)) {
    const say = (host: string) => messageOf(() => serve({ host, port: 8080 }));
    without[name] = [await say("::"), await say("::1")];
  }
  return { zoned, sealed, unknown, self, loads, without };
}

if (isMainModule(import.meta)) {
  runtime.printNow("stdout", `${JSON.stringify(await explore())}\n`);
  runtime.exit(0);
}
