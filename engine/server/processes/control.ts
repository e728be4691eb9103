/**
 * What a process that serves connections and its parent say to each other, over a Unix domain socket
 * that keeps messages apart (`SOCK_SEQPACKET`, unix(7)).
 *
 * A message is a byte that says what it means, and then what belongs to that. A connection travels
 * with it as a descriptor (`SCM_RIGHTS`), over a socket of its own: see `mailbox.ts`. Nearly all else
 * that the two share lies in memory: `engine/net/common_memory.ts`.
 *
 * @module
 */

import { SOCKADDR_SIZE, UNIX } from "../../net/address.ts";
import { KEEP_TO_SELF, MessageBuffer } from "../../net/message_buffer.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { StrayReport } from "../../workers/strays.ts";

/** The type of socket that keeps messages apart, on Linux. */
export const SOCK_SEQPACKET = 5;

/** What the process says. */
export const SAY = {
  /** It is ready. With the number of the signal that ends a call in which it waits. */
  ready: 1,
  /** It cannot start. With the reason. */
  cannotStart: 2,
  /** It waits for a connection. */
  idle: 3,
  /** Its journal has something to read. */
  wake: 4,
  /** Here is a connection that has to linger. */
  lingering: 5,
  /** The same, of a client that was refused. */
  refused: 6,
  /** An error belongs to no conversation. With a {@linkcode describeStray} of it. */
  stray: 7,
  /** It ends because of an error. With the reason. */
  died: 8,
} as const;

/** What the parent says. */
export const TELL = {
  /** What it has to do: JSON, with the memory, the socket that wakes, and perhaps the listener. */
  assignment: 1,
  /** Here is a connection: see {@linkcode describeConnection}. */
  connection: 2,
  /** There will be no more. */
  end: 3,
  /** The connection was taken back. Does it wait for another one? */
  again: 4,
} as const;

/** The longest message, in bytes. Reasons are cut. */
const LONGEST = 16 * 1024;

/** Room for the few descriptors of an assignment. */
const CONTROL_BYTES = 64;

/** A message that has come. */
export interface Heard {
  /** One of {@linkcode SAY} or {@linkcode TELL}. */
  readonly kind: number;
  /** What belongs to it. It is valid until the next message. */
  readonly data: Uint8Array;
  /** The descriptors that came with it. They belong to whoever hears it. */
  readonly descriptors: readonly number[];
}

/** One end of a socket. */
export class Control {
  /** The descriptor. */
  readonly fd: number;
  readonly #net: Sockets;
  readonly #incoming: MessageBuffer;
  readonly #outgoing: MessageBuffer;
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder();

  /**
   * @param net the Berkeley calls
   * @param fd a connected socket
   * @param buffers the memory of messages: sockets of one thread can share it
   */
  constructor(net: Sockets, fd: number, buffers: MessageBuffers = new MessageBuffers()) {
    this.#net = net;
    this.fd = fd;
    this.#incoming = buffers.incoming;
    this.#outgoing = buffers.outgoing;
    this.#bytes = buffers.bytes;
  }

  /**
   * Connects to the parent.
   *
   * @param net the Berkeley calls
   * @param path where it waits
   * @throws {SocketError} if it does not
   */
  static connect(net: Sockets, path: string): Control {
    const fd = net.socket(net.constants.AF_UNIX, SOCK_SEQPACKET);
    net.connect(fd, { hostname: `${UNIX}${path}`, port: 0 });
    return new Control(net, fd);
  }

