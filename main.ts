/**
 * The command line over everything: `handshake threadpool 8080`, `handshake client …`, `handshake
 * chat`. The executable is this module, which also runs as a script.
 *
 * @module
 */

import { COMMANDS, GROUPS } from "./commands.ts";
import { isMainModule, parentage, runtime } from "./engine/net/runtime.ts";
import { buildInfo } from "./engine/cli/build_info.ts";
import { fail, formatVersion, printAndExit, readCommandLine } from "./engine/cli/command_line.ts";
import { EXIT_USAGE } from "./engine/cli/exit_status.ts";
import { formatCompletions, type Shell, SHELLS } from "./engine/cli/completions.ts";
import { type Command, commandsOf, COMMON_FLAGS, formatHelp } from "./engine/cli/flags.ts";
import { baseCommand, formatRun, invokeAs } from "./engine/cli/invocation.ts";
import { formatRows, wrap } from "./engine/cli/layout.ts";
import type { Program } from "./engine/cli/program.ts";
import { nearest } from "./engine/cli/suggestion.ts";
import { loadServiceThread } from "./engine/server/service_threads.ts";
import { modeOfThread } from "./engine/workers/thread_names.ts";

/** The script of this module. */
const SCRIPT = "main.ts";

/** The heading that the commands of this module are listed under. */
const OTHERS = "Others";

/** The commands of this module. */
const BUILTINS: Readonly<Record<string, () => Program>> = { completions, help };

/** All commands, in the order in which they are listed. */
const NAMES: readonly string[] = [...Object.keys(COMMANDS), ...Object.keys(BUILTINS)];

/** The flags that can stand without a command. */
const FLAGS: readonly string[] = COMMON_FLAGS.map(({ name }) => `--${name}`);

/**
 * Runs the command that this process was started with. In a Worker, and in a process that a server
 * has started, it loads the mode.
 */
export async function runMain(): Promise<void> {
  if (!runtime.isMainThread || parentage !== undefined) return await loadThread();
  const [first = "help", ...args] = runtime.args;
  const name = first === "--help" || first === "-h" ? "help" : first;
  if (name === "--version") return printAndExit(formatVersion());
  if (!isCommand(name)) refuse(name);
  (await load(name, args)).run();
}

/** Loads the module that this Worker or process is for. In one of any other name nothing starts. */
async function loadThread(): Promise<void> {
  await loadServiceThread();
  const mode = parentage?.mode ?? modeOfThread();
  if (mode !== undefined && Object.hasOwn(COMMANDS, mode)) await COMMANDS[mode]?.load();
}

function isCommand(name: string): boolean {
  return NAMES.includes(name);
}

/** Loads a command that was typed with these arguments. */
async function load(name: string, args: readonly string[]): Promise<Program> {
  // This must come before its module is loaded, because the module may show at once how the command
  // is typed.
  invokeAs({ name, typed: `${baseCommand(SCRIPT)} ${name}`, args });
  const builtin = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
  if (builtin !== undefined) return builtin();
  return await (await COMMANDS[name]!.load()).program();
}

function help(): Program {
  const command: Command = {
    name: "help",
    summary: "show the commands, or how one of them is used",
    positionals: [{
      name: "command",
      kind: "string",
      help: "the command to explain",
      suggestions: NAMES,
    }, {
      name: "subcommand",
      kind: "string",
      help: "one of its subcommands, for instance bench compare",
    }],
    flags: [],
    example: formatRun(`${SCRIPT} help`, "threadpool"),
  };
  return {
    command,
    async run() {
      const values = readCommandLine(command);
      const name = values.command as string | undefined;
      if (name === undefined) return printAndExit(await formatOverview());
      if (!isCommand(name)) refuse(name);
      const { command: its } = await load(name, []);
      const words = [name, values.subcommand ?? []].flat().join(" ");
      const known = [[name, its] as const, ...commandsOf(name, its)];
      const found = known.find(([typed]) => typed === words);
      if (found === undefined) refuse(words, known.map(([typed]) => typed));
      const asked = { ...found[1], name: `${baseCommand(SCRIPT)} ${words}` };
      printAndExit(formatHelp(asked, runtime.columns("stdout")));
    },
  };
}

function completions(): Program {
  const command: Command = {
    name: "completions",
    summary: "print a script that completes commands and flags in a shell",
    positionals: [{ name: "shell", kind: "choice", choices: SHELLS, help: SHELLS.join(", ") }],
    required: 1,
    flags: [],
    example: formatRun(`${SCRIPT} completions`, "bash"),
  };
  return {
    command,
    async run() {
      const shell = readCommandLine(command).shell as Shell;
      const names = new Set(["handshake", calledAs()]);
      const commands = await loadAll();
      printAndExit(formatCompletions(shell, { names: [...names], commands, flags: COMMON_FLAGS }));
    },
  };
}

/** The name under which a shell knows this program. Completions work whatever folder it is in. */
function calledAs(): string {
  if (buildInfo.isExecutable !== true) return "handshake";
  return runtime.executable.replace(/^.*[\\/]/, "").replace(/\.exe$/, "");
}

/** All commands by name, in the order in which they are listed. */
async function loadAll(): Promise<Map<string, Command>> {
  const all = new Map<string, Command>();
  for (const name of NAMES) {
    all.set(name, (await load(name, [])).command);
  }
  return all;
}

/** The list of all commands, in groups. */
async function formatOverview(): Promise<string> {
  const base = baseCommand(SCRIPT);
  const commands = await loadAll();
  const columns = runtime.columns("stdout");
  const width = Math.max(...[...commands.keys()].map(({ length }) => length));
  const groups = [...Object.values(GROUPS), OTHERS].map((group) => {
    const rows = [...commands]
      .filter(([name]) => (COMMANDS[name]?.group ?? OTHERS) === group)
      .map(([name, { summary }]) => [`  ${name.padEnd(width)}`, summary] as const);
    return [`${group}:`, ...formatRows(rows, columns)].join("\n");
  });
  const more = `${base} COMMAND --help explains a command; ${base} --version shows the version.`;
  return [
    `usage: ${base} COMMAND [arguments] [flags]`,
    ...groups,
    wrap(more, columns).join("\n"),
  ].join("\n\n");
}

/** Ends the process because there is no such command or flag among the known ones. */
function refuse(name: string, known: readonly string[] = [...FLAGS, ...NAMES]): never {
  const kind = name.startsWith("-") ? "flag" : "command";
  // Somebody who types `version` means a flag, and somebody who types `--event` means a command.
  const meant = nearest(name, known);
  const hint = meant === undefined
    ? `${baseCommand(SCRIPT)} --help lists them`
    : `did you mean ${baseCommand(SCRIPT)} ${meant}?`;
  fail("handshake", `unknown ${kind} "${name}": ${hint}`, EXIT_USAGE);
}

if (isMainModule(import.meta) || parentage !== undefined) await runMain();
