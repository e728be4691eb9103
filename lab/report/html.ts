/**
 * Writes a measurement as a page to look at: one file that needs no network.
 *
 * @module
 */

import { percentileName } from "../load/percentiles.ts";
import type { Latency, Machine, Report, Run } from "../load/results.ts";
import { askedOf, askedPercentiles, percentileIn } from "./columns.ts";
import { errorsOf, formatLoad, reachedShare } from "./contests.ts";
import { floorSentences } from "./floor_text.ts";
import { partSentences } from "./parts_text.ts";
import { formatMachine } from "./markdown.ts";
import { pageDataOf } from "./page_data.ts";
import { LIBRARY, SCRIPT, STYLE } from "./page_parts.ts";
import {
  formatBytes,
  formatCores,
  formatCount,
  formatRate,
  formatShare,
  formatTime,
} from "../../engine/values/units.ts";

/** A column of the raw table. */
interface RawColumn {
  readonly title: string;
  /** The text of a cell, and the key by which the column sorts. */
  readonly cell: (run: Run) => readonly [text: string, key: number | string];
  /** What is shown when the mouse is held over a cell. */
  readonly hint?: (run: Run) => string;
}

/** The page may load nothing from anywhere, whatever the names in it contain. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/**
 * Writes a measurement.
 *
 * @param report the measurement
 * @returns the text of a page
 * @throws {Error} if a histogram is damaged
 */
export function formatHtml(report: Report): string {
  const { machine, command, runs, findings } = report;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(titleOf(runs))} · bench</title>
