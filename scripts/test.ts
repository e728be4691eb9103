/**
 * Runs the tests on both runtimes and adds up the counts of their runners.
 *
 * The last line of standard output is `N passed, N failed`. The exit status is 0 only if every
 * runner ran something, counted no failure and ended well. The failures are repeated at the end.
 * With `CI` in the environment, it first installs the programs that the tests talk to.
 *
 * @module
 */

import { readdirSync, statSync } from "node:fs";
import { installPeers } from "./peers.ts";
import { ROOT, type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The runner's report on the tests that failed. */
  readonly errors: string;
}

/** How many runners a runtime has at a time, for all tests, which mostly wait. */
const RUNNERS = 2;

/** How much of a runner's report is repeated at the end, in characters. */
const REPEATED = 8192;

// In CI, no test may be skipped because a program is missing.
if (Deno.env.get("CI") !== undefined) await installPeers();

const given = Deno.args.length > 0 ? [Deno.args] : undefined;
/** Some tests need the other runtime too. */
const PATHS = Object.fromEntries(
  RUNTIMES.map(({ name, path }) => [`${name.toUpperCase()}_PATH`, path]),
);
// The runners run side by side, because tests mostly wait. Their output appears one after the
// other.
let turn: Promise<unknown> = Promise.resolve();
const counts = await Promise.all(RUNTIMES.map(async (runtime) => {
  const { name } = runtime;
  const runs = (given ?? dealTests(RUNNERS)).map((files) => {
    const count = runTests(runtime, files, turn);
    turn = count;
    return count;
  });
  const own = await Promise.all(runs);
  return { name, ...sumOf(own), errors: own.map(({ errors }) => errors).join("\n").trim() };
}));

for (const { name, errors } of counts) {
  if (errors !== "") console.log(`\n--- ${name} failed ---\n\n${errors}`);
}
console.log();
for (const { name, passed, failed, skipped } of counts) {
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
}
const { passed, failed } = sumOf(counts);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

/** Adds up counts. */
function sumOf(counts: readonly Omit<Count, "errors">[]): Omit<Count, "errors"> {
  const sum = (key: "passed" | "failed" | "skipped") =>
    counts.reduce((total, count) => total + count[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/**
 * Deals all test files to several runners. The size of a file tells roughly how long its tests
 * take, so the largest are dealt first, each to whoever has least.
 *
 * @param runners how many there are
 */
function dealTests(runners: number): readonly (readonly string[])[] {
  const folder = new URL("tests/", ROOT);
  const files = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith("_test.ts"))
    .map((name) => ({ path: `./tests/${name}`, size: statSync(new URL(name, folder)).size }))
    .sort((a, b) => b.size - a.size);
  const hands = Array.from({ length: runners }, () => ({ size: 0, paths: [] as string[] }));
  for (const { path, size } of files) {
    const least = hands.reduce((found, hand) => hand.size < found.size ? hand : found);
    least.paths.push(path);
    least.size += size;
  }
  return hands.map(({ paths }) => paths);
}

/**
 * Runs tests on one runtime.
 *
 * @param runtime the runtime
 * @param files the test files
 * @param turn resolves when this runner may print
 */
async function runTests(
  { name, path, test }: RuntimeCommand,
  files: readonly string[],
  turn: Promise<unknown>,
): Promise<Count> {
  const child = new Deno.Command(path, {
    args: [...test, ...files],
    cwd: ROOT,
    env: PATHS,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const begun = turn.then(() => console.log(`\n--- ${name} test ---\n`));
  const [stdout, stderr, { success }] = await Promise.all([
    copy(child.stdout, Deno.stdout, begun),
    copy(child.stderr, Deno.stderr, begun),
    child.status,
  ]);
  const count = name === "deno" ? readDeno(stdout) : readBun(stderr);
  // A runner that fails without a failed test, or that ran nothing, counts as a failure.
  const sound = success && count.passed > 0;
  return { ...count, failed: sound ? count.failed : Math.max(1, count.failed) };
}

/** Passes on a runner's output once its turn has come, and returns it without colours. */
async function copy(
  from: ReadableStream<Uint8Array>,
  to: typeof Deno.stdout,
  turn: Promise<unknown>,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let written = turn;
  for await (const chunk of from) {
    // Reading goes on before the turn has come: a runner would stop if nobody took its output.
    written = written.then(async () => {
      for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
    });
    text += decoder.decode(chunk, { stream: true });
  }
  await written;
  // deno-lint-ignore no-control-regex -- colours begin with the control character ESC
  return text.replaceAll(/\u001b\[[0-9;]*m/g, "");
}

/** For instance `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`. */
function readDeno(output: string): Count {
  const summary = output.split("\n").findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line));
  return {
    passed: numberIn(summary, /(\d+) passed/),
    failed: numberIn(summary, /(\d+) failed/),
    skipped: numberIn(summary, /(\d+) ignored/),
    errors: (/^ ERRORS $(.*?)^ FAILURES $/ms.exec(output)?.[1] ?? "").trim().slice(0, REPEATED),
  };
}

/** For instance ` 12 pass`, ` 1 skip`, ` 0 fail`, each on a line. */
function readBun(output: string): Count {
  // A test's output stands before its result. At the end, Bun lists the failures once more.
  const [told = ""] = output.split(/^\d+ tests? failed:$/m);
  const results = told.split(/^(?=\((?:pass|skip|fail|todo)\) )/m);
  const errors = results.flatMap((result, index) => {
    if (!result.startsWith("(fail)")) return [];
    const [title] = result.split("\n");
    const [, ...printed] = results[index - 1]?.split("\n") ?? [];
    return [title, ...printed];
  });
  return {
    passed: numberIn(output, /^ *(\d+) pass$/m),
    failed: numberIn(output, /^ *(\d+) fail$/m),
    skipped: numberIn(output, /^ *(\d+) skip$/m) + numberIn(output, /^ *(\d+) todo$/m),
    errors: errors.join("\n").slice(0, REPEATED),
  };
}

function numberIn(text: string | undefined, pattern: RegExp): number {
  return Number(pattern.exec(text ?? "")?.[1] ?? 0);
}
