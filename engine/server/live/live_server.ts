/**
 * Shows a server while it runs, over HTTP, from a thread of its own: a page for a browser, and the
 * stream of events that it draws.
 *
 * The thread shares memory with the server's threads, and collects there what they record; only what
 * processes record, or what is written into files too, it gets from the main thread. So it answers
 * while the server's loop is stuck in a computation, and shows that.
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
import { isSamePlace, listenOrShare, type PortShare } from "../listening/shared_port.ts";
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
import type { PagePlace } from "../core/handover.ts";
import { isDraining, type StatisticsShare } from "../core/statistics_share.ts";
import { steerAway } from "../listening/steer_away.ts";
import type {
  FedServer,
  FeedBeginning,
  FeedControl,
  LiveFeed,
  LivePage,
  OwnListener,
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

/** Who serves in place of a server that is taken over. */
interface Next {
  /** The number of its process. */
  readonly successor: number;
  /** The address of its page, if it has one. */
  readonly page?: string;
}

/** The messages that follow. */
type Order =
  | ({ readonly kind: "begin" } & FeedBeginning)
  | {
    readonly kind: "thread";
    readonly thread: TimelineThread;
    readonly at: number;
    readonly share: TrackShare;
    readonly isYours: boolean;
  }
  | { readonly kind: "accepts"; readonly listener: OwnListener }
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
  | { readonly kind: "listen"; readonly page: PagePlace | undefined }
  | { readonly kind: "stop"; readonly next: Next | undefined };

/** What the thread says. */
type Report =
  | { readonly kind: "listening"; readonly address: Address; readonly token: string }
  | { readonly kind: "cannotListen"; readonly why: string }
  | { readonly kind: "want"; readonly isWanted: boolean }
  | { readonly kind: "collect" }
  | { readonly kind: "kill" }
  | { readonly kind: "mistake"; readonly error: string };

