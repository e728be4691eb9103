/**
 * How a module in `tests/proofs/` becomes a proof that `deno task prove` runs.
 *
 * The first sentence of the module's comment is what it proves. The module exports functions that
 * take the size of the proof. A test imports them and runs a small form of it.
 *
 * @module
 */

import process from "node:process";
import { isMainModule } from "../../engine/net/runtime.ts";

/** What keeps a proof from running here. */
export interface ProofOptions {
  /** Why it cannot run here, or not on this runtime; it runs when this is `undefined`. */
  readonly skip?: string | undefined;
}

/**
 * Runs a proof if its module is the program, and not if a test has imported it. What the proof
 * throws is why it does not hold.
 *
 * @param meta the module's `import.meta`
 * @param body proves it, and returns the figure that says how much was tried: one line
 * @param options what keeps it from running
 */
export async function prove(
  meta: ImportMeta,
  body: () => string | Promise<string>,
  { skip }: ProofOptions = {},
): Promise<void> {
  if (!isMainModule(meta)) return;
  // The processes that a proof has started end when it exits.
  process.on("SIGTERM", () => process.exit(1));
  let verdict: string;
  try {
    verdict = skip === undefined ? `holds: ${await body()}` : `skipped: ${skip}`;
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
  await new Promise<void>((resolve) => process.stdout.write(`${verdict}\n`, () => resolve()));
  process.exit(0);
}
