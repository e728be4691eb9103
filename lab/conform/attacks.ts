/**
 * What hostile, broken and slow clients do. Each attack is bounded in time, in connections and in
 * bytes. They say nothing about how a server bears them: `abuse.ts` does.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { Buffer } from "node:buffer";
import { bytesOf } from "./answer.ts";
import { honestTurns } from "./cases.ts";
import type { Stage } from "./stage.ts";
import { Talk, type TalkOptions } from "./talk.ts";

/** What clients do to a server. */
export interface Attack {
  /** What it is, in a few words. */
  readonly name: string;
  /** How many connections it has at the same time. */
  readonly connections: number;
  /**
   * Whether the server's memory is watched: it must not grow with what is sent. The attack notes what
   * it sends.
   *
   * @default {false}
   */
  readonly weighs?: boolean;
  /** Whether it needs connections that can be reset or that have a small window. @default {false} */
  readonly needsDescriptors?: boolean;
  /**
   * Attacks.
   *
   * @param field where its connections are kept
   * @returns when the attack is in place or over. Some go on until the field is cleared
   */
  begin(field: Field): Promise<string | void>;
}

/** How long an attack may take until it is in place, in milliseconds. */
const BEGIN_MS = 15_000;

/** How many connections are opened side by side. */
const AT_ONCE = 100;

/** After how many bytes the server's memory is looked at, again and again. */
export const SHARE_BYTES: number = 32 * 1024 * 1024;

/** The connections of an attack. */
export class Field {
  readonly stage: Stage;
  readonly #talks = new Set<Talk>();
  readonly #over = new AbortController();
  readonly #endsAt = performance.now() + BEGIN_MS;
  #failures = 0;
  #sent = 0;
  /** Called whenever another {@linkcode SHARE_BYTES} were sent. */
  onShare: () => void = () => {};
  /** Whether the server seems to keep what it was sent so far. */
  isSuspect: () => boolean = () => false;
  readonly #begunAt = performance.now();
  readonly #waitedBefore: number;

