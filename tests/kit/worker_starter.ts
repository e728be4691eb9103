/**
 * A process that starts Workers and sees them die, for `tests/workers/`. Its argument says what to
 * do, and it prints what came of it.
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import { runtime } from "../../engine/net/runtime.ts";
import { hasAbandonedThreads } from "../../engine/workers/abandoned_threads.ts";
import { SupervisedWorker } from "../../engine/workers/supervised_worker.ts";
import { WorkerKeeper } from "../../engine/workers/worker_keeper.ts";
import { NAME, type Order, type Orders, type Said, URL_OF_WORKER } from "./supervised_worker.ts";

/** How often the keeper looks for room in vain before there is some. */
const LOOKS = 4;

/** How many descriptors are left: far too few for a Worker. */
const LEFT = 4;

function start(
  assignment: Orders = {},
  onMessage?: (said: Said) => void,
): SupervisedWorker<Order, Said> {
  return SupervisedWorker.start<Order, Said>({
    url: URL_OF_WORKER,
    name: NAME,
    assignment,
    ...(onMessage !== undefined && { onMessage }),
  });
}

/** Lets a Worker die. This thread must go on. */
async function die(): Promise<void> {
  const worker = start();
  await worker.ready;
  worker.post({ kind: "die" });
  console.log(`gone: ${(await worker.gone)?.message}`);
}

/** Ends a Worker while it is busy. */
async function abandon(): Promise<void> {
  const idle = start();
  await idle.ready;
  idle.end();
  console.log(`after an idle one: ${hasAbandonedThreads()}`);
  const spinning = Promise.withResolvers<void>();
  const busy = start({}, () => spinning.resolve());
  await busy.ready;
  busy.post({ kind: "spin", ms: 300 });
  await spinning.promise;
  busy.end(new Error("it did not end in time"), true);
  console.log(`after a busy one: ${hasAbandonedThreads()}, ${(await busy.gone)?.message}`);
}

/** Lets a Worker die when there are no descriptors for another one. */
async function replace(): Promise<void> {
  const fillers: number[] = [];
  const fill = () => {
    try {
      for (;;) fillers.push(openSync("/dev/null", "r"));
    } catch {
      // Now there are no free descriptors. The runtime itself may need some: without any, Deno panics.
      for (const fd of fillers.splice(-LEFT)) closeSync(fd);
    }
  };
  let looks = 0;
  const again = Promise.withResolvers<void>();
  const keeper = new WorkerKeeper({
    journal: { log: ({ properties: { error } }) => console.log(`died: ${error}`) },
    isWanted: () => {
      // The dead Worker gives its descriptors back at some time, so all are taken again.
      if (++looks <= LOOKS) fill();
      else for (const fd of fillers.splice(0)) closeSync(fd);
      return true;
    },
  });
  let first: SupervisedWorker<Order, Said> | undefined;
  let second: SupervisedWorker<Order, Said> | undefined;
  await keeper.keepRunning(() => first = start(), () => {
    console.log(`replaced after ${looks} looks`);
    second = start();
    second.ready.then(again.resolve, again.reject);
    return second;
  });
  first?.post({ kind: "die" });
  await again.promise;
  console.log("ready again");
  keeper.stop();
  second?.end();
}

const ACTS: Readonly<Record<string, () => Promise<void>>> = { die, abandon, replace };

// The Workers run another module, so this is the main thread.
await ACTS[runtime.args[0] as string]?.();
console.log("over");
