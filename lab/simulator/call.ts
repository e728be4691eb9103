/**
 * How a client of a simulation calls its server, and what becomes of it.
 *
 * @module
 */

import type { Address, Protocol } from "../../protocols/effects.ts";
import type { Random } from "../load/random.ts";
import { type Computer, Conversation } from "./conversation.ts";
import { type Code, Signal, waitFor } from "./machine.ts";
import { dial, type Listener, type Path } from "./network.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** A client of a simulated server. */
export interface Client {
  /** What it is called. */
  readonly name: string;
  /** When it connects, in microseconds after the server is ready. */
  readonly atUs: number;
  /** Its side of the conversation; what the generator returns is the client's result. */
  converse(): Protocol<unknown>;
}

/** What has become of a client. */
export interface ClientOutcome {
  /** Its name. */
  readonly name: string;
  /** When it began to connect, in microseconds after the server was ready. */
  readonly atUs: number;
  /** When it was connected; `undefined` if it never was. */
  connectedUs: number | undefined;
  /** When its conversation was over; `undefined` if it never was. */
  overUs: number | undefined;
  /** What its conversation returned. */
  result: unknown;
  /** Why it failed. */
  error: unknown;
  /** Whether nobody listened any more when it came. */
  wasRefused: boolean;
}

/** The server's address, and the network of its clients: nobody has these (RFC 5737). */
export const SERVER: Address = { hostname: "192.0.2.1", port: 8080 };
const CLIENT = "198.51.100.1";
const FIRST_PORT = 32_768;

/**
 * The address of a client.
 *
 * @param index its number, from 0 on
 */
export function clientAddress(index: number): Address {
  return { hostname: CLIENT, port: FIRST_PORT + index };
}

/**
 * What has become of a client that has not connected yet.
 *
 * @param client the client
 */
export function outcomeOf({ name, atUs }: Pick<Client, "name" | "atUs">): ClientOutcome {
  return {
    name,
    atUs,
    connectedUs: undefined,
    overUs: undefined,
    result: undefined,
    error: undefined,
    wasRefused: false,
  };
}

/** What a call needs. */
export interface CallParts {
  readonly time: VirtualTime;
  readonly chance: Random;
  /** The way to the server. */
  readonly path: Path;
  /** Whom to call. */
  readonly listener: Listener;
  /** Where the client is. */
  readonly local: Address;
  readonly tasks: Computer;
}

/** Why a client has no connection, in the words of connect(2). */
const WHY_NOT: Readonly<Record<string, string>> = {
  "timed out": "the SYN was never answered (ETIMEDOUT)",
  "refused": "nobody listens (ECONNREFUSED)",
};

/**
 * Connects, and holds the client's side of the conversation.
 *
 * @param parts what the call needs
 * @param client the client
 * @param outcome where it is noted what becomes of it
 * @param readyUs when the server was ready, in microseconds
 */
export function* callServer(
  { time, chance, path, listener, local, tasks }: CallParts,
  client: Pick<Client, "converse">,
  outcome: ClientOutcome,
  readyUs: number,
): Code {
  const changed = new Signal();
  const dialled = dial(time, chance, path, listener, local);
  dialled.onChange = () => changed.wakeAll();
  while (dialled.state === "connecting") yield* waitFor(changed);
  if (dialled.state !== "connected") {
    outcome.wasRefused = dialled.state === "refused";
    outcome.error = new Error(`Cannot connect: ${WHY_NOT[dialled.state]}`);
    outcome.overUs = time.nowUs - readyUs;
    return;
  }
  outcome.connectedUs = time.nowUs - readyUs;
  const conversation = new Conversation(dialled.end, client.converse(), {
    time,
    costs: { receiveUs: 0, sendUs: 0, byteUs: 0 },
    tasks,
    readTimeoutMs: 0,
    sessionTimeoutMs: 0,
  });
  conversation.onChange = () => changed.wakeAll();
  for (;;) {
    yield* conversation.advance();
    if (conversation.isOver) break;
    yield* waitFor(changed);
  }
  outcome.overUs = time.nowUs - readyUs;
  outcome.result = conversation.result;
  outcome.error = conversation.error;
}
