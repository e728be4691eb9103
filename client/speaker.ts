/**
 * What `--protocol` chooses: who speaks a protocol for the command line.
 *
 * @module
 */

import type { TimeLimits } from "../engine/drivers/limits.ts";
import { EventDialer } from "../engine/dial/dialer.ts";
import { parseDuration } from "../engine/values/durations.ts";
import type { Flag, Form, Values } from "../engine/cli/flags.ts";
import type { Target } from "../engine/dial/target.ts";

/** One protocol of the client. */
export interface Speaker {
  /** What follows host and port. */
  readonly form: Form;
  /** The flags that not all protocols have. */
  readonly flags: readonly Flag[];
  /**
   * Converses with a server as the command line says, and prints what there is to print.
   *
   * @param values the command line's
   * @param target the server
   * @returns the exit status
   */
  run(values: Values, target: Target): Promise<number>;
}

/** How long one read waits when nothing else is said. */
export const TIMEOUT = "5s";

/**
 * The flag of the protocols that can be spoken by datagrams. One object: the help has it once.
 */
export const UDP_FLAG: Flag = {
  name: "udp",
  kind: "boolean",
  help: "in echo, print: by datagrams, one for each message",
};

/** How long one read may wait, in milliseconds; 0 is for ever. */
export function timeoutOf(values: Values, standard = TIMEOUT): number {
  return (values.timeout as number | undefined) ?? parseDuration(standard);
}

/**
 * A dialer that limits reads only.
 *
 * @param readTimeoutMs how long one may wait, in milliseconds; 0 is for ever
 * @param limits what else is limited
 */
export function makeEventDialer(
  readTimeoutMs: number,
  limits: Partial<TimeLimits> = {},
): EventDialer {
  return new EventDialer({ readTimeoutMs, sessionTimeoutMs: 0, computeTimeoutMs: 0, ...limits });
}
