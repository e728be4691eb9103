/**
 * What the kernel has of connections and their peers have not, read over all descriptors of a process
 * whose other threads go on.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { readSendQueues } from "../../engine/net/send_queues.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { endsOf } from "../../engine/net/transport.ts";
import { CHURN, CHURNING_THREAD } from "../kit/churning_thread.ts";
import { assert, assertEquals, delay, test, until } from "../kit/harness.ts";

const onLinux = {
  skip: whyNoSockets() ??
    (runtime.os === "linux" ? undefined : `${runtime.os} does not tell its send queues`),
};

/** How often all descriptors are read. */
const READINGS = 500;

/** How many of them in a row, before the thread gets a moment to hear of its messages. */
const IN_A_ROW = 50;

test("a number that no socket has has no address, and no call fails for it", () => {
  const net = sockets();
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
  const [pair, other] = net.socketpair();
  assertEquals(net.findLocal(listener), net.localAddress(listener));
  assertEquals([net.findPeer(listener), net.findLocal(pair), net.findPeer(pair)], [
    null,
    null,
    null,
  ]);
  for (const fd of [listener, pair, other]) net.close(fd);
  assertEquals([net.findLocal(listener), net.findPeer(listener)], [undefined, undefined]);
}, onLinux);

test("send queues are read while other threads open and close connections", async () => {
  const net = sockets();
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
  const client = net.openConnection(net.localAddress(listener));
  const ends = endsOf(net.localAddress(client), net.peerAddress(client));
  const words = new Int32Array(new SharedArrayBuffer(8));
  const thread = runtime.startThread(
    new URL("../kit/churning_thread.ts", import.meta.url).href,
    CHURNING_THREAD,
  );
  let isOver = false;
  thread.onmessage = () => void (isOver = true);
  thread.postMessage(words.buffer);
  await until("connections that come and go", () => Atomics.load(words, CHURN.closed) > 0);
  const before = Atomics.load(words, CHURN.closed);
  try {
    for (let count = 0; count < READINGS; count++) {
      assertEquals(readSendQueues().get(ends), 0, "the connection that stays");
      if (count % IN_A_ROW === 0) await delay(0);
    }
    assert(Atomics.load(words, CHURN.closed) > before, "others came and went meanwhile");
  } finally {
    Atomics.store(words, CHURN.isOver, 1);
    await until("the thread to be over", () => isOver);
    thread.terminate();
    net.close(client);
    net.close(listener);
  }
}, onLinux);
