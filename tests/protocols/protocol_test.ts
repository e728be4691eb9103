/**
 * The protocols by themselves: no network, no runtime, no permission.
 *
 * @module
 */

import fc from "fast-check";
import {
  ComputeTimeoutError,
  ConversationError,
  encodeLine,
  escapeBytes,
  escapeText,
  FAILURE_KINDS,
  failureKind,
  findProtocol,
  formatHello,
  HandshakeTimeoutError,
  hello,
  HELLO_LIMIT,
  helloClient,
  IdleTimeoutError,
  Input,
  MalformedMessageError,
  MessageTimeoutError,
  MessageTooLongError,
  NumberOutOfRangeError,
  parseHello,
  PeerGoneError,
  type Protocol,
  ReadTimeoutError,
  RejectedError,
  SequenceMismatchError,
  SessionTimeoutError,
  SlowReaderError,
  successor,
} from "../../protocol.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { bytesOf, cut, hold, Talk } from "../kit/conversation.ts";
import { anyText } from "../kit/texts.ts";

const pure = { pure: true };
const MIN = -2147483648;
const MAX = 2147483647;

/** The error of a conversation, which must be of this kind. */
function failureOf<E extends Error>(
  talk: Talk,
  // deno-lint-ignore no-explicit-any -- any constructor
  kind: abstract new (...args: any[]) => E,
): E {
  assertInstanceOf(talk.error, kind);
  return talk.error;
}

/** The answer to a peer whose first message this is. */
function answerTo(message: string): string | undefined {
  const { written } = hold(hello(), [message]);
  assert(written.length <= 1, "a wrong message is answered with one line");
  return written[0] && new TextDecoder("latin1").decode(written[0]);
}

// Grammar.

const GOOD: readonly (readonly [string, number])[] = [
  ["HELLO 0", 0],
  ["HELLO 100", 100],
  ["HELLO +5", 5],
  ["HELLO -5", -5],
  ["HELLO -0", 0],
  ["HELLO 007", 7],
  ["HELLO\t1", 1],
  ["HELLO \t \t1", 1],
  ["  HELLO 1", 1],
  ["\tHELLO 1\t ", 1],
  ["HELLO 1\r", 1],
  ["\r\nHELLO 1\r\n", 1],
  ["\v\fHELLO 1\v\f", 1],
  ["HELLO 2147483647", MAX],
  ["HELLO -2147483648", MIN],
  [`HELLO ${"0".repeat(57)}9`, 9],
  [`HELLO ${" ".repeat(57)}9`, 9],
];

for (const [message, number] of GOOD) {
  test(`parseHello reads ${JSON.stringify(message)} as ${number}`, () => {
    assertEquals(parseHello(bytesOf(message)), number);
    assert(Object.is(parseHello(bytesOf(message)), number), "and not as its negative zero");
  }, pure);
}

for (
  const message of [
    "",
    " ",
    "HELLO",
    "HELLO ",
    "HELLO1",
    "hello 1",
    "HELLO x",
    "HELLO 1x",
    "HELLO 1 2",
    "HELLO 1.5",
    "HELLO 1e3",
    "HELLO 0x10",
    "HELLO --1",
    "HELLO +-1",
    "HELLO + 1",
    "HELLO\n1",
    "HELLO\r1",
    "HELLO\v1",
    "HELLO\xa01",
    "\xa0HELLO 1",
    "HELLO \xb2",
    "xHELLO 1",
    "HELLO 1\x01",
    "HALLO 1",
  ]
) {
  test(`parseHello refuses ${JSON.stringify(message)}`, () => {
    const error = assertThrows(() => parseHello(bytesOf(message)), MalformedMessageError);
    assertEquals(error.kind, "malformed");
    assertEquals(error.expected, "HELLO <number>");
    assertEquals(error.received, escapeBytes(bytesOf(message)));
  }, pure);
}

for (const digits of ["2147483648", "-2147483649", "9".repeat(50), `-${"9".repeat(57)}`]) {
  test(`parseHello refuses HELLO ${digits} as out of range`, () => {
    const error = assertThrows(() => parseHello(bytesOf(`HELLO ${digits}`)), NumberOutOfRangeError);
    assertEquals(error.kind, "out of range");
    assert(error.received.length <= 16, "the digits are shortened");
    assert(digits.startsWith(error.received.replace("...", "")));
  }, pure);
}

