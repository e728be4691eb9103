/**
 * Berkeley sockets on the loopback, and addresses.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { formatAddress } from "../../protocols/address.ts";
import {
  canonicalHost,
  decodeSockaddr,
  encodeSockaddr,
  SOCKADDR_SIZE,
  type SockaddrLayout,
  stripBrackets,
} from "../../engine/net/address.ts";
import { DARWIN, LINUX } from "../../engine/net/constants.ts";
import { HostNotFoundError, resolveHost } from "../../engine/net/resolve.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { type Library, library, whyNoSockets } from "../../engine/net/libc.ts";
import { EpollEvents, PollSet } from "../../engine/net/poll_sets.ts";
import { errorName, SocketError } from "../../engine/net/socket_error.ts";
import { Sockets, sockets } from "../../engine/net/sockets.ts";
import { LoggedSockets } from "../../engine/net/logged_sockets.ts";
import type { Address } from "../../protocol.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { bytesOf } from "../kit/conversation.ts";
import { whyNoIPv6 } from "../kit/network.ts";

const noSockets = whyNoSockets();
const here = { skip: noSockets };
const linuxOnly = {
  skip: noSockets ?? (runtime.os === "linux" ? undefined : `${runtime.os} has no epoll`),
};
const ipv6 = { skip: whyNoIPv6() };

const ANY_V4: Address = { hostname: "127.0.0.1", port: 0 };

/** A connection over the loopback with both ends in this thread. */
class Pair implements Disposable {
  readonly net: Sockets = sockets();
  readonly listener: number;
  readonly client: number;
  readonly server: number;
  readonly peer: Address;
  readonly #open: Set<number>;

  constructor(address: Address = ANY_V4) {
    const { net } = this;
    const { AF_INET, AF_INET6, SOCK_STREAM } = net.constants;
    this.listener = net.openListener(address);
    this.client = net.socket(address.hostname.includes(":") ? AF_INET6 : AF_INET, SOCK_STREAM);
    net.connect(this.client, net.localAddress(this.listener));
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    this.server = net.accept(this.listener, sockaddr);
    assert(this.server >= 0, errorName(-this.server));
    this.peer = net.readAddress(sockaddr);
    this.#open = new Set([this.listener, this.client, this.server]);
  }

  /** Closes one end now, in order or with a reset. */
  close(fd: number, how: "fin" | "reset" = "fin"): void {
    const { SOL_SOCKET, SO_LINGER } = this.net.constants;
    // struct linger: on, with a time of 0. Then close(2) sends RST.
    const linger = new Uint8Array(Int32Array.of(1, 0).buffer);
    if (how === "reset") this.net.setOptionBytes(fd, SOL_SOCKET, SO_LINGER, linger);
    this.net.close(fd);
    this.#open.delete(fd);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) this.net.close(fd);
  }
}

function carriesBytes(address: Address): void {
  using pair = new Pair(address);
  const { net, client, server } = pair;
  const { SHUT_WR } = net.constants;
  const buffer = new Uint8Array(16);
  assertEquals(pair.peer, net.localAddress(client));
  assertEquals(net.peerAddress(server), net.localAddress(client));
  assertEquals(net.peerAddress(client), net.localAddress(pair.listener));
  assertEquals(net.localAddress(server).hostname, address.hostname);

  assertEquals(net.send(client, bytesOf("ping")), 4);
  assertEquals(net.recv(server, buffer), 4);
  assertEquals(buffer.subarray(0, 4), bytesOf("ping"));
  assertEquals(net.shutdown(client, SHUT_WR), 0);
  assertEquals(net.recv(server, buffer), 0, "the peer's FIN");
  assertEquals(net.send(server, bytesOf("pong")), 4, "the other direction is still open");
  assertEquals(net.recv(client, buffer), 4);
  assertEquals(buffer.subarray(0, 4), bytesOf("pong"));
}

test("sockets carry bytes both ways and half-close over IPv4", () => carriesBytes(ANY_V4), here);

