/**
 * The boxes of a stage: of queues, threads and ends.
 *
 * @module
 */

import { formatCount, formatTime, formatWhole } from "../values/units.ts";
import { make } from "./element.ts";
import type { Dot, ThreadView } from "./scene.ts";
import { LONG_TURN_US } from "./thread.ts";
import { Places, type Rectangle, Slots } from "./wells.ts";

/** A box with a name. */
export interface Box {
  readonly root: HTMLElement;
  readonly count: HTMLElement;
  /** For whom those in it wait. */
  readonly whom: HTMLElement;
  readonly well: HTMLElement;
}

/** The box of a thread. */
export interface Card {
  readonly root: HTMLElement;
  readonly what: HTMLElement;
  readonly well: HTMLElement;
  readonly slots: Slots<Dot>;
  readonly places: Places;
  rectangle: Rectangle;
  /** Where the hand of a loop points, as an angle, and where it should. */
  angle: number;
  toAngle: number;
  turns: number;
}

/** How a connection ends. */
export type EndName = "closing" | "FIN" | "RST" | "unknown";

/** The names of the ends, and what they mean. */
export const END_NAMES: Readonly<Record<EndName, readonly [name: string, words: string]>> = {
  closing: ["Closing", "not over yet"],
  FIN: ["FIN", "ended in order"],
  RST: ["RST", "reset"],
  unknown: ["Over", "how is not told"],
};

/** Makes a box. @param name its classes @param title its name @param who whose it is */
export function box(name: string, title: string, who: string): Box {
  const count = make("p", { class: "count" });
  const whom = make("p", { class: "who whom" });
  const well = make("div", { class: "well" });
  const root = make("section", {
    class: `box ${name}`,
    children: [
      ...title === "" ? [] : [make("h3", { text: title })],
      ...who === "" ? [] : [make("p", { class: "who", text: who })],
      count,
      whom,
      well,
    ],
  });
  return { root, count, whom, well };
}

/** Makes the box of a thread. */
export function card({ number, name, isLoop, kind, turns }: ThreadView): Card {
  const what = make("p", { class: "what" });
  const well = make("div", { class: "well" });
  const root = make("div", {
    class: `card ${isLoop ? "loop" : kind}`,
    attributes: { "data-thread": String(number) },
    children: [make("h4", { text: name }), what, well],
  });
  return {
    ...{ root, what, well, turns, slots: new Slots<Dot>(), places: new Places() },
    angle: -Math.PI / 2,
    rectangle: { x: 0, y: 0, width: 1, height: 1 },
    toAngle: -Math.PI / 2,
  };
}

/** What a thread does, for its colour. */
export function stateOf({ activity, dots, isLoop }: ThreadView): string {
  if (activity?.what === "computing") return "computing";
  if (activity?.what === "writing") return "writing";
  return isLoop || dots.length === 0 ? "free" : "reading";
}

/** So many of something. */
export function plural(count: number, what: string): string {
  return `${formatWhole(count)} ${what}${count === 1 ? "" : "s"}`;
}

/**
 * What a thread does, in words.
 *
 * @param thread the thread @param us the moment @param nameOf names a connection
 */
export function wordsOf(
  { activity, dots, isLoop, turns, kind }: ThreadView,
  us: number,
  nameOf: (connection: number) => string,
): string {
  const forWhom = activity?.connection === undefined ? "" : ` for ${nameOf(activity.connection)}`;
  const since = activity === undefined ? "" : formatTime(Math.max(0, us - activity.sinceUs));
  if (activity?.what === "computing") {
    const task = activity.task === undefined ? "" : ` ${activity.task}`;
    return isLoop
      ? `stands still: computes${task}${forWhom} · ${since}`
      : `computes${task}${forWhom} · ${since}`;
  }
  if (isLoop && activity !== undefined && us - activity.sinceUs >= LONG_TURN_US) {
    return `stands still: a turn${forWhom} · ${since}`;
  }
  if (isLoop) {
    const served = plural(dots.length, "connection");
    return `${served} · ${formatCount(turns)} ${turns === 1 ? "turn" : "turns"}`;
  }
  if (kind === "computes") return "free";
  const [dot] = dots;
  if (dot === undefined) return "free";
  const name = dot.connection === undefined ? dot.peer : nameOf(dot.connection);
  return dot.doing === "writing"
    ? `waits until ${name} takes what was sent`
    : `waits for ${name} to send`;
}
