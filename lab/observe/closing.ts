/**
 * Whether both directions of a connection are closed, as its packets show: RFC 9293, section 3.6.
 *
 * @module
 */

import { isNotAfter, lengthInNumbers, type TcpSegment } from "../../engine/kernel/packet.ts";

/** What this needs to know of a segment. */
export type ClosingSegment = Pick<TcpSegment, "flags" | "seq" | "ack" | "length">;

/** One of the two ends of a connection. */
type End = "client" | "server";

/** Follows the FINs of one connection. */
export class Closing {
  /** The number behind the FIN of each end that has sent it. */
  readonly #sent = new Map<End, number>();
  readonly #acknowledged = new Set<End>();

  /**
   * Takes the next segment.
   *
   * @param from who has sent it
   * @param segment the segment
   */
  take(from: End, segment: ClosingSegment): void {
    const { flags, seq, ack } = segment;
    if (flags.includes("F")) this.#sent.set(from, seq + lengthInNumbers(segment));
    const to = from === "client" ? "server" : "client";
    const end = this.#sent.get(to);
    if (end !== undefined && flags.includes("A") && isNotAfter(end, ack)) {
      this.#acknowledged.add(to);
    }
  }

  /** Whether the FINs of both ends were acknowledged. A reset that comes later ends nothing. */
  get isComplete(): boolean {
    return this.#acknowledged.size === 2;
  }
}
