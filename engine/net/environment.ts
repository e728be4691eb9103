/**
 * The environment of this process, as far as its permissions let it be seen.
 *
 * @module
 */

import process from "node:process";

/**
 * Reads a variable of the environment.
 *
 * @param name its name
 * @returns its value; `undefined` if it is not set, or if Deno has no permission to read it
 */
export function environment(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}
