/**
 * One contract for every mode, hand-off and runtime: real processes and real sockets.
 *
 * @module
 */

import { createServer } from "node:net";
import { parseFlags, UsageError } from "../../engine/cli/flags.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { MODE_NAMES, type ModeName, MODES } from "../../modes/catalogue.ts";
import type { Address } from "../../protocol.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
  assertThrows,
  delay,
  test,
  type TestOptions,
  until,
} from "../kit/harness.ts";
import { finishHandshake, handshake, Peer } from "../kit/peer.ts";
import {
  computesInPlace,
  DAILY,
  failedAs,
  failureOf,
  forOne,
  numberOf,
  type Row,
  ROWS,
  Shared,
  wasEmpty,
  whyFew,
} from "../kit/rows.ts";
import { countsIn, Script, ServerProcess, totalsIn, whyNoLimit } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

/** Waits until nobody listens on the address. */
async function isClosed(address: Address): Promise<void> {
  await until(`port ${address.port} to be closed`, async () => {
    try {
      await using _peer = await Peer.connect(address);
    } catch {
      return true;
    }
    // A closing server goes on accepting while clients keep coming, so there must not be too many.
    await delay(40);
    return false;
  });
}

/** Begins a handshake and waits for the answer, so that the server is in the middle of it. */
async function halfway(address: Address, x: number): Promise<Peer> {
  const peer = await Peer.connect(address);
  await peer.send(`HELLO ${x}\n`);
  assertEquals(await peer.line(), `HELLO ${x + 1}`);
  return peer;
}

/** How often a client may be held up for longer than a read may wait, by others on a busy machine. */
const MOST_LATE = 5;

