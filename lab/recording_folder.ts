/**
 * The folder into which servers record that a command starts and looks at.
 *
 * @module
 */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { UsageError } from "../engine/cli/flags.ts";
import { describeSystemError } from "../engine/net/constants.ts";
import { escapeText } from "../protocols/text.ts";

/** A folder for recordings. It is removed at the end, unless the user has named it. */
export class RecordingFolder implements Disposable {
  /** Its path. */
  readonly name: string;
  /** Whether the user has named it. */
  readonly isKept: boolean;

  /**
   * Makes it.
   *
   * @param command the name of the command that needs it
   * @param name its path, if the user has named it
   * @throws {UsageError} if it cannot be made
   */
  constructor(command: string, name?: string) {
    this.isKept = name !== undefined;
    const parent = tmpdir();
    try {
      this.name = name ?? mkdtempSync(join(parent, `handshake-${command}-`));
      if (name !== undefined) mkdirSync(name, { recursive: true });
    } catch (error) {
      const what = name === undefined ? `a folder in ${parent}` : `the folder ${name}`;
      throw new UsageError(`cannot make ${escapeText(what)}: ${describeSystemError(error)}`);
    }
    if (this.isKept) return;
    // A second signal ends the process at once. Bun then says `exit`, and Deno `unload`.
    process.on("exit", this.#remove);
    globalThis.addEventListener("unload", this.#remove);
  }

  /** The path of a file in it. @param name the file's name */
  path(name: string): string {
    return join(this.name, name);
  }

  readonly #remove = (): void => rmSync(this.name, { recursive: true, force: true });

  /** Removes it. */
  [Symbol.dispose](): void {
    if (this.isKept) return;
    process.off("exit", this.#remove);
    globalThis.removeEventListener("unload", this.#remove);
    this.#remove();
  }
}