test("parseHello takes 64 bytes and refuses 65", () => {
  const message = (length: number) => bytesOf("HELLO 1".padEnd(length));
  assertEquals(HELLO_LIMIT, 64);
  assertEquals(parseHello(message(64)), 1);
  const error = assertThrows(() => parseHello(message(65)), MessageTooLongError);
  assertEquals(error.kind, "too long");
  assertEquals(error.limit, 64);
  assert(error.received.length <= 24);
}, pure);

test("parseHello takes ERROR as the peer's refusal", () => {
  const error = assertThrows(
    () => parseHello(bytesOf("ERROR expected HELLO 3, got \x1bHELLO 4")),
    RejectedError,
  );
  assertEquals(error.kind, "rejected");
  assertEquals(error.reason, "ERROR expected HELLO 3, got \\x1bHELLO 4");
}, pure);

test("formatHello and parseHello are each other's inverse for every sequence number", () => {
  fc.assert(fc.property(fc.integer({ min: MIN, max: MAX }), (x) => {
    assertEquals(parseHello(bytesOf(formatHello(x))), x);
  }));
}, pure);

test("successor adds one and wraps as TCP's sequence numbers do", () => {
  assertEquals(successor(100), 101);
  assertEquals(successor(-1), 0);
  assertEquals(successor(MAX), MIN);
  assertEquals(successor(MIN), MIN + 1);
}, pure);

// The server's side.

for (const x of [100, -1, 0, MAX - 1, MAX, MIN]) {
  test(`hello answers HELLO ${x} with its successor and takes the one after that`, () => {
    const y = successor(x);
    const z = successor(y);
    const talk = hold(hello(), [`HELLO ${x}\n`, `HELLO ${z}\n`]);
    assertEquals(talk.error, undefined);
    assertEquals(talk.events, [
      `report HELLO ${x}`,
      `write HELLO ${y}\n`,
      `report HELLO ${z}`,
    ]);
  }, pure);
}

for (
  const [framing, end] of [["\\n", "\n"], ["\\r\\n", "\r\n"], ["\\0", "\0"], [
    "nothing",
    "",
  ]] as const
) {
  test(`hello takes messages that end with ${framing}`, () => {
    const first = end === "" ? [`HELLO 1`, undefined] : [`HELLO 1${end}`];
    const last = end === "" ? [`HELLO 3`, undefined] : [`HELLO 3${end}`];
    const talk = hold(hello(), [...first, ...last]);
    assertEquals(talk.events, ["report HELLO 1", "write HELLO 2\n", "report HELLO 3"]);
    assertEquals(talk.error, undefined);
  }, pure);
}

test("hello takes both messages out of one segment, with any mix of line ends", () => {
  for (const text of ["HELLO 1\nHELLO 3\n", "HELLO 1\0HELLO 3\r\n", "HELLO 1\r\nHELLO 3\0"]) {
    const talk = hold(hello(), [text]);
    assertEquals(talk.error, undefined);
    assertEquals(talk.reads, 1);
  }
}, pure);

test("hello keeps borrowed bytes over the next read", () => {
  const talk = hold(hello(), ["HELLO 1\nHEL", "LO", " 3", "\n"]);
  assertEquals(talk.error, undefined);
  assertEquals(talk.events.at(-1), "report HELLO 3");
}, pure);

test("hello ignores bytes after the last message", () => {
  assertEquals(hold(hello(), ["HELLO 1\nHELLO 3\nHELLO 5\n"]).error, undefined);
}, pure);

test("hello refuses a wrong last number and says which it expected", () => {
  const talk = hold(hello(), ["HELLO 1\n", "HELLO 4\n"]);
  const error = failureOf(talk, SequenceMismatchError);
  assertEquals([error.expected, error.received, error.kind], [3, 4, "mismatch"]);
  assertEquals(talk.events.at(-1), "write ERROR expected HELLO 3, got HELLO 4\n");
}, pure);

test("hello says what is wrong with a first message", () => {
  assertEquals(answerTo("garbage\n"), 'ERROR expected HELLO <number>, got "garbage"\n');
  assertEquals(answerTo("\n"), 'ERROR expected HELLO <number>, got ""\n');
  assertEquals(
    answerTo("HELLO 2147483648\n"),
    "ERROR expected -2147483648 to 2147483647, got 2147483648\n",
  );
  assertEquals(
    answerTo(`${"x".repeat(65)}\n`),
    `ERROR expected at most 64 bytes, got "${"x".repeat(21)}..."\n`,
  );
}, pure);

