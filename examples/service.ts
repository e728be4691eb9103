/**
 * A server whose service time is known: a request is a number of milliseconds and a line feed, and
 * the answer comes so much later. Nothing is computed meanwhile, so many workers fit on one processor.
 * `docs/measuring.md` checks queueing theory with it: `deno run -A modes/threadpool.ts 8080 --workers 4
 * --protocol ./examples/service.ts`, and `lab/bench.ts` with `--size 20` for 20 ms.
 * @module
 */
import * as protocol from "handshake/protocol";

/** The longest service. */
const LONGEST_MS = 10_000;

/** One conversation: one request after another, up to the client's FIN. */
export default function* service(): protocol.Protocol {
  const input = new protocol.Input();
  for (;;) {
    const line = yield* protocol.readLine(input, { limit: 16 });
    if (line === null) return;
    const text = new TextDecoder().decode(line);
    const ms = /^\d+$/.test(text) ? Number(text) : NaN;
    if (!(ms <= LONGEST_MS)) throw new protocol.MalformedMessageError("milliseconds", text);
    // A read that waits for so long, and in vain, is a pause that holds its worker.
    const early = yield* protocol.readWithin(ms);
    if (early === null) return;
    if (early !== undefined) throw new protocol.MalformedMessageError("nothing yet", "more");
    yield* protocol.write(protocol.encodeLine("done"));
  }
}

/** The load: each request takes a connection of its own, and `--size` milliseconds. */
export const load = {
  connects: true,
  *exchange({ input, size }: protocol.LoadContext): protocol.Protocol {
    yield* protocol.write(protocol.encodeLine(`${size}`));
    const answer = yield* protocol.readLine(input, { limit: 16 });
    if (answer === null) throw new protocol.PeerGoneError("waiting for the answer");
  },
};
