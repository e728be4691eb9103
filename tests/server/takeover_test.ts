/**
 * Listeners that another process has opened, and servers that take over from one another.
 *
 * @module
 */

import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import process from "node:process";
import { MessageBuffer } from "../../engine/net/message_buffer.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import type { LogEvent } from "../../engine/server/journal/journal.ts";
import { Newcomer } from "../../engine/server/takeover/newcomer.ts";
import { Offer } from "../../engine/server/takeover/offer.ts";
import { ownUser, privatePlace, removePlace } from "../../engine/server/takeover/private_path.ts";
import { type Message, Talk, VERSION } from "../../engine/server/takeover/talk.ts";
import {
  type Address,
  serveBerkeley,
  serveCluster,
  serveCompletion,
  serveEvent,
  serveNonblocking,
  type ServeOptions,
  servePrefork,
  type Server,
  serveSequential,
  serveThreaded,
  serveThreadpool,
} from "../../mod.ts";
import { bytesOf } from "../kit/conversation.ts";
import { Folder } from "../kit/folder.ts";
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  test,
  until,
} from "../kit/harness.ts";
import { handshake, Peer } from "../kit/peer.ts";
import {
  commandOf,
  otherRuntime,
  ourRuntime,
  Program,
  ServerProcess,
  whyNoOtherRuntime,
} from "../kit/server_process.ts";
import { Relay, whyNoTakeover } from "../proofs/restart.ts";
import { AskingClients } from "../kit/asking_clients.ts";
import { lostOf } from "../proofs/drain.ts";

const skip = whyNoTakeover;

type Serve = (options: ServeOptions) => Promise<Server>;

/** The modes with descriptors, and what else is to be tried in each. */
const MODES: readonly (readonly [string, Serve, ServeOptions & Record<string, unknown>])[] = [
  ["sequential", serveSequential, {}],
  ["threaded", serveThreaded, { spare: 1 }],
  ["threadpool", serveThreadpool, { workers: 2 }],
  ["threadpool --queue 0", serveThreadpool, { workers: 2, queue: 0 }],
  ["berkeley", serveBerkeley, { workers: 2 }],
  ["prefork by listener", servePrefork, { workers: 2 }],
  ["prefork by descriptor", servePrefork, { workers: 2, handoff: "descriptor" }],
  ["prefork per connection", servePrefork, { perConnection: true, spare: 1 }],
  ["nonblocking", serveNonblocking, {}],
  ...(whyNoRing() === undefined ? [["completion", serveCompletion, {}] as const] : []),
];

const ECHO = { protocol: "echo", port: 0, drain: "2s" } as const;

/** Whether a server at this address sends back what it is sent. */
async function echoes(address: Address, count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await using peer = await Peer.connect(address);
    await peer.send(`ping ${turn}\n`);
    assertEquals(await peer.line(), `ping ${turn}`);
    peer.finish();
  }
}

/** Opens a listener as another process would: it blocks, or not. */
function openShared(net: Sockets, nonBlocking: boolean): { fd: number; address: Address } {
  const fd = net.openListener({ hostname: "127.0.0.1", port: 0 }, { nonBlocking });
  return { fd, address: net.localAddress(fd) };
}

for (const [name, serve, options] of MODES) {
  test(`${name} serves a listener that it has inherited, and leaves it as it was`, async () => {
    const net = sockets();
    const { fd, address } = openShared(net, false);
    // What this test holds; a server closes the other one.
    const own = net.duplicate(fd);
    try {
      const server = await serve({ ...ECHO, ...options, fd, maxConnections: 1 });
      assertEquals(server.address, address);
      await echoes(address, 2);
      await using last = await Peer.connect(address);
      assertEquals(await (await last.send("last\n")).line(), "last");
      // Who connects now waits in the queue for the next server, and is not reset.
      await using late = await Peer.connect(address);
      await late.send("late\n");
      const closed = server.close();
      last.finish();
      await closed;
      assertEquals([server.counters.accepted, server.counters.completed], [3, 3]);
      const { SOL_SOCKET, SO_REUSEPORT } = net.constants;
      assertEquals(net.getOption(own, SOL_SOCKET, SO_REUSEPORT), 0);
      await using _next = await serve({ ...ECHO, ...options, fd: net.duplicate(own) });
      assertEquals(await late.line(), "late");
      late.finish();
      assertEquals([net.isListening(own), net.isNonBlocking(own)], [true, false]);
    } finally {
      net.close(own);
    }
  }, { skip, sanitize: false });
}

