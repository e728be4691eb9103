/**
 * The buttons of a live page: that they do what they say, to every kind of server and to no other.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import { serve as serveChat } from "../../chat/server.ts";
import { openLive, serveEvent, serveNonblocking, type Server, serveThreadpool } from "../../mod.ts";
import { assertEquals, assertMatch, test, until } from "../kit/harness.ts";
import { Folder } from "../kit/folder.ts";
import { type LiveAddress, liveIn, press, Watcher } from "../kit/live.ts";
import { Peer } from "../kit/peer.ts";

/** A server, its page, and somebody who reads along. */
interface Shown extends AsyncDisposable {
  readonly server: Server;
  readonly where: LiveAddress;
  readonly watcher: Watcher;
}

async function show<Options>(
  serve: (options: Options) => Promise<Server>,
  options: Options,
): Promise<Shown> {
  const live = await openLive();
  const server = await serve({ port: 0, drain: 0, ...options, live });
  const where = liveIn(live.url);
  const watcher = await Watcher.open(where);
  await watcher.find("the counters", "counters");
  return {
    server,
    where,
    watcher,
    async [Symbol.asyncDispose]() {
      await server.close();
      await watcher[Symbol.asyncDispose]();
    },
  };
}

/** Waits for the sentence that says what became of an action. */
async function outcome({ watcher }: Shown, about: string, announced = ""): Promise<string> {
  const { text } = await watcher.find(
    `what became of ${about}`,
    "note",
    ({ text }) => text.startsWith(`from the page: ${about}: `) && !text.endsWith(`: ${announced}`),
  );
  return text.slice(`from the page: ${about}: `.length);
}

/** Presses a button, and waits until it has done what it does. */
async function does(shown: Shown, action: string, about: string): Promise<string> {
  const { status, content } = await press(shown.where, action);
  assertEquals(status, 202, content);
  return await outcome(shown, about, content.trim().slice(`${about}: `.length));
}

test("three clients get what their protocol has, and are counted apart", async () => {
  const cases: readonly (readonly [() => Promise<Shown>, string, isProxied?: true])[] = [
    [() => show(serveEvent, { protocol: "frame" }), "all were answered"],
    [() => show(serveEvent, { protocol: "print" }), "all were heard"],
    [() => show(serveChat, {}), "all were let in"],
    [
      () =>
        show(serveEvent, { protocol: new URL("../kit/protocols/shout.ts", import.meta.url).href }),
      "all have said their line",
    ],
    // Whoever comes through a proxy has to say so first.
    [() => show(serveEvent, { protocol: "frame", proxyProtocol: true }), "all were answered", true],
    [() => show(serveChat, { proxyProtocol: true }), "all were let in", true],
  ];
  await Promise.all(cases.map(async ([begin, result, isProxied = false]) => {
    await using shown = await begin();
    const { server, watcher } = shown;
    await using other = await Peer.connect(server.address);
    await until("the other one", () => server.counters.active === 1 || isProxied);
    assertEquals(await does(shown, "three-clients", "three clients"), result, server.protocol);
    await watcher.find("their number", "counters", ({ values }) => values.by_page === 3);
    await until("all three to be told", () => watcher.all("begun").length >= 3);
    for (const { by, peer } of watcher.all("begun")) {
      assertEquals(by, peer === other.name ? undefined : "page");
    }
    if (!isProxied) assertEquals(server.counters.accepted, 4);
  }));
});

