/**
 * A thread that goes through a gate, for `gate_test.ts`.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { Gate } from "../../engine/server/team/team_memory.ts";

/** The message to such a thread. */
export interface GateErrand {
  readonly gate: SharedArrayBuffer;
  /** Three words: how many are inside, the most that ever were, and whether they may go. */
  readonly inside: SharedArrayBuffer;
  /** How often it goes through. If 0, it enters once and does not leave; if -1, it sleeps. */
  readonly times: number;
}

/** A message from such a thread. */
export type GateReport = "ready" | { readonly entered: number; readonly refused: boolean };

/** The name of such threads. */
export const GATE_THREAD = "at the gate";

/** How long a thread sleeps if it is not woken, in milliseconds. */
const LONG_MS = 60_000;

interface Scope {
  onmessage: ((event: { data: GateErrand }) => void) | null;
  postMessage(message: GateReport): void;
}

function goThrough({ gate: memory, inside: counts, times }: GateErrand): GateReport {
  const gate = new Gate(memory);
  const inside = new Int32Array(counts);
  if (times < 0) gate.sleep(LONG_MS);
  else if (times > 0) Atomics.wait(inside, 2, 0);
  let entered = 0;
  for (; entered < Math.max(1, times); entered++) {
    if (times < 0 || !gate.enter()) return { entered, refused: gate.closing };
    if (times === 0) return { entered: 1, refused: false };
    const now = Atomics.add(inside, 0, 1) + 1;
    for (let most = Atomics.load(inside, 1); now > most; most = Atomics.load(inside, 1)) {
      Atomics.compareExchange(inside, 1, most, now);
    }
    Atomics.sub(inside, 0, 1);
    gate.leave();
  }
  return { entered, refused: false };
}

if (runtime.threadName === GATE_THREAD) {
  const scope = globalThis as unknown as Scope;
  scope.onmessage = ({ data }) => {
    scope.postMessage("ready");
    scope.postMessage(goThrough(data));
  };
}
