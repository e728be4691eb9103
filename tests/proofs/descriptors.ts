/**
 * Under 100,000 connections with shutdowns and timeouts no descriptor is lost, doubled or leaked.
 *
 * Servers, their clients and bystanders share one process, and so one table of descriptors: a number
 * that a server closes is a moment later somebody else's. Some clients ask twice, some fall silent,
 * some reset, and some leave. Each server is closed, and every other one in the middle of its work.
 * Then the process has as many descriptors as before, the counters add up, each client that has got
 * its answers was counted, and no bystander was cut.
 *
 * @module
 */

import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { parseFlags } from "../../engine/cli/flags.ts";
import type { Counters } from "../../engine/server/core/counters.ts";
import type { Server } from "../../engine/server/core/server.ts";
import { MODES } from "../../modes/catalogue.ts";
import type { Address } from "../../protocol.ts";
import { assert, assertEquals, until, within } from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import { prove } from "../kit/proof.ts";
import { computesInPlace, type Row, ROWS } from "../kit/rows.ts";

/** Where Linux lists the descriptors of this process. */
const FDS = "/proc/self/fd";

/** Why the descriptors of a process cannot be counted here. */
export const whyNoCount: string | undefined = existsSync(FDS)
  ? undefined
  : "only Linux lists the descriptors of a process";

/** How many clients there are at a time, and how many bystanders. */
const CLIENTS = 48;
const BYSTANDERS = 16;

/** What they speak, and how long it waits for a message. */
const PROTOCOL = new URL("../kit/protocols/ticket.ts", import.meta.url);

/** How long the server waits for a client, and for those that are left when it closes. */
const SILENCE = "150ms";
const DRAIN = "30ms";

/** How many descriptors with which it polls a runtime may have without Workers. */
const POLLS = 5;

/** How long threads may take to give back theirs: on a busy machine Deno takes seconds. */
const PATIENCE_MS = 60_000;

/** What clients do: how many to each server fall silent, and how many in a hundred leave. */
const SILENT = 4;
const RESETTING = 5;
const LEAVING = 5;

/** How many descriptors this process has, without files: the runtime opens and closes its caches. */
function countDescriptors(): number {
  let count = 0;
  let polls = 0;
  for (const name of readdirSync(FDS)) {
    try {
      const link = readlinkSync(`${FDS}/${name}`);
      if (/^anon_inode:\[event(poll|fd)\]$/.test(link)) polls++;
      else if (!link.startsWith("/")) count++;
    } catch {
      // It is the descriptor by which the folder was read.
    }
  }
  // Once a Worker has ended, Deno may keep the two with which the last one polled, or not.
  return count + Math.max(polls, POLLS);
}

/** What has become of the clients of one server. */
interface Tally {
  /** Connections that were made. */
  connected: number;
  /** Conversations that were whole, with FIN at the end. */
  done: number;
  /** Clients that fell silent, and saw the server close. */
  silent: number;
}

/** The rows in which connections are handed over by descriptor, and the others that can run. */
export const STRESSED: readonly Row[] = ROWS.filter((row) =>
  row.skip === undefined && !computesInPlace(row) && !row.args.includes("--poller")
);

/**
 * Puts one mode under stress.
 *
 * @param row the mode
 * @param connections how many connections, over all servers
 * @param servers how many servers, one after the other
 */
export async function stress(row: Row, connections: number, servers: number): Promise<void> {
  const { serve, program } = await MODES[row.mode].load();
  const flags = parseFlags((await program()).command, row.args);
  await using strangers = await LoadServer.start();
  const bystanders = await Promise.all(
    Array.from({ length: BYSTANDERS }, () => Bystander.connect(strangers.address)),
  );
  // The runtime opens some descriptors when it needs them first.
  const warm = await serve({ ...flags, port: 0, protocol: PROTOCOL });
  await converse(warm.address, 1, { connected: 0, done: 0, silent: 0 });
  await warm.close();
  const before = await settledCount();
  for (let round = 0; round < servers; round++) {
    const server = await serve({
      ...flags,
      port: 0,
      protocol: PROTOCOL,
      readTimeout: SILENCE,
      drain: DRAIN,
    });
    await oneServer(server, Math.ceil(connections / servers), round % 2 === 1);
    await Promise.all(bystanders.map((bystander) => bystander.ask(round)));
    let now = 0;
    await until(`${row.name} to give back its descriptors`, () => {
      now = countDescriptors();
      return now <= before;
    }, PATIENCE_MS).catch((cause) => {
      throw new Error(`${before} descriptors before, ${now} afterwards`, { cause });
    });
  }
  for (const bystander of bystanders) bystander.leave();
}

/** How many descriptors there are, when the number does not change any more. */
async function settledCount(): Promise<number> {
  let count = -1;
  await until("the descriptors to settle", async () => {
    const now = countDescriptors();
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (now === count && now === countDescriptors()) return true;
    count = now;
    return false;
  });
  return count;
}

