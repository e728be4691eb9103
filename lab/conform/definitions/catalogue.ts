/**
 * The definitions by name, and those of modules of one's own.
 *
 * @module
 */

import type { Conformance, Example, Turn } from "../../../protocols/conformance.ts";
import { OptionError } from "../../../engine/cli/options.ts";
import {
  importProtocol,
  locateProtocol,
  nameOf,
  pathOf,
} from "../../../engine/server/core/protocol_loader.ts";
import { CHAT_CONFORMANCE } from "./chat.ts";
import { ECHO_CONFORMANCE } from "./echo.ts";
import { FRAME_CONFORMANCE } from "./frame.ts";
import { HELLO_CONFORMANCE } from "./hello.ts";
import { PRINT_CONFORMANCE } from "./print.ts";

/** The definitions of this project's protocols. */
export const DEFINITIONS: Readonly<Record<string, Conformance>> = {
  hello: HELLO_CONFORMANCE,
  frame: FRAME_CONFORMANCE,
  echo: ECHO_CONFORMANCE,
  print: PRINT_CONFORMANCE,
  chat: CHAT_CONFORMANCE,
};

/** A definition with its name. */
export interface Definition {
  readonly name: string;
  readonly conformance: Conformance;
}

/**
 * Finds or imports a definition.
 *
 * @param given a name, or the path or URL of a module that exports `conformance`
 * @throws {OptionError} if there is none; the message is one line
 */
export async function loadDefinition(given: string): Promise<Definition> {
  const known = Object.hasOwn(DEFINITIONS, given) ? DEFINITIONS[given] : undefined;
  if (known !== undefined) return { name: given, conformance: known };
  if (!/[\\/]|\.[cm]?[jt]s$|^[a-z][a-z0-9+.-]+:/i.test(given)) {
    throw new OptionError(
      `Cannot use protocol: expected ${
        Object.keys(DEFINITIONS).join(", ")
      } or the path of a module, ` +
        `got "${given}"`,
    );
  }
  const location = locateProtocol(given);
  const { conformance } = await importProtocol(location);
  const why = whyNoConformance(conformance);
  if (why === undefined) return { name: nameOf(location), conformance: conformance as Conformance };
  throw new OptionError(`Cannot check the protocol ${pathOf(location)}: ${why}`);
}

/** What is wrong with what a module exports; `undefined` if nothing is. */
function whyNoConformance(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) {
    return 'expected "export const conformance" to hold its cases';
  }
  const { examples, mistakes = [], greeting = [], stays = [] } = value as Partial<Conformance>;
  if (!Array.isArray(examples) || examples.length === 0) {
    return 'expected "conformance.examples" to be a list with at least one example';
  }
  if (!Array.isArray(mistakes)) return 'expected "conformance.mistakes" to be a list';
  for (const example of [...examples, ...mistakes] as Partial<Example>[]) {
    const { section, name, turns } = example ?? {};
    if (typeof section !== "string" || typeof name !== "string") {
      return "expected each example to have a section and a name";
    }
    const why = whyNoTurns(turns);
    if (why !== undefined) return `${why} in the example "${name}"`;
  }
  const why = whyNoTurns(greeting) ?? whyNoTurns(stays);
  return why === undefined ? undefined : `${why} in the greeting or in "stays"`;
}

function whyNoTurns(turns: unknown): string | undefined {
  if (!Array.isArray(turns)) return "expected a list of turns";
  for (const turn of turns as Partial<Turn>[]) {
    if (typeof turn !== "object" || turn === null) return "expected each turn to be an object";
    if (turn.send !== undefined && !isWords(turn.send)) {
      return "expected what is sent to be text or bytes";
    }
    const { expect } = turn;
    if (expect !== undefined && !isWords(expect) && !(expect instanceof RegExp)) {
      return "expected what must come to be text, bytes or a regular expression";
    }
  }
  return undefined;
}

function isWords(value: unknown): boolean {
  return typeof value === "string" || value instanceof Uint8Array;
}
