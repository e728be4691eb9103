/**
 * One chat on two servers, one on each runtime, joined through a real NATS server.
 *
 * @module
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { NatsServer, whyNoNats } from "../kit/nats_server.ts";
import { Peer } from "../kit/peer.ts";
import {
  otherRuntime,
  Script,
  ServerProcess,
  totalsIn,
  whyNoOtherRuntime,
} from "../kit/server_process.ts";

const options = { skip: whyNoNats ?? whyNoOtherRuntime, timeoutMs: 90_000 };

/** A user of the chat. */
class User implements AsyncDisposable {
  readonly #peer: Peer;

  private constructor(peer: Peer) {
    this.#peer = peer;
  }

  /** Enters a server, and takes a name if one is given. */
  static async enter({ address }: ServerProcess, name?: string): Promise<User> {
    const user = new User(await Peer.connect(address));
    await user.reads(/^\* you are guest-\d+ in lobby$/);
    if (name !== undefined) await user.types(`/nick ${name}`, `* you are now ${name}`);
    return user;
  }

  /** Types a line, and waits for the answer if one is given. */
  async types(line: string, answer?: string | RegExp): Promise<void> {
    await this.#peer.send(`${line}\n`);
    if (answer !== undefined) await this.reads(answer);
  }

  /** Reads on up to a line, and returns that line. */
  async finds(expected: RegExp): Promise<string> {
    return (await this.#readTo(expected)).line;
  }

  /** Reads on up to a line, and returns the lines before it. */
  async reads(expected: string | RegExp): Promise<string[]> {
    return (await this.#readTo(expected)).before;
  }

  async #readTo(expected: string | RegExp): Promise<{ line: string; before: string[] }> {
    const before: string[] = [];
    for (;;) {
      const line = await this.#peer.line().catch((error) => {
        throw new Error(`${expected} does not come after ${JSON.stringify(before)}`, {
          cause: error,
        });
      });
      if (matches(line, expected)) return { line, before };
      before.push(line);
    }
  }

  /** Asks until the answer is the expected one. Another server's work takes a moment to arrive. */
  async asks(question: string, answer: string | RegExp): Promise<void> {
    await until(`${question} to be answered ${answer}`, async () => {
      await this.#peer.send(`${question}\n/nothing\n`);
      const before = await this.reads("* unknown command /nothing: try /help");
      return before.some((line) => matches(line, answer));
    });
  }

  rest(): Promise<string> {
    return this.#peer.rest();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
  }
}

function matches(line: string, expected: string | RegExp): boolean {
  return typeof expected === "string" ? line === expected : expected.test(line);
}

/** Starts a NATS server, and a chat server on each runtime. */
async function startTwo(): Promise<[NatsServer, ServerProcess, ServerProcess]> {
  const nats = await NatsServer.start();
  const flags = ["--bus", nats.url, "--rate", "0", "--drain", "0"];
  const here = await ServerProcess.start("chat/server", flags, { input: "open" });
  const there = await ServerProcess.start("chat/server", flags, {
    input: "open",
    on: otherRuntime,
  });
  assertStringIncludes(here.greeting, ` ${nats.url}/handshake `);
  assertStringIncludes(there.greeting, otherRuntime.name);
  return [nats, here, there];
}

test("a room spans two servers on different runtimes", async () => {
  const servers = await startTwo();
  await using nats = servers[0];
  await using here = servers[1];
  await using there = servers[2];
  await using ann = await User.enter(here, "ann");
  await using bob = await User.enter(there);
  assertEquals(await bob.reads(/also here/), []);
  await bob.types("/nick ANN", "* the name ANN is taken");
  await bob.types("/nick bob", "* you are now bob");
  await ann.reads(/^\* guest-\d+ joined lobby$/);
  await ann.reads(/^\* guest-\d+ is now bob$/);

  // Each line comes once, and the lines of one speaker come in order.
  const count = 200;
  for (let index = 0; index < count; index++) {
    await ann.types(`a${index}`);
    await bob.types(`b${index}`);
  }
  for (let index = 0; index < count; index++) {
    assertEquals(await ann.reads(`[bob] b${index}`), []);
    assertEquals(await bob.reads(`[ann] a${index}`), []);
  }

  await ann.types("/who", "* in lobby: ann, bob");
  await ann.types("/msg BOB psst", "[you to bob] psst");
  await bob.reads("[ann to you] psst");
  await bob.types("/me nods");
  await ann.reads("[bob] * nods");
  await bob.types("/join kitchen", "* you are in kitchen");
  await ann.reads("* bob left lobby");
  await ann.asks("/rooms", "* rooms: kitchen (1), lobby (1)");
  await ann.types("/join Kitchen", "* also here: bob");
  await bob.reads("* ann joined kitchen");

  here.write("the kettle is on\n");
  await ann.reads("[server] the kettle is on");
  await bob.reads("[server] the kettle is on");
  here.write("/kick bob too loud\n");
  await bob.reads("* you were kicked: too loud");
  await bob.reads("* goodbye");
  await ann.reads("* bob left: kicked: too loud");

  // The name is free again for whoever asks first.
  await ann.types("/nick bob", "* you are now bob");
  const { code } = await there.stop();
  assertEquals(code, 0);
  await here.stop();
  assert(nats.url !== "");
}, options);

