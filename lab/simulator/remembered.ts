/**
 * Protocols whose computations are remembered from one simulation to the next.
 *
 * In virtual time a computation takes what the simulation says. On the processor that simulates it,
 * the long prime takes a real tenth of a second, each time.
 *
 * @module
 */

import type { ProtocolDefinition, Task } from "../../protocols/catalogue.ts";

/**
 * A protocol as it is, but a task that has been done with the same argument is not done again.
 *
 * @param protocol the protocol
 */
export function remembered(protocol: ProtocolDefinition): ProtocolDefinition {
  const tasks = Object.entries(protocol.tasks ?? {}).map(([name, task]) => [name, remember(task)]);
  return { ...protocol, tasks: Object.fromEntries(tasks) };
}

function remember(task: Task): Task {
  const results = new Map<string, unknown>();
  return (argument) => {
    const key = JSON.stringify(argument);
    if (!results.has(key)) results.set(key, finish(task(argument)));
    return results.get(key);
  };
}

/** Runs a task that is a generator to its end. */
function finish(result: unknown): unknown {
  if (Object.prototype.toString.call(result) !== "[object Generator]") return result;
  const slices = result as Generator<unknown, unknown>;
  for (;;) {
    const { done, value } = slices.next();
    if (done === true) return value;
  }
}
