/**
 * Everything that the server says, in words. Its own lines begin with `* `. What a user says begins
 * with their name in brackets. So nothing that is typed can look like a line of the server.
 *
 * @module
 */

import { COMMAND_HELP } from "./commands.ts";
import { LINE_LIMIT } from "./lines.ts";
import { MARK_LIMIT } from "./looks.ts";
import { NAME_SYNTAX } from "./names.ts";

/** The longest line of a list, in characters. */
const LIST_WIDTH = 400;

/** The most lines that a list may take that a user has asked for. */
const LIST_LINES = 20;

/** The most lines that newcomers are shown of those who are here. */
export const PRESENT_LINES = 4;

/** What a user says in a room. */
export function talk(name: string, text: string): string {
  return `[${name}] ${text}`;
}

/** What a user does, in their own words. */
export function action(name: string, text: string): string {
  return `[${name}] * ${text}`;
}

/** What the operator says. */
export function announcement(text: string): string {
  return `[server] ${text}`;
}

/** What a user says to another in private, as the receiver reads it. */
export function whisper(from: string, text: string): string {
  return `[${from} to you] ${text}`;
}

/** The same, as the sender reads it. */
export function whispered(to: string, text: string): string {
  return `[you to ${to}] ${text}`;
}

/** A line of the server. */
export function notice(text: string): string {
  return `* ${text}`;
}

/** The first line that a visitor reads. */
export const WELCOME = notice(
  "welcome: type a line to talk, /help for commands, /quit or exit to leave",
);

/** The last line that a visitor reads. */
export const GOODBYE = notice("goodbye");

/** The answer to a line of more than {@linkcode LINE_LIMIT} bytes. */
export const TOO_LONG = notice(`line too long: limit is ${LINE_LIMIT} bytes`);

/** The answer to talk of which there is nothing to be seen. */
export const UNSEEN = notice("not said: there is nothing to be seen in that line");

/** The answer to a line in which a character carries more than {@linkcode MARK_LIMIT} marks. */
export const TOWER = notice(`not said: a character may carry ${MARK_LIMIT} marks`);

/** The answer to an invalid name. */
export const BAD_NAME = notice(`cannot use the name: a name is ${NAME_SYNTAX}`);

/** The answer to `/help`. */
export const HELP: readonly string[] = COMMAND_HELP.map(({ usage, help }) =>
  notice(`${usage}: ${help}`)
);

/**
 * The server is about to end.
 *
 * @param ms how long until then, in milliseconds
 */
export function closing(ms: number): string {
  return notice(`server is shutting down in ${Math.ceil(ms / 100) / 10} s`);
}

/** How a room changes. */
export type ChangeKind = "joined" | "left" | "renamed";

/**
 * Somebody has come, gone or taken another name.
 *
 * @param kind which of these
 * @param name the user's name before
 * @param what the room that was joined; how the user left, for instance `: idle`; the new name
 */
export function changed(kind: ChangeKind, name: string, what: string): string {
  return notice(
    kind === "joined"
      ? `${name} joined ${what}`
      : kind === "left"
      ? `${name} left${what}`
      : `${name} is now ${what}`,
  );
}

/**
 * Several users have come, gone or taken other names.
 *
 * @param kind which of these
 * @param changes all of them, at least two; the first two are named
 */
export function gathered(
  kind: ChangeKind,
  changes: readonly { readonly name: string; readonly what: string }[],
): string {
  const shown = changes.slice(0, 2)
    .map(({ name, what }) => kind === "renamed" ? `${name} to ${what}` : name);
  const more = changes.length - shown.length;
  const rest = more > 0 ? ` and ${more} more` : "";
  return notice(`${changes.length} ${kind}: ${shown.join(", ")}${rest}`);
}

/** The notice about lines that were dropped because they were not read in time. */
export function missed(count: number): string {
  return notice(`you missed ${count} ${count === 1 ? "line" : "lines"}`);
}

/**
 * A list, over as many lines as it takes. Of a very long list only the beginning is shown.
 *
 * @param title what is listed
 * @param items at least one
 * @param most the most lines, not counting the one that tells how many items are left out
 */
export function list(title: string, items: readonly string[], most = LIST_LINES): string[] {
  const lines: string[] = [];
  let line = "";
  for (const [index, item] of items.entries()) {
    if (line !== "" && line.length + item.length > LIST_WIDTH) {
      lines.push(notice(`${title}: ${line}`));
      line = "";
      if (lines.length === most) {
        return [...lines, notice(`${title}: and ${items.length - index} more`)];
      }
    }
    line = line === "" ? item : `${line}, ${item}`;
  }
  return [...lines, notice(`${title}: ${line}`)];
}
