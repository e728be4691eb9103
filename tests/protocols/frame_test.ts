/**
 * Frames without a network: the answer is the same however the bytes are cut.
 *
 * @module
 */

import fc from "fast-check";
import {
  type FailureKind,
  failureKind,
  findProtocol,
  frame,
  type isPrime,
  NumberOutOfRangeError,
  PeerGoneError,
  PRIME_TASK,
  type Tasks,
} from "../../protocol.ts";
import { assert, assertEquals, assertInstanceOf, test } from "../kit/harness.ts";
import { bytesOf, cut, hold, Talk } from "../kit/conversation.ts";

const pure = { pure: true };
const tasks = findProtocol("frame").tasks as Tasks;

/** A conversation with a peer that sends these pieces, then FIN. */
const say = (...pieces: (string | Uint8Array)[]) => hold(frame(), pieces, tasks);

const ANSWERS: readonly (readonly [string, string, string])[] = [
  ["nothing", "", "*"],
  ["a byte", "^a$", "*b"],
  ["several bytes", "^abc$", "*bcd"],
  ["255 with 0", "^\xfe\xff\x00$", "*\xff\x00\x01"],
  ["an empty frame", "^$", "*"],
  ["an opening inside a frame, which is data", "^^$", "*_"],
  ["openings inside a frame", "^a^b$", "*b_c"],
  ["two frames", "^a$^b$", "*bc"],
  ["nothing outside a frame", "x$P7$\n^a$y\r\n$^b$z", "*bc"],
  ["a frame that is not over", "^abc", "*bcd"],
  ["a question", "^P7$", "*prime\n"],
  ["a question about a composite number", "^P9$", "*composite\n"],
  ["0, which is not prime", "^P0$", "*composite\n"],
  ["1, which is not prime", "^P1$", "*composite\n"],
  ["2", "^P2$", "*prime\n"],
  ["leading zeros", "^P007$", "*prime\n"],
  ["20 digits with leading zeros", `^P${"0".repeat(19)}7$`, "*prime\n"],
  ["the largest number", "^P18446744073709551615$", "*composite\n"],
  ["a P later in a frame, which is data", "^aP7$", "*bQ8"],
  ["a p, which is data", "^p7$", "*q8"],
  ["a P after an opening inside a frame", "^^P7$", "*_Q8"],
  ["questions and data in order", "^ab$^P7$^cd$^P8$^P11$e^f$", "*bcprime\ndecomposite\nprime\ng"],
];

for (const [what, sent, answer] of ANSWERS) {
  test(`frame answers ${what}`, () => {
    const talk = say(bytesOf(sent));
    assertEquals([talk.text, talk.error], [answer, undefined]);
    const slow = hold(frame(), cut(bytesOf(sent), [1]), tasks);
    assertEquals([slow.text, slow.error], [answer, undefined], "byte by byte");
  }, pure);
}

test("frame greets before it reads, and asks for its first read only then", () => {
  const talk = new Talk(frame());
  assertEquals([talk.text, talk.reads], ["*", 1]);
}, pure);

test("frame answers each byte as it comes, before the end marker", () => {
  const talk = new Talk(frame());
  for (
    const [sent, answer] of [["^", ""], ["a", "b"], ["^", "_"], ["P", "Q"], ["$", ""]] as const
  ) {
    talk.written = [];
    talk.answer(bytesOf(sent));
    assertEquals(talk.text, answer);
    assertEquals(talk.written.length, answer.length);
  }
}, pure);

test("frame without questions is the protocol of the original series", () => {
  for (const [sent, answer] of [["^P12$", "*Q23"], ["^P$", "*Q"], ["^Px$^P7$", "*QyQ8"]] as const) {
    assertEquals(hold(frame(undefined, { prime: false }), [bytesOf(sent)]).text, answer);
  }
}, pure);

test("frame reads nothing between a question and its answer", () => {
  const { events } = say("^ab$^P7$^c$^P8$");
  assertEquals(events, [
    "write *",
    "write bc",
    "compute prime 7",
    "write prime\n",
    "write d",
    "compute prime 8",
    "write composite\n",
  ]);
}, pure);

const REFUSED: readonly (readonly [string, string, FailureKind])[] = [
  ["no digit", "^P$", "malformed"],
  ["a letter", "^Px", "malformed"],
  ["a letter after digits", "^P12x", "malformed"],
  ["a sign", "^P+", "malformed"],
  ["a space", "^P ", "malformed"],
  ["a line end", "^P7\n", "malformed"],
  ["an opening", "^P^", "malformed"],
  ["a second P", "^PP", "malformed"],
  ["the byte before 0", "^P1/", "malformed"],
  ["the byte after 9", "^P1:", "malformed"],
  ["a byte above ASCII", "^P1\xb2", "malformed"],
  ["2^64", "^P18446744073709551616", "out of range"],
  ["more than 2^64", "^P99999999999999999999", "out of range"],
  ["21 digits", "^P184467440737095516150", "out of range"],
  ["21 digits of zeros", `^P${"0".repeat(21)}`, "out of range"],
];