test("hello escapes and shortens the peer's bytes", () => {
  assertEquals(
    answerTo('\x1b[2J"\\\t\xff\n'),
    'ERROR expected HELLO <number>, got "\\x1b[2J\\"\\\\\\t\\xff"\n',
  );
  assertMatch(
    answerTo("\x1b".repeat(40) + "\n") ?? "",
    /^ERROR expected HELLO <number>, got "(\\x1b){5}\\?\.\.\."\n$/,
  );
}, pure);

test("hello writes no answer to a peer that is gone, complains or is too slow", () => {
  const gone = hold(hello(), []);
  assertEquals(failureOf(gone, PeerGoneError).kind, "peer gone");
  assertEquals(gone.events, []);

  const rejected = hold(hello(), ["ERROR no\n"]);
  assertEquals(failureOf(rejected, RejectedError).reason, "ERROR no");
  assertEquals(rejected.events, []);

  const slow = new Talk(hello());
  slow.throw(new ReadTimeoutError(5000));
  assertEquals(failureOf(slow, ReadTimeoutError).timeoutMs, 5000);
  assertEquals(slow.events, []);
}, pure);

test("hello names the step at which its peer left", () => {
  const first = failureOf(hold(hello(), ["HEL"]), PeerGoneError).during;
  const last = failureOf(hold(hello(), ["HELLO 1\nHELLO"]), PeerGoneError).during;
  assertMatch(first, /first/);
  assertMatch(last, /last/);
}, pure);

test("hello calls the end of its session a handshake timeout", () => {
  const talk = new Talk(hello());
  talk.throw(new SessionTimeoutError(30_000));
  const error = failureOf(talk, HandshakeTimeoutError);
  assertEquals([error.timeoutMs, error.kind], [30_000, "handshake timeout"]);
  assert(error instanceof SessionTimeoutError, "who catches the one catches the other");
  assertEquals(talk.events, []);
}, pure);

test("hello throws an error of the driver on, unchanged", () => {
  const talk = new Talk(hello());
  const error = new TypeError("of the driver");
  talk.throw(error);
  assert(talk.error === error);
}, pure);

// The client's side.

for (const x of [100, MAX, MIN, -2]) {
  test(`helloClient(${x}) sends three and returns what the server answered`, () => {
    const y = successor(x);
    const talk = hold(helloClient(x), [`HELLO ${y}\n`]);
    assertEquals(talk.result, y);
    assertEquals(talk.events, [
      `write HELLO ${x}\n`,
      `report HELLO ${y}`,
      `write HELLO ${successor(y)}\n`,
    ]);
  }, pure);
}

test("helloClient takes an answer without a line end from an original server", () => {
  const talk = hold(helloClient(1), ["HELLO 2", undefined]);
  assertEquals(talk.result, 2);
}, pure);

test("helloClient refuses a wrong answer and says so", () => {
  const talk = hold(helloClient(1), ["HELLO 3\n"]);
  const error = failureOf(talk, SequenceMismatchError);
  assertEquals([error.expected, error.received], [2, 3]);
  assertEquals(talk.events.at(-1), "write ERROR expected HELLO 2, got HELLO 3\n");
}, pure);

test("helloClient tells why the server refuses", () => {
  const talk = hold(helloClient(1), ["ERROR too busy\n"]);
  assertEquals(failureOf(talk, RejectedError).reason, "ERROR too busy");
  assertEquals(talk.events, ["write HELLO 1\n"]);
}, pure);

test("helloClient fails when the server closes, and when the time is over", () => {
  assertEquals(failureOf(hold(helloClient(1), []), PeerGoneError).kind, "peer gone");
  const talk = new Talk(helloClient(1));
  talk.throw(new SessionTimeoutError(10_000));
  failureOf(talk, HandshakeTimeoutError);
}, pure);

test("helloClient refuses to begin with anything but a sequence number", () => {
  for (const x of [MAX + 1, MIN - 1, 1.5, NaN, Infinity]) {
    assertThrows(() => helloClient(x).next(), RangeError, String(x));
  }
}, pure);

