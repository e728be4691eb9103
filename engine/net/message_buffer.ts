/**
 * The memory of a message of recvmsg(2) and sendmsg(2). With a message the kernel hands over its
 * sender, and what it says about it: times, errors, options. And a process can hand descriptors over
 * to another one (`SCM_RIGHTS`, unix(7)). The layout is that of 64-bit Linux.
 *
 * @module
 */

import { runtime } from "./runtime.ts";

/** The size of `struct msghdr`. */
const HEADER_BYTES = 56;

/** The header of a control message: its length in 8 bytes, its level and its type in 4 each. */
const CONTROL_HEADER_BYTES = 16;

/** The type of a control message that carries descriptors, at the level `SOL_SOCKET`. */
const SCM_RIGHTS = 1;
const SOL_SOCKET = 1;

/** The most descriptors that the kernel takes with one message (unix(7), `SCM_MAX_FD`). */
export const MOST_DESCRIPTORS = 253;

/**
 * A flag of recvmsg(2), `MSG_CMSG_CLOEXEC`: no program that this process starts gets the descriptors
 * that come. Only Unix domain sockets know it; a packet socket refuses it.
 */
export const KEEP_TO_SELF = 0x4000_0000;

/** Room for the address of any family: `struct sockaddr_storage`. */
const NAME_BYTES = 128;

/** A control message (cmsg(3)). */
export interface ControlMessage {
  /** The level, for instance `SOL_SOCKET`. */
  readonly level: number;
  /** The type within the level. */
  readonly type: number;
  /** What it says. It is valid until the next call. */
  readonly data: Uint8Array;
}

/** One message that can be received and sent again and again. */
export class MessageBuffer {
  /** The `struct msghdr` that the kernel reads and fills. */
  readonly header: Uint8Array = new Uint8Array(HEADER_BYTES);
  readonly #view = new DataView(this.header.buffer);
  readonly #name = fixedBytes(NAME_BYTES);
  readonly #vector = new BigUint64Array(2);
  readonly #vectorBytes = new Uint8Array(this.#vector.buffer);
  readonly #data: Uint8Array;
  readonly #control: Uint8Array;
  readonly #controlView: DataView;
  #count = 0;

  /**
   * Makes the memory.
   *
   * @param size how many bytes of a message are kept
   * @param controlSize how many bytes of control messages are kept
   */
  constructor(size: number, controlSize = 512) {
    this.#data = fixedBytes(size);
    this.#control = fixedBytes(controlSize);
    this.#controlView = new DataView(this.#control.buffer);
    this.#vector[0] = runtime.addressOf(this.#data);
    this.#vector[1] = BigInt(size);
    this.#view.setBigUint64(0, runtime.addressOf(this.#name), true);
    this.#view.setBigUint64(16, runtime.addressOf(this.#vectorBytes), true);
    this.#view.setBigUint64(24, 1n, true);
    this.#view.setBigUint64(32, runtime.addressOf(this.#control), true);
  }

  /** The bytes of the message. They are valid until the next call. */
  get data(): Uint8Array {
    return this.#data.subarray(0, this.#count);
  }

  /** The sender's address: a `sockaddr` of any family; empty if there is none. */
  get name(): Uint8Array {
    return this.#name.subarray(0, this.#view.getUint32(8, true));
  }

  /** The flags that the kernel has set, for instance `MSG_TRUNC`. */
  get flags(): number {
    return this.#view.getInt32(48, true);
  }

  /**
   * The descriptors that came with the message. They belong to this process now, so close those that
   * nobody wants.
   */
  get descriptors(): number[] {
    const found: number[] = [];
    for (const { level, type, data } of this.control()) {
      if (level !== SOL_SOCKET || type !== SCM_RIGHTS) continue;
      const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
      for (let at = 0; at + 4 <= data.length; at += 4) found.push(view.getInt32(at, true));
    }
    return found;
  }

  /**
   * Makes it a message to be sent.
   *
   * @param bytes the message, at least one byte; they are copied
   * @param descriptors what is handed over with it: the receiver gets descriptors of its own, for
   * the same open files
   * @throws {RangeError} if there is no room for them
   */
  put(bytes: Uint8Array, descriptors: readonly number[] = []): void {
    const size = CONTROL_HEADER_BYTES + descriptors.length * 4;
    const room = descriptors.length === 0 ? 0 : Math.ceil(size / 8) * 8;
    if (bytes.length > this.#data.length || room > this.#control.length) {
      throw new RangeError("Cannot send the message: it is too long");
    }
    this.#data.set(bytes);
    this.#count = bytes.length;
    this.#vector[1] = BigInt(bytes.length);
    this.#view.setUint32(8, 0, true);
    this.#view.setBigUint64(40, BigInt(room), true);
    if (room === 0) return;
    const control = this.#controlView;
    control.setBigUint64(0, BigInt(size), true);
    control.setInt32(8, SOL_SOCKET, true);
    control.setInt32(12, SCM_RIGHTS, true);
    for (let index = 0; index < descriptors.length; index++) {
      control.setInt32(CONTROL_HEADER_BYTES + index * 4, descriptors[index] as number, true);
    }
  }

  /** What the kernel says about the message. */
  *control(): Generator<ControlMessage> {
    const length = Number(this.#view.getBigUint64(40, true));
    const view = this.#controlView;
    for (let at = 0; at + CONTROL_HEADER_BYTES <= length;) {
      const size = Number(view.getBigUint64(at, true));
      if (size < CONTROL_HEADER_BYTES || at + size > length) return;
      yield {
        level: view.getInt32(at + 8, true),
        type: view.getInt32(at + 12, true),
        data: this.#control.subarray(at + CONTROL_HEADER_BYTES, at + size),
      };
      at += Math.ceil(size / 8) * 8;
    }
  }

  /** Tells the kernel how much room there is, before a message is received. */
  prepare(): void {
    this.#vector[1] = BigInt(this.#data.length);
    this.#view.setUint32(8, NAME_BYTES, true);
    this.#view.setBigUint64(40, BigInt(this.#control.length), true);
  }

  /**
   * Takes over what a call has left.
   *
   * @param count the length of the message; negative if there is none
   */
  settle(count: number): void {
    this.#count = Math.max(0, Math.min(count, this.#data.length));
    if (count >= 0) return;
    // The kernel has not said how much of the room it has used: nothing.
    this.#view.setUint32(8, 0, true);
    this.#view.setBigUint64(40, 0n, true);
    this.#view.setInt32(48, 0, true);
  }
}

/**
 * Bytes that never move in memory. Bun moves a small array when a part of it is first taken, unless
 * it has been made over a buffer.
 */
function fixedBytes(size: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(size));
}
