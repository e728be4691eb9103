/**
 * How a driver finds the task that a protocol asks for.
 *
 * @module
 */

import type { Task, Tasks } from "./catalogue.ts";

/** How many tasks an error names at most. */
const MOST_NAMED = 16;

/**
 * Finds a task.
 *
 * @param tasks the protocol's tasks
 * @param name the name of the task
 * @throws {TypeError} if there is no task of that name; it says which there are
 */
export function findTask(tasks: Tasks | undefined, name: string): Task {
  const task = tasks !== undefined && Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (task !== undefined) return task;
  const names = Object.keys(tasks ?? {});
  const more = names.length > MOST_NAMED ? ", …" : "";
  const expected = names.length === 0
    ? "the protocol exports no tasks"
    : `expected ${names.slice(0, MOST_NAMED).join(", ")}${more}`;
  throw new TypeError(`Cannot compute: ${expected}, current task is "${name}"`);
}
