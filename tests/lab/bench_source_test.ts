/**
 * `--source`: where the connections of a load come from.
 *
 * @module
 */

import { measure } from "../../lab/load/measure.ts";
import {
  type EngineKind,
  makePlan,
  type PlanOptions,
  whyNoDescriptors,
} from "../../lab/load/plan.ts";
import { preflight } from "../../lab/load/preflight.ts";
import type { Room } from "../../lab/load/room.ts";
import { inTurn, reachableFrom, readSources } from "../../lab/load/sources.ts";
import { OptionError } from "../../engine/cli/options.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { type FewPorts, PORTS } from "../kit/few_ports.ts";
import {
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import { inOwnNetwork, whyNoIPv6, whyNoOwnNetwork } from "../kit/network.ts";
import { Script, ServerProcess } from "../kit/server_process.ts";

/** The engines that can choose where they come from, on this system. */
const ENGINES: readonly EngineKind[] = [
  ...(whyNoDescriptors() === undefined ? ["descriptors" as const] : []),
  ...(runtime.whyNoSource() === undefined ? ["runtime" as const] : []),
];

/** All of 127.0.0.0/8 is this machine's own, on Linux. */
const skip = runtime.os === "linux" ? undefined : "only Linux has more loopback addresses";

test("sources are single addresses, lists and ranges of both families", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["127.0.0.2", ["127.0.0.2"]],
    ["127.0.0.2, 127.0.0.9", ["127.0.0.2", "127.0.0.9"]],
    ["10.0.0.254-10.0.1.1", ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"]],
    ["10.0.0.1-10.0.0.3,10.0.0.2,10.0.0.3-10.0.0.4", [1, 2, 3, 4].map((n) => `10.0.0.${n}`)],
    ["fd00::fffe-fd00::1:1", ["fd00::fffe", "fd00::ffff", "fd00::1:0", "fd00::1:1"]],
    ["[::1]", ["::1"]],
    ["::ffff:127.0.0.2", ["127.0.0.2"]],
    ["fe80::1%br-lan", ["fe80::1%br-lan"]],
  ];
  for (const [text, sources] of cases) assertEquals(readSources(text), sources);
  assertEquals(readSources("10.0.0.0-10.0.255.255").length, 65_536);
  assertEquals(readSources(undefined), []);
});

test("what is no source is refused", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["localhost", /expected an address such as 127.0.0.2, or a range/],
    ["127.0.0.2,", /expected an address/],
    ["127.0.0.2-20", /expected an address/],
    ["127.0.0.1-127.0.0.2-127.0.0.3", /expected an address/],
    ["127.0.0.1-::1", /expected an address/],
    ["127.0.0.3-127.0.0.2", /127.0.0.3 is behind 127.0.0.2/],
    ["0.0.0.0", /0\.0\.0\.0 stands for any address/],
    ["::-::5", /:: stands for any address/],
    ["224.0.0.5", /224\.0\.0\.5 is the address of a group/],
    ["127.0.0.2,ff02::1", /ff02::1 is the address of a group/],
    ["127.0.0.3,::1", /of IPv4 or of IPv6, not of both/],
    ["10.0.0.0-10.1.0.0", /at most 65536 addresses/],
    ["2001:db8::-2001:db9::", /at most 65536 addresses/],
  ];
  for (const [text, pattern] of cases) {
    assertMatch(assertThrows(() => readSources(text), OptionError).message, pattern);
  }
  assertEquals(reachableFrom("x", ["::1", "127.0.0.1"], ["127.0.0.2"]), ["127.0.0.1"]);
  assertThrows(() => reachableFrom("x", ["127.0.0.1"], ["::1"]), OptionError, "has no such");
});

test("all threads together take each source equally often", () => {
  for (
    const [sources, threads, times] of [[4, 3, 40], [3, 4, 30], [1, 2, 8], [5, 5, 25]] as const
  ) {
    const taken = Array.from({ length: sources }, () => 0);
    const all = Array.from({ length: sources }, (_, index) => index);
    const turns = Array.from({ length: threads }, (_, thread) => inTurn(all, thread, threads));
    for (let time = 0; time < times; time++) {
      for (const next of turns) taken[next() as number]!++;
    }
    assertEquals(new Set(taken).size, 1, String(taken));
  }
  assertEquals(inTurn([], 0, 1)(), undefined);
});

