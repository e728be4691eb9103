/**
 * Answers of HTTP/1.1 (RFC 9112), as bytes: no I/O, no runtime.
 *
 * @module
 */

import type { Protocol } from "../../protocols/effects.ts";

/** What a request is answered with. */
export interface HttpReply {
  /** The status. @default {200} */
  readonly status?: number;
  /** Header fields besides those that every answer has. */
  readonly fields?: Readonly<Record<string, string>>;
  /** The content. @default {""} */
  readonly content?: string | Uint8Array;
  /**
   * Sends content as it comes about, for instance events, in place of `content`. The connection is
   * closed behind it. It is not begun for HEAD.
   */
  readonly stream?: () => Protocol;
}

/** The words of the statuses (RFC 9110, section 15). */
const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  202: "Accepted",
  204: "No Content",
  303: "See Other",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  421: "Misdirected Request",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
  505: "HTTP Version Not Supported",
};

/** How an answer is sent. */
export interface Manner {
  /** Whether the request was HEAD: then the content is left out, and its length is told. */
  readonly isHead?: boolean;
  /** Whether the connection stays open for another request. */
  readonly stays: boolean;
}

const encoder = new TextEncoder();

/**
 * An answer of text, for people.
 *
 * @param status the status
 * @param text what to say, without a line end
 * @param fields more header fields
 */
export function sayInText(
  status: number,
  text: string,
  fields: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    status,
    fields: { "Content-Type": "text/plain; charset=utf-8", ...fields },
    content: `${text}\n`,
  };
}

/**
 * Writes an answer: its head, and its content unless that is a stream.
 *
 * @param reply the answer
 * @param manner how it is sent
 */
export function encodeReply(reply: HttpReply, { isHead = false, stays }: Manner): Uint8Array {
  const { status = 200, fields = {}, content = "", stream } = reply;
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  const lines = Object.entries({
    Date: new Date().toUTCString(),
    // An answer tells how things are now, and is no page unless it says so.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...fields,
    ...(stream === undefined && status !== 204 && { "Content-Length": `${bytes.length}` }),
    Connection: stays ? "keep-alive" : "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = encoder.encode(
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\n${lines.join("")}\r\n`,
  );
  if (isHead || bytes.length === 0 || stream !== undefined) return head;
  const whole = new Uint8Array(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

/** What says that the content of a request may come (RFC 9110, section 10.1.1). */
export const CONTINUE: Uint8Array = encoder.encode("HTTP/1.1 100 Continue\r\n\r\n");
