/**
 * Transcripts in the documents: a program in each of several windows, and what is typed and printed
 * there. Each is replayed as it is written.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { assert, assertEquals, until } from "./harness.ts";
import { Program, Script } from "./server_process.ts";

/** The transcripts of a document. */
export function transcriptsOf(path: string): string[][] {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```text transcript\n(.*?)^```$/gms)]
    .map(([, transcript = ""]) => transcript.trimEnd().split("\n"));
}

/** Replays a transcript, and asserts that nothing else is printed. */
export async function replay(transcript: readonly string[]): Promise<void> {
  await using windows = new Windows();
  for (const line of transcript) await windows.follow(line);
  windows.checkNothingElse();
}

/** Leaves out what differs from run to run. */
function alike(line: string): string {
  return line
    .replace(/^Listening on 127\.0\.0\.1:\d+/, "Listening on ADDRESS")
    .replace(/(deno|bun) \d+\.\d+\.\d+$/, "RUNTIME")
    .replace(/, 127\.0\.0\.1(:\d+)?$/, ", ADDRESS");
}

/** The windows of a transcript. A program runs in each. */
class Windows implements AsyncDisposable {
  readonly #programs = new Map<string, Program>();
  /** How many lines of each window have been compared. */
  readonly #seen = new Map<string, number>();
  #port = "";

  /** Does or expects what a line of the transcript says. */
  async follow(line: string): Promise<void> {
    const [, name = "", sign, rest = ""] = /^(\w+) +([$>|.]) ?(.*)$/.exec(line) ?? [];
    if (sign === "$") return await this.#start(name, rest);
    const program = this.#programs.get(name);
    assert(program !== undefined, `there is a window ${name}`);
    if (sign === ">") program.write(`${rest}\n`);
    else if (sign === "|") assertEquals(alike(await this.#next(name, program)), alike(rest), line);
    else {
      // `nc` ends only when its input has ended too.
      program.finish();
      await program.end();
    }
  }

  async #start(name: string, command: string): Promise<void> {
    const [, script, flags = ""] = /^deno run -A (\S+)(?: 7878)?((?: \S+)*)$/.exec(command) ?? [];
    const program = script === undefined
      ? new Program(command.replace("7878", this.#port).split(" "), { input: "open" })
      : new Script(script, ["0", ...flags.split(" ").slice(1)], { input: "open" });
    this.#programs.set(name, program);
    this.#seen.set(name, 0);
    if (script === undefined) return;
    await program.printed("\n");
    this.#port = /:(\d+) /.exec(program.stdout)?.[1] ?? "";
  }

  /** The next line that a program prints. */
  async #next(name: string, program: Program): Promise<string> {
    const at = this.#seen.get(name) ?? 0;
    const lines = () => program.stdout.split("\n").slice(0, -1);
    await until(`line ${at + 1} of ${name}`, () => lines().length > at);
    this.#seen.set(name, at + 1);
    return lines()[at] as string;
  }

  /** Asserts that every line that was printed is in the transcript. */
  checkNothingElse(): void {
    for (const [name, { stdout }] of this.#programs) {
      const rest = stdout.split("\n").slice(this.#seen.get(name)).filter((line) => line !== "");
      assertEquals(rest, [], `${name} prints nothing else`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.values()) await program[Symbol.asyncDispose]();
  }
}