  /**
   * Sends a message.
   *
   * @param kind one of {@linkcode SAY} or {@linkcode TELL}
   * @param data what belongs to it
   * @param descriptors what goes with it
   * @param flags `MSG_DONTWAIT`, if the caller must not wait
   * @returns whether it was sent
   */
  send(
    kind: number,
    data?: Uint8Array | string,
    descriptors: readonly number[] = [],
    flags = 0,
  ): boolean {
    const bytes = this.#bytes;
    bytes[0] = kind;
    let length = 1;
    if (typeof data === "string") {
      length += new TextEncoder().encodeInto(data, bytes.subarray(1)).written;
    } else if (data !== undefined) {
      bytes.set(data, 1);
      length += data.length;
    }
    const message = this.#outgoing;
    message.put(bytes.subarray(0, length), descriptors);
    const { EINTR } = this.#net.constants.errno;
    for (;;) {
      const count = this.#net.sendMessage(this.fd, message, flags);
      if (count !== -EINTR) return count === length;
    }
  }

  /**
   * Receives a message.
   *
   * @param flags `MSG_DONTWAIT`, if the caller must not wait
   * @returns `undefined` if none has come yet, `"end"` if none will come
   */
  hear(flags = 0): Heard | "end" | undefined {
    const message = this.#incoming;
    const { EAGAIN, EINTR } = this.#net.constants.errno;
    const count = this.#net.receiveMessage(this.fd, message, flags | KEEP_TO_SELF);
    if (count === -EAGAIN || count === -EINTR) return undefined;
    if (count <= 0) return "end";
    const { data, descriptors } = message;
    return { kind: data[0] as number, data: data.subarray(1), descriptors };
  }

  /** The text of a message. */
  textOf({ data }: Heard): string {
    return this.#decoder.decode(data);
  }

  /** Closes it. */
  close(): void {
    this.#net.close(this.fd);
  }
}

/** The memory of messages. */
export class MessageBuffers {
  /** For those that come. */
  readonly incoming: MessageBuffer = new MessageBuffer(LONGEST, CONTROL_BYTES);
  /** For those that are sent. */
  readonly outgoing: MessageBuffer = new MessageBuffer(LONGEST, CONTROL_BYTES);
  /** Where these are put together. */
  readonly bytes: Uint8Array = new Uint8Array(LONGEST);
}

/**
 * Writes down what a process tells of errors outside all conversations.
 *
 * @param report how many there were, and what the latest says, which may be cut
 */
export function describeStray({ count, error }: StrayReport): string {
  return `${count} ${error}`;
}

/**
 * Reads that.
 *
 * @param text what came of it
 * @returns `undefined` if it is something else: a process may be out of its mind
 */
export function readStray(text: string): StrayReport | undefined {
  const [, count, error] = /^(\d{1,9}) (.*)$/s.exec(text) ?? [];
  return error === undefined ? undefined : { count: Number(count), error };
}

/** The address of nobody, for a connection whose peer is not known. */
export const NOBODY: Uint8Array = new Uint8Array(SOCKADDR_SIZE);

/**
 * Writes down what belongs to a connection that a process is handed.
 *
 * @param sockaddr the address of its peer
 * @param since since when it has waited for a process, on the clock of the timeline; 0 for never
 * @param neededSince the stamp of when it began to need one: see `moment.ts`
 */
export function describeConnection(
  sockaddr: Uint8Array,
  since: number,
  neededSince = 0,
): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_SIZE + 12);
  bytes.set(sockaddr);
  const view = new DataView(bytes.buffer);
  view.setFloat64(SOCKADDR_SIZE, since);
  view.setInt32(SOCKADDR_SIZE + 8, neededSince);
  return bytes;
}

/**
 * Reads that.
 *
 * @param data what came with the connection
 * @param sockaddr is filled with the address
 * @returns since when it has waited, on either clock
 */
export function readConnection(
  data: Uint8Array,
  sockaddr: Uint8Array,
): { readonly since: number; readonly neededSince: number } {
  sockaddr.set(data.subarray(0, SOCKADDR_SIZE));
  const view = new DataView(data.buffer, data.byteOffset);
  return {
    since: view.getFloat64(SOCKADDR_SIZE),
    neededSince: view.getInt32(SOCKADDR_SIZE + 8),
  };
}

/** Whether something is an error of a call. */
export function isSocketError(error: unknown): error is SocketError {
  return error instanceof SocketError;
}
