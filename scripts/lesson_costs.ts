/**
 * What threads, processes and idle connections cost on a runtime, for the lessons.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import type { Address } from "../protocols/effects.ts";
import { frameGreeting } from "../protocols/frame.ts";
import { Input } from "../protocols/input.ts";
import { EventDialer } from "../engine/dial/dialer.ts";
import type { RuntimeCommand } from "../engine/process/runtimes.ts";
import { countedCeiling } from "../engine/workers/descriptor_limits.ts";
import { LoadedServer } from "../lab/loaded_server.ts";
import { modeCommand, whyNoMode } from "../lab/mode_command.ts";
import type { ModeName } from "../modes/catalogue.ts";
import type { MeasuredCosts } from "../site/measured.ts";

/** How often a start is measured. The median counts. */
const STARTS = 11;

/** How many threads a small and a large pool have, and how many processes are looked at. */
const FEW = 2;
const MANY = 18;

/**
 * How many idle connections there are in the end, where there are descriptors for so many. The first
 * quarter is not counted: with it come the runtime's own buffers and the code that is compiled.
 */
const IDLE = 6_000;

/** How many descriptors the server may need for itself. */
const OWN = 100;

/** How long a client waits for its server, in milliseconds. */
const PATIENCE_MS = 20_000;

const LIMITS = { readTimeoutMs: PATIENCE_MS, sessionTimeoutMs: 0, computeTimeoutMs: 0 };

/**
 * Measures what things cost.
 *
 * @param on the runtime
 * @param signal ends it
 */
export async function measureCosts(
  on: RuntimeCommand,
  signal: AbortSignal,
): Promise<MeasuredCosts> {
  const serve = (mode: ModeName, ...flags: readonly string[]) =>
    LoadedServer.start(modeCommand(mode, on, "0", "--quiet", ...FLAGS, ...flags), signal);
  return {
    thread_starts_us: await startOf(serve("threaded", "--spare", "0"), signal),
    process_starts_us: await startOf(serve("prefork", "--per-connection", "--spare", "0"), signal),
    thread_bytes: await growthOf((count) => serve("threadpool", "--workers", String(count))),
    process_bytes: await ownMemory(serve("prefork", "--workers", String(FEW))),
    idle_event_bytes: await idleCost(serve("event"), signal),
    idle_nonblocking_bytes: whyNoMode("nonblocking") === undefined
      ? await idleCost(serve("nonblocking"), signal)
      : null,
  };
}

/** What all servers are told. Nobody is to be ended because it is silent. */
const FLAGS = ["--protocol", "frame", "--read-timeout", "0", "--session-timeout", "0"] as const;

/** The median time from a call to the greeting, in microseconds, each time by a new thread or process. */
async function startOf(starting: Promise<LoadedServer>, signal: AbortSignal): Promise<number> {
  await using server = await starting;
  using dialer = new EventDialer(LIMITS, signal);
  const times: number[] = [];
  for (let round = 0; round < STARTS; round++) {
    const from = performance.now();
    const call = await dialer.dial(server.address, PATIENCE_MS);
    await call.converse((function* () {
      yield* frameGreeting(new Input());
      times.push(performance.now() - from);
    })());
  }
  return Math.round(times.sort((a, b) => a - b)[STARTS >> 1] as number * 1000);
}

/** How much memory one thread more takes, in bytes. */
async function growthOf(serve: (count: number) => Promise<LoadedServer>): Promise<number> {
  const memory = async (count: number) => {
    await using server = await serve(count);
    return server.status.memory;
  };
  const few = await memory(FEW);
  return Math.round((await memory(MANY) - few) / (MANY - FEW));
}

/** How much memory a process of the server has for itself, in bytes. */
async function ownMemory(starting: Promise<LoadedServer>): Promise<number | null> {
  await using server = await starting;
  const sizes = server.status.youngest.map((pid) => {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const parts = [...text.matchAll(/^Private_\w+: +(\d+) kB$/gm)];
    return parts.reduce((sum, [, kib]) => sum + Number(kib) * 1024, 0);
  });
  if (sizes.length === 0) return null;
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / sizes.length);
}

/** How much memory of the server one idle connection more takes, in bytes. */
async function idleCost(starting: Promise<LoadedServer>, signal: AbortSignal): Promise<number> {
  await using server = await starting;
  using dialer = new EventDialer(LIMITS, signal);
  const calls: { readonly connection: { close(): void } }[] = [];
  const open = async (count: number, address: Address) => {
    while (calls.length < count) {
      const call = await dialer.dial(address, PATIENCE_MS);
      await call.exchange(frameGreeting(new Input()));
      calls.push(call);
    }
    return server.status.memory;
  };
  try {
    const most = Math.min(IDLE, countedCeiling() - OWN);
    const few = most >> 2;
    const before = await open(few, server.address);
    const after = await open(most, server.address);
    return Math.max(0, Math.round((after - before) / (most - few)));
  } finally {
    for (const { connection } of calls) connection.close();
  }
}
