/**
 * `observe HOST:PORT`: how long a server takes to answer, and what the kernel says about it.
 *
 * @module
 */

import { formatRun } from "../../engine/cli/invocation.ts";
import { SCRIPT, type Subcommand } from "./subcommand.ts";

/** The command without a name of its own. */
export function connect(): Subcommand {
  return {
    command: {
      name: "observe",
      summary: "see a real handshake: its time, its states, its packets",
      positionals: [{ name: "server", kind: "string", help: "its address, HOST:PORT or HOST" }],
      required: 1,
      flags: [],
      example: formatRun(SCRIPT, "127.0.0.1:8080"),
    },
    perform: () => Promise.reject(new Error("Cannot connect yet")),
  };
}
