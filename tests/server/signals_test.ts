/**
 * The signals that end a server: at its start, as under nohup(1), and as the first process of a
 * container. That SIGTERM, SIGINT and SIGHUP let connections finish in every mode is in
 * `tests/modes/modes_test.ts`.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { runtime } from "../../engine/net/runtime.ts";
import { Folder } from "../kit/folder.ts";
import { assertEquals, assertStringIncludes, delay, test, until } from "../kit/harness.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { childrenOf, signalTo } from "../kit/processes.ts";
import { commandOf, type Ending, Program, Script } from "../kit/server_process.ts";

const SLOW = "./tests/kit/protocols/slow_start.ts";

const whyNoHangUps = runtime.os === "windows" ? "Windows has no SIGHUP" : undefined;

/** Makes a process its namespace's first, with a proc(5) of its own, as in a container. */
const CONTAINER = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];

/** Why there can be no such namespace here; `undefined` if there can. */
function whyNoContainer(): string | undefined {
  if (runtime.os !== "linux") return `${runtime.os} has no namespaces`;
  const [unshare = "", ...args] = CONTAINER;
  return spawnSync(unshare, [...args, "true"]).status === 0
    ? undefined
    : "no namespace of processes can be made";
}

/** A server on a free port, whatever program starts it. */
class Started extends Program {
  /** Waits until it listens. */
  async port(): Promise<number> {
    await this.printed("Listening on ");
    return Number(/^Listening on [^ ]*:(\d+) /m.exec(this.stdout)?.[1]);
  }

  /** Sends a signal to its only child, if it still has one. */
  signalChild(name: "SIGINT" | "SIGTERM"): void {
    for (const child of childrenOf(this.pid)) signalTo(child, name);
  }
}

/** A server whose protocol takes so long to load, in milliseconds, that a signal comes meanwhile. */
function startSlowly(ms: number): Started {
  const environment = { ...process.env as Record<string, string>, LOADING_MS: `${ms}` };
  return new Started(commandOf("modes/event.ts", ["0", "--protocol", SLOW]), { environment });
}

/** Starts the server of a mode by way of another program. */
function startBy(wrapper: readonly string[], mode: string, ...args: string[]): Started {
  return new Started([...wrapper, ...commandOf(`modes/${mode}.ts`, ["0", ...args])]);
}

/** Begins a handshake, so that the server is in the middle of it. */
async function halfway(port: number): Promise<Peer> {
  const peer = await Peer.connect({ hostname: "127.0.0.1", port });
  await peer.send("HELLO 1\n");
  assertEquals(await peer.line(), "HELLO 2");
  return peer;
}

test("who is asked to end and stops listening is not ended by a second hang-up", async () => {
  await using script = new Script("tests/kit/hung_up.ts", []);
  await script.printed("listens\n");
  script.signal("SIGHUP");
  await script.printed("has stopped\n");
  script.signal("SIGHUP");
  script.finish();
  const { code, stdout } = await script.end();
  assertEquals([code, stdout], [0, "listens\nhas stopped\nhas written\n"]);
}, { skip: whyNoHangUps });

test(
  "a server that was started by nohup outlives its terminal, and still hears SIGTERM",
  async () => {
    const ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"];
    await Promise.all(["event", "threadpool"].map(async (mode) => {
      await using server = startBy(ignoring, mode);
      const port = await server.port();
      await using peer = await halfway(port);
      server.signal("SIGHUP");
      await handshake({ hostname: "127.0.0.1", port }, 1);
      server.signal("SIGTERM");
      await peer.send("HELLO 3\n");
      assertEquals(await peer.rest(), "");
      assertEquals((await server.end()).code, 0, server.stderr);
    }));
  },
  { sanitize: false, skip: whyNoHangUps },
);

test(
  "where a server may not see whether SIGHUP was ignored, SIGHUP ends it, and the help says so",
  async () => {
    const ignoring = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"];
    const command = commandOf("modes/event.ts", ["0"], {
      permissions: ["--allow-net", "--allow-read=."],
    });
    await using server = new Started([...ignoring, ...command]);
    await server.port();
    server.signal("SIGHUP");
    const ending = await server.end();
    assertEquals([ending.code, ending.signal], [0, null], ending.stderr);
    await using helper = new Program(commandOf("modes/event.ts", ["--help"]));
    assertStringIncludes((await helper.end()).stdout, "where that may not be read, SIGHUP lets");
  },
  {
    sanitize: false,
    skip: whyNoHangUps ?? (runtime.name === "bun" ? "Bun has no permissions" : undefined),
  },
);

