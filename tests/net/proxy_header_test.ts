/**
 * The header of the PROXY protocol, version 1 and 2: what is taken, and what is not.
 *
 * @module
 */

import { precede, readIntroduction } from "../../engine/drivers/introduction.ts";
import { LONGEST_HEADER, parseProxyHeader } from "../../engine/net/proxy_header.ts";
import {
  type Address,
  ConversationError,
  formatAddress,
  frame,
  MalformedMessageError,
  MessageTooLongError,
  PeerGoneError,
  type Protocol,
  READ,
  type ReadAnswer,
  write,
} from "../../protocol.ts";
import { bytesOf, cut, hold } from "../kit/conversation.ts";
import { assert, assertEquals, assertInstanceOf, assertThrows, test } from "../kit/harness.ts";
import { binaryFor, binaryOf, lineFor, LOCAL, SIGNATURE, tlv } from "../kit/proxy_headers.ts";

const pure = { pure: true };

const FOUR: Address = { hostname: "203.0.113.7", port: 51234 };
const SIX: Address = { hostname: "2001:db8::7", port: 1 };

/** What a header says, in a word: its client, `unknown` or `local`. */
function read(text: string): string | undefined {
  const found = parseProxyHeader(bytesOf(text));
  if (found === undefined) return undefined;
  const { header: { isLocal, source, destination } } = found;
  assertEquals(source === undefined, destination === undefined);
  return isLocal ? "local" : source === undefined ? "unknown" : formatAddress(source);
}

