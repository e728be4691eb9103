/**
 * Opens the runtime's own listener for the servers that use it.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { describeSystemError } from "../../net/constants.ts";
import type { Listener } from "../../net/listener.ts";
import { resolveHost } from "../../net/resolve.ts";
import { listen as listenAtAddress } from "../../net/tcp.ts";
import type { ListenOptions } from "../../net/transport.ts";
import type { CounterBlock } from "./counters.ts";
import type { Journal } from "../journal/journal.ts";
import { tellWait } from "./observer.ts";
import type { CheckedOptions } from "./options.ts";

/**
 * Listens. It counts connections that cannot be accepted, and logs why.
 *
 * @param options the address; its host may be a name
 * @param counters counts the connections that are lost
 * @param journal receives the reason whenever accepting has to wait
 * @param more see `ListenOptions`
 * @throws {Error} that names the address, if it cannot be listened on
 */
export async function listen(
  options: Pick<CheckedOptions, "address" | "keepAlive">,
  counters: CounterBlock,
  journal: Journal,
  more: Pick<ListenOptions, "descriptorCeiling"> = {},
): Promise<Listener> {
  const { address: { hostname, port }, keepAlive } = options;
  // The name is resolved here, so that it means the same address on every runtime.
  const address = { hostname: await resolveHost(hostname), port };
  return await listenAt(address, counters, journal, { ...more, keepAlive }, options.address);
}

/**
 * Listens on a numeric address.
 *
 * @param address the address
 * @param counters counts the connections that are lost
 * @param journal receives the reason whenever accepting has to wait
 * @param more see `ListenOptions`
 * @param shown the address that an error names
 */
export async function listenAt(
  address: Address,
  counters?: CounterBlock,
  journal?: Journal,
  more: Omit<ListenOptions, "hostname" | "port" | "onAcceptError"> = {},
  shown: Address = address,
): Promise<Listener> {
  try {
    const listener = await listenAtAddress({
      ...address,
      ...more,
      onAcceptError(error, waitMs) {
        if (waitMs === 0) return counters?.lost();
        if (journal !== undefined) tellWait(journal, waitMs, error.message);
      },
    });
    listener.onOverflow = () => counters?.refused();
    return listener;
  } catch (cause) {
    const why = describeSystemError(cause);
    throw new Error(`Cannot listen on ${formatAddress(shown)}: ${why}`, { cause });
  }
}
