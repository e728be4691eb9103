/**
 * Servers with few descriptors: they say when a limit is too low, and they run out of descriptors
 * without burning a core. That nobody is harmed is in `tests/modes/modes_test.ts`.
 *
 * @module
 */

import { ProcessStatus } from "../../engine/process/process_status.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { assert, assertEquals, assertMatch, delay, test, until } from "../kit/harness.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { whyNot } from "../kit/rows.ts";
import { Script, ServerProcess, whyNoLimit } from "../kit/server_process.ts";

const LINUX_ONLY = runtime.os === "linux" ? undefined : "only Linux tells the time on processors";

test("a limit that is too low is said at the start, with one that is enough", async () => {
  const modes = ["sequential", "nonblocking", "completion", "threadpool", "prefork", "cluster"];
  await Promise.all(
    modes.filter((mode) => whyNot(mode) === undefined).map(async (mode) => {
      const path = `modes/${mode}.ts`;
      const args = /pool|prefork|cluster/.test(mode) ? ["--workers", "1"] : [];
      await using script = new Script(path, ["0", ...args], { descriptors: 30 });
      const { code, stdout, stderr } = await script.end();
      assertEquals([code, stdout], [1, ""], stderr);
      const line = new RegExp(
        `^${mode}: Cannot start \\d (thread|event loop|process)s?: the limit of open files \\(ulimit -n\\) is 30, ` +
          "and at least (\\d+) are needed\\n$",
      );
      assertMatch(stderr, line);
      // A runtime has some files open only for a moment.
      const descriptors = Number(line.exec(stderr)?.[2]) + 8;
      await using server = await ServerProcess.start(mode, args, { descriptors });
      await handshake(server.address, 1);
    }),
  );
}, { sanitize: false, skip: whyNoLimit });

test("out of descriptors no server burns a core, and it serves again afterwards", async () => {
  await Promise.all(["modes/event", "modes/cluster", "chat/server"].map(async (mode) => {
    const args = mode === "chat/server" ? ["--max-per-host", "1000"] : ["--protocol", "echo"];
    if (mode === "modes/cluster") args.push("--workers", "1");
    await using server = await ServerProcess.start(mode, args, { descriptors: 64 });
    const peers = await Promise.all(
      Array.from({ length: 100 }, () => Peer.connect(server.address)),
    );
    await until(
      "the log to say it",
      () => server.stderr.includes(": nearly out of descriptors"),
    );
    // Whoever comes now is refused, or waits without being looked at.
    const status = new ProcessStatus(server.pid);
    const before = status.cpuSeconds;
    const startedAt = performance.now();
    await delay(400);
    const used = status.cpuSeconds - before;
    const wall = (performance.now() - startedAt) / 1000;
    assert(used < wall / 4, `${mode} used ${used} s of ${wall} s`);
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
    await until(`${mode} to serve again`, async () => {
      await using peer = await Peer.connect(server.address);
      await peer.send("hello\n");
      return await peer.line().then((line) => line !== "", () => false);
    });
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    if (runtime.name !== "bun") return;
    assertMatch(ending.stderr, / refused \d+ more: nearly out of descriptors$/m);
    // It is told in steps, and everybody is counted.
    const told = ending.stderr.match(/ refused \d+ more/g)?.length ?? 0;
    assert(told < 20, `${told} lines`);
    assertMatch(ending.stderr, /totals: .*(lost before accept|refused) [3-9]\d/);
  }));
}, { sanitize: false, skip: whyNoLimit ?? LINUX_ONLY });
