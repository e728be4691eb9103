/**
 * The pool of computing threads: the order of its jobs, cancellation, preemption, and what happens
 * when a thread dies.
 *
 * @module
 */

import type { Elsewhere, Operation } from "../../engine/drivers/elsewhere.ts";
import { CounterBlock } from "../../engine/server/core/counters.ts";
import type { Journal } from "../../engine/server/journal/journal.ts";
import { OffloadPool } from "../../engine/server/offload/offload_pool.ts";
import {
  type OffloadAnswer,
  OffloadClerk,
  type OffloadRequest,
  PortOffload,
} from "../../engine/server/offload/offload_port.ts";
import { COMPUTE_MODE } from "../kit/compute_thread.ts";
import { tasks } from "../kit/protocols/faulty.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  delay,
  test,
  until,
  within,
} from "../kit/harness.ts";

const urlOf = (path: string) => new URL(path, import.meta.url).href;

/** The Workers are abandoned at the end of a test, and some of them are still computing. */
const options = { sanitize: false };

/** A pool, what it has logged, and what it has answered. */
class Asked implements Disposable {
  readonly pool: OffloadPool;
  readonly said: string[];
  /** The answers in order, each with the name of its job. */
  readonly answers: string[] = [];
  readonly #elsewhere: Elsewhere;

  private constructor(pool: OffloadPool, said: string[], elsewhere: Elsewhere = pool) {
    this.pool = pool;
    this.said = said;
    this.#elsewhere = elsewhere;
  }

  static async start(threads: number, protocol = "../kit/protocols/faulty.ts"): Promise<Asked> {
    const said: string[] = [];
    const journal: Journal = {
      wantsReports: false,
      wantsLog: true,
      report() {},
      log: ({ text, properties }) =>
        void said.push(text.replace("{error}", `${properties?.error}`)),
    };
    const starting = OffloadPool.start({
      mode: COMPUTE_MODE,
      url: urlOf("../kit/compute_thread.ts"),
      threads,
      protocol: urlOf(protocol),
      computeTimeoutMs: 0,
      journal,
      counters: new CounterBlock(),
    });
    return new Asked(await within(15_000, "a pool to start", starting), said);
  }

  /** The same pool as another thread uses it. */
  through(elsewhere: Elsewhere): Asked {
    return new Asked(this.pool, this.said, elsewhere);
  }

  /** Begins a job. */
  begin(task: string, argument?: unknown, name = `${task} ${argument}`): Operation {
    return this.#elsewhere.begin(task, argument, (error, result) => {
      const answer = error === undefined ? String(result) : `failed: ${(error as Error).message}`;
      this.answers.push(`${name}: ${answer}`);
    });
  }

  /** Waits until there are this many answers. */
  async answered(count: number): Promise<string[]> {
    await until(`${count} answers`, () => this.answers.length >= count);
    return this.answers;
  }

  [Symbol.dispose](): void {
    this.pool[Symbol.dispose]();
  }
}

test("the pool answers later, with the result or with the error", async () => {
  using asked = await Asked.start(1);
  asked.begin("double", 21);
  asked.begin("count", 1000);
  asked.begin("throw", "up");
  asked.begin("missing", "");
  asked.begin("unclonable");
  assertEquals(asked.answers, [], "nothing is answered at once");
  const answers = await asked.answered(5);
  assertEquals(answers.slice(0, 4), [
    "double 21: 42",
    "count 1000: 499500",
    "throw up: failed: asked to throw up",
    `missing : failed: Cannot compute: expected ${
      Object.keys(tasks).join(", ")
    }, current task is "missing"`,
  ]);
  assertMatch(answers[4] ?? "", /^unclonable undefined: failed: ./);
}, options);

test("with one thread the pool computes jobs in the order in which they came", async () => {
  using asked = await Asked.start(1);
  const order = Array.from({ length: 20 }, (_, index) => index);
  for (const index of order) asked.begin(index % 3 === 0 ? "count" : "double", index, `${index}`);
  const answers = await asked.answered(20);
  assertEquals(answers.map((answer) => parseInt(answer)), order);
}, options);

test("a job whose argument cannot be sent fails later, and holds up no other job", async () => {
  using asked = await Asked.start(1);
  asked.begin("double", () => {}, "function");
  asked.begin("double", 3);
  assertEquals(asked.answers, []);
  const answers = (await asked.answered(2)).toSorted();
  assertEquals(answers[0], "double 3: 6");
  assertMatch(answers[1] ?? "", /^function: failed: ./);
}, options);

test("several threads compute at the same time", async () => {
  using asked = await Asked.start(2);
  const endless = asked.begin("endless");
  asked.begin("double", 4);
  assertEquals(await asked.answered(1), ["double 4: 8"]);
  endless.cancel();
}, options);

test("a cancelled job is not answered, whether it waits or is under way", async () => {
  using asked = await Asked.start(1);
  const running = asked.begin("endless");
  const waiting = asked.begin("double", 1);
  asked.begin("double", 2);
  waiting.cancel();
  running.cancel();
  running.cancel();
  asked.begin("double", 3);
  assertEquals(await asked.answered(2), ["double 2: 4", "double 3: 6"]);
  assertEquals(asked.said, []);
}, options);

