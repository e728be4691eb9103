/**
 * A folder for one test.
 *
 * @module
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is removed at the end of the test. */
export class Folder implements Disposable {
  readonly #path: string;

  /** @param prefix how its name begins */
  constructor(prefix = "handshake-") {
    this.#path = mkdtempSync(join(tmpdir(), prefix));
  }

  /** The path of a file in it. */
  path(name: string): string {
    return join(this.#path, name);
  }

  /** The text of a file in it. */
  text(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** The names of the files in it, sorted. */
  get names(): string[] {
    return readdirSync(this.#path).sort();
  }

  /** Removes the folder and everything in it. */
  [Symbol.dispose](): void {
    rmSync(this.#path, { recursive: true });
  }
}
