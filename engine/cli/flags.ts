/**
 * The flags of a command: one table by which they are read, checked and explained.
 *
 * @module
 */

// @ts-types="../types/parse_args.d.ts"
import { parseArgs } from "@std/cli/parse-args";
import { escapeText } from "../../protocols/text.ts";
import { DURATION_FORM, parseDuration } from "../values/durations.ts";
import { formatRows, wrap } from "./layout.ts";
import { offAtZero, parseRate, parseSize, RATE_FORM, SIZE_FORM } from "../values/quantities.ts";
import { nearest } from "./suggestion.ts";

/** The kinds of value with a syntax of their own. */
type Quantity = "duration" | "size" | "rate";

/** How to read values of those kinds, and what their syntax looks like. */
const QUANTITIES: Readonly<
  Record<Quantity, { readonly parse: (text: string) => number; readonly form: string }>
> = {
  duration: { parse: parseDuration, form: DURATION_FORM },
  size: { parse: parseSize, form: SIZE_FORM },
  rate: { parse: parseRate, form: RATE_FORM },
};

/** A flag or a positional argument. */
export interface Flag {
  /** Its name, without `--`. */
  readonly name: string;
  /** A letter with the same meaning, without `-`. */
  readonly short?: string;
  /**
   * The kind of its value. A `duration` is read as milliseconds, a `size` as bytes, and a `rate` as
   * a number per second.
   */
  readonly kind: "boolean" | "string" | "integer" | "choice" | Quantity;
  /** One line that explains it. */
  readonly help: string;
  /** The name of the value in the help, for instance `N`. */
  readonly value?: string;
  /** The possible values of a `choice`. */
  readonly choices?: readonly string[];
  /** Common values of a `string`, for completion. */
  readonly suggestions?: readonly string[];
  /** The least value of an `integer`. */
  readonly least?: number;
  /** Whether a quantity must be more than 0. Otherwise 0 turns it off. */
  readonly positive?: boolean;
  /** The greatest value of an `integer`. */
  readonly most?: number;
  /** Its default, as the help shows it. */
  readonly default?: string;
  /** The value of a `string` flag that is given without one, as `--json` alone. */
  readonly bare?: string;
  /** What a value begins with that stands for the next argument too, which is then left out. */
  readonly covers?: string;
  /** Whether a `string` flag may be given several times. Its value is then a list. */
  readonly repeats?: boolean;
}

/** What a command takes besides its flags. */
export interface Form {
  /** The positional arguments, in order. All but the first `required` ones may be left out. */
  readonly positionals: readonly Flag[];
  /** How many positional arguments there must be. @default {0} */
  readonly required?: number;
  /** An argument that may follow them any number of times and is taken as it is. */
  readonly rest?: Flag;
}

/** A command as a user types it. */
export interface Command extends Form {
  /** Its name, for instance `threadpool`. */
  readonly name: string;
  /** One line that says what it does. */
  readonly summary: string;
  /** Other forms of the command, which apply when a flag such as `protocol` has a certain value. */
  readonly forms?: {
    /** The flag that decides which form applies. */
    readonly flag: string;
    /** The forms, by the value of that flag. */
    readonly of: Readonly<Record<string, Form>>;
  };
  /** The flags. */
  readonly flags: readonly Flag[];
  /** The commands that its first argument can turn it into, by that argument; for completion. */
  readonly commands?: Readonly<Record<string, Command>>;
  /** What else a user should know, in paragraphs below the flags. */
  readonly notes?: readonly string[];
  /** A command line that works as printed. */
  readonly example: string;
}

/** The user typed something that the command does not take. Its message is one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /** @param message what is wrong; it may repeat what the user typed @param options its cause */
  constructor(message: string, options?: ErrorOptions) {
    super(escapeText(message), options);
  }
}

/** The flags that every command has. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: "help", short: "h", kind: "boolean", help: "show this help" },
  { name: "version", kind: "boolean", help: "show the version" },
];

/**
 * All flags of a command, including those that every command has.
 *
 * @param command the command
 */
export function flagsOf(command: Command): readonly Flag[] {
  return [...command.flags, ...COMMON_FLAGS];
}

/**
 * The commands of a command, each with the words that a user types for it.
 *
 * @param typed the words that a user types for the command itself
 * @param command the command
 */
export function commandsOf(
  typed: string,
  { commands = {} }: Command,
): (readonly [words: string, command: Command])[] {
  return Object.entries(commands).map(([word, its]) => [`${typed} ${word}`, its]);
}

/** The given values, by flag name in camel case. */
export type Values = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>;

