/**
 * The protocols by name: what `--protocol` can say and what a server must know to run each.
 *
 * @module
 */

import type { Context, Protocol } from "./effects.ts";
import { hello } from "./hello.ts";

/** What the command line or a caller can set of a protocol. Plain data: it travels to Workers. */
export interface ProtocolSettings {
  /** For `hello`: how long a message without a line end waits for more, in milliseconds. */
  readonly graceMs?: number;
}

/** A protocol as a server runs it. */
export interface ProtocolDefinition {
  /** The name in the `Listening on` line and in the log. */
  readonly name: string;
  /** One line for a person who chooses. */
  readonly summary: string;
  /** How long one read may wait when nothing else is said, in milliseconds; 0 is for ever. */
  readonly readTimeoutMs: number;
  /** How long a connection may last when nothing else is said, in milliseconds; 0 is for ever. */
  readonly sessionTimeoutMs: number;
  /** The CPU-bound work that the protocol can ask for, by name. */
  readonly tasks?: Tasks;
  /** Begins the server's side of one conversation. */
  serve(context: Context, settings: ProtocolSettings): Protocol;
}

/** CPU-bound work by name: each task takes a value that can be cloned, and returns one. */
export type Tasks = Readonly<Record<string, (argument: unknown) => unknown>>;

/** The protocols that come with the project. */
export const PROTOCOLS: Readonly<Record<string, ProtocolDefinition>> = {
  hello: {
    name: "hello",
    summary: "the three-step handshake: HELLO X, HELLO X+1, HELLO X+2",
    readTimeoutMs: 5_000,
    sessionTimeoutMs: 30_000,
    serve: (context, settings) => hello(context, settings),
  },
};

/**
 * Finds a protocol by its name.
 *
 * @param name a key of {@linkcode PROTOCOLS}
 * @returns its definition
 * @throws {RangeError} if there is none of that name
 */
export function findProtocol(name: string): ProtocolDefinition {
  const found = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(PROTOCOLS).join(", ");
  throw new RangeError(`Cannot find the protocol: expected ${known}, current value is "${name}"`);
}
