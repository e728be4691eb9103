/**
 * The descriptor of the runtime's own listener.
 *
 * @module
 */

import { SOL_TCP, TCP_INFO } from "../../engine/kernel/linux.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { findListener } from "../../engine/net/find_listener.ts";
import type { Listener } from "../../engine/net/listener.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { readSystemFile } from "../../engine/net/system_file.ts";
import { listen } from "../../engine/net/tcp.ts";
import { ACCEPT_QUEUE } from "../../engine/net/transport.ts";
import { createTeamMemory } from "../../engine/server/team/team_memory.ts";
import { assert, assertEquals, test, until, within } from "../kit/harness.ts";
import { type ListenErrand, LISTENING_THREAD } from "../kit/listening_thread.ts";

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };
const needsSockets = { skip: whyNoSockets() };
const needsSharedPort = { skip: whyNoSockets() ?? runtime.whyNoReusePort() };

/** The descriptor of a listener, which must be known. */
function descriptorOf({ descriptor }: Pick<Listener, "descriptor">): number {
  assert(descriptor !== undefined, "the descriptor was not found");
  return descriptor;
}

test("the descriptor of a listener is that of a socket that listens where it does", async () => {
  for (const hostname of ["127.0.0.1", "0.0.0.0"]) {
    await using listener = await listen({ hostname, port: 0 });
    const fd = descriptorOf(listener);
    assertEquals(sockets().isListening(fd), true);
    const { port } = listener.address;
    assertEquals(sockets().localAddress(fd), { hostname, port });
  }
}, needsSockets);

test(
  "a listener's accept queue has as many places as every other one of this project",
  async () => {
    await using listener = await listen(LOOPBACK);
    const info = new Uint8Array(32);
    sockets().getOptionBytes(descriptorOf(listener), SOL_TCP, TCP_INFO, info);
    // Of a listener, `tcpi_sacked` is the most connections that may wait (net/ipv4/tcp.c).
    const most = new DataView(info.buffer).getUint32(28, true);
    assertEquals(
      most,
      Math.min(ACCEPT_QUEUE, Number(readSystemFile("/proc/sys/net/core/somaxconn"))),
    );
  },
  { skip: whyNoSockets() ?? (runtime.os === "linux" ? undefined : "only Linux tells") },
);

test("what is no listener does not count as one", () => {
  const net = sockets();
  const fd = net.socket(net.constants.AF_INET, net.constants.SOCK_STREAM);
  assertEquals(net.isListening(fd), false);
  net.close(fd);
  assertEquals(net.isListening(fd), undefined);
}, needsSockets);

test("listeners of one address are told from each other: each closes its own", async () => {
  const net = sockets();
  const first = await listen({ ...LOOPBACK, reusePort: true });
  const listeners = [first];
  const { port } = first.address;
  for (let count = 0; count < 8; count++) {
    // One with a lower number goes, so that numbers do not tell the age.
    if (count === 4) listeners.splice(1, 1)[0]?.close();
    listeners.push(await listen({ ...LOOPBACK, port, reusePort: true }));
  }
  const open = new Set(listeners.map(descriptorOf));
  assertEquals(open.size, listeners.length);
  for (const listener of listeners) {
    listener.close();
    open.delete(descriptorOf(listener));
    await until("its socket is closed", () => !net.isListening(descriptorOf(listener)));
    for (const fd of open) assertEquals(net.isListening(fd), true);
  }
}, needsSharedPort);

test("a copy of another listener's descriptor is not taken for the new one", () => {
  const net = sockets();
  const first = net.openListener(LOOPBACK, { reusePort: true });
  const address = net.localAddress(first);
  const open = [first];
  const found = findListener(() => {
    // Another thread may make a copy at any moment.
    open.push(net.duplicate(first), net.openListener(address, { reusePort: true }));
    return address;
  });
  for (const fd of open) net.close(fd);
  assertEquals(found, open[2]);
}, { skip: needsSharedPort.skip ?? (runtime.os === "linux" ? undefined : "needs SO_COOKIE") });

/** A thread that listens. */
class ListeningThread implements Disposable {
  readonly #worker: Worker;
  readonly #heard: unknown[] = [];

  constructor() {
    const url = new URL("../kit/listening_thread.ts", import.meta.url).href;
    this.#worker = runtime.startThread(url, LISTENING_THREAD);
    this.#worker.onmessage = ({ data }: MessageEvent) => void this.#heard.push(data);
  }

  tell(message: ListenErrand | "close"): void {
    this.#worker.postMessage(message);
  }

  async hears(): Promise<unknown> {
    await within(10_000, "its answer", until("an answer", () => this.#heard.length > 0));
    return this.#heard.shift();
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

test("listeners that threads open at the same moment are not confused", async () => {
  const net = sockets();
  await using first = await listen({ ...LOOPBACK, reusePort: true });
  const { gate } = createTeamMemory(3);
  const start = new SharedArrayBuffer(4);
  using disposables = new DisposableStack();
  const threads = Array.from({ length: 3 }, () => disposables.use(new ListeningThread()));
  for (const thread of threads) {
    thread.tell({ gate, start, port: first.address.port, times: 20 });
    assertEquals(await thread.hears(), "ready");
  }
  Atomics.store(new Int32Array(start), 0, 1);
  Atomics.notify(new Int32Array(start), 0);
  const found = (await Promise.all(threads.map((thread) => thread.hears()))) as number[][];
  const open = new Set([descriptorOf(first), ...found.flat()]);
  assert(!(open as Set<unknown>).has(undefined), "a descriptor was not found");
  assertEquals(open.size, 61, "two listeners claim the same descriptor");
  for (const [index, thread] of threads.entries()) {
    thread.tell("close");
    assertEquals(await thread.hears(), "ready");
    for (const fd of found[index] as number[]) {
      await until("its socket is closed", () => !net.isListening(fd));
      open.delete(fd);
    }
    for (const fd of open) assertEquals(net.isListening(fd), true);
  }
}, needsSharedPort);
