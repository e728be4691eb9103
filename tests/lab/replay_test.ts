/**
 * Recordings that are shown again, and traces that become recordings.
 *
 * @module
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import form from "../../docs/recording.schema.json" with { type: "json" };
import type { Event, PacketEvent } from "../../engine/recording/events.ts";
import { EventText } from "../../lab/observe/event_text.ts";
import { encodeJson } from "../../lab/report/json_line.ts";
import { PacketLines } from "../../lab/observe/packet_text.ts";
import { convertTrace } from "../../lab/observe/trace_conversion.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, assertThrows, test } from "../kit/harness.ts";
import { anyEvent, formatRecording, HEADER, readStrictly } from "../kit/recordings.ts";
import { type Ending, Script } from "../kit/server_process.ts";
import { Terminal, whyNoTerminal } from "../kit/terminal.ts";

const SCRIPT = "lab/observe.ts";
const CLIENT = "127.0.0.1:4711";
const SERVER = "127.0.0.1:80";

/** A packet, from the client unless something else is said. */
function packet(
  at: number,
  flags: string,
  seq: number,
  more: Partial<PacketEvent> = {},
): PacketEvent {
  const base = { type: "packet", at, from: CLIENT, to: SERVER, flags, seq } as const;
  return { ...base, window: 512, length: 0, ...more };
}

const FROM_SERVER = { from: SERVER, to: CLIENT };
const ISN = 4_294_967_295;

/** A handshake whose sequence numbers wrap, a request, and both ways to end. */
const PACKETS: readonly PacketEvent[] = [
  packet(0, "S", ISN, { options: { mss: 65495, window_scale: 10, sack_permitted: true } }),
  packet(25.7, "SA", 700, { ...FROM_SERVER, ack: 0, options: { mss: 65495 } }),
  packet(41.4, "A", 0, { ack: 701 }),
  packet(60, "PA", 0, { ack: 701, length: 8, lost: true }),
  packet(260, "PA", 0, { ack: 701, length: 8, arrived: 20_260 }),
  packet(300, "FA", 701, { ...FROM_SERVER, ack: 8 }),
  packet(310, "R", 8),
];

const DRAWN = [
  "127.0.0.1:4711 ─ SYN seq=0 win=512 ISN 4294967295 mss 65495 wscale 10 sack ▶ 127.0.0.1:80",
  "127.0.0.1:4711 ◀ SYN ACK seq=0 ack=1 win=512 ISN 700 mss 65495 ─ 127.0.0.1:80",
  "127.0.0.1:4711 ─ ACK seq=1 ack=1 win=512 ─────────────────▶ 127.0.0.1:80",
  "127.0.0.1:4711 ─ PSH ACK seq=1 ack=1 len=8 win=512 ───────✕ 127.0.0.1:80",
  "127.0.0.1:4711 ─ PSH ACK seq=1 ack=1 len=8 win=512 20.0 ms on the way ▶ 127.0.0.1:80",
  "127.0.0.1:4711 ◀───────────── FIN ACK seq=1 ack=9 win=512 ─ 127.0.0.1:80",
  "127.0.0.1:4711 ─ RST seq=9 win=512 ───────────────────────▶ 127.0.0.1:80",
];

test("packets are drawn with the client at the left, whoever is seen first", () => {
  const lines = new PacketLines();
  assertEquals(PACKETS.map((packet) => lines.draw(packet)), DRAWN);
  // Without the SYN of the client, a SYN-ACK or a listener tells who is who.
  assertMatch(new PacketLines().draw(PACKETS[1] as PacketEvent), /^127\.0\.0\.1:4711 ◀/);
  const late = packet(1, "PA", 5, { ...FROM_SERVER, ack: 7, length: 1 });
  assertMatch(new PacketLines((one) => one === SERVER).draw(late), /^127\.0\.0\.1:4711 ◀/);
  assertMatch(new PacketLines().draw(late), /^127\.0\.0\.1:80 ─/);
}, { pure: true });

