/**
 * The contract of the drivers as scripts. Each script has a conversation, what its peer does
 * meanwhile, and the expected outcome. `tests/drivers/contract_test.ts` runs each script over each
 * driver.
 *
 * @module
 */

import type { Elsewhere } from "../../engine/drivers/elsewhere.ts";
import type { TimeLimits } from "../../engine/drivers/limits.ts";
import {
  type Effect,
  type FailureKind,
  failureKind,
  Input,
  PeerGoneError,
  type Protocol,
  READ,
  read,
  readBytes,
  readLine,
  type Tasks,
} from "../../protocol.ts";
import { bytesOf } from "./conversation.ts";

/** The abilities that not every driver has. */
export type Ability =
  /** Reads the bytes that the peer sends. */
  | "read"
  /** Passes reports on. */
  | "report"
  /** Writes more than once. */
  | "write on"
  /** Lets a write wait until the peer has taken the bytes. */
  | "wait to write"
  /** Throws into the conversation that its connection has failed. */
  | "tell of failure"
  /** Ends a conversation that reads or writes again after such an error. */
  | "end"
  /** Waits until the last words of a failed conversation have arrived. */
  | "linger"
  /** Enforces the time limits of reads and of the whole conversation. */
  | "keep limits"
  /** Runs tasks. */
  | "compute"
  /** Waits for events outside the driver. */
  | "wait"
  /** Notices that the peer has gone while the conversation waits for something else. */
  | "watch"
  /** Notices that even if the peer has sent FIN before. */
  | "watch past FIN"
  /** Throws an error into the conversation on request. */
  | "abort"
  /** Ends the conversation at once on request. */
  | "cut";

/** The other end of the connection, as a script uses it. */
export interface ScriptPeer {
  send(text: string): Promise<unknown>;
  take(count: number): Promise<string>;
  rest(): Promise<string>;
  gone(): Promise<void>;
  finish(): void;
  reset(): void;
  pause(): void;
  resume(): void;
}

/** What can be done to a conversation from outside. */
export interface Handle {
  abort?(error: Error): void;
  cut?(error: Error): void;
}

/** The outcome of a conversation. It is plain data, because it may come from a Worker. */
export interface Outcome {
  /** What the conversation has logged, in order. */
  readonly log: readonly string[];
  readonly reports: readonly string[];
  readonly result?: unknown;
  /** Its error, if it failed. */
  readonly failure?: { readonly kind: FailureKind; readonly message: string };
}

/** The expected outcome of a script. */
export interface Expected {
  readonly log?: readonly string[];
  readonly reports?: readonly string[];
  readonly result?: unknown;
  /** The kind of its failure, and the beginning of the message if that is the protocol's own. */
  readonly failure?: FailureKind | readonly [FailureKind, string];
  /** What the peer receives after what the script has taken; `false` if that does not matter. */
  readonly received?: string | false;
}

/** One script. */
export interface Script {
  /** What must hold, as the end of a sentence. */
  readonly name: string;
  /** The abilities that the driver needs for it. */
  readonly needs?: readonly Ability[];
  readonly limits?: Partial<TimeLimits>;
  /** Whether the driver has the events of {@linkcode eventsFor}. */
  readonly hasEvents?: boolean;
  readonly protocol: (log: Log) => Protocol<unknown>;
  readonly peer?: (peer: ScriptPeer, driver: Handle) => void | Promise<void>;
  readonly expected: Expected;
}

/** Logs something. */
export type Log = (entry: string) => void;

/** The message of an error that is thrown into a conversation from outside. */
export const ENOUGH = "that is enough";

/** More bytes than the kernel's buffers of both sides and everything in between can hold. */
export const TOO_MUCH = 16 << 20;

/** The tasks that the scripts ask for. */
export const TASKS: Tasks = {
  double: (n: number) => n * 2,
  fail: () => {
    throw new Error("the task failed");
  },
  failWithNothing: () => {
    throw undefined;
  },
  *endless() {
    for (;;) yield;
  },
};

/**
 * The events that the scripts wait for.
 *
 * @param log logs cancellations
 */
