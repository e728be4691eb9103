/**
 * The control groups in which this process is (cgroups(7), Linux).
 *
 * @module
 */

import { readSystemFile } from "../net/system_file.ts";

/** A control group, as far as one controller is concerned. */
export interface ControlGroup {
  /** Its folder. */
  readonly folder: string;
  /** Whether it belongs to the unified hierarchy, whose files have other names (version 2). */
  readonly isUnified: boolean;
}

/**
 * The control group of this process, and all groups around it.
 *
 * @param controller the controller that is asked about, for instance `pids`
 * @returns the innermost first; none where there is no proc(5), or where it may not be read
 */
export function controlGroups(controller: string): ControlGroup[] {
  const found: ControlGroup[] = [];
  for (const line of (readSystemFile("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const isUnified = controllers === "";
    if (!isUnified && !controllers!.split(",").includes(controller)) continue;
    const root = isUnified ? "/sys/fs/cgroup" : `/sys/fs/cgroup/${controller}`;
    // In a container the path may be that of another one, which cannot be seen. The root is its own.
    for (let group = path;; group = group.slice(0, group.lastIndexOf("/"))) {
      found.push({ folder: `${root}${group === "/" ? "" : group}`, isUnified });
      if (group === "" || group === "/") break;
    }
  }
  return found;
}
