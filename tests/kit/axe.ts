/**
 * What axe-core finds in a page that is open in a browser.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { OpenPage } from "./browser.ts";

/** What is known of it in a page. */
interface Axe {
  run(): Promise<{
    violations: { id: string; nodes: { target: unknown; html: string }[] }[];
  }>;
}

let script: string | undefined;

/**
 * Looks for what keeps people from using a page.
 *
 * @param open the page
 * @returns what was found: the rule, and where
 */
export async function violationsIn({ page }: OpenPage): Promise<readonly string[]> {
  script ??= readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(script);
  return await page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
    return violations.map(({ id, nodes }) =>
      `${id}: ${nodes.map(({ target, html }) => `${target} ${html.slice(0, 200)}`).join("; ")}`
    );
  });
}
