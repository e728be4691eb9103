/**
 * What a server does with datagrams: it holds conversations without connections, and it decides
 * which senders it answers.
 *
 * A sender's conversation begins with its first datagram. It ends when the protocol ends it, when
 * the sender has been silent for a minute, or when the sender is forgotten for a newer one.
 *
 * The protocol does not decide who is answered. Anybody can write anybody's address on a datagram,
 * so a server that answers all of them can be used against others. The rules are:
 *
 * - A sender gets no answer if its port is below 1024 or is the port of this server. Such a sender
 *   is likely to be a service that answers back, and the two would never stop (CERT advisory
 *   CA-1996-01).
 * - No answer is longer than the datagram that asked for it, or attackers could use this server to
 *   make a flood larger.
 * - One source gets a limited number of answers in a second, and not quite all of those: see
 *   {@linkcode Sender.takeAnswer}.
 *
 * @module
 */

import { converseOnce, type DatagramOptions } from "../../drivers/datagram.ts";
import type { Pulse } from "../../drivers/pulse.ts";
import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { Door } from "../core/door.ts";
import { LazyContext } from "../core/context.ts";
import type { SharedDatagramSocket } from "./shared_datagram_socket.ts";
import type { Observer } from "../core/observer.ts";
import type { Sender } from "./sender_table.ts";
import { moment } from "../../values/moment.ts";

/**
 * A sender's conversation is over when the sender has been silent for this long, in milliseconds.
 */
const SILENT_MS = 60_000;

/** The ports below this one belong to the system's services. */
const FIRST_FREE_PORT = 1024;

/** What stands before a sender's address in the log. */
const TRANSPORT = "udp ";

/** What a thread needs to serve datagrams. A `Thread` has all of it. */
export interface DatagramServiceParts {
  /** The Berkeley calls. */
  readonly calls: Sockets;
  /** The protocol that is spoken. */
  readonly protocol: ProtocolDefinition;
  /** Counts the conversations and reports how they end. */
  readonly observer: Observer;
  /** Says whose datagrams are served, if not anybody's are. */
  readonly door?: Door | undefined;
  /** How long a computation may take, in milliseconds. */
  readonly computeTimeoutMs: number;
  /** Says when the thread is in the protocol's code. */
  readonly pulse?: Pulse | undefined;
}

/** Serves datagrams, one after another. */
export class DatagramService {
  readonly #datagrams: SharedDatagramSocket;
  readonly #parts: DatagramServiceParts;
  readonly #options: DatagramOptions;

  /**
   * @param datagrams the socket; the thread must hold it whenever it uses the service
   * @param parts what the thread serves with
   */
  constructor(datagrams: SharedDatagramSocket, parts: DatagramServiceParts) {
    this.#datagrams = datagrams;
    this.#parts = parts;
    this.#options = {
      computeTimeoutMs: parts.computeTimeoutMs,
      tasks: parts.protocol.tasks,
      onReport: parts.observer.onReport,
      pulse: parts.pulse,
    };
  }

  /**
   * Serves one datagram. Neither its content nor an error that the protocol throws harms another
   * sender.
   *
   * @param sockaddr the sender's address
   * @param bytes the content of the datagram
   * @param send sends an answer to the sender
   */
  serve(sockaddr: Uint8Array, bytes: Uint8Array, send: (answer: Uint8Array) => void): void {
    const { calls, protocol, door } = this.#parts;
    if (door !== undefined) {
      const peer = calls.readAddress(sockaddr);
      if (!door.allows(peer.hostname)) return void door.refuse(peer, "denied");
    }
    const now = moment();
    const sender = this.#hear(sockaddr, now);
    const context = new LazyContext({ remoteAddress: calls.readAddress(sockaddr) });
    if (!sender.talks) this.#begin(sender, context.peer, now);
    const answer = (answer: Uint8Array) => {
      if (this.#mayAnswer(sender, context.peer, bytes, answer, now)) send(answer);
    };
    let isOver = true;
    let failure: unknown;
    try {
      // Only protocols that have this function are served over UDP.
      const conversation = protocol.serveDatagram!(context, bytes);
      isOver = converseOnce(conversation, this.#options, answer) === true;
    } catch (error) {
      failure = error;
    }
    const thrown = context.end();
    failure ??= thrown;
    if (isOver || failure !== undefined) this.#end(sender, failure);
  }

  /** Ends the conversations of those who have been silent for long, and forgets them. */
  forgetSilent(): void {
    const until = moment() - SILENT_MS;
    const { senders } = this.#datagrams;
    for (let { oldest } = senders; oldest && oldest.heard < until; { oldest } = senders) {
      this.#forget(oldest);
    }
  }

  /** Ends all conversations, because the server closes. */
  endAll(): void {
    const { senders } = this.#datagrams;
    for (let { oldest } = senders; oldest; { oldest } = senders) this.#forget(oldest);
  }

  #hear(sockaddr: Uint8Array, now: number): Sender {
    const { senders } = this.#datagrams;
    for (;;) {
      const sender = senders.hear(sockaddr, now);
      if (sender !== undefined) return sender;
      this.#forget(senders.oldest as Sender);
    }
  }

  #forget(oldest: Sender): void {
    if (oldest.talks) this.#end(oldest);
    this.#datagrams.senders.forgetOldest();
  }

  #begin(sender: Sender, peer: Address, now: number): void {
    sender.begin(now);
    this.#parts.observer.begin({ peer }, TRANSPORT);
  }

  #end(sender: Sender, error?: unknown): void {
    const { calls, observer } = this.#parts;
    sender.end();
    const context = new LazyContext({ remoteAddress: calls.readAddress(sender.sockaddr) });
    observer.resume(context, TRANSPORT, moment() - sender.began).over(error);
  }

  #mayAnswer(
    sender: Sender,
    peer: Address,
    bytes: Uint8Array,
    answer: Uint8Array,
    now: number,
  ): boolean {
    const { port, perSecond } = this.#datagrams.share;
    return peer.port >= FIRST_FREE_PORT && peer.port !== port && answer.length <= bytes.length &&
      sender.takeAnswer(now, perSecond);
  }
}
