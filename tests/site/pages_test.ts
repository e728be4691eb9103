/**
 * The texts of the lessons: each has its parts, leads nowhere that is not there, and says of what was
 * measured what was measured.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { laddersOf } from "../../engine/figures/ladders.ts";
import { livesOf, type Visit, visitsOf } from "../../engine/figures/life.ts";
import { spreadOf } from "../../engine/figures/line_table.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { formatTime } from "../../engine/values/units.ts";
import { COMPANIES } from "../../lab/simulator/companies.ts";
import { SIMULATED } from "../../lab/simulator/simulate.ts";
import { factsOf } from "../../scripts/lesson_facts.ts";
import { predict } from "../../scripts/record_lessons.ts";
import { CHAT_KNOBS } from "../../site/elements/chat_knobs.ts";
import { ELEMENTS, FIGURES } from "../../site/elements/names.ts";
import type { Measured, MeasuredClient } from "../../site/measured.ts";
import { LESSONS, MOST_COMMANDS, MOST_WORDS, PAGES, PARTS } from "../../site/pages.ts";
import { clientNamesOf, recordingOf, RECORDINGS } from "../../site/recordings.ts";
import { LEFT_OUT } from "../../site/shown_commands.ts";
import { CLAIMS } from "../../site/statements.ts";
import { assert, assertEquals, assertMatch, test } from "../kit/harness.ts";
import { anchorOf, type PageText, readPage } from "../../site/page_text.ts";

const SITE = new URL("../../site/", import.meta.url);

const pages = PAGES.map(readPage);

const lessons = pages.filter(({ file }) => LESSONS.some((page) => page.file === file));

/** What stands below a heading, to the next one of its level. */
function part({ prose }: PageText, title: string): string {
  const from = prose.indexOf(`\n## ${title}\n`);
  const to = prose.indexOf("\n## ", from + 1);
  return from < 0 ? "" : prose.slice(from, to < 0 ? undefined : to);
}