test("a client that comes where the page was is not taken for the page", async () => {
  await using shown = await show(serveEvent, { protocol: "hello", maxPerHost: 1 });
  const { server, watcher } = shown;
  // Nobody else is let in, so the server has nothing to tell of the clients of the page.
  await using first = await Peer.connect(server.address);
  await until("the first", () => watcher.open.size === 1);
  assertMatch(await does(shown, "fifty", "fifty clients"), /^0 were answered, 50 were not \(/);
  await watcher.find("their number", "counters", ({ values }) => values.by_page === 50);
  assertEquals(watcher.all("begun").map(({ by, peer }) => [by, peer]), [[undefined, first.name]]);
  assertEquals(server.counters.refused, 50);
});

test(
  "on a server without room the clients of the page wait, and what became of them is told",
  async () => {
    await using shown = await show(serveThreadpool, { protocol: "frame", workers: 1, queue: 1 });
    const { server, watcher } = shown;
    // It has the only worker.
    await using guest = await Peer.connect(server.address);
    await until("the guest", () => watcher.open.size === 1);
    assertEquals((await press(shown.where, "fifty")).status, 202);
    await watcher.find("all fifty", "counters", ({ values }) => values.by_page === 50);
    assertEquals(watcher.open.size, 1);
    // One thing at a time, whoever presses.
    const again = await press(shown.where, "three-clients");
    assertEquals(again.status, 409);
    assertMatch(again.content, /^"Fifty at once" is still under way: at most \d+ s more\n$/);
    guest.finish();
    assertEquals(await outcome(shown, "fifty clients"), "all were answered");
    // The guest has sent nothing.
    assertEquals([server.counters.completed, server.counters.empty], [50, 1]);
  },
  { skip: whyNoSockets() },
);

test("whoever is slow or silent is given up as any other client, and that is said", async () => {
  const limits = { protocol: "frame", messageTimeout: "300ms", readTimeout: "300ms" } as const;
  using folder = new Folder();
  const unix = `unix:${folder.path("socket")}`;
  await Promise.all([
    (async () => {
      await using shown = await show(serveEvent, limits);
      assertEquals(
        await does(shown, "slow-client", "a slow client"),
        "the server has closed before it had said all",
      );
      assertEquals(shown.server.counters.failed["message timeout"], 1);
    })(),
    (async () => {
      // Nothing reaches a client that has vanished. At a Unix domain socket nobody can.
      if (whyNoSockets() !== undefined) return;
      await using shown = await show(serveNonblocking, { ...limits, host: unix });
      assertEquals((await press(shown.where, "vanish")).status, 202);
      await shown.watcher.find(
        "that it could not vanish",
        "note",
        ({ text }) => text.includes("nobody vanishes from a Unix domain socket"),
      );
      await shown.watcher.find(
        "its end",
        "note",
        ({ text }) => text === "from the page: the server has given the silent client up",
      );
      // It has no address by which it could be told from others.
      assertEquals(shown.watcher.all("begun").map(({ by }) => by), [undefined]);
      await shown.watcher.find("its number", "counters", ({ values }) => values.by_page === 1);
    })(),
  ]);
});

test(
  "a client that vanishes hears nothing of the server's end, and the page lets it go",
  async () => {
    await using shown = await show(serveNonblocking, { protocol: "frame", readTimeout: "200ms" });
    const { status, content } = await press(shown.where, "vanish");
    assertEquals(status, 202);
    await until(
      "the server to give it up",
      () => shown.server.counters.failed["read timeout"] === 1,
    );
    // Where nobody is root it is only silent, and hears that.
    const isDeaf = content.includes("nothing reaches it");
    if (isDeaf) {
      assertEquals((await press(shown.where, "fifty")).status, 409);
    }
    const [{ by } = { by: undefined }] = shown.watcher.all("begun");
    assertEquals(by, "page");
    await shown.server.close();
    await shown.watcher.peer.rest();
    assertEquals(shown.watcher.lines.at(-1)?.type, "end");
  },
  { skip: whyNoSockets() },
);

test("a server that is closing takes no client of the page, and ends in time", async () => {
  const options = { protocol: "frame", drain: "10s", workers: 2 } as const;
  await Promise.all([
    (async () => {
      await using shown = await show(serveThreadpool, options);
      const { server, where } = shown;
      await using guest = await Peer.connect(server.address);
      await until("the guest", () => shown.watcher.open.size === 1);
      const closed = server.close();
      const { status, content } = await press(where, "fifty");
      assertEquals([status, content], [409, "the server is closing, and takes nobody in\n"]);
      guest.finish();
      await closed;
      assertEquals(server.counters.accepted, 1);
    })(),
    (async () => {
      // A slow client would take ten seconds: when the server has to end, it is cut like any other.
      await using shown = await show(serveThreadpool, { ...options, drain: "100ms" });
      assertEquals((await press(shown.where, "slow-client")).status, 202);
      await until("the slow client", () => shown.watcher.open.size === 1);
      await shown.server.close();
      assertEquals([shown.server.counters.accepted, shown.server.counters.cut], [1, 1]);
    })(),
  ]);
}, { skip: whyNoSockets() });
