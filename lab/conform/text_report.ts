/**
 * What was found, for people: a line for each case, and more where one has failed.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import { render, type Rendition, type Screen } from "../report/screen.ts";
import { type Report, type Result, type Verdict, VERDICTS } from "./results.ts";

/** How the verdicts look. */
const LOOKS: Readonly<Record<Verdict, Rendition>> = {
  passed: "green",
  failed: "red",
  "not strict": "yellow",
  skipped: "faint",
};

/** The width of the longest verdict. */
const WIDTH = Math.max(...VERDICTS.map(({ length }) => length)) + 2;

/**
 * Formats a result: one line, and what was said where that matters.
 *
 * @param result the result
 * @param screen where it is shown
 */
export function formatResult(result: Result, screen: Screen): string {
  const { verdict, name, remark } = result;
  const label = render(screen, LOOKS[verdict], verdict.padEnd(WIDTH));
  const about = remark === undefined ? "" : ` (${escapeText(remark)})`;
  const lines = [`${label}${escapeText(name)}${about}`];
  if (verdict === "failed" || verdict === "not strict") {
    for (const part of ["sent", "expected", "received"] as const) {
      const said = result[part];
      if (said !== undefined) {
        lines.push(`${" ".repeat(WIDTH)}${part.padEnd(9)} ${escapeText(said)}`);
      }
    }
  }
  return `${lines.join("\n")}\n`;
}

/**
 * Formats the last line: how many cases have each verdict.
 *
 * @param report everything that was found
 */
export function formatSummary({ results, counts, seconds }: Report): string {
  const parts = VERDICTS.filter((verdict) => counts[verdict] > 0)
    .map((verdict) => `${counts[verdict]} ${verdict}`);
  const cases = results.length === 1 ? "1 case" : `${results.length} cases`;
  return `\n${[cases, ...parts, `${seconds.toFixed(1)} s`].join(" · ")}\n`;
}