for (const [what, sent, kind] of REFUSED) {
  test(`frame refuses ${what} in a question, at the first byte that cannot belong`, () => {
    const talk = new Talk(frame(), tasks);
    const bytes = bytesOf(`^a$${sent}`);
    for (const [index, byte] of bytes.entries()) {
      assertEquals(talk.over, false, `after ${index} bytes`);
      talk.answer(Uint8Array.of(byte));
    }
    assert(talk.over, "without waiting for what follows");
    assertEquals(failureKind(talk.error), kind);
    assertEquals(talk.text, "*b", "no line of error: it would be data");
    const whole = say(bytesOf(`^a$${sent}$^b$`));
    assertEquals([whole.text, failureKind(whole.error)], ["*b", kind]);
    // The last effect is a write, so that the driver lets the answers before it arrive.
    assert(whole.events.at(-1)?.startsWith("write "));
    assert(whole.written.length > 1, "even if only of nothing");
  }, pure);
}

test("frame names the client's bytes in its error, without control characters", () => {
  assertEquals(
    (say("^P12\x1b").error as Error).message,
    'Cannot parse the message: expected P and 1 to 20 digits and $, got "P12\\x1b"',
  );
  const tooLarge = say("^P18446744073709551616$").error;
  assertInstanceOf(tooLarge, NumberOutOfRangeError);
  assertEquals([tooLarge.received, tooLarge.range], [
    "18446744073709551616",
    "0 to 18446744073709551615",
  ]);
}, pure);

test("frame ends at FIN, but not in the middle of a question", () => {
  assertEquals(say("^abc").error, undefined);
  for (const unfinished of ["^P", "^P12"]) {
    assertInstanceOf(say(unfinished).error, PeerGoneError);
  }
}, pure);

/** The answer of the protocol, worked out from all bytes at once. */
function expected(text: string): { readonly text: string; readonly kind: FailureKind | undefined } {
  let answer = "*";
  for (let at = text.indexOf("^"); at >= 0; at = text.indexOf("^", at)) {
    const end = text.indexOf("$", ++at);
    const content = end < 0 ? text.slice(at) : text.slice(at, end);
    if (content.startsWith("P")) {
      const digits = /^P(\d{0,20})/.exec(content)?.[1] as string;
      const next = content[digits.length + 1];
      if (digits.length === 20 && BigInt(digits) >= 1n << 64n) return refused("out of range");
      if (next !== undefined) return refused(/\d/.test(next) ? "out of range" : "malformed");
      if (end < 0) return refused("peer gone");
      if (digits === "") return refused("malformed");
      const isPrimeNumber = tasks[PRIME_TASK]?.(digits) as ReturnType<typeof isPrime>;
      let slice = isPrimeNumber.next();
      while (slice.done !== true) slice = isPrimeNumber.next();
      answer += slice.value ? "prime\n" : "composite\n";
    } else {
      answer += String.fromCharCode(...bytesOf(content).map((byte) => byte + 1));
    }
    if (end < 0) break;
    at = end;
  }
  return { text: answer, kind: undefined };

  function refused(kind: FailureKind) {
    return { text: answer, kind };
  }
}

const anyByte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
const anyPart = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: anyByte, maxLength: 12 }).map((text) => `^${text}$`) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 200 }).map((number) => `^P${number}$`) },
  { weight: 2, arbitrary: fc.string({ unit: anyByte, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(..."^$P019"), maxLength: 24 }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 1n << 66n }).map((n) => `^P${n * 2n}$`) },
);
const anyStream = fc.array(anyPart, { maxLength: 8 }).map((parts) => parts.join(""));
const anyCuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 });

test("frame gives the same answer however its bytes are cut", () => {
  fc.assert(
    fc.property(anyStream, anyCuts, (stream, cuts) => {
      const { text, kind } = expected(stream);
      for (const lengths of [cuts, [1], [1 << 16]]) {
        const talk = hold(frame(), cut(bytesOf(stream), lengths), tasks);
        const found = talk.error === undefined ? undefined : failureKind(talk.error);
        assertEquals([talk.text, found], [text, kind], JSON.stringify([stream, lengths]));
      }
    }),
    { numRuns: 400 },
  );
}, pure);

test("frame writes at most once for each read that holds no question", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), anyCuts, (bytes, cuts) => {
      const talk = new Talk(frame(undefined, { prime: false }));
      for (const piece of cut(bytes, cuts)) {
        talk.written = [];
        talk.answer(piece);
        assert(talk.written.length <= 1, `${talk.written.length} writes for a read`);
      }
    }),
    { numRuns: 300 },
  );
}, pure);

test("frame answers out of the chunk that has come, when buffers of one length take turns", () => {
  const memory = new Uint8Array(128);
  const chunks = [memory.subarray(0, 3), memory.subarray(64, 67)] as const;
  const talk = frame();
  talk.next();
  talk.next();
  let answers = "";
  for (const [index, letter] of [[0, "a"], [0, "b"], [1, "c"], [1, "d"], [0, "e"]] as const) {
    chunks[index].set(new TextEncoder().encode(`^${letter}$`));
    const { value } = talk.next(chunks[index]);
    answers += new TextDecoder().decode((value as { bytes: Uint8Array }).bytes);
    talk.next();
  }
  assertEquals(answers, "bcdef");
}, { pure: true });