test(
  "servers that share a listener that blocks lose nobody, and none of them gets stuck",
  async () => {
    const net = sockets();
    const { fd, address } = openShared(net, false);
    const own = net.duplicate(fd);
    try {
      const servers = await Promise.all([
        serveThreadpool({ ...ECHO, fd, workers: 2, queue: 0 }),
        serveNonblocking({ ...ECHO, fd: net.duplicate(own) }),
        serveSequential({ ...ECHO, fd: net.duplicate(own) }),
      ]);
      await using asking = new AskingClients({ address, question: "ping\n", clients: 6 });
      for (const server of servers) {
        await until("a share of the clients", () => server.counters.completed > 5);
        if (server !== servers.at(-1)) await server.close();
      }
      const asked = await asking.finish();
      assertEquals([lostOf(asked), asked.refused, asked.failed], [0, 0, 0], JSON.stringify(asked));
      await servers.at(-1)?.close();
    } finally {
      net.close(own);
    }
  },
  { skip, sanitize: false },
);

test("servers take over from one another, in one mode after the other", async () => {
  using folder = new Folder();
  const takeover = folder.path("socket");
  let before: Server | undefined;
  let asking: AskingClients | undefined;
  for (const [name, serve, options] of MODES) {
    const server: Server = await serve({ ...ECHO, ...options, takeover });
    if (before !== undefined) {
      assertEquals(server.address, before.address, name);
      assertEquals(await before.closed, undefined);
    }
    asking ??= new AskingClients({
      address: server.address,
      question: "ping\n",
      clients: 3,
      restMs: 2,
    });
    await until(`${name} to answer`, () => server.counters.completed > 3);
    assertEquals(statSync(takeover).mode & 0o777, 0o600);
    assertEquals(folder.names, ["socket"]);
    before = server;
  }
  const asked = await (asking as AskingClients).finish();
  assertEquals([lostOf(asked), asked.refused, asked.failed], [0, 0, 0], JSON.stringify(asked));
  await before?.close();
  assertEquals(folder.names, []);
  await assertRejects(() => Peer.connect(before?.address as Address));
}, { skip, sanitize: false });

test("of two servers that start at once, one takes over from the other", async () => {
  using folder = new Folder();
  const options = { ...ECHO, takeover: folder.path("socket") };
  const servers = await Promise.all([
    serveNonblocking(options),
    serveThreadpool({ ...options, workers: 1 }),
  ]);
  const [first, second] = servers as [Server, Server];
  assertEquals(first.address, second.address);
  const closed = await Promise.race(servers.map(async (server) => {
    await server.closed;
    return server;
  }));
  await echoes(first.address);
  await (closed === first ? second : first).close();
  await closed.close();
  assertEquals(folder.names, []);
}, { skip, sanitize: false });

test(
  "a Unix domain socket is taken over with its file, and an inherited one keeps it",
  async () => {
    using folder = new Folder();
    const net = sockets();
    const address = { hostname: `unix:${folder.path("listener")}`, port: 0 };
    const ask = async () => {
      const fd = net.openConnection(address);
      assertEquals(net.send(fd, bytesOf("ping")), 4);
      const buffer = new Uint8Array(8);
      await until("an answer", () => net.recv(fd, buffer, net.constants.MSG_DONTWAIT) === 4);
      net.close(fd);
    };
    const options = { protocol: "echo", host: address.hostname, takeover: folder.path("socket") };
    const first = await serveThreadpool({ ...options, workers: 1 });
    const second = await serveNonblocking(options);
    assertEquals([await first.closed, second.address], [undefined, address]);
    await ask();
    assertEquals(folder.names, ["listener", "socket"]);
    await second.close();
    assertEquals(folder.names, []);

    const fd = net.openListener(address);
    const own = net.duplicate(fd);
    const third = await serveSequential({ protocol: "echo", fd });
    assertEquals(third.address, address);
    await ask();
    await third.close();
    assertEquals(folder.names, ["listener"]);
    // It still listens: whoever holds it can go on.
    net.close(net.openConnection(address));
    net.close(own);
  },
  { skip, sanitize: false },
);

