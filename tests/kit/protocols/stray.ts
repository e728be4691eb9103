/**
 * A protocol that does beside its conversation whatever a client tells it to.
 *
 * @module
 */

import { parentage, runtime } from "../../../engine/net/runtime.ts";
import {
  type Context,
  type Effect,
  encodeLine,
  Input,
  type Protocol,
  readLine,
  write,
} from "../../../protocol.ts";

/** Lets the next thing that the server itself does in this thread fail, and end the thread. */
function loseThread(): void {
  // While a loop is replaced, the main thread serves those who wait for it. A process of a server has
  // no other thread.
  if (runtime.isMainThread && parentage === undefined) return;
  const lose = () => {
    throw new Error("lost");
  };
  Object.assign(Atomics, { compareExchange: lose });
  Object.assign(globalThis, { postMessage: lose });
}

function fail(what: string): never {
  throw new Error(`a ${what} of a client\u0007`);
}

/** What it does before it answers, by the words of its clients. */
const DEEDS: Readonly<Record<string, (context: Context) => void>> = {
  promise: () => void Promise.reject(new Error("a promise of a client\u0007")),
  nothing: () => void Promise.reject(undefined),
  timer: () => void setTimeout(() => fail("timer"), 0),
  microtask: () => queueMicrotask(() => fail("microtask")),
  event() {
    const target = new EventTarget();
    target.addEventListener("deed", () => fail("listener"));
    target.dispatchEvent(new Event("deed"));
  },
  signal: ({ signal }) => signal.addEventListener("abort", () => fail("signal")),
  exit: () => void (globalThis as unknown as { process: { exit(): void } }).process.exit(),
  handler: ({ signal }) => void (signal.onabort = () => fail("handler")),
};

/** What it yields though it is no effect. */
const YIELDS: Readonly<Record<string, () => unknown>> = {
  rejection: () => Promise.reject(new Error("yielded")),
  thenable: () => ({ then: () => fail("thenable") }),
  bytes: () => ({ kind: "write", bytes: Promise.reject(new Error("yielded bytes")) }),
  getter: () => ({
    get kind() {
      return fail("getter");
    },
  }),
};

/** Answers each line with itself. */
export default function* stray(context: Context): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: 64 });
    if (line === null) return;
    const word = new TextDecoder().decode(line);
    DEEDS[word]?.(context);
    if (word in YIELDS) yield YIELDS[word]!() as Effect;
    yield* write(encodeLine(word));
    if (word === "lose") return loseThread();
    if (word === "late") {
      try {
        yield* readLine(input, { limit: 64 });
      } finally {
        fail("finally");
      }
    }
    if (word === "cling") {
      try {
        yield* readLine(input, { limit: 64 });
      } finally {
        for (;;) yield* write(encodeLine("still here"));
      }
    }
  }
}

/** Has no words for those who are refused. */
export function refusal(): never {
  throw { toString: () => fail("refusal") };
}
