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

/** Two tests that fail among output that looks like results, and one that passes. */
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
  const { code } = await runner.end();
  assertEquals(code, 1);
  const { errors, failures, ...counts } = readReport(own.name, runner.stdout, runner.stderr);
  assertEquals(counts, { passed: 2, failed: 2, skipped: 0 });
  assertEquals([...failures], [["./tests/failing_test.ts", 2]]);
  assertMatch(errors, /wrong on purpose/);
});

test("a runner that reports nothing has no failures and no tests", () => {
  const nothing = { passed: 0, failed: 0, skipped: 0, errors: "", failures: new Map() };
  for (const { name } of RUNTIMES) assertEquals(readReport(name, "", "crashed\n"), nothing);
});
