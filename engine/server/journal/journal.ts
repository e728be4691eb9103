/**
 * What a server tells people: the messages it received, and its log.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { escapeText } from "../../../protocols/text.ts";
import { callLoggerOf, loggerOf } from "./logging.ts";

/** An entry of the log: plain data, so that it can come from another thread. */
export interface LogEvent {
  /** How important it is; `trace` is for the system calls of `--trace-calls`. */
  readonly level: "trace" | "info" | "warning" | "error";
  /** The text, with `{name}` in place of a property. */
  readonly text: string;
  /** The properties that the text names. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** The place where a thread puts what people should hear. */
export interface Journal {
  /** Whether anybody listens to {@linkcode Journal.report}. */
  readonly wantsReports: boolean;
  /** Whether anybody reads ordinary {@linkcode Journal.log} entries. */
  readonly wantsLog: boolean;
  /** Reports a message that a peer sent. */
  report(message: string): void;
  /** Logs an event. */
  log(event: LogEvent): void;
}

/** The journal of the main thread: it passes everything straight to the listener and the logger. */
export class MainJournal implements Journal {
  readonly #logger: Logger;
  readonly #callLogger: Logger;
  readonly #onReport: ((message: string) => void) | undefined;

  /** @param mode names the logger @param onReport receives each message, escaped */
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
    try {
      this.#onReport?.(escapeText(message));
    } catch (error) {
      // Whoever listens to the reports has failed; the server goes on, and so does the conversation.
      const text = "a listener failed: {error}";
      this.log({ level: "error", text, properties: { error: String(error) } });
    }
  }

  log({ level, text, properties }: LogEvent): void {
    const logger = level === "trace" ? this.#callLogger : this.#logger;
    logger[level](text, escapeProperties(properties));
  }
}

/** An error's message may contain what a peer sent. */
function escapeProperties(properties: LogEvent["properties"] = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map((
      [name, value],
    ) => [name, typeof value === "string" ? escapeText(value) : value]),
  );
}
