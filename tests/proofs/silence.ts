/**
 * None of 10,000 connections that come at once and say nothing is given up, in `nonblocking` and in
 * `event`, with keepalive as it is by default.
 *
 * All of them are asked for a sign of life in the same moments, on a loopback that keeps a thousand
 * packets for each processor (`netdev_max_backlog`) and drops the others without a word. After three
 * times as long as it takes to find a peer that has vanished, each of them is answered.
 *
 * Words on the command line say how many connections there are, and a part of the name of a mode.
 *
 * @module
 */

import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { read } from "../../engine/process/process_status.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import { assertEquals, delay } from "../kit/harness.ts";
import { ManyClients } from "../kit/many_clients.ts";
import { prove } from "../kit/proof.ts";
import { ServerProcess, totalsIn } from "../kit/server_process.ts";

const MODES: readonly ModeName[] = ["nonblocking", "event"];

/** How long nobody says anything, in milliseconds: a vanished peer is found within 15 s. */
const SILENCE_MS = 45_000;

/** How long the server may take to end, in milliseconds. */
const END_MS = 60_000;

/** How many packets the processors have dropped, because too many waited (`net/core/net-procfs.c`). */
function dropped(): number {
  const rows = read("/proc/net/softnet_stat").trim().split("\n");
  return rows.reduce((sum, row) => sum + parseInt(row.split(" ")[1] ?? "0", 16), 0);
}

/**
 * Has clients say nothing, and then something.
 *
 * @param mode the mode
 * @param connections how many there are
 * @param silenceMs how long they say nothing, in milliseconds
 * @returns in what time they came, in seconds, and how many packets were dropped since
 * @throws {Error} if one of them was given up
 */
export async function keepSilence(
  mode: ModeName,
  connections: number,
  silenceMs: number,
): Promise<{ readonly seconds: number; readonly dropped: number }> {
  const limits = ["--read-timeout", "0", "--session-timeout", "0"];
  await using server = await ServerProcess.start(mode, [
    "--protocol",
    "echo",
    "--quiet",
    ...limits,
  ]);
  const before = dropped();
  const began = performance.now();
  using clients = new ManyClients(server.address, "echo", connections, "127.0.0.2");
  const seconds = (performance.now() - began) / 1_000;
  await delay(silenceMs);
  const lost = dropped() - before;
  clients.ask(1);
  clients.finish();
  server.signal("SIGTERM");
  const totals = `accepted ${connections} · completed ${connections} · failed 0 · cut 0`;
  assertEquals(totalsIn(await server.end(END_MS)), totals);
  return { seconds, dropped: lost };
}

await prove(import.meta, async () => {
  const [count = "10000", part = ""] = process.argv.slice(2);
  const told: string[] = [];
  for (const mode of MODES.filter((name) => name.includes(part))) {
    const { seconds, dropped } = await keepSilence(mode, Number(count), SILENCE_MS);
    told.push(`${mode} ${count} within ${seconds.toFixed(2)} s, ${dropped} packets dropped`);
  }
  return `nobody given up: ${told.join("; ")}`;
}, { skip: whyNoSockets() });
