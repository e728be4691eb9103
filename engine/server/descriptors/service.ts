/**
 * How a blocking thread serves one connection after another: who owns the descriptor, what is
 * counted and reported, and who closes it.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { BlockingDriver, type Need } from "../../drivers/blocking.ts";
import { beginConversation, failureBy } from "../../drivers/conversation.ts";
import type { Pulse } from "../../drivers/pulse.ts";
import { betweenMessagesMs, limitsIn } from "../../drivers/limits.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { Sockets } from "../../net/sockets.ts";
import { LazyContext } from "../core/context.ts";
import { CutError, type Observation, type Observer } from "../core/observer.ts";
import type { ServiceSettings } from "../core/options.ts";
import type { DescriptorSlot } from "../team/descriptor_slot.ts";
import type { Gate } from "../team/team_memory.ts";
import type { WatchingTrack } from "../trace/timeline_watch.ts";
import type { LingerQueue } from "../team/linger_queue.ts";

/** What a thread serves its connections with. */
export interface ServiceParts {
  /** The Berkeley calls. */
  readonly sockets: Sockets;
  /** The protocol, and its limits. */
  readonly protocol: ProtocolDefinition;
  readonly settings: ServiceSettings;
  /** Where other threads find the descriptor that this one serves. */
  readonly slot: DescriptorSlot;
  /** Counts the open connections, and says when the server closes. */
  readonly gate: Gate;
  /** Counts what happens and reports it. */
  readonly observer: Observer;
  /** Writes what happens into the trace, if there is one. */
  readonly track: WatchingTrack | undefined;
  /** Takes the connections that have to linger. */
  readonly lingering: LingerQueue;
  /** Wakes the lingerer on the main thread. */
  wakeLingerer(): void;
  /** Says when the thread is in the protocol's code. */
  readonly pulse: Pulse;
  /** The address of the peer that is being served. */
  readonly peer: { readonly remoteAddress: Address };
  /** Whether connections inherit the receive timeout of the options from the listening socket. */
  readonly inheritsTimeout: boolean;
  /** Called when a connection is over. */
  onOver(): void;
}

/**
 * Serves connections, one at a time. The calls on the socket come between {@linkcode Service.begin}
 * and {@linkcode Service.over}. Either {@linkcode Service.converse} makes them, or a mode that
 * wants to show them.
 */
export class Service {
  readonly #parts: ServiceParts;
  readonly #driver: BlockingDriver;
  #fd = -1;
  #context: LazyContext | undefined;
  #observation: Observation | undefined;
  #need: Need = "nothing";
  #failure: unknown;
  /** What `shutdown` has returned, where the caller has made it. */
  #shutdown: number | undefined;
  /** Whether the thread still had the connection when it was released. */
  #wasOurs = false;

  /** @param parts what the thread serves its connections with */
  constructor(parts: ServiceParts) {
    const { sockets, protocol, settings, slot, track, observer, pulse } = parts;
    this.#parts = parts;
    this.#driver = new BlockingDriver(sockets, {
      ...limitsIn(settings),
      receiveTimeoutMs: betweenMessagesMs(settings),
      tasks: track === undefined ? protocol.tasks : track.watchTasks(protocol.tasks),
      hasSlicedTasks: protocol.hasSlicedTasks,
      mayCompute: () => !slot.wasCut,
      onWaited: track && ((since) => track.waited(since)),
      onReport: observer.onReport,
      pulse,
    });
  }

  /** The buffer into which `recv` receives. */
  get buffer(): Uint8Array {
    return this.#driver.buffer;
  }

  /** The bytes for the next `send`. */
  get unsent(): Uint8Array {
    return this.#driver.unsent;
  }

  /**
   * Takes a connection. From now on the thread owns its descriptor.
   *
   * @param fd the descriptor
   */
  own(fd: number): void {
    this.#parts.slot.own(fd);
    this.#fd = fd;
  }

  /** Begins to serve the connection, and runs its conversation until that needs a call. */
  begin(): void {
    const { track, observer, gate, protocol, settings, peer, inheritsTimeout } = this.#parts;
    const fd = this.#fd;
    this.#failure = undefined;
    this.#shutdown = undefined;
    const context = this.#context = new LazyContext(peer);
    this.#observation = track === undefined
      ? observer.begin(context)
      : observer.begin(context, "", { queuedAt: track.dequeued(fd) });
    try {
      if (gate.cutting) throw new CutError();
      const conversation = beginConversation(protocol, context, settings.protocolSettings);
      this.#need = this.#driver.begin(fd, conversation, inheritsTimeout);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The call that the conversation needs now: see {@linkcode BlockingDriver.begin}. */
  get need(): Need {
    return this.#need;
  }

  /** @param count what `recv` has returned */
  received(count: number): void {
    try {
      this.#need = this.#driver.received(count);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param count what `send` has returned */
  sent(count: number): void {
    try {
      this.#need = this.#driver.sent(count);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#driver.rest();
    this.#need = "nothing";
    this.#failure = failureBy(error);
  }

  /** @param result what `shutdown` of the sending side has returned, after the last `send` */
  shutDown(result: number): void {
    this.#shutdown = result;
  }

  /** Makes all the calls of the conversation, blocking the thread until it is over. */
  converse(): void {
    try {
      this.#driver.run(this.#need);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Ends the conversation. From now on no other thread can touch the descriptor. If closing it at
   * once could destroy the last bytes sent, this thread must not close it: the connection lingers
   * elsewhere, so that its peer cannot hold the thread. Lingering begins with FIN: the sending side
   * is shut down here, if the caller has not done so.
   *
   * @returns whether the caller has to close it
   */
  release(): boolean {
    const { slot, sockets, lingering } = this.#parts;
    const fd = this.#fd;
    // A connection that was cut looks like a FIN to its protocol. A protocol that may end at any
    // time takes it for a success.
    if (slot.wasCut) this.#failure = new CutError();
    const isCut = this.#failure instanceof CutError;
    const mustLinger = !isCut && this.#driver.mustLinger(this.#failure !== undefined) &&
      (this.#shutdown ?? sockets.shutdown(fd, sockets.constants.SHUT_WR)) >= 0;
    this.#wasOurs = slot.release() >= 0;
    if (!this.#wasOurs || !mustLinger || !lingering.put(fd)) return this.#wasOurs;
    if (lingering.mustCall()) this.#parts.wakeLingerer();
    return false;
  }

  /** Counts the connection and reports its end. It has been closed by now, or it lingers. */
  over(): void {
    // If the connection was taken from this thread, whoever took it has counted it.
    if (!this.#wasOurs) return;
    const thrown = this.#context?.end();
    this.#observation?.over(this.#failure ?? thrown, this.#driver.wasEmpty);
    this.#parts.gate.leave();
    this.#parts.onOver();
  }
}
