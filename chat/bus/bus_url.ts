/**
 * The address of the bus, as people write it: `nats://host:4222/CHAT`.
 *
 * @module
 */

import { stripBrackets } from "../../engine/net/address.ts";
import { escapeText } from "../../protocol.ts";
import { isName, keyOf, NAME_SYNTAX } from "../talk/names.ts";

/** The port of a NATS server, if none is given. */
const DEFAULT_PORT = 4222;

/** The chat that a URL without a path means. */
const DEFAULT_CHAT = "handshake";

const SYNTAX = "a URL such as nats://127.0.0.1:4222 or nats://127.0.0.1:4222/CHAT";

/** The bus cannot be used. The message is one sentence and contains no password. */
export class BusError extends Error {
  override readonly name = "BusError";

  /**
   * @param url the URL of the bus, without secrets
   * @param reason why it cannot be used, and what to do about it
   * @param options the underlying error as `cause`
   */
  constructor(url: string, reason: string, options?: ErrorOptions) {
    super(escapeText(`Cannot use the bus ${url}: ${reason}`), options);
  }
}

/** The address of a NATS server, and the chat on it. */
export interface BusAddress {
  /** The URL as it may be shown: without user, password or token. */
  readonly url: string;
  /** The name or address of the NATS server. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Whether TLS is required: `tls://`. */
  readonly isSecure: boolean;
  /** The chat, in lower case. The servers of one chat hear each other, and no others. */
  readonly chat: string;
  /** The credentials to log in with, if any: `nats://USER:PASSWORD@…` or `nats://TOKEN@…`. */
  readonly credentials?: { readonly user: string; readonly pass: string } | {
    readonly token: string;
  };
}

/**
 * Reads the address of a bus.
 *
 * @param text `nats://[USER:PASSWORD@]HOST[:PORT][/CHAT]`, or `tls://…`
 * @throws {BusError} if the text is no such address
 */
export function parseBusUrl(text: string): BusAddress {
  const shown = text.replace(/(:\/\/).*@/s, "$1");
  if (!URL.canParse(text)) throw new BusError(`"${shown}"`, `expected ${SYNTAX}`);
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(text);
  const isBus = (protocol === "nats:" || protocol === "tls:") && /^[\w.:[\]-]+$/.test(hostname) &&
    port !== "0" && search === "" && hash === "";
  if (!isBus) throw new BusError(`"${shown}"`, `expected ${SYNTAX}`);
  const path = pathname.replace(/^\//, "");
  if (path !== "" && !isName(path)) {
    throw new BusError(`"${shown}"`, `the name of a chat is ${NAME_SYNTAX}`);
  }
  const chat = path === "" ? DEFAULT_CHAT : keyOf(path);
  return {
    url: `${protocol}//${hostname}:${port || DEFAULT_PORT}/${chat}`,
    hostname: stripBrackets(hostname),
    port: port === "" ? DEFAULT_PORT : Number(port),
    isSecure: protocol === "tls:",
    chat,
    ...(username !== "" && { credentials: credentialsOf(username, password, shown) }),
  };
}

/** A user without a password is a token, as in the other clients of NATS. */
function credentialsOf(
  username: string,
  password: string,
  shown: string,
): NonNullable<BusAddress["credentials"]> {
  try {
    const user = decodeURIComponent(username);
    return password === "" ? { token: user } : { user, pass: decodeURIComponent(password) };
  } catch (cause) {
    throw new BusError(`"${shown}"`, "the user or password is not percent-encoded", { cause });
  }
}
