/**
 * A thread that takes connections out of a queue until the queue is closed, for `ring_test.ts`.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { DescriptorRing } from "../../engine/server/descriptors/descriptor_ring.ts";

interface Scope {
  onmessage: ((event: { data: { memory: SharedArrayBuffer; taker: number } }) => void) | null;
  postMessage(message: "ready" | { taken: number[]; addresses: number[] }): void;
}

const scope = globalThis as unknown as Scope;
scope.onmessage = ({ data: { memory, taker } }) => {
  const ring = new DescriptorRing(memory);
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  const taken: number[] = [];
  const addresses: number[] = [];
  scope.postMessage("ready");
  for (let fd = ring.take(sockaddr, taker); fd >= 0; fd = ring.take(sockaddr, taker)) {
    taken.push(fd);
    addresses.push(new DataView(sockaddr.buffer).getUint32(SOCKADDR_SIZE - 4));
  }
  scope.postMessage({ taken, addresses });
};