test(
  "sockets carry bytes both ways and half-close over IPv6",
  () => carriesBytes({ hostname: "::1", port: 0 }),
  ipv6,
);

test("a port in use is a SocketError with its code, its call and the address", () => {
  const net = sockets();
  const before = net.nextDescriptor();
  const listener = net.openListener(ANY_V4);
  const address = net.localAddress(listener);
  const error = assertThrows(() => net.openListener(address), SocketError);
  assertEquals([error.code, error.syscall], ["EADDRINUSE", "bind"]);
  assertEquals(error.errno, net.constants.errno.EADDRINUSE);
  assertEquals(
    error.message,
    `Cannot bind 127.0.0.1:${address.port}: address already in use (EADDRINUSE)`,
  );
  net.close(listener);
  assertEquals(net.nextDescriptor(), before, "the socket of the failed attempt was closed");
}, here);

test("a refused connection is a SocketError with its code", () => {
  const net = sockets();
  const listener = net.openListener(ANY_V4);
  const address = net.localAddress(listener);
  net.close(listener);
  const { AF_INET, SOCK_STREAM } = net.constants;
  const client = net.socket(AF_INET, SOCK_STREAM);
  const error = assertThrows(() => net.connect(client, address), SocketError);
  assertEquals([error.code, error.syscall], ["ECONNREFUSED", "connect"]);
  net.close(client);
}, here);

test("a call on a closed descriptor returns the negated error number", () => {
  using pair = new Pair();
  const { net, server } = pair;
  const { EBADF } = net.constants.errno;
  pair.close(server);
  const buffer = new Uint8Array(1);
  assertEquals([net.recv(server, buffer), net.send(server, buffer)], [-EBADF, -EBADF]);
  assertEquals(net.shutdown(server, net.constants.SHUT_RDWR), -EBADF);
  assertEquals(errorName(EBADF), "EBADF");
  assertEquals(errorName(4095), "errno 4095");
}, here);

test("a call that does not throw returns the negated error number, and never a bare -1", () => {
  const net = sockets();
  const { SHUT_RDWR, POLLIN, AF_INET, errno } = net.constants;
  // No process has a descriptor of this number.
  const none = 2 ** 31 - 1;
  const buffer = new Uint8Array(1);
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  sockaddr.set(encodeSockaddr({ hostname: "127.0.0.1", port: 9 }, net.constants));
  const results = {
    accept: net.accept(none),
    acceptNonBlocking: net.acceptNonBlocking(none, sockaddr),
    connectNonBlocking: net.connectNonBlocking(none, sockaddr.subarray(0, 16)),
    recv: net.recv(none, buffer),
    send: net.send(none, buffer),
    recvfrom: net.recvfrom(none, buffer, sockaddr),
    sendto: net.sendto(none, buffer, sockaddr),
    shutdown: net.shutdown(none, SHUT_RDWR),
  };
  for (const [call, result] of Object.entries(results)) assertEquals(result, -errno.EBADF, call);
  assert(net.poll(none, POLLIN, 0) > 0, "poll reports an event that nobody asked for: POLLNVAL");
  assertThrows(() => net.socket(AF_INET, 999), SocketError, "Cannot socket: ");
}, here);

test("pollAll looks at the first places only, and more places than descriptors are EINVAL", () => {
  using pair = new Pair();
  const { net, client, server } = pair;
  const { POLLOUT, errno } = net.constants;
  const set = new PollSet(3);
  set.watch(1, client, POLLOUT);
  set.watch(2, server, POLLOUT);
  assertEquals([set.descriptorAt(0), set.descriptorAt(2), set.wantedAt(2)], [-1, server, POLLOUT]);
  assertEquals(net.pollAll(set, 0, 2), 1);
  assertEquals([0, 1, 2].map((place) => set.eventsAt(place)), [0, POLLOUT, 0]);
  assertEquals(net.pollAll(set, 0), 2);
  assertEquals([0, 1, 2].map((place) => set.eventsAt(place)), [0, POLLOUT, POLLOUT]);
  const limit = net.descriptorLimit();
  if (limit < 2 ** 31) assertEquals(net.pollAll(set, 0, limit + 1), -errno.EINVAL);
}, here);

