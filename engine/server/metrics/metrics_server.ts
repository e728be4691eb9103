/**
 * Tells metrics over HTTP, from a thread of its own: `/metrics` for those who collect them, and
 * `/healthz` for load balancers.
 *
 * The thread shares nothing with the server but memory. So it answers while the server's loop is
 * stuck in a computation, and until the last connection has finished. Its own connections are none
 * of the server's.
 *
 * This file runs twice, as the file of a mode does: in the main thread, and in the Worker that it
 * starts from itself.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { HttpServer } from "../../http/http_server.ts";
import { isAnsweredBy, listenOrShare, type ToldPlace } from "../listening/shared_port.ts";
import type { HttpRequest, Resource } from "../../http/http.ts";
import { type HttpReply, sayInText } from "../../http/reply.ts";
import { describeError } from "../../values/thrown.ts";
import { hasRoomForWorker, whyNoRoomForWorker } from "../../workers/descriptor_limits.ts";
import { requireWorkers, SupervisedWorker } from "../../workers/supervised_worker.ts";
import { METRICS_THREAD } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";
import { readWords, type SharedPulses, type StatisticsShare } from "../core/statistics_share.ts";
import { steerAway } from "../listening/steer_away.ts";
import { LagReader } from "../statistics/heartbeat.ts";
import { countOverflows } from "../statistics/listener_figures.ts";
import { StatisticsReader } from "../statistics/statistics_reader.ts";
import { chooseFormat, CONTENT_TYPES, formatMetrics } from "./exposition.ts";
import { ProcessFigures } from "./process_figures.ts";
import { type About, LAG_WINDOW_MS, metricsOf } from "./server_metrics.ts";

/** How often the lag of loops is read, in milliseconds. */
const LAG_EVERY_MS = 1_000;

/** How long the end of the thread is waited for, in milliseconds. */
const CLOSE_MS = 1_000;

/** The first message to the thread. */
interface MetricsAssignment {
  readonly address: Address;
  readonly shares: MetricsOptions["shares"];
  /** A word that is 1 once another process tells whether it takes clients, in place of this one. */
  readonly left: SharedArrayBuffer;
}

/** The messages that follow. */
type Order =
  | { readonly kind: "listen"; readonly predecessor: ToldPlace | undefined }
  | { readonly kind: "tell"; readonly share: StatisticsShare; readonly about: About }
  | { readonly kind: "stop" };

/** What the thread says. */
type Report =
  | { readonly kind: "listening"; readonly address: Address }
  | { readonly kind: "cannotListen"; readonly why: string }
  | { readonly kind: "mistake"; readonly error: string };

onAssigned(
  METRICS_THREAD,
  async ({ address, shares, left }: MetricsAssignment, post: (report: Report) => void) => {
    // The server does not listen yet.
    const teller = new Teller(countOverflows(), left);
    const told = Promise.withResolvers<void>();
    const stopped = Promise.withResolvers<void>();
    const failed = (error: unknown) => post({ kind: "mistake", error: describeError(error) });
    let server: HttpServer | undefined;
    const listen = async (shares: MetricsOptions["shares"], opens?: Promise<void>) => {
      server = await HttpServer.listen({
        address,
        shares,
        site: teller,
        onMistake: failed,
        ...(opens !== undefined && { opens }),
      });
    };
    // Until this server takes over, those who ask get their answers from the one that serves.
    const share = shares === "now"
      ? await listenOrShare(address, () => listen("later"))
      : void await listen(shares);
    const sayListening = () => {
      if (server !== undefined) post({ kind: "listening", address: server.address });
    };
    const listenLate = async (predecessor: ToldPlace | undefined) => {
      if (server !== undefined) return sayListening();
      try {
        share?.requireFrom(predecessor);
        await listen("now", told.promise);
        sayListening();
      } catch (error) {
        post({ kind: "cannotListen", why: describeError(error) });
      } finally {
        share?.[Symbol.dispose]();
      }
    };
    return {
      hear(order: Order) {
        if (order.kind === "listen") return void listenLate(order.predecessor);
        if (order.kind === "stop") return stopped.resolve();
        teller.begin(order.share, order.about);
        told.resolve();
      },
      async play(sayReady) {
        sayListening();
        sayReady();
        await stopped.promise;
        // Whoever waits is let in, and then let go.
        told.resolve();
        if (server !== undefined && isLeft(left)) await steerAway(server.descriptor);
        await server?.close();
        teller[Symbol.dispose]();
      },
    };
  },
);

