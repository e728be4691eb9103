/**
 * Messages together with what the kernel says about them: recvmsg(2) on real sockets.
 *
 * @module
 */

import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { takeErrors, wantErrors } from "../../engine/kernel/error_queue.ts";
import { SO_TIMESTAMPNS } from "../../engine/kernel/linux.ts";
import { encodeSockaddr } from "../../engine/net/address.ts";
import { MessageBuffer } from "../../engine/net/message_buffer.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { bytesOf } from "../kit/conversation.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";

const skip = whyNoKernel();

test("a datagram comes with its sender, its time and its true length", () => {
  const net = sockets();
  const { AF_INET, SOCK_DGRAM, SOL_SOCKET, MSG_DONTWAIT, errno } = net.constants;
  const [from, to] = [net.socket(AF_INET, SOCK_DGRAM), net.socket(AF_INET, SOCK_DGRAM)];
  try {
    net.bind(to, { hostname: "127.0.0.1", port: 0 });
    net.bind(from, { hostname: "127.0.0.1", port: 0 });
    net.setOption(to, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    const message = new MessageBuffer(4);
    const before = Date.now() - 1;
    for (const text of ["abc", "abcdefgh", "x"]) {
      net.sendto(from, bytesOf(text), encodeSockaddr(net.localAddress(to), net.constants));
      net.receiveMessage(to, message);
      assertEquals(message.data, bytesOf(text.slice(0, 4)));
      assertEquals(net.readAddress(message.name), net.localAddress(from));
      const MSG_TRUNC = 0x20;
      assertEquals((message.flags & MSG_TRUNC) !== 0, text.length > 4);
      const [control, ...more] = message.control();
      assertEquals([control?.level, control?.type, more.length], [SOL_SOCKET, SO_TIMESTAMPNS, 0]);
      const { buffer, byteOffset } = control?.data as Uint8Array;
      const seconds = Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
      assert(seconds * 1000 >= before - 1000 && seconds * 1000 <= Date.now(), "the time of now");
    }
    assertEquals(net.receiveMessage(to, message, MSG_DONTWAIT), -errno.EAGAIN);
    assertEquals([message.data.length, [...message.control()].length], [0, 0]);
  } finally {
    net.close(from);
    net.close(to);
  }
}, { skip });

test("an error that ICMP reports comes with its type, its code and who sent it", () => {
  const net = sockets();
  const { AF_INET, SOCK_DGRAM, errno } = net.constants;
  const [fd, gone] = [net.socket(AF_INET, SOCK_DGRAM), net.socket(AF_INET, SOCK_DGRAM)];
  try {
    net.bind(gone, { hostname: "127.0.0.1", port: 0 });
    const closed = net.localAddress(gone);
    net.close(gone);
    wantErrors(net, fd, false);
    net.connect(fd, closed);
    assertEquals(takeErrors(net, fd), []);
    net.send(fd, bytesOf("anybody?"));
    const refused = {
      origin: "icmp",
      errno: errno.ECONNREFUSED,
      type: 3,
      code: 3,
      by: "127.0.0.1",
    };
    assertEquals(takeErrors(net, fd), [refused] as ReturnType<typeof takeErrors>);
    assertEquals(takeErrors(net, fd), []);
  } finally {
    net.close(fd);
  }
}, { skip });
