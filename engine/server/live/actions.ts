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
import { attachFilter, DROP_ALL } from "../../kernel/socket_filter.ts";
import { destinationOf, isUnix } from "../../net/address.ts";
import { whyNoSockets } from "../../net/libc.ts";
import { SocketError } from "../../net/socket_error.ts";
import { sockets } from "../../net/sockets.ts";
import { describeError } from "../../values/thrown.ts";
import { RESERVE } from "../../workers/descriptor_limits.ts";
import { beSilent } from "./guests.ts";
import { mannerFor, speakSlowly } from "./manners.ts";

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

const LIMITS = { readTimeoutMs: MOST_MS, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

/** The names of the actions, in the order of the buttons. */
export const ACTIONS = [
  "three-clients",
  "slow-client",
  "vanish",
  "fifty",
  "burst",
  "kill-worker",
] as const;

/** The name of an action. */
export type ActionName = (typeof ACTIONS)[number];

/** What the actions are done to, and who is told. */
export interface ActionsPlan {
  /** Where the server listens. */
  readonly address: Address;
  /** The name of its protocol. */
  readonly protocol: string;
  /** Tells a sentence to those who look at the page. */
  say(text: string): void;
  /** So many more connections are being made, or fewer. */
  dials(change: 1 | -1): void;
  /** A connection was made. @param from its address at this end */
  connected(from: string): void;
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
  #running: ActionName | undefined;
  #ending: AbortController | undefined;

  /** @param plan what they are done to */
  constructor(plan: ActionsPlan) {
    this.#plan = plan;
    this.#target = destinationOf(plan.address);
  }

  /** What is being done. */
  get running(): ActionName | undefined {
    return this.#running;
  }

  /**
   * Begins one, unless another one is under way.
   *
   * @param name which
   * @returns what it does, in words; `undefined` if another one is under way
   */
  begin(name: ActionName): string | undefined {
    if (this.#running !== undefined) return undefined;
    this.#running = name;
    const about = this.#describe(name);
    this.#plan.say(`from the page: ${about}`);
    void this.#run(name).finally(() => this.#running = undefined);
    return about;
  }

  /** Ends what is under way. */
  end(): void {
    this.#ending?.abort();
  }

  #describe(name: ActionName): string {
    const { protocol } = this.#plan;
    switch (name) {
      case "three-clients":
        return `three clients: ${mannerFor(protocol).says}`;
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
      this.#plan.say(`from the page: ${name} has ended early: ${describeError(error)}`);
    } finally {
      clearTimeout(late);
      this.#ending = undefined;
    }
  }

  async #act(name: ActionName, dialer: EventDialer, signal: AbortSignal): Promise<string> {
    const manner = mannerFor(this.#plan.protocol);
    switch (name) {
      case "three-clients":
        return tell("three clients", await this.#three(dialer));
      case "slow-client":
        await this.#visit(dialer, () => speakSlowly(manner));
        return "the slow client has left";
      case "vanish":
        return await this.#vanish(dialer, manner.slow.subarray(0, manner.slow.length >> 1), signal);
      case "fifty":
        return tell("fifty clients", await this.#crowd(dialer, FIFTY));
      case "burst": {
        const size = burstSize();
        return tell(`${size} clients`, await this.#crowd(dialer, size));
      }
      case "kill-worker":
        return await this.#kill(dialer);
    }
  }

  /** The second client comes when the first has been greeted, as in the tour. */
  async #three(dialer: EventDialer): Promise<readonly PromiseSettledResult<unknown>[]> {
    const visits: Promise<unknown>[] = [];
    for (const converse of mannerFor(this.#plan.protocol).three) {
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
    const manner = mannerFor(this.#plan.protocol);
    const calls: Promise<EventCall>[] = [];
    // All are connected before the first of them speaks.
    while (calls.length < count) {
      const some = Math.min(AT_ONCE, count - calls.length);
      for (let made = 0; made < some; made++) calls.push(this.#dial(dialer));
      await Promise.allSettled(calls.slice(-some));
    }
    return await Promise.allSettled(
      calls.map(async (call) => await (await call).converse(manner.one())),
    );
  }

  async #kill(dialer: EventDialer): Promise<string> {
    const done = await this.#plan.kill();
    if (done === undefined) return "there is no worker that can be ended now";
    // Where a worker dies with the connection that it takes next, this is the one.
    const manner = mannerFor(this.#plan.protocol);
    await this.#visit(dialer, () => manner.one()).catch(() => {});
    return done;
  }

  async #visit(dialer: EventDialer, converse: () => Protocol<unknown>): Promise<unknown> {
    const call = await this.#dial(dialer);
    return await call.converse(converse());
  }

  async #dial(dialer: EventDialer): Promise<EventCall> {
    this.#plan.dials(1);
    try {
      const call = await dialer.dial(this.#target, DIAL_MS);
      this.#plan.connected(formatAddress(call.localAddress));
      return call;
    } finally {
      this.#plan.dials(-1);
    }
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

  async #vanish(
    dialer: EventDialer,
    beginning: Uint8Array,
    signal: AbortSignal,
  ): Promise<string> {
    if (this.#whyNotVanish !== undefined) {
      await this.#visit(dialer, () => sayAndHold(beginning));
      return "the silent client has left";
    }
    const net = sockets();
    const { SOCK_STREAM, SOCK_NONBLOCK, MSG_DONTWAIT } = net.constants;
    const fd = net.socket(net.familyOf(this.#target), SOCK_STREAM | SOCK_NONBLOCK);
    try {
      net.connectNonBlocking(fd, net.writeAddress(this.#target));
      await untilWritable(fd, signal);
      this.#plan.connected(formatAddress(net.localAddress(fd)));
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

/** How many connections a burst may make: each takes a descriptor at both of its ends. */
function burstSize(): number {
  if (whyNoSockets() !== undefined) return BURST;
  const net = sockets();
  const free = net.descriptorLimit() - Math.max(0, net.nextDescriptor()) - RESERVE;
  return Math.max(1, Math.min(BURST, Math.floor(free / 2)));
}

/** Waits until a connection is made. */
async function untilWritable(fd: number, signal: AbortSignal): Promise<void> {
  const net = sockets();
  while (net.poll(fd, net.constants.POLLOUT, 0) === 0) await delay(APART_MS, { signal });
}

/** Begins a message and says no more, while the server does not close. */
function* sayAndHold(beginning: Uint8Array): Protocol {
  yield* write(beginning);
  yield* beSilent(VANISHED_MS);
}

/** Says how many clients got what they wanted. */
function tell(who: string, results: readonly PromiseSettledResult<unknown>[]): string {
  const failed = results.filter(({ status }) => status === "rejected");
  if (failed.length === 0) return `${who}: all were answered`;
  const why = describeError((failed[0] as PromiseRejectedResult).reason);
  return `${who}: ${
    results.length - failed.length
  } were answered, ${failed.length} were not (${why})`;
}
