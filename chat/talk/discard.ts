/**
 * Throwing away what nobody wants to read any more.
 *
 * @module
 */

import { type Protocol, readWithin } from "../../protocols/effects.ts";

/** How long the peer must be silent before it counts as done, in milliseconds. */
const QUIET_MS = 20;

/** How many bytes are thrown away before a peer that does not stop is reset. */
const MOST_BYTES = 64 * 1024;

/**
 * Throws away whatever else the peer has sent. A connection that is closed with unread bytes is
 * reset, and that can destroy the last answer on its way (RFC 2525, section 2.17).
 */
export function* discard(): Protocol {
  for (let discarded = 0; discarded < MOST_BYTES;) {
    const bytes = yield* readWithin(QUIET_MS);
    if (!bytes) return;
    discarded += bytes.length;
  }
}
