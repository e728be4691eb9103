/**
 * Writes anew what the lessons quote, or checks that it is what is true today: code, and what was
 * measured.
 *
 * A lesson marks a quote with a comment before the block of code. The comment names the script and
 * the words that the first quoted line begins with:
 *
 * ````md
 * <!-- quote modes/sequential.ts: onThread( -->
 *
 * ```ts
 * ```
 * ````
 *
 * The quote ends where the statement of that line ends: after the lines that are indented more, and
 * the brackets that close them. A comment that names only the script quotes all of it. And
 * `<!-- exports protocols/effects.ts -->` stands above the table of what `handshake/protocol` exports
 * of that module, or of several.
 *
 * @module
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fail, printAndExit, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_FAILED } from "../engine/cli/exit_status.ts";
import type { Command } from "../engine/cli/flags.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import { ROOT } from "../engine/process/runtimes.ts";
import { type Measured, tableOf } from "../site/measured.ts";
import { statementOf } from "../site/statements.ts";
import { exportsTable } from "./exports.ts";

const COMMAND: Command = {
  name: "quotes",
  summary: "write the code that the lessons in docs/ and site/ quote anew",
  positionals: [],
  flags: [{
    name: "check",
    kind: "boolean",
    help: "change nothing; fail if a quote is out of date",
  }],
  example: "deno task quotes --check",
};

/** A quote cannot be made: its script has no such line, or several, or nothing was measured. */
export class QuoteError extends Error {
  override readonly name = "QuoteError";
}

/**
 * Finds what a quote shows.
 *
 * @param code the text of the script
 * @param start what the first line begins with, after its indentation
 * @returns the statement that begins there, moved to the left
 * @throws {QuoteError} if not precisely one line begins so
 */
export function quoteOf(code: string, start: string): string {
  const lines = code.split("\n");
  const found = [...lines.keys()].filter((at) => lines[at]?.trimStart().startsWith(start));
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new QuoteError(`${found.length} lines begin with "${start}"`);
  }
  const depthOf = (line: string) => line.length - line.trimStart().length;
  const indentation = depthOf(lines[first] as string);
  const isInside = (line: string) => line === "" || depthOf(line) > indentation;
  let end = first + 1;
  for (let isOpen = true; isOpen;) {
    while (end < lines.length && isInside(lines[end] as string)) end++;
    const line = lines[end] ?? "";
    const closing = depthOf(line) === indentation ? line.trimStart() : "";
    if (/^[\])}]/.test(closing)) end++;
    // After `} else {` the statement goes on.
    isOpen = /^[\])}].*[[({]$/.test(closing);
  }
  return lines.slice(first, end).map((line) => line.slice(indentation)).join("\n").trimEnd();
}

/**
 * Puts every quote of a document into it.
 *
 * @param text the document
 * @param read reads a script of the project
 * @returns the document with the quotes of today
 * @throws {QuoteError} if a quote cannot be made
 */
export function quoteAll(text: string, read: (path: string) => string): string {
  const pattern = /^(<!-- quote (\S+?)(?:: (.+))? -->\n\n```ts\n)(?:.*\n)*?(?=```$)/gm;
  const marks = text.match(/<!-- quote /g)?.length ?? 0;
  const whole = text.match(pattern)?.length ?? 0;
  if (marks !== whole) throw new QuoteError(`${marks - whole} marks have no block of code below`);
  return text.replace(
    pattern,
    (_, head: string, path: string, start?: string) => `${head}${quote(path, start)}\n`,
  );

  function quote(path: string, start: string | undefined): string {
    try {
      return start === undefined ? read(path).trimEnd() : quoteOf(read(path), start);
    } catch (error) {
      throw new QuoteError(`Cannot quote ${path}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/**
 * Puts every table of what was measured into a document, and every paragraph that states a figure.
 * What stands below a mark is replaced: a table, or a paragraph or list up to the next empty line.
 *
 * @param text the document
 * @param measured what was measured
 * @returns the document with these tables and paragraphs
 * @throws {QuoteError} if nothing was measured of what a mark names, or if it is not so
 */
export function fillTables(text: string, measured: Measured): string {
  const fill = (make: typeof tableOf) => (_: string, head: string, name: string, old: string) => {
    try {
      return `${head}${make(measured, name)}\n${old === "" ? "\n" : ""}`;
    } catch (error) {
      throw new QuoteError(`Cannot fill in ${name}: ${(error as Error).message}`, { cause: error });
    }
  };
  return text.replace(/^(<!-- measured (\S+) -->\n\n)((?:[|>].*\n)*)/gm, fill(tableOf))
    .replace(/^(<!-- stated (\S+) -->\n\n)((?:(?!:::|#|<|\||```).+\n)*)/gm, fill(statementOf));
}

/**
 * Puts every table of what the library exports into a document.
 *
 * @param text the document
 * @param read reads a module of the project
 * @returns the document with these tables
 * @throws {QuoteError} if the library does not export a module that a mark names
 */
export function fillExports(text: string, read: (path: string) => string): string {
  const pattern = /^(<!-- exports (.+) -->\n\n)((?:\|.*\n)*)/gm;
  return text.replace(pattern, (_, head: string, paths: string, old: string) => {
    try {
      return `${head}${exportsTable(paths.split(" "), read)}\n${old === "" ? "\n" : ""}`;
    } catch (error) {
      throw new QuoteError(`Cannot list ${paths}: ${(error as Error).message}`, { cause: error });
    }
  });
}

/**
 * A document with everything that it quotes.
 *
 * @param text the document
 * @throws {QuoteError} if something cannot be quoted
 */
export function quoteEverything(text: string): string {
  const quoted = fillExports(quoteAll(text, read), read);
  if (!/<!-- (?:measured|stated) /.test(quoted)) return quoted;
  return fillTables(quoted, JSON.parse(read("site/measured.json")));
}

/** The folders of the lessons. */
const FOLDERS = ["docs/", "site/", "site/lessons/"] as const;

/** The lessons, by their paths. */
export function lessons(): string[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(new URL(folder, ROOT)).filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}${name}`)
  );
}

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/**
 * Writes all quotes anew.
 *
 * @returns the documents that have changed, by their paths
 * @throws {QuoteError} if something cannot be quoted
 */
export function writeQuotes(): readonly string[] {
  const stale = staleLessons();
  for (const path of stale) writeFileSync(new URL(path, ROOT), quoteEverything(read(path)));
  return stale;
}

function staleLessons(): readonly string[] {
  return lessons().filter((path) => quoteEverything(read(path)) !== read(path));
}

function main(): void {
  const { check } = readCommandLine(COMMAND);
  try {
    if (check !== true) {
      const written = writeQuotes();
      return printAndExit(
        written.length === 0 ? "all quotes are up to date" : `written: ${written.join(", ")}`,
      );
    }
    const stale = staleLessons();
    if (stale.length > 0) {
      throw new QuoteError(`${stale.join(", ")}: a quote is out of date; run deno task quotes`);
    }
    printAndExit("all quotes are up to date");
  } catch (error) {
    if (!(error instanceof QuoteError)) throw error;
    fail(COMMAND.name, error.message, EXIT_FAILED);
  }
}

if (isMainModule(import.meta)) main();
