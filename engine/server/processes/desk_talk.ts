/**
 * What the desk of a server with processes and its main thread tell each other.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import type { MailboxEnds } from "./mailbox.ts";

/** What a desk is given by its mode. */
export interface DeskData {
  /** The socket at which processes come. */
  readonly meeting: number;
  /** A socket over which the main thread says what it does: lines of JSON. */
  readonly commands: number;
  /** Where the desk says what it lacks: see {@linkcode WAITING} and {@linkcode MISSING}. */
  readonly figures: SharedArrayBuffer;
  /** Whether processes accept for themselves. */
  readonly accept: boolean;
  /**
   * How many accepted connections may wait for processes that are about to start. With 0 the desk
   * accepts only when a process waits.
   */
  readonly queue: number;
  /** How many clients may be here that have said nothing, if those need no process yet. */
  readonly silent: number;
  /** How many processes shall wait for connections, if they are started on demand. */
  readonly spare?: number;
}

/**
 * How many processes start at the same time: those that serve need the processors too, and so does the
 * desk, which has to let them in.
 */
export function startsTogether(): number {
  return Math.max(2, runtime.cpus);
}

/** The word that says how many connections wait at the desk. */
export const WAITING = 0;

/** The word that says how many more processes there should be. */
export const MISSING = 1;

/** What the main thread tells the desk. */
export type Command =
  | {
    readonly say: "started";
    readonly pid: number;
    readonly index: number;
    /** What the process has to do: a `ChildAssignment`. */
    readonly assignment: string;
    /** What goes with it. */
    readonly descriptors: readonly number[];
    /** Where it finds connections. From now on it belongs to the desk. */
    readonly mailbox: MailboxEnds;
  }
  | { readonly say: "gone"; readonly pid: number };

/** What the desk tells the main thread of a process. */
export interface ChildMessage {
  readonly kind: "child";
  readonly pid: number;
  /** One of `SAY`, or `UNWANTED`. */
  readonly say: number;
  readonly text: string;
}

/** What only the desk says of a process, beside what the process itself has said: it is not needed. */
export const UNWANTED = 0;
