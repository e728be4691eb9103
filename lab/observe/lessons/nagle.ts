/**
 * Nagle's algorithm and delayed acknowledgements: each sensible, and slow together.
 *
 * @module
 */

import type { Lesson } from "../stage/lesson.ts";
import { count } from "../stage/seen.ts";
import type { Stage } from "../stage/stage.ts";

/** How many requests each way. */
const ROUNDS = 10;

/** `observe lesson nagle`. */
export const nagle: Lesson = {
  name: "nagle",
  summary: "where 40 milliseconds come from, measured with and without TCP_NODELAY",
  question:
    "A client writes the two halves of a request with two calls of send(2), and waits for the " +
    "answer. How long does that take on the loopback, which needs 0.03 ms?",
  answers: ["0.03 ms", "0.06 ms: twice as long", "about 40 ms"],
  right: 3,
  why:
    "Nagle's algorithm holds a small segment back while another one is not acknowledged: RFC 9293, " +
    "section 3.7.4. The receiver delays its ACK, in the hope of an answer to send it with: section " +
    "3.8.6.3. So each waits for the other, until the ACK's timer ends, after 40 ms on Linux. One call " +
    "of send(2) for the whole request cures it, and so does TCP_NODELAY. TCP_NODELAY concerns what " +
    "is sent; it does not switch off delayed ACKs.",
  draws: "calls",

  async run(stage) {
    await stage.explain(
      `${ROUNDS} requests in two halves, with Nagle's algorithm, as every socket has ` +
        "it at first:",
    );
    await talk(stage, "with Nagle", 0);
    await stage.explain("The same with TCP_NODELAY:");
    await talk(stage, "with TCP_NODELAY", 1);
  },

  facts(seen) {
    const held = (name: string) => seen.measured(`held back ${name}`);
    return [
      count("second halves held back with Nagle", held("with Nagle")),
      count("second halves held back with TCP_NODELAY", held("with TCP_NODELAY")),
    ];
  },
};

/** Requests in two halves, and their answers. */
async function talk(stage: Stage, name: string, noDelay: 0 | 1): Promise<void> {
  const listener = stage.listen();
  const client = stage.client();
  const [, server] = await stage.pair(listener, client);
  const { TCP_NODELAY } = stage.net.constants;
  client.set(TCP_NODELAY, noDelay);
  server.set(TCP_NODELAY, 1);
  const times: number[] = [];
  let held = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const beganMs = performance.now();
    client.sendQuietly(1);
    client.sendQuietly(1);
    // What is not sent yet is what Nagle's algorithm holds back.
    if ((client.info().notsent_bytes ?? 0) > 0) held++;
    await server.take(2);
    server.sendQuietly(1);
    await client.take(1);
    times.push(performance.now() - beganMs);
  }
  times.sort((a, b) => a - b);
  const medianMs = Math.round((times[ROUNDS / 2] as number) * 1000) / 1000;
  stage.count("DelayedACKs");
  stage.measure({ [`median ${name}, ms`]: medianMs, [`held back ${name}`]: held });
}
