/**
 * The runtime's own listener, as servers that use it open it.
 *
 * @module
 */

import { formatAddress } from "../protocols/address.ts";
import { describeSystemError } from "../net/constants.ts";
import type { Listener } from "../net/listener.ts";
import { resolveHost } from "../net/resolve.ts";
import { runtime } from "../net/runtime.ts";
import type { CounterBlock } from "./counters.ts";
import type { Journal } from "./journal.ts";
import type { CheckedOptions } from "./options.ts";

/**
 * Listens, counting and telling what cannot be accepted.
 *
 * @param options where
 * @param counters counts connections lost
 * @param journal is told when accepting has to wait
 * @param descriptorCeiling see `ListenOptions`
 * @throws {Error} naming the address, if it cannot be listened on
 */
export async function listen(
  options: CheckedOptions,
  counters: CounterBlock,
  journal: Journal,
  descriptorCeiling = Infinity,
): Promise<Listener> {
  // Resolved here, so that the same name means the same address on every runtime.
  const hostname = await resolveHost(options.address.hostname);
  try {
    const listener = await runtime.listen({
      hostname,
      port: options.address.port,
      descriptorCeiling,
      onAcceptError(error, waitMs) {
        if (waitMs === 0) return counters.lost();
        journal.log({
          level: "warning",
          text: "accepting waits {ms} ms: {reason}",
          properties: { ms: waitMs, reason: error.message },
        });
      },
    });
    listener.onOverflow = () => counters.lost();
    return listener;
  } catch (cause) {
    const address = formatAddress(options.address);
    throw new Error(`Cannot listen on ${address}: ${describeSystemError(cause)}`, { cause });
  }
}
