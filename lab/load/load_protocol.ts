/**
 * The client's side of a protocol under load: one request and its answer, over and over.
 *
 * A protocol of your own exports it beside its server's side: a generator for one exchange on an
 * open connection. The generator throws if the answer is wrong.
 *
 * ```ts
 * export function* load({ input, size, random }: LoadContext): Protocol {
 *   const payload = random.letters(size);
 *   yield* writeLine(payload);
 *   const answer = yield* readBytes(input, size + 1, "waiting for the answer");
 *   if (!answer.subarray(0, size).every((byte, at) => byte === payload[at])) {
 *     throw new Error("Cannot accept the answer: it is another one's");
 *   }
 * }
 * ```
 *
 * If a connection begins with words of its own, or if every exchange needs a connection of its own,
 * `load` is an object instead: a {@linkcode LoadSide}.
 *
 * @module
 */

import { PROTOCOLS } from "../../protocols/catalogue.ts";
import { echoClient } from "../../protocols/echo.ts";
import { type Protocol, READ } from "../../protocols/effects.ts";
import { MalformedMessageError, PeerGoneError } from "../../protocols/errors.ts";
import { frameGreeting, wrapFrame } from "../../protocols/frame.ts";
import { helloClient } from "../../protocols/hello.ts";
import { type Input, readBytes } from "../../protocols/input.ts";
import type { LoadContext, LoadSide } from "../../protocols/load.ts";
import { escapeBytes } from "../../protocols/text.ts";
import { OptionError } from "../../engine/cli/options.ts";
import { importProtocol, nameOf, pathOf } from "../../engine/server/core/protocol_loader.ts";

/** A load side with its name. */
export interface LoadProtocol extends LoadSide {
  readonly name: string;
  /** What its payloads are cut from. It is made before the clock starts. */
  readonly payloads?: "bytes" | "letters";
  /** The most bytes that an answer may have. @default {1048576} */
  readonly longestAnswer?: number;
}

/** What a module must have to be measured, for the help of the bench. */
export const OWN_NOTE: string =
  "--protocol ./own.ts: the module exports `function* load({ input, size, random })`, the client's side " +
  "of one request: it writes, reads the answer and ends; it throws if the answer is wrong. " +
  "`load = { connects, greeting, exchange }` says more: whether each request takes a connection of its " +
  "own, and what comes first on each.";

/** The longest frame that is sent whole before its answer is read, in bytes. */
const WHOLE = 1024;

/** The client's sides of this project's protocols, or why there is none. */
const BUILT_IN: Readonly<Record<string, Omit<LoadProtocol, "name"> | string>> = {
  hello: { connects: true, exchange: shakeHands },
  frame: {
    payloads: "letters",
    greeting: ({ input }) => frameGreeting(input),
    exchange: askForHigher,
  },
  echo: {
    payloads: "bytes",
    exchange: ({ input, size, random }) => echoClient(input, random.bytes(size)),
  },
  print: "its server answers nothing",
};

/** The protocols of this project that can be measured. */
export const MEASURABLE: readonly string[] = Object.keys(BUILT_IN)
  .filter((name) => typeof BUILT_IN[name] === "object");

/**
 * Finds or imports the client's side.
 *
 * @param location what `locateProtocol` returned
 * @throws {OptionError} if the protocol has none
 */
export async function loadLoadProtocol(location: string): Promise<LoadProtocol> {
  const name = Object.hasOwn(PROTOCOLS, location) ? location : nameOf(location);
  const built = BUILT_IN[location];
  if (typeof built === "object") return { name, ...built };
  if (Object.hasOwn(PROTOCOLS, location)) {
    throw new OptionError(`Cannot measure ${name}: ${built ?? "the bench has no client for it"}`);
  }
  const { load } = await importProtocol(location);
  if (isGeneratorFunction(load)) return { name, exchange: load };
  if (!isLoadSide(load)) {
    throw new OptionError(
      `Cannot measure the protocol ${pathOf(location)}: expected "export function* load(context)"`,
    );
  }
  const { connects = false, greeting, exchange } = load;
  return { name, connects, exchange, ...(greeting !== undefined && { greeting }) };
}

function isGeneratorFunction(value: unknown): value is LoadSide["exchange"] {
  return Object.prototype.toString.call(value) === "[object GeneratorFunction]";
}

function isLoadSide(value: unknown): value is LoadSide {
  const { exchange, greeting } = (value ?? {}) as Partial<LoadSide>;
  return isGeneratorFunction(exchange) && (greeting === undefined || isGeneratorFunction(greeting));
}

/**
 * A handshake, up to the server's FIN: until then the server might still reject the last message.
 */
function* shakeHands({ random }: LoadContext): Protocol {
  yield* helloClient(random.next() | 0, { graceMs: 0 });
  const more: Uint8Array | null = yield READ;
  if (more !== null) throw new MalformedMessageError("nothing more", escapeBytes(more, 24));
}

/** A frame of small letters, so that it is never a question: questions begin with a capital. */
function* askForHigher({ input, size, random }: LoadContext): Protocol {
  const frame = random.letters(size);
  if (size > WHOLE) return yield* askInPieces(input, frame);
  // This does what `frameClient` does, but it looks for no marks in the letters and keeps no
  // answer.
  yield { kind: "write", bytes: wireOf(frame) };
  if (input.length === 0) {
    const chunk: Uint8Array | null = yield READ;
    if (chunk === null) throw new PeerGoneError(ANSWERING);
    // The whole answer usually comes at once.
    if (chunk.length === size) return expectHigher(frame, chunk);
    input.add(chunk);
  }
  expectHigher(frame, yield* readBytes(input, size, ANSWERING));
}

const ANSWERING = "waiting for the answer";

/** How much of a long frame is under way, in bytes. */
const PIECE = 16 * 1024;

/**
 * Sends a long frame piece by piece, and checks the answer to each. Nothing of it is copied: a frame
 * may have hundreds of megabytes, and nobody else has a turn meanwhile.
 */
function* askInPieces(input: Input, frame: Uint8Array): Protocol {
  for (let at = 0; at < frame.length; at += PIECE) {
    const piece = frame.subarray(at, at + PIECE);
    const isLast = at + PIECE >= frame.length;
    const marks = [at === 0 ? "^" : "", isLast ? "$" : ""].map(encodeMark);
    const [before, after] = marks as [Uint8Array, Uint8Array];
    const isWhole = before.length + after.length === 0;
    yield { kind: "write", bytes: isWhole ? piece : concatenate(before, piece, after) };
    expectHigher(piece, yield* readBytes(input, piece.length, ANSWERING));
  }
}

function encodeMark(mark: string): Uint8Array {
  return new TextEncoder().encode(mark);
}

function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Payloads repeat, so each is put into its frame only once. */
const wires = new WeakMap<Uint8Array, Uint8Array>();

function wireOf(frame: Uint8Array): Uint8Array {
  let wire = wires.get(frame);
  if (wire === undefined) wires.set(frame, wire = wrapFrame(frame));
  return wire;
}

/**
 * It stands apart from the generator because small functions are compiled to machine code earlier.
 */
function expectHigher(frame: Uint8Array, answer: Uint8Array): void {
  for (let at = 0; at < frame.length; at++) {
    if (answer[at] === (frame[at] as number) + 1) continue;
    const expected = frame.subarray(at).map((byte) => byte + 1);
    throw new MalformedMessageError(
      `"${escapeBytes(expected, 24)}" from byte ${at + 1}`,
      escapeBytes(answer.subarray(at), 24),
    );
  }
}