test("the folder must be this user's alone, and the path free for a socket", async () => {
  using folder = new Folder();
  const refused = async (path: string, why: string) => {
    const error = await assertRejects(() => serveSequential({ ...ECHO, takeover: path }), Error);
    assertStringIncludes(error.message, why);
  };
  mkdirSync(folder.path("open"));
  chmodSync(folder.path("open"), 0o777);
  chmodSync(folder.path("open"), 0o1777);
  mkdirSync(folder.path("group"));
  chmodSync(folder.path("group"), 0o770);
  writeFileSync(folder.path("file"), "text");
  // The next server has its own socket in the folder for a moment.
  const deep = folder.path("x".repeat(100 - folder.path("").length));
  mkdirSync(deep);
  symlinkSync(folder.path("open"), folder.path("link"));
  await Promise.all([
    refused(`${deep}/socket`, "the system has room for 107 bytes"),
    refused(`${deep}/s`, "is too long: the system has room for 107 bytes, not 110"),
    refused(folder.path("open/socket"), "others may write to the folder"),
    refused(folder.path("group/socket"), "others may write to the folder"),
    refused(folder.path("link/socket"), "others may write to the folder"),
    refused(folder.path("none/socket"), "no such file"),
    refused(folder.path("file/socket"), "is no folder"),
    refused(folder.path("file"), "it is no socket"),
    refused(process.getuid?.() === 0 ? "/" : "/socket", "expected the path of a file"),
    refused("@abstract", "expected a path"),
    refused("", "expected unix:PATH"),
  ].slice(0, process.getuid?.() === 0 ? undefined : 8));
  assertEquals(folder.text("file"), "text");
}, { skip, sanitize: false });

test("a server whose socket was removed offers its listener there again", async () => {
  using folder = new Folder();
  const takeover = folder.path("socket");
  const old = await serveSequential({ ...ECHO, takeover });
  old.handover?.offerAgain();
  rmSync(takeover);
  old.handover?.offerAgain();
  const next = await serveSequential({ ...ECHO, takeover });
  assertEquals(next.address, old.address);
  await Promise.all([old.closed, echoes(next.address, 1)]);
  // Somebody else's file stays.
  rmSync(takeover);
  writeFileSync(takeover, "text");
  assertThrows(() => next.handover?.offerAgain(), Error, `${takeover} is gone`);
  await next.close();
  assertEquals(folder.text("socket"), "text");
}, { skip, sanitize: false });

test("without a usable runtime folder a restart takes the next one", () => {
  using folder = new Folder();
  const { XDG_RUNTIME_DIR: runtimeFolder, TMPDIR: temporary } = process.env;
  const restore = (name: string, value: string | undefined) => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  try {
    process.env.XDG_RUNTIME_DIR = folder.path("none");
    process.env.TMPDIR = folder.path("");
    const place = privatePlace();
    assertEquals(place.startsWith(`${folder.path("handshake-takeover-")}`), true, place);
    removePlace(place);
    assertEquals(folder.names, []);
  } finally {
    restore("XDG_RUNTIME_DIR", runtimeFolder);
    restore("TMPDIR", temporary);
  }
}, { skip });

test("modes with the runtime's own listener refuse one that is there already", async () => {
  for (const serve of [serveEvent, serveCluster] as const) {
    await assertRejects(() => serve({ port: 0, fd: 3 }), Error, "Cannot use fd 3");
    await assertRejects(() => serve({ port: 0, takeover: "/tmp/x" }), Error, "Cannot use takeover");
  }
  const byMessages = { port: 0, handoff: "message", fd: 3 } as const;
  await assertRejects(
    () => serveThreadpool(byMessages),
    Error,
    "with messages has the runtime's own",
  );
  await assertRejects(
    () => serveNonblocking({ port: 0, fd: 0 }),
    Error,
    "Cannot listen on descriptor 0",
  );
}, { skip, sanitize: false });

