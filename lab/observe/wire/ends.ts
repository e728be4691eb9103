/**
 * The two ends: a real client and a real server, with sockets that never make this thread wait. Each
 * does what it is told, and on its own only what every program does: it accepts, and it reads what
 * comes. Or both speak a protocol, and do what that wants.
 *
 * @module
 */

import {
  SO_RCVBUF,
  SOL_TCP,
  TCP_QUEUE_SEQ,
  TCP_REPAIR,
  TCP_REPAIR_OFF,
  TCP_REPAIR_QUEUE,
  TCP_SYNCNT,
} from "../../../engine/kernel/linux.ts";
import { BlockingDriver, type Need } from "../../../engine/drivers/blocking.ts";
import { errorName } from "../../../engine/net/socket_error.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";
import { messageOf } from "../../../engine/dial/failures.ts";
import type { Tasks } from "../../../protocols/catalogue.ts";
import type { Address, Effect, Protocol } from "../../../protocols/effects.ts";

/** The most bytes that are read in one turn. */
const READ_BYTES = 64 * 1024;

/** The queues of a connection whose numbers can be read (`TCP_REPAIR_QUEUE`). */
const RECEIVE_QUEUE = 1;
const SEND_QUEUE = 2;

/** Nobody is in a hurry here: while the player thinks, no time limit of a protocol runs. */
const NO_LIMITS = {
  receiveTimeoutMs: 0,
  readTimeoutMs: 0,
  sessionTimeoutMs: 0,
  computeTimeoutMs: 0,
} as const;

/** Where an end is in its stream of bytes: absolute sequence numbers, as its kernel has them. */
export interface StreamNumbers {
  /** The number of the next byte that its program sends. */
  readonly next: number;
  /** The number of the next byte that it expects from its peer. */
  readonly expected: number;
}

/** How to make an end. */
export interface EndOptions {
  /** The calls. */
  readonly net: Sockets;
  /** Its own address. Port 0 lets the kernel choose. */
  readonly local: Address;
  /** How often its kernel sends a SYN or a SYN-ACK again before it gives up. */
  readonly retries: number;
  /** Its receive buffer, in bytes; as the kernel has it by default. */
  readonly receiveBuffer?: number | undefined;
  /** Its side of a protocol; without it, it does what it is told. */
  readonly conversation?: (() => Protocol<unknown>) | undefined;
  /** The CPU-bound work that its side may ask for. */
  readonly tasks?: Tasks | undefined;
}

/** One end of a connection. */
abstract class End implements Disposable {
  protected readonly net: Sockets;
  protected readonly options: EndOptions;
  /** The socket of the connection, as soon as its program has it. */
  protected fd: number | undefined;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #talk: { readonly driver: BlockingDriver; need: Need } | undefined;
  #received = 0;
  #failure: string | undefined;
  #hasEnded = false;
  #hasClosed = false;
  #reads = true;

  /** @param options what it is */
  constructor(options: EndOptions) {
    this.net = options.net;
    this.options = options;
  }

  /** How many bytes its program has read. */
  get received(): number {
    return this.#received;
  }

  /** The error that its program was told, for instance `ETIMEDOUT`; `undefined` if there was none. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Whether its program has the connection, and could send and close. */
  get hasConnection(): boolean {
    return this.fd !== undefined;
  }

  /** Whether its program has closed its direction. */
  get hasClosed(): boolean {
    return this.#hasClosed;
  }

  /**
   * Where it is in its stream of bytes (`TCP_REPAIR`, which needs CAP_NET_ADMIN).
   *
   * @returns `undefined` where the kernel does not tell
   */
  numbers(): StreamNumbers | undefined {
    const { fd, net } = this;
    if (fd === undefined) return undefined;
    try {
      net.setOption(fd, SOL_TCP, TCP_REPAIR, 1);
    } catch {
      return undefined;
    }
    try {
      const read = (queue: number) => {
        net.setOption(fd, SOL_TCP, TCP_REPAIR_QUEUE, queue);
        return net.getOption(fd, SOL_TCP, TCP_QUEUE_SEQ) >>> 0;
      };
      return { next: read(SEND_QUEUE), expected: read(RECEIVE_QUEUE) };
    } catch {
      return undefined;
    } finally {
      net.setOption(fd, SOL_TCP, TCP_REPAIR, TCP_REPAIR_OFF);
    }
  }

  /**
   * Sends bytes.
   *
   * @param bytes what
   * @returns whether there is a connection to send them on
   */
  send(bytes: Uint8Array): boolean {
    return this.fd !== undefined && !this.#hasClosed && this.net.send(this.fd, bytes) > 0;
  }

