/**
 * Every protocol except hello in every mode: real processes and real sockets. What concerns a
 * protocol alone is tested in `frame_test.ts`, `print_test.ts` and `examples_test.ts`.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  assert,
  assertEquals,
  assertNotMatch,
  assertStringIncludes,
  delay,
  test,
  type TestOptions,
  until,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import {
  computesInPlace,
  DAILY,
  failedAs,
  forOne,
  hasTurn,
  type Row,
  Shared,
} from "../kit/rows.ts";
import { countsIn, ServerProcess, totalsIn } from "../kit/server_process.ts";

/**
 * A prime that takes about a quarter of a second: the largest one below 2^55. A brief request takes
 * a hundredth of that.
 */
const LONG = 36028797018963913n;

/** Registers a test that uses the server of its row and protocol. */
type Check = (
  what: string,
  body: (server: ServerProcess) => Promise<void>,
  options?: TestOptions,
) => void;

/** Registers the tests of a protocol in a mode. They share a server, and the last test ends it. */
function contract(row: Row, protocol: string, declare: (check: Check) => void): void {
  // Where the loop itself computes, a signal does not wait for it when it is watched.
  const watch = computesInPlace(row) ? ["--stall", "0"] : [];
  const shared = new Shared(row, "--protocol", protocol, ...watch);
  const name = protocol.replace(/^.*\/|\.ts$/g, "");
  const check: Check = (what, body, options = {}) =>
    test(`${row.name}: ${name} ${what}`, async () => await body(await shared.get()), {
      skip: row.skip,
      sanitize: false,
      ...options,
    });
  check("says which mode and protocol it is", ({ greeting }) => {
    assertStringIncludes(greeting, ` · ${row.mode} · ${name} · `);
    return Promise.resolve();
  });
  declare(check);
  check("has counted every conversation when it ends", async (server) => {
    const ending = await server.stop();
    assertEquals([ending.code, ending.signal], [0, null], ending.stderr);
    const { accepted, completed, failed, cut, empty } = countsIn(ending);
    assertEquals([accepted, cut], [completed + failed + empty, 0], ending.stderr);
    assertNotMatch(ending.stderr, / ERR /);
  });
}

/** Connects to a `frame` server and waits for its greeting. */
async function connectFrame({ address }: ServerProcess): Promise<Peer> {
  const peer = await Peer.connect(address);
  assertEquals(await peer.take(1), "*");
  return peer;
}

