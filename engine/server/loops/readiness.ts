/**
 * What the main thread opens for a readiness loop: the listener, and a way to wake it.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { DescriptorSet } from "./descriptor_set.ts";
import type { PollerKind } from "../../net/poller.ts";
import type { Sockets } from "../../net/sockets.ts";
import { connectionCeiling } from "../../workers/descriptor_limits.ts";
import type { LoopPlan } from "./loop_server.ts";

const WAKE = Uint8Array.of(1);

/** How a mode opens it. */
export interface ReadinessOptions {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of its module. */
  readonly url: string;
  /** How to ask the kernel. */
  readonly poller: PollerKind;
  /** The Berkeley calls. */
  readonly sockets: Sockets;
}

/**
 * Opens the listener.
 *
 * @param options what the mode is
 * @returns makes the plan of its server, for a numeric address
 */
export function openReadiness(options: ReadinessOptions): (address: Address) => LoopPlan {
  const { mode, url, poller, sockets } = options;
  const { MSG_DONTWAIT } = sockets.constants;
  return (address) => {
    const listener = sockets.openListener(address, { nonBlocking: true });
    let isAbandoned = false;
    return {
      mode,
      url,
      loops: 1,
      address: sockets.localAddress(listener),
      descriptorCeiling: connectionCeiling(sockets, 2),
      prepare() {
        const open = DescriptorSet.create(sockets.descriptorLimit());
        const [ours, wake] = sockets.socketpair();
        return {
          own: { listener, wake, poller, open: open.memory },
          // Should its buffer be full, there is enough in it to wake anybody.
          wake: () => void sockets.send(ours, WAKE, MSG_DONTWAIT),
          onGone(_error, mayRun) {
            // Whatever it still does with the numbers must not be done to somebody else.
            isAbandoned ||= mayRun;
            if (mayRun) return;
            // One that died has left them open.
            for (const fd of open.drain()) sockets.close(fd);
            sockets.close(ours);
            sockets.close(wake);
          },
        };
      },
      onClosed() {
        if (isAbandoned) sockets.shutdown(listener, sockets.constants.SHUT_RDWR);
        else sockets.close(listener);
      },
    };
  };
}
