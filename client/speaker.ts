/**
 * What `--protocol` chooses: a speaker, which speaks one protocol for the command line.
 *
 * @module
 */

import type { TimeLimits } from "../engine/drivers/limits.ts";
import { EventDialer } from "../engine/dial/dialer.ts";
import { parseDuration } from "../engine/values/durations.ts";
import { type Flag, type Form, UsageError, type Values } from "../engine/cli/flags.ts";
import { isUnix } from "../engine/net/address.ts";
import type { Target } from "../engine/dial/target.ts";

/** One protocol of the client. */
export interface Speaker {
  /** The arguments that follow host and port. */
  readonly form: Form;
  /** The flags that not all protocols have. */
  readonly flags: readonly Flag[];
  /**
   * Converses with a server as the command line says, and prints the results.
   *
   * @param values the values of the command line
   * @param target the server
   * @returns the exit status
   */
  run(values: Values, target: Target): Promise<number>;
}

/** How long one read may wait by default. */
export const TIMEOUT = "5s";

/**
 * The flag of the protocols that can be spoken over datagrams. They share this one object, so that
 * the help lists the flag once.
 */
export const UDP_FLAG: Flag = {
  name: "udp",
  kind: "boolean",
  help: "in echo, print: send datagrams, one for each message",
};

/**
 * Refuses to send datagrams to a Unix domain socket.
 *
 * @param target the server
 * @throws {UsageError} if it is one
 */
export function refuseUnixUdp({ host }: Target): void {
  if (isUnix(host)) throw new UsageError("--udp needs a host and a port: UDP has no unix:PATH");
}

/** How long one read may wait, in milliseconds; 0 means no limit. */
export function timeoutOf(values: Values, standard = TIMEOUT): number {
  return (values.timeout as number | undefined) ?? parseDuration(standard);
}

/**
 * Makes a dialer that limits only reads.
 *
 * @param readTimeoutMs how long one read may wait, in milliseconds; 0 means no limit
 * @param limits further limits
 */
export function makeEventDialer(
  readTimeoutMs: number,
  limits: Partial<TimeLimits> = {},
): EventDialer {
  return new EventDialer({ readTimeoutMs, sessionTimeoutMs: 0, computeTimeoutMs: 0, ...limits });
}
