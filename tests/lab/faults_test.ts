/**
 * The fault proxy: what reaches the other end of a real connection, and what does not.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import { type Faults, type FaultsOptions, startFaults } from "../../lab/faults/proxy.ts";
import { type Stage, stageOf, type Surroundings } from "../../lab/faults/stages.ts";
import { formatToxic, parseToxic, parseToxics, ToxicError } from "../../lab/faults/toxic.ts";
import { Random } from "../../lab/load/random.ts";
import { bytesOf } from "../kit/conversation.ts";
import { assert, assertEquals, assertMatch, assertThrows, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { Script } from "../kit/server_process.ts";

const skip = whyNoSockets();

/** A client and a server with the proxy between them. */
interface Connected {
  readonly faults: Faults;
  readonly client: Peer;
  readonly server: Peer;
}

/** Connects through the proxy, and closes all of it at the end. */
async function through(
  toxics: string,
  body: (connected: Connected) => Promise<void>,
  options: Partial<FaultsOptions> = {},
): Promise<void> {
  const { address, peer } = await Peer.listen();
  await using faults = await startFaults({
    upstream: address,
    toxics: parseToxics(toxics),
    seed: 1,
    ...options,
  });
  await using client = await Peer.connect(faults.address);
  await using server = await peer;
  await body({ faults, client, server });
}

function check(what: string, toxics: string, body: (connected: Connected) => Promise<void>): void {
  test(`faults ${toxics || "without toxics"}: ${what}`, () => through(toxics, body), {
    skip,
    sanitize: false,
  });
}

check("a half-close is passed on as one", "", async ({ client, server, faults }) => {
  await client.send("question");
  client.finish();
  assertEquals(await server.rest(), "question");
  await server.send("answer");
  server.finish();
  assertEquals(await client.rest(), "answer");
  await until("the proxy to have closed", () => faults.counts.closed === 1);
});

check("a RST is passed on as one", "", async ({ client, server, faults }) => {
  await client.send("x");
  assertEquals(await server.take(1), "x");
  client.reset();
  await until("the server to be reset", () => server.isBroken);
  assertMatch(await server.rest().catch((error) => error.message), /^reset after/);
  assertEquals(faults.counts.reset, 1);
});

check("all bytes come in order, and FIN behind them", "slicer:1..7 latency:5ms±4ms", async (
  { client, server },
) => {
  const text = Array.from({ length: 2_000 }, (_, index) => index).join();
  await client.send(text);
  client.finish();
  assertEquals(await server.rest(), text);
  await server.send(text);
  server.finish();
  assertEquals(await client.rest(), text);
});

check("the other direction is not affected", "down:limit:0B", async ({ client, server }) => {
  // At 0 bytes it closes at once.
  assertEquals(await client.rest(), "");
  assertEquals(await server.rest(), "");
});

check(
  "after so many bytes both sides get FIN",
  "up:limit:5B",
  async ({ client, server, faults }) => {
    await client.send("0123456789");
    assertEquals(await server.rest(), "01234");
    assertEquals(await client.rest(), "");
    client.finish();
    server.finish();
    await until("the proxy to have closed", () => faults.counts.cut === 1);
  },
);

check(
  "after so many bytes both sides get RST",
  "up:reset:5B",
  async ({ client, server, faults }) => {
    await client.send("0123456789");
    await until("both to be reset", () => client.isBroken && server.isBroken);
    assertEquals(faults.counts.cut, 1);
  },
);

check("after a time both sides get RST", "reset:300ms", async ({ client, server }) => {
  await until("both to be reset", () => client.isBroken && server.isBroken);
});

check("nobody is told of the other's end", "vanish:3B", async ({ client, server, faults }) => {
  await client.send("abc");
  assertEquals(await server.take(3), "abc");
  await client.send("lost");
  client.finish();
  await server.send("lost too");
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals([client.heard, server.heard], ["", ""]);
  assert(!client.isBroken && !server.isBroken);
  server.reset();
  await until("the proxy to let go", () => faults.counts.vanished === 1);
});

test("faults black-hole: what was held back passes when it ends, and no FIN before", async () => {
  await through("black-hole", async ({ client, server, faults }) => {
    await client.send("held");
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(server.heard, "");
    faults.heal();
    assertEquals(await server.take(4), "held");
    assert(!server.isBroken);
    await server.send("answer");
    assertEquals(await client.take(6), "answer");
  });
}, { skip, sanitize: false });

test("faults --for: the toxics end by themselves", async () => {
  await through("black-hole", async ({ client, server }) => {
    await client.send("held");
    assertEquals(await server.take(4), "held");
  }, { forMs: 30 });
}, { skip, sanitize: false });

test("faults latency: what is late on one connection is overtaken on another", async () => {
  const order: string[] = [];
  const arrives = (name: string, toxics: string) =>
    through(toxics, async ({ client, server }) => {
      await client.send(name);
      await server.take(name.length);
      order.push(name);
    });
  await Promise.all([arrives("late", "latency:300ms"), arrives("early", "latency:1ms")]);
  assertEquals(order, ["early", "late"]);
}, { skip, sanitize: false });

