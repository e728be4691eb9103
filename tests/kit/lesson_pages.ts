/**
 * The texts of the lessons, as the tests look at them.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { posix } from "node:path";
import type { Page } from "../../site/pages.ts";

const SITE = new URL("../../site/", import.meta.url);

/** A command that a page shows. */
export interface ShownCommand {
  /** What is typed, without `$`. */
  readonly command: string;
  /** The lines that it prints; `…` stands for those that are left out. */
  readonly output: readonly string[];
  /** Why no test runs it; absent if one does. */
  readonly notRun?: string;
}

/** A page. */
export interface PageText {
  /** Its file, relative to the site. */
  readonly file: string;
  /** The whole text. */
  readonly text: string;
  /** The text without blocks of code and comments. */
  readonly prose: string;
  /** The headings, each with the number of its level. */
  readonly headings: readonly { readonly level: number; readonly title: string }[];
  /** How many words a reader reads. */
  readonly words: number;
  /** The commands in blocks of code. */
  readonly commands: readonly ShownCommand[];
  /** Where its links lead: a file and an anchor in it, relative to the site. Foreign ones as they are. */
  readonly links: readonly string[];
}

/**
 * Reads a page.
 *
 * @param page what the table says of it
 */
export function readPage({ file }: Pick<Page, "file">): PageText {
  const text = readFileSync(new URL(file, SITE), "utf8");
  const commands = commandsOf(text);
  const withoutCode = text.replaceAll(/^```.*?^```$/gms, "");
  const prose = withoutCode.replaceAll(/<!--.*?-->/gs, "");
  const headings = [...prose.matchAll(/^(#+) (.+)$/gm)]
    .map(([, marks = "", title = ""]) => ({ level: marks.length, title: plain(title) }));
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) =>
    /^\w+:/.test(link)
      ? link
      : link.startsWith("#")
      ? file + link
      : posix.join(posix.dirname(file), link)
  );
  const words = plain(prose).split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  return { file, text, prose, headings, words, commands, links };
}

/** Text without markup. */
function plain(text: string): string {
  return text.replaceAll(/<[^>]+>/g, " ").replaceAll(/\]\([^)]*\)/g, "]")
    .replaceAll(/[`*[\]]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "").trim();
}

/**
 * The commands of a page. A block of `console` has a command behind `$`, and below it what it prints. A
 * block of `sh` has a command in each line. A comment before a block says why it is not run.
 */
function commandsOf(text: string): readonly ShownCommand[] {
  const blocks = text.matchAll(
    /(?:^<!-- not run: ([^\n]+?) -->\n\n?)?^```(console|sh)\b[^\n]*\n(.*?)^```$/gms,
  );
  return [...blocks].flatMap(([, notRun, kind, code = ""]) => {
    const why = notRun === undefined ? {} : { notRun };
    const lines = code.trimEnd().split("\n");
    if (kind === "sh") {
      return lines.filter((line) => line.trim() !== "" && !line.startsWith("#"))
        .map((command) => ({ command, output: [], ...why }));
    }
    const shown: { command: string; output: string[]; notRun?: string }[] = [];
    for (const line of lines) {
      if (line.startsWith("$ ")) shown.push({ command: line.slice(2), output: [], ...why });
      else shown.at(-1)?.output.push(line);
    }
    return shown;
  });
}

/**
 * The anchor of a heading.
 *
 * @param title its text
 */
export function anchorOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(/^-|-$/g, "");
}