  /** Closes its direction: its kernel sends FIN. @returns whether there was something to close */
  close(): boolean {
    if (this.fd === undefined || this.#hasClosed) return false;
    this.#hasClosed = true;
    this.net.shutdown(this.fd, this.net.constants.SHUT_WR);
    return true;
  }

  /** Gives the connection up: its kernel sends RST. @returns whether there was one */
  reset(): boolean {
    if (this.fd === undefined) return false;
    this.net.closeWithReset(this.fd);
    this.fd = undefined;
    this.#hasClosed = true;
    return true;
  }

  /** Stops reading what comes, or begins again. */
  setReading(reads: boolean): void {
    this.#reads = reads;
  }

  /** Does what its program does by itself, without waiting. */
  turn(): void {
    if (this.fd === undefined) return;
    if (this.#talk !== undefined) this.#converse(this.fd, this.#talk);
    else if (this.#reads) this.#read(this.fd);
  }

  /** Begins its side of the protocol, if it speaks one. */
  protected begin(fd: number): void {
    const { conversation, tasks } = this.options;
    if (conversation === undefined) return;
    const driver = new BlockingDriver(this.net, { ...NO_LIMITS, tasks });
    this.#talk = { driver, need: driver.begin(fd, patient(conversation())) };
  }

  /** @param error the negated error number that a call returned */
  protected fail(error: number): void {
    this.#failure ??= errorName(-error);
    this.#hasEnded = true;
  }

  /** Gives its descriptors back. */
  [Symbol.dispose](): void {
    if (this.fd !== undefined) this.net.close(this.fd);
    this.fd = undefined;
  }

  #read(fd: number): void {
    const { MSG_DONTWAIT, errno } = this.net.constants;
    for (let left = 64; left > 0 && !this.#hasEnded; left--) {
      const count = this.net.recv(fd, this.#buffer, MSG_DONTWAIT);
      if (count > 0) this.#received += count;
      else if (count === 0) this.#hasEnded = true;
      else if (count === -errno.EAGAIN) return;
      else if (count !== -errno.EINTR) return this.fail(count);
    }
  }

  #converse(fd: number, talk: { readonly driver: BlockingDriver; need: Need }): void {
    const { MSG_DONTWAIT, errno } = this.net.constants;
    const { driver } = talk;
    try {
      while (talk.need !== "nothing") {
        const isReading = talk.need === "recv";
        const count = isReading
          ? this.net.recv(fd, driver.buffer, MSG_DONTWAIT)
          : this.net.send(fd, driver.unsent, MSG_DONTWAIT);
        if (count === -errno.EAGAIN || count === -errno.ENOTCONN) return;
        if (isReading && count > 0) this.#received += count;
        talk.need = isReading ? driver.received(count) : driver.sent(count);
      }
    } catch (error) {
      this.#failure ??= (error as { code?: string }).code ?? messageOf(error);
    }
    // Like a server that lingers: its direction is closed, and what still comes is read.
    this.#talk = undefined;
    this.close();
  }
}

/** The end that connects. */
export class ClientEnd extends End {
  #local: Address | undefined;
  #isConnected = false;

  /** Its address, once it has begun to connect. */
  get address(): Address | undefined {
    return this.#local;
  }

  /**
   * Begins to connect: its kernel sends a SYN.
   *
   * @param remote where to
   */
  connect(remote: Address): void {
    if (this.fd !== undefined) return;
    const { net, options: { local, retries } } = this;
    const { AF_INET, SOCK_STREAM, SOCK_NONBLOCK, SOL_SOCKET, SO_REUSEADDR, TCP_NODELAY, errno } =
      net.constants;
    const fd = this.fd = net.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    net.setOption(fd, SOL_TCP, TCP_NODELAY, 1);
    net.setOption(fd, SOL_TCP, TCP_SYNCNT, retries);
    if (local.port !== 0) net.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    net.bind(fd, local);
    const result = net.connectNonBlocking(fd, net.writeAddress(remote));
    if (result !== 0 && result !== -errno.EINPROGRESS) this.fail(result);
    this.#local = net.localAddress(fd);
  }

  override turn(): void {
    const { fd, net } = this;
    if (fd !== undefined && !this.#isConnected && this.failure === undefined) {
      // poll(2) tells the end of the attempt, whichever it is.
      if (net.poll(fd, net.constants.POLLOUT, 0) <= 0) return;
      this.#isConnected = true;
      const error = net.getOption(fd, net.constants.SOL_SOCKET, net.constants.SO_ERROR);
      if (error !== 0) return this.fail(-error);
      this.begin(fd);
    }
    super.turn();
  }
}

/** The end that listens. */
export class ServerEnd extends End {
  readonly #listener: number;

  /**
   * Listens.
   *
   * @param options what it is
   * @throws {SocketError} if the address is taken
   */
  constructor(options: EndOptions) {
    super(options);
    const { net, local, retries, receiveBuffer } = options;
    this.#listener = net.openListener(local, { nonBlocking: true });
    net.setOption(this.#listener, SOL_TCP, TCP_SYNCNT, retries);
    if (receiveBuffer !== undefined) {
      net.setOption(this.#listener, net.constants.SOL_SOCKET, SO_RCVBUF, receiveBuffer);
    }
  }

  override turn(): void {
    if (this.fd === undefined && !this.hasClosed) {
      const { net } = this;
      const accepted = net.acceptNonBlocking(this.#listener, new Uint8Array(28));
      if (accepted >= 0) {
        this.fd = accepted;
        this.begin(accepted);
      }
    }
    super.turn();
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    this.net.close(this.#listener);
  }
}

/** Lets a conversation wait as long as it must: what it would wait for is on the wire. */
function* patient(conversation: Protocol<unknown>): Protocol<unknown> {
  let step = conversation.next();
  while (step.done !== true) {
    let answer: unknown;
    let error: { readonly thrown: unknown } | undefined;
    try {
      answer = yield withoutLimit(step.value);
    } catch (thrown) {
      error = { thrown };
    }
    step = error === undefined ? conversation.next(answer) : conversation.throw(error.thrown);
  }
  return step.value;
}

function withoutLimit(effect: Effect): Effect {
  return effect?.kind === "read" ? { kind: "read" } : effect;
}
