/**
 * What has come over the bus and was not looked at yet. Anybody who may publish there can send
 * packets faster than they can be read, so they take turns with the users of this server, and only
 * a bounded amount waits. What comes beyond that is left out. The numbers of the events will tell
 * that some are missing.
 *
 * @module
 */

import type { Pace } from "./bus.ts";

/** How many bytes of packets may wait. The roster of a large server has about a million. */
const WAITING_BYTES = 4 * 1024 * 1024;

/** What it costs to keep a packet, in bytes on top of its own length. */
const PACKET_BYTES = 64;

/** The packets that wait. */
export class Inbox {
  readonly #pace: Pace | undefined;
  readonly #take: (packet: Uint8Array) => void;
  #packets: Uint8Array[] = [];
  #head = 0;
  #bytes = 0;
  #isTaking = false;

  /**
   * @param pace says when a packet may be looked at; without it, at once
   * @param take looks at a packet; must not throw
   */
  constructor(pace: Pace | undefined, take: (packet: Uint8Array) => void) {
    this.#pace = pace;
    this.#take = take;
  }

  /**
   * A packet has come.
   *
   * @param packet the packet, which must not change any more
   * @returns false if it is left out because too many wait
   */
  add(packet: Uint8Array): boolean {
    const bytes = packet.length + PACKET_BYTES;
    if (this.#bytes + bytes > WAITING_BYTES) return false;
    this.#packets.push(packet);
    this.#bytes += bytes;
    if (!this.#isTaking) void this.#takeAll();
    return true;
  }

  /** Forgets the packets that wait. */
  clear(): void {
    this.#packets = [];
    this.#head = this.#bytes = 0;
  }

  async #takeAll(): Promise<void> {
    this.#isTaking = true;
    while (this.#head < this.#packets.length) {
      const { length } = this.#packets[this.#head] as Uint8Array;
      const mayTake = this.#pace === undefined || this.#pace.take(length) ||
        await this.#pace.pass(length);
      if (!mayTake) this.clear();
      // The packets may have been forgotten in the meantime.
      const packet = this.#packets[this.#head];
      if (packet === undefined) break;
      this.#head++;
      this.#bytes -= packet.length + PACKET_BYTES;
      this.#take(packet);
    }
    this.clear();
    this.#isTaking = false;
  }
}
