/**
 * The definition of `print`: what arrives is printed, and nothing is answered.
 *
 * @module
 */

import type { Conformance } from "../../../protocols/conformance.ts";

const LARGE = "much to print, again and again\n".repeat(32 * 1024);

export const PRINT_CONFORMANCE: Conformance = {
  examples: [
    {
      section: "the end",
      name: "!Disconnect ends the conversation",
      turns: [{ send: "hello\n!Disconnect", closes: true }],
    },
    {
      section: "text",
      name: "it is printed, and nothing is answered",
      turns: [{ send: "good morning\n!Disconnect", closes: true, prints: "good morning" }],
      // The network decides how text that comes in pieces is divided into lines.
      framings: false,
    },
    {
      section: "text",
      name: "the last words before FIN are printed too",
      turns: [{ send: "first\nlast words", finish: true, closes: true, prints: "last words" }],
      framings: false,
    },
    {
      section: "text",
      name: "every byte",
      turns: [
        { send: Uint8Array.from({ length: 256 }, (_, byte) => byte) },
        { send: "!Disconnect", closes: true },
      ],
      framings: false,
    },
    {
      section: "text",
      name: `${LARGE.length} bytes`,
      turns: [{ send: `${LARGE}!Disconnect`, closes: true }],
      framings: false,
    },
    {
      section: "the end",
      name: "FIN ends it too",
      turns: [{ send: "hello\n", finish: true, closes: true }],
      framings: false,
    },
    {
      section: "the end",
      name: "words that only begin like !Disconnect do not",
      turns: [{ send: "!Disc!Disconn" }, { send: "!Disconnect", closes: true }],
    },
  ],
  mistakes: [{
    section: "the end",
    name: "!Disconnect in the middle",
    turns: [{ send: "hello !Disconnect", closes: true }],
  }],
  stays: [{ send: "hello\n" }],
};
