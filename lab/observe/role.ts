/**
 * What the program does inside the sandbox: a role, and what a role has.
 *
 * @module
 */

/** What a role has. */
export interface RoleContext {
  /** The arguments that it was given outside. */
  readonly args: readonly string[];
  /** Aborts when the role is to end: nothing more will be said to it, or a signal has come. */
  readonly signal: AbortSignal;
  /**
   * Says something to the process outside.
   *
   * @param line what can be written as JSON
   */
  say(line: unknown): void;
  /**
   * Hears the next line from outside.
   *
   * @returns what it says; `undefined` if no more will come
   */
  hear(): Promise<unknown>;
}

/** What the program does inside. It returns the exit status. */
export type Role = (context: RoleContext) => Promise<number>;