export function eventsFor(log: Log): Elsewhere {
  return {
    begin(event, argument, done) {
      const end = () =>
        event === "failure" ? done(new Error("it failed"), undefined) : done(undefined, argument);
      const timer = event === "never" ? undefined : setTimeout(end, 60);
      return {
        cancel() {
          clearTimeout(timer);
          if (event === "never") log("cancelled");
        },
      };
    },
  };
}

/** Lets what was asked of the runtime happen. */
function pass(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

/** Asks for an effect, logs its answer or its error, and goes on. */
function* ask(log: Log, effect: unknown): Protocol<unknown> {
  try {
    const answer: unknown = yield effect as Effect;
    log(describe(answer));
    return answer;
  } catch (error) {
    log(describeThrown(error));
    return error;
  }
}

function describe(answer: unknown): string {
  if (answer === null) return "FIN";
  if (!(answer instanceof Uint8Array)) return answer === undefined ? "nothing" : String(answer);
  return `"${textOf(answer)}"`;
}

/** Turns bytes into text: one character for each. */
export function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function describeThrown(error: unknown): string {
  if (error instanceof PeerGoneError) return `peer gone while ${error.during}`;
  const { name, message } = error as Error;
  return `${name}: ${message}`;
}

function write(text: string): Effect {
  return { kind: "write", bytes: bytesOf(text) };
}

function within(ms: unknown): Effect {
  return { kind: "read", withinMs: ms as number };
}

/** The byte of a flood at this place. */
function flooding(at: number): number {
  return at & 0xff ^ at >> 8 & 0xff;
}

function makeFlood(): Uint8Array {
  const bytes = new Uint8Array(TOO_MUCH);
  for (let at = 0; at < bytes.length; at++) bytes[at] = flooding(at);
  return bytes;
}

/**
 * Lets a conversation that is ready write a flood. The peer takes its first byte and then stops.
 */
async function letItFlood(peer: ScriptPeer): Promise<void> {
  await peer.take("ready".length);
  await peer.send("go");
  await peer.take(1);
  peer.pause();
}

/** Takes the rest of the flood of {@linkcode makeFlood}, and checks samples of it. */
async function takeFlood(peer: ScriptPeer): Promise<void> {
  peer.resume();
  const received = await peer.take(TOO_MUCH - 1);
  for (let at = 1; at < TOO_MUCH; at += 997) {
    if (received.charCodeAt(at - 1) !== flooding(at)) throw new Error(`Byte ${at} is wrong`);
  }
}

/** The failure of a conversation that threw this. */
export function failureOf(error: unknown): { kind: FailureKind; message: string } {
  return { kind: failureKind(error), message: error instanceof Error ? error.message : "" };
}

/** Bytes that claim to be more than they are. */
class Claiming extends Uint8Array {
  override get length(): number {
    return 100_000;
  }
}

const CANNOT_WRITE = "TypeError: Cannot write: expected a Uint8Array, got";
const CANNOT_GRANT = "TypeError: Cannot grant the effect:";

/** The scripts, by what they are about. */
export const SCRIPTS: readonly Script[] = [
  // Ends.
  {
    name: "a conversation that asks for nothing is over, with its result",
    // deno-lint-ignore require-yield -- it asks for nothing
    *protocol() {
      return { a: 1 };
    },
    expected: { result: { a: 1 }, received: "" },
  },
  {
    name: "a conversation fails with the error that it throws",
    // deno-lint-ignore require-yield -- it asks for nothing
    *protocol() {
      throw new RangeError("mine");
    },
    expected: { failure: ["other", "mine"] },
  },
  {
    name: "a conversation that throws undefined has failed too",
    // deno-lint-ignore require-yield -- it asks for nothing
    *protocol() {
      throw undefined;
    },
    expected: { failure: ["other", "The protocol threw nothing"] },
  },
  {
    name: "reports arrive in order, and are answered at once",
    needs: ["report"],
    *protocol(log) {
      yield* ask(log, { kind: "report", message: "one" });
      yield* ask(log, { kind: "report", message: "two" });
    },
    expected: { log: ["nothing", "nothing"], reports: ["one", "two"] },
  },

  {
    name: "what is no text is not reported, which is the conversation's mistake",
    *protocol(log) {
      for (const message of [7, undefined, null, {}, Symbol("text")]) {
        yield* ask(log, { kind: "report", message });
      }
    },
    expected: {
      log: ["number", "undefined", "object", "object", "symbol"].map((found) =>
        `TypeError: Cannot report: expected a string, got ${found}`
      ),
    },
  },

  // Reads.
  {
    name: "bytes are read as they were sent",
    needs: ["read"],
    *protocol(log) {
      yield* ask(log, READ);
      yield write("!");
    },
    peer: (peer) => void peer.send("\0\x80\xff abc"),
    expected: { log: ['"\0\x80\xff abc"'], received: "!" },
  },
  {
    name: "many reads return all bytes that were sent, in order",
    needs: ["read", "write on"],
    *protocol() {
      const input = new Input();
      for (let round = 0; round < 50; round++) {
        const bytes = yield* readBytes(input, 2_000, "reading");
        if (!bytes.every((byte, at) => byte === (at + round) % 251)) return `wrong in ${round}`;
        if (round % 10 === 0) yield write(".");
      }
      return "all";
    },
    async peer(peer) {
      for (let round = 0; round < 50; round++) {
        const bytes = Uint8Array.from({ length: 2_000 }, (_, at) => (at + round) % 251);
        await peer.send(textOf(bytes));
      }
    },
    expected: { result: "all", received: "....." },
  },
  {
    name: "the conversation may change the bytes of a read and send them",
    needs: ["read"],
    *protocol() {
      const bytes: Uint8Array = yield READ;
      bytes.reverse();
      yield { kind: "write", bytes };
    },
    peer: (peer) => void peer.send("abc"),
    expected: { received: "cba" },
  },
  {
    name: "a read with a time of its own is answered with nothing, and no bytes are lost",
    needs: ["read", "write on"],
    *protocol(log) {
      yield* ask(log, within(0));
      yield* ask(log, within(20));
      yield write("?");
      yield* ask(log, READ);
    },
    async peer(peer) {
      await peer.take(1);
      await peer.send("late");
    },
    expected: { log: ["nothing", "nothing", '"late"'] },
  },
  {
    name: "a read with a time of its own is answered with the bytes that come in time",
    needs: ["read"],
    *protocol(log) {
      yield* ask(log, within(10_000));
      yield* ask(log, within(10_000));
    },
    async peer(peer) {
      await peer.send("soon");
      peer.finish();
    },
    expected: { log: ['"soon"', "FIN"] },
  },
  {
    name: "a time that no driver can wait is the conversation's mistake",
    needs: ["read"],
    *protocol(log) {
      for (const ms of [-1, NaN, Infinity, 2 ** 31]) {
        const error = yield* ask(() => {}, within(ms));
        log((error as Error).name);
      }
      yield* ask(log, READ);
    },
    peer: (peer) => void peer.send("still here"),
    expected: { log: ["RangeError", "RangeError", "RangeError", "RangeError", '"still here"'] },
  },

  // Writes.
  {
    name: "the peer receives writes in order",
    needs: ["write on"],
    *protocol(log) {
      for (const text of ["one ", "", "two ", "three"]) yield* ask(log, write(text));
    },
    expected: { log: ["nothing", "nothing", "nothing", "nothing"], received: "one two three" },
  },
  {
    name: "one write arrives, and is answered with nothing",
    *protocol(log) {
      yield* ask(log, write("one"));
    },
    expected: { log: ["nothing"], received: "one" },
  },
  {
    name: "bytes that were written may be used again",
    needs: ["write on"],
    *protocol() {
      const bytes = bytesOf("first ");
      yield { kind: "write", bytes };
      bytes.set(bytesOf("second"));
      yield { kind: "write", bytes };
    },
    expected: { received: "first second" },
  },
  {
    name: "a write waits for a peer that does not read, and no bytes are lost",
    needs: ["read", "write on", "wait to write"],
    *protocol(log) {
      yield write("ready");
      yield READ;
      yield* ask(log, { kind: "write", bytes: makeFlood() });
      yield write("end");
    },
    async peer(peer) {
      await letItFlood(peer);
      await takeFlood(peer);
    },
    expected: { log: ["nothing"], received: "end" },
  },
  {
    name: "bytes that come while a write waits are read afterwards",
    needs: ["read", "write on", "wait to write"],
    *protocol(log) {
      yield write("ready");
      yield READ;
      yield* ask(log, { kind: "write", bytes: makeFlood() });
      yield* ask(log, READ);
      yield* ask(log, READ);
      yield write("end");
    },
    async peer(peer) {
      await letItFlood(peer);
      await peer.send("early");
      peer.finish();
      await takeFlood(peer);
    },
    expected: { log: ["nothing", '"early"', "FIN"], received: "end" },
  },
  {
    name: "a write of something other than bytes is refused, as the conversation's mistake",
    *protocol(log) {
      for (
        const bytes of ["text", undefined, new Uint16Array(1), new DataView(new ArrayBuffer(1))]
      ) {
        yield* ask(log, { kind: "write", bytes });
      }
    },
    expected: {
      log: ["String", "Undefined", "Uint16Array", "DataView"].map((it) => `${CANNOT_WRITE} ${it}`),
    },
  },
  {
    name: "no bytes are sent but those of the array, whatever length it claims to have",
    needs: ["write on"],
    *protocol(log) {
      const claiming = Object.defineProperty(bytesOf("own"), "length", { value: 100_000 });
      for (const bytes of [new Claiming(bytesOf("123")), claiming]) {
        yield* ask(log, { kind: "write", bytes });
      }
    },
    expected: { log: ["nothing", "nothing"], received: "123own" },
  },

  // The end of the peer.
  {
    name: "FIN comes after the bytes before it, and each further read returns FIN again",
    needs: ["read", "write on"],
    *protocol(log) {
      const input = new Input();
      log(describe(yield* readBytes(input, 3, "reading")));
      for (let time = 0; time < 3; time++) yield* ask(log, READ);
      yield* ask(log, within(5));
      yield write("after FIN");
      yield* ask(log, READ);
      yield write(", still");
    },
    async peer(peer) {
      await peer.send("abc");
      peer.finish();
    },
    expected: {
      log: ['"abc"', "FIN", "FIN", "FIN", "FIN", "FIN"],
      received: "after FIN, still",
    },
  },
  {
    name: "a reset ends a read that waits",
    needs: ["read", "tell of failure"],
    *protocol(log) {
      yield write("ready");
      yield* ask(log, READ);
      return "told";
    },
    async peer(peer) {
      await peer.take(5);
      peer.reset();
    },
    expected: { log: ["peer gone while receiving"], result: "told", received: false },
  },
  {
    name: "a reset ends a read with a time of its own",
    needs: ["read", "tell of failure"],
    *protocol() {
      yield write("ready");
      yield within(10_000);
    },
    async peer(peer) {
      await peer.take(5);
      peer.reset();
    },
    expected: { failure: "peer gone", received: false },
  },
  {
    name: "a reset ends a write that waits",
    needs: ["read", "write on", "wait to write", "tell of failure"],
    *protocol(log) {
      yield write("ready");
      yield READ;
      yield* ask(log, { kind: "write", bytes: new Uint8Array(TOO_MUCH) });
      return "told";
    },
    async peer(peer) {
      await letItFlood(peer);
      peer.reset();
    },
    expected: { log: ["peer gone while sending"], result: "told", received: false },
  },
  {
    name: "a conversation gets the error of a failed connection once, and is ended if it goes on",
    needs: ["read", "tell of failure", "end"],
    *protocol(log) {
      yield write("ready");
      try {
        for (;;) {
          yield* ask(log, READ);
          log("again");
        }
      } finally {
        log("over");
      }
    },
    async peer(peer) {
      await peer.take(5);
      peer.reset();
    },
    expected: {
      log: ["peer gone while receiving", "again", "over"],
      failure: "peer gone",
      received: false,
    },
  },
  {
    name: "a conversation may still report and return after its connection has failed",
    needs: ["read", "tell of failure", "report"],
    *protocol(log) {
      yield write("ready");
      yield* ask(log, READ);
      yield* ask(log, { kind: "report", message: "it is gone" });
      return "done";
    },
    async peer(peer) {
      await peer.take(5);
      peer.reset();
    },
    expected: {
      log: ["peer gone while receiving", "nothing"],
      reports: ["it is gone"],
      result: "done",
      received: false,
    },
  },

  {
    name: "a conversation that reports for ever after its connection has failed is ended",
    needs: ["read", "tell of failure", "report"],
    *protocol(log) {
      yield write("ready");
      try {
        yield READ;
      } finally {
        log("cleaning up");
        for (;;) yield { kind: "report", message: "still here" };
      }
    },
    async peer(peer) {
      await peer.take(5);
      peer.reset();
    },
    expected: {
      log: ["cleaning up"],
      reports: Array.from({ length: 64 }, () => "still here"),
      failure: "peer gone",
      received: false,
    },
  },

  // Throwing and catching.
  {
    name: "the last words of a failed conversation arrive, although bytes were left unread",
    needs: ["read", "write on", "linger"],
    *protocol() {
      yield READ;
      yield write("ready");
      yield* readBytes(new Input(), 1, "reading");
      yield write("last words");
      throw new Error("mine");
    },
    async peer(peer) {
      await peer.send("x");
      await peer.take(5);
      await peer.send("y".repeat(100_000));
      if (await peer.take(10) !== "last words") throw new Error("other words");
      peer.finish();
    },
    expected: { failure: ["other", "mine"] },
  },
  {
    name: "a conversation may catch its own error and go on",
    *protocol(log) {
      try {
        throw new Error("mine");
      } catch {
        yield* ask(log, write("caught"));
      }
    },
    expected: { log: ["nothing"], received: "caught" },
  },

  // Nonsense.
  {
    name: "something other than an effect is refused, and the conversation may go on",
    *protocol(log) {
      const nonsenses = [
        ...[undefined, null, 7, "read", {}, { kind: "sleep" }, [], new Uint8Array(1)],
        ...[read(), readLine(new Input(), { limit: 1 }), readBytes(new Input(), 1, "asking")],
        Promise.reject(new Error("nobody awaits it")),
      ];
      for (const nonsense of nonsenses) {
        yield* ask(log, nonsense);
      }
      yield write("still here");
      return "done";
    },
    expected: {
      log: [
        ...["Undefined", "Null", "Number", "String", "Object"].map(
          (found) => `${CANNOT_GRANT} expected one, got ${found}`,
        ),
        `${CANNOT_GRANT} its kind is "sleep"`,
        ...["Array", "Uint8Array"].map((found) => `${CANNOT_GRANT} expected one, got ${found}`),
        ...Array(3).fill(`${CANNOT_GRANT} it is a step, so it needs "yield*" in place of "yield"`),
        `${CANNOT_GRANT} a protocol cannot wait for promises, only with "yield*" for steps and ` +
        "computations",
      ],
      result: "done",
      received: "still here",
    },
  },
  {
    name: "something other than an effect ends a conversation that does not catch the error",
    *protocol(log) {
      try {
        yield undefined as unknown as Effect;
      } finally {
        log("over");
      }
    },
    expected: { log: ["over"], failure: ["other", "Cannot grant the effect"] },
  },

  // Work, and waiting.
  {
    name: "a task returns a result, fails, or does not exist",
    needs: ["compute"],
    *protocol(log) {
      yield* ask(log, { kind: "compute", task: "double", argument: 21 });
      yield* ask(log, { kind: "compute", task: "fail", argument: 0 });
      yield* ask(log, { kind: "compute", task: "missing", argument: 0 });
      yield* ask(log, { kind: "compute", task: "toString", argument: 0 });
    },
    expected: {
      log: [
        "42",
        "Error: the task failed",
        ...["missing", "toString"].map((name) =>
          `TypeError: Cannot compute: expected ${
            Object.keys(TASKS).join(", ")
          }, current task is "${name}"`
        ),
      ],
    },
  },
  {
    name: "a task that throws nothing has failed all the same",
    needs: ["compute"],
    *protocol(log) {
      yield* ask(log, { kind: "compute", task: "failWithNothing", argument: 0 });
    },
    expected: { log: ["Error: The protocol threw nothing"] },
  },
  {
    name: "a task that takes too long is stopped, and the conversation goes on",
    needs: ["compute"],
    limits: { computeTimeoutMs: 20 },
    *protocol(log) {
      yield* ask(log, { kind: "compute", task: "endless", argument: 0 });
      yield* ask(log, write("stopped"));
    },
    expected: {
      log: [
        'ComputeTimeoutError: Timed out: the computation "endless" was not over after 20 ms',
        "nothing",
      ],
      received: "stopped",
    },
  },
  {
    name: "waiting is refused where there are no events, and the conversation may go on",
    *protocol(log) {
      yield* ask(log, { kind: "wait", event: "echo", argument: 1 });
      yield* ask(log, write("going on"));
    },
    expected: {
      log: [
        'TypeError: Cannot wait: nothing happens here, current event is "echo"',
        "nothing",
      ],
      received: "going on",
    },
  },
  {
    name: "an event answers or fails, and no limit of reading or computing applies to it",
    needs: ["wait"],
    hasEvents: true,
    limits: { computeTimeoutMs: 1, readTimeoutMs: 1 },
    *protocol(log) {
      yield* ask(log, { kind: "wait", event: "echo", argument: 1 });
      yield* ask(log, { kind: "wait", event: "failure", argument: 1 });
      yield* ask(log, write("going on"));
    },
    expected: { log: ["1", "Error: it failed", "nothing"], received: "going on" },
  },
  {
    name: "FIN does not end a wait, and the bytes before it are read afterwards",
    needs: ["read", "write on", "wait"],
    hasEvents: true,
    *protocol(log) {
      yield write("ready");
      yield* ask(log, { kind: "wait", event: "echo", argument: 1 });
      yield* ask(log, READ);
      yield* ask(log, READ);
      yield write("answer");
    },
    async peer(peer) {
      await peer.take(5);
      await peer.send("abc");
      peer.finish();
    },
    expected: { log: ["1", '"abc"', "FIN"], received: "answer" },
  },
  {
    name: "a reset ends a wait, and the operation is cancelled",
    needs: ["wait", "watch"],
    hasEvents: true,
    *protocol(log) {
      yield write("ready");
      yield* ask(log, { kind: "wait", event: "never", argument: 1 });
    },
    async peer(peer) {
      await peer.take(5);
      peer.reset();
    },
    expected: {
      log: ["cancelled", "peer gone while waiting for what happens elsewhere"],
      received: false,
    },
  },
  {
    name: "a reset after FIN ends a wait, and the operation is cancelled",
    needs: ["wait", "watch", "watch past FIN"],
    hasEvents: true,
    *protocol(log) {
      yield write("ready");
      yield* ask(log, { kind: "wait", event: "never", argument: 1 });
    },
    async peer(peer) {
      await peer.take(5);
      peer.finish();
      await pass();
      peer.reset();
    },
    expected: {
      log: ["cancelled", "peer gone while waiting for what happens elsewhere"],
      received: false,
    },
  },
  {
    name: "a reset ends a wait of a conversation that has read FIN",
    needs: ["read", "write on", "wait", "watch", "watch past FIN"],
    hasEvents: true,
    *protocol(log) {
      yield READ;
      yield write("ready");
      yield* ask(log, { kind: "wait", event: "never", argument: 1 });
    },
    async peer(peer) {
      peer.finish();
      await peer.take(5);
      peer.reset();
    },
    expected: {
      log: ["cancelled", "peer gone while waiting for what happens elsewhere"],
      received: false,
    },
  },
  {
    name: "an abort ends a wait, and the operation is cancelled",
    needs: ["wait", "abort"],
    hasEvents: true,
    *protocol(log) {
      yield write("ready");
      yield* ask(log, { kind: "wait", event: "never", argument: 1 });
      yield write("bye");
    },
    async peer(peer, driver) {
      await peer.take(5);
      driver.abort?.(new Error(ENOUGH));
    },
    expected: { log: ["cancelled", `Error: ${ENOUGH}`], received: "bye" },
  },

  // Limits.
  {
    name: "a read that takes too long fails, and the conversation may reply",
    needs: ["read", "keep limits"],
    limits: { readTimeoutMs: 30 },
    *protocol(log) {
      yield* ask(log, READ);
      yield* ask(log, within(10_000));
      yield write("too late");
    },
    expected: {
      log: Array(2).fill("ReadTimeoutError: Timed out: nothing was received for 30 ms"),
      received: "too late",
    },
  },
  {
    name: "the shorter of two limits of a read applies",
    needs: ["read", "write on"],
    limits: { readTimeoutMs: 10_000 },
    *protocol(log) {
      yield* ask(log, within(10));
      yield write("?");
      yield* ask(log, READ);
    },
    async peer(peer) {
      await peer.take(1);
      await peer.send("!");
    },
    expected: { log: ["nothing", '"!"'] },
  },
  {
    name: "a conversation that takes too long while it reads gets the error once",
    needs: ["read", "keep limits", "end"],
    limits: { sessionTimeoutMs: 30 },
    *protocol(log) {
      try {
        for (;;) {
          const error = yield* ask(() => {}, READ);
          log((error as Error).name);
        }
      } finally {
        log("over");
      }
    },
    expected: { log: ["SessionTimeoutError", "over"], failure: "session timeout" },
  },
  {
    name: "a conversation that takes too long while it writes fails",
    needs: ["read", "write on", "wait to write", "keep limits"],
    limits: { sessionTimeoutMs: 300 },
    *protocol() {
      yield write("ready");
      yield READ;
      yield { kind: "write", bytes: new Uint8Array(TOO_MUCH) };
    },
    async peer(peer) {
      await letItFlood(peer);
    },
    expected: { failure: "session timeout", received: false },
  },

  // From outside.
  {
    name: "an abort ends a read that waits, and the conversation may reply",
    needs: ["read", "abort"],
    *protocol(log) {
      yield write("ready");
      yield* ask(log, READ);
      yield write("bye");
      return "done";
    },
    async peer(peer, driver) {
      await peer.take(5);
      driver.abort?.(new Error(ENOUGH));
    },
    expected: { log: [`Error: ${ENOUGH}`], result: "done", received: "bye" },
  },
  {
    name: "a conversation that survives an abort reads on",
    needs: ["read", "abort"],
    *protocol(log) {
      yield write("ready");
      yield* ask(log, READ);
      yield write("again");
      yield* ask(log, READ);
    },
    async peer(peer, driver) {
      await peer.take(5);
      driver.abort?.(new Error(ENOUGH));
      await peer.take(5);
      await peer.send("more");
    },
    expected: { log: [`Error: ${ENOUGH}`, '"more"'] },
  },
  {
    name: "an abort of a write that waits ends the connection: no bytes may land in its middle",
    needs: ["read", "write on", "wait to write", "abort"],
    *protocol(log) {
      yield write("ready");
      yield READ;
      yield* ask(log, { kind: "write", bytes: new Uint8Array(TOO_MUCH) });
      yield* ask(log, write("never"));
      return "done";
    },
    async peer(peer, driver) {
      await letItFlood(peer);
      driver.abort?.(new Error(ENOUGH));
    },
    expected: {
      log: [`Error: ${ENOUGH}`, "peer gone while sending"],
      result: "done",
      received: false,
    },
  },
  {
    name: "nothing can be read either after an abort of a write that waits",
    needs: ["read", "write on", "wait to write", "abort"],
    *protocol(log) {
      yield write("ready");
      yield READ;
      yield* ask(log, { kind: "write", bytes: new Uint8Array(TOO_MUCH) });
      yield* ask(log, READ);
    },
    async peer(peer, driver) {
      await letItFlood(peer);
      driver.abort?.(new Error(ENOUGH));
    },
    expected: { log: [`Error: ${ENOUGH}`, "peer gone while receiving"], received: false },
  },
  {
    name: "a cut gives the conversation no time to react, except for its clean-up",
    needs: ["read", "cut"],
    *protocol(log) {
      yield write("ready");
      try {
        yield* ask(log, READ);
        yield* ask(log, READ);
      } finally {
        log("over");
        yield write("nor this");
      }
    },
    async peer(peer, driver) {
      await peer.take(5);
      driver.cut?.(new Error(ENOUGH));
    },
    expected: { log: [`Error: ${ENOUGH}`, "over"], failure: ["other", ENOUGH] },
  },
];
