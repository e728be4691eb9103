/**
 * A protocol that starts a program for each line, as a server may that compresses or converts. The
 * program sleeps. Its process number is the answer.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { Input, type Protocol, readLine, write } from "../../../protocol.ts";

/** How long a child lives if nobody ends it, in seconds. */
const LIFE_S = 60;

/** Answers each line with the number of a new process. */
export default function* childish(): Protocol {
  const input = new Input();
  while ((yield* readLine(input, { limit: 64 })) !== null) {
    const child = spawn("sleep", [`${LIFE_S}`], { stdio: "ignore", detached: true });
    child.unref();
    yield* write(new TextEncoder().encode(`${child.pid}\n`));
  }
}
