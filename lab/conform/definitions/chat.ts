/**
 * The definition of the chat: rooms, as `docs/chat.md` has them.
 *
 * @module
 */

import type { Conformance, Turn } from "../../../protocols/conformance.ts";

/** What a client reads that was alone until now and leaves. */
const LEAVES: Turn = { expect: /^\* goodbye$/, closes: true };

/** Goes into a room. */
function joins(client: string, room: string): Turn {
  return { client, send: `/join ${room}\n`, expect: new RegExp(`^\\* you are in ${room}$`) };
}

/** A name that the server gives, or that a client has taken. */
const NAME = "[^\\]\\s]+";

function hears(client: string, text: string): Turn {
  return { client, expect: new RegExp(`^\\[${NAME}\\] ${text}$`) };
}

export const CHAT_CONFORMANCE: Conformance = {
  greeting: [{ expect: /^\* welcome/ }, { expect: /^\* you are \S+ in lobby$/ }],
  ignores: /^\* \S+ (joined|left|is now)\b|^\* \d+ (joined|left|renamed)\b|^\* also here\b|^\[/,
  examples: [
    {
      section: "commands",
      name: "/rooms is answered, and /quit ends the visit",
      turns: [{ send: "/rooms\n", expect: /^\* rooms: / }, { send: "/quit\n", ...LEAVES }],
    },
    {
      section: "lines",
      name: "\\r\\n ends a line too",
      turns: [{ send: "/rooms\r\n", expect: /^\* rooms: / }, { send: "/quit\r\n", ...LEAVES }],
    },
    {
      section: "talk",
      name: "what one says the others in the room hear",
      turns: [
        joins("ann", "conform-talk"),
        joins("bob", "conform-talk"),
        { client: "ann", send: "hello\n" },
        hears("bob", "hello"),
        { client: "bob", send: "hello to you\n" },
        hears("ann", "hello to you"),
      ],
    },
    {
      section: "talk",
      name: "several lines in one write are several lines",
      turns: [
        joins("ann", "conform-lines"),
        joins("bob", "conform-lines"),
        { client: "ann", send: "one\ntwo\nthree\n" },
        hears("bob", "one"),
        hears("bob", "two"),
        hears("bob", "three"),
      ],
    },
    {
      section: "talk",
      name: "whoever is alone hears their own words",
      turns: [
        { send: "/join conform-alone\n", expect: /^\* you are in conform-alone$/ },
        { send: "is anybody there?\n", expect: /^\[\S+\] is anybody there\?$/ },
      ],
      framings: false,
    },
    {
      section: "talk",
      name: "control characters and escape sequences are removed",
      turns: [
        joins("ann", "conform-clean"),
        joins("bob", "conform-clean"),
        { client: "ann", send: "a\x1b[2Jb\x07c\n" },
        hears("bob", "abc"),
      ],
    },
    {
      section: "talk",
      name: "nobody in another room hears it",
      turns: [
        joins("ann", "conform-here"),
        joins("bob", "conform-there"),
        { client: "ann", send: "secret\n" },
        { client: "bob", send: "/quit\n", ...LEAVES },
      ],
    },
    {
      section: "names",
      name: "/nick, and /msg to that name",
      turns: [
        { client: "ann", send: "/nick conform-ann\n", expect: /^\* you are now conform-ann$/ },
        {
          client: "bob",
          send: "/msg conform-ann over here\n",
          expect: /^\[you to conform-ann\] over here$/,
        },
        { client: "ann", expect: /^\[\S+ to you\] over here$/ },
      ],
    },
    {
      section: "names",
      name: "a name belongs to one user",
      turns: [
        { client: "ann", send: "/nick conform-one\n", expect: /^\* you are now conform-one$/ },
        {
          client: "bob",
          send: "/nick conform-one\n",
          expect: /^\* the name conform-one is taken$/,
        },
      ],
    },
    {
      section: "closing",
      name: "FIN ends the visit, and the last word is goodbye",
      turns: [{ finish: true, ...LEAVES }],
      framings: false,
    },
  ],
  mistakes: [
    {
      section: "commands",
      name: "an unknown command",
      turns: [{ send: "/fly\n", expect: /^\* unknown command \/fly/ }],
      framings: false,
    },
    {
      section: "lines",
      name: "a line that is too long is refused, and the next one is taken",
      turns: [
        { send: `${"x".repeat(3_000)}\n`, expect: /^\* line too long/ },
        { send: "/rooms\n", expect: /^\* rooms: / },
      ],
      framings: false,
    },
    {
      section: "names",
      name: "a name that cannot be one",
      turns: [{ send: "/nick [x]\n", expect: /^\* cannot use the name/ }],
      framings: false,
    },
  ],
  stays: [{ send: "/rooms\n", expect: /^\* rooms: / }],
};
