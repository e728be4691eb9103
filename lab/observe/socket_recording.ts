/**
 * `--record` of the commands that look at the sockets of this machine.
 *
 * @module
 */

import type { EndedConnection } from "../../engine/kernel/connection_lives.ts";
import type { SocketRow } from "../../engine/kernel/sock_diag.ts";
import { connectionEvent } from "../../engine/recording/from_kernel.ts";
import { RecordingFile } from "../../engine/recording/recording_file.ts";
import { SocketChanges } from "../../engine/recording/socket_changes.ts";

/** Writes what is seen into a file. */
export class SocketRecording implements Disposable {
  readonly #file: RecordingFile;
  readonly #changes = new SocketChanges();

  private constructor(file: RecordingFile) {
    this.#file = file;
  }

  /**
   * Begins a recording.
   *
   * @param command the command that records
   * @param path the file; none is written without it
   * @throws {Error} if the file cannot be written; the message is one line
   */
  static create(command: string, path: string | undefined): SocketRecording | undefined {
    if (path === undefined) return undefined;
    return new SocketRecording(
      RecordingFile.create(path, { by: `observe ${command}`, tier: "T0" }),
    );
  }

  /** Adds a sentence. */
  note(text: string): void {
    this.#file.add({ type: "note", at: this.#file.now(), text });
  }

  /**
   * Adds what has changed since the last look.
   *
   * @param rows all sockets, as they are now
   * @param ended the connections that have ended
   */
  look(rows: readonly SocketRow[], ended: readonly EndedConnection[] = []): void {
    const named = rows.filter(({ state, remote }) => state === "LISTEN" || remote.port !== 0);
    for (const event of this.#changes.look(named, this.#file.now())) this.#file.add(event);
    for (const connection of ended) {
      this.#file.add(connectionEvent(connection, this.#file.at(connection.endedAtUs)));
    }
    this.#file.flush();
  }

  /** Closes the file. @throws {Error} if something could not be written; the message is one line */
  finish(): void {
    this.#file.finish();
  }

  /** Writes the last lines and closes the file. */
  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
