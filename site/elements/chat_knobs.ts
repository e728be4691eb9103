/**
 * The knobs of the playground of the chat, and the simulation that they stand for. Nothing here needs
 * a browser: the same settings give the same history anywhere.
 *
 * @module
 */

import { companyOf } from "../../lab/simulator/chat/members.ts";
import type { ChatSimulationOptions } from "../../lab/simulator/chat/simulate_chat.ts";
import type { DrawnKnob } from "./playground.ts";

/** The name of a knob. */
export type ChatKnobName =
  | "members"
  | "lines"
  | "sleeper"
  | "drop"
  | "outbox"
  | "delay"
  | "loss"
  | "seed";

/** How the knobs stand. */
export type ChatSettings = Readonly<Record<ChatKnobName, number>>;

/** A knob: a whole number from a range, or a switch that is 0 or 1. */
export interface ChatKnob extends DrawnKnob {
  readonly name: ChatKnobName;
  /** Where it stands at first. */
  readonly start: number;
}

/** All knobs, in the order of the page. */
export const CHAT_KNOBS: readonly ChatKnob[] = [
  { name: "members", label: "Users", unit: "", least: 2, most: 12, start: 4 },
  { name: "lines", label: "Lines of each", unit: "", least: 1, most: 12, start: 4 },
  { name: "sleeper", label: "The second one sleeps", unit: "", least: 0, most: 1, start: 0 },
  { name: "drop", label: "Leave lines out", unit: "", least: 0, most: 1, start: 0 },
  { name: "outbox", label: "Bound of a queue", unit: "KiB", least: 2, most: 16, start: 4 },
  { name: "delay", label: "Delay of the network", unit: "ms", least: 0, most: 20, start: 0 },
  { name: "loss", label: "Segments that are lost", unit: "%", least: 0, most: 50, start: 0 },
  { name: "seed", label: "Seed of what is chance", unit: "", least: 1, most: 999, start: 1 },
];

/** How many steps a history may have before the page gives up. */
const MOST_STEPS = 2_000_000;

/** How long a segment is under way at the least, in microseconds: as on one machine. */
const LEAST_DELAY_US = 10;

/** How much the kernels keep on the way to a user who does not read, in bytes. */
const BUFFER = 2_048;

/**
 * How the knobs stand at first.
 *
 * @param wanted where a page wants them; what a knob cannot be is brought into its range
 */
export function chatSettingsOf(
  wanted: Partial<ChatSettings> = {},
): ChatSettings {
  const values = CHAT_KNOBS.map(({ name, least, most, start }) => {
    const value = Math.round(wanted[name] ?? start);
    return [
      name,
      Number.isNaN(value) ? start : Math.min(most, Math.max(least, value)),
    ];
  });
  return Object.fromEntries(values) as ChatSettings;
}

/**
 * The simulation that settings stand for.
 *
 * @param settings how the knobs stand
 */
export function chatSimulationOf(
  settings: ChatSettings,
): ChatSimulationOptions {
  const { members, lines, sleeper, drop, outbox, delay, loss, seed } = settings;
  return {
    // All are there before the first one talks, wherever they come from.
    members: companyOf(seed, {
      members,
      lines,
      hasSleeper: sleeper === 1,
      waitsMs: 5 + 4 * delay,
    }),
    seed,
    slow: drop === 1 ? "drop" : "disconnect",
    outboxBytes: outbox * 1_024,
    path: {
      delayUs: Math.max(LEAST_DELAY_US, delay * 1_000),
      loss: loss / 100,
      buffer: BUFFER,
    },
    // Whoever is far away needs longer to come, and to hear the last line.
    closesAtMs: 100 + 20 * delay,
    drainMs: 20 + 4 * delay,
    mostSteps: MOST_STEPS,
  };
}
