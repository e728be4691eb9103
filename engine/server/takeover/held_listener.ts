/**
 * The listener of a server with descriptors: where it comes from, who else has it, and to whom it
 * goes.
 *
 * A server may have opened its listener itself, or another process has passed it on. And it may pass
 * it on to the next one. A listener is one open file for all who have it. So whoever closes asks here
 * what is theirs to do: only who has it alone may keep newcomers out, and only the last one has to
 * empty its queue.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { isUnix } from "../../net/address.ts";
import { describeSystemError } from "../../net/constants.ts";
import { runtime } from "../../net/runtime.ts";
import type { SocketFile } from "../../net/socket_file.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { Handover, Predecessor, TakenOver } from "../core/handover.ts";
import type { ServeOptions } from "../core/options.ts";
import type { Journal } from "../journal/journal.ts";
import type { Given, Newcomer } from "./newcomer.ts";
import { Offer, type Offerer } from "./offer.ts";
import { besides, ownUser, privatePath, removePlace } from "./private_path.ts";
import { type Origin, type SocketRole, toldIn } from "./talk.ts";

/** How a server came by its listener. */
export interface HeldParts {
  /** The Berkeley calls. */
  readonly net: Sockets;
  /** Is told of those who take it over. */
  readonly journal: Journal;
  /** Its descriptor. */
  readonly listener: number;
  /** Where it listens. */
  readonly address: Address;
  /** Who has opened it: a server of ours, or somebody who may still have it. */
  readonly origin: Origin;
  /** Its file, if it is a Unix domain socket that a server of ours has opened. */
  readonly file?: SocketFile | undefined;
  /** A UDP socket on the same port that came with it. */
  readonly datagrams?: number | undefined;
  /** The conversation with the server that had it before. */
  readonly newcomer?: Newcomer | undefined;
  /** Where it is offered, if this server is the first to offer it. */
  readonly offer?: Offer | undefined;
  /** Where it is to be offered: a path without symbolic links. */
  readonly path?: string | undefined;
  /** See `ServeOptions.beforeTakeover`. */
  readonly before?: ServeOptions["beforeTakeover"];
}

/** A server's listener. */
export class HeldListener implements Handover {
  /** Its descriptor. */
  readonly listener: number;
  /** Where it listens. */
  readonly address: Address;
  readonly #parts: HeldParts;
  #offer: Offer | undefined;
  #path: string | undefined;
  /** The UDP socket of this server, which goes with the listener. */
  #datagrams: number | undefined;
  /** Whether another process has had a descriptor of it, and may have it still. */
  #isPassedOn = false;
  #successor: number | undefined;
  #isEnding = false;
  /** Whether the server that had it before has let go. */
  #isOurs: boolean;
  #close: (() => void) | undefined;
  readonly #handlers: TakenOver[] = [];
  /** What goes with the listener besides. */
  #told: Predecessor = {};

  /** @param parts how the server came by it */
  constructor(parts: HeldParts) {
    this.#parts = parts;
    this.listener = parts.listener;
    this.address = parts.address;
    this.#offer = parts.offer;
    this.#path = parts.path;
    this.#datagrams = parts.datagrams;
    this.#isOurs = parts.newcomer === undefined;
  }

  /**
   * Whether connections inherit this receive timeout from it. Only Linux can be relied on for that,
   * and there only over TCP: unix(7) sockets begin with none. Somebody else may change it at any time;
   * servers of ours never do.
   *
   * @param ms the timeout, in milliseconds; 0 is none
   */
  inheritsTimeout(ms: number): boolean {
    const { net, origin } = this.#parts;
    if (runtime.os !== "linux" || origin !== "opened" || isUnix(this.address.hostname)) {
      return false;
    }
    return net.receiveTimeout(this.listener) === ms;
  }

  /** Whether another server had it before. */
  get isSuccessor(): boolean {
    return this.#parts.newcomer !== undefined;
  }

  /**
   * Whether others go on accepting from it when this server closes. Then nobody who waits in its
   * queue is lost, and this server stops accepting at once.
   */
  get isLeft(): boolean {
    return this.#parts.origin === "inherited" || this.#successor !== undefined || !this.#isOurs;
  }

  /** The UDP socket that came with it. */
  get datagrams(): number | undefined {
    return this.#parts.datagrams;
  }

