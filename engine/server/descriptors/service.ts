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
import { type Address, type Protocol, write } from "../../../protocols/effects.ts";
import type { Sockets } from "../../net/sockets.ts";
import { LazyContext } from "../core/context.ts";
import { CutError, type Observation, type ObservedLife, type Observer } from "../core/observer.ts";
import type { ServiceSettings } from "../core/options.ts";
import type { Arrival } from "../core/reception.ts";
import type { DescriptorSlot } from "../team/descriptor_slot.ts";
import type { Gate } from "../team/team_memory.ts";
import type { WatchingTrack } from "../trace/timeline_watch.ts";
import type { Leaving } from "../team/linger_queue.ts";
import type { BlockingReception } from "./blocking_reception.ts";

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
  readonly lingering: Leaving;
  /** Takes those of them that were refused. */
  readonly refused: Leaving;
  /** Wakes the lingerer on the main thread. */
  wakeLingerer(): void;
  /** Says when the thread is in the protocol's code. */
  readonly pulse: Pulse;
  /** The address of the peer that is being served. */
  readonly peer: { readonly remoteAddress: Address };
  /** Whether connections inherit the receive timeout of the options from the listening socket. */
  readonly inheritsTimeout: boolean;
  /** Whether others can only ask this thread to cut its connection: they are another process. */
  readonly hearsCuts: boolean;
  /** Counts the connection that has left the gate, until it is over. */
  readonly left: Int32Array;
  /** Called when a connection ends, and its peer cannot see that yet. */
  onParting(): void;
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
  readonly #conversations: BlockingDriver;
  /** Receives connections that come through a proxy, if they do. */
  #reception: BlockingReception | undefined;
  /** The driver of what is under way: of the conversation, or of what comes before it. */
  #driver: BlockingDriver;
  #isReceiving = false;
  #isRefused = false;
  #wasEmpty = false;
  #isLocal = false;
  /** Since when the connection has waited for service, on the trace's clock; 0 if it has not. */
  #queuedAt = 0;
  /** For how long it has waited, in milliseconds. */
  #waitedMs = 0;
  #fd = -1;
  #context: LazyContext | undefined;
  #observation: Observation | undefined;
  #need: Need = "nothing";
  #failure: unknown;
  /** What `shutdown` has returned, where the caller has made it. */
  #shutdown: number | undefined;
  /** Whether the thread still had the connection when it parted from it; `undefined` before. */
  #wasOurs: boolean | undefined;

  /** @param parts what the thread serves its connections with */
  constructor(parts: ServiceParts) {
    const { sockets, protocol, settings, slot, track, observer, pulse } = parts;
    this.#parts = parts;
    this.#driver = this.#conversations = new BlockingDriver(sockets, {
      ...limitsIn(settings),
      receiveTimeoutMs: betweenMessagesMs(settings),
      tasks: track === undefined ? protocol.tasks : track.watchTasks(protocol.tasks),
      hasSlicedTasks: protocol.hasSlicedTasks,
      mayCompute: () => !slot.wasCut,
      onInterrupted: parts.hearsCuts ? () => this.#hearCut() : undefined,
      onWaits: track && (() => track.blocks()),
      onWaited: track && ((since) => track.waited(since)),
      onReport: observer.onReport,
      pulse,
    });
  }

  /**
   * Says how connections are received, before the first of them.
   *
   * @param reception waits for their PROXY header
   */
  receiveBy(reception: BlockingReception): void {
    this.#reception = reception;
  }

  /** A signal has come. Perhaps somebody wants this connection to be cut. */
  #hearCut(): void {
    const { slot, sockets } = this.#parts;
    if (slot.wasCut) slot.cut(sockets);
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

  /**
   * Begins to serve the connection, and runs its conversation until that needs a call.
   *
   * @param waitedMs for how long it has waited for that, in milliseconds: see {@linkcode ObservedLife}
   */
  begin(waitedMs = 0): void {
    this.#waitedMs = waitedMs;
    const { track, peer } = this.#parts;
    this.#failure = undefined;
    this.#shutdown = undefined;
    this.#wasOurs = undefined;
    if (track !== undefined) this.#queuedAt = track.dequeued(this.#fd);
    if (this.#reception === undefined) this.#converse(peer);
    else this.#receive(this.#reception);
  }

  /**
   * Begins the conversation.
   *
   * @param client knows whom it is with
   * @param arrival how the client has come, if that was through a proxy
   */
  #converse(client: { readonly remoteAddress: Address }, arrival?: Arrival): void {
    const { observer, gate, protocol, settings, inheritsTimeout } = this.#parts;
    const context = this.#context = new LazyContext(client);
    this.#observation = observer.begin(context, "", this.#lifeOf(arrival));
    try {
      if (gate.cutting) throw new CutError();
      const begun = beginConversation(protocol, context, settings.protocolSettings);
      const fd = this.#fd;
      this.#need = arrival === undefined
        ? this.#driver.begin(fd, begun, inheritsTimeout)
        : this.#driver.begin(fd, arrival.precede(begun), false, arrival.client.hasSpoken);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What is known about the connection, with its wait. */
  #lifeOf(known?: ObservedLife): ObservedLife | undefined {
    const waitedMs = this.#waitedMs;
    const life = waitedMs === 0 ? known : { ...known, waitedMs };
    if (this.#parts.track === undefined) return life;
    return { ...life, queuedAt: this.#queuedAt, fd: this.#fd };
  }

  /** Begins to wait for the PROXY header. */
  #receive(reception: BlockingReception): void {
    const { gate, observer, peer } = this.#parts;
    this.#context = undefined;
    this.#observation = undefined;
    this.#isRefused = this.#wasEmpty = this.#isLocal = false;
    this.#driver = reception.driver;
    if (gate.cutting || !reception.enter()) {
      this.#observation = observer.begin({ peer: peer.remoteAddress }, "", this.#lifeOf());
      return this.#fail(new CutError());
    }
    this.#isReceiving = true;
    try {
      this.#need = reception.begin(this.#fd);
    } catch (error) {
      this.#fail(error);
      this.#introduced();
    }
  }

  /** The header has come, or will not come any more. */
  #introduced(): void {
    const reception = this.#reception as BlockingReception;
    this.#need = "nothing";
    this.#isReceiving = false;
    const { observer, peer: { remoteAddress: through } } = this.#parts;
    const found = reception.end(this.#failure, through);
    this.#failure = undefined;
    if (found.kind === "over") {
      this.#failure = found.error;
      this.#wasEmpty = found.wasEmpty;
      this.#isLocal = found.isLocal;
      const { startedAt } = found;
      this.#observation = observer.begin({ peer: through }, "", this.#lifeOf({ startedAt }));
      return;
    }
    this.#driver = this.#conversations;
    if (found.kind === "in") return this.#converse(found.arrival.client, found.arrival);
    this.#isRefused = true;
    const words = reception.lineFor(found.why);
    if (words !== undefined) this.#need = this.#driver.begin(this.#fd, say(words), false, true);
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
    if (this.#need === "nothing" && this.#isReceiving) this.#introduced();
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
    if (this.#isReceiving) {
      this.#run();
      this.#introduced();
    }
    this.#run();
  }

  #run(): void {
    try {
      this.#driver.run(this.#need);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Ends the conversation. From now on no other thread can touch the descriptor, and the connection does
   * not count any more: a peer that sees our FIN may come again at once. So this comes first.
   * {@linkcode Service.release} does it, if the caller has not.
   */
  part(): void {
    if (this.#wasOurs !== undefined) return;
    const { slot, gate, left } = this.#parts;
    // A connection that was cut looks like a FIN to its protocol. A protocol that may end at any
    // time takes it for a success.
    if (slot.wasCut) this.#failure = new CutError();
    this.#wasOurs = slot.release() >= 0;
    // If the connection was taken from this thread, whoever took it has counted it.
    if (!this.#wasOurs) return;
    left[0] = 1;
    gate.leave();
    this.#parts.onParting();
  }

  /**
   * Gives the descriptor back. If closing it at
   * once could destroy the last bytes sent, this thread must not close it: the connection lingers
   * elsewhere, so that its peer cannot hold the thread. Lingering begins with FIN: the sending side
   * is shut down here, if the caller has not done so.
   *
   * @returns whether the caller has to close it
   */
  release(): boolean {
    const { sockets, lingering, refused } = this.#parts;
    const fd = this.#fd;
    this.part();
    if (this.#wasOurs !== true) return false;
    const isCut = this.#failure instanceof CutError;
    const queue = this.#isRefused ? refused : lingering;
    const mustLinger = !isCut && this.#driver.mustLinger(this.#failure !== undefined) &&
      (this.#shutdown ?? sockets.shutdown(fd, sockets.constants.SHUT_WR)) >= 0;
    if (!mustLinger || !queue.put(fd)) return true;
    if (queue.mustCall()) this.#parts.wakeLingerer();
    return false;
  }

  /** Counts the connection and reports its end. It has been closed by now, or it lingers. */
  over(): void {
    if (this.#wasOurs !== true) return;
    const thrown = this.#context?.end();
    if (this.#isLocal) this.#observation?.wasCheck();
    else {
      const wasEmpty = this.#wasEmpty || this.#driver.wasEmpty;
      this.#observation?.over(this.#failure ?? thrown, wasEmpty);
    }
    this.#parts.onOver();
    this.#parts.left[0] = 0;
  }
}

/** The conversation with a client that is refused. */
function* say(words: Uint8Array): Protocol {
  yield* write(words);
}
