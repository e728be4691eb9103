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

/** What Deno writes before what was thrown. */
const UNCAUGHT = /^Uncaught (?:\(in promise\) )?/;

/** What the runtimes write before the message of an error that is of no class of its own. */
const PREFIX = /^[Ee]rror(?:: ?|$)/;

/** The name of a class, of an error that has no message. */
const CLASS = /^(\w+Error): ?$/;

/** An object over several lines, as both runtimes show one that was thrown and is no error. */
const OBJECT = /^(?![Ee]rror: )[^\n]*[{[(]\n[^]*\n[}\])]$/;

/** A line of a trace. */
const FRAME = /^ +at /;

/**
 * The message of the error of which a Worker has died.
 *
 * @param told what its runtime tells: the message of its `error` event
 * @returns its first line, without source, trace and the words of the runtime; the names of classes
 * stay, as in `TypeError: undefined is not an object`. An object is shown in one line, and of an error
 * that says nothing it is said that it does
 */
export function messageOfDeath(told: string): string {
  const excerpt = /^ *\d+ \| /.test(told) ? MARK.exec(told) : null;
  const error = excerpt === null ? told : told.slice(excerpt.index + excerpt[0].length);
  const thrown = error.replace(UNCAUGHT, "");
  if (OBJECT.test(thrown)) return thrown.replaceAll(/,?\n *(?=[}\])])|\n */g, " ");
  const lines = thrown.replace(PREFIX, "").split("\n");
  const first = lines.find((line) => line.trim() !== "") ?? "";
  return first === "" || FRAME.test(first)
    ? "an error without a message"
    : first.replace(CLASS, "$1");
}
