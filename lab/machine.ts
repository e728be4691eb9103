/**
 * Describes the machine that a measurement runs on.
 *
 * @module
 */

import { cpus, machine, release, totalmem, type } from "node:os";
import { runtime } from "../engine/net/runtime.ts";
import type { Machine } from "./load/results.ts";

/** Describes this machine, as far as the permissions allow. */
export function describeMachine(): Machine {
  return {
    os: ask(() => `${type()} ${release()} ${machine()}`) ?? `${runtime.os} ${runtime.arch}`,
    cpu: ask(() => cpus()[0]?.model.trim()) ?? "unknown",
    cores: runtime.cpus,
    memory_bytes: ask(totalmem) ?? 0,
    runtime: `${runtime.name} ${runtime.version}`,
  };
}

function ask<Answer>(question: () => Answer): Answer | undefined {
  try {
    return question();
  } catch {
    // The permission --allow-sys is missing.
    return undefined;
  }
}
