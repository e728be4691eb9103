/**
 * What the runtimes tell of a Worker that has died, as a line of a log.
 *
 * Deno writes the error behind `Uncaught (in promise)`. Bun writes what it would show on a terminal:
 * an excerpt of the source with a mark under the place, the error below it, and the trace. In an
 * executable the source is that of all modules in one, which says nothing to anybody.
 *
 * @module
 */

/** Two lines of an excerpt: the last one of the source, with its number, and the mark under it. */
const MARK = /^ *\d+ \| .*\n[ \t]*\^[ \t]*\n/m;

/** What the runtimes write before the message of an error that is of no class of its own. */
const PREFIX = /^(?:Uncaught )?(?:\(in promise\) )?(?:[Ee]rror: )?/;

/**
 * The message of the error of which a Worker has died.
 *
 * @param told what its runtime tells: the message of its `error` event
 * @returns its first line, without source, trace and the words of the runtime; the names of classes
 * stay, as in `TypeError: undefined is not an object`
 */
export function messageOfDeath(told: string): string {
  const excerpt = /^ *\d+ \| /.test(told) ? MARK.exec(told) : null;
  const error = excerpt === null ? told : told.slice(excerpt.index + excerpt[0].length);
  const [first = ""] = error.replace(PREFIX, "").split("\n", 1);
  return first;
}
