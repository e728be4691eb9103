/**
 * The pollers: epoll(7) and poll(2) report the same events.
 *
 * @module
 */

import { openPoller, type Poller, pollerKinds } from "../../engine/net/poller.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { bytesOf } from "../kit/conversation.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";

/** A poller and socket pairs, which are closed with it. */
class Watch implements Disposable {
  readonly net: Sockets = sockets();
  readonly poller: Poller;
  readonly #open = new Set<number>();

  constructor(kind: ReturnType<typeof pollerKinds>[number]) {
    this.poller = openPoller(kind, this.net);
  }

  pair(): [own: number, peer: number] {
    const pair = this.net.socketpair();
    for (const fd of pair) this.#open.add(fd);
    return pair;
  }

  close(fd: number): void {
    if (this.#open.delete(fd)) this.net.close(fd);
  }

  /** Returns the events of the ready sockets, by descriptor. */
  wait(timeoutMs = 0): Map<number, number> {
    const count = this.poller.wait(timeoutMs);
    return new Map(
      Array.from({ length: count }, (_, index) => {
        return [this.poller.fdAt(index), this.poller.eventsAt(index)];
      }),
    );
  }

  send(fd: number, text: string): void {
    assertEquals(this.net.send(fd, bytesOf(text)), text.length);
  }

  [Symbol.dispose](): void {
    this.poller.close();
    for (const fd of this.#open) this.net.close(fd);
  }
}

if (whyNoSockets() !== undefined) {
  test("pollers report which sockets are ready", () => {}, { skip: whyNoSockets() });
}

for (const kind of pollerKinds()) {
  const { POLLIN, POLLOUT, POLLHUP, POLLRDHUP, SHUT_WR } = sockets().constants;

  test(`${kind} reports bytes again and again until they were received`, () => {
    using watch = new Watch(kind);
    const [own, peer] = watch.pair();
    watch.poller.add(own, POLLIN);
    assertEquals(watch.wait(), new Map());
    watch.send(peer, "abc");
    const ready = new Map([[own, POLLIN]]);
    assertEquals([watch.wait(-1), watch.wait(10_000), watch.wait()], [ready, ready, ready]);
    assertEquals(watch.net.recv(own, new Uint8Array(2)), 2);
    assertEquals(watch.wait(), ready);
    assertEquals(watch.net.recv(own, new Uint8Array(2)), 1);
    assertEquals(watch.wait(), new Map());
  });

  test(`${kind} watches for the given events, which can be changed`, () => {
    using watch = new Watch(kind);
    const [own, peer] = watch.pair();
    watch.send(peer, "abc");
    watch.poller.add(own, POLLOUT);
    assertEquals(watch.wait(), new Map([[own, POLLOUT]]));
    watch.poller.modify(own, POLLIN | POLLOUT);
    assertEquals(watch.wait(), new Map([[own, POLLIN | POLLOUT]]));
    watch.poller.modify(own, 0);
    assertEquals(watch.wait(), new Map());
    watch.poller.modify(own, POLLIN);
    assertEquals(watch.wait(), new Map([[own, POLLIN]]));
  });

  test(`${kind} reports nothing of a removed or closed socket, even if its number is reused`, () => {
    using watch = new Watch(kind);
    const [own, peer] = watch.pair();
    watch.send(peer, "abc");
    watch.poller.add(own, POLLIN);
    watch.poller.remove(own);
    assertEquals(watch.wait(), new Map());
    watch.poller.add(own, POLLIN);
    assertEquals(watch.wait(), new Map([[own, POLLIN]]));
    watch.poller.forget(own);
    watch.close(own);
    // The kernel gives the lowest free number, which is mostly the same one.
    const [again] = watch.pair();
    assertEquals(watch.wait(), new Map());
    watch.poller.add(again, POLLOUT);
    assertEquals(watch.wait(), new Map([[again, POLLOUT]]));
  });

  test(`${kind} always reports that a peer has closed, and FIN only on request`, () => {
    using watch = new Watch(kind);
    const [silent, left] = watch.pair();
    const [asking, finished] = watch.pair();
    watch.poller.add(silent, 0);
    watch.poller.add(asking, POLLRDHUP);
    watch.net.shutdown(finished, SHUT_WR);
    assertEquals(watch.wait(), new Map([[asking, POLLRDHUP]]));
    watch.close(left);
    assertEquals((watch.wait().get(silent) ?? 0) & POLLHUP, POLLHUP);
  }, { skip: runtime.os === "linux" ? undefined : "other systems have no POLLRDHUP" });

  test(`${kind} waits for the given time, also for a part of a millisecond`, () => {
    using watch = new Watch(kind);
    const [own] = watch.pair();
    watch.poller.add(own, POLLIN);
    for (const ms of [0, 0.3, 20, 20.5]) {
      const since = performance.now();
      assertEquals(watch.wait(ms), new Map());
      // Kernels count in ticks of their own. What matters is that the call does not return at once.
      assert(performance.now() - since >= Math.floor(ms) - 1, `${ms} ms`);
    }
  });

  test(`${kind} reports all ready sockets of very many`, () => {
    using watch = new Watch(kind);
    const pairs = Array.from({ length: 300 }, () => watch.pair());
    for (const [own] of pairs) watch.poller.add(own, POLLIN);
    // Places become free in the middle, and are taken by others.
    for (const [own] of pairs.filter((_, index) => index % 3 === 0)) watch.poller.remove(own);
    const more = Array.from({ length: 50 }, () => watch.pair());
    for (const [own] of more) watch.poller.add(own, POLLIN);
    const watched = [...pairs.filter((_, index) => index % 3 !== 0), ...more];
    const chosen = watched.filter((_, index) => index % 2 === 0);
    for (const [, peer] of [...chosen, pairs[0] as [number, number]]) watch.send(peer, "x");
    const told: number[] = [];
    for (let ready = watch.wait(); ready.size > 0; ready = watch.wait()) {
      for (const [fd, events] of ready) {
        assertEquals(events, POLLIN);
        told.push(fd);
        watch.net.recv(fd, new Uint8Array(1));
      }
    }
    const ascending = (a: number, b: number) => a - b;
    assertEquals(told.sort(ascending), chosen.map(([own]) => own).sort(ascending));
    // Once more, with all of them ready: these are more than one wait reports.
    for (const [, peer] of watched) watch.send(peer, "x");
    const all = new Set<number>();
    for (let ready = watch.wait(); ready.size > 0; ready = watch.wait()) {
      for (const fd of ready.keys()) {
        all.add(fd);
        watch.net.recv(fd, new Uint8Array(1));
      }
    }
    assertEquals(all.size, watched.length);
  });
}
