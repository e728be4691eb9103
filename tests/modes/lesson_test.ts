/**
 * The lesson on the modes leads through all of them, and its transcripts show what really happens.
 *
 * @module
 */

import { existsSync, readFileSync } from "node:fs";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { MODE_NAMES } from "../../modes/catalogue.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";
import { whyNoProgram } from "../kit/server_process.ts";
import { replay, transcriptsOf } from "../kit/windows.ts";

const PATH = "docs/modes.md";
const lesson = new URL(`../../${PATH}`, import.meta.url);
const text = readFileSync(lesson, "utf8");

test("the lesson has a chapter for each mode, in the order of reading", () => {
  const chapters = [...text.matchAll(/^## (\w+)\n(.*?)(?=^## )/gms)]
    .filter(([, name = ""]) => MODE_NAMES.includes(name));
  assertEquals(chapters.map(([, name]) => name), [...MODE_NAMES]);
  for (const [, name = "", chapter = ""] of chapters) {
    assert(chapter.includes(`<!-- quote modes/${name}.ts: `), `${name} is quoted`);
    for (const part of ["What blocks:", "What it costs:"]) assert(chapter.includes(part), name);
    assert(chapter.includes(`modes/${name}.ts `), `there is a command to try ${name}`);
  }
});

test("every link and every script of the lesson leads somewhere", () => {
  const links = [...text.matchAll(/\]\((?!https:)([^)]+)\)/g)].map(([, link = ""]) => link);
  const scripts = [...text.matchAll(/deno run -A (\S+)/g)].map(([, path = ""]) => `../${path}`);
  assert(links.length > 3 && scripts.length > 5, "they were found");
  for (const path of [...links, ...scripts]) assert(existsSync(new URL(path, lesson)), path);
});

const skip = whyNoProgram("nc") ?? whyNoSockets();
for (const transcript of transcriptsOf(PATH)) {
  const script = /modes\/\S+/.exec(transcript[0] ?? "")?.[0];
  test(`${script} goes as the lesson on the modes shows it`, () => replay(transcript), { skip });
}
