/**
 * Servers that are stopped while clients ask over a path with delay. It runs in a network of its
 * own, which the test has made.
 *
 * On the command line stand how many clients of each must have been answered, how many ask at a
 * time, and the names of the servers. It prints as one line of JSON what became of the clients, by
 * name.
 *
 * @module
 */

import { isMainModule, runtime } from "../../engine/net/runtime.ts";
import { ASKED, type AskedSum, type Asking, stopOften } from "../proofs/drain.ts";
import { ENDS, LateWire } from "./late_wire.ts";

/** One way takes 30 to 50 ms, as across a continent. */
const PATH = { delayMs: 30, jitterMs: 20 };

/** How many are answered before a stop. A pool of two threads answers fifteen in a second there. */
const MOMENTS = [20, 40, 80, 160];

async function main(): Promise<void> {
  const [most, clients, ...names] = runtime.args;
  const found: Record<string, AskedSum> = {};
  await using _wire = await LateWire.lay(PATH);
  // A half goes over each family.
  const stop = async (asking: Asking): Promise<AskedSum> => {
    const [four, six] = [ENDS.IPv4, ENDS.IPv6].map(({ own, other }) => {
      const plan = { hostname: own, to: other, clients: Number(clients) };
      return stopOften(asking, plan, Number(most) / 2, MOMENTS);
    });
    return add(await four as AskedSum, await six as AskedSum);
  };
  const asked = ASKED.filter(({ name }) => names.includes(name));
  await Promise.all(asked.map(async (asking) => found[asking.name] = await stop(asking)));
  runtime.printNow("stdout", `${JSON.stringify(found)}\n`);
}

function add(one: AskedSum, other: AskedSum): AskedSum {
  const entries = Object.entries(one.asked).map(([name, count]) =>
    [name, count + other.asked[name as keyof typeof other.asked]] as const
  );
  return {
    stops: one.stops + other.stops,
    asked: Object.fromEntries(entries) as unknown as AskedSum["asked"],
  };
}

if (isMainModule(import.meta)) {
  main().then(() => runtime.exit(0), (error) => {
    runtime.printNow("stderr", `${error.stack}\n`);
    runtime.exit(1);
  });
}