test("relative numbers begin anew when addresses are used again", () => {
  const lines = new PacketLines();
  for (const packet of PACKETS) lines.draw(packet);
  assertMatch(lines.draw(packet(400, "S", 5)), /SYN seq=0 /);
  assertMatch(lines.draw(packet(500, "S", 5)), /SYN seq=0 /);
  assertMatch(lines.draw(packet(600, "A", 6, { ack: 77 })), /ACK seq=1 ack=0 /);
}, { pure: true });

/** One event of most types, not in the order of time, and what is shown of them. */
const EVENTS: readonly Event[] = [
  { type: "thread", at: 0, thread: 1, name: "main", loop: true },
  { type: "thread", at: 1, thread: 2, name: "worker 0" },
  { type: "listener", at: 2, local: SERVER, waiting: 3, limit: 2 },
  { type: "over", at: 9000, connection: 1, outcome: "failed", failure: "peer gone" },
  { type: "begun", at: 1000, connection: 1, peer: CLIENT },
  { type: "queued", at: 1000, to: 1500, connection: 1 },
  { type: "served", at: 1500, connection: 1, thread: 2 },
  { type: "span", at: 2000, to: 4000, name: "computing", thread: 2, connection: 1, task: "prime" },
  { type: "span", at: 4001, to: 4002, name: "turns", thread: 1, count: 3 },
  { type: "span", at: 4003, to: 5003, name: "writing", connection: 1 },
  {
    type: "socket",
    at: 5100,
    cookie: "7",
    local: SERVER,
    remote: CLIENT,
    state: "SYN_RECV",
    end: "server",
  },
  {
    type: "socket",
    at: 5200,
    cookie: "7",
    local: SERVER,
    remote: CLIENT,
    state: "ESTABLISHED",
    end: "server",
    send_queue: 10,
    waiting: true,
  },
  {
    type: "connection",
    at: 9500,
    local: SERVER,
    remote: CLIENT,
    opened_by: "remote",
    closed_first: "unknown",
    ended_with: "reset",
    duration_us: 4400,
    bytes_sent: 0,
  },
  { type: "counters", at: 9600, values: { accepted: 1, cut: 0 } },
  { type: "note", at: 9700, text: "a line\nand \u001b[31mred" },
  { type: "left_out", at: 9800, count: 3, what: "packets" },
  { type: "end", at: 9900 },
];

const SHOWN = `threadpool · deno 2.9.6 · linux · 2023-11-14 22:13:20 UTC · 0.010 s · 17 events
     0.000 ms  thread main begins: an event loop
     0.001 ms  thread worker 0 begins
     0.002 ms  listener 127.0.0.1:80: accept queue 3 of 2
     1.000 ms  #1 from 127.0.0.1:4711 is accepted
     1.000 ms  #1 waits 0.500 ms for a thread
     1.500 ms  #1 is served by worker 0
     2.000 ms  #1 on worker 0: computing prime, 2.000 ms
     4.001 ms  main: turns of 3 connections, 0.001 ms
     4.003 ms  #1: writing, 1.000 ms
     5.100 ms  server 127.0.0.1:80 ⇄ 127.0.0.1:4711  SYN_RECV
     5.200 ms  server 127.0.0.1:80 ⇄ 127.0.0.1:4711  SYN_RECV → ESTABLISHED, waits for accept, 10 B not acknowledged
     9.000 ms  #1 is over: peer gone
     9.500 ms  ended 127.0.0.1:80 ⇄ 127.0.0.1:4711 with RST after 4.400 ms, opened by remote, sent 0 B
     9.600 ms  counters: accepted 1
     9.700 ms  a line\\nand \\x1b[31mred
     9.800 ms  3 packets were left out
`;

test("every event is shown on one line that no terminal obeys", () => {
  fc.assert(fc.property(anyEvent, (event) => {
    const line = new EventText().describe(event);
    assertEquals(line === undefined, event.type === "end");
    // deno-lint-ignore no-control-regex -- control characters are what must not be there
    if (line !== undefined) assert(!/[\u0000-\u001f\u007f-\u009f]/.test(line), line);
  }));
}, { pure: true });

/** Runs a command of `observe` to its end. */
async function observe(...args: readonly string[]): Promise<Ending> {
  await using script = new Script(SCRIPT, args);
  return await script.end();
}

