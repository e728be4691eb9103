/**
 * Checks of single options, and the error of one that is not what it may be. Without anything that
 * hangs on the other options, for the sake of the Workers that load it.
 *
 * @module
 */

/** An option of `serve` is not what it may be. */
export class OptionError extends RangeError {
  /** The class's name. */
  override readonly name = "OptionError";
}

/**
 * Checks a number.
 *
 * @param name the option's name, for the message
 * @param value what was given
 * @param least the least allowed
 * @param most the most allowed
 * @returns the number
 * @throws {OptionError} if it is no whole number in that range
 */
export function checkInteger(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new OptionError(
    `Cannot use ${name}: expected a whole number from ${least} to ${most}, current value is "${value}"`,
  );
}

/**
 * Checks what has a syntax of its own: a duration, a size, a rate.
 *
 * @param name the option's name, for the message
 * @param value what was given
 * @param parse reads it
 * @returns what `parse` returned
 * @throws {OptionError} if `parse` throws
 */
export function checkQuantity(
  name: string,
  value: number | string,
  parse: (value: number | string) => number,
): number {
  try {
    return parse(value);
  } catch (cause) {
    throw new OptionError(`Cannot use ${name}: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Checks one of several words.
 *
 * @param name the option's name, for the message
 * @param value what was given
 * @param choices what it can be
 * @returns the word
 * @throws {OptionError} if it is none of them
 */
export function checkChoice<Choice extends string>(
  name: string,
  value: Choice | undefined,
  choices: readonly Choice[],
): Choice {
  if (value !== undefined && choices.includes(value)) return value;
  throw new OptionError(
    `Cannot use ${name}: expected ${choices.join(" or ")}, current value is "${value}"`,
  );
}
