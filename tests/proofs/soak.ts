/**
 * A soak finds a server that leaks a descriptor in a thousand connections, and one that loses a
 * request in ten thousand, and passes the same server when it does neither.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import type { SoakRun } from "../../lab/soak/results.ts";
import { soak, type SoakOptions } from "../../lab/soak/soak.ts";
import { foreignSubject } from "../../lab/soak/subject.ts";
import { assert, assertEquals, assertMatch } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { conformance } from "../kit/protocols/forgetful.ts";
import { commandLine } from "./conform.ts";

/** The protocol that forgets, and where the modes find it. */
const FORGETFUL = new URL("../kit/protocols/forgetful.ts", import.meta.url);

/** Why a process cannot be looked at here. */
export const whyNoSoak: string | undefined = runtime.os === "linux"
  ? whyNoSockets()
  : "only Linux tells about other processes";

/** What is wrong with the server, if anything. */
export type Fault = "LEAKS_ONE_IN" | "LOSES_ONE_IN" | "RIGHT";

/**
 * Soaks a mode with a protocol that is nearly right.
 *
 * @param fault what is wrong
 * @param rarest one lost request in so many is looked for, and one leak in a tenth of that
 * @param more how to soak in another way
 */
export async function soakForgetful(
  fault: Fault,
  rarest: number,
  more: Partial<SoakOptions> = {},
): Promise<SoakRun> {
  const oneIn = fault === "LEAKS_ONE_IN" ? rarest / 10 : rarest;
  const command = commandLine(
    "modes/nonblocking.ts",
    "--protocol",
    FORGETFUL.href,
    "--quiet",
    "--write-timeout",
    "2m",
  );
  return await soak(foreignSubject(`env ${fault}=${oneIn} ${command}`), {
    requests: 5 * rarest,
    protocol: FORGETFUL.href,
    conformance,
    timeoutMs: 30_000,
    seed: 1,
    kinds: [],
    rarest,
    signal: new AbortController().signal,
    ...more,
  });
}

/**
 * Soaks three servers, of which two are not right, and looks that those are found and the other
 * passes.
 *
 * @param rarest how rare the faults are
 * @param kinds what there is besides the clients of the load
 * @returns how many honest requests there were
 */
export async function findFaults(
  rarest: number,
  kinds: SoakOptions["kinds"] = [],
): Promise<number> {
  const [leaking, losing, right] = await Promise.all(
    (["LEAKS_ONE_IN", "LOSES_ONE_IN", "RIGHT"] as const)
      .map((fault) => soakForgetful(fault, rarest, { kinds })),
  ) as [SoakRun, SoakRun, SoakRun];
  const shown = JSON.stringify([leaking, losing, right].map(({ samples: _, ...run }) => run));
  assertEquals([leaking, losing, right].map(({ verdict }) => verdict), [
    "failed",
    "failed",
    "passed",
  ], shown);
  // Each for its own fault, and for no other one.
  assertEquals([leaking.reasons.length, leaking.failed], [1, {}], shown);
  assertMatch(leaking.reasons[0] ?? "", /^descriptors rise: by \d+ over the /);
  assertEquals(leaking.courses.memory_bytes.warm !== null, true, shown);
  for (const reason of losing.reasons) assertMatch(reason, /^\d+ honest requests? failed: /);
  const lost = Object.values(losing.failed).reduce((sum, count) => sum + count, 0);
  assert(lost > 0 && lost <= 20, shown);
  return leaking.work.requests + losing.work.requests + right.work.requests;
}

await prove(import.meta, async () => {
  const requests = await findFaults(10_000, ["cases"]);
  return `both found in ${requests.toLocaleString("en")} requests to three servers`;
}, { skip: whyNoSoak });
