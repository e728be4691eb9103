/**
 * Ten thousand odd inputs for the parsers. `deno task prove parsers` tries a million.
 *
 * @module
 */

import { test } from "../kit/harness.ts";
import { fuzz, PARSERS } from "../proofs/parsers.ts";

for (const parser of PARSERS) {
  test(`odd inputs: ${parser.name}`, () => void fuzz(parser, 10_000));
}
