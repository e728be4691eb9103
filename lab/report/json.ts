/**
 * Reads and writes a measurement as a JSON file, in the form that `docs/bench.schema.json`
 * describes.
 *
 * @module
 */

import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import form from "../../docs/bench.schema.json" with { type: "json" };
import { type Report, SCHEMA } from "../load/results.ts";

/** The beginning of the schema's name in every version. */
const FAMILY = "handshake-bench/";

/** A file is not a measurement, or it is damaged. */
export class ReportFormatError extends Error {
  override readonly name = "ReportFormatError";
}

/**
 * Writes a measurement.
 *
 * @param report the measurement
 * @returns the text of the file, with its last line end
 */
export function formatJson(report: Report): string {
  return `${JSON.stringify(report, null, 1)}\n`;
}

/**
 * Reads a measurement.
 *
 * @param text the text of the file
 * @param source the name of the file
 * @throws {ReportFormatError} if it is not a measurement; the message is one line
 */
export function parseJson(text: string, source: string): Report {
  const wrong = (what: string, cause?: unknown) =>
    new ReportFormatError(`Cannot read ${source}: ${what}`, { cause });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw wrong("it is not JSON, or not all of it is there", cause);
  }
  const schema = (value as { schema?: unknown } | null)?.schema;
  if (typeof schema !== "string" || !schema.startsWith(FAMILY)) {
    throw wrong(`it is not a measurement of this bench: it has no "schema": "${SCHEMA}"`);
  }
  if (schema !== SCHEMA) {
    throw wrong(`its schema is ${JSON.stringify(schema.slice(0, 40))}, this bench reads ${SCHEMA}`);
  }
  const validate = new Ajv2020({ allowUnionTypes: true, useDefaults: true }).compile<Report>(form);
  if (!validate(value)) throw wrong(describe(validate.errors?.[0]));
  return value;
}

/** For instance `runs[0].rate must be number`. */
function describe(error: ErrorObject | undefined): string {
  const path = (error?.instancePath ?? "").split("/").slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((key, index) => /^\d+$/.test(key) ? `[${key}]` : index === 0 ? key : `.${key}`);
  // The names of properties come from the file, so they are escaped.
  return JSON.stringify(`${path.join("") || "it"} ${error?.message}`).slice(1, -1);
}
