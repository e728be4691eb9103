/**
 * Opens a server's door. Only servers load this that do not let everybody in.
 *
 * @module
 */

import { type AdmissionRules, Door, type DoorParts } from "./door.ts";
import { HostCounts } from "./host_counts.ts";

/**
 * Opens the door of one thread.
 *
 * @param parts what it needs
 * @param hosts the shared memory of the host counts, if there are any
 */
export function openDoor(parts: DoorParts, hosts?: SharedArrayBuffer): Door {
  return new Door({ ...parts, hosts: hosts && new HostCounts(hosts) });
}

/**
 * Makes the host counts of a server with one thread that accepts and serves.
 *
 * @param rules who may come in
 * @param connections how many connections there may be
 * @returns their memory; `undefined` if no count is limited
 */
export function hostCountsFor(
  rules: AdmissionRules,
  connections: number,
): SharedArrayBuffer | undefined {
  if (rules.maxPerHost === 0) return undefined;
  return HostCounts.create({ connections, tables: 1, threads: 0 }).memory;
}
