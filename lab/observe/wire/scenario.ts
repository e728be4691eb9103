/**
 * What a scenario is: where it begins, what is to be reached, and how the kernel's states decide.
 *
 * @module
 */

import type { TcpState } from "../../../engine/kernel/tcp_states.ts";
import type { EndState, Look } from "./look.ts";
import type { EndAction, EndName } from "./commands.ts";
import type { PacketKind } from "./wire.ts";

/** What the player has done so far. */
export interface Ledger {
  /** How many packets were decided about: delivered, lost or doubled. */
  readonly decided: number;
  /** How many of them were lost. */
  readonly lost: number;
  /** The kinds of those that were lost. */
  readonly lostKinds: ReadonlySet<PacketKind>;
  /** The kinds of those that were delivered two times. */
  readonly doubledKinds: ReadonlySet<PacketKind>;
}

/** What the states say about a scenario; `undefined` while it goes on. */
export type Verdict =
  | { readonly won: true }
  /** It cannot be won any more, and why: without the full stop. */
  | { readonly won: false; readonly why: string };

/** How the two ends begin. */
export type Beginning =
  /** The client sends its SYN to a server that listens. */
  | "connecting"
  /** The connection is open already. */
  | "open"
  /** Both connect to each other at the same time, and nobody listens. */
  | "crossing";

/** A scenario. */
export interface Scenario {
  /** Its name on the command line. */
  readonly name: string;
  /** What it is about, as a title. */
  readonly title: string;
  /** What is to be reached: a sentence. */
  readonly goal: string;
  /** What helps, from a nudge to the whole solution: sentences. */
  readonly hints: readonly string[];
  /** Why it is so: sentences that are shown at the end. */
  readonly moral: string;
  /** How the ends begin. */
  readonly begins: Beginning;
  /** How often a SYN is sent again. @default {20} */
  readonly synRetries?: number;
  /** How often a SYN-ACK is sent again. @default {20} */
  readonly synAckRetries?: number;
  /** The server's receive buffer, in bytes; without it, as the kernel has it. */
  readonly receiveBuffer?: number;
  /** Whether the server's program reads what comes. @default {true} */
  readonly serverReads?: boolean;
  /** What the ends may be told to do here, each with its key on the screen. */
  readonly actions: readonly Action[];
  /** How many packets the shortest way takes. */
  readonly least: number;
  /**
   * Decides.
   *
   * @param look both ends, as the kernel has just told
   * @param ledger what the player has done
   */
  judge(look: Look, ledger: Ledger): Verdict | undefined;
  /** A script that wins. */
  readonly win: string;
  /** A script that loses. */
  readonly lose: string;
}

/** What an end does when its key is pressed. */
export interface Action {
  /** The key. */
  readonly key: string;
  /** What is shown beside the key. */
  readonly label: string;
  /** Which end. */
  readonly end: EndName;
  /** What it does. */
  readonly action: EndAction;
  /** What it sends, each in a packet of its own. */
  readonly texts?: readonly string[];
}

/**
 * Whether an end is in one of some states.
 *
 * @param end the end
 * @param states the states
 */
export function isIn({ state }: EndState, ...states: readonly TcpState[]): boolean {
  return states.includes(state);
}