test("a user who hears that another server's user gave up a name can have it at once", async () => {
  const servers = await startTwo();
  await using _nats = servers[0];
  await using here = servers[1];
  await using there = servers[2];
  await using ann = await User.enter(here, "ann");
  await using bob = await User.enter(there);
  await bob.reads(/also here/);
  for (let index = 0; index < 100; index++) {
    await ann.types(`/nick name-${index}`);
    const [, old = ""] = / (\S+) is now /.exec(await bob.finds(/ is now name-\d+$/)) ?? [];
    await bob.types(`/nick ${old}`);
    assertEquals(await bob.finds(/^\* (you are|the name)/), `* you are now ${old}`);
  }
  await using _eve = await User.enter(here, "eve");
  await bob.reads(/ is now eve$/);
  await here.stop();
  await bob.reads("* gone with their server: eve, name-99");
  await bob.types("/nick name-99");
  assertEquals(await bob.finds(/^\* (you are|the name)/), "* you are now name-99");
}, options);

test("the users of a killed server disappear", async () => {
  const servers = await startTwo();
  await using _nats = servers[0];
  await using here = servers[1];
  await using there = servers[2];
  await using ann = await User.enter(here, "ann");
  await using _bob = await User.enter(there, "bob");
  await ann.reads(/is now bob$/);
  there.signal("SIGKILL");
  await ann.reads("* gone with their server: bob");
  await ann.types("/who", "* in lobby: ann");
}, options);

test("talk goes on while the link is lost, and is not repeated when it is restored", async () => {
  const servers = await startTwo();
  await using nats = servers[0];
  await using here = servers[1];
  await using there = servers[2];
  await using ann = await User.enter(here, "ann");
  await using amy = await User.enter(here, "amy");
  await using bob = await User.enter(there, "bob");
  await ann.reads(/is now bob$/);

  await nats.stop();
  for (const user of [ann, amy, bob]) await user.reads("* link to other servers lost");
  await ann.types("only here");
  await amy.reads("[ann] only here");
  await ann.types("/who", "* in lobby: amy, ann");
  await bob.types("only there");
  await bob.reads("[bob] only there");
  // This name is taken on the other side, which nobody can know.
  await bob.types("/nick Ann", "* you are now Ann");

  await nats.start();
  for (const user of [ann, amy]) {
    const before = await user.reads("* link to other servers restored");
    assertEquals(before.filter((line) => line.includes("only there")), []);
  }
  await bob.reads("* link to other servers restored");
  // The older claim keeps it.
  await bob.reads("* the name Ann belongs to a user of another server");
  await bob.reads(/^\* you are now guest-\d+$/);
  await ann.asks("/who", /^\* in lobby: amy, ann, guest-\d+$/);
  await bob.asks("/msg ann back", "[you to ann] back");
  await ann.reads(/^\[guest-\d+ to you\] back$/);
  await bob.types("hello again");
  await ann.reads(/^\[guest-\d+\] hello again$/);
  const heard = await amy.reads(/^\[guest-\d+\] hello again$/);
  assertEquals(heard.filter((line) => line.includes("only")), []);

  here.write("/stats\n");
  await here.printed("times lost: 1");
  here.write("/shutdown 0\n");
  await ann.reads("* goodbye");
  const ending = await here.end();
  assertEquals(ending.code, 0);
  assertMatch(totalsIn(ending), /^accepted 2 · completed 2 /);
}, options);

test("a server without JetStream, or without NATS, says so in one line", async () => {
  await using plain = await NatsServer.start([]);
  for (
    const [url, expected] of [
      [plain.url, /^server: .*JetStream.*\n$/],
      ["nats://127.0.0.1:1", /^server: .*127\.0\.0\.1:1.*\n$/],
      ["http://127.0.0.1:4222", /^server: .*\n$/],
      ["nats://", /^server: .*\n$/],
    ] as const
  ) {
    await using server = new Script("chat/server.ts", ["0", "--bus", url]);
    const { code, stdout, stderr } = await server.end();
    assertEquals([code === 1 || code === 2, stdout], [true, ""], url);
    assertMatch(stderr, expected);
  }
}, options);
