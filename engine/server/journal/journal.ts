/**
 * What a server tells people: the messages received, and the log.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { escapeText } from "../../../protocols/text.ts";
import { callLoggerOf, loggerOf } from "./logging.ts";

/** An entry of the log, plain data so that it can come from another thread. */
export interface LogEvent {
  /** How important it is; `trace` is for the system calls of `--trace-calls`. */
  readonly level: "trace" | "info" | "warning" | "error";
  /** The text, with `{name}` for a property. */
  readonly text: string;
  /** What the text names. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Where a thread puts what people should hear. */
export interface Journal {
  /** Whether anybody listens to {@linkcode Journal.report}. */
  readonly wantsReports: boolean;
  /** Whether anybody reads an ordinary {@linkcode Journal.log} entry. */
  readonly wantsLog: boolean;
  /** A message was received from a peer. */
  report(message: string): void;
  /** Something happened. */
  log(event: LogEvent): void;
}

/** The journal of the main thread: straight to the listener and to the logger. */
export class MainJournal implements Journal {
  readonly #logger: Logger;
  readonly #callLogger: Logger;
  readonly #onReport: ((message: string) => void) | undefined;

  /** @param mode names the logger @param onReport hears of each message, escaped */
  constructor(mode: string, onReport?: (message: string) => void) {
    this.#logger = loggerOf(mode);
    this.#callLogger = callLoggerOf(mode);
    this.#onReport = onReport;
  }

  get wantsReports(): boolean {
    return this.#onReport !== undefined;
  }

  get wantsLog(): boolean {
    return this.#logger.isEnabledFor("info");
  }

  report(message: string): void {
    this.#onReport?.(escapeText(message));
  }

  log({ level, text, properties }: LogEvent): void {
    const logger = level === "trace" ? this.#callLogger : this.#logger;
    logger[level](text, escapeProperties(properties));
  }
}

/** What a peer sent may be part of an error's message. */
function escapeProperties(properties: LogEvent["properties"] = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map((
      [name, value],
    ) => [name, typeof value === "string" ? escapeText(value) : value]),
  );
}
