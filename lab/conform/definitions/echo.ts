/**
 * The definition of `echo`: RFC 862 over TCP.
 *
 * @module
 */

import type { Conformance } from "../../../protocols/conformance.ts";

const BINARY = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** More than the buffers on the way hold. */
const LARGE = new Uint8Array(1_000_000).map((_, index) => Math.imul(index, 0x9e3779b1) >>> 24);

export const ECHO_CONFORMANCE: Conformance = {
  examples: [
    {
      section: "bytes",
      name: "what is sent comes back",
      turns: [{ send: "hello\n", expect: "hello\n" }],
      repeats: true,
    },
    {
      section: "bytes",
      name: "it comes back at once, without a line end",
      turns: [{ send: "hel", expect: "hel" }, { send: "lo", expect: "lo" }],
    },
    {
      section: "bytes",
      name: "every byte",
      turns: [{ send: BINARY, expect: BINARY }],
    },
    {
      section: "bytes",
      name: `${LARGE.length} bytes`,
      turns: [{ send: LARGE, expect: LARGE }],
      framings: false,
    },
    {
      section: "closing",
      name: "nothing, and FIN",
      turns: [{ finish: true, closes: true }],
      framings: false,
    },
    {
      section: "closing",
      name: `${LARGE.length} bytes and FIN: all of them come back first`,
      turns: [{ send: LARGE, finish: true, expect: LARGE, closes: true }],
      framings: false,
    },
  ],
};
