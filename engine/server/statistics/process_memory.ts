/**
 * The resident memory of this process, and of others.
 *
 * @module
 */

import type { SystemFile } from "../../net/adapter.ts";
import { runtime } from "../../net/runtime.ts";
import { readSystemFile } from "../../net/system_file.ts";

/**
 * How much memory another process of this user takes.
 *
 * @param pid its number
 * @returns the bytes; `undefined` if it has ended, or if nobody may ask
 */
export function memoryOf(pid: number): number | undefined {
  return residentIn(readSystemFile(`/proc/${pid}/status`));
}

/** @param status the text of `/proc/PID/status` */
function residentIn(status = ""): number | undefined {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Knows how much memory of the machine this process takes. */
export class ProcessMemory implements Disposable {
  // It stays open, so that it can be read when the process has no descriptors left.
  readonly #file: SystemFile | undefined = runtime.openSystemFile("/proc/self/status");

  /** The bytes; `undefined` if they cannot be known now. */
  get bytes(): number | undefined {
    // Where the system does not let the program ask, the runtime may know.
    return residentIn(this.#file?.read()) ?? runtime.memory();
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#file?.close();
  }
}
