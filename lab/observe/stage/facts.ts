/**
 * Facts: what a lesson has established.
 *
 * @module
 */

import type { FactEvent } from "../../../engine/recording/events.ts";

/** A union without two of its fields. */
type Without<Union> = Union extends FactEvent ? Omit<Union, "type" | "at"> : never;

/** A fact, without its place in a recording. */
export type Fact = Without<FactEvent>;