test("faults --toxicity: 0 is never, and the same seed breaks the same connections", async () => {
  const draws = (seed: number) =>
    Array.from({ length: 64 }, (_, index) => {
      const random = new Random(seed + Math.imul(index + 1, 0x9e37_79b1));
      return random.next() / 0x1_0000_0000 < 0.5;
    });
  assertEquals(draws(7), draws(7));
  assert(draws(7).join() !== draws(8).join());
  await through("reset", async ({ client, server }) => {
    await client.send("fine");
    assertEquals(await server.take(4), "fine");
  }, { toxicity: 0 });
}, { skip, sanitize: false });

/** A stage that ends in a list, and what is around it. */
function chain(toxic: string, seed: number): { stage: Stage; pieces: string[] } {
  const pieces: string[] = [];
  const last: Stage = {
    push: (bytes) => Promise.resolve(void pieces.push(new TextDecoder().decode(bytes))),
    finish: () => Promise.resolve(void pieces.push("FIN")),
  };
  const around: Surroundings = {
    isActive: true,
    random: new Random(seed),
    rest: (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms))),
    turn: () => Promise.resolve(),
    reset: () => {},
    close: () => {},
    vanish: () => {},
  };
  return { stage: stageOf(parseToxic(toxic).fault, last, around), pieces };
}

test("faults slicer: pieces have the lengths that it says, and the same seed cuts the same", async () => {
  const cut = async (seed: number) => {
    const { stage, pieces } = chain("slicer:2..5", seed);
    await stage.push(bytesOf("a".repeat(500)));
    await stage.finish();
    return pieces;
  };
  const [one, same, other] = await Promise.all([cut(1), cut(1), cut(2)]);
  assertEquals(one, same);
  assert(one.join() !== other.join());
  assertEquals(one.join(""), `${"a".repeat(500)}FIN`);
  const lengths = new Set(one.slice(0, -2).map(({ length }) => length));
  assertEquals([...lengths].sort(), [2, 3, 4, 5]);
});

test("faults bandwidth: what passes is cut into what fits into a moment", async () => {
  const { stage, pieces } = chain("bandwidth:50000/s", 1);
  await stage.push(bytesOf("b".repeat(3_500)));
  assertEquals(pieces.map(({ length }) => length), [1_000, 1_000, 1_000, 500]);
});

test("a toxic reads as it is written, and a wrong one says what is expected", () => {
  for (
    const text of [
      "latency:50ms",
      "up:latency:50ms±10ms",
      "bandwidth:65536/s",
      "slicer:1..7",
      "down:slow-close:1s",
      "black-hole",
      "vanish:100B",
      "reset:500ms",
      "limit:0B",
    ]
  ) assertEquals(formatToxic(parseToxic(text)), text);
  assertEquals(formatToxic(parseToxic("latency:1s+-5ms")), "latency:1s±5ms");
  assertEquals(formatToxic(parseToxic("slicer:3")), "slicer:3..3");
  assertEquals(formatToxic(parseToxic("reset")), "reset:0ms");
  assertEquals(formatToxic(parseToxic("limit:64KiB")), "limit:65536B");
  assertEquals(parseToxics("slicer:1..7 down:latency:5ms, reset:1k").length, 3);
  for (
    const text of [
      "",
      "rain",
      "latency",
      "latency:x",
      "slicer:7..1",
      "slicer:0",
      "limit",
      "reset:x",
    ]
  ) {
    assertThrows(() => parseToxic(text), ToxicError);
  }
});

test("the command says its seed and what has happened", async () => {
  const { address, peer } = await Peer.listen();
  const upstream = `${address.hostname}:${address.port}`;
  const args = ["0", upstream, "--toxic", "slicer:1..3", "--seed", "42"];
  await using script = new Script("lab/faults.ts", args);
  await script.printed("\n");
  const [, port] = /^Listening on 127\.0\.0\.1:(\d+) · faults · to \S+ · slicer:1\.\.3 · seed 42 · /
    .exec(script.stdout) ?? [];
  assert(port !== undefined, script.stdout);
  await using client = await Peer.connect({ hostname: "127.0.0.1", port: Number(port) });
  await using server = await peer;
  await client.send("hello");
  client.finish();
  assertEquals(await server.rest(), "hello");
  server.finish();
  assertEquals(await client.rest(), "");
  script.signal("SIGTERM");
  const ending = await script.end();
  assertEquals([ending.code, ending.stderr], [0, "totals: accepted 1 · toxic 1 · closed 1\n"]);
  const wrong = await new Script("lab/faults.ts", ["0", upstream, "--toxic", "rain"]).end();
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /^faults: wrong value for --toxic: expected a toxic such as latency:/);
}, { skip, sanitize: false, timeoutMs: 30_000 });
