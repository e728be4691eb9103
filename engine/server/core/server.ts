/**
 * What `serve` returns, the same small thing in every mode.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import type { Counters } from "./counters.ts";
import { type Duration, parseDuration } from "../../values/durations.ts";

/** How to close a server. */
export interface CloseOptions {
  /** How long connections may finish; 0 ends them at once. By default as `serve` was told. */
  readonly drain?: Duration;
}

/** A server that is listening. Some count more than others. */
export interface Server<Count extends Counters = Counters> extends AsyncDisposable {
  /** The mode, for instance `threadpool`. */
  readonly mode: string;
  /** Where it listens. */
  readonly address: Address;
  /** The name of the protocol that it speaks. */
  readonly protocol: string;
  /** What a person wants to know of how it runs, for instance `4 workers`, `descriptors`. */
  readonly details: readonly string[];
  /** The counters as they are now. */
  readonly counters: Count;
  /** Resolves when nothing of it is left, with the error if one ended it. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /**
   * Takes what waits in the accept queue, stops accepting, lets connections finish and ends the
   * rest. May be called again; later calls wait for the first.
   */
  close(options?: CloseOptions): Promise<void>;
}

/** What a mode tells {@linkcode makeServer}. */
export interface ServerParts<Count extends Counters = Counters> {
  readonly mode: string;
  readonly address: Address;
  readonly protocol: string;
  readonly details: readonly string[];
  readonly drainMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Reads the counters. */
  count(): Count;
  /** Does what {@linkcode Server.close} promises; called once. */
  shutDown(drainMs: number): Promise<void>;
  /** It is asked to close once more, while it is closing. */
  hasten?(drainMs: number): void;
}

/**
 * Makes a server of what a mode has set up: `close` once, `closed` for ever, disposal.
 *
 * @param parts the mode's own
 */
export function makeServer<Count extends Counters>(parts: ServerParts<Count>): Server<Count> {
  const { promise: closed, resolve } = Promise.withResolvers<Error | undefined>();
  let closing: Promise<void> | undefined;

  async function close(options: CloseOptions = {}): Promise<void> {
    const drainMs = options.drain === undefined ? parts.drainMs : parseDuration(options.drain);
    parts.signal?.removeEventListener("abort", onAbort);
    if (closing !== undefined) parts.hasten?.(drainMs);
    closing ??= parts.shutDown(drainMs).then(
      () => resolve(undefined),
      (error) => {
        resolve(error);
        throw error;
      },
    );
    await closing;
  }
  // An error is for whoever waits for `closed`.
  const onAbort = () => void close().catch(() => {});
  parts.signal?.addEventListener("abort", onAbort, { once: true });
  if (parts.signal?.aborted) onAbort();

  const { mode, address, protocol, details } = parts;
  return {
    mode,
    address,
    protocol,
    details,
    get counters() {
      return parts.count();
    },
    closed,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}
