/**
 * What the process in the sandbox is told, and what it tells.
 *
 * @module
 */

import type { Event } from "../../../engine/recording/events.ts";
import type { TcpState } from "../../../engine/kernel/tcp_states.ts";
import type { ScriptLine, WireCommand } from "./commands.ts";
import type { Score, View } from "./game.ts";

/** What to play. */
export interface Play {
  /** Its number, from 0: several can be played at the same time. */
  readonly game: number;
  /** The name of the scenario; absent for a wire without a goal. */
  readonly scenario?: string;
  /** Where the protocol is that both ends speak; without it, they do what they are told. */
  readonly protocol?: string;
  /** The script that plays; without it, commands are told. */
  readonly script?: readonly ScriptLine[];
  /** Whether to tell what happens: the events of a recording. */
  readonly wantsEvents: boolean;
  /** Whether to tell what a screen shows. */
  readonly wantsViews: boolean;
  /** How long it may take, in milliseconds. */
  readonly limitMs: number;
  /** How many packets the wire takes. */
  readonly mostPackets: number;
  /** When the recording began, in whole microseconds since 1970. */
  readonly beganUs: number;
}

/** What the process in the sandbox is told. */
export type Order =
  | { readonly kind: "play"; readonly play: Play }
  | { readonly kind: "do"; readonly game: number; readonly command: WireCommand }
  /** The game is over, as far as the player is concerned. */
  | { readonly kind: "leave"; readonly game: number };

/** How a game has ended. */
export interface WireOutcome {
  /** Whether it was won; absent if there was no goal and nothing has failed. */
  readonly won?: boolean;
  /** Why it was lost, or which limit has ended it: without the full stop. */
  readonly why?: string;
  /** The states of the ends, as the kernel told them at that moment. */
  readonly client: TcpState;
  readonly server: TcpState;
  /** How far it came. */
  readonly score: Score;
}

/** What the process in the sandbox tells. */
export type Report =
  | {
    readonly kind: "event";
    readonly game: number;
    readonly event: Event;
    /** Whether it is a packet that left the wire because nobody needed it any more. */
    readonly isSpare?: boolean;
  }
  | { readonly kind: "view"; readonly game: number; readonly view: View }
  | { readonly kind: "over"; readonly game: number; readonly outcome: WireOutcome }
  /** There can be no wire: one line. */
  | { readonly kind: "failed"; readonly message: string };