test("a non-blocking listener and its connections never wait", () => {
  const net = sockets();
  const { POLLIN, POLLOUT, MSG_DONTWAIT, errno } = net.constants;
  const listener = net.openListener(ANY_V4, { nonBlocking: true });
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  assertEquals(net.acceptNonBlocking(listener, sockaddr), -errno.EAGAIN);
  const client = net.openConnection(net.localAddress(listener));
  assertEquals(net.poll(listener, POLLIN, -1), POLLIN);
  const server = net.acceptNonBlocking(listener, sockaddr);
  assert(server >= 0, errorName(-server));
  assertEquals(net.readAddress(sockaddr), net.localAddress(client));
  // Linux makes the connection non-blocking too; elsewhere each call says so.
  const flags = net.constants.SOCK_NONBLOCK === 0 ? MSG_DONTWAIT : 0;
  assertEquals(net.recv(server, new Uint8Array(1), flags), -errno.EAGAIN);
  assertEquals(net.poll(server, POLLIN | POLLOUT, -1), POLLOUT);
  for (const fd of [server, client, listener]) net.close(fd);
}, here);

test("a non-blocking connect tells in SO_ERROR how it ended", () => {
  const net = sockets();
  const { AF_INET, SOCK_STREAM, SOCK_NONBLOCK, POLLOUT, SOL_SOCKET, SO_ERROR } = net.constants;
  const { EINPROGRESS, ECONNREFUSED } = net.constants.errno;
  const listener = net.openListener(ANY_V4);
  const sockaddr = encodeSockaddr(net.localAddress(listener), net.constants);
  const attempt = (): number => {
    const fd = net.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    try {
      const result = net.connectNonBlocking(fd, sockaddr);
      if (result !== -EINPROGRESS) return -result;
      assert((net.poll(fd, POLLOUT, 5_000) & POLLOUT) !== 0, "the attempt ends in time");
      return net.getOption(fd, SOL_SOCKET, SO_ERROR);
    } finally {
      net.close(fd);
    }
  };
  assertEquals(attempt(), 0);
  net.close(listener);
  assertEquals(attempt(), ECONNREFUSED);
}, here);

test("waitFine returns 1 when there is something to receive, and 0 if not in time", () => {
  using pair = new Pair();
  const { net, client, server } = pair;
  assertEquals(net.waitFine(server, 0.2), 0);
  net.send(client, Uint8Array.of(1));
  assertEquals(net.waitFine(server, 2_000.5), 1);
}, linuxOnly);

test("a reset is ECONNRESET for those who receive, and no signal for those who send", () => {
  using pair = new Pair();
  const { net, client, server } = pair;
  const { ECONNRESET, EPIPE } = net.constants.errno;
  pair.close(client, "reset");
  assertEquals(net.recv(server, new Uint8Array(1)), -ECONNRESET);
  assertEquals(net.send(server, Uint8Array.of(1)), -EPIPE, "SIGPIPE would have ended the process");
}, here);

function carriesDatagrams(hostname: string): void {
  const net = sockets();
  const { AF_INET, AF_INET6, SOCK_DGRAM, MSG_DONTWAIT, errno } = net.constants;
  const [one, other] = [1, 2].map(() => {
    const fd = net.socket(hostname.includes(":") ? AF_INET6 : AF_INET, SOCK_DGRAM);
    net.bind(fd, { hostname, port: 0 });
    return fd;
  }) as [number, number];
  const buffer = new Uint8Array(16);
  const from = new Uint8Array(SOCKADDR_SIZE);
  const to = encodeSockaddr(net.localAddress(other), net.constants);
  assertEquals(net.recvfrom(other, buffer, from, MSG_DONTWAIT), -errno.EAGAIN);
  for (const text of ["ping", ""]) {
    assertEquals(net.sendto(one, bytesOf(text), to), text.length);
    assertEquals(net.recvfrom(other, buffer, from), text.length);
    assertEquals(net.readAddress(from), net.localAddress(one));
  }
  assertEquals(
    net.sendto(other, bytesOf("pong"), from),
    4,
    "the sender's address is an address to send to",
  );
  assertEquals(net.recvfrom(one, buffer, from), 4);
  assertEquals(buffer.subarray(0, 4), bytesOf("pong"));
  assertEquals(net.sendto(one, new Uint8Array(65_536), to), -errno.EMSGSIZE);
  net.close(one);
  net.close(other);
}

