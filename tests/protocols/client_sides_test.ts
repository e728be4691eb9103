/**
 * The client's side of `frame`, `echo` and `print` by itself: no network, no runtime, no permission.
 *
 * @module
 */

import fc from "fast-check";
import {
  DISCONNECT,
  echo,
  echoClient,
  frame,
  frameClient,
  frameGreeting,
  Input,
  MalformedMessageError,
  MessageTooLongError,
  PeerGoneError,
  printClient,
  type Protocol,
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

const pure = { pure: true };

/** Sends frames over one connection, in one conversation; returns their answers as text. */
function* ask(frames: readonly Uint8Array[], options = {}): Protocol<string[]> {
  const input = new Input();
  yield* frameGreeting(input);
  const answers: string[] = [];
  for (const frame of frames) answers.push(textOf(yield* frameClient(input, frame, options)));
  return answers;
}

/** Bytes as text, one character for each. */
function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** All that was written, joined. */
function sent(talk: Talk): string {
  return talk.written.map(textOf).join("");
}

/** Raises each byte by one. */
function plusOne(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte + 1);
}

const anyCuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });
const anyFrame = fc.uint8Array({ maxLength: 60 })
  .map((bytes) => bytes.filter((byte) => byte !== 0x5e && byte !== 0x24 && byte !== 0x50));

test("frameClient waits for *, then sends each frame after the answer to the one before", () => {
  const talk = new Talk(ask([bytesOf("echo"), bytesOf("P7"), bytesOf(""), bytesOf("P8")]));
  assertEquals(sent(talk), "");
  talk.answer(bytesOf("*"));
  assertEquals(sent(talk), "^echo$");
  talk.answer(bytesOf("fdip"));
  assertEquals(sent(talk), "^echo$^P7$");
  talk.answer(bytesOf("prime\n"));
  assertEquals(sent(talk), "^echo$^P7$^$^P8$");
  talk.answer(bytesOf("composite\n"));
  assertEquals(talk.result, ["fdip", "prime", "", "composite"]);
}, pure);

test("frameClient gives the same answers however they are cut", () => {
  const frames = fc.array(
    fc.oneof(anyFrame, fc.constantFrom("P7", "P18446744073709551557").map(bytesOf)),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(frames, anyCuts, (frames, cuts) => {
      const isQuestion = (frame: Uint8Array) => frame[0] === 0x50;
      const answers = frames.map((frame) => isQuestion(frame) ? "prime" : textOf(plusOne(frame)));
      const wire = answers.map((answer, at) =>
        isQuestion(frames[at] as Uint8Array) ? `${answer}\n` : answer
      );
      for (const lengths of [cuts, [1], [1e6]]) {
        const talk = hold(ask(frames), cut(bytesOf(`*${wire.join("")}`), lengths));
        assertEquals(talk.error, undefined);
        assertEquals(talk.result, answers);
      }
    }),
    { numRuns: 500 },
  );
}, pure);

test("frameClient and frame understand each other, with large frames and small pieces", () => {
  const anyLarge = fc.integer({ min: 0, max: 50_000 }).map((n) => new Uint8Array(n).fill(0x78));
  fc.assert(
    fc.property(fc.array(fc.oneof(anyFrame, anyLarge), { maxLength: 4 }), (frames) => {
      const server = new Talk(frame());
      const client = new Talk(ask(frames));
      let underWay = 0;
      while (!client.over) {
        for (const bytes of server.written.splice(0)) client.answer(bytes);
        for (const bytes of client.written.splice(0)) {
          underWay = Math.max(underWay, bytes.length);
          server.answer(bytes);
        }
      }
      assertEquals(client.error, undefined);
      assertEquals(client.result, frames.map((frame) => textOf(plusOne(frame))));
      assert(underWay <= 16 * 1024, "what is sent ahead of its answer has a bound");
    }),
    { numRuns: 100 },
  );
}, pure);

