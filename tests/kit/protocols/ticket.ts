/**
 * A protocol of two questions and two answers: the client knows that its last one has arrived.
 *
 * @module
 */

import { encodeLine, Input, type Protocol, readLine, write } from "../../../protocol.ts";

/** Answers each of two lines with the same line. */
export default function* ticket(): Protocol {
  const input = new Input();
  for (let question = 0; question < 2; question++) {
    const line = yield* readLine(input, { limit: 64 });
    if (line === null) throw new Error("the client has left");
    yield* write(encodeLine(new TextDecoder().decode(line)));
  }
}
