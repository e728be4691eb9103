/**
 * Prints what CHANGELOG.md says about a version, for the release of that version.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import manifest from "../package.json" with { type: "json" };
import { isMainModule } from "../engine/net/runtime.ts";
import { fail, printAndExit, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_FAILED } from "../engine/cli/exit_status.ts";
import type { Command } from "../engine/cli/flags.ts";
import { ROOT } from "../engine/process/runtimes.ts";

const COMMAND: Command = {
  name: "notes",
  summary: "print what CHANGELOG.md says about a version",
  positionals: [{
    name: "version",
    kind: "string",
    default: "the one in package.json",
    help: "which version, for instance 0.1.0",
  }],
  flags: [],
  example: `deno task notes ${manifest.version}`,
};

/** A release has no notes. */
export class NotesError extends Error {
  override readonly name = "NotesError";
}

/**
 * Finds what a changelog says about a version.
 *
 * @param changelog the text of the changelog: each version has a heading of its own, with its date
 * @param version the version
 * @returns the text under its heading, without its last line end
 * @throws {NotesError} if the changelog says nothing, or says that the version is unreleased
 */
export function releaseNotes(changelog: string, version: string): string {
  for (const section of changelog.split(/^## /m).slice(1)) {
    const [heading = "", ...lines] = section.split("\n");
    const [name, ...date] = heading.split(" ");
    if (name !== version) continue;
    if (date.join(" ") === "(unreleased)") {
      throw new NotesError(`Cannot release ${version}: CHANGELOG.md calls it unreleased`);
    }
    const notes = lines.join("\n").trim();
    if (notes !== "") return notes;
  }
  throw new NotesError(`Cannot release ${version}: CHANGELOG.md says nothing about it`);
}

function main(): void {
  const { version = manifest.version } = readCommandLine(COMMAND);
  try {
    if (version !== manifest.version) {
      throw new NotesError(`Cannot release ${version}: package.json says ${manifest.version}`);
    }
    const changelog = readFileSync(new URL("CHANGELOG.md", ROOT), "utf8");
    printAndExit(releaseNotes(changelog, version));
  } catch (error) {
    if (!(error instanceof NotesError)) throw error;
    fail(COMMAND.name, error.message, EXIT_FAILED);
  }
}

if (isMainModule(import.meta)) main();
