/**
 * Requests of HTTP/1.1 (RFC 9112), read strictly and within limits: no I/O, no runtime.
 *
 * What two programs could read in two ways is refused: line ends other than CR LF, spaces before a
 * colon, folded lines, a length that is told twice. A server that guesses can be made to see a
 * request where another program on the way has seen a part of one (RFC 9112, section 11.2).
 *
 * @module
 */

import { isLocalhost } from "../net/address.ts";

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;

/** The most bytes of a request line, its line end not counted (RFC 9112, section 3). */
const MOST_LINE = 8_192;

/** The most bytes of a request line and all header fields. */
const MOST_HEAD = 16_384;

/** The most header fields. */
const MOST_FIELDS = 100;

/** The most bytes of a request's content. */
const MOST_CONTENT = 16_384;

/** The characters of a method and of the name of a header field (RFC 9110, section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A host and perhaps a port, in a `Host` field or in a target. */
const AUTHORITY = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::\d{0,5})?$/;

/** What is wrong with a request, with the status that says so (RFC 9110, section 15). */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** The status of the answer. */
  readonly status: number;

  /** @param status the status of the answer @param message what is wrong, for the client */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A request without its content. */
export interface RequestHead {
  /** The method, as it was sent: `GET`. */
  readonly method: string;
  /** The path as it was sent, without the query: `/metrics`; `*` in `OPTIONS *`. */
  readonly path: string;
  /** What stands behind the question mark; empty if there is none. */
  readonly query: string;
  /** Whether the client speaks HTTP/1.1, and not 1.0. */
  readonly isCurrent: boolean;
  /** The header fields by their names in lower case. Several of one name are joined by commas. */
  readonly fields: ReadonlyMap<string, string>;
  /** The host that is asked for, without its port; empty if the client has named none. */
  readonly host: string;
  /** How many bytes of content follow. */
  readonly contentLength: number;
}

/** The bytes of a connection that were received and not yet taken. */
export class RequestReader {
  #bytes = new Uint8Array(512);
  #length = 0;
  /** How many bytes of the head were looked at, and where the last line among them begins. */
  #seen = 0;
  #lineStart = 0;
  #lines = 0;
  #hadEmptyLine = false;

  /** Whether nothing is left of what was received. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Adds what was received. It is copied. */
  add(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }

  /**
   * Takes the head of the next request, if it has come as a whole.
   *
   * @returns `undefined` if more must come
   * @throws {RequestError} as soon as it cannot become a request any more
   */
  takeHead(): RequestHead | undefined {
    while (this.#seen < this.#length) {
      const at = this.#seen++;
      const byte = this.#bytes[at] as number;
      this.#checkByte(at, byte);
      if (byte !== LINE_FEED) continue;
      const isEmpty = at - this.#lineStart === 1;
      if (isEmpty && this.#lines === 0) {
        // Some clients send a line end too many (RFC 9112, section 2.2).
        if (this.#hadEmptyLine) throw new RequestError(400, "empty lines before the request");
        this.#hadEmptyLine = true;
        this.#drop(this.#seen);
      } else if (isEmpty) {
        const text = latin1(this.#bytes.subarray(0, at - 3));
        this.#drop(this.#seen);
        this.#hadEmptyLine = false;
        return parseHead(text);
      } else {
        this.#lines++;
        this.#lineStart = this.#seen;
      }
    }
    return undefined;
  }

  /**
   * Takes content.
   *
   * @param count how many bytes
   * @returns `undefined` if more must come
   */
  takeContent(count: number): Uint8Array | undefined {
    if (this.#length < count) return undefined;
    const content = this.#bytes.slice(0, count);
    this.#drop(count);
    return content;
  }

  #drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#seen = this.#lineStart = this.#lines = 0;
  }

  #checkByte(at: number, byte: number): void {
    const isFirstLine = this.#lines === 0;
    if (isFirstLine && at - this.#lineStart > MOST_LINE) {
      throw new RequestError(414, `the request line is longer than ${MOST_LINE} bytes`);
    }
    if (at >= MOST_HEAD) {
      throw new RequestError(431, `the header fields are longer than ${MOST_HEAD} bytes`);
    }
    const followsReturn = at > this.#lineStart && this.#bytes[at - 1] === CARRIAGE_RETURN;
    if (followsReturn !== (byte === LINE_FEED)) {
      throw new RequestError(400, "a line does not end with CR LF");
    }
    const isControl = byte < SPACE && byte !== LINE_FEED && byte !== CARRIAGE_RETURN &&
      (isFirstLine || byte !== TAB);
    if (isControl || byte === DELETE || (isFirstLine && byte > DELETE)) {
      throw new RequestError(400, "a byte that has no place in a request");
    }
  }
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** Reads a head. @param text all its lines, without the last line end and the empty line */
function parseHead(text: string): RequestHead {
  const [line = "", ...lines] = text.split("\r\n");
  const { method, target, minor } = parseRequestLine(line);
  const isCurrent = minor > 0;
  if (lines.length > MOST_FIELDS) {
    throw new RequestError(431, `there are more than ${MOST_FIELDS} header fields`);
  }
  const fields = parseFields(lines);
  const { authority, path, query } = parseTarget(method, target);
  return {
    method,
    path,
    query,
    isCurrent,
    fields,
    host: hostOf(fields, isCurrent, authority),
    contentLength: contentLengthOf(fields, isCurrent),
  };
}

function parseRequestLine(
  line: string,
): { readonly method: string; readonly target: string; readonly minor: number } {
  const [method = "", target = "", version = "", ...more] = line.split(" ");
  if (!TOKEN.test(method) || target === "" || more.length > 0) {
    throw new RequestError(400, "the first line is not METHOD TARGET VERSION");
  }
  const [, major, minor] = /^HTTP\/(\d)\.(\d)$/.exec(version) ?? [];
  if (major === undefined) throw new RequestError(400, "the first line has no version of HTTP");
  if (major !== "1") throw new RequestError(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  return { method, target, minor: Number(minor) };
}

function parseFields(lines: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon < 0 ? undefined : colon).toLowerCase();
    if (colon < 0 || !TOKEN.test(name)) throw new RequestError(400, "a header field has no name");
    const value = trim(line.slice(colon + 1));
    const before = fields.get(name);
    if (before !== undefined && (name === "host" || name === "content-length")) {
      throw new RequestError(400, `the header field ${name} is there twice`);
    }
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

/** Takes spaces and tabs off both ends. No regular expression: it would go back over them. */
function trim(text: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++;
  while (begin < end && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(begin, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Reads what is asked for (RFC 9112, section 3.2). */
function parseTarget(
  method: string,
  target: string,
): { readonly authority?: string; readonly path: string; readonly query: string } {
  if (target === "*" && method === "OPTIONS") return { path: "*", query: "" };
  // What is meant for a proxy must be understood too, and its host counts.
  const [, authority, rest = target] = /^http:\/\/([^/?#]*)(.*)$/i.exec(target) ?? [];
  const local = authority !== undefined && !rest.startsWith("/") ? `/${rest}` : rest;
  if (!local.startsWith("/") || local.includes("#")) {
    throw new RequestError(400, "the target is not a path");
  }
  const mark = local.indexOf("?");
  return {
    ...(authority !== undefined && { authority }),
    path: mark < 0 ? local : local.slice(0, mark),
    query: mark < 0 ? "" : local.slice(mark + 1),
  };
}

/** The host that is asked for, without its port (RFC 9112, section 3.2). */
function hostOf(
  fields: ReadonlyMap<string, string>,
  isCurrent: boolean,
  authority: string | undefined,
): string {
  const given = fields.get("host");
  if (given === undefined && isCurrent) throw new RequestError(400, "there is no Host");
  const [, host] = AUTHORITY.exec(authority ?? given ?? "") ?? [];
  if (host === undefined || (given !== undefined && !AUTHORITY.test(given))) {
    throw new RequestError(400, "the Host is no host");
  }
  return host.toLowerCase();
}

/** How many bytes of content follow (RFC 9112, section 6). */
function contentLengthOf(fields: ReadonlyMap<string, string>, isCurrent: boolean): number {
  const coding = fields.get("transfer-encoding");
  const length = fields.get("content-length");
  if (coding !== undefined) {
    if (length !== undefined || !isCurrent) {
      throw new RequestError(400, "it is not certain how long the request is");
    }
    const isChunked = coding.toLowerCase() === "chunked";
    throw isChunked
      ? new RequestError(411, "the length must be told: Content-Length")
      : new RequestError(501, "a transfer coding that is not spoken here");
  }
  if (length === undefined) return 0;
  if (!/^\d{1,15}$/.test(length)) throw new RequestError(400, "the Content-Length is no number");
  if (Number(length) > MOST_CONTENT) {
    throw new RequestError(413, `the content is longer than ${MOST_CONTENT} bytes`);
  }
  return Number(length);
}

/**
 * Whether a host can only mean this machine: an address, or a name that never goes through the DNS
 * (RFC 6761, section 6.3). A page from elsewhere can give its own name an address of this machine,
 * and would then be allowed to read the answers. But its requests still carry its name.
 *
 * @param host from a request, without its port; empty if there is none
 */
export function isLocalName(host: string): boolean {
  return host === "" || host.startsWith("[") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host) ||
    isLocalhost(host);
}
