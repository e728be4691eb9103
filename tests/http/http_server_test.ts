/**
 * The HTTP server on real sockets: its limits, and what clients do who are slow, many or rude.
 *
 * @module
 */

import { HttpServer } from "../../engine/http/http_server.ts";
import type { HttpOptions } from "../../engine/http/http_server.ts";
import { listenOption } from "../../engine/http/listen_option.ts";
import { listenOrShare } from "../../engine/server/listening/shared_port.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { findFreePort } from "../../lab/free_port.ts";
import { ConversationError, type Protocol, write } from "../../protocol.ts";
import { bytesOf } from "../kit/conversation.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  test,
  until,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
const LAST = REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");

async function serve(options: Partial<HttpOptions> = {}): Promise<HttpServer> {
  return await HttpServer.listen({
    address: { hostname: "127.0.0.1", port: 0 },
    site: { find: (path) => path === "/" ? { GET: () => ({ content: "hello" }) } : undefined },
    ...options,
  });
}

/** Asks on a connection that may ask again. */
async function ask(peer: Peer): Promise<void> {
  await peer.send(REQUEST);
  await untilHeard(peer, "hello");
  await peer.take(peer.heard.length);
}

async function untilHeard(peer: Peer, text: string): Promise<void> {
  await until(`${JSON.stringify(text)} to come`, () => peer.heard.includes(text));
}

test("a connection serves one request after another, and the last one closes it", async () => {
  await using server = await serve();
  await using peer = await Peer.connect(server.address);
  await ask(peer);
  await ask(peer);
  await peer.send(LAST);
  assertMatch(await peer.rest(), /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n\r\nhello$/);
});

test(
  "of two servers that find a port free at once, one gets it, and its successor shares it",
  async () => {
    const address = await findFreePort("127.0.0.1");
    const both = Promise.withResolvers<void>();
    const servers: HttpServer[] = [];
    let found = 0;
    const start = () =>
      listenOrShare(address, async () => {
        if (++found === 2) both.resolve();
        await both.promise;
        servers.push(await serve({ address, shares: "later" }));
      });
    const shares = (await Promise.all([start(), start()])).filter((share) => share !== undefined);
    const [first, second] = servers;
    const [share] = shares;
    assert(first !== undefined && second === undefined, "one listens");
    await using _first = first;
    assert(share !== undefined, "the other one has a share");
    using _share = share;
    const besides = { ...address, hostname: "127.0.0.2" };
    for (const other of [undefined, besides, { port: address.port + 1 }]) {
      assertThrows(
        () => share.requireFrom(other),
        Error,
        "another server of yours listens on port",
      );
    }
    share.requireFrom(address);
    await using next = await serve({ address, shares: "now" });
    assertEquals(next.address.port, address.port);
  },
  { skip: whyNoSockets() ?? runtime.whyNoReusePort() },
);

test("whoever sends FIN behind a request gets the answer", async () => {
  await using server = await serve();
  await using peer = await Peer.connect(server.address);
  await peer.send(REQUEST);
  peer.finish();
  assertMatch(await peer.rest(), /\r\n\r\nhello$/);
});

test("what is wrong is told before the connection closes, though the client is still sending", async () => {
  await using server = await serve();
  await using peer = await Peer.connect(server.address);
  await peer.send(`GET /${"a".repeat(200_000)} HTTP/1.1\r\n`);
  peer.finish();
  assertMatch(await peer.rest(), /^HTTP\/1\.1 414 URI Too Long\r\n/);
});

test("a thousand idle connections keep nobody out, and the server is bounded", async () => {
  await using server = await serve();
  await using peers = new AsyncDisposableStack();
  await using first = await Peer.connect(server.address);
  await ask(first);
  const all = Array.from({ length: 1_000 }, (_, index) => index);
  let gone = 0;
  while (all.length > 0) {
    await Promise.all(
      all.splice(0, 100).map(async (index) => {
        const peer = peers.use(await Peer.connect(server.address));
        // Half of them have begun a request.
        if (index % 2 === 0) peer.post("GET / HTTP/1.1\r\nHo");
        void peer.gone().then(() => gone++, () => {});
      }),
    );
  }
  await using last = await Peer.connect(server.address);
  await ask(last);
  assert(server.connections <= 64, `${server.connections}`);
  await first.gone();
  await until("all but some to be gone", () => gone >= 900);
}, { timeoutMs: 40_000 });

test("a request that comes a byte at a time is ended, and so is one that never ends", async () => {
  const limits = { messageTimeoutMs: 150, readTimeoutMs: 150, idleTimeoutMs: 60_000 };
  await using server = await serve({ limits });
  await using slow = await Peer.connect(server.address);
  await using stuck = await Peer.connect(server.address);
  stuck.post("GET / HTTP/1.1\r\n");
  const dripping = setInterval(() => slow.post("a"), 20);
  try {
    for (const peer of [slow, stuck]) {
      await untilHeard(peer, "did not come in time");
      assertMatch(peer.heard, /^HTTP\/1\.1 408 Request Timeout\r\n/);
    }
  } finally {
    clearInterval(dripping);
  }
});

test("a connection that asks for nothing is closed after a while, without a word", async () => {
  await using server = await serve({ limits: { idleTimeoutMs: 100 } });
  await using peer = await Peer.connect(server.address);
  await ask(peer);
  assertEquals(await peer.rest(), "");
});

