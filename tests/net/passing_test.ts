/**
 * Descriptors handed to another process, and listeners that came from one, on real sockets.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { boundAccepts } from "../../engine/net/accept_alarm.ts";
import { checkListener, setInherited } from "../../engine/net/inherited_listener.ts";
import { library } from "../../engine/net/libc.ts";
import { KEEP_TO_SELF, MessageBuffer, MOST_DESCRIPTORS } from "../../engine/net/message_buffer.ts";
import { Sockets, sockets } from "../../engine/net/sockets.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { bytesOf } from "../kit/conversation.ts";
import { assert, assertEquals, assertThrows, test } from "../kit/harness.ts";

const skip = whyNoKernel();

/** `O_CLOEXEC` in `/proc/self/fdinfo`. */
const CLOSE_ON_EXEC = 0o2000000;

const ANYWHERE = { hostname: "127.0.0.1", port: 0 };

/** Whether programs that this process starts do not inherit a descriptor. */
function isKept(fd: number): boolean {
  const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  return (parseInt(/^flags:\s*([0-7]+)$/m.exec(text)?.[1] ?? "", 8) & CLOSE_ON_EXEC) !== 0;
}

test("a message brings descriptors of the same open files, which no program inherits", () => {
  const net = sockets();
  const [here, there] = net.socketpair();
  const listener = net.openListener(ANYWHERE, { nonBlocking: true });
  const opened = [here, there, listener];
  try {
    const sent = new MessageBuffer(64, 2048);
    const received = new MessageBuffer(64, 2048);
    for (const [text, count] of [["one", 1], ["none", 0], ["many", MOST_DESCRIPTORS]] as const) {
      sent.put(bytesOf(text), Array(count).fill(listener));
      assertEquals(net.sendMessage(here, sent), text.length);
      assertEquals(net.receiveMessage(there, received, KEEP_TO_SELF), text.length);
      assertEquals(received.data, bytesOf(text));
      const got = received.descriptors;
      opened.push(...got);
      assertEquals(got.length, count);
      for (const fd of got.slice(0, 2)) {
        assert(fd !== listener && isKept(fd), `descriptor ${fd}`);
        assertEquals(net.cookie(fd), net.cookie(listener));
      }
    }
    // A message may be larger the next time again.
    sent.put(bytesOf("x"));
    net.sendMessage(here, sent);
    net.sendMessage(here, sent);
    net.receiveMessage(there, received, KEEP_TO_SELF);
    assertEquals(received.data, bytesOf("xx"));
    assertThrows(() => sent.put(new Uint8Array(65)), RangeError);
    assertThrows(() => new MessageBuffer(8, 32).put(bytesOf("x"), [1, 2, 3, 4, 5]), RangeError);
  } finally {
    for (const fd of opened) net.close(fd);
  }
}, { skip });

test("who hangs up in the middle, and who takes no descriptors, leaves none behind", () => {
  const net = sockets();
  const [here, there] = net.socketpair();
  try {
    const next = net.nextDescriptor();
    const sent = new MessageBuffer(8);
    sent.put(bytesOf("x"), [here, there]);
    net.sendMessage(here, sent);
    assertEquals(net.recv(there, new Uint8Array(8)), 1);
    assertEquals(net.nextDescriptor(), next);
    net.shutdown(there, net.constants.SHUT_RDWR);
    assertEquals(net.sendMessage(here, sent), -net.constants.errno.EPIPE);
  } finally {
    net.close(here);
    net.close(there);
  }
}, { skip });

test("only a socket that listens for streams is taken for a listener", () => {
  const net = sockets();
  const { AF_INET, SOCK_DGRAM, SOCK_STREAM } = net.constants;
  const udp = net.socket(AF_INET, SOCK_DGRAM);
  const idle = net.socket(AF_INET, SOCK_STREAM);
  const file = net.open("/dev/null", 0);
  const tcp = net.openListener(ANYWHERE);
  const unix = net.openListener({ hostname: "unix:@handshake passing test", port: 0 });
  try {
    assertThrows(() => checkListener(net, 9_999), Error, "there is no such descriptor");
    assertThrows(() => checkListener(net, file), Error, "it is no socket");
    assertThrows(() => checkListener(net, udp), Error, "it is no stream socket");
    assertThrows(() => checkListener(net, idle), Error, "does not listen");
    assertEquals(checkListener(net, tcp), net.localAddress(tcp));
    assertEquals(checkListener(net, unix).hostname, "unix:@handshake passing test");
    setInherited(net, tcp, undefined);
    setInherited(net, unix, undefined);
    const { IPPROTO_TCP, TCP_NODELAY, SOL_SOCKET, SO_KEEPALIVE, TCP_KEEPCNT } = net.constants;
    assertEquals(net.getOption(tcp, IPPROTO_TCP, TCP_NODELAY), 1);
    setInherited(net, tcp, { idleMs: 6000, intervalMs: 3000, probes: 4, userTimeoutMs: 0 });
    assertEquals(net.getOption(tcp, SOL_SOCKET, SO_KEEPALIVE), 1);
    assertEquals(net.getOption(tcp, IPPROTO_TCP, TCP_KEEPCNT), 4);
    assertEquals(net.isNonBlocking(tcp), false);
  } finally {
    for (const fd of [udp, idle, file, tcp, unix]) net.close(fd);
  }
}, { skip });

/** Sockets for which another process takes each connection just before they accept it. */
class SlowSockets extends Sockets {
  override poll(): number {
    return this.constants.POLLIN;
  }
}

test("a connection that another process takes does not block who accepts", () => {
  const net = new SlowSockets(library());
  const { EAGAIN } = net.constants.errno;
  const listener = net.openListener(ANYWHERE);
  const peer = new Uint8Array(28);
  try {
    boundAccepts(net, listener);
    assertEquals(net.accept(listener, peer), -EAGAIN);
    assertEquals(net.acceptNonBlocking(listener, peer), -EAGAIN);
    const client = net.openConnection(net.localAddress(listener));
    const accepted = net.accept(listener, peer);
    assert(accepted >= 0, `accept returned ${accepted}`);
    assertEquals(net.readAddress(peer), net.localAddress(client));
    assertEquals(net.accept(listener, peer), -EAGAIN);
    assertEquals(net.isNonBlocking(listener), false);
    net.close(client);
    net.close(accepted);
  } finally {
    net.close(listener);
  }
  // The C library stays loaded.
}, { skip, sanitize: false });