/** How often each kind of failure appears in a log. */
function failuresIn(log: string): string {
  const kinds = new Map<string, number>();
  for (const [, kind = ""] of log.matchAll(/ failed \S+ after [0-9.]+ ms: ([a-z ]+): /g)) {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const total = [...kinds.values()].reduce((sum, count) => sum + count, 0);
  return `${total} ${[...kinds].map(([kind, count]) => `${kind} ${count}`).sort().join(", ")}`;
}

/** Why those for whom there are no descriptors do not wait in the accept queue. */
function whyTurnedAway({ mode, args }: Row): string | undefined {
  const isItsListener = mode === "event" || mode === "cluster" || args.includes("message");
  return runtime.name === "bun" && isItsListener
    ? "Bun accepts by itself, and whom it has no descriptors for is refused"
    : undefined;
}

function contract(row: Row): void {
  const { name, mode, args, concurrent } = row;
  const shared = new Shared(row);
  const start = (...more: string[]) => ServerProcess.start(mode, [...args, ...more]);
  const startForOne = (...more: string[]) => ServerProcess.start(mode, [...forOne(row), ...more]);

  /** The server outlives the test, so the runner cannot check what a test opens and closes. */
  const check = (what: string, body: () => Promise<void>, options: TestOptions = {}) =>
    test(`${name} ${what}`, body, { skip: row.skip, sanitize: false, ...options });
  // Each needs a server of its own.
  const once = takeTurns(numberOf(row), check);

  check(`runs on ${runtime.name} ${runtime.version} and says where it listens`, async () => {
    const { greeting } = await shared.get();
    assertMatch(greeting, /^Listening on 127\.0\.0\.1:[1-9]\d* · /);
    assertStringIncludes(greeting, ` · ${mode} · hello · `);
    assertMatch(greeting, row.greeting);
    assert(greeting.endsWith(` · ${navigator.userAgent.toLowerCase().replace("/", " ")}`));
  });

  check("prints each received message alone on its line", async () => {
    const server = await shared.get();
    await handshake(server.address, 100);
    await until("the messages to be printed", () => /\nHELLO 102\n/.test(server.stdout));
    assertStringIncludes(server.stdout, `${server.greeting}\nHELLO 100\nHELLO 102\n`);
  });

  for (
    const [framing, end] of [["\\n", "\n"], ["\\r\\n", "\r\n"], ["\\0", "\0"], [
      "nothing",
      "",
    ]] as const
  ) {
    check(`accepts messages that end with ${framing}`, async () => {
      const { address } = await shared.get();
      await using peer = await Peer.connect(address);
      await peer.send(`HELLO 7${end}`);
      assertEquals(await peer.line(), "HELLO 8");
      await peer.send(`HELLO 9${end}`);
      assertEquals(await peer.rest(), "");
    });
  }

  check("accepts a byte at a time, and both messages in one segment", async () => {
    const { address } = await shared.get();
    await using slow = await Peer.connect(address);
    for (const byte of "\tHELLO  -1 \r\n") {
      await slow.send(byte);
      await delay(0);
    }
    assertEquals(await slow.line(), "HELLO 0");
    for (const byte of "HELLO +1\0") {
      await slow.send(byte);
      await delay(0);
    }
    assertEquals(await slow.rest(), "");
    await using fast = await Peer.connect(address);
    await fast.send("HELLO 2147483647\nHELLO -2147483647\n");
    assertEquals(await fast.rest(), "HELLO -2147483648\n");
  });

  check("accepts a first message and the beginning of the last in one segment", async () => {
    const { address } = await shared.get();
    await using peer = await Peer.connect(address);
    await peer.send("HELLO 5\nH");
    assertEquals(await peer.line(), "HELLO 6");
    // It is long enough to reach the place where the beginning was received.
    await peer.send("ELLO            7\n");
    assertEquals(await peer.rest(), "");
  });

  check("serves a client that half-closes with its last message", async () => {
    const { address } = await shared.get();
    await using peer = await Peer.connect(address);
    await peer.send("HELLO 5\nHELLO 7\n");
    peer.finish();
    assertEquals(await peer.rest(), "HELLO 6\n");
  });

  check("answers 40 clients at once", async () => {
    const { address } = await shared.get();
    const clients = Array.from({ length: 40 }, (_, index) => index * 10);
    const peers = await Promise.all(clients.map(() => Peer.connect(address)));
    await Promise.all(peers.map(async (peer, index) => {
      await using client = peer;
      const x = clients[index] as number;
      await finishHandshake(await client.send(`HELLO ${x}\n`), x);
    }));
  });

  check(
    concurrent ? "serves a second client while the first is silent" : "lets the second client wait",
    async () => {
      const { address } = await shared.get();
      await using first = await halfway(address, 10);
      await using second = await Peer.connect(address);
      await second.send("HELLO 20\n");
      if (concurrent) await finishHandshake(second, 20);
      await first.send("HELLO 12\n");
      if (!concurrent) assertEquals(second.heard, "");
      assertEquals(await first.rest(), "");
      if (!concurrent) await finishHandshake(second, 20);
    },
  );

  const WRONG: readonly (readonly [string, string, string, string])[] = [
    ["a malformed message", "malformed", "garbage\n", 'expected HELLO <number>, got "garbage"'],
    [
      "a number out of range",
      "out of range",
      "HELLO 2147483648\n",
      "expected -2147483648 to 2147483647, got 2147483648",
    ],
    ["a wrong last number", "mismatch", "HELLO 1\nHELLO 4\n", "expected HELLO 3, got HELLO 4"],
    [
      "a message of 65 bytes",
      "too long",
      `${"x".repeat(65)}\n`,
      `expected at most 64 bytes, got "${"x".repeat(21)}..."`,
    ],
    [
      "a line of 1 MB",
      "too long",
      `${"x".repeat(1_000_000)}\n`,
      `expected at most 64 bytes, got "${"x".repeat(21)}..."`,
    ],
  ];
  for (const [what, kind, text, answer] of WRONG) {
    check(`answers ${what} with an ERROR line, and counts it as ${kind}`, async () => {
      const server = await shared.get();
      await using peer = await Peer.connect(server.address);
      await peer.send(text);
      const rest = await peer.rest();
      assertEquals(rest.replace(/^HELLO 2\n/, ""), `ERROR ${answer}\n`);
      peer.finish();
      await failedAs(server, peer, kind);
    });
  }

  check("escapes what a peer sent before it is printed", async () => {
    const server = await shared.get();
    await using peer = await Peer.connect(server.address);
    await peer.send("\x1b[2J\u009b\r\rx\n");
    assertEquals(
      await peer.rest(),
      'ERROR expected HELLO <number>, got "\\x1b[2J\\x9b\\r\\rx"\n',
    );
    peer.finish();
    await failedAs(server, peer, "malformed");
    assertStringIncludes(server.stderr, "\\x1b[2J\\x9b");
    // deno-lint-ignore no-control-regex -- control characters are what this is about
    assertNotMatch(server.stdout + server.stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  });

  check("says nothing more to a peer that refuses", async () => {
    const server = await shared.get();
    await using peer = await Peer.connect(server.address);
    await peer.send("ERROR no\n");
    assertEquals(await peer.rest(), "");
    await failedAs(server, peer, "rejected");
  });

  const STEPS: readonly (readonly [string, string, boolean])[] = [
    ["before a word", "", false],
    ["in the middle of the first message", "HEL", false],
    ["without reading the answer", "HELLO 1\n", false],
    ["after the answer", "HELLO 1\n", true],
    ["in the middle of the last message", "HELLO 1\nHELLO", true],
  ];
  check("goes on when a client resets its connection, at every step", async () => {
    const server = await shared.get();
    for (const [, text, reads] of STEPS) {
      const peer = await Peer.connect(server.address);
      if (text !== "") await peer.send(text);
      if (reads) await peer.line();
      peer.reset();
      if (reads) await failedAs(server, peer, "peer gone");
      await handshake(server.address, 1);
    }
  });

  check("goes on when a client leaves without a word, at every step", async () => {
    const server = await shared.get();
    for (const [, text, reads] of STEPS) {
      const peer = await Peer.connect(server.address);
      if (text !== "") await peer.send(text);
      if (reads) await peer.line();
      await peer[Symbol.asyncDispose]();
      if (text === "") await wasEmpty(server, peer);
      else await failedAs(server, peer, "peer gone");
      await handshake(server.address, 1);
    }
  });

  check(
    "lets a half-way handshake finish when it is told to end, and exits with 0",
    async () => {
      await using server = await shared.get();
      await using peer = await halfway(server.address, 50);
      server.signal("SIGTERM");
      await isClosed(server.address);
      await peer.send("HELLO 52\n");
      assertEquals(await peer.rest(), "");
      const ending = await server.end();
      assertEquals([ending.code, ending.signal], [0, null]);
      const { accepted, completed, failed, cut, empty } = countsIn(ending);
      assertEquals(cut, 0);
      assertEquals(accepted, completed + failed + empty);
      const kinds = / failed \d+ \(([^)]*)\)/.exec(totalsIn(ending))?.[1]?.split(", ").sort()
        .join(", ");
      assertEquals(
        `${failed} ${kinds}`,
        failuresIn(ending.stderr),
        "the totals agree with the log",
      );
      assertEquals(completed, ending.stderr.split(" done ").length - 1);
      assertEquals(accepted, ending.stderr.split(" accepted ").length - 2);
      assertMatch(ending.stdout, /\nHELLO 52\n/);
    },
  );

  once("abandons a peer that is silent, and one that drips", async () => {
    await using server = await start("--read-timeout", "450ms", "--session-timeout", "600ms");
    const silent = async () => {
      await using peer = await Peer.connect(server.address);
      assertEquals(await peer.rest(), "");
      await failedAs(server, peer, "read timeout");
    };
    let late = 0;
    const drips = async (): Promise<void> => {
      await using peer = await Peer.connect(server.address);
      let isOver = false;
      const over = peer.gone().then(() => isOver = true);
      for (let byte = 0; !isOver && byte < 60; byte++) {
        await peer.send(" ");
        await delay(25);
      }
      await over;
      const failure = await failureOf(server, peer);
      if (!failure.startsWith("read timeout: ") || late === MOST_LATE) {
        return assertMatch(failure, /^handshake timeout: /);
      }
      // Others have used the processor, and it was silent for as long as a read may wait.
      late++;
      await drips();
    };
    if (concurrent) await Promise.all([silent(), drips()]);
    else {
      await silent();
      await drips();
    }
    await handshake(server.address, 1);
    const ending = await server.stop("SIGINT");
    assertEquals(ending.code, 0);
    const failed = `failed ${2 + late} (read timeout ${1 + late}, handshake timeout 1)`;
    assertStringIncludes(totalsIn(ending), failed);
  });

  once("with --quiet and --drain 300ms cuts a silent client and prints two lines", async () => {
    await using server = await startForOne("--quiet", "--drain", "300ms");
    await handshake(server.address, 1);
    await using wrong = await Peer.connect(server.address);
    await wrong.send("garbage\n");
    await wrong.rest();
    await wrong[Symbol.asyncDispose]();
    await using peer = await halfway(server.address, 5);
    const ending = await server.stop();
    await peer.gone();
    assertEquals(ending.code, 0);
    assertEquals(ending.stdout, `${server.greeting}\n`);
    assertEquals(totalsIn(ending), "accepted 3 · completed 1 · failed 1 (malformed 1) · cut 1");
    assertEquals(ending.stderr.trim().split("\n").length, 1);
  });

  once("with --drain 0 cuts at once, and logs JSON lines with --log-format json", async () => {
    await using server = await startForOne("--drain", "0", "--log-format", "json");
    await using peer = await halfway(server.address, 5);
    const ending = await server.stop();
    await peer.gone();
    assertEquals(ending.code, 0);
    const records = ending.stderr.trim().split("\n").map((line) => JSON.parse(line));
    assert(records.length >= 3);
    const totals = records.at(-1);
    assertEquals([totals.accepted, totals.completed, totals.cut], [1, 0, 1]);
    assertEquals(records[0].peer, peer.name);
    // The thread ended its connection itself and did not have to be terminated.
    assertNotMatch(ending.stderr, /did not end in time/);
  });

  once(
    "begins to end when its terminal hangs up, and at a second signal ends at once",
    async () => {
      await using server = await startForOne();
      await using peer = await halfway(server.address, 5);
      server.signal(runtime.os === "windows" ? "SIGINT" : "SIGHUP");
      await isClosed(server.address);
      // The kernel and a shell may both say that the terminal is gone.
      if (runtime.os !== "windows") server.signal("SIGHUP");
      assertEquals(server.isOver, false);
      server.signal("SIGTERM");
      const ending = await server.end();
      assertEquals([ending.code, ending.signal], [130, null]);
      await peer.gone();
    },
  );

  once("with --max-connections 1 serves one by one, even those who wait at its end", async () => {
    await using server = await start("--max-connections", "1");
    const { address } = server;
    await using first = await halfway(address, 10);
    await using second = await Peer.connect(address);
    await second.send("HELLO 20\n");
    await delay(20);
    assertEquals(second.heard, "");
    await first.send("HELLO 12\n");
    await first.rest();
    await finishHandshake(second, 20);

    await using busy = await halfway(address, 30);
    const waiting = await Promise.all([1, 2, 3, 4, 5].map(async (x) => {
      const peer = await Peer.connect(address);
      return await peer.send(`HELLO ${x}\n`);
    }));
    server.signal("SIGTERM");
    await isClosed(address);
    await busy.send("HELLO 32\n");
    assertEquals(await busy.rest(), "");
    await Promise.all(waiting.map((peer, index) => finishHandshake(peer, index + 1)));
    await Promise.all(waiting.map((peer) => peer[Symbol.asyncDispose]()));
    const ending = await server.end();
    assertEquals(ending.code, 0);
    assertStringIncludes(totalsIn(ending), " · completed 8 · ");
    assertStringIncludes(totalsIn(ending), " · cut 0");
  });

  once("runs out of descriptors without harm, and serves again when some are free", async () => {
    await using server = await ServerProcess.start(mode, args, { descriptors: 96 });
    await handshake(server.address, 1);
    const peers = await Promise.all(
      Array.from({ length: 100 }, () => Peer.connect(server.address)),
    );
    await delay(100);
    assertEquals(server.isOver, false, server.stderr);
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
    // Until the server has closed them too, it may have to turn others away.
    await until(
      "the server to serve again",
      () => handshake(server.address, 5).then(() => true, () => false),
    );
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertStringIncludes(totalsIn(ending), " · completed 2 · ");
  }, { skip: row.skip ?? whyNoLimit, timeoutMs: 30_000 });

  once("loses nobody who waits for descriptors when it closes", async () => {
    const flags = [...args, "--protocol", "echo", "--drain", "60s"];
    await using server = await ServerProcess.start(mode, flags, { descriptors: 96 });
    const peers = await Promise.all(
      Array.from({ length: 150 }, () => Peer.connect(server.address)),
    );
    // Meanwhile it waits longer and longer between its attempts to accept.
    await delay(400);
    server.signal("SIGTERM");
    await delay(100);
    await Promise.all(peers.map(async (peer, index) => {
      await peer.send(`${index}`);
      peer.finish();
      assertEquals(await peer.rest(), `${index}`);
    }));
    await Promise.all(peers.map((peer) => peer[Symbol.asyncDispose]()));
    const ending = await server.end();
    assertEquals(ending.code, 0, ending.stderr);
    assertStringIncludes(totalsIn(ending), "accepted 150 · completed 150 · ");
  }, { skip: row.skip ?? whyNoLimit ?? whyTurnedAway(row) ?? whyFew(row), timeoutMs: 30_000 });

  once("exits with 1 and one line if the port is in use", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    await using script = new Script(`modes/${mode}.ts`, [String(port), ...args]);
    const { code, stdout, stderr } = await script.end();
    await new Promise((resolve) => other.close(resolve));
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, new RegExp(`^${mode}: .*127\\.0\\.0\\.1:${port}: .*\n$`));
    assertMatch(stderr, /address.*in use/i);
  });
}

