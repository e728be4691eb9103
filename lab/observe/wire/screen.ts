/**
 * Draws the screen: what both ends are and will do, what is on the wire, what has happened, and what
 * each key does. It needs 72 columns and 20 rows, and no colour.
 *
 * @module
 */

import { wrap } from "../../../engine/cli/layout.ts";
import type { Event } from "../../../engine/recording/events.ts";
import { escapeText } from "../../../protocols/text.ts";
import { conversationsIn } from "../conversations.ts";
import { drawSequence } from "../sequence.ts";
import { packets, type View } from "./game.ts";
import { describeOutcome } from "./outcome.ts";
import type { WireOutcome } from "./play.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";
import { type EndView, nameOf, type PacketView, seconds } from "./words.ts";

/** The least size of a terminal. */
export const LEAST = { columns: 72, rows: 20 } as const;

/** What the screen shows. */
export interface Scene {
  /** What is played; `undefined` for a wire without a goal. */
  readonly scenario: Scenario | undefined;
  /** What the ends speak, if it is a protocol. */
  readonly protocol: string | undefined;
  /** The newest view; `undefined` until the first one has come. */
  readonly view: View | undefined;
  /** What has happened in this game: the events of its recording. */
  readonly events: readonly Event[];
  /** The hint that is shown. */
  readonly hint: string | undefined;
  /** The chosen slowness, in milliseconds. */
  readonly runMs: number;
  /** How it has ended; `undefined` while it goes on. */
  readonly outcome: WireOutcome | undefined;
  /** Whether there is another scenario after this one. */
  readonly hasNext: boolean;
}

/** The size of a terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The labels of the lines of an end. */
const LABELS: readonly (readonly [label: string, key: keyof EndView])[] = [
  ["state", "state"],
  ["timer", "timer"],
  ["stream", "numbers"],
  ["queue", "queues"],
];

/** The most packets of the wire that are shown. */
const MOST_WAITING = 4;

/** How many lines there are for what was said last, and at most for how it ended. */
const SAID = 3;
const MOST_SAID_AT_THE_END = 6;

/**
 * Draws the screen.
 *
 * @param scene what is on it
 * @param size how large it is
 * @returns as many lines as there are rows, none of them longer than the columns
 */
export function drawScreen(scene: Scene, size: Size): string[] {
  const { columns, rows } = size;
  const fit = (lines: readonly string[]) =>
    Array.from({ length: rows }, (_, row) => cut(lines[row] ?? "", columns));
  if (columns < LEAST.columns || rows < LEAST.rows) {
    return fit([
      `This screen needs ${LEAST.columns} columns and ${LEAST.rows} rows.`,
      `The terminal has ${columns} and ${rows}: make it larger, or press q.`,
    ]);
  }
  const { view } = scene;
  if (view === undefined) return fit(["", " The two ends are being started …"]);
  const head = [...drawHead(scene, view, columns), ...drawEnds(view, columns)];
  const keys = drawKeys(scene, view, columns);
  const said = drawSaid(scene, view, columns);
  const room = Math.max(0, rows - head.length - keys.length - said.length);
  const waiting = drawWire(view, columns, Math.max(2, Math.min(MOST_WAITING, room - 6)))
    .slice(0, room);
  const diagram = drawDiagram(scene.events, columns, room - waiting.length);
  // Whatever there is too much of, the keys are on the screen.
  const body = [...head, ...waiting, ...diagram, ...said].slice(0, rows - keys.length);
  return fit([...body, ...keys]);
}

function drawHead({ scenario, protocol }: Scene, { score }: View, columns: number): string[] {
  const kinds = score.lostKinds.length === 0 ? "" : ` (${score.lostKinds.join(", ")})`;
  const time = (score.ms / 1000).toFixed(0);
  const spent = ` ${packets(score.packets)} · ${score.lost} lost${kinds} · ${time} s `;
  const number = scenario === undefined ? 0 : SCENARIOS.indexOf(scenario) + 1;
  const title = scenario === undefined
    ? ` wire · both ends speak ${escapeText(protocol ?? "nothing")}`
    : ` ${number}/${SCENARIOS.length} ${scenario.name}: ${scenario.title}`;
  const goal = scenario === undefined
    ? "No goal: you are the wire. Do with each packet what you like."
    : `Goal: ${scenario.goal}`;
  return [
    cut(title, columns - spent.length).padEnd(columns - spent.length) + spent,
    ...wrap(goal, columns - 2).map((line) => ` ${line}`),
  ];
}

function drawEnds({ client, server }: View, columns: number): string[] {
  const width = Math.floor((columns - 3) / 2);
  const left = drawEnd("CLIENT", client, width);
  const right = drawEnd("SERVER", server, width);
  return [
    `${"─".repeat(width + 1)}┬${"─".repeat(columns - width - 2)}`,
    ...left.map((line, row) => ` ${line.padEnd(width)}│ ${right[row]}`),
    `${"─".repeat(width + 1)}┴${"─".repeat(columns - width - 2)}`,
  ];
}

function drawEnd(name: string, end: EndView, width: number): string[] {
  return [
    `${name} ${end.address}`,
    ...LABELS.map(([label, key]) => `${label.padEnd(7)} ${end[key] ?? "–"}`),
  ].map((line) => cut(escapeText(line), width));
}

