/**
 * How an event loop in another thread uses the pool of computing Workers: through a port.
 *
 * @module
 */

import type { Elsewhere, Operation, Peer } from "../../drivers/elsewhere.ts";
import { placeOf, thrownAt } from "../../values/places.ts";
import { describeError } from "../../values/thrown.ts";
import type { OffloadPool } from "./offload_pool.ts";
import type { TrackWriter } from "../trace/timeline_track.ts";

/** What the loop asks for. */
export type OffloadRequest =
  | {
    readonly kind: "begin";
    readonly id: number;
    readonly task: string;
    readonly argument: unknown;
    /** The number of the connection in the trace, if one is written. */
    readonly connection: number | undefined;
    /** The address of the host whose conversation waits. */
    readonly hostname: string | undefined;
  }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "giveWay"; readonly id: number };

/** The answer from the main thread. */
export interface OffloadAnswer {
  readonly kind: "computed";
  readonly id: number;
  /** The message of the error, if the computation failed. */
  readonly failure: string | undefined;
  /** Where in the protocol's module it was thrown, if that is known. */
  readonly place?: string | undefined;
  readonly result: unknown;
}

/** The loop's side. */
export class PortOffload implements Elsewhere {
  readonly #post: (request: OffloadRequest) => void;
  readonly #pending = new Map<number, (error: unknown, result: unknown) => void>();
  readonly #track: TrackWriter | undefined;
  #nextId = 1;

  /**
   * @param post sends a request to the main thread
   * @param track this thread's track, if a trace is written
   */
  constructor(post: (request: OffloadRequest) => void, track?: TrackWriter) {
    this.#post = post;
    this.#track = track;
  }

  begin(
    task: string,
    argument: unknown,
    done: (error: unknown, result: unknown) => void,
    peer?: Peer,
  ): Operation {
    const id = this.#nextId++;
    const connection = this.#track?.current;
    const hostname = peer?.remoteAddress.hostname;
    this.#post({ kind: "begin", id, task, argument, connection, hostname });
    this.#pending.set(id, done);
    return {
      cancel: () => {
        if (this.#pending.delete(id)) this.#post({ kind: "cancel", id });
      },
      giveWay: () => this.#post({ kind: "giveWay", id }),
    };
  }

  /** Handles an answer. */
  handle({ id, failure, place, result }: OffloadAnswer): void {
    const done = this.#pending.get(id);
    this.#pending.delete(id);
    if (failure === undefined) done?.(undefined, result);
    else done?.(thrownAt(new Error(failure), place), undefined);
  }
}

/** The main thread's side: it does what one loop asks for. */
export class OffloadClerk implements Disposable {
  readonly #offload: OffloadPool;
  readonly #answer: (answer: OffloadAnswer) => void;
  readonly #computations = new Map<number, Operation>();

  /**
   * @param offload the pool that computes
   * @param answer sends an answer to the loop
   */
  constructor(offload: OffloadPool, answer: (answer: OffloadAnswer) => void) {
    this.#offload = offload;
    this.#answer = answer;
  }

  /** Handles a request. */
  handle(request: OffloadRequest): void {
    const { id } = request;
    if (request.kind === "begin") {
      const { task, argument, connection, hostname = "" } = request;
      const peer = { remoteAddress: { hostname, port: 0 } };
      const computation = this.#offload.begin(
        task,
        argument,
        (error, result) => {
          this.#computations.delete(id);
          const failure = error === undefined ? undefined : describeError(error);
          this.#answer({ kind: "computed", id, failure, place: placeOf(error), result });
        },
        peer,
        connection,
      );
      this.#computations.set(id, computation);
    } else if (request.kind === "cancel") {
      this.#computations.get(id)?.cancel();
      this.#computations.delete(id);
    } else this.#computations.get(id)?.giveWay?.();
  }

  /** Cancels everything, because the loop is gone and nobody wants the results. */
  [Symbol.dispose](): void {
    for (const computation of this.#computations.values()) computation.cancel();
    this.#computations.clear();
  }
}
