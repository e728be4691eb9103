/**
 * The ring, the slots and the gate in all orders in which threads can take turns: the small cases.
 * `deno task prove interleavings` explores the larger ones.
 *
 * @module
 */

import { assert, assertEquals, assertThrows, test } from "../kit/harness.ts";
import { Counterexample, ENDED, Lab } from "../kit/interleavings.ts";
import { FAULTS, find, MIDDLE, SMALL } from "../proofs/interleavings.ts";

for (const its of SMALL) {
  test(`${its.name}: every order of steps ends well`, () => {
    const { states, endings } = its.explore();
    assert(states > 10 && endings > 0, "orders were tried");
  });
}

for (const its of MIDDLE) {
  test(`${its.name}: every order with at most two switches ends well`, () => {
    assert(its.explore(undefined, { switches: 2 }).states > 1000, "orders were tried");
  });
}

for (const known of FAULTS) {
  test(`the explorer finds ${known.what}`, () => {
    assert(find(known) !== undefined);
  });
}

test("the explorer tries every order of two steps each of two threads, and each state once", () => {
  const lab = new Lab();
  const words = lab.share("words", new Int32Array(2));
  const seen = new Set<string>();
  const thread = (name: string, mine: number) => ({
    name,
    start: 0,
    turn() {
      Atomics.add(words, mine, 1);
      const other = Atomics.load(words, 1 - mine);
      lab.call(words, mine, "notes", (real) => real[mine] = (real[mine] as number) + 10 * other);
      return ENDED;
    },
  });
  const explored = lab.explore({
    threads: [thread("one", 0), thread("two", 1)],
    atRest() {
      seen.add(`${lab.peek(words, 0)} ${lab.peek(words, 1)}`);
    },
  });
  // Both see the other one, or only the later one does; and the earlier one's note may be seen.
  assertEquals([...seen].sort(), ["1 11", "11 1", "11 11", "11 111", "111 11"]);
  assert(explored.endings >= seen.size);
});

test("the explorer says which steps lead to a deadlock", () => {
  const lab = new Lab();
  const words = lab.share("words", new Int32Array(1));
  const error = assertThrows(() =>
    lab.explore({
      threads: [{
        name: "sleeper",
        start: 0,
        turn() {
          // The classic mistake: it looks, and falls asleep later, whatever has happened meanwhile.
          if (Atomics.load(words, 0) === 0) Atomics.wait(words, 0, Atomics.load(words, 0));
          return ENDED;
        },
      }, {
        name: "waker",
        start: 0,
        turn() {
          Atomics.store(words, 0, 1);
          Atomics.notify(words, 0);
          return ENDED;
        },
      }],
      atRest: (asleep) => assertEquals(asleep, []),
    }), Counterexample);
  assertEquals(error.steps, [
    "sleeper: words[0] load → 0",
    "waker: words[0] store 1 → 1",
    "sleeper: words[0] load → 1",
    "waker: words[0] notify → 0",
    "sleeper: words[0] wait while 1 → sleeps",
  ]);
});
