/**
 * A crowd for the chat: thousands of users who come at the same moment, talk, and leave at the same
 * moment. It tells whether anybody was cut, what the server needed, and how long a word took: in
 * the crowd's own room, and in another room whose users should notice nothing of all this.
 *
 * @module
 */

// @ts-types="../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { connect } from "../engine/net/tcp.ts";
import type { Connection, Sink } from "../engine/net/transport.ts";
import type { Address } from "../protocols/effects.ts";
import { encodeLine } from "../protocols/text.ts";
import { RUNTIMES, scriptCommand } from "../engine/process/runtimes.ts";
import { fail, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import type { Command } from "../engine/cli/flags.ts";
import { integerOption, valueOf } from "../engine/cli/options.ts";
import { durationOption } from "../engine/cli/quantity_options.ts";
import { formatRun } from "../engine/cli/invocation.ts";
import { beginTable } from "./growing_table.ts";
import { LoadedServer } from "./loaded_server.ts";

/**
 * How many connections are on their way at a time. The kernel drops some if its accept queue is
 * full, and a client that says nothing may wait for ever then. This runtime, too, serves so many
 * well at a time.
 */
const ON_THEIR_WAY = 400;

/** How often a word is said in the room aside, in milliseconds. */
const ASIDE_EVERY_MS = 100;

/** The byte with which talk begins, and no notice contains it. */
const BRACKET = "[".charCodeAt(0);

/** What a crowd is. */
export interface Crowd {
  /** How many users come at the same moment. */
  readonly clients: number;
  /** How many of them say one word each. */
  readonly speakers: number;
  /** How long each step may take, in milliseconds. */
  readonly withinMs: number;
}

/** What became of a crowd. Times are in milliseconds. */
export interface CrowdResult {
  /** From the first connection to the moment when everybody was welcome. */
  readonly comingMs: number;
  /** From the first word to the moment when everybody had heard all of them. */
  readonly talkingMs: number;
  /** From the first goodbye to the moment when the server had closed all connections. */
  readonly leavingMs: number;
  /** The longest that a word in the room aside took while they came, talked and left. */
  readonly asideMs: { readonly coming: number; readonly talking: number; readonly leaving: number };
  /** How many users were cut. */
  readonly cut: number;
  /** What all users together have received, in bytes. */
  readonly received: number;
  /** The most resident memory that the server had, in bytes. */
  readonly memory: number;
  /** The server's CPU time, in seconds. */
  readonly cpuSeconds: number;
}

/** One user of the crowd, who reads everything. */
class CrowdClient implements Sink {
  /** How many lines of talk have come. */
  heard = 0;
  /** How many bytes have come. */
  received = 0;
  isLeaving = false;
  /** Whether the server has ended the connection. */
  isOver = false;
  readonly #connection: Connection;
  readonly #onChange: () => void;

  constructor(connection: Connection, onChange: () => void) {
    this.#connection = connection;
    this.#onChange = onChange;
    this.#listen();
  }

  get wasCut(): boolean {
    return this.isOver && !this.isLeaving;
  }

  say(line: string): void {
    if (!this.isOver) this.#connection.push(encodeLine(line), this);
  }

  leave(): void {
    this.isLeaving = true;
    if (!this.isOver) this.#connection.closeWrite();
  }

  close(): void {
    this.isLeaving = true;
    this.#connection.close();
  }

  onRead(chunk: Uint8Array | null): void {
    if (chunk === null) return this.onError();
    this.#take(chunk);
    this.#listen();
  }

  onWritten(): void {}

  onError(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#connection.close();
    this.#onChange();
  }

  #listen(): void {
    for (let chunk = this.#connection.pull(this); chunk; chunk = this.#connection.pull(this)) {
      this.#take(chunk);
    }
  }

  #take(chunk: Uint8Array): void {
    this.received += chunk.length;
    for (let at = chunk.indexOf(BRACKET); at >= 0; at = chunk.indexOf(BRACKET, at + 1)) {
      this.heard++;
    }
    this.#onChange();
  }
}

/** Two users in a room of their own, one of whom says a word now and then. */
class Aside {
  readonly #speaker: CrowdClient;
  readonly #hearer: CrowdClient;
  #saidAt: number[] = [];
  #heard = 0;
  #longestMs = 0;
  #isOver = false;

  private constructor(speaker: Connection, hearer: Connection) {
    this.#speaker = new CrowdClient(speaker, () => {});
    this.#hearer = new CrowdClient(hearer, () => this.#hear());
    for (const client of [this.#speaker, this.#hearer]) client.say("/join aside");
  }

  static async open(address: Address): Promise<Aside> {
    const aside = new Aside(await connect(address), await connect(address));
    await delay(ASIDE_EVERY_MS);
    void aside.#talk();
    return aside;
  }

  get isCut(): boolean {
    return this.#speaker.wasCut || this.#hearer.wasCut;
  }

  /** The longest that a word took since the last call, also one that is still on its way. */
  takeLongest(): number {
    const oldest = this.#saidAt[this.#heard];
    const longest = Math.max(
      this.#longestMs,
      oldest === undefined ? 0 : performance.now() - oldest,
    );
    this.#longestMs = 0;
    return longest;
  }

  close(): void {
    this.#isOver = true;
    this.#speaker.close();
    this.#hearer.close();
  }

  async #talk(): Promise<void> {
    while (!this.#isOver) {
      this.#saidAt.push(performance.now());
      this.#speaker.say("word");
      await delay(ASIDE_EVERY_MS);
    }
  }

  #hear(): void {
    for (; this.#heard < this.#hearer.heard; this.#heard++) {
      const saidAt = this.#saidAt[this.#heard] ?? Infinity;
      this.#longestMs = Math.max(this.#longestMs, performance.now() - saidAt);
    }
  }
}

