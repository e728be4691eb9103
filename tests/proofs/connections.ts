/**
 * A load from several addresses has 60,000 connections open at once to one port of one server, which
 * is more than two addresses have ports, and each of them is answered.
 *
 * A process has only so many descriptors (`ulimit -n`). So several benches make the load, each from
 * all of the addresses, and `bench merge` adds them up; and several servers share the port
 * (SO_REUSEPORT, socket(7)), each with a listener that it is handed. With more descriptors there are
 * fewer of both. `--connections 100000` holds more of them, from as many addresses as it takes, and
 * `--seconds 300` gives them more time, as a machine that does other work needs.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { ProcessStatus } from "../../engine/process/process_status.ts";
import { formatBytes, formatTime } from "../../engine/values/units.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { numberOf } from "../../engine/workers/descriptor_limits.ts";
import { whyNoDescriptors } from "../../lab/load/plan.ts";
import { roomHere } from "../../lab/load/room.ts";
import type { Run } from "../../lab/load/results.ts";
import { parseJson } from "../../lab/report/json.ts";
import { mergeReports } from "../../lab/report/merge.ts";
import type { Address } from "../../protocol.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, until } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { commandOf, Program, Script } from "../kit/server_process.ts";

/** How many connections there are. */
const CONNECTIONS = 60_000;

/** How many descriptors of a process are not for connections. */
const OTHERS = 500;

/** The share of its descriptors that a server is meant to use: the kernel divides by chance. */
const DIVIDED = 0.9;

/** How long the benches take. The connections begin over the first half of that time. */
const SECONDS = 60;

/** How long a process may take to start, and to end, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Becomes a server that is handed its listener (sd_listen_fds(3)). */
const BECOME = 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"';

/** So many parts, each as large as the others or one larger. */
function divide(whole: number, parts: number): number[] {
  return Array.from(
    { length: parts },
    (_, part) => Math.floor(whole / parts) + (part < whole % parts ? 1 : 0),
  );
}

/** Starts servers that share a port. */
async function startServers(count: number): Promise<{ address: Address; servers: Program[] }> {
  const net = sockets();
  let address: Address = { hostname: "127.0.0.1", port: 0 };
  const servers: Program[] = [];
  for (let index = 0; index < count; index++) {
    const listener = net.openListener(address, { reusePort: true, backlog: 4_096 });
    address = net.localAddress(listener);
    const command = commandOf("modes/nonblocking.ts", [
      ...["--protocol", "echo", "--quiet", "--drain", "0"],
      ...["--read-timeout", "0", "--session-timeout", "0"],
    ]);
    servers.push(new Program(["sh", "-c", BECOME, "sh", ...command], { inherits: [listener] }));
    net.close(listener);
  }
  await until("the servers to listen", () => {
    for (const { isOver, stderr } of servers) assert(!isOver, stderr);
    return servers.every(({ stdout }) => stdout.includes("Listening on"));
  }, PATIENCE_MS);
  return { address, servers };
}

/** How many connections to a port each address of this machine has (proc_net_tcp in proc(5)). */
function connectionsTo(port: number): Map<string, number> {
  const found = new Map<string, number>();
  const to = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const line of readFileSync("/proc/net/tcp", "latin1").split("\n")) {
    const [, local = "", remote = "", state] = line.trim().split(/\s+/);
    // 01 is ESTABLISHED.
    if (state !== "01" || !remote.endsWith(to)) continue;
    const bytes = local.slice(0, 8).match(/../g) ?? [];
    const hostname = bytes.reverse().map((byte) => parseInt(byte, 16)).join(".");
    found.set(hostname, (found.get(hostname) ?? 0) + 1);
  }
  return found;
}

/** The resident memory of processes, in bytes. */
function memoryOf(programs: readonly Program[]): number {
  return programs.reduce((sum, { pid }) => sum + new ProcessStatus(pid).memory, 0);
}

await prove(import.meta, async () => {
  const args = process.argv.slice(2);
  const valueOf = (name: string, usual: number) => {
    const at = args.indexOf(`--${name}`);
    return at < 0 ? usual : Number(args[at + 1]);
  };
  const connections = valueOf("connections", CONNECTIONS);
  const seconds = valueOf("seconds", SECONDS);
  const limitMs = seconds * 1_000 + PATIENCE_MS;
  const { descriptors, ports } = roomHere();
  const each = descriptors - OTHERS;
  // The kernel finds half of the ports of an address quickly.
  const addresses = Math.ceil(2 * connections / ports);
  const source = `127.0.0.2-127.0.0.${1 + addresses}`;
  using folder = new Folder("connections-");
  const { address, servers } = await startServers(Math.ceil(connections / (DIVIDED * each)));
  const benches: Script[] = [];
  try {
    const empty = memoryOf(servers);
    const shares = divide(connections, Math.ceil(connections / each));
    for (const [index, share] of shares.entries()) {
      benches.push(
        new Script("lab/bench.ts", [
          ...[`127.0.0.1:${address.port}`, "--protocol", "echo", "-c", String(share)],
          ...["--source", source, "--seed", String(1 + index), "--threads", "1", "--no-floor"],
          // Each connection sends one request, and then it stays.
          ...["--think", "10m", "--timeout", "30s"],
          ...["--ramp", `${Math.ceil(seconds / 2)}s`, "-d", `${seconds}s`],
          ...["--json", folder.path(`${index}.json`)],
        ]),
      );
    }
    let from = new Map<string, number>();
    let open = 0;
    await until("all connections to be open at once", () => {
      for (const { isOver, stderr } of benches) assert(!isOver, `${open} were open: ${stderr}`);
      from = connectionsTo(address.port);
      open = [...from.values()].reduce((sum, count) => sum + count, 0);
      return open >= connections;
    }, limitMs);
    const taken = [memoryOf(benches), memoryOf(servers) - empty] as const;
    const endings = await Promise.all(
      benches.map((bench) => bench.end(limitMs)),
    );
    for (const { code, stderr } of endings) assertEquals(code, 0, stderr);
    const files = shares.map((_, index) => `${index}.json`);
    const sources = files.map((file) => ({ file, report: parseJson(folder.text(file), file) }));
    const [run] = sources.length === 1
      ? sources[0]?.report.runs as [Run]
      : mergeReports(sources, "merge").runs as [Run];
    assertEquals(
      [run.load.connections, run.requests, run.errors, run.starved_connections],
      [connections, connections, {}, 0],
      endings.map(({ stderr }) => stderr).join(""),
    );
    const most = Math.max(...from.values());
    assert(from.size === addresses && most <= ports, `${most} of ${ports} ports`);
    const [load, server] = taken.map((bytes) => formatBytes(bytes / connections));
    const [clients, all] = [
      numberOf(benches.length, "bench", "benches"),
      numberOf(servers.length, "server"),
    ];
    return `${open} connections at once from ${numberOf(addresses, "address", "addresses")} with ` +
      `${ports} ports each, by ${clients} to ${all} on one port, all answered, max ${
        formatTime(run.latency_us.max)
      }; ${load} of memory each in the benches and ${server} ` +
      "in the servers";
  } finally {
    for (const program of [...benches, ...servers]) await program[Symbol.asyncDispose]();
  }
}, { skip: whyNoDescriptors() });
