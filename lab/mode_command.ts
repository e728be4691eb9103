/**
 * The modes of this project as programs that the lab starts.
 *
 * @module
 */

import process from "node:process";
import { buildInfo } from "../engine/cli/build_info.ts";
import { whyNoSockets } from "../engine/net/libc.ts";
import { type RuntimeCommand, scriptCommand } from "../engine/process/runtimes.ts";
import { whyNoRing } from "../engine/uring/requirements.ts";
import { type ModeName, MODES } from "../modes/catalogue.ts";

/**
 * The command line that runs a mode. An executable holds the modes itself.
 *
 * @param mode its name
 * @param on the runtime
 * @param args its arguments
 */
export function modeCommand(
  mode: ModeName,
  on: RuntimeCommand,
  ...args: readonly string[]
): string[] {
  return buildInfo.isExecutable === true
    ? [process.execPath, mode, ...args]
    : scriptCommand(on, MODES[mode].script, ...args);
}

/** Why a mode cannot be started here, as far as that is known. */
export function whyNoMode(mode: ModeName): string | undefined {
  const { isExecutable, command = mode } = buildInfo;
  if (isExecutable === true && command !== mode) return `this executable has only ${command} in it`;
  if (mode === "completion") return whyNoRing();
  return mode === "nonblocking" || mode === "berkeley" ? whyNoSockets() : undefined;
}
