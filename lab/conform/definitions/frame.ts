/**
 * The definition of `frame`: the protocol of "Concurrent Servers", with questions.
 *
 * @module
 */

import type { Conformance, Turn } from "../../../protocols/conformance.ts";

const CLOSING = 0x24;

/** Each byte one higher, 255 to 0. */
function raised(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte + 1);
}

/** Puts a frame between its marks. */
function framed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([0x5e, ...bytes, CLOSING]);
}

/** Every byte but the one that ends a frame. */
const BINARY = Uint8Array.from({ length: 256 }, (_, byte) => byte).filter((byte) =>
  byte !== CLOSING
);

/** More than the buffers on the way hold. */
const LARGE_BYTES = 1_000_000;

const LARGE = new Uint8Array(LARGE_BYTES).fill(0x79);

/** What a server says that has no questions. */
const WITHOUT = "it has no questions: it answers them as data";

/** What a server without questions answers to frames and to a part of one. */
function asData(frames: string): Uint8Array {
  return raised(new TextEncoder().encode(frames.replaceAll(/[\^$]/g, "")));
}

/** Questions and their answers. */
function asked(send: string, expect: string): Turn {
  return { send, expect, lenient: [{ expect: asData(send), because: WITHOUT }] };
}

/** A question that is malformed. What was asked before it is answered. */
function refused(send: string, before: string): Turn {
  const lenient = [{ expect: asData(send), because: WITHOUT }];
  return { send, expect: before, closes: true, lenient };
}

export const FRAME_CONFORMANCE: Conformance = {
  greeting: [{ expect: "*" }],
  examples: [
    {
      section: "frames",
      name: "each byte is answered one higher",
      turns: [{ send: "^abc$", expect: "bcd" }],
      repeats: true,
    },
    {
      section: "frames",
      name: "what is between frames is ignored",
      turns: [{ send: "xx$^a$yy^b$zz", expect: "bc" }],
      repeats: true,
    },
    {
      section: "frames",
      name: "a byte is answered before its frame ends",
      turns: [
        { send: "^a", expect: "b" },
        { send: "b", expect: "c" },
        { send: "$" },
        { send: "^c$", expect: "d" },
      ],
    },
    {
      section: "frames",
      name: "^ in a frame is data",
      turns: [{ send: "^a^b$", expect: "b_c" }],
    },
    {
      section: "frames",
      name: "an empty frame is answered with nothing",
      turns: [{ send: "^$^a$", expect: "b" }],
    },
    {
      section: "frames",
      name: "every byte, 255 becomes 0",
      turns: [{ send: framed(BINARY), expect: raised(BINARY) }],
    },
    {
      section: "frames",
      name: `a frame of ${LARGE_BYTES} bytes`,
      turns: [{ send: framed(LARGE), expect: raised(LARGE) }],
      framings: false,
    },
    {
      section: "questions",
      name: "7 is prime",
      turns: [asked("^P7$", "prime\n")],
      repeats: true,
    },
    {
      section: "questions",
      name: "8 is composite, and so is the largest number",
      turns: [
        asked("^P8$", "composite\n"),
        asked("^P18446744073709551615$", "composite\n"),
      ],
      framings: false,
    },
    {
      section: "questions",
      name: "questions and data are answered in order",
      turns: [asked("^a$^P7$^b$", "bprime\nc")],
    },
    {
      section: "questions",
      name: "P that is not the first byte is data",
      turns: [{ send: "^aP$", expect: "bQ" }],
      framings: false,
    },
  ],
  mistakes: [
    {
      section: "questions",
      name: "a letter among the digits ends the conversation",
      turns: [refused("^a$^P12x", "b")],
    },
    {
      section: "questions",
      name: "no digits",
      turns: [refused("^a$^P$^b$", "b")],
      framings: false,
    },
    {
      section: "questions",
      name: "a number beyond 64 bits",
      turns: [refused("^a$^P18446744073709551616$", "b")],
      framings: false,
    },
    {
      section: "questions",
      name: "what was answered before arrives",
      turns: [{
        send: Uint8Array.from([...framed(LARGE.subarray(0, 300_000)), 0x5e, 0x50, 0x21]),
        expect: raised(LARGE.subarray(0, 300_000)),
        closes: true,
        lenient: [{
          expect: Uint8Array.from([...raised(LARGE.subarray(0, 300_000)), 0x51, 0x22]),
          because: WITHOUT,
        }],
      }],
    },
  ],
  stays: [{ send: "^a$", expect: "b" }],
  endless: "^xxxxxxxxxxxxxxx",
};
