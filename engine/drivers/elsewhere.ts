/**
 * What a conversation waits for and its driver does not do itself: it is done, or happens,
 * somewhere else.
 *
 * @module
 */

/** Where something is done, or happens, that conversations wait for. */
export interface Elsewhere {
  /**
   * Begins an operation.
   *
   * @param what its name
   * @param argument what it is about
   * @param done called once, later, with the error or the result; not if it was cancelled
   * @throws {Error} if the argument cannot be sent there
   */
  begin(
    what: string,
    argument: unknown,
    done: (error: unknown, result: unknown) => void,
  ): Operation;
}

/** An operation under way. */
export interface Operation {
  /** Nobody wants the result any more. */
  cancel(): void;
  /**
   * The result may not be wanted any more: everybody else's comes first. Left out where nobody has
   * to wait for the others.
   */
  giveWay?(): void;
}
