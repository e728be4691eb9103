/**
 * The transcripts in the lesson on chat and in the README are true: they show what really happens.
 *
 * @module
 */

import { assertEquals, test } from "../kit/harness.ts";
import { whyNoProgram } from "../kit/server_process.ts";
import { replay, transcriptsOf } from "../kit/windows.ts";

const lesson = transcriptsOf("docs/chat.md");

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
    test(`${script} goes as ${document} shows it`, () => replay(transcript), {
      skip: whyNoProgram("nc"),
    });
  }
}