for (const engine of ENGINES) {
  test(`${engine}: the server sees the sources, each equally often`, async () => {
    const loaded = async (options: PlanOptions, hostname = "127.0.0.1") => {
      await using server = await LoadServer.start(undefined, "", hostname);
      const plan = await makePlan({ protocol: "echo", engine, threads: 2, ...options });
      preflight(plan, server.address);
      const run = await measure({ ...plan, rehearse: false }, {
        address: server.address,
        name: "test",
      });
      return [run.errors, run.requests, server.clients.toSorted()];
    };
    const twice = ["127.0.0.2", "127.0.0.2", "127.0.0.7", "127.0.0.7"];
    assertEquals(
      await loaded({ source: "127.0.0.2,127.0.0.7", connections: 4, requests: 8 }),
      [{}, 8, twice],
    );
    assertEquals(
      await loaded({ source: "127.0.0.2,127.0.0.7", connections: 2, requests: 4, connect: true }),
      [{}, 4, twice],
    );
    if (whyNoIPv6() !== undefined) return;
    assertEquals(
      await loaded({ source: "::1", connections: 2, requests: 2 }, "::1"),
      [{}, 2, ["::1", "::1"]],
    );
  }, { skip });
}

test("sources that cannot be used are named before anybody is called", async () => {
  const bench = (...args: string[]) => new Script("lab/bench.ts", [...args, "--no-floor"]).end();
  await using server = await LoadServer.start();
  const { port } = server.address;
  // 203.0.113.0/24 is for documents, and no machine's own (RFC 5737).
  const foreign = "203.0.113.1-203.0.113.5";
  const endings = await Promise.all([
    bench(`127.0.0.1:${port}`, "--source", foreign),
    bench(`127.0.0.1:${port}`, "--source", "::1"),
    bench("unix:/nowhere", "--source", "127.0.0.2"),
    bench(`127.0.0.1:${port}`, "--source", "127.255.255.254-127.255.255.255"),
    bench(`127.0.0.1:${port}`, "--source", "127.0.0.2", "--through", "latency:1ms"),
  ]);
  const patterns = [
    /^bench: Cannot connect from 203.0.113.1, 203.0.113.2, 203.0.113.3 and 2 others: .*EADDRNOTAVAIL/,
    /^bench: Cannot use source: ::1 is of IPv6, and the server's address 127.0.0.1 is not\n$/,
    /^bench: Cannot use source: a Unix domain socket has no address/,
    /^bench: Cannot connect from 127.255.255.255: .*permission denied \(EACCES\)\n$/,
    /^bench: --source and --through exclude each other/,
  ];
  for (const [index, { code, stderr }] of endings.entries()) {
    assertMatch(stderr, patterns[index] as RegExp);
    assertEquals(code, 2);
  }
  assertEquals(server.accepted, 0);
}, { skip: skip ?? whyNoDescriptors() });

/** A machine on which nothing is missing. */
const ROOMY: Room = {
  descriptors: 2_000_000,
  hardLimit: 2_000_000,
  anyProcess: 2_000_000,
  files: Infinity,
  ports: 28_232,
  memory: 2 ** 40,
  tracked: Infinity,
};

