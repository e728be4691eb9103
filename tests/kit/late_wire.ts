/**
 * A wire on which everything takes a while: each packet arrives later than it was sent, as between
 * two machines that are far apart.
 *
 * It is a TUN device in a network of its own, which the test has made. What is sent to the other
 * host comes back with its addresses swapped, so both ends of a connection are on this machine. A
 * Worker carries the packets.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { giveAddress, raiseInterface } from "../../lab/observe/interface.ts";
import { swapAddresses, TunDevice } from "../../lab/observe/wire/device.ts";
import { until } from "./harness.ts";

/** This machine on the wire, and the host by whose address clients reach it, by family. */
export const ENDS = {
  IPv4: { own: "10.9.0.1", other: "10.9.0.2" },
  IPv6: { own: "fd00:9::1", other: "fd00:9::2" },
} as const;

const THREAD = "late wire";

/** How long packets are under way. */
export interface LateWirePlan {
  /** The shortest time for one way, in milliseconds. */
  readonly delayMs: number;
  /** How much longer it may be, in milliseconds. Packets may then overtake one another. */
  readonly jitterMs: number;
}

/** A packet that is under way. */
interface Packet {
  readonly dueAt: number;
  readonly bytes: Uint8Array;
}

/** The wire. There is one in a network. */
export class LateWire implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  readonly #over = Promise.withResolvers<void>();
  #isUp = false;

  private constructor(plan: LateWirePlan) {
    this.#worker = runtime.startThread(import.meta.url, THREAD);
    this.#worker.onmessage = ({ data }: MessageEvent<"up" | "over">) => {
      this.#isUp = true;
      if (data === "over") this.#over.resolve();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#over.reject(new Error(event.message));
    };
    this.#worker.postMessage({ plan, stop: this.#stop });
  }

  /** Lays it. Both families can be used afterwards. */
  static async lay(plan: LateWirePlan): Promise<LateWire> {
    const wire = new LateWire(plan);
    const isUp = until("the wire", () => wire.#isUp);
    await Promise.race([isUp, wire.#over.promise]);
    return wire;
  }

  /** Takes it away. */
  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.#stop, 0, 1);
    await this.#over.promise;
    this.#worker.terminate();
  }
}

/** Carries packets until it is told to stop. */
function carry({ delayMs, jitterMs }: LateWirePlan, stop: Int32Array): void {
  const net = sockets();
  raiseInterface(net, "lo");
  using tun = new TunDevice(net, "wire0", ENDS.IPv4.own, 24);
  giveAddress(net, tun.name, ENDS.IPv6.own, 64);
  postMessage("up");
  // The one that is due first is the last.
  const under: Packet[] = [];
  while (Atomics.load(stop, 0) === 0) {
    const next = under.at(-1)?.dueAt ?? Infinity;
    const restMs = Math.min(5, Math.max(0, Math.ceil(next - performance.now())));
    net.poll(tun.fd, net.constants.POLLIN, restMs);
    for (let packet = tun.read(); packet !== undefined; packet = tun.read()) {
      const dueAt = performance.now() + delayMs + Math.random() * jitterMs;
      let at = under.length;
      while (at > 0 && (under[at - 1] as Packet).dueAt < dueAt) at--;
      under.splice(at, 0, { dueAt, bytes: swapAddresses(packet) });
    }
    const now = performance.now();
    while ((under.at(-1)?.dueAt ?? Infinity) <= now) tun.write((under.pop() as Packet).bytes);
  }
}

if (runtime.threadName === THREAD) {
  globalThis.onmessage = ({ data: { plan, stop } }: MessageEvent) => {
    carry(plan, stop);
    postMessage("over");
  };
}