test(
  "sockets carry datagrams over IPv4, empty ones too",
  () => carriesDatagrams("127.0.0.1"),
  here,
);

test("sockets carry datagrams over IPv6", () => carriesDatagrams("::1"), ipv6);

test("logged sockets report every call, with its arguments and its result", () => {
  const calls: string[] = [];
  const net = new LoggedSockets((call) => calls.push(call));
  const { AF_INET, SOCK_STREAM, SOL_SOCKET, SO_ERROR, POLLIN, POLLOUT } = net.constants;
  const { EADDRINUSE, EBADF } = net.constants.errno;
  const [one, other] = net.socketpair();
  net.setReceiveTimeout(one, 1500);
  net.send(one, bytesOf("x".repeat(100)));
  net.getOption(one, SOL_SOCKET, SO_ERROR);
  assertEquals(net.poll(other, POLLIN | POLLOUT, -1), POLLIN | POLLOUT);
  const set = new PollSet(3);
  set.watch(0, one, POLLIN);
  set.watch(1, other, POLLIN);
  assertEquals(net.pollAll(set, 0.5), 1);
  assertEquals(net.pollAll(set, 0, 1), 0);
  net.close(one);
  net.close(other);
  assertEquals(net.recv(other, new Uint8Array(8)), -EBADF);
  const listener = sockets().openListener(ANY_V4);
  const address = net.localAddress(listener);
  const fd = net.socket(AF_INET, SOCK_STREAM);
  const error = assertThrows(() => net.bind(fd, address), SocketError);
  assertEquals(error.errno, EADDRINUSE);
  net.close(fd);
  net.close(listener);
  assertEquals(net.nextDescriptor(), one, "the search for the next descriptor is not shown");
  const bound = `127.0.0.1:${address.port}`;
  const type = net.constants.SOCK_CLOEXEC === 0 ? "SOCK_STREAM" : "SOCK_STREAM|SOCK_CLOEXEC";
  assertEquals(calls, [
    `socketpair(AF_UNIX, ${type}) = 0 [${one}, ${other}]`,
    `setsockopt(${one}, SOL_SOCKET, SO_RCVTIMEO, {1, 500000}) = 0`,
    `send(${one}, "${"x".repeat(37)}...", 100, MSG_NOSIGNAL) = 100`,
    `getsockopt(${one}, SOL_SOCKET, SO_ERROR) = 0 0`,
    `poll([${other} POLLIN|POLLOUT], -1) = 1 [${other} POLLIN|POLLOUT]`,
    `poll([${one} POLLIN, ${other} POLLIN], 1) = 1 [${other} POLLIN]`,
    `poll([${one} POLLIN], 0) = 0`,
    `close(${one}) = 0`,
    `close(${other}) = 0`,
    `recv(${other}, 8) = -1 EBADF`,
    `getsockname(${listener}) = 0 ${bound}`,
    `socket(AF_INET, ${type}) = ${fd}`,
    `bind(${fd}, ${bound}) = -1 EADDRINUSE`,
    `close(${fd}) = 0`,
    `close(${listener}) = 0`,
  ]);
}, here);