function frames(row: Row): void {
  contract(row, "frame", (check) => {
    check("answers each byte before the end marker has arrived", async (server) => {
      await using peer = await connectFrame(server);
      await peer.send("ignored^");
      for (
        const [byte, answer] of [["a", "b"], ["^", "_"], ["\xff", "\x00"], ["P", "Q"]] as const
      ) {
        await peer.send(byte);
        assertEquals(await peer.take(1), answer);
      }
      await peer.send("$ignored");
      peer.finish();
      assertEquals(await peer.rest(), "");
    });

    check("answers everything in one segment, questions and data, in order", async (server) => {
      await using peer = await connectFrame(server);
      await peer.send("^ab$^P7$^cd$x^P8$^P18446744073709551615$^$^e$^P2$^f");
      peer.finish();
      assertEquals(await peer.rest(), "bcprime\ndecomposite\ncomposite\nfprime\ng");
    });

    check("accepts a question one byte at a time", async (server) => {
      await using peer = await connectFrame(server);
      for (const byte of "^P65537$") {
        await peer.send(byte);
        await delay(0);
      }
      assertEquals(await peer.take(6), "prime\n");
    });

    const REFUSED = [
      ["^a$^P12x", "b", "malformed"],
      ["^P$", "", "malformed"],
      ["^P7$^P18446744073709551616", "prime\n", "out of range"],
      [`^a$^P${"0".repeat(21)}^b$`, "b", "out of range"],
    ] as const;
    check("closes at a malformed question, and only the log says why", async (server) => {
      for (const [text, answer, kind] of REFUSED) {
        await using peer = await connectFrame(server);
        await peer.send(text);
        assertEquals(await peer.rest(), answer);
        peer.finish();
        await failedAs(server, peer, kind);
      }
    });

    check("loses none of its answers before a malformed question", async (server) => {
      await using peer = await connectFrame(server);
      const text = "y".repeat(300_000);
      await peer.send(`^${text}$^P!^${text}$`);
      assert(await peer.rest() === text.replaceAll("y", "z"));
      await failedAs(server, peer, "malformed");
    });

    check("reports a peer that goes away in the middle of a question", async (server) => {
      await using peer = await connectFrame(server);
      await peer.send("^P12");
      peer.finish();
      assertEquals(await peer.rest(), "");
      await failedAs(server, peer, "peer gone");
    });

    check(
      row.overtakes
        ? "answers two brief requests while a long one is computed"
        : "lets two brief requests wait while a long one is computed",
      async (server) => {
        const { address } = server;
        const order: string[] = [];
        const answered = async (name: string, peer: Peer, answer: string) => {
          assertEquals(await peer.take(answer.length), answer);
          order.push(name);
          // In the sequential mode, the next connection is served when this one has left.
          peer.finish();
        };
        await using long = await connectFrame(server);
        await using echo = await Peer.connect(address);
        await using small = await Peer.connect(address);
        if (row.concurrent) await echo.take(1);
        await long.send(`^a$^P${LONG}$`);
        assertEquals(await long.take(1), "b");
        // A mode that lets nobody overtake gets time to begin.
        if (!row.overtakes) await delay(50);
        await Promise.all([echo.send("^echo$"), small.send("^P7$")]);
        // A pool has a thread for each of the first two, and the third is greeted after them.
        await Promise.all([
          answered("long", long, "prime\n"),
          answered("echo", echo, row.concurrent ? "fdip" : "*fdip"),
          answered("small", small, "*prime\n"),
        ]);
        assertEquals(order.indexOf("long"), row.overtakes ? 2 : 0, order.join());
      },
      { timeoutMs: 60_000 },
    );
  });
}

/** Five million bytes: every value, in no particular order. */
const BINARY = Buffer.from(
  Uint8Array.from({ length: 5_000_000 }, (_, index) => Math.imul(index, 0x9e3779b1) >>> 24),
).toString("latin1");

/** The lengths of the pieces that are sent, used in turn. */
const LENGTHS = [1, 65_536, 3, 1_460, 200_000, 17, 4_096, 511];

async function echoBinary({ address }: ServerProcess): Promise<void> {
  await using peer = await Peer.connect(address);
  for (let at = 0, turn = 0; at < BINARY.length; turn++) {
    const end = at + (LENGTHS[turn % LENGTHS.length] as number);
    await peer.send(BINARY.slice(at, end));
    at = end;
  }
  peer.finish();
  assert(await peer.rest() === BINARY, "it came back as it was sent");
}

async function echoLine({ address }: ServerProcess, text: string): Promise<void> {
  await using peer = await Peer.connect(address);
  await peer.send(text);
  assertEquals(await peer.take(text.length), text);
}

const MEGABYTE = "m".repeat(1 << 20);

