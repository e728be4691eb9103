/**
 * Where in somebody's own module an error was thrown.
 *
 * A stack trace has a dozen lines, nearly all of them of drivers and runtimes. Whoever has written a
 * module looks for one: the innermost of that module.
 *
 * @module
 */

import { describeError } from "./thrown.ts";

/** How a module is named in the traces of this thread, and how people name it. */
const own = new Map<string, string>();

/** The places of errors that come from another thread, which have no trace of it. */
const elsewhere = new WeakMap<Error, string>();

/** How much of a trace is looked at, in characters: it is text that anybody may have written. */
const LONGEST = 16 * 1024;

/**
 * Looks for a module in traces from now on.
 *
 * @param location its URL; in a `data:` URL nobody could look anything up
 * @param file the name of its file
 */
export function rememberModule(location: string, file: string): void {
  if (location.startsWith("data:")) return;
  own.set(plain(location), file);
}

/**
 * Traces with all modules as plain paths. Bun writes paths, and Deno URLs, of which it resolves some
 * escapes and not others.
 */
function plain(text: string): string {
  const resolve = (text: string) =>
    text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
      try {
        return decodeURIComponent(escapes);
      } catch {
        // They do not decode to text, so they stay.
        return escapes;
      }
    });
  // A name that looks escaped is so once more in a URL.
  return resolve(resolve(text.replaceAll("file://", "")));
}

/**
 * Finds where an error was thrown.
 *
 * @param error anything that was thrown
 * @returns the innermost place in a module that is remembered, as `own.ts:14:9`: file, line and
 * column; `undefined` if there is none
 */
export function placeOf(error: unknown): string | undefined {
  if (own.size === 0 || !(error instanceof Error)) return undefined;
  try {
    return elsewhere.get(error) ?? find(traceOf(error));
  } catch {
    // Its fields may be getters, and these may throw.
    return undefined;
  }
}

/** The trace without the message, which may quote anybody. */
function traceOf({ message, stack }: Error): string {
  if (typeof stack !== "string") return "";
  const at = message === "" ? 0 : Math.max(0, stack.indexOf(message) + message.length);
  return plain(stack.slice(at, at + LONGEST));
}

function find(trace: string): string | undefined {
  let innermost: { readonly at: number; readonly place: string } | undefined;
  for (const [name, file] of own) {
    for (let at = trace.indexOf(name); at >= 0; at = trace.indexOf(name, at + 1)) {
      const [, position] =
        /^(:\d+:\d+)/.exec(trace.slice(at + name.length, at + name.length + 24)) ??
          [];
      // `/own.ts` also ends `/another/own.ts`.
      if (position === undefined || !/[\s(@]/.test(trace[at - 1] ?? "")) continue;
      if (innermost === undefined || at < innermost.at) innermost = { at, place: file + position };
      break;
    }
  }
  return innermost?.place;
}

/**
 * Gives an error the place that another thread has found.
 *
 * @param error the error, made anew in this thread
 * @param place what {@linkcode placeOf} returned there
 * @returns the same error
 */
export function thrownAt(error: Error, place: string | undefined): Error {
  if (place !== undefined) elsewhere.set(error, place);
  return error;
}

/**
 * Describes what was thrown, and says where.
 *
 * @param error anything that was thrown
 * @returns its message, followed by its place if that is known: `Cannot do it (own.ts:14:9)`
 */
export function describeWithPlace(error: unknown): string {
  const place = placeOf(error);
  return place === undefined ? describeError(error) : `${describeError(error)} (${place})`;
}
