/**
 * `--send` and the flags beside it: how they are read and checked.
 *
 * @module
 */

import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { describeSystemError } from "../../engine/net/constants.ts";
import type { Flag } from "../../engine/cli/flags.ts";
import { integerOption, OptionError, stringOption } from "../../engine/cli/options.ts";
import { sizeOption } from "../../engine/cli/quantity_options.ts";
import { joinBytes } from "../../protocols/bytes.ts";
import { escapeBytes, escapeText } from "../../protocols/text.ts";
import { EscapeError, readEscapes } from "./escapes.ts";
import type { SentLoad } from "./results.ts";
import type { Talk } from "./talk.ts";

/** What the user says about requests that are plain bytes. */
export interface TalkOptions {
  /** The request, with escapes; or `@` and the path of a file that holds it. */
  readonly send?: string;
  /** What ends an answer, with escapes. */
  readonly until?: string;
  /** How many bytes an answer has. */
  readonly bytes?: number;
  /** The whole answer, with escapes. */
  readonly expect?: string;
  /** What ends the greeting of a server that speaks first, with escapes. */
  readonly greetingUntil?: string;
  /** Bytes. @default {1048576} */
  readonly maxAnswer?: number | string;
}

/** The longest request, in bytes. Each thread keeps a copy. */
const LONGEST = 64 * 1024 * 1024;

/** How much of a request its name shows, in characters. */
const NAME = 32;

/** How much of a request stands in the results, in characters. */
const RECORDED = 256;

/** The request. */
const SEND = stringOption("send", {
  value: "TEXT|@FILE",
  help: "the bytes of each request, in place of a protocol; @@ begins with one @",
});

/** What ends an answer. */
const UNTIL = stringOption("until", {
  value: "TEXT",
  help: "with --send: an answer ends with the first TEXT in it",
});

/** How long an answer is. */
const BYTES = integerOption("bytes", {
  least: 1,
  most: Number.MAX_SAFE_INTEGER,
  help: "with --send: an answer has exactly N bytes",
});

/** The answer. */
const EXPECT = stringOption("expect", {
  value: "TEXT",
  help: "with --send: an answer is exactly TEXT, its end included; any other is a wrong reply",
});

/** What ends the greeting. */
const GREETING_UNTIL = stringOption("greetingUntil", {
  value: "TEXT",
  help: "with --send: the server speaks first on each connection, up to the first TEXT",
});

/** The longest answer. */
const MAX_ANSWER = sizeOption("maxAnswer", {
  default: "1m",
  positive: true,
  help: "with --send: the most bytes that an answer may have, its end included",
});

/** The flags, in the order of the help. */
export const TALK_FLAGS: readonly Flag[] = [
  SEND,
  UNTIL,
  BYTES,
  EXPECT,
  GREETING_UNTIL,
  MAX_ANSWER,
];

/** What the help says about them below the flags. */
export const TALK_NOTE: string =
  "--send: the bytes that each request sends. One of --until, --bytes and --expect says where an " +
  "answer ends; with --connect and none of them, it ends when the server closes the connection. " +
  "--until: the answer ends with the first TEXT in it, wherever the network cuts the bytes. " +
  "--bytes: the answer has N bytes, whatever they are. --expect: the answer is TEXT, which " +
  "therefore includes what ends it; the first byte that differs makes it a wrong reply. --expect " +
  "can stand beside one of the others and must agree with it; --until and --bytes exclude each " +
  "other. What comes beyond the answers to the requests under way is an error, surplus; an answer " +
  "over --max-answer is one, too long. In TEXT, \\r \\n \\t \\0 \\xNN and \\\\ are single bytes; " +
  "a @FILE is sent as it is.";

/**
 * Reads what is sent, and what comes back.
 *
 * @param options what the user said
 * @param connect whether each request has a connection of its own
 * @returns `undefined` if a protocol is spoken instead
 * @throws {OptionError} if something is wrong
 */
export async function readTalk(options: TalkOptions, connect: boolean): Promise<Talk | undefined> {
  const { send, until, bytes, expect, greetingUntil } = options;
  if (send === undefined) {
    const beside = TALK_FLAGS.find(({ name, option }: Flag & { option?: string }) =>
      name !== "send" && options[option as keyof TalkOptions] !== undefined
    );
    if (beside === undefined) return undefined;
    throw new OptionError(`Cannot use ${beside.name} without send: it says what an answer is`);
  }
  const request = send.startsWith("@") && !send.startsWith("@@")
    ? await readFile(send.slice(1))
    : readText("send", send.replace(/^@@/, "@"));
  const talk: Talk = {
    name: `"${escapeBytes(request.subarray(0, NAME + 1), NAME)}"`,
    request,
    digest: await digestOf(request),
    maxAnswer: MAX_ANSWER.read(options.maxAnswer),
    ...(until !== undefined && { until: readText("until", until) }),
    ...(bytes !== undefined && { bytes: BYTES.read(bytes) }),
    ...(expect !== undefined && { expect: readText("expect", expect) }),
    ...(greetingUntil !== undefined && {
      greetingUntil: readText("greetingUntil", greetingUntil),
    }),
  };
  check(talk, connect);
  return talk;
}

