/**
 * One handshake from the server's name to its answer, over either kind of {@linkcode Dialer}.
 *
 * @module
 */

// @ts-types="../types/deadline.d.ts"
import { deadline } from "@std/async/deadline";
import type { Protocol } from "../protocols/effects.ts";
import { helloClient } from "../protocols/hello.ts";
import { escapeBytes, escapeText } from "../protocols/text.ts";
import { formatAddress } from "../protocols/address.ts";
import { HostNotFoundError, resolveHosts } from "../net/resolve.ts";
import type { Call, Dialer } from "./dialer.ts";
import {
  ConnectError,
  type ConnectFailureKind,
  explainConnectError,
  InterruptedError,
  messageOf,
  mostTelling,
} from "./failures.ts";

/** A server and how to speak with it. */
export interface Target {
  /** Its name or address, without brackets. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** How long finding it may take and then how long connecting may, in milliseconds; 0 is for ever. */
  readonly connectTimeoutMs: number;
  /** How long an answer without a line end waits for more, in milliseconds; 0 turns it off. */
  readonly graceMs: number;
}

/** Is told of each step as it is done. */
export type Tell = (step: string) => void;

/**
 * Finds the addresses of a server.
 *
 * @param target the server
 * @param tell is told what was found; left out, nobody wants to know
 * @returns numeric addresses, in the order in which to try them
 * @throws {ConnectError} if there is none, or none was found in time
 */
export async function findAddresses(target: Target, tell?: Tell): Promise<readonly string[]> {
  const { host, connectTimeoutMs } = target;
  const found = resolveHosts(host);
  try {
    const addresses = await (connectTimeoutMs > 0 ? deadline(found, connectTimeoutMs) : found);
    if (addresses[0] !== host) tell?.(`found ${escapeText(host)}: ${addresses.join(", ")}`);
    return addresses;
  } catch (cause) {
    throw explainLookupError(target, cause as Error);
  }
}

function explainLookupError(target: Target, cause: Error): ConnectError {
  const shown = showTarget(target);
  if (cause.name === "TimeoutError") {
    const detail = `timed out: its name was not found after ${target.connectTimeoutMs} ms`;
    return new ConnectError("connect timeout", shown, detail, { cause });
  }
  if ((cause.cause as { code?: unknown } | undefined)?.code === "EPERM") {
    // Deno.
    const detail = "no permission to look its name up (--allow-net)";
    return new ConnectError("not connected", shown, detail, { cause });
  }
  return cause instanceof HostNotFoundError
    ? new ConnectError("name not found", shown, "name not found", { cause })
    : new ConnectError("not connected", shown, messageOf(cause), { cause });
}

/**
 * Performs a handshake over a connection of its own.
 *
 * @param dialer how to call
 * @param target the server
 * @param addresses its addresses: the first that answers is taken
 * @param x the initial sequence number
 * @param tell is told of each step; left out, nobody wants to know
 * @returns the sequence number that the server answered
 * @throws {ConnectError} if no address can be connected to
 * @throws {ConversationError} if the handshake fails
 * @throws {InterruptedError} if the dialer was interrupted
 */
export async function shakeHands(
  dialer: Dialer,
  target: Target,
  addresses: readonly string[],
  x: number,
  tell?: Tell,
): Promise<number> {
  const call = await connect(dialer, target, addresses, tell);
  const { graceMs } = target;
  const conversation = helloClient(x, { graceMs });
  if (tell === undefined) return await call.converse(conversation);
  return await call.converse(narrate(conversation, tell));
}

/** Tries one address after the other, each for an equal share of the time. */
async function connect(
  dialer: Dialer,
  target: Target,
  addresses: readonly string[],
  tell?: Tell,
): Promise<Call> {
  const { port, connectTimeoutMs } = target;
  const failures: { kind: ConnectFailureKind; detail: string }[] = [];
  let cause: unknown;
  for (const hostname of addresses) {
    const address = { hostname, port };
    try {
      const call = await dialer.dial(address, connectTimeoutMs / addresses.length);
      tell?.(`connected to ${formatAddress(address)} from ${formatAddress(call.localAddress)}`);
      return call;
    } catch (error) {
      if (error instanceof InterruptedError) throw error;
      const failure = explainConnectError(error);
      tell?.(`could not connect to ${formatAddress(address)}: ${failure.detail}`);
      failures.push(failure);
      cause = error;
    }
  }
  const kind = mostTelling(failures.map((failure) => failure.kind));
  const details = failures.map(({ detail }) => detail);
  const shown = new Set(details).size === 1
    ? details[0] as string
    : details.map((detail, index) => `${addresses[index]} ${detail}`).join(", ");
  throw new ConnectError(kind, showTarget(target), shown, { cause });
}

function showTarget({ host, port }: Target): string {
  return escapeText(formatAddress({ hostname: host, port }));
}

/** The same conversation, told step by step. */
function* narrate<Result>(conversation: Protocol<Result>, tell: Tell): Protocol<Result> {
  try {
    let step = conversation.next();
    while (step.done !== true) {
      const effect = step.value;
      if (effect.kind === "read" && effect.withinMs !== undefined) {
        tell(`no line end: waiting ${effect.withinMs} ms for more`);
      }
      let answer: unknown;
      try {
        answer = yield effect;
      } catch (error) {
        step = conversation.throw(error);
        continue;
      }
      if (effect.kind === "write") tell(`sent "${escapeBytes(effect.bytes)}"`);
      else if (effect.kind === "read") tell(describeAnswer(answer));
      step = conversation.next(answer);
    }
    tell("done");
    return step.value;
  } finally {
    // The driver may have ended it early.
    conversation.return(undefined as Result);
  }
}

function describeAnswer(answer: unknown): string {
  if (answer === null) return "received the end (FIN)";
  if (answer === undefined) return "nothing more came";
  return `received "${escapeBytes(answer as Uint8Array, 200)}"`;
}
