/**
 * A tour through the concurrency models: each serves the same three clients, and a picture shows who
 * waited for whom.
 *
 * @module
 */

import { escapeText } from "../protocols/text.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { formatRun } from "../engine/cli/invocation.ts";
import type { Program } from "../engine/cli/program.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import { MODE_NAMES } from "../modes/catalogue.ts";
import { labProgram, untilInterrupted } from "./lab_program.ts";
import { GUESTS } from "./simulator/clients.ts";
import { COMPANIES } from "./simulator/companies.ts";
import { whyNoMode } from "./mode_command.ts";
import { ON, runtimeOn } from "./on_runtime.ts";
import { render, type Screen, screenOf, wrap } from "./report/screen.ts";
import { formatTime } from "../engine/values/units.ts";
import { LineOutput } from "./observe/line_output.ts";
import { Layout } from "./observe/table.ts";
import type { Life } from "../engine/figures/life.ts";
import { drawBars, drawLives, drawSigns, lengthOf } from "./tour/picture.ts";
import { type Station, STATIONS } from "./tour/stations.ts";
import type { Seen } from "./tour/visits.ts";
import { RecordingFolder } from "./recording_folder.ts";
import { visitServer } from "./visited_server.ts";

/** The script of this module. */
const SCRIPT = "lab/tour.ts";

/** The widest line of text, in characters. */
const WIDEST = 100;

const tourCommand = (): Command => ({
  name: "tour",
  summary: "see the models serve the same three clients, and who waits for whom",
  positionals: [],
  rest: {
    name: "mode",
    kind: "string",
    default: "all of them",
    suggestions: MODE_NAMES,
    help: "models to visit",
  },
  flags: [
    ON,
    {
      name: "record",
      kind: "string",
      value: "FOLDER",
      help: "keep a recording of each server there, for observe replay",
    },
  ],
  notes: [
    `Three clients come, ${GUESTS.map(({ name }) => name).join(", ")}: each asks one question of ` +
    "the protocol frame. The first needs a computation of a tenth of a second or more.",
  ],
  example: formatRun(SCRIPT, "sequential event --record recordings"),
});

/** A station that was visited. */
interface Visited {
  readonly title: string;
  readonly seen: readonly Seen[];
  readonly lives: readonly Life[];
}

async function tour(values: Values, signal: AbortSignal): Promise<number> {
  const screen = screenOf("stdout");
  const stations = stationsOf((values.mode ?? []) as readonly string[]);
  const on = runtimeOn(values);
  const output = new LineOutput();
  const say = (...lines: readonly string[]) => output.write(lines);
  const width = Math.min(screen.columns(), WIDEST);
  using folder = new RecordingFolder("tour", values.record as string | undefined);
  await say(
    ...wrap(
      `Three clients come to each of the models, on ${on.name}. The first asks for a long ` +
        "computation, the second wants its bytes echoed, the third asks for a short computation.",
      width,
    ),
    ...drawSigns(screen),
  );
  const visited: Visited[] = [];
  for (const [index, station] of stations.entries()) {
    if (signal.aborted) break;
    const title = [station.mode, ...station.flags].join(" ");
    await say("", render(screen, "bold", title), ...wrap(station.why, width));
    if (output.isGone) break;
    const whyNot = whyNoMode(station.mode);
    if (whyNot !== undefined) {
      await say(...wrap(`It cannot be visited here: ${whyNot}.`, width));
      continue;
    }
    const file = folder.path(`${String(index + 1).padStart(2, "0")}-${station.mode}.jsonl`);
    const found = {
      title,
      ...await visitServer({ ...station, company: COMPANIES.three }, on, file, signal),
    };
    visited.push(found);
    await say("", ...drawFound(screen, found), ...wrap(describe(found), width));
  }
  if (signal.aborted) return EXIT_FAILED;
  // Whoever reads has seen enough.
  if (output.isGone) return EXIT_DONE;
  if (visited.length > 1) await say("", ...summarize(screen, visited));
  if (folder.isKept) await say("", `Recordings are in ${escapeText(folder.name)}.`);
  return visited.length > 0 ? EXIT_DONE : EXIT_FAILED;
}

/** The stations that were asked for, in the order of the tour. */
function stationsOf(asked: readonly string[]): readonly Station[] {
  for (const name of asked) {
    if (STATIONS.some(({ mode }) => mode === name)) continue;
    throw new UsageError(
      `there is no model "${escapeText(name)}": expected ${MODE_NAMES.join(", ")}`,
    );
  }
  return asked.length === 0 ? STATIONS : STATIONS.filter(({ mode }) => asked.includes(mode));
}

function drawFound(screen: Screen, { seen, lives }: Visited): readonly string[] {
  const tracks = seen.map(({ name }, index) => ({ name, life: lives[index] as Life }));
  return drawLives(screen, tracks);
}

/** Who waited for whom, in words. */
function describe({ seen, lives }: Visited): string {
  const name = (index: number) => (seen[index] as Seen).name;
  const waited = lives.flatMap(({ waitedUs, waitedFor }, index) =>
    waitedFor === undefined
      ? []
      : [`${name(index)} waited ${formatTime(waitedUs)} for ${name(waitedFor)}`]
  );
  const order = orderOf(seen);
  const who = waited.length === 0 ? "nobody waited for anybody" : waited.join(", and ");
  const text = `${who}; the answers came in this order: ${order}.`;
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The clients in the order of their answers. */
function orderOf(seen: readonly Seen[]): string {
  const sorted = seen.toSorted((one, other) => one.answeredUs - other.answeredUs);
  return sorted.map(({ name }) => name).join(", ");
}

/** One table and one picture of all stations. */
function summarize(screen: Screen, visited: readonly Visited[]): readonly string[] {
  const time = ({ lives }: Visited, index: number) => lengthOf(lives[index] as Life);
  const table = new Layout<Visited>(
    [
      { title: "model", order: 0, side: "left", cell: ({ title }) => title },
      ...GUESTS.map(({ name }, index) => ({
        title: name,
        order: 0,
        side: "right" as const,
        cell: (its: Visited) => formatTime(time(its, index)),
      })),
      { title: "order of the answers", order: 1, side: "left", cell: ({ seen }) => orderOf(seen) },
    ],
    screen.columns(),
    visited,
  );
  return [
    render(screen, "bold", "When each client had its answer"),
    table.header,
    ...visited.map((row) => table.row(row)),
    "",
    render(screen, "bold", "How long it took until echo had its answer"),
    ...drawBars(screen, visited.map((its) => [its.title, time(its, 1)])),
  ];
}

/** Shows the models. */
export function program(): Program {
  return labProgram(
    "tour",
    tourCommand(),
    () => {
      const values = readCommandLine(tourCommand());
      return untilInterrupted("tour", (signal) => tour(values, signal));
    },
  );
}

if (isMainModule(import.meta)) program().run();