/** Reads text with escapes. */
function readText(option: string, text: string): Uint8Array {
  try {
    const bytes = readEscapes(text);
    if (bytes.length > 0) return bytes;
  } catch (error) {
    if (!(error instanceof EscapeError)) throw error;
    throw new OptionError(`Cannot use ${option} "${escapeText(text)}": ${error.message}`);
  }
  throw new OptionError(`Cannot use ${option}: expected at least one byte`);
}

/** What pipes held. They have it only once, and a comparison or a study makes several plans. */
const piped = new Map<string, Uint8Array>();

/** Reads the request from a file. */
async function readFile(path: string): Promise<Uint8Array> {
  const shown = escapeText(path);
  if (path === "") throw new OptionError("Cannot use send: expected a file after the @");
  const tooLarge = () =>
    new OptionError(`Cannot send ${shown}: it has more than ${LONGEST} bytes, 64 MiB`);
  let bytes = piped.get(path);
  if (bytes !== undefined) return bytes;
  let isPipe = false;
  try {
    const status = statSync(path);
    isPipe = status.isFIFO();
    if (status.size > LONGEST) throw tooLarge();
    bytes = await readUpTo(path, LONGEST + 1);
  } catch (error) {
    if (error instanceof OptionError) throw error;
    throw new OptionError(`Cannot read ${shown} for send: ${describeSystemError(error)}`);
  }
  if (bytes.length > LONGEST) throw tooLarge();
  if (bytes.length === 0) throw new OptionError(`Cannot send ${shown}: it is empty`);
  if (isPipe) piped.set(path, bytes);
  return bytes;
}

/**
 * Reads a file, or the beginning of one that does not tell its size, such as a pipe. Opening a pipe
 * takes until somebody writes it: this thread hears signals meanwhile.
 */
async function readUpTo(path: string, most: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const pieces: Uint8Array[] = [];
    for (let length = 0; length < most;) {
      const piece = new Uint8Array(Math.min(1024 * 1024, most - length));
      const { bytesRead } = await file.read(piece, 0, piece.length, null);
      if (bytesRead === 0) break;
      pieces.push(piece.subarray(0, bytesRead));
      length += bytesRead;
    }
    return joinBytes(pieces);
  } finally {
    await file.close();
  }
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function check(talk: Talk, connect: boolean): void {
  const { until, bytes, expect, maxAnswer } = talk;
  const refuse = (why: string): never => {
    throw new OptionError(why);
  };
  if (until !== undefined && bytes !== undefined) {
    refuse("Cannot use until with bytes: each says where an answer ends");
  }
  if (until === undefined && bytes === undefined && expect === undefined && !connect) {
    refuse(
      "Cannot tell where an answer ends: expected until, bytes or expect beside send; or connect, " +
        "if the server closes the connection after its answer",
    );
  }
  if (until !== undefined && expect !== undefined && firstEnd(expect, until) !== expect.length) {
    refuse(
      `Cannot use expect "${escapeBytes(expect, 40)}" with until "${escapeBytes(until, 40)}": ` +
        "an answer ends with the first of those, so none could be as expected",
    );
  }
  if (bytes !== undefined && expect !== undefined && bytes !== expect.length) {
    refuse(`Cannot use expect with bytes: it has ${expect.length} bytes and not ${bytes}`);
  }
  const least = expect?.length ?? bytes ?? until?.length ?? 0;
  if (Math.max(least, talk.greetingUntil?.length ?? 0) > maxAnswer) {
    refuse(`Cannot use maxAnswer: ${maxAnswer} bytes are fewer than an answer has`);
  }
}

/** Where a delimiter ends for the first time; -1 if it is not there. */
function firstEnd(bytes: Uint8Array, delimiter: Uint8Array): number {
  for (let at = 0; at + delimiter.length <= bytes.length; at++) {
    if (delimiter.every((byte, index) => bytes[at + index] === byte)) return at + delimiter.length;
  }
  return -1;
}

/**
 * A talk in the form in which the results hold it.
 *
 * @param talk what is sent, and what comes back
 */
export function recordTalk(talk: Talk): SentLoad {
  const text = (bytes: Uint8Array | undefined) => bytes === undefined ? null : escapeBytes(bytes);
  return {
    request: escapeBytes(talk.request.subarray(0, RECORDED + 1), RECORDED),
    request_sha256: talk.digest,
    until: text(talk.until),
    bytes: talk.bytes ?? null,
    expect: text(talk.expect),
    greeting_until: text(talk.greetingUntil),
    max_answer: talk.maxAnswer,
  };
}
