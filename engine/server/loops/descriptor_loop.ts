/**
 * What the main thread opens for a loop over descriptors: the listener, and a socket to wake the loop.
 *
 * @module
 */

import { lingerLimits } from "../../drivers/limits.ts";
import type { Address } from "../../../protocols/effects.ts";
import { DescriptorSet } from "./descriptor_set.ts";
import type { Sockets } from "../../net/sockets.ts";
import { saveSyns } from "../../kernel/saved_syn.ts";
import type { CheckedOptions } from "../core/options.ts";
import { MainJournal } from "../journal/journal.ts";
import { acquireListener } from "../takeover/acquire_listener.ts";
import type { HeldListener } from "../takeover/held_listener.ts";
import { connectionCeiling } from "../../workers/descriptor_limits.ts";
import { LingerQueue } from "../team/linger_queue.ts";
import { DescriptorLingerer } from "../team/lingerer.ts";
import type { LoopPlan } from "./loop_server.ts";

const WAKE = Uint8Array.of(1);

/**
 * How large the young generation of such a loop may become. Ten thousand connections that come at
 * once would make it 16 MiB, and a thread that blocks in its loop never gives that back. What a
 * message makes is garbage at once, so a small one is enough, and stays in the processor's cache.
 */
const YOUNG_MIB = 6;

/** What a mode says about its loop. */
export interface LoopOptions {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of the mode's module. */
  readonly url: string;
  /** The Berkeley calls. */
  readonly sockets: Sockets;
  /** Makes what a new loop gets besides its descriptors. @default nothing */
  makeMore?(): LoopAddition;
}

/** What one loop gets besides its descriptors. */
export interface LoopAddition {
  /** It is added to the mode's own message to the loop. */
  readonly own: Readonly<Record<string, unknown>>;
  /**
   * Is called when the loop is gone, if it can be running no more. Returns the connections that the
   * loop had and does not know of.
   */
  onGone?(): readonly number[];
}

/**
 * Opens the listener, or takes the one that is there already.
 *
 * @param options describes the mode
 * @returns a function that makes the server's plan for a numeric address and the checked options
 */
export function openLoop(
  options: LoopOptions,
): (address: Address, checked: CheckedOptions) => Promise<LoopPlan> {
  const { mode, url, sockets, makeMore = (): LoopAddition => ({ own: {} }) } = options;
  const { MSG_DONTWAIT } = sockets.constants;
  return async (address, checked) => {
    const { logSyn, keepAlive } = checked;
    const open = () => sockets.openListener(address, { nonBlocking: true, keepAlive });
    const journal = new MainJournal(mode);
    const held = await acquireListener({ net: sockets, journal, address, checked, open });
    const { listener } = held;
    // Nobody watches a UDP socket here.
    if (held.datagrams !== undefined) sockets.close(held.datagrams);
    held.datagrams = undefined;
    if (logSyn) saveSynsOrClose(sockets, held);
    let isAbandoned = false;
    let isClosed = false;
    let lingerer: DescriptorLingerer | undefined;
    const ceiling = () => connectionCeiling(sockets, 2);
    return {
      mode,
      url,
      loops: 1,
      youngMiB: YOUNG_MIB,
      savesSyns: logSyn,
      address: held.address,
      held,
      descriptorCeiling: ceiling,
      prepare() {
        const open = DescriptorSet.create(sockets.descriptorLimit());
        const [ours, wake] = sockets.socketpair();
        const more = makeMore();
        return {
          own: { listener, wake, open: open.memory, ...more.own },
          // If the buffer is full, it already holds enough to wake the loop.
          wake: () => void sockets.send(ours, WAKE, MSG_DONTWAIT),
          onGone(_error, mayRun) {
            // A loop that may still run may use these numbers, so they must not come to mean other
            // sockets.
            isAbandoned ||= mayRun;
            if (mayRun) return;
            // A loop that died has left its descriptors open.
            const left = [...more.onGone?.() ?? [], ...open.drain()];
            if (left.length > 0) {
              lingerer ??= new DescriptorLingerer(
                LingerQueue.create(),
                sockets,
                lingerLimits(ceiling()),
              );
            }
            for (const fd of left) lingerer?.takeOver(fd);
            sockets.close(ours);
            sockets.close(wake);
          },
        };
      },
      onStoppedListening() {
        if (isClosed) return;
        isClosed = true;
        if (isAbandoned) sockets.hollow(listener);
        else sockets.close(listener);
      },
      onClosed: () => lingerer?.close(),
    };
  };
}

function saveSynsOrClose(sockets: Sockets, held: HeldListener): void {
  try {
    saveSyns(sockets, held.listener);
  } catch (error) {
    held.abandon();
    sockets.close(held.listener);
    throw error;
  }
}
