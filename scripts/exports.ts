/**
 * What a module of the project exports, as a table for a page: each name with the first sentence of
 * its documentation.
 *
 * @module
 */

import { table } from "../site/measured.ts";

/** A name that a module exports. */
export interface Exported {
  /** The name. */
  readonly name: string;
  /** How it is written: a function with the names of its parameters. */
  readonly shape: string;
  /** The first sentence of its documentation, in Markdown. */
  readonly says: string;
}

/** An export of a module, with its documentation in front of it. */
const EXPORT =
  /^\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n(?:\/\/.*\n)*export (?:abstract )?(function\*?|class|const|interface|type) (\w+)/gm;

/**
 * Lists what a module exports, in the order of its text.
 *
 * @param code the text of the module
 */
export function exportsOf(code: string): readonly Exported[] {
  const found = new Map<string, Exported>();
  for (const match of code.matchAll(EXPORT)) {
    const [whole, comment = "", kind = "", name = ""] = match;
    // Of a function with several forms the last one is the most general.
    const rest = code.slice(match.index + whole.length);
    const shape = kind.startsWith("function") ? `${name}(${parametersIn(rest)})` : name;
    found.set(name, { name, shape, says: firstSentence(comment) });
  }
  return [...found.values()];
}

/** The names of the parameters of a function, from the text behind its name. */
function parametersIn(text: string): string {
  const parts: string[] = [];
  let depth = 0;
  let from = text.indexOf("(") + 1;
  for (let at = from; at < text.length; at++) {
    const character = text[at] as string;
    if (depth === 0 && /[,)]/.test(character)) {
      parts.push(text.slice(from, at).trim());
      from = at + 1;
      if (character === ")") break;
    } else if (/[({[]/.test(character)) depth++;
    else if (/[)}\]]/.test(character)) depth--;
  }
  // What is taken apart at once has no name of its own.
  return parts.filter((part) => part !== "")
    .map((part) => part.startsWith("{") ? "options" : /\w+/.exec(part.replace(/^_/, ""))?.[0])
    .join(", ");
}

function firstSentence(comment: string): string {
  const text = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trim()).join(" ")
    .trim().replaceAll(/ +/g, " ");
  const [sentence = ""] = /^.*?(?:[^.]\.(?=\s|$)|(?=: - ))/.exec(text) ?? [];
  return sentence.replaceAll(/\{@linkcode ([^}]+)\}/g, "`$1`").replace(/\.$/, "")
    .replaceAll("|", "\\|");
}

/**
 * Lists what a module passes on.
 *
 * @param code the text of the module
 * @returns for each path, relative to the module, the names; `undefined` for all of them
 */
export function passedOn(code: string): ReadonlyMap<string, readonly string[] | undefined> {
  const pattern = /^export (?:\*|\{([^}]*)\}) from ["]\.\/([^"]+)["];$/gm;
  return new Map(
    [...code.matchAll(pattern)].map(([, names, path = ""]) => [
      path,
      names?.split(",").map((name) => name.replace(/\btype\b/, "").trim()).filter(Boolean),
    ]),
  );
}

/**
 * Makes the table of what `protocol.ts` exports of some modules.
 *
 * @param paths the modules
 * @param read reads a module of the project
 * @throws {RangeError} if `protocol.ts` does not pass on such a module
 */
export function exportsTable(paths: readonly string[], read: (path: string) => string): string {
  const passed = passedOn(read("protocol.ts"));
  const all = paths.flatMap((path) => {
    if (!passed.has(path)) throw new RangeError(`protocol.ts does not export ${path}`);
    const names = passed.get(path);
    return exportsOf(read(path)).filter(({ name }) => names?.includes(name) ?? true);
  });
  return table(["name", "what it is"], all.map(({ shape, says }) => [`\`${shape}\``, says]), 2);
}
