/**
 * Shell scripts that complete commands, flags and their values. They are made from the same table
 * as the help.
 *
 * @module
 */

import { type Command, commandsOf, type Flag, flagsOf } from "./flags.ts";
import { asWord, quoteWord } from "./invocation.ts";

/** The shells that have a completion script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of these shells. */
export type Shell = typeof SHELLS[number];

/** The name of the shell function that completes. */
const COMPLETER = "_handshake";

/** A program that can be completed. */
export interface Completable {
  /** The names of the program, without folders. */
  readonly names: readonly string[];
  /** All its commands, by name. */
  readonly commands: ReadonlyMap<string, Command>;
  /** The flags that need no command. */
  readonly flags: readonly Flag[];
}

/**
 * Writes the completion script for a shell.
 *
 * @param shell the shell
 * @param program the program to complete
 * @returns the script, without its last line end
 */
export function formatCompletions(shell: Shell, program: Completable): string {
  return { bash: formatBash, zsh: formatZsh, fish: formatFish }[shell](program);
}

/** All commands, including commands of commands, each with the words that a user types for it. */
function allOf({ commands }: Completable): (readonly [words: string, command: Command])[] {
  return [...commands].flatMap(([name, command]) => [
    [name, command] as const,
    ...commandsOf(name, command),
  ]);
}

/** The commands of commands, each as the words that a user types for it. */
function pairsOf(program: Completable): string[] {
  return allOf(program).map(([words]) => words).filter((words) => words.includes(" "));
}

/** The possible values of a flag or an argument, as words. */
function wordsOf({ choices, suggestions }: Flag): string {
  return (choices ?? suggestions ?? []).join(" ");
}

/** Flags, as words. */
function flagWords(flags: readonly Flag[]): string {
  return flags.map(({ name }) => `--${name}`).join(" ");
}

/** The names of the program, as words. */
function namesOf({ names }: Completable): string {
  return names.map(asWord).join(" ");
}

/** Whether a flag's value is a list of words with commas between them. */
function isList({ value = "" }: Flag): boolean {
  return value === "LIST";
}

/** Whether a flag's value may be a file. */
function isPath({ value = "" }: Flag): boolean {
  return /PATH|FILE/.test(value);
}

/** Whether any of a command's arguments may be a file. */
function takesPaths({ positionals, rest }: Command): boolean {
  return [...positionals, ...(rest === undefined ? [] : [rest])].some(isPath);
}

/** The possible values of a command's positional arguments, as words. */
function positionalWords({ positionals }: Command): string {
  return positionals.map(wordsOf).join(" ").trim();
}

function formatBash(program: Completable): string {
  const { commands } = program;
  const cases = allOf(program).map(([name, command]) => {
    const flags = flagsOf(command);
    const valued = flags.filter(({ kind }) => kind !== "boolean").map((flag) =>
      `        --${flag.name}) words=${quoteWord(wordsOf(flag))}${
        isPath(flag) ? " files=yes" : ""
      }${isList(flag) ? " list=yes" : ""} ;;`
    );
    const options = quoteWord(flagWords(flags));
    const values = positionalWords(command);
    // Before anything is typed, offer what the command is about; after a dash, offer its flags.
    const files = takesPaths(command) ? "files=yes" : "";
    const own = [...(values === "" ? [] : [`words=${quoteWord(values)}`]), files].join(" ").trim();
    const others = own === ""
      ? `words=${options}`
      : `${own}; case $current in -*) words=${options} files= ;; esac`;
    return [
      `    ${quoteWord(name)})`,
      "      case $previous in",
      ...valued,
      `        *) ${others} ;;`,
      "      esac ;;",
    ].join("\n");
  });
  // Bash treats the = of --flag=value as a word.
  return `${COMPLETER}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} words= files= file
  local list= before= word left=
  if [ "$current" = = ]; then
    current=
  elif [ "$previous" = = ]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    words=${quoteWord([...commands.keys()].join(" "))}
    case $current in -*) words=${quoteWord(flagWords(program.flags))} ;; esac
  else
    local command=\${COMP_WORDS[1]}
    if [ "$COMP_CWORD" -gt 2 ]; then
      case "$command \${COMP_WORDS[2]}" in
        ${
    pairsOf(program).map(quoteWord).join("|") || "''"
  }) command="$command \${COMP_WORDS[2]}" ;;
      esac
    fi
    case $command in
${cases.join("\n")}
    esac
  fi
  if [ -n "$list" ]; then
    case $current in *,*) before=\${current%,*}, ;; esac
    for word in $words; do
      case ",$before" in *",$word,"*) ;; *) left="$left $word" ;; esac
    done
    words=$left
    compopt -o nospace 2>/dev/null
  fi
  COMPREPLY=($(compgen -P "$before" -W "$words" -- "\${current#"$before"}"))
  if [ -n "$files" ]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$current")
  fi
}
complete -F ${COMPLETER} ${namesOf(program)}`;
}

