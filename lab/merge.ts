/**
 * `bench merge a.json b.json …`: adds up what several machines have measured together.
 *
 * @module
 */

import { realpathSync } from "node:fs";
import type { Command, Flag, Values } from "../engine/cli/flags.ts";
import { UsageError } from "../engine/cli/flags.ts";
import { escapeText } from "../protocols/text.ts";
import type { Report } from "./load/results.ts";
import { OUTCOME_FLAGS, readReport, STATUS_NOTE } from "./outcome.ts";
import { apartNotes, MergeError, mergeReports, nameNotes, type Source } from "./report/merge.ts";

/** The first argument that asks for it. */
export const MERGE = "merge";

/** A file of one machine. */
const file = (name: string): Flag => ({
  name,
  kind: "string",
  value: "FILE",
  help: "what bench --json has written on one machine",
});

/**
 * The command.
 *
 * @param example a command line that works as printed
 */
export const mergeCommand = (example: string): Command => ({
  name: `bench ${MERGE}`,
  summary: "add up what several machines have measured of one server, exactly",
  positionals: [file("file"), file("other")],
  required: 2,
  rest: file("more"),
  flags: OUTCOME_FLAGS,
  notes: [
    "The distributions are added count by count. Connections, rates and requests add up. Protocol, " +
    "size, model and duration must be the same, and no measurement may count twice.",
    STATUS_NOTE,
  ],
  example,
});

/**
 * Reads the files and adds them up.
 *
 * @param values the arguments
 * @param command the command line, for the report
 * @param onNote receives what the user should know
 * @throws {UsageError} if a file cannot be read, or they do not belong together
 */
export async function mergeFiles(
  values: Values,
  command: string,
  onNote: (text: string) => void,
): Promise<Report> {
  const more = (values.more ?? []) as readonly string[];
  const files = [values.file as string, values.other as string, ...more];
  const sources: Source[] = [];
  const paths = new Map<string, string>();
  for (const file of files) {
    const report = await readReport(file, "");
    const path = realpathSync(file);
    const other = paths.get(path);
    if (other !== undefined) {
      const both = other === file ? `${escapeText(file)} twice` : `${escapeText(file)} is ${other}`;
      throw new UsageError(`cannot merge a file with itself: ${both}`);
    }
    paths.set(path, file);
    sources.push({ file, report });
  }
  try {
    const merged = mergeReports(sources, command);
    for (const note of [...nameNotes(sources), ...apartNotes(sources)]) onNote(note);
    return merged;
  } catch (error) {
    if (!(error instanceof MergeError)) throw error;
    throw new UsageError(error.message);
  }
}