/** Puts one server under stress and closes it. @param early whether in the middle of its work */
async function oneServer(server: Server, connections: number, early: boolean): Promise<void> {
  const tally: Tally = { connected: 0, done: 0, silent: 0 };
  const closeAt = early ? Math.ceil(connections * 0.9) : Infinity;
  let next = 0;
  let honest = 0;
  let closing: Promise<void> | undefined;
  const client = async () => {
    while (next < connections) {
      const number = next++;
      if (number >= closeAt) closing ??= server.close();
      const kind = number % 100;
      if (number < SILENT) await fallSilent(server.address, tally);
      else if (kind < RESETTING) await leave(server.address, tally, true);
      else if (kind < RESETTING + LEAVING) await leave(server.address, tally, false);
      else {
        honest++;
        await converse(server.address, number, tally);
      }
    }
  };
  await within(300_000, "all clients", Promise.all(Array.from({ length: CLIENTS }, client)));
  if (!early) {
    await until("all conversations to be over", () => server.counters.active === 0);
    const { completed, cut, lost, accepted, failed } = server.counters;
    assertEquals([accepted + lost, cut], [tally.connected, 0], "nobody was cut");
    // On a busy machine an honest client, too, may be so slow that its time is over.
    const slow = (failed["read timeout"] ?? 0) - tally.silent;
    assert(slow >= 0 && honest - completed <= slow, `${completed} of ${honest} were served`);
  }
  await within(20_000, "the server to close", closing ?? server.close());
  const { counters } = server;
  assertEquals(counters.accepted, endings(counters), "every connection ended in one way");
  // A conversation may be cut after its last word.
  const counted = counters.completed + counters.cut;
  const told = `${tally.done} conversations were whole: ${JSON.stringify(counters)}`;
  assert(tally.done <= counted, told);
}

/** How many connections have ended, in whichever way. */
function endings({ failed, ...counts }: Counters): number {
  const ways = {
    ...counts,
    accepted: 0,
    active: 0,
    lost: 0,
    refused: 0,
    strays: 0,
    threadsLost: 0,
  };
  return [...Object.values(failed), ...Object.values(ways)].reduce((sum, count) => sum + count, 0);
}

/** Opens a connection. `undefined` if the server has closed already. */
function open({ hostname: host, port }: Address, tally: Tally): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    socket.once("error", () => resolve(undefined));
    socket.once("connect", () => {
      tally.connected++;
      resolve(socket);
    });
  });
}

/** Waits until a connection is over. @returns what has come, and whether it ended with FIN */
function rest(
  socket: Socket,
  onData: (text: string) => void = () => {},
): Promise<{ text: string; fin: boolean }> {
  return new Promise((resolve) => {
    let text = "";
    let fin = false;
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => onData(text += chunk));
    socket.on("end", () => {
      fin = true;
      socket.end();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve({ text, fin }));
  });
}

/** Asks twice. The numbers show whose answers they are. */
async function converse(address: Address, x: number, tally: Tally): Promise<void> {
  const socket = await open(address, tally);
  if (socket === undefined) return;
  socket.write(`${x}\n`);
  let asked = false;
  const { text, fin } = await rest(socket, (text) => {
    if (asked || !text.endsWith("\n")) return;
    asked = true;
    socket.write(`${x} again\n`);
  });
  const expected = `${x}\n${x} again\n`;
  assertEquals(text, expected.slice(0, text.length), "a client gets its own answers");
  if (fin && text === expected) tally.done++;
}

/** Says half a message and nothing more. */
async function fallSilent(address: Address, tally: Tally): Promise<void> {
  const socket = await open(address, tally);
  if (socket === undefined) return;
  socket.write("hal");
  await rest(socket);
  tally.silent++;
}

/** Leaves in the middle. @param resets with RST, or with FIN */
async function leave(address: Address, tally: Tally, resets: boolean): Promise<void> {
  const socket = await open(address, tally);
  if (socket === undefined) return;
  const over = rest(socket);
  socket.write("1\n", () => resets ? socket.resetAndDestroy() : socket.end());
  await over;
}

/** A connection that has nothing to do with the servers. */
class Bystander {
  readonly #socket: Socket;
  #heard = "";
  #isOver = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#heard += text);
    socket.on("error", () => {});
    socket.on("close", () => this.#isOver = true);
  }

  static async connect(address: Address): Promise<Bystander> {
    const socket = await open(address, { connected: 0, done: 0, silent: 0 });
    assert(socket !== undefined, "a bystander connects");
    return new Bystander(socket);
  }

  /** Fails if this connection was cut. */
  async ask(round: number): Promise<void> {
    this.#heard = "";
    this.#socket.write(`round ${round}`);
    await until("a bystander to be answered", () => {
      assert(!this.#isOver, "a bystander was cut");
      return this.#heard === `round ${round}`;
    });
  }

  leave(): void {
    this.#socket.destroy();
  }
}

await prove(import.meta, async () => {
  const each = Math.ceil(100_000 / STRESSED.length);
  const servers = 12;
  for (const row of STRESSED) {
    const begin = performance.now();
    await stress(row, each, servers);
    console.error(
      `${row.name}: ${each} connections in ${Math.round(performance.now() - begin)} ms`,
    );
  }
  const connections = (each * STRESSED.length).toLocaleString("en");
  const closed = STRESSED.length * servers;
  return `${connections} connections, ${closed} servers closed, 0 descriptors left, nobody cut`;
}, { skip: whyNoCount });
