/**
 * The buttons of the page: what they do to the server whose page it is, for real. There is one action
 * at a time. Each is bounded in time and in connections, and these are counted apart.
 *
 * @module
 */

// @ts-types="../../types/delay.d.ts"
import { delay } from "@std/async/delay";
import { formatAddress } from "../../../protocols/address.ts";
import { type Address, type Protocol, write } from "../../../protocols/effects.ts";
import { type EventCall, EventDialer } from "../../dial/dialer.ts";
import { ConnectTimeoutError } from "../../dial/failures.ts";
import { BUTTONS } from "../../figures/buttons.ts";
import { attachFilter, DROP_ALL } from "../../kernel/socket_filter.ts";
import { destinationOf, isUnix } from "../../net/address.ts";
import { whyNoSockets } from "../../net/libc.ts";
import { SocketError } from "../../net/socket_error.ts";
import { sockets } from "../../net/sockets.ts";
import { describeError } from "../../values/thrown.ts";
import { RESERVE } from "../../workers/descriptor_limits.ts";
import { listenFor, type Manner, mannerFor, slownessMs, speakSlowly } from "./manners.ts";

/** How long an action may take, in milliseconds. */
const MOST_MS = 30_000;

/** How many connections a burst makes. */
const BURST = 1_000;

/** How many connections are many. */
const FIFTY = 50;

/** How many connections are being made at a time. */
const AT_ONCE = 250;

/** How long after each other the three clients come, in milliseconds. */
const APART_MS = 5;

/** How long a client that has vanished stays so, in milliseconds. */
const VANISHED_MS = 25_000;

/** How long making a connection may take, in milliseconds. */
const DIAL_MS = 10_000;

/** What a proxy says that does not know its client: then the client is the other end. */
const HEADER = new TextEncoder().encode("PROXY UNKNOWN\r\n");

