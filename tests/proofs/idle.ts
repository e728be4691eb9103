/**
 * Each of 10,000 silent connections takes at most 2 KiB beyond the empty server, in `nonblocking` and
 * `completion`, whatever it has said before.
 *
 * They connect one after another and rest, send one message each and rest, send nine more each and rest.
 * Then all leave, and as many others come and do the same: these take at most 3 KiB. A process has memory for as long as its
 * runtime does not give it back. So what counts is what the kernel says that it has (`Rss`,
 * proc_pid_smaps(5)), and the size of the empty process is taken off.
 *
 * Words on the command line say how many connections there are, and a part of the name of a mode.
 *
 * @module
 */

import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { read } from "../../engine/process/process_status.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import type { ModeName } from "../../modes/catalogue.ts";
import type { Address } from "../../protocol.ts";
import { assert, delay } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";
import { ServerProcess } from "../kit/server_process.ts";

/** How many KiB a connection may take, and one that comes after as many others have left. */
const MOST_KIB = [2, 3] as const;

/** How often the memory is looked at while the same connections are there. */
const LOOKS = 3;

/** How many clients wait for their answers at the same time. */
const AT_ONCE = 50;

/** How long nothing happens before the memory is looked at, in milliseconds. */
const REST_MS = 4_000;

/** How long an answer may take, in milliseconds. */
const ANSWER_MS = 20_000;

/** What clients say, and what they hear. */
interface Words {
  readonly greeting: string;
  readonly question: string;
  readonly answer: string;
}

const WORDS: Readonly<Record<"echo" | "frame", Words>> = {
  echo: { greeting: "", question: "a".repeat(64), answer: "a".repeat(64) },
  frame: { greeting: "*", question: `^${"a".repeat(62)}$`, answer: "b".repeat(62) },
};

/** The modes that hold so many connections in one thread of their own. */
const MODES: readonly { readonly mode: ModeName; readonly skip: string | undefined }[] = [
  { mode: "nonblocking", skip: whyNoSockets() },
  { mode: "completion", skip: whyNoSockets() ?? whyNoRing() },
];

/** Very many clients of a server, which a single thread deals with. */
class Clients implements Disposable {
  readonly #net: Sockets = sockets();
  readonly #buffer = new Uint8Array(4_096);
  readonly #fds: number[] = [];
  readonly #words: Words;
  readonly #question: Uint8Array;

  /** @param words what they say @param count how many there are @param from their own address */
  constructor(server: Address, words: Words, count: number, from: string) {
    const net = this.#net;
    const { AF_INET, SOCK_STREAM } = net.constants;
    this.#words = words;
    this.#question = new TextEncoder().encode(words.question);
    for (let each = 0; each < count; each++) {
      const fd = net.socket(AF_INET, SOCK_STREAM);
      this.#fds.push(fd);
      // There are not enough ports at one address for all who come and go.
      net.bindSource(fd, net.writeAddress({ hostname: from, port: 0 }));
      net.connect(fd, server);
      net.setReceiveTimeout(fd, ANSWER_MS);
    }
    for (const fd of this.#fds) this.#hear(fd, words.greeting);
  }

  /** Each of them asks so many times, and gets its answers. */
  ask(times: number): void {
    for (let time = 0; time < times; time++) {
      for (let first = 0; first < this.#fds.length; first += AT_ONCE) {
        const some = this.#fds.slice(first, first + AT_ONCE);
        for (const fd of some) this.#net.send(fd, this.#question);
        for (const fd of some) this.#hear(fd, this.#words.answer);
      }
    }
  }

  #hear(fd: number, text: string): void {
    let heard = "";
    while (heard.length < text.length) {
      const count = this.#net.recv(fd, this.#buffer);
      assert(count > 0, `${count} after ${heard}`);
      heard += new TextDecoder().decode(this.#buffer.subarray(0, count));
    }
    assert(heard === text, heard);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) this.#net.close(fd);
  }
}

/** The resident memory of a process, in KiB. */
function residentOf(pid: number): number {
  const [, kibibytes] = /^Rss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`)) ?? [];
  assert(kibibytes !== undefined, "the kernel does not tell how much memory the server has");
  return Number(kibibytes);
}

/** What a connection takes, in KiB, at each rest. */
export interface Idle {
  readonly mode: ModeName;
  readonly protocol: keyof typeof WORDS;
  readonly each: readonly number[];
}

/**
 * Sees what silent connections take.
 *
 * @param mode the mode
 * @param protocol what is spoken
 * @param connections how many there are
 */
export async function rest(
  mode: ModeName,
  protocol: keyof typeof WORDS,
  connections: number,
): Promise<Idle> {
  // The kernel drops some of the probes of so many connections, if all of them go at the same time.
  const args = ["--protocol", protocol, "--quiet", "--keepalive", "0"];
  await using server = await ServerProcess.start(mode, args);
  await delay(REST_MS);
  const empty = residentOf(server.pid);
  const each: number[] = [];
  const look = async () => {
    await delay(REST_MS);
    each.push((residentOf(server.pid) - empty) / connections);
  };
  for (const from of ["127.0.0.2", "127.0.0.3"]) {
    using clients = new Clients(server.address, WORDS[protocol], connections, from);
    await look();
    for (const times of [1, 9]) {
      clients.ask(times);
      await look();
    }
  }
  return { mode, protocol, each };
}

await prove(import.meta, async () => {
  const [count = "10000", part = ""] = process.argv.slice(2);
  const found: Idle[] = [];
  for (const { mode, skip } of MODES) {
    if (skip !== undefined || !mode.includes(part)) continue;
    for (const protocol of ["echo", "frame"] as const) {
      found.push(await rest(mode, protocol, Number(count)));
    }
  }
  const told = found.map(({ mode, protocol, each }) =>
    `${mode} ${protocol} ${each.map((kib) => kib.toFixed(2)).join(" ")}`
  ).join(", ");
  const isMore = found.some(({ each }) =>
    each.some((kib, look) => kib > (MOST_KIB[Math.floor(look / LOOKS)] as number))
  );
  assert(!isMore, `KiB a connection: ${told}`);
  return `KiB a connection: ${told}`;
}, { skip: whyNoSockets() });
