/**
 * Runs the tests on both runtimes and adds up the counts of their runners.
 *
 * The last line of standard output is `N passed, N failed`. The exit status is 0 only if every
 * runner ran something, counted no failure and ended well. The failures are repeated at the end.
 * With `CI` in the environment, it first installs the programs that the tests talk to.
 *
 * When few files of the whole suite have failed, each of them is run once more, alone. What fails
 * again has failed. What passes then depends on chance: it is named at the end with what was wrong
 * the first time, and somebody has to find out why. With `--once` nothing is run again.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { installPeers } from "./peers.ts";
import { TEST_COSTS } from "./test_costs.ts";
import { failuresTold, readReport, type Report, sumOf } from "./test_reports.ts";
import { readCommandLine } from "../engine/cli/command_line.ts";
import type { Command } from "../engine/cli/flags.ts";
import { ROOT, RUNTIME_PATHS, type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";

/** How many runners there are at a time: tests mostly wait. */
const RUNNERS = 5;

/**
 * How many shares the tests of a runtime are dealt into. A runner that is done takes the next one,
 * so small shares let all runners end at about the same time. Each costs the start of a runner.
 */
const SHARES = 10;

/** How many files are run again at most. More than that do not fail by chance. */
const MOST_AGAIN = 8;

/** When a busy loop ends that nobody has ended, in seconds. */
const BUSY_S = 3600;

const COMMAND: Command = {
  name: "test",
  summary: "run the tests on both runtimes",
  positionals: [],
  rest: { name: "path", kind: "string", default: "all tests", help: "files or folders of tests" },
  flags: [
    { name: "once", kind: "boolean", help: "run nothing a second time, whatever has failed" },
    {
      name: "busy",
      kind: "integer",
      value: "N",
      least: 0,
      most: 64,
      default: "0",
      help: "how many busy loops run beside the tests",
    },
  ],
  example: "deno task test --once --busy 3",
};

/** Tests for a runner. */
interface Share {
  readonly runtime: RuntimeCommand;
  readonly files: readonly string[];
  /** Which of the tests they are, if not all. */
  readonly title: string;
}

/** Tests that a runner ran. */
interface Ran extends Share {
  readonly report: Report;
}

const values = readCommandLine(COMMAND);
const asked = (values.path ?? []) as readonly string[];

// In CI, no test may be skipped because a program is missing.
if (Deno.env.get("CI") !== undefined) await installPeers();

const shares = asked.length > 0 ? [asked] : dealTests(SHARES);
const busyLoops = Array.from({ length: Number(values.busy ?? 0) }, startBusyLoop);
// Deno needs more time for the same tests, so its shares come first and the smallest ones last.
const first = await runAll(
  RUNTIMES.flatMap((runtime) =>
    shares.map((files, index) => ({
      runtime,
      files,
      title: shares.length > 1 ? `, part ${index + 1} of ${shares.length}` : "",
    }))
  ),
  RUNNERS,
);
for (const loop of busyLoops) loop.kill();
const doubtful = values.once === true || asked.length > 0 ? [] : findDoubtful(first);
const second = (await runAll(doubtful, 1)).map(failSkipped);

