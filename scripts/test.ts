/**
 * Runs the tests on both runtimes and adds up the counts of their runners.
 *
 * The last line of standard output is `N passed, N failed`. The exit status is 0 only if every
 * runner ran something, counted no failure and ended well. The failures are repeated at the end.
 * With `CI` in the environment, it first installs the programs that the tests talk to.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { installPeers } from "./peers.ts";
import { TEST_COSTS } from "./test_costs.ts";
import { ROOT, type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";

interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The runner's report on the tests that failed. */
  readonly errors: string;
}

/** How many runners there are at a time: tests mostly wait. */
const RUNNERS = 4;

/**
 * How many shares the tests of a runtime are dealt into. A runner that is done takes the next one,
 * so small shares let all runners end at about the same time. Each costs the start of a runner.
 */
const SHARES = 8;

/** How much of a runner's report is repeated at the end, in characters. */
const REPEATED = 8192;

// In CI, no test may be skipped because a program is missing.
if (Deno.env.get("CI") !== undefined) await installPeers();

const given = Deno.args.length > 0 ? [Deno.args] : undefined;
/** Some tests need the other runtime too. */
const PATHS = Object.fromEntries(
  RUNTIMES.map(({ name, path }) => [`${name.toUpperCase()}_PATH`, path]),
);
// The runners run side by side. Their output appears one after the other. Deno needs more time for
// the same tests, so its shares come first and the smallest ones last.
const shares = given ?? dealTests(SHARES);
const left = RUNTIMES.flatMap((runtime) =>
  shares.map((files, index) => ({
    runtime,
    files,
    title: shares.length > 1 ? `, part ${index + 1} of ${shares.length}` : "",
  }))
);
const ran = new Map(RUNTIMES.map(({ name }) => [name, [] as Count[]]));
let turn: Promise<unknown> = Promise.resolve();
await Promise.all(Array.from({ length: RUNNERS }, async () => {
  for (let share = left.shift(); share !== undefined; share = left.shift()) {
    const { count, printed } = runTests(share.runtime, share.files, share.title, turn);
    turn = printed;
    ran.get(share.runtime.name)?.push(await count);
  }
}));
await turn;
const counts = [...ran].map(([name, own]) => ({
  name,
  ...sumOf(own),
  errors: own.map(({ errors }) => errors).join("\n").trim(),
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
 * Deals all test files into shares. Those that cost most are dealt first, each to the share that
 * costs least.
 *
 * @param count how many shares there are
 * @returns the files of each share, the most costly share first
 */
function dealTests(count: number): readonly (readonly string[])[] {
  const files = readdirSync(new URL("tests/", ROOT), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith("_test.ts"))
    .map((name) => ({ path: `./tests/${name}`, cost: TEST_COSTS[name] ?? 1 }))
    .sort((a, b) => b.cost - a.cost);
  const shares = Array.from({ length: count }, () => ({ cost: 0, paths: [] as string[] }));
  for (const { path, cost } of files) {
    const least = shares.reduce((found, share) => share.cost < found.cost ? share : found);
    least.paths.push(path);
    least.cost += cost;
  }
  return shares.sort((a, b) => b.cost - a.cost).map(({ paths }) => paths);
}

/** Tests that run. */
interface Run {
  /** Resolves when the runner has ended, whether or not its output could be printed by then. */
  readonly count: Promise<Count>;
  /** Resolves when all its output is printed. */
  readonly printed: Promise<unknown>;
}

/**
 * Runs tests on one runtime.
 *
 * @param runtime the runtime
 * @param files the test files
 * @param title which of the tests they are, if not all
 * @param turn resolves when this runner may print
 */
function runTests(
  { name, path, test }: RuntimeCommand,
  files: readonly string[],
  title: string,
  turn: Promise<unknown>,
): Run {
  const child = new Deno.Command(path, {
    args: [...test, ...files],
    cwd: ROOT,
    env: PATHS,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const begun = turn.then(() => console.log(`\n--- ${name} test${title} ---\n`));
  const stdout = copy(child.stdout, Deno.stdout, begun);
  const stderr = copy(child.stderr, Deno.stderr, begun);
  const count = async (): Promise<Count> => {
    const { success } = await child.status;
    const count = name === "deno" ? readDeno(await stdout.text) : readBun(await stderr.text);
    // A runner that fails without a failed test, or that ran nothing, counts as a failure.
    const sound = success && count.passed > 0;
    return { ...count, failed: sound ? count.failed : Math.max(1, count.failed) };
  };
  return { count: count(), printed: Promise.all([stdout.printed, stderr.printed]) };
}

/** Passes on a runner's output once its turn has come, and returns it without colours. */
function copy(
  from: ReadableStream<Uint8Array>,
  to: typeof Deno.stdout,
  turn: Promise<unknown>,
): { readonly text: Promise<string>; readonly printed: Promise<unknown> } {
  let written = turn;
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of from) {
      // Reading goes on before the turn has come: a runner would stop if nobody took its output.
      written = written.then(async () => {
        for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
      });
      text += decoder.decode(chunk, { stream: true });
    }
    // deno-lint-ignore no-control-regex -- colours begin with the control character ESC
    return text.replaceAll(/\u001b\[[0-9;]*m/g, "");
  };
  const text = read();
  return { text, printed: text.then(() => written) };
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