test("without questions a frame that begins with P is data", () => {
  const talk = hold(ask([bytesOf("P12")], { prime: false }), ["*Q", "23"]);
  assertEquals(talk.result, ["Q23"]);
}, pure);

test("frameClient notices a server that takes its question for data", () => {
  for (const pieces of [["*Q23", undefined], ["*", "Q23", undefined], ["*Q23\n"]]) {
    const { error } = hold(ask([bytesOf("P12")]), pieces);
    assertInstanceOf(error, MalformedMessageError);
    assertEquals([error.expected, error.received], ["prime or composite", "Q23"]);
  }
}, pure);

test("frameClient refuses a greeting other than *, and a line without end", () => {
  const { error } = hold(ask([bytesOf("a")]), ["\x1bHTTP"]);
  assertInstanceOf(error, MalformedMessageError);
  assertEquals([error.expected, error.received], ["*", "\\x1b"]);
  assertInstanceOf(hold(ask([bytesOf("P7")]), ["*", "x".repeat(80)]).error, MessageTooLongError);
}, pure);

test("frameClient says at which step the server left", () => {
  const during = (...pieces: string[]) => {
    const { error } = hold(ask([bytesOf("ab"), bytesOf("Px")]), pieces);
    assertInstanceOf(error, PeerGoneError);
    return error.during;
  };
  assertEquals(during(), "waiting for *");
  assertEquals(during("*"), "waiting for the answer");
  assertEquals(during("*b"), "waiting for the answer");
  assertEquals(during("*bc"), "waiting for prime or composite");
  assertEquals(during("*bc", "pri"), "waiting for prime or composite");
}, pure);

test("frameClient sends no frame that holds a mark", () => {
  for (const text of ["^", "a$", "P^7"]) {
    assertThrows(() => frameClient(new Input(), bytesOf(text)).next(), RangeError);
  }
}, pure);

/** Sends messages over one connection, in one conversation. */
function* say(messages: readonly Uint8Array[]): Protocol<string[]> {
  const input = new Input();
  const echoes: string[] = [];
  for (const message of messages) echoes.push(textOf(yield* echoClient(input, message)));
  return echoes;
}

test("echoClient returns what came back, however it is cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), anyCuts, (messages, cuts) => {
      const wire = bytesOf(messages.map(textOf).join(""));
      const talk = hold(say(messages), cut(wire, cuts));
      assertEquals(talk.error, undefined);
      assertEquals(talk.result, messages.map(textOf));
      assertEquals(sent(talk), textOf(wire));
    }),
    { numRuns: 500 },
  );
}, pure);

test("echoClient sends a large message no faster than it comes back", () => {
  const message = new Uint8Array(100_000).map((_, at) => at);
  const server = new Talk(echo());
  const client = new Talk(say([message]));
  while (!client.over) {
    const pieces = client.written.splice(0);
    assertEquals(pieces.length, 1);
    for (const bytes of pieces) server.answer(bytes);
    for (const bytes of server.written.splice(0)) client.answer(bytes);
  }
  assertEquals(client.result, [textOf(message)]);
}, pure);

test("echoClient refuses bytes that it did not send, and a server that leaves", () => {
  const { error } = hold(say([bytesOf("one two three")]), ["one tow three"]);
  assertInstanceOf(error, MalformedMessageError);
  assertMatch(error.message, /expected "one two three" from byte 1, got "one tow three"/);
  assertInstanceOf(hold(say([bytesOf("one")]), ["on"]).error, PeerGoneError);
}, pure);

test("printClient sends each message as a line, then !Disconnect, and waits for the end", () => {
  const talk = new Talk(printClient([bytesOf("one"), bytesOf(""), bytesOf("two")]));
  assertEquals(sent(talk), `one\n\ntwo\n${DISCONNECT}`);
  talk.answer(bytesOf("whatever"));
  assert(!talk.over);
  talk.answer(null);
  assertEquals([talk.over, talk.error], [true, undefined]);
}, pure);
