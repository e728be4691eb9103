/**
 * The resident memory of this process.
 *
 * @module
 */

import type { SystemFile } from "../../net/adapter.ts";
import { runtime } from "../../net/runtime.ts";

/** Knows how much memory of the machine this process takes. */
export class ProcessMemory implements Disposable {
  // It stays open, so that it can be read when the process has no descriptors left.
  readonly #file: SystemFile | undefined = runtime.openSystemFile("/proc/self/status");

  /** The bytes; `undefined` if they cannot be known now. */
  get bytes(): number | undefined {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(this.#file?.read() ?? "") ?? [];
    // Where the system does not let the program ask, the runtime may know.
    return kibibytes === undefined ? runtime.memory() : Number(kibibytes) * 1024;
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#file?.close();
  }
}
