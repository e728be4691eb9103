/**
 * The client between pipes. Standard input goes to the server as it is, and what the server says
 * goes to standard output as it comes.
 *
 * @module
 */

import { EXIT_DONE, EXIT_FAILED } from "../../engine/cli/exit_status.ts";
import { messageOf } from "../../engine/dial/failures.ts";
import { readInput } from "../../engine/cli/standard_input.ts";
import { printNote, writeOutput } from "../../client/output.ts";
import { Stream } from "../../engine/dial/stream.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { PeerGoneError } from "../../protocols/errors.ts";
import { encodeLine } from "../../protocols/text.ts";
import { GOODBYE } from "../talk/notices.ts";
import { escapeLines } from "./incoming_lines.ts";

/**
 * Sends standard input and then FIN, and prints what the server says until the server's FIN.
 *
 * @param name the name of the command, for errors
 * @param connection the connection to the server
 * @param introduction lines to be sent before everything else
 * @returns the exit status
 */
export async function runFilter(
  name: string,
  connection: Connection,
  introduction: readonly string[],
): Promise<number> {
  const stream = new Stream(connection, 0);
  const printer = new Printer();
  try {
    await stream.converse(introduce(introduction), (bytes) => printer.print(bytes));
    await printer.finish();
    return EXIT_DONE;
  } catch (error) {
    if (!(error instanceof PeerGoneError)) throw error;
    await printer.finish();
    // With nothing left to send, a server that closes in order or after a goodbye is no failure.
    const isInOrder = error.cause === undefined || printer.saidGoodbye;
    if (isInOrder && !stream.isSending) return EXIT_DONE;
    printNote(`${name}: ${messageOf(error)}`);
    return EXIT_FAILED;
  }
}

async function* introduce(lines: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const line of lines) yield encodeLine(line);
  yield* readInput();
}

/** Prints what the server says, and remembers its last line. */
class Printer {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #encoder = new TextEncoder();
  #end = "\n";

  /** Whether the server's last line was its goodbye. */
  get saidGoodbye(): boolean {
    return this.#end.endsWith(`\n${GOODBYE}\n`);
  }

  print(bytes: Uint8Array): Promise<void> {
    return this.#write(this.#decoder.decode(bytes, { stream: true }));
  }

  finish(): Promise<void> {
    return this.#write(this.#decoder.decode());
  }

  #write(text: string): Promise<void> {
    this.#end = (this.#end + text).slice(-GOODBYE.length - 2);
    // Standard output may be a terminal all the same, here or behind the pipe.
    return writeOutput(this.#encoder.encode(escapeLines(text)));
  }
}
