/**
 * What a protocol is told about its connection, worked out only when it asks.
 *
 * @module
 */

import type { Address, Context } from "../../../protocols/effects.ts";

/** The context of one conversation; most protocols never look at it. */
export class LazyContext implements Context {
  readonly #connection: { readonly remoteAddress: Address };
  #peer: Address | undefined;
  #controller: AbortController | undefined;
  #over = false;

  /** @param connection knows the peer's address while it is open */
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

  /** The conversation is over. */
  end(): void {
    this.#over = true;
    this.#controller?.abort();
  }
}
