/**
 * What a server does with datagrams: conversations without connections, and whom it answers.
 *
 * A sender's conversation begins with its first datagram. It ends when the protocol says so, when
 * the sender has been silent for a minute, or when it is forgotten for newer ones.
 *
 * Whom to answer is no matter of the protocol. Anybody can write anybody's address on a datagram,
 * so a server that answers all of them can be used against others:
 *
 * - A port below 1024, or this server's own number on another machine, is likely to be a service
 *   that answers back, and the two would never stop (CERT advisory CA-1996-01). They get nothing.
 * - No answer is longer than the datagram that asked for it, or a flood could be made larger here.
 * - One source gets a limited number of answers in a second, and not quite all of them: see
 *   {@linkcode Sender.takeAnswer}.
 *
 * @module
 */

import { converseOnce, type DatagramOptions } from "../../drivers/datagram.ts";
import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { Sockets } from "../../net/sockets.ts";
import { LazyContext } from "../core/context.ts";
import type { DatagramSocket } from "./datagram_socket.ts";
import type { Observer } from "../core/observer.ts";
import { type Sender, sharedNow } from "./sender_table.ts";

/** How long a sender may be silent until its conversation is over, in milliseconds. */
const SILENT_MS = 60_000;

/** The ports below are those of the system's services. */
const FIRST_FREE_PORT = 1024;

/** How a sender is named in the log. */
const TRANSPORT = "udp ";

/** What a thread serves datagrams with; a `Thread` has it all. */
export interface DatagramServiceParts {
  /** The Berkeley calls. */
  readonly calls: Sockets;
  /** What is spoken. */
  readonly protocol: ProtocolDefinition;
  /** Counts and tells. */
  readonly observer: Observer;
  /** The limit of computations, in milliseconds. */
  readonly computeTimeoutMs: number;
}

/** Serves datagrams, one after another. */
export class DatagramService {
  readonly #datagrams: DatagramSocket;
  readonly #parts: DatagramServiceParts;
  readonly #options: DatagramOptions;

  /**
   * @param datagrams the socket; the thread must hold it whenever it uses the service
   * @param parts the thread's
   */
  constructor(datagrams: DatagramSocket, parts: DatagramServiceParts) {
    this.#datagrams = datagrams;
    this.#parts = parts;
    this.#options = {
      computeTimeoutMs: parts.computeTimeoutMs,
      tasks: parts.protocol.tasks,
      onReport: parts.observer.onReport,
    };
  }

  /**
   * Serves one datagram. Nothing that it holds and nothing that the protocol throws harms anybody
   * else.
   *
   * @param sockaddr who sent it
   * @param bytes what it holds
   * @param send sends an answer to the sender
   */
  serve(sockaddr: Uint8Array, bytes: Uint8Array, send: (answer: Uint8Array) => void): void {
    const { calls, protocol } = this.#parts;
    const now = sharedNow();
    const sender = this.#hear(sockaddr, now);
    const context = new LazyContext({ remoteAddress: calls.readAddress(sockaddr) });
    if (!sender.talks) this.#begin(sender, context.peer, now);
    const answer = (answer: Uint8Array) => {
      if (this.#mayAnswer(sender, context.peer, bytes, answer, now)) send(answer);
    };
    try {
      // Only protocols that have it are served by datagrams.
      const conversation = protocol.serveDatagram!(context, bytes);
      if (converseOnce(conversation, this.#options, answer)) this.#end(sender);
    } catch (error) {
      this.#end(sender, error);
    }
    context.end();
  }

  /** Ends the conversations of those who have been silent for long, and forgets them. */
  forgetSilent(): void {
    const until = sharedNow() - SILENT_MS;
    const { senders } = this.#datagrams;
    for (let { oldest } = senders; oldest && oldest.heard < until; { oldest } = senders) {
      this.#forget(oldest);
    }
  }

  /** Ends all conversations: the server closes. */
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
    observer.resume(context, TRANSPORT, sharedNow() - sender.began).over(error);
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