test("replay shows a recording in the order of time, as text and as its own lines", async () => {
  using folder = new Folder();
  const path = folder.path("it.jsonl");
  const text = formatRecording(EVENTS);
  writeFileSync(path, text);
  const cut = folder.path("cut.jsonl");
  writeFileSync(cut, text.slice(0, -5));
  const killed = folder.path("killed.jsonl");
  writeFileSync(killed, formatRecording(EVENTS.slice(0, 1)) + '{"type":"weather","at":1}\n');
  const [shown, lines, cutShort, unended] = await Promise.all([
    observe("replay", path),
    observe("replay", path, "--json", "--speed", "1000"),
    observe("replay", cut, "--speed", "max"),
    observe("replay", killed, "--json"),
  ]);
  assertEquals(shown, { code: 0, signal: null, stdout: SHOWN, stderr: "" });
  const sorted = [...EVENTS].sort((a, b) => a.at - b.at);
  assertEquals(lines, { code: 0, signal: null, stdout: formatRecording(sorted), stderr: "" });
  assertEquals(cutShort.code, 0);
  assertMatch(cutShort.stdout, /\nthe last line is cut and left out: its writer was killed, or/);
  assertEquals([unended.code, unended.stdout], [0, formatRecording(EVENTS.slice(0, 1))]);
  assertMatch(
    unended.stderr,
    /^observe: the recording has no end: .*\nobserve: lines left out .*: 1\n$/,
  );
}, { sanitize: false });

test("replay prints JSON that no terminal obeys", () => {
  const value = { "\x9b2J": "a\x1b[2Jb\u202ec\u2028d\x7f żółw 🐢" };
  assertEquals(JSON.parse(encodeJson(value)), value);
  assertEquals(
    encodeJson(value),
    '{"\\u009b2J":"a\\u001b[2Jb\\u202ec\\u2028d\\u007f żółw 🐢"}',
  );
});

test("replay refuses what it cannot show, and says why on one line", async () => {
  using folder = new Folder();
  const write = (name: string, text: string) => {
    writeFileSync(folder.path(name), text);
    return folder.path(name);
  };
  const later = write("later.jsonl", formatRecording([], { ...HEADER, version: 2 }));
  const trace = write("trace.json", "[\n{}\n]\n");
  const page = write("page.html", "<!doctype html>\n");
  const good = write("good.jsonl", formatRecording([]));
  const [several, none] = ["several", "none"].map((name) => folder.path(name)) as [string, string];
  for (const path of [several, none]) mkdirSync(path);
  for (const name of ["02-two", "01-one"]) write(`several/${name}.jsonl`, formatRecording([]));
  const WRONG: readonly (readonly [readonly string[], number, string])[] = [
    [
      ["replay", later],
      1,
      `Cannot read ${later}: it has version 2, and this program reads version 1`,
    ],
    [
      ["replay", trace],
      1,
      `Cannot read ${trace}: it is a trace: observe convert makes a recording`,
    ],
    [["replay", page], 1, `Cannot read ${page}: it is not a recording: its first line is not`],
    [
      ["replay", folder.path("no")],
      1,
      `Cannot read ${folder.path("no")}: no such file or directory`,
    ],
    [
      ["replay", several],
      1,
      `Cannot read ${several}: it is a folder; name one of its files: ${several}/01-one.jsonl, ` +
      `${several}/02-two.jsonl`,
    ],
    [["replay", none], 1, `Cannot read ${none}: it is a folder, and no recording is in it`],
    [["replay"], 2, "missing"],
    [
      ["replay", good, "--speed", "0"],
      2,
      "wrong value for --speed: expected a number above 0 or max",
    ],
    [["convert", page, folder.path("x")], 1, `Cannot convert ${page}: it is not a trace`],
    [
      ["convert", trace, folder.path("x")],
      1,
      `Cannot convert ${trace}: it is not a trace of a server`,
    ],
  ];
  const endings = await Promise.all(WRONG.map(([args]) => observe(...args)));
  endings.forEach(({ code, stdout, stderr }, index) => {
    const [, status, why] = WRONG[index]!;
    assertEquals([code, stdout], [status, ""], stderr);
    assert(stderr.startsWith("observe") && stderr.includes(why), stderr);
    assertEquals(stderr.split("\n").length, 2, stderr);
  });
  assertEquals(folder.names.includes("x"), false);
}, { sanitize: false });

