/**
 * Shows a server while it runs, over HTTP, from a thread of its own: a page for a browser, and the
 * stream of events that it draws.
 *
 * The thread shares memory with the server's threads, and gets what the main thread collects. So it
 * answers while the server's loop is stuck in a computation, and shows that.
 *
 * This file runs twice, as the file of a mode does: in the main thread, and in the Worker that it
 * starts from itself.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { VERSION } from "../../cli/build_info.ts";
import { HttpServer } from "../../http/http_server.ts";
import { isLoopback } from "../../net/address.ts";
import { whyNoSockets } from "../../net/libc.ts";
import { resolveHost } from "../../net/resolve.ts";
import { runtime } from "../../net/runtime.ts";
import { sockets } from "../../net/sockets.ts";
import { describeError } from "../../values/thrown.ts";
import { pause } from "../../values/pause.ts";
import { hasRoomForWorker, whyNoRoomForWorker } from "../../workers/descriptor_limits.ts";
import { requireWorkers, SupervisedWorker } from "../../workers/supervised_worker.ts";
import { LIVE_THREAD } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";
import type { StatisticsShare } from "../core/statistics_share.ts";
import type {
  FedServer,
  FeedBeginning,
  FeedControl,
  LiveFeed,
  LivePage,
} from "../trace/live_feed.ts";
import type { TimelineThread } from "../trace/timeline_sink.ts";
import type { TrackRecord, TrackShare } from "../trace/timeline_track.ts";
import { type ActionName, ACTIONS, Actions } from "./actions.ts";
import { LiveSite, READERS } from "./live_site.ts";
import { LiveView } from "./live_view.ts";

/** How long the token is, in bytes. */
const TOKEN_BYTES = 16;

/**
 * How much the kernel keeps for a reader that does not read, in bytes. With the usual megabytes a slow
 * browser would be shown what happened long ago.
 */
const SEND_BUFFER = 64 * 1024;

/** How long a reader may read nothing at all, in milliseconds. */
const STUCK_MS = 60_000;

/** How long readers have to take the end, in milliseconds. */
const LAST_MS = 500;

/**
 * How long the end of the thread is waited for, in milliseconds. It takes a second at most, if it gets
 * a processor: whoever gave it up while it gets none would keep the end from its readers.
 */
const CLOSE_MS = 10_000;
const LOOK_MS = 10;

/** How long the main thread may take to end a worker, in milliseconds: it may be stuck. */
const KILL_MS = 25_000;

/** How to show a server. */
export interface LiveServerOptions {
  /** Where to listen: an address of this machine. */
  readonly address: Address;
  /** Whether the page only shows, and does nothing. @default {false} */
  readonly viewOnly?: boolean;
  /** See `HttpOptions`: a server that takes this one over, or is taken over, may have the same port. */
  readonly shares?: "later" | "now" | undefined;
  /** Is told, in words, of what goes wrong meanwhile. */
  readonly onError?: (message: string) => void;
}

/** The first message to the thread. */
interface LiveAssignment {
  readonly address: Address;
  readonly token: string;
  readonly viewOnly: boolean;
  readonly shares: LiveServerOptions["shares"];
}

/** The messages that follow. */
type Order =
  | ({ readonly kind: "begin" } & FeedBeginning)
  | {
    readonly kind: "thread";
    readonly thread: TimelineThread;
    readonly at: number;
    readonly share: TrackShare;
  }
  | {
    readonly kind: "gone";
    readonly number: number;
    readonly at: number;
    readonly outcome: number;
  }
  | {
    readonly kind: "records";
    readonly records: readonly TrackRecord[];
    readonly leftOut: number;
  }
  | { readonly kind: "collects" }
  | { readonly kind: "collected" }
  | { readonly kind: "serves"; readonly server: FedServer }
  | { readonly kind: "killed"; readonly text: string | undefined }
  | { readonly kind: "stop" };

/** What the thread says. */
type Report =
  | { readonly kind: "listening"; readonly address: Address }
  | { readonly kind: "want"; readonly isWanted: boolean }
  | { readonly kind: "collect" }
  | { readonly kind: "kill" }
  | { readonly kind: "mistake"; readonly error: string };

