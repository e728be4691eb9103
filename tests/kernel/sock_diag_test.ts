/**
 * What the kernel says about real sockets: by netlink, by TCP_INFO and in the tables of proc(5).
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { formatAddress } from "../../protocols/address.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { readCounters, readSocketTable } from "../../engine/kernel/proc_net.ts";
import { saveSyns, takeSavedSyn } from "../../engine/kernel/saved_syn.ts";
import {
  cookieOf,
  DestroyEvents,
  SockDiag,
  type SocketRow,
  waitsForAccept,
} from "../../engine/kernel/sock_diag.ts";
import { readTcpInfo } from "../../engine/kernel/tcp_info.ts";
import { SocketError } from "../../engine/net/socket_error.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Address } from "../../protocol.ts";
import { bytesOf } from "../kit/conversation.ts";
import { assert, assertEquals, assertThrows, test, until } from "../kit/harness.ts";

const skip = whyNoKernel();
const hasIPv6 = readable("/proc/net/if_inet6");

function readable(path: string): boolean {
  try {
    return readFileSync(path, "utf8") !== "";
  } catch {
    return false;
  }
}

/** A listener, and descriptors that are closed at the end. */
class Stage implements Disposable {
  readonly net = sockets();
  readonly diag = new SockDiag(this.net);
  readonly listener: number;
  readonly address: Address;
  readonly #open: number[] = [];

  constructor(hostname = "127.0.0.1", backlog = 16) {
    this.listener = this.net.openListener({ hostname, port: 0 }, { backlog });
    this.address = this.net.localAddress(this.listener);
    this.#open.push(this.listener);
  }

  connect(): number {
    const fd = this.net.openConnection(this.address);
    this.#open.push(fd);
    return fd;
  }

  accept(): number {
    const fd = this.net.accept(this.listener);
    assert(fd >= 0, "accepted");
    this.#open.push(fd);
    return fd;
  }

  close(fd: number): void {
    this.#open.splice(this.#open.indexOf(fd), 1);
    this.net.close(fd);
  }

  rows(): SocketRow[] {
    return this.diag.sockets({ port: this.address.port });
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.net.close(fd);
    this.diag[Symbol.dispose]();
  }
}

for (const hostname of ["127.0.0.1", "::1"]) {
  const options = { skip: skip ?? (hostname === "::1" && !hasIPv6 ? "no IPv6 here" : undefined) };

  test(`netlink tells of both ends of a connection to ${hostname}, by cookie`, async () => {
    using stage = new Stage(hostname);
    const { net, diag, address } = stage;
    const client = stage.connect();
    const from = net.localAddress(client);
    const waiting = stage.rows().find(({ state }) => state === "ESTABLISHED");
    assert(waiting !== undefined && waitsForAccept(waiting), "it waits for accept");
    assertEquals([waiting.local, waiting.remote], [address, from]);

    const server = stage.accept();
    const accepted = diag.find(address, from);
    assertEquals(accepted?.cookie, waiting.cookie, "the same socket as before accept");
    assertEquals(accepted?.cookie, cookieOf(net, server));
    assert(!waitsForAccept(accepted as SocketRow), "a program has it now");
    assertEquals(diag.find(from, address)?.cookie, cookieOf(net, client));
    assertEquals(diag.find({ ...from, port: 1 }, address), undefined);
    // The kernel itself would name the listener, which is no connection.
    assertEquals(diag.find(address, { ...from, port: 1 }), undefined);

    net.send(client, bytesOf("hello"));
    const unread = diag.find(address, from);
    assertEquals(unread?.receiveQueue, 5);
    assertEquals(unread?.info?.state, "ESTABLISHED");
    assertEquals(unread?.info?.bytes_received, 5);

    net.shutdown(client, net.constants.SHUT_WR);
    assertEquals(diag.find(address, from)?.state, "CLOSE_WAIT");
    // The other end acknowledges a FIN up to 40 ms later.
    await until(
      "the FIN to be acknowledged",
      () => diag.find(from, address)?.state === "FIN_WAIT2",
    );
    assertEquals(diag.find(from, address)?.shutdown, { receive: false, send: true });
  }, options);

  test(`a SYN from ${hostname} is kept for the server, once`, () => {
    using stage = new Stage(hostname);
    saveSyns(stage.net, stage.listener);
    const client = stage.connect();
    const server = stage.accept();
    const syn = takeSavedSyn(stage.net, server);
    assertEquals(syn?.flags, "S");
    assertEquals(syn?.from, stage.net.localAddress(client));
    assertEquals(syn?.to, stage.address);
    assertEquals(syn?.length, 0);
    assert(syn !== undefined && syn.ttl > 0 && (syn.options.mss ?? 0) > 500, "ttl and mss");
    assertEquals(
      syn.options.windowScale,
      readTcpInfo(stage.net, server).options.windowScale?.peer,
    );
    assertEquals(takeSavedSyn(stage.net, server), undefined);
  }, options);
}

