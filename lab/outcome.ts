/**
 * What happens with a measurement: it is shown, written to files and judged by thresholds.
 *
 * @module
 */

import { readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { EXIT_DONE, EXIT_FAILED, EXIT_THRESHOLD } from "../engine/cli/exit_status.ts";
import { describeSystemError } from "../engine/net/constants.ts";
import { runtime } from "../engine/net/runtime.ts";
import { escapeText } from "../protocols/text.ts";
import { type Flag, UsageError, type Values } from "../engine/cli/flags.ts";
import { STDOUT } from "./lab_program.ts";
import { sayUnwritten, tryOutput, writeOutput } from "./output_file.ts";
import { compareWithBaseline } from "./report/baseline.ts";
import { formatCsv } from "./report/csv.ts";
import { findingsOf } from "./report/findings.ts";
import { formatMarkdown } from "./report/markdown.ts";
import { hasFound, judgedRuns, whyUnjudged } from "./report/rate_study.ts";
import { screenOf } from "./report/screen.ts";
import { formatFindings, formatTerminal } from "./report/terminal.ts";
import { failedThresholds, parseThreshold, type Threshold } from "./report/thresholds.ts";
import type { Report } from "./load/results.ts";

const toStdout = (text: string) => runtime.printNow("stdout", text);

const toStderr = (text: string) => runtime.printNow("stderr", text);

const writeJson = async (report: Report) => (await json()).formatJson(report);

/** The forms in which a measurement can be written, by the flag that asks for each. */
const FORMS: Readonly<Record<string, (report: Report) => string | Promise<string>>> = {
  json: writeJson,
  save: writeJson,
  csv: formatCsv,
  markdown: formatMarkdown,
  html: async (report) => (await import("./report/html.ts")).formatHtml(report),
};

/** Loaded on demand, like the page with its charts, because both are large. */
const json = () => import("./report/json.ts");

/** The flags that say what happens with a measurement. */
export const OUTCOME_FLAGS: readonly Flag[] = [
  {
    name: "json",
    kind: "string",
    value: "FILE",
    bare: STDOUT,
    help: "write everything that was measured; to standard output with - or without FILE",
  },
  {
    name: "csv",
    kind: "string",
    value: "FILE",
    bare: STDOUT,
    help: "write a row for each second and each run",
  },
  {
    name: "markdown",
    kind: "string",
    value: "FILE",
    bare: STDOUT,
    help: "write a table for pasting",
  },
  { name: "html", kind: "string", value: "FILE", help: "write a page with charts" },
  {
    name: "threshold",
    kind: "string",
    value: "'p99<5ms'",
    repeats: true,
    help: "exit with 99 if this does not hold; also errors<0.1%, rate>20000, memory<64MiB, …",
  },
  {
    name: "baseline",
    kind: "string",
    value: "FILE",
    help: "say what has changed since FILE was written with --json",
  },
];

/** What to do with a measurement: read and checked before the measuring begins. */
export interface Outcome {
  readonly thresholds: readonly Threshold[];
  /** The earlier measurement to compare with. */
  readonly baseline: Report | undefined;
  /** The forms to write, each with its file. */
  readonly files: readonly (readonly [form: string, path: string])[];
  /** Whether standard output is for something else than what people look at. */
  readonly isStdoutTaken: boolean;
}

/**
 * Reads what to do with a measurement, so that nobody waits for a result that cannot be written.
 *
 * @param values the flags, of which `--live-json` writes to somewhere too
 * @throws {UsageError} if something is wrong; its message is one line
 */
export async function readOutcome(values: Values): Promise<Outcome> {
  const thresholds = ((values.threshold ?? []) as readonly string[]).map((text) =>
    parseThreshold(text)
  );
  const pathOf = (flag: string, value: unknown) =>
    value === undefined ? [] : [[flag, value as string] as const];
  const files = Object.keys(FORMS).flatMap((form) => pathOf(form, values[form]));
  const all = [...pathOf("live-json", values.liveJson), ...files];
  const isStdoutTaken = all.some(([, path]) => path === STDOUT);
  for (const [index, [flag, path]] of all.entries()) {
    const other = all.slice(0, index).find((one) => placeOf(one[1]) === placeOf(path));
    if (other === undefined) continue;
    const where = path === STDOUT ? "standard output" : escapeText(path);
    throw new UsageError(`--${other[0]} and --${flag} cannot both go to ${where}`);
  }
  const baseline = values.baseline as string | undefined;
  const outcome = {
    thresholds,
    files,
    isStdoutTaken,
    baseline: baseline === undefined ? undefined : await readReport(baseline, "--baseline"),
  };
  for (const [form, path] of files) if (path !== STDOUT) tryToWrite(form, path);
  return outcome;
}

/**
 * Shows a measurement, writes it and judges it.
 *
 * @param measured the measurement, without findings
 * @param outcome what to do with it
 * @returns the exit status: 0, or 99 if a threshold failed, or 1 if a file could not be written or a
 * run has no answer
 */
export async function conclude(measured: Report, outcome: Outcome): Promise<number> {
  const { rate_study: study } = measured;
  const findings = study?.conclusion ??
    findingsOf(measured.runs, measured.missing, measured.reference);
  const report = { ...measured, findings };
  // The files come first, because whoever reads the screen may already be gone.
  const unwritten = await writeFiles(report, outcome);
  // If they cannot be written either, the measurement is judged all the same.
  const print = (text: string, write: (text: string) => void) => {
    try {
      write(text);
    } catch (error) {
      const isError = write === toStderr || (write !== toStdout && outcome.isStdoutTaken);
      const where = isError ? "error" : "output";
      const why = `cannot write to standard ${where}: ${describeSystemError(error)}`;
      if (!unwritten.includes(why)) unwritten.push(why);
    }
  };
  // What is piped into another program must be only what was asked for.
  const screen = screenOf(outcome.isStdoutTaken ? "stderr" : "stdout");
  print(formatTerminal(report, screen), screen.write);
  if (outcome.baseline !== undefined) {
    const changes = compareWithBaseline(report, outcome.baseline);
    print(`\nSince the baseline:\n${formatFindings(changes, screen)}\n`, screen.write);
  }
  for (const [form, path] of outcome.files) {
    if (path === STDOUT) print(await FORMS[form]!(report), toStdout);
  }
  const judged = judgedRuns(report.runs, study);
  const whyNot = whyUnjudged(study);
  const failed = failedThresholds(outcome.thresholds, judged, report.missing, whyNot);
  for (const sentence of [...unwritten, ...failed]) {
    print(`bench: ${sentence}\n`, toStderr);
  }
  if (failed.length > 0 || (study !== null && !hasFound(study))) return EXIT_THRESHOLD;
  // In a study it is a finding that a rate is too high for any answer.
  const isSilent = study === null && report.runs.some(({ requests }) => requests === 0);
  return unwritten.length > 0 || isSilent ? EXIT_FAILED : EXIT_DONE;
}

/** The exit statuses, for the help of each form of the bench. */
export const STATUS_NOTE: string =
  "The exit status is 0 if everything was measured and each run has an answer. It is 1 if a server was " +
  "left out, if a run has no answer at all (all its requests failed), or if a file could not be " +
  "written; 99 if a threshold failed, or --abort-on ended a run; 3 if no connection could be made; 2 " +
  "if the command line is wrong; and 130 after a signal.";

/**
 * Writes all the files that can be written; returns why the others could not, one sentence each.
 */
async function writeFiles(report: Report, { files }: Outcome): Promise<string[]> {
  const unwritten: string[] = [];
  for (const [form, path] of files) {
    if (path === STDOUT) continue;
    const text = await FORMS[form]!(report);
    try {
      writeOutput(path, text);
    } catch (error) {
      unwritten.push(cannotWrite(form, path, error));
    }
  }
  return unwritten;
}

function cannotWrite(form: string, path: string, error: unknown): string {
  return `cannot write --${form} ${escapeText(path)}: ${sayUnwritten(error)}`;
}

/** What is the same for all ways to name a file. */
function placeOf(path: string): string {
  if (path === STDOUT) return path;
  try {
    return realpathSync(path);
  } catch {
    // There is no such file yet.
    return resolve(path);
  }
}

/** Tests whether a file can be written. */
function tryToWrite(form: string, path: string): void {
  try {
    tryOutput(path);
  } catch (error) {
    throw new UsageError(cannotWrite(form, path, error));
  }
}

/**
 * Reads a measurement from a file.
 *
 * @param path the file
 * @param flag the flag that names it, for errors; empty if none does
 * @throws {UsageError} if it cannot be read; the message is one line
 */
export async function readReport(path: string, flag: "--baseline" | ""): Promise<Report> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(
      `cannot read ${flag === "" ? "" : `${flag} `}${escapeText(path)}: ${
        describeSystemError(error)
      }`,
    );
  }
  const { parseJson, ReportFormatError } = await json();
  try {
    return parseJson(text, path);
  } catch (error) {
    if (!(error instanceof ReportFormatError)) throw error;
    throw new UsageError(error.message);
  }
}
