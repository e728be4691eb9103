/**
 * The lives of connections, as the kernel tells them: who opened them, who closed them first, and
 * how they ended. Real sockets of this machine; a look is taken when the test says so.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { ConnectionLives, type EndedConnection } from "../../engine/kernel/connection_lives.ts";
import { conclude, type Side, type Traces } from "../../engine/kernel/ending.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { DestroyEvents, SockDiag, type SocketRow } from "../../engine/kernel/sock_diag.ts";
import type { TcpInfo } from "../../engine/kernel/tcp_info.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Address } from "../../protocol.ts";
import { assert, assertEquals, test, until } from "../kit/harness.ts";

const skip = whyNoKernel();

/** How long connections are held whose duration is told by ticks of the kernel's clock. */
const HELD_MS = 100;

/** `SO_LINGER` (socket(7)). */
const SO_LINGER = 13;

/** One connection over a listener of its own. */
class Pair implements Disposable {
  readonly net = sockets();
  readonly listener: number;
  readonly client: number;
  readonly server: number;
  readonly clientAddress: Address;
  readonly address: Address;
  readonly #open: Set<number>;

  constructor() {
    const { net } = this;
    this.listener = net.openListener({ hostname: "127.0.0.1", port: 0 }, {});
    this.address = net.localAddress(this.listener);
    this.client = net.openConnection(this.address);
    this.clientAddress = net.localAddress(this.client);
    this.server = net.accept(this.listener);
    this.#open = new Set([this.client, this.server, this.listener]);
  }

  get ports(): number[] {
    return [this.address.port, this.clientAddress.port];
  }

  send(fd: number, count: number): void {
    assertEquals(this.net.send(fd, new Uint8Array(count)), count);
  }

  read(fd: number): number {
    return this.net.recv(fd, new Uint8Array(4096));
  }

  finish(fd: number): void {
    this.net.shutdown(fd, this.net.constants.SHUT_WR);
  }

  close(fd: number): void {
    this.#open.delete(fd);
    this.net.close(fd);
  }

  /** Closes with a reset. */
  reset(fd: number): void {
    const value = new Uint8Array(Int32Array.of(1, 0).buffer);
    this.net.setOptionBytes(fd, this.net.constants.SOL_SOCKET, SO_LINGER, value);
    this.close(fd);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.net.close(fd);
  }
}

/** What both ends do, after the client has sent 11 bytes and the server 7, and both have read. */
interface Case {
  readonly name: string;
  readonly end: (pair: Pair, look: () => void) => void;
  /** Who closed first: the client or the server. */
  readonly first: "client" | "server";
  readonly endedWith: "fin" | "reset";
  /** What is sent after that. */
  readonly more?: { readonly client?: number; readonly server?: number };
}

const CASES: readonly Case[] = [
  {
    name: "the client closes",
    end(pair) {
      pair.close(pair.client);
      assertEquals(pair.read(pair.server), 0);
      pair.close(pair.server);
    },
    first: "client",
    endedWith: "fin",
  },
  {
    name: "the server closes",
    end(pair) {
      pair.close(pair.server);
      assertEquals(pair.read(pair.client), 0);
      pair.close(pair.client);
    },
    first: "server",
    endedWith: "fin",
  },
  {
    name: "the client finishes, the server answers 5 bytes and closes",
    end(pair, look) {
      pair.finish(pair.client);
      assertEquals(pair.read(pair.server), 0);
      look();
      pair.send(pair.server, 5);
      pair.close(pair.server);
      assertEquals([pair.read(pair.client), pair.read(pair.client)], [5, 0]);
      pair.close(pair.client);
    },
    first: "client",
    endedWith: "fin",
    more: { server: 5 },
  },
  {
    name: "the client resets",
    end(pair) {
      pair.reset(pair.client);
      assert(pair.read(pair.server) < 0);
      pair.close(pair.server);
    },
    first: "client",
    endedWith: "reset",
  },
  {
    name: "the server resets",
    end(pair) {
      pair.reset(pair.server);
      assert(pair.read(pair.client) < 0);
      pair.close(pair.client);
    },
    first: "server",
    endedWith: "reset",
  },
  {
    name: "the server closes with 3 bytes unread",
    end(pair) {
      pair.send(pair.client, 3);
      pair.close(pair.server);
      assert(pair.read(pair.client) < 0);
      pair.close(pair.client);
    },
    first: "server",
    endedWith: "reset",
    more: { client: 3 },
  },
  {
    name: "the client closes with 3 bytes unread",
    end(pair) {
      pair.send(pair.server, 3);
      pair.close(pair.client);
      assert(pair.read(pair.server) < 0);
      pair.close(pair.server);
    },
    first: "client",
    endedWith: "reset",
    more: { server: 3 },
  },
  {
    name: "the client closes, the server does not notice and sends 5 bytes",
    end(pair, look) {
      pair.close(pair.client);
      look();
      pair.send(pair.server, 5);
      pair.close(pair.server);
    },
    first: "client",
    endedWith: "reset",
    more: { server: 5 },
  },
];