// The grace for peers that send no line ends.

test("hello waits for more only after a first read that is a whole HELLO", () => {
  const asksFor = (...pieces: string[]) => {
    const talk = new Talk(hello(undefined, { graceMs: 7 }));
    for (const piece of pieces) talk.answer(bytesOf(piece));
    assertEquals(talk.over, false);
    return talk.withinMs;
  };
  assertEquals(asksFor(), undefined);
  assertEquals(asksFor("HELLO 1"), 7);
  assertEquals(asksFor(" HELLO 1 "), 7);
  assertEquals(asksFor("HELLO 1\r"), 7);
  assertEquals(asksFor("HELLO 99999999999"), 7);
  assertEquals(asksFor("HELLO"), undefined);
  assertEquals(asksFor("HELLO "), undefined);
  assertEquals(asksFor("garbage"), undefined);
  // The second read of a message. It came in pieces, so this peer must end its lines.
  assertEquals(asksFor("HELLO", " 1"), undefined);
  assertEquals(asksFor("HELLO 1", "0"), undefined);
  // This peer has sent a line end before.
  assertEquals(asksFor("HELLO 1\n"), undefined);
  assertEquals(asksFor("HELLO 1\n", "HELLO 3"), undefined);
  assertEquals(asksFor("HELLO 1\nHELLO 3"), undefined);
}, pure);

test("hello takes a message as whole when nothing or a FIN follows within the grace", () => {
  for (const silence of [undefined, null]) {
    const talk = new Talk(hello());
    talk.answer(bytesOf("HELLO 1"));
    talk.answer(silence);
    assertEquals(talk.events, ["report HELLO 1", "write HELLO 2\n"]);
    assertEquals(talk.withinMs, undefined);
    talk.answer(bytesOf("HELLO 3"));
    assertEquals(talk.withinMs, 20);
    talk.answer(silence);
    assertEquals([talk.over, talk.error], [true, undefined]);
  }
}, pure);

test("hello with a grace of 0 takes nothing without a line end", () => {
  const talk = new Talk(hello(undefined, { graceMs: 0 }));
  talk.answer(bytesOf("HELLO 1"));
  assertEquals(talk.withinMs, undefined);
  talk.answer(null);
  failureOf(talk, PeerGoneError);
  assertEquals(talk.events, []);
}, pure);

test("hello joins bytes that follow within the grace", () => {
  const talk = hold(hello(), ["HELLO 1", "0\n", "HELLO 12\n"]);
  assertEquals(talk.error, undefined);
  assertEquals(talk.events[0], "report HELLO 10");
}, pure);

// Limits.

test("hello refuses a line of 1 MB when it has seen 64 KiB of it, and keeps 24 bytes", () => {
  const line = cut(new Uint8Array(1e6).fill(0x78), [65536]);
  const talk = hold(hello(), line);
  assertEquals(talk.reads, 1);
  const error = failureOf(talk, MessageTooLongError);
  assertEquals(error.received, `${"x".repeat(21)}...`);
}, pure);

test("hello refuses a line that comes a byte at a time as soon as it is too long", () => {
  const talk = hold(hello(), cut(new Uint8Array(1000).fill(0x78), [1]));
  failureOf(talk, MessageTooLongError);
  assert(talk.reads <= HELLO_LIMIT + 2, `${talk.reads} reads`);
}, pure);

test("hello does not count the line end among the 64 bytes", () => {
  for (const end of ["\n", "\r\n", "\0"]) {
    for (const lengths of [[1], [64], [65], [1000]]) {
      const fits = hold(hello(), cut(bytesOf("HELLO 1".padEnd(64) + end), lengths));
      assertEquals(fits.events[0], "report HELLO 1");
      const exceeds = hold(hello(), cut(bytesOf("HELLO 1".padEnd(65) + end), lengths));
      failureOf(exceeds, MessageTooLongError);
    }
  }
}, pure);

// Properties.

