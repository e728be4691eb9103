/**
 * Programs on this machine.
 *
 * @module
 */

import { accessSync, constants } from "node:fs";
import { delimiter, resolve } from "node:path";
import { runtime } from "../net/runtime.ts";

/**
 * The path of a program in the folders of PATH, as a shell finds it.
 *
 * @param name its name
 * @param folder where relative folders start; by default the current one
 * @returns `undefined` if it is in none of them
 */
export function findExecutable(name: string, folder = ""): string | undefined {
  const folders = (runtime.variable("PATH") ?? "").split(delimiter);
  return folders.map((path) => resolve(folder, path, name)).find(isExecutable);
}

/**
 * Whether this user may execute a file.
 *
 * @param path its path
 */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