/** Headers that are right, and what they say. */
const RIGHT: readonly (readonly [string, string])[] = [
  [lineFor(FOUR), "203.0.113.7:51234"],
  [lineFor(SIX), "[2001:db8::7]:1"],
  ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535"],
  ["PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0"],
  // Every way to write the same address.
  ["PROXY TCP6 2001:0DB8:0:0:0:0:0:7 :: 1 2\r\n", "[2001:db8::7]:1"],
  ["PROXY TCP6 ::ffff:203.0.113.7 ::ffff:198.51.100.1 1 2\r\n", "203.0.113.7:1"],
  [
    `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
    `[${"ffff:".repeat(7)}ffff]:65535`,
  ],
  ["PROXY UNKNOWN\r\n", "unknown"],
  ["PROXY UNKNOWN \r\n", "unknown"],
  [`PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`, "unknown"],
  ["PROXY UNKNOWN \r what \n ever \0 \r\n", "unknown"],
  [binaryFor(FOUR), "203.0.113.7:51234"],
  [binaryFor(SIX), "[2001:db8::7]:1"],
  [binaryFor({ hostname: "::ffff:10.0.0.1", port: 9 }), "10.0.0.1:9"],
  [binaryFor(FOUR, tlv(4, "") + tlv(1, "h2") + tlv(0xee, "x".repeat(300))), "203.0.113.7:51234"],
  // TLVs are skipped, also those that are none.
  [binaryFor(FOUR, "\x01"), "203.0.113.7:51234"],
  [binaryFor(FOUR, "x".repeat(LONGEST_HEADER - 28)), "203.0.113.7:51234"],
  [LOCAL, "local"],
  // Nothing in it counts, and all of it is skipped.
  [binaryOf({ command: 0x20, family: 0x11, body: "x".repeat(12) }), "local"],
  [binaryOf({ command: 0x20, family: 0xff, body: "y" }), "local"],
  [binaryOf({}), "unknown"],
  [binaryOf({ body: tlv(4, "pad") }), "unknown"],
  // A datagram, no transport, no family, a Unix domain socket.
  [binaryOf({ family: 0x12, body: "x".repeat(12) }), "unknown"],
  [binaryOf({ family: 0x22, body: "x".repeat(36) }), "unknown"],
  [binaryOf({ family: 0x10, body: "x".repeat(12) }), "unknown"],
  [binaryOf({ family: 0x01 }), "unknown"],
  [binaryOf({ family: 0x31, body: "/run/x\0".padEnd(216, "\0") }), "unknown"],
  [binaryOf({ family: 0x32, body: "\0".repeat(216) }), "unknown"],
];

/** What is no header, and how many of its bytes show that. */
const WRONG: readonly (readonly [string, number])[] = [
  ["GET / HTTP/1.1\r\n", 1],
  ["POST / HTTP/1.1\r\n", 2],
  ["PRI * HTTP/2.0\r\n", 3],
  ["\x16\x03\x01\x02\0\x01", 1],
  ["HELLO 1\n", 1],
  ["proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", 1],
  [" PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", 1],
  ["PROXY\tTCP4", 6],
  ["PROXY\r\n", 6],
  ["PROXY  TCP4", 7],
  ["PROXY UDP4", 8],
  ["PROXY TCP5", 10],
  ["PROXY tcp4", 7],
  ["PROXY UNKNOWNS\r\n", 14],
  ["PROXY UNKNOWN\n", 14],
  ["PROXY TCP4\r\n", 11],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", 31],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rx", 32],
  ["PROXY TCP4 \r\n", 13],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", 30],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", 31],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", 31],
  ["PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", 30],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", 33],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", 36],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", 28],
  ["PROXY TCP4 1.2.3.4 1.2.3.4 1x 2\r\n", 29],
  ["PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n", 33],
  ["PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n", 34],
  ["PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", 30],
  ["PROXY TCP4 ::1 ::1 1 2\r\n", 24],
  ["PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", 32],
  ["PROXY TCP6 ::1%lo ::1 1 2\r\n", 15],
  ["PROXY TCP6 1::2::3 ::1 1 2\r\n", 28],
  ["PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n", 34],
  ["PROXY TCP6 ::12345 ::1 1 2\r\n", 28],
  ["PROXY TCP6 ::ffff:1.2.3.04 ::1 1 2\r\n", 36],
  [`PROXY UNKNOWN ${"x".repeat(200)}\r\n`, 107],
  ["\r\n\r\n\0\r\nQUIX", 11],
  ["\r\nHELLO", 3],
  // The versions, the commands, the families and the transports that there are not.
  [binaryOf({ command: 0x11 }), 13],
  [binaryOf({ command: 0x01 }), 13],
  [binaryOf({ command: 0x31 }), 13],
  [binaryOf({ command: 0x22 }), 13],
  [`${SIGNATURE}PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n`, 13],
  [binaryOf({ family: 0x41, body: "x".repeat(300) }), 14],
  [binaryOf({ family: 0xf0 }), 14],
  [binaryOf({ family: 0x13, body: "x".repeat(12) }), 14],
  // Too short for what they say.
  [binaryOf({ family: 0x11, body: "x".repeat(11) }), 16],
  [binaryOf({ family: 0x21, body: "x".repeat(12) }), 16],
  [binaryOf({ family: 0x31, body: "x".repeat(36) }), 16],
  // Too long.
  [binaryFor(FOUR, "x".repeat(LONGEST_HEADER - 27)), 16],
  [binaryOf({ command: 0x20, length: 65_535 }), 16],
];

test("a right header is read, and ends where it ends", () => {
  for (const [text, said] of RIGHT) {
    assertEquals(read(text), said, JSON.stringify(text));
    const more = bytesOf(`${text}PROXY TCP4 `);
    assertEquals(parseProxyHeader(more)?.length, text.length, JSON.stringify(text));
    assert(text.length <= LONGEST_HEADER);
    for (let end = 0; end < text.length; end++) {
      assertEquals(parseProxyHeader(bytesOf(text.slice(0, end))), undefined, `${end} of ${text}`);
    }
  }
});

test("a wrong header is refused at the first byte that shows it", () => {
  for (const [text, shownAt] of WRONG) {
    const why = JSON.stringify(text);
    for (let end = 0; end < shownAt; end++) {
      assertEquals(parseProxyHeader(bytesOf(text.slice(0, end))), undefined, `${end} of ${why}`);
    }
    for (const end of [shownAt, text.length]) {
      const parse = () => parseProxyHeader(bytesOf(text.slice(0, end)));
      const error = assertThrows(parse, ConversationError);
      assert(error instanceof MalformedMessageError || error instanceof MessageTooLongError);
      assert(error.message.length < 160, error.message);
    }
  }
});

test("the destination is read too", () => {
  for (const header of [lineFor(FOUR), binaryFor(FOUR)]) {
    const found = parseProxyHeader(bytesOf(header));
    assertEquals(found?.header.destination, { hostname: "198.51.100.1", port: 443 });
  }
}, pure);

test("a header may come in any pieces, and what comes behind it is kept", () => {
  for (const [text, said] of RIGHT) {
    const bytes = bytesOf(`${text}rest`);
    for (let at = 1; at <= bytes.length; at++) {
      const talk = hold(readIntroduction(), cut(bytes, [at, bytes.length]));
      const found = talk.result as { header: unknown; rest: Uint8Array };
      assertEquals(found.header, parseProxyHeader(bytesOf(text))?.header, said);
      // What came later is the conversation's own affair.
      const expected = at < text.length ? "rest" : "rest".slice(0, at - text.length);
      assertEquals(String.fromCharCode(...found.rest), expected);
    }
    assert(hold(readIntroduction(), cut(bytes, [1])).result !== undefined);
  }
});

test("a FIN before the header is no failure, and one within it is", () => {
  const silent = hold(readIntroduction(), []);
  assertEquals([silent.result, silent.error], [null, undefined]);
  const { error } = hold(readIntroduction(), ["PROXY "]);
  assertInstanceOf(error, PeerGoneError);
  assertEquals(error.message, "Peer gone while sending its PROXY header");
}, pure);

test("the bytes behind a header are the first that a conversation reads", () => {
  const talk = hold(precede(frame(), bytesOf("^a")), ["b$"]);
  assertEquals(talk.text, "*bc");
  // A conversation that catches errors, and one that never reads.
  function* stubborn(): Protocol<string> {
    try {
      yield* write(bytesOf("x"));
    } catch {
      const answer: ReadAnswer = yield READ;
      return String.fromCharCode(...answer as Uint8Array);
    }
    return "";
  }
  const preceded = precede(stubborn(), bytesOf("first"));
  preceded.next();
  assertEquals(preceded.throw(new Error("no")), { done: true, value: "first" });
  assertEquals(hold(precede(stubborn(), bytesOf("first")), []).text, "x");
  const ended = precede(frame(), bytesOf("^"));
  ended.next();
  assertEquals(ended.return(), { done: true, value: undefined });
}, pure);
