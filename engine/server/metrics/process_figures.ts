/**
 * What the system says about this process, under the names that programs which collect metrics know
 * (proc(5)). Only Linux tells it.
 *
 * @module
 */

import { whyNoSockets } from "../../net/libc.ts";
import type { SystemFile } from "../../net/adapter.ts";
import { runtime } from "../../net/runtime.ts";
import { sockets } from "../../net/sockets.ts";
import { readSystemFile } from "../../net/system_file.ts";

/** Clock ticks per second, the unit of times in proc(5): the same on every Linux. */
const TICKS = 100;

// The numbers of fields of `/proc/self/stat`, counted from the state of the process, which is the
// third: what comes before it may contain spaces.
const UTIME = 14 - 3;
const STIME = 15 - 3;
const CUTIME = 16 - 3;
const CSTIME = 17 - 3;
const THREADS = 20 - 3;
const STARTTIME = 22 - 3;
const VSIZE = 23 - 3;

/** What is known about the process. A figure that cannot be known is absent. */
export interface ProcessSnapshot {
  /** The CPU time of all its threads so far, in seconds. */
  readonly cpuSeconds?: number;
  /** How many threads it has. */
  readonly threads?: number;
  /** When it was started: seconds since 1970. */
  readonly startedAt?: number;
  /** Its address space, in bytes. */
  readonly virtualBytes?: number;
  /** How many descriptors are open. */
  readonly openDescriptors?: number;
  /** How many it may have. */
  readonly mostDescriptors?: number;
}

/** Reads the figures of this process. */
export class ProcessFigures implements Disposable {
  // They stay open, so that they can be read when the process has no descriptors left.
  readonly #stat: SystemFile | undefined = runtime.openSystemFile("/proc/self/stat");
  readonly #bootedAt: number | undefined = bootTimeIn(readSystemFile("/proc/stat"));

  /** Reads them. It waits for nobody. */
  read(): ProcessSnapshot {
    const text = this.#stat?.read();
    return { ...(text !== undefined && this.#parse(text)), ...countDescriptors() };
  }

  /** The CPU time of all threads of this process so far, in seconds; `undefined` if nobody may ask. */
  cpuSeconds(): number | undefined {
    const text = this.#stat?.read();
    return text === undefined ? undefined : this.#parse(text).cpuSeconds;
  }

  /**
   * The CPU time of processes that this one has started, and of those that have ended.
   *
   * @param running the numbers of those that run
   * @returns seconds; `undefined` if nobody may ask
   */
  cpuSecondsOf(running: readonly number[]): number | undefined {
    // One that ends meanwhile is among those that have ended, and has no file any more.
    const texts = running.map((pid) => readSystemFile(`/proc/${pid}/stat`) ?? "");
    const own = this.#stat?.read();
    if (own === undefined) return undefined;
    const ended = fieldsOf(own);
    const ticks = texts.map(fieldsOf).reduce(
      (sum, field) => sum + field(UTIME) + field(STIME),
      ended(CUTIME) + ended(CSTIME),
    );
    return ticks / TICKS;
  }

  #parse(text: string): ProcessSnapshot {
    const field = fieldsOf(text);
    const bootedAt = this.#bootedAt;
    return {
      cpuSeconds: (field(UTIME) + field(STIME)) / TICKS,
      threads: field(THREADS),
      ...(bootedAt !== undefined && { startedAt: bootedAt + field(STARTTIME) / TICKS }),
      virtualBytes: field(VSIZE),
    };
  }

  /** Gives its descriptor back. */
  [Symbol.dispose](): void {
    this.#stat?.close();
  }
}

/** The numbers in the text of a `stat` file, by their place after the name of the program. */
function fieldsOf(text: string): (index: number) => number {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ").map(Number);
  return (index) => fields[index] || 0;
}

function bootTimeIn(text = ""): number | undefined {
  const [, seconds] = /^btime (\d+)$/m.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

function countDescriptors(): Pick<ProcessSnapshot, "openDescriptors" | "mostDescriptors"> {
  const most = whyNoSockets() === undefined ? sockets().descriptorLimit() : undefined;
  // To count them takes one. If there is none, all are in use.
  const isOut = most !== undefined && sockets().nextDescriptor() < 0;
  const open = isOut ? most : runtime.countDescriptors();
  return {
    ...(open !== undefined && { openDescriptors: open }),
    ...(most !== undefined && { mostDescriptors: most }),
  };
}
