/**
 * Writes a measurement as Markdown, to be pasted into an issue.
 *
 * @module
 */

import type { Machine, Profile, RateStudy, Report, Run } from "../load/results.ts";
import { tableOf } from "./columns.ts";
import { type Contest, contestsOf, formatLoad } from "./contests.ts";
import { floorSentences } from "./floor_text.ts";
import { partSentences } from "./parts_text.ts";
import { profileTitle, topOf } from "./profile_text.ts";
import { formatStudiedLoad, stepsTable } from "./rate_study.ts";
import { formatBytes } from "../../engine/values/units.ts";

/**
 * Writes a measurement.
 *
 * @param report the measurement
 * @returns a table for each load, the findings, the machine and the command, in GitHub's Markdown
 */
export function formatMarkdown(
  { machine, command, runs, findings, profiles, floor, parts, rate_study, reference }: Report,
): string {
  return [
    ...(rate_study
      ? [formatStudy(rate_study, runs)]
      : contestsOf(runs, reference).map(formatContest)),
    ...(findings.length === 0 ? [] : [findings.map((text) => `- ${escape(text)}`).join("\n")]),
    ...profiles.map(profileTable),
    ...[...floorSentences(floor, runs), ...partSentences(parts)].map(escape),
    escape(formatMachine(machine)),
    fence(command),
  ].join("\n\n") + "\n";
}

/**
 * Writes a machine on one line.
 *
 * @param machine the machine
 */
export function formatMachine({ os, cpu, cores, memory_bytes, runtime }: Machine): string {
  return [
    os,
    cpu,
    `${cores} ${cores === 1 ? "core" : "cores"}`,
    formatBytes(memory_bytes),
    `load from ${runtime}`,
  ].join(" · ");
}

function formatContest(contest: Contest): string {
  const { entries, columns } = tableOf(contest);
  return formatTable(formatLoad(contest.load), [
    columns.map(({ title }) => title),
    ...entries.map((entry) => columns.map(({ cell }) => cell(entry))),
  ]);
}

function formatStudy(study: RateStudy, runs: readonly Run[]): string {
  return formatTable(formatStudiedLoad(runs), stepsTable(study, runs));
}

function formatTable(title: string, [head = [], ...rows]: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.map(escape).join(" | ")} |`;
  return [
    `**${escape(title)}**`,
    "",
    row(head),
    `| ${head.map((_, index) => index === 0 ? "---" : "---:").join(" | ")} |`,
    ...rows.map(row),
  ].join("\n");
}

function profileTable(profile: Profile): string {
  return [
    `**${escape(profileTitle(profile))}**`,
    "",
    "| share | function | where |",
    "| ---: | --- | --- |",
    ...topOf(profile).map((cells) => `| ${cells.map(escape).join(" | ")} |`),
  ].join("\n");
}

/** Escapes text, so that it is only text, on one line. Names come from whoever measures. */
function escape(text: string): string {
  return text.replaceAll(/\s+/g, " ")
    .replaceAll(/[\\`*[\]|~]|(?<!\w)_|_(?!\w)/g, "\\$&")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    // It must mention neither a person nor another issue.
    .replaceAll(/[@#](?=\w)/g, (character) => `&#${character.codePointAt(0)};`);
}

/** Quotes text as it is, whatever it contains: the fence is longer than any fence in it. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const line = "`".repeat(longest + 1);
  return `${line}sh\n${text}\n${line}`;
}