test("all that is missing for a million connections is said at once", async () => {
  const options = { protocol: "echo", connections: 1_000_000, engine: "descriptors" as const };
  const said = async (room: Partial<Room>, source: string, hostname = "127.0.0.1") => {
    const plan = await makePlan({ ...options, source });
    return preflight(plan, { hostname, port: 9 }, { room: { ...ROOMY, ...room } }).join("\n");
  };
  const refused = async (room: Partial<Room>, source: string) =>
    (await assertRejects(() => said(room, source), OptionError)).message;

  // 71 addresses have twice as many ports as that, and half of them are found quickly.
  assertNotMatch(await said({}, "127.0.0.2-127.0.0.72"), /room|Cannot open/);
  assertMatch(
    await said({}, "127.0.0.2-127.0.0.37"),
    /: they take more than half of the 1016352 local ports, .* slowly: --source 127.0.0.2-127.0.0.72$/m,
  );
  const few = { descriptors: 1_024, hardLimit: 4_096, anyProcess: 1_048_576, memory: 2 ** 30 };
  const all = await refused({ ...few, files: 900_000, tracked: 262_144 }, "127.0.0.2-127.0.0.9");
  const parts = all.replace(/\b100\d{4}\b/g, "1000000").split("; ");
  assertEquals(parts.slice(0, 2), [
    "Cannot open 1000000 connections: the limit of open files is 1024: ulimit -n 1000000 as root",
    "there are 225856 local ports, 28232 on each of 8 addresses: --source 127.0.0.2-127.0.0.72, " +
    'or sysctl net.ipv4.ip_local_port_range="1024 65535"',
  ]);
  assertMatch(
    parts[2] ?? "",
    /can open 900000 more files, and both ends need 2000000: sysctl fs\./,
  );
  assertMatch(parts[3] ?? "", /^they take about [\d.]+ GiB of memory .*, and 1.00 GiB are free: /);
  assertMatch(parts[4] ?? "", /^the firewall follows 262144 more connections and drops the others/);
  assertEquals(parts.length, 5);
  assertMatch(
    await refused({ ...few, anyProcess: 65_536 }, "127.0.0.2-127.0.0.72"),
    /the limit of open files is 1024: sysctl fs.nr_open=100\d{4}, then ulimit -n 100\d{4} as root/,
  );
  // What may be enough after all is no refusal.
  assertMatch(
    await said({ memory: 2 ** 30 }, "127.0.0.2-127.0.0.72"),
    /^There is little room for 1000000 connections: they take about /m,
  );
}, { skip: skip ?? whyNoDescriptors() });

test("a server that cannot have so many connections is known before", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "echo", "--quiet"], {
    descriptors: 200,
  });
  const { address, pid } = server;
  const notes = async (connections: number) =>
    preflight(await makePlan({ protocol: "echo", connections }), address, { pid }).join("\n");
  assertMatch(
    await notes(200),
    /^The server's limit of open files is 200, so it cannot hold 200 connections: start it where /m,
  );
  assertNotMatch(await notes(100), /limit of open files/);
}, { skip });

test("Deno's own sockets say that they cannot choose", async () => {
  const plan = await makePlan({ protocol: "echo", engine: "runtime", source: "127.0.0.2" });
  const address = { hostname: "127.0.0.1", port: 9 };
  const error = await assertRejects(
    () => Promise.resolve().then(() => preflight(plan, address)),
    OptionError,
  );
  assertMatch(error.message, /Deno's own sockets cannot choose .*: --engine descriptors can/);
}, { skip: runtime.name === "deno" ? skip : "Bun's can" });

test("many sources open more connections than one address has ports", async () => {
  const found: FewPorts = JSON.parse(await inOwnNetwork("tests/kit/few_ports.ts"));
  const four = Object.fromEntries([2, 3, 4].map((last) => [`127.0.0.${last}`, PORTS]));
  const six = { "fd00:9::2": PORTS, "fd00:9::3": PORTS };
  for (const engine of ENGINES) {
    assertEquals(found.opened[`${engine} four`], { errors: {}, requests: 3 * PORTS, from: four });
    assertEquals(found.opened[`${engine} six`], { errors: {}, requests: 2 * PORTS, from: six });
  }
  const [more = "", one = ""] = found.refused;
  assertMatch(
    more,
    /^Cannot open 37 connections: there are 36 local ports, 12 on each of 3 addresses: --source /,
  );
  assertMatch(
    one,
    /^Cannot open 13 connections: there are 12 local ports: --source 127.0.0.2-127.0.0.4, or sysctl /,
  );
}, { skip: whyNoOwnNetwork() ?? whyNoDescriptors() });
