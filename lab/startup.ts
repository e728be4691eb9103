/**
 * Measures how long executables take until they listen, beside an empty program of the same
 * runtime.
 *
 * The executables take turns, so that whatever else the machine does affects all of them alike. The
 * first round fills the kernel's caches and does not count.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { ROOT, RUNTIMES } from "../engine/process/runtimes.ts";
import { fail, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_FAILED } from "../engine/cli/exit_status.ts";
import type { Command } from "../engine/cli/flags.ts";
import { formatRun } from "../engine/cli/invocation.ts";

const COMMAND: Command = {
  name: "startup",
  summary: "how long executables take until they listen",
  positionals: [],
  flags: [{
    name: "rounds",
    kind: "integer",
    value: "N",
    least: 1,
    most: 1000,
    default: "11",
    help: "how often each is started",
  }],
  example: formatRun("lab/startup.ts"),
};

/** An executable, and how it is started. */
interface Candidate {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  /** The time from its start to its first line, in milliseconds, for each round. */
  readonly times: number[];
}

/** Builds the executables to measure. */
function build(folder: string): Candidate[] {
  const suffix = runtime.os === "windows" ? ".exe" : "";
  const candidate = (name: string, file: string, ...args: readonly string[]): Candidate => ({
    name,
    path: join(folder, `${file}${suffix}`),
    args,
    times: [],
  });
  const [, bun] = RUNTIMES as readonly [typeof RUNTIMES[number], typeof RUNTIMES[number]];
  const source = join(folder, "empty.ts");
  writeFileSync(source, `console.log("empty");\n`);
  runTool(bun.path, "build", "--compile", source, "--outfile", join(folder, `empty${suffix}`));
  for (const command of [[], ["event"], ["threadpool"]]) {
    runTool(bun.path, "scripts/compile.ts", ...command, "--into", folder);
  }
  return [
    candidate("an empty program", "empty"),
    ...["event", "nonblocking", "threadpool"].map((mode) =>
      candidate(`handshake ${mode}`, "handshake", mode, "0")
    ),
    ...["event", "threadpool"].map((mode) =>
      candidate(`handshake-${mode}`, `handshake-${mode}`, "0")
    ),
  ];
}

function runTool(command: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, {
    cwd: fileURLToPath(ROOT),
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`Cannot build: ${stderr}`);
}

/** Starts an executable, and kills it when it has printed something. */
async function time({ path, args }: Candidate): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  await new Promise((resolve, reject) => child.on("error", reject).stdout.once("data", resolve));
  const ms = performance.now() - startedAt;
  child.kill("SIGKILL");
  await ended;
  return ms;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

async function main(): Promise<void> {
  const { rounds = 11 } = readCommandLine(COMMAND);
  const folder = mkdtempSync(join(tmpdir(), "handshake-startup-"));
  try {
    const candidates = build(folder);
    for (let round = 0; round <= Number(rounds); round++) {
      for (const candidate of candidates) {
        const ms = await time(candidate);
        if (round > 0) candidate.times.push(ms);
      }
    }
    const width = Math.max(...candidates.map(({ name }) => name.length));
    const lines = candidates.map(({ name, path, times }) => {
      const megabytes = (statSync(path).size / 1e6).toFixed(1).padStart(6);
      return `${name.padEnd(width)}  ${median(times).toFixed(0).padStart(4)} ms  ${megabytes} MB`;
    });
    runtime.printNow("stdout", `${lines.join("\n")}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (isMainModule(import.meta)) {
  main().catch((error: Error) => fail(COMMAND.name, error.message, EXIT_FAILED));
}
