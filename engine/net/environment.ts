/**
 * The environment of this process, as far as it may be seen.
 *
 * @module
 */

import process from "node:process";

/**
 * A variable of the environment.
 *
 * @param name its name
 * @returns its value; `undefined` where there is none, or Deno may not say
 */
export function environment(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}
