/**
 * The signals that ask a program to end, for a program that has something to finish first.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { readSystemFile } from "../net/system_file.ts";

/** A signal that asks a program to end. */
export type EndingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** SIGHUP and SIGTSTP as bits in a set of signals, on Linux: the first and the twentieth signal. */
const SIGHUP_BIT = 1n;
const SIGTSTP_BIT = 1n << 19n;

/**
 * Calls a function when this process is asked to end: at Ctrl-C, at SIGTERM, and when its terminal
 * closes (SIGHUP). A process that was started to outlive its terminal, as by nohup(1), ignores
 * SIGHUP. That stands in `/proc/self/status`. Where that may not be read, every SIGHUP counts.
 *
 * Whoever has stopped listening may still have something to write. So from then on a hang-up, of which
 * the kernel and the shell may both tell, does not end the process.
 *
 * @param handler is called each time, with the signal
 * @returns a function that stops the calls
 */
export function onEndingSignal(handler: (signal: EndingSignal) => void): () => void {
  const isDeaf = ignoresHangUps();
  const forget = [
    runtime.onSignal("SIGINT", () => handler("SIGINT")),
    runtime.onSignal("SIGTERM", () => handler("SIGTERM")),
    runtime.onSignal("SIGHUP", () => isDeaf ? undefined : handler("SIGHUP")),
  ];
  return () => {
    // This comes first: between the two the next hang-up would end the process.
    isHangUpHeard ||= hearHangUps();
    for (const stop of forget) stop();
  };
}

/** Whether hang-ups end nothing any more. */
let isHangUpHeard = false;

function hearHangUps(): true {
  runtime.onSignal("SIGHUP", () => {});
  return true;
}

/** The signals that this process was started to ignore, as bits. */
let ignored: bigint | undefined;

/**
 * Whether this process was started to ignore hang-ups, as under nohup(1), as far as that can be
 * known. It is asked before the first listener is set, because on Deno a process that listens for
 * any signal no longer ignores hang-ups.
 */
export function ignoresHangUps(): boolean {
  return ((ignored ??= readIgnored()) & SIGHUP_BIT) !== 0n;
}

/**
 * Whether this process was started to ignore that a terminal stops its programs (SIGTSTP): by a shell
 * without job control.
 */
export function ignoresStops(): boolean {
  return ((ignored ??= readIgnored()) & SIGTSTP_BIT) !== 0n;
}

/**
 * Whether a terminal's wish to stop this process (SIGTSTP) has come, and nobody has seen to it yet. On
 * a busy machine that may take a while.
 */
export function isStopPending(): boolean {
  return (readSignals("ShdPnd") & SIGTSTP_BIT) !== 0n;
}

function readIgnored(): bigint {
  return readSignals("SigIgn");
}

/** A set of signals of this process (proc(5)). */
function readSignals(name: string): bigint {
  const status = readSystemFile("/proc/self/status") ?? "";
  const [, bits = "0"] = new RegExp(`^${name}:\\s+([0-9a-f]+)$`, "m").exec(status) ?? [];
  return BigInt(`0x${bits}`);
}
