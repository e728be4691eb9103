/**
 * The protocols by name: what `--protocol` can say, and what a server must know to run them.
 *
 * @module
 */

import { echo, echoDatagram } from "./echo.ts";
import type { Context, Protocol } from "./effects.ts";
import { frame, PRIME_TASK } from "./frame.ts";
import { hello } from "./hello.ts";
import { isPrime } from "./prime.ts";
import { print, printDatagram } from "./print.ts";
import { encodeLine } from "./text.ts";

/** The settings of the protocols. They are plain data, because they travel to Workers. */
export interface ProtocolSettings {
  /** For `hello`: how long a message without a line end waits for more, in milliseconds. */
  readonly graceMs?: number;
  /** For `frame`: whether a frame that begins with `P` is a question. */
  readonly prime?: boolean;
}

/**
 * Who has to say something before the conversation goes on:
 *
 * - `"client"`: the client. Nothing is said before its first byte, and nothing to one that leaves without
 *   any.
 * - `"greeting"`: the server says a few words, and then the client has to. One that leaves without a
 *   byte does not want them any more.
 * - `"server"`: the server. What it says is for everybody, also for a client that sends nothing but
 *   FIN.
 *
 * A server can let clients that have said nothing wait where that costs least, if it knows this.
 */
export type Opening = "client" | "greeting" | "server";

/** A protocol as a server runs it. */
export interface ProtocolDefinition {
  /** The name in the `Listening on` line and in the log. */
  readonly name: string;
  /** One line for those who choose a protocol. */
  readonly summary: string;
  /** How long one read may wait by default, in milliseconds; 0 is for ever. */
  readonly readTimeoutMs: number;
  /** How long a connection may last by default, in milliseconds; 0 is for ever. */
  readonly sessionTimeoutMs: number;
  /** The CPU-bound work that the protocol can ask for, by name. */
  readonly tasks?: Tasks;
  /**
   * What a client is told whose connection the server refuses, in the protocol's own form. It is
   * absent where the protocol has no lines to say that with.
   *
   * @param why the reason, in words
   * @returns all bytes that the client gets
   */
  refusal?(why: string): Uint8Array;
  /**
   * Whether all these tasks are known to be generators that yield every few milliseconds. Then they
   * can be stopped wherever they yield, and nothing else has to watch them.
   *
   * @default {false}
   */
  readonly hasSlicedTasks?: boolean;
  /**
   * Who opens a conversation.
   *
   * @default {"server"}
   */
  readonly opening?: Opening;
  /** Begins the server's side of one conversation. */
  serve(context: Context, settings: ProtocolSettings): Protocol;
  /**
   * Serves one datagram, if the protocol works over UDP too. It may write one answer, and may not
   * read. It returns whether this datagram ends the sender's conversation.
   */
  serveDatagram?(context: Context, bytes: Uint8Array): Protocol<boolean>;
}

/**
 * CPU-bound work: it takes a value that can be cloned between threads, and returns one. A generator
 * function can be stopped wherever it yields: then its `finally` runs. Any other is stopped when its
 * time is over, wherever it is, and its `finally` does not run.
 *
 * Keep the loop that takes the time in an ordinary function, which the generator calls for each
 * slice: one of the engines (JavaScriptCore) compiles a loop in a generator well in some starts only,
 * and else it takes several times as long.
 */
// deno-lint-ignore no-explicit-any -- the argument is a matter of the task and its protocol
export type Task = (argument: any) => unknown;

/** CPU-bound work by name. */
export type Tasks = Readonly<Record<string, Task>>;

/** The protocols of this project. */
export const PROTOCOLS: Readonly<Record<string, ProtocolDefinition>> = {
  hello: {
    name: "hello",
    summary: "the three-step handshake: HELLO X, HELLO X+1, HELLO X+2",
    readTimeoutMs: 5_000,
    sessionTimeoutMs: 30_000,
    refusal: (why) => encodeLine(`ERROR ${why}`),
    opening: "client",
    serve: (context, settings) => hello(context, settings),
  },
  frame: {
    name: "frame",
    summary: "frames between ^ and $, each byte answered one higher; ^P7$ asks whether 7 is prime",
    readTimeoutMs: 0,
    sessionTimeoutMs: 0,
    tasks: { [PRIME_TASK]: (digits: string) => isPrime(BigInt(digits)) },
    hasSlicedTasks: true,
    opening: "greeting",
    serve: (context, settings) => frame(context, settings),
  },
  echo: {
    name: "echo",
    summary: "every byte comes back as it was sent",
    readTimeoutMs: 0,
    sessionTimeoutMs: 0,
    opening: "client",
    serve: echo,
    serveDatagram: echoDatagram,
  },
  print: {
    name: "print",
    summary: "what arrives is printed with its sender, until !Disconnect",
    readTimeoutMs: 0,
    sessionTimeoutMs: 0,
    opening: "client",
    serve: print,
    serveDatagram: printDatagram,
  },
};

/**
 * Finds a protocol by its name.
 *
 * @param name a key of {@linkcode PROTOCOLS}
 * @returns its definition
 * @throws {RangeError} if no protocol has that name
 */
export function findProtocol(name: string): ProtocolDefinition {
  const found = Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(PROTOCOLS).join(", ");
  throw new RangeError(
    `Cannot find the protocol: expected ${known} or the path of a module, current value is "${name}"`,
  );
}
