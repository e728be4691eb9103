/**
 * Reads recordings. Every line is checked against `docs/recording.schema.json`.
 *
 * @module
 */

import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import form from "../../docs/recording.schema.json" with { type: "json" };
import { type Event, type Header, VERSION } from "./events.ts";

/** A file is not a recording, is damaged, or has an unknown version. */
export class RecordingFormatError extends Error {
  override readonly name = "RecordingFormatError";
}

/** A recording that was read. */
export interface Recording {
  /** Its first line. */
  readonly header: Header;
  /** Its events in the order of time. Those of one moment keep their order in the file. */
  readonly events: readonly Event[];
  /** Whether it has its last line. Without it, the writer was killed, or still writes. */
  readonly isFinished: boolean;
  /** Whether the last line is cut, which happens when the writer is killed. It is left out. */
  readonly isCut: boolean;
  /** How many lines have a type that this program does not know. They are left out. */
  readonly unknown: number;
}

/** Why a line cannot be read, in words. */
class LineError extends Error {}

// The checks are compiled when they are first needed, and kept: that takes longer than most files.
const ajv = new Ajv2020();
const checks = new Map<string, ValidateFunction>();

/**
 * Reads the first line of a recording.
 *
 * @param line the line
 * @throws {Error} if a recording does not begin like this, or has an unknown version
 */
export function readHeader(line: string): Header {
  const value = parse(line);
  if (value?.type !== "recording") {
    throw new LineError(
      `it is not a recording: its first line is not {"type":"recording","version":${VERSION},…}`,
    );
  }
  const { version } = value;
  if (version !== VERSION) {
    const shown = version === undefined ? "no version" : `version ${clip(version)}`;
    throw new LineError(`it has ${shown}, and this program reads version ${VERSION} only`);
  }
  return check<Header>("recording", value);
}

/**
 * Reads any other line of a recording.
 *
 * @param line the line
 * @returns `undefined` if its type is not known
 * @throws {Error} if it is no event; the message says what is wrong with it
 */
export function readEvent(line: string): Event | undefined {
  const value = parse(line);
  if (value === undefined) throw new LineError("it is not JSON");
  if (typeof value.type !== "string") throw new LineError('it has no "type"');
  if (value.type === "recording") throw new LineError("another recording begins");
  if (!Object.hasOwn(form.$defs, value.type)) return undefined;
  return check<Event>(value.type, value);
}

function check<Line>(type: string, value: unknown): Line {
  const validate = checks.get(type) ?? compile(type);
  if (!validate(value)) throw new LineError(describe(type, validate.errors?.[0]));
  return value as Line;
}

function compile(type: string): ValidateFunction {
  if (checks.size === 0) ajv.addSchema(form, "form");
  const validate = ajv.getSchema(`form#/$defs/${type}`) as ValidateFunction;
  checks.set(type, validate);
  return validate;
}

/**
 * Reads a recording.
 *
 * @param text the text of the file
 * @param source the name of the file
 * @throws {RecordingFormatError} if it is not a recording that this program knows; the message is one
 * line
 */
export function readRecording(text: string, source: string): Recording {
  const wrong = (what: string) => new RecordingFormatError(`Cannot read ${source}: ${what}`);
  const lines = text.split("\n");
  // What follows the last line end is nothing, or a line whose writer was killed.
  const rest = lines.pop() as string;
  const events: Event[] = [];
  let header: Header | undefined;
  let unknown = 0;
  const take = (line: string, number: number): void => {
    try {
      if (header === undefined) {
        header = readHeader(line);
        return;
      }
      const event = readEvent(line);
      if (event === undefined) unknown++;
      else events.push(event);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      throw wrong(header === undefined ? error.message : `line ${number}: ${error.message}`);
    }
  };
  lines.forEach((line, index) => take(line, index + 1));
  // No beginning of an object is JSON. So whatever is JSON is a whole line.
  const isCut = rest !== "" && parse(rest) === undefined && header !== undefined;
  if (rest !== "" && !isCut) take(rest, lines.length + 1);
  if (header === undefined) throw wrong("it is empty");
  const isFinished = events.at(-1)?.type === "end";
  events.sort((a, b) => a.at - b.at);
  return { header, events, isFinished, isCut, unknown };
}

/** @returns `undefined` if it is not JSON */
function parse(line: string): { readonly type?: unknown; readonly version?: unknown } | undefined {
  try {
    return JSON.parse(line) ?? {};
  } catch {
    return undefined;
  }
}

/** For instance `packet: seq must be integer`. What comes from the file is escaped. */
function describe(type: string, error: ErrorObject | undefined): string {
  const path = (error?.instancePath ?? "").slice(1).replaceAll("/", ".");
  const values = error?.params.allowedValues;
  const allowed = Array.isArray(values) ? `: ${values.join(", ")}` : "";
  const text = `${type}: ${path === "" ? "it" : path} ${error?.message}${allowed}`;
  return JSON.stringify(text).slice(1, -1);
}

/** A value of the file, short enough for one line. */
function clip(value: unknown): string {
  return JSON.stringify(value).slice(0, 40);
}
