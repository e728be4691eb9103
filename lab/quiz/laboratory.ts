/**
 * Where the experiments of the quiz are done, each where it can be: in the sandbox, on sockets of
 * this process, with servers, or in the simulator.
 *
 * @module
 */

import { InterruptedError, messageOf } from "../../engine/dial/failures.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { ProcessStatus } from "../../engine/process/process_status.ts";
import type { Event } from "../../engine/recording/events.ts";
import { nowUs } from "../../engine/values/moment.ts";
import process from "node:process";
import type { Fact } from "../observe/stage/facts.ts";
import { Playhouse, playRole } from "../observe/stage/perform.ts";
import { questionOf } from "./catalogue.ts";
import { Found } from "./found.ts";
import {
  type Choice,
  playOf,
  type ProcessQuestion,
  type Question,
  type ServerQuestion,
  type Servers,
  type SocketQuestion,
} from "./question.ts";

/** The role of the quiz in the sandbox, and the script that plays it. */
export const QUIZ_ROLE = "quiz";
export const QUIZ_SCRIPT = "lab/quiz.ts";

/** Where an experiment was done. */
export type Place = "sandbox" | "here" | "servers" | "simulator" | "process";

/** What an experiment has found. */
export interface Finding {
  /** Where it was done; `undefined` if it was not. */
  readonly place: Place | undefined;
  /** Why it was not done, a sentence without its full stop. */
  readonly whyNot: string | undefined;
  /** What follows from what was seen. */
  readonly facts: readonly Fact[];
  /** The answer that it has shown to be right; `undefined` if it was none of them. */
  readonly shown: Choice | undefined;
}

/** Hears of an event, and from when on its time is counted, in microseconds since 1970. */
export type Tell = (event: Event, beganUs: number) => void;

/** What the laboratory needs. */
export interface LaboratoryOptions {
  /** Starts servers. */
  readonly servers: Servers;
  /** Ends everything early. */
  readonly signal: AbortSignal;
}

/** The role in the sandbox. */
export const quizRole: ReturnType<typeof playRole> = playRole((id) => {
  const question = questionOf(id);
  return question?.on === "sockets" ? playOf(question) : undefined;
});

/** Does experiments, one after another. */
export class Laboratory implements AsyncDisposable {
  readonly #options: LaboratoryOptions;
  #house: Promise<Playhouse> | undefined;

  /** @param options what it needs */
  constructor(options: LaboratoryOptions) {
    this.#options = options;
  }

  /**
   * Prepares for a question while people read it: the sandbox takes a moment.
   *
   * @param question the next question
   */
  prepare(question: Question): void {
    if (question.on === "sockets" && whyNoKernel() === undefined) void this.#open();
  }

  /**
   * Does the experiment of a question. What goes wrong is a reason why it was not done.
   *
   * @param question the question
   * @param tell hears what is seen, and from when on the time of it is counted, in microseconds since
   * 1970
   * @throws {InterruptedError} if it was ended early
   */
  async find(question: Question, tell: Tell): Promise<Finding> {
    const { signal } = this.#options;
    const not = (whyNot: string): Finding => {
      return { place: undefined, whyNot, facts: [], shown: undefined };
    };
    if (signal.aborted) throw new InterruptedError();
    try {
      const whyNot = await this.#whyNot(question);
      if (whyNot !== undefined) return not(whyNot);
      const { place, facts } = await this.#experiment(question, tell);
      return { place, whyNot: undefined, facts, shown: question.decide(new Found(facts)) };
    } catch (error) {
      if (signal.aborted || error instanceof InterruptedError) throw new InterruptedError();
      return not(`the experiment has failed (${messageOf(error)})`);
    }
  }

  async #whyNot(question: Question): Promise<string | undefined> {
    switch (question.on) {
      case "sockets":
        return await this.#whyNoSockets(question);
      case "servers":
        return question.modes.map((mode) => this.#options.servers.whyNot(mode))
          .find((whyNot) => whyNot !== undefined);
      case "process":
        return new ProcessStatus(process.pid).threads > 0
          ? undefined
          : "this system does not say how many threads a process has";
      default:
        return undefined;
    }
  }

  async #whyNoSockets({ needsOwnNetwork }: SocketQuestion): Promise<string | undefined> {
    const why = whyNoKernel();
    if (why !== undefined) return `it takes Linux with foreign functions, and ${why}`;
    if (needsOwnNetwork !== true) return undefined;
    const { refusal } = await this.#open();
    return refusal && `it takes a network of its own, and ${refusal.sentence}`;
  }

  async #experiment(
    question: Question,
    tell: Tell,
  ): Promise<Pick<Finding, "facts"> & { readonly place: Place }> {
    const { servers } = this.#options;
    if (question.on === "sockets") return await this.#perform(question, tell);
    const facts = await resultOf(question, servers);
    const beganUs = Math.floor(nowUs());
    for (const fact of facts) tell({ type: "fact", at: 0, ...fact }, beganUs);
    return { place: question.on, facts };
  }

  async #perform(
    question: SocketQuestion,
    tell: Tell,
  ): Promise<Pick<Finding, "facts"> & { readonly place: Place }> {
    const house = await this.#open();
    const facts: Fact[] = [];
    const beganUs = Math.floor(nowUs());
    await house.perform(playOf(question), {
      beganUs,
      pauseMs: 0,
      signal: this.#options.signal,
      tell: (event) => {
        if (event.type === "fact") facts.push(event);
        tell(event, beganUs);
      },
    });
    return { place: house.tier === "T2" ? "sandbox" : "here", facts };
  }

  #open(): Promise<Playhouse> {
    if (this.#house === undefined) {
      const { signal } = this.#options;
      this.#house = Playhouse.open({ role: QUIZ_ROLE, script: QUIZ_SCRIPT, signal });
      // Whoever needs it hears of it.
      this.#house.catch(() => {});
    }
    return this.#house;
  }

  /** Ends the sandbox. */
  async [Symbol.asyncDispose](): Promise<void> {
    const house = await this.#house?.catch(() => undefined);
    await house?.[Symbol.asyncDispose]();
  }
}

async function resultOf(
  question: Exclude<Question, SocketQuestion>,
  servers: Servers,
): Promise<readonly Fact[]> {
  return question.on === "servers"
    ? await (question satisfies ServerQuestion).run(servers)
    : await (question as ProcessQuestion).run();
}
