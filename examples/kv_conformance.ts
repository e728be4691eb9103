/**
 * What a server of `examples/kv.ts` must do, as data: whoever writes one in another language can
 * check it. `deno run -A lab/conform.ts --protocol ./examples/kv_conformance.ts 127.0.0.1:8080`
 *
 * The modes that have several threads have a store for each of them. So all that belongs together is
 * said on one connection, with keys that no other example uses.
 * @module
 */
import type { Conformance } from "handshake/protocol";

/** The definition: its sections are the commands. */
export const conformance: Conformance = {
  examples: [
    {
      section: "SET and GET",
      name: "what was set is found",
      turns: [
        { send: "SET colour blue\n", expect: "OK\n" },
        { send: "GET colour\n", expect: "blue\n" },
      ],
      repeats: true,
    },
    {
      section: "SET and GET",
      name: "a key that is not there",
      turns: [{ send: "GET nothing\n", expect: "(nil)\n" }],
    },
    {
      section: "DEL",
      name: "it says how many keys there were",
      turns: [
        { send: "SET gone 1\nDEL gone\n", expect: "OK\n(integer) 1\n" },
        { send: "DEL gone\n", expect: "(integer) 0\n" },
      ],
      framings: false, // other clients would delete the same key
    },
  ],
  mistakes: [
    {
      section: "errors",
      name: "an unknown command, and the conversation goes on",
      turns: [
        { send: "FLY\n", expect: /^ERR unknown command/ },
        { send: "GET nothing\n", expect: "(nil)\n" },
      ],
    },
    {
      section: "errors",
      name: "a line that is too long ends it",
      turns: [{ send: `SET long ${"x".repeat(4_000)}\n`, expect: /^ERR line too/, closes: true }],
    },
  ],
};
