/**
 * Recordings for tests: read and checked, or made up at random.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import form from "../../docs/recording.schema.json" with { type: "json" };
import type { Event, EventType, Header } from "../../engine/recording/events.ts";
import { readRecording, type Recording } from "../../engine/recording/read_recording.ts";
import { TCP_STATES } from "../../engine/kernel/tcp_states.ts";
import { assertEquals } from "./harness.ts";
import { anyText } from "./texts.ts";

/** The same schema, but further properties and types are not allowed. */
const strict = JSON.parse(
  JSON.stringify(form),
  (_, value) =>
    value?.type === "object" && value.additionalProperties === undefined
      ? { ...value, additionalProperties: false }
      : value,
);

const conforms = new Ajv2020({ strictTuples: false }).compile(strict);

/** Reads a file, each line of which must conform to the schema and have no unknown property. */
export function readStrictly(path: string): Recording {
  return parseStrictly(readFileSync(path, "utf8"), path);
}

/** The same for the text of a recording. @param source where it comes from */
export function parseStrictly(text: string, source: string): Recording {
  assertEquals(text.at(-1), "\n", "the last line is whole");
  for (const line of text.trimEnd().split("\n")) {
    const isValid = conforms(JSON.parse(line));
    assertEquals([isValid, line, conforms.errors], [true, line, null]);
  }
  return readRecording(text, source);
}

/** The events of one type. */
export function eventsOf<Type extends EventType>(
  { events }: Pick<Recording, "events">,
  type: Type,
): Extract<Event, { readonly type: Type }>[] {
  return events.filter((event) => event.type === type) as Extract<
    Event,
    { readonly type: Type }
  >[];
}

const us = fc.integer({ min: 0, max: 1e12 }).map((thousandths) => thousandths / 1000);
const number = fc.integer({ min: 1, max: 1e9 });
const count = fc.nat(1e9);
const word32 = fc.nat(0xffff_ffff);
const text = anyText();
const flag = fc.constant(true);
const who = fc.constantFrom("local", "remote", "both", "unknown");
const cookie = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const address = fc.tuple(
  fc.oneof(fc.ipV4(), fc.ipV6().map((host) => `[${host}]`)),
  fc.nat(65535),
).map(([host, port]) => `${host}:${port}`);
const flags = fc.subarray([..."SFRPAUEC"]).map((letters) => letters.join(""));

/** A made-up event of one type. What is in `more` may be absent. */
function made(type: EventType, needed: object = {}, more: object = {}): fc.Arbitrary<Event> {
  const model = { type: fc.constant(type), at: us, ...needed, ...more };
  const requiredKeys = ["type", "at", ...Object.keys(needed)] as (keyof typeof model)[];
  return fc.record(model, { requiredKeys, noNullPrototype: true }) as unknown as fc.Arbitrary<
    Event
  >;
}

function madeFact(fact: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>): fc.Arbitrary<Event> {
  return made("fact", { about: text, fact, value });
}

/** A made-up event of each type. The table is complete: the compiler asks for every type. */
const EVENTS: Readonly<Record<EventType, fc.Arbitrary<Event>>> = {
  thread: made("thread", { thread: number, name: text }, { loop: flag, gone: flag }),
  begun: made("begun", { connection: number, peer: address }, {
    local: address,
    cookie,
    client: address,
    by: fc.constant("page"),
  }),
  queued: made("queued", { connection: number, to: us }),
  served: made("served", { connection: number, thread: number }),
  over: made(
    "over",
    { connection: number, outcome: fc.constantFrom("done", "cut", "empty", "failed", "unknown") },
    { failure: text },
  ),
  span: made("span", {
    name: fc.constantFrom("computing", "waiting for computing", "writing", "turn", "turns"),
    to: us,
  }, { thread: number, connection: number, task: text, count: number }),
  doing: made("doing", {}, {
    thread: number,
    connection: number,
    peer: address,
    what: fc.constantFrom("computing", "waiting for computing", "writing", "turn", "queued"),
    task: text,
  }),
  figures: made("figures", {}, {
    rate: us,
    p50_us: us,
    p99_us: us,
    cpu: us,
    memory_bytes: count,
    loop_still_ms: us,
  }),
  packet: made("packet", {
    from: address,
    to: address,
    flags,
    seq: word32,
    window: fc.nat(65535),
    length: count,
  }, {
    ack: word32,
    options: fc.record({
      mss: fc.nat(65535),
      window_scale: fc.nat(14),
      sack_permitted: flag,
      timestamps: fc.tuple(word32, word32),
      sack: fc.array(fc.tuple(word32, word32), { maxLength: 4 }),
    }, { requiredKeys: [], noNullPrototype: true }),
    arrived: us,
    lost: flag,
  }),
  socket: made("socket", {
    cookie,
    local: address,
    remote: address,
    state: fc.constantFrom(...TCP_STATES),
  }, {
    end: fc.constantFrom("client", "server"),
    send_queue: count,
    receive_queue: count,
    timer: fc.constantFrom("retransmission", "keepalive", "TIME_WAIT", "probe"),
    timer_us: us,
    rtt_us: us,
    retransmissions: count,
    waiting: flag,
  }),
  listener: made("listener", { local: address }, { cookie, waiting: count, limit: count }),
  connection: made("connection", {
    local: address,
    remote: address,
    opened_by: who,
    closed_first: who,
    ended_with: fc.constantFrom("fin", "reset", "unknown"),
  }, {
    cookie,
    duration_us: us,
    bytes_sent: count,
    bytes_received: count,
    rtt_us: us,
    retransmissions: count,
  }),
  counters: made("counters", {
    values: fc.dictionary(text, count, { noNullPrototype: true }),
  }),
  closing: made("closing"),
  line: made("line", {
    line: number,
    peer: address,
    does: fc.constantFrom("says", "hears"),
  }),
  client: made("client", { peer: address, connected: us, to: us }),
  note: made("note", { text }),
  call: made("call", { end: fc.constantFrom("client", "server"), call: text }, {
    local: address,
    remote: address,
    returned: count,
    error: text,
  }),
  question: made("question", { lesson: text, text, answers: fc.array(text) }),
  fact: fc.oneof(
    madeFact(fc.constantFrom("states", "together"), fc.array(fc.constantFrom(...TCP_STATES))),
    madeFact(fc.constant("order"), fc.array(text)),
    madeFact(fc.constantFrom("counter", "count"), count),
    madeFact(fc.constant("error"), text),
  ),
  result: made("result", { right: number, why: text }, { given: number }),
  left_out: made("left_out", { count: number, what: text }),
  end: made("end"),
};

/** Any event. */
export const anyEvent: fc.Arbitrary<Event> = fc.oneof(...Object.values(EVENTS));

/** A first line. */
export const HEADER: Header = {
  type: "recording",
  version: 1,
  began_us: 1_700_000_000_000_000,
  by: "threadpool",
  runtime: "deno 2.9.6",
  os: "linux",
};

/** The text of a recording. */
export function formatRecording(events: readonly Event[], header: object = HEADER): string {
  return [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join("");
}
