/**
 * What was measured for the lessons, and the tables of it that stand in their texts.
 *
 * `deno task record-lessons` measures everything anew and writes `measured.json`. A text names the
 * table that it wants, and `deno task quotes` writes it below that mark:
 *
 * ```md
 * <!-- measured threadpool -->
 * ```
 *
 * @module
 */

import type { Machine } from "../lab/load/results.ts";
import { labelOf } from "./elements/names.ts";
import { wrap } from "../lab/report/screen.ts";
import { formatBytes, formatRate, formatTime, UNKNOWN } from "../engine/values/units.ts";

/** A client of a recording: what became of it, and what was predicted. */
export interface MeasuredClient {
  /** What it is called. */
  readonly name: string;
  /** How long it took from its call to its answer, in microseconds. */
  readonly measured_us: number;
  /** For how long it waited for another client, and which one. */
  readonly waited_us: number;
  readonly waited_for: string | null;
  /**
   * How long the simulator says that it takes; `null` if it knows no such model, or if it says that
   * the client never has its answer.
   */
  readonly predicted_us: number | null;
  /** Whether nobody listened any more. Then the times are those until it was refused. */
  readonly was_refused?: true;
  /** Whether the simulator says so. */
  readonly refusal_predicted?: true;
}

/** A fact that a recording shows, in words; `null` is what is not known. */
export interface MeasuredFact {
  /** What it is about. */
  readonly what: string;
  /** What the simulator says. */
  readonly predicted: string | null;
  /** What was seen. */
  readonly measured: string | null;
}

/** A mode under load. */
export interface MeasuredLoad {
  /** The name of the mode. */
  readonly mode: string;
  /** Requests answered in a second, and how long the slowest of a hundred took. */
  readonly rate: number;
  readonly p99_us: number | null;
  /** The most memory of the server, its CPU time over the time of the run, and its threads. */
  readonly peak_memory_bytes: number | null;
  readonly cores: number | null;
  readonly threads: number | null;
}

/** What threads, processes and idle connections cost on a runtime; `null` is what is not known. */
export interface MeasuredCosts {
  /** From a call to the greeting by a thread or a process that is started for it, in microseconds. */
  readonly thread_starts_us: number;
  readonly process_starts_us: number;
  /** The memory that one thread more takes, and that a process has for itself. */
  readonly thread_bytes: number;
  readonly process_bytes: number | null;
  /** The memory of a server that one idle connection more takes, in two modes. */
  readonly idle_event_bytes: number;
  readonly idle_nonblocking_bytes: number | null;
}

/** All that was measured. */
export interface Measured {
  /** When: a day, as ISO 8601 writes it. */
  readonly day: string;
  /** Where. */
  readonly machine: Machine;
  /** The runtime of the servers, for instance `deno 2.9.6`. */
  readonly runtime: string;
  /** The clients of each recording, by its name. */
  readonly recordings: Readonly<Record<string, readonly MeasuredClient[]>>;
  /** What the recordings show that have no clients, by their names. */
  readonly facts: Readonly<Record<string, readonly MeasuredFact[]>>;
  /** The modes under the loads of {@linkcode LOADS}, by the name of the load. */
  readonly loads: Readonly<Record<LoadName, readonly MeasuredLoad[]>>;
  /** What things cost, by the name of the runtime. */
  readonly costs: Readonly<Record<string, MeasuredCosts>>;
}

