/**
 * A server: its name, its addresses, and a connection to it.
 *
 * @module
 */

// @ts-types="../types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import { formatAddress } from "../../protocols/address.ts";
import { escapeText } from "../../protocols/text.ts";
import { isUnix, stripBrackets, UNIX, whyNoUnix } from "../net/address.ts";
import { CONSTANTS, LINUX } from "../net/constants.ts";
import { HostNotFoundError, resolveHosts } from "../net/resolve.ts";
import { ZoneNotFoundError } from "../net/zones.ts";
import { runtime } from "../net/runtime.ts";
import { type Flag, UsageError, type Values } from "../cli/flags.ts";
import { type Option, valueOf } from "../cli/options.ts";
import { durationOption } from "../cli/quantity_options.ts";
import type { Duration } from "../values/durations.ts";
import type { Call, Dialer } from "./dialer.ts";
import {
  ConnectError,
  type ConnectFailureKind,
  explainConnectError,
  InterruptedError,
  messageOf,
  mostTelling,
} from "./failures.ts";

/** Receives each step when it is done. */
export type Tell = (step: string) => void;

/** How long connecting may take. */
export const CONNECT_TIMEOUT: Option<number, Duration> = durationOption("connectTimeout", {
  default: "10s",
  help: "how long connecting may take",
});

/** A server to call. */
export interface Target {
  /** Its name or address, without brackets. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** How long the lookup may take, and then connecting, in milliseconds; 0 means for ever. */
  readonly connectTimeoutMs: number;
  /** Only its addresses of IPv4 or of IPv6. @default both */
  readonly family?: 4 | 6 | undefined;
}

/**
 * The server that the command line names.
 *
 * @param values the command line's `host`, `port` and, if given, `connectTimeout`
 * @throws {UsageError} if the host is not a name
 */
export function targetOf(values: Values): Target {
  const host = stripBrackets(values.host as string);
  if (host === "") throw new UsageError("wrong value for <host>: expected a name");
  return {
    host,
    port: isUnix(host) ? requireUnix(host).port : values.port as number,
    connectTimeoutMs: valueOf(CONNECT_TIMEOUT, values),
  };
}

/** Makes sure that a host, `unix:` and what follows, can be that of a Unix domain socket. */
function requireUnix(host: string): { readonly host: string; readonly port: 0 } {
  const why = whyNoUnix(host, CONSTANTS[runtime.os] ?? LINUX);
  if (why === undefined) return { host, port: 0 };
  throw new UsageError(`wrong value for <server>: "${escapeText(host)}": ${why}`);
}

/** The argument that names a server's host. */
export const HOST_ARGUMENT: Flag = {
  name: "host",
  kind: "string",
  covers: UNIX,
  help: "name or address of the server; or unix:PATH, without a port",
};

/**
 * Reads an address that is one word.
 *
 * @param text `HOST:PORT`, with an IPv6 address in brackets, or `unix:PATH`
 * @param expected what the command takes, for the message
 * @throws {UsageError} if the text is not an address
 */
export function readServer(
  text: string,
  expected = "HOST:PORT",
): { readonly host: string; readonly port: number } {
  if (isUnix(text)) return requireUnix(text);
  const [, given = "", digits = ""] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  const host = stripBrackets(given);
  const port = Number(digits);
  const isBare = given.includes(":") && !given.startsWith("[");
  if (host === "" || isBare || port < 1 || port > 65535) {
    throw new UsageError(`wrong value for <server>: expected ${expected}, got "${text}"`);
  }
  return { host, port };
}

/**
 * Finds the addresses of a server.
 *
 * @param target the server
 * @param tell is called with what was found; optional
 * @returns numeric addresses, in the order in which to try them
 * @throws {ConnectError} if there is no address, or none was found in time
 */
export async function findAddresses(target: Target, tell?: Tell): Promise<readonly string[]> {
  const { host, connectTimeoutMs, family } = target;
  const found = resolveHosts(host, { family });
  try {
    const addresses = await (connectTimeoutMs > 0 ? deadline(found, connectTimeoutMs) : found);
    if (addresses[0] !== host) tell?.(`found ${escapeText(host)}: ${addresses.join(", ")}`);
    return addresses;
  } catch (cause) {
    throw explainLookupError(target, cause as Error);
  }
}

function explainLookupError(target: Target, cause: Error): ConnectError {
  const shown = showTarget(target);
  if (cause instanceof ZoneNotFoundError) {
    return new ConnectError("name not found", shown, cause.reason, { cause });
  }
  if (cause.name === "TimeoutError") {
    const detail = `timed out: its name was not found after ${target.connectTimeoutMs} ms`;
    return new ConnectError("connect timeout", shown, detail, { cause });
  }
  if ((cause.cause as { code?: unknown } | undefined)?.code === "EPERM") {
    // Only Deno throws this.
    const detail = "no permission to look its name up (--allow-net)";
    return new ConnectError("not connected", shown, detail, { cause });
  }
  return cause instanceof HostNotFoundError
    ? new ConnectError("name not found", shown, "name not found", { cause })
    : new ConnectError("not connected", shown, messageOf(cause), { cause });
}

/**
 * Connects. It tries one address after the other, each for an equal share of the time.
 *
 * @param dialer how to call
 * @param target the server
 * @param addresses its addresses; the first that answers is taken
 * @param tell is called with each step; optional
 * @throws {ConnectError} if no address accepts a connection
 * @throws {InterruptedError} if the dialer was interrupted
 */
export async function connect<Made extends Call>(
  dialer: Dialer<Made>,
  target: Target,
  addresses: readonly string[],
  tell?: Tell,
): Promise<Made> {
  const { port, connectTimeoutMs } = target;
  const failures: { kind: ConnectFailureKind; detail: string }[] = [];
  let cause: unknown;
  for (const hostname of addresses) {
    const address = { hostname, port };
    try {
      const call = await dialer.dial(address, connectTimeoutMs / addresses.length);
      tell?.(`connected to ${formatAddress(address)} from ${formatAddress(call.localAddress)}`);
      return call;
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      const failure = explainConnectError(error);
      tell?.(`could not connect to ${formatAddress(address)}: ${failure.detail}`);
      failures.push(failure);
      cause = error;
    }
  }
  const kind = mostTelling(failures.map((failure) => failure.kind));
  const details = failures.map(({ detail }) => detail);
  const shown = new Set(details).size === 1
    ? details[0] as string
    : details.map((detail, index) => `${addresses[index]} ${detail}`).join(", ");
  throw new ConnectError(kind, showTarget(target), shown, { cause });
}

function showTarget({ host, port }: Target): string {
  return escapeText(formatAddress({ hostname: host, port }));
}

/**
 * Explains a system error that occurred where nothing is connected, as over UDP.
 *
 * @param target the server
 * @param cause the error from the runtime
 */
export function connectErrorOf(target: Target, cause: unknown): ConnectError {
  const { kind, detail } = explainConnectError(cause);
  return new ConnectError(kind, showTarget(target), detail, { cause });
}
