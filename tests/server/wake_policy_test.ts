/**
 * When another thread is woken for a connection.
 *
 * The policy looks at the clock. Where the machine was too slow for a test to have said anything,
 * it is done again; the clock itself decides nothing.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { DescriptorRing } from "../../engine/server/descriptors/descriptor_ring.ts";
import { WakePolicy } from "../../engine/server/descriptors/wake_policy.ts";
import { assertEquals, test } from "../kit/harness.ts";

const CORES = 4;

/** The length of a window in which the rate is measured, and a little more, in milliseconds. */
const WINDOW_MS = 22;

/** After so long without a connection the rate is unknown again, in milliseconds. */
const IDLE_MS = 100;

const sockaddr = new Uint8Array(SOCKADDR_SIZE);

/** A queue, and the policy of the one who puts something in. */
class Queue {
  readonly ring = DescriptorRing.create(256, 1);
  readonly policy = new WakePolicy(this.ring, CORES);
  readonly #since = performance.now();

  put(count: number): void {
    for (let fd = 0; fd < count; fd++) this.ring.tryPut(fd, sockaddr);
  }

  take(count: number): void {
    for (let time = 0; time < count; time++) this.ring.tryTake(sockaddr);
  }

  /** Lets time pass since it was made. */
  pass(ms: number): void {
    while (performance.now() - this.#since < ms);
  }

  get age(): number {
    return performance.now() - this.#since;
  }
}

/** Does something with a queue, and does it again if it took longer than a rate is remembered. */
function inTime<T>(body: (queue: Queue) => T): T {
  for (;;) {
    const queue = new Queue();
    const result = body(queue);
    if (queue.age < IDLE_MS) return result;
  }
}

test("as long as fewer threads are busy than there are cores, one is woken for each", () => {
  const { policy } = new Queue();
  for (let busy = 0; busy < CORES; busy++) assertEquals(policy.isUrgent(busy), true);
});

test("where all cores are busy and nobody knows how fast they are, none is woken", () => {
  const isUrgent = inTime((queue) => {
    queue.put(100);
    return queue.policy.isUrgent(CORES);
  });
  assertEquals(isUrgent, false);
});

test("when nothing has left the queue for a while, one is woken at once", () => {
  const isUrgent = inTime((queue) => {
    queue.put(1);
    queue.pass(WINDOW_MS);
    return queue.policy.isUrgent(CORES);
  });
  assertEquals(isUrgent, true);
});

test("a queue that will soon be empty is left to those who are busy, a longer one is not", () => {
  const [short, long] = inTime((queue) => {
    queue.put(200);
    queue.take(200);
    queue.pass(WINDOW_MS);
    // At least two in a millisecond were taken: twenty will be within ten.
    queue.put(15);
    const short = queue.policy.isUrgent(CORES);
    queue.put(240);
    return [short, queue.policy.isUrgent(CORES)];
  });
  assertEquals([short, long], [false, true]);
});

test("after a time without connections, that none was taken says nothing", () => {
  const queue = new Queue();
  queue.pass(IDLE_MS + 5);
  queue.put(1);
  assertEquals(queue.policy.isUrgent(CORES), false);
});

test("a stalled queue wakes more and more, until one who was busy takes from it again", () => {
  const { policy, ring } = new Queue();
  for (let fd = 0; fd < 10; fd++) ring.tryPut(fd, sockaddr);
  const pauses = (count: number) => Array.from({ length: count }, () => policy.wakeAfterPause());
  assertEquals(pauses(9), Array(9).fill(0));
  assertEquals(pauses(4), [CORES, 2 * CORES, 4 * CORES, 8 * CORES]);
  ring.tryTake(sockaddr);
  assertEquals(pauses(1), [0]);
  assertEquals(pauses(10), [...Array(9).fill(0), CORES]);
});

test("what those take who were woken for it is no progress", () => {
  const { policy, ring } = new Queue();
  for (let fd = 0; fd < 10; fd++) ring.tryPut(fd, sockaddr);
  for (let pause = 0; pause < 10; pause++) policy.wakeAfterPause();
  policy.woke(2);
  for (let time = 0; time < 2; time++) ring.tryTake(sockaddr);
  assertEquals(policy.wakeAfterPause(), 2 * CORES);
  policy.woke(2);
  for (let time = 0; time < 3; time++) ring.tryTake(sockaddr);
  assertEquals(policy.wakeAfterPause(), 0);
});

test("however long a queue is stalled, the number of threads to wake stays one", () => {
  const { policy } = new Queue();
  let last = 0;
  for (let pause = 0; pause < 200; pause++) last = policy.wakeAfterPause();
  assertEquals(last, CORES * 2 ** 16);
});