const unsteady = second.filter(({ report }) => report.failed === 0);
if (unsteady.length > 0) tellErrors("failed at first", first);
tellErrors("failed", doubtful.length > 0 ? second : first);
for (const { runtime, files } of unsteady) {
  console.log(`\n${runtime.name}: ${files} failed at first and passed when it ran again, alone`);
}
console.log();
const totals = RUNTIMES.map(({ name }) => {
  const of = (all: readonly Ran[]) => sumOf(all.filter((ran) => ran.runtime.name === name));
  const { passed, failed, skipped } = of(first);
  // Without a second run, the first one counts.
  const left = doubtful.length > 0 ? of(second).failed : failed;
  return { name, passed: passed + Math.max(0, failed - left), failed: left, skipped };
});
for (const { name, passed, failed, skipped } of totals) {
  console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
}
const passed = totals.reduce((sum, total) => sum + total.passed, 0);
const failed = totals.reduce((sum, total) => sum + total.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

/** Repeats what the runners said about failures. */
function tellErrors(how: string, all: readonly Ran[]): void {
  for (const { name } of RUNTIMES) {
    const own = all.filter(({ runtime }) => runtime.name === name);
    const errors = own.map(({ report }) => report.errors).join("\n").trim();
    if (errors !== "") console.log(`\n--- ${name} ${how} ---\n\n${errors}`);
  }
}

/** The files with failed tests, each as a share of its own, if they are few and all are known. */
function findDoubtful(all: readonly Ran[]): readonly Share[] {
  const known = all.every(({ report }) => report.failed === failuresTold(report));
  const files = all.flatMap(({ runtime, report }) =>
    [...report.failures.keys()].map((file) => ({
      runtime,
      files: [file],
      title: `, ${file} again`,
    }))
  );
  return known && files.length <= MOST_AGAIN ? files : [];
}

/** A test that ran at first and was skipped when its file ran again has not passed. */
function failSkipped(again: Ran): Ran {
  const { runtime, files, report } = again;
  const skippedIn = (report: Report) =>
    files.reduce((sum, file) => sum + (report.skips.get(file) ?? 0), 0);
  const before = first
    .filter((ran) => ran.runtime === runtime)
    .reduce((sum, ran) => sum + skippedIn(ran.report), 0);
  const more = report.skipped - before;
  if (more <= 0) return again;
  const errors = `${report.errors}\n\n${files}: ${more} skipped when it ran again`;
  return { ...again, report: { ...report, failed: report.failed + more, errors } };
}

/** A process that takes all the processor time that it gets. */
function startBusyLoop(): Deno.ChildProcess {
  // It ends by itself too, in case that nobody is left to end it.
  const script = `end=$(($(date +%s) + ${BUSY_S})); while [ $(date +%s) -lt $end ]; do
    i=0; while [ $i -lt 1000000 ]; do i=$((i + 1)); done
  done`;
  return new Deno.Command("sh", { args: ["-c", script], stdin: "null" }).spawn();
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

/**
 * Runs shares of the tests, and prints what their runners say in the order of the shares.
 *
 * @param shares the tests
 * @param runners how many of the shares run at a time
 */
async function runAll(shares: readonly Share[], runners: number): Promise<readonly Ran[]> {
  const left = [...shares];
  const ran: Ran[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  await Promise.all(Array.from({ length: runners }, async () => {
    for (let share = left.shift(); share !== undefined; share = left.shift()) {
      const { report, printed } = runTests(share, turn);
      turn = printed;
      ran.push({ ...share, report: await report });
    }
  }));
  await turn;
  return ran;
}

/** Tests that run. */
interface Run {
  /** Resolves when the runner has ended, whether or not its output could be printed by then. */
  readonly report: Promise<Report>;
  /** Resolves when all its output is printed. */
  readonly printed: Promise<unknown>;
}

/**
 * Runs tests on one runtime.
 *
 * @param share the tests
 * @param turn resolves when this runner may print
 */
function runTests(
  { runtime: { name, path, test }, files, title }: Share,
  turn: Promise<unknown>,
): Run {
  const child = new Deno.Command(path, {
    args: [...test, ...files],
    cwd: ROOT,
    env: RUNTIME_PATHS,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const begun = turn.then(() => console.log(`\n--- ${name} test${title} ---\n`));
  const stdout = copy(child.stdout, Deno.stdout, begun);
  const stderr = copy(child.stderr, Deno.stderr, begun);
  const read = async (): Promise<Report> => {
    const ended = await child.status;
    return readReport(name, await stdout.text, await stderr.text, ended);
  };
  return { report: read(), printed: Promise.all([stdout.printed, stderr.printed]) };
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
