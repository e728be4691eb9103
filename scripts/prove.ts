/**
 * Runs the long proofs in `tests/proofs/`: one after another, each on both runtimes.
 *
 * The tests of the project run a small form of each proof. Here it has its full size. For each one
 * a line with its figure is printed. The exit status is 0 only if all of them hold.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { EXIT_DONE, EXIT_FAILED, EXIT_SIGNALLED, EXIT_USAGE } from "../engine/cli/exit_status.ts";
import { fail, readCommandLine } from "../engine/cli/command_line.ts";
import type { Command } from "../engine/cli/flags.ts";
import { formatRows } from "../engine/cli/layout.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { onEndingSignal } from "../engine/process/ending_signals.ts";
import {
  ROOT,
  RUNTIME_PATHS,
  type RuntimeCommand,
  RUNTIMES,
  scriptCommand,
} from "../engine/process/runtimes.ts";
import { formatDuration, parseDuration } from "../engine/values/durations.ts";

/** The folder of the proofs, in the project. Each file is a proof. */
const FOLDER = "tests/proofs/";

/** How long a proof may take after it was told to end, in milliseconds. */
const GRACE_MS = 5_000;

/** How much of the output of a proof that failed is printed, in characters. */
const REPEATED = 8_192;

const COMMAND: Command = {
  name: "prove",
  summary: "run the long proofs: stress, all interleavings, a million odd inputs",
  positionals: [],
  rest: { name: "name", kind: "string", default: "all proofs", help: "proofs to run" },
  flags: [
    { name: "list", kind: "boolean", help: "say what the proofs prove, and run none" },
    {
      name: "on",
      kind: "choice",
      choices: RUNTIMES.map(({ name }) => name),
      default: "both",
      help: "the only runtime to run them on",
    },
    {
      name: "limit",
      kind: "duration",
      value: "TIME",
      default: "2h",
      help: "how long each may take on a runtime",
    },
  ],
  example: "deno task prove interleavings --on bun",
};

/** How one proof ended on one runtime. */
interface Outcome {
  readonly status: "holds" | "fails" | "skipped";
  /** What it has found, in one line. */
  readonly figure: string;
  /** What it printed besides, if it failed. */
  readonly output: string;
}

async function main(): Promise<void> {
  const values = readCommandLine(COMMAND);
  const proofs = findProofs();
  if (values.list === true) {
    const rows = formatRows([...proofs], runtime.columns("stdout"));
    runtime.printNow("stdout", `${rows.join("\n")}\n`);
    runtime.exit(EXIT_DONE);
  }
  const asked = (values.name ?? []) as readonly string[];
  for (const name of asked) {
    if (proofs.has(name)) continue;
    fail(COMMAND.name, `there is no proof "${name}": try --list`, EXIT_USAGE);
  }
  const limitMs = (values.limit ?? parseDuration("2h")) as number;
  const runtimes = RUNTIMES.filter(({ name }) => values.on === undefined || values.on === name);
  const interrupt = new AbortController();
  onEndingSignal(() => interrupt.abort());
  let failed = 0;
  for (const name of asked.length > 0 ? asked : proofs.keys()) {
    for (const on of runtimes) {
      const begin = performance.now();
      const { status, figure, output } = await run(name, on, limitMs, interrupt.signal);
      if (interrupt.signal.aborted) runtime.exit(EXIT_SIGNALLED);
      if (status === "fails") failed++;
      const took = formatDuration(Math.round((performance.now() - begin) / 1000) * 1000);
      const line = [`${status.padEnd(7)} ${name}`, on.name, figure, took].join(" · ");
      runtime.printNow("stdout", `${line}\n`);
      if (output !== "") runtime.printNow("stderr", `${output}\n`);
    }
  }
  runtime.exit(failed === 0 ? EXIT_DONE : EXIT_FAILED);
}

/** The proofs: what each one proves, by its name. The first sentence of its module says it. */
function findProofs(): Map<string, string> {
  const names = readdirSync(new URL(FOLDER, ROOT)).filter((name) => name.endsWith(".ts")).sort();
  return new Map(names.map((name) => {
    const code = readFileSync(new URL(FOLDER + name, ROOT), "utf8");
    const text = /^\/\*\*([\s\S]*?)\*\//.exec(code)?.[1]?.replaceAll(/\s*\n \*\s?/g, " ") ?? "";
    return [name.slice(0, -".ts".length), /^\s*(.*?)\.(?:\s|$)/.exec(text)?.[1] ?? "?"];
  }));
}

/**
 * Runs a proof in a process of its own.
 *
 * @param name its name
 * @param on the runtime
 * @param limitMs how long it may take
 * @param signal ends it early
 */
async function run(
  name: string,
  on: RuntimeCommand,
  limitMs: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const [file, ...args] = scriptCommand(on, `${FOLDER}${name}.ts`) as [string, ...string[]];
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...RUNTIME_PATHS },
  });
  let printed = "";
  let told = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => printed += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => told = (told + text).slice(-65536));
  // A proof that is told to end ends the servers that it has started. One that does not listen is
  // killed.
  let killer: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    child.kill("SIGTERM");
    killer ??= setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
  };
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    end();
  }, limitMs);
  signal.addEventListener("abort", end);
  const code = await new Promise<number | null>((resolve) => {
    child.on("error", (error) => {
      told += error.message;
      resolve(null);
    });
    child.on("close", resolve);
  });
  clearTimeout(limit);
  clearTimeout(killer);
  signal.removeEventListener("abort", end);
  const [, verdict, figure] = /^(holds|skipped): (.*)\n$/m.exec(printed.slice(-4096)) ?? [];
  if (code === EXIT_DONE && verdict !== undefined && figure !== undefined && !isLate) {
    return { status: verdict as "holds" | "skipped", figure, output: "" };
  }
  const why = isLate ? `not done after ${formatDuration(limitMs)}` : `exit status ${code}`;
  return { status: "fails", figure: why, output: `${printed}${told}`.trim().slice(-REPEATED) };
}

if (isMainModule(import.meta)) await main();