function begin(pair: Pair): void {
  pair.send(pair.client, 11);
  assertEquals(pair.read(pair.server), 11);
  pair.send(pair.server, 7);
  assertEquals(pair.read(pair.client), 7);
}

/** What is true of a case, from each end. */
function truth({ first, endedWith, more }: Case): Record<"client" | "server", object> {
  const side = (of: "client" | "server"): Side => of === first ? "local" : "remote";
  const sent = { client: 11 + (more?.client ?? 0), server: 7 + (more?.server ?? 0) };
  return {
    client: { opened: "local", closed: side("client"), endedWith, sent: sent.client },
    server: { opened: "remote", closed: side("server"), endedWith, sent: sent.server },
  };
}

function told({ openedBy, closedFirst, endedWith, bytesSent }: EndedConnection): object {
  return { opened: openedBy, closed: closedFirst, endedWith, sent: bytesSent };
}

/** Resets a connection from outside, as an administrator does. */
function kill({ hostname, port }: Address): number | null {
  return spawnSync("ss", ["--kill", "src", hostname, "sport", "=", `${port}`]).status;
}

/** Why this user cannot do that. The kernel may be built without it, too. */
function whyNoKill(): string | undefined {
  if (skip !== undefined) return skip;
  using pair = new Pair();
  pair.net.setReceiveTimeout(pair.server, 1);
  const { ECONNRESET } = pair.net.constants.errno;
  const isKilled = kill(pair.clientAddress) === 0 && pair.read(pair.server) === -ECONNRESET;
  return isKilled ? undefined : "ss --kill does nothing here";
}

