/**
 * A control group whose processes may have only so much memory (cgroups(7)).
 *
 * @module
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import { leftIn } from "../../engine/process/memory_limits.ts";

/** Where groups can be made: in the old hierarchy of this controller, or in the unified one. */
const PLACES = [
  { root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
  { root: "/sys/fs/cgroup", limit: "memory.max" },
] as const;

/** A group without processes, until commands are run in it. */
export class MemoryGroup implements Disposable {
  readonly #folder: string;
  /** The name of the file that says how much memory they may have. */
  readonly #file: string;

  private constructor(folder: string, file: string) {
    this.#folder = folder;
    this.#file = file;
  }

  /**
   * Makes a group.
   *
   * @param bytes how much memory its processes may have together
   * @returns `undefined` if this user may not, or where there are no groups
   */
  static make(bytes: number): MemoryGroup | undefined {
    for (const { root, limit } of PLACES) {
      const folder = `${root}/handshake-test-${process.pid}`;
      try {
        mkdirSync(folder);
      } catch {
        continue;
      }
      // In the unified hierarchy a folder has the file only if its controller is on.
      if (existsSync(`${folder}/${limit}`)) {
        const group = new MemoryGroup(folder, limit);
        group.limit(bytes);
        return group;
      }
      rmdirSync(folder);
    }
    return undefined;
  }

  /** Why no group can be made; `undefined` if one can. */
  static get whyNot(): string | undefined {
    using group = MemoryGroup.make(2 ** 30);
    return group === undefined ? "no control group can be made here" : undefined;
  }

  /** Says how much memory its processes may have together from now on, in bytes. */
  limit(bytes: number): void {
    writeFileSync(`${this.#folder}/${this.#file}`, `${bytes}`);
  }

  /** Says how much more they may have than now, in bytes. What the kernel can free is free. */
  leave(bytes: number): void {
    const isUnified = this.#file === "memory.max";
    const limit = Number(readFileSync(`${this.#folder}/${this.#file}`, "utf8"));
    this.limit(limit - leftIn({ folder: this.#folder, isUnified }) + bytes);
  }

  /** The command that runs another one in this group. */
  around(command: readonly string[]): string[] {
    const script = 'echo $$ >"$0/cgroup.procs" && exec "$@"';
    return ["sh", "-c", script, this.#folder, ...command];
  }

  /** Takes a process in. What it has already is not counted; what it starts comes in too. */
  take(pid: number): void {
    writeFileSync(`${this.#folder}/cgroup.procs`, `${pid}`);
  }

  /** Removes it. Its processes must have ended. */
  [Symbol.dispose](): void {
    for (let tries = 0; readFileSync(`${this.#folder}/cgroup.procs`, "utf8") !== ""; tries++) {
      if (tries === 1_000) throw new Error("There are still processes in the group");
    }
    rmdirSync(this.#folder);
  }
}
