/**
 * The texts of the pages, as the tests and the tasks look at them.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { posix } from "node:path";
import type { Page } from "./pages.ts";

const SITE = new URL("./", import.meta.url);

/** A command that a page shows. */
export interface ShownCommand {
  /** What is typed, without `$`. */
  readonly command: string;
  /** The lines that it prints; `…` stands for those that are left out. */
  readonly output: readonly string[];
  /** Why no test runs it; absent if one does. */
  readonly notRun?: string;
  /** Flags with which a tool types it: readers are asked something, and a tool is not. */
  readonly typedWith?: string;
  /**
   * Whether it is none of the commands of the text: a page shows only what it prints, or it stands
   * below a figure and makes the reader's own recording.
   */
  readonly isAside?: true;
  /** The lines of the text that show what it prints: the first one, and the one after the last. */
  readonly lines: readonly [from: number, to: number];
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
  readonly headings: readonly {
    readonly level: number;
    readonly title: string;
  }[];
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
    .map(([, marks = "", title = ""]) => ({
      level: marks.length,
      title: plain(title),
    }));
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) =>
    /^\w+:/.test(link)
      ? link
      : link.startsWith("#")
      ? file + link
      : posix.join(posix.dirname(file), link)
  );
  const words = plain(prose).split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word))
    .length;
  return { file, text, prose, headings, words, commands, links };
}

/** Text without markup. */
function plain(text: string): string {
  return text.replaceAll(/<[^>]+>/g, " ").replaceAll(/\]\([^)]*\)/g, "]")
    .replaceAll(/[`*[\]]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "").trim();
}

/**
 * The commands of a page. A block of `console` has a command behind `$`, and below it what it prints. A
 * block of `sh` has a command in each line. A comment before a block says why it is not run, with which
 * flags a tool types it, or which command has printed a block of `text`.
 */
function commandsOf(text: string): readonly ShownCommand[] {
  const lines = text.split("\n");
  const found: ShownCommand[] = [];
  for (let at = 0; at < lines.length; at++) {
    const kind = /^```(console|sh|text)\b/.exec(lines[at] ?? "")?.[1];
    if (kind === undefined) continue;
    const end = lines.indexOf("```", at + 1);
    const [, mark, says = ""] = /^<!-- (not run|typed with|printed by): (.+) -->$/.exec(
      lines[at - 2] ?? "",
    ) ?? [];
    const marked: Partial<ShownCommand> = mark === "not run"
      ? { notRun: says }
      : mark === "typed with"
      ? { typedWith: says }
      : {};
    const show = (
      command: string,
      from: number,
      to: number,
      more: Partial<ShownCommand> = marked,
    ) =>
      found.push({
        command,
        output: lines.slice(from, to),
        lines: [from, to],
        ...more,
      });
    const inside = [...lines.keys()].slice(at + 1, end);
    if (kind === "text") {
      if (mark === "printed by") show(says, at + 1, end, { isAside: true });
    } else if (kind === "sh") {
      const commands = inside.filter((line) => !/^(?:#.*|\s*)$/.test(lines[line] as string));
      for (const line of commands) {
        show(lines[line] as string, line + 1, line + 1);
      }
    } else {
      const commands = inside.filter((line) => lines[line]?.startsWith("$ "));
      for (const [index, line] of commands.entries()) {
        show(
          (lines[line] as string).slice(2),
          line + 1,
          commands[index + 1] ?? end,
        );
      }
    }
    at = end;
  }
  return [...found, ...ownRecordings(lines)];
}

/** The commands below figures, which make the reader's own recording. */
function ownRecordings(lines: readonly string[]): readonly ShownCommand[] {
  return lines.flatMap((line, at): ShownCommand[] => {
    const [, attributes = ""] = /<yours-and-ours\b([^>]*)>/.exec(line) ?? [];
    const [, command] = /\scommand="([^"]*)"/.exec(attributes) ?? [];
    if (command === undefined) return [];
    const [, notRun] = /\snot-run="([^"]*)"/.exec(attributes) ?? [];
    const why = notRun === undefined ? {} : { notRun };
    return [{ command, output: [], isAside: true, lines: [at, at], ...why }];
  });
}

/**
 * The anchor of a heading.
 *
 * @param title its text
 */
export function anchorOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-").replaceAll(
    /^-|-$/g,
    "",
  );
}