onAssigned(LIVE_THREAD, async (assignment: LiveAssignment, post: (report: Report) => void) => {
  const { LIVE_PAGE } = await import("../../figures/built_page.ts");
  const side = new ThreadSide(assignment, LIVE_PAGE, post);
  await side.begin();
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
  readonly #begun = Promise.withResolvers<void>();
  /** A share of the port at which another process listens that is to be taken over. */
  #share: PortShare | undefined;
  #next: Next | undefined;
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

  /**
   * Listens at once, unless this server is to take another one over: then its page may be where that
   * one's is.
   */
  async begin(): Promise<void> {
    const { address, token, shares } = this.#assignment;
    if (shares !== "now") return await this.#listen(address, token, shares);
    if (address.port === 0) return;
    this.#share = await listenOrShare(address, () => this.#listen(address, token, "later"));
  }

  /** Listens, if it does not yet. @param page where the page of the other server is */
  async #listenLate(page: PagePlace | undefined): Promise<void> {
    const { address, token } = this.#assignment;
    try {
      const hostname = await resolveHost(address.hostname);
      // An open page that knows its secret looks for it where it was: elsewhere it has another one.
      const own = { hostname, port: address.port === 0 ? page?.port ?? 0 : address.port };
      const isSame = page !== undefined && isSamePlace(own, page);
      const places = [
        ...isSame ? [[{ ...address, port: page.port }, page.token] as const] : [],
        [address, token] as const,
      ];
      this.#share?.requireFrom(page);
      for (const [index, [at, word]] of places.entries()) {
        if (this.#http !== undefined) break;
        const isLast = index === places.length - 1 || address.port !== 0;
        // Any port will do. That of the other server may be one that it does not share.
        await this.#listen(at, word, at.port === 0 ? "later" : "now").catch((error) => {
          if (isLast) throw error;
        });
      }
      this.#sayListening();
    } catch (error) {
      this.#post({ kind: "cannotListen", why: describeError(error) });
    } finally {
      this.#share?.[Symbol.dispose]();
      this.#share = undefined;
    }
  }

  #sayListening(): void {
    const { address } = this.#http ?? {};
    if (address !== undefined) this.#post({ kind: "listening", address, token: this.#token });
  }

  /** What the paths begin with. */
  #token = "";

  async #listen(
    { hostname, port }: Address,
    token: string,
    shares: LiveServerOptions["shares"],
  ): Promise<void> {
    const address = { hostname: await resolveHost(hostname), port };
    // A name of this machine may have been given another meaning.
    if (!isLoopback(address.hostname)) {
      throw new Error(`${address.hostname} is not an address of this machine only`);
    }
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
      opens: this.#begun.promise,
      limits: { writeTimeoutMs: STUCK_MS },
      onMistake: (error) => this.#post({ kind: "mistake", error: describeError(error) }),
    });
    this.#token = token;
    limitSendBuffers(this.#http.descriptor);
    this.#sayListening();
  }

  hear(order: Order): void {
    const view = this.#view;
    switch (order.kind) {
      case "begin": {
        const { beganUs, by, ownPort } = order;
        const want = (isWanted: boolean) => this.#post({ kind: "want", isWanted });
        const collect = () => this.#post({ kind: "collect" });
        this.#view = new LiveView({ beganUs, by, ownPort, want, collect });
        return this.#begun.resolve();
      }
      case "thread":
        return view?.addThread(order.thread, order.at, order.share, order.isYours);
      case "accepts":
        return view?.accepts(order.listener);
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
      case "listen":
        return void this.#listenLate(order.page);
      case "stop":
        this.#next = order.next;
        return this.#stopped.resolve();
    }
  }

  #serves(server: FedServer): void {
    const view = this.#view;
    if (view === undefined) return;
    this.#server = server;
    view.serves(server.statistics as StatisticsShare);
    if (this.#assignment.viewOnly) return;
    const { address, protocol, expectsHeader } = server;
    const share = server.statistics as StatisticsShare;
    this.#actions = new Actions({
      address,
      protocol,
      expectsHeader,
      isClosing: () => isDraining(share),
      say: (text) => view.say(text),
      dials: (change) => view.dials(change),
      connected: (from) => view.connected(from),
      isDone: () => view.isDone(),
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
    this.#begun.resolve();
    this.#actions?.end();
    this.#share?.[Symbol.dispose]();
    const view = this.#view;
    // Whoever comes back at once is to find the other one.
    if (this.#next?.page !== undefined) await steerAway(this.#http?.descriptor);
    view?.finish(this.#next);
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
  #token: string;
  #address: Address;
  #listening: PromiseWithResolvers<void> | undefined;
  #control: FeedControl | undefined;
  #isEnding = false;
  #isGone = false;

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
        // Nobody reads any more, and whoever waits for it waits in vain.
        this.#control?.want(false);
        this.#isGone = true;
        this.#listening?.reject(new Error("Cannot show the server live: its thread has ended"));
        if (error !== undefined && this.#worker.isReady) onError?.(describeError(error));
      },
    });
  }

  /**
   * Starts the thread, which listens at once, unless its port is to be shared `now`: then it may wait
   * for {@linkcode LiveServer.listen}. Those who come before the server begins wait. Servers count the
   * descriptors that are free, so this comes before the server starts.
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
        this.#token = report.token;
        return this.#listening?.resolve();
      case "cannotListen":
        return this.#listening?.reject(new Error(`Cannot show the server live: ${report.why}`));
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

  /**
   * Listens, if it does not yet: this server is about to take another one over, or has found none. It
   * may be called again.
   *
   * @param page where that one's page is; this one's has the same address, if it may
   * @throws {Error} if it cannot
   */
  async listen(page?: PagePlace): Promise<void> {
    if (this.#listening === undefined) {
      if (this.#isGone) throw new Error("Cannot show the server live: its thread has ended");
      this.#listening = Promise.withResolvers();
      this.#worker.post({ kind: "listen", page });
    }
    await this.#listening.promise;
  }

  /** Where the page is, for a process that takes this server over. */
  get place(): PagePlace {
    const { hostname, port } = this.#address;
    return { hostname, port, token: this.#token };
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

  addThread(thread: TimelineThread, at: number, share: TrackShare, isYours: boolean): void {
    this.#worker.post({ kind: "thread", thread, at, share, isYours });
  }

  accepts(listener: OwnListener): void {
    this.#worker.post({ kind: "accepts", listener });
  }

  removeThread(number: number, at: number, outcome: number): void {
    this.#worker.post({ kind: "gone", number, at, outcome });
  }

  take(records: readonly TrackRecord[], leftOut: number): void {
    this.#worker.post({ kind: "records", records, leftOut });
  }

  serves(server: FedServer): void {
    const { mode, address, protocol, details, statistics, canKill, expectsHeader } = server;
    this.#worker.post({
      kind: "serves",
      server: { mode, address, protocol, details, statistics, canKill, expectsHeader },
    });
  }

  /**
   * Another process serves in place of this server: those who read are told, and the port is left.
   *
   * @param successor the number of the process @param page the address of its page, if it has one
   */
  async leaveTo(successor: number, page?: string): Promise<void> {
    await this.#stop({ successor, ...(page !== undefined && { page }) });
  }

  end(): Promise<void> {
    return this.#stop(undefined);
  }

  async #stop(next: Next | undefined): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#worker.post({ kind: "stop", next });
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