/**
 * Reads a command line.
 *
 * @param command describes the command line
 * @param args the arguments that the user typed
 * @returns only the values that were given
 * @throws {UsageError} if something is wrong; its message is one line
 */
export function parseFlags(command: Command, args: readonly string[]): Values {
  const flags = flagsOf(command);
  const isBoolean = ({ kind }: Flag) => kind === "boolean";
  const names = (list: readonly Flag[]) => list.map(({ name }) => name);
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const apart = args.slice(0, end).flatMap((argument, index) =>
    takeApart(argument, index + 1 < end ? args[index + 1] : undefined, flags)
  );
  // `_` is where the parser keeps what belongs to no flag, so it takes a flag of that name for its own.
  const underscore = apart.find((argument) => /^(?:-_|--_(?:=|$))/.test(argument));
  if (underscore !== undefined) throw new UsageError(unknownFlag(underscore, names(flags)));
  const parsed = parseArgs(
    [...apart, ...args.slice(end)].map((argument) => hideSign(argument, flags)),
    {
      boolean: names(flags.filter(isBoolean)),
      string: [...names(flags.filter((flag) => !isBoolean(flag))), "_"],
      collect: names(flags.filter(({ repeats }) => repeats === true)),
      alias: Object.fromEntries(flags.flatMap(({ short, name }) => short ? [[short, name]] : [])),
      unknown(argument, key) {
        if (key === undefined) return true;
        throw new UsageError(unknownFlag(argument, names(flags)));
      },
    },
  );

  for (const argument of apart) {
    const [, name, value] = /^--([^=]+)=(.*)$/.exec(argument) ?? [];
    if (flags.some((flag) => isBoolean(flag) && flag.name === name)) {
      throw new UsageError(`wrong value for --${name}: expected none, got "${value}"`);
    }
  }

  const values: Record<string, string | number | boolean | readonly string[]> = {};
  for (const flag of flags) {
    const given = parsed[flag.name];
    if (given === undefined || given === false) continue;
    const read = (text: unknown) => readValue(flag, showSign(String(text)), `--${flag.name}`);
    if (!Array.isArray(given)) values[camelCase(flag.name)] = given === true || read(given);
    else if (given.length > 0) values[camelCase(flag.name)] = given.map((text) => `${read(text)}`);
  }
  if (values.help === true || values.version === true) return values;
  const chosen = command.forms && values[camelCase(command.forms.flag)];
  const form = command.forms?.of[chosen as string] ?? command;
  const shown = form === command
    ? usage(command.name, form)
    : usage(command.name, form, `--${command.forms?.flag} ${chosen}`);
  const positionals = parsed._.map((text) => showSign(String(text)));
  const wanted = argumentsFor(form, positionals);
  const required = (form.required ?? 0) - (form.positionals.length - wanted.length);
  const rest = positionals.splice(wanted.length);
  if (rest.length > 0 && form.rest === undefined) {
    throw new UsageError(`unexpected argument "${rest[0]}": ${shown}`);
  }
  if (positionals.length < required) {
    const missing = wanted[positionals.length] as Flag;
    throw new UsageError(`missing <${missing.name}>: ${shown}`);
  }
  positionals.forEach((text, index) => {
    const flag = wanted[index] as Flag;
    values[camelCase(flag.name)] = readValue(flag, text, `<${flag.name}>`);
  });
  if (rest.length > 0 && form.rest !== undefined) values[camelCase(form.rest.name)] = rest;
  return values;
}

/** The arguments that a form takes, without those that the given values cover. */
function argumentsFor({ positionals }: Form, given: readonly string[]): readonly Flag[] {
  const wanted = [...positionals];
  for (const [index, text] of given.entries()) {
    const prefix = wanted[index]?.covers;
    if (prefix !== undefined && text.startsWith(prefix)) wanted.splice(index + 1, 1);
  }
  return wanted;
}

/** Separates a value from its letter, as in `-d10s`, and fills in a value that may be left out. */
function takeApart(argument: string, next: string | undefined, flags: readonly Flag[]): string[] {
  const bare = flags.find((flag) => flag.bare !== undefined && argument === `--${flag.name}`);
  if (bare !== undefined && (next === undefined || /^-./.test(next))) {
    return [`${argument}=${bare.bare}`];
  }
  const [, letter, value] = /^-([a-z])([^=].*)$/is.exec(argument) ?? [];
  const flag = flags.find(({ short }) => short === letter);
  if (letter === undefined || value === undefined || flag === undefined) return [argument];
  // What follows a letter without a value are further letters, as in getopt(3).
  return flag.kind === "boolean"
    ? [`-${letter}`, ...takeApart(`-${value}`, next, flags)]
    : [`-${letter}`, value];
}

