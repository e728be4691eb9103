/**
 * What the thread that makes a connection and watches it is told, and what it tells.
 *
 * @module
 */

import type { Event } from "../../engine/recording/events.ts";
import type { Address } from "../../protocols/effects.ts";

/** What to do. It can be written as JSON, for it is also told to a process in the sandbox. */
export interface TimelinePlan {
  /** When the recording began, in whole microseconds since 1970. */
  readonly beganUs: number;
  /** The addresses of the server, to be tried one after the other. */
  readonly addresses: readonly Address[];
  /** How long connecting may take for all addresses together, in milliseconds; 0 is for ever. */
  readonly connectTimeoutMs: number;
  /** What to speak: the name of a protocol, or where its module is. Without it nothing is said. */
  readonly protocol?: string;
  /** How long a server that may speak first is waited for, in milliseconds. */
  readonly firstByteMs: number;
  /** How long the connection stays open afterwards, in milliseconds. */
  readonly stayMs: number;
  /** How long everything may take together, in milliseconds; 0 is for ever. */
  readonly forMs: number;
  /** Whether the connection is closed by RST and not by FIN. */
  readonly reset: boolean;
  /** Whether the bytes of the packets are wanted. */
  readonly wantsBytes: boolean;
}

/** How it has ended. */
export interface TimelineOutcome {
  /** What was connected to; absent if nothing was. */
  readonly connected?: Address;
  /** The first failure: its kind, by which the exit status is found, and what it says. */
  readonly failure?: { readonly kind: string; readonly detail: string };
  /** How often the state of this end was sampled. */
  readonly samples: number;
  /** The longest time between two samples around a change, in microseconds. */
  readonly worstUs: number;
}

/** The outcome for somebody who has ended it before it began. */
export const NOTHING_SEEN: TimelineOutcome = { samples: 0, worstUs: 0 };

/** What the thread tells. */
export type TimelineMessage =
  | {
    readonly kind: "seen";
    /** What was seen. */
    readonly event: Event;
    /** The packet itself in base64, if the event is one and its bytes are wanted. */
    readonly bytes?: string;
  }
  | { readonly kind: "outcome"; readonly outcome: TimelineOutcome };
