/**
 * A Worker that does what its assignment says, for `tests/workers/`.
 *
 * @module
 */

import { getHeapSpaceStatistics } from "node:v8";
import { onAssigned } from "../../engine/workers/worker_side.ts";
import { loseThread } from "./lose_thread.ts";

/** The Worker's name. */
export const NAME = "handshake supervised";

/** The Worker's module. */
export const URL_OF_WORKER: string = import.meta.url;

/** The Worker's assignment. */
export interface Orders {
  /** The message of the error with which loading fails. */
  readonly failing?: string;
  /** Whether its work has an end, at the message `finish`. Otherwise it only handles messages. */
  readonly playing?: boolean;
  /** Whether it throws as soon as it is ready. */
  readonly dying?: boolean;
}

/** A further message to the Worker. */
export type Order =
  | { readonly kind: "say"; readonly word: string; readonly times: number }
  | { readonly kind: "die" }
  | { readonly kind: "keep"; readonly count: number }
  | { readonly kind: "spin"; readonly ms: number }
  | { readonly kind: "finish" };

/** A message from the Worker. */
export interface Said {
  readonly kind: "said";
  readonly word: string;
}

/** How large the young generation of this thread is, where V8 can be asked. */
function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")
    ?.space_size ?? 0;
}

onAssigned(NAME, async (
  { failing, playing = false, dying = false }: Orders,
  post: (message: Said) => void,
) => {
  if (failing !== undefined) throw new Error(failing);
  await Promise.resolve();
  const finished = Promise.withResolvers<void>();
  function hear(order: Order): void {
    if (order.kind === "say") {
      for (let n = 0; n < order.times; n++) post({ kind: "said", word: order.word });
    } else if (order.kind === "die") loseThread("asked to die");
    else if (order.kind === "keep") {
      const kept = Array.from({ length: order.count }, (_, index) => ({ index, more: [index] }));
      post({ kind: "said", word: `${youngBytes()} for ${kept.length}` });
    } else if (order.kind === "spin") {
      post({ kind: "said", word: "spinning" });
      const endsAt = performance.now() + order.ms;
      while (performance.now() < endsAt);
    } else finished.resolve();
  }
  if (dying) setTimeout(() => hear({ kind: "die" }), 0);
  if (!playing) return { hear };
  return {
    hear,
    async play(sayReady) {
      sayReady();
      await finished.promise;
      post({ kind: "said", word: "finishing" });
    },
  };
});
