/**
 * What two processes say to each other when one takes the listener of the other over.
 *
 * Each message is a line of JSON. The newcomer says `take`. The old server answers with `listener`,
 * and with the listener itself, or with `no`. When the newcomer serves, it says `serving`. The old
 * one answers `yours`, and from then on it accepts nobody. Every message names the version of this
 * conversation, so that servers of different versions understand each other or know that they do
 * not.
 *
 * @module
 */

import { escapeText } from "../../../protocols/text.ts";
import { KEEP_TO_SELF, MessageBuffer } from "../../net/message_buffer.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { PagePlace } from "../core/handover.ts";

/** The version of the conversation. */
export const VERSION = 1;

/** The longest message, in bytes. */
const LONGEST = 4096;

/** Room for a few descriptors: a listener, and a UDP socket on the same port. */
const CONTROL_BYTES = 64;

/** How the old server came by its listener. */
export type Origin = "opened" | "inherited";

/** A socket that is passed on. */
export type SocketRole = "listener" | "datagrams";

/** A message, without its version. */
export type Message =
  | { readonly say: "take" | "yours" }
  | {
    readonly say: "serving";
    /** The port at which the new server tells its metrics, if it does, and the host. */
    readonly metrics?: number;
    readonly metricsHostname?: string;
    /** The address of the page that shows the new server, if there is one. */
    readonly page?: string;
  }
  | { readonly say: "no"; readonly why: string }
  | {
    readonly say: "listener";
    /** What the descriptors are, in their order. */
    readonly sockets: readonly SocketRole[];
    readonly origin: Origin;
    /** The file of the listener, if it is a Unix domain socket that a server of ours has opened. */
    readonly file?: { readonly path: string; readonly identity: string };
    /** The port at which the old server tells its metrics, if it does, and the host. */
    readonly metrics?: number;
    readonly metricsHostname?: string;
    /** Where the page is that shows the old server, if there is one. */
    readonly page?: PagePlace;
  };

/** What has been heard. */
export interface Heard {
  readonly message: Message;
  /** The version that the other side speaks. Of another one only `no` is understood. */
  readonly version: number;
  /** The descriptors that came with it. They belong to whoever hears it. */
  readonly descriptors: readonly number[];
}

/** Somebody has said something else than a message. */
export class NonsenseError extends Error {
  override readonly name = "NonsenseError";
}

/** One end of a conversation. No call on it waits. */
export class Talk {
  /** The process at the other end, and its user. */
  readonly peer: { readonly pid: number; readonly user: number };
  readonly #net: Sockets;
  readonly #fd: number;
  readonly #message = new MessageBuffer(LONGEST, CONTROL_BYTES);
  readonly #decoder = new TextDecoder();
  #text = "";
  #descriptors: number[] = [];
  #isClosed = false;

  /** @param net the Berkeley calls @param fd a connected Unix domain socket */
  constructor(net: Sockets, fd: number) {
    this.#net = net;
    this.#fd = fd;
    this.peer = net.peerCredentials(fd) ?? { pid: 0, user: -1 };
  }

  /**
   * Says something.
   *
   * @param message the message
   * @param descriptors what goes with it
   * @returns whether the other side is still there to hear it
   */
  tell(message: Message, descriptors: readonly number[] = []): boolean {
    const line = `${JSON.stringify({ takeover: VERSION, ...message })}\n`;
    const bytes = new TextEncoder().encode(line);
    this.#message.put(bytes, descriptors);
    const count = this.#net.sendMessage(this.#fd, this.#message, this.#net.constants.MSG_DONTWAIT);
    // There is room for all that is ever said.
    return count === bytes.length;
  }

  /**
   * Takes the next message.
   *
   * @returns `undefined` if none has come yet, `"end"` if none will come
   * @throws {NonsenseError} if something else has come
   */
  hear(): Heard | "end" | undefined {
    const { MSG_DONTWAIT, errno } = this.#net.constants;
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) return this.#take(end);
      if (this.#text.length > LONGEST) throw new NonsenseError("a message without an end");
      const count = this.#net.receiveMessage(this.#fd, this.#message, MSG_DONTWAIT | KEEP_TO_SELF);
      if (count === -errno.EAGAIN || count === -errno.EINTR) return undefined;
      if (count <= 0) return "end";
      this.#descriptors.push(...this.#message.descriptors);
      this.#text += this.#decoder.decode(this.#message.data, { stream: true });
    }
  }

  #take(end: number): Heard {
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    const descriptors = this.#descriptors;
    this.#descriptors = [];
    try {
      const message = JSON.parse(line);
      const version = message?.takeover;
      if (!Number.isInteger(version) || !isMessage(message, version === VERSION)) {
        throw new NonsenseError("no message");
      }
      return { message, version, descriptors };
    } catch (cause) {
      for (const fd of descriptors) this.#net.close(fd);
      throw new NonsenseError(`no message: ${escapeText(line.slice(0, 40))}`, { cause });
    }
  }

  /** Ends the conversation. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const fd of this.#descriptors) this.#net.close(fd);
    this.#net.close(this.#fd);
  }
}

/**
 * What one server tells the other in a message, besides what the takeover needs.
 *
 * @param message the message
 */
export function toldIn<Page>(
  { metrics, metricsHostname, page }: {
    readonly metrics?: number;
    readonly metricsHostname?: string;
    readonly page?: Page;
  },
): { readonly metrics?: number; readonly metricsHostname?: string; readonly page?: Page } {
  return {
    ...(metrics !== undefined && { metrics }),
    ...(metricsHostname !== undefined && { metricsHostname }),
    ...(page !== undefined && { page }),
  };
}

/**
 * Whether somebody has said a message, with all that belongs to it.
 *
 * @param message what was said
 * @param isOurs whether it is of our version; of others only `no` is understood
 */
function isMessage(message: Partial<Record<string, unknown>>, isOurs: boolean): boolean {
  const { say, why, sockets, origin, file, metrics, metricsHostname, page } = message;
  if (say === "no") return typeof why === "string";
  const hasPort = (metrics === undefined || Number.isInteger(metrics)) &&
    (metricsHostname === undefined || typeof metricsHostname === "string");
  if (say === "serving" && isOurs) {
    return hasPort && (page === undefined || typeof page === "string");
  }
  if (say !== "listener" || !isOurs) return typeof say === "string";
  return Array.isArray(sockets) && sockets.every((role) => typeof role === "string") &&
    (origin === "opened" || origin === "inherited") && (file === undefined || isFile(file)) &&
    hasPort && (page === undefined || isPlace(page));
}

function isPlace(page: unknown): boolean {
  const { hostname, port, token } = (page ?? {}) as Partial<Record<string, unknown>>;
  return (hostname === undefined || typeof hostname === "string") && Number.isInteger(port) &&
    typeof token === "string" && /^[0-9a-f]{32}$/.test(token);
}

function isFile(file: unknown): boolean {
  const { path, identity } = (file ?? {}) as Partial<Record<string, unknown>>;
  return typeof path === "string" && typeof identity === "string";
}