test(
  "the example in docs/recording.md is shown as it is written there, and its table is complete",
  async () => {
    const text = readFileSync(new URL("../../docs/recording.md", import.meta.url), "utf8");
    const block = (info: string) =>
      new RegExp(`^\`\`\`${info}\n(.*?)^\`\`\`$`, "ms").exec(text)?.[1] ?? "";
    using folder = new Folder();
    const path = folder.path("pool.jsonl");
    writeFileSync(path, block("jsonl"));
    const { code, stdout, stderr } = await observe("replay", path);
    assertEquals([code, stdout, stderr], [0, block("console"), ""]);
    // It has whatever the recording of a server has on Linux.
    const seen = new Set(readStrictly(path).events.map(({ type }) => type));
    const shown = ["thread", "begun", "queued", "served", "over", "counters", "closing"];
    assertEquals([...seen].sort(), [...shown, "listener", "socket", "connection", "end"].sort());
    const types = [...text.matchAll(/^\| `(\w+)` +\|/gm)].map(([, type]) => type);
    assertEquals(types, Object.keys(form.$defs));
  },
  { sanitize: false },
);

/** Something that happens at once, and something that happens a day later. */
const SLOW = formatRecording([
  { type: "note", at: 5, text: "at once" },
  { type: "note", at: 86_400_000_000, text: "much later" },
]);

test(
  "replay takes its time, shows each line when it is due, and ends at Ctrl-C at once",
  async () => {
    using folder = new Folder();
    const path = folder.path("slow.jsonl");
    writeFileSync(path, SLOW);
    await using script = new Script(SCRIPT, ["replay", path, "--speed", "1"]);
    await script.printed("at once");
    assert(!script.isOver);
    script.signal("SIGINT");
    const { stdout } = await script.end();
    assert(!stdout.includes("much later"));
  },
  { sanitize: false },
);

test("replay is as fast as it happened on a terminal", async () => {
  using folder = new Folder();
  const path = folder.path("slow.jsonl");
  writeFileSync(path, SLOW);
  await using terminal = await Terminal.open(SCRIPT, ["replay", path]);
  assert(!(await terminal.shows("at once")).includes("much later"));
}, { sanitize: false, skip: whyNoTerminal });

test("convert makes a recording that replay shows, also of a trace without its end", async () => {
  using folder = new Folder();
  const path = folder.path("trace.json");
  const into = folder.path("it.jsonl");
  const args = { name: "event · bun 1.4.5", began_us: 5, os: "linux" };
  const lines = [
    { pid: 1, name: "process_name", ph: "M", tid: 1, args },
    { pid: 1, name: "thread_name", ph: "M", tid: 1, args: { name: "main", at: 3, loop: true } },
    {
      pid: 1,
      name: "left out",
      ph: "i",
      s: "p",
      ts: 9,
      tid: 1,
      args: { connections: 2, spans: 0 },
    },
  ].map((event) => JSON.stringify(event));
  const events: Event[] = [
    { type: "thread", at: 3, thread: 1, name: "main", loop: true },
    { type: "left_out", at: 9, count: 2, what: "connections" },
  ];
  writeFileSync(path, `[\n${lines.join(",\n")}\n]\n`);
  assertEquals((await observe("convert", path, into)).code, 0);
  const header = { ...HEADER, began_us: 5, by: "event", runtime: "bun 1.4.5" };
  assertEquals(
    readFileSync(into, "utf8"),
    formatRecording([...events, { type: "end", at: 9 }], header),
  );
  // The writer was killed in the middle of an event.
  const text = `[\n${lines.join(",\n")},\n{"pid":1,"na`;
  assertEquals(convertTrace(text, path), { header, events } as ReturnType<typeof convertTrace>);
  const changed = text.replace('"tid":1,"args":{"name":"main"', '"tid":1.5,"args":{"name":"main"');
  assertThrows(
    () => convertTrace(changed, path),
    Error,
    `Cannot convert ${path}: no server has written this: thread: thread must be integer`,
  );
  const old = text.replace('"began_us":5,', "");
  assertThrows(() => convertTrace(old, path), Error, "it does not say when it began");
}, { sanitize: false });
