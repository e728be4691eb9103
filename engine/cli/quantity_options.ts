/**
 * Options whose values have their own syntax: durations, sizes and rates.
 *
 * @module
 */

import { type Duration, parseDuration } from "../values/durations.ts";
import { parseRate, parseSize, type Rate, type Size } from "../values/quantities.ts";
import { defineOption, type Option, type OptionDetails, OptionError } from "./options.ts";

/**
 * Makes an option that is a length of time. Its value is in milliseconds.
 *
 * @param option its name in the library
 * @param details its default and its help
 */
export function durationOption(
  option: string,
  details: OptionDetails<Duration>,
): Option<number, Duration> {
  return quantityOption("duration", option, details, parseDuration);
}

/**
 * Makes an option that is a number of bytes.
 *
 * @param option its name in the library
 * @param details its default and its help
 */
export function sizeOption(option: string, details: OptionDetails<Size>): Option<number, Size> {
  return quantityOption("size", option, details, parseSize);
}

/**
 * Makes an option that is a number of events a second.
 *
 * @param option its name in the library
 * @param details its default and its help
 */
export function rateOption(option: string, details: OptionDetails<Rate>): Option<number, Rate> {
  return quantityOption("rate", option, details, parseRate);
}

function quantityOption(
  kind: "duration" | "size" | "rate",
  option: string,
  details: OptionDetails<number | string>,
  parse: (given: number | string) => number,
): Option<number, number | string> {
  return defineOption(option, { kind }, details, (given) => {
    try {
      return parse(given);
    } catch (cause) {
      throw new OptionError(`Cannot use ${option}: ${(cause as Error).message}`, { cause });
    }
  });
}
