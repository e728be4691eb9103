/**
 * Opens the runtime's own listener for the servers that use it.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { ListenError } from "../../net/listen_failure.ts";
import type { Listener } from "../../net/listener.ts";
import { resolveHost } from "../../net/resolve.ts";
import { listen as listenAtAddress } from "../../net/tcp.ts";
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
  options: Pick<CheckedOptions, "address" | "keepAlive">,
  counters: CounterBlock,
  journal: Journal,
): Promise<Listener> {
  const { address: { hostname, port }, keepAlive } = options;
  // The name is resolved here, so that it means the same address on every runtime.
  const address = { hostname: await resolveHost(hostname), port };
  const listener = await listenAt(address, counters, journal, { keepAlive }, options.address);
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
  more: Omit<ListenOptions, "hostname" | "port" | "onAcceptError"> = {},
  shown: Address = address,
): Promise<Listener> {
  try {
    const { countedReserve } = await limiting();
    const listener = await listenAtAddress({
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
      counters?.refused();
      tell?.(reason);
    };
    return listener;
  } catch (cause) {
    throw new ListenError(shown, cause, address.hostname);
  }
}
