/**
 * A client that makes threads die harms itself, in every mode: its host is refused for a while, and
 * nobody else waits for the next thread.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { CulpritList, Culprits } from "../../engine/server/core/culprits.ts";
import { describeHost, type HostKey, hostKey } from "../../engine/server/core/host_key.ts";
import { assert, assertEquals, assertMatch, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { DIFFERENT, forOne, inTurn, ROWS, testTogether } from "../kit/rows.ts";
import { ServerProcess, totalsIn } from "../kit/server_process.ts";

const CULPRIT = "127.0.0.2";

/** The rows whose conversations are computed for by other threads. */
const OFFLOADING = ["event", "nonblocking", "completion", "cluster"];

/** Why a test cannot connect from several addresses. */
const whyNoLoopback = runtime.os === "linux" ? undefined : "only Linux has all of 127.0.0.0/8";

/** Says a word from an address. @returns the answer, or `undefined` if there was none */
async function say(server: ServerProcess, from: string, word: string): Promise<string | undefined> {
  try {
    await using peer = await Peer.connect(server.address, from);
    return await (await peer.send(`${word}\n`)).line() || undefined;
  } catch {
    return undefined;
  }
}

/** Lets the culprit end three threads, and checks that he and nobody else is refused after that. */
async function endThreads(server: ServerProcess, word: string): Promise<void> {
  const died = () =>
    server.stderr.match(/ ERR A ((computing )?thread|process) died: /g)?.length ?? 0;
  let said = 0;
  for (let count = 1; count <= 3; count++) {
    await until(`the death of thread ${count}`, async () => {
      if (died() < count) {
        said++;
        await say(server, CULPRIT, word);
      }
      // In a loop it takes another client to show that the thread is lost.
      for (let times = 0; times < 10 && died() < count; times++) {
        await say(server, "127.0.0.1", "next");
      }
      return died() >= count;
    });
  }
  await until("the culprit to be refused", async () => {
    const isRefused = await say(server, CULPRIT, "here") === undefined;
    return isRefused && server.stderr.includes(` refused ${CULPRIT}:`);
  });
  await until("everybody else to be served", async () => {
    return await say(server, "127.0.0.1", "here") === "here";
  });
  const ending = await server.stop();
  assertMatch(ending.stderr, / refusing 127\.0\.0\.2 for 30 s: its connections have ended 3 /);
  const [, lost] = / · refused \d+ .*· threads lost (\d+)$/.exec(totalsIn(ending)) ?? [];
  // A death that is told late lets the culprit end one thread more. He ends none after that.
  assert(Number(lost) >= 3 && Number(lost) <= said, `${lost} of ${said}: ${totalsIn(ending)}`);
}

testTogether(
  "a host whose connections end threads again and again is refused, and nobody else is",
  whyNoLoopback === undefined ? inTurn(DIFFERENT, 1).filter(({ workers }) => workers) : [],
  async (row) => {
    const args = [...forOne(row), "--protocol", "./tests/kit/protocols/stray.ts"];
    await using server = await ServerProcess.start(row.mode, args);
    await endThreads(server, "lose");
  },
  6,
);

testTogether(
  "the same holds for the threads that compute",
  whyNoLoopback === undefined ? ROWS.filter(({ name }) => OFFLOADING.includes(name)) : [],
  async (row) => {
    const args = [...row.args, "--protocol", "./tests/kit/protocols/faulty.ts", "--offload", "1"];
    await using server = await ServerProcess.start(row.mode, args);
    await endThreads(server, "perish");
  },
);

test("culprits are few, whoever they are, and one IPv6 network is one of them", () => {
  const said: unknown[] = [];
  using list = new CulpritList({
    wantsReports: false,
    wantsLog: true,
    report() {},
    log: ({ properties }) => void said.push(properties?.host),
  });
  const seen = new Culprits(list.memory);
  const blame = (...hosts: string[]) => hosts.map((host) => list.blame(hostKey(host)));
  assertEquals(blame("unix:"), [false], "nobody is known");
  assertEquals(blame("2001:db8::1", "2001:db8::2"), [true, true]);
  assert(!seen.any && !seen.refuses("2001:db8::3"), "a host may end a few threads");
  blame("2001:db8::9");
  assert(seen.refuses("2001:db8::3%eth0") && !seen.refuses("2001:db8:0:1::3"));
  blame("::ffff:10.0.0.1", "10.0.0.1", "::ffff:10.0.0.1");
  assert(seen.refuses("10.0.0.1") && !seen.refuses("10.0.0.2"));
  blame(...Array(3).fill("unix:pid=7,uid=1000"));
  assert(seen.refuses("unix:pid=8,uid=1000") && !seen.refuses("unix:pid=7,uid=0"));
  assertEquals(said, ["2001:db8::/64", "10.0.0.1", "user 1000"]);
  const { byteLength } = list.memory;
  for (let host = 0; host < 2_000; host++) {
    blame(...Array(3).fill(`10.1.${host >> 8}.${host & 255}`));
  }
  assertEquals(list.memory.byteLength, byteLength);
  assert(!seen.refuses("10.0.0.1"), "the oldest is forgotten");
  assert(seen.refuses("10.1.7.207"), "the latest is not");
  assertEquals(describeHost(hostKey("fe80::1") as HostKey), "fe80::/64");
  list[Symbol.dispose]();
  assert(!seen.any, "nobody is left");
}, { pure: true });