test("a server that is asked to end while it starts still starts, and ends in order", async () => {
  await using server = startSlowly(100);
  await server.printed("loading");
  server.signal("SIGTERM");
  const ending = await server.end();
  assertEquals(ending.code, 0, ending.stderr);
  assertStringIncludes(ending.stderr, "totals: accepted 0");
}, { sanitize: false, skip: whyNoHangUps });

test("a signal ends a server that does not finish to start with status 130", async () => {
  const ending = async (signal: "SIGTERM" | "SIGHUP"): Promise<Ending> => {
    await using server = startBy([], "event", "--protocol", SLOW);
    await server.printed("loading");
    server.signal(signal);
    return await server.end();
  };
  for (const { code, stdout } of await Promise.all([ending("SIGTERM"), ending("SIGHUP")])) {
    assertEquals([code, stdout], [130, "loading\n"]);
  }
}, { sanitize: false, skip: whyNoHangUps });

test("a terminal that says twice that it is gone ends a server once", async () => {
  await using server = startBy([], "event", "--protocol", "echo");
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port: await server.port() });
  for (const word of ["a", "b", "c"]) {
    await peer.send(`${word}\n`);
    assertEquals(await peer.line(), word);
    server.signal("SIGHUP");
  }
  peer.finish();
  assertEquals(await peer.rest(), "");
  assertEquals((await server.end()).code, 0);
}, { sanitize: false, skip: whyNoHangUps });

const whyNot = whyNoContainer();

for (const [signal, mode] of [["SIGTERM", "threadpool"], ["SIGINT", "event"]] as const) {
  test(
    `as the first process of a container ${mode} finishes at ${signal}, and the container ends`,
    async () => {
      await using container = startBy(CONTAINER, mode);
      const port = await container.port();
      await using peer = await halfway(port);
      container.signalChild(signal);
      await until("the server to have heard", async () => {
        try {
          await using _late = await Peer.connect({ hostname: "127.0.0.1", port });
        } catch {
          return true;
        }
        // A closing server goes on accepting while clients keep coming, so there must not be many.
        await delay(40);
        return false;
      });
      await peer.send("HELLO 3\n");
      assertEquals(await peer.rest(), "");
      const ending = await container.end();
      assertEquals(ending.code, 0, ending.stderr);
      assertStringIncludes(ending.stderr, "completed 1");
    },
    { sanitize: false, skip: whyNot },
  );
}

test("as the first process of a container a server hears SIGTERM while it starts", async () => {
  await using container = startBy(CONTAINER, "event", "--protocol", SLOW);
  await container.printed("loading");
  container.signalChild("SIGTERM");
  assertEquals((await container.end()).code, 130);
}, { sanitize: false, skip: whyNot });

const SPIN = ["--protocol", "./tests/kit/protocols/spin.ts", "--drain", "100ms"];

test("as the first process of a container a server whose loop is stuck ends", async () => {
  await using container = startBy(CONTAINER, "event", ...SPIN);
  await using peer = await Peer.connect({ hostname: "127.0.0.1", port: await container.port() });
  assertEquals(await (await peer.send("now\nspin\n")).line(), "now");
  // Bun does not hear of a signal before the loop is late.
  await until("the container to end", async () => {
    if (!container.isOver) container.signalChild("SIGTERM");
    await delay(100);
    return container.isOver;
  });
  assertEquals((await container.end()).code, 128 + 15);
}, { sanitize: false, skip: whyNot });

test(
  "a server that was started by nohup outlives its terminal while its loop is stuck",
  async () => {
    const nohup = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"];
    await using server = startBy(nohup, "event", ...SPIN, "--stall", "1200ms");
    await using peer = await Peer.connect({ hostname: "127.0.0.1", port: await server.port() });
    using folder = new Folder();
    const file = folder.path("enough");
    await peer.send(`until ${file}\n`);
    await server.printed(" has not turned for ", "stderr");
    server.signal("SIGHUP");
    // Another signal would have been taken for the end by now.
    await delay(1_000);
    writeFileSync(file, "");
    assertEquals(await peer.line(), `until ${file}`);
    server.signal("SIGTERM");
    const ending = await server.end();
    assertEquals([ending.code, ending.signal], [0, null], ending.stderr);
  },
  {
    sanitize: false,
    skip: runtime.os === "linux" ? undefined : "only proc(5) tells what is ignored",
  },
);
