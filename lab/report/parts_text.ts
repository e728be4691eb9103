/**
 * Says what a sum of measurements was made from.
 *
 * @module
 */

import type { Part } from "../load/results.ts";

/**
 * Says what was added up.
 *
 * @param parts the measurements; there are none if nothing was added up
 * @returns a sentence for each
 */
export function partSentences(parts: readonly Part[]): string[] {
  return parts.map(({ file, machine, started_at }) =>
    `Added up: ${file}, from ${machine.cores} × ${machine.cpu} (${machine.os}), begun at ${started_at}.`
  );
}