function drawWire({ packets: all, runMs }: View, columns: number, most: number): string[] {
  const title = runMs === undefined
    ? all.length === 0 ? "nothing is on the wire" : "on the wire: the first one waits for your key"
    : `on the wire: each packet takes ${formatMs(runMs)}`;
  const shown = all.slice(0, most);
  const more = all.length - shown.length;
  return [
    `─ ${title}${more > 0 ? `, and ${more} more` : ""} `.padEnd(columns, "─"),
    ...shown.map((packet, index) => drawPacket(packet, index === 0, columns)),
  ];
}

function drawPacket(packet: PacketView, isFirst: boolean, columns: number): string {
  const { direction, kind, header, meaning, copies, dueMs } = packet;
  const arrow = direction === "to server" ? `${kind} ──▶ server` : `client ◀── ${kind}`;
  const mark = isFirst && dueMs === undefined ? "▶" : " ";
  const when = dueMs === undefined ? "" : `arrives in ${seconds(dueMs)}: `;
  const again = copies > 0 ? ` (sent ${copies + 1} times)` : "";
  const line = ` ${mark} ${arrow.padEnd(19)} ${when}${header}${again}`;
  const explained = `${line} · ${meaning}`;
  return explained.length <= columns ? explained : line;
}

function drawDiagram(events: readonly Event[], columns: number, room: number): string[] {
  if (room <= 0) return [];
  const title = "─ so far (in ms) ".padEnd(columns, "─");
  const [conversation] = conversationsIn(events);
  // The head of the drawing says what the title says.
  const lines = conversation === undefined
    ? []
    : drawSequence(conversation, { columns, milliseconds: true, brief: true }).slice(1);
  const shown = lines.slice(Math.max(0, lines.length - (room - 1)));
  return [title, ...shown, ...Array(Math.max(0, room - 1 - shown.length)).fill("")];
}

function drawSaid(scene: Scene, view: View, columns: number): string[] {
  const { outcome, hint, scenario } = scene;
  const width = columns - 2;
  const title = outcome === undefined
    ? hint === undefined ? "what has happened" : "hint"
    : outcome.won === undefined
    ? "over"
    : outcome.won
    ? "WON"
    : "LOST";
  const text = outcome !== undefined
    ? wrap(describeOutcome(outcome, scenario), width)
    : hint !== undefined
    ? wrap(hint, width)
    : lastSaid(view, width);
  return [
    `─ ${title} `.padEnd(columns, "─"),
    ...(outcome === undefined
      ? Array.from({ length: SAID }, (_, row) => ` ${text[row] ?? ""}`)
      : text.slice(0, MOST_SAID_AT_THE_END).map((line) => ` ${line}`)),
  ];
}

/** As many of the last sentences as there is room for. */
function lastSaid({ story, packets: all, score }: View, width: number): string[] {
  const [first] = all;
  // Until the first key is pressed, this is what a new player must know.
  const start = score.packets > 0 || first === undefined ? [] : wrap(
    `The ${first.direction === "to server" ? "client" : "server"} has sent ${
      first.kind === "ACK" ? "an" : "a"
    } ${nameOf(first)}. It ` +
      "stands on the wire, and you are the wire: press the space bar, and it arrives.",
    width,
  );
  let lines = start;
  const said: string[] = [];
  for (const sentence of story.toReversed()) {
    const more = wrap(`${escapeText(sentence)}.`, width);
    if (lines.length + more.length > SAID) break;
    said.unshift(...more);
    lines = [...start, ...said];
  }
  if (lines.length > 0) return lines;
  return ["Nothing is under way. A key below lets an end do something."];
}

function drawKeys(scene: Scene, view: View, columns: number): string[] {
  const words = keysOf(scene, view).map(([key, label]) => `${key} ${label}`);
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + word.length < columns) {
      lines[lines.length - 1] = `${last}  ${word}`;
    } else lines.push(` ${word}`);
  }
  return ["─".repeat(columns), ...lines];
}

/** The keys that do something now, and what. */
function keysOf(
  { scenario, outcome, runMs, hasNext }: Scene,
  view: View,
): (readonly [key: string, label: string])[] {
  if (outcome !== undefined) {
    const next = hasNext ? [["n", "next scenario"] as const] : [];
    return outcome.won === true ? [...next, AGAIN, QUIT] : [AGAIN, ...next, QUIT];
  }
  const hasHints = (scenario?.hints.length ?? 0) > 0;
  return [
    ["SPACE", "deliver"],
    ["l", "lose"],
    ["d", "double"],
    ["w", "1 s later"],
    ["o", "next one first"],
    ...(scenario?.actions ?? []).map(({ key, label }) => [key, label] as const),
    ["r", view.runMs === undefined ? `run: ${formatMs(runMs)} each` : "stop running"],
    ["+ -", "slowness"],
    ...(hasHints ? [["h", "hint"] as const] : []),
    AGAIN,
    QUIT,
  ];
}

const AGAIN = ["a", "again"] as const;
const QUIT = ["q", "quit"] as const;

function formatMs(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`;
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
