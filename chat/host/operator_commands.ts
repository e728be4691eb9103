/**
 * The commands of the chat's operator.
 *
 * @module
 */

import { parseDuration } from "../../engine/values/durations.ts";
import { addressee, splitWord } from "../talk/commands.ts";
import { hasTower, looksEmpty, MARK_LIMIT } from "../talk/looks.ts";
import { isName } from "../talk/names.ts";
import type { ChatServer } from "./chat_server.ts";
import { formatChatCounters } from "./counts.ts";
import type { Print } from "./operator.ts";

/** A command of the operator. */
interface OperatorCommand {
  /** How it is typed. */
  readonly usage: string;
  /** What it does, in a few words. */
  readonly help: string;
  /** Runs the command; returns false if its arguments are wrong. */
  perform(server: ChatServer, rest: string, print: Print): boolean;
}

const COMMANDS: Readonly<Record<string, OperatorCommand>> = {
  who: {
    usage: "/who",
    help: "list the users, of all servers",
    perform(server, _rest, print) {
      const { hall } = server;
      for (const user of hall.users) {
        print(`${user.name} in ${user.room.name}, ${server.peerOf(user)}`);
      }
      for (const { name, room } of hall.remoteUsers) {
        print(`${name} in ${room.name}, another server`);
      }
      print(`users: ${hall.size} here, ${hall.remoteUsers.length} on other servers`);
      return true;
    },
  },
  rooms: {
    usage: "/rooms",
    help: "list the rooms",
    perform({ hall }, _rest, print) {
      const { rooms } = hall;
      for (const { name, population } of rooms) print(`${name} (${population})`);
      print(`rooms: ${rooms.length}`);
      return true;
    },
  },
  kick: {
    usage: "/kick NAME REASON",
    help: "ask a user to go",
    perform({ hall }, rest, print) {
      const [word, reason] = splitWord(rest);
      const name = addressee(word);
      if (!isName(name)) return false;
      if (!hall.kick(name, reason === "" ? "no reason given" : reason)) {
        print(`no such user: ${name}`);
      }
      return true;
    },
  },
  stats: {
    usage: "/stats",
    help: "show the counters",
    perform(server, _rest, print) {
      const { hall, counters, bus } = server;
      print(`users ${hall.size} · rooms ${hall.rooms.length}`);
      if (!bus.isAlone) print([`link ${bus.isLinked ? "up" : "lost"}`, ...bus.details].join(" · "));
      print(formatChatCounters(counters));
      return true;
    },
  },
  shutdown: {
    usage: "/shutdown [SECONDS]",
    help: "tell everybody and end",
    perform(server, rest) {
      const drain = rest === "" ? undefined : readSeconds(rest);
      if (Number.isNaN(drain)) return false;
      // The promise `closed` reports what goes wrong.
      server.close(drain === undefined ? {} : { drain }).catch(() => {});
      return true;
    },
  },
  help: {
    usage: "/help",
    help: "show this; anything else is said to all rooms",
    perform(_server, _rest, print) {
      for (const { usage, help } of Object.values(COMMANDS)) print(`${usage}: ${help}`);
      return true;
    },
  },
};

/**
 * Does what the operator has typed. A line that begins with `/` is a command. Any other line is
 * said to all rooms.
 *
 * @param server the operator's server
 * @param line a line that is safe to show in a terminal
 * @param print prints the answers
 */
export async function obeyOperator(
  server: ChatServer,
  line: string,
  print: Print,
): Promise<void> {
  if (looksEmpty(line)) return print("not said: there is nothing to be seen in that line");
  if (hasTower(line)) return print(`not said: a character may carry ${MARK_LIMIT} marks`);
  if (!line.startsWith("/")) return await server.announce(line);
  const [word, rest] = splitWord(line.slice(1));
  const name = word.toLowerCase();
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) print(`unknown command /${word}: try /help`);
  else if (!command.perform(server, rest, print)) print(`usage: ${command.usage}`);
}

/** Reads a number of seconds, or a duration with a unit, as milliseconds. */
function readSeconds(text: string): number {
  try {
    return parseDuration(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
  } catch {
    return NaN;
  }
}