test("poll returns what is ready, or 0 if nothing is ready in time", () => {
  using pair = new Pair();
  const { net, client, server, listener } = pair;
  const { POLLIN, POLLOUT, POLLHUP } = net.constants;
  assertEquals(net.poll(server, POLLIN, 0), 0);
  assertEquals(net.poll(listener, POLLIN, 1), 0);
  assertEquals(net.poll(server, POLLIN | POLLOUT, -1), POLLOUT);
  net.send(client, Uint8Array.of(1));
  assertEquals(net.poll(server, POLLIN, -1), POLLIN);
  assertEquals(net.recv(server, new Uint8Array(8)), 1);
  pair.close(client, "reset");
  assert((net.poll(server, POLLIN, -1) & POLLHUP) !== 0);
}, here);

test("epoll reports the token of a ready descriptor, until that is removed", () => {
  using pair = new Pair();
  const { net, client, server, listener } = pair;
  const { EPOLLIN, EPOLLOUT, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL } = net.constants;
  const epoll = net.epollCreate();
  const events = new EpollEvents(4);
  net.epollControl(epoll, EPOLL_CTL_ADD, server, EPOLLIN, 7_000_001);
  net.epollControl(epoll, EPOLL_CTL_ADD, listener, EPOLLIN, 2);
  assertEquals(net.epollWait(epoll, events, 0), 0);
  net.send(client, Uint8Array.of(1));
  assertEquals(net.epollWait(epoll, events, -1), 1);
  assertEquals([events.tokenAt(0), events.eventsAt(0)], [7_000_001, EPOLLIN]);
  net.epollControl(epoll, EPOLL_CTL_MOD, server, EPOLLOUT, 3);
  assertEquals(net.epollWait(epoll, events, -1), 1);
  assertEquals([events.tokenAt(0), events.eventsAt(0)], [3, EPOLLOUT]);
  net.epollControl(epoll, EPOLL_CTL_MOD, server, EPOLLIN, 4);
  const other = net.socket(net.constants.AF_INET, net.constants.SOCK_STREAM);
  net.connect(other, net.localAddress(listener));
  assertEquals(net.epollWait(epoll, events, -1), 2, "both at once");
  assertEquals([events.tokenAt(0), events.tokenAt(1)].sort(), [2, 4]);
  net.epollControl(epoll, EPOLL_CTL_DEL, server, 0, 0);
  net.epollControl(epoll, EPOLL_CTL_DEL, listener, 0, 0);
  assertEquals(net.epollWait(epoll, events, 0), 0);
  const error = assertThrows(
    () => net.epollControl(epoll, EPOLL_CTL_DEL, server, 0, 0),
    SocketError,
  );
  assertEquals([error.code, error.syscall], ["ENOENT", "epoll_ctl"]);
  for (const fd of [epoll, other]) net.close(fd);
}, linuxOnly);

test("accepted connections have no Nagle delay, and their options can be read and set", () => {
  using pair = new Pair();
  const { net, server } = pair;
  const { IPPROTO_TCP, TCP_NODELAY, SOL_SOCKET, SO_ERROR } = net.constants;
  assert(net.getOption(server, IPPROTO_TCP, TCP_NODELAY) !== 0);
  net.setOption(server, IPPROTO_TCP, TCP_NODELAY, 0);
  assertEquals(net.getOption(server, IPPROTO_TCP, TCP_NODELAY), 0);
  assertEquals(net.getOption(server, SOL_SOCKET, SO_ERROR), 0);
  const error = assertThrows(() => net.getOption(server, 9999, 9999), SocketError);
  assertEquals(error.syscall, "getsockopt");
}, here);

test("a receive timeout ends a recv and an accept with EAGAIN", () => {
  using pair = new Pair();
  const { net, server, listener } = pair;
  const { EAGAIN } = net.constants.errno;
  for (const ms of [1, 0.01, 20]) {
    net.setReceiveTimeout(server, ms);
    assertEquals(net.recv(server, new Uint8Array(1)), -EAGAIN);
  }
  net.setReceiveTimeout(listener, 1);
  assertEquals(net.accept(listener), -EAGAIN);
}, here);

