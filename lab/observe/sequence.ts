/**
 * Draws connections as lines of text: how long each end was in each state, to scale, and the
 * packets as a sequence diagram with the states beside them. The client is on the left.
 *
 * @module
 */

import { wrap } from "../../engine/cli/layout.ts";
import type { Event, PacketEvent } from "../../engine/recording/events.ts";
import { escapeText } from "../../protocols/text.ts";
import { formatTime } from "../../engine/values/units.ts";
import {
  type ConnectionEnd,
  type Conversation,
  conversationsIn,
  type StateSpan,
} from "./conversations.ts";
import { type Count, describePacket, drawArrow } from "./packet_text.ts";

/** How to draw. */
export interface DrawOptions {
  /** How wide, in characters. @default {80} */
  readonly columns?: number;
  /** Whether sequence numbers are shown as they are, and not counted from the first. */
  readonly absolute?: boolean;
  /** Whether times are in milliseconds and not in microseconds, for what a person has made slow. */
  readonly milliseconds?: boolean;
  /** Whether each packet takes one line only, without what its options say. */
  readonly brief?: boolean;
  /** How many packets are drawn at most; from a long connection the middle is left out. */
  readonly most?: number;
}

/** The least width that everything fits into, in characters. */
const LEAST_COLUMNS = 72;

/** The width of the longest state, `ESTABLISHED`, in characters. */
const STATE_WIDTH = 11;

/** The width of a time in the diagram: nearly three hours in microseconds. */
const TIME_WIDTH = 10;

/**
 * Draws all connections of a recording.
 *
 * @param events its events, in any order
 * @param options how to draw
 * @returns lines without line ends
 */
export function drawConnections(events: readonly Event[], options: DrawOptions = {}): string[] {
  const drawings = conversationsIn(events).flatMap((conversation) => [
    drawStates(conversation, options),
    drawSequence(conversation, options),
  ]).filter((lines) => lines.length > 0);
  return drawings.flatMap((lines, index) => index === 0 ? lines : ["", ...lines]);
}

/**
 * Draws how long each end was in each state, both ends to one scale.
 *
 * @param conversation the connection
 * @param options how wide
 * @returns lines without line ends; none if no state lasted
 */
export function drawStates(conversation: Conversation, options: DrawOptions = {}): string[] {
  const { client, server, from } = conversation;
  const width = columnsOf(options) - 2 - STATE_WIDTH - 2 - 9 - 2;
  const end = endOfScale(conversation);
  const perColumn = Math.max(end - from, 1) / width;
  const used = new Set<string>();
  const draw = (name: string, { address, states }: ConnectionEnd): string[] => {
    const shown = states.filter(({ state }) => state !== "CLOSE");
    if (shown.length === 0) return [];
    const rows = shown.map((span) => {
      const bar = barOf(span, { from, end, perColumn, width });
      for (const sign of bar) used.add(sign);
      const time = span.keptUs ?? (span.to ?? end) - span.from;
      const state = escapeText(span.state).padEnd(STATE_WIDTH);
      return `  ${state}  ${formatTime(Math.round(time)).padStart(9)}  ${bar}`.trimEnd();
    });
    return [`${name} ${escapeText(address)}`, ...rows];
  };
  const rows = [...draw("client", client), ...draw("server", server)];
  if (rows.length === 0) return [];
  const legend = [
    `a column is ${formatTime(perColumn)}`,
    ...LEGEND.filter(([sign]) => used.has(sign)).map(([sign, text]) => `${sign} ${text}`),
  ];
  return [...rows, ...wrap(legend.join(" · "), columnsOf(options) - 2).map((line) => `  ${line}`)];
}

/** A state that is too short for the scale. */
const SHORT = "▏";

/** A state that the kernel keeps for longer than was looked. */
const KEPT = "▸";

/** A connection that waits to be accepted. */
const WAITING = "░";

/** What the signs mean that need it. */
const LEGEND: readonly (readonly [sign: string, text: string])[] = [
  [SHORT, "is shorter"],
  [WAITING, "waits to be accepted"],
  [KEPT, "is kept for so long, not to scale"],
];

/** How time becomes width. */
interface Scale {
  readonly from: number;
  readonly end: number;
  readonly perColumn: number;
  readonly width: number;
}

function barOf({ from, to, keptUs, waiting }: StateSpan, scale: Scale): string {
  const columnOf = (at: number) => (at - scale.from) / scale.perColumn;
  const first = Math.min(scale.width - 1, Math.max(0, Math.round(columnOf(from))));
  if (keptUs !== undefined) return " ".repeat(first) + KEPT;
  const last = Math.min(scale.width, Math.round(columnOf(to ?? scale.end)));
  return " ".repeat(first) +
    (last > first ? (waiting ? WAITING : "█").repeat(last - first) : SHORT);
}

