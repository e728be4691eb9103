/**
 * The options that every mode's `serve` takes. They are checked and completed here, for all modes.
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
   * The protocol to speak: its name, or the path or URL of a module whose default export is a
   * protocol. A relative path starts at the current directory.
   *
   * @default {"hello"}
   */
  readonly protocol?: string | URL;
  /** How long one read may wait; 0 means for ever. By default the protocol decides. */
  readonly readTimeout?: Duration;
  /** How long a connection may last; 0 means for ever. By default the protocol decides. */
  readonly sessionTimeout?: Duration;
  /**
   * How long `hello` waits for the rest of a message without a line end; 0 turns this off.
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
   * How long a conversation waits for a computation; 0 means for ever.
   *
   * @default {"120s"}
   */
  readonly computeTimeout?: Duration;
  /**
   * How many connections are served or queued at a time; the others wait. 0 means no limit.
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
   * The path or URL of a file for the trace: the life of each connection and each computation, as
   * events that Perfetto opens. A relative path starts at the current directory.
   */
  readonly trace?: string | URL;
  /** Receives each message from a peer, escaped for a terminal. */
  readonly onReport?: (message: string) => void;
  /** Closes the server when it aborts. */
  readonly signal?: AbortSignal;
}

/** The complete options of a server: plain data, which can be posted to Workers. */
export interface ServiceSettings extends TimeLimits {
  /**
   * The location of the protocol, see `protocol_loader.ts`; only the name if the server has its
   * own.
   */
  readonly protocol: string;
  /** The protocol's own settings. */
  readonly protocolSettings: ProtocolSettings;
}

/** The checked options of a server. */
export interface CheckedOptions {
  /** The address to listen on. The host may still be a name. */
  readonly address: Address;
  /** The protocol to speak. */
  readonly protocol: ProtocolDefinition;
  /** What the server's threads need to know. */
  readonly settings: ServiceSettings;
  /** The most connections at a time; `Infinity` if there is no limit. */
  readonly maxConnections: number;
  /** How long `close` lets connections finish, in milliseconds. */
  readonly drainMs: number;
}

/**
 * Checks options and fills in what is missing.
 *
 * @param options the options from the caller
 * @param own the server's own protocol, if the caller cannot choose one
 * @throws {OptionError} that names the option, if one has a wrong value
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
 * When a bundler has put a program and this library into one file, a Worker runs the program from
 * its beginning. It would start a server, whose Workers would each start a server, without end.
 */
function refuseInThread(): void {
  const mode = modeOfThread();
  if (mode === undefined) return;
  throw new Error(
    `Cannot serve in a Worker of ${mode}: in one file with the library, serve in the main thread only`,
  );
}

/**
 * Checks the address to listen on.
 *
 * @param options the options from the caller
 * @param defaultPort the port if none is given
 * @throws {OptionError} if it is not an address to listen on
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
 * Checks a duration.
 *
 * @param name the option's name, for the message
 * @param value the value from the caller
 * @returns milliseconds
 * @throws {OptionError} if it is not a duration
 */
export function checkDuration(name: string, value: Duration): number {
  return checkQuantity(name, value, parseDuration);
}
