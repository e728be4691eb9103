/**
 * What the tests' own program reads from the runners.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { RUNTIMES } from "../../engine/process/runtimes.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { readReport } from "../../scripts/test_reports.ts";
import { assertEquals, assertMatch, test } from "../kit/harness.ts";
import { Folder } from "../kit/folder.ts";
import { Program } from "../kit/server_process.ts";

/** Two tests that fail among output that looks like results, one that passes, and one is skipped. */
const FAILING = `
import { test } from "node:test";
test("says a lot", () => {
  console.log("\\n(fail) not a result\\nok | 99 passed | 99 failed");
  console.error("tests/other_test.ts");
});
test("is wrong", () => { throw new Error("wrong on purpose"); });
test("is late", async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
  throw new Error("late on purpose");
});
test("is not for us", { skip: "on purpose" }, () => {});
`;

const PASSING = `
import { test } from "node:test";
test("is right", () => {});
`;

test("failures are told by file, whatever the tests print", async () => {
  using folder = new Folder();
  mkdirSync(folder.path("tests"));
  const files = ["./tests/failing_test.ts", "./tests/passing_test.ts"];
  writeFileSync(folder.path(files[0] as string), FAILING);
  writeFileSync(folder.path(files[1] as string), PASSING);
  const own = RUNTIMES.find(({ name }) => name === runtime.name);
  if (own === undefined) throw new Error("no such runtime");
  await using runner = new Program([own.path, ...own.test, ...files], {
    cwd: folder.path(""),
    environment: { NO_COLOR: "1" },
  });
  const ended = await runner.end();
  assertEquals(ended.code, 1);
  const { errors, failures, skips, ...counts } = readReport(
    own.name,
    runner.stdout,
    runner.stderr,
    ended,
  );
  assertEquals(counts, { passed: 2, failed: 2, skipped: 1 });
  assertEquals([...failures], [["./tests/failing_test.ts", 2]]);
  assertEquals([...skips], [["./tests/failing_test.ts", 1]]);
  assertMatch(errors, /wrong on purpose/);
});

/** How a runner begins that has met a failure. */
const BEGUN = {
  deno: "running 1 test from ./tests/a_test.ts\nbad ... FAILED (2ms)\n",
  bun: "tests/a_test.ts:\n(fail) bad [2.00ms]\n",
};

/** How it ends. */
const SUMS = {
  deno: "\nFAILED | 1 passed | 1 failed (3ms)\n",
  bun: "\n 1 pass\n 1 fail\n",
};

test("a runner that ends before it has said its sums has a failure more than it told", () => {
  const killed = { code: 137, signal: "SIGKILL" };
  const exited = { code: 0, signal: null };
  for (const { name } of RUNTIMES) {
    const failedIn = (text: string, ended: { code: number; signal: string | null }) =>
      readReport(name, text, text, ended).failed;
    assertEquals(failedIn(`${BEGUN[name]}${SUMS[name]}`, { code: 1, signal: null }), 1);
    assertEquals(failedIn(BEGUN[name], killed), 2);
    assertEquals(failedIn(BEGUN[name], exited), 2);
    assertEquals(failedIn("", exited), 1);
    // It has said them, and crashed then.
    assertEquals(failedIn(`${BEGUN[name]}${SUMS[name]}`, { code: 139, signal: "SIGSEGV" }), 2);
  }
});
