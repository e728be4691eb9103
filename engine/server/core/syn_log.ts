/**
 * Logs what the SYN of each connection said, for `--log-syn`. The kernel keeps it for servers that
 * accept by descriptor (`engine/kernel/saved_syn.ts`). A thread loads this module only if it is
 * wanted.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { TcpSegment } from "../../kernel/packet.ts";
import { takeSavedSyn } from "../../kernel/saved_syn.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { Journal } from "../journal/journal.ts";

/** Logs the SYNs of the connections that one thread begins to serve. */
export class SynLog {
  readonly #net: Sockets;
  readonly #journal: Journal;

  /** @param net the calls @param journal this thread's */
  constructor(net: Sockets, journal: Journal) {
    this.#net = net;
    this.#journal = journal;
  }

  /**
   * Logs the SYN of a connection. Call it once, before the connection is served.
   *
   * @param fd the connection
   * @param peer who has sent the SYN
   */
  tell(fd: number, peer: Address): void {
    if (!this.#journal.wantsLog) return;
    const segment = takeSavedSyn(this.#net, fd);
    const syn = segment === undefined ? "not kept by the kernel" : formatSyn(segment);
    const properties = { peer: formatAddress(peer), syn, ...(segment && nameParts(segment)) };
    this.#journal.log({ level: "info", text: "syn {peer}: {syn}", properties });
  }
}

/**
 * Writes what a SYN says on one line (RFC 9293, sections 3.1 and 3.2; RFC 7323).
 *
 * @param syn the SYN
 * @returns for instance `ttl 64, mss 65495, window 65495, scale 10, sack, timestamps, isn 4711`;
 * what the SYN does not offer is left out
 */
export function formatSyn({ ttl, window, seq, flags, options }: TcpSegment): string {
  const { mss, windowScale, sackPermitted, timestamps, fastOpen } = options;
  return [
    `ttl ${ttl}`,
    mss !== undefined && `mss ${mss}`,
    `window ${window}`,
    windowScale !== undefined && `scale ${windowScale}`,
    sackPermitted && "sack",
    timestamps !== undefined && "timestamps",
    asksForEcn(flags) && "ecn",
    fastOpen && "fast open",
    `isn ${seq}`,
  ].filter((part) => typeof part === "string").join(", ");
}

/** The same with names, for a log in JSON. */
function nameParts({ ttl, window, seq, flags, options }: TcpSegment): Record<string, unknown> {
  const { mss, windowScale, sackPermitted = false, timestamps, fastOpen = false } = options;
  return {
    ttl,
    ...(mss !== undefined && { mss }),
    window,
    ...(windowScale !== undefined && { window_scale: windowScale }),
    sack: sackPermitted,
    timestamps: timestamps !== undefined,
    ecn: asksForEcn(flags),
    fast_open: fastOpen,
    isn: seq,
  };
}

/** RFC 3168, section 6.1.1: a SYN with both flags. */
function asksForEcn(flags: string): boolean {
  return flags.includes("E") && flags.includes("C");
}
