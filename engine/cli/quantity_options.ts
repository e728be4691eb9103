/**
 * Options whose values have their own syntax: durations, sizes and rates.
 *
 * @module
 */

import { type Duration, parseDuration } from "../values/durations.ts";
import { parseRate, parseSize, type Rate, type Size } from "../values/quantities.ts";
import { defineOption, type Option, type OptionDetails, OptionError } from "./options.ts";

/** What the options here have besides. */
export interface QuantityDetails<Given> extends OptionDetails<Given> {
  /** Whether it must be more than 0. Otherwise 0 turns it off. @default {false} */
  readonly positive?: boolean;
}

/**
 * Makes an option that is a length of time. Its value is in milliseconds.
 *
 * @param option its name in the library
 * @param details its default and its help
 */
export function durationOption(
  option: string,
  details: QuantityDetails<Duration>,
): Option<number, Duration> {
  return quantityOption("duration", option, details, parseDuration);
}

/**
 * Makes an option that is a number of bytes.
 *
 * @param option its name in the library
 * @param details its default and its help
 */
export function sizeOption(option: string, details: QuantityDetails<Size>): Option<number, Size> {
  return quantityOption("size", option, details, parseSize);
}

/**
 * Makes an option that is a number of events a second.
 *
 * @param option its name in the library
 * @param details its default and its help
 */
export function rateOption(option: string, details: QuantityDetails<Rate>): Option<number, Rate> {
  return quantityOption("rate", option, details, parseRate);
}

function quantityOption(
  kind: "duration" | "size" | "rate",
  option: string,
  details: QuantityDetails<number | string>,
  parse: (given: number | string) => number,
): Option<number, number | string> {
  return defineOption(option, { kind }, details, (given) => {
    let value: number;
    try {
      value = parse(given);
    } catch (cause) {
      throw new OptionError(`Cannot use ${option}: ${(cause as Error).message}`, { cause });
    }
    if (value > 0 || details.positive !== true) return value;
    throw new OptionError(`Cannot use ${option}: expected more than 0`);
  });
}
