/**
 * Watches the sockets of a server for its recording, in a Worker: the kernel may have ten thousand of
 * them to tell about, and the server's own threads must not wait for that.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { formatAddress } from "../../../protocols/address.ts";
import { withoutZone } from "../../net/address.ts";
import { ConnectionLives, type Look } from "../../kernel/connection_lives.ts";
import { DestroyEvents, SockDiag, type SocketRow } from "../../kernel/sock_diag.ts";
import { nowUs } from "../../values/moment.ts";
import { type Event, roundUs } from "../../recording/events.ts";
import { connectionEvent } from "../../recording/from_kernel.ts";
import { SocketChanges } from "../../recording/socket_changes.ts";
import { SOCKETS_THREAD } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";

/** The module of this thread. */
export const SOCKETS_THREAD_URL: string = import.meta.url;

/** The first message from the main thread. */
export interface WatchAssignment {
  /** When the recording began, in microseconds since 1970. */
  readonly beganUs: number;
  /** The port of a connection of the server to itself, which is none of its clients; 0 for none. */
  readonly ownPort: Int32Array;
}

/** The other messages from the main thread. */
export type ToWatch =
  /** The server listens. */
  | { readonly kind: "listening"; readonly address: Address }
  /** It has taken a batch. */
  | { readonly kind: "taken" }
  /** It wants the last batch. The server has accepted this many connections. */
  | { readonly kind: "stop"; readonly accepted: number };

/** What the thread has seen since its last message. */
export interface WatchBatch {
  readonly kind: "seen";
  readonly events: readonly Event[];
  /** How many events had no room. */
  readonly leftOut: number;
}

/** How long it pauses between two looks at least, in milliseconds. */
const PAUSE_MS = 25;

/**
 * It pauses this many times as long as a look has taken, so that it never fills a processor. But it
 * pauses no longer than this, in milliseconds: on a busy machine a look takes long because other
 * programs run, and states must not pass unseen for that.
 */
const REST = 4;
const LONGEST_PAUSE_MS = 250;

/**
 * How long the server's peers have to close their ends after the server, in milliseconds, and how long
 * it pauses between two looks meanwhile.
 */
const PARTING_MS = 500;
const SHORT_PAUSE_MS = 5;

/**
 * How long the kernel may take to tell the end of a connection, in milliseconds. It leaves that to a
 * thread of its own, which waits its turn on a busy machine. Nothing else shows a connection that was
 * shorter than the time between two looks.
 */
const TELLING_MS = 1_500;

/** How many events may wait for the main thread. */
const MOST_EVENTS = 4096;

/** What tells a socket of the trap from others. */
type EndOfSocket =
  & Pick<SocketRow, "local" | "remote">
  & Partial<Pick<SocketRow, "state" | "sendQueue">>;

