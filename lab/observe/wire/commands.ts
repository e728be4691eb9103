/**
 * What can be done at the wire: the same with keys and in scripts. A script has one command a line;
 * what follows `#` is for people.
 *
 * @module
 */

import { TCP_STATES, type TcpState } from "../../../engine/kernel/tcp_states.ts";
import { parseDuration } from "../../../engine/values/durations.ts";
import { escapeText } from "../../../protocols/text.ts";
import type { PacketKind } from "./wire.ts";

/** Which end. */
export type EndName = "client" | "server";

/** What an end can be told to do. */
export type EndAction = "close" | "reset" | "send" | "read" | "stop";

/** One command. */
export type WireCommand =
  /** Something becomes of the first packet that waits, or of the first one of that kind. */
  | {
    readonly verb: "deliver" | "lose" | "double";
    readonly packet?: PacketKind | undefined;
  }
  /** It is delivered after that time. */
  | { readonly verb: "delay"; readonly ms: number; readonly packet?: PacketKind | undefined }
  /** The first packet goes behind the others. */
  | { readonly verb: "reorder" }
  /** From now on each packet is delivered by itself, after that time. */
  | { readonly verb: "run"; readonly ms: number }
  /** From now on packets wait again. */
  | { readonly verb: "pause" }
  /** Time passes. */
  | { readonly verb: "wait"; readonly ms: number }
  /** Time passes until the kernel says that an end is in a state. */
  | {
    readonly verb: "until";
    readonly end: EndName;
    readonly state: TcpState;
    readonly ms: number;
  }
  /** An end is in a state now, or the script has failed. */
  | { readonly verb: "expect"; readonly end: EndName; readonly state: TcpState }
  /** An end does something. */
  | {
    readonly verb: "act";
    readonly end: EndName;
    readonly action: EndAction;
    readonly text?: string;
  };

/** A line of a script. */
export interface ScriptLine {
  /** Its number, from 1. */
  readonly number: number;
  /** The line, as it was written. */
  readonly text: string;
  /** What it says. */
  readonly command: WireCommand;
}

/** A line of a script says nothing that can be done. */
export class ScriptError extends Error {
  /** The class's name. */
  override readonly name = "ScriptError";
}

/** How long `until` waits unless it is told, and how long a command waits for its packet. */
export const PATIENCE_MS = 10_000;

/** The most lines of a script. */
const MOST_LINES = 1000;

/** The longest time that a line may name, in milliseconds. */
const LONGEST_MS = 60_000;

/** The most bytes that `send` sends at once. */
const MOST_TEXT = 1000;

const KINDS: readonly PacketKind[] = ["SYN", "SYN-ACK", "ACK", "DATA", "FIN", "RST"];
const ACTIONS: readonly EndAction[] = ["close", "reset", "send", "read", "stop"];

/** What each command looks like, and what it does: for the help. */
export const COMMAND_HELP: readonly (readonly [command: string, meaning: string])[] = [
  ["deliver [KIND]", "the first packet that waits arrives, or the first of that kind"],
  ["lose [KIND]", "it never arrives"],
  ["double [KIND]", "it arrives twice"],
  ["delay TIME [KIND]", "it arrives after that time, as 200ms"],
  ["reorder", "the first packet goes behind the others"],
  ["run TIME", "from now on, each packet arrives by itself after that time"],
  ["pause", "from now on, packets wait again"],
  ["wait TIME", "time passes"],
  ["until END STATE [TIME]", "time passes until client or server is in that state"],
  ["expect END STATE", "that end is in that state now, or the script has failed"],
  ["END send TEXT", "client or server sends a text"],
  ["END close", "it closes its direction: its kernel sends FIN"],
  ["END reset", "it gives up the connection: its kernel sends RST"],
  ["END stop, END read", "it stops reading what comes, and begins again"],
];