function formatZsh(program: Completable): string {
  const { commands, flags } = program;
  const described = [...commands].map(([name, { summary }]) =>
    `    ${quoteWord(`${name}:${summary.replaceAll(":", "\\:")}`)}`
  );
  const cases = allOf(program).map(([name, command]) =>
    [
      `    ${quoteWord(name)}) _arguments \\`,
      ...flagsOf(command).map((flag) => `      ${quoteWord(zshFlag(flag))} \\`),
      ...command.positionals.map((flag) =>
        `      ${quoteWord(`:${zshText(flag.name)}:${zshValues(flag)}`)} \\`
      ),
      ...(command.rest === undefined
        ? []
        : [`      ${quoteWord(`*:${zshText(command.rest.name)}:${zshValues(command.rest)}`)} \\`]),
      "      ;;",
    ].join("\n")
  );
  // zsh takes a file from its function path as the body of the function on its first call.
  return `#compdef ${namesOf(program)}
${COMPLETER}() {
  local -a commands
  commands=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then
    if [[ $words[2] == -* ]]; then
      _arguments ${flags.map((flag) => quoteWord(zshFlag(flag))).join(" ")}
    else
      _describe command commands
    fi
    return
  fi
  local name=$words[2]
  shift words
  (( CURRENT-- ))
  if (( CURRENT > 2 )); then
    case "$name $words[2]" in
    ${pairsOf(program).map(quoteWord).join("|") || "''"})
      name="$name $words[2]"
      shift words
      (( CURRENT-- ))
      ;;
    esac
  fi
  case $name in
${cases.join("\n")}
  esac
}
if [[ $funcstack[1] == ${COMPLETER} ]]; then
  ${COMPLETER} "$@"
else
  compdef ${COMPLETER} ${namesOf(program)}
fi`;
}

/** A flag in the form that `_arguments` takes. */
function zshFlag(flag: Flag): string {
  const help = flag.help.replace(/[[\]:\\]/g, "\\$&");
  if (flag.kind === "boolean") return `--${flag.name}[${help}]`;
  return `--${flag.name}=[${help}]:${zshText(flag.value ?? flag.kind)}:${zshValues(flag)}`;
}

/** Text in what `_arguments` takes: a colon would end it. */
function zshText(text: string): string {
  return text.replaceAll(":", "\\:");
}

function zshValues(flag: Flag): string {
  const words = zshText(wordsOf(flag));
  if (isList(flag) && words !== "") return `_sequence compadd - ${words}`;
  if (!isPath(flag)) return `(${words})`;
  return words === "" ? "_files" : `{compadd ${words}; _files}`;
}

function formatFish({ names, commands, flags }: Completable): string {
  return names.map(asWord).flatMap((program) => [
    // Files are offered only if a flag says so.
    `complete -c ${program} -f`,
    ...flags.map(({ name, help }) =>
      `complete -c ${program} -n __fish_use_subcommand -l ${name} -d ${quoteWord(help)}`
    ),
    ...[...commands].flatMap(([name, command]) => [
      `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quoteWord(command.summary)}`,
      ...fishLines(program, command, seen(name, ...unseen(command))),
      ...Object.entries(command.commands ?? {}).flatMap(([word, its]) =>
        fishLines(program, its, seen(name, `__fish_seen_subcommand_from ${word}`))
      ),
    ]),
  ]).join("\n");
}

/** The condition that a command was typed and that the other conditions hold. */
function seen(name: string, ...others: readonly string[]): string {
  return quoteWord([`__fish_seen_subcommand_from ${name}`, ...others].join("; and "));
}

/** The conditions that none of a command's own commands was typed. */
function unseen({ commands = {} }: Command): string[] {
  return Object.keys(commands).map((word) => `not __fish_seen_subcommand_from ${word}`);
}

function fishLines(program: string, command: Command, isThis: string): string[] {
  const words = positionalWords(command);
  return [
    ...flagsOf(command).map((flag) => {
      const values = wordsOf(flag);
      const takes = flag.kind === "boolean" ? "" : isPath(flag) ? " -r -F" : " -x";
      const all = isList(flag) ? `(__fish_append , ${values})` : values;
      const offered = values === "" ? "" : ` -a ${quoteWord(all)}`;
      const about = ` -d ${quoteWord(flag.help)}`;
      return `complete -c ${program} -n ${isThis} -l ${flag.name}${takes}${offered}${about}`;
    }),
    ...(words === "" ? [] : [`complete -c ${program} -n ${isThis} -a ${quoteWord(words)}`]),
    ...(takesPaths(command) ? [`complete -c ${program} -n ${isThis} -F`] : []),
  ];
}
