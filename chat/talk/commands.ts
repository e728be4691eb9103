/**
 * The meaning of a line that a user has typed.
 *
 * @module
 */

import { hasTower, looksEmpty } from "./looks.ts";

/** A command, or talk. */
export type Command =
  | { readonly kind: "nothing" }
  | { readonly kind: "say"; readonly text: string }
  | { readonly kind: "act"; readonly text: string }
  | { readonly kind: "nick"; readonly name: string }
  | { readonly kind: "join"; readonly room: string }
  | { readonly kind: "rooms" }
  | { readonly kind: "who" }
  | { readonly kind: "whisper"; readonly to: string; readonly text: string }
  | { readonly kind: "help" }
  | { readonly kind: "quit" }
  /** Talk of which there is nothing to be seen, though it is not empty. */
  | { readonly kind: "unseen" }
  /** A line with so many combining marks on a character that it does not stay on its row. */
  | { readonly kind: "tower" }
  | { readonly kind: "incomplete"; readonly usage: string }
  | { readonly kind: "unknown"; readonly name: string };

/** A command as `/help` lists it. */
export interface CommandHelp {
  /** How it is typed, for instance `/msg NAME TEXT`. */
  readonly usage: string;
  /** What it does, in a few words. */
  readonly help: string;
}

/** A command and how it is read. */
interface Entry extends CommandHelp {
  /** Its other name. */
  readonly alias?: string;
  /** Reads what follows its name; `undefined` if something is missing. */
  read(rest: string): Command | undefined;
}

/** The commands by their names, in the order in which `/help` lists them. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  nick: {
    usage: "/nick NAME",
    help: "take a name",
    read: (name) => name === "" ? undefined : { kind: "nick", name },
  },
  join: {
    usage: "/join ROOM",
    help: "go to another room, or make it",
    read: (room) => ({ kind: "join", room }),
  },
  rooms: { usage: "/rooms", help: "list the rooms", read: () => ({ kind: "rooms" }) },
  who: {
    usage: "/who",
    alias: "names",
    help: "list who is in this room (/names too)",
    read: () => ({ kind: "who" }),
  },
  me: {
    usage: "/me ACTION",
    help: "say what you do",
    read: (text) => text === "" ? undefined : { kind: "act", text },
  },
  msg: {
    usage: "/msg NAME TEXT",
    help: "say something to one user alone",
    read(rest) {
      const [to, text] = splitWord(rest);
      return text === "" ? undefined : { kind: "whisper", to: addressee(to), text };
    },
  },
  help: { usage: "/help", help: "show this", read: () => ({ kind: "help" }) },
  quit: { usage: "/quit", help: "leave (exit too)", read: () => ({ kind: "quit" }) },
};

const LIST: readonly Entry[] = Object.values(COMMANDS);

/** The commands, for `/help` and for completion. */
export const COMMAND_HELP: readonly CommandHelp[] = LIST;

/**
 * Reads a line. It is a command if it begins with one `/`. Otherwise it is talk; of two `/` at its
 * beginning the first is left out.
 *
 * @param line the line without its line end
 */
export function parseCommand(line: string): Command {
  const text = line.trim();
  if (text === "") return { kind: "nothing" };
  if (text === "exit") return { kind: "quit" };
  if (hasTower(text)) return { kind: "tower" };
  const command = readCommand(line, text);
  return "text" in command && looksEmpty(command.text) ? { kind: "unseen" } : command;
}

function readCommand(line: string, text: string): Command {
  // Talk keeps its leading spaces, which matter in code.
  if (!text.startsWith("/")) return { kind: "say", text: line.trimEnd() };
  if (text.startsWith("//")) return { kind: "say", text: text.slice(1) };
  const [word, rest] = splitWord(text.slice(1));
  const name = word.toLowerCase();
  const command = Object.hasOwn(COMMANDS, name)
    ? COMMANDS[name]
    : LIST.find(({ alias }) => alias === name);
  if (command === undefined) return { kind: "unknown", name: word };
  return command.read(rest) ?? { kind: "incomplete", usage: command.usage };
}

/**
 * The name that is meant by a word with which people address each other: `ann`, `@ann` or `ann:`.
 *
 * @param word any word
 */
export function addressee(word: string): string {
  return word.replace(/^@/, "").replace(/[:,]$/, "");
}

/**
 * Splits off the first word.
 *
 * @param text a text that begins with a word
 * @returns the word and what follows it, both without spaces around them
 */
export function splitWord(text: string): [word: string, rest: string] {
  const end = text.search(/\s/);
  return end < 0 ? [text, ""] : [text.slice(0, end), text.slice(end).trim()];
}
