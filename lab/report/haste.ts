/**
 * How long a command that was interrupted waits until its last lines are written.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";

/** The descriptor of standard output. */
const STDOUT = 1;

/** How long a reader that is stuck is waited for, in milliseconds. */
const HASTE_MS = 50;

/** How long any reader is waited for, in milliseconds. */
const PATIENCE_MS = 1_000;

/**
 * Resolves when whoever has pressed Ctrl-C has waited long enough for what is still being written. A
 * reader that is stuck gets a moment. One that reads gets longer, because a busy machine may need
 * that long to write.
 */
export async function enoughHaste(): Promise<void> {
  const endsAt = performance.now() + PATIENCE_MS;
  do {
    await new Promise((resolve) => setTimeout(resolve, HASTE_MS));
  } while (performance.now() < endsAt && hasRoom());
}

/** Whether standard output takes something now, as far as that can be known. */
function hasRoom(): boolean {
  if (whyNoSockets() !== undefined) return false;
  const net = sockets();
  return net.poll(STDOUT, net.constants.POLLOUT, 0) > 0;
}
