/**
 * A soak for people: a line from time to time, and a table at the end.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import { pad, render, type Rendition, type Screen, wrap } from "../report/screen.ts";
import { formatBytes } from "../../engine/values/units.ts";
import { FIGURE_NAMES, formatFigure } from "./judge.ts";
import type { Sample, SoakReport, SoakRun, SoakVerdict } from "./results.ts";

/** How the verdicts look. */
const LOOKS: Readonly<Record<SoakVerdict, Rendition>> = {
  passed: "green",
  failed: "red",
  "too little": "red",
  skipped: "faint",
  interrupted: "yellow",
};

/** The gap between two columns. */
const GAP = "  ";

/**
 * Formats a look at a server.
 *
 * @param name the server
 * @param sample what was seen
 * @param failed how many honest requests had failed
 */
export function formatSample(name: string, sample: Sample, failed: number): string {
  const parts = [
    escapeText(name),
    `${Math.round(sample.at)} s`,
    `${Math.floor(sample.progress * 100)} %`,
    `${count(sample.requests)} requests`,
    `${count(failed)} failed`,
    `${count(sample.connections)} connections`,
    formatBytes(sample.memory_bytes),
    `${sample.descriptors} descriptors`,
    `${sample.threads} threads`,
    ...(sample.generation === 0 ? [] : [`process ${sample.generation + 1}`]),
  ];
  return `${parts.join(" · ")}\n`;
}

/**
 * Formats the table of all servers, and below it what is to be said of each.
 *
 * @param report the soak
 * @param screen where it is shown
 */
export function formatSoak({ runs }: SoakReport, screen: Screen): string {
  const titles = [
    ...["server", "verdict", "requests", "failed", "cases", "connections", "attacks", "restarts"],
    ...["memory", "descriptors", "threads"],
  ];
  const rows = runs.map(cellsOf);
  const widths = titles.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] as string).length))
  );
  const line = (cells: readonly string[], look?: Rendition) =>
    cells.map((cell, column) => {
      const text = pad(cell, widths[column] as number, column < 2 ? "left" : "right");
      return look !== undefined && column === 1 ? render(screen, look, text) : text;
    }).join(GAP).trimEnd();
  const said = runs.flatMap(({ name, reasons, notes }) =>
    [...reasons, ...notes].flatMap((sentence) =>
      wrap(`${escapeText(name)}: ${escapeText(sentence)}`, screen.columns(), 2)
    )
  );
  const lines = [
    line(titles),
    ...rows.map((cells, index) => line(cells, LOOKS[(runs[index] as SoakRun).verdict])),
    ...(said.length === 0 ? [] : ["", ...said]),
  ];
  return `\n${lines.join("\n")}\n`;
}

function cellsOf({ name, verdict, work, failed, courses }: SoakRun): string[] {
  const sum = (counts: Readonly<Record<string, number>>) =>
    Object.values(counts).reduce((total, one) => total + one, 0);
  return [
    escapeText(name),
    verdict,
    count(work.requests),
    count(sum(failed)),
    count(work.cases),
    count(work.connections),
    count(sum(work.attacks)),
    count(work.restarts),
    ...FIGURE_NAMES.map((figure) => {
      const { warm, end } = courses[figure];
      return `${formatFigure(figure, warm)} → ${formatFigure(figure, end)}`;
    }),
  ];
}

function count(number: number): string {
  return number.toLocaleString("en");
}