/** Looks at the sockets, and gathers what has changed. */
class SocketWatch {
  readonly #lives: ConnectionLives;
  /** For what the lives do not ask for: the remainders in TIME_WAIT. */
  readonly #diag: SockDiag;
  readonly #changes = new SocketChanges(() => "server");
  readonly #address: Address;
  readonly #local: string;
  readonly #beganUs: number;
  readonly #ownPort: Int32Array;
  readonly #post: (batch: WatchBatch) => void;
  /** The remainders of an earlier server's connections. */
  #earlier: ReadonlySet<string> | undefined;
  #events: Event[] = [];
  #leftOut = 0;
  #mayPost = true;
  /** Whether the last look has shown a connection that is not over. */
  #isOpen = false;
  /** How many connections are told. */
  #told = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    address: Address,
    events: DestroyEvents,
    { beganUs, ownPort }: WatchAssignment,
    post: (batch: WatchBatch) => void,
  ) {
    this.#ownPort = ownPort;
    events.attendTo(address.port);
    this.#lives = new ConnectionLives(address.port, events);
    this.#diag = new SockDiag();
    this.#address = address;
    this.#local = withoutZone(formatAddress(address));
    this.#beganUs = beganUs;
    this.#post = post;
    this.#look();
  }

  /** The main thread has taken a batch. */
  taken(): void {
    this.#mayPost = true;
    this.#send();
  }

  /**
   * Looks until the peers have closed their ends too and all connections are told, or some time is
   * over.
   *
   * @param accepted how many connections there were at least
   */
  async stop(accepted: number): Promise<void> {
    clearTimeout(this.#timer);
    const beganAt = performance.now();
    this.#see(this.#lives.look());
    const isComplete = () => {
      const passed = performance.now() - beganAt;
      if (this.#isOpen) return passed > PARTING_MS;
      return passed > TELLING_MS || this.#lives.untold === 0 && this.#told >= accepted;
    };
    while (!isComplete()) {
      await new Promise((resolve) => setTimeout(resolve, SHORT_PAUSE_MS));
      this.#see(this.#lives.look());
    }
    this.#see(this.#lives.finish());
    this.#mayPost = true;
    this.#send();
    this.#lives[Symbol.dispose]();
    this.#diag[Symbol.dispose]();
  }

  #look(): void {
    const beganAt = performance.now();
    this.#see(this.#lives.look());
    const tookMs = performance.now() - beganAt;
    const pauseMs = Math.min(Math.max(PAUSE_MS, tookMs * REST), LONGEST_PAUSE_MS);
    this.#timer = setTimeout(() => this.#look(), pauseMs);
  }

  #see({ rows, ended, missed }: Look): void {
    const remainders = this.#diag.sockets({ port: this.#address.port, states: ["TIME_WAIT"] });
    this.#earlier ??= new Set(remainders.map(({ cookie }) => cookie));
    const known = new Set(remainders.map(({ cookie }) => cookie));
    // A socket may have come to TIME_WAIT since the others were looked at.
    const all = [...rows.filter(({ cookie }) => !known.has(cookie)), ...remainders];
    const own = all.filter((row) =>
      this.#isOwn(row.local) && !this.#earlier?.has(row.cookie) && !this.#isTrap(row)
    );
    this.#isOpen = own.some(({ state }) => state !== "LISTEN" && state !== "TIME_WAIT");
    const now = this.#at(nowUs());
    for (const event of this.#changes.look(own, now)) this.#add(event);
    for (const connection of ended) {
      if (!this.#isOwn(connection.local) || this.#isTrap(connection)) continue;
      this.#told++;
      this.#add(connectionEvent(connection, this.#at(connection.endedAtUs)));
    }
    if (missed) this.#add({ type: "note", at: now, text: "ends of connections were missed" });
    this.#send();
  }

  /** Whether an address is the server's. */
  #isOwn(local: Address): boolean {
    const { hostname, port } = this.#address;
    const isAny = hostname === "0.0.0.0" || hostname === "::";
    return isAny ? local.port === port : formatAddress(local) === this.#local;
  }

  /** Whether a socket only keeps newcomers out while the server closes: see `trap.ts`. */
  #isTrap({ local, remote, state, sendQueue }: EndOfSocket): boolean {
    if (state === "LISTEN") return sendQueue === 0;
    return remote.port === Atomics.load(this.#ownPort, 0) && remote.hostname === local.hostname;
  }

  #add(event: Event): void {
    if (this.#events.length < MOST_EVENTS) this.#events.push(event);
    else this.#leftOut++;
  }

  #at(us: number): number {
    return roundUs(us - this.#beganUs);
  }

  #send(): void {
    if (!this.#mayPost || this.#events.length === 0) return;
    this.#mayPost = false;
    this.#post({ kind: "seen", events: this.#events, leftOut: this.#leftOut });
    this.#events = [];
    this.#leftOut = 0;
  }
}

onAssigned(SOCKETS_THREAD, async (
  assignment: WatchAssignment,
  post: (batch: WatchBatch) => void,
) => {
  // The server does not listen yet, so the end of none of its connections is missed.
  const events = new DestroyEvents();
  let watch: SocketWatch | undefined;
  const end = Promise.withResolvers<void>();
  return await Promise.resolve({
    hear(message: ToWatch) {
      if (message.kind === "listening") {
        watch = new SocketWatch(message.address, events, assignment, post);
      } else if (message.kind === "taken") watch?.taken();
      else {
        Promise.resolve(watch?.stop(message.accepted)).then(end.resolve, end.reject);
      }
    },
    async play(sayReady: () => void) {
      sayReady();
      await end.promise;
    },
  });
});
