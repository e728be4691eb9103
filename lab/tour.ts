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
import { type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";
import { buildInfo } from "../engine/cli/build_info.ts";
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
import { drawBars, drawSigns, lengthOf } from "./tour/picture.ts";
import { SHORT_STATIONS, type Station, STATIONS } from "./tour/stations.ts";
import type { Seen } from "./tour/visits.ts";
import { describeVisit, drawVisit, orderOf } from "./tour/words.ts";
import { RecordingFolder } from "./recording_folder.ts";
import { visitServer } from "./visited_server.ts";

/** The script of this module. */
const SCRIPT = "lab/tour.ts";

/** The widest line, in characters, and that of the short tour, which people show to others. */
const WIDEST = 100;
const NARROW = 80;

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
    {
      name: "short",
      kind: "boolean",
      help:
        "three stations and one idea, on each runtime that is here: what `deno task demo` shows",
    },
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
  /** The name of the runtime on which it was. */
  readonly on: string;
  readonly seen: readonly Seen[];
  readonly lives: readonly Life[];
}

async function tour(values: Values, signal: AbortSignal): Promise<number> {
  const isShort = values.short === true;
  const asked = (values.mode ?? []) as readonly string[];
  if (isShort && asked.length > 0) {
    throw new UsageError("--short has stations of its own: name no models");
  }
  const on = runtimeOn(values);
  const stations = isShort ? SHORT_STATIONS : stationsOf(asked);
  using folder = new RecordingFolder("tour", values.record as string | undefined);
  const guide = new Guide(folder, isShort ? NARROW : WIDEST, signal);
  if (isShort) await showShort(guide, stations, on);
  else await showAll(guide, stations, on);
  if (signal.aborted) return EXIT_FAILED;
  // Whoever reads has seen enough.
  if (guide.isUnread) return EXIT_DONE;
  if (folder.isKept) await guide.say("", `Recordings are in ${escapeText(folder.name)}.`);
  return guide.visited.length > 0 ? EXIT_DONE : EXIT_FAILED;
}

/** Goes to stations, and tells what was seen there. */
class Guide {
  readonly screen: Screen;
  /** What was visited so far. */
  readonly visited: Visited[] = [];
  readonly #output = new LineOutput();
  readonly #folder: RecordingFolder;
  readonly #signal: AbortSignal;

  /**
   * @param folder where the servers record
   * @param widest the widest line, in characters
   * @param signal ends the tour
   */
  constructor(folder: RecordingFolder, widest: number, signal: AbortSignal) {
    const screen = screenOf("stdout");
    this.screen = { ...screen, columns: () => Math.min(screen.columns(), widest) };
    this.#folder = folder;
    this.#signal = signal;
  }

  /** Whether nobody listens any more. */
  get isUnread(): boolean {
    return this.#output.isGone;
  }

  /** Whether the tour is over. */
  get isOver(): boolean {
    return this.#signal.aborted || this.isUnread;
  }

  /** Says lines. */
  say(...lines: readonly string[]): Promise<void> {
    return this.#output.write(lines);
  }

  /** Says a text, in lines that are not too wide. */
  tell(text: string): Promise<void> {
    return this.say(...wrap(text, this.screen.columns()));
  }

  /**
   * Sends the three clients to a station.
   *
   * @param station the station
   * @param on the runtime of its server
   * @returns what became of them; `undefined` if it cannot be visited, which is told
   */
  async visit(station: Station, on: RuntimeCommand): Promise<Visited | undefined> {
    const whyNot = whyNoMode(station.mode);
    if (whyNot !== undefined) {
      await this.tell(`It cannot be visited here: ${whyNot}.`);
      return undefined;
    }
    const number = String(this.visited.length + 1).padStart(2, "0");
    const file = this.#folder.path(`${number}-${station.mode}.jsonl`);
    const visit = { ...station, company: COMPANIES.three };
    const { seen, lives } = await visitServer(visit, on, file, this.#signal);
    const visited = { title: titleOf(station), on: on.name, seen, lives };
    this.visited.push(visited);
    return visited;
  }

  /** Draws what was seen at a station, and says it in words. */
  async show(visited: Visited): Promise<void> {
    await this.say("", ...drawVisit(this.screen, visited));
    await this.tell(describeVisit(visited));
  }
}

/** What a user types after the name of the program to start the server of a station. */
function titleOf({ mode, flags }: Station): string {
  return [mode, ...flags].join(" ");
}

/** The tour: one station after another, and at the end all of them in a table and in a picture. */
async function showAll(
  guide: Guide,
  stations: readonly Station[],
  on: RuntimeCommand,
): Promise<void> {
  await guide.tell(
    `Three clients come to each of the models, on ${on.name}. The first asks for a long ` +
      "computation, the second wants its bytes echoed, the third asks for a short computation.",
  );
  await guide.say(...drawSigns(guide.screen));
  for (const station of stations) {
    if (guide.isOver) return;
    await guide.say("", render(guide.screen, "bold", titleOf(station)));
    await guide.tell(station.why);
    if (guide.isOver) return;
    const visited = await guide.visit(station, on);
    if (visited !== undefined) await guide.show(visited);
  }
  if (guide.isOver || guide.visited.length < 2) return;
  await guide.say("", ...summarize(guide.screen, guide.visited));
}

/** The short tour: one idea, step by step, and then the same on the other runtime. */
async function showShort(
  guide: Guide,
  stations: readonly Station[],
  on: RuntimeCommand,
): Promise<void> {
  const { screen } = guide;
  await guide.say(render(screen, "bold", "Who waits for whom?"));
  await guide.tell(
    "Three clients call one server. The first asks for a long computation, the second only wants " +
      "its bytes echoed, the third asks for a short computation. They speak the same protocol to " +
      `three servers on ${on.name}, which differ only in who does the work.`,
  );
  await guide.say(...drawSigns(screen));
  for (const [index, station] of stations.entries()) {
    if (guide.isOver) return;
    await guide.say("", render(screen, "bold", `${index + 1}. ${titleOf(station)}`));
    await guide.tell(station.why);
    if (guide.isOver) return;
    const visited = await guide.visit(station, on);
    if (visited !== undefined) await guide.show(visited);
  }
  const others = RUNTIMES.filter(({ name, isHere }) => isHere && name !== on.name);
  for (const other of buildInfo.isExecutable === true ? [] : others) {
    for (const station of stations) {
      if (guide.isOver) return;
      await guide.visit(station, other);
    }
  }
  if (guide.isOver) return;
  const bars = stations.map(titleOf).flatMap((title) =>
    guide.visited.filter((its) => its.title === title)
      .map((its) => [`${title}, ${its.on}`, lengthOf(its.lives[1] as Life)] as const)
  );
  await guide.say(
    "",
    render(screen, "bold", "How long it took until echo had its answer"),
    ...drawBars(screen, bars),
    "",
  );
  await guide.tell(
    "The server's answers are the same each time. Who waits for them is decided by where the work " +
      `is done. All the models: ${formatRun(SCRIPT)}`,
  );
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
