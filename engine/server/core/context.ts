/**
 * What a protocol can learn about its connection. Each fact is worked out only when it is asked
 * for.
 *
 * @module
 */

import type { Address, Context } from "../../../protocols/effects.ts";
import { failureBy } from "../../drivers/conversation.ts";
import { collectStrays } from "../../workers/strays.ts";

/** The context of one conversation. Most protocols never look at it. */
export class LazyContext implements Context {
  readonly #connection: { readonly remoteAddress: Address };
  #peer: Address | undefined;
  #controller: AbortController | undefined;
  #over = false;

  /** @param connection knows the peer's address as long as it is open */
  constructor(connection: { readonly remoteAddress: Address }) {
    this.#connection = connection;
  }

  get peer(): Address {
    return this.#peer ??= this.#connection.remoteAddress;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over) this.#controller.abort();
    return this.#controller.signal;
  }

  /**
   * The conversation is over.
   *
   * @returns what a listener of the signal has thrown, if one has
   */
  end(): unknown {
    this.#over = true;
    const controller = this.#controller;
    if (controller === undefined) return undefined;
    const errors = collectStrays(() => controller.abort());
    return errors.length === 0 ? undefined : failureBy(errors[0]);
  }
}
