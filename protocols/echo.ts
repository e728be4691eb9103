/**
 * Echo: every byte comes back as it was sent (RFC 862).
 *
 * @module
 */

import { type Context, type Protocol, READ } from "./effects.ts";

/**
 * The server's side: sends back what it receives, until the peer's FIN.
 *
 * @param _context not used: every peer is answered alike
 */
export function* echo(_context?: Context): Protocol {
  for (;;) {
    const bytes: Uint8Array | null = yield READ;
    if (bytes === null) return;
    yield { kind: "write", bytes };
  }
}

/**
 * The server's side of one datagram: sends it back.
 *
 * @param _context not used: every peer is answered alike
 * @param bytes what the datagram holds
 */
export function* echoDatagram(_context: Context, bytes: Uint8Array): Protocol<boolean> {
  yield { kind: "write", bytes };
  return false;
}