const LIMITS = { readTimeoutMs: MOST_MS, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

/** The name of an action. */
export type ActionName = keyof typeof BUTTONS;

/** The names of the actions, in the order of the buttons. */
export const ACTIONS = Object.keys(BUTTONS) as readonly ActionName[];

/** What the actions are done to, and who is told. */
export interface ActionsPlan {
  /** Where the server listens. */
  readonly address: Address;
  /** The name of its protocol. */
  readonly protocol: string;
  /** Whether it expects a PROXY header from every client. */
  readonly expectsHeader: boolean;
  /** Whether it closes, and takes nobody in any more. */
  isClosing(): boolean;
  /** Tells a sentence to those who look at the page. */
  say(text: string): void;
  /** So many more connections are being made, or fewer. */
  dials(change: 1 | -1): void;
  /** A connection was made. @param from its address at this end; `undefined` if it has none */
  connected(from: string | undefined): void;
  /** The action under way is over, and its connections are. */
  isDone(): void;
  /**
   * Ends a worker of the server.
   *
   * @returns what was done, in words; `undefined` if there is none
   */
  kill(): Promise<string | undefined>;
}

/** Does them. */
export class Actions {
  readonly #plan: ActionsPlan;
  readonly #target: Address;
  readonly #manner: Manner;
  /** What is under way, and since when: {@linkcode performance.now}. */
  #running: { readonly name: ActionName; readonly since: number } | undefined;
  #ending: AbortController | undefined;
  #isOver = false;

  /** @param plan what they are done to */
  constructor(plan: ActionsPlan) {
    this.#plan = plan;
    this.#target = destinationOf(plan.address);
    this.#manner = mannerFor(plan.protocol);
  }

  /**
   * Begins one, unless something is in its way.
   *
   * @param name which
   * @returns what it does, or why it is not done, in words
   */
  begin(name: ActionName): { readonly isBegun: boolean; readonly text: string } {
    const why = this.#running !== undefined
      ? `${nameOf(this.#running.name)} is still under way${this.#left(this.#running)}`
      : this.#isOver || this.#plan.isClosing()
      ? "the server is closing, and takes nobody in"
      : undefined;
    if (why !== undefined) return { isBegun: false, text: why };
    this.#running = { name, since: performance.now() };
    const text = this.#describe(name);
    this.#plan.say(`from the page: ${text}`);
    void this.#run(name).finally(() => this.#running = undefined);
    return { isBegun: true, text };
  }

  /** Ends what is under way. Nothing else is begun. */
  end(): void {
    this.#isOver = true;
    this.#ending?.abort();
  }

  /** How long something still takes, in words. */
  #left({ name, since }: { readonly name: ActionName; readonly since: number }): string {
    const ms = this.#lengthOf(name);
    const leftMs = since + (ms ?? MOST_MS) - performance.now();
    const about = ms === undefined ? "at most" : "about";
    return leftMs > 0 ? `: ${about} ${Math.ceil(leftMs / 1_000)} s more` : "";
  }

  /** How long an action takes, in milliseconds, unless the server decides it. */
  #lengthOf(name: ActionName): number | undefined {
    if (name === "vanish") return VANISHED_MS;
    return name === "slow-client" ? slownessMs(this.#manner) : undefined;
  }

  #describe(name: ActionName): string {
    switch (name) {
      case "three-clients":
        return `three clients: ${this.#manner.says}`;
      case "slow-client":
        return "a slow client sends its message byte by byte, two a second";
      case "vanish":
        return this.#whyNotVanish === undefined
          ? `a client begins a message and vanishes: for ${
            VANISHED_MS / 1_000
          } s nothing reaches it, and it answers nothing`
          : `a client begins a message, and then says nothing for ${
            VANISHED_MS / 1_000
          } s; ${this.#whyNotVanish}, so its kernel still answers for it`;
      case "fifty":
        return "fifty clients come at once";
      case "burst":
        return burstSize() < BURST
          ? `a burst of ${burstSize()} clients: there are no descriptors for more`
          : "a burst of a thousand clients";
      case "kill-worker":
        return "a worker is ended";
    }
  }

  async #run(name: ActionName): Promise<void> {
    const ending = this.#ending = new AbortController();
    const { signal } = ending;
    const late = setTimeout(() => ending.abort(), MOST_MS);
    using dialer = new EventDialer(LIMITS, signal);
    try {
      this.#plan.say(`from the page: ${await this.#act(name, dialer, signal)}`);
    } catch (error) {
      const why = signal.aborted
        ? `nothing from the page lasts longer than ${MOST_MS / 1_000} s`
        : describeError(error);
      this.#plan.say(`from the page: ${nameOf(name)} has ended early: ${why}`);
    } finally {
      clearTimeout(late);
      this.#ending = undefined;
      this.#plan.isDone();
    }
  }

  async #act(name: ActionName, dialer: EventDialer, signal: AbortSignal): Promise<string> {
    switch (name) {
      case "three-clients":
        return this.#tell("three clients", await this.#three(dialer));
      case "slow-client":
        return `a slow client: ${await this.#visit(dialer, () => speakSlowly(this.#manner))}`;
      case "vanish":
        return await this.#vanish(dialer, signal);
      case "fifty":
        return this.#tell("fifty clients", await this.#crowd(dialer, FIFTY));
      case "burst": {
        const size = burstSize();
        return this.#tell(`${size} clients`, await this.#crowd(dialer, size));
      }
      case "kill-worker":
        return await this.#kill(dialer);
    }
  }

  /** The second client comes when the first has been greeted, as in the tour. */
  async #three(dialer: EventDialer): Promise<readonly PromiseSettledResult<unknown>[]> {
    const visits: Promise<unknown>[] = [];
    for (const converse of this.#manner.three) {
      const greeted = Promise.withResolvers<void>();
      const visit = this.#visit(dialer, () => converse(greeted.resolve));
      visits.push(visit);
      visit.catch(() => {}).finally(() => greeted.resolve());
      if (visits.length === 1) await greeted.promise;
      await delay(APART_MS);
    }
    return await Promise.allSettled(visits);
  }

  async #crowd(
    dialer: EventDialer,
    count: number,
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    const calls: Promise<EventCall>[] = [];
    // All are connected before the first of them speaks.
    while (calls.length < count) {
      const some = Math.min(AT_ONCE, count - calls.length);
      for (let made = 0; made < some; made++) calls.push(this.#dial(dialer));
      await Promise.allSettled(calls.slice(-some));
    }
    return await Promise.allSettled(
      calls.map(async (call) => await (await call).converse(this.#opened(this.#manner.one()))),
    );
  }

  async #kill(dialer: EventDialer): Promise<string> {
    const done = await this.#plan.kill();
    if (done === undefined) return "there is no worker that can be ended now";
    // Where a worker dies with the connection that it takes next, this is the one.
    await this.#visit(dialer, () => this.#manner.one()).catch(() => {});
    return done;
  }

  async #visit<Result>(dialer: EventDialer, converse: () => Protocol<Result>): Promise<Result> {
    const call = await this.#dial(dialer);
    return await call.converse(this.#opened(converse()));
  }

  /** Begins a conversation as the server expects it. */
  *#opened<Result>(conversation: Protocol<Result>): Protocol<Result> {
    if (this.#plan.expectsHeader) yield* write(HEADER);
    return yield* conversation;
  }

  async #dial(dialer: EventDialer): Promise<EventCall> {
    return await this.#connect(
      () => dialer.dial(this.#target, DIAL_MS),
      ({ localAddress }) => localAddress,
    );
  }

  /** Connects somehow, and says so. @param from says where a connection comes from */
  async #connect<Made>(make: () => Promise<Made>, from: (made: Made) => Address): Promise<Made> {
    this.#plan.dials(1);
    try {
      const made = await make();
      // Nobody is told from others who have come through a Unix domain socket.
      const isNamed = !isUnix(this.#target.hostname);
      this.#plan.connected(isNamed ? formatAddress(from(made)) : undefined);
      return made;
    } finally {
      this.#plan.dials(-1);
    }
  }

  /** Says how many clients got what they wanted. */
  #tell(who: string, results: readonly PromiseSettledResult<unknown>[]): string {
    const { wereWell = "were answered" } = this.#manner;
    const failed = results.filter(({ status }) => status === "rejected");
    if (failed.length === 0) return `${who}: all ${wereWell}`;
    const why = describeError((failed[0] as PromiseRejectedResult).reason);
    return `${who}: ${
      results.length - failed.length
    } ${wereWell}, ${failed.length} were not (${why})`;
  }

  /** Why a client cannot vanish here; `undefined` if it can. */
  get #whyNotVanish(): string | undefined {
    if (isUnix(this.#target.hostname)) return "nobody vanishes from a Unix domain socket";
    const why = whyNoSockets();
    if (why !== undefined) return why;
    const net = sockets();
    const { SOCK_STREAM } = net.constants;
    const fd = net.socket(net.familyOf(this.#target), SOCK_STREAM);
    try {
      attachFilter(net, fd, DROP_ALL);
      return undefined;
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      return "only root makes clients deaf here (CAP_NET_ADMIN)";
    } finally {
      net.close(fd);
    }
  }

  async #vanish(dialer: EventDialer, signal: AbortSignal): Promise<string> {
    const { slow } = this.#manner;
    const beginning = slow.subarray(0, slow.length >> 1);
    if (this.#whyNotVanish !== undefined) {
      const hasClosed = await this.#visit(dialer, () => sayAndHold(beginning)) === null;
      return hasClosed ? "the server has given the silent client up" : "the silent client has left";
    }
    const net = sockets();
    const { SOCK_STREAM, SOCK_NONBLOCK, MSG_DONTWAIT } = net.constants;
    const fd = net.socket(net.familyOf(this.#target), SOCK_STREAM | SOCK_NONBLOCK);
    try {
      await this.#connect(async () => {
        net.connectNonBlocking(fd, net.writeAddress(this.#target));
        await untilConnected(fd, signal);
        return fd;
      }, () => net.localAddress(fd));
      if (this.#plan.expectsHeader) net.send(fd, HEADER, MSG_DONTWAIT);
      net.send(fd, beginning, MSG_DONTWAIT);
      await delay(APART_MS);
      // From here on nothing that the server sends arrives, neither its bytes nor its probes.
      attachFilter(net, fd, DROP_ALL);
      await delay(VANISHED_MS, { signal });
    } finally {
      // The server has given it up by now, or is told with RST that it is gone.
      net.resetOnClose(fd);
      net.close(fd);
    }
    return "the client that had vanished is given up";
  }
}

/** What a button is called, between quotation marks. */
function nameOf(name: ActionName): string {
  return `"${BUTTONS[name][0]}"`;
}

/** How many connections a burst may make: each takes a descriptor at both of its ends. */
function burstSize(): number {
  if (whyNoSockets() !== undefined) return BURST;
  const net = sockets();
  const free = net.descriptorLimit() - Math.max(0, net.nextDescriptor()) - RESERVE;
  return Math.max(1, Math.min(BURST, Math.floor(free / 2)));
}

/** Waits until a connection is made. */
async function untilConnected(fd: number, signal: AbortSignal): Promise<void> {
  const net = sockets();
  const { POLLOUT, SOL_SOCKET, SO_ERROR } = net.constants;
  const until = performance.now() + DIAL_MS;
  while (net.poll(fd, POLLOUT, 0) === 0) {
    if (performance.now() > until) throw new ConnectTimeoutError(DIAL_MS);
    await delay(APART_MS, { signal });
  }
  const failed = net.getOption(fd, SOL_SOCKET, SO_ERROR);
  if (failed !== 0) throw new SocketError("connect", failed);
}

/** Begins a message and says no more. Returns `null` if the server closes meanwhile. */
function* sayAndHold(beginning: Uint8Array): Protocol<number | null> {
  yield* write(beginning);
  return yield* listenFor(VANISHED_MS);
}
