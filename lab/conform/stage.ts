/**
 * The server under test, and what has been found out about it so far.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import type { Conformance } from "../../protocols/conformance.ts";
import type { ProcessStatus } from "../../engine/process/process_status.ts";
import type { Caller } from "./caller.ts";

/** A server that is checked. */
export interface Target {
  /** Its numeric address. */
  readonly address: Address;
  /** Its name for people. */
  readonly name: string;
  /** What the system tells about its process, if the checker has started it. */
  readonly status?: ProcessStatus | undefined;
  /** What it has printed to standard output, as far as it is kept, if the checker has started it. */
  readonly output?: (() => string) | undefined;
  /** How its process has ended; `undefined` while it runs, or if that is not known. */
  readonly whyEnded?: (() => string | undefined) | undefined;
}

/** Everything that a case needs. */
export interface Stage {
  readonly target: Target;
  readonly caller: Caller;
  readonly conformance: Conformance;
  /** How long to wait when nothing comes, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends everything early. */
  readonly signal: AbortSignal;
  /** How many clients are served at once; 1 until it is known. */
  readonly clientsAtOnce: number;
}
