/**
 * Writes a measurement for people at a terminal: the figures of one server, or a table of several
 * that says how many times slower than the best each of them is. The findings follow.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import stringWidth from "string-width";
import { percentileName } from "../load/percentiles.ts";
import type { Latency, RateStudy, Report, Run } from "../load/results.ts";
import { askedPercentiles, type Column, percentileIn, tableOf } from "./columns.ts";
import { repeatsTable } from "./repeats.ts";
import {
  type Contest,
  contestsOf,
  dueRate,
  type Entry,
  errorsOf,
  formatLoad,
  reachedShare,
} from "./contests.ts";
import { floorSentences } from "./floor_text.ts";
import { partSentences } from "./parts_text.ts";
import { formatProfile } from "./profile_text.ts";
import { formatStudiedLoad, stepsTable } from "./rate_study.ts";
import { clip, pad, render, type Screen, wrap } from "./screen.ts";
import {
  formatBytes,
  formatCount,
  formatInterval,
  formatRate,
  formatShare,
  formatTime,
  UNKNOWN,
} from "../../engine/values/units.ts";

/** The gap between two columns. */
const GAP = "  ";

/** How much of a name must stay for people to recognise it, in characters. */
const LEAST_NAME = 12;

/**
 * Writes a measurement.
 *
 * @param report the measurement
 * @param screen where it appears: its width and its colours
 * @returns lines, the last one with its line end
 */
export function formatTerminal(
  { runs, findings, profiles, floor, parts, rate_study, reference }: Report,
  screen: Screen,
): string {
  const blocks = rate_study
    ? [formatStudy(rate_study, runs, screen)]
    : contestsOf(runs, reference).map((contest) => {
      const title = wrap(escapeText(formatLoad(contest.load)), screen.columns(), 2)
        .map((line) => render(screen, "bold", line));
      const only = runs.length === 1 ? runs[0] : undefined;
      const body = only !== undefined
        ? formatRun(only, screen)
        : repeatsOf(contest) !== undefined
        ? formatRepeats(repeatsOf(contest) as Entry, screen)
        : formatTable(contest, screen);
      return [...title, ...body].join("\n");
    });
  if (findings.length > 0) blocks.push(formatFindings(findings, screen));
  const floored = [...floorSentences(floor), ...partSentences(parts)].flatMap((text) =>
    wrap(escapeText(text), screen.columns())
  );
  if (floored.length > 0) blocks.push(floored.join("\n"));
  blocks.push(...profiles.map((profile) => formatProfile(profile, screen)));
  return `${blocks.join("\n\n")}\n`;
}

/** Writes the steps of runs at different rates. On a narrow terminal the last columns are left out. */
function formatStudy(study: RateStudy, runs: readonly Run[], screen: Screen): string {
  const title = wrap(escapeText(formatStudiedLoad(runs)), screen.columns(), 2)
    .map((line) => render(screen, "bold", line));
  const names = [...new Set(runs.map(({ name }) => name))].map((name) =>
    `server  ${escapeText(name)}`
  );
  const table = stepsTable(study, runs);
  const isWide = (rows: readonly (readonly string[])[]) =>
    align(rows).some((line) => stringWidth(line) > screen.columns());
  // The result, in the last column, always stays.
  let shown: readonly (readonly string[])[] = table;
  while (isWide(shown) && (shown[0]?.length ?? 0) > 3) {
    shown = shown.map((row) => [...row.slice(0, -2), ...row.slice(-1)]);
  }
  const lines = align(shown);
  return [
    ...title,
    ...names,
    "",
    ...lines.map((line, index) => index === 0 ? render(screen, "faint", line) : line),
  ].join("\n");
}

/**
 * Writes sentences as the points of a list.
 *
 * @param sentences the sentences
 * @param screen where they appear
 * @returns lines, the last one without its line end
 */
export function formatFindings(sentences: readonly string[], screen: Screen): string {
  return sentences.flatMap((text) => wrap(`• ${escapeText(text)}`, screen.columns(), 2)).join("\n");
}

/** The only entry, if it has repeats. */
function repeatsOf({ entries: [only, ...others] }: Contest): Entry | undefined {
  return only !== undefined && others.length === 0 && only.runs.length > 1 ? only : undefined;
}