// The hello protocol computes nothing.
test("every mode has a row in the table of these tests", () => {
  const inRows = [...new Set<string>(ROWS.map(({ mode }) => mode))];
  assertEquals(inRows.sort(), [...MODE_NAMES].sort());
});

for (const row of DAILY) if (!computesInPlace(row)) contract(row);

// The command line that all modes share.

for (const [index, mode] of (Object.keys(MODES) as ModeName[]).entries()) {
  const once = takeTurns(index, test);
  once(`${mode} refuses what it does not know on one line that says what is allowed`, async () => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [["--frob"], /--frob.*--max-connections/],
      [["70000"], /<port>.*0 to 65535.*"70000"/],
      [["0", "--read-timeout", "soon"], /--read-timeout.*500ms.*"soon"/],
      ...(mode.startsWith("thread")
        ? [[["0", "--handoff", "pigeon"], /--handoff.*fd or message.*"pigeon"/]] as const
        : []),
    ];
    const { command } = await (await MODES[mode].load()).program();
    for (const [args, expected] of wrong) {
      assertMatch(assertThrows(() => parseFlags(command, args), UsageError).message, expected);
    }
    // What a program makes of that is the same for each of them.
    const tried = mode === "event" ? wrong : [wrong.at(index % wrong.length) as typeof wrong[0]];
    await Promise.all(tried.map(async ([args, expected]) => {
      await using script = new Script(`modes/${mode}.ts`, args);
      const { code, stdout, stderr } = await script.end();
      assertEquals([code, stdout], [2, ""], stderr);
      assertMatch(stderr, expected);
      assertMatch(stderr, new RegExp(`^${mode}: [^\n]*\n$`));
    }));
  }, { sanitize: false });

  once(`${mode} shows its help`, async () => {
    await using help = new Script(`modes/${mode}.ts`, ["--help"]);
    const helped = await help.end();
    assertEquals([helped.code, helped.stderr], [0, ""]);
    assertMatch(helped.stdout, new RegExp(`^${mode}: .*\n\nusage: ${mode} \\[port\\] \\[flags\\]`));
    for (const flag of ["host", "protocol", "drain", "quiet", "log-format", "help", "version"]) {
      assertStringIncludes(helped.stdout, ` --${flag}`);
    }
  }, { sanitize: false });
}

