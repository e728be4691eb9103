/**
 * The site of a live view. Every path begins with a token that only the printed address tells:
 * whatever else runs in the browser, or on this machine under another user, knows none of them.
 *
 * - `GET /TOKEN/` is the page: one file, whose script and style carry a nonce of their own.
 * - `GET /TOKEN/events` streams what happens, as server-sent events: the lines of a recording.
 * - `GET /TOKEN/about` says what it is about, in JSON.
 * - `POST /TOKEN/do` does something to the server, if the page itself asks.
 *
 * @module
 */

import { type Protocol, write } from "../../../protocols/effects.ts";
import type { Elsewhere } from "../../drivers/elsewhere.ts";
import type { Answer, HttpRequest, Resource, Site } from "../../http/http.ts";
import { type HttpReply, sayInText } from "../../http/reply.ts";
import { isLocalName } from "../../http/request.ts";
import { type ActionName, ACTIONS, type Actions } from "./actions.ts";
import type { LiveView } from "./live_view.ts";
import type { Reader } from "./readers.ts";

/** How long a stream may say nothing, in milliseconds. */
const QUIET_MS = 15_000;

/** After which time a browser asks again whose stream has ended, in milliseconds. */
const RETRY_MS = 1_000;

/** How many lines a message has at most. */
const MOST_LINES = 200;

/** How long the nonce is, in bytes. */
const NONCE_BYTES = 16;

/** What a page has in place of its nonce. */
export const NONCE_PLACE = "{{nonce}}";

/** What is sent with every answer besides the usual fields: no address, which has the token, leaks. */
const PRIVATE = { "Referrer-Policy": "no-referrer" } as const;

const encoder = new TextEncoder();

/** What the page is told about its server. */
export type AboutPage = Readonly<Record<string, unknown>>;

/** What the site is made of. */
export interface SiteParts {
  /** What every path begins with. */
  readonly token: string;
  /** The page, with {@linkcode NONCE_PLACE} wherever its nonce goes. */
  readonly page: string;
  /** The view, which is there before the first request is read. */
  view(): LiveView;
  /** Its port, which is in the origin of the page. */
  port(): number;
  /** What does things to the server; `undefined` if nothing may, or before it serves. */
  actions(): Actions | undefined;
  /** Which actions there are. */
  names(): readonly ActionName[];
  /** What the page is told about its server. */
  about(): AboutPage;
}

/** The site of one live view. */
export class LiveSite implements Site {
  /** Only those are answered who ask for this machine: see `http.ts`. */
  readonly isLocal = true;
  readonly #parts: SiteParts;
  readonly #resources: ReadonlyMap<string, Resource>;

