/**
 * When another thread is woken for a connection.
 *
 * The policy looks at a clock, which is the test's own here: how fast the machine is decides
 * nothing.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { DescriptorRing } from "../../engine/server/descriptors/descriptor_ring.ts";
import { WakePolicy } from "../../engine/server/descriptors/wake_policy.ts";
import { assertEquals, test } from "../kit/harness.ts";

const CORES = 4;

/** The time over which the rate is measured, in milliseconds. */
const WINDOW_MS = 20;

/** Without a connection for this time the rate is unknown again, in milliseconds. */
const IDLE_MS = 100;

const sockaddr = new Uint8Array(SOCKADDR_SIZE);

/** A queue, and the policy of the thread that puts connections in. */
class Queue {
  #now = 1_000;
  readonly ring = DescriptorRing.create(256, 1);
  readonly policy = new WakePolicy(this.ring, CORES, () => this.#now);

  put(count: number): void {
    for (let fd = 0; fd < count; fd++) this.ring.tryPut(fd, sockaddr);
  }

  take(count: number): void {
    for (let time = 0; time < count; time++) this.ring.tryTake(sockaddr);
  }

  /** Waits until the queue is this old. */
  pass(ms: number): void {
    this.#now += ms;
  }
}

test("while fewer threads are busy than there are cores, a connection wakes another one", () => {
  const { policy } = new Queue();
  for (let busy = 0; busy < CORES; busy++) assertEquals(policy.isUrgent(busy), true);
});

test("no thread is woken while all cores are busy and the rate is unknown", () => {
  const queue = new Queue();
  queue.put(100);
  assertEquals(queue.policy.isUrgent(CORES), false);
});

test("a connection wakes a thread when nothing has left the queue for a while", () => {
  const queue = new Queue();
  queue.put(1);
  queue.pass(WINDOW_MS);
  assertEquals(queue.policy.isUrgent(CORES), true);
});

test("a queue that will soon be empty is left to the busy threads, a longer one is not", () => {
  const queue = new Queue();
  queue.put(200);
  queue.take(200);
  queue.pass(WINDOW_MS);
  // Ten were taken in a millisecond. So a hundred will be taken within ten.
  queue.put(100);
  assertEquals(queue.policy.isUrgent(CORES), false);
  queue.put(1);
  assertEquals(queue.policy.isUrgent(CORES), true);
});

test("a time without connections says nothing about the rate", () => {
  const queue = new Queue();
  queue.pass(IDLE_MS + 1);
  queue.put(1);
  assertEquals(queue.policy.isUrgent(CORES), false);
});

test("a stalled queue wakes more and more threads, until a busy one takes from it again", () => {
  const { policy, ring } = new Queue();
  for (let fd = 0; fd < 10; fd++) ring.tryPut(fd, sockaddr);
  const pauses = (count: number) => Array.from({ length: count }, () => policy.wakeAfterPause());
  assertEquals(pauses(9), Array(9).fill(0));
  assertEquals(pauses(4), [CORES, 2 * CORES, 4 * CORES, 8 * CORES]);
  ring.tryTake(sockaddr);
  assertEquals(pauses(1), [0]);
  assertEquals(pauses(10), [...Array(9).fill(0), CORES]);
});

test("connections that go to newly woken threads are no progress", () => {
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

test("however long a queue is stalled, the number of threads to wake stays finite", () => {
  const { policy } = new Queue();
  let last = 0;
  for (let pause = 0; pause < 200; pause++) last = policy.wakeAfterPause();
  assertEquals(last, CORES * 2 ** 16);
});
