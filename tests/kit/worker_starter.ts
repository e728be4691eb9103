/**
 * A process that starts Workers and sees them die, for `tests/workers/`. Each argument is something that
 * it does, and what came of it is printed.
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import { runtime } from "../../engine/net/runtime.ts";
import { hasAbandonedThreads } from "../../engine/workers/abandoned_threads.ts";
import { SupervisedWorker } from "../../engine/workers/supervised_worker.ts";
import { WorkerKeeper } from "../../engine/workers/worker_keeper.ts";
import { NAME, type Order, type Orders, type Said, URL_OF_WORKER } from "./supervised_worker.ts";

/** How often it is looked in vain for room, before there is some. */
const LOOKS = 4;

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

/** A Worker dies, and this thread goes on. */
async function die(): Promise<void> {
  const worker = start();
  await worker.ready;
  worker.post({ kind: "die" });
  console.log(`gone: ${(await worker.gone)?.message}`);
}

/** A Worker is ended while it is busy. */
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

/** A Worker dies when there are no descriptors for another. */
async function replace(): Promise<void> {
  const fillers: number[] = [];
  const fill = () => {
    try {
      for (;;) fillers.push(openSync("/dev/null", "r"));
    } catch {
      // Now there are none.
    }
  };
  let looks = 0;
  const again = Promise.withResolvers<void>();
  const keeper = new WorkerKeeper({
    journal: { log: ({ properties: { error } }) => console.log(`died: ${error}`) },
    isWanted: () => {
      // The one that died gives its descriptors back when the runtime comes to it.
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

// The Worker's module is another one, so this is the main thread.
await ACTS[runtime.args[0] as string]?.();
console.log("over");