test(
  "a job that gives way is preempted by the others, and starts again when they are done",
  async () => {
    using asked = await Asked.start(1);
    const long = asked.begin("count", 300_000, "long");
    long.giveWay?.();
    for (const n of [1, 2, 3]) asked.begin("double", n);
    assertEquals(await asked.answered(4), [
      "double 1: 2",
      "double 2: 4",
      "double 3: 6",
      `long: ${300_000 * 299_999 / 2}`,
    ]);
  },
  options,
);

test("whoever gives way while others wait is stopped for them at once", async () => {
  using asked = await Asked.start(1);
  const endless = asked.begin("endless");
  asked.begin("double", 1);
  endless.giveWay?.();
  assertEquals(await asked.answered(1), ["double 1: 2"]);
  endless.cancel();
}, options);

test("whoever gives way while waiting is passed by those who come later", async () => {
  using asked = await Asked.start(1);
  const endless = asked.begin("endless");
  const patient = asked.begin("double", 1);
  asked.begin("double", 2);
  patient.giveWay?.();
  endless.cancel();
  assertEquals(await asked.answered(2), ["double 2: 4", "double 1: 2"]);
}, options);

test("a job that gives way keeps its thread while no other job wants it", async () => {
  using asked = await Asked.start(1);
  asked.begin("count", 1000, "alone").giveWay?.();
  assertEquals(await asked.answered(1), ["alone: 499500"]);
}, options);

test("a job that has given way can still be cancelled, running or waiting", async () => {
  using asked = await Asked.start(1);
  const running = asked.begin("endless", 1);
  const waiting = asked.begin("endless", 2);
  running.giveWay?.();
  waiting.giveWay?.();
  asked.begin("double", 1);
  assertEquals(await asked.answered(1), ["double 1: 2"]);
  running.cancel();
  waiting.cancel();
  asked.begin("double", 2);
  assertEquals(await asked.answered(2), ["double 1: 2", "double 2: 4"]);
}, options);

test("a thread that dies is replaced, and its death is logged", async () => {
  using asked = await Asked.start(1);
  asked.begin("perish");
  assertEquals(await asked.answered(1), ["perish undefined: perishing"]);
  const isDead = (said: string) => /^A computing thread died: [^]*asked to perish/.test(said);
  await until("the death to be logged", () => asked.said.some(isDead));
  asked.begin("double", 5);
  assertEquals((await asked.answered(2))[1], "double 5: 10");
}, options);

test("a pool whose threads cannot import the protocol does not start", async () => {
  const error = await assertRejects(() => Asked.start(2, "../kit/protocols/missing.ts"), Error);
  assertMatch(error.message, /^Cannot start a computing thread: /);
}, options);

test("jobs under way are not answered when the pool is disposed of", async () => {
  const asked = await Asked.start(1);
  asked.begin("count", 100_000);
  asked.begin("double", 1);
  asked[Symbol.dispose]();
  asked[Symbol.dispose]();
  await delay(50);
  assertEquals([asked.answers, asked.said], [[], []]);
}, options);

// From another thread.

/** A pool as a loop uses it from the other side of a port. */
class Far implements Disposable {
  readonly asked: Asked;
  readonly clerk: OffloadClerk;
  /** How many requests have come. */
  requests = 0;
  readonly #channel = new MessageChannel();

  constructor(near: Asked) {
    const { port1: loop, port2: main } = this.#channel;
    const port = new PortOffload((request) => loop.postMessage(request));
    this.clerk = new OffloadClerk(near.pool, (answer) => main.postMessage(answer));
    loop.onmessage = ({ data }) => port.handle(data as OffloadAnswer);
    main.onmessage = ({ data }) => {
      this.requests++;
      this.clerk.handle(data as OffloadRequest);
    };
    this.asked = near.through(port);
  }

  [Symbol.dispose](): void {
    this.clerk[Symbol.dispose]();
    this.#channel.port1.close();
    this.#channel.port2.close();
  }
}

test("answers, cancelling and giving way work through a port", async () => {
  using near = await Asked.start(1);
  using far = new Far(near);
  const { asked } = far;
  const long = asked.begin("count", 300_000, "long");
  long.giveWay?.();
  asked.begin("double", 1);
  asked.begin("throw", "up");
  const cancelled = asked.begin("double", 2);
  cancelled.cancel();
  cancelled.cancel();
  assertEquals(await asked.answered(3), [
    "double 1: 2",
    "throw up: failed: asked to throw up",
    `long: ${300_000 * 299_999 / 2}`,
  ]);
}, options);

test("an argument that cannot be sent through a port is refused at once", async () => {
  using near = await Asked.start(1);
  using far = new Far(near);
  let thrown: unknown;
  try {
    far.asked.begin("double", () => {});
  } catch (error) {
    thrown = error;
  }
  assert(thrown instanceof Error);
  far.asked.begin("double", 7);
  assertEquals(await far.asked.answered(1), ["double 7: 14"]);
}, options);

test("when a loop is gone, all its jobs are cancelled", async () => {
  using near = await Asked.start(1);
  using far = new Far(near);
  far.asked.begin("endless", 1);
  far.asked.begin("endless", 2);
  far.asked.begin("double", 1);
  await until("the requests to come", () => far.requests === 3);
  far.clerk[Symbol.dispose]();
  near.begin("double", 2);
  assertEquals(await near.answered(1), ["double 2: 4"]);
  assertEquals(far.asked.answers, []);
}, options);
