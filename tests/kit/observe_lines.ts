/**
 * The lines that the commands of `observe` print with `--json`.
 *
 * @module
 */

import { Ajv2020 } from "ajv/dist/2020.js";
import form from "../../docs/observe.schema.json" with { type: "json" };
import { assertEquals } from "./harness.ts";

// Unknown types and properties are allowed, but not from the commands of this version.
const conforms = new Ajv2020({ strict: false, validateFormats: false }).compile(
  JSON.parse(
    JSON.stringify(form),
    (_, value) =>
      value?.type === "object" && value.additionalProperties === undefined
        ? { ...value, additionalProperties: false }
        : value,
  ),
);

/**
 * The objects in an output, each of which conforms to the schema.
 *
 * @param text lines of JSON
 */
export function objectsIn(text: string): Record<string, unknown>[] {
  return text.trimEnd().split("\n").map((line) => {
    const object = JSON.parse(line);
    assertEquals([conforms(object), line, conforms.errors], [true, line, null]);
    return object;
  });
}
