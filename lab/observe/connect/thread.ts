/**
 * The Worker that makes attempts, because its calls block: the main thread keeps the keys, the
 * signals and the time.
 *
 * @module
 */

import { sockets } from "../../../engine/net/sockets.ts";
import { SupervisedWorker } from "../../../engine/workers/supervised_worker.ts";
import { onAssigned } from "../../../engine/workers/worker_side.ts";
import { describeError } from "../../../engine/values/thrown.ts";
import { ClosingConnections } from "./closing_connections.ts";
import { DescriptorProber } from "./descriptor_prober.ts";
import { type Hop, PathTracer, type TraceRequest } from "./path_tracer.ts";
import type { Outcome, Prober, ProbeRequest } from "./probe.ts";

/** The name of the Worker. It names the command that an executable loads for it. */
const PROBE_THREAD = "handshake observe probing";

/** What the main thread asks for, one thing at a time. */
type ToThread =
  | { readonly kind: "probe"; readonly request: ProbeRequest }
  | { readonly kind: "trace"; readonly request: TraceRequest }
  | { readonly kind: "finish" };

/** What the Worker answers. */
type FromThread =
  | { readonly kind: "found"; readonly outcome: Outcome }
  | { readonly kind: "hops"; readonly hops: readonly Hop[] }
  | { readonly kind: "finishedClosing" }
  | { readonly kind: "failed"; readonly why: string };

onAssigned(PROBE_THREAD, (_assignment: null, post: (message: FromThread) => void) => {
  const net = sockets();
  const closing = new ClosingConnections(net);
  const prober = new DescriptorProber(net, closing);
  prober.warmUp();
  const tracer = new PathTracer(net, closing);
  const answer = (asked: ToThread): FromThread => {
    switch (asked.kind) {
      case "probe":
        return { kind: "found", outcome: prober.probe(asked.request) };
      case "trace":
        return { kind: "hops", hops: tracer.trace(asked.request) };
      case "finish":
        closing.linger();
        return { kind: "finishedClosing" };
    }
  };
  return Promise.resolve({
    hear(asked: ToThread) {
      const beganAt = performance.now();
      try {
        post(answer(asked));
      } catch (error) {
        return post({ kind: "failed", why: describeError(error) });
      }
      // The main thread has its answer now, and asks for more only when the next attempt is due.
      if (asked.kind === "probe") closing.linger(beganAt + asked.request.closeWithinMs);
    },
  });
});

/** Makes attempts in a Worker. */
export class ThreadProber implements Prober, Disposable {
  readonly #worker: SupervisedWorker<ToThread, FromThread>;
  #waiting: PromiseWithResolvers<FromThread> | undefined;

  private constructor() {
    const cannot = "Cannot probe";
    this.#worker = SupervisedWorker.start<ToThread, FromThread>({
      url: import.meta.url,
      name: PROBE_THREAD,
      assignment: null,
      cannotStart: cannot,
      died: `${cannot}: its thread died`,
      onMessage: (message) => {
        if (message.kind !== "failed") return this.#waiting?.resolve(message);
        this.#waiting?.reject(new Error(`${cannot}: ${message.why}`));
      },
      onGone: (error) => {
        if (error !== undefined) this.#waiting?.reject(error);
      },
    });
  }

  /** Starts the Worker, and waits until it is ready. */
  static async start(): Promise<ThreadProber> {
    const prober = new ThreadProber();
    await prober.#worker.ready;
    return prober;
  }

  /** Makes an attempt. */
  async probe(request: ProbeRequest): Promise<Outcome> {
    const { outcome } = await this.#ask({ kind: "probe", request }) as FromThread & {
      readonly kind: "found";
    };
    return outcome;
  }

  /**
   * Asks who is at some distances on the way.
   *
   * @param request the server and the distances
   */
  async trace(request: TraceRequest): Promise<readonly Hop[]> {
    const { hops } = await this.#ask({ kind: "trace", request }) as FromThread & {
      readonly kind: "hops";
    };
    return hops;
  }

  /** Waits until the last connections are closed. */
  async finish(): Promise<void> {
    await this.#ask({ kind: "finish" });
  }

  /** Ends the Worker. It must not be busy. */
  [Symbol.dispose](): void {
    this.#worker.end();
  }

  #ask(message: ToThread): Promise<FromThread> {
    this.#waiting = Promise.withResolvers<FromThread>();
    this.#worker.post(message);
    return this.#waiting.promise;
  }
}