  /** @param parts what it is made of */
  constructor(parts: SiteParts) {
    this.#parts = parts;
    const { token } = parts;
    this.#resources = new Map<string, Resource>([
      [`/${token}/`, { GET: this.#asked(() => this.#page()) }],
      [`/${token}`, {
        GET: this.#asked(() => sayInText(303, "see /", { ...PRIVATE, Location: `/${token}/` })),
      }],
      [`/${token}/events`, { GET: this.#asked(() => this.#events()) }],
      [`/${token}/about`, { GET: this.#asked(() => sayInJson(200, this.#about())) }],
      [`/${token}/do`, { POST: this.#asked((request) => this.#do(request)) }],
    ]);
  }

  find(path: string): Resource | undefined {
    return this.#resources.get(path);
  }

  /** Answers only those who have asked at this port, by a name of this machine. */
  #asked(answer: Answer): Answer {
    return (request) => {
      const port = portOf(request.fields.get("host") ?? "");
      if (isLocalName(request.host) && port === this.#parts.port()) return answer(request);
      return sayInText(421, "this page is asked for at its own address", PRIVATE);
    };
  }

  #page(): HttpReply {
    const nonce = newNonce();
    return {
      fields: {
        ...PRIVATE,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policyFor(nonce),
      },
      content: this.#parts.page.replaceAll(NONCE_PLACE, nonce),
    };
  }

  #about(): AboutPage {
    return { ...this.#parts.about(), actions: this.#parts.names() };
  }

  #events(): HttpReply {
    const view = this.#parts.view();
    if (!view.hasRoom) return sayInText(503, "too many read along", PRIVATE);
    return {
      fields: { ...PRIVATE, "Content-Type": "text/event-stream; charset=utf-8" },
      stream: () => stream(view),
    };
  }

  #do(request: HttpRequest): HttpReply {
    const { names, actions } = this.#parts;
    if (!isOwnOrigin(request)) {
      return sayInText(403, "only the page itself may ask for that", PRIVATE);
    }
    const asked = actionIn(request);
    const name = ACTIONS.find((name) => name === asked);
    if (name === undefined) return sayInText(400, "nothing is known of that action", PRIVATE);
    const doing = names().includes(name) ? actions() : undefined;
    if (doing === undefined) return sayInText(403, "that is not done here", PRIVATE);
    const { isBegun, text } = doing.begin(name);
    return sayInText(isBegun ? 202 : 409, text, PRIVATE);
  }
}

/** What the page may load and do: its own script and style, and its own server. */
function policyFor(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function newNonce(): string {
  return [...crypto.getRandomValues(new Uint8Array(NONCE_BYTES))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The port that a `Host` names. */
function portOf(host: string): number {
  const [, digits] = /:(\d+)$/.exec(host) ?? [];
  return digits === undefined ? 80 : Number(digits);
}

/** Whether a request comes from the page: a browser tells where the page is that makes a POST. */
function isOwnOrigin({ fields }: HttpRequest): boolean {
  const origin = fields.get("origin");
  const site = fields.get("sec-fetch-site");
  return origin !== undefined && origin === `http://${fields.get("host")}` &&
    (site === undefined || site === "same-origin");
}

/** The action that a request names, in a form or in JSON. */
function actionIn({ content, fields }: HttpRequest): string | undefined {
  const text = new TextDecoder().decode(content);
  const type = (fields.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") return new URLSearchParams(text).get("action") ?? undefined;
  try {
    const { action } = JSON.parse(text) as { action?: unknown };
    return typeof action === "string" ? action : undefined;
  } catch {
    return undefined;
  }
}

function sayInJson(status: number, value: unknown): HttpReply {
  return {
    status,
    fields: { ...PRIVATE, "Content-Type": "application/json" },
    content: `${JSON.stringify(value)}\n`,
  };
}

/** What a stream waits for: more lines for its reader. */
export const LINES = "lines";

/** Sends lines to a reader until it leaves, or there will be no more. */
function* stream(view: LiveView): Protocol {
  const reader = view.open();
  try {
    yield* write(encoder.encode(`retry: ${RETRY_MS}\n\n`));
    for (;;) {
      const lines = reader.take();
      if (lines === undefined) return;
      yield* write(encoder.encode(lines.length === 0 ? ": \n\n" : asMessages(lines)));
      yield { kind: "wait", event: LINES, argument: reader };
    }
  } finally {
    view.close(reader);
  }
}

/**
 * Messages of server-sent events: a line of their data for each line of the recording. A browser takes a
 * message in one go, and draws nothing meanwhile.
 */
function asMessages(lines: readonly string[]): string {
  let text = "";
  for (let from = 0; from < lines.length; from += MOST_LINES) {
    const some = lines.slice(from, from + MOST_LINES);
    text += `${some.map((line) => `data: ${line}\n`).join("")}\n`;
  }
  return text;
}

/** Has streams wait for their readers. A reader is woken at intervals, if there is something for it. */
export const READERS: Elsewhere = {
  begin(_what, argument, done) {
    const reader = argument as Reader;
    const goOn = () => {
      clearTimeout(quiet);
      forget();
      done(undefined, undefined);
    };
    const quiet = setTimeout(goOn, QUIET_MS);
    const forget = reader.wait(goOn);
    return {
      cancel() {
        clearTimeout(quiet);
        forget();
      },
    };
  },
};
