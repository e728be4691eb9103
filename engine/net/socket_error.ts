/**
 * The errors of Berkeley sockets: a call that failed, and a system that has no such calls.
 *
 * @module
 */

import { CONSTANTS, ERRNO_TEXT } from "./constants.ts";
import { runtime } from "./runtime.ts";

/** A call of the system failed. */
export class SocketError extends Error {
  /** The class's name. */
  override readonly name = "SocketError";
  /** The system's name for the error, for instance `EADDRINUSE`. */
  readonly code: string;
  /** The error's number on this system. */
  readonly errno: number;
  /** The call that failed. */
  readonly syscall: string;

  /**
   * Makes the error.
   *
   * @param syscall the call that failed
   * @param errno the error's number
   * @param what what it was called with, for instance `to 127.0.0.1:80`
   */
  constructor(syscall: string, errno: number, what = "") {
    const code = errorName(errno);
    const text = ERRNO_TEXT[code] ?? "system error";
    super(`Cannot ${syscall}${what === "" ? "" : ` ${what}`}: ${text} (${code})`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** Foreign functions, and with them Berkeley sockets, are not available here. */
export class SocketsUnavailableError extends Error {
  /** The class's name. */
  override readonly name = "SocketsUnavailableError";
  /** Why, in a few words, to be shown to a user. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param reason why, in a few words
   * @param options the loader's error as `cause`
   */
  constructor(reason: string, options?: ErrorOptions) {
    super(`Cannot use Berkeley sockets: ${reason}`, options);
    this.reason = reason;
  }
}

/**
 * Finds the name of an error number.
 *
 * @param errno the number on this system
 * @returns for instance `EADDRINUSE`, or `errno 999` if it has no name here
 */
export function errorName(errno: number): string {
  const numbers = CONSTANTS[runtime.os]?.errno ?? {};
  const entry = Object.entries(numbers).find(([, value]) => value === errno);
  return entry?.[0] ?? `errno ${errno}`;
}
