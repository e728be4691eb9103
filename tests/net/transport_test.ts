/**
 * Connections and listeners of this runtime's adapter, back-off and deadlines.
 *
 * @module
 */

import { Deadline, TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { AcceptPolicy } from "../../engine/net/accept_policy.ts";
import { Backoff } from "../../engine/net/backoff.ts";
import type { Listener } from "../../engine/net/listener.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { listen as listenWithOptions } from "../../engine/net/tcp.ts";
import {
  ACCEPT_QUEUE,
  type Connection,
  type ListenOptions,
  type Sink,
} from "../../engine/net/transport.ts";
import type { Address } from "../../protocol.ts";
import { assert, assertEquals, assertRejects, delay, test, until, within } from "../kit/harness.ts";
import { bytesOf } from "../kit/conversation.ts";

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };
const needsReset = { skip: whyNoSockets() };

function listen(options: Partial<ListenOptions> = {}): Promise<Listener> {
  return runtime.listen({ ...LOOPBACK, ...options });
}

async function accept(listener: Listener): Promise<Connection> {
  const { value } = await within(5_000, "a connection", listener.next());
  assert(value !== undefined, "the listener has ended");
  return value;
}

/** Both ends of a connection over the loopback. */
class Pair implements AsyncDisposable {
  readonly client: Connection;
  readonly server: Connection;
  readonly #listener: Listener;

  private constructor(listener: Listener, client: Connection, server: Connection) {
    this.#listener = listener;
    this.client = client;
    this.server = server;
  }

