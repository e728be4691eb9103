/**
 * `--profile`: after the counted runs, one more of each server, in which the runtime profiles all
 * its threads. It does not count, because profiling takes time itself.
 *
 * @module
 */

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Flag, UsageError, type Values } from "../engine/cli/flags.ts";
import { describeSystemError } from "../engine/net/constants.ts";
import { PROFILE_FOLDER, PROFILE_SAMPLE } from "../engine/workers/profile_request.ts";
import { PROFILE_SUFFIX } from "../engine/workers/thread_profile.ts";
import { escapeText } from "../protocols/text.ts";
import { ServerStartError, type StartExtras } from "./loaded_server.ts";
import type { ReadyServer } from "./running_servers.ts";
import { measure } from "./load/measure.ts";
import { loadOf, type Plan } from "./load/plan.ts";
import type { Profile, Run } from "./load/results.ts";
import { profileOf, readProfiles } from "./profile/flame.ts";
import { reach, type Way } from "./through.ts";

/** The name of the folder if the files are not kept. */
const UNKEPT = "-";

/** Whether the servers are profiled, and where the profiles are kept. */
export const PROFILE: Flag = {
  name: "profile",
  kind: "string",
  value: "FOLDER",
  bare: UNKEPT,
  help:
    "then run each server once more, with the runtime's CPU profile of all its threads: a flame " +
    "graph, uncounted; FOLDER keeps the .cpuprofile files, which browsers' developer tools open",
};

/** Why a server that runs already is not profiled. */
export const CANNOT_PROFILE = "cannot use --profile with a server that runs already: let compare " +
  `start it, or start it with ${PROFILE_FOLDER}=FOLDER and find its .cpuprofile files there when ` +
  "it has ended";

/** The longest profiled run, in milliseconds. */
const LONGEST_MS = 5_000;

/** The time between two samples where there are few threads, in microseconds. */
const SAMPLE_US = 1_000;

/** By how much it grows with each connection, which may have a thread of its own. */
const SAMPLE_US_EACH = 100;

/** A server that can be profiled. */
export interface Profiled {
  readonly name: string;
  readonly subject: Run["subject"];
  /** Starts it, ready to be put under this load. */
  start(plan: Plan, signal: AbortSignal, extras: StartExtras): Promise<ReadyServer>;
}

/** What was asked for. */
export interface ProfileRequest {
  /** Where the files are kept; `undefined` if they are not. */
  readonly folder: string | undefined;
  /** What is wrong on the way to each server, if anything. */
  readonly way: Way | undefined;
}

/**
 * Reads the flag, and makes the folder before anything is measured.
 *
 * @param values the flags
 * @param way what is wrong on the way to each server, if anything
 * @throws {UsageError} if the folder cannot be made
 */
export function readProfileRequest(
  { profile }: Values,
  way: Way | undefined,
): ProfileRequest | undefined {
  if (profile === undefined) return undefined;
  if (profile === UNKEPT) return { folder: undefined, way };
  const folder = profile as string;
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(
      `cannot make --profile ${escapeText(folder)}: ${describeSystemError(error)}`,
    );
  }
  return { folder, way };
}

/**
 * Runs a server once more and profiles it.
 *
 * @param request where the files are kept
 * @param profiled the server
 * @param plan the load
 * @param watcher is told what could not be done, and what could not be written
 * @returns its profile; `undefined` if there is none
 */
export async function profileServer(
  { folder: kept, way }: ProfileRequest,
  profiled: Profiled,
  plan: Plan,
  { signal, onNote, onUnwritten }: {
    readonly signal: AbortSignal;
    onNote(text: string): void;
    onUnwritten(text: string): void;
  },
): Promise<Profile | undefined> {
  if (signal.aborted) return undefined;
  const { name } = profiled;
  const words = `${name}-${plan.protocolName}-${plan.connections}`.replaceAll(/[^\w.]+/g, "-");
  const folder = kept === undefined ? mkdtempSync(join(tmpdir(), "profile-")) : join(kept, words);
  try {
    mkdirSync(folder, { recursive: true });
    const before = new Set(readdirSync(folder));
    const run = await runOnce({ folder, way }, profiled, plan, signal);
    const from = Date.parse(run.started_at);
    const window = { from, to: from + run.duration_s * 1_000 };
    const { threads, broken } = readProfiles(folder, PROFILE_SUFFIX, before, window);
    if (broken.length > 0) {
      onUnwritten(
        `${name} has no profile: ${folder}/${broken[0]} is not whole. Is there room for it?`,
      );
      return undefined;
    }
    if (threads.length === 0) {
      onNote(`${name} has no profile: it has left none. The servers of this project do`);
      return undefined;
    }
    if (kept !== undefined) onNote(`${name}: its profiles are in ${folder}`);
    const { subject } = profiled;
    const { duration_s, rate } = run;
    return profileOf({ name, subject, load: loadOf(plan), duration_s, rate }, threads);
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof ServerStartError) {
      onNote(`${name} has no profile: ${error.message}`);
    } else if ((error as { code?: unknown }).code !== undefined) {
      onUnwritten(
        `${name} has no profile: cannot write to ${folder}: ${describeSystemError(error)}`,
      );
    } else throw error;
    return undefined;
  } finally {
    if (kept === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts the server, loads it and ends it: its threads write their profiles at their end. */
async function runOnce(
  { folder, way }: { readonly folder: string; readonly way: Way | undefined },
  { name, start }: Profiled,
  plan: Plan,
  signal: AbortSignal,
): Promise<Run> {
  const sampleUs = SAMPLE_US + SAMPLE_US_EACH * (plan.connect ? 0 : plan.connections);
  const variables = { [PROFILE_FOLDER]: folder, [PROFILE_SAMPLE]: String(sampleUs) };
  await using server = await start(plan, signal, { variables });
  // A rate that changes may begin with a pause: the mean shows what the server does.
  const durationMs = Math.min(plan.durationMs, LONGEST_MS);
  const shortPlan = { ...plan, durationMs, rateParts: null, rehearse: false };
  const { status: { pid } } = server;
  await using reached = await reach(way, server.address);
  const { address } = reached;
  const rampMs = Math.min(plan.rampMs, shortPlan.durationMs);
  return await measure({ ...shortPlan, rampMs }, { address, pid, name, signal });
}
