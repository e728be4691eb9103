/**
 * The knobs of the playground, and the simulation that they stand for. Nothing here needs a browser:
 * the same settings give the same history anywhere.
 *
 * @module
 */

import { findProtocol } from "../../protocols/catalogue.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import { Random } from "../../lab/load/random.ts";
import { askFrame, type Guest, GUESTS, LONG_PRIME } from "../../lab/simulator/clients.ts";
import { primeCostUs } from "../../lab/simulator/costs.ts";
import { remembered } from "../../lab/simulator/remembered.ts";
import type { Client, SimulationOptions } from "../../lab/simulator/simulate.ts";

/** The name of a knob. */
export type KnobName =
  | "clients"
  | "apart"
  | "chance"
  | "workers"
  | "queue"
  | "spare"
  | "offload"
  | "compute"
  | "cores"
  | "backlog"
  | "delay"
  | "loss"
  | "closing"
  | "abrupt"
  | "seed";

/** How the knobs stand. */
export type Settings = { readonly mode: ModeName } & Readonly<Record<KnobName, number>>;

/** A knob: a whole number from a range, or a switch that is 0 or 1. */
export interface Knob {
  /** Its name. */
  readonly name: KnobName;
  /** What it is called on the page. */
  readonly label: string;
  /** The unit of its value; empty for a count. */
  readonly unit: string;
  /** The least and the most that it can be set to. */
  readonly least: number;
  readonly most: number;
  /** Where it stands at first. */
  readonly start: number;
  /** The models that have it; absent if all have. */
  readonly modes?: readonly ModeName[];
  /** Whether only those pages have it that ask for it. */
  readonly isExtra?: true;
}

/** The models whose loops can have threads that compute. */
const LOOPS: readonly ModeName[] = ["event", "nonblocking", "completion", "cluster"];

/** All knobs, in the order of the page. */
export const KNOBS: readonly Knob[] = [
  { name: "clients", label: "Clients", unit: "", least: 1, most: 100, start: 3 },
  { name: "apart", label: "One comes every", unit: "ms", least: 0, most: 100, start: 5 },
  { name: "chance", label: "They come by chance", unit: "", least: 0, most: 1, start: 0 },
  { name: "compute", label: "Time to compute", unit: "ms", least: 0, most: 500, start: 100 },
  {
    name: "workers",
    label: "Workers",
    unit: "",
    least: 1,
    most: 32,
    start: 2,
    modes: ["threadpool", "prefork", "cluster"],
  },
  {
    name: "queue",
    label: "Room in the queue",
    unit: "",
    least: 0,
    most: 100,
    start: 100,
    modes: ["threadpool"],
  },
  {
    name: "spare",
    label: "Threads ready before",
    unit: "",
    least: 0,
    most: 32,
    start: 0,
    modes: ["threaded"],
  },
  {
    name: "offload",
    label: "Threads that compute",
    unit: "",
    least: 0,
    most: 8,
    start: 0,
    modes: LOOPS,
  },
  { name: "cores", label: "Cores", unit: "", least: 1, most: 16, start: 2 },
  {
    name: "backlog",
    label: "Limit of the accept queue",
    unit: "",
    least: 0,
    most: 100,
    start: 100,
  },
  { name: "delay", label: "Delay of the network", unit: "ms", least: 0, most: 200, start: 0 },
  { name: "loss", label: "Segments that are lost", unit: "%", least: 0, most: 50, start: 0 },
  {
    name: "closing",
    label: "Told to close after",
    unit: "ms",
    least: 0,
    most: 500,
    start: 0,
    isExtra: true,
  },
  {
    name: "abrupt",
    label: "It closes its listener first",
    unit: "",
    least: 0,
    most: 1,
    start: 0,
    isExtra: true,
  },
  { name: "seed", label: "Seed of what is chance", unit: "", least: 1, most: 999, start: 1 },
];

/** How many steps a history may have before the page gives up. */
const MOST_STEPS = 2_000_000;

/** How long a segment is under way at the least, in microseconds: as on one machine. */
const LEAST_DELAY_US = 10;

/**
 * The knobs of a model.
 *
 * @param mode the name of the model
 * @param extra which knobs a page asks for that not every page has
 */
export function knobsOf(mode: ModeName, extra: readonly KnobName[] = []): readonly Knob[] {
  return KNOBS.filter(({ name, modes, isExtra }) =>
    (modes === undefined || modes.includes(mode)) && (isExtra !== true || extra.includes(name))
  );
}

/**
 * How the knobs stand at first.
 *
 * @param mode the name of the model
 * @param wanted where a page wants them; what a knob cannot be is brought into its range
 */
export function settingsOf(
  mode: ModeName,
  wanted: Partial<Readonly<Record<KnobName, number>>> = {},
): Settings {
  const values = KNOBS.map(({ name, least, most, start }) => {
    const value = Math.round(wanted[name] ?? start);
    return [name, Number.isNaN(value) ? start : Math.min(most, Math.max(least, value))];
  });
  return { ...Object.fromEntries(values), mode } as Settings;
}

/**
 * The simulation that settings stand for.
 *
 * @param settings how the knobs stand
 */
export function simulationOf(settings: Settings): SimulationOptions {
  const { mode, seed, cores, backlog, workers, queue, spare, offload, closing, abrupt } = settings;
  const loss = settings.loss / 100;
  return {
    mode,
    protocol: FRAME,
    clients: clientsOf(settings),
    seed,
    cores,
    backlog,
    workers,
    queue,
    spare,
    offload,
    path: { delayUs: Math.max(LEAST_DELAY_US, settings.delay * 1_000), loss },
    computeUs: (task, argument) =>
      `P${argument}` === LONG_PRIME ? settings.compute * 1_000 : primeCostUs(task, argument),
    mostSteps: MOST_STEPS,
    ...(closing > 0 && {
      closing: { atUs: closing * 1_000, first: abrupt === 1 ? "listener" : "queue" },
    }),
  };
}

/** The three clients, again and again. */
function clientsOf({ clients, apart, chance, seed }: Settings): readonly Client[] {
  const random = new Random(seed);
  let atUs = 0;
  return Array.from({ length: clients }, (_, place) => {
    const { name, asks } = GUESTS[place % GUESTS.length] as Guest;
    const round = Math.floor(place / GUESTS.length) + 1;
    if (place > 0) atUs += apart * 1_000 * (chance === 1 ? random.exponential() : 1);
    return {
      name: round === 1 ? name : `${name} ${round}`,
      atUs,
      converse: () => askFrame(asks),
    };
  });
}

/** The protocol. What it computes is remembered from one history to the next. */
const FRAME = remembered(findProtocol("frame"));
