/**
 * `--repeat` and `--warm-up` for one server: a comparison with nobody else in it.
 *
 * @module
 */

import type { Address } from "../protocols/effects.ts";
import { UsageError, type Values } from "../engine/cli/flags.ts";
import { integerOption, valueOf } from "../engine/cli/options.ts";
import { durationOption } from "../engine/cli/quantity_options.ts";
import type { Comparison } from "./compare.ts";
import type { Plan } from "./load/plan.ts";
import { pidOf, readyServer } from "./running_servers.ts";

/** How often the server is measured. */
export const REPEAT = integerOption("repeat", {
  least: 1,
  most: 1000,
  default: 1,
  help: "how often to measure; each time is shown, with the median and the spread",
});

/** How long the server is under load before it is measured. */
export const WARM_UP = durationOption("warmUp", {
  default: 0,
  help: "how long the server is under load before it is measured",
});

/** What the user says about repeats. */
export interface Repeats {
  readonly repeats: number;
  readonly warmUpMs: number;
}

/**
 * Reads the flags.
 *
 * @param values the flags
 * @param isStudy whether runs at different rates are asked for
 * @throws {UsageError} if those are asked for several times
 */
export function readRepeats(values: Values, isStudy: boolean): Repeats {
  const repeats = valueOf(REPEAT, values);
  if (isStudy && repeats > 1) {
    throw new UsageError("--repeat is for runs with one load, and not for --find or --rates");
  }
  return { repeats, warmUpMs: valueOf(WARM_UP, values) };
}

/**
 * The comparison of a server with nobody.
 *
 * @param plan the load
 * @param repeats how often it is measured
 * @param server where it is, its process if the user has named it, and its name
 * @param percentiles the percentiles that are asked for
 */
export function repeated(
  plan: Plan,
  { repeats, warmUpMs }: Repeats,
  server: {
    readonly address: Address;
    readonly listensAt: Address;
    readonly pid: number | undefined;
    readonly name: string;
  },
  percentiles: readonly number[] | undefined,
): Comparison {
  const { address, listensAt, pid, name } = server;
  return {
    subjects: [{
      name,
      subject: null,
      isNamed: true,
      whyNot: () => undefined,
      start: () => Promise.resolve(readyServer(address, pid ?? pidOf(listensAt))),
    }],
    plans: [plan],
    repeats,
    warmUpMs,
    percentiles,
    way: undefined,
    traces: undefined,
    profile: undefined,
    reference: undefined,
  };
}
