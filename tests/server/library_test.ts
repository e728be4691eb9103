/**
 * The modes as a library: `serve` in this process.
 *
 * @module
 */

import { MODES } from "../../modes/catalogue.ts";
import { serve as serveEvent } from "../../modes/event.ts";
import { serve as serveThreadpool } from "../../modes/threadpool.ts";
import { parseFlags } from "../../engine/cli/flags.ts";
import { OptionError, type ServeOptions } from "../../engine/server/core/options.ts";
import type { Server } from "../../engine/server/core/server.ts";
import { assert, assertEquals, assertRejects, test, until, within } from "../kit/harness.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { DAILY, numberOf } from "../kit/rows.ts";
import { takeTurns } from "../kit/turns.ts";

for (const row of DAILY) {
  const { name, mode, args, skip } = row;
  // Each needs a server of its own.
  const once = takeTurns(numberOf(row), test);
  /** The mode's `serve`, with what the row's flags say. */
  const serve = async (options: ServeOptions): Promise<Server> => {
    const { serve, program } = await MODES[mode].load();
    return await serve({ ...parseFlags((await program()).command, args), ...options });
  };

  once(`${name} serves in this process, counts, reports, and can be closed twice`, async () => {
    const reports: string[] = [];
    await using server = await serve({ port: 0, onReport: (message) => reports.push(message) });
    assertEquals(server.protocol, "hello");
    assert(name.startsWith(server.mode));
    assert(server.address.port > 0);
    assertEquals(server.counters.accepted, 0);

    for (const x of [1, 10, 100]) await handshake(server.address, x);
    await using wrong = await Peer.connect(server.address);
    await wrong.send("garbage\n");
    await wrong.rest();
    await wrong[Symbol.asyncDispose]();
    await until("the conversations to be counted", () => server.counters.active === 0);
    const expected = {
      accepted: 4,
      active: 0,
      completed: 3,
      failed: { malformed: 1 },
      cut: 0,
      empty: 0,
      refused: 0,
      lost: 0,
      strays: 0,
      threadsLost: 0,
    };
    assertEquals(server.counters, expected);

    const first = server.close();
    await Promise.all([first, server.close({ drain: 0 })]);
    assertEquals(await within(1_000, "closed", server.closed), undefined);
    await server.close();
    assertEquals(server.counters, expected, "they can still be read");
    await assertRejects(() => Peer.connect(server.address), Error);
    const sent = [1, 3, 10, 12, 100, 102].map((x) => `HELLO ${x}`);
    assertEquals(reports, sent);
  }, { skip });

  once(`${name} goes on although the one who listens to its reports fails`, async () => {
    let heard = 0;
    const onReport = () => {
      heard++;
      throw new Error("asked to fail");
    };
    await using server = await serve({ port: 0, onReport });
    for (const x of [1, 10]) await handshake(server.address, x);
    await until("the conversations to be counted", () => server.counters.completed === 2);
    await server.close();
    assertEquals(heard, 4);
    assertEquals(server.counters.failed, {});
  }, { skip });

  once(`${name} closes at its signal, and cuts half-way conversations`, async () => {
    const controller = new AbortController();
    const server = await serve({ port: 0, signal: controller.signal, drain: 0 });
    await using peer = await Peer.connect(server.address);
    await peer.send("HELLO 1\n");
    assertEquals(await peer.line(), "HELLO 2");
    controller.abort();
    assertEquals(await within(5_000, "closed", server.closed), undefined);
    await peer.gone();
    assertEquals([server.counters.cut, server.counters.active], [1, 0]);
  }, { skip });

  once(`${name} refuses wrong options and a port in use, and leaves nothing behind`, async () => {
    await assertRejects(() => serve({ port: -1 }), OptionError, "port");
    await assertRejects(() => serve({ port: 0, readTimeout: "soon" }), OptionError, "readTimeout");
    await using server = await serve({ port: 0 });
    const { port } = server.address;
    await assertRejects(() => serve({ port }), Error, `127.0.0.1:${port}`);
    await handshake(server.address, 1);
  }, { skip });
}

test("two servers of different modes run side by side", async () => {
  await using one = await serveEvent({ port: 0 });
  await using two = await serveThreadpool({ port: 0, workers: 1 });
  await Promise.all([one, two].map(({ address }) => handshake(address, 1)));
  await until("both to have counted", () => one.counters.completed + two.counters.completed === 2);
  assertEquals([one.counters.accepted, two.counters.accepted], [1, 1]);
});