/** Takes looks until both ends are told. */
async function bothEnds(
  lives: ConnectionLives,
  pair: Pair,
  ended: EndedConnection[] = [],
): Promise<{ client: EndedConnection; server: EndedConnection }> {
  const of = (port: number) =>
    ended.find(({ local, remote }) => local.port === port && pair.ports.includes(remote.port));
  await until("both ends to be told", () => {
    ended.push(...lives.look().ended);
    return of(pair.clientAddress.port) !== undefined && of(pair.address.port) !== undefined;
  }).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(ended)}`, { cause: error });
  });
  return {
    client: of(pair.clientAddress.port) as EndedConnection,
    server: of(pair.address.port) as EndedConnection,
  };
}

for (const one of CASES) {
  test(`${one.name}: both ends know, long or short as the connection was`, async () => {
    for (const isSeen of [true, false]) {
      using lives = new ConnectionLives();
      lives.look();
      using pair = new Pair();
      begin(pair);
      const ended: EndedConnection[] = [];
      const look = () => {
        if (isSeen) ended.push(...lives.look().ended);
      };
      look();
      one.end(pair, look);
      const { client, server } = await bothEnds(lives, pair, ended);
      const expected = truth(one);
      const name = isSeen ? "seen" : "between two looks";
      // Where a program resets, the kernel forgets the last figures of its end.
      const forget = (connection: EndedConnection, what: object) =>
        !isSeen && connection.isEarlier ? { ...what, sent: undefined } : what;
      assertEquals(told(client), forget(client, expected.client), `client, ${name}`);
      assertEquals(told(server), forget(server, expected.server), `server, ${name}`);
      if (one.endedWith === "fin") {
        assertEquals(client.bytesReceived, server.bytesSent, `client, ${name}`);
        assertEquals(server.bytesReceived, client.bytesSent, `server, ${name}`);
      }
      for (const { longerThanUs, shorterThanUs, durationUs } of [client, server]) {
        assertEquals(longerThanUs, undefined);
        const isLong = isSeen ? (durationUs ?? 0) > 0 : (durationUs ?? shorterThanUs ?? 1) > 0;
        assert(isLong, JSON.stringify([client, server]));
      }
    }
  }, { skip });

  test(
    `${one.name}: an end that knows nothing of the other claims nothing that is wrong`,
    async () => {
      using pair = new Pair();
      using events = new DestroyEvents();
      using diag = new SockDiag();
      begin(pair);
      one.end(pair, () => {});
      const ended: SocketRow[] = [];
      const ports = [pair.clientAddress.port, pair.address.port];
      const of = (port: number) => ended.find(({ local }) => local.port === port);
      await until("both sockets to be freed", () => {
        ended.push(...events.take().ended);
        return ports.every((port) => of(port) !== undefined);
      });
      const expected = truth(one);
      for (
        const [name, [own, peer]] of Object.entries(
          {
            client: [pair.clientAddress, pair.address],
            server: [pair.address, pair.clientAddress],
          } as const,
        )
      ) {
        const row = diag.find(own, peer);
        const traces: Traces = {
          states: new Set(),
          event: of(own.port),
          remainder: row?.state === "TIME_WAIT" ? "TIME_WAIT" : "none",
          isHalfClosed: row?.state === "FIN_WAIT2",
          isGoneFirst: false,
          listener: undefined,
          isUnsure: false,
        };
        const { openedBy, closedFirst, endedWith } = conclude(traces);
        const { opened, closed, endedWith: how } = expected[name as "client"] as Record<
          string,
          string
        >;
        assert([opened, "unknown"].includes(openedBy), `${name} says opened by ${openedBy}`);
        assert(
          [closed, "unknown"].includes(closedFirst),
          `${name} says ${closedFirst} closed first`,
        );
        assert([how, "unknown"].includes(endedWith), `${name} says ended with ${endedWith}`);
        // Who sends the first FIN is left in TIME_WAIT, and so knows everything by itself.
        if (how === "fin" && closed === "local") {
          assertEquals([openedBy, closedFirst, endedWith], [opened, closed, how]);
        }
      }
    },
    { skip },
  );
}

test(
  "a look between the count of a segment and its bytes does not hide the peer's FIN",
  async () => {
    using pair = new Pair();
    using events = new DestroyEvents();
    using diag = new SockDiag();
    begin(pair);
    pair.finish(pair.client);
    const before = diag.find(pair.clientAddress, pair.address) as SocketRow;
    pair.send(pair.server, 50);
    pair.close(pair.server);
    assertEquals([pair.read(pair.client), pair.read(pair.client)], [50, 0]);
    pair.close(pair.client);
    let event: SocketRow | undefined;
    await until("the socket to be freed", () => {
      event ??= events.take().ended.find(({ cookie }) => cookie === before.cookie);
      return event !== undefined;
    });
    // The kernel counts a segment as it comes in, and its bytes when the socket takes them.
    const { state, info } = before;
    const last = {
      ...before,
      state,
      info: { ...info as TcpInfo, data_segs_in: event?.info?.data_segs_in as number },
    };
    const traces: Traces = {
      states: new Set([state]),
      last,
      event,
      remainder: "TIME_WAIT",
      isHalfClosed: false,
      isGoneFirst: false,
      listener: undefined,
      isUnsure: false,
    };
    const { closedFirst, endedWith, countsFin } = conclude(traces);
    assertEquals([closedFirst, endedWith], ["local", "fin"]);
    assert(countsFin !== false, "it has counted it");
  },
  { skip },
);

test("a connection that began under watch has a duration, from look to look", async () => {
  using lives = new ConnectionLives();
  lives.look();
  using pair = new Pair();
  lives.look();
  lives.look();
  pair.close(pair.client);
  pair.close(pair.server);
  const { client, server } = await bothEnds(lives, pair);
  for (const { durationUs, longerThanUs, rttUs, retransmissions } of [client, server]) {
    assert((durationUs ?? 0) > 0);
    assertEquals([longerThanUs, retransmissions], [undefined, 0]);
    assert((rttUs ?? 0) > 0);
  }
}, { skip });

test(
  "the kernel's clock tells how long one lasted in which data has gone one way only",
  async () => {
    // No look shows the beginnings, and none shows the ends, as on a machine that is very busy.
    const wait = () => new Promise((resolve) => setTimeout(resolve, HELD_MS));
    using before = new Pair();
    before.send(before.client, 11);
    before.read(before.server);
    await wait();
    using lives = new ConnectionLives();
    lives.look();
    const openedAt = performance.now();
    using seen = new Pair();
    await wait();
    lives.look();
    await wait();
    seen.send(seen.server, 7);
    seen.read(seen.client);
    for (const pair of [before, seen]) {
      pair.close(pair.client);
      assertEquals(pair.read(pair.server), 0);
      pair.close(pair.server);
    }
    await wait();
    const ended: EndedConnection[] = [];
    const old = await bothEnds(lives, before, ended);
    const young = await bothEnds(lives, seen, ended);
    // On a busy machine the kernel tells an end late.
    const mostMs = performance.now() - openedAt;
    // Both clocks advance in ticks.
    for (const { durationUs = 0 } of [old.client, old.server]) {
      assert(durationUs >= (3 * HELD_MS - 20) * 1000, `${durationUs}`);
    }
    for (const { durationUs = 0 } of [young.client, young.server]) {
      assert(durationUs >= (2 * HELD_MS - 20) * 1000, `${durationUs}`);
      assert(durationUs <= (mostMs + 20) * 1000, `${durationUs}`);
    }
  },
  { skip },
);

test(
  "many that a server resets between two looks: their clients know it by the listener",
  async () => {
    using first = new Pair();
    const { net, listener, address } = first;
    using lives = new ConnectionLives(address.port);
    lives.look();
    const names = new Set<number>();
    for (let count = 0; count < 5; count++) {
      const client = net.openConnection(address);
      names.add(net.localAddress(client).port);
      const server = net.accept(listener);
      net.send(client, new Uint8Array(11));
      net.recv(server, new Uint8Array(64));
      first.reset(server);
      net.close(client);
    }
    const told: EndedConnection[] = [];
    await until("the clients' ends to be told", () => {
      told.push(...lives.look().ended.filter(({ local }) => names.has(local.port)));
      return told.length === names.size;
    });
    for (const { openedBy, closedFirst, endedWith, bytesSent } of told) {
      assertEquals([openedBy, closedFirst, endedWith, bytesSent], ["local", "remote", "reset", 11]);
    }
  },
  { skip },
);

test("where each end says that the other was the first, nobody knows who was", async () => {
  using lives = new ConnectionLives();
  lives.look();
  using pair = new Pair();
  begin(pair);
  lives.look();
  using events = new DestroyEvents();
  // Somebody resets the connection from outside, and neither program has done anything.
  kill(pair.clientAddress);
  assert(pair.read(pair.server) < 0);
  pair.close(pair.client);
  pair.close(pair.server);
  // The kernel tells everybody of an end at the same time, but of each end when it comes to it.
  const untold = new Set(pair.ports);
  await until("the kernel to tell of both ends", () => {
    for (const { local } of events.take().ended) untold.delete(local.port);
    return untold.size === 0;
  });
  const { client, server } = await bothEnds(lives, pair);
  for (const { openedBy, closedFirst, endedWith } of [client, server]) {
    assertEquals([closedFirst, endedWith], ["unknown", "reset"]);
    assert(openedBy !== "unknown");
  }
}, { skip: whyNoKill() });

test("a FIN that waits behind data has closed nothing: the other end's was the first", async () => {
  using lives = new ConnectionLives();
  lives.look();
  using pair = new Pair();
  const { net, client, server } = pair;
  const bytes = new Uint8Array(65_536);
  let sent = 0;
  for (let count; (count = net.send(server, bytes, net.constants.MSG_DONTWAIT)) > 0;) sent += count;
  pair.finish(server);
  lives.look();
  pair.finish(client);
  const ended = lives.look().ended.filter(({ local }) => pair.ports.includes(local.port));
  assertEquals(ended, []);
  let received = 0;
  for (let count; (count = net.recv(client, bytes)) > 0;) received += count;
  assertEquals(received, sent);
  pair.close(client);
  pair.close(server);
  const both = await bothEnds(lives, pair, ended);
  assertEquals([both.client.closedFirst, both.server.closedFirst], ["local", "remote"]);
  assertEquals([both.client.endedWith, both.server.endedWith], ["fin", "fin"]);
  assertEquals([both.client.bytesReceived, both.server.bytesSent], [sent, sent]);
}, { skip });

test(
  "what is left of a connection in FIN_WAIT2 is not its end, for its peer is still open",
  async () => {
    using pair = new Pair();
    begin(pair);
    using lives = new ConnectionLives(pair.address.port);
    lives.look();
    pair.close(pair.client);
    for (let look = 0; look < 8; look++) {
      assertEquals(lives.look().ended, []);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assertEquals(pair.read(pair.server), 0);
    pair.close(pair.server);
    const { client, server } = await bothEnds(lives, pair);
    assertEquals([client.closedFirst, client.endedWith], ["local", "fin"]);
    assertEquals([server.closedFirst, server.endedWith], ["remote", "fin"]);
    for (const { durationUs, longerThanUs } of [client, server]) {
      assertEquals(durationUs, undefined);
      assert((longerThanUs ?? 0) > 0, "it was there before the first look");
    }
  },
  { skip },
);

test("a program that keeps what has ended does not hide it", async () => {
  using pair = new Pair();
  using lives = new ConnectionLives(pair.address.port);
  lives.look();
  pair.finish(pair.client);
  lives.look();
  pair.finish(pair.server);
  // Neither program closes its descriptor: the kernel tells no last figures.
  const { client, server } = await bothEnds(lives, pair);
  assertEquals([client.closedFirst, client.endedWith, client.isEarlier], ["local", "fin", true]);
  assertEquals([server.closedFirst, server.isEarlier], ["remote", true]);
  // When the sockets are freed, they are not told again.
  pair.close(pair.client);
  pair.close(pair.server);
  for (let look = 0; look < 4; look++) {
    assertEquals(lives.look().ended, []);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}, { skip });

test("listeners and attempts that fail are no connections", async () => {
  using lives = new ConnectionLives();
  lives.look();
  const net = sockets();
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 }, {});
  const { port } = net.localAddress(listener);
  net.close(listener);
  try {
    net.openConnection({ hostname: "127.0.0.1", port });
  } catch {
    // Nobody listens there any more.
  }
  const ended: EndedConnection[] = [];
  for (let look = 0; look < 5; look++) {
    ended.push(...lives.look().ended);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(ended.filter(({ local, remote }) => [local.port, remote.port].includes(port)), []);
}, { skip });

test("many connections at once: each end once, and nothing is kept of them", async () => {
  using first = new Pair();
  using lives = new ConnectionLives(first.address.port);
  lives.look();
  const told: EndedConnection[] = [];
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < 100; count++) {
      const client = first.net.openConnection(first.address);
      const server = first.net.accept(first.listener);
      first.net.close(client);
      first.net.close(server);
    }
    await until("all ends to be told", () => {
      told.push(...lives.look().ended);
      return told.length >= (round + 1) * 200;
    });
  }
  assertEquals(told.length, 600);
  assertEquals(new Set(told.map(({ cookie }) => cookie)).size, 600);
  for (const { local, openedBy, closedFirst, endedWith } of told) {
    const side = local.port === first.address.port ? "remote" : "local";
    assertEquals([openedBy, closedFirst, endedWith], [side, side, "fin"]);
  }
}, { skip });
