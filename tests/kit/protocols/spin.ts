/**
 * A protocol that computes in its conversation and never yields, when a client says so.
 *
 * @module
 */

import { encodeLine, Input, type Protocol, readLine, write } from "../../../protocol.ts";

function spin(ms: number): void {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt);
}

/**
 * Answers each line with itself. With `spin MS` it computes for so long before it answers, with
 * `spin` for ever, and with `last` for ever when its conversation is ended.
 */
export default function* spinning(): Protocol {
  const input = new Input();
  let isLast = false;
  try {
    for (;;) {
      const line = yield* readLine(input, { limit: 64 });
      if (line === null) return;
      const text = new TextDecoder().decode(line);
      const [word, ms = "Infinity"] = text.split(" ");
      if (word === "spin") spin(Number(ms));
      isLast = word === "last";
      yield* write(encodeLine(text));
    }
  } finally {
    if (isLast) spin(Infinity);
  }
}