  /** @param stage the server */
  constructor(stage: Stage) {
    this.stage = stage;
    this.#waitedBefore = this.#waitedSeconds;
    stage.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  readonly #onAbort = () => this.#over.abort();

  /** Whether the attack is to end. */
  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /** Whether it has taken long enough, or cannot go on: then it is as it is. */
  get isEnough(): boolean {
    return this.isOver || performance.now() >= this.#endsAt || this.#failures > AT_ONCE * 2;
  }

  /**
   * Whether it is too early to tell that the server holds its clients back, or that it does not keep what
   * it is sent: it seems to keep that, or it has had no processor for most of the time.
   */
  get isUncertain(): boolean {
    const waited = this.#waitedSeconds - this.#waitedBefore;
    return this.isSuspect() || waited * 1000 > (performance.now() - this.#begunAt) / 2;
  }

  /** How long the server's threads could have run but had no processor, in seconds; 0 if unknown. */
  get #waitedSeconds(): number {
    const threads = this.stage.target.status?.eachThread().values() ?? [];
    return [...threads].reduce((sum, { waitingSeconds }) => sum + waitingSeconds, 0);
  }

  /** Resolves when a flood has lasted long enough. */
  async flooded(): Promise<void> {
    do await delay(FLOOD_MS); while (this.isUncertain && !this.isEnough);
  }

  /** How many bytes were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Notes bytes that the server, or the kernel, has taken. */
  note(bytes: number): void {
    const before = Math.floor(this.#sent / SHARE_BYTES);
    this.#sent += bytes;
    if (Math.floor(this.#sent / SHARE_BYTES) > before) this.onShare();
  }

  /** Opens a connection; `undefined` if there is none, as when the server has no more room. */
  async open(options: Partial<TalkOptions> = {}): Promise<Talk | undefined> {
    try {
      const withinMs = Math.min(this.stage.timeoutMs, 2_000);
      const talk = await Talk.open(this.stage.caller, { withinMs, ...options });
      if (this.isOver) {
        talk.close();
        return undefined;
      }
      this.#talks.add(talk);
      this.#failures = 0;
      return talk;
    } catch {
      this.#failures++;
      return undefined;
    }
  }

  /** Opens connections, some at a time; returns those that there are. */
  async openMany(count: number, options: Partial<TalkOptions> = {}): Promise<Talk[]> {
    const talks: Talk[] = [];
    for (let begun = 0; begun < count && !this.isEnough;) {
      const some = Math.min(AT_ONCE, count - begun);
      begun += some;
      const opened = await Promise.all(Array.from({ length: some }, () => this.open(options)));
      for (const talk of opened) if (talk !== undefined) talks.push(talk);
    }
    return talks;
  }

  /** Closes a connection, with FIN or with RST. */
  drop(talk: Talk, how: "FIN" | "RST"): void {
    this.#talks.delete(talk);
    if (how === "RST") talk.reset();
    else talk.close();
  }

  /** Does something every so often, until the field is cleared. */
  keepDoing(everyMs: number, action: () => void): void {
    const timer = setInterval(() => {
      if (this.isOver) return clearInterval(timer);
      action();
    }, everyMs);
    this.#over.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  /** Ends the attack, and closes all that is left of it. */
  clear(): void {
    this.stage.signal.removeEventListener("abort", this.#onAbort);
    this.#over.abort();
    // A reset frees the port at once, on both sides.
    for (const talk of this.#talks) talk.reset();
    this.#talks.clear();
  }
}

/** What honest clients send, message by message. */
function messagesOf({ stage: { conformance } }: Field): Uint8Array[] {
  return honestTurns(conformance).flatMap(({ send }) => send === undefined ? [] : [bytesOf(send)]);
}

/** How often each step is cut off. */
const EACH_STEP = 3;

/** Leaves at every step of a conversation. */
function leaving(how: "FIN" | "RST"): Attack["begin"] {
  return async (field) => {
    const messages = messagesOf(field);
    let count = 0;
    for (let round = 0; round < EACH_STEP; round++) {
      // Half of a message, all of it without its answer, and with its answer.
      for (let step = 0; step <= messages.length * 3 && !field.isEnough; step++) {
        const talk = await field.open();
        if (talk === undefined) continue;
        const whole = Math.floor(step / 3);
        for (const message of messages.slice(0, whole)) {
          await talk.send([message]);
          await talk.inbox.change(20);
        }
        const message = messages[whole];
        if (message !== undefined && step % 3 === 1) {
          await talk.send([message.subarray(0, Math.ceil(message.length / 2))]);
          await delay(2);
        } else if (message !== undefined && step % 3 === 2) await talk.send([message]);
        if (how === "FIN") talk.finish();
        field.drop(talk, how);
        count++;
      }
    }
    return `${count} connections`;
  };
}

/** How much a client that never reads sends at most, in bytes. */
const UNREAD_BYTES = 32 * 1024 * 1024;

/** How long a client waits until its bytes are taken, in milliseconds. */
const STUCK_MS = 400;

/** How long a flood may take, in milliseconds. */
const FLOOD_MS = 3_000;

/** Sends requests and reads no answer. */
function deaf(receiveBuffer?: number): Attack["begin"] {
  return async (field) => {
    const piece = Buffer.concat(Array.from({ length: 64 }, () => messagesOf(field)).flat());
    const large = Buffer.alloc(64 * 1024, piece);
    const talks = await field.openMany(4, { isDeaf: true, receiveBuffer });
    const flow = async (talk: Talk) => {
      for (let bytes = 0; bytes < UNREAD_BYTES && !field.isEnough; bytes += large.length) {
        const sending = talk.send([large]);
        let isTaken: boolean | undefined;
        do {
          isTaken = await Promise.race([sending, delay(STUCK_MS).then(() => undefined)]);
        } while (isTaken === undefined && field.isUncertain && !field.isEnough);
        // A server that holds the client back does what it should.
        if (isTaken !== true) return;
        field.note(large.length);
      }
    };
    await Promise.race([Promise.all(talks.map(flow)), field.flooded()]);
    return `${mebibytes(field.sent)} sent`;
  };
}

/** Sends what the kernel takes at once; returns whether it took all. */
function post(talk: Talk, bytes: Uint8Array): boolean {
  try {
    return talk.post(bytes);
  } catch {
    // The server has closed the connection, as it may.
    return false;
  }
}

/** How many bytes without an end a client sends at most. */
const ENDLESS_BYTES = 32 * 1024 * 1024;

/** Sends bytes that never become a message. */
async function endless(field: Field): Promise<string> {
  const words = bytesOf(field.stage.conformance.endless ?? "x");
  const piece = Buffer.alloc(Math.max(64 * 1024, words.length), words);
  const talks = await field.openMany(4, { forgets: true });
  let isOver = false;
  const flow = async (talk: Talk) => {
    for (let bytes = 0; bytes < ENDLESS_BYTES; bytes += piece.length) {
      if (field.isEnough || isOver) return;
      if (!await talk.send([piece])) return;
      field.note(piece.length);
    }
  };
  const flows = Promise.all(talks.map(flow));
  // A server may also hold back whoever sends too much.
  await Promise.race([flows, field.flooded()]);
  isOver = true;
  return `${mebibytes(field.sent)} sent`;
}

/** How many connections are opened and closed. */
const CHURN = 5_000;

async function churn(field: Field): Promise<string> {
  let count = 0;
  while (count < CHURN && !field.isEnough) {
    const talks = await field.openMany(Math.min(AT_ONCE, CHURN - count), { isDeaf: true });
    if (talks.length === 0) break;
    for (const [index, talk] of talks.entries()) field.drop(talk, index % 2 === 0 ? "RST" : "FIN");
    count += talks.length;
  }
  return `${count} of ${CHURN} connections`;
}

/** How many connections there are at once, unless the server's own limit is nearer. */
const CROWD = 2_000;

/** How many more connections than descriptors there are. */
const BEYOND = 32;

async function crowd(field: Field): Promise<string> {
  const { caller, target } = field.stage;
  const limit = target.status?.descriptorLimit ?? Infinity;
  const wanted = Math.min(caller.most, limit <= 2 * CROWD ? limit + BEYOND : CROWD);
  const talks = await field.openMany(wanted);
  const what = limit <= 2 * CROWD ? `, the server has ${limit} descriptors` : "";
  return `${talks.length} connections${what}`;
}

/** How many ports a scan seems to try. */
const SCANS = 300;

async function scan(field: Field): Promise<string> {
  let count = 0;
  while (count < SCANS && !field.isEnough) {
    const talks = await field.openMany(Math.min(50, SCANS - count), { isDeaf: true });
    if (talks.length === 0) break;
    for (const talk of talks) field.drop(talk, "RST");
    count += talks.length;
  }
  return `${count} connections`;
}

/** The beginning of a TLS connection: a record with a ClientHello (RFC 8446, section 4.1.2). */
const CLIENT_HELLO = Uint8Array.from([
  ...[0x16, 0x03, 0x01, 0x00, 0x85, 0x01, 0x00, 0x00, 0x81, 0x03, 0x03],
  ...Array.from({ length: 32 }, (_, index) => (index * 37 + 11) & 0xff),
  ...[0x20, ...Array.from({ length: 32 }, (_, index) => (index * 53 + 5) & 0xff)],
  ...[0x00, 0x06, 0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0x01, 0x00],
  ...[0x00, 0x32, 0x00, 0x00, 0x00, 0x0e, 0x00, 0x0c, 0x00, 0x00, 0x09],
  ...new TextEncoder().encode("localhost"),
  ...[0x00, 0x0a, 0x00, 0x04, 0x00, 0x02, 0x00, 0x1d, 0x00, 0x0d, 0x00, 0x04, 0x00, 0x02, 0x08],
  ...[0x04, 0x00, 0x2b, 0x00, 0x03, 0x02, 0x03, 0x04, 0x00, 0x33, 0x00, 0x02, 0x00, 0x00],
]);

/** A request of HTTP/1.1. */
const HTTP_REQUEST = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: conform\r\nAccept: */*\r\n\r\n",
);

/** Speaks another protocol. */
function stranger(words: Uint8Array): Attack["begin"] {
  return async (field) => {
    for (let round = 0; round < 4 && !field.isEnough; round++) {
      const talk = await field.open({ forgets: true });
      if (talk === undefined) continue;
      await Promise.race([talk.send([words]), delay(200)]);
      // Any answer will do, and none too.
      await talk.inbox.change(100);
      field.drop(talk, round % 2 === 0 ? "FIN" : "RST");
    }
  };
}

/** How many clients say a byte a second. */
const SLOW = 200;

async function slowly(field: Field): Promise<string> {
  const talks = await field.openMany(SLOW, { forgets: true });
  const message = messagesOf(field)[0] ?? new Uint8Array(1);
  let at = 0;
  const say = () => {
    const byte = message.subarray(at % message.length, at % message.length + 1);
    // The last byte is kept back, so that the message never becomes whole.
    at = (at + 1) % Math.max(1, message.length - 1);
    for (const talk of talks) post(talk, byte);
  };
  say();
  field.keepDoing(1_000, say);
  await delay(1_100);
  return `${talks.length} connections`;
}

/** How many clients connect and say nothing. */
const SILENT = 50;

const MIB = 1024 * 1024;

/** The attacks, in the order in which they are made. */
export const ATTACKS: readonly Attack[] = [
  { name: "RST at every step", connections: 1, needsDescriptors: true, begin: leaving("RST") },
  { name: "FIN at every step", connections: 1, begin: leaving("FIN") },
  {
    name: "silence",
    connections: SILENT,
    begin: async (field) => `${(await field.openMany(SILENT)).length} connections`,
  },
  { name: `a byte a second from ${SLOW} connections`, connections: SLOW, begin: slowly },
  { name: "readers that never read", connections: 4, weighs: true, begin: deaf() },
  {
    name: "readers with a tiny window",
    connections: 4,
    weighs: true,
    needsDescriptors: true,
    begin: deaf(1),
  },
  { name: "endless bytes without a line end", connections: 4, weighs: true, begin: endless },
  {
    name: `${CHURN.toLocaleString("en")} connections opened and closed`,
    connections: AT_ONCE,
    begin: churn,
  },
  { name: "more connections than descriptors", connections: CROWD, begin: crowd },
  { name: "port scans", connections: 50, needsDescriptors: true, begin: scan },
  { name: "a TLS greeting", connections: 1, begin: stranger(CLIENT_HELLO) },
  { name: "an HTTP greeting", connections: 1, begin: stranger(HTTP_REQUEST) },
];

/** A number of bytes, for people. */
export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