/** Writes each repeat of one server, their median and their spread. */
function formatRepeats({ name, runs }: Entry, screen: Screen): string[] {
  const table = repeatsTable(runs);
  const turned = (table[0] as readonly string[]).map((_, column) =>
    table.map((row) => row[column] as string)
  );
  const wide = align(table);
  const isNarrow = wide.some((line) => stringWidth(line) > screen.columns());
  return [
    ...wrap(`server  ${escapeText(name)}`, screen.columns()),
    ...(isNarrow ? align(turned) : wide)
      .map((line, index) => index === 0 ? render(screen, "faint", line) : line),
  ];
}

/** Writes the table that compares several servers, with as many columns as fit. */
function formatTable(contest: Contest, screen: Screen): string[] {
  const { entries, columns } = tableOf(contest);
  const cells = new Map(columns.map((column) => [
    column,
    [column.title, ...entries.map((entry) => escapeText(column.cell(entry)))],
  ]));
  const widths = new Map([...cells].map(([column, texts]) => [
    column,
    Math.max(...texts.map((text) => stringWidth(text))),
  ]));
  const shown = fit(columns, widths, screen.columns());
  const missing = columns.filter((column) => !shown.includes(column));
  const lines = [undefined, ...entries].map((entry, row) => {
    const line = shown.map((column, index) => {
      const width = widths.get(column) as number;
      const text = clip((cells.get(column) as readonly string[])[row] as string, width);
      return pad(text, width, index === 0 ? "left" : "right");
    }).join(GAP).trimEnd();
    if (entry === undefined) return render(screen, "faint", line);
    if (entries.length > 1 && row === 1) return render(screen, "green", line);
    return entry.runs.some((run) => errorsOf(run) > 0) ? render(screen, "red", line) : line;
  });
  if (missing.length > 0) {
    const note = `no room for: ${missing.map(({ title }) => title).join(", ")}`;
    lines.push(...wrap(note, screen.columns()).map((text) => render(screen, "faint", text)));
  }
  return lines;
}

/** Leaves out columns until the rest fits, then shortens the names. It changes `widths`. */
function fit(
  columns: readonly Column[],
  widths: Map<Column, number>,
  room: number,
): readonly Column[] {
  const total = (list: readonly Column[]) =>
    list.reduce((sum, column) => sum + (widths.get(column) as number) + GAP.length, -GAP.length);
  let shown = columns;
  for (;;) {
    const [names, ...others] = shown as [Column, ...Column[]];
    const least = Math.min(LEAST_NAME, widths.get(names) as number);
    const last = Math.max(...others.map(({ order }) => order));
    const excess = total(shown) - room;
    if (excess <= 0) return shown;
    // A shortened name is better than a table that compares nothing.
    if (last <= 1) {
      widths.set(names, Math.max(least, (widths.get(names) as number) - excess));
      if (last === 0 || total(shown) <= room) return shown;
    }
    shown = shown.filter(({ order }) => order !== last);
  }
}

/** Writes all the figures of one run. */
function formatRun(run: Run, screen: Screen): string[] {
  const rows: (readonly [title: string, text: string])[] = [
    ["server", run.name],
    ["rate", rateText(run)],
    ["answered", answeredText(run)],
    ["bytes", bytesText(run)],
    ["errors", errorsText(run)],
    ...serverRows(run),
  ];
  const width = Math.max(...rows.map(([title]) => title.length));
  const indent = width + GAP.length;
  const facts = rows.flatMap(([title, text]) => {
    const isBad = title === "errors" && errorsOf(run) > 0;
    return wrap(escapeText(text), screen.columns() - indent).map((line, index) => {
      const shown = pad(index === 0 ? title : "", indent, "left") + line;
      return isBad ? render(screen, "red", shown) : shown;
    });
  });
  return [...facts, "", ...formatTimes(run, screen)];
}

function rateText(run: Run): string {
  const { rate, load: { rate_parts, arrivals } } = run;
  const due = dueRate(run);
  if (due === null) return formatRate(rate);
  const share = formatShare(reachedShare([run]));
  const isMean = rate_parts !== null || arrivals === "poisson";
  return `${formatRate(rate)}, ${share} of the ${formatRate(due)} that were due${
    isMean ? " on average" : ""
  }`;
}

