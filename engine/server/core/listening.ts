/**
 * The runtime's own listener, as servers that use it open it.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { describeSystemError } from "../../net/constants.ts";
import type { Listener } from "../../net/listener.ts";
import { resolveHost } from "../../net/resolve.ts";
import { runtime } from "../../net/runtime.ts";
import type { ListenOptions } from "../../net/transport.ts";
import type { CounterBlock } from "./counters.ts";
import type { Journal } from "../journal/journal.ts";
import { tellWait } from "./observer.ts";
import type { CheckedOptions } from "./options.ts";

/**
 * Listens, counting and telling what cannot be accepted.
 *
 * @param options where; the host may be a name
 * @param counters counts connections lost
 * @param journal is told when accepting has to wait
 * @param more see `ListenOptions`
 * @throws {Error} naming the address, if it cannot be listened on
 */
export async function listen(
  options: Pick<CheckedOptions, "address">,
  counters: CounterBlock,
  journal: Journal,
  more: Pick<ListenOptions, "descriptorCeiling"> = {},
): Promise<Listener> {
  const { hostname, port } = options.address;
  // Resolved here, so that the same name means the same address on every runtime.
  const address = { hostname: await resolveHost(hostname), port };
  return await listenAt(address, counters, journal, more, options.address);
}

/**
 * The same on a numeric address.
 *
 * @param address where
 * @param counters counts connections lost
 * @param journal is told when accepting has to wait
 * @param more see `ListenOptions`
 * @param shown how the address is written in an error
 */
export async function listenAt(
  address: Address,
  counters?: CounterBlock,
  journal?: Journal,
  more: Pick<ListenOptions, "descriptorCeiling" | "reusePort"> = {},
  shown: Address = address,
): Promise<Listener> {
  try {
    const listener = await runtime.listen({
      ...address,
      ...more,
      onAcceptError(error, waitMs) {
        if (waitMs === 0) return counters?.lost();
        if (journal !== undefined) tellWait(journal, waitMs, error.message);
      },
    });
    listener.onOverflow = () => counters?.lost();
    return listener;
  } catch (cause) {
    const why = describeSystemError(cause);
    throw new Error(`Cannot listen on ${formatAddress(shown)}: ${why}`, { cause });
  }
}
