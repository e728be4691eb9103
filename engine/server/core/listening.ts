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
import { runtime } from "../../net/runtime.ts";
import type { ListenOptions } from "../../net/transport.ts";
import type { CounterBlock } from "./counters.ts";
import type { Journal } from "../journal/journal.ts";
import { tellRefusals, tellWait } from "./observer.ts";
import type { CheckedOptions } from "./options.ts";

/** Workers that only compute load this module too. They listen to nobody. */
const limiting = () => import("../../workers/descriptor_limits.ts");

/**
 * Listens. It counts connections that cannot be accepted, and logs why.
 *
 * @param options the address; its host may be a name
 * @param counters counts the connections that are lost
 * @param journal receives the reason whenever accepting has to wait
 * @throws {Error} that names the address, if it cannot be listened on, or that says how many
 * descriptors are needed, if there are none for connections
 */
export async function listen(
  options: Pick<CheckedOptions, "address">,
  counters: CounterBlock,
  journal: Journal,
): Promise<Listener> {
  const { hostname, port } = options.address;
  // The name is resolved here, so that it means the same address on every runtime.
  const address = { hostname: await resolveHost(hostname), port };
  const listener = await listenAt(address, counters, journal, {}, options.address);
  try {
    (await limiting()).requireRoomToServe();
  } catch (error) {
    listener.close();
    throw error;
  }
  return listener;
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
  more: Pick<ListenOptions, "reusePort"> = {},
  shown: Address = address,
): Promise<Listener> {
  try {
    const { countedReserve } = await limiting();
    const listener = await runtime.listen({
      ...address,
      ...more,
      reserve: countedReserve(),
      onAcceptError(error, waitMs) {
        if (waitMs === 0) return counters?.lost();
        if (journal !== undefined) tellWait(journal, waitMs, error.message);
      },
    });
    const tell = journal && tellRefusals(journal);
    listener.onOverflow = (reason) => {
      counters?.lost();
      tell?.(reason);
    };
    return listener;
  } catch (cause) {
    const why = describeSystemError(cause);
    throw new Error(`Cannot listen on ${formatAddress(shown)}: ${why}`, { cause });
  }
}