test("with MSG_DONTWAIT a call does not wait: a full peer takes nothing more", () => {
  using pair = new Pair();
  const { net, client, server } = pair;
  const { MSG_DONTWAIT, errno, POLLOUT } = net.constants;
  assertEquals(net.recv(server, new Uint8Array(1), MSG_DONTWAIT), -errno.EAGAIN);
  const chunk = new Uint8Array(1 << 20);
  let count = 0;
  let sent = 0;
  while ((count = net.send(client, chunk, MSG_DONTWAIT)) > 0) sent += count;
  assertEquals(count, -errno.EAGAIN);
  assertEquals(net.poll(client, POLLOUT, 0), 0);
  let received = 0;
  while (received < sent) received += net.recv(server, chunk);
  assertEquals(received, sent);
}, here);

test("the next descriptor is the lowest free one, below the limit", () => {
  const net = sockets();
  const next = net.nextDescriptor();
  assert(next > 2 && next < net.descriptorLimit());
  const fd = net.socket(net.constants.AF_INET, net.constants.SOCK_STREAM);
  assertEquals(fd, next);
  net.close(fd);
}, here);

test("several sockets listen on one port with reusePort", () => {
  const net = sockets();
  const one = net.openListener(ANY_V4, { reusePort: true });
  const two = net.openListener(net.localAddress(one), { reusePort: true });
  assertEquals(net.localAddress(two), net.localAddress(one));
  for (const fd of [one, two]) net.close(fd);
}, here);

// Addresses.

/** The 16 bytes of an IPv6 address, by the rules of RFC 4291, section 2.2. */
function expandIPv6(text: string): number[] {
  const groups = (part: string) =>
    part.split(":").filter((group) => group !== "").flatMap((group) =>
      group.includes(".")
        ? group.split(".").map(Number)
        : [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]
    );
  const [head = "", tail = ""] = text.split("::");
  const [left, right] = [groups(head), groups(tail)];
  return [...left, ...Array(16 - left.length - right.length).fill(0), ...right];
}

const anyPort = fc.integer({ min: 0, max: 65535 });

for (const [name, layout] of [["Linux", LINUX], ["macOS", DARWIN]] as [string, SockaddrLayout][]) {
  test(`an IPv4 address survives as a sockaddr_in of ${name}`, () => {
    fc.assert(fc.property(fc.ipV4(), anyPort, (hostname, port) => {
      const bytes = new Uint8Array(SOCKADDR_SIZE);
      bytes.set(encodeSockaddr({ hostname, port }, layout));
      assertEquals(decodeSockaddr(bytes, layout), { hostname, port });
      assertEquals(canonicalHost(hostname), hostname);
    }));
  });

  test(`an IPv6 address survives as a sockaddr_in6 of ${name}`, () => {
    fc.assert(fc.property(fc.ipV6(), anyPort, (hostname, port) => {
      const bytes = encodeSockaddr({ hostname, port }, layout);
      assertEquals([...bytes.subarray(8, 24)], expandIPv6(hostname));
      const decoded = decodeSockaddr(bytes, layout);
      assertEquals(expandIPv6(decoded.hostname), expandIPv6(hostname));
      assertEquals(decoded.port, port);
    }));
    assertEquals(canonicalHost("0:0:0:0:0:0:0:1%eth0"), "::1%eth0");
    const zoned = { hostname: "fe80::1%2", port: 80 };
    assertEquals(decodeSockaddr(encodeSockaddr(zoned, layout), layout), zoned);
  });
}

test("a sockaddr_in has the bytes of ip(7)", () => {
  const address = { hostname: "192.0.2.7", port: 8080 };
  const rest = [0x1f, 0x90, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0];
  assertEquals([...encodeSockaddr(address, LINUX)], [2, 0, ...rest]);
  assertEquals([...encodeSockaddr(address, DARWIN)], [16, 2, ...rest]);
});

