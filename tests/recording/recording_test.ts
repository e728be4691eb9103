/**
 * The form of a recording: what is written can be read, and nothing else passes for it.
 *
 * @module
 */

import { readFileSync, statSync } from "node:fs";
import fc from "fast-check";
import { runtime } from "../../engine/net/runtime.ts";
import type { Event } from "../../engine/recording/events.ts";
import { readRecording, RecordingFormatError } from "../../engine/recording/read_recording.ts";
import { RecordingFile } from "../../engine/recording/recording_file.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows, test } from "../kit/harness.ts";
import { anyEvent, eventsOf, formatRecording, HEADER, readStrictly } from "../kit/recordings.ts";

test("whatever is recorded can be read, conforms to the schema, and is in the order of time", () => {
  using folder = new Folder();
  const path = folder.path("any.jsonl");
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 20 }), (events) => {
      const beganUs = 1_700_000_000_000_000.5;
      const file = RecordingFile.create(path, { by: "a test", beganUs, tier: "T2" });
      for (const event of events) assert(file.add(event));
      file[Symbol.dispose]();
      const { header, events: read, isFinished, isCut, unknown } = readStrictly(path);
      assertEquals(header, {
        ...HEADER,
        by: "a test",
        runtime: `${runtime.name} ${runtime.version}`,
        os: runtime.os,
        tier: "T2",
      });
      assertEquals([isFinished, isCut, unknown], [true, false, 0]);
      const sorted = [...events].sort((a, b) => a.at - b.at);
      const [end] = eventsOf({ events: read }, "end").slice(-1);
      assertEquals(read.filter((event) => event !== end), sorted);
    }),
    { numRuns: 100 },
  );
});

test("a recording that is cut anywhere loses its last line at most, and says so", () => {
  const events = fc.sample(anyEvent, { numRuns: 6, seed: 7 });
  const text = formatRecording(events);
  const headerLength = formatRecording([]).length;
  for (let length = headerLength; length < text.length; length++) {
    const cut = text.slice(0, length);
    const { events: read, isCut, isFinished } = readRecording(cut, "cut.jsonl");
    const lines = cut.split("\n");
    // A line that lacks its end only is whole.
    const isWhole = text[length] === "\n";
    assertEquals(read.length, lines.length - 2 + (isWhole ? 1 : 0));
    assertEquals(isCut, lines.at(-1) !== "" && !isWhole);
    if (length < text.length - 1) assertEquals(isFinished, read.at(-1)?.type === "end");
  }
});

test("what is not a recording, is damaged, or has an unknown version is refused on one line", () => {
  const thread = { type: "thread", at: 1, thread: 1, name: "main" };
  const withLine = (line: unknown) =>
    formatRecording([thread as Event]) +
    `${typeof line === "string" ? line : JSON.stringify(line)}\n`;
  const NONE = 'it is not a recording: its first line is not {"type":"recording","version":1,…}';
  const WRONG: readonly (readonly [string, string])[] = [
    ["", "it is empty"],
    ["\n", NONE],
    ["GET / HTTP/1.1\r\n\r\n", NONE],
    ["null\n", NONE],
    ["[1]\n", NONE],
    [JSON.stringify(HEADER).slice(0, 20), NONE],
    [
      formatRecording([], { ...HEADER, version: 2 }),
      "it has version 2, and this program reads version 1 only",
    ],
    [
      formatRecording([], { ...HEADER, version: "1" }),
      'it has version "1", and this program reads version 1 only',
    ],
    [formatRecording([], { type: "recording" }), "it has no version, and this program"],
    [formatRecording([], { ...HEADER, began_us: "now" }), "recording: began_us must be integer"],
    [formatRecording([], { ...HEADER, by: undefined }), "must have required property 'by'"],
    [withLine("{"), "line 3: it is not JSON"],
    [withLine(""), "line 3: it is not JSON"],
    [withLine("7"), 'line 3: it has no "type"'],
    [withLine(HEADER), "line 3: another recording begins"],
    [withLine({ type: "thread", thread: 2, name: "b" }), "line 3: thread: it must have required"],
    [withLine({ ...thread, at: -1 }), "line 3: thread: at must be >= 0"],
    [withLine({ ...thread, name: 3 }), "line 3: thread: name must be string"],
    [
      withLine({ type: "over", at: 1, connection: 1, outcome: "x" }),
      "done, cut, empty, failed, unknown",
    ],
  ];
  for (const [text, why] of WRONG) {
    const { message } = assertThrows(() => readRecording(text, "x.jsonl"), RecordingFormatError);
    assertStringIncludes(message, "Cannot read x.jsonl: ");
    assertStringIncludes(message, why);
    assert(!message.includes("\n"), message);
  }
});

test("types and fields that a later version has added are left out and counted", () => {
  const text = formatRecording([
    { type: "note", at: 2, text: "b", colour: "red" } as Event,
    { type: "toString", at: 1 } as unknown as Event,
    { type: "weather", at: 1 } as unknown as Event,
  ]);
  const { events, unknown } = readRecording(text, "x.jsonl");
  assertEquals([events.length, events[0]?.type, unknown], [1, "note", 2]);
});

test("a recording has a bound, keeps the room that is reserved, and says what it leaves out", () => {
  using folder = new Folder();
  const path = folder.path("full.jsonl");
  const limitBytes = 16 * 1024;
  const file = RecordingFile.create(path, { by: "a test", limitBytes });
  file.reserve(1024);
  let notes = 0;
  while (file.add({ type: "note", at: notes, text: "x" })) notes++;
  assertEquals(file.add({ type: "begun", at: 1, connection: 1, peer: "127.0.0.1:1" }), false);
  file.addReserved({ type: "over", at: 2, connection: 9, outcome: "done" });
  file.leaveOut("packets", 3);
  file[Symbol.dispose]();
  file[Symbol.dispose]();
  assert(statSync(path).size <= limitBytes);
  assert(statSync(path).size > limitBytes / 2);
  const recording = readStrictly(path);
  assertEquals(eventsOf(recording, "note").length, notes);
  assertEquals(eventsOf(recording, "over").length, 1);
  assertEquals(eventsOf(recording, "left_out").map(({ what, count }) => [what, count]), [
    ["events", 1],
    ["connections", 1],
    ["packets", 3],
  ]);
  assert(recording.isFinished);
});

test("a recording is there from its first moment, and lacks only its end while it is written", () => {
  using folder = new Folder();
  const path = folder.path("begun.jsonl");
  using file = RecordingFile.create(path, { by: "a test" });
  file.add({ type: "note", at: file.now(), text: "a" });
  assertEquals(readRecording(readFileSync(path, "utf8"), path).events, []);
  file.flush();
  const { events, isFinished } = readRecording(readFileSync(path, "utf8"), path);
  assertEquals([events.length, isFinished], [1, false]);
});

test("a disk that is full is told, and harms nobody", () => {
  const file = RecordingFile.create("/dev/full", { by: "a test" });
  assertEquals((file.failure as { code?: string } | undefined)?.code, "ENOSPC");
  file.add({ type: "note", at: 0, text: "a" });
  file.flush();
  file[Symbol.dispose]();
}, { skip: runtime.os === "linux" ? undefined : `${runtime.os} has no /dev/full` });
