/**
 * Whatever was thrown, as text.
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
