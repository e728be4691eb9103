/**
 * Load for the chat: many users in many rooms. It measures how long a line takes to reach each
 * user, and what users who never read do to the others.
 *
 * Lines are due at fixed times, whatever becomes of the earlier ones. Their delays count from the
 * time when they were due, so a server that stalls cannot hide it (the open model). A line that
 * does not arrive counts as lost.
 *
 * @module
 */

import { build, type Histogram } from "hdr-histogram-js";
// @ts-types="../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { connect } from "../engine/net/tcp.ts";
import type { Connection, Sink } from "../engine/net/transport.ts";
import { formatAddress } from "../protocols/address.ts";
import type { Address } from "../protocols/effects.ts";
import { encodeLine } from "../protocols/text.ts";
import type { LineEvent } from "../engine/recording/events.ts";
import { nowUs } from "../engine/values/moment.ts";
import { type RuntimeCommand, RUNTIMES, scriptCommand } from "../engine/process/runtimes.ts";
import { fail, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { integerOption, valueOf } from "../engine/cli/options.ts";
import { durationOption, rateOption, sizeOption } from "../engine/cli/quantity_options.ts";
import { formatRun } from "../engine/cli/invocation.ts";
import { addToRecording } from "./add_to_recording.ts";
import { beginTable } from "./growing_table.ts";
import { LoadedServer } from "./loaded_server.ts";
import { ON, runtimeOn } from "./on_runtime.ts";

/** The load on a server. */
interface Load {
  /** Users who read. */
  readonly clients: number;
  /** Rooms over which they are spread. */
  readonly rooms: number;
  /** Lines that each room receives in a second. */
  readonly rate: number;
  /** Length of a line's text, in bytes. */
  readonly size: number;
  /** Users who never read. Each has asked for far more than the buffers on the way can hold. */
  readonly stalled: number;
  /** How long a run is measured, in milliseconds. */
  readonly durationMs: number;
  /** How long the server is under load before that, in milliseconds. */
  readonly warmUpMs: number;
  /** The file of the recording, if there is to be one. */
  readonly record?: string;
}

/** What a run has measured. */
interface Result {
  /** From when a line was due to its arrival at one user, in microseconds. */
  readonly delays: Histogram;
  /** How late the lines were sent, in microseconds: this is the load's own error. */
  readonly lags: Histogram;
  readonly expected: number;
  readonly delivered: number;
  readonly seconds: number;
  /** The most resident memory that the server had, in bytes. */
  readonly memory: number;
  /** The server's CPU time, in seconds. */
  readonly cpuSeconds: number;
  /** Who has said and heard which line, if it is recorded. Times are in microseconds since 1970. */
  readonly lines: readonly LineEvent[];
}

/** How long the server is under load before the measuring begins, in milliseconds. */
const WARM_UP_MS = 3_000;

/** How many clients connect at a time. */
const CONNECT_AT_ONCE = 50;

/** How long the last lines may take to arrive, in milliseconds. */
const LAST_MS = 5_000;

/** How many answers each user who never reads asks for: some megabytes. */
const STALL_REQUESTS = 20_000;

/** The first word of a line that counts. */
const MEASURED = "due";

/** One user. */
class LoadClient implements Sink {
  /** Its own address. */
  readonly peer: string;
  readonly #connection: Connection;
  readonly #decoder = new TextDecoder();
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(connection: Connection, onLine: (line: string) => void) {
    this.peer = formatAddress(connection.localAddress);
    this.#connection = connection;
    this.#onLine = onLine;
  }

  /** Starts to read. */
  listen(): void {
    for (let chunk = this.#connection.pull(this); chunk; chunk = this.#connection.pull(this)) {
      this.#take(chunk);
    }
  }

  /** Sends a line. */
  say(line: string): void {
    this.#connection.push(encodeLine(line), this);
  }

  onRead(chunk: Uint8Array | null): void {
    if (chunk === null) return;
    this.#take(chunk);
    this.listen();
  }

  onWritten(): void {}

  onError(): void {
    // Lines that it no longer receives count as lost.
  }

  close(): void {
    this.#connection.close();
  }

  #take(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#onLine(line);
  }
}

/** Puts a server under load. */
class ChatLoad {
  readonly #load: Load;
  readonly #address: Address;
  readonly #clients: LoadClient[] = [];
  readonly #stalled: LoadClient[] = [];
  readonly #delays = newHistogram();
  readonly #lags = newHistogram();
  #delivered = 0;
  #measuresFrom = Infinity;
  #measuresTo = Infinity;
  /** The numbers of the lines that count, by when they were due. */
  readonly #numbers = new Map<string, number>();
  readonly #lines: LineEvent[] = [];

