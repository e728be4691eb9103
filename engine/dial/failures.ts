/**
 * The ways in which a conversation fails as the client sees them, and the exit status of each.
 *
 * @module
 */

import { failureKind } from "../../protocols/errors.ts";
import { EXIT_FAILED, EXIT_NOT_CONNECTED, EXIT_TIMED_OUT } from "../cli/exit_status.ts";
import { ERRNO_TEXT } from "../net/constants.ts";

/** Why a connection could not be made, in a word or two. */
export type ConnectFailureKind =
  | "refused"
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
   * @param kind why
   * @param target the server, as a person writes it
   * @param detail why, in words
   * @param options the system's error as `cause`
   */
  constructor(kind: ConnectFailureKind, target: string, detail: string, options?: ErrorOptions) {
    super(`Cannot connect to ${target}: ${detail}`, options);
    this.kind = kind;
  }
}

/** An attempt to connect took longer than it may. */
export class ConnectTimeoutError extends Error {
  override readonly name = "ConnectTimeoutError";
  /** As the system calls it when its own patience is at an end. */
  readonly code = "ETIMEDOUT";

  /** @param timeoutMs how long it was allowed to take, in milliseconds */
  constructor(timeoutMs: number) {
    super(`timed out after ${timeoutMs} ms`);
  }
}

/** The person at the terminal has had enough. No failure: it is not counted. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("Interrupted");
  }
}

/** The kinds of failure to connect, the most telling first, with the codes of each. */
const CONNECT_CODES: readonly (readonly [ConnectFailureKind, readonly string[]])[] = [
  ["refused", ["ECONNREFUSED", "ECONNRESET", "ECONNABORTED"]],
  ["connect timeout", ["ETIMEDOUT"]],
  ["unreachable", ["EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN", "EAFNOSUPPORT"]],
  ["no local port", ["EADDRNOTAVAIL", "EADDRINUSE"]],
  ["no descriptor", ["EMFILE", "ENFILE"]],
];

const CONNECT_KINDS = CONNECT_CODES.map(([kind]) => kind);

/**
 * What an error of connecting to one address means.
 *
 * @param error as a runtime or the system gave it
 * @returns its kind, and why in words
 */
export function explainConnectError(
  error: unknown,
): { kind: ConnectFailureKind; detail: string } {
  const { code, message } = error as { code?: unknown; message?: string };
  const [kind = "not connected"] =
    CONNECT_CODES.find(([, codes]) => codes.includes(code as string)) ?? [];
  if (error instanceof ConnectTimeoutError) return { kind, detail: message as string };
  const text = ERRNO_TEXT[code as string];
  if (text === undefined) return { kind, detail: String(message ?? error) };
  const hint = kind === "no local port" ? ": out of ephemeral ports?" : "";
  return { kind, detail: `${text} (${code as string})${hint}` };
}

/**
 * Of several kinds, one for each address of a server, the one that says most: who refuses is
 * there, who does not answer may be, who cannot be reached is a matter of the way.
 *
 * @param kinds at least one
 */
export function mostTelling(kinds: readonly ConnectFailureKind[]): ConnectFailureKind {
  return CONNECT_KINDS.find((kind) => kinds.includes(kind)) ?? "not connected";
}

/**
 * The name under which the client counts whatever a conversation threw.
 *
 * @param error what was thrown
 */
export function clientFailureKind(error: unknown): string {
  return error instanceof ConnectError ? error.kind : failureKind(error);
}

/**
 * The exit status for a kind of failure.
 *
 * @param kind as {@linkcode clientFailureKind} names it
 */
export function exitStatusOf(kind: string): number {
  if (kind.endsWith("timeout")) return EXIT_TIMED_OUT;
  const isConnect = kind === "name not found" || kind === "not connected" ||
    CONNECT_KINDS.some((connectKind) => connectKind === kind);
  return isConnect ? EXIT_NOT_CONNECTED : EXIT_FAILED;
}

/**
 * What an error says, on one line.
 *
 * @param error what was thrown
 */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll("\n", " ");
}
