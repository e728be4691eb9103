/**
 * Calls, both ways, to servers that have said more than anybody reads.
 *
 * @module
 */

import { UsageError } from "../../engine/cli/flags.ts";
import { BlockingDialer, type Dialer, EventDialer } from "../../engine/dial/dialer.ts";
import { readServer } from "../../engine/dial/target.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { listen } from "../../engine/net/tcp.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { type Protocol, write } from "../../protocol.ts";
import { assertEquals, assertRejects, assertThrows, test } from "../kit/harness.ts";

const skip = whyNoSockets();
const NO_LIMITS = { readTimeoutMs: 0, sessionTimeoutMs: 0, computeTimeoutMs: 0 };
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Says its last words without reading anything, and ends well or not. */
function* partWith(text: string, error?: Error): Protocol {
  yield* write(bytesOf(text));
  if (error !== undefined) throw error;
}

/** Everything that comes until FIN; rejects when the connection is reset. */
async function rest(connection: Connection): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let chunk = await connection.read(); chunk !== null; chunk = await connection.read()) {
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

const WAYS: readonly [name: string, make: () => Dialer, skip: string | undefined][] = [
  ["blocking", () => new BlockingDialer(NO_LIMITS), skip],
  ["event-driven", () => new EventDialer(NO_LIMITS), undefined],
];

for (const [name, make, why] of WAYS) {
  for (const failure of [undefined, new Error("wrong answer")]) {
    const how = failure === undefined ? "a success" : "a failure";

    test(`the last words of a ${name} call reach its server after ${how}`, async () => {
      await using listener = await listen({ hostname: "127.0.0.1", port: 0 });
      using dialer = make();
      const call = await dialer.dial(listener.address, 0);
      await using server = (await listener.next()).value as Connection;
      await server.write(bytesOf("a greeting that nobody reads\n"));
      const talk = async () => await call.converse(partWith("goodbye\n", failure));
      if (failure === undefined) await talk();
      else await assertRejects(talk, Error, failure.message);
      // A connection that is closed with unread bytes is reset: this would fail.
      assertEquals(await rest(server), "goodbye\n");
    }, { skip: why });
  }
}

test("an address that is one word has a name and a port", () => {
  assertEquals(readServer("[::1]:7878"), { host: "::1", port: 7878 });
  assertEquals(readServer("localhost:1"), { host: "localhost", port: 1 });
  for (const wrong of ["[]:1", ":1", "::1:7878", "host:0", "host:65536", "host"]) {
    assertThrows(() => readServer(wrong), UsageError, "wrong value for <server>");
  }
}, { pure: true });
