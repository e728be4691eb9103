/**
 * What nobody wants to read any more.
 *
 * @module
 */

import { type Protocol, readWithin } from "../../protocols/effects.ts";

/** How long nothing must have come before it counts as all that came, in milliseconds. */
const QUIET_MS = 20;

/** How much is thrown away before a peer that does not stop is reset, in bytes. */
const MOST_BYTES = 64 * 1024;

/**
 * Throws away what else the peer has sent. To close a connection with unread bytes resets it, and
 * that can destroy the last answer on its way (RFC 2525, section 2.17).
 */
export function* discard(): Protocol {
  for (let discarded = 0; discarded < MOST_BYTES;) {
    const bytes = yield* readWithin(QUIET_MS);
    if (!bytes) return;
    discarded += bytes.length;
  }
}
