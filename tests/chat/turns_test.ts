/**
 * Turns and rounds: whoever waits to speak does so in the end, whatever the clock does, and however
 * much there is to be written.
 *
 * @module
 */

import fc from "fast-check";
import { Rounds } from "../../chat/host/rounds.ts";
import { Turns } from "../../chat/host/turns.ts";
import { PolledDeadlines } from "../../engine/drivers/deadlines.ts";
import { assert, assertEquals, delay, test } from "../kit/harness.ts";

/** What happens in one turn of the event loop. */
interface LoopTurn {
  /** For how long the loop was held up before it, in milliseconds. */
  readonly heldMs: number;
  /** How many bytes those say who come in it. */
  readonly said: readonly { readonly bytes: number; readonly isForMany: boolean }[];
  /** Which of those who wait give up, as an index from the first. */
  readonly leaves: number | null;
  /** How long one write takes, in milliseconds. */
  readonly writeMs: number;
}

const loopTurn: fc.Arbitrary<LoopTurn> = fc.record({
  heldMs: fc.oneof(fc.nat(3), fc.nat(200), fc.integer({ min: 1_001, max: 20_000 })),
  said: fc.array(
    fc.record({ bytes: fc.oneof(fc.nat(600), fc.nat(20_000)), isForMany: fc.boolean() }),
    { maxLength: 30 },
  ),
  leaves: fc.option(fc.nat(10)),
  writeMs: fc.double({ min: 0, max: 2, noNaN: true }),
});

test("whoever waits for a turn gets it, however late the loop is", async () => {
  const { now } = performance;
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(loopTurn, { minLength: 1, maxLength: 12 }), async (loopTurns) => {
        let clock = 0;
        performance.now = () => clock;
        using deadlines = Object.assign(new PolledDeadlines({ extendsLate: true }), {
          [Symbol.dispose]() {},
        });
        const rounds = new Rounds();
        using turns = new Turns(16 * 1024, deadlines, rounds);
        const waiting = new Map<number, { cancel(): void }>();
        let writes = 0;
        let speakers = 0;
        const write = () => {
          writes--;
          clock += loopTurns[0]?.writeMs ?? 0;
        };
        const speak = () => {
          // A line goes to some hearers, each of which has to be written to.
          for (let hearer = 0; hearer < 20; hearer++, writes++) rounds.add(write);
        };
        const come = (share: LoopTurn["said"][number]) => {
          if (turns.takeShare(share)) return speak();
          const id = speakers++;
          const done = () => {
            waiting.delete(id);
            speak();
          };
          waiting.set(id, turns.wait(share, done));
        };
        /** One turn of the loop; returns how many of those who waited have spoken or given up. */
        const turn = async ({ heldMs, said, leaves }: LoopTurn) => {
          const before = [...waiting.keys()];
          clock += heldMs;
          for (const share of said) come(share);
          if (leaves !== null) {
            const [id, speaker] = [...waiting][leaves] ?? [];
            speaker?.cancel();
            if (id !== undefined) waiting.delete(id);
          }
          deadlines.expire();
          // Up to here, and what those add who speak meanwhile.
          do await new Promise<void>((resolve) => rounds.add(resolve)); while (writes > 0);
          return before.filter((id) => !waiting.has(id)).length;
        };
        for (const step of loopTurns) await turn(step);
        // Nobody comes any more. Each turn of the loop lets somebody speak, and the first first.
        const quiet = { heldMs: 2_000, said: [], leaves: null, writeMs: 0 };
        while (waiting.size > 0) {
          const [first] = waiting.keys();
          assert(await turn(quiet) > 0, `${waiting.size} wait, and nobody has spoken`);
          assert(!waiting.has(first as number), "those who have waited longest speak");
        }
        assertEquals(writes, 0);
      }),
      { numRuns: 60 },
    );
  } finally {
    performance.now = now;
  }
});

test("what few hear does not wait for what thousands hear", async () => {
  const { now } = performance;
  let clock = 0;
  let isDone = false;
  let before = 0;
  try {
    performance.now = () => clock;
    const rounds = new Rounds();
    let writes = 5_000;
    for (let write = 0; write < 5_000; write++) {
      rounds.add(() => {
        writes--;
        clock += 0.1;
      });
    }
    await delay(0);
    rounds.add(() => {
      isDone = true;
      before = writes;
    }, true);
    await Promise.resolve();
    assert(isDone && before > 0, `${before} writes were left`);
    await new Promise<void>((resolve) => rounds.add(resolve));
    assertEquals(writes, 0);
  } finally {
    performance.now = now;
  }
});

test("work that fails holds up no other work", async () => {
  const rounds = new Rounds();
  const done: number[] = [];
  const { queueMicrotask } = globalThis;
  let failure: unknown;
  try {
    globalThis.queueMicrotask = (run) =>
      queueMicrotask(() => {
        try {
          run();
        } catch (error) {
          failure = error;
        }
      });
    rounds.add(() => done.push(1));
    rounds.add(() => {
      throw new Error("made up");
    });
    rounds.add(() => done.push(2));
    await delay(20);
  } finally {
    globalThis.queueMicrotask = queueMicrotask;
  }
  assertEquals((failure as Error).message, "made up");
  assertEquals(done, [1, 2]);
  rounds.add(() => done.push(3));
  await delay(0);
  assertEquals(done, [1, 2, 3]);
});