/** TIME_WAIT lasts a minute and would leave no room for anything else, so it is not on the scale. */
function endOfScale({ client, server, from, to }: Conversation): number {
  const endOf = (span: StateSpan) => {
    if (span.keptUs !== undefined || span.state === "CLOSE") return span.from;
    return span.to ?? to;
  };
  const last = [client, server].flatMap(({ states }) => states.slice(-1));
  return Math.max(from, ...last.map(endOf));
}

/**
 * Draws the packets of a connection as a sequence diagram, with the states of the ends at its sides.
 *
 * @param conversation the connection
 * @param options how wide, and how numbers are shown
 * @returns lines without line ends; none if there are no packets
 */
export function drawSequence(conversation: Conversation, options: DrawOptions = {}): string[] {
  const { client, server, packets, from } = conversation;
  const { absolute = false, brief = false, milliseconds = false, most = 200 } = options;
  if (packets.length === 0) return [];
  const inner = columnsOf(options) - TIME_WIDTH - 1 - STATE_WIDTH - 3 - 1 - STATE_WIDTH;
  const row = (at: number | undefined, left: string, middle: string, right: string) => {
    const time = at === undefined ? "" : ((at - from) / (milliseconds ? 1000 : 1)).toFixed(1);
    return `${time.padStart(TIME_WIDTH)} ${left.padStart(STATE_WIDTH)} │${
      middle.padEnd(inner)
    }│ ${right}`.trimEnd();
  };
  const numbers = new Numbers(packets);
  const rows: { readonly at: number; readonly lines: readonly string[] }[] = [];
  const shown = new Set(withoutMiddle(packets, most));
  for (const packet of shown) {
    const isRight = packet.from === client.address;
    const [first = "", ...more] = describe(packet, numbers, absolute, inner - 5);
    rows.push({
      at: packet.at,
      lines: [
        row(
          packet.at,
          "",
          drawArrow(first, { isRight, isLost: packet.lost === true, width: inner }),
          "",
        ),
        ...(brief ? [] : more).map((text) => row(undefined, "", `   ${text}`, "")),
      ],
    });
  }
  const leftOut = packets.length - shown.size;
  if (leftOut > 0) {
    const at = (packets[Math.floor(most / 2)] as PacketEvent).at;
    rows.push({ at, lines: [row(undefined, "", `   … ${leftOut} packets more`, "")] });
  }
  for (const { state, from: at } of client.states) {
    rows.push({ at, lines: [row(at, escapeText(state), "", "")] });
  }
  for (const { state, from: at, waiting } of server.states) {
    // That a connection has been accepted is no new state.
    const isSame = !waiting && state === "ESTABLISHED" &&
      server.states.some((span) => span.to === at && span.state === state);
    rows.push({ at, lines: [row(at, "", "", isSame ? "(accepted)" : escapeText(state))] });
  }
  rows.sort((a, b) => a.at - b.at);
  const title = absolute ? "seq and ack are absolute" : "seq, ack: counted from each side's ISN";
  return [
    `${(milliseconds ? "ms" : "µs").padStart(TIME_WIDTH)} ${"client".padStart(STATE_WIDTH)} │${
      ` ${title}`.slice(0, inner).padEnd(inner)
    }│ server`,
    ...rows.flatMap(({ lines }) => lines),
  ];
}

function withoutMiddle<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  const half = Math.floor(most / 2);
  return [...items.slice(0, half), ...items.slice(items.length - (most - half))];
}

/** Where the numbers of each side begin. */
class Numbers {
  readonly #first = new Map<string, number>();

  constructor(packets: readonly PacketEvent[]) {
    for (const { from, seq, flags } of packets) {
      if (flags.includes("S") || !this.#first.has(from)) this.#first.set(from, seq);
    }
  }

  /** A number of one side, counted from that side's first number. */
  relative(side: string, number: number): number {
    return (number - (this.#first.get(side) ?? 0)) >>> 0;
  }
}

/** What stands at a packet: pieces that each fit into the width. */
function describe(
  packet: PacketEvent,
  numbers: Numbers,
  absolute: boolean,
  width: number,
): string[] {
  const count: Count = (side, number) => numbers.relative(side, number);
  const { head, options } = describePacket(packet, absolute ? undefined : count);
  return [...fill(head, width), ...fill(options, width)].map(escapeText);
}

/** Puts words into lines that are no longer than the width, unless one word is. */
function fill(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

function columnsOf({ columns = 80 }: DrawOptions): number {
  return Math.max(LEAST_COLUMNS, columns === Infinity ? 80 : columns);
}