  /** The UDP socket that is to go with it. */
  set datagrams(fd: number | undefined) {
    this.#datagrams = fd;
  }

  /**
   * Lets nobody new in, where that can be done before the queue is empty: to a Unix domain socket that
   * this server has alone. Its file goes first. Whoever it has accepted can still be taken out of its
   * queue after `shutdown`.
   */
  refuseOthers(): void {
    if (this.isLeft) return;
    this.#parts.file?.remove();
    const { net } = this.#parts;
    // What another process has would be shut down for that process too.
    if (!isUnix(this.address.hostname) || this.#isPassedOn || runtime.os !== "linux") return;
    net.shutdown(this.listener, net.constants.SHUT_RDWR);
  }

  /**
   * Gives everything back but the listener itself: the server could not start.
   */
  abandon(): void {
    const { newcomer, file } = this.#parts;
    newcomer?.close();
    this.end();
    if (!this.isLeft) file?.remove();
  }

  /**
   * Takes the listener over for good, if another server had it, once this one serves.
   *
   * @throws {Error} if the old server goes on: then this one must not
   */
  async confirm(): Promise<void> {
    const { net, journal, newcomer, before } = this.#parts;
    const path = this.#path;
    // Somebody may take it over as soon as it is offered.
    const successor = await before?.(toldIn(newcomer?.given ?? {}), this);
    if (newcomer === undefined || path === undefined) return;
    const offer = new Offer(net, besides(path, runtime.pid), ownUser(net));
    try {
      await newcomer.serves(journal, successor);
      this.#isOurs = true;
      offer.moveTo(path);
      newcomer.close();
    } catch (error) {
      offer.close("it ends");
      throw error;
    }
    this.#offer = offer;
  }

  begin(close: () => void): void {
    this.#close = close;
    this.#offer?.begin(this.#offerer());
  }

  #offerer(): Offerer {
    const { journal, origin, file } = this.#parts;
    return {
      journal,
      give: () => {
        this.#isPassedOn = true;
        const sockets: SocketRole[] = ["listener"];
        const descriptors = [this.listener];
        if (this.#datagrams !== undefined) {
          sockets.push("datagrams");
          descriptors.push(this.#datagrams);
        }
        const described = file?.described;
        const given: Given = {
          say: "listener",
          sockets,
          origin,
          ...(described && { file: described }),
          ...this.#told,
        };
        return { message: given, descriptors };
      },
      takenOver: (pid, successor) => {
        this.#successor = pid;
        const text = this.#isEnding
          ? "process {pid} is about to serve: it takes this listener over, because this server ends"
          : "process {pid} serves now: this one stops accepting and lets connections finish";
        journal.log({ level: "info", text, properties: { pid } });
        for (const handler of this.#handlers) handler(pid, successor);
        this.#close?.();
      },
    };
  }

  end(): void {
    this.#isEnding = true;
    const { path } = this;
    // It closes by itself once the successor offers the listener.
    if (path === undefined || this.#successor !== undefined || this.#offer?.leave() === true) {
      return;
    }
    this.#offer?.close("this server ends");
    this.#offer = undefined;
    removePlace(path);
  }

  get path(): string | undefined {
    return this.#offer === undefined ? undefined : this.#path;
  }

  offerAt(path: string): string {
    const { net } = this.#parts;
    const user = ownUser(net);
    const place = privatePath(path, user);
    this.#offer = new Offer(net, place, user);
    this.#path = place;
    this.#offer.begin(this.#offerer());
    return place;
  }

  offerAgain(): void {
    const path = this.#path;
    const offer = this.#offer;
    if (path === undefined || offer === undefined || offer.isReachable) return;
    try {
      this.offerAt(path);
    } catch (error) {
      throw new Error(`its socket ${path} is gone: ${describeSystemError(error)}`, {
        cause: error,
      });
    }
    offer.close("its socket is gone");
  }

  refuse(pid: number, why = "this server ends, and so should you"): void {
    this.#offer?.refuse(pid, why);
  }

  hurry(isHurried: boolean): void {
    this.#offer?.hurry(isHurried);
  }

  tells(told: Predecessor): void {
    this.#told = told;
  }

  onTakenOver(handler: TakenOver): void {
    this.#handlers.push(handler);
  }
}
