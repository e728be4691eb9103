/**
 * Protocols by name or by module: what `--protocol` and `serve({ protocol })` can say.
 *
 * A protocol of one's own is a module with `export default function* (context)` and, for CPU work
 * of its own, `export const tasks`. It travels to Workers as its URL, and each imports it there.
 *
 * @module
 */

import {
  findProtocol,
  type ProtocolDefinition,
  PROTOCOLS,
  type Tasks,
} from "../protocols/catalogue.ts";
import type { Context, Protocol } from "../protocols/effects.ts";
import { runtime } from "../net/runtime.ts";
import { OptionError } from "./option_error.ts";

/**
 * Where a protocol is found, in a form that means the same in every thread.
 *
 * @param given a name, a path or a URL
 * @returns a key of the catalogue, or an absolute URL
 * @throws {OptionError} if it is neither the name of a protocol nor looks like a path
 */
export function locateProtocol(given: string | URL): string {
  const text = String(given);
  if (Object.hasOwn(PROTOCOLS, text)) return text;
  if (/^[a-z][a-z0-9+.-]+:/i.test(text)) return text;
  if (/[\\/]|\.[cm]?[jt]s$/.test(text)) {
    // Only what a URL would take for something else; a path may hold any character.
    const escaped = text.replace(/[%?#]/g, encodeURIComponent);
    return new URL(escaped, runtime.currentDirectory).href;
  }
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
  let module: Record<string, unknown>;
  try {
    module = await import(location);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OptionError(`Cannot import the protocol ${location}: ${why}`, { cause });
  }
  const { default: serve, tasks } = module;
  if (!isGeneratorFunction(serve)) {
    throw new OptionError(
      `Cannot use the protocol ${location}: expected "export default function* (context)"`,
    );
  }
  if (tasks !== undefined && !isTasks(tasks)) {
    throw new OptionError(
      `Cannot use the protocol ${location}: expected "export const tasks" to hold functions`,
    );
  }
  return {
    name: nameOf(location),
    summary: `the protocol of ${location}`,
    readTimeoutMs: 0,
    sessionTimeoutMs: 0,
    ...(tasks !== undefined && { tasks }),
    serve: (context) => serve(context),
  };
}

function isGeneratorFunction(value: unknown): value is (context: Context) => Protocol {
  return Object.prototype.toString.call(value) === "[object GeneratorFunction]";
}

function isTasks(value: unknown): value is Tasks {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((task) => typeof task === "function");
}

/** The name of the module's file, without its ending. */
function nameOf(location: string): string {
  const file = location.split(/[?#]/)[0]?.split("/").at(-1) ?? "";
  return file.replace(/\.\w+$/, "") || "own";
}
