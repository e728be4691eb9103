/**
 * Chat servers joined through NATS.
 *
 * Each server numbers what it tells the others. A server that hears another for the first time, or
 * misses a number, asks it for the list of its users (its roster). A server that was silent for a
 * few beats counts as gone. When the link is lost, everything known of the other servers is
 * forgotten, and until there is a new one nothing that is said leaves this server. This module
 * needs the packages of NATS: import it only if a bus was asked for.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { Backoff } from "../../engine/net/backoff.ts";
import { isWithin } from "../../engine/values/pause.ts";
import type { Bus, BusEvent, BusListener, BusMessage, Pace } from "./bus.ts";
import { type BusAddress, BusError, parseBusUrl } from "./bus_url.ts";
import { Inbox } from "./inbox.ts";
import { NameClaims } from "./name_claims.ts";
import { NatsLink } from "./nats_link.ts";
import { OutgoingEvents } from "./outgoing_events.ts";
import { PeerDirectory } from "./peer_directory.ts";
import { cutRoster, decodePacket, encode, type Packet, PACKET_LIMIT } from "./wire.ts";

/** How to use NATS. */
export interface NatsBusOptions {
  /**
   * How often this server says that it is alive, in milliseconds. A server that is silent for more
   * than three times as long counts as gone.
   *
   * @default {2000}
   */
  readonly beatMs?: number;
  /**
   * How long the names of a dead server stay taken, in milliseconds.
   *
   * @default {30000}
   */
  readonly nameTtlMs?: number;
  /**
   * How long connecting and each answer of NATS may take, in milliseconds.
   *
   * @default {5000}
   */
  readonly timeoutMs?: number;
  /**
   * How many bytes may be on their way to NATS before the link counts as lost.
   *
   * @default {4194304}
   */
  readonly outboxBytes?: number;
}

/** How long it may take to give all names back at the end, in milliseconds. */
const RELEASE_MS = 1_000;

/** A link that lasted longer than this, in milliseconds, was a good one. */
const GOOD_LINK_MS = 5_000;

/** How many servers are told who is here, each for itself. If more ask, all servers are told. */
const ANSWERS_A_BEAT = 16;

/**
 * Connects to a NATS server.
 *
 * @param url `nats://[USER:PASSWORD@]HOST[:PORT][/CHAT]`, or `tls://…`
 * @param options how to use NATS
 * @returns the bus, linked but not started
 * @throws {BusError} with one sentence if the URL, the server or its JetStream cannot be used
 */
export async function openNatsBus(url: string, options: NatsBusOptions = {}): Promise<Bus> {
  const bus = new NatsBus(parseBusUrl(url), options);
  await bus.open();
  return bus;
}

/** The link of one server to the others, through NATS. */
class NatsBus implements Bus {
  readonly server: string = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  readonly isAlone = false;
  readonly #address: BusAddress;
  readonly #options: Required<NatsBusOptions>;
  readonly #directory = new PeerDirectory();
  readonly #claims: NameClaims;
  readonly #closing = new AbortController();
  #listener: BusListener | undefined;
  #link: NatsLink | undefined;
  #isLinked = false;
  /** Resolves when the work that {@linkcode NatsBus.start} has begun is over. */
  #running: Promise<void> = Promise.resolve();
  /** The number of this server's last event. */
  #number = 0;
  /** The servers that were answered since the last beat, and those that are to be at the next. */
  #answered = new Set<string>();
  #toAnswer = new Set<string>();
  /** What happens here, on its way to the others. */
  readonly #outgoing = new OutgoingEvents((events) => this.#postEvents(events));
  /** What has come from the others. */
  #inbox: Inbox | undefined;
  #ignored = 0;
  #lost = 0;
  /** Why the link was last lost, or could not be restored. */
  #trouble = "none";
  /** How long to wait before the next link if the previous one did not last. */
  readonly #backoff = new Backoff();

