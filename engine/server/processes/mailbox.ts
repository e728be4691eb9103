/**
 * Where a process finds the connections that it is handed.
 *
 * The process may never look: somebody has stopped it, or it waits for a processor. What lies in a
 * socket belongs to nobody but whoever reads it first, and a connection in there stays open whatever
 * all others do with it. So the parent keeps the end from which the process reads, too, and can take a
 * connection out again. The kernel gives it to one of the two.
 *
 * @module
 */

import type { Sockets } from "../../net/sockets.ts";
import { Control, type MessageBuffers, SOCK_SEQPACKET, type TELL } from "./control.ts";

/** The two ends of a mailbox: the parent writes to the first, the process reads from the second. */
export type MailboxEnds = readonly [number, number];

/**
 * Makes a mailbox.
 *
 * @param net the Berkeley calls
 * @returns its ends
 * @throws {SocketError} if there are no descriptors left
 */
export function makeMailbox(net: Sockets): MailboxEnds {
  return net.socketpair(SOCK_SEQPACKET);
}

/** The mailbox of a process, as its parent has it. */
export class Mailbox {
  readonly #net: Sockets;
  readonly #parent: Control;
  readonly #process: Control;

  /**
   * @param net the Berkeley calls
   * @param ends from {@linkcode makeMailbox}; they belong to the mailbox now
   * @param buffers the memory of messages
   */
  constructor(net: Sockets, [parent, process]: MailboxEnds, buffers: MessageBuffers) {
    this.#net = net;
    this.#parent = new Control(net, parent, buffers);
    this.#process = new Control(net, process, buffers);
  }

  /**
   * Puts a message in. There is room for it if the process has taken the one before.
   *
   * @param kind one of `TELL`
   * @param data what belongs to it
   * @param descriptors what goes with it
   * @returns whether it is in; if not, the system has no memory for it now
   */
  put(
    kind: (typeof TELL)[keyof typeof TELL],
    data?: Uint8Array,
    descriptors?: readonly number[],
  ): boolean {
    return this.#parent.send(kind, data, descriptors, this.#net.constants.MSG_DONTWAIT);
  }

  /**
   * Takes out what the process has not taken.
   *
   * @returns whether there was something
   */
  takeBack(): boolean {
    const found = this.#process.hear(this.#net.constants.MSG_DONTWAIT);
    if (found === undefined || found === "end") return false;
    for (const fd of found.descriptors) this.#net.close(fd);
    return true;
  }

  /** Closes both ends. */
  close(): void {
    this.#parent.close();
    this.#process.close();
  }
}
