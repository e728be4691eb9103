/**
 * Completion: what Tab makes of what was typed.
 *
 * @module
 */

import { COMMAND_HELP } from "../talk/commands.ts";

/** The names that can be completed. */
export interface Known {
  /** The users. */
  readonly names: readonly string[];
  /** The rooms. */
  readonly rooms: readonly string[];
}

/** The commands, for instance `/nick`. */
const COMMANDS: readonly string[] = COMMAND_HELP.map(({ usage }) => usage.split(" ")[0] as string);

/**
 * Completes the last word before the cursor: a command at the beginning of the line, a room after
 * `/join`, the name of a user everywhere else.
 *
 * @param text the text before the cursor
 * @param known the known users and rooms
 * @returns what the word could become, each with a space after it, and the word itself
 */
export function complete(text: string, known: Known): [candidates: string[], word: string] {
  const word = /\S*$/.exec(text)?.[0] ?? "";
  const before = text.slice(0, text.length - word.length).trim();
  const candidates = candidatesFor(before, word, known)
    .filter((candidate) => candidate.toLowerCase().startsWith(word.toLowerCase()));
  return [candidates.map((candidate) => `${candidate} `), word];
}

function candidatesFor(before: string, word: string, { names, rooms }: Known): readonly string[] {
  if (before === "" && word.startsWith("/")) return COMMANDS;
  const command = before.toLowerCase();
  if (command === "/join") return rooms;
  if (command === "/msg") return names;
  // After `/nick` a new name is wanted. If no word was begun, a list of all names is no help.
  return command === "/nick" || word === "" ? [] : names;
}
