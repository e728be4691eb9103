/**
 * Options that are stated once. One object holds an option's range, its default and its help. This
 * object is the flag of the command line. It also checks the same option of the library:
 *
 * ```ts
 * import { integerOption } from "./options.ts";
 *
 * const QUEUE = integerOption("queue", {
 *   least: 0,
 *   most: 65_536,
 *   default: 1024,
 *   help: "how many connections wait for a worker",
 * });
 * const flags = [QUEUE];
 * const queue = QUEUE.read(undefined); // 1024
 * ```
 *
 * Workers load this module, so it is small. Options whose values have their own syntax (durations,
 * sizes, rates) are in `quantity_options.ts`.
 *
 * @module
 */

import type { Flag, Values } from "./flags.ts";

/** The value of an option is wrong. */
export class OptionError extends RangeError {
  /** The class's name. */
  override readonly name = "OptionError";
}

/** An option of the library that is also a flag. */
export interface Option<Value, Given = Value> extends Flag {
  /** Its name in the library, for instance `maxThreads`. The flag is `max-threads` then. */
  readonly option: string;
  /**
   * Checks what the caller gave, and fills in the default.
   *
   * @param given the option as the caller gave it
   * @returns the checked value
   * @throws {OptionError} if the value is wrong, or if it is missing and there is no default
   */
  read(given: Given | undefined): Value;
}

/** What every kind of option has. */
export interface OptionDetails<Given> {
  /** The line in the help. */
  readonly help: string;
  /** A letter that stands for the flag on the command line, without `-`. */
  readonly short?: string;
  /** The word for the value in the help, for instance `FILE`. */
  readonly value?: string;
  /** The value if the user gives none. It is a function if it depends on the machine. */
  readonly default?: Given | (() => Given);
  /** The default in words, for the help, if the value itself says too little. */
  readonly shown?: string;
}

/**
 * States an option.
 *
 * @param option its name in the library, in camel case
 * @param own what this kind of flag has besides the details
 * @param details what every kind of option has
 * @param check returns the value, or throws an `OptionError` that names the option
 */
export function defineOption<Value, Given>(
  option: string,
  own: Pick<Flag, "kind"> & Partial<Flag>,
  details: OptionDetails<Given>,
  check: (given: Given) => Value,
): Option<Value, Given> {
  const { default: standard, shown, ...rest } = details;
  const isFixed = standard !== undefined && typeof standard !== "function";
  const text = shown ?? (isFixed && own.kind !== "boolean" ? String(standard) : undefined);
  return {
    name: dashed(option),
    ...own,
    ...rest,
    ...(text !== undefined && { default: text }),
    option,
    read(given) {
      const missing = () => typeof standard === "function" ? (standard as () => Given)() : standard;
      const value = given ?? missing();
      if (value !== undefined) return check(value);
      throw new OptionError(`Cannot use ${option}: expected a value, current value is "undefined"`);
    },
  };
}

/**
 * Makes an option that is a whole number.
 *
 * @param option its name in the library
 * @param details its range, its default and its help
 */
export function integerOption(
  option: string,
  details: OptionDetails<number> & { readonly least: number; readonly most: number },
): Option<number> {
  const { least, most } = details;
  return defineOption(option, { kind: "integer", value: "N" }, details, (given) => {
    if (Number.isInteger(given) && given >= least && given <= most) return given;
    throw new OptionError(
      `Cannot use ${option}: expected a whole number from ${least} to ${most}, current value is "${given}"`,
    );
  });
}

/**
 * Makes an option that is one of several words.
 *
 * @param option its name in the library
 * @param details the words, the default and the help; `available` returns the words that work on
 * this machine, if not all do
 */
export function choiceOption<Choice extends string>(
  option: string,
  details: OptionDetails<Choice> & {
    readonly choices: readonly Choice[];
    readonly available?: () => readonly Choice[];
  },
): Option<Choice> {
  const { available, ...rest } = details;
  return defineOption(option, { kind: "choice" }, rest, (given) => {
    const choices = available?.() ?? details.choices;
    if (choices.includes(given)) return given;
    throw new OptionError(
      `Cannot use ${option}: expected ${choices.join(" or ")}, current value is "${given}"`,
    );
  });
}

/**
 * Makes an option that is true or false. An option that is true by default has a flag that turns it
 * off: `prime` has `--no-prime`.
 *
 * @param option its name in the library
 * @param details the default, and the help of the flag
 */
export function booleanOption(
  option: string,
  details: OptionDetails<boolean> & { readonly default: boolean },
): Option<boolean> {
  const name = details.default ? `no-${dashed(option)}` : dashed(option);
  return defineOption(option, { kind: "boolean", name }, details, (given) => given);
}

/**
 * Makes an option that is text. The text is not checked here.
 *
 * @param option its name in the library
 * @param details the default and the help; `suggestions` are frequent values
 */
export function stringOption<Given = string>(
  option: string,
  details: OptionDetails<Given> & { readonly suggestions?: readonly string[] },
): Option<Given> {
  return defineOption(option, { kind: "string" }, details, (given) => given);
}

/**
 * Reads an option from a command line.
 *
 * @param option the option
 * @param values what was given on the command line
 * @returns its value, or its default
 * @throws {OptionError} if it was not given and has no default
 */
export function valueOf<Value, Given>(option: Option<Value, Given>, values: Values): Value {
  return option.read(values[option.option] as Given | undefined);
}

/** `max-threads` for `maxThreads`. */
function dashed(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
