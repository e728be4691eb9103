/**
 * The listeners of several threads on one port, as the main thread keeps them.
 *
 * A thread may die, and its runtime then closes its listener: the kernel would reset whoever waits in
 * that accept queue. But a socket is closed only with its last descriptor. So the main thread holds a
 * second one of each listener. When a thread is gone, newcomers are steered to the other listeners,
 * and the main thread accepts those who wait at the lost one. Then it closes that, too.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { cookieOf } from "../../kernel/sock_diag.ts";
import { AcceptPolicy } from "../../net/accept_policy.ts";
import { isIPv6, SOCKADDR_SIZE } from "../../net/address.ts";
import { SocketError } from "../../net/socket_error.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import type { Connection } from "../../net/transport.ts";
import { connectionCeiling } from "../../workers/descriptor_limits.ts";
import type { Journal } from "../journal/journal.ts";
import { AddressFigures, Emptying, LONGEST_CLOSE_MS, nameOf, queueOf } from "./accept_queue.ts";
import { AdoptedSockets } from "./adopted_sockets.ts";
import { attachSteering, steerNothing, steerSyns } from "./steering.ts";

/** How often the queues of lost listeners are looked at, in milliseconds. */
const LOOK_MS = 2;

/** How often the kernel is asked about handshakes, in milliseconds. */
const ASK_MS = 16;

/** One listener. */
export interface KeptListener {
  /** The main thread's descriptor of it. */
  readonly fd: number;
  /** The thread's own descriptor, until the thread closes it. */
  readonly owned: number;
  /** The kernel's name of it. */
  readonly cookie: string;
}

/** A listener whose thread is gone. */
interface LostListener extends KeptListener {
  /** Since no newcomer is steered to it; `undefined` while there is nobody else. */
  emptying: Emptying | undefined;
}

/** What a group needs from its server. */
export interface ListenerGroupParts {
  /** Is told what goes wrong. */
  readonly journal: Journal;
  /** Counts one more connection if that is allowed. Returns whether it is. */
  tryEnter(): boolean;
  /** Counts one connection less. */
  leave(): void;
  /** Serves a connection that has entered. */
  serve(connection: Connection): void;
  /** Counts a connection that was lost before it was accepted. */
  onLost(): void;
}

