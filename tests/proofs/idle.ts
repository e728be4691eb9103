/**
 * Each of 10,000 silent connections takes at most 2 KiB beyond the empty server, in `nonblocking` and
 * `completion`, whatever it has said before.
 *
 * They connect one after another and rest, send one message each and rest, send nine more each and rest.
 * Then all leave, and as many others come and do the same: these take at most 3 KiB. A process has memory for as long as its
 * runtime does not give it back. So what counts is what the kernel says that it has (`Rss`,
 * proc_pid_smaps(5)), and the size of the empty process is taken off.
 *
 * Words on the command line say how many connections there are, and a part of the name of a mode.
 *
 * @module
 */

import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { read } from "../../engine/process/process_status.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import { assert, delay } from "../kit/harness.ts";
import { ManyClients, type Talk } from "../kit/many_clients.ts";
import { prove } from "../kit/proof.ts";
import { ServerProcess } from "../kit/server_process.ts";

/** How many KiB a connection may take, and one that comes after as many others have left. */
const MOST_KIB = [2, 3] as const;

/** How often the memory is looked at while the same connections are there. */
const LOOKS = 3;

/** How long nothing happens before the memory is looked at, in milliseconds. */
const REST_MS = 4_000;

/** The modes that hold so many connections in one thread of their own. */
const MODES: readonly { readonly mode: ModeName; readonly skip: string | undefined }[] = [
  { mode: "nonblocking", skip: whyNoSockets() },
  { mode: "completion", skip: whyNoSockets() ?? whyNoRing() },
];

/** The resident memory of a process, in KiB. */
function residentOf(pid: number): number {
  const [, kibibytes] = /^Rss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`)) ?? [];
  assert(kibibytes !== undefined, "the kernel does not tell how much memory the server has");
  return Number(kibibytes);
}

/** What a connection takes, in KiB, at each rest. */
export interface Idle {
  readonly mode: ModeName;
  readonly protocol: Talk;
  readonly each: readonly number[];
}

/**
 * Sees what silent connections take.
 *
 * @param mode the mode
 * @param protocol what is spoken
 * @param connections how many there are
 */
export async function rest(
  mode: ModeName,
  protocol: Talk,
  connections: number,
): Promise<Idle> {
  const args = ["--protocol", protocol, "--quiet"];
  await using server = await ServerProcess.start(mode, args);
  await delay(REST_MS);
  const empty = residentOf(server.pid);
  const each: number[] = [];
  const look = async () => {
    await delay(REST_MS);
    each.push((residentOf(server.pid) - empty) / connections);
  };
  for (const from of ["127.0.0.2", "127.0.0.3"]) {
    using clients = new ManyClients(server.address, protocol, connections, from);
    await look();
    for (const times of [1, 9]) {
      clients.ask(times);
      await look();
    }
  }
  return { mode, protocol, each };
}

await prove(import.meta, async () => {
  const [count = "10000", part = ""] = process.argv.slice(2);
  const found: Idle[] = [];
  for (const { mode, skip } of MODES) {
    if (skip !== undefined || !mode.includes(part)) continue;
    for (const protocol of ["echo", "frame"] as const) {
      found.push(await rest(mode, protocol, Number(count)));
    }
  }
  const told = found.map(({ mode, protocol, each }) =>
    `${mode} ${protocol} ${each.map((kib) => kib.toFixed(2)).join(" ")}`
  ).join(", ");
  const isMore = found.some(({ each }) =>
    each.some((kib, look) => kib > (MOST_KIB[Math.floor(look / LOOKS)] as number))
  );
  assert(!isMore, `KiB a connection: ${told}`);
  return `KiB a connection: ${told}`;
}, { skip: whyNoSockets() });