/**
 * Lets a crowd come, talk and leave.
 *
 * @param server the server, which has no other users
 * @param crowd what the crowd is
 * @throws {Error} if a step takes too long
 */
export async function runCrowd(server: LoadedServer, crowd: Crowd): Promise<CrowdResult> {
  const { clients: count, speakers, withinMs } = crowd;
  const { address, status } = server;
  let onChange = () => {};
  const changed = () => onChange();
  /** Waits until something is true, and returns how long that took. */
  async function reached(what: string, isSo: () => boolean, startedAt: number): Promise<number> {
    const late = performance.now() + withinMs;
    while (!isSo()) {
      if (performance.now() > late) throw new Error(`${what} takes more than ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 20);
        onChange = () => {
          clearTimeout(timer);
          onChange = () => {};
          setTimeout(resolve);
        };
      });
    }
    return performance.now() - startedAt;
  }

  const aside = await Aside.open(address);
  const clients: CrowdClient[] = [];
  try {
    const cameAt = performance.now();
    let coming = 0;
    const comeOneByOne = async () => {
      while (coming < count) {
        coming++;
        const client = new CrowdClient(await connect(address), changed);
        clients.push(client);
        while (client.received === 0 && !client.wasCut) await delay(1);
      }
    };
    await Promise.all(Array.from({ length: ON_THEIR_WAY }, comeOneByOne));
    const isAtRest = (isSo: (client: CrowdClient) => boolean) => () =>
      clients.every((client) => client.wasCut || isSo(client));
    const comingMs = await reached("coming", isAtRest(({ received }) => received > 0), cameAt);
    const asideComing = aside.takeLongest();
    const saidAt = performance.now();
    const heard = clients.map((client) => client.heard);
    for (const client of clients.slice(0, speakers)) client.say("hello");
    const everyWord = () => {
      // Whoever was cut can say nothing.
      const words = clients.slice(0, speakers).filter(({ wasCut }) => !wasCut).length;
      return clients.every((client, index) =>
        client.wasCut ||
        client.heard - (heard[index] as number) >= words - (index < speakers ? 1 : 0)
      );
    };
    const talkingMs = await reached("talking", everyWord, saidAt);
    const talking = aside.takeLongest();
    const leftAt = performance.now();
    for (const client of clients) client.leave();
    const leavingMs = await reached("leaving", isAtRest(({ isOver }) => isOver), leftAt);
    await delay(2 * ASIDE_EVERY_MS);
    const leaving = aside.takeLongest();
    return {
      comingMs,
      talkingMs,
      leavingMs,
      asideMs: { coming: asideComing, talking, leaving },
      cut: clients.filter(({ wasCut }) => wasCut).length + (aside.isCut ? 1 : 0),
      received: clients.reduce((sum, client) => sum + client.received, 0),
      memory: status.peakMemory,
      cpuSeconds: status.cpuSeconds,
    };
  } finally {
    aside.close();
    for (const client of clients) client.close();
  }
}

const CLIENTS = integerOption("clients", {
  least: 2,
  most: 20_000,
  default: 5_000,
  help: "users who come at the same moment",
});

const SPEAKERS = integerOption("speakers", {
  least: 1,
  most: 20_000,
  default: 200,
  help: "how many of them say a word",
});

const WITHIN = durationOption("within", { default: "60s", help: "how long each step may take" });

const COMMAND: Command = {
  name: "chat_crowd",
  summary: "a crowd comes to the chat server of both runtimes, talks and leaves",
  positionals: [],
  flags: [CLIENTS, SPEAKERS, WITHIN],
  example: formatRun("lab/chat_crowd.ts"),
};

const COLUMNS = [
  "server",
  "coming ms",
  "talking ms",
  "leaving ms",
  "aside ms: coming",
  "talking",
  "leaving",
  "cut",
  "received MiB",
  "memory MiB",
  "CPU s",
];

function row(name: string, result: CrowdResult): string[] {
  const { comingMs, talkingMs, leavingMs, asideMs, cut, received, memory, cpuSeconds } = result;
  const times = [comingMs, talkingMs, leavingMs, ...Object.values(asideMs) as number[]];
  return [
    name,
    ...times.map((ms) => ms.toFixed(0)),
    String(cut),
    (received / 2 ** 20).toFixed(1),
    (memory / 2 ** 20).toFixed(0),
    cpuSeconds.toFixed(1),
  ];
}

async function main(): Promise<void> {
  const values = readCommandLine(COMMAND);
  const crowd: Crowd = {
    clients: valueOf(CLIENTS, values),
    speakers: valueOf(SPEAKERS, values),
    withinMs: valueOf(WITHIN, values),
  };
  const print = beginTable(COLUMNS);
  for (const command of RUNTIMES) {
    await using server = await LoadedServer.start(
      scriptCommand(command, "chat/server.ts", "0", "--quiet"),
    );
    print(row(command.name, await runCrowd(server, crowd)));
  }
}

if (isMainModule(import.meta)) {
  main().then(
    () => runtime.exit(EXIT_DONE),
    (error: Error) => fail(COMMAND.name, error.message, EXIT_FAILED),
  );
}