/** The listeners of a server's threads. All listen on one address. */
export class ListenerGroup {
  readonly #parts: ListenerGroupParts;
  readonly #calls: Sockets = sockets();
  readonly #policy: AcceptPolicy;
  readonly #adopted = new AdoptedSockets();
  readonly #living = new Set<KeptListener>();
  readonly #lost = new Set<LostListener>();
  /** Connections that wait for room. */
  readonly #accepted: { readonly fd: number; readonly sockaddr: Uint8Array }[] = [];
  readonly #sockaddr = new Uint8Array(SOCKADDR_SIZE);
  #figures: AddressFigures | undefined;
  #hostname = "";
  /**
   * The kernel's names of the listeners in its own order, which gives each its number. A new one comes
   * last; when one is closed, the last one takes its place.
   */
  #order: string[] = [];
  #isClosing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param parts what it needs from its server */
  constructor(parts: ListenerGroupParts) {
    this.#parts = parts;
    const ceiling = connectionCeiling(this.#calls, 1);
    this.#policy = new AcceptPolicy({
      ceiling: () => ceiling,
      nextDescriptor: () => this.#calls.nextDescriptor(),
    });
  }

  /** The descriptors of all listeners, those of lost ones too. */
  get descriptors(): readonly number[] {
    return [...this.#living, ...this.#lost].map(({ fd }) => fd);
  }

  /** The threads' own descriptors of them, in the same order. */
  get owned(): readonly number[] {
    return [...this.#living, ...this.#lost].map(({ owned }) => owned);
  }

  /**
   * Keeps a listener.
   *
   * @param descriptor its thread's descriptor
   * @param address where it listens, if others listen there too
   * @returns `undefined` if the thread has closed it already
   */
  add(descriptor: number, address?: Address): KeptListener | undefined {
    try {
      const fd = this.#calls.duplicate(descriptor);
      if (this.#calls.isListening(fd) !== true) {
        this.#calls.close(fd);
        return undefined;
      }
      const kept = { fd, owned: descriptor, cookie: cookieOf(this.#calls, fd) };
      this.#living.add(kept);
      if (address !== undefined) this.#look(address, kept);
      // Those who were lost had nobody else perhaps, and now there is somebody.
      if (this.#lost.size > 0) this.#steer();
      return kept;
    } catch (error) {
      this.#tell(error);
      return undefined;
    }
  }

  /** Closes a listener: nobody waits at it, or nobody can be helped. */
  close(kept: KeptListener): void {
    this.#living.delete(kept);
    this.#lost.delete(kept as LostListener);
    const at = this.#order.indexOf(kept.cookie);
    const last = this.#order.pop();
    if (at >= 0 && at < this.#order.length) this.#order[at] = last as string;
    this.#calls.close(kept.fd);
  }

  /** Takes a listener over whose thread is gone. */
  lose(kept: KeptListener): void {
    if (!this.#living.delete(kept)) return;
    this.#lost.add({ ...kept, emptying: undefined });
    if (!this.#isClosing) this.#steer();
    this.#timer ??= setTimeout(this.#turn);
  }

  /**
   * Serves a connection that was accepted from the port of these listeners, as soon as there is room.
   *
   * @param fd its descriptor
   * @param sockaddr the peer's address
   */
  serve(fd: number, sockaddr: Uint8Array): void {
    this.#accepted.push({ fd, sockaddr: sockaddr.slice() });
    this.#timer ??= setTimeout(this.#turn);
  }

  /** From now on somebody else keeps newcomers out. */
  closing(): void {
    this.#isClosing = true;
  }

  /** Closes all listeners. */
  closeAll(): void {
    clearTimeout(this.#timer);
    this.#acceptWaiting();
    for (const { fd } of this.#accepted.splice(0)) this.#calls.close(fd);
    for (const kept of [...this.#living, ...this.#lost]) this.close(kept);
    this.#figures?.[Symbol.dispose]();
    this.#figures = undefined;
  }

  readonly #turn = (): void => {
    this.#acceptWaiting();
    if (!this.#isClosing) {
      for (const lost of this.#lost) {
        if (this.#isOver(lost)) this.#end(lost);
      }
    }
    const isNeeded = this.#lost.size > 0 || this.#accepted.length > 0;
    this.#timer = isNeeded ? setTimeout(this.#turn, LOOK_MS) : undefined;
  };

  /** Accepts those who wait at lost listeners, while there is room. */
  #acceptWaiting(): void {
    const { errno } = this.#calls.constants;
    while (this.#accepted.length > 0 && this.#parts.tryEnter()) {
      const { fd, sockaddr } = this.#accepted.shift() as { fd: number; sockaddr: Uint8Array };
      this.#parts.serve(this.#adopted.adopt(fd, sockaddr));
    }
    for (const { fd: listener } of this.#lost) {
      while (!this.#policy.isShort && this.#parts.tryEnter()) {
        const fd = this.#calls.acceptNonBlocking(listener, this.#sockaddr);
        if (fd >= 0) {
          this.#policy.accepted(fd);
          this.#parts.serve(this.#adopted.adopt(fd, this.#sockaddr));
          continue;
        }
        this.#parts.leave();
        if (fd === -errno.EAGAIN || this.#policy.failed(new SocketError("accept", -fd)) > 0) break;
        this.#parts.onLost();
      }
    }
  }

  /** Whether nobody waits at a lost listener, and nobody will. */
  #isOver({ fd, owned, cookie, emptying }: LostListener): boolean {
    if (emptying === undefined) return false;
    // The runtime of its thread may not have closed it yet.
    const isOwned = () =>
      emptying.ageMs < LONGEST_CLOSE_MS && nameOf(this.#calls, owned) === cookie;
    return emptying.isOver(() => queueOf(this.#calls, fd) > 0 || isOwned());
  }

  #end(lost: LostListener): void {
    this.close(lost);
    this.#steer();
  }

  /** Steers newcomers to the listeners that somebody looks after. */
  #steer(): void {
    const [first] = this.#living;
    if (first === undefined) return;
    try {
      const members = [...this.#living].map(({ cookie }) => this.#order.indexOf(cookie));
      if (members.includes(-1)) throw new Error("the order of the listeners is not known");
      attachSteering(
        this.#calls,
        first.fd,
        this.#lost.size === 0 ? steerNothing() : steerSyns(members),
      );
    } catch (error) {
      this.#tell(error);
      // Whoever waits is served all the same. Those who come in the last moment may be reset.
    }
    const parts = { figures: this.#figures, askMs: ASK_MS, othersGoOn: true };
    for (const lost of this.#lost) lost.emptying ??= new Emptying(parts);
  }

  /** Learns the kernel's order of the listeners. */
  #look(address: Address, { cookie }: KeptListener): void {
    const { hostname } = address;
    if (this.#hostname === "") {
      this.#hostname = hostname;
      try {
        this.#figures = new AddressFigures(this.#calls, address);
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
      }
    }
    const rows = this.#figures?.listeners(hostname, cookie) ?? [];
    const cookies = rows.map(({ cookie }) => cookie);
    // The kernel tells of the youngest listener first where it is one of IPv4, else last.
    if (!isIPv6(hostname)) cookies.reverse();
    this.#order.push(...cookies.filter((cookie) => !this.#order.includes(cookie)));
  }

  #tell(error: unknown): void {
    const text = "connections of a thread that ends may be reset: {reason}";
    const properties = { reason: (error as Error).message };
    this.#parts.journal.log({ level: "info", text, properties });
  }
}
