/**
 * The client of `echo`: sends messages, or a stream of bytes, and prints what comes back.
 *
 * @module
 */

import { DatagramClient, LARGEST_DATAGRAM } from "../engine/net/datagrams.ts";
import { echoClient, expectEcho } from "../protocols/echo.ts";
import { Input } from "../protocols/input.ts";
import type { Values } from "../engine/cli/flags.ts";
import { readInput } from "../engine/cli/standard_input.ts";
import { EXIT_DONE, EXIT_TIMED_OUT } from "../engine/cli/exit_status.ts";
import { frame } from "./frame.ts";
import { type Messages, readMessages } from "./input.ts";
import { printAnswer, printNote, showBytes, writeOutput } from "./output.ts";
import { makeEventDialer, refuseUnixUdp, type Speaker, timeoutOf, UDP_FLAG } from "./speaker.ts";
import { Stream } from "../engine/dial/stream.ts";
import { connect, connectErrorOf, findAddresses, type Target } from "../engine/dial/target.ts";

/** How many unanswered datagrams are remembered, so that late answers to them are recognized. */
const REMEMBERED = 64;

/** `--protocol echo`. */
export const echo: Speaker = { form: frame.form, flags: [UDP_FLAG], run };

async function run(values: Values, target: Target): Promise<number> {
  const args = values.argument as readonly string[] | undefined;
  const timeoutMs = timeoutOf(values);
  if (values.udp === true) {
    refuseUnixUdp(target);
    return await sendDatagrams(readMessages(args, checkDatagram), target, timeoutMs);
  }
  using dialer = makeEventDialer(timeoutMs);
  const call = await connect(dialer, target, await findAddresses(target));
  if (args === undefined) {
    await new Stream(call.connection, timeoutMs).echo(readInput(), writeOutput);
    return EXIT_DONE;
  }
  const input = new Input();
  for await (const message of readMessages(args, () => undefined)) {
    printAnswer(showBytes(await call.exchange(echoClient(input, message))));
  }
  call.connection.close();
  return EXIT_DONE;
}

/**
 * Checks whether a message fits into one datagram.
 *
 * @param message the message to be sent
 * @returns what is wrong with it; `undefined` if it fits
 */
export function checkDatagram(message: Uint8Array): string | undefined {
  return message.length > LARGEST_DATAGRAM
    ? `more than the ${LARGEST_DATAGRAM} bytes of a datagram`
    : undefined;
}

/** Sends each message as a datagram, and waits for its answer before sending the next. */
async function sendDatagrams(
  messages: Messages,
  target: Target,
  timeoutMs: number,
): Promise<number> {
  const [hostname = ""] = await findAddresses(target);
  await using socket = await DatagramClient.open({ hostname, port: target.port });
  let exitStatus: number = EXIT_DONE;
  const missed: Uint8Array[] = [];
  for await (const message of messages) {
    const answer = await exchange(socket, message, missed, timeoutMs).catch((cause) => {
      throw cause.code === undefined ? cause : connectErrorOf(target, cause);
    });
    if (answer !== undefined) printAnswer(showBytes(answer));
    else {
      printNote(`client: ${showBytes(message)}: no answer within ${timeoutMs} ms`);
      exitStatus = EXIT_TIMED_OUT;
      missed.push(message);
      if (missed.length > REMEMBERED) missed.shift();
    }
  }
  return exitStatus;
}

/** Sends one datagram and returns the answer; `undefined` if none comes in time. */
async function exchange(
  socket: DatagramClient,
  message: Uint8Array,
  missed: readonly Uint8Array[],
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  await socket.send(message);
  const endsAt = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = timeoutMs > 0 ? Math.max(1, endsAt - performance.now()) : 0;
    const answer = await socket.receive(leftMs);
    if (answer === undefined) return undefined;
    // A late answer to an earlier datagram is not a wrong answer to this one.
    if (!isEqual(answer, message) && missed.some((earlier) => isEqual(answer, earlier))) continue;
    expectEcho(message, answer);
    return answer;
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
