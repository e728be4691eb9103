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
import { assertEquals, test, until } from "../kit/harness.ts";

const onLinux = {
  skip: whyNoSockets() ??
    (runtime.os === "linux" ? undefined : `${runtime.os} does not tell its send queues`),
};

/** Limits on a clock of their own, on which each look at it takes time: so a reading takes long. */
class SlowClock extends Deadlines {
  ms = 0;
  /** How much later it is after each look at it, in milliseconds. */
  readonly #tickMs: number;

  constructor(tickMs: number) {
    super();
    this.#tickMs = tickMs;
  }

  override get now(): number {
    return this.ms += this.#tickMs;
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
    const clock = new SlowClock(20);
    const queues = new SendQueueLooks(clock, writeTimeoutMs, apartMs);
    open();
    const first = queues.read();
    assertEquals(queues.read(), first, "it serves for a moment");
    for (let look = 0; look < LOOKS_AT_WRITE; look++) {
      const ends = open();
      // 100 ms after the last reading began: it has taken 20 ms, and the clock is looked at again.
      clock.ms += 100 - 2 * 20;
      assertEquals(queues.read().get(ends), 0, `look ${look} with a limit of ${writeTimeoutMs}`);
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
