/**
 * The modes with event loops: computations that other threads do, and threads that die.
 *
 * @module
 */

import { Deadlines } from "../../engine/drivers/deadlines.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { Rest } from "../../engine/server/loops/rest.ts";
import { serveCluster } from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  test,
  type TestOptions,
  until,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { tasks } from "../kit/protocols/faulty.ts";
import { whyNot } from "../kit/rows.ts";
import { Script, ServerProcess, totalsIn } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

const FAULTY = "./tests/kit/protocols/faulty.ts";

/** About a quarter of a second of work. */
const LONG = "P36028797018963913";
const ENDLESS = "P18446744073709551557";

const skip = whyNoSockets();
const LOOPS: readonly { readonly mode: string; readonly options: TestOptions }[] = [
  { mode: "event", options: { sanitize: false } },
  { mode: "nonblocking", options: { sanitize: false, skip } },
  { mode: "completion", options: { sanitize: false, skip: whyNot("completion") } },
  { mode: "cluster", options: { sanitize: false } },
];

/** Connects to a `frame` server and takes its greeting. */
async function greeted(server: ServerProcess): Promise<Peer> {
  const peer = await Peer.connect(server.address);
  await until("the greeting", () => peer.heard === "*");
  return peer;
}

/** Sends a line and returns the answer. */
async function ask(peer: Peer, line: string): Promise<string> {
  await peer.send(`${line}\n`);
  return await peer.line();
}

for (const [index, { mode, options }] of LOOPS.entries()) {
  // Each needs a server of its own.
  const once = takeTurns(index, test);
  const serveFrames = (...args: string[]) =>
    ServerProcess.start(mode, ["--protocol", "frame", ...args]);

  once(
    `${mode} stops computing for a client that has reset, and computes for the next one`,
    async () => {
      await using server = await serveFrames("--offload", "1");
      assertMatch(server.greeting, / · 1 computing · /);
      await using gone = await greeted(server);
      await gone.send(`^${ENDLESS}$`);
      await using other = await greeted(server);
      await other.send("^echo$");
      await until("the echo", () => other.heard === "*fdip");
      gone.reset();
      await until(
        "the log to say so",
        () => / failed \S+ after \S+ ms: peer gone: /.test(server.stderr),
      );
      await other.send("^P7$");
      assertEquals(await other.line(), "*fdipprime");
      other.finish();
      await other.rest();
      const ending = await server.stop();
      assertEquals(ending.code, 0, ending.stderr);
      assertStringIncludes(totalsIn(ending), "completed 1 · failed 1 (peer gone 1) · cut 0");
    },
    options,
  );

  once(
    `${mode} prefers other clients to one that only listens, but answers that one too`,
    async () => {
      await using server = await serveFrames("--offload", "1");
      await using listening = await greeted(server);
      await listening.send(`^${LONG}$`);
      listening.finish();
      await using other = await greeted(server);
      await other.send("^P7$");
      assertEquals(await other.line(), "*prime");
      assertEquals(listening.heard, "*");
      assertEquals(await listening.rest(), "*prime\n");
    },
    options,
  );

  once(`${mode} abandons a computation that takes too long`, async () => {
    await using server = await serveFrames("--offload", "1", "--compute-timeout", "150ms");
    await using peer = await greeted(server);
    await peer.send(`^${ENDLESS}$`);
    assertEquals(await peer.rest(), "*");
    await until("the log to say so", () => server.stderr.includes("ms: compute timeout: "));
    // On a busy machine the time of a short task may be over before it has begun.
    await until("another one to be answered", async () => {
      await using other = await greeted(server);
      await other.send("^P8$");
      other.finish();
      return await other.rest() === "*composite\n";
    });
  }, options);

  once(`${mode} answers everybody who asks at once, by means of a queue`, async () => {
    await using server = await serveFrames("--offload", "1");
    const peers = await Promise.all(Array.from({ length: 60 }, () => greeted(server)));
    await Promise.all(peers.map(async (peer, index) => {
      await using asking = peer;
      await asking.send(`^P${index}$^ab$`);
      asking.finish();
      const answer =
        [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59].includes(index)
          ? "prime"
          : "composite";
      assertEquals(await asking.rest(), `*${answer}\nbc`);
    }));
  }, options);

  once(`${mode} ends within its drain time even while it computes`, async () => {
    await using server = await serveFrames("--offload", "1", "--drain", "200ms");
    await using peer = await greeted(server);
    await peer.send(`^${ENDLESS}$`);
    const ending = await server.stop();
    await peer.gone();
    assertEquals(ending.code, 0, ending.stderr);
    assertStringIncludes(totalsIn(ending), "completed 0 · failed 0 · cut 1");
  }, options);

  once(`${mode} survives every way in which a task can fail`, async () => {
    await using server = await ServerProcess.start(mode, ["--protocol", FAULTY, "--offload", "1"]);
    await using peer = await Peer.connect(server.address);
    assertEquals(await ask(peer, "double 21"), "42");
    assertEquals(await ask(peer, "count 1000"), "499500");
    assertEquals(await ask(peer, "throw up"), "failed: asked to throw up");
    const names = Object.keys(tasks).join(", ");
    assertEquals(
      await ask(peer, "missing"),
      `failed: Cannot compute: expected ${names}, current task is "missing"`,
    );
    assertMatch(await ask(peer, "unclonable"), /^failed: ./);
    assertEquals(await ask(peer, "perish"), "perishing");
    // It is the server's message that counts: Deno's own appears before the server knows.
    await until(
      "the death to be said",
      () => /computing thread died: .*perish/.test(server.stderr),
    );
    assertEquals(await ask(peer, "double 4"), "8");
  }, options);

  once(`${mode} computes for those who wait behind an argument that cannot be posted`, async () => {
    await using server = await ServerProcess.start(mode, ["--protocol", FAULTY, "--offload", "1"]);
    const connect = () => Peer.connect(server.address);
    await using first = await connect();
    await using second = await connect();
    await using third = await connect();
    // The other clients wait behind it, in this order.
    await first.send("spin 500\n");
    await second.send("double function\n");
    await third.send("double 3\n");
    assertEquals(await third.line(), "6");
    assertMatch(await second.line(), /^failed: ./);
    assertEquals(await first.line(), "spun");
  }, options);
}