function echoes(row: Row): void {
  contract(row, "echo", (check) => {
    check("sends back what it receives, as it arrives", async (server) => {
      await using peer = await Peer.connect(server.address);
      for (const text of ["a", "\r\n", "\x00\xff", "^P7$"]) {
        await peer.send(text);
        assertEquals(await peer.take(text.length), text);
      }
      await peer.send("bye");
      peer.finish();
      assertEquals(await peer.rest(), "bye");
    });

    check("sends back 5 MB while they are still being sent", async (server) => {
      const clients = Array.from({ length: row.concurrent ? 2 : 1 }, () => echoBinary(server));
      await Promise.all(clients);
    }, { timeoutMs: 60_000 });

    check("reads from a peer that never reads no more than fits into buffers", async (server) => {
      await using stuck = await Peer.connect(server.address);
      stuck.pause();
      const megabytes = 48;
      for (let sent = 0; sent < megabytes; sent++) stuck.post(MEGABYTE);
      let last = -1;
      let still = 0;
      await until("the server to take no more", () => {
        still = stuck.unsent === last ? still + 1 : 0;
        last = stuck.unsent;
        return still > 30;
      });
      const taken = megabytes - stuck.unsent / MEGABYTE.length;
      assert(taken < 32, `it took ${taken} MiB`);
      if (row.concurrent) await echoLine(server, "served beside it");
      stuck.reset();
      await failedAs(server, stuck, "peer gone");
      await echoLine(server, "served after it");
    }, { timeoutMs: 30_000 });

    check("goes on when a client resets its connection in the middle", async (server) => {
      for (const text of ["hello", MEGABYTE]) {
        await using peer = await Peer.connect(server.address);
        await peer.send(text);
        await peer.take(1);
        peer.reset();
        await failedAs(server, peer, "peer gone");
        await echoLine(server, "still there");
      }
    });
  });
}

function prints(row: Row): void {
  contract(row, "print", (check) => {
    /** Sends pieces in a conversation that ends by the server or by FIN. */
    const say = async (server: ServerProcess, pieces: readonly string[], isLast: boolean) => {
      await using peer = await Peer.connect(server.address);
      for (const piece of pieces) {
        await peer.send(piece);
        await delay(2);
      }
      if (!isLast) peer.finish();
      assertEquals(await peer.rest(), "", "nothing is answered");
      return peer.name;
    };
    /** Waits until all of a text was printed. The network decides how it is divided into lines. */
    const isPrinted = (server: ServerProcess, sender: string, text: string) =>
      until(`"${text}" of ${sender} to be printed`, () => {
        const lines = server.stdout.split("\n").filter((line) => line.startsWith(`${sender}: `));
        const texts = lines.map((line) => line.slice(sender.length + 2));
        assert(texts.every((text) => text.length <= 1_024), "in chunks");
        return texts.join("") === text;
      });

    check("prints each line with its sender, and answers nothing", async (server) => {
      const sender = await say(server, ["hello\nworld\r\n"], false);
      const lines = `\n${sender}: hello\n${sender}: world\n`;
      await until("both lines to be printed", () => server.stdout.includes(lines));
    });

    check("is over for a peer that resets as soon as it has sent", async (server) => {
      // A kernel may tell of bytes and a reset at once. The last test sees whether any was cut.
      await Promise.all(Array.from({ length: 10 }, async () => {
        const peer = await Peer.connect(server.address);
        await peer.send("bye\n");
        peer.reset();
      }));
    });

    check("closes at !Disconnect, whether it arrives whole or in pieces", async (server) => {
      for (const pieces of [["bye !Disconnect"], ["!Disc", "onnect"], ["!", "!Disconnec", "t"]]) {
        const sender = await say(server, pieces, true);
        await isPrinted(server, sender, pieces.join(""));
      }
    });

    check("prints characters as they are, but escapes what moves the cursor", async (server) => {
      const utf8 = Buffer.from("gr\u00fc\u00df \u20ac").toString("latin1");
      const sender = await say(server, [`${utf8} \x1b[2J\x07\n`], false);
      await isPrinted(server, sender, `gr\u00fc\u00df \u20ac \\x1b[2J\\x07`);
      // deno-lint-ignore no-control-regex -- control characters are what this is about
      assertNotMatch(server.stdout, /[\x00-\x09\x0b-\x1f\x7f]/);
    });

    check("prints a long message in chunks of 1024 bytes", async (server) => {
      const sender = await say(server, ["x".repeat(2_000)], false);
      await isPrinted(server, sender, "x".repeat(2_000));
    });
  });
}