  static async open(): Promise<Pair> {
    const listener = await listen();
    const [client, server] = await Promise.all([
      runtime.connect(listener.address),
      accept(listener),
    ]);
    return new Pair(listener, client, server);
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const end of [this.client, this.server, this.#listener]) end.close();
    return Promise.resolve();
  }
}

/** Reads everything until FIN. */
async function readAll(connection: Connection): Promise<string> {
  let text = "";
  for (;;) {
    const chunk = await within(5_000, "bytes or FIN", connection.read());
    if (chunk === null) return text;
    text += new TextDecoder("latin1").decode(chunk);
  }
}

/** A client that can end its connection with a reset. On the loopback its calls do not wait. */
function rawClient(address: Address): { send(text: string): void; reset(): void } {
  const net = sockets();
  const { AF_INET, SOCK_STREAM, SOL_SOCKET, SO_LINGER } = net.constants;
  const fd = net.socket(AF_INET, SOCK_STREAM);
  net.connect(fd, address);
  net.setOptionBytes(fd, SOL_SOCKET, SO_LINGER, new Uint8Array(Int32Array.of(1, 0).buffer));
  return { send: (text) => void net.send(fd, bytesOf(text)), reset: () => net.close(fd) };
}

test("a connection carries bytes both ways and knows both addresses", async () => {
  await using pair = await Pair.open();
  const { client, server } = pair;
  await client.write(bytesOf("ping"));
  assertEquals(await server.read(), bytesOf("ping"));
  await server.write(bytesOf("pong"));
  assertEquals(await client.read(), bytesOf("pong"));
  const plain = ({ hostname, port }: Address) => ({ hostname, port });
  assertEquals(plain(server.remoteAddress), plain(client.localAddress));
  assertEquals(plain(client.remoteAddress), plain(server.localAddress));
  assertEquals(server.remoteAddress.hostname, "127.0.0.1");
});

test("a connection half-closes both ways, and every read after FIN returns null", async () => {
  await using pair = await Pair.open();
  const { client, server } = pair;
  await client.write(bytesOf("last words"));
  client.closeWrite();
  assertEquals(await readAll(server), "last words");
  assertEquals(await server.read(), null);
  await server.write(bytesOf("answer after FIN"));
  server.closeWrite();
  server.closeWrite();
  assertEquals(await readAll(client), "answer after FIN");
  assertEquals(await client.read(), null);
});

test("a write to a peer that does not read waits for it, and loses nothing", async () => {
  await using pair = await Pair.open();
  const { client, server } = pair;
  const bytes = Uint8Array.from({ length: 24 << 20 }, (_, index) => index ^ (index >> 8));
  let written = false;
  const writing = client.write(bytes).then(() => {
    written = true;
    client.closeWrite();
  });
  await delay(50);
  assertEquals(written, false, "this is more than any kernel buffers, and nothing was read");
  let at = 0;
  for (let chunk = await server.read(); chunk !== null; chunk = await server.read()) {
    for (let index = 0; index < chunk.length; index += 997) {
      if (chunk[index] !== bytes[at + index]) throw new Error(`Byte ${at + index} is wrong`);
    }
    at += chunk.length;
  }
  assertEquals(at, bytes.length);
  await within(5_000, "the write to end", writing);
});

test("bytes that come while nobody reads are held back, and none is lost", async () => {
  await using pair = await Pair.open();
  const { client, server } = pair;
  let sent = 0;
  let over = false;
  const writing = (async () => {
    for (let line = 0; line < 300; line++) {
      await client.write(new Uint8Array(64 * 1024).fill(line));
      sent++;
    }
    over = true;
    client.closeWrite();
  })();
  // The first read starts the flow. After it nobody reads.
  let received = (await server.read())?.length ?? 0;
  await delay(50);
  assertEquals(over, false, `${sent} of 300 writes of 64 KiB were taken while nobody read`);
  for (let chunk = await server.read(); chunk !== null; chunk = await server.read()) {
    received += chunk.length;
  }
  assertEquals(received, 300 * 64 * 1024);
  await writing;
});

test("what has come before FIN is there after closeWrite too, although nobody has read it", async () => {
  await using pair = await Pair.open();
  const piece = "y".repeat(80_000);
  const first = await Promise.all([pair.server.read(), pair.client.write(bytesOf("y"))]);
  let got = first[0]?.length ?? 0;
  // So much comes while nobody reads that the rest, and FIN, stay in the kernel.
  for (let pieces = 0; pieces < 3; pieces++) {
    await pair.client.write(bytesOf(piece));
    await delay(10);
  }
  pair.client.closeWrite();
  await delay(10);
  await pair.server.write(bytesOf("an answer"));
  pair.server.closeWrite();
  got += (await readAll(pair.server)).length;
  assertEquals(got, 1 + 3 * piece.length);
  assertEquals(await readAll(pair.client), "an answer");
});

test("a peer's reset is an error for those who read", async () => {
  await using listener = await listen();
  const client = rawClient(listener.address);
  await using server = await accept(listener);
  client.send("x");
  assertEquals(await server.read(), bytesOf("x"));
  const reading = server.read();
  client.reset();
  const error = await assertRejects(() => within(5_000, "an error", reading), Error);
  assertEquals((error as { code?: string }).code, "ECONNRESET");
}, needsReset);

test("a peer's reset is an error for those who write", async () => {
  await using listener = await listen();
  const client = rawClient(listener.address);
  await using server = await accept(listener);
  const writing = server.write(new Uint8Array(24 << 20));
  client.reset();
  const error = await assertRejects(() => within(5_000, "an error", writing), Error);
  assert(["ECONNRESET", "EPIPE"].includes(String((error as { code?: string }).code)));
}, needsReset);

test("a peer's reset ends a read and a write that wait at the same time", async () => {
  await using listener = await listen();
  const client = rawClient(listener.address);
  await using server = await accept(listener);
  const reading = server.read().catch(() => null);
  const writing = server.write(new Uint8Array(24 << 20));
  await delay(20);
  client.reset();
  await assertRejects(() => within(5_000, "an error", writing), Error);
  assertEquals(await within(5_000, "the end of the read", reading), null);
}, needsReset);

test("unpull cancels a read, and the bytes that come are kept for the next one", async () => {
  await using pair = await Pair.open();
  const { client, server } = pair;
  const sink: Sink = {
    onRead: () => assert(false, "the read was cancelled"),
    onWritten() {},
    onError() {},
  };
  assertEquals(server.pull(sink), undefined);
  server.unpull();
  await client.write(bytesOf("kept"));
  client.closeWrite();
  await delay(20);
  assertEquals(await readAll(server), "kept");
});

test("a connection may be closed twice, and half-closed after that", async () => {
  await using pair = await Pair.open();
  const { client, server } = pair;
  client.close();
  client.close();
  client.closeWrite();
  assertEquals(await readAll(server), "");
});

test("a listener is iterated over, and leaving the loop closes it", async () => {
  const listener = await listen();
  const clients = await Promise.all([1, 2].map(() => runtime.connect(listener.address)));
  let count = 0;
  for await (const connection of listener) {
    connection.close();
    if (++count === 2) break;
  }
  listener.close();
  assertEquals(await listener.next(), { value: undefined, done: true });
  await assertRejects(() => runtime.connect(listener.address), Error);
  for (const client of clients) client.close();
});

test("no connection has a Nagle delay, neither the first nor those that inherit that", async () => {
  const net = sockets();
  const { IPPROTO_TCP, TCP_NODELAY } = net.constants;
  const listener = await listenWithOptions(LOOPBACK);
  const { port } = listener.address;
  const mayDelay = () => {
    for (let fd = 0; fd < 512; fd++) {
      const isOurs = net.findPeer(fd) && net.findLocal(fd)?.port === port;
      if (isOurs && net.getOption(fd, IPPROTO_TCP, TCP_NODELAY) === 0) return true;
    }
    return false;
  };
  for (let count = 0; count < ACCEPT_QUEUE + 8; count++) {
    const client = rawClient(listener.address);
    const connection = await accept(listener);
    if (count < 8 || count > ACCEPT_QUEUE) assert(!mayDelay(), `connection ${count}`);
    client.reset();
    connection.close();
  }
  listener.close();
}, needsReset);

test("a listener survives clients that reset before they are accepted", async () => {
  await using listener = await listen();
  for (let client = 0; client < 5; client++) rawClient(listener.address).reset();
  await using client = await runtime.connect(listener.address);
  await client.write(bytesOf("still here?"));
  client.closeWrite();
  await until("the client that stayed to be accepted", async () => {
    const connection = await accept(listener);
    const text = await readAll(connection).catch(() => "");
    connection.close();
    return text === "still here?";
  });
}, needsReset);

test("stop accepts those who wait in the accept queue, then iteration ends", async () => {
  const listener = await listen();
  const clients = await Promise.all([1, 2, 3, 4, 5].map(() => runtime.connect(listener.address)));
  await listener.stop();
  let served = 0;
  for await (const connection of listener) {
    served++;
    await connection.write(bytesOf("served"));
    connection.close();
  }
  assertEquals(served, 5);
  const answers = await Promise.all(clients.map(readAll));
  assertEquals(answers, Array(5).fill("served"));
  for (const client of clients) client.close();
  await assertRejects(() => runtime.connect(listener.address), Error);
});

test("a port in use and a refused connection have the system's code", async () => {
  const listener = await listen();
  const { port } = listener.address;
  const inUse = await assertRejects(async () => void await listen({ port }), Error);
  assertEquals((inUse as { code?: string }).code, "EADDRINUSE");
  listener.close();
  const refused = await assertRejects(() => runtime.connect({ ...LOOPBACK, port }), Error);
  assertEquals((refused as { code?: string }).code, "ECONNREFUSED");
});

test("an attempt to connect that was cancelled rejects with the reason", async () => {
  await using listener = await listen();
  const reason = new Error("given up");
  const signal = AbortSignal.abort(reason);
  const error = await assertRejects(() => runtime.connect({ ...listener.address, signal }), Error);
  assertEquals(error.message, "given up");
});

// Back-off.

test("back-off doubles from 5 ms to 1 s and starts again after a success", () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 10 }, () => backoff.next());
  assertEquals(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
  backoff.reset();
  assertEquals(backoff.next(), 5);
});