  constructor(load: Load, address: Address) {
    this.#load = load;
    this.#address = address;
  }

  /** Brings all users into their rooms. */
  async enter(): Promise<void> {
    const { clients, stalled } = this.#load;
    for (let first = 0; first < clients; first += CONNECT_AT_ONCE) {
      const count = Math.min(CONNECT_AT_ONCE, clients - first);
      await Promise.all(Array.from({ length: count }, (_, index) => this.#enter(first + index)));
    }
    for (let index = 0; index < stalled; index++) {
      const client = new LoadClient(await connect(this.#address), () => {});
      client.say(`/join ${this.#roomOf(index)}\n${"/help\n".repeat(STALL_REQUESTS)}`);
      this.#stalled.push(client);
    }
  }

  /**
   * Sends the lines when they are due, warms up and measures. Returns when every line has arrived
   * or is late.
   */
  async run(server: LoadedServer): Promise<Result> {
    const { clients, rooms, rate, durationMs, warmUpMs, size } = this.#load;
    const begin = performance.now();
    this.#measuresFrom = begin + warmUpMs;
    this.#measuresTo = this.#measuresFrom + durationMs;
    const everyMs = 1000 / (rooms * rate);
    let said = 0;
    let cpuBefore = 0;
    for (let turn = 0, due = begin; due < this.#measuresTo; turn++, due = begin + turn * everyMs) {
      const waitMs = due - performance.now();
      if (waitMs > 0) await delay(waitMs);
      if (due >= this.#measuresFrom && said++ === 0) cpuBefore = server.status.cpuSeconds;
      // The rooms take turns, and so do the users of each room.
      const room = turn % rooms;
      const perRoom = Math.floor(clients / rooms);
      const speaker = room + rooms * (Math.floor(turn / rooms) % perRoom);
      const counts = due >= this.#measuresFrom;
      const text = `${counts ? MEASURED : "warming up"} ${due.toFixed(3)} `;
      const client = this.#clients[speaker] as LoadClient;
      if (counts) this.#note(due.toFixed(3), client.peer, "says");
      client.say(text.padEnd(size, "."));
      if (counts) record(this.#lags, performance.now() - due);
    }
    const cpuSeconds = server.status.cpuSeconds - cpuBefore;
    const expected = this.#expect(said);
    const endsAt = performance.now() + LAST_MS;
    while (this.#delivered < expected && performance.now() < endsAt) await delay(20);
    return {
      delays: this.#delays,
      lags: this.#lags,
      expected,
      delivered: this.#delivered,
      seconds: durationMs / 1000,
      memory: server.status.peakMemory,
      cpuSeconds,
      lines: this.#lines,
    };
  }

  /** Keeps who has said or heard a line, if it is recorded. @param due names the line */
  #note(due: string, peer: string, does: LineEvent["does"]): void {
    if (this.#load.record === undefined) return;
    const line = this.#numbers.get(due) ?? this.#numbers.size + 1;
    this.#numbers.set(due, line);
    this.#lines.push({ type: "line", at: nowUs(), line, peer, does });
  }

  close(): void {
    for (const client of [...this.#clients, ...this.#stalled]) client.close();
  }

  /** How many lines all users together should receive. Users do not hear their own lines. */
  #expect(said: number): number {
    const { clients, rooms } = this.#load;
    const hearers = Math.floor(clients / rooms) - 1;
    return said * hearers;
  }

  async #enter(index: number): Promise<void> {
    const room = this.#roomOf(index);
    const { promise, resolve } = Promise.withResolvers<void>();
    const client: LoadClient = new LoadClient(await connect(this.#address), (line) => {
      if (line === `* you are in ${room}`) resolve();
      else this.#hear(line, client);
    });
    this.#clients[index] = client;
    client.say(`/join ${room}`);
    client.listen();
    await promise;
  }

  #roomOf(index: number): string {
    return `room-${index % this.#load.rooms}`;
  }

  #hear(line: string, { peer }: LoadClient): void {
    const at = line.indexOf(`] ${MEASURED} `);
    if (at < 0) return;
    this.#delivered++;
    const [due = ""] = line.slice(at + MEASURED.length + 3).split(" ");
    this.#note(due, peer, "hears");
    record(this.#delays, performance.now() - parseFloat(due));
  }
}

function newHistogram(): Histogram {
  return build({ bitBucketSize: 32, numberOfSignificantValueDigits: 3 });
}

function record(histogram: Histogram, ms: number): void {
  histogram.recordValue(Math.max(0, Math.round(ms * 1000)));
}

/** Starts a server on a runtime, puts it under load and stops it. */
async function measure(command: RuntimeCommand, load: Load): Promise<Result> {
  // Users may talk as fast as they like, and those who never read stay to the end.
  const flags = ["--quiet", "--rate", "0", "--slow", "drop", "--idle-timeout", "0"];
  if (load.record !== undefined) flags.push("--record", load.record);
  let result: Result;
  {
    await using server = await LoadedServer.start(
      scriptCommand(command, "chat/server.ts", "0", ...flags),
    );
    const chat = new ChatLoad(load, server.address);
    try {
      await chat.enter();
      result = await chat.run(server);
    } finally {
      chat.close();
    }
  }
  if (load.record !== undefined) addToRecording(load.record, result.lines);
  return result;
}

const COLUMNS = [
  "server",
  "never read",
  "lines/s",
  "lost",
  "p50 ms",
  "p99 ms",
  "p99.9 ms",
  "max ms",
  "lag p99 ms",
  "memory MiB",
  "CPU %",
];

function row(name: string, { stalled }: Load, result: Result): string[] {
  const { delays, lags, expected, delivered, seconds, memory, cpuSeconds } = result;
  const ms = (histogram: Histogram, percentile: number) =>
    (histogram.getValueAtPercentile(percentile) / 1000).toFixed(1);
  return [
    name,
    String(stalled),
    String(Math.round(delivered / seconds)),
    String(expected - delivered),
    ms(delays, 50),
    ms(delays, 99),
    ms(delays, 99.9),
    ms(delays, 100),
    ms(lags, 99),
    (memory / 2 ** 20).toFixed(0),
    (cpuSeconds / seconds * 100).toFixed(0),
  ];
}

const CLIENTS = integerOption("clients", {
  least: 2,
  most: 20_000,
  default: 1000,
  help: "users who read",
});

const ROOMS = integerOption("rooms", {
  least: 1,
  most: 10_000,
  default: 10,
  help: "rooms over which they are spread",
});

const RATE = rateOption("rate", { default: "20/s", help: "lines that each room receives" });

const SIZE = sizeOption("size", { default: "64", help: "length of a line" });

const STALLED = integerOption("stalled", {
  least: 0,
  most: 10_000,
  default: 10,
  help: "users who never read, in every second run",
});

const DURATION = durationOption("duration", {
  default: "10s",
  help: "how long each run is measured",
});

const REPEAT = integerOption("repeat", {
  least: 1,
  most: 100,
  default: 3,
  help: "how many runs of each kind, in turn",
});

const COMMAND: Command = {
  name: "chat_load",
  summary: "load the chat server of both runtimes",
  positionals: [],
  flags: [
    CLIENTS,
    ROOMS,
    RATE,
    SIZE,
    STALLED,
    DURATION,
    REPEAT,
    {
      name: "record",
      kind: "string",
      value: "FILE",
      help: "record a single run there, and who has heard which line, for observe replay",
    },
    { ...ON, help: "the runtime of the server that is recorded" },
  ],
  example: formatRun("lab/chat_load.ts"),
};

async function main(): Promise<void> {
  const values = readCommandLine(COMMAND);
  const load: Load = {
    clients: valueOf(CLIENTS, values),
    rooms: valueOf(ROOMS, values),
    rate: valueOf(RATE, values),
    size: valueOf(SIZE, values),
    stalled: 0,
    durationMs: valueOf(DURATION, values),
    warmUpMs: WARM_UP_MS,
  };
  if (load.clients < 2 * load.rooms) {
    fail(COMMAND.name, "each room needs two clients or more", EXIT_USAGE);
  }
  const record = values.record as string | undefined;
  if (record !== undefined) return await recordOne(load, record, values);
  if (values.on !== undefined) {
    fail(COMMAND.name, "--on goes with --record: both runtimes are measured", EXIT_USAGE);
  }
  const print = beginTable(COLUMNS);
  for (let run = 0; run < valueOf(REPEAT, values); run++) {
    for (const stalled of new Set([0, valueOf(STALLED, values)])) {
      for (const command of RUNTIMES.filter(({ isHere }) => isHere)) {
        const asked = { ...load, stalled };
        print(row(command.name, asked, await measure(command, asked)));
      }
    }
  }
}

/** Records a single run. Its first line counts: whoever looks at a recording wants to see all. */
async function recordOne(load: Load, record: string, values: Values): Promise<void> {
  let on: RuntimeCommand;
  try {
    on = runtimeOn(values);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    fail(COMMAND.name, error.message, EXIT_USAGE);
  }
  const asked = { ...load, stalled: valueOf(STALLED, values), warmUpMs: 0, record };
  const print = beginTable(COLUMNS);
  print(row(on.name, asked, await measure(on, asked)));
}

if (isMainModule(import.meta)) {
  main().then(
    () => runtime.exit(EXIT_DONE),
    (error: Error) => fail(COMMAND.name, error.message, EXIT_FAILED),
  );
}
