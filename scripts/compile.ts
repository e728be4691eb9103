/**
 * Builds executables: one that holds everything, or one for a single command.
 *
 * With Bun as the base, npm has what the executables for other systems need. With Deno, the base
 * comes from another server, which may be out of reach.
 *
 * @module
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { InterruptedError } from "../engine/dial/failures.ts";
import { COMMANDS } from "../commands.ts";
import { onEndingSignal } from "../engine/process/ending_signals.ts";
import { describeSystemError } from "../engine/net/constants.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { fail, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_SIGNALLED } from "../engine/cli/exit_status.ts";
import { type Command, UsageError } from "../engine/cli/flags.ts";
import { ROOT, type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";

/** The word that means all targets. */
const ALL = "all";

/** The folder of the project. */
const PROJECT = fileURLToPath(ROOT);

/** The targets, and the runtimes' names for them. Deno has none for musl. */
const TARGETS: Readonly<
  Record<string, Readonly<Record<RuntimeCommand["name"], string | undefined>>>
> = {
  "linux-x64": { bun: "bun-linux-x64", deno: "x86_64-unknown-linux-gnu" },
  "linux-arm64": { bun: "bun-linux-arm64", deno: "aarch64-unknown-linux-gnu" },
  "linux-x64-musl": { bun: "bun-linux-x64-musl", deno: undefined },
  "darwin-arm64": { bun: "bun-darwin-arm64", deno: "aarch64-apple-darwin" },
  "darwin-x64": { bun: "bun-darwin-x64", deno: "x86_64-apple-darwin" },
  "windows-x64": { bun: "bun-windows-x64", deno: "x86_64-pc-windows-msvc" },
};

const COMMAND: Command = {
  name: "compile",
  summary: "build executables into dist/",
  positionals: [{
    name: "command",
    kind: "choice",
    choices: Object.keys(COMMANDS),
    default: "all commands in one",
    help: "the only command to include",
  }],
  flags: [
    {
      name: "target",
      kind: "string",
      value: "NAME,...",
      default: "this machine",
      help: `systems to build for: ${[...Object.keys(TARGETS), ALL].join(", ")}`,
    },
    {
      name: "runtime",
      kind: "choice",
      choices: ["bun", "deno"],
      default: "bun",
      help: "the runtime inside the executable",
    },
    {
      name: "into",
      kind: "string",
      value: "PATH",
      default: "dist",
      help: "the folder to build into",
    },
  ],
  example: "deno task compile threadpool --target linux-arm64,windows-x64",
};

/** What to build. */
interface Build {
  /** The only command to include; if it is missing, all commands are included. */
  readonly command: string | undefined;
  /** The system to build for, if it is not this one. */
  readonly target: string | undefined;
  readonly base: RuntimeCommand;
  /** The folder to build into. */
  readonly folder: string;
  /** The commit of the sources, if it is known. */
  readonly commit: string | undefined;
  /** Ends the build early. Unfinished files are removed in any case. */
  readonly signal: AbortSignal;
}

/** An executable could not be built. */
class BuildError extends Error {}

async function main(): Promise<void> {
  const values = readCommandLine(COMMAND);
  const base = RUNTIMES.find(({ name }) => name === (values.runtime ?? "bun")) as RuntimeCommand;
  const interrupt = new AbortController();
  const { signal } = interrupt;
  const forget = onEndingSignal(() => interrupt.abort());
  try {
    for (const target of readTargets(values.target as string | undefined)) {
      const command = values.command as string | undefined;
      const folder = (values.into ?? "dist") as string;
      const path = await build({ command, target, base, folder, commit: findCommit(), signal });
      const megabytes = (statSync(resolve(PROJECT, path)).size / 1e6).toFixed(1);
      runtime.printNow("stdout", `${path}  ${megabytes} MB\n`);
    }
  } catch (error) {
    if (error instanceof InterruptedError) runtime.exit(EXIT_SIGNALLED);
    const isUsage = error instanceof UsageError;
    if (!isUsage && !(error instanceof BuildError)) throw error;
    fail(COMMAND.name, error.message, isUsage ? 2 : 1);
  } finally {
    forget();
  }
}

/** Reads a list of targets; `undefined` means this machine. */
function readTargets(list: string | undefined): (string | undefined)[] {
  if (list === undefined) return [undefined];
  if (list === ALL) return Object.keys(TARGETS);
  return list.split(",").map((target) => {
    if (Object.hasOwn(TARGETS, target)) return target;
    const expected = [...Object.keys(TARGETS), ALL].join(", ");
    throw new UsageError(`wrong value for --target: expected ${expected}, got "${target}"`);
  });
}

