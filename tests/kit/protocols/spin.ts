/**
 * A protocol that computes in its conversation and never yields, when a client says so.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { encodeLine, Input, type Protocol, readLine, write } from "../../../protocol.ts";

function spin(ms: number): void {
  const endsAt = performance.now() + ms;
  while (performance.now() < endsAt);
}

function spinUntil(path: string): void {
  while (!existsSync(path));
}

/**
 * Answers each line with itself. With `spin MS` it computes for so long before it answers, with
 * `until PATH` as long as there is no such file, with `spin` for ever, and with `last` for ever when
 * its conversation is ended.
 */
export default function* spinning(): Protocol {
  const input = new Input();
  let isLast = false;
  try {
    for (;;) {
      const line = yield* readLine(input, { limit: 1024 });
      if (line === null) return;
      const text = new TextDecoder().decode(line);
      const [word, what = "Infinity"] = text.split(" ");
      if (word === "spin") spin(Number(what));
      else if (word === "until") spinUntil(what);
      isLast = word === "last";
      yield* write(encodeLine(text));
    }
  } finally {
    if (isLast) spin(Infinity);
  }
}
