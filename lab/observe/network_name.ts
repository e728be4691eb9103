/**
 * Which network a process is in.
 *
 * @module
 */

import { readlinkSync } from "node:fs";

/** Where the kernel names the network of this process. */
const OWN_NETWORK = "/proc/self/ns/net";

/**
 * The name of the network that this process is in: network_namespaces(7).
 *
 * @returns the same for two processes only if they are in the same one
 */
export function networkName(): string {
  return readlinkSync(OWN_NETWORK);
}
