/**
 * The definition of `hello`: the three-step handshake.
 *
 * @module
 */

import type { Conformance, Turn } from "../../../protocols/conformance.ts";

/** A message of the server. It may put white space wherever a message may have some. */
function said(sequence: number): Turn {
  return {
    expect: new RegExp(`^[\\t ]*HELLO[\\t ]+[+]?${sequence}[\\t ]*$`),
    means: `"HELLO ${sequence}" and a line end`,
    lenient: [{ expect: `HELLO ${sequence}\0`, because: "its messages end with \\0" }],
  };
}

/** A whole handshake. */
function handshake(first: string, answer: number, last: string): Turn[] {
  return [{ send: first, ...said(answer) }, { send: last, closes: true }];
}

/** What a client hears that has made a mistake. */
const COMPLAINT: Turn = {
  expect: /^ERROR/,
  means: 'a line that begins with "ERROR"',
  closes: true,
  lenient: [{
    closes: true,
    because: "it closes without a word: the definition asks for a line that begins with ERROR",
  }],
};

/** The longest message: 64 bytes without its line end. */
const LONGEST = `HELLO ${"7".padStart(58, "0")}\n`;

/**
 * Numbers in examples that are cut have one digit. A server may take what it has got for a whole
 * message when nothing more comes for a moment, and a part of a number is a number.
 */
export const HELLO_CONFORMANCE: Conformance = {
  examples: [
    {
      section: "three steps",
      name: "HELLO 7, HELLO 8, HELLO 9",
      turns: handshake("HELLO 7\n", 8, "HELLO 9\n"),
    },
    {
      section: "messages",
      name: "spaces, tabs and a sign before the digits",
      turns: handshake("HELLO \t +7\n", 8, "HELLO\t9\n"),
    },
    {
      section: "messages",
      name: "zeros before the digits",
      turns: handshake("HELLO 007\n", 8, "HELLO 9\n"),
      framings: false,
    },
    {
      section: "messages",
      name: "64 bytes",
      turns: handshake(LONGEST, 8, "HELLO 9\n"),
      framings: false,
    },
    {
      section: "sequence numbers",
      name: "negative ones",
      turns: handshake("HELLO -2\n", -1, "HELLO 0\n"),
      framings: false,
    },
    {
      section: "sequence numbers",
      name: "after 2147483647 comes -2147483648",
      turns: handshake("HELLO 2147483647\n", -2147483648, "HELLO -2147483647\n"),
      framings: false,
    },
    {
      section: "line ends",
      name: "\\r\\n",
      turns: handshake("HELLO 7\r\n", 8, "HELLO 9\r\n"),
    },
    { section: "line ends", name: "\\0", turns: handshake("HELLO 7\0", 8, "HELLO 9\0") },
  ],
  mistakes: [
    {
      section: "mistakes",
      name: "another word",
      turns: [{ send: "HOLA 7\n", ...COMPLAINT }],
    },
    { section: "mistakes", name: "no number", turns: [{ send: "HELLO\n", ...COMPLAINT }] },
    { section: "mistakes", name: "an empty line", turns: [{ send: "\n", ...COMPLAINT }] },
    {
      section: "mistakes",
      name: "a letter behind the digits",
      turns: [{ send: "HELLO 7x\n", ...COMPLAINT }],
    },
    {
      section: "mistakes",
      name: "a number beyond 32 bits",
      turns: [{ send: "HELLO 2147483648\n", ...COMPLAINT }],
    },
    {
      section: "mistakes",
      name: "more than 64 bytes",
      turns: [{ send: `HELLO ${"7".padStart(100, "0")}\n`, ...COMPLAINT }],
    },
    {
      section: "mistakes",
      name: "a third message that is not X+2",
      turns: [{ send: "HELLO 7\n", ...said(8) }, { send: "HELLO 10\n", ...COMPLAINT }],
    },
    {
      section: "mistakes",
      name: "FIN in place of the third message",
      turns: [{ send: "HELLO 7\n", ...said(8) }, {
        finish: true,
        closes: true,
        lenient: [{ expect: /^ERROR/, closes: true, because: "it complains to one who has left" }],
      }],
      framings: false,
    },
  ],
};