test("an IPv4 client of an IPv6 socket is written as IPv4", () => {
  const mapped = encodeSockaddr({ hostname: "::ffff:192.0.2.7", port: 1 }, LINUX);
  const address = decodeSockaddr(mapped, LINUX);
  assertEquals(address.hostname, "::ffff:192.0.2.7");
  assertEquals(formatAddress(address), "192.0.2.7:1");
  assertEquals(formatAddress({ hostname: "::1", port: 80 }), "[::1]:80");
  assertEquals(formatAddress({ hostname: "127.0.0.1", port: 80 }), "127.0.0.1:80");
  assertEquals(stripBrackets("[::1]"), "::1");
  assertEquals(stripBrackets("localhost"), "localhost");
});

test("text that is no address is a TypeError that shows the text", () => {
  for (const hostname of ["256.0.0.1", "1.2.3", "a.b.c.d", "1.2.3.4.5"]) {
    assertThrows(() => encodeSockaddr({ hostname, port: 1 }, LINUX), TypeError, hostname);
  }
  for (const hostname of ["::g", "1:2", ":::"]) {
    assertThrows(() => encodeSockaddr({ hostname, port: 1 }, LINUX), TypeError, hostname);
  }
});

test("a host is resolved to an address, or the error names it", async () => {
  assertEquals(await resolveHost("192.0.2.1"), "192.0.2.1");
  assertEquals(await resolveHost("::1"), "::1");
  assert(["127.0.0.1", "::1"].includes(await resolveHost("localhost")));
  const error = await assertRejects(() => resolveHost("no such host"), HostNotFoundError);
  assertEquals(error.code, "ENOTFOUND");
}, { sanitize: false });

/** The flag of open(2) that closes a descriptor when another program is started. */
const O_CLOEXEC = 0o2000000;

/** The constants with which the calls make a descriptor close-on-exec in a second step. */
const twoSteps = (): Library => {
  const { system, libc } = library();
  return { libc, system: { ...system, constants: { ...system.constants, SOCK_CLOEXEC: 0 } } };
};

for (const [how, made] of [["at once", library], ["in a second step", twoSteps]] as const) {
  test(`every descriptor is close-on-exec, ${how}`, () => {
    const calls = new Sockets(made());
    const { AF_INET, SOCK_STREAM, SOCK_DGRAM } = calls.constants;
    const listener = calls.openListener(ANY_V4);
    const client = calls.openConnection(calls.localAddress(listener));
    const opened = {
      listener,
      client,
      accepted: calls.accept(listener),
      stream: calls.socket(AF_INET, SOCK_STREAM),
      datagrams: calls.socket(AF_INET, SOCK_DGRAM),
      pair: calls.socketpair(),
      epoll: calls.epollCreate(),
      copy: calls.duplicate(listener),
      folder: calls.openFolder("."),
      hollow: calls.duplicate(client),
    };
    calls.hollow(opened.hollow);
    for (const [name, fds] of Object.entries(opened)) {
      for (const fd of [fds].flat()) {
        const info = readFileSync(`/proc/self/fdinfo/${fd}`, "latin1");
        const flags = parseInt(/^flags:\s+([0-7]+)$/m.exec(info)?.[1] ?? "0", 8);
        assertEquals([name, flags & O_CLOEXEC], [name, O_CLOEXEC]);
        calls.close(fd);
      }
    }
  }, linuxOnly);
}

test("a connection that is accepted without waiting is close-on-exec too", () => {
  const calls = sockets();
  const listener = calls.openListener(ANY_V4, { nonBlocking: true });
  const client = calls.openConnection(calls.localAddress(listener));
  calls.poll(listener, calls.constants.POLLIN, 5_000);
  const accepted = calls.acceptNonBlocking(listener, new Uint8Array(SOCKADDR_SIZE));
  const info = readFileSync(`/proc/self/fdinfo/${accepted}`, "latin1");
  for (const fd of [listener, client, accepted]) calls.close(fd);
  assertMatch(info, /^flags:\s+0?2004002$/m);
}, linuxOnly);