/**
 * Marks arguments whose dash starts no flag: negative numbers, and `-` alone. A flag may have a digit
 * for its letter.
 */
function hideSign(argument: string, flags: readonly Flag[]): string {
  const isFlag = flags.some(({ short }) => argument === `-${short}`);
  return /^-(?:\d|$)/.test(argument) && !isFlag ? `\0${argument}` : argument;
}

function showSign(argument: string): string {
  return argument.startsWith("\0") ? argument.slice(1) : argument;
}

function readValue(flag: Flag, text: string, shown: string): string | number {
  const wrong = (expected: string) =>
    new UsageError(`wrong value for ${shown}: expected ${expected}, got "${text}"`);
  switch (flag.kind) {
    case "integer": {
      const { least = Number.MIN_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER } = flag;
      const number = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
      if (number >= least && number <= most) return number;
      throw wrong(
        flag.most === undefined
          ? `a whole number from ${least}`
          : `a whole number from ${least} to ${most}`,
      );
    }
    case "duration":
    case "size":
    case "rate": {
      const { parse, form } = QUANTITIES[flag.kind];
      try {
        const value = parse(text);
        if (value > 0 || flag.positive !== true) return value;
      } catch {
        // The error is thrown below.
      }
      throw wrong(flag.positive === true ? form : offAtZero(form));
    }
    case "choice":
      if (flag.choices?.includes(text)) return text;
      throw wrong((flag.choices ?? []).join(" or "));
    default:
      if (text !== "") return text;
      throw wrong("a value");
  }
}

function unknownFlag(argument: string, names: readonly string[]): string {
  const flag = argument.split("=")[0] as string;
  const allowed = names.map((name) => `--${name}`);
  const meant = nearest(flag, allowed);
  const hint = meant === undefined ? "" : `did you mean ${meant}? `;
  return `unknown flag ${flag}: ${hint}Allowed are ${allowed.join(", ")}`;
}

function usage(name: string, { positionals, required = 0, rest }: Form, choice?: string): string {
  const words = [
    name,
    ...positionals.map(({ name }, index) => index < required ? `<${name}>` : `[${name}]`),
    ...(rest === undefined ? [] : [`[${rest.name} ...]`]),
    ...(choice === undefined ? [] : [choice]),
    "[flags]",
  ];
  return `usage: ${words.join(" ")}`;
}

/**
 * Writes the help of a command.
 *
 * @param command the command
 * @param columns how long a line may be; command lines may be longer
 * @returns several lines, without the last line end
 */
export function formatHelp(command: Command, columns = Infinity): string {
  const forms = Object.entries(command.forms?.of ?? {});
  const positionals = [command, ...forms.map(([, form]) => form)]
    .flatMap((form) => [...form.positionals, ...(form.rest === undefined ? [] : [form.rest])]);
  const rows = [
    ...[...new Set(positionals)].map((flag) => [`  ${flag.name}`, explain(flag)] as const),
    ...flagsOf(command).map((flag) =>
      [`  ${shownName(flag)}${valueName(flag)}`, explain(flag)] as const
    ),
  ];
  return [
    ...wrap(`${command.name}: ${command.summary}`, columns, 2),
    "",
    usage(command.name, command),
    ...forms.map(([value, form]) =>
      usage(command.name, form, `--${command.forms?.flag} ${value}`).replace("usage:", "      ")
    ),
    ...commandsOf(command.name, command).map(([words, its]) =>
      usage(words, its).replace("usage:", "      ")
    ),
    "",
    ...formatRows(rows, columns),
    "",
    ...(command.notes ?? []).flatMap((note) => [...wrap(note, columns, 0), ""]),
    `example: ${command.example}`,
  ].join("\n");
}

function explain(flag: Flag): string {
  return flag.default === undefined ? flag.help : `${flag.help} (default: ${flag.default})`;
}

/** A flag in both spellings. */
function shownName({ name, short }: Flag): string {
  return short === undefined ? `--${name}` : `-${short}, --${name}`;
}

function valueName(flag: Flag): string {
  if (flag.kind === "boolean") return "";
  const value = flag.choices?.join("|") ?? flag.value ?? flag.kind.toUpperCase();
  return flag.bare === undefined ? ` ${value}` : ` [${value}]`;
}

/**
 * The name under which {@linkcode parseFlags} returns a value.
 *
 * @param name the flag's name, without `--`
 */
export function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
