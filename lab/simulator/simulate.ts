/**
 * Simulates a server and its clients: the project's own protocols, in virtual time, under any model.
 *
 * The same options and the same seed give the same history, to the last microsecond.
 *
 * @module
 */

import { findProtocol, type ProtocolDefinition } from "../../protocols/catalogue.ts";
import type { Event, Header } from "../../engine/recording/events.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import { Random } from "../load/random.ts";
import {
  callServer,
  type Client,
  clientAddress,
  type ClientOutcome,
  outcomeOf,
  SERVER,
} from "./call.ts";
import { Computer } from "./conversation.ts";
import { COSTS, type Costs, primeCostUs } from "./costs.ts";
import { History } from "./history.ts";
import { Machine } from "./machine.ts";
import { MODELS } from "./models.ts";
import { Listener, type Path } from "./network.ts";
import { Server, type ServerOptions } from "./server.ts";
import { VirtualTime } from "./virtual_time.ts";

export type { Client, ClientOutcome } from "./call.ts";

/** The knobs of a simulation. */
export interface SimulationOptions extends Partial<Omit<ServerOptions, "protocol" | "costs">> {
  /** The model. */
  readonly mode: ModeName;
  /** The protocol: its name, or its definition. */
  readonly protocol: string | ProtocolDefinition;
  /** The clients. */
  readonly clients: readonly Client[];
  /**
   * The seed of all that is left to chance.
   *
   * @default {1}
   */
  readonly seed?: number;
  /**
   * The cores of the server's machine.
   *
   * @default {2}
   */
  readonly cores?: number;
  /**
   * The limit of the accept queue.
   *
   * @default {511}
   */
  readonly backlog?: number;
  /**
   * The way between the clients and the server.
   *
   * @default {10 µs, nothing is lost}
   */
  readonly path?: Path;
  /** What things cost, where it differs from {@linkcode COSTS}. */
  readonly costs?: Partial<Costs>;
  /** What a computation costs, in microseconds on a core. @default trial division of a prime */
  readonly computeUs?: (task: string, argument: unknown) => number;
  /**
   * Whether the seed also chooses which of several threads gets a core. Then histories with
   * different seeds differ in the order of all that happens at the same time.
   *
   * @default {false}
   */
  readonly shuffles?: boolean;
  /** When the server is told to close, and how it does so; absent if it never is. */
  readonly closing?: Closing;
  /**
   * When to stop, in microseconds after the server is ready.
   *
   * @default {when nothing is left that could happen}
   */
  readonly untilUs?: number;
  /**
   * How many steps there may be in all: a history without an end is a mistake of its author.
   *
   * @default {20000000}
   */
  readonly mostSteps?: number;
}

/** How a server closes. */
export interface Closing {
  /** When it is told to, in microseconds after it was ready. */
  readonly atUs: number;
  /**
   * What it does first. `queue`: it keeps newcomers out, accepts all who wait, and closes its listener
   * then, as the servers of this project do. `listener`: it closes its listener.
   */
  readonly first: "queue" | "listener";
}

/** A simulation that is over. */
export interface Simulation {
  /** The seed, to see it again. */
  readonly seed: number;
  /** The recording: as a server with `--record` writes it. */
  readonly recording: readonly (Header | Event)[];
  /** What has become of the clients, in the order of the options. */
  readonly clients: readonly ClientOutcome[];
  /** How many SYNs the server has dropped because its accept queue was full. */
  readonly dropped: number;
  /** How long the server's cores have worked, added up, in microseconds. */
  readonly busyUs: number;
}

/** The modes that can be simulated. */
export const SIMULATED: readonly ModeName[] = Object.keys(MODELS) as ModeName[];

/**
 * Simulates a server and its clients.
 *
 * @param options the knobs
 * @returns what has happened
 * @throws {RangeError} if there is no model of that mode, or no protocol of that name
 */
export function simulate(options: SimulationOptions): Simulation {
  const { mode, seed = 1, cores = 2, backlog = 511, path = { delayUs: 10 }, shuffles } = options;
  const model = MODELS[mode];
  if (model === undefined) {
    throw new RangeError(
      `Cannot simulate: expected ${SIMULATED.join(", ")}, current value is "${mode}"`,
    );
  }
  const { protocol: wanted } = options;
  const protocol = typeof wanted === "string" ? findProtocol(wanted) : wanted;
  const costs: Costs = { ...COSTS, ...options.costs };
  const time = new VirtualTime(options.mostSteps);
  const chance = new Random(seed);
  const machine = new Machine(time, {
    cores,
    wakeUs: costs.wakeUs,
    chance: shuffles === true ? chance : undefined,
  });
  const { workers = 4, queue = 1024, spare = 0, offload = 2 } = options;
  const count = mode === "cluster" ? workers : 1;
  const listeners = Array.from({ length: count }, () => new Listener(SERVER, backlog));
  const history = new History(time);
  if (mode !== "event") history.thread("main", false);
  for (const listener of listeners) history.watch(listener);
  const computer = new Computer(protocol.tasks ?? {}, options.computeUs ?? primeCostUs);
  const settings: ServerOptions = { protocol, costs, workers, queue, spare, offload };
  model(new Server(machine, listeners, history, computer, settings));
  // The server is ready when nothing is left to do.
  time.run();
  const readyUs = time.nowUs;

  const elsewhere = new Machine(time, { cores: Infinity });
  const outcomes = options.clients.map((client, index) => {
    const outcome = outcomeOf(client);
    // The kernel chooses a listener of a cluster by a hash of the addresses.
    const listener = listeners[count === 1 ? 0 : chance.between(0, count - 1)] as Listener;
    const call = { time, chance, path, listener, local: clientAddress(index), tasks: computer };
    time.after(client.atUs, () => {
      elsewhere.start(client.name, callServer(call, client, outcome, readyUs));
    });
    return outcome;
  });
  const { closing } = options;
  if (closing !== undefined) {
    time.after(closing.atUs, () => {
      history.closing();
      for (const listener of listeners) {
        if (closing.first === "queue") listener.seal();
        else listener.close();
      }
    });
  }
  time.run(readyUs + (options.untilUs ?? Infinity));
  return {
    seed,
    recording: history.recording(`simulation of ${mode}`),
    clients: outcomes,
    dropped: listeners.reduce((sum, { dropped }) => sum + dropped, 0),
    busyUs: machine.busyUs,
  };
}
