/**
 * What the runners of both runtimes report about the tests that they ran.
 *
 * @module
 */

import type { RuntimeName } from "../engine/process/runtimes.ts";

/** What a runner reports. */
export interface Report {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What the runner says about the tests that failed. */
  readonly errors: string;
  /** How many tests failed in each file that has failed tests, by its path as it was given. */
  readonly failures: ReadonlyMap<string, number>;
  /** How many were skipped, likewise. */
  readonly skips: ReadonlyMap<string, number>;
}

/** How a runner's process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** How much of a runner's report on failures is kept, in characters. */
const KEPT = 8192;

/**
 * Reads what a runner printed.
 *
 * A runner that has crashed, or that ran nothing, has one failure more than the tests that are known
 * to have failed: nobody knows what became of the others.
 *
 * @param name the runtime
 * @param stdout its standard output, without colours
 * @param stderr its standard error, without colours
 * @param ended how it ended
 */
export function readReport(
  name: RuntimeName,
  stdout: string,
  stderr: string,
  { code, signal }: Ended,
): Report {
  const report = name === "deno" ? readDeno(stdout) : readBun(stderr);
  const { passed, failed, errors } = report;
  // A runner that was killed, or a test that ends the process, leaves no sums.
  const ranSome = passed + failed > 0;
  if (ranSome && signal === null && code === (failed > 0 ? 1 : 0)) return report;
  const how = signal === null ? `with status ${code}` : `by ${signal}`;
  const words = `The runner ended ${how}${
    ranSome ? "" : ", and did not say how many tests it ran"
  }`;
  return {
    ...report,
    failed: Math.max(failed, failuresTold(report)) + 1,
    errors: errors === "" ? words : `${errors}\n\n${words}`,
  };
}

/** How many failures a runner has told of, each with its file. */
export function failuresTold({ failures }: Report): number {
  return [...failures.values()].reduce((sum, count) => sum + count, 0);
}

/** Adds up the counts of several reports. */
export function sumOf(
  all: readonly { readonly report: Report }[],
): Pick<Report, "passed" | "failed" | "skipped"> {
  const sum = (key: "passed" | "failed" | "skipped") =>
    all.reduce((total, { report }) => total + report[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
}

/** The summary is, for instance, `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`. */
function readDeno(output: string): Report {
  const lines = output.split("\n");
  const summary = lines.findLast((line) => /^(ok|FAILED) \| \d+ passed/.test(line));
  const failures = new Map<string, number>();
  const skips = new Map<string, number>();
  let file = "";
  for (const line of lines) {
    file = /^running \d+ tests? from (.*)$/.exec(line)?.[1] ?? file;
    const [, alone] = /^Uncaught error from (.*) FAILED$/.exec(line) ?? [];
    if (alone !== undefined || /\.\.\. FAILED \(\d/.test(line)) count(failures, alone ?? file);
    if (/\.\.\. ignored (?:\(.*\) )?\(\d/.test(line)) count(skips, file);
  }
  return {
    passed: numberIn(summary, /(\d+) passed/),
    failed: numberIn(summary, /(\d+) failed/),
    skipped: numberIn(summary, /(\d+) ignored/),
    errors: (/^ ERRORS $(.*?)^ FAILURES $/ms.exec(output)?.[1] ?? "").trim().slice(0, KEPT),
    failures,
    skips,
  };
}

/** The summary is, for instance, ` 12 pass`, ` 1 skip`, ` 0 fail`, each on a line. */
function readBun(output: string): Report {
  // A test's output stands before its result. At the end, Bun lists the failures once more.
  const [told = ""] = output.split(/^\d+ tests? failed:$/m);
  const failures = new Map<string, number>();
  const skips = new Map<string, number>();
  let file = "";
  for (const line of told.split("\n")) {
    file = /^(\S+\.ts):$/.exec(line)?.[1] ?? file;
    if (line.startsWith("(fail) ")) count(failures, `./${file}`);
    if (line.startsWith("(skip) ")) count(skips, `./${file}`);
  }
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
    errors: errors.join("\n").slice(0, KEPT),
    failures,
    skips,
  };
}

function count(failures: Map<string, number>, file: string): void {
  failures.set(file, (failures.get(file) ?? 0) + 1);
}

function numberIn(text: string | undefined, pattern: RegExp): number {
  return Number(pattern.exec(text ?? "")?.[1] ?? 0);
}
