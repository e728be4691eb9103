/**
 * What a question of the quiz is: what is asked, what the books say, and what is done to find out.
 * The books do not decide. The facts that follow from the experiment do.
 *
 * @module
 */

import type { Event } from "../../engine/recording/events.ts";
import type { ProcessStatus } from "../../engine/process/process_status.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import type { Fact } from "../observe/stage/facts.ts";
import type { Lesson, Play } from "../observe/stage/lesson.ts";
import type { Stage } from "../observe/stage/stage.ts";
import type { Visitor } from "../simulator/companies.ts";
import type { Life } from "../../engine/figures/life.ts";
import type { Seen } from "../tour/visits.ts";
import type { Found } from "./found.ts";
import type { Guests } from "./guests.ts";

/** What the questions are about, in the order in which they are asked. */
export const TOPICS = [
  "opening",
  "queues",
  "data",
  "closing",
  "failing",
  "ports",
  "readiness",
  "models",
] as const;

/** What a question is about. */
export type Topic = (typeof TOPICS)[number];

/** The number of an answer. */
export type Choice = 1 | 2 | 3;

/** What every question has. */
export interface Asked {
  /** Its name, a few words with hyphens. */
  readonly id: string;
  /** What it is about. */
  readonly topic: Topic;
  /** The question. */
  readonly text: string;
  /** Three answers. One is right. */
  readonly answers: readonly [string, string, string];
  /** The number of the one that the sources say is right. */
  readonly book: Choice;
  /** Why it is right, in a few sentences. */
  readonly why: string;
  /** What says so, for instance `RFC 9293, section 3.6` or `tcp(7)`. */
  readonly sources: readonly [string, ...string[]];
  /**
   * Decides which answer the experiment has shown to be right. It sees nothing but the facts.
   *
   * @param found the facts
   * @returns `undefined` if it was none of them
   */
  decide(found: Found): Choice | undefined;
}

/** A question that is decided by sockets of this program. */
export interface SocketQuestion extends Asked {
  readonly on: "sockets";
  /** Whether it takes a network of its own, because it changes settings or loses packets. */
  readonly needsOwnNetwork?: boolean;
  /** Which events are drawn as they come. @default {"calls"} */
  readonly draws?: Lesson["draws"];
  /**
   * Does the experiment.
   *
   * @param stage what it is done with
   * @returns the facts that follow from what was seen
   */
  run(stage: Stage): Promise<readonly Fact[]>;
}

/** A question that is decided by servers of this project. */
export interface ServerQuestion extends Asked {
  readonly on: "servers";
  /** The modes that are started. */
  readonly modes: readonly ModeName[];
  /**
   * Does the experiment.
   *
   * @param servers starts servers
   * @returns the facts that follow from what was seen
   */
  run(servers: Servers): Promise<readonly Fact[]>;
}

/** A question that is decided by a simulation, where time is exact. */
export interface SimulatedQuestion extends Asked {
  readonly on: "simulator";
  /** Does the experiment. @returns the facts that follow from it */
  run(): readonly Fact[];
}

/** A question that is decided by looking at this very process. */
export interface ProcessQuestion extends Asked {
  readonly on: "process";
  /** Does the experiment. @returns the facts that follow from it */
  run(): Promise<readonly Fact[]>;
}

/** A question. */
export type Question = SocketQuestion | ServerQuestion | SimulatedQuestion | ProcessQuestion;

/** How a server is started: a mode, and its flags. */
export interface ServerPlan {
  readonly mode: ModeName;
  /** Its flags, besides the port and the protocol, which is `frame`. */
  readonly flags?: readonly string[];
}

/** What became of the clients of a server. */
export interface Visited {
  /** What they have seen, in the order in which they came. */
  readonly seen: readonly Seen[];
  /** What became of the time of each. */
  readonly lives: readonly Life[];
  /** What the server has recorded. */
  readonly events: readonly Event[];
}

/** A server that runs. */
export interface RunningServer {
  /** Its clients. */
  readonly guests: Guests;
  /** What the system reports about its process. */
  readonly status: ProcessStatus;
}

/** Starts servers of this project, each for a moment. */
export interface Servers {
  /**
   * Why a mode cannot be started here.
   *
   * @param mode its name
   * @returns `undefined` if it can, as far as that is known
   */
  whyNot(mode: ModeName): string | undefined;
  /**
   * Starts a server, sends it clients, ends it, and reads its recording.
   *
   * @param plan the server
   * @param company the clients
   */
  visit(plan: ServerPlan, company: readonly Visitor[]): Promise<Visited>;
  /**
   * Starts a server, uses it, and ends it.
   *
   * @param plan the server
   * @param use what is done with it
   * @returns what that has returned, and what the server has recorded
   */
  use<Result>(
    plan: ServerPlan,
    use: (server: RunningServer) => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly events: readonly Event[] }>;
}

/**
 * The experiment of a question as a play, for the stage.
 *
 * @param question a question that is decided by sockets
 */
export function playOf({ id, run }: SocketQuestion): Play {
  return { name: id, run };
}

/**
 * The experiment of a lesson, for a question that the lesson decides too.
 *
 * @param lesson the lesson
 */
export function asIn(lesson: Lesson): SocketQuestion["run"] {
  return async (stage) => {
    await lesson.run(stage);
    return lesson.facts(stage.seen);
  };
}
