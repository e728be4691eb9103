/**
 * Stops the runtime's own listener without losing anybody.
 *
 * @module
 */

import type { Listener } from "../../net/listener.ts";
import type { Journal } from "../journal/journal.ts";
import { AdoptedSockets } from "./adopted_sockets.ts";
import { Seal } from "./seal.ts";

/**
 * Keeps newcomers out, lets the listener accept everybody who waits, and closes it.
 *
 * @param listener the listener; iterating over it ends
 * @param journal is told where newcomers cannot be kept out
 * @param isLate whether there is no time left: then the listener closes at once
 * @param ownPort see `SealedParts`
 */
export async function stopListening(
  listener: Listener,
  journal: Journal,
  isLate: () => boolean,
  ownPort?: Int32Array,
): Promise<void> {
  const { descriptor } = listener;
  let adopted: AdoptedSockets | undefined;
  await using seal = isLate() ? undefined : await Seal.begin({
    listeners: descriptor === undefined ? [] : [descriptor],
    journal,
    ownPort,
    onConnection: (fd, sockaddr) =>
      listener.adopt((adopted ??= new AdoptedSockets()).adopt(fd, sockaddr)),
  });
  await listener.stop(isLate, seal && (() => seal.isEmpty()));
}
