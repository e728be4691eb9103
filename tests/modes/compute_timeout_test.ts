/**
 * `--compute-timeout` holds for tasks that never yield, in every mode: the conversation gets its
 * error, the thread serves the next client, and the process is idle again.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { runtime } from "../../engine/net/runtime.ts";
import { assertEquals, assertMatch, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { DAILY, inTurn, type Row, testTogether } from "../kit/rows.ts";
import { ServerProcess, totalsIn } from "../kit/server_process.ts";

const FAULTY = "./tests/kit/protocols/faulty.ts";

/** The row with as few threads as it can have, so that a thread that is lost is missed. */
function withOneThread({ args, mode }: Row): readonly string[] {
  const fewer = args.map((arg, index) => args[index - 1] === "--workers" ? "1" : arg);
  return mode === "threaded" ? [...fewer, "--max-threads", "1"] : fewer;
}

/** The time for which a process has computed, in clock ticks of 10 ms: proc(5), `stat`. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Waits until a process computes no more: several looks in a row find next to nothing. */
async function isIdle(pid: number): Promise<void> {
  let before = ticksOf(pid);
  let quiet = 0;
  await until("the process to be idle", async () => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const now = ticksOf(pid);
    // A core that is busy makes ten ticks in that time.
    quiet = now - before <= 3 ? quiet + 1 : 0;
    before = now;
    return quiet === 3;
  });
}

/** Waits until a thread computes. On a busy machine the time may be over before it has begun. */
async function computes(peer: Peer, number: number): Promise<void> {
  await until("a thread to compute", async () => {
    return await (await peer.send(`double ${number}\n`)).line() === `${2 * number}`;
  });
}

// `stuck` is a loop, `backtrack` a regular expression, `slice` a generator that stops yielding.
const rows = inTurn(DAILY, 1);
testTogether("a task that never yields is stopped, and its thread goes on", rows, async (row) => {
  const args = [...withOneThread(row), "--protocol", FAULTY, "--compute-timeout", "100ms"];
  const offload = row.overtakes && row.loops ? ["--offload", "1"] : [];
  await using server = await ServerProcess.start(row.mode, [...args, ...offload]);
  for (const task of ["stuck", "backtrack", "slice"]) {
    await using peer = await Peer.connect(server.address);
    const timedOut = new RegExp(`^failed: Timed out: the computation "${task}" `);
    assertMatch(await (await peer.send(`${task}\n`)).line(), timedOut);
    // Bun looks at the clock only now and then while it matches a regular expression.
    await computes(peer, 2);
    peer.finish();
    await peer.gone();
  }
  if (runtime.os === "linux") await isIdle(server.pid);
  await using next = await Peer.connect(server.address);
  await computes(next, 21);
  next.finish();
  await next.gone();
  const ending = await server.stop();
  assertEquals(ending.code, 0, ending.stderr);
  assertMatch(totalsIn(ending), /^accepted 4 · completed 4 · failed 0 · cut 0/);
});
