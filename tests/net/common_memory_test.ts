/**
 * Memory that processes have in common, with real processes of both runtimes.
 *
 * @module
 */

import { CommonMemory, whyNoCommonMemory } from "../../engine/net/common_memory.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { assert, assertEquals, assertThrows, test, until } from "../kit/harness.ts";
import { addUp, TIMES, WORD } from "../kit/memory_sharer.ts";
import { otherRuntime, ourRuntime, Script, whyNoOtherRuntime } from "../kit/server_process.ts";

const skip = whyNoCommonMemory();

// The C library stays loaded. The first test would seem to have left it behind.
if (skip === undefined) {
  using common = CommonMemory.create();
  common.allocate(1);
}

for (const on of [ourRuntime, otherRuntime]) {
  test(
    `two processes add up at once, one on ${ourRuntime.name} and one on ${on.name}`,
    async () => {
      using common = CommonMemory.create();
      // The part that is meant is not the first one.
      common.allocate(1);
      const memory = common.allocate(WORD.ofThread * 4);
      const words = new Int32Array(memory);
      await using process = new Script(
        "tests/kit/memory_sharer.ts",
        [common.describe({ memory })],
        { on, inherits: [common.fd] },
      );
      await until("the process to be there", () => process.isOver || words[WORD.here] === 1);
      Atomics.store(words, WORD.begin, 1);
      addUp(memory, WORD.ofTests, WORD.ofProcess);
      const { code, stderr } = await process.end();
      assertEquals([code, stderr], [0, ""]);
      const [ours, theirs] = [words[WORD.ofTests]!, words[WORD.ofProcess]!];
      assert(ours >= TIMES && theirs >= TIMES, `${ours} and ${theirs} times`);
      assertEquals(
        [words[WORD.sum], words[WORD.raised], words[WORD.ofThread]],
        [ours + theirs, ours + theirs, 1],
      );
    },
    { skip: skip ?? (on === otherRuntime ? whyNoOtherRuntime : undefined) },
  );
}

test("what is described for another process is found as it was", () => {
  const net = sockets();
  using common = CommonMemory.create();
  const [one, two] = [common.allocate(70_000), common.allocate(8)];
  assert(one.byteLength >= 70_000 && two.byteLength >= 8);
  assertEquals(common.size, one.byteLength + two.byteLength);
  const data = { two, rest: [one, { name: "one", limit: Infinity, least: -Infinity, most: 3 }] };
  const text = common.describe(data);
  assertEquals(common.find(text), data);
  // A second mapping of the same pages, as another process has one.
  using again = CommonMemory.open(net.duplicate(common.fd));
  const found = again.find(text) as { two: SharedArrayBuffer; rest: [SharedArrayBuffer] };
  assert(found.two !== two && found.rest[0] !== one);
  new Int32Array(found.two)[1] = 7;
  new Uint8Array(one)[69_999] = 8;
  assertEquals([new Int32Array(two)[1], new Uint8Array(found.rest[0])[69_999]], [7, 8]);
  // What was mapped remains after the close, which may be called twice.
  again.close();
  again.close();
  new Int32Array(two)[1] = 9;
  assertEquals(new Int32Array(found.two)[1], 9);
}, { skip });

test("what is no common memory, and what does not lie in it, is refused", () => {
  const net = sockets();
  const { AF_INET, SOCK_STREAM } = net.constants;
  using common = CommonMemory.create();
  const part = common.allocate(8);
  const foreign = [net.open("/dev/zero", 2), net.socket(AF_INET, SOCK_STREAM), 9_999];
  try {
    for (const fd of foreign) {
      assertThrows(() => CommonMemory.open(fd), TypeError, `descriptor ${fd} is no memory`);
    }
  } finally {
    for (const fd of foreign.slice(0, 2)) net.close(fd);
  }
  const find = (sharedAt: number, sharedBytes: number) =>
    common.find(JSON.stringify({ sharedAt, sharedBytes }));
  const { byteLength: size } = part;
  for (const [at, bytes] of [[size, size], [-size, size], [0, 2 * size], [size, 0]] as const) {
    assertThrows(() => find(at, bytes), RangeError, `not within its ${size}`);
  }
  assertThrows(
    () => common.describe({ own: new SharedArrayBuffer(8) }),
    TypeError,
    "belongs to this one",
  );
  assertThrows(() => common.allocate(2 ** 31), RangeError, "are in use");
  assertEquals(common.size, size);
}, { skip });