test(
  "an accept queue holds one connection more than its limit, and overflows are counted",
  async () => {
    using stage = new Stage("127.0.0.1", 2);
    const { net } = stage;
    const before = readCounters().get("ListenOverflows") ?? NaN;
    for (let waiting = 0; waiting < 3; waiting++) stage.connect();
    const [listener] = stage.diag.sockets({ port: stage.address.port, states: ["LISTEN"] });
    assertEquals([listener?.receiveQueue, listener?.sendQueue], [3, 2], "3 of 2");
    const { unacked, sacked, rtt } = readTcpInfo(net, stage.listener);
    assertEquals([unacked, sacked, rtt], [3, 2, undefined]);
    assertThrows(() => net.openConnection(stage.address, 50), SocketError, "timed out");
    await until(
      "the overflow to be counted",
      () => (readCounters().get("ListenOverflows") ?? 0) > before,
    );
  },
  { skip },
);

test("netlink lists the states that are asked for, and a remote port if asked", () => {
  using stage = new Stage();
  stage.connect();
  stage.accept();
  const { port } = stage.address;
  const states = (query: Parameters<SockDiag["sockets"]>[0]) =>
    stage.diag.sockets(query).map(({ state }) => state)
      // Clients of an earlier listener on this port may be left.
      .filter((state) => state !== "TIME_WAIT").sort();
  assertEquals(states({ port }), ["ESTABLISHED", "LISTEN"]);
  assertEquals(states({ port, either: true }), ["ESTABLISHED", "ESTABLISHED", "LISTEN"]);
  assertEquals(states({ port, states: ["LISTEN"] }), ["LISTEN"]);
  assertEquals(states({ port, states: ["CLOSE_WAIT", "CLOSING"] }), []);
  // The kernel's own filter lets these through, whatever their ports are.
  const bound = stage.net.socket(stage.net.constants.AF_INET, stage.net.constants.SOCK_STREAM);
  stage.net.bind(bound, { hostname: "127.0.0.1", port: 0 });
  assertEquals(states({ port }), ["ESTABLISHED", "LISTEN"]);
  stage.net.close(bound);
}, { skip });

test("a connection that ends is told with its last figures, under the same cookie", async () => {
  using events = new DestroyEvents();
  using stage = new Stage();
  const { net } = stage;
  const [client, server] = [stage.connect(), stage.accept()];
  const cookies = [client, server].map((fd) => cookieOf(net, fd));
  net.send(client, bytesOf("12345678901"));
  net.recv(server, new Uint8Array(64));
  stage.close(client);
  stage.close(server);
  const ended = new Map<string, SocketRow>();
  await until("both ends to be told", () => {
    const { ended: more, missed } = events.take();
    assertEquals(missed, false);
    for (const row of more) ended.set(row.cookie, row);
    return cookies.every((cookie) => ended.has(cookie));
  });
  const [of, at] = cookies.map((cookie) => ended.get(cookie));
  assertEquals([of?.state, at?.state], ["CLOSE", "CLOSE"]);
  assertEquals(of?.info?.bytes_sent, 11);
  // The FIN counts as one byte.
  assertEquals(at?.info?.bytes_received, 12);
  assertEquals(events.take().ended.filter(({ cookie }) => cookies.includes(cookie)), []);
}, { skip });

test("who attends to a port hears only of its connections", async () => {
  using events = new DestroyEvents();
  using stage = new Stage();
  using other = new Stage();
  events.attendTo(stage.address.port);
  const isOther = ({ local, remote }: SocketRow) =>
    [local.port, remote.port].includes(other.address.port);
  for (const one of [other, stage]) {
    one.close(one.connect());
    one.close(one.accept());
  }
  const ended: SocketRow[] = [];
  await until("both ends to be told", () => {
    ended.push(...events.take().ended);
    return ended.filter((row) => [row.local.port, row.remote.port].includes(stage.address.port))
      .length === 2;
  });
  assertEquals(ended.filter(isOther), []);
}, { skip });

test("the tables of proc(5) tell the same as netlink", () => {
  using stage = new Stage();
  stage.connect();
  const told = ({ state, local, remote, receiveQueue, inode }: SocketRow) =>
    [formatAddress(local), formatAddress(remote), state, receiveQueue, inode].join(" ");
  // The same port of another address may have been somebody else's.
  const isOurs = ({ local }: SocketRow) => local.hostname === stage.address.hostname;
  const table = readSocketTable(stage.address.port).filter(isOurs);
  assertEquals(table.map(told).sort(), stage.rows().filter(isOurs).map(told).sort());
  assertEquals(table.length, 2);
  assert(table.some(({ state, sendQueue }) => state === "LISTEN" && Number.isNaN(sendQueue)));
}, { skip });