/** Mostly messages, sometimes something similar, sometimes anything. */
const anyMessage = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("HELLO 1", "HELLO 3", "\tHELLO  +1 ", "HELLO -2") },
  { weight: 2, arbitrary: fc.integer({ min: 2 * MIN, max: 2 * MAX }).map((n) => `HELLO ${n}`) },
  { weight: 1, arbitrary: fc.constantFrom("ERROR no", "", " ", "HELLO", "HELLO 1\r", "\r") },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 80 })
      .map((bytes) => String.fromCharCode(...bytes.filter((byte) => byte !== 0 && byte !== 10))),
  },
  { weight: 1, arbitrary: fc.integer({ min: 60, max: 70 }).map((n) => "HELLO 1".padEnd(n)) },
);
const anyEnd = fc.constantFrom("\n", "\r\n", "\0");
const anyCuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });
const anyConversation = fc.array(fc.tuple(anyMessage, anyEnd), { maxLength: 3 })
  .map((messages) => bytesOf(messages.map(([message, end]) => message + end).join("")));

function cutsDoNotMatter(name: string, conversation: () => Protocol<unknown>): void {
  test(`${name} is the same conversation however its bytes are cut`, () => {
    fc.assert(
      fc.property(anyConversation, anyCuts, (bytes, cuts) => {
        const whole = hold(conversation(), bytes.length === 0 ? [] : [bytes]).transcript;
        assertEquals(hold(conversation(), cut(bytes, cuts)).transcript, whole);
        assertEquals(hold(conversation(), cut(bytes, [1])).transcript, whole);
      }),
      { numRuns: 1000 },
    );
  }, pure);
}

cutsDoNotMatter("hello", () => hello());
cutsDoNotMatter("hello with a grace of 0", () => hello(undefined, { graceMs: 0 }));
cutsDoNotMatter("helloClient", () => helloClient(0));
cutsDoNotMatter("helloClient with a grace of 0", () => helloClient(0, { graceMs: 0 }));

test("an answer is one printable line of at most 64 bytes, whatever the peer sent", () => {
  fc.assert(
    fc.property(anyConversation, fc.boolean(), (bytes, isClient) => {
      const talk = hold(isClient ? helloClient(0) : hello(), [bytes].filter((b) => b.length > 0));
      for (const written of talk.written) {
        const text = new TextDecoder("latin1").decode(written);
        assertMatch(text, /^(HELLO -?\d+|ERROR [\x20-\x7e]+)\n$/);
        assert(written.length <= 65, `${written.length} bytes: ${text}`);
      }
    }),
    { numRuns: 1000 },
  );
}, pure);

test("whatever bytes come, a conversation fails with its own errors only", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), anyCuts, (bytes, cuts) => {
      const { error } = hold(hello(), cut(bytes, cuts));
      if (error !== undefined) assertInstanceOf(error, ConversationError);
    }),
    { numRuns: 500 },
  );
}, pure);

/** Connects two sides. The bytes of each reach the other in pieces of these lengths. */
function connect(one: Talk, two: Talk, cuts: readonly number[]): void {
  const pipes = [one, two].map((reader, index) => ({
    reader,
    writer: index === 0 ? two : one,
    unread: [] as number[],
  }));
  for (let turn = 0, idle = 0; !one.over || !two.over; turn++) {
    assert(idle < 4, "one of the two must go on");
    const { reader, writer, unread } = pipes[turn % 2] as typeof pipes[number];
    for (const bytes of writer.written.splice(0)) unread.push(...bytes);
    const length = cuts[turn % cuts.length] as number;
    const piece = Uint8Array.from(unread.splice(0, length));
    idle++;
    if (reader.over) continue;
    if (piece.length > 0) reader.answer(piece);
    else if (writer.over) reader.answer(null);
    else if (reader.withinMs !== undefined && idle > 2) reader.answer(undefined);
    else continue;
    idle = 0;
  }
}

test("server and client agree for any number and any cuts in both directions", () => {
  const x = fc.oneof(fc.integer({ min: MIN, max: MAX }), fc.constantFrom(MIN, MAX - 1, MAX));
  fc.assert(
    fc.property(x, anyCuts, (x, cuts) => {
      const server = new Talk(hello());
      const client = new Talk(helloClient(x));
      connect(server, client, cuts);
      assertEquals([server.error, client.error], [undefined, undefined]);
      assertEquals(client.result, successor(x));
      assertEquals(
        server.events.filter((event) => event.startsWith("report")),
        [`report HELLO ${x}`, `report HELLO ${successor(successor(x))}`],
      );
    }),
    { numRuns: 300 },
  );
}, pure);

