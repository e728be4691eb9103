/**
 * Another load for `examples/service.ts`: the service times are exponentially distributed, and
 * `--size` is their mean in milliseconds. `docs/measuring.md` uses it.
 * @module
 */
import * as protocol from "handshake/protocol";

/** The load: each request takes a connection of its own. */
export const load = {
  connects: true,
  *exchange({ input, size, random }: protocol.LoadContext): protocol.Protocol {
    yield* protocol.write(protocol.encodeLine(`${Math.round(size * random.exponential())}`));
    const answer = yield* protocol.readLine(input, { limit: 16 });
    if (answer === null) throw new protocol.PeerGoneError("waiting for the answer");
  },
};