function primeTimes(row: Row): void {
  const ask = (number: string) => `{"method":"isPrime","number":${number}}\n`;
  const answer = (prime: boolean) => `{"method":"isPrime","prime":${prime}}\n`;
  const MALFORMED = '{"method":"malformed"}\n';

  contract(row, "./examples/prime_time.ts", (check) => {
    check("answers requests in order", async (server) => {
      await using peer = await Peer.connect(server.address);
      await peer.send(ask("7") + ask("8") + ask("65537"));
      for (const prime of [true, false, true]) {
        assertEquals(`${await peer.line()}\n`, answer(prime));
      }
      await peer.send(ask("7.0") + ask("-7") + ask("18446744073709551629"));
      peer.finish();
      assertEquals(await peer.rest(), answer(true) + answer(false) + answer(true));
    });

    check("answers a malformed request once, and closes", async (server) => {
      await using peer = await Peer.connect(server.address);
      await peer.send(`${ask("7")}{"method":"isPrime"}\n${ask("7")}`);
      assertEquals(await peer.rest(), answer(true) + MALFORMED);
      peer.finish();
      await failedAs(server, peer, "malformed");
    });

    check("does not wait for the end of a line that is too long", async (server) => {
      await using peer = await Peer.connect(server.address);
      await peer.send("7".repeat(2_000));
      assertEquals(await peer.rest(), MALFORMED);
      peer.finish();
      await failedAs(server, peer, "too long");
    });
  });
}

function stores(row: Row): void {
  contract(row, "./examples/kv.ts", (check) => {
    /** Sends lines on a new connection and returns the answer to each. */
    const talk = async ({ address }: ServerProcess, ...lines: string[]) => {
      await using peer = await Peer.connect(address);
      await peer.send(lines.map((line) => `${line}\r\n`).join(""));
      peer.finish();
      return (await peer.rest()).split("\n").slice(0, -1);
    };

    check("sets, gets and deletes, and answers mistakes without closing", async (server) => {
      assertEquals(
        await talk(server, "SET a 1", "GET a", "FLY", "SET a", "DEL a", "GET a"),
        [
          "OK",
          "1",
          "ERR unknown command 'FLY'",
          "ERR wrong number of arguments for 'SET'",
          "(integer) 1",
          "(nil)",
        ],
      );
    });

    if (row.sharesMemory) {
      check("is shared by all connections", async (server) => {
        assertEquals(await talk(server, "SET shared yes"), ["OK"]);
        assertEquals(await talk(server, "GET shared"), ["yes"]);
        assertEquals(await talk(server, "DEL shared"), ["(integer) 1"]);
      });
    }

    check("closes at a line that is too long", async (server) => {
      await using peer = await Peer.connect(server.address);
      await peer.send(`GET a\n${"x".repeat(3_000)}`);
      assertEquals(await peer.rest(), "(nil)\nERR line too long\n");
      peer.finish();
      await failedAs(server, peer, "too long");
    });
  });
}

for (const row of DAILY) {
  frames(row);
  echoes(row);
  prints(row);
  // Two modules of their own, and the flag of a protocol.
  if (hasTurn(row, 0)) primeTimes(row);
  if (hasTurn(row, 1)) stores(row);
  if (!hasTurn(row, 2)) continue;

  test(
    `${row.name}: frame with --no-prime has no questions; what is cut is no FIN to the totals`,
    async () => {
      const flags = ["--protocol", "frame", "--no-prime", "--drain", "0"];
      await using server = await ServerProcess.start(row.mode, [...forOne(row), ...flags]);
      {
        await using peer = await connectFrame(server);
        await peer.send("^P12$^Px$");
        peer.finish();
        assertEquals(await peer.rest(), "Q23Qy");
        const entry = ` done ${peer.name} `;
        await until("the first to be done", () => server.stderr.includes(entry));
      }
      // The protocol takes a cut for the end of what its peer says, and ends as at a FIN.
      await using peer = await connectFrame(server);
      await peer.send("^more");
      assertEquals(await peer.take(4), "npsf");
      const ending = await server.stop();
      await peer.gone();
      assertEquals(ending.code, 0, ending.stderr);
      assertEquals(totalsIn(ending), "accepted 2 · completed 1 · failed 0 · cut 1");
    },
    { skip: row.skip, sanitize: false },
  );
}