// Deno cannot stop a Worker that computes, and does not end by itself before the task's time is over.
const STUCK: readonly (readonly [string, ...string[]])[] = [
  ["event", "--offload", "1", "--compute-timeout", "100ms"],
  ["cluster", "--workers", "1", "--offload", "0"],
  ["nonblocking", "--offload", "0"],
  ["completion", "--offload", "0"],
  ["threadpool", "--handoff", "fd", "--workers", "1"],
  ["threadpool", "--handoff", "message", "--workers", "1"],
];
for (const [mode, ...args] of STUCK) {
  test(`${mode} ${args.join(" ")} ends although a thread is stuck in a task`, async () => {
    const options = ["--protocol", FAULTY, "--drain", "100ms", ...args];
    await using server = await ServerProcess.start(mode, options);
    await using peer = await Peer.connect(server.address);
    await peer.send("stuck\n");
    await until("the server to take it", () => / accepted /.test(server.stderr));
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertMatch(totalsIn(ending), /^accepted 1 · /);
  }, { sanitize: false, skip: args.includes("fd") ? skip : whyNot(mode) });
}

for (const mode of ["cluster", "nonblocking"]) {
  test(`${mode} replaces a loop that dies, and says so`, async () => {
    const workers = mode === "cluster" ? ["--workers", "1"] : [];
    await using server = await ServerProcess.start(mode, ["--protocol", FAULTY, ...workers]);
    await using peer = await Peer.connect(server.address);
    assertEquals(await ask(peer, "hello"), "hello");
    // A readiness loop has no timers, so nothing that a protocol does later ever runs there.
    if (mode === "nonblocking") return assertEquals(await ask(peer, "die"), "die");
    await peer.send("die\n");
    await peer.gone();
    await until("the death to be said", () => server.stderr.includes("a thread is replaced"));
    await until("the server to serve again", async () => {
      try {
        await using other = await Peer.connect(server.address);
        return await ask(other, "again") === "again";
      } catch {
        return false;
      }
    });
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertMatch(totalsIn(ending), /^accepted (\d+) · .* failed \d+ \(.*other 1.*\) · cut 0/);
  }, { sanitize: false, skip: mode === "nonblocking" ? skip : undefined });
}

test("cluster spreads connections over its loops, and adds up their counters", async () => {
  await using server = await ServerProcess.start("cluster", [
    "--protocol",
    "echo",
    "--workers",
    "3",
  ]);
  assertMatch(server.greeting, / · 3 event loops · SO_REUSEPORT · /);
  await Promise.all(Array.from({ length: 60 }, async (_, index) => {
    await using peer = await Peer.connect(server.address);
    await peer.send(`${index}`);
    peer.finish();
    assertEquals(await peer.rest(), `${index}`);
  }));
  const ending = await server.stop();
  assertEquals(ending.code, 0, ending.stderr);
  assertEquals(totalsIn(ending), "accepted 60 · completed 60 · failed 0 · cut 0");
}, { sanitize: false });

