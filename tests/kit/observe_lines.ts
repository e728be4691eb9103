/**
 * The lines that the commands of `observe` print with `--json`.
 *
 * @module
 */

import form from "../../docs/observe.schema.json" with { type: "json" };
import { linesBy } from "./json_lines.ts";

/**
 * The objects in an output, each of which conforms to the schema.
 *
 * @param text lines of JSON
 */
export const objectsIn: (text: string) => Record<string, unknown>[] = linesBy(form);
