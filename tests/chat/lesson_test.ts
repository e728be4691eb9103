/**
 * The transcripts in the lesson on chat and in the README are true: they show what really happens.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { assert, assertEquals, test, until } from "../kit/harness.ts";
import { Program, Script, whyNoProgram } from "../kit/server_process.ts";

/** The transcripts of a document. */
function transcriptsOf(path: string): string[][] {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
  return [...text.matchAll(/^```text transcript\n(.*?)^```$/gms)]
    .map(([, transcript = ""]) => transcript.trimEnd().split("\n"));
}

const lesson = transcriptsOf("docs/chat.md");

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
    const script = /^deno run -A (\S+)$/.exec(command)?.[1];
    const program = script === undefined
      ? new Program(command.replace("7878", this.#port).split(" "), { input: "open" })
      : new Script(script, ["0"], { input: "open" });
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

test("the lesson on chat has a transcript of each step", () => {
  const scripts = lesson.map(([first = ""]) => /chat\/(\w+)\.ts$/.exec(first)?.[1]);
  assertEquals(scripts, ["v1_once", "v2_echo", "v3_operator", "server"]);
  assertEquals(transcriptsOf("README.md").length, 1);
});

for (
  const [document, transcripts] of [
    ["the lesson", lesson],
    ["the README", transcriptsOf("README.md")],
  ] as const
) {
  for (const transcript of transcripts) {
    const script = /chat\/\S+/.exec(transcript[0] ?? "")?.[0];
    test(`${script} goes as ${document} shows it`, async () => {
      await using windows = new Windows();
      for (const line of transcript) await windows.follow(line);
      windows.checkNothingElse();
    }, { skip: whyNoProgram("nc") });
  }
}