/** An offer of a listener, as a server makes it, with short limits. */
class TestOffer implements Disposable {
  readonly net: Sockets = sockets();
  readonly folder = new Folder();
  readonly path = this.folder.path("socket");
  readonly log: string[] = [];
  readonly takenBy: number[] = [];
  readonly listener: number = this.net.openListener({ hostname: "127.0.0.1", port: 0 });
  readonly offer: Offer;

  constructor(user = ownUser(sockets())) {
    const limits = { firstWordMs: 50, takeoverMs: 150 };
    this.offer = new Offer(this.net, this.path, user, limits);
    this.offer.begin({
      journal: {
        wantsLog: true,
        wantsReports: false,
        report: () => {},
        log: ({ text, properties = {} }: LogEvent) =>
          this.log.push(text.replaceAll(/\{(\w+)\}/g, (_, name) => String(properties[name]))),
      },
      give: () => ({
        message: { say: "listener", sockets: ["listener"], origin: "opened" },
        descriptors: [this.listener],
      }),
      takenOver: (pid) => this.takenBy.push(pid),
    });
  }

  /** Connects, as a newcomer does. */
  call(): { readonly fd: number; readonly talk: Talk } {
    const fd = this.net.openConnection({ hostname: `unix:${this.path}`, port: 0 });
    return { fd, talk: new Talk(this.net, fd) };
  }

  /** What a conversation is told next. */
  async hear(talk: Talk): Promise<Message | "end"> {
    let heard: ReturnType<Talk["hear"]>;
    await until("an answer", () => (heard = talk.hear()) !== undefined);
    if (typeof heard !== "object") return "end";
    for (const fd of heard.descriptors) this.net.close(fd);
    return heard.message;
  }

  [Symbol.dispose](): void {
    this.offer.close("the test ends");
    this.net.close(this.listener);
    this.folder[Symbol.dispose]();
  }
}

test("whoever says nothing, nonsense or another version is not given the listener", async () => {
  using offered = new TestOffer();
  const { net } = offered;
  const say = async (text: string): Promise<unknown> => {
    const { fd, talk } = offered.call();
    net.send(fd, bytesOf(text));
    const heard = await offered.hear(talk);
    talk.close();
    return heard;
  };
  const no = (why: string) => ({ takeover: VERSION, say: "no", why });
  assertEquals(
    await Promise.all([
      say("GET / HTTP/1.1\r\n\r\n"),
      say("null\n"),
      say(`{"takeover":1}\n`),
      say("x".repeat(5000)),
      say(`{"takeover":2,"say":"take"}\n`),
      say(`{"takeover":1,"say":"serving"}\n`),
      say(""),
    ]),
    [
      no("no message: GET / HTTP/1.1\\r"),
      no("no message: null"),
      no(`no message: {"takeover":1}`),
      no("a message without an end"),
      no("this server speaks version 1 of the takeover, and not 2"),
      no(`"serving" was not expected`),
      no("it took longer than 50ms"),
    ],
  );
  // Descriptors that nobody has asked for are closed.
  const next = net.nextDescriptor();
  const { fd, talk } = offered.call();
  const message = new MessageBuffer(64);
  message.put(bytesOf("nonsense\n"), [fd, fd]);
  net.sendMessage(fd, message);
  await offered.hear(talk);
  talk.close();
  assertEquals([net.nextDescriptor(), offered.takenBy], [next, [] as number[]] as unknown[]);
}, { skip, sanitize: false });

test("a process of another user is told so, and given nothing", async () => {
  using offered = new TestOffer(ownUser(sockets()) + 1);
  const { talk } = offered.call();
  talk.tell({ say: "take" });
  const answer: unknown = await offered.hear(talk);
  const why = "only the same user may take the listener over";
  assertEquals(answer, { takeover: VERSION, say: "no", why });
  assertStringIncludes(offered.log[0] ?? "", "may not take this listener over");
  talk.close();
}, { skip, sanitize: false });

