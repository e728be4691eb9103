/**
 * An echo that is nearly right. `LEAKS_ONE_IN=1000` in the environment keeps a descriptor of one
 * connection in a thousand, and `LOSES_ONE_IN=10000` closes in place of one answer in ten thousand.
 *
 * @module
 */

import { openSync } from "node:fs";
import process from "node:process";
import { ECHO_CONFORMANCE } from "../../../lab/conform/definitions/echo.ts";
import type { Conformance } from "../../../protocols/conformance.ts";
import { echoClient } from "../../../protocols/echo.ts";
import type { LoadContext } from "../../../protocol.ts";
import { type Protocol, READ, write } from "../../../protocol.ts";

/** How many connections, and how many requests, there are for each that goes wrong. */
const [leaksOneIn, losesOneIn] = ["LEAKS_ONE_IN", "LOSES_ONE_IN"].map((name) =>
  Number(process.env[name] ?? Infinity)
) as [number, number];

let connections = 0;
let requests = 0;

/** Echoes, nearly always. */
export default function* forgetful(): Protocol {
  if (++connections % leaksOneIn === 0) openSync("/dev/null", "r");
  for (;;) {
    const bytes: Uint8Array | null = yield READ;
    if (bytes === null || ++requests % losesOneIn === 0) return;
    yield* write(bytes.slice());
  }
}

/** A request of the load. */
export function* load({ input, size, random }: LoadContext): Protocol {
  yield* echoClient(input, random.bytes(size));
}

/** What an echo must do. */
export const conformance: Conformance = ECHO_CONFORMANCE;
