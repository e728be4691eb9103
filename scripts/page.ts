/**
 * Builds the live page into one module, or checks that it is what its sources say today.
 *
 * The page is one HTML text with its style and its script. The module is committed, so that neither a
 * server nor an executable needs a bundler.
 *
 * @module
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { fail, printAndExit, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_FAILED } from "../engine/cli/exit_status.ts";
import type { Command } from "../engine/cli/flags.ts";
import { isMainModule } from "../engine/net/runtime.ts";

const COMMAND: Command = {
  name: "page",
  summary: "build the live page into engine/figures/built_page.ts",
  positionals: [],
  flags: [{
    name: "check",
    kind: "boolean",
    help: "change nothing; fail if the page is out of date",
  }],
  example: "deno task page --check",
};

const ROOT = new URL("../", import.meta.url);

/** The module that holds the page. */
export const BUILT_PAGE = "engine/figures/built_page.ts";

/** What stands in the page where each answer has its own nonce. */
const PLACEHOLDER = "{{nonce}}";

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/**
 * Makes one script of a module and of all that it imports.
 *
 * @param entry the path of the module in the project
 * @returns the script; it needs no module loader, and it can stand in a page
 */
export function bundle(entry: string): string {
  const { outputFiles } = buildSync({
    absWorkingDir: fileURLToPath(ROOT),
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2023",
    charset: "utf8",
    legalComments: "none",
    write: false,
  });
  // Nothing in a script may look like its end.
  return (outputFiles[0]?.text ?? "").replaceAll("</script", "<\\/script");
}

/**
 * Builds the page.
 *
 * @returns the text of the module that holds it
 */
export function buildPage(): string {
  const parts: Readonly<Record<string, string>> = {
    NONCE: PLACEHOLDER,
    STYLE: read("engine/figures/page.css"),
    SCRIPT: bundle("engine/figures/page.ts"),
  };
  const page = read("engine/figures/page.html").replace(
    /\b(?:NONCE|STYLE|SCRIPT)\b/g,
    (name) => parts[name] as string,
  );
  const text = page.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${");
  return `/**
 * The live page as one text. It is built from the files beside it by \`deno task page\`: do not edit it.
 *
 * @module
 */

/** The page. {{nonce}} stands wherever the nonce of an answer's Content-Security-Policy goes. */
export const LIVE_PAGE: string = \`${text}\`;
`;
}

/** Whether the module that is there is the one that would be built. */
export function isPageFresh(): boolean {
  return existsSync(new URL(BUILT_PAGE, ROOT)) && read(BUILT_PAGE) === buildPage();
}

function main(): void {
  const { check } = readCommandLine(COMMAND);
  if (isPageFresh()) printAndExit(`${BUILT_PAGE} is up to date`);
  if (check === true) {
    fail(COMMAND.name, `${BUILT_PAGE} is out of date: run deno task page`, EXIT_FAILED);
  }
  const text = buildPage();
  writeFileSync(new URL(BUILT_PAGE, ROOT), text);
  printAndExit(`written: ${BUILT_PAGE}, ${text.length} characters`);
}

if (isMainModule(import.meta)) main();
