/**
 * Whom the kernel ends when memory runs out (proc_pid_oom_score_adj(5), Linux).
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { SocketError } from "../net/socket_error.ts";
import { sockets } from "../net/sockets.ts";
import { readSystemFile } from "../net/system_file.ts";
import { mostMemory } from "./memory_limits.ts";

/** The most that can be added to the score of a process: as if it had all memory there is. */
const MOST = 1_000;

/** How many times as large as now this process may become until another one is no longer preferred. */
const GROWTH = 2;

/** The flag of open(2). */
const O_WRONLY = 1;

/**
 * Has the kernel end another process rather than this one when memory runs out. It ends the one with
 * the largest score: the memory that it has, and its adjustment in thousandths of the memory that its
 * group, or else the machine, may have. To raise the adjustment takes no privilege. A process that did
 * so itself would be late: it takes most of its memory before it runs its first line.
 *
 * The adjustment is no larger than it must be: where the memory of the whole machine runs out, the
 * kernel shall still find the program that has taken it.
 *
 * @param pid a process of this user
 */
export function preferToThis(pid: number): void {
  const own = Number(readSystemFile("/proc/self/oom_score_adj") ?? 0);
  const size = runtime.memory() ?? Infinity;
  const share = Math.ceil(MOST * GROWTH * size / mostMemory());
  const score = Math.min(MOST, own + (Number.isNaN(share) ? MOST : share));
  const net = sockets();
  try {
    const fd = net.open(`/proc/${pid}/oom_score_adj`, O_WRONLY);
    net.write(fd, new TextEncoder().encode(`${score}`));
    net.close(fd);
  } catch (error) {
    // It has ended, or there is no such file here.
    if (!(error instanceof SocketError)) throw error;
  }
}