function answeredText({ requests, due, duration_s, interrupted, aborted }: Run): string {
  const all = due === null ? "" : ` of ${formatCount(due)} due`;
  const text = `${formatCount(requests)}${all} in ${formatTime(duration_s * 1e6)}`;
  if (aborted !== null) return `${text}, then ended by --abort-on ${aborted}`;
  return interrupted ? `${text}, then interrupted` : text;
}

function bytesText({ bytes_sent, bytes_received, duration_s }: Run): string {
  const perSecond = (bytes: number) => `${formatBytes(duration_s > 0 ? bytes / duration_s : 0)}/s`;
  return `${perSecond(bytes_sent)} sent, ${perSecond(bytes_received)} received`;
}

function errorsText(run: Run): string {
  const kinds = Object.entries(run.errors).filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${formatCount(count)}`);
  if (kinds.length === 0) return "none";
  const count = errorsOf(run);
  return `${formatCount(count)}, ${formatShare(count / (count + run.requests))}: ${
    kinds.join(", ")
  }`;
}

function serverRows({ server, duration_s }: Run): (readonly [string, string])[] {
  if (server === null) return [];
  const { cpu_s, requests_per_cpu_s, memory_bytes, peak_memory_bytes, threads } = server;
  const { voluntary_switches, involuntary_switches, ended } = server;
  const used = duration_s > 0 ? formatShare(cpu_s / duration_s) : UNKNOWN;
  const each = formatCount(requests_per_cpu_s);
  const now = ended ? "it has ended" : formatBytes(memory_bytes);
  return [
    ["cpu", `${formatTime(cpu_s * 1e6)}, ${used} of a core; ${each} answers for each second of it`],
    ["memory", `${now}, ${formatBytes(peak_memory_bytes)} at most`],
    ["threads", `${threads}`],
    [
      "switches",
      `${formatCount(voluntary_switches)} voluntary, ${
        formatCount(involuntary_switches)
      } involuntary`,
    ],
  ];
}

/** Writes the times, one a line; on a narrow terminal, one a column. */
function formatTimes(run: Run, screen: Screen): string[] {
  const isOpen = run.load.target_rate !== null;
  const asked = askedPercentiles([run]);
  const intervals = new Map(run.latency_us.percentiles.map((one) => [one.percentile, one]));
  const clocks: (readonly [title: string, latency: Latency])[] = [
    ...(isOpen ? [["service", run.service_us] as const] : []),
    ...(run.connect_us === null ? [] : [["connect", run.connect_us] as const]),
    ["load's lag", run.lag_us],
  ];
  const rowOf = (title: string, latency: Latency) => [
    title,
    ...asked.map((percentile) => formatTime(percentileIn(latency, percentile))),
    formatTime(latency.max),
    formatTime(latency.mean),
  ];
  const intervalOf = (percentile: number) => {
    const { us = null, low_us = null, high_us = null } = intervals.get(percentile) ?? {};
    return formatInterval(low_us, high_us, us);
  };
  const table = [
    ["", ...asked.map(percentileName), "max", "mean"],
    rowOf(isOpen ? "response" : "latency", run.latency_us),
    // Where nothing can be claimed, there is nothing to be sure of.
    ...(run.latency_us.percentiles.every(({ us }) => us === null)
      ? []
      : [["interval", ...asked.map(intervalOf), "", ""]]),
    ...clocks.map(([title, latency]) => rowOf(title, latency)),
  ];
  const wide = align(table);
  const turned = (table[0] as readonly string[]).map((_, column) =>
    table.map((row) => row[column] as string)
  );
  const lines = wide.every((line) => line.length <= screen.columns()) ? wide : align(turned);
  return lines.map((line, index) => index === 0 ? render(screen, "faint", line) : line);
}

function align(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] as readonly string[]).map((_, column) =>
    Math.max(...table.map((row) => (row[column] as string).length))
  );
  return table.map((row) =>
    row.map((cell, column) => pad(cell, widths[column] as number, column === 0 ? "left" : "right"))
      .join(GAP).trimEnd()
  );
}
