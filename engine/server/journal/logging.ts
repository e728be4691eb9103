/**
 * Where the log goes and what it looks like.
 *
 * @module
 */

import {
  configureSync,
  getJsonLinesFormatter,
  getLogger,
  getTextFormatter,
  type Logger,
  type LogRecord,
} from "@logtape/logtape";
import type { BufferedOutput } from "../../cli/buffered_output.ts";

/** The forms of the log: for people, and for programs. */
export type LogFormat = "text" | "json";

/** How to log. */
export interface LoggingOptions {
  /** Whether people or programs read the log. */
  readonly format: LogFormat;
  /** Whether only the totals are of interest. */
  readonly quiet: boolean;
  /** The stream to write to. */
  readonly to: BufferedOutput;
}

const FORMATS = {
  text: getTextFormatter({
    timestamp: "time",
    value: "bare",
    format: ({ timestamp, level, message }) => `${timestamp} ${level} ${message}`,
  }),
  json: getJsonLinesFormatter({ properties: "flatten" }),
};

/** An entry that is written past the loggers, from a thread that has none. */
export interface PlainEntry {
  /** The form of the log. */
  readonly format: LogFormat;
  /** The name of the server. */
  readonly name: string;
  /** How important it is. */
  readonly level: "info" | "warning";
  /** Whether it is a line of the statistics. @default {false} */
  readonly isStatistics?: boolean;
  /** The text. It is written as it is. */
  readonly text: string;
  /** The properties that a log in JSON has besides. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * Writes an entry as the log would.
 *
 * @param entry the entry
 * @returns a line without its end
 */
export function formatEntry(entry: PlainEntry): string {
  const { format, name, level, isStatistics = false, text, properties } = entry;
  const message = isStatistics ? `statistics: ${text}` : text;
  return FORMATS[format]({
    category: [isStatistics ? "handshake-statistics" : "handshake", name],
    level,
    message: [message],
    rawMessage: message,
    timestamp: Date.now(),
    properties: { ...properties },
  }).trimEnd();
}

/** The logger of a mode. */
export function loggerOf(mode: string): Logger {
  return getLogger(["handshake", mode]);
}

/** The logger of system calls, for `--trace-calls`. A quiet server shows them too. */
export function callLoggerOf(mode: string): Logger {
  return getLogger(["handshake-trace", mode]);
}

/** The logger for the single line that even a quiet server prints at its end. */
export function totalsLoggerOf(mode: string): Logger {
  return getLogger(["handshake-totals", mode]);
}

/**
 * Configures the logging of this process. A library leaves that to its user, but a command does it.
 *
 * @param options how to log
 */
export function configureLogging({ format, quiet, to }: LoggingOptions): void {
  const write = (record: LogRecord) => to.writeLine(FORMATS[format](record).trimEnd());
  configureSync({
    reset: true,
    sinks: { write },
    loggers: [
      { category: "handshake", lowestLevel: quiet ? "fatal" : "info", sinks: ["write"] },
      { category: "handshake-trace", lowestLevel: "trace", sinks: ["write"] },
      { category: "handshake-totals", lowestLevel: "info", sinks: ["write"] },
      // LogTape's own messages appear only if logging itself fails.
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["write"] },
    ],
  });
}
