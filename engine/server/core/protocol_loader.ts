/**
 * Finds protocols by name or by module: the values of `--protocol` and `serve({ protocol })`.
 *
 * A protocol of your own is a module with `export default function* (context)` and, for its own CPU
 * work, `export const tasks`. It is posted to Workers as a URL, and each Worker imports it. With
 * `export const opening` it can say who has to speak first: see `Opening`.
 *
 * @module
 */

import {
  findProtocol,
  type Opening,
  type ProtocolDefinition,
  PROTOCOLS,
  type Tasks,
} from "../../../protocols/catalogue.ts";
import { STEPS_AT_FIRST, traceSteps } from "../../../protocols/asked_here.ts";
import type { Context, Protocol } from "../../../protocols/effects.ts";
import { escapeText } from "../../../protocols/text.ts";
import { runtime } from "../../net/runtime.ts";
import { rememberModule } from "../../values/places.ts";
import { describeError } from "../../values/thrown.ts";
import { encodeLine } from "../../../protocols/text.ts";
import { OptionError } from "../../cli/options.ts";

/**
 * Turns the given protocol into a location that means the same in every thread.
 *
 * @param given a name, a path or a URL
 * @returns a key of the catalogue, or an absolute URL
 * @throws {OptionError} if it is neither the name of a protocol nor looks like a path
 */
export function locateProtocol(given: string | URL): string {
  const text = String(given);
  if (Object.hasOwn(PROTOCOLS, text)) return text;
  if (/^[a-z][a-z0-9+.-]+:/i.test(text)) return text;
  if (/[\\/]|\.[cm]?[jt]s$/.test(text)) return runtime.fileUrl(text).href;
  const names = Object.keys(PROTOCOLS).join(", ");
  throw new OptionError(
    `Cannot use protocol: expected ${names} or the path of a module, got "${text}"`,
  );
}

/**
 * Finds or imports a protocol.
 *
 * @param location what {@linkcode locateProtocol} returned
 * @throws {OptionError} if the module cannot be imported or holds no protocol
 */
export async function loadProtocol(location: string): Promise<ProtocolDefinition> {
  if (Object.hasOwn(PROTOCOLS, location)) return findProtocol(location);
  const path = pathOf(location);
  const { default: serve, tasks, refusal, opening } = await importProtocol(location);
  if (!isGeneratorFunction(serve)) {
    const found = serve === undefined ? "none" : tagOf(serve);
    throw new OptionError(
      `Cannot use the protocol ${path}: expected "export default function* (context)", got ${found}`,
    );
  }
  if (tasks !== undefined && !isTasks(tasks)) {
    throw new OptionError(
      `Cannot use the protocol ${path}: expected "export const tasks" to hold functions`,
    );
  }
  if (refusal !== undefined && typeof refusal !== "function") {
    throw new OptionError(
      `Cannot use the protocol ${path}: expected "export function refusal(why)", got ${
        tagOf(refusal)
      }`,
    );
  }
  if (opening !== undefined && !isOpening(opening)) {
    throw new OptionError(
      `Cannot use the protocol ${path}: expected "export const opening" to be one of ${
        OPENINGS.join(", ")
      }`,
    );
  }
  return {
    name: nameOf(location),
    summary: `the protocol of ${path}`,
    readTimeoutMs: 0,
    sessionTimeoutMs: 0,
    ...(tasks !== undefined && { tasks }),
    ...(refusal !== undefined && { refusal: (why: string) => encodeLine(String(refusal(why))) }),
    ...(opening !== undefined && { opening }),
    serve: (context) => serve(context),
  };
}

/**
 * The name by which a protocol's module imports what it is written with, wherever the module lies.
 */
const LIBRARY = "handshake/protocol";

let provided: Promise<void> | undefined;

async function provideLibrary(): Promise<void> {
  runtime.provideModule(LIBRARY, await import("../../../protocol.ts"));
}

/**
 * Imports the module of a protocol that is not built in.
 *
 * @param location the URL of the module
 * @returns what the module exports
 * @throws {OptionError} if the module cannot be imported; the message is one line
 */
export async function importProtocol(location: string): Promise<Record<string, unknown>> {
  try {
    await (provided ??= provideLibrary());
    const module = await import(location);
    rememberModule(location, fileOf(location));
    traceSteps(STEPS_AT_FIRST);
    return module;
  } catch (cause) {
    throw new OptionError(describeFailure(location, cause), { cause });
  }
}

function isGeneratorFunction(value: unknown): value is (context: Context) => Protocol {
  return tagOf(value) === "GeneratorFunction";
}

/** Who can open a conversation. */
const OPENINGS: readonly Opening[] = ["client", "greeting", "server"];

function isOpening(value: unknown): value is Opening {
  return (OPENINGS as readonly unknown[]).includes(value);
}

/** Tasks must not be asynchronous functions: those cannot be computed in place. */
function isTasks(value: unknown): value is Tasks {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((task) => /^(Generator)?Function$/.test(tagOf(task)));
}

/** The kind of a value, for instance `AsyncGeneratorFunction`. */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Says on one line why a module cannot be imported. The line names the module once. */
function describeFailure(location: string, error: unknown): string {
  // Bun has one error for each mistake in a module's text, and keeps their places separately.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { position } = (first ?? {}) as { position?: { line: number; column: number } | null };
  const place = position ? ` at line ${position.line}, column ${position.column}` : "";
  const path = pathOf(location);
  const why = onOneLine(describeError(first)) + place;
  const isNamed = why.includes(path) || why.includes(location);
  return `Cannot import the protocol${isNamed ? "" : ` ${path}`}: ${why}`;
}

/** Shortens a runtime's explanation, which has colours and quotes the text around the mistake. */
function onOneLine(message: string): string {
  // deno-lint-ignore no-control-regex -- colours begin with the control character ESC
  const lines = message.replace(/\u001b\[[0-9;]*m/g, "").split("\n").map((line) => line.trim());
  const said = lines.filter((line) => line !== "" && !/^\d* ?\|/.test(line));
  // Every protocol is imported from this module or from the executable, so that is no news.
  const from = / imported from \S*(protocol_loader\.ts|[/\\](\$bunfs|~BUN)[/\\]\S*)$/;
  return escapeText(said.join(" ").replace(from, ""));
}

/** A location as users write it: a file's path, without the escapes of a URL. */
export function pathOf(location: string): string {
  return escapeText(location.startsWith("file:") ? decode(location.slice(7)) : location);
}

/** The name of the module's file, without its extension. */
export function nameOf(location: string): string {
  return escapeText(fileOf(location).replace(/\.\w+$/, "")) || "own";
}

function fileOf(location: string): string {
  const { protocol, pathname } = new URL(location);
  return protocol === "data:" ? "" : decode(pathname.split("/").at(-1) as string);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A URL may contain escapes that do not decode to text.
    return text;
  }
}
