/**
 * One way to write a test for both runners: `deno test` with its leak checks, and `bun test`.
 *
 * @module
 */

import { CommonMemory, whyNoCommonMemory } from "../../engine/net/common_memory.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { monotonicAheadMs } from "../../engine/net/monotonic_clock.ts";
import { runtime } from "../../engine/net/runtime.ts";

// @ts-types="../../engine/types/assert.d.ts"
export * from "@std/assert";
// @ts-types="../../engine/types/delay.d.ts"
export { delay } from "@std/async/delay";

/** How to run a test. */
export interface TestOptions {
  /** Why it cannot run here; it runs when this is `undefined`. */
  readonly skip?: string | undefined;
  /** How long it may take, in milliseconds. @default {20000} */
  readonly timeoutMs?: number;
  /** Whether it runs without any permission, on a runtime that has permissions. */
  readonly pure?: boolean;
  /**
   * Whether everything that it opens must be closed at its end, if the runner checks that.
   *
   * @default {true}
   */
  readonly sanitize?: boolean;
}

// The C library stays loaded. The first test that listens would seem to have left it behind. The same
// goes for what only servers with processes call.
if (whyNoSockets() === undefined && whyNoCommonMemory() === undefined) {
  using memory = CommonMemory.create();
  memory.allocate(1);
  monotonicAheadMs();
}

/**
 * How much longer than on an idle machine everything may take. Several programs on few cores take
 * turns, and only what fails waits for so long.
 */
const PATIENCE = 3;

type TestBody = () => void | Promise<void>;
type NodeTest = (
  name: string,
  options: { readonly timeout: number; readonly skip: string | false },
  body: TestBody,
) => void;

/**
 * Bun's runner, which takes tests through `node:test`. It is loaded on Bun only, because Deno's leak
 * checks do not see tests that are registered there.
 */
const nodeTest: NodeTest | undefined = runtime.name === "bun"
  ? (globalThis as unknown as { process: { getBuiltinModule(name: string): { test: NodeTest } } })
    .process.getBuiltinModule("node:test").test
  : undefined;

/**
 * Registers a test.
 *
 * @param name a sentence
 * @param body what it does
 * @param options its limits, and why to skip it
 */
export function test(name: string, body: TestBody, options: TestOptions = {}): void {
  const { skip, timeoutMs = 20_000, pure = false, sanitize = true } = options;
  const title = skip === undefined ? name : `${name} (skipped: ${skip})`;
  if (nodeTest !== undefined) {
    return nodeTest(title, { timeout: timeoutMs * PATIENCE, skip: skip ?? false }, body);
  }
  Deno.test({
    name: title,
    ignore: skip !== undefined,
    ...(pure && { permissions: "none" as const }),
    sanitizeOps: sanitize,
    sanitizeResources: sanitize,
    fn: () => within(timeoutMs, name, body()),
  });
}

/** A wait took too long. */
export class WaitError extends Error {
  override readonly name = "WaitError";
}

/**
 * Waits for a promise, but not for ever.
 *
 * @param ms how long to wait on an idle machine, in milliseconds
 * @param what the name of what is waited for, for the error
 * @param promise what is waited for
 * @throws {WaitError} if it took longer
 */
export async function within<T>(ms: number, what: string, promise: T | Promise<T>): Promise<T> {
  // Not `@std/async/deadline`: its timer outlives the wait, and Deno's leak check reports it.
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new WaitError(`Waited ${ms * PATIENCE} ms in vain: ${what}`)),
    ms * PATIENCE,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until something is true.
 *
 * @param what the name of what is waited for, for the error
 * @param holds tells whether it is true
 * @param ms how long to wait on an idle machine, in milliseconds
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  const limitMs = ms * PATIENCE;
  const endsAt = performance.now() + limitMs;
  while (!await holds()) {
    if (performance.now() > endsAt) throw new WaitError(`Waited ${limitMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