test("a client that never reads its answers is given up", async () => {
  await using server = await serve({
    limits: { writeTimeoutMs: 200 },
    site: { find: () => ({ GET: () => ({ content: "x".repeat(1 << 24) }) }) },
  });
  await using peer = await Peer.connect(server.address);
  peer.pause();
  await peer.send(REQUEST);
  await until("the connection to be there", () => server.connections === 1);
  await until("the connection to be given up", () => server.connections === 0);
});

test("a client that resets harms nobody", async () => {
  await using server = await serve();
  for (const text of ["", "GET", REQUEST.repeat(50)]) {
    const peer = await Peer.connect(server.address);
    peer.post(text);
    peer.reset();
    await peer[Symbol.asyncDispose]();
  }
  await using peer = await Peer.connect(server.address);
  await ask(peer);
  await until("only one to be left", () => server.connections === 1);
});

/** Events that the test sends. */
class Events {
  readonly waiting = new Set<(error: unknown, result: unknown) => void>();

  begin(_what: string, _argument: unknown, done: (error: unknown, result: unknown) => void) {
    this.waiting.add(done);
    return {
      cancel: () => void this.waiting.delete(done),
      // The client has sent FIN: nobody listens any more.
      giveWay: () => {
        this.waiting.delete(done);
        done(new GoneError(), undefined);
      },
    };
  }

  say(text: string): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const done of waiting) done(undefined, text);
  }
}

class GoneError extends ConversationError {
  override readonly kind = "peer gone";
}

test("a stream sends what happens as it happens, until its client goes or the server closes", async () => {
  const events = new Events();
  function* stream(): Protocol {
    for (;;) {
      const text: string = yield { kind: "wait", event: "anything", argument: undefined };
      yield* write(bytesOf(`data: ${text}\n\n`));
    }
  }
  const fields = { "Content-Type": "text/event-stream" };
  const server = await serve({
    events,
    site: { find: () => ({ GET: () => ({ fields, stream }) }) },
  });
  await using closing = server;
  await using one = await Peer.connect(server.address);
  await using other = await Peer.connect(server.address);
  for (const peer of [one, other]) await peer.send(REQUEST);
  await until("both to listen", () => events.waiting.size === 2);
  // Idle connections do not push them out.
  await using idle = new AsyncDisposableStack();
  for (let count = 0; count < 100; count++) idle.use(await Peer.connect(server.address));
  events.say("hello");
  for (const peer of [one, other]) await untilHeard(peer, "data: hello\n\n");
  assertStringIncludes(one.heard, "Content-Type: text/event-stream\r\nConnection: close\r\n");
  one.finish();
  await until("one to be gone", () => events.waiting.size === 1);
  await closing.close();
  assertStringIncludes(await other.rest(), "data: hello");
  assertEquals(events.waiting.size, 0);
});

test("when all connections are being answered, one more is told to come later", async () => {
  const events = new Events();
  function* stream(): Protocol {
    yield { kind: "wait", event: "anything", argument: undefined };
  }
  await using server = await serve({
    events,
    site: { find: () => ({ GET: () => ({ stream }) }) },
  });
  await using peers = new AsyncDisposableStack();
  for (let count = 0; count < 64; count++) {
    const peer = peers.use(await Peer.connect(server.address));
    peer.post(REQUEST);
  }
  await until("all to be answered", () => events.waiting.size === 64);
  await using late = await Peer.connect(server.address);
  await untilHeard(late, "too many connections");
  assertMatch(late.heard, /^HTTP\/1\.1 503 /);
  assertEquals(server.connections, 64);
  await late[Symbol.asyncDispose]();
});

test("a closing server says nothing to those that wait, and may be closed again", async () => {
  const server = await serve();
  await using peer = await Peer.connect(server.address);
  await ask(peer);
  await Promise.all([server.close(), server.close()]);
  assertEquals(await peer.rest(), "");
  await assertRejects(() => Peer.connect(server.address));
});

test("a port in use is an error that names it", async () => {
  await using server = await serve();
  const { message } = await assertRejects(() => serve({ address: server.address }), Error);
  assertMatch(message, /^Cannot listen on 127\.0\.0\.1:\d+: address already in use/);
});

test("only on an address of this machine a name from elsewhere is refused", async () => {
  await using local = await serve();
  await using open = await serve({ address: { hostname: "0.0.0.0", port: 0 } });
  for (const [server, status] of [[local, 421], [open, 200]] as const) {
    const { port } = server.address;
    await using peer = await Peer.connect({ hostname: "127.0.0.1", port });
    await peer.send(LAST.replace("localhost", "example.org"));
    assertMatch(await peer.rest(), new RegExp(`^HTTP/1\\.1 ${status} `));
  }
});

test("where to listen is a port, with a host in front if others may ask", () => {
  const option = listenOption("metrics", { help: "where" });
  const read = (text: string | number) => {
    const { hostname, port } = option.read(text);
    return [hostname, port];
  };
  assertEquals(read("9090"), ["127.0.0.1", 9090]);
  assertEquals(read(9090), ["127.0.0.1", 9090]);
  assertEquals(read(":9090"), ["127.0.0.1", 9090]);
  assertEquals(read("0.0.0.0:0"), ["0.0.0.0", 0]);
  assertEquals(read("[::1]:9090"), ["::1", 9090]);
  assertEquals(read("[fe80::1%eth0]:9090"), ["fe80::1%eth0", 9090]);
  assertEquals(read("localhost:9090"), ["localhost", 9090]);
  for (
    const wrong of ["", "x", "65536", "-1", "a:", "::1:9090", "[]:1", "unix:/a", "a:b:1", "1.5"]
  ) {
    assertThrows(() => option.read(wrong), RangeError, "Cannot use metrics: expected [HOST:]PORT");
  }
});