  constructor(address: BusAddress, options: NatsBusOptions) {
    const { beatMs = 2_000, nameTtlMs = 30_000, timeoutMs = 5_000, outboxBytes = 4 * 1024 ** 2 } =
      options;
    this.#address = address;
    this.#options = { beatMs, nameTtlMs, timeoutMs, outboxBytes };
    this.#claims = new NameClaims(this.server, {
      onLost: (name) => this.#listener?.onNameLost(name),
      onTakenOver: (name, from) => this.#post({ kind: "taken", from: this.server, name }, from),
    });
  }

  get isLinked(): boolean {
    return this.#isLinked;
  }

  get details(): readonly string[] {
    return [
      this.#address.url,
      `other servers: ${this.#directory.size}`,
      `times lost: ${this.#lost}`,
      `last trouble: ${this.#trouble}`,
      `packets ignored: ${this.#ignored}`,
    ];
  }

  /** Makes the first connection. */
  async open(): Promise<void> {
    this.#link = await this.#connect();
  }

  async start(listener: BusListener, pace?: Pace): Promise<void> {
    const link = this.#link as NatsLink;
    this.#listener = listener;
    this.#inbox = new Inbox(pace, (bytes) => this.#onPacket(bytes, listener));
    this.#running = this.#run(listener, link);
    // Only now does a server say that this user may not publish or subscribe.
    await link.drained();
    if (link.whyOver === undefined || this.#closing.signal.aborted) return;
    await this.close();
    throw new BusError(this.#address.url, link.whyOver);
  }

  publish(event: BusEvent): void {
    if (this.#isLinked) this.#outgoing.add(event);
  }

  send(server: string, message: BusMessage): void {
    this.#post({ kind: "message", from: this.server, message }, server);
  }

  claim(name: string, since: number): Promise<boolean> {
    return this.#claims.claim(name, since);
  }

  release(name: string): void {
    this.#claims.release(name);
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      // Names that are not given back in time expire.
      await isWithin(RELEASE_MS, this.#claims.releaseAll().catch(() => {}));
      this.#outgoing.flush();
      // Not earlier: whoever hears that a user is gone may want the name at once.
      this.#post({ kind: "goodbye", from: this.server });
      await this.#link?.close();
    }
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Goes from link to link until the bus is closed. */
  async #run(listener: BusListener, first: NatsLink): Promise<void> {
    for (let link: NatsLink | undefined = first; link !== undefined;) {
      const startedAt = performance.now();
      await this.#use(link, listener, link === first);
      if (performance.now() - startedAt > GOOD_LINK_MS) this.#backoff.reset();
      link = await this.#connectAgain();
    }
  }

  /** Tries to connect until it succeeds; `undefined` if the bus is closed in the meantime. */
  async #connectAgain(): Promise<NatsLink | undefined> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      // Closing cuts the delay short.
      await delay(this.#backoff.next(), { signal }).catch(() => {});
      try {
        return await this.#connect();
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        this.#trouble = error.message;
      }
    }
    return undefined;
  }

  #connect(): Promise<NatsLink> {
    const { beatMs, timeoutMs, nameTtlMs, outboxBytes } = this.#options;
    return NatsLink.open(this.#address, {
      server: this.server,
      timeoutMs,
      nameTtlMs,
      outboxBytes,
      checks: Math.max(3, Math.ceil(timeoutMs / beatMs)),
      signal: this.#closing.signal,
    });
  }

  /** Uses a link until it is over. */
  async #use(link: NatsLink, listener: BusListener, isFirst: boolean): Promise<void> {
    if (this.#closing.signal.aborted) return link.close();
    const over = Promise.withResolvers<void>();
    this.#link = link;
    this.#isLinked = true;
    this.#answered.clear();
    this.#toAnswer.clear();
    const beat = setInterval(() => this.#beat(listener), this.#options.beatMs);
    const renewal = setInterval(() => this.#attempt(this.#claims.renew()), link.names.ttlMs / 3);
    link.listen({
      onPacket: (bytes) => {
        const isTaken = bytes.length <= PACKET_LIMIT && this.#inbox?.add(bytes) === true;
        if (!isTaken) this.#ignored++;
      },
      // Others have deleted the names: this server's are put back at once.
      onNamesGone: () => this.#attempt(this.#claims.renew()),
      onOver: (reason) => {
        clearInterval(beat);
        clearInterval(renewal);
        this.#isLinked = false;
        this.#claims.detach();
        this.#directory.clear();
        this.#outgoing.clear();
        this.#inbox?.clear();
        if (!this.#closing.signal.aborted) {
          this.#lost++;
          this.#trouble = reason;
          listener.onLink(false);
        }
        over.resolve();
      },
    });
    if (this.#isLinked) {
      this.#attempt(this.#claims.attach(link.names));
      if (!isFirst) listener.onLink(true);
      this.#tellRoster();
      this.#post({ kind: "ask", from: this.server });
    }
    await over.promise;
  }

  /** Lets work on names go on in the background. Its failures have ended the link already. */
  #attempt(work: Promise<void>): void {
    work.catch(() => {});
  }

  #beat(listener: BusListener): void {
    this.#link?.check();
    this.#outgoing.flush();
    this.#post({ kind: "beat", from: this.server, number: this.#number });
    for (const server of this.#directory.beat()) listener.onServerGone(server);
    const asking = this.#toAnswer;
    this.#answered = new Set();
    this.#toAnswer = new Set();
    if (asking.size > ANSWERS_A_BEAT) this.#tellRoster();
    else for (const server of asking) this.#answer(server);
    this.#askThoseOutOfStep();
  }

  /**
   * Tells a server that asked who is here, once a beat however often it asks, and whoever else asks
   * in its name.
   */
  #answer(server: string): void {
    if (!this.#answered.has(server) && this.#answered.size < ANSWERS_A_BEAT) {
      this.#answered.add(server);
      this.#tellRoster(server);
    } else if (this.#toAnswer.size <= ANSWERS_A_BEAT) this.#toAnswer.add(server);
  }

  #tellRoster(server?: string): void {
    // What the roster shows must not be told once more.
    this.#outgoing.flush();
    const partBytes = Math.min(PACKET_LIMIT, this.#link?.maxPayload ?? PACKET_LIMIT) / 2;
    const users = this.#listener?.roster() ?? [];
    for (const part of cutRoster(users, this.#number, partBytes)) {
      this.#post({ kind: "roster", from: this.server, ...part }, server);
    }
  }

  #askThoseOutOfStep(): void {
    for (const server of this.#directory.takeToAsk()) {
      this.#post({ kind: "ask", from: this.server }, server);
    }
  }

  #onPacket(bytes: Uint8Array, listener: BusListener): void {
    const packet = decodePacket(bytes);
    if (packet === undefined || packet.from === this.server) this.#ignored++;
    else {
      this.#take(packet, listener);
      this.#askThoseOutOfStep();
    }
  }

  #take(packet: Packet, listener: BusListener): void {
    const { from } = packet;
    switch (packet.kind) {
      case "event":
        this.#takeEvent(from, packet.number, packet.event, listener);
        break;
      case "events":
        for (const [index, event] of packet.events.entries()) {
          this.#takeEvent(from, packet.number + index, event, listener);
        }
        break;
      case "beat":
        this.#directory.onBeat(from, packet.number);
        break;
      case "roster": {
        const users = this.#directory.onRoster(from, packet);
        if (users === undefined) break;
        listener.onRoster(from, users);
        for (const { name } of users) this.#settle(name);
        break;
      }
      case "ask":
        this.#answer(from);
        break;
      case "goodbye":
        if (this.#directory.onGoodbye(from)) listener.onServerGone(from);
        break;
      case "message":
        listener.onMessage(from, packet.message);
        break;
      case "taken":
        this.#settle(packet.name);
        break;
    }
  }

  #takeEvent(from: string, number: number, event: BusEvent, listener: BusListener): void {
    const isTalk = event.kind === "say" || event.kind === "announce";
    if (!this.#directory.onEvent(from, number, isTalk)) return;
    listener.onEvent(from, event);
    if (event.kind === "enter") this.#settle(event.user.name);
    if (event.kind === "rename") this.#settle(event.to);
  }

  /** Sends events, in as few packets as the server of NATS allows. */
  #postEvents(events: readonly BusEvent[]): void {
    const number = this.#number + 1;
    const { server: from } = this;
    const [event] = events;
    if (event === undefined) return;
    const isSent = events.length === 1
      ? this.#post({ kind: "event", from, number, event })
      : this.#post({ kind: "events", from, number, events });
    if (isSent) this.#number += events.length;
    else if (events.length > 1 && this.#isLinked) {
      const half = events.length >> 1;
      this.#postEvents(events.slice(0, half));
      this.#postEvents(events.slice(half));
    }
  }

  /** Another server says that it has a name. */
  #settle(name: string): void {
    if (this.#claims.has(name)) this.#attempt(this.#claims.settle(name));
  }

  #post(packet: Packet, server?: string): boolean {
    return this.#isLinked && this.#link !== undefined && this.#link.publish(encode(packet), server);
  }
}
