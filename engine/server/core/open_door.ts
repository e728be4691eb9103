/**
 * Opens a server's door.
 *
 * @module
 */

import { Culprits } from "./culprits.ts";
import { type AdmissionRules, Door, type DoorParts, OPEN } from "./door.ts";
import { HostCounts } from "./host_counts.ts";

/** What a server's threads share of its door. */
export interface DoorMemory {
  /** The host counts, if there are any. */
  readonly hosts?: SharedArrayBuffer | undefined;
  /** Those who are refused because threads died of their connections. */
  readonly culprits?: SharedArrayBuffer | undefined;
}

/** What a door needs, besides that memory. */
export interface OpenDoorParts extends Omit<DoorParts, "rules" | "hosts" | "culprits"> {
  /** Who may come in; if it is not given, all may. */
  readonly rules: AdmissionRules | undefined;
}

/**
 * Opens the door of one thread.
 *
 * @param parts what it needs
 * @param memory what the threads share
 */
export function openDoor(parts: OpenDoorParts, { hosts, culprits }: DoorMemory = {}): Door {
  return new Door({
    ...parts,
    rules: parts.rules ?? OPEN,
    hosts: hosts && new HostCounts(hosts),
    culprits: culprits && new Culprits(culprits),
  });
}

/**
 * Makes the host counts of a server with one thread that accepts and serves.
 *
 * @param rules who may come in
 * @param connections how many connections there may be
 * @returns their memory; `undefined` if no count is limited
 */
export function hostCountsFor(
  rules: AdmissionRules | undefined,
  connections: number,
): SharedArrayBuffer | undefined {
  if (rules === undefined || rules.maxPerHost === 0) return undefined;
  return HostCounts.create({ connections, tables: 1 }).memory;
}
