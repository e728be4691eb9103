/**
 * The client of `print`: sends messages or a file, then `!Disconnect`.
 *
 * @module
 */

import { DatagramClient } from "../engine/net/datagrams.ts";
import { type Protocol, type Step, write, writeLine } from "../protocols/effects.ts";
import { DISCONNECT, PRINT_CHUNK, printClient } from "../protocols/print.ts";
import { UsageError, type Values } from "../engine/cli/flags.ts";
import { checkDatagram } from "./echo.ts";
import { EXIT_DONE } from "../engine/cli/exit_status.ts";
import { type Messages, openFile, readMessages } from "./input.ts";
import { makeEventDialer, refuseUnixUdp, type Speaker, timeoutOf, UDP_FLAG } from "./speaker.ts";
import { connect, connectErrorOf, findAddresses, type Target } from "../engine/dial/target.ts";

/** How many bytes of a file are sent at a time over TCP. */
const FILE_PIECE = 64 * 1024;

/** How long to wait after the last datagram for the system to report a refusal, in milliseconds. */
const REFUSAL_MS = 50;

const LINE_FEED = 0x0a;

/** `--protocol print`. */
export const print: Speaker = {
  form: {
    positionals: [],
    rest: {
      name: "message",
      kind: "string",
      help: "in print: what to send; by default the lines of standard input",
    },
  },
  flags: [
    {
      name: "file",
      kind: "string",
      value: "FILE",
      help: `in print: send this file; with --udp in datagrams of at most ${PRINT_CHUNK} bytes`,
    },
    UDP_FLAG,
  ],
  run,
};

async function run(values: Values, target: Target): Promise<number> {
  const args = values.message as readonly string[] | undefined;
  const path = values.file as string | undefined;
  if (args !== undefined && path !== undefined) {
    throw new UsageError("--file takes the place of messages: leave one of them out");
  }
  if (values.udp === true) {
    refuseUnixUdp(target);
    const source = path === undefined
      ? readMessages(args, checkDatagram)
      : await openFile(path, PRINT_CHUNK);
    return await sendDatagrams(source, target);
  }
  const [parts, send] = path === undefined
    ? [readMessages(args, () => undefined), writeLine]
    : [endLastLine(await openFile(path, FILE_PIECE)), write];

  const timeoutMs = timeoutOf(values);
  // A server that stops reading gets no more time than one that does not close.
  using dialer = makeEventDialer(timeoutMs, { sessionTimeoutMs: timeoutMs });
  const call = await connect(dialer, target, await findAddresses(target));
  for await (const bytes of parts) await call.exchange(alone(send(bytes)));
  await call.converse(printClient([]));
  return EXIT_DONE;
}

/** A step as a conversation of its own. */
function* alone(step: Step): Protocol {
  yield* step;
}

/** The same pieces; the last one ends with a line end, for `!Disconnect` to begin a line. */
async function* endLastLine(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined;
  for await (const piece of pieces) {
    if (held !== undefined) yield held;
    held = piece.slice();
  }
  if (held === undefined) return;
  if (held.at(-1) === LINE_FEED) yield held;
  else {
    const ended = new Uint8Array(held.length + 1).fill(LINE_FEED);
    ended.set(held);
    yield ended;
  }
}

async function sendDatagrams(messages: Messages, target: Target): Promise<number> {
  const [hostname = ""] = await findAddresses(target);
  await using socket = await DatagramClient.open({ hostname, port: target.port });
  try {
    for await (const message of messages) await socket.send(message);
    await socket.send(new TextEncoder().encode(DISCONNECT));
    // There is no answer, but a port that nobody listens on makes itself heard.
    await socket.receive(REFUSAL_MS);
  } catch (cause) {
    throw (cause as { code?: unknown }).code === undefined ? cause : connectErrorOf(target, cause);
  }
  return EXIT_DONE;
}
