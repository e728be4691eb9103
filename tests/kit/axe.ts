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
    violations: { id: string; impact: string; nodes: { target: unknown; html: string }[] }[];
  }>;
}

let script: string | undefined;

/**
 * Looks for what keeps people from using a page.
 *
 * @param open the page
 * @param impacts which of it counts; by default all
 * @returns what was found: the rule, and where
 */
export async function violationsIn(
  { page }: Pick<OpenPage, "page">,
  impacts: readonly string[] = ["minor", "moderate", "serious", "critical"],
): Promise<readonly string[]> {
  script ??= readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(script);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: Axe }).axe.run()
  );
  return violations.filter(({ impact }) => impacts.includes(impact)).map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ target, html }) => `${target} ${html.slice(0, 200)}`).join("; ")}`
  );
}