/** Builds one executable and returns its path, relative to the project's folder. */
async function build({ command, target, base, folder, commit, signal }: Build): Promise<string> {
  const name = ["handshake", command, target].filter((part) => part !== undefined).join("-");
  const isWindows = target === undefined ? runtime.os === "windows" : target.startsWith("windows");
  const file = `${name}${isWindows ? ".exe" : ""}`;
  const entry = `${ENTRIES}${name}.ts`;
  const theirs = target === undefined ? undefined : TARGETS[target]?.[base.name];
  if (target !== undefined && theirs === undefined) {
    throw new BuildError(`Cannot build for ${target} with ${base.name}: use --runtime bun`);
  }
  const { made, unfinished } = makeFolders(folder);
  writeEntry(entry, formatEntry(command, commit));
  try {
    const path = join(unfinished, file);
    const forTarget = theirs === undefined ? [] : [`--target=${theirs}`];
    const args = base.name === "bun"
      ? ["build", "--compile", ...BUN_FLAGS, ...forTarget, join(PROJECT, entry), "--outfile", path]
      // The types are checked by `deno task check`.
      : ["compile", "--quiet", "--no-check", "-A", ...forTarget, "--output", path, entry];
    // Bun puts unfinished files into its working directory, and Deno looks for its settings there.
    const from = base.name === "bun" ? unfinished : PROJECT;
    const { isDone, stderr } = await runToEnd(base.path, args, from, signal);
    if (!isDone) throw new BuildError(explain(base, target, stderr));
    renameSync(path, join(made, file));
  } finally {
    rmSync(unfinished, { recursive: true });
  }
  return join(folder, file);
}

/** Runs the build tool in a folder. Returns its messages, and whether it succeeded. */
async function runToEnd(
  path: string,
  args: readonly string[],
  cwd: string,
  signal: AbortSignal,
): Promise<{ isDone: boolean; stderr: string }> {
  const child = spawn(path, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
  const stop = () => child.kill();
  signal.addEventListener("abort", stop);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  try {
    const isDone = await new Promise<boolean>((resolve, reject) => {
      child.on(
        "error",
        ({ message }) =>
          reject(new BuildError(`Cannot start ${path}: ${message}: run deno task install`)),
      );
      child.on("close", (status) => resolve(status === 0));
    });
    if (signal.aborted) throw new InterruptedError();
    return { isDone, stderr };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Makes the folder to build into, and inside it one for unfinished files. So a failed build leaves an
 * earlier executable in place: Deno would remove the file that it was to replace.
 */
function makeFolders(folder: string): { made: string; unfinished: string } {
  const made = resolve(PROJECT, folder);
  try {
    mkdirSync(made, { recursive: true });
    return { made, unfinished: mkdtempSync(join(made, ".unfinished-")) };
  } catch (error) {
    throw new BuildError(`Cannot build into ${folder}: ${describeSystemError(error)}`);
  }
}

/**
 * Each Worker loads bytecode in less than half the time that reading the source takes. The
 * executable also ignores settings in the folder in which somebody runs it.
 */
const BUN_FLAGS = [
  "--bytecode",
  "--format=esm",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
];

/** The folder for the entry modules. Their names become part of the executables. */
const ENTRIES = "dist/.entries/";

/**
 * Writes an entry module in a single step, and leaves it there: another build of the same
 * executable may be reading it.
 */
function writeEntry(entry: string, text: string): void {
  mkdirSync(new URL(ENTRIES, ROOT), { recursive: true });
  const unfinished = new URL(`${entry}.${process.pid}`, ROOT);
  writeFileSync(unfinished, text);
  renameSync(unfinished, new URL(entry, ROOT));
}

/** The text of the entry module, which every thread runs first. */
function formatEntry(command: string | undefined, commit: string | undefined): string {
  const head = `import { buildInfo } from "../../engine/cli/build_info.ts";\n`;
  const facts = `Object.assign(buildInfo, ${
    // Unknown facts are left out.
    JSON.stringify({ isExecutable: true, commit, command })});\n`;
  if (command === undefined) {
    return `${head}import { runMain } from "../../main.ts";\n${facts}await runMain();\n`;
  }
  const { script } = COMMANDS[command] as { script: string };
  return [
    head,
    `import { program } from "../../${script}";\n`,
    `import { runAlone } from "../../engine/cli/invocation.ts";\n`,
    `import { loadServiceThread } from "../../engine/server/service_threads.ts";\n`,
    facts,
    `await loadServiceThread();\n`,
    `await runAlone(program);\n`,
  ].join("");
}

/** Says in one sentence why a build failed. */
function explain(base: RuntimeCommand, target = "this machine", output: string): string {
  // deno-lint-ignore no-control-regex -- colours begin with the control character ESC
  const said = output.replaceAll(/\u001b\[[0-9;]*m/g, "").trim();
  const isUnreachable = /dns error|failed to lookup|sending request|download|tcp connect/i.test(
    said,
  );
  if (isUnreachable) {
    const what = `what ${base.name} needs for ${target}`;
    const hint = base.name === "deno"
      ? "use --runtime bun, whose base comes from npm"
      : "try again";
    const [url = "its server"] = /https?:\/\/\S+?(?=[\s)"]|$)/.exec(said) ?? [];
    return `Cannot fetch ${what} from ${url}: connect to the network or ${hint}`;
  }
  return `Cannot build with ${base.name} for ${target}: ${said.split("\n")[0]}`;
}

/** The commit of the sources, with a mark if they have changed since. */
function findCommit(): string | undefined {
  const git = (...args: readonly string[]) =>
    spawnSync("git", args, { cwd: PROJECT, encoding: "utf8" });
  const { status, stdout } = git("rev-parse", "--short", "HEAD");
  if (status !== 0) return undefined;
  const isChanged = git("status", "--porcelain", "--untracked-files=no").stdout !== "";
  return `${stdout.trim()}${isChanged ? "+changes" : ""}`;
}

if (isMainModule(import.meta)) await main();
