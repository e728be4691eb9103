/**
 * A network of its own in which there are few local ports, and loads that need more of them than one
 * address has. It runs inside a network namespace that the test has made, and prints what it found as
 * one line of JSON.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { isMainModule, runtime } from "../../engine/net/runtime.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import type { Address } from "../../protocol.ts";
import { measure } from "../../lab/load/measure.ts";
import { type EngineKind, makePlan } from "../../lab/load/plan.ts";
import { preflight } from "../../lab/load/preflight.ts";
import { giveAddress, raiseInterface } from "../../lab/observe/interface.ts";
import { LoadServer } from "./load_server.ts";

/** How many local ports there are. */
export const PORTS = 12;

/** The sources of the loads, of both families. */
export const SOURCES = { four: "127.0.0.2-127.0.0.4", six: "fd00:9::2,fd00:9::3" } as const;

/** What became of a load. */
export interface Opened {
  readonly errors: Readonly<Record<string, number>>;
  readonly requests: number;
  /** How many connections came from each address. */
  readonly from: Readonly<Record<string, number>>;
}

/** What was found. */
export interface FewPorts {
  /** A load with as many connections as all sources have ports, by engine and family. */
  readonly opened: Readonly<Record<string, Opened>>;
  /** Why a load cannot be made that needs one more, and one that names no sources. */
  readonly refused: readonly string[];
}

function enginesHere(): readonly EngineKind[] {
  return runtime.whyNoSource() === undefined ? ["descriptors", "runtime"] : ["descriptors"];
}

async function open(server: LoadServer, engine: EngineKind, source: string): Promise<Opened> {
  const connections = PORTS * (source === SOURCES.four ? 3 : 2);
  const options = { protocol: "echo", engine, connections, requests: connections, threads: 2 };
  const plan = await makePlan({ ...options, source });
  preflight(plan, server.address);
  const before = server.clients.length;
  const run = await measure({ ...plan, rehearse: false }, {
    address: server.address,
    name: source,
  });
  const from: Record<string, number> = {};
  for (const client of server.clients.slice(before)) from[client] = (from[client] ?? 0) + 1;
  return { errors: run.errors, requests: run.requests, from };
}

/** Connects from one of the sources with all of its ports, to somewhere else than the loads. */
function holdPorts(net: Sockets, hostname: string, address: Address): readonly number[] {
  const source = net.writeAddress({ hostname, port: 0 });
  return Array.from({ length: PORTS }, () => {
    const fd = net.socket(net.familyOf(address), net.constants.SOCK_STREAM);
    net.bindSource(fd, source);
    net.connect(fd, address);
    return fd;
  });
}

async function refusal(connections: number, source: string | undefined): Promise<string> {
  const options = { protocol: "echo", connections, ...(source !== undefined && { source }) };
  try {
    preflight(await makePlan(options), { hostname: "127.0.0.1", port: 9 });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

async function explore(): Promise<FewPorts> {
  const net = sockets();
  raiseInterface(net, "lo");
  for (const address of ["fd00:9::1", "fd00:9::2", "fd00:9::3"]) {
    giveAddress(net, "lo", address, 128);
  }
  await using other = await LoadServer.start();
  await using four = await LoadServer.start();
  await using six = await LoadServer.start(undefined, "", "fd00:9::1");
  const opened: Record<string, Opened> = {};
  const range = "/proc/sys/net/ipv4/ip_local_port_range";
  for (const [index, engine] of enginesHere().entries()) {
    // Each has ports of its own: those of the one before are still in TIME-WAIT.
    const first = 40_000 + index * PORTS;
    writeFileSync(range, `${first} ${first + PORTS - 1}`);
    // Without IP_BIND_ADDRESS_NO_PORT, a port that is in use is in use whoever is called. The runtime's
    // own sockets do without it.
    const held = engine === "descriptors" ? holdPorts(net, "127.0.0.2", other.address) : [];
    opened[`${engine} four`] = await open(four, engine, SOURCES.four);
    for (const fd of held) net.close(fd);
    opened[`${engine} six`] = await open(six, engine, SOURCES.six);
  }
  return {
    opened,
    refused: [await refusal(3 * PORTS + 1, SOURCES.four), await refusal(PORTS + 1, undefined)],
  };
}

if (isMainModule(import.meta)) {
  process.stdout.write(`${JSON.stringify(await explore())}\n`);
  process.exit(0);
}
