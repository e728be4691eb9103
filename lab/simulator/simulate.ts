/**
 * Simulates a server and its clients: the project's own protocols, in virtual time, under any model.
 *
 * The same options and the same seed give the same history, to the last microsecond.
 *
 * @module
 */

import { findProtocol, type ProtocolDefinition } from "../../protocols/catalogue.ts";
import type { Address, Protocol } from "../../protocols/effects.ts";
import type { Event, Header } from "../../engine/recording/events.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import { Random } from "../load/random.ts";
import { Computer, Conversation } from "./conversation.ts";
import { COSTS, type Costs, primeCostUs } from "./costs.ts";
import { History } from "./history.ts";
import { type Code, Machine, Signal, waitFor } from "./machine.ts";
import { MODELS } from "./models.ts";
import { dial, Listener, type Path } from "./network.ts";
import { Server, type ServerOptions } from "./server.ts";
import { VirtualTime } from "./virtual_time.ts";

/** A client of a simulated server. */
export interface Client {
  /** What it is called. */
  readonly name: string;
  /** When it connects, in microseconds after the server is ready. */
  readonly atUs: number;
  /** Its side of the conversation; what the generator returns is the client's result. */
  converse(): Protocol<unknown>;
}

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

/** What has become of a client. */
export interface ClientOutcome {
  /** Its name. */
  readonly name: string;
  /** When it began to connect, in microseconds after the server was ready. */
  readonly atUs: number;
  /** When it was connected; `undefined` if it never was. */
  connectedUs: number | undefined;
  /** When its conversation was over; `undefined` if it never was. */
  overUs: number | undefined;
  /** What its conversation returned. */
  result: unknown;
  /** Why it failed. */
  error: unknown;
  /** Whether nobody listened any more when it came. */
  wasRefused: boolean;
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

/** The server's address, and the network of its clients: nobody has these (RFC 5737). */
const SERVER: Address = { hostname: "192.0.2.1", port: 8080 };
const CLIENT = "198.51.100.1";
const FIRST_PORT = 32_768;

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
  for (const listener of listeners) {
    const cookie = history.cookie();
    listener.onQueue = (end, isWaiting) => {
      if (isWaiting) end.onEnded = (how, first) => history.ended(end, how, first);
      const { waiting, backlog: limit } = listener;
      history.acceptQueue(end, isWaiting, { cookie, waiting, limit });
    };
  }
  const computer = new Computer(protocol.tasks ?? {}, options.computeUs ?? primeCostUs);
  const settings: ServerOptions = { protocol, costs, workers, queue, spare, offload };
  model(new Server(machine, listeners, history, computer, settings));
  // The server is ready when nothing is left to do.
  time.run();
  const readyUs = time.nowUs;

  const elsewhere = new Machine(time, { cores: Infinity });
  const outcomes = options.clients.map(({ name, atUs, converse }, index) => {
    const outcome: ClientOutcome = {
      name,
      atUs,
      connectedUs: undefined,
      overUs: undefined,
      result: undefined,
      error: undefined,
      wasRefused: false,
    };
    // The kernel chooses a listener of a cluster by a hash of the addresses.
    const listener = listeners[count === 1 ? 0 : chance.between(0, count - 1)] as Listener;
    const local = { hostname: CLIENT, port: FIRST_PORT + index };
    time.after(atUs, () => void elsewhere.start(name, call()));
    return outcome;

    function* call(): Code {
      const changed = new Signal();
      const dialled = dial(time, chance, path, listener, local);
      dialled.onChange = () => changed.wakeAll();
      while (dialled.state === "connecting") yield* waitFor(changed);
      if (dialled.state !== "connected") {
        outcome.wasRefused = dialled.state === "refused";
        outcome.error = new Error(
          outcome.wasRefused
            ? "Cannot connect: connection refused (ECONNREFUSED)"
            : "Cannot connect: the SYN was never answered (ETIMEDOUT)",
        );
        outcome.overUs = time.nowUs - readyUs;
        return;
      }
      outcome.connectedUs = time.nowUs - readyUs;
      const conversation = new Conversation(dialled.end, converse(), {
        time,
        costs: { receiveUs: 0, sendUs: 0, byteUs: 0 },
        tasks: computer,
        readTimeoutMs: 0,
        sessionTimeoutMs: 0,
      });
      conversation.onChange = () => changed.wakeAll();
      for (;;) {
        yield* conversation.advance();
        if (conversation.isOver) break;
        yield* waitFor(changed);
      }
      outcome.overUs = time.nowUs - readyUs;
      outcome.result = conversation.result;
      outcome.error = conversation.error;
    }
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
