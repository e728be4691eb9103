/**
 * Supervised Workers: how they start, die and are replaced, on the real runtimes.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { messageOfDeath } from "../../engine/workers/death.ts";
import { LowestNumbers } from "../../engine/workers/lowest_numbers.ts";
import { SupervisedWorker, type WorkerPlan } from "../../engine/workers/supervised_worker.ts";
import { WorkerKeeper } from "../../engine/workers/worker_keeper.ts";
import { assert, assertEquals, assertMatch, assertRejects, test, within } from "../kit/harness.ts";
import { Script, whyNoLimit } from "../kit/server_process.ts";
import {
  NAME,
  type Order,
  type Orders,
  type Said,
  URL_OF_WORKER,
} from "../kit/supervised_worker.ts";

const WAIT_MS = 10_000;

function start(
  assignment: Orders,
  plan: Partial<WorkerPlan<Said>> = {},
): SupervisedWorker<Order, Said> {
  return SupervisedWorker.start({ url: URL_OF_WORKER, name: NAME, assignment, ...plan });
}

function ready(worker: SupervisedWorker<Order, Said>): Promise<void> {
  return within(WAIT_MS, "the Worker to be ready", worker.ready);
}

function gone(worker: SupervisedWorker<Order, Said>): Promise<Error | undefined> {
  return within(WAIT_MS, "the Worker to be gone", worker.gone);
}

test("SupervisedWorker is ready when its Worker says so, and answers messages", async () => {
  const heard = Promise.withResolvers<string>();
  let readies = 0;
  const worker = start({}, {
    onReady: () => readies++,
    onMessage: ({ word }) => heard.resolve(word),
  });
  assertEquals(worker.isReady, false);
  await ready(worker);
  assertEquals([worker.isReady, readies], [true, 1]);
  worker.post({ kind: "say", word: "hello", times: 1 });
  assertEquals(await within(WAIT_MS, "an answer", heard.promise), "hello");
  worker.end();
  assertEquals(await gone(worker), undefined);
});

test("SupervisedWorker says why its Worker cannot start", async () => {
  const ends: (string | undefined)[] = [];
  const worker = start({ failing: "no such protocol" }, {
    cannotStart: "Cannot start a tester",
    onGone: (error) => ends.push(error?.message),
  });
  const why = "Cannot start a tester: no such protocol";
  const error = await assertRejects(() => ready(worker));
  assertEquals((error as Error).message, why);
  assertEquals((await gone(worker))?.message, why);
  assertEquals([worker.isReady, ...ends], [false, why]);
});

test("SupervisedWorker is gone with the error when its Worker dies", async () => {
  const ends: [string | undefined, boolean][] = [];
  const worker = start({}, {
    died: "A tester died",
    onGone: (error, mayRun) => ends.push([error?.message, mayRun]),
  });
  await ready(worker);
  worker.post({ kind: "die" });
  const error = await gone(worker);
  // Neither the source around it nor its trace belong into a line of the log.
  assertEquals(error?.message, "A tester died: asked to die");
  // To end it again calls nobody.
  worker.end(new Error("once more"));
  assertEquals(ends, [[error?.message, false]]);
});

test("SupervisedWorker is gone without an error when its Worker has finished", async () => {
  const heard: string[] = [];
  const worker = start({ playing: true }, { onMessage: ({ word }) => heard.push(word) });
  await ready(worker);
  worker.post({ kind: "finish" });
  assertEquals([await gone(worker), ...heard], [undefined, "finishing"]);
});

test("SupervisedWorker that is ended before it is ready never becomes ready", async () => {
  const worker = start({});
  worker.end();
  const error = await assertRejects(() => ready(worker));
  assertEquals((error as Error).message, "Cannot start a thread: it ended at once");
  assertEquals([await gone(worker), worker.isReady], [undefined, false]);
});

test("SupervisedWorker receives no messages after it was ended", async () => {
  const heard: string[] = [];
  const first = Promise.withResolvers<void>();
  const worker = start({}, {
    onMessage: ({ word }) => {
      heard.push(word);
      worker.end();
      first.resolve();
    },
  });
  await ready(worker);
  worker.post({ kind: "say", word: "again", times: 100 });
  await within(WAIT_MS, "the first word", first.promise);
  // Starting another Worker takes longer than the messages that were under way.
  const other = start({});
  await ready(other);
  other.end();
  assertEquals(heard, ["again"]);
});

test(
  "SupervisedWorker starts Workers whose young generation stays small, and which die like others",
  async () => {
    const heard = Promise.withResolvers<string>();
    const worker = start({}, {
      youngMiB: 3,
      onMessage: ({ word }) => heard.resolve(word),
    });
    await ready(worker);
    worker.post({ kind: "keep", count: 200_000 });
    const bytes = Number.parseInt(await within(WAIT_MS, "an answer", heard.promise));
    assert(bytes > 0 && bytes <= 3 * 1024 * 1024, `${bytes} bytes`);
    worker.post({ kind: "die" });
    assertEquals((await gone(worker))?.message, "A thread died: asked to die");
  },
  { skip: runtime.name === "deno" ? undefined : "only V8 can be told how large it may become" },
);

test("of what a runtime tells of a death, the first line of the message is left", () => {
  const excerpt = "9907 |     this.#noteHost();\n9908 |     let it = a | b;\n         ^\n";
  const nothing = "an error without a message";
  for (
    const [told, message] of [
      [`${excerpt}error: It was ended\n      at begin (/$bunfs/root/it:9908:13)\n`, "It was ended"],
      [`${excerpt}TypeError: it is not an object\n  at it`, "TypeError: it is not an object"],
      ["error: It was ended\n      at begin (/$bunfs/root/it:1:2)\n", "It was ended"],
      ["Uncaught (in promise) Error: It was\nended", "It was"],
      ["Uncaught RangeError: it is too long", "RangeError: it is too long"],
      ['Uncaught (in promise) "a string"', '"a string"'],
      ["9 | 3 is a number", "9 | 3 is a number"],
      ["Uncaught (in promise) { a: 1 }", "{ a: 1 }"],
      ["{\n  a: {\n    b: 1,\n  },\n  c: 2,\n}", "{ a: { b: 1 }, c: 2 }"],
      ["error: {\n a: 1\n      at it", "{"],
      [`${excerpt}Error: \n      at begin (/$bunfs/root/it:9908:13)\n`, nothing],
      [`${excerpt}error: \nIt was ended\n      at begin (/it:9908:13)\n`, "It was ended"],
      [`${excerpt}TypeError: \n      at begin (/$bunfs/root/it:9908:13)\n`, "TypeError"],
      ["Uncaught Error", nothing],
      ["", nothing],
    ]
  ) assertEquals(messageOfDeath(told as string), message);
});

test("SupervisedWorker refuses an assignment that cannot be cloned, and leaves no Worker", () => {
  const assignment = { failing: () => {} } as unknown as Orders;
  let error: unknown;
  try {
    start(assignment);
  } catch (thrown) {
    error = thrown;
  }
  assert(error instanceof Error || error instanceof DOMException);
});

test("an error in a Worker does not end the main thread", async () => {
  await using script = new Script("tests/kit/worker_starter.ts", ["die"]);
  const { code, stdout, stderr } = await script.end();
  assertMatch(stdout, /^gone: A thread died: asked to die\nover\n$/, stderr);
  assertEquals(code, 0, stderr);
});

test("a Worker that is ended while it is busy counts as abandoned", async () => {
  await using script = new Script("tests/kit/worker_starter.ts", ["abandon"]);
  const { code, stdout, stderr } = await script.end();
  assertEquals(
    stdout,
    "after an idle one: false\nafter a busy one: true, it did not end in time\nover\n",
    stderr,
  );
  assertEquals(code, 0, stderr);
});

test("WorkerKeeper replaces a Worker only when there are descriptors for another one", async () => {
  const options = { descriptors: 128 };
  await using script = new Script("tests/kit/worker_starter.ts", ["replace"], options);
  const { code, stdout, stderr } = await script.end();
  assertMatch(
    stdout,
    /^died: [^]*asked to die[^]*\nreplaced after 5 looks\nready again\nover\n$/,
    stderr,
  );
  assertEquals(code, 0, stderr);
}, { skip: whyNoLimit });

test("WorkerKeeper replaces a Worker each time it dies, after pauses that grow", async () => {
  const deaths: string[] = [];
  const keeper = new WorkerKeeper({
    journal: { log: ({ properties: { error } }) => deaths.push(error) },
    reserve: 0,
  });
  const LIVES = 5;
  const last = Promise.withResolvers<SupervisedWorker<Order, Said>>();
  const startedAt = performance.now();
  await keeper.keepRunning(() => start({ dying: true }), () => {
    const isLast = deaths.length === LIVES;
    const worker = start({ dying: !isLast });
    if (isLast) last.resolve(worker);
    return worker;
  });
  const worker = await within(WAIT_MS, "the last one to be started", last.promise);
  // Timers never end early. The pauses are 5, 10, 20, 40 and 80 ms, less what a clock rounds away.
  assert(performance.now() - startedAt > 150);
  await ready(worker);
  assertEquals(deaths.length, LIVES);
  for (const death of deaths) assertEquals(death, "A thread died: asked to die");
  // A Worker that is ended without an error is not replaced.
  worker.end();
  await gone(worker);
  keeper.stop();
});

test("WorkerKeeper replaces no Worker if the first one cannot start", async () => {
  const keeper = new WorkerKeeper({ journal: { log: () => {} } });
  let replaced = false;
  const kept = keeper.keepRunning(() => start({ failing: "no such protocol" }), () => {
    replaced = true;
    return undefined;
  });
  await assertRejects(() => within(WAIT_MS, "the failure", kept), Error, "no such protocol");
  assertEquals(replaced, false);
});

test("WorkerKeeper that is stopped ends its pauses and replaces no Worker", async () => {
  let replaced = false;
  const died = Promise.withResolvers<void>();
  const keeper = new WorkerKeeper({ journal: { log: () => died.resolve() }, reserve: 0 });
  // After twelve pauses the next ones are long.
  const pauses = Array.from({ length: 12 }, () => keeper.pause());
  const worker = start({ dying: true });
  await keeper.keepRunning(() => worker, () => {
    replaced = true;
    return undefined;
  });
  await within(WAIT_MS, "the death", died.promise);
  keeper.stop();
  keeper.stop();
  await within(WAIT_MS, "all pauses to end", Promise.all(pauses));
  await within(WAIT_MS, "a pause that is none", keeper.pause());
  assertEquals(replaced, false);
});

test("WorkerKeeper asks whether a replacement is wanted, and does not pause if it is urgent", async () => {
  const asked: string[] = [];
  let isWanted = true;
  const done = Promise.withResolvers<void>();
  const keeper = new WorkerKeeper({
    journal: { log: () => asked.push("death") },
    isUrgent: () => {
      asked.push("urgent");
      return true;
    },
    isWanted: () => {
      asked.push("wanted");
      if (!isWanted) done.resolve();
      return isWanted;
    },
    reserve: 0,
  });
  await keeper.keepRunning(() => start({ dying: true }), () => {
    asked.push("replaced");
    isWanted = false;
    return start({ dying: true });
  });
  await within(WAIT_MS, "the second death", done.promise);
  const death = ["death", "urgent", "wanted"];
  assertEquals(asked, [...death, "replaced", ...death]);
  keeper.stop();
});

test("LowestNumbers gives out the lowest free number", () => {
  const numbers = new LowestNumbers();
  assertEquals([numbers.take(), numbers.take(), numbers.take()], [0, 1, 2]);
  numbers.giveBack(1);
  numbers.giveBack(0);
  assertEquals([numbers.take(), numbers.take(), numbers.take()], [0, 1, 3]);
});
