/** The part of `@std/assert` that is used here. */
export function assert(condition: unknown, message?: string): asserts condition;
export function assertEquals<T>(actual: T, expected: T, message?: string): void;
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
export function assertMatch(actual: string, expected: RegExp, message?: string): void;
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;
export function assertStringIncludes(actual: string, expected: string, message?: string): void;
export function assertInstanceOf<T>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any -- any constructor
  expected: abstract new (...args: any[]) => T,
  message?: string,
): asserts actual is T;
export function assertThrows<E extends Error = Error>(
  action: () => unknown,
  // deno-lint-ignore no-explicit-any -- any constructor
  expected?: abstract new (...args: any[]) => E,
  messageIncludes?: string,
): E;
export function assertRejects<E extends Error = Error>(
  action: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any -- any constructor
  expected?: abstract new (...args: any[]) => E,
  messageIncludes?: string,
): Promise<E>;
