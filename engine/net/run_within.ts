/**
 * Stops code that never ends, and lets its thread live on.
 *
 * No thread can stop the code of another one: on Deno not even `terminate` ends a loop. But
 * `node:vm`, which both runtimes have, ends a script after a time. It stops loops, regular
 * expressions and waiting. What it stops gets no error: neither `catch` nor `finally` of it runs.
 *
 * A call costs 15 microseconds on Deno and 3 on Bun. The first one in a thread loads the module:
 * 15 to 35 ms on Deno, 1 ms on Bun. Deno cannot load it where there is no proc(5): there nothing is
 * stopped.
 *
 * The drivers of conversations need this, and they also run where there is no runtime: in a browser,
 * in virtual time. So it imports nothing, and the runtime says what it has.
 *
 * @module
 */

/** The part of `node:vm` that is used here. */
interface Script {
  runInThisContext(options: { readonly timeout: number }): unknown;
}

/** Where the script finds the work. Only a global can be reached from a script. */
const WORK = Symbol.for("handshake work");

const scope = globalThis as unknown as {
  [WORK]: (() => unknown) | undefined;
  readonly process?: { getBuiltinModule(name: string): { Script: new (text: string) => Script } };
};

let script: Script | undefined;

/** Whether modules of Node.js can be loaded. */
let hasNodeModules = (): boolean => false;

/**
 * The runtime says what it has. Before that, nothing is stopped.
 *
 * @param its asks it whether modules of Node.js can be loaded
 */
export function stopWith(its: { readonly hasNodeModules: boolean }): void {
  hasNodeModules = () => its.hasNodeModules;
}

/** The work was stopped. */
export class OutOfTimeError extends Error {
  override readonly name = "OutOfTimeError";

  /** @param ms how long it was allowed to take, in milliseconds */
  constructor(ms: number) {
    super(`Stopped: it took longer than ${ms} ms`);
  }
}

/**
 * Does work, and stops it when it takes too long. It may call code that does the same.
 *
 * @param ms how long it may take, in milliseconds, at least 1
 * @param work the work; it ends before it returns
 * @returns its result
 * @throws {OutOfTimeError} if it was stopped
 * @throws what it threw
 */
export function runWithin<Result>(ms: number, work: () => Result): Result {
  if (script === undefined) {
    const vm = hasNodeModules() ? scope.process?.getBuiltinModule("node:vm") : undefined;
    if (vm === undefined) return work();
    script = new vm.Script(`globalThis[Symbol.for("handshake work")]()`);
  }
  const outer = scope[WORK];
  scope[WORK] = work;
  try {
    return script.runInThisContext({ timeout: Math.ceil(ms) }) as Result;
  } catch (error) {
    throw isTimeout(error) ? new OutOfTimeError(ms) : error;
  } finally {
    scope[WORK] = outer;
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error &&
    (error as { code?: unknown }).code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
}