<link rel="icon" href="data:,">
<style>
${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(titleOf(runs))}</h1>
<p class="machine">${escapeHtml(formatMachine(machine))}${whenOf(runs)}</p>
<pre class="command"><code>${escapeHtml(command)}</code></pre>
</header>
<main>
${tilesOf(runs)}
${findingsOf(findings)}
${floorOf(report)}
<section id="pictures" hidden>
<div id="study"></div>
<div class="toolbar">
<div id="contests" class="choice" role="group" aria-label="Load"></div>
<div id="legend" role="group" aria-label="Shown in the charts"></div>
</div>
<div id="charts"></div>
</section>
<section id="flames"></section>
<noscript><p>The charts need JavaScript; the table below does not.</p></noscript>
<section class="card">
<h2>Every run</h2>
<div class="scroll">
${rawTable(runs)}
</div>
</section>
</main>
<footer>${escapeHtml(footerOf(machine))}</footer>
<script type="application/json" id="data">${escapeJson(pageDataOf(report))}</script>
<script>
${LIBRARY}
</script>
<script>
${SCRIPT}</script>
</body>
</html>
`;
}

/** Escapes text, so that it is only text in an element or an attribute. */
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

/** Writes JSON that can neither end the element around it nor begin a comment. */
function escapeJson(data: unknown): string {
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

/** What was measured, in a few words. */
function titleOf(runs: readonly Run[]): string {
  const names = [...new Set(runs.map(({ name }) => name))];
  const protocols = [...new Set(runs.map(({ load }) => load.protocol))].join(", ");
  if (names.length === 0) return "Nothing was measured";
  return `${names.length === 1 ? names[0] : `${names.length} servers`} under load: ${protocols}`;
}

function whenOf(runs: readonly Run[]): string {
  const [first] = runs;
  if (first === undefined) return "";
  const shown = first.started_at.replace("T", " ").replace(/\.\d+Z$/, " UTC");
  return ` · <time datetime="${escapeHtml(first.started_at)}">${escapeHtml(shown)}</time>`;
}

function footerOf({ runtime }: Machine): string {
  return `Made by lab/bench.ts on ${runtime}. Drawn with Chart.js, which is part of this file.`;
}

function findingsOf(findings: readonly string[]): string {
  if (findings.length === 0) return "";
  const items = findings.map((text) => `<li>${escapeHtml(text)}</li>`).join("\n");
  return `<section class="card findings">\n<h2>What the numbers say</h2>\n<ul>\n${items}\n</ul>\n</section>`;
}

/** What the machine could do at best. */
function floorOf({ floor, parts, runs }: Report): string {
  const sentences = [...floorSentences(floor, runs), ...partSentences(parts)];
  if (sentences.length === 0) return "";
  const items = sentences.map((text) => `<li>${escapeHtml(text)}</li>`).join("\n");
  return `<section class="card findings floor">\n<h2>${
    floor === null ? "What was added up" : "What this machine can do at best"
  }</h2>\n<ul>\n${items}\n</ul>\n</section>`;
}

/** The figures of a single run that matter most. */
function tilesOf(runs: readonly Run[]): string {
  const [run, ...others] = runs;
  if (run === undefined || others.length > 0) return "";
  const { rate, latency_us, server, load, duration_s } = run;
  const tiles: (readonly [title: string, text: string, isBad?: boolean])[] = [
    ["rate", formatRate(rate)],
    ...(load.target_rate === null
      ? []
      : [["of the target", formatShare(reachedShare(runs))] as const]),
    ...askedOf([{ name: run.name, runs }]).map(([name, of]) =>
      [name, formatTime(of(latency_us))] as const
    ),
    ["errors", formatCount(errorsOf(run)), errorsOf(run) > 0],
    ...(server === null ? [] : [
      [
        "CPU of the server",
        formatCores(duration_s > 0 ? server.cpu_s / duration_s : null),
      ] as const,
      ["memory at most", formatBytes(server.peak_memory_bytes)] as const,
    ]),
  ];
  const items = tiles.map(([title, text, isBad = false]) =>
    `<div class="card${isBad ? " bad" : ""}"><dt>${escapeHtml(title)}</dt><dd>${
      escapeHtml(text)
    }</dd></div>`
  );
  return `<dl class="tiles">\n${items.join("\n")}\n</dl>`;
}

/** What is not known comes first in a sorted column. */
const keyOf = (value: number | null) => value ?? -1;
const timeCell = (us: number | null) => [formatTime(us), keyOf(us)] as const;
const countCell = (count: number | null) => [formatCount(count), keyOf(count)] as const;

const columnsOf = (runs: readonly Run[]): readonly RawColumn[] => [
  { title: "server", cell: ({ name }) => [name, name], hint: ({ name }) => name },
  { title: "load", cell: ({ load }) => [formatLoad(load), formatLoad(load)] },
  { title: "run", cell: ({ repeat }) => countCell(repeat) },
  { title: "rate", cell: ({ rate }) => [formatRate(rate), rate] },
  ...askedPercentiles(runs).map((percentile): RawColumn => ({
    title: percentileName(percentile),
    cell: ({ latency_us }) => timeCell(percentileIn(latency_us, percentile)),
    hint: ({ latency_us }) => intervalOf(latency_us, percentile),
  })),
  { title: "max", cell: ({ latency_us }) => timeCell(latency_us.max) },
  { title: "mean", cell: ({ latency_us }) => timeCell(latency_us.mean) },
  { title: "service p50", cell: ({ service_us }) => timeCell(service_us.p50) },
  { title: "service p99", cell: ({ service_us }) => timeCell(service_us.p99) },
  {
    title: "connect p99",
    cell: ({ connect_us }) => connect_us === null ? ["", 0] : timeCell(connect_us.p99),
  },
  { title: "load's lag p99", cell: ({ lag_us }) => timeCell(lag_us.p99) },
  { title: "errors", cell: (run) => [errorKinds(run), errorsOf(run)] },
  {
    title: "limit",
    cell: ({ load_limited, interrupted, aborted }) =>
      aborted !== null
        ? [`ended by ${aborted}`, 3]
        : interrupted
        ? ["interrupted", 2]
        : load_limited
        ? ["load", 1]
        : ["", 0],
  },
  serverColumn("CPU", ({ cpu_s }) => timeCell(cpu_s * 1e6)),
  serverColumn("per CPU s", ({ requests_per_cpu_s }) => countCell(requests_per_cpu_s)),
  serverColumn("memory", ({ peak_memory_bytes: bytes }) => [formatBytes(bytes), bytes]),
  serverColumn("threads", ({ threads }) => countCell(threads)),
  serverColumn(
    "switches",
    (server) => countCell(server.voluntary_switches + server.involuntary_switches),
  ),
];

function serverColumn(
  title: string,
  of: (server: NonNullable<Run["server"]>) => readonly [string, number],
): RawColumn {
  return { title, cell: ({ server }) => server === null ? ["", 0] : of(server) };
}

/** The interval that holds a percentile in 95 of 100 cases. */
function intervalOf({ percentiles }: Latency, percentile: number): string {
  const found = percentiles.find((one) => one.percentile === percentile);
  if (found === undefined || found.us === null) return "too few requests";
  return `${formatTime(found.low_us)} to ${formatTime(found.high_us)} in 95 of 100 cases`;
}

function errorKinds(run: Run): string {
  const kinds = Object.entries(run.errors).filter(([, count]) => count > 0);
  return kinds.map(([kind, count]) => `${kind} ${formatCount(count)}`).join(", ") || "0";
}

function rawTable(runs: readonly Run[]): string {
  const columns = columnsOf(runs);
  const head = columns.map(({ title }) =>
    `<th scope="col"><button type="button">${escapeHtml(title)}</button></th>`
  ).join("");
  const rows = runs.map((run) => {
    const cells = columns.map(({ title, cell, hint }) => {
      const [text, key] = cell(run);
      const said = hint?.(run) ?? "";
      const mark = (title === "errors" && key !== 0 ? ' class="bad"' : "") +
        (said === "" ? "" : ` title="${escapeHtml(said)}"`);
      return `<td${mark} data-key="${escapeHtml(String(key))}">${escapeHtml(text)}</td>`;
    });
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<table id="runs">\n<thead><tr>${head}</tr></thead>\n<tbody>\n${
    rows.join("\n")
  }\n</tbody>\n</table>`;
}
