/**
 * The options that every mode's `serve` takes, checked and completed once for all of them.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import type { ProtocolDefinition, ProtocolSettings } from "../../../protocols/catalogue.ts";
import { stripBrackets } from "../../net/address.ts";
import type { TimeLimits } from "../../drivers/limits.ts";
import { type Duration, parseDuration } from "../../values/durations.ts";
import { checkInteger, checkQuantity, OptionError } from "../../values/checks.ts";
import { loadProtocol, locateProtocol } from "./protocol_loader.ts";
import { modeOfThread } from "./thread_names.ts";

export { OptionError };

/** How to serve. */
export interface ServeOptions {
  /**
   * The port to listen on; 0 picks a free one.
   *
   * @default {8080}
   */
  readonly port?: number;
  /**
   * The name or address to listen on.
   *
   * @default {"127.0.0.1"}
   */
  readonly host?: string;
  /**
   * What to speak: the name of a protocol, or the path or URL of a module that holds one as its
   * default export. A relative path starts at the current directory.
   *
   * @default {"hello"}
   */
  readonly protocol?: string | URL;
  /** How long one read may wait; 0 is for ever. By default the protocol decides. */
  readonly readTimeout?: Duration;
  /** How long a connection may last; 0 is for ever. By default the protocol decides. */
  readonly sessionTimeout?: Duration;
  /**
   * How long a message without a line end waits for more, in `hello`; 0 turns it off.
   *
   * @default {"20ms"}
   */
  readonly grace?: Duration;
  /**
   * Whether a frame that begins with `P` asks whether a number is prime, in `frame`.
   *
   * @default {true}
   */
  readonly prime?: boolean;
  /**
   * How long a conversation waits for a computation; 0 is for ever.
   *
   * @default {"120s"}
   */
  readonly computeTimeout?: Duration;
  /**
   * How many connections are served or queued at a time; the rest wait. 0 is any number.
   *
   * @default {0}
   */
  readonly maxConnections?: number;
  /**
   * How long `close` lets connections finish; 0 ends them at once.
   *
   * @default {"5s"}
   */
  readonly drain?: Duration;
  /**
   * A file into which the life of each connection and each computation is written, as events that
   * Perfetto opens: its path or URL. A relative path starts at the current directory.
   */
  readonly trace?: string | URL;
  /** Is told of each message received, escaped for a terminal. */
  readonly onReport?: (message: string) => void;
  /** Closes the server when it is aborted. */
  readonly signal?: AbortSignal;
}

/** The options of one server, complete. Plain data: it travels to Workers. */
export interface ServiceSettings extends TimeLimits {
  /** Where the protocol is found: see `protocol_loader.ts`. Of a server's own only its name. */
  readonly protocol: string;
  /** The protocol's own settings. */
  readonly protocolSettings: ProtocolSettings;
}

/** The checked options of a server. */
export interface CheckedOptions {
  /** Where to listen: the host may still be a name. */
  readonly address: Address;
  /** What it speaks. */
  readonly protocol: ProtocolDefinition;
  /** What its threads need to know. */
  readonly settings: ServiceSettings;
  /** The most connections at a time; `Infinity` without a limit. */
  readonly maxConnections: number;
  /** How long `close` lets connections finish, in milliseconds. */
  readonly drainMs: number;
}

/**
 * Checks options and fills in what is not given.
 *
 * @param options as the caller gave them
 * @param own what is spoken if it is not for the caller to choose
 * @throws {OptionError} if one is not what it may be, naming it
 * @throws {Error} in a Worker that a server has started
 */
export async function checkOptions(
  options: ServeOptions,
  own?: ProtocolDefinition,
): Promise<CheckedOptions> {
  refuseInThread();
  const location = own?.name ?? locateProtocol(options.protocol ?? "hello");
  const protocol = own ?? await loadProtocol(location);
  const maxConnections = checkInteger("maxConnections", options.maxConnections ?? 0, 0, 1e9);
  return {
    address: checkAddress(options, 8080),
    protocol,
    settings: {
      protocol: location,
      protocolSettings: {
        graceMs: checkDuration("grace", options.grace ?? 20),
        prime: options.prime ?? true,
      },
      readTimeoutMs: checkDuration("readTimeout", options.readTimeout ?? protocol.readTimeoutMs),
      sessionTimeoutMs: checkDuration(
        "sessionTimeout",
        options.sessionTimeout ?? protocol.sessionTimeoutMs,
      ),
      computeTimeoutMs: checkDuration("computeTimeout", options.computeTimeout ?? "120s"),
    },
    maxConnections: maxConnections === 0 ? Infinity : maxConnections,
    drainMs: checkDuration("drain", options.drain ?? "5s"),
  };
}

/**
 * Where a bundler has made one file of a program and this library, a Worker runs the program from
 * its beginning. It would start a server, whose Workers would start a server each, without end.
 */
function refuseInThread(): void {
  const mode = modeOfThread();
  if (mode === undefined) return;
  throw new Error(
    `Cannot serve in a Worker of ${mode}: in one file with the library, serve in the main thread only`,
  );
}

/**
 * Checks where to listen.
 *
 * @param options as the caller gave them
 * @param defaultPort where, if nothing is said
 * @throws {OptionError} if it is no place to listen on
 */
export function checkAddress(
  { host = "127.0.0.1", port }: Pick<ServeOptions, "host" | "port">,
  defaultPort: number,
): Address {
  const hostname = stripBrackets(host);
  if (hostname === "") throw new OptionError(`Cannot use host: expected a name or address, got ""`);
  return { hostname, port: checkInteger("port", port ?? defaultPort, 0, 65535) };
}

/**
 * Checks how long something may take.
 *
 * @param name the option's name, for the message
 * @param value what was given
 * @returns milliseconds
 * @throws {OptionError} if it is no duration
 */
export function checkDuration(name: string, value: Duration): number {
  return checkQuantity(name, value, parseDuration);
}