test("cluster refuses a port that another cluster already shares", async () => {
  await using server = await ServerProcess.start("cluster", ["--workers", "1"]);
  const { port } = server.address;
  const { message } = await assertRejects(() => serveCluster({ port, workers: 1 }), Error);
  assertStringIncludes(message, `127.0.0.1:${port}: address already in use`);
}, { sanitize: false });

test("cluster says in one line that its address does not belong to this machine", async () => {
  // RFC 5737: an address for documentation, which no machine has.
  await using script = new Script("modes/cluster.ts", ["0", "--host", "192.0.2.1"]);
  const { code, stdout, stderr } = await script.end();
  assertEquals([code, stdout], [1, ""], stderr);
  assertMatch(stderr, /^cluster: Cannot listen on 192\.0\.2\.1:0: [^\n]*\n$/);
}, { sanitize: false });

test("cluster says in one error that listeners cannot share a port", async () => {
  const deno = (globalThis as unknown as { Deno: { listenDatagram?: unknown } }).Deno;
  const { listenDatagram } = deno;
  // This is the state of a program whose own deno.json lacks `"unstable": ["net"]`.
  delete deno.listenDatagram;
  try {
    const { message } = await assertRejects(() => serveCluster({ port: 0 }), Error);
    assertStringIncludes(message, '"unstable": ["net"]');
  } finally {
    deno.listenDatagram = listenDatagram;
  }
}, {
  sanitize: false,
  skip: runtime.name === "deno" ? undefined : `${runtime.name} always allows it`,
});

for (const poller of ["epoll", "poll"]) {
  test(
    `nonblocking by ${poller} keeps what a slow reader has not taken, and serves others`,
    async () => {
      const args = ["--protocol", "echo", "--poller", poller];
      await using server = await ServerProcess.start("nonblocking", args);
      assertStringIncludes(server.greeting, ` · 1 thread · ${poller} · `);
      await using slow = await Peer.connect(server.address);
      slow.pause();
      const piece = "0123456789abcdef".repeat(4096);
      // It is more than the kernel's buffers at both ends can hold.
      const sent = Promise.all(Array.from({ length: 256 }, () => slow.send(piece)));
      await using quick = await Peer.connect(server.address);
      await quick.send("quick\n");
      assertEquals(await quick.line(), "quick");
      slow.resume();
      await sent;
      slow.finish();
      assert(await slow.rest() === piece.repeat(256), "every byte came back in order");
    },
    { sanitize: false, skip: runtime.os === "linux" ? skip : "only Linux has epoll" },
  );
}

/** Limits on a clock of their own. */
class SetClock extends Deadlines {
  #now = 0;

  override get now(): number {
    return this.#now;
  }

  /** When the first limit is reached; `undefined` if none is set. */
  get nextAt(): number | undefined {
    const heads = [...this.queues.values()].flatMap(({ head }) => head === undefined ? [] : [head]);
    return heads.length === 0 ? undefined : Math.min(...heads.map(({ at }) => at));
  }

  /** Somebody takes a while. */
  pass(ms: number): void {
    this.#now += ms;
  }

  /** It is another time. */
  set time(now: number) {
    this.#now = now;
    for (const queue of this.queues.values()) this.expireIn(queue, now, 0);
  }
}

test("a loop collects its garbage once when it comes to rest, and is then left alone", () => {
  const clock = new SetClock();
  let collected = 0;
  let takesMs = 0;
  const rest = new Rest(clock, () => {
    collected++;
    clock.pass(takesMs);
  });
  const turns = (count: number) => {
    for (let turn = 0; turn < count; turn++) rest.turn();
  };
  // It works for a second, and is not held up meanwhile.
  for (let now = 0; now < 1_000; now += 50) {
    clock.time = now;
    turns(20);
  }
  assertEquals([collected, clock.nextAt], [0, 1_000]);
  clock.time = 1_000;
  assertEquals([collected, clock.nextAt], [0, 1_250]);
  // To see that wakes it, which is a turn.
  turns(1);
  clock.time = 1_250;
  assertEquals([collected, clock.nextAt], [1, undefined]);
  // Little has happened since then.
  turns(5);
  clock.time = 2_000;
  assertEquals([collected, clock.nextAt], [1, undefined]);
  // A collection that takes long is not followed by another one soon.
  takesMs = 100;
  turns(1_000);
  clock.time = 3_000;
  clock.time = 4_000;
  turns(1_000);
  clock.time = 5_000;
  clock.time = 6_000;
  assertEquals(collected, 2);
  assert((clock.nextAt ?? 0) > 6_000);
}, { pure: true });