// Errors, texts, catalogue.

test("every error has its class's name, its kind and a message without a final stop", () => {
  const errors = [
    new MalformedMessageError("HELLO <number>", "x"),
    new NumberOutOfRangeError("2147483648", "-2147483648 to 2147483647"),
    new SequenceMismatchError(3, 4),
    new MessageTooLongError(64, "xxx"),
    new RejectedError("ERROR no"),
    new PeerGoneError("receiving", { cause: new Error("reset") }),
    new ReadTimeoutError(5000),
    new IdleTimeoutError(5000),
    new MessageTimeoutError(5000),
    new HandshakeTimeoutError(30_000),
    new SessionTimeoutError(1000),
    new ComputeTimeoutError("prime", 1000),
    new SlowReaderError("262144 bytes wait"),
  ];
  for (const error of errors) {
    assertEquals(error.name, error.constructor.name);
    assertEquals(failureKind(error), error.kind);
    assertMatch(error.message, /^[A-Z].*[^.]$/);
  }
  assertEquals(errors.map(({ kind }) => kind), FAILURE_KINDS.slice(0, -1));
  assertEquals(failureKind(new Error("anything else")), "other");
  assertEquals((errors[5]?.cause as Error).message, "reset");
}, pure);

test("escapeBytes writes printable ASCII and nothing else", () => {
  assertEquals(
    escapeBytes(bytesOf('a"\\\t\r\n\0\x7f\x80\xff')),
    'a\\"\\\\\\t\\r\\n\\x00\\x7f\\x80\\xff',
  );
  fc.assert(fc.property(fc.uint8Array(), fc.integer({ min: 3, max: 40 }), (bytes, limit) => {
    const text = escapeBytes(bytes, limit);
    assertMatch(text, /^[\x20-\x7e]*$/);
    assert(text.length <= limit);
  }));
}, pure);

test("escapeText leaves no character that moves the cursor, breaks or turns the line", () => {
  assertEquals(escapeText("a\x1b[2Jb\u202ec\u2028d"), "a\\x1b[2Jb\\u202ec\\u2028d");
  assertEquals(escapeText("żółw 🐢"), "żółw 🐢");
  fc.assert(fc.property(anyText(), (text) => {
    // deno-lint-ignore no-control-regex -- the pattern is about control characters
    assertEquals(/[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/.test(escapeText(text)), false);
  }));
}, pure);

test("encodeLine ends a line with one line feed", () => {
  assertEquals([...encodeLine("HI")], [0x48, 0x49, 0x0a]);
}, pure);

test("findProtocol finds hello, and names the protocols when it is asked for another", () => {
  const found = findProtocol("hello");
  assertEquals([found.readTimeoutMs, found.sessionTimeoutMs], [5_000, 30_000]);
  assertThrows(
    () => findProtocol("toString"),
    RangeError,
    "expected hello, frame, echo, print or the path of a module",
  );
}, pure);

test("a line end that comes after the grace ends the message before it", () => {
  const text = new TextDecoder();
  for (const [late, rest] of [["\n", ""], ["\r\n", ""], ["\0", ""], ["\r", "\n"]] as const) {
    const input = new Input();
    input.add(bytesOf("HELLO 5"));
    assertEquals(text.decode(input.takeAll()), "HELLO 5");
    input.add(bytesOf(late));
    assertEquals(input.takeLine(64), undefined);
    input.keep();
    input.add(bytesOf(`${rest}HELLO 7\n`));
    assertEquals(text.decode(input.takeLine(64)), "HELLO 7");
  }
});

test("a message is found without a look at what comes far behind it", () => {
  // A client may send thousands of messages at once. Each must not look at all of the others.
  let looked = 0;
  class Watched extends Uint8Array<ArrayBuffer> {
    override indexOf(byte: number): number {
      looked += this.length;
      return super.indexOf(byte);
    }
  }
  for (const end of ["\n", "\0"]) {
    looked = 0;
    const input = new Input();
    input.add(Watched.from(bytesOf(`GET colour${end}`.repeat(1_000))));
    let count = 0;
    for (let line = input.takeLine(64); line !== undefined; line = input.takeLine(64)) count++;
    assertEquals(count, 1_000);
    assert(looked <= 1_000 * 2 * 66, `it has looked at ${looked} bytes`);
  }
});
