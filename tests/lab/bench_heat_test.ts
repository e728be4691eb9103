/**
 * The heat map of a run: its data, from a real run and from long ones.
 *
 * @module
 */

import { Distribution } from "../../lab/load/distribution.ts";
import { measure } from "../../lab/load/measure.ts";
import { makePlan } from "../../lab/load/plan.ts";
import type { Second } from "../../lab/load/results.ts";
import { heatOf } from "../../lab/report/heat.ts";
import { assert, assertEquals, assertThrows, test } from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import { Dice, sampleRun } from "../kit/report_samples.ts";

/** A second with these response times. */
function second(index: number, pairs: readonly number[], errors = 0): Second {
  const distribution = new Distribution();
  distribution.add(new Float64Array(pairs));
  const figures = { rate: 0, p50_us: null, p99_us: null, cpu_s: null, memory_bytes: null };
  return { at: index + 1, ...figures, errors, histogram: distribution.encode() };
}

const run = sampleRun(new Dice(1));

test("the seconds of a run hold all its answers, each in its band", async () => {
  await using server = await LoadServer.start();
  const plan = await makePlan({ protocol: "echo", connections: 2, requests: 50, think: 30 });
  const run = await measure(plan, { address: server.address, name: "it" });
  const counts = run.seconds.map(({ histogram }) => Distribution.decode(histogram as string).count);
  assertEquals(counts.reduce((sum, count) => sum + count, 0), 50);
  const columns = heatOf(run) ?? [];
  assertEquals(columns.map(({ answers }) => answers), counts);
  for (const { bands, answers, max_us } of columns) {
    let inside = 0;
    for (let at = 0; at < bands.length; at += 2) {
      inside += bands[at + 1] as number;
      assert(10 ** ((bands[at] as number) / 10) <= (max_us as number) * 1.001);
    }
    assertEquals(inside, answers);
  }
});

test("a long run has several seconds in a column, and loses no answer", () => {
  const one = second(0, [100, 3, 20_000, 1], 2);
  const seconds = Array.from({ length: 500 }, (_, index) => ({ ...one, at: index + 1 }));
  const columns = heatOf({ ...run, seconds }) ?? [];
  assertEquals(columns.length, 167);
  assertEquals(columns[0], {
    from: 0,
    to: 3,
    answers: 12,
    errors: 6,
    bands: [20, 9, 43, 3],
    p50_us: null,
    p99_us: null,
    // To three digits.
    max_us: 20_015,
  });
  assertEquals(columns.at(-1)?.to, 500);
  assertEquals(columns.reduce((sum, { answers }) => sum + answers, 0), 2_000);
}, { pure: true });

test(
  "files without distributions of seconds have no heat map, and a damaged one is an error",
  () => {
    assertEquals(heatOf(run), undefined);
    assertEquals(heatOf({ ...run, seconds: [] }), undefined);
    const damaged = { ...second(0, [1, 1]), histogram: "?" };
    assertThrows(() => heatOf({ ...run, seconds: [damaged] }), Error, "damaged");
  },
  { pure: true },
);
