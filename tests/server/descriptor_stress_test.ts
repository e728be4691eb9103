/**
 * Descriptors under stress: 1,600 connections in the modes whose threads share them.
 * `deno task prove descriptors` makes 100,000, in every mode.
 *
 * @module
 */

import { test } from "../kit/harness.ts";
import { stress, STRESSED, whyNoCount } from "../proofs/descriptors.ts";

const NAMES = [
  "threadpool by descriptors",
  "threadpool without a queue",
  "berkeley",
  "nonblocking",
];

for (const row of STRESSED.filter(({ name }) => NAMES.includes(name))) {
  test(
    `${row.name} gives back every descriptor and cuts no bystander, closed in time or early`,
    async () => {
      await stress(row, 400, 2);
    },
    { skip: whyNoCount, sanitize: false, timeoutMs: 120_000 },
  );
}
