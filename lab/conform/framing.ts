/**
 * The ways in which a client can cut and join what it sends. TCP carries bytes and no messages, so a
 * server must take all of them alike.
 *
 * @module
 */

import type { Turn } from "../../protocols/conformance.ts";
import { bytesOf } from "./answer.ts";

/** A turn as it is played: what is sent is cut into the pieces of single writes. */
export interface Move extends Omit<Turn, "send"> {
  readonly pieces: readonly Uint8Array[];
}

/** A way to cut and join, and the conversations that it makes of one. */
export interface Framing {
  /** What it does, in a few words. */
  readonly name: string;
  /** The conversations to be held. */
  scripts(turns: readonly Turn[], repeats: boolean): readonly (readonly Move[])[];
}

/** How many places a conversation is cut at, at most. */
const MOST_CUTS = 64;

/** How often turns are repeated. */
const REPEATS = 3;

/** Each message as the definition has it. */
export const WHOLE: Framing = {
  name: "each message in one write",
  scripts: (turns) => [turns.map(whole)],
};

/** The framings of one connection and one client. The first one changes nothing. */
export const FRAMINGS: readonly Framing[] = [
  WHOLE,
  { name: "split at every position", scripts: splitEverywhere },
  { name: "a byte at a time", scripts: (turns) => [turns.map(bytewise)] },
  {
    name: "several requests on one connection",
    scripts: (turns, repeats) => repeats ? [repeat(turns).map(whole)] : [],
  },
  {
    name: "all in one write",
    scripts: (turns, repeats) => joined(repeats ? repeat(turns) : turns, false),
  },
  {
    name: "all in one write, and FIN behind it",
    scripts: (turns, repeats) => joined(repeats ? repeat(turns) : turns, true),
  },
];

function repeat(turns: readonly Turn[]): readonly Turn[] {
  return Array.from({ length: REPEATS }, () => turns).flat();
}

function whole({ send, ...turn }: Turn): Move {
  return { ...turn, pieces: send === undefined ? [] : [bytesOf(send)] };
}

function bytewise({ send, ...turn }: Turn): Move {
  const bytes = send === undefined ? new Uint8Array(0) : bytesOf(send);
  return { ...turn, pieces: Array.from(bytes, (byte) => Uint8Array.of(byte)) };
}

function splitEverywhere(turns: readonly Turn[]): Move[][] {
  const places = turns.flatMap(({ send }, index) =>
    send === undefined
      ? []
      : Array.from({ length: bytesOf(send).length - 1 }, (_, at) => [index, at + 1] as const)
  );
  const step = Math.max(1, places.length / MOST_CUTS);
  const chosen = Array.from(
    { length: Math.min(places.length, MOST_CUTS) },
    (_, index) => places[Math.floor(index * step)] as (typeof places)[number],
  );
  return chosen.map(([cut, at]) =>
    turns.map((turn, index) => {
      const move = whole(turn);
      const [bytes] = move.pieces;
      if (index !== cut || bytes === undefined) return move;
      return { ...move, pieces: [bytes.subarray(0, at), bytes.subarray(at)] };
    })
  );
}

/**
 * All that is sent goes at once, and then everything is awaited. If there is only one write anyway,
 * and no FIN behind it, that is nothing new.
 */
function joined(turns: readonly Turn[], finishes: boolean): Move[][] {
  const sent = turns.flatMap(({ send }) => send === undefined ? [] : [bytesOf(send)]);
  if (sent.length < 2 && !finishes) return [];
  if (turns.some(({ finish }) => finish === true)) return [];
  const first: Move = { pieces: [join(sent)], finish: finishes };
  return [[first, ...turns.map(({ send: _, ...turn }) => ({ ...turn, pieces: [] }))]];
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * Sends more bytes behind the last message, as a client does that has not noticed its mistake.
 *
 * @param turns the conversation
 * @param more what follows
 */
export function followedBy(turns: readonly Turn[], more: Uint8Array): Move[] {
  const moves = turns.map(whole);
  const last = moves.findLastIndex(({ pieces }) => pieces.length > 0);
  return moves.map((move, index) =>
    index === last ? { ...move, pieces: [join([...move.pieces, more])] } : move
  );
}

/**
 * A conversation in which each message goes with one write.
 *
 * @param turns the conversation
 */
export function asMoves(turns: readonly Turn[]): Move[] {
  return turns.map(whole);
}
