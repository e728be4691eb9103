/**
 * HTTP/1.1 as a protocol of this project: a generator that any driver can run.
 *
 * It reads one request after another and writes an answer to each, in order, so a client may send
 * several requests at once. Whatever is wrong with a request is answered and ends the connection.
 *
 * @module
 */

import { type Protocol, READ, READ_BEGUN, READ_REST, write } from "../../protocols/effects.ts";
import { IdleTimeoutError, MessageTimeoutError, ReadTimeoutError } from "../../protocols/errors.ts";
import { CONTINUE, encodeReply, type HttpReply, sayInText } from "./reply.ts";
import { isLocalName, RequestError, type RequestHead, RequestReader } from "./request.ts";

/** A request. */
export interface HttpRequest extends RequestHead {
  /** Its content. */
  readonly content: Uint8Array;
}

/** Answers a request. */
export type Answer = (request: HttpRequest) => HttpReply;

/** What lies at a path: how its methods are answered. HEAD is answered as GET. */
export interface Resource {
  /** Answers GET. */
  readonly GET?: Answer;
  /** Answers POST. */
  readonly POST?: Answer;
}

/** What a server has. */
export interface Site {
  /**
   * Finds what lies at a path.
   *
   * @param path the path of a request, without its query
   * @returns `undefined` if there is nothing
   */
  find(path: string): Resource | undefined;
  /**
   * Whether only those are answered who ask for this machine by an address or as `localhost`: see
   * {@linkcode isLocalName}.
   *
   * @default {false}
   */
  readonly isLocal?: boolean;
}

/** Is told what a connection is doing. */
export interface Attention {
  /** The connection waits for a request. */
  waits(): void;
  /** A request has come as a whole, and is answered. */
  answers(): void;
  /** The answer is a stream, which need not have an end. */
  streams(): void;
}

/** The methods that a server knows, whether or not it answers them here (RFC 9110, section 9). */
const METHODS: ReadonlySet<string> = new Set(
  ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"],
);

/**
 * The server's side of a connection.
 *
 * @param site what the server has
 * @param attention is told what the connection is doing
 */
export function* http(site: Site, attention: Attention): Protocol {
  const reader = new RequestReader();
  for (;;) {
    attention.waits();
    let request: HttpRequest | undefined;
    try {
      request = yield* readRequest(reader);
    } catch (error) {
      if (error instanceof IdleTimeoutError) return;
      const wrong = asRequestError(error);
      if (wrong === undefined) throw error;
      return yield* write(
        encodeReply(sayInText(wrong.status, wrong.message), { stays: false }),
      );
    }
    if (request === undefined) return;
    attention.answers();
    if (!(yield* answer(site, request, attention))) return;
  }
}

/** What to say about an error of reading; `undefined` if nobody can be told. */
function asRequestError(error: unknown): RequestError | undefined {
  if (error instanceof RequestError) return error;
  const isLate = error instanceof MessageTimeoutError || error instanceof ReadTimeoutError;
  return isLate ? new RequestError(408, "the request did not come in time") : undefined;
}

/** Reads a request. @returns `undefined` if there are no more */
function* readRequest(reader: RequestReader): Protocol<HttpRequest | undefined> {
  let hasBegun = false;
  /** Reads more. The time for a whole request runs from the first read inside it. */
  function* more(isInside: boolean): Protocol<boolean> {
    const chunk: Uint8Array | null = yield hasBegun ? READ_REST : isInside ? READ_BEGUN : READ;
    hasBegun ||= isInside;
    if (chunk !== null) reader.add(chunk);
    return chunk !== null;
  }
  let head = reader.takeHead();
  while (head === undefined) {
    if (!(yield* more(!reader.isEmpty))) return undefined;
    head = reader.takeHead();
  }
  const { contentLength, fields, isCurrent } = head;
  const expected = fields.get("expect")?.toLowerCase();
  if (expected !== undefined && isCurrent) {
    if (expected !== "100-continue") throw new RequestError(417, "nothing is known of that");
    if (contentLength > 0 && reader.isEmpty) yield* write(CONTINUE);
  }
  let content = reader.takeContent(contentLength);
  while (content === undefined) {
    if (!(yield* more(true))) return undefined;
    content = reader.takeContent(contentLength);
  }
  return { ...head, content };
}

/** Answers a request. Returns whether another may follow. */
function* answer(site: Site, request: HttpRequest, attention: Attention): Protocol<boolean> {
  const isHead = request.method === "HEAD";
  let reply: HttpReply;
  let failure: unknown;
  try {
    reply = replyTo(site, request);
  } catch (error) {
    failure = error ?? new Error("the answer failed");
    reply = sayInText(500, "the server has made a mistake");
  }
  const { stream } = reply;
  const stays = failure === undefined && stream === undefined && staysOpen(request);
  yield* write(encodeReply(reply, { isHead, stays }));
  if (failure !== undefined) throw failure;
  if (stream !== undefined && !isHead) {
    attention.streams();
    yield* stream();
  }
  return stays;
}

function replyTo(site: Site, request: HttpRequest): HttpReply {
  const { method, path, host } = request;
  if (site.isLocal === true && !isLocalName(host)) {
    return sayInText(421, "this server is asked by an address or as localhost, not by this name");
  }
  if (!METHODS.has(method)) return sayInText(501, "nothing is known of that method");
  const resource = site.find(path);
  if (resource === undefined) return sayInText(404, "there is nothing here");
  const found = resource[(method === "HEAD" ? "GET" : method) as keyof Resource];
  if (found !== undefined) return found(request);
  const allowed = Object.keys(resource).flatMap((name) =>
    name === "GET" ? ["GET", "HEAD"] : [name]
  );
  return sayInText(405, "that is not done here", { Allow: allowed.join(", ") });
}

/** Whether the client wants to send another request (RFC 9112, section 9.3). */
function staysOpen({ isCurrent, fields }: HttpRequest): boolean {
  const options = (fields.get("connection") ?? "").toLowerCase().split(",").map((word) =>
    word.trim()
  );
  return isCurrent ? !options.includes("close") : options.includes("keep-alive");
}
