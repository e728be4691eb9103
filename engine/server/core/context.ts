/**
 * What a protocol can learn about its connection. Each fact is worked out only when it is asked
 * for.
 *
 * @module
 */

import type { Address, Context } from "../../../protocols/effects.ts";
import { failureBy } from "../../drivers/conversation.ts";
import { collectStrays } from "../../workers/strays.ts";

/** What somebody has asked for. */
interface Asked {
  peer?: Address;
  controller?: AbortController;
}

/**
 * The context of one conversation. Most protocols never look at it, and with ten thousand idle
 * conversations its size counts.
 */
export class LazyContext implements Context {
  readonly #connection: { readonly remoteAddress: Address };
  #asked: Asked | undefined;
  #over = false;

  /** @param connection knows the peer's address as long as it is open */
  constructor(connection: { readonly remoteAddress: Address }) {
    this.#connection = connection;
  }

  get peer(): Address {
    return (this.#asked ??= {}).peer ??= this.#connection.remoteAddress;
  }

  get signal(): AbortSignal {
    const controller = (this.#asked ??= {}).controller ??= new AbortController();
    if (this.#over) controller.abort();
    return controller.signal;
  }

  /**
   * The conversation is over.
   *
   * @returns what a listener of the signal has thrown, if one has
   */
  end(): unknown {
    this.#over = true;
    const controller = this.#asked?.controller;
    if (controller === undefined) return undefined;
    const errors = collectStrays(() => controller.abort());
    return errors.length === 0 ? undefined : failureBy(errors[0]);
  }
}
