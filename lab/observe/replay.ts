/**
 * `observe replay`: shows a recording again, as fast as it happened or at another speed.
 *
 * @module
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { EXIT_DONE } from "../../engine/cli/exit_status.ts";
import { type Flag, UsageError, type Values } from "../../engine/cli/flags.ts";
import { formatRun } from "../../engine/cli/invocation.ts";
import { describeSystemError } from "../../engine/net/constants.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { LONGEST_MS } from "../../engine/values/durations.ts";
import type { Event, Header } from "../../engine/recording/events.ts";
import { readRecording, type Recording } from "../../engine/recording/read_recording.ts";
import { escapeText } from "../../protocols/text.ts";
import { encodeJson } from "../report/json_line.ts";
import { EventText } from "./event_text.ts";
import { LineOutput } from "./line_output.ts";
import { drawConnections } from "./sequence.ts";
import { say } from "./say.ts";
import { SCRIPT, type Subcommand } from "./subcommand.ts";

/** How fast something is shown that is shown at once. */
const MAX = "max";

/** How many lines are written together at most. */
const TOGETHER = 500;

const SPEED: Flag = {
  name: "speed",
  kind: "string",
  value: `N|${MAX}`,
  suggestions: ["1", "0.1", "10", MAX],
  default: `1 on a terminal, else ${MAX}`,
  help: "how many times as fast as it happened; max: all at once",
};

const JSON_LINES: Flag = {
  name: "json",
  kind: "boolean",
  help: "print the lines of the recording, in the order of time",
};

const DRAW: Flag = {
  name: "draw",
  kind: "boolean",
  help: "draw each connection: its states to scale, its packets as a sequence diagram",
};

/** The command that shows a recording. */
export function replay(): Subcommand {
  return {
    command: {
      name: "observe replay",
      summary: "show a recording again, at any speed",
      positionals: [{ name: "file", kind: "string", value: "FILE", help: "what --record wrote" }],
      required: 1,
      flags: [SPEED, JSON_LINES, DRAW],
      example: formatRun(SCRIPT, "replay pool.jsonl --speed 0.1"),
    },
    perform,
  };
}

async function perform(values: Values): Promise<number> {
  const speed = readSpeed(values.speed as string | undefined);
  const path = values.file as string;
  const source = escapeText(path);
  const text = readText(path, source);
  if (text.startsWith("[")) {
    throw new Error(
      `Cannot read ${source}: it is a trace: observe convert makes a recording of it`,
    );
  }
  const recording = readRecording(text, source);
  const output = new LineOutput();
  if (values.draw === true) await draw(recording, values, output);
  else if (values.json === true) await showJson(recording, speed, output);
  else await showText(recording, speed, output);
  return EXIT_DONE;
}

/**
 * The text of a file.
 *
 * @param path the path of the file
 * @param source the path as it is shown
 * @throws {Error} if it cannot be read; the message is one line
 */
export function readText(path: string, source: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const why = filesIn(path) ?? describeSystemError(cause);
    throw new Error(`Cannot read ${source}: ${why}`, { cause });
  }
}

/** How many files of a folder are named. */
const MOST_FILES = 12;

/** What is in a folder that could have been meant; `undefined` if it is none, or cannot be read. */
function filesIn(path: string): string | undefined {
  let names: readonly string[];
  try {
    if (!statSync(path).isDirectory()) return undefined;
    names = readdirSync(path).filter((name) => /\.jsonl?$/.test(name)).sort();
  } catch {
    // Then what has failed before says more.
    return undefined;
  }
  if (names.length === 0) return "it is a folder, and no recording is in it";
  const shown = names.slice(0, MOST_FILES).map((name) => escapeText(join(path, name)));
  const more = names.length > MOST_FILES ? `, and ${names.length - MOST_FILES} more` : "";
  return `it is a folder; name one of its files: ${shown.join(", ")}${more}`;
}

/** @returns how many times as fast; `Infinity` for all at once */
function readSpeed(text: string | undefined): number {
  if (text === undefined) return runtime.isTerminal("stdout") ? 1 : Infinity;
  if (text === MAX) return Infinity;
  const speed = /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
  if (speed > 0 && speed < Infinity) return speed;
  throw new UsageError(
    `wrong value for --speed: expected a number above 0 or ${MAX}, got "${escapeText(text)}"`,
  );
}

/** Draws what `observe timeline` draws. That has no speed. */
async function draw(recording: Recording, values: Values, output: LineOutput): Promise<void> {
  if (values.json === true || values.speed !== undefined) {
    throw new UsageError("--draw excludes --json and --speed");
  }
  const { header, events } = recording;
  const drawing = drawConnections(events, { columns: runtime.columns("stdout") });
  await output.write([
    escapeText(describeHeader(header, events)),
    "",
    ...drawing.length > 0 ? drawing : ["no states of sockets and no packets were recorded"],
    ...remarksOn(recording),
  ]);
}

async function showJson(recording: Recording, speed: number, output: LineOutput): Promise<void> {
  const { header, events } = recording;
  await output.write([encodeJson(header)]);
  await show(events, speed, output, encodeJson);
  // Standard output has nothing but the recording.
  for (const remark of remarksOn(recording)) {
    say(remark);
  }
}

async function showText(recording: Recording, speed: number, output: LineOutput): Promise<void> {
  const { header, events } = recording;
  const text = new EventText();
  await output.write([escapeText(describeHeader(header, events))]);
  await show(events, speed, output, (event) => text.describe(event));
  await output.write(remarksOn(recording));
}

/** What is missing in a recording, a sentence each. */
function remarksOn({ isCut, isFinished, unknown }: Recording): string[] {
  const remarks = [
    isCut && "the last line is cut and left out: its writer was killed, or still writes",
    !isCut && !isFinished && "the recording has no end: its writer was killed, or still writes",
    unknown > 0 && `lines left out because their types are not known here: ${unknown}`,
  ];
  return remarks.filter((remark) => remark !== false);
}

/** Shows events when they are due. */
async function show(
  events: readonly Event[],
  speed: number,
  output: LineOutput,
  describe: (event: Event) => string | undefined,
): Promise<void> {
  const beganAt = performance.now();
  const firstAt = events[0]?.at ?? 0;
  let lines: string[] = [];
  for (const event of events) {
    const dueAt = beganAt + (event.at - firstAt) / 1000 / speed;
    if (dueAt > performance.now() || lines.length >= TOGETHER) {
      await output.write(lines);
      lines = [];
      if (output.isGone) return;
      await sleepUntil(dueAt);
    }
    const line = describe(event);
    if (line !== undefined) lines.push(line);
  }
  await output.write(lines);
}

async function sleepUntil(dueAt: number): Promise<void> {
  for (let left; (left = dueAt - performance.now()) > 0;) {
    const ms = Math.min(left, LONGEST_MS);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** For instance `threadpool · deno 2.9.6 · linux · 2026-11-21 10:00:00 UTC · 1.250 s · 12 events`. */
function describeHeader(header: Header, events: readonly Event[]): string {
  const { by, runtime: name, os, tier, began_us } = header;
  const date = new Date(Math.floor(began_us / 1000));
  const began = Number.isNaN(date.getTime())
    ? `${began_us} µs after 1970`
    : `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const lastAt = events.reduce((last, event) => Math.max(last, event.at), 0);
  const parts = [by, name, os, ...(tier === undefined ? [] : [tier]), began];
  return [...parts, `${(lastAt / 1e6).toFixed(3)} s`, `${events.length} events`].join(" · ");
}