/** Whether another process tells whether it takes clients: see {@linkcode MetricsAssignment}. */
function isLeft(left: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(left), 0) === 1;
}

/** What is told about one server. */
class Teller implements Disposable {
  readonly #overflowsBefore: number | undefined;
  readonly #left: SharedArrayBuffer;
  readonly #process = new ProcessFigures();
  #reader: StatisticsReader | undefined;
  #lags: LagWindow | undefined;
  #about: About = {};
  #processes: SharedPulses | undefined;
  readonly #resources: Readonly<Record<string, Resource>> = {
    "/metrics": { GET: (request) => this.#metrics(request) },
    "/healthz": { GET: () => this.#health() },
    "/": { GET: () => sayInText(200, "/metrics\n/healthz") },
  };

  /**
   * @param overflowsBefore the overflows of accept queues that are not told
   * @param left see {@linkcode MetricsAssignment}
   */
  constructor(overflowsBefore: number | undefined, left: SharedArrayBuffer) {
    this.#overflowsBefore = overflowsBefore;
    this.#left = left;
  }

  find(path: string): Resource | undefined {
    return Object.hasOwn(this.#resources, path) ? this.#resources[path] : undefined;
  }

  /** The server listens. */
  begin(share: StatisticsShare, about: About): void {
    this.#reader = new StatisticsReader(share, this.#overflowsBefore);
    this.#lags = share.beats && new LagWindow(share.beats);
    this.#about = about;
    this.#processes = share.processes;
  }

  #metrics({ fields }: HttpRequest): HttpReply {
    const reader = this.#reader;
    if (reader === undefined) return starting();
    const format = chooseFormat(fields.get("accept"));
    const metrics = metricsOf({
      about: this.#about,
      statistics: reader.read(),
      lagMs: this.#lags?.longest(),
      process: this.#process.read(),
      processesCpuSeconds: this.#processes &&
        this.#process.cpuSecondsOf(readWords(this.#processes)),
    });
    return {
      fields: { "Content-Type": CONTENT_TYPES[format], Vary: "Accept" },
      content: formatMetrics(metrics, format),
    };
  }

  #health(): HttpReply {
    // The one that has taken over takes them, at the same address.
    if (isLeft(this.#left)) return sayInText(200, "ok");
    const reader = this.#reader;
    if (reader === undefined) return starting();
    return reader.isDraining ? sayInText(503, "draining") : sayInText(200, "ok");
  }

  [Symbol.dispose](): void {
    this.#reader?.[Symbol.dispose]();
    this.#lags?.[Symbol.dispose]();
    this.#process[Symbol.dispose]();
  }
}

function starting(): HttpReply {
  return sayInText(503, "starting");
}

/** The longest lag within a while, however often it is asked for. */
class LagWindow implements Disposable {
  readonly #reader: LagReader;
  readonly #timer: ReturnType<typeof setInterval>;
  /** The longest lags of the last stretches of time, the newest last. */
  readonly #lags: number[] = [];
  #now: number | undefined;

  constructor(beats: SharedArrayBuffer) {
    this.#reader = new LagReader(beats);
    this.#timer = setInterval(() => this.#turn(), LAG_EVERY_MS);
  }

  /** @returns milliseconds; `undefined` if no loop beats */
  longest(): number | undefined {
    this.#read();
    return this.#now === undefined ? undefined : Math.max(this.#now, ...this.#lags);
  }

  #read(): void {
    const lag = this.#reader.read();
    this.#now = lag === undefined ? undefined : Math.max(lag, this.#now ?? 0);
  }

  #turn(): void {
    this.#read();
    this.#lags.push(this.#now ?? 0);
    this.#now = this.#now === undefined ? undefined : 0;
    if (this.#lags.length > LAG_WINDOW_MS / LAG_EVERY_MS) this.#lags.shift();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** How to tell metrics. */
export interface MetricsOptions {
  /** Where to listen. */
  readonly address: Address;
  /**
   * With whom the port is shared: `later` with a process that takes this server's listener over, or
   * `now` with the one from which this process takes it over. By default with nobody.
   */
  readonly shares?: "later" | "now" | undefined;
  /** Is told, in words, of what goes wrong while the server runs. */
  readonly onError?: (message: string) => void;
}

/** Tells the metrics of a server: the main thread's side. */
export class MetricsServer implements AsyncDisposable {
  readonly #worker: SupervisedWorker<Order, Report>;
  readonly #left = new SharedArrayBuffer(4);
  #address: Address;
  #listening: PromiseWithResolvers<void> | undefined;
  #isGone = false;

  private constructor({ address, shares, onError }: MetricsOptions) {
    this.#address = address;
    this.#worker = SupervisedWorker.start<Order, Report>({
      url: import.meta.url,
      name: METRICS_THREAD,
      assignment: { address, shares, left: this.#left } satisfies MetricsAssignment,
      cannotStart: "Cannot tell metrics",
      died: "The metrics end here",
      onMessage: (report) => {
        switch (report.kind) {
          case "listening":
            this.#address = report.address;
            return this.#listening?.resolve();
          case "cannotListen":
            return this.#listening?.reject(new Error(`Cannot tell metrics: ${report.why}`));
          case "mistake":
            return onError?.(report.error);
        }
      },
      onGone: (error) => {
        // Whoever starts it is told if it cannot start, and whoever waits for it waits in vain.
        this.#isGone = true;
        this.#listening?.reject(new Error("Cannot tell metrics: their thread has ended"));
        if (error !== undefined && this.#worker.isReady) onError?.(describeError(error));
      },
    });
  }

  /**
   * Starts the thread, which listens at once, unless another process listens at a port that is shared
   * `now`: then it waits for {@linkcode MetricsServer.listen}. Until {@linkcode MetricsServer.tell} it answers that
   * the server is starting. Servers count the descriptors that are free, so this comes before the
   * server starts.
   *
   * @param options where to listen
   * @throws {Error} that names the address, if it cannot be listened on, or that says why no thread
   * can be started
   */
  static async start(options: MetricsOptions): Promise<MetricsServer> {
    requireWorkers(import.meta.url);
    if (!hasRoomForWorker()) throw new Error(`Cannot tell metrics: ${whyNoRoomForWorker()}`);
    const server = new MetricsServer(options);
    await server.#worker.ready;
    return server;
  }

  /** Where it listens. */
  get address(): Address {
    return this.#address;
  }

  /** Its address as a URL, without a path. */
  get url(): string {
    return `http://${formatAddress(this.#address)}`;
  }

  /**
   * Begins to tell.
   *
   * @param share the server's statistics
   * @param about what does not change while it runs
   */
  tell(share: StatisticsShare, about: About): void {
    this.#worker.post({ kind: "tell", share, about });
  }

  /**
   * Listens, if it does not yet: this server is about to take another one over, or has found none.
   * It may be called again.
   *
   * @param predecessor where that one tells its metrics; `undefined` if it does not, or if there is
   * none
   * @throws {Error} if it cannot, or if the port is that of another server
   */
  async listen(predecessor?: ToldPlace): Promise<void> {
    if (this.#isGone) throw new Error("Cannot tell metrics: their thread has ended");
    if (this.#listening === undefined) {
      this.#listening = Promise.withResolvers();
      this.#worker.post({ kind: "listen", predecessor });
    }
    await this.#listening.promise;
  }

  /**
   * Leaves its address to the process that has taken over, if that answers there.
   *
   * @param successor where that process tells its metrics; `undefined` if it does not
   */
  async yieldTo(successor: ToldPlace | undefined): Promise<void> {
    if (successor === undefined || !isAnsweredBy(this.#address, successor)) return;
    // This comes before the server says that it drains.
    Atomics.store(new Int32Array(this.#left), 0, 1);
    await this.close();
  }

  /** Ends the thread, after the answers that are being sent. May be called again. */
  async close(): Promise<void> {
    this.#worker.post({ kind: "stop" });
    await this.#worker.endWithin(CLOSE_MS);
  }

  /** Closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
