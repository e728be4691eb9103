/**
 * Looks at writes that wait, and at what the kernel has of them.
 *
 * @module
 */

import { Deadlines, TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { type EventLoop, THIS_LOOP } from "../../engine/drivers/event_loop.ts";
import { LOOKS_AT_WRITE } from "../../engine/drivers/limits.ts";
import { SendQueueLooks } from "../../engine/drivers/send_queue_looks.ts";
import { type Writer, WriteWatch } from "../../engine/drivers/write_watch.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { endsOf } from "../../engine/net/transport.ts";
import type { SlowReaderError } from "../../protocol.ts";
import { assert, assertEquals, test, until } from "../kit/harness.ts";

const onLinux = {
  skip: whyNoSockets() ??
    (runtime.os === "linux" ? undefined : `${runtime.os} does not tell its send queues`),
};

/** Limits on a clock of their own, on which a reading takes as long as it is told to. */
class SlowClock extends Deadlines {
  ms = 0;
  /** How much later it is at each of the next looks at it, in milliseconds; then it stands. */
  #ticks: number[] = [];

  override get now(): number {
    return this.ms += this.#ticks.shift() ?? 0;
  }

  /** The next reading takes so long, in milliseconds: from one look at the clock to the next. */
  slowDown(ms: number): void {
    this.#ticks = [0, ms];
  }
}

test("two looks at a write never see the same reading, however long one takes", () => {
  const net = sockets();
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 });
  const opened: number[] = [];
  const open = () => {
    const client = net.openConnection(net.localAddress(listener));
    opened.push(client);
    return endsOf(net.localAddress(client), net.peerAddress(client));
  };
  // With the tenfold of what a reading takes, one would serve for all looks within the limit, and for
  // whoever asks in a time of their own.
  for (const [writeTimeoutMs, apartMs] of [[400, Infinity], [0, 100], [60_000, 100]] as const) {
    const clock = new SlowClock();
    const queues = new SendQueueLooks(clock, writeTimeoutMs, apartMs);
    const look = () => {
      clock.slowDown(400);
      const found = queues.read();
      clock.slowDown(0);
      return found;
    };
    look();
    for (let count = 1; count <= LOOKS_AT_WRITE; count++) {
      const ends = open();
      clock.ms += 99;
      assert(!queues.read().has(ends), "it serves all who ask meanwhile");
      clock.ms += 1;
      assertEquals(look().get(ends), 0, `look ${count} with a limit of ${writeTimeoutMs} ms`);
    }
  }
  for (const fd of [...opened, listener]) net.close(fd);
}, onLinux);

test("a look that fails is followed by others, and a write that waits is given up", async () => {
  const thrown: unknown[] = [];
  const loop: EventLoop = {
    ...THIS_LOOP,
    after: (ms, work) =>
      THIS_LOOP.after(ms, () => {
        try {
          work();
        } catch (error) {
          thrown.push(error);
        }
      }),
  };
  using deadlines = new TimedDeadlines({ loop });
  const givenUp: string[] = [];
  let looks = 0;
  const writer = (name: string, fails: () => boolean): Writer => ({
    get isWriting() {
      return !givenUp.includes(name);
    },
    writes: 1,
    connection: { pending: 1, ends: name },
    giveUp(error: SlowReaderError) {
      if (fails()) throw new Error(`${name} cannot be given up`);
      givenUp.push(name);
      assertEquals(error.message, "Reads too slowly: nothing was taken for 40 ms");
    },
  });
  let failures = 0;
  const writers = [writer("fails once", () => failures++ === 0), writer("waits", () => false)];
  const watch = new WriteWatch(deadlines, 40, writers, {
    read() {
      if (++looks % 2 === 1) throw new Error("cannot be read");
      return new Map();
    },
  });
  watch.wake();
  await until("both to be given up", () => givenUp.length === 2);
  assertEquals(givenUp.sort(), ["fails once", "waits"]);
  assertEquals(thrown.filter((error) => /cannot be given up/.test(String(error))).length, 1);
  // Nobody waits any more, so nobody looks any more, until it is woken.
  const before = looks;
  watch.wake();
  assertEquals(looks, before);
}, { pure: true });
