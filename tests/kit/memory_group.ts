/**
 * A control group whose processes may have only so much memory (cgroups(7)).
 *
 * @module
 */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import type { ControlGroup } from "../../engine/process/control_groups.ts";
import { leftIn } from "../../engine/process/memory_limits.ts";

/** Where groups can be made: in the old hierarchy of this controller, or in the unified one. */
const PLACES: readonly {
  readonly root: string;
  /** The file of the limit. */
  readonly limit: string;
  /** The file of the limit of memory and swap space together, in the old hierarchy. */
  readonly together?: string;
  /** The file of the limit of swap space, in the unified one. */
  readonly swap?: string;
}[] = [
  {
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    together: "memory.memsw.limit_in_bytes",
  },
  { root: "/sys/fs/cgroup", limit: "memory.max", swap: "memory.swap.max" },
];

/** A group without processes, until commands are run in it. They get no swap space. */
export class MemoryGroup implements Disposable {
  /** What the product knows of it. */
  readonly place: ControlGroup;
  readonly #folder: string;
  /** The names of the files that say how much memory they may have, in the order of lowering it. */
  readonly #files: readonly string[];

  private constructor(place: ControlGroup, files: readonly string[]) {
    this.place = place;
    this.#folder = place.folder;
    this.#files = files;
  }

  /**
   * Makes a group.
   *
   * @param bytes how much memory its processes may have together
   * @returns `undefined` if this user may not, or where there are no groups that bound swap space too
   */
  static make(bytes: number): MemoryGroup | undefined {
    for (const { root, limit, together, swap } of PLACES) {
      const folder = `${root}/handshake-test-${process.pid}`;
      try {
        mkdirSync(folder);
      } catch {
        continue;
      }
      // In the unified hierarchy a folder has the file only if its controller is on, and in both there
      // is a file for swap space only if that is counted.
      const has = (file: string | undefined): file is string =>
        file !== undefined && existsSync(`${folder}/${file}`);
      if (has(limit) && (has(together) || has(swap))) {
        if (has(swap)) writeFileSync(`${folder}/${swap}`, "0");
        const place = { folder, isUnified: swap !== undefined };
        const group = new MemoryGroup(place, [limit, together].filter(has));
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

  /** How much memory its processes may have together, in bytes. */
  get #most(): number {
    return Number(readFileSync(`${this.#folder}/${this.#files[0]}`, "utf8"));
  }

  /** Says how much memory its processes may have together from now on, in bytes. */
  limit(bytes: number): void {
    // The limit of memory and swap space together is never the smaller one. At first it says `max`.
    const files = bytes > this.#most ? this.#files.toReversed() : this.#files;
    for (const file of files) writeFileSync(`${this.#folder}/${file}`, `${bytes}`);
  }

  /** Says how much more they may have than now, in bytes. What the kernel can free is free. */
  leave(bytes: number): void {
    this.limit(this.#most - leftIn(this.place, 0) + bytes);
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
