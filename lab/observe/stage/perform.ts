/**
 * Performs lessons and other plays: in the sandbox, or here where there is none.
 *
 * @module
 */

import { InterruptedError, messageOf } from "../../../engine/dial/failures.ts";
import { EXIT_DONE, EXIT_FAILED } from "../../../engine/cli/exit_status.ts";
import { sockets } from "../../../engine/net/sockets.ts";
import { nowUs } from "../../../engine/values/moment.ts";
import { type Event, roundUs, type Tier } from "../../../engine/recording/events.ts";
import { whyNoCapture } from "../capture.ts";
import { networkName } from "../network_name.ts";
import type { RoleContext } from "../role.ts";
import { Sandbox, SandboxError } from "../sandbox.ts";
import type { Refusal } from "../sandbox_signs.ts";
import type { Lesson, Play } from "./lesson.ts";
import { Stage, type StageOptions } from "./stage.ts";

/** The role of lessons in the sandbox. */
export const LESSON_ROLE = "lesson";

/** The longest time that a play may take, in milliseconds. */
export const LIMIT_MS = 20_000;

/** How a play is performed. */
export interface Performance {
  /** When the recording began, in whole microseconds since 1970. */
  readonly beganUs: number;
  /** How long people have to read each explanation, in milliseconds. */
  readonly pauseMs: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Hears what is seen. */
  readonly tell: (event: Event) => void;
}

/** How a lesson is performed. */
export interface LessonPerformance extends Performance {
  /** Hears which means there are, before anything is told. */
  readonly begin: (tier: Tier) => void;
}

/** What the role hears. */
interface Assignment {
  readonly play: string;
  readonly beganUs: number;
  readonly pauseMs: number;
  readonly outside: string;
}

/** What the role says. */
type Line =
  | { readonly kind: "seen"; readonly event: Event }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly message: string };

/** Who plays in the sandbox. */
export interface Company {
  /** The name of their role: see {@linkcode playRole}. */
  readonly role: string;
  /** The path of the script that has that role. @default {"lab/observe.ts"} */
  readonly script?: string;
  /** Ends everything early. */
  readonly signal: AbortSignal;
}

/** Where plays are performed one after another: in the sandbox, or here where there is none. */
export class Playhouse implements AsyncDisposable {
  /** Which means there are. */
  readonly tier: Tier;
  /** Why there is no sandbox. */
  readonly refusal: Refusal | undefined;
  readonly #company: Company;
  readonly #outside = networkName();
  #sandbox: Sandbox | undefined;

  private constructor(company: Company, sandbox: Sandbox | Refusal) {
    this.#company = company;
    if (sandbox instanceof Sandbox) {
      this.tier = "T2";
      this.#sandbox = sandbox;
    } else {
      this.tier = whyNoCapture(sockets()) === undefined ? "T1" : "T0";
      this.refusal = sandbox;
    }
  }

  /**
   * Looks whether there can be a sandbox, and opens it.
   *
   * @param company who plays there
   * @throws {InterruptedError} if it was ended early
   */
  static async open(company: Company): Promise<Playhouse> {
    try {
      return new Playhouse(company, await openSandbox(company));
    } catch (error) {
      if (!(error instanceof SandboxError)) throw error;
      // That says nothing about sandboxes.
      if (error.wasInterrupted || company.signal.aborted) throw new InterruptedError();
      return new Playhouse(company, error.refusal);
    }
  }

  /**
   * Performs a play.
   *
   * @param play the play
   * @param performance how
   * @throws {Error} if it cannot be performed; {@linkcode InterruptedError} if it was ended early
   */
  async perform(play: Play, performance: Performance): Promise<void> {
    if (this.tier !== "T2") return await performHere(play, this.tier, performance);
    // What has failed may have ended the sandbox of the play before this one.
    if (this.#sandbox?.isOver !== false) this.#sandbox = await openSandbox(this.#company);
    const sandbox = this.#sandbox;
    const { beganUs, pauseMs, signal, tell } = performance;
    const finish = () => sandbox.finish();
    signal.addEventListener("abort", finish, { once: true });
    sandbox.limitTo(LIMIT_MS);
    const outside = this.#outside;
    sandbox.say({ play: play.name, beganUs, pauseMs, outside } satisfies Assignment);
    if (signal.aborted) finish();
    try {
      for await (const line of sandbox.lines() as AsyncGenerator<Line>) {
        if (line.kind === "done") return;
        if (line.kind === "failed") throw new Error(line.message);
        tell(line.event);
      }
    } finally {
      signal.removeEventListener("abort", finish);
      sandbox.limitTo(Infinity);
    }
    throw new Error(`The sandbox ended too early: ${sandbox.lastWords}`);
  }

  /** Ends the sandbox. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox?.[Symbol.asyncDispose]();
  }
}

async function openSandbox({ role, script, signal }: Company): Promise<Sandbox> {
  return await Sandbox.open(role, { signal, ...(script !== undefined && { script }) });
}

/**
 * Performs a lesson.
 *
 * @param lesson the lesson
 * @param performance how
 * @throws {Error} if it cannot be performed; {@linkcode InterruptedError} if it was ended early
 */
export async function perform(lesson: Lesson, performance: LessonPerformance): Promise<void> {
  const { beganUs, signal, begin, tell } = performance;
  await using house = await Playhouse.open({ role: LESSON_ROLE, signal });
  const { tier, refusal } = house;
  begin(tier);
  if (refusal !== undefined) {
    const rest = tier === "T0"
      ? "The lesson goes on without packets: states and counters only."
      : "The lesson goes on outside, with the packets of the real loopback.";
    const whose = "The counters are the machine's: other programs move them too.";
    const text = `No sandbox: ${refusal.sentence}. ${rest} ${whose}`;
    tell({ type: "note", at: roundUs(nowUs() - beganUs), text });
  }
  await house.perform(lesson, performance);
}

/**
 * Performs a play without a sandbox.
 *
 * @param play the play
 * @param tier which means there are: T0 or T1
 * @param performance how
 */
export async function performHere(
  play: Play,
  tier: Tier,
  { beganUs, pauseMs, signal, tell }: Performance,
): Promise<void> {
  await performOn(play, { tier, beganUs, pauseMs, signal, tell, outside: networkName() });
}

async function performOn(play: Play, options: StageOptions): Promise<void> {
  using stage = new Stage(options);
  const facts = await play.run(stage);
  stage.look();
  for (const fact of facts ?? []) stage.tell({ type: "fact", at: stage.now(), ...fact });
}

/**
 * A role in the sandbox: it hears which plays, one after another, and tells what is seen.
 *
 * @param playOf finds a play by its name
 */
export function playRole(
  playOf: (name: string) => Play | undefined,
): (context: RoleContext) => Promise<number> {
  return async (context) => {
    const { signal } = context;
    const say = (line: Line) => context.say(line);
    const tell = (event: Event) => say({ kind: "seen", event });
    for (;;) {
      const assignment = await context.hear() as Assignment | undefined;
      if (assignment === undefined) return EXIT_DONE;
      const play = playOf(assignment.play);
      if (play === undefined) return EXIT_FAILED;
      try {
        await performOn(play, { tier: "T2", tell, signal, ...assignment });
        say({ kind: "done" });
      } catch (error) {
        say({ kind: "failed", message: messageOf(error) });
      }
    }
  };
}
