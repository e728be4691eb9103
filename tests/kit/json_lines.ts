/**
 * Lines of JSON that a command prints, and the schema that describes them.
 *
 * @module
 */

import { Ajv2020 } from "ajv/dist/2020.js";
import { assertEquals } from "./harness.ts";

/**
 * Makes a reader of lines that conform to a schema. A reader of another version ignores what it does
 * not know. But a command of this version prints nothing that the schema does not describe.
 *
 * @param form the schema
 * @returns a function that takes an output apart into its objects, each of which conforms
 */
export function linesBy(form: unknown): (text: string) => Record<string, unknown>[] {
  const conforms = new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(
      JSON.stringify(form),
      (_, value) =>
        value?.type === "object" && value.additionalProperties === undefined
          ? { ...value, additionalProperties: false }
          : value,
    ),
  );
  return (text) =>
    text.trimEnd().split("\n").map((line) => {
      const object = JSON.parse(line);
      assertEquals([conforms(object), line, conforms.errors], [true, line, null]);
      return object;
    });
}
