/**
 * The ways in which a conversation can fail for the client, and the exit status of each.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { failureKind } from "../../protocols/errors.ts";
import { EXIT_FAILED, EXIT_NOT_CONNECTED, EXIT_TIMED_OUT } from "../cli/exit_status.ts";
import { ERRNO_TEXT } from "../net/constants.ts";
import type { Sockets } from "../net/sockets.ts";

/** Why a connection could not be made, in a word or two. */
export type ConnectFailureKind =
  | "refused"
  | "connected to itself"
  | "unreachable"
  | "name not found"
  | "no local port"
  | "no descriptor"
  | "connect timeout"
  | "not connected";

/** The connection could not be made. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  /** The name under which this failure is counted. */
  readonly kind: ConnectFailureKind;

  /**
   * @param kind the kind of failure
   * @param target the server, as users write it
   * @param detail why it failed, in words
   * @param options has the system's error as its `cause`
   */
  constructor(kind: ConnectFailureKind, target: string, detail: string, options?: ErrorOptions) {
    super(`Cannot connect to ${target}: ${detail}`, options);
    this.kind = kind;
  }
}

/** Connecting took longer than allowed. */
export class ConnectTimeoutError extends Error {
  override readonly name = "ConnectTimeoutError";
  /** The system uses this code when its own time for connecting has run out. */
  readonly code = "ETIMEDOUT";

  /** @param timeoutMs how long connecting was allowed to take, in milliseconds */
  constructor(timeoutMs: number) {
    super(`timed out after ${timeoutMs} ms`);
  }
}

/**
 * The connection has met itself. A socket that calls a port of its own machine may be given just this
 * port for its own end, and if nobody listens there, TCP connects the two: a simultaneous open
 * (RFC 9293, section 3.5).
 */
export class SelfConnectError extends Error {
  override readonly name = "SelfConnectError";

  /** @param address the address of both ends */
  constructor(address: Address) {
    super(
      `connected to itself: nobody listens there, and the system gave this end the same port ${address.port}`,
    );
  }
}

/**
 * Refuses a connection whose two ends are one.
 *
 * @param local the address of this end
 * @param remote the address of the other end
 * @throws {SelfConnectError} if both are the same
 */
export function refuseSelf(local: Address, remote: Address): void {
  if (local.port === 0 || local.port !== remote.port) return;
  if (local.hostname === remote.hostname) throw new SelfConnectError(local);
}

/**
 * Refuses a connection, by its descriptor, whose two ends are one.
 *
 * @param net the Berkeley calls
 * @param fd the connection
 * @param called the address that was called
 * @throws {SelfConnectError} if both ends are the same
 */
export function refuseSelfByDescriptor(net: Sockets, fd: number, called: Address): void {
  const local = net.localAddress(fd);
  // The other end is asked for only if it can be this one. It has another address than the one that
  // was called if that was 0.0.0.0.
  if (local.port === called.port && called.port !== 0) refuseSelf(local, net.peerAddress(fd));
}

/** The user at the terminal has interrupted. It does not count as a failure. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("Interrupted");
  }
}

/** The kinds of failure to connect, each with its codes. The most informative kind comes first. */
const CONNECT_CODES: readonly (readonly [ConnectFailureKind, readonly string[]])[] = [
  ["refused", ["ECONNREFUSED", "ECONNRESET", "ECONNABORTED"]],
  ["connected to itself", []],
  ["connect timeout", ["ETIMEDOUT"]],
  ["unreachable", ["EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN", "EAFNOSUPPORT"]],
  ["no local port", ["EADDRNOTAVAIL", "EADDRINUSE"]],
  ["no descriptor", ["EMFILE", "ENFILE"]],
];

const CONNECT_KINDS = CONNECT_CODES.map(([kind]) => kind);

/**
 * Explains an error of connecting to one address.
 *
 * @param error the error from a runtime or the system
 * @returns its kind, and an explanation in words
 */
export function explainConnectError(
  error: unknown,
): { kind: ConnectFailureKind; detail: string } {
  const { code, message } = error as { code?: unknown; message?: string };
  const [kind = "not connected"] =
    CONNECT_CODES.find(([, codes]) => codes.includes(code as string)) ?? [];
  if (error instanceof ConnectTimeoutError) return { kind, detail: message as string };
  if (error instanceof SelfConnectError) {
    return { kind: "connected to itself", detail: error.message };
  }
  const text = ERRNO_TEXT[code as string];
  if (text === undefined) return { kind, detail: String(message ?? error) };
  const hint = kind === "no local port" ? ": out of ephemeral ports?" : "";
  return { kind, detail: `${text} (${code as string})${hint}` };
}

/**
 * Picks the most informative kind of failure for a server with several addresses. A server that
 * refuses is there; one that does not answer may be there; one that is unreachable says only
 * something about the way.
 *
 * @param kinds at least one kind
 */
export function mostTelling(kinds: readonly ConnectFailureKind[]): ConnectFailureKind {
  return CONNECT_KINDS.find((kind) => kinds.includes(kind)) ?? "not connected";
}

/**
 * The name under which the client counts an error that a conversation threw.
 *
 * @param error the error
 */
export function clientFailureKind(error: unknown): string {
  return error instanceof ConnectError ? error.kind : failureKind(error);
}

/**
 * The exit status for a kind of failure.
 *
 * @param kind a kind that {@linkcode clientFailureKind} returned
 */
export function exitStatusOf(kind: string): number {
  if (kind.endsWith("timeout")) return EXIT_TIMED_OUT;
  const isConnect = kind === "name not found" || kind === "not connected" ||
    CONNECT_KINDS.some((connectKind) => connectKind === kind);
  return isConnect ? EXIT_NOT_CONNECTED : EXIT_FAILED;
}

/**
 * An error's message, on one line.
 *
 * @param error the error
 */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll("\n", " ");
}