/** The loads that the modes are measured under, and how the bench is asked for them. */
export const LOADS = {
  /** Fifty clients stay and send one small message after another. */
  messages: ["--protocols", "echo", "--connections", "50"],
  /** Fifty at a time come, ask one thing and go. */
  visits: ["--protocols", "echo", "--connections", "50", "--connect"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** How wide a line of a text is at most, as `deno fmt` has it. */
export const COLUMNS = 100;

/** Stands for a space at which no line may end. */
export const NO_BREAK = "\u00a0";

/** The name of a load. */
export type LoadName = keyof typeof LOADS;

/** A table cannot be made. */
export class MeasuredError extends Error {
  override readonly name = "MeasuredError";
}

/**
 * The table that a mark asks for.
 *
 * @param measured all that was measured
 * @param name the name of a recording: what was predicted for its clients, or of what else it shows,
 * beside what was measured. Or `models`: the modes under load. Or `costs`: what things cost on each
 * runtime. Or `machine`: a sentence that says where all of it was measured
 * @returns lines of Markdown, as `deno fmt` leaves them
 * @throws {MeasuredError} if nothing of that name was measured
 */
export function tableOf(measured: Measured, name: string): string {
  if (name === "machine") return describe(measured);
  if (name === "models") return modelsTable(measured);
  if (name === "costs") return costsTable(measured);
  const facts = measured.facts[name];
  if (facts !== undefined) return factsTable(facts);
  const clients = measured.recordings[name];
  if (clients === undefined) throw new MeasuredError(`nothing was measured of "${name}"`);
  return table(
    ["client", "predicted", "measured", "waited for"],
    clients.map((client) => {
      const { name, predicted_us, measured_us, waited_for, waited_us } = client;
      const { was_refused, refusal_predicted } = client;
      return [
        labelOf(name),
        outcome(formatTime(predicted_us), refusal_predicted),
        outcome(formatTime(measured_us), was_refused),
        waited_for === null ? "nobody" : `${labelOf(waited_for)}, ${formatTime(waited_us)}`,
      ];
    }),
  );
}

function outcome(time: string, wasRefused = false): string {
  return wasRefused ? `refused after ${time}` : time;
}

/** The column of what was predicted is left out where nothing was. */
function factsTable(facts: readonly MeasuredFact[]): string {
  const isPredicted = facts.some(({ predicted }) => predicted !== null);
  return table(
    ["what", ...isPredicted ? ["predicted"] : [], "measured"],
    facts.map(({ what, predicted, measured }) => [
      what,
      ...isPredicted ? [predicted ?? UNKNOWN] : [],
      measured ?? UNKNOWN,
    ]),
  );
}

function describe({ day, machine, runtime }: Measured): string {
  const { cores, os, memory_bytes } = machine;
  const where = `${os.replace(/ .*/, "")}, ${cores} cores and ${
    formatBytes(memory_bytes)
  } of memory`;
  // A line never ends inside code.
  const command = "`deno task record-lessons`".replaceAll(" ", NO_BREAK);
  const text =
    `Measured on ${day} with ${runtime} on ${where}. With the sources, ${command} measures all of it again.`;
  return wrap(text, COLUMNS - 2).map((line) => `> ${line.replaceAll(NO_BREAK, " ")}`).join("\n");
}

function costsTable({ costs }: Measured): string {
  const runtimes = Object.entries(costs);
  const row = (
    what: string,
    cell: (costs: MeasuredCosts) => string,
  ) => [what, ...runtimes.map(([, costs]) => cell(costs))];
  return table(
    ["what", ...runtimes.map(([name]) => name.slice(0, 1).toUpperCase() + name.slice(1))],
    [
      row("a thread starts, and greets a client", (its) => formatTime(its.thread_starts_us)),
      row("a process starts, and greets a client", (its) => formatTime(its.process_starts_us)),
      row("memory of a thread", (its) => formatBytes(its.thread_bytes)),
      row("memory that a process has for itself", (its) => formatBytes(its.process_bytes)),
      row("an idle connection in `event`", (its) => formatBytes(its.idle_event_bytes)),
      row("an idle connection in `nonblocking`", (its) => formatBytes(its.idle_nonblocking_bytes)),
    ],
  );
}

function modelsTable({ loads, recordings }: Measured): string {
  const { messages, visits } = loads;
  return table(
    ["model", "messages", "p99", "CPU each", "visits", "memory", "threads", "B beside A"],
    visits.map(({ mode, rate }) => {
      const load = messages.find((load) => load.mode === mode);
      return [
        `\`${mode}\``,
        formatRate(load?.rate ?? null),
        formatTime(load?.p99_us ?? null),
        formatTime(load?.cores == null ? null : load.cores / load.rate * 1e6),
        formatRate(rate),
        formatBytes(load?.peak_memory_bytes ?? null),
        load?.threads == null ? UNKNOWN : String(load.threads),
        formatTime(recordings[mode]?.find(({ name }) => name === "echo")?.measured_us ?? null),
      ];
    }),
  );
}

/**
 * A table as `deno fmt` leaves it: the first columns to the left, all others to the right.
 *
 * @param head the titles of the columns
 * @param rows the cells of each row
 * @param left how many columns are to the left
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left = 1,
): string {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] as string).length))
  );
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, column) => {
        const width = widths[column] as number;
        return column < left ? cell.padEnd(width) : cell.padStart(width);
      }).join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    column < left ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
