/**
 * The resident memory of this process.
 *
 * @module
 */

import process from "node:process";
import type { SystemFile } from "../../net/adapter.ts";
import { runtime } from "../../net/runtime.ts";

/** Knows how much memory of the machine this process takes. */
export class ProcessMemory implements Disposable {
  // It stays open, so that it can be read when the process has no descriptors left.
  readonly #file: SystemFile | undefined = runtime.openSystemFile("/proc/self/status");

  /** The bytes; `undefined` if they cannot be known now. */
  get bytes(): number | undefined {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(this.#file?.read() ?? "") ?? [];
    return kibibytes === undefined ? readOtherwise() : Number(kibibytes) * 1024;
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#file?.close();
  }
}

/** What the runtime says, where the system does not let the program ask. */
function readOtherwise(): number | undefined {
  try {
    // Deno says 0 if it cannot tell.
    return process.memoryUsage().rss || undefined;
  } catch {
    // Without free descriptors Bun cannot tell either.
    return undefined;
  }
}