test("every mode takes its version from the same place", async () => {
  await Promise.all(["event", "berkeley"].map(async (mode) => {
    await using script = new Script(`modes/${mode}.ts`, ["--version"]);
    const { code, stdout, stderr } = await script.end();
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `${runtime.name} ${runtime.version}`);
  }));
}, { sanitize: false });

test("event listens on a name, and says which address the name means", async () => {
  await using server = await ServerProcess.start("event", ["--host", "localhost", "--quiet"]);
  assertMatch(server.greeting, /^Listening on (127\.0\.0\.1|\[::1\]):\d+ /);
  await handshake(server.address, 1);
  assertEquals((await server.stop()).code, 0);
}, { sanitize: false });

test("an address that is not allowed gives one line and status 1", async () => {
  for (const mode of ["event", "threadpool"]) {
    // TEST-NET-1 of RFC 5737: no machine has it.
    await using script = new Script(`modes/${mode}.ts`, ["0", "--host", "192.0.2.1"]);
    const { code, stdout, stderr } = await script.end();
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, new RegExp(`^${mode}: [^\n]*192\\.0\\.2\\.1[^\n]*\n$`));
  }
}, { sanitize: false });

const noPermissions = {
  sanitize: false,
  skip: runtime.name === "deno" ? undefined : `${runtime.name} has no permissions`,
};

for (const mode of ["sequential", "threaded", "threadpool"]) {
  test(`${mode} without permission for foreign functions says so, and serves`, async () => {
    const permissions = ["--allow-net", "--allow-read"];
    await using server = await ServerProcess.start(mode, [], { permissions });
    assertMatch(server.greeting, /(messages|listener): [^·]*--allow-ffi/);
    await handshake(server.address, 1);
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertStringIncludes(totalsIn(ending), " · completed 1 · ");
  }, noPermissions);
}
