/**
 * A folder for one test.
 *
 * @module
 */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is gone afterwards. */
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

  /** What a file in it holds. */
  text(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** What is in it, sorted. */
  get names(): string[] {
    return readdirSync(this.#path).sort();
  }

  /** Removes it, with all that is in it. */
  [Symbol.dispose](): void {
    rmSync(this.#path, { recursive: true });
  }
}
