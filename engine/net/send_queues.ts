/**
 * What the peers of this process's connections have not acknowledged, for connections whose
 * descriptor the runtime keeps to itself.
 *
 * @module
 */

import { whyNoSockets } from "./libc.ts";
import { sockets } from "./sockets.ts";
import { endsOf } from "./transport.ts";

/** After so many unused numbers in a row there are no more descriptors. */
const UNUSED = 1_024;

/**
 * Asks the kernel about all connections of this process. That takes a call or two for each of its
 * descriptors, so it is for rare occasions. Other threads may open and close connections meanwhile:
 * those are in it or not.
 *
 * @returns bytes by {@linkcode endsOf}; nothing where the kernel cannot be asked
 */
export function readSendQueues(): ReadonlyMap<string, number> {
  const queues = new Map<string, number>();
  if (whyNoSockets() !== undefined) return queues;
  const net = sockets();
  if (net.constants.SIOCOUTQ === undefined) return queues;
  for (let fd = 0, unused = 0; unused < UNUSED; fd++) {
    const remote = net.findPeer(fd);
    unused = remote === undefined ? unused + 1 : 0;
    if (!remote) continue;
    // Another thread may have closed it by now, or opened something else by this number.
    const local = net.findLocal(fd);
    if (local) queues.set(endsOf(local, remote), net.unacknowledged(fd));
  }
  return queues;
}
