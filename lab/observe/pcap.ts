/**
 * Writes packets as a file that Wireshark and tcpdump read: pcap with nanoseconds, where a packet
 * begins with its IP header (draft-ietf-opsawg-pcap).
 *
 * @module
 */

import { describeSystemError } from "../../engine/net/constants.ts";
import type { WritableFile } from "../../engine/net/adapter.ts";
import { runtime } from "../../engine/net/runtime.ts";

/** What a file with nanoseconds begins with. */
const MAGIC = 0xa1b2_3c4d;

/** The kind of packets: LINKTYPE_RAW. */
const RAW_IP = 101;

/** The most bytes of a packet that a file may have. */
const SNAP_BYTES = 262_144;

/** How long a file may become before only the headers of packets are kept. */
const WHOLE_BYTES = 64 * 1024 * 1024;

/** More than the headers of a packet may have: 60 bytes each for IP and TCP, or 40 for IPv6. */
const HEADER_BYTES = 128;

/** A packet for the file. */
export interface RawPacket {
  /** When it was seen, in nanoseconds since 1970. */
  readonly stampNs: bigint;
  /** The packet, from its IP header on. */
  readonly bytes: Uint8Array;
}

/** A file of packets that is being written. */
export class PcapFile implements Disposable {
  readonly #path: string;
  readonly #file: WritableFile;
  readonly #wholeBytes: number;
  #length = 0;
  #isClosed = false;

  private constructor(path: string, file: WritableFile, wholeBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#wholeBytes = wholeBytes;
    this.#write(fileHeader());
  }

  /**
   * Begins a file.
   *
   * @param path the file; an existing file is overwritten
   * @param wholeBytes how long it may become before only the headers of packets are kept: a peer that
   * sends without end must not fill the disk
   * @throws {Error} if it cannot be written; the message is one line
   */
  static create(path: string, wholeBytes: number = WHOLE_BYTES): PcapFile {
    try {
      return new PcapFile(path, runtime.createFile(path), wholeBytes);
    } catch (error) {
      throw failureOf(path, error);
    }
  }

  /**
   * Adds a packet.
   *
   * @param packet the packet, no older than the one before
   * @throws {Error} if it cannot be written; the message is one line
   */
  add({ stampNs, bytes }: RawPacket): void {
    const isWhole = this.#length + bytes.length <= this.#wholeBytes;
    const kept = isWhole ? bytes : bytes.subarray(0, HEADER_BYTES);
    this.#write(packetHeader(stampNs, kept.length, bytes.length));
    this.#write(kept);
  }

  /** Closes the file. It may be called again. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.close();
  }

  #write(bytes: Uint8Array): void {
    try {
      this.#file.write(bytes);
      this.#length += bytes.length;
    } catch (error) {
      throw failureOf(this.#path, error);
    }
  }
}

/** The file cannot be written. */
class PcapError extends Error {
  override readonly name = "PcapError";
}

function failureOf(path: string, cause: unknown): Error {
  if (cause instanceof PcapError) return cause;
  const why = describeSystemError(cause);
  return new PcapError(`Cannot write the packets to ${path}: ${why}`, { cause });
}

function fileHeader(): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  // Version 2.4. Two unused fields follow.
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAP_BYTES, true);
  view.setUint32(20, RAW_IP, true);
  return bytes;
}

function packetHeader(stampNs: bigint, kept: number, length: number): Uint8Array {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  view.setUint32(0, Number(stampNs / 1_000_000_000n), true);
  view.setUint32(4, Number(stampNs % 1_000_000_000n), true);
  // How much of the packet is here, and how long it was.
  view.setUint32(8, kept, true);
  view.setUint32(12, length, true);
  return header;
}