test("a newcomer that dies or hangs does not take over, and one at a time may try", async () => {
  using offered = new TestOffer();
  const { pid } = runtime;
  const take = async (talk: Talk) => {
    talk.tell({ say: "take" });
    return await offered.hear(talk);
  };
  const first = offered.call();
  assertEquals((await take(first.talk) as Message).say, "listener");
  const second = offered.call();
  assertEquals(await take(second.talk), {
    takeover: VERSION,
    say: "no",
    why: `process ${pid} is just taking it over`,
  } as unknown as Message);
  second.talk.close();
  // It dies.
  first.talk.close();
  await until("its end to be noticed", () => offered.log.length === 2);
  assertEquals(offered.log[1], `process ${pid} ended before it served: this server goes on`);
  // Another one hangs.
  const third = offered.call();
  assertEquals((await take(third.talk) as Message).say, "listener");
  assertEquals((await offered.hear(third.talk) as Message).say, "no");
  third.talk.close();
  assertEquals(
    offered.log.at(-1),
    `process ${pid} did not serve within 150ms: this server goes on`,
  );
  assertEquals(offered.takenBy, []);
  // The next one succeeds.
  const fourth = offered.call();
  await take(fourth.talk);
  fourth.talk.tell({ say: "serving" });
  assertEquals((await offered.hear(fourth.talk) as Message).say, "yours");
  // Whoever comes now is not answered: it asks again, as soon as the next one offers the listener.
  const fifth = offered.call();
  fifth.talk.tell({ say: "take" });
  fourth.talk.close();
  assertEquals(await offered.hear(fifth.talk), "end");
  fifth.talk.close();
  assertEquals([offered.takenBy, offered.folder.names], [[pid], []] as unknown[]);
}, { skip, sanitize: false });

test("a server that ends leaves its listener to whoever is about to serve", async () => {
  const { pid } = runtime;
  const take = async (offered: TestOffer) => {
    const call = offered.call();
    call.talk.tell({ say: "take" });
    assertEquals((await offered.hear(call.talk) as Message).say, "listener");
    return call;
  };
  using first = new TestOffer();
  assertEquals(first.offer.leave(), false);
  const { talk } = await take(first);
  assertEquals([first.offer.leave(), first.takenBy], [true, [pid]] as unknown[]);
  talk.tell({ say: "serving" });
  assertEquals((await first.hear(talk) as Message).say, "yours");
  talk.close();
  // One that has died since does not, and one that is not to do it neither.
  using second = new TestOffer();
  const dead = await take(second);
  dead.talk.close();
  assertEquals(second.offer.leave(), false);
  const child = await take(second);
  second.offer.refuse(pid, "no");
  assertEquals([second.offer.leave(), second.takenBy], [false, []] as unknown[]);
  child.talk.close();
  // What it says at once, and then hangs up, is taken in its order.
  using third = new TestOffer();
  const quick = await take(third);
  quick.talk.tell({ say: "serving" });
  quick.talk.close();
  await until("it to be heard", () => third.takenBy.length > 0);
  assertEquals(third.log, [`process ${pid} is about to take this listener over`]);

  // As servers.
  using folder = new Folder();
  const takeover = folder.path("socket");
  const old = await serveThreadpool({ ...ECHO, takeover, workers: 1 });
  const closed = Promise.withResolvers<void>();
  const next = await serveThreadpool({
    ...ECHO,
    takeover,
    workers: 1,
    beforeTakeover: () => {
      old.close().then(closed.resolve, closed.reject);
      return Promise.resolve({});
    },
  });
  await closed.promise;
  await echoes(next.address, 1);
  await next.close();
  assertEquals(folder.names, []);
}, { skip, sanitize: false });

test("whoever comes before a server serves is told all, and the server hears of it", async () => {
  using folder = new Folder();
  const takeover = folder.path("socket");
  const page = { hostname: "127.0.0.1", port: 1, token: "0".repeat(32) };
  const metrics = { metrics: 2, metricsHostname: "127.0.0.1" };
  const successor = { ...metrics, page: "http://127.0.0.1:1/" };
  const heard: unknown[] = [];
  const next = Promise.withResolvers<Server>();
  const options = { ...ECHO, takeover, workers: 1 };
  const old = await serveThreadpool({
    ...options,
    beforeTakeover: (predecessor, handover) => {
      heard.push(predecessor);
      // It is asked now, and answers as soon as it serves.
      serveThreadpool({
        ...options,
        beforeTakeover: (predecessor) => {
          heard.push(predecessor);
          return Promise.resolve(successor);
        },
      }).then(next.resolve, next.reject);
      handover.tells({ ...metrics, page });
      handover.onTakenOver((pid, successor) => heard.push(pid, successor));
      return Promise.resolve({});
    },
  });
  await using server = await next.promise;
  await old.closed;
  assertEquals(heard, [{}, { ...metrics, page }, runtime.pid, successor]);
  await echoes(server.address, 1);
}, { skip, sanitize: false });

