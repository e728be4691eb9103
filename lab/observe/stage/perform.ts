/**
 * Performs a lesson: in the sandbox, or here where there is none.
 *
 * @module
 */

import { messageOf } from "../../../engine/dial/failures.ts";
import { EXIT_DONE, EXIT_FAILED } from "../../../engine/cli/exit_status.ts";
import { sockets } from "../../../engine/net/sockets.ts";
import { nowUs } from "../../../engine/values/moment.ts";
import { type Event, roundUs, type Tier } from "../../../engine/recording/events.ts";
import { whyNoCapture } from "../capture.ts";
import { networkName } from "../network_name.ts";
import type { RoleContext } from "../role.ts";
import { Sandbox, SandboxError } from "../sandbox.ts";
import type { Lesson } from "./lesson.ts";
import { Stage } from "./stage.ts";

/** The role of lessons in the sandbox. */
export const LESSON_ROLE = "lesson";

/** The longest time that a lesson may take, in milliseconds. */
export const LIMIT_MS = 20_000;

/** How a lesson is performed. */
export interface Performance {
  /** When the recording began, in whole microseconds since 1970. */
  readonly beganUs: number;
  /** How long people have to read each explanation, in milliseconds. */
  readonly pauseMs: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
  /** Hears which means there are, before anything is told. */
  readonly begin: (tier: Tier) => void;
  /** Hears what is seen. */
  readonly tell: (event: Event) => void;
}

/** What the role hears. */
interface Assignment {
  readonly lesson: string;
  readonly beganUs: number;
  readonly pauseMs: number;
  readonly outside: string;
}

/** What the role says. */
type Line =
  | { readonly kind: "seen"; readonly event: Event }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly message: string };

/**
 * Performs a lesson.
 *
 * @param lesson the lesson
 * @param performance how
 * @throws {Error} if it cannot be performed; {@linkcode InterruptedError} if it was ended early
 */
export async function perform(lesson: Lesson, performance: Performance): Promise<void> {
  const { beganUs, pauseMs, signal, begin, tell } = performance;
  let sandbox: Sandbox;
  try {
    sandbox = await Sandbox.open(LESSON_ROLE, { limitMs: LIMIT_MS });
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    const tier = whyNoCapture(sockets()) === undefined ? "T1" : "T0";
    begin(tier);
    const rest = tier === "T0"
      ? "The lesson goes on without packets: states and counters only."
      : "The lesson goes on outside, with the packets of the real loopback.";
    const whose = "The counters are the machine's: other programs move them too.";
    const text = `No sandbox: ${error.refusal.sentence}. ${rest} ${whose}`;
    tell({ type: "note", at: roundUs(nowUs() - beganUs), text });
    return await performHere(lesson, tier, performance);
  }
  await using _sandbox = sandbox;
  const finish = () => sandbox.finish();
  signal.addEventListener("abort", finish, { once: true });
  begin("T2");
  const { name } = lesson;
  const outside = networkName();
  sandbox.say({ lesson: name, beganUs, pauseMs, outside } satisfies Assignment);
  if (signal.aborted) finish();
  try {
    for await (const line of sandbox.lines() as AsyncGenerator<Line>) {
      if (line.kind === "done") return;
      if (line.kind === "failed") throw new Error(line.message);
      tell(line.event);
    }
  } finally {
    signal.removeEventListener("abort", finish);
  }
  throw new Error(`The sandbox ended too early: ${sandbox.lastWords}`);
}

/**
 * Performs a lesson without a sandbox.
 *
 * @param lesson the lesson
 * @param tier which means there are: T0 or T1
 * @param performance how
 */
export async function performHere(
  lesson: Lesson,
  tier: Tier,
  { beganUs, pauseMs, signal, tell }: Pick<Performance, "beganUs" | "pauseMs" | "signal" | "tell">,
): Promise<void> {
  using stage = new Stage({ tier, beganUs, pauseMs, signal, tell, outside: networkName() });
  await lesson.run(stage);
  stage.look();
}

/**
 * The role in the sandbox: it hears which lesson, and tells what is seen.
 *
 * @param lessonOf finds a lesson by its name
 */
export function lessonRole(
  lessonOf: (name: string) => Lesson | undefined,
): (context: RoleContext) => Promise<number> {
  return async (context) => {
    const assignment = await context.hear() as Assignment | undefined;
    if (assignment === undefined) return EXIT_DONE;
    const lesson = lessonOf(assignment.lesson);
    if (lesson === undefined) return EXIT_FAILED;
    const { signal } = context;
    const say = (line: Line) => context.say(line);
    try {
      const tell = (event: Event) => say({ kind: "seen", event });
      using stage = new Stage({ tier: "T2", tell, signal, ...assignment });
      await lesson.run(stage);
      stage.look();
    } catch (error) {
      say({ kind: "failed", message: messageOf(error) });
      return EXIT_FAILED;
    }
    say({ kind: "done" });
    return EXIT_DONE;
  };
}