onAssigned(LIVE_THREAD, async (assignment: LiveAssignment, post: (report: Report) => void) => {
  const { LIVE_PAGE } = await import("../../figures/built_page.ts");
  const side = new ThreadSide(assignment, LIVE_PAGE, post);
  await side.listen();
  return {
    hear: (order: Order) => side.hear(order),
    async play(sayReady) {
      sayReady();
      await side.stopped;
      await side.close();
    },
  };
});

/** The thread's side. */
class ThreadSide {
  readonly #assignment: LiveAssignment;
  readonly #post: (report: Report) => void;
  readonly #page: string;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #kills: ((text: string | undefined) => void)[] = [];
  #http: HttpServer | undefined;
  #view: LiveView | undefined;
  #server: FedServer | undefined;
  #actions: Actions | undefined;

  constructor(assignment: LiveAssignment, page: string, post: (report: Report) => void) {
    this.#assignment = assignment;
    this.#page = page;
    this.#post = post;
  }

  /** Resolves when it is to end. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  async listen(): Promise<void> {
    const { address: { hostname, port }, token, shares } = this.#assignment;
    const address = { hostname: await resolveHost(hostname), port };
    // A name of this machine may have been given another meaning.
    if (!isLoopback(address.hostname)) {
      throw new Error(`${address.hostname} is not an address of this machine only`);
    }
    const begun = Promise.withResolvers<void>();
    this.#onBegun = begun.resolve;
    const site = new LiveSite({
      token,
      page: this.#page,
      view: () => this.#view as LiveView,
      port: () => this.#http?.address.port ?? 0,
      actions: () => this.#actions,
      names: () => this.#names(),
      about: () => this.#about(),
    });
    this.#http = await HttpServer.listen({
      address,
      site,
      shares,
      events: READERS,
      opens: begun.promise,
      limits: { writeTimeoutMs: STUCK_MS },
      onMistake: (error) => this.#post({ kind: "mistake", error: describeError(error) }),
    });
    limitSendBuffers(this.#http.descriptor);
    this.#post({ kind: "listening", address: this.#http.address });
  }

  /** Called when the timeline begins; whoever comes earlier waits. */
  #onBegun: (() => void) | undefined;

  hear(order: Order): void {
    const view = this.#view;
    switch (order.kind) {
      case "begin": {
        const { beganUs, by, ownPort } = order;
        const want = (isWanted: boolean) => this.#post({ kind: "want", isWanted });
        const collect = () => this.#post({ kind: "collect" });
        this.#view = new LiveView({ beganUs, by, ownPort, want, collect });
        return this.#onBegun?.();
      }
      case "thread":
        return view?.addThread(order.thread, order.at, order.share);
      case "gone":
        return view?.removeThread(order.number, order.at, order.outcome);
      case "records":
        return view?.take(order.records, order.leftOut);
      case "collects":
        return view?.collects();
      case "collected":
        return view?.hasCollected();
      case "serves":
        return this.#serves(order.server);
      case "killed":
        return this.#kills.shift()?.(order.text);
      case "stop":
        return this.#stopped.resolve();
    }
  }

  #serves(server: FedServer): void {
    const view = this.#view;
    if (view === undefined) return;
    this.#server = server;
    view.serves(server.statistics as StatisticsShare);
    if (this.#assignment.viewOnly) return;
    const { address, protocol } = server;
    this.#actions = new Actions({
      address,
      protocol,
      say: (text) => view.say(text),
      dials: (change) => view.dials(change),
      connected: (from) => view.connected(from),
      kill: () => this.#kill(),
    });
  }

  #kill(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(undefined), KILL_MS);
      this.#kills.push((text) => {
        clearTimeout(late);
        resolve(text);
      });
      this.#post({ kind: "kill" });
    });
  }

  #names(): readonly ActionName[] {
    const server = this.#server;
    if (server === undefined || this.#assignment.viewOnly) return [];
    return ACTIONS.filter((name) => name !== "kill-worker" || server.canKill);
  }

  #about(): Record<string, unknown> {
    const { mode, protocol, details, address } = this.#server ?? {};
    return {
      version: VERSION,
      runtime: `${runtime.name} ${runtime.version}`,
      ...(mode !== undefined && { mode }),
      ...(protocol !== undefined && { protocol }),
      ...(details !== undefined && { details }),
      ...(address !== undefined && { address: formatAddress(address) }),
    };
  }

  async close(): Promise<void> {
    this.#onBegun?.();
    this.#actions?.end();
    const view = this.#view;
    view?.finish();
    const until = performance.now() + LAST_MS;
    while ((view?.readers ?? 0) > 0 && performance.now() < until) await pause(LOOK_MS);
    await this.#http?.close();
    view?.[Symbol.dispose]();
  }
}

