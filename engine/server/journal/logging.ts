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

/** How to log. */
export interface LoggingOptions {
  /** For people or for programs. */
  readonly format: "text" | "json";
  /** Whether nothing but the totals is of interest. */
  readonly quiet: boolean;
  /** Where to. */
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

/** The logger of a mode. */
export function loggerOf(mode: string): Logger {
  return getLogger(["handshake", mode]);
}

/** The logger of system calls, for `--trace-calls`. A quiet server shows them too. */
export function callLoggerOf(mode: string): Logger {
  return getLogger(["handshake-trace", mode]);
}

/** The logger of the one line that even a quiet server prints at its end. */
export function totalsLoggerOf(mode: string): Logger {
  return getLogger(["handshake-totals", mode]);
}

/**
 * Configures the logging of this process. A library leaves that to its user; a command does it.
 *
 * @param options how
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
      // LogTape's own remarks: only when logging itself fails.
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["write"] },
    ],
  });
}
