/**
 * Whatever was thrown or given, as text for people.
 *
 * @module
 */

/**
 * Describes what was thrown, which need not be an error.
 *
 * @param error what was thrown
 */
export function describeError(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return "something that cannot be shown";
  }
}

/**
 * Puts a value that somebody gave into quotes, on one line, for a message about it.
 *
 * @param value the value
 */
export function quote(value: unknown): string {
  return JSON.stringify(String(value));
}
