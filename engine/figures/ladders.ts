/**
 * What went to and fro between the two ends of each connection of a recording: segments, states and
 * calls in the order of time.
 *
 * @module
 */

import type { CallEvent, Event, PacketEvent, SocketEvent } from "../recording/events.ts";
import { inOrder, type Line } from "./lines.ts";

/** Something that one end did: its kernel has changed the state, or its program has made a call. */
export interface Said {
  readonly kind: "state" | "call";
  readonly text: string;
}

/** A segment on its way. */
export interface Segment {
  /** What it is there for. */
  readonly kind: "syn" | "fin" | "rst" | "data" | "plain";
  /** Its flags and how much it carries, in words. */
  readonly text: string;
  /** `right` is from the client to the server. */
  readonly way: "right" | "left";
  readonly isLost: boolean;
}

/** What happened at a moment. */
export interface Rung {
  /** When, in microseconds since the first of them. */
  readonly us: number;
  readonly client: readonly Said[];
  readonly server: readonly Said[];
  readonly segment: Segment | undefined;
}

/** A connection. */
export interface Ladder {
  readonly rungs: readonly Rung[];
  /** Whether segments were seen at all. */
  readonly hasSegments: boolean;
}

/** The flags in words, in the order in which they are said. */
const FLAGS: readonly (readonly [letter: string, word: string])[] = [
  ["S", "SYN"],
  ["F", "FIN"],
  ["R", "RST"],
  ["A", "ACK"],
];

/** The ends of a connection, by their addresses. */
interface Ends {
  readonly client: string;
  readonly server: string;
}

type Told = CallEvent | PacketEvent | SocketEvent;

/**
 * Finds the connections of a recording.
 *
 * @param lines the recording
 * @returns the connections in the order in which they began, without those of which nothing was told
 */
export function laddersOf(lines: readonly Line[]): readonly Ladder[] {
  const told = inOrder(lines).filter((line): line is Told =>
    line.type === "packet" || line.type === "socket" || line.type === "call"
  );
  const listening = new Set(
    lines.flatMap((line) => line.type === "listener" ? [line.local] : []),
  );
  const found = new Map<string, { readonly ends: Ends; readonly events: Told[] }>();
  for (const event of told) {
    const ends = endsOf(event, listening);
    if (ends === undefined) continue;
    const key = `${ends.client} ${ends.server}`;
    const known = found.get(key) ?? { ends, events: [] };
    found.set(key, known);
    known.events.push(event);
  }
  return [...found.values()].map(({ ends, events }) => ladderOf(ends, events))
    .filter(({ rungs }) => rungs.length > 0);
}

/** Which end is which; `undefined` if that is not known. */
function endsOf(event: Told, listening: ReadonlySet<string>): Ends | undefined {
  if (event.type === "packet") {
    const { from, to } = event;
    if (listening.has(to)) return { client: from, server: to };
    return listening.has(from) ? { client: to, server: from } : undefined;
  }
  const { local, remote, end } = event;
  if (local === undefined || remote === undefined) return undefined;
  const isServer = end === "server" || end === undefined && listening.has(local);
  return isServer ? { client: remote, server: local } : { client: local, server: remote };
}

function ladderOf({ client }: Ends, events: readonly Told[]): Ladder {
  const beganUs = events[0]?.at ?? 0;
  const states = new Map<string, string>();
  const rungs: Rung[] = [];
  for (const event of events) {
    const us = event.at - beganUs;
    if (event.type === "packet") {
      const segment = segmentOf(event, client);
      rungs.push({ us, client: [], server: [], segment });
      continue;
    }
    const side = event.local === client ? "client" : "server";
    const said = saidOf(event, side, states);
    if (said === undefined) continue;
    rungs.push({
      us,
      client: side === "client" ? [said] : [],
      server: side === "server" ? [said] : [],
      segment: undefined,
    });
  }
  return { rungs, hasSegments: rungs.some(({ segment }) => segment !== undefined) };
}

function segmentOf({ from, flags, length, lost }: PacketEvent, client: string): Segment {
  const words = FLAGS.filter(([letter]) => flags.includes(letter)).map(([, word]) => word);
  const bytes = length === 0 ? [] : [`${length} ${length === 1 ? "byte" : "bytes"}`];
  const kind = flags.includes("R")
    ? "rst"
    : flags.includes("S")
    ? "syn"
    : flags.includes("F")
    ? "fin"
    : length > 0
    ? "data"
    : "plain";
  return {
    kind,
    text: [...words, ...bytes].join(", "),
    way: from === client ? "right" : "left",
    isLost: lost === true,
  };
}

/** What an end did; `undefined` if it is no news. */
function saidOf(
  event: Extract<Event, { readonly type: "socket" | "call" }>,
  side: string,
  states: Map<string, string>,
): Said | undefined {
  if (event.type === "call") {
    const { call, returned, error } = event;
    const came = error ?? (returned === undefined ? "" : String(returned));
    return { kind: "call", text: came === "" ? `${call}()` : `${call}() = ${came}` };
  }
  const state = event.waiting === true ? `${event.state}, not accepted` : event.state;
  if (states.get(side) === state) return undefined;
  // A socket that was never seen has no end either.
  if (event.state === "CLOSE" && !states.has(side)) return undefined;
  states.set(side, state);
  return { kind: "state", text: state };
}
