/**
 * What `serve` returns: the same small object in every mode.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { whyNoSockets } from "../../net/libc.ts";
import type { Counters } from "./counters.ts";
import {
  figuresOf,
  makeState,
  type OwnFigures,
  sayDraining,
  type StatisticsShare,
} from "./statistics_share.ts";
import { type Duration, parseDuration } from "../../values/durations.ts";
import type { Timeline } from "../trace/timeline.ts";
import type { Handover } from "./handover.ts";

/** How to close a server. */
export interface CloseOptions {
  /**
   * How long connections may take to finish; 0 ends them at once. The default is what `serve` was
   * given.
   */
  readonly drain?: Duration;
}

/** A server that is listening. Some servers count more than others. */
export interface Server<Count extends Counters = Counters> extends AsyncDisposable {
  /** The mode, for instance `threadpool`. */
  readonly mode: string;
  /** The address that it listens on. */
  readonly address: Address;
  /** The name of the protocol that it speaks. */
  readonly protocol: string;
  /** What people want to know about how it runs, for instance `4 workers`, `descriptors`. */
  readonly details: readonly string[];
  /** The current counters. */
  readonly counters: Count;
  /**
   * Where its figures lie in shared memory. It is plain data: post it to any thread of the process,
   * and read it there with `StatisticsReader`.
   */
  readonly statistics: StatisticsShare;
  /**
   * Resolves when nothing of the server is left, with the error if one ended it. It never rejects.
   */
  readonly closed: Promise<Error | undefined>;
  /**
   * Lets another process take the listener over; `undefined` where the runtime has the listener, as
   * in `event` and `cluster`.
   */
  readonly handover: Handover | undefined;
  /**
   * Accepts the connections in the accept queue, stops accepting, lets connections finish and ends
   * the rest. It may be called again; later calls wait for the first.
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
  /** What is recorded of the server, if anything is. It is closed after the server. */
  readonly timeline?: Timeline | undefined;
  /** Lets another process take the listener over, where that is possible. */
  readonly handover?: Handover | undefined;
  /** Reads the counters. */
  count(): Count;
  /** Where the counters lie: blocks one behind the other. */
  readonly counters: SharedArrayBuffer;
  /** Where the figures lie that not every server has. */
  readonly figures?: OwnFigures;
  /** Does what {@linkcode Server.close} promises. It is called once. */
  shutDown(drainMs: number): Promise<void>;
  /** Is called when the server is asked to close again while it is closing. */
  hasten?(drainMs: number): void;
}

/**
 * Makes a server from a mode's parts. It adds a `close` that runs once, a `closed` that stays
 * resolved, and disposal.
 *
 * @param parts the mode's parts
 */
export function makeServer<Count extends Counters>(parts: ServerParts<Count>): Server<Count> {
  const { promise: closed, resolve } = Promise.withResolvers<Error | undefined>();
  const state = makeState();
  let closing: Promise<void> | undefined;

  async function close(options: CloseOptions = {}): Promise<void> {
    const drainMs = options.drain === undefined ? parts.drainMs : parseDuration(options.drain);
    parts.signal?.removeEventListener("abort", onAbort);
    if (closing !== undefined) parts.hasten?.(drainMs);
    else parts.handover?.end();
    sayDraining(state);
    closing ??= shutDown(drainMs).then(
      () => resolve(undefined),
      (error) => {
        resolve(error);
        throw error;
      },
    );
    await closing;
  }
  async function shutDown(drainMs: number): Promise<void> {
    parts.timeline?.closing();
    try {
      await parts.shutDown(drainMs);
    } finally {
      await parts.timeline?.close();
    }
  }
  // Those who wait for `closed` get the error.
  const onAbort = () => void close().catch(() => {});
  parts.signal?.addEventListener("abort", onAbort, { once: true });
  if (parts.signal?.aborted) onAbort();

  const { mode, address, protocol, timeline } = parts;
  const details = [...parts.details, ...missing(parts.details)];
  const statistics = { ...parts.figures, address, counters: parts.counters, state };
  timeline?.listening({
    mode,
    protocol,
    details,
    address,
    statistics,
    count: () => figuresOf(parts.count(), parts.figures),
  });
  parts.handover?.begin(onAbort);
  return {
    mode,
    address,
    protocol,
    details,
    get counters() {
      return parts.count();
    },
    statistics,
    closed,
    handover: parts.handover,
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

/**
 * Says what a server cannot do without foreign calls, and why there are none, unless its details say
 * that already.
 */
function missing(details: readonly string[]): string[] {
  const why = whyNoSockets();
  if (why === undefined) return [];
  const what = "without keepalive's times, a drain that resets nobody, figures of the accept queue";
  return [details.some((detail) => detail.includes(why)) ? what : `${why}: ${what}`];
}