test("a server that does not answer, or is another user's, gives no listener", async () => {
  using folder = new Folder();
  const net = sockets();
  const user = ownUser(net);
  const path = folder.path("socket");
  assertEquals(await Newcomer.ask(net, path, user), undefined);
  // Nobody accepts there, as in a process that is stopped.
  const frozen = net.openListener({ hostname: `unix:${path}`, port: 0 }, { nonBlocking: true });
  const why = `process ${runtime.pid} has not answered within 100ms`;
  await assertRejects(() => Newcomer.ask(net, path, user, 100), Error, why);
  await assertRejects(
    () => Newcomer.ask(net, path, user + 1, 100),
    Error,
    `is that of user ${user}`,
  );
  // Whoever was there closes without an answer: the next one is asked.
  const asked = Newcomer.ask(net, path, user, 2_000);
  await until("the call", () => net.poll(frozen, net.constants.POLLIN, 0) > 0);
  net.close(frozen);
  assertEquals(await asked, undefined);
}, { skip, sanitize: false });

test("what an old server says must be whole, and is not taken at its word", async () => {
  const net = sockets();
  using folder = new Folder();
  const path = folder.path("socket");
  const user = ownUser(net);
  const listener = net.openListener({ hostname: `unix:${path}`, port: 0 }, { nonBlocking: true });
  const own = net.openListener({ hostname: "127.0.0.1", port: 0 });
  /** Answers the next newcomer. */
  const answer = async (text: string, descriptors: readonly number[] = []): Promise<unknown> => {
    const asked = Newcomer.ask(net, path, user, 2_000).then(
      ({ descriptors } = { descriptors: [] } as unknown as Newcomer) => descriptors.length,
      ({ message }) => message,
    );
    await until("a newcomer", () => net.poll(listener, net.constants.POLLIN, 0) > 0);
    const fd = net.acceptNonBlocking(listener, new Uint8Array(28));
    const message = new MessageBuffer(4096, 64);
    message.put(bytesOf(text), descriptors);
    net.sendMessage(fd, message);
    const outcome = await asked;
    net.close(fd);
    return outcome;
  };
  const next = net.nextDescriptor();
  const said = `{"takeover":1,"say":"listener"`;
  const named = `process ${runtime.pid}`;
  assertEquals(await answer(`${said}}\n`, [own]), `no message: ${said}}`);
  assertEquals(
    await answer(`${said},"sockets":"x","origin":"opened"}\n`, [own]),
    `no message: ${said},"sockets"`,
  );
  assertEquals(
    await answer(`${said},"sockets":["listener"],"origin":"opened"}\n`),
    `${named} has not given it, but said listener, with 0 descriptors`,
  );
  assertEquals(
    await answer(`{"takeover":2,"say":"listener"}\n`, [own]),
    `${named} speaks version 2, and not 1`,
  );
  assertEquals(
    await answer(`{"takeover":7,"say":"no","why":"\\u001b[31m"}\n`, [own]),
    `${named} refuses: \\x1b[31m`,
  );
  assertEquals(net.nextDescriptor(), next);
  net.close(listener);
  net.close(own);
  // A path in a message may have any letters.
  const [here, there] = net.socketpair();
  const [one, other] = [new Talk(net, here), new Talk(net, there)];
  const file = { path: "/ü/日本", identity: "1:2" };
  const message = { say: "listener", sockets: [], origin: "opened", file } as const;
  assertEquals(one.tell(message), true);
  const heard = other.hear();
  assertEquals(heard !== "end" && heard?.message, { takeover: VERSION, ...message } as Message);
  one.close();
  other.close();
}, { skip, sanitize: false });