/**
 * Reads a script.
 *
 * @param text its lines
 * @throws {ScriptError} that names the first line that is wrong
 */
export function parseScript(text: string): ScriptLine[] {
  const lines = text.split(/\r?\n/);
  const read = lines.flatMap((line, index) => {
    const words = line.replace(/#.*/, "").trim();
    if (words === "") return [];
    try {
      return [{ number: index + 1, text: words, command: parseCommand(words) }];
    } catch (error) {
      const { message } = error as Error;
      throw new ScriptError(`Line ${index + 1}: ${message}`);
    }
  });
  if (read.length <= MOST_LINES) return read;
  throw new ScriptError(
    `Line ${read[MOST_LINES]!.number}: a script has at most ${MOST_LINES} lines`,
  );
}

/** @param text a command, trimmed and not empty */
function parseCommand(text: string): WireCommand {
  const [verb = "", ...words] = text.split(/\s+/);
  const none = <T>(command: T): T => {
    if (words.length === 0) return command;
    throw new Error(`nothing may follow ${quote(verb)}, got ${quote(words.join(" "))}`);
  };
  switch (verb) {
    case "deliver":
    case "lose":
    case "double": {
      const packet = optionalKind(words.shift());
      return none({ verb, packet });
    }
    case "delay": {
      const ms = time(words.shift());
      const packet = optionalKind(words.shift());
      return none({ verb, ms, packet });
    }
    case "reorder":
    case "pause":
      return none({ verb });
    case "run":
    case "wait": {
      const ms = time(words.shift());
      return none({ verb, ms });
    }
    case "until": {
      const end = endOf(words.shift());
      const state = stateOf(words.shift());
      const limit = words.shift();
      return none({ verb, end, state, ms: limit === undefined ? PATIENCE_MS : time(limit) });
    }
    case "expect": {
      const end = endOf(words.shift());
      const state = stateOf(words.shift());
      return none({ verb, end, state });
    }
    case "client":
    case "server": {
      const action = oneOf(ACTIONS, words.shift(), `what the ${verb} does`);
      if (action !== "send") return none({ verb: "act", end: verb, action });
      const what = text.replace(/^\S+\s+\S+\s*/, "");
      if (what === "") throw new Error("expected a text to send");
      const { length } = new TextEncoder().encode(what);
      if (length > MOST_TEXT) {
        throw new Error(`a text has at most ${MOST_TEXT} bytes, got ${length}`);
      }
      return { verb: "act", end: verb, action, text: what };
    }
    default:
      throw new Error(
        `expected deliver, lose, double, delay, reorder, run, pause, wait, until, expect, client ` +
          `or server, got ${quote(verb)}`,
      );
  }
}

function time(word: string | undefined): number {
  let ms: number | undefined;
  try {
    ms = word === undefined ? undefined : parseDuration(word);
  } catch {
    // The sentence below says the same about every wrong time.
  }
  if (ms !== undefined && ms >= 0 && ms <= LONGEST_MS) return ms;
  throw new Error(`expected a time from 0 to 1m, as 200ms or 1.5s, got ${quote(word)}`);
}

function endOf(word: string | undefined): EndName {
  return oneOf(["client", "server"], word, "an end");
}

function stateOf(word: string | undefined): TcpState {
  return oneOf(TCP_STATES, word?.toUpperCase().replaceAll("-", "_"), "a state");
}

function optionalKind(word: string | undefined): PacketKind | undefined {
  return word === undefined ? undefined : oneOf(KINDS, word.toUpperCase(), "a kind of packet");
}

function oneOf<T extends string>(words: readonly T[], word: string | undefined, what: string): T {
  const found = words.find((each) => each === word);
  if (found !== undefined) return found;
  throw new Error(`expected ${what} (${words.join(", ")}), got ${quote(word)}`);
}

function quote(word: string | undefined): string {
  return word === undefined ? "nothing" : `"${escapeText(word).slice(0, 60)}"`;
}
