/**
 * Print and echo without a network.
 *
 * @module
 */

import fc from "fast-check";
import {
  type Context,
  DISCONNECT,
  echo,
  echoDatagram,
  print,
  PRINT_CHUNK,
  printDatagram,
} from "../../protocol.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";
import { bytesOf, cut, hold, Talk } from "../kit/conversation.ts";

const pure = { pure: true };
const context: Context = {
  peer: { hostname: "127.0.0.1", port: 5 },
  signal: new AbortController().signal,
};
const utf8 = (text: string) => new TextEncoder().encode(text);

/** The lines that are printed when a peer sends these pieces, then FIN. */
function printed(...pieces: (string | Uint8Array)[]): string[] {
  const talk = hold(print(context), pieces);
  assertEquals([talk.error, talk.written.length], [undefined, 0]);
  return linesOf(talk);
}

function linesOf({ events }: Talk): string[] {
  return events.map((event) => event.replace(/^report 127\.0\.0\.1:5: /, ""));
}

// Print.

test("print reports what it reads with its sender, and answers nothing", () => {
  assertEquals(hold(print(context), ["hello"]).events, ["report 127.0.0.1:5: hello"]);
  const ipv6 = { ...context, peer: { hostname: "::1", port: 5 } };
  assertEquals(hold(print(ipv6), ["hello"]).events, ["report [::1]:5: hello"]);
}, pure);

test("print reports each line by itself", () => {
  assertEquals(printed("a\nb\r\nc"), ["a", "b", "c"]);
  assertEquals(printed("a\n"), ["a"]);
  assertEquals(printed("\n"), [""]);
  assertEquals(printed("a\n\nb\n"), ["a", "", "b"]);
  assertEquals(printed("a", "b"), ["a", "b"]);
}, pure);

test("print takes at most 1024 bytes at a time", () => {
  assertEquals(PRINT_CHUNK, 1024);
  for (const [length, chunks] of [[1023, 1], [1024, 1], [1025, 2], [2500, 3]] as const) {
    const lines = printed("x".repeat(length));
    assertEquals([lines.length, lines.join("").length], [chunks, length]);
    assert(lines.every((line) => line.length <= 1024));
  }
}, pure);

test(`print ends at ${DISCONNECT}, wherever two reads cut it`, () => {
  for (let at = 1; at < DISCONNECT.length; at++) {
    const talk = new Talk(print(context));
    talk.answer(bytesOf(`bye ${DISCONNECT.slice(0, at)}`));
    assertEquals(talk.over, false, `after ${at} characters`);
    talk.answer(bytesOf(DISCONNECT.slice(at)));
    assertEquals([talk.over, talk.error], [true, undefined], `after all, cut at ${at}`);
  }
  const slow = new Talk(print(context));
  for (const byte of bytesOf(DISCONNECT)) {
    assertEquals(slow.over, false);
    slow.answer(Uint8Array.of(byte));
  }
  assert(slow.over, "byte by byte");
}, pure);

for (
  const [what, text, ends] of [
    ["alone", DISCONNECT, true],
    ["in the middle of a message", `a${DISCONNECT}b`, true],
    ["after its own first character", `!${DISCONNECT}`, true],
    ["after its own beginning", `!Disc${DISCONNECT}`, true],
    ["in capitals", DISCONNECT.toUpperCase(), false],
    ["without its first character", DISCONNECT.slice(1), false],
    ["without its last character", DISCONNECT.slice(0, -1), false],
    ["interrupted", "!Disc onnect", false],
    ["on the border of two chunks", "x".repeat(1020) + DISCONNECT, true],
  ] as const
) {
  test(`print ${ends ? "ends" : "goes on"} at ${DISCONNECT} ${what}`, () => {
    for (const lengths of [[text.length], [1], [3]]) {
      const talk = new Talk(print(context));
      for (const piece of cut(bytesOf(text), lengths)) if (!talk.over) talk.answer(piece);
      assertEquals(talk.over, ends);
    }
  }, pure);
}

test("print ignores what follows the chunk with the end", () => {
  const lines = printed(`${DISCONNECT.padEnd(1024)}more`);
  assertEquals(lines.map((line) => line.trim()), [DISCONNECT]);
}, pure);

test("print joins characters that the network has cut, and shows bytes that are none", () => {
  const text = "é€😀ß";
  for (let at = 1; at < utf8(text).length; at++) {
    assertEquals(printed(...cut(utf8(text), [at, 100])).join(""), text);
  }
  assertEquals(printed(...cut(utf8(text), [1])), [...text]);
  const long = "€".repeat(1000);
  assertEquals(printed(utf8(long)).join(""), long, "cut by the chunks");
  assertEquals(printed("a\xe2\x82"), ["a", "\ufffd"]);
  assertEquals(printed("\xff"), ["\ufffd"]);
}, pure);

test("printDatagram reports a datagram and says whether it ends the conversation", () => {
  const of = (text: string) => {
    const talk = hold(printDatagram(context, bytesOf(text)), []);
    assertEquals([talk.reads, talk.written.length], [0, 0]);
    return [linesOf(talk), talk.result];
  };
  assertEquals(of("hello"), [["hello"], false]);
  assertEquals(of("a\nb"), [["a", "b"], false]);
  assertEquals(of(""), [[""], false]);
  assertEquals(of(`bye ${DISCONNECT}`), [[`bye ${DISCONNECT}`], true]);
  assertEquals(of("x".repeat(1025)), [["x".repeat(1024), "x"], false]);
  assertEquals(of("x".repeat(1020) + DISCONNECT)[1], true);
}, pure);

// Echo.

test("echo gives back any bytes, one write for each read", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })), (pieces) => {
    const talk = hold(echo(), pieces);
    assertEquals(talk.error, undefined);
    assertEquals(talk.written.map((bytes) => [...bytes]), pieces.map((bytes) => [...bytes]));
  }));
}, pure);

test("echo gives back a megabyte, and adds nothing", () => {
  const bytes = Uint8Array.from({ length: 1 << 20 }, (_, index) => index * 7);
  const [written] = hold(echo(), [bytes]).written;
  assertEquals(written, bytes);
  assertEquals(hold(echo(), []).events, []);
}, pure);

test("echoDatagram gives back a datagram and goes on", () => {
  for (const text of ["hello", "", "\x00\xff"]) {
    const talk = hold(echoDatagram(context, bytesOf(text)), []);
    assertEquals([talk.text, talk.result, talk.reads], [text, false, 0]);
  }
}, pure);
