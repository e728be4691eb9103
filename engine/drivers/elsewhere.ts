/**
 * How a conversation waits for something outside its driver: work that another thread does, or an
 * event in the server.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";

/** A connection, as far as it tells who is at its other end. */
export interface Peer {
  /** The address. */
  readonly remoteAddress: Address;
}

/** A client who was introduced before the conversation began, by a proxy. */
export interface IntroducedPeer extends Peer {
  /** Whether bytes of the client have come already. */
  readonly hasSpoken: boolean;
}

/** A place outside the driver where work is done or events happen. */
export interface Elsewhere {
  /**
   * Begins an operation.
   *
   * @param what the name of the task or event
   * @param argument its argument
   * @param done called once, later, with the error or the result, but not after a cancellation
   * @param peer whose conversation waits, if somebody knows
   * @throws {Error} if the argument cannot be sent there
   */
  begin(
    what: string,
    argument: unknown,
    done: (error: unknown, result: unknown) => void,
    peer?: Peer,
  ): Operation;
}

/** An operation under way. */
export interface Operation {
  /** Cancels the operation, because nobody wants its result. */
  cancel(): void;
  /**
   * Lets all other operations go first, because perhaps nobody wants this result. It is missing
   * where operations do not wait for each other.
   */
  giveWay?(): void;
}
