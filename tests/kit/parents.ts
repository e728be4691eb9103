/**
 * Servers of all modes in one process, with a protocol that starts programs. It has descriptors of
 * every kind that a server has, and prints where the servers listen as one line of JSON.
 *
 * @module
 */

import { isMainModule, runtime } from "../../engine/net/runtime.ts";
import {
  serveBerkeley,
  serveCluster,
  serveEvent,
  serveNonblocking,
  type ServeOptions,
  serveSequential,
  serveThreaded,
  serveThreadpool,
} from "../../mod.ts";

/** The files that it writes, by the arguments that name them. */
const [trace, record] = runtime.args as [string, string];

const OPTIONS: ServeOptions = {
  port: 0,
  protocol: new URL("./protocols/childish.ts", import.meta.url),
};

async function main(): Promise<void> {
  const servers = await Promise.all([
    serveSequential(OPTIONS),
    serveThreaded({ ...OPTIONS, spare: 0, handoff: "fd" }),
    serveThreaded({ ...OPTIONS, spare: 0, handoff: "message" }),
    serveThreadpool({ ...OPTIONS, workers: 2, handoff: "fd", trace }),
    serveThreadpool({ ...OPTIONS, workers: 2, handoff: "message" }),
    serveBerkeley({ ...OPTIONS, workers: 2 }),
    serveEvent({ ...OPTIONS, record }),
    serveNonblocking(OPTIONS),
    serveCluster({ ...OPTIONS, workers: 2 }),
    // The child of another one must not have its UDP socket.
    serveBerkeley({ port: 0, protocol: "echo", workers: 1 }),
  ]);
  const addresses = servers.map(({ mode, address }) => ({ mode, ...address }));
  runtime.printNow("stdout", `${JSON.stringify(addresses)}\n`);
}

if (isMainModule(import.meta)) await main();
