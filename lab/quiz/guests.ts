/**
 * Clients that come to a server of this project, as an experiment wants them. They speak `frame`.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { frameClient, frameGreeting } from "../../protocols/frame.ts";
import { Input } from "../../protocols/input.ts";
import { EventDialer } from "../../engine/dial/dialer.ts";
import { askFrame, beSilent } from "../simulator/clients.ts";

/** How long a client waits for its server, in milliseconds. */
const PATIENCE_MS = 10_000;

const LIMITS = { readTimeoutMs: PATIENCE_MS, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

/** A client that was greeted, and stays. */
export interface Staying {
  /**
   * Asks something, and waits for the answer.
   *
   * @param content what stands between `^` and `$`
   * @returns the answer; fails if the connection is gone
   */
  ask(content: string): Promise<string>;
  /** Leaves. */
  leave(): void;
}

/** Clients of one server. */
export class Guests implements Disposable {
  readonly #dialer: EventDialer;
  readonly #address: Address;

  /**
   * @param address where the server listens
   * @param signal ends all conversations
   */
  constructor(address: Address, signal: AbortSignal) {
    this.#address = address;
    this.#dialer = new EventDialer(LIMITS, signal);
  }

  /**
   * One comes, asks, has its answer, and leaves.
   *
   * @param content what stands between `^` and `$`
   */
  async ask(content: string): Promise<string> {
    const call = await this.#dialer.dial(this.#address, PATIENCE_MS);
    return await call.converse(askFrame(content));
  }

  /**
   * One comes, says nothing, and leaves.
   *
   * @param ms after what time, in milliseconds
   */
  async beSilent(ms: number): Promise<void> {
    const call = await this.#dialer.dial(this.#address, PATIENCE_MS);
    await call.converse(beSilent(ms));
  }

  /** One comes, is greeted, and stays. */
  async stay(): Promise<Staying> {
    const call = await this.#dialer.dial(this.#address, PATIENCE_MS);
    const input = new Input();
    await call.exchange(frameGreeting(input));
    return {
      async ask(content) {
        const bytes = new TextEncoder().encode(content);
        return new TextDecoder().decode(await call.exchange(frameClient(input, bytes)));
      },
      leave: () => call.connection.close(),
    };
  }

  /** Ends what is left. */
  [Symbol.dispose](): void {
    this.#dialer[Symbol.dispose]();
  }
}