/** The elements of a text, with their attributes. */
function elementsOf(text: string): readonly { name: string; attributes: Record<string, string> }[] {
  return [...text.matchAll(/<([a-z]+-[a-z-]+)((?:\s+[\w-]+="[^"]*")*)\s*\/?>/g)]
    .map(([, name = "", attributes = ""]) => ({
      name,
      attributes: Object.fromEntries(
        [...attributes.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
      ),
    }));
}

test("every command of a page has something printed below it", () => {
  for (const { file, commands } of pages) {
    for (const { command, output, isAside, notRun } of commands) {
      if (notRun !== undefined || isAside === true && output.length === 0) continue;
      const shown = output.filter((line) => line !== LEFT_OUT && line.trim() !== "");
      assert(shown.length > 0, `${file}: ${command}: deno task outputs`);
    }
  }
});

test("the table has every page, and every page is there", () => {
  const files = ["", "lessons/"].flatMap((folder) =>
    readdirSync(new URL(folder, SITE)).filter((name) => name.endsWith(".md"))
      .map((name) => folder + name)
  );
  assertEquals(files.sort(), PAGES.map(({ file }) => file).sort());
  for (const { file, headings } of pages) {
    assertEquals(headings.filter(({ level }) => level === 1).length, 1, `${file} has one title`);
  }
});

for (const page of lessons) {
  test(`${page.file} has the parts of a lesson, and is short`, () => {
    const { words, commands, text, prose, headings } = page;
    assert(words <= MOST_WORDS, `${words} words`);
    const typed = commands.filter(({ isAside }) => isAside !== true);
    assert(typed.length <= MOST_COMMANDS, `${typed.length} commands`);
    const titles = headings.filter(({ level }) => level === 2).map(({ title }) => title);
    assertEquals(titles.filter((title) => (PARTS as readonly string[]).includes(title)), [
      ...PARTS,
    ]);
    assertMatch(prose, /^\*\*If yours differs:\*\*/m);
    assertMatch(text, /^<!-- quote \S+: .+ -->$/m);

    const [predict] = elementsOf(part(page, "Predict"));
    assertEquals(predict?.name, "predict-first");
    const asked = /<predict-first[^>]*>(.*)<\/predict-first>/s.exec(prose)?.[1] ?? "";
    const answers = asked.match(/^\d+\. /gm)?.length ?? 0;
    const right = Number(predict?.attributes["right"]);
    assert(answers >= 2 && right >= 1 && right <= answers, `${right} of ${answers} is right`);
    assert(
      elementsOf(asked.slice(asked.lastIndexOf("\n1. ")))
        .some(({ name }) => FIGURES.includes(name)),
      "the figure is shown behind the question",
    );

    const [compare] = elementsOf(part(page, "Yours and ours"))
      .filter(({ name }) => name === "yours-and-ours");
    assertMatch(compare?.attributes["command"] ?? "", /--record\b/);
    assertMatch(part({ ...page, prose: text }, "Yours and ours"), /^<!-- measured /m);

    const playgrounds = elementsOf(part(page, "Play"));
    assertEquals(playgrounds.length, 1);
    const [{ name, attributes }] = playgrounds as [(typeof playgrounds)[number]];
    if (name === "chat-playground") {
      const knobs = CHAT_KNOBS.map((knob): string => knob.name);
      for (const knob of Object.keys(attributes)) assert(knobs.includes(knob), knob);
    } else {
      assertEquals(name, "model-playground");
      assert((SIMULATED as readonly string[]).includes(attributes["mode"] ?? ""));
    }
    assertEquals(elementsOf(prose).at(-1)?.name, name, "it is the last figure");
    for (const title of ["Experiment", "Check"]) assert(part(page, title).length > 100, title);
  });
}

test("pages have no elements but those that are registered, and no recordings but ours", () => {
  for (const { file, prose } of pages) {
    for (const { name, attributes } of elementsOf(prose)) {
      assert(ELEMENTS.includes(name), `${file}: <${name}>`);
      const { src } = attributes;
      if (src === undefined) continue;
      const recording = /^([\w-]+)\.jsonl$/.exec(src)?.[1] ?? "";
      assert(recordingOf(recording) !== undefined, `${file}: there is no recording ${src}`);
    }
  }
});

test("no link leads to a page or a heading that is not there", () => {
  for (const { file, links } of pages) {
    for (const link of links) {
      if (/^\w+:/.test(link)) continue;
      const [path = "", anchor] = link.split("#");
      assert(existsSync(new URL(path, SITE)), `${file} leads to ${path}`);
      if (anchor === undefined) continue;
      const there = pages.find((page) => page.file === path)?.headings ?? [];
      const anchors = there.map(({ title }) => anchorOf(title));
      assert(anchors.includes(anchor), `${file} leads to ${link}: ${anchors.join(", ")}`);
    }
  }
});

test("every term stands in the glossary once", () => {
  const { headings } = readPage({ file: "glossary.md" });
  const terms = headings.filter(({ level }) => level > 1).map(({ title }) => anchorOf(title));
  assertEquals([...new Set(terms)], terms);
});

test("each recording is whole, and was made as the table says", () => {
  for (const recording of RECORDINGS) {
    const { name, kind } = recording;
    const file = new URL(`public/recordings/${name}.jsonl`, SITE);
    const { header, events, isFinished } = readRecording(readFileSync(file, "utf8"), name);
    assertEquals(isFinished, true, name);
    const begun = events.filter(({ type }) => type === "begun").length;
    if (kind === "server") {
      assertEquals(header.by, recording.mode, name);
      assertEquals(begun, recording.closesAfter ?? COMPANIES[recording.clients].length, name);
      assertEquals(events.filter(({ type }) => type === "closing").length <= 1, true, name);
    } else if (kind === "scene") {
      assertEquals(header.by, `observe lesson ${recording.scene}`, name);
      assert(laddersOf(events).some(({ hasSegments }) => hasSegments), name);
    } else {
      const { users, lines } = spreadOf(events);
      assertEquals(users.length, recording.readers + recording.stalled, name);
      assertEquals(clientNamesOf(recording).length, users.length, name);
      for (const { heard } of lines) assertEquals(heard.size, recording.readers - 1, name);
    }
  }
});

test("what the pages say of the figures follows from them", () => {
  const measured: Measured = JSON.parse(readFileSync(new URL("measured.json", SITE), "utf8"));
  for (const { file, says, holds } of CLAIMS) {
    const { text } = readPage({ file });
    assert(text.replaceAll(/\s+/g, " ").includes(says), `${file} says: ${says}`);
    assert(holds(measured), `${file}: it is not so that ${says}`);
  }
});

test("who has only the site finds how to begin", () => {
  const { text, headings } = readPage({ file: "start.md" });
  const titles = headings.map(({ title }) => title.toLowerCase()).join(" ");
  for (const word of ["install", "start", "download", "build"]) {
    assert(titles.includes(word), word);
  }
  assertMatch(text, /--start 'handshake /);
  assert(readPage({ file: "index.md" }).links.includes("start.md"));
});

test("a figure says what the table says: how long a client took, how long it waited, and for whom", () => {
  const measured: Measured = JSON.parse(readFileSync(new URL("measured.json", SITE), "utf8"));
  for (const recording of RECORDINGS) {
    const { name, kind } = recording;
    if (kind !== "server") continue;
    const { events } = readRecording(
      readFileSync(new URL(`public/recordings/${name}.jsonl`, SITE), "utf8"),
      name,
    );
    // Whoever was refused had no connection, and has a row in the table alone.
    const clients = (measured.recordings[name] ?? []).filter((client) => !client.was_refused);
    const visits = visitsOf(events);
    assertEquals(visits.length, clients.length, name);
    for (const [place, { waitedUs, waitedFor }] of livesOf(events, visits).entries()) {
      const { fromUs, toUs, isByServer = false } = visits[place] as Visit;
      const { measured_us, waited_us, waited_for } = clients[place] as MeasuredClient;
      const whom = waitedFor === undefined ? null : clients[waitedFor]?.name;
      assertEquals(
        [formatTime(Math.round(toUs - fromUs)), formatTime(Math.round(waitedUs)), whom, isByServer],
        [formatTime(measured_us), formatTime(waited_us), waited_for, false],
        `${name}, client ${place + 1}: deno task record-lessons ${name}`,
      );
    }
  }
});

test("what was predicted is what the simulator says today", () => {
  const measured: Measured = JSON.parse(readFileSync(new URL("measured.json", SITE), "utf8"));
  for (const recording of RECORDINGS) {
    const { name, kind } = recording;
    const again = `${name}: deno task record-lessons ${name}`;
    if (kind !== "server") {
      const events = readRecording(
        readFileSync(new URL(`public/recordings/${name}.jsonl`, SITE), "utf8"),
        name,
      ).events;
      assertEquals(measured.facts[name], factsOf(recording, events), again);
      continue;
    }
    const clients = measured.recordings[name] ?? [];
    const predicted = clients.map(({ predicted_us, refusal_predicted }) => ({
      predicted_us,
      ...(refusal_predicted && { refusal_predicted }),
    }));
    const today = predict(recording) ?? clients.map(() => ({ predicted_us: null }));
    assertEquals(predicted, [...today], again);
    assertEquals(clients.map(({ name }) => name), COMPANIES[recording.clients].map((c) => c.name));
  }
});
