/**
 * Files that the system makes up when they are read, such as those of proc(5).
 *
 * @module
 */

import { runtime } from "./runtime.ts";

/**
 * Reads such a file once.
 *
 * @param path its path, for instance `/proc/self/stat`
 * @returns its text; `undefined` if there is no such file or if it may not be read. Never asks the
 * user
 */
export function readSystemFile(path: string): string | undefined {
  const file = runtime.openSystemFile(path);
  try {
    return file?.read();
  } catch {
    // What the file was about is gone.
    return undefined;
  } finally {
    file?.close();
  }
}