/** Bounds what the kernel keeps for each reader. Connections inherit it from their listener. */
function limitSendBuffers(listener: number | undefined): void {
  if (listener === undefined || whyNoSockets() !== undefined) return;
  const net = sockets();
  const { SOL_SOCKET, SO_SNDBUF } = net.constants;
  net.setOption(listener, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
}

/** Shows a server: the main thread's side. */
export class LiveServer implements LiveFeed, LivePage {
  readonly #worker: SupervisedWorker<Order, Report>;
  readonly #token: string;
  #address: Address;
  #control: FeedControl | undefined;
  #isEnding = false;

  private constructor({ address, viewOnly = false, shares, onError }: LiveServerOptions) {
    this.#address = address;
    const token = this.#token = newToken();
    this.#worker = SupervisedWorker.start<Order, Report>({
      url: import.meta.url,
      name: LIVE_THREAD,
      assignment: { address, token, viewOnly, shares } satisfies LiveAssignment,
      cannotStart: "Cannot show the server live",
      died: "The live view ends here",
      onMessage: (report) => this.#hear(report, onError),
      onGone: (error) => {
        // Nobody reads any more.
        this.#control?.want(false);
        if (error !== undefined && this.#worker.isReady) onError?.(describeError(error));
      },
    });
  }

  /**
   * Starts the thread, which listens at once. Those who come before the server begins wait. Servers
   * count the descriptors that are free, so this comes before the server starts.
   *
   * @param options where to listen
   * @throws {Error} that names the address, if it cannot be listened on, or that says why no thread
   * can be started
   */
  static async start(options: LiveServerOptions): Promise<LiveServer> {
    requireWorkers(import.meta.url);
    if (!hasRoomForWorker()) {
      throw new Error(`Cannot show the server live: ${whyNoRoomForWorker()}`);
    }
    const server = new LiveServer(options);
    await server.#worker.ready;
    return server;
  }

  #hear(report: Report, onError: LiveServerOptions["onError"]): void {
    switch (report.kind) {
      case "listening":
        this.#address = report.address;
        return;
      case "want":
        this.#control?.want(report.isWanted);
        if (report.isWanted) this.#worker.post({ kind: "collects" });
        return;
      case "collect":
        this.#control?.collect();
        return this.#worker.post({ kind: "collected" });
      case "kill":
        return this.#worker.post({ kind: "killed", text: this.#control?.kill() });
      case "mistake":
        return onError?.(report.error);
    }
  }

  /** Where it listens. */
  get address(): Address {
    return this.#address;
  }

  /** The address of the page. Whoever knows it may look. */
  get url(): string {
    return `http://${formatAddress(this.#address)}/${this.#token}/`;
  }

  begin(beginning: FeedBeginning, control: FeedControl): void {
    this.#control = control;
    this.#worker.post({ kind: "begin", ...beginning });
  }

  addThread(thread: TimelineThread, at: number, share: TrackShare): void {
    this.#worker.post({ kind: "thread", thread, at, share });
  }

  removeThread(number: number, at: number, outcome: number): void {
    this.#worker.post({ kind: "gone", number, at, outcome });
  }

  take(records: readonly TrackRecord[], leftOut: number): void {
    this.#worker.post({ kind: "records", records, leftOut });
  }

  serves(server: FedServer): void {
    const { mode, address, protocol, details, statistics, canKill } = server;
    this.#worker.post({
      kind: "serves",
      server: { mode, address, protocol, details, statistics, canKill },
    });
  }

  async end(): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#worker.post({ kind: "stop" });
    }
    await this.#worker.endWithin(CLOSE_MS);
  }

  /** Ends it. It may be called again. */
  close(): Promise<void> {
    return this.end();
  }

  /** Ends it. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

/** A name that nobody guesses. */
function newToken(): string {
  return [...crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
