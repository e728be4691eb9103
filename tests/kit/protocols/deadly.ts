/**
 * A protocol that tells which process it runs in, and ends or blocks that when a client says so.
 *
 * @module
 */

import process from "node:process";
import { runtime } from "../../../engine/net/runtime.ts";
import { encodeLine, Input, type Protocol, readLine, write } from "../../../protocol.ts";

/** Answers each line: with the process, with the runtime, or with the line. */
export default function* deadly(): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: 64 });
    if (line === null) return;
    const word = new TextDecoder().decode(line);
    if (word === "kill") process.kill(process.pid, "SIGKILL");
    if (word === "spin") { for (;;) { /* Nobody can stop this. */ } }
    if (word === "grow") { for (const all = [];;) all.push(new Uint8Array(2 ** 20).fill(1)); }
    if (word === "exit") process.exit(7);
    if (word === "stray") void Promise.reject(new Error("\u{1f4a5}".repeat(50_000)));
    const answer = word === "pid" ? `${process.pid}` : word === "runtime" ? runtime.name : word;
    yield* write(encodeLine(answer));
  }
}
