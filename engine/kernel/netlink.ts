/**
 * Questions and orders to the kernel by netlink(7).
 *
 * @module
 */

import { SocketError } from "../net/socket_error.ts";
import type { Sockets } from "../net/sockets.ts";
import { AF_NETLINK, SOCK_RAW } from "./linux.ts";

/** The length of a `struct nlmsghdr`: what a message says begins behind it. */
export const HEADER_BYTES = 16;

/** Flags of a request: it is one, it is to be confirmed, and it is for all that there is. */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** The most bytes of one answer. The kernel fills up to 32 KiB at a time. */
export const ANSWER_BYTES = 64 * 1024;

/** A message: what follows its header lies from `at` to `end`. */
export interface NetlinkMessage {
  /** What it is about. */
  readonly type: number;
  /** The number of the request that it answers. */
  readonly from: number;
  /** Where what it says begins. */
  readonly at: number;
  /** Where it ends. */
  readonly end: number;
}

/**
 * Makes a request.
 *
 * @param type what it asks for
 * @param flags {@linkcode NLM_F_REQUEST} and others
 * @param length how many bytes follow its header; they are 0
 */
export function makeMessage(type: number, flags: number, length: number): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  return message;
}

/**
 * The messages that one call has received.
 *
 * @param view where they are
 * @param count how many bytes there are
 */
export function* messagesIn(view: DataView, count: number): Generator<NetlinkMessage> {
  for (let at = 0; at + HEADER_BYTES <= count;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > count) return;
    yield {
      type: view.getUint16(at + 4, true),
      from: view.getUint32(at + 8, true),
      at: at + HEADER_BYTES,
      end: at + length,
    };
    at += Math.ceil(length / 4) * 4;
  }
}

/**
 * Opens a socket of netlink.
 *
 * @param net the calls
 * @param protocol the part of the kernel at its other end
 * @throws {SocketError} where there is no netlink, as in some containers and on WSL 1
 */
export function openNetlink(net: Sockets, protocol: number): number {
  return net.socket(AF_NETLINK, SOCK_RAW, protocol);
}

/** A socket for requests, one after another. */
export class Netlink implements Disposable {
  /** The bytes of the last answer. */
  readonly bytes: Uint8Array = new Uint8Array(ANSWER_BYTES);
  /** The same. */
  readonly view: DataView = new DataView(this.bytes.buffer);
  readonly #net: Sockets;
  readonly #fd: number;
  readonly #about: string;
  #sequence = 0;

  /**
   * Opens it.
   *
   * @param net the calls
   * @param protocol the part of the kernel that is asked
   * @param about what it is asked about, for errors
   * @throws {SocketError} where there is no netlink
   */
  constructor(net: Sockets, protocol: number, about: string) {
    this.#net = net;
    this.#about = about;
    this.#fd = openNetlink(net, protocol);
    // The kernel answers within the call that asks. So this limit only ends a wait for nothing.
    net.setReceiveTimeout(this.#fd, 1_000);
  }

  /**
   * Makes a request, and yields what answers it.
   *
   * @param request what {@linkcode makeMessage} has made
   * @returns messages, each valid until the next; one, unless the request is for all that there is,
   * and none if all that it wants is to be confirmed
   * @throws {SocketError} if the kernel refuses
   */
  *ask(request: Uint8Array): Generator<NetlinkMessage, void> {
    const sequence = ++this.#sequence;
    const head = new DataView(request.buffer);
    head.setUint32(8, sequence, true);
    const isDump = (head.getUint16(6, true) & NLM_F_DUMP) === NLM_F_DUMP;
    this.#check("send", this.#net.send(this.#fd, request));
    while (true) {
      const count = this.#receive();
      for (const message of messagesIn(this.view, count)) {
        // An earlier request may have been left with a part of its answer unread.
        if (message.from !== sequence) continue;
        if (message.type === NLMSG_DONE) return;
        if (message.type === NLMSG_ERROR) {
          const error = this.view.getInt32(message.at, true);
          if (error !== 0) throw new SocketError("ask", -error, this.#about);
          return;
        }
        yield message;
        if (!isDump) return;
      }
    }
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#net.close(this.#fd);
  }

  #receive(): number {
    const { EINTR } = this.#net.constants.errno;
    while (true) {
      const count = this.#net.recv(this.#fd, this.bytes);
      if (count !== -EINTR) return this.#check("recv", count);
    }
  }

  #check(call: string, result: number): number {
    if (result < 0) throw new SocketError(call, -result, "by netlink");
    return result;
  }
}