test("a server restarts on the other runtime and by itself, and loses nobody", async () => {
  await using relay = new Relay(["--protocol", "echo", "--quiet"]);
  const [here, there] = [ourRuntime, otherRuntime];
  await relay.next({ mode: "threadpool", on: here });
  await using asking = new AskingClients({ ...relay, question: "ping\n", clients: 4, restMs: 2 });
  await until("the first answer", () => asking.asked.answered > 0);
  await relay.next({ mode: "nonblocking", on: there });
  await relay.next({ mode: "nonblocking", on: there, isRestart: true });
  const { answered } = asking.asked;
  await until("answers of the last server", () => asking.asked.answered > answered + 4);
  const asked = await asking.finish();
  assertEquals([lostOf(asked), asked.refused, asked.failed], [0, 0, 0], JSON.stringify(asked));
}, { skip: skip ?? whyNoOtherRuntime, sanitize: false, timeoutMs: 40_000 });

test("at SIGUSR2 a server goes on if the next one fails, and cleans up at its end", async () => {
  using folder = new Folder();
  const protocol = folder.path("protocol.ts");
  const shout = new URL("../kit/protocols/shout.ts", import.meta.url);
  const code = `export { default } from "${shout.href}";\n`;
  writeFileSync(protocol, code);
  await using server = await ServerProcess.start("nonblocking", ["--protocol", protocol], {
    environment: { ...process.env as Record<string, string>, XDG_RUNTIME_DIR: folder.path("") },
  });
  rmSync(protocol);
  server.signal("SIGUSR2");
  await server.printed("starts, to take over", "stderr");
  server.signal("SIGUSR2");
  await server.printed("it is doing so already", "stderr");
  await server.printed("ended with exit status", "stderr");
  assertStringIncludes(server.stderr, "this server goes on");
  assertEquals(folder.names.map((name) => name.replace(/-\w+$/, "")), ["handshake-takeover"]);
  writeFileSync(protocol, code);
  server.signal("SIGUSR2");
  await server.printed("serves now: this one stops accepting", "stderr");
  const [, pid = 0] = /process (\d+) serves now/.exec(server.stderr) ?? [];
  await server.printed("totals: ", "stderr");
  {
    await using peer = await Peer.connect(server.address);
    await peer.send("louder\n");
    assertEquals(await peer.line(), "LOUDER");
  }
  process.kill(Number(pid), "SIGTERM");
  const ending = await server.end();
  assertEquals([ending.code, folder.names], [0, ["protocol.ts"]] as unknown[]);
  assertEquals(ending.stdout.match(/^Listening on .*$/gm)?.length, 2);
}, { skip, sanitize: false, timeoutMs: 40_000 });

test("a service manager passes a listener with LISTEN_FDS, and event cannot take it", async () => {
  const net = sockets();
  const { fd, address } = openShared(net, false);
  const again = net.duplicate(fd);
  const words = `export LISTEN_FDS=2 LISTEN_PID=$$ LISTEN_FDNAMES=a:b; exec "$@"`;
  const start = (mode: string) =>
    new Program(["sh", "-c", words, "sh", ...commandOf(`modes/${mode}.ts`, [])], {
      inherits: [fd, again],
    });
  await using threadpool = start("threadpool");
  await using event = start("event");
  try {
    await threadpool.printed(`Listening on 127.0.0.1:${address.port} `);
    await threadpool.printed("2 sockets, of which descriptor 3 is used", "stderr");
    await handshake(address, 100);
    threadpool.signal("SIGTERM");
    assertEquals((await threadpool.end()).code, 0);
    const { code, stderr } = await event.end();
    assertEquals(code, 2);
    assertStringIncludes(stderr, "event: Cannot use fd 3, a listener that is there already");
    assertEquals(net.isListening(fd), true);
  } finally {
    net.close(fd);
    net.close(again);
  }
}, { skip, sanitize: false });

test("SIGUSR2 does not end a server whose listener is the runtime's", async () => {
  await using server = await ServerProcess.start("event");
  server.signal("SIGUSR2");
  await server.printed("SIGUSR2: cannot restart: the runtime has the listener", "stderr");
  await handshake(server.address, 100);
  assertEquals((await server.stop()).code, 0);
}, { skip, sanitize: false });