test("back-off has other waits for those who ask for them", () => {
  const backoff = new Backoff({ firstMs: 1_000, mostMs: 30_000 });
  const waits = Array.from({ length: 7 }, () => backoff.next());
  assertEquals(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  backoff.reset();
  assertEquals(backoff.next(), 1_000);
});

test("only errors of one connection let accepting go on at once", () => {
  const waitMs = (code: unknown) => new AcceptPolicy().failed(Object.assign(new Error(), { code }));
  for (const code of ["ECONNABORTED", "ENOTCONN", "EPROTO", "EINTR"]) {
    assertEquals(waitMs(code), 0, code);
  }
  for (const code of ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EBADF", undefined, 24]) {
    assertEquals(waitMs(code), 5, String(code));
  }
  const policy = new AcceptPolicy();
  assertEquals([policy.failed(undefined), policy.failed("x")], [5, 10]);
  policy.accepted();
  assertEquals(policy.failed(undefined), 5, "a success begins anew");
});

test("accepting pauses while descriptors are short, and asks how many only near the limit", () => {
  let next = 10;
  let asked = 0;
  const policy = new AcceptPolicy({
    ceiling: () => 20,
    nextDescriptor() {
      asked++;
      return next;
    },
  });
  assertEquals([policy.isShort, asked], [false, 1], "nothing is known at first");
  policy.accepted(19);
  assertEquals([policy.isShort, asked], [false, 1]);
  policy.accepted(20);
  next = 21;
  assertEquals([policy.isShort, asked], [true, 2]);
  next = 12;
  assertEquals([policy.isShort, policy.isShort, asked], [false, false, 3]);
  policy.accepted(25);
  next = -24;
  assert(policy.isShort, "there is no other descriptor");
});

test("an accept queue is emptied past those that are lost, and again when there is room", () => {
  const failure = (code: string) => Object.assign(new Error(), { code });
  const queue = [7, failure("ECONNABORTED"), 8, failure("EMFILE"), 9];
  const held: number[] = [];
  let lost = 0;
  const policy = new AcceptPolicy();
  const rescue = () =>
    policy.rescue(
      () => {
        const first = queue.shift();
        if (first instanceof Error) throw first;
        return first;
      },
      (fd) => held.push(fd),
      () => lost++,
    );
  assertEquals([rescue(), held, lost], [false, [7, 8], 1]);
  assertEquals([rescue(), held, lost], [true, [7, 8, 9], 1]);
});

// Deadlines.

test("deadlines are reached in the order of their times, equal ones as they were set", async () => {
  using deadlines = new TimedDeadlines();
  const reached: string[] = [];
  const last = Promise.withResolvers<void>();
  const named = (name: string) => new Deadline(() => void reached.push(name));
  deadlines.set(new Deadline(() => last.resolve()), 60);
  deadlines.set(named("late"), 30);
  for (const name of ["a", "b", "c", "d"]) deadlines.set(named(name), 5);
  await within(5_000, "the last deadline", last.promise);
  assertEquals(reached, ["a", "b", "c", "d", "late"]);
});

test("a deadline that is lifted is not reached, wherever it was in the queue", async () => {
  for (const lifted of [0, 1, 2]) {
    using deadlines = new TimedDeadlines();
    const reached: number[] = [];
    const end = Promise.withResolvers<void>();
    const three = [0, 1, 2].map((index) => new Deadline(() => void reached.push(index)));
    for (const deadline of three) deadlines.set(deadline, 5);
    deadlines.set(new Deadline(() => end.resolve()), 5);
    three[lifted]?.lift();
    three[lifted]?.lift();
    await within(5_000, "the last deadline", end.promise);
    assertEquals(reached, [0, 1, 2].filter((index) => index !== lifted));
  }
});

test("a deadline that is set again moves behind those set before, whatever its length", async () => {
  using deadlines = new TimedDeadlines();
  const reached: string[] = [];
  const end = Promise.withResolvers<void>();
  const moved = new Deadline(() => void reached.push("moved"));
  const further = new Deadline(() => void reached.push("further"));
  deadlines.set(moved, 5);
  deadlines.set(further, 5);
  deadlines.set(new Deadline(() => void reached.push("stayed")), 5);
  deadlines.set(moved, 5);
  deadlines.set(further, 20);
  deadlines.set(new Deadline(() => end.resolve()), 40);
  await within(5_000, "the last deadline", end.promise);
  assertEquals(reached, ["stayed", "moved", "further"]);
});

test("a listener stops in time although the loop is busy and clients keep coming", async () => {
  await using listener = await listen();
  const clients: Promise<void>[] = [];
  let turns = 0;
  const busy = setInterval(() => {
    turns++;
    clients.push(runtime.connect(listener.address).then((client) => client.close(), () => {}));
    for (const until = performance.now() + 150; performance.now() < until;);
  });
  await listener.stop();
  clearInterval(busy);
  await Promise.all(clients);
  // If the waits were counted and not timed, there would be a turn for each of 66.
  assert(turns < 40, `${turns} turns`);
}, { sanitize: false });

test("a deadline may be set from within one that is reached, again and again", async () => {
  using deadlines = new TimedDeadlines();
  let count = 0;
  const end = Promise.withResolvers<void>();
  const again = new Deadline(() => {
    if (++count === 3) end.resolve();
    else deadlines.set(again, 2);
  });
  deadlines.set(again, 2);
  await within(5_000, "the third time", end.promise);
});

test("after its disposal no deadline is reached and no timer is left", async () => {
  const deadlines = new TimedDeadlines();
  let reached = 0;
  for (const ms of [1, 2, 3]) deadlines.set(new Deadline(() => reached++), ms);
  deadlines[Symbol.dispose]();
  await delay(15);
  assertEquals(reached, 0);
});
