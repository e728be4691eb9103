/**
 * One connection to a NATS server, with all that chat needs of it.
 *
 * The client of NATS could connect again by itself. It is not allowed to: what it holds when a
 * connection breaks would be sent on the next one. Here a link is one connection, and what it has
 * not sent dies with it.
 *
 * @module
 */

import {
  AuthorizationError,
  connect,
  type ConnectionOptions,
  type NatsConnection,
  PermissionViolationError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from "@nats-io/transport-node";
import { describeSystemError } from "../../engine/net/constants.ts";
import { HostNotFoundError, resolveHosts } from "../../engine/net/resolve.ts";
import { connect as connectTcp } from "../../engine/net/tcp.ts";
import { type BusAddress, BusError } from "./bus_url.ts";
import { NameBucket } from "./name_bucket.ts";
import { keepResetsHarmless } from "./nats_sockets.ts";

keepResetsHarmless();

/** The least `max_payload` that a NATS server must have, in bytes: that of a line, and some more. */
const LEAST_PAYLOAD = 8 * 1024;

/** With so many bytes on their way, the server is asked whether it has read them. */
const CONFIRM_BYTES = 64 * 1024;

/** How long a server may take to read what is left at the end, in milliseconds. */
const CLOSE_MS = 1_000;

/** How a link is opened. */
export interface NatsLinkOptions {
  /** The name of this server: letters, digits, `_` and `-`. */
  readonly server: string;
  /** How long connecting, and any answer, may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How long a name is kept for a server that is not heard of, in milliseconds. */
  readonly nameTtlMs: number;
  /** A server that leaves so many checks unanswered is gone: see {@linkcode NatsLink.check}. */
  readonly checks: number;
  /** The most bytes that may be on their way: see {@linkcode NatsLink.publish}. */
  readonly outboxBytes: number;
  /** Gives up connecting. */
  readonly signal: AbortSignal;
}

/** Who hears what comes over a link. */
export interface NatsLinkListener {
  /** A packet has come, from anybody. */
  onPacket(bytes: Uint8Array): void;
  /** The link is over, and why. Called once, and before any call that it fails. */
  onOver(reason: string): void;
}

/** One connection to a NATS server. */
export class NatsLink {
  /** The names of all servers. */
  readonly names: NameBucket;
  readonly #connection: NatsConnection;
  readonly #subjects: { readonly all: string; readonly one: string };
  readonly #options: NatsLinkOptions;
  readonly #over: Over;
  /** How many bytes were published. */
  #published = 0;
  /** How many of them the server is known to have read. */
  #confirmed = 0;
  #isConfirming = false;
  #unansweredChecks = 0;

  private constructor(
    connection: NatsConnection,
    names: NameBucket,
    over: Over,
    subject: string,
    options: NatsLinkOptions,
  ) {
    this.#connection = connection;
    this.names = names;
    this.#over = over;
    this.#subjects = { all: `${subject}.all`, one: `${subject}.to` };
    this.#options = options;
    connection.closed().then((error) => over.end(error?.message ?? "connection closed"));
  }

  /**
   * Connects, and opens the bucket of names.
   *
   * @param address where
   * @param options how
   * @throws {BusError} if that cannot be done
   */
  static async open(address: BusAddress, options: NatsLinkOptions): Promise<NatsLink> {
    let connection: NatsConnection | undefined;
    const over = new Over();
    try {
      await greet(address, options);
      connection = await connect(connectionOptions(address, options));
      const { max_payload: most = 0 } = connection.info ?? {};
      if (most < LEAST_PAYLOAD) {
        throw new Error(`its max_payload is ${most} bytes: set it to ${LEAST_PAYLOAD} or more`);
      }
      const subject = `handshake-chat.${address.chat}`;
      const bucket = `handshake-chat-${address.chat}`;
      const names = await NameBucket.open(connection, bucket, options.server, {
        ttlMs: options.nameTtlMs,
        timeoutMs: options.timeoutMs,
        onFailure: (error) => over.end(`no answer of the names: ${error.message}`),
      });
      return new NatsLink(connection, names, over, subject, options);
    } catch (cause) {
      await connection?.close();
      throw new BusError(address.url, explain(cause, options.timeoutMs), { cause });
    }
  }

  /** Why the link is over; `undefined` while it is not. */
  get whyOver(): string | undefined {
    return this.#over.reason;
  }

  /** The most bytes that the server takes at once. */
  get maxPayload(): number {
    return this.#connection.info?.max_payload ?? LEAST_PAYLOAD;
  }

  /**
   * Hears what the other servers say, from now on.
   *
   * @param listener who hears it
   */
  listen(listener: NatsLinkListener): void {
    const connection = this.#connection;
    const callback = (error: Error | null, message: { readonly data: Uint8Array }) => {
      if (error === null) listener.onPacket(message.data);
      else this.#over.end(error.message);
    };
    this.#over.observe((reason) => {
      listener.onOver(reason);
      // Whatever was not sent is dropped with the connection.
      return connection.close();
    });
    if (this.#isClosed) return;
    connection.subscribe(this.#subjects.all, { callback });
    connection.subscribe(`${this.#subjects.one}.${this.#options.server}`, { callback });
    this.#watchErrors();
  }

  /**
   * Sends a packet, if all that is on its way leaves room for it: the client of NATS would take any
   * number of them into memory. A server that does not keep up ends the link.
   *
   * @param bytes the packet
   * @param server to whom; to all if left out
   * @returns whether it was sent
   */
  publish(bytes: Uint8Array, server?: string): boolean {
    if (this.#isClosed || bytes.length > this.maxPayload) return false;
    const { all, one } = this.#subjects;
    this.#connection.publish(server === undefined ? all : `${one}.${server}`, bytes);
    this.#published += bytes.length;
    const unconfirmed = this.#published - this.#confirmed;
    if (unconfirmed > this.#options.outboxBytes) this.#over.end("it does not keep up");
    else if (unconfirmed > CONFIRM_BYTES) this.#confirm();
    return this.whyOver === undefined;
  }

  /** Ends the link if the server has not answered the last few checks; to be called regularly. */
  check(): void {
    if (!this.#isConfirming) this.#unansweredChecks = 0;
    else if (++this.#unansweredChecks >= this.#options.checks) this.#over.end("no answer");
    this.#confirm();
  }

  /** Waits until the server has read everything, or the link is over. */
  async drained(): Promise<void> {
    if (this.#isClosed) return;
    await Promise.race([this.#connection.flush().catch(() => {}), this.#connection.closed()]);
  }

  /** Sends what is left, if it can be done soon, and ends the link. May be called again. */
  async close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CLOSE_MS);
    await Promise.race([this.drained(), late]);
    clearTimeout(timer);
    this.#over.end("closed");
    await this.#connection.close();
  }

  /** Whether nothing can be sent: the connection knows it a moment before it tells. */
  get #isClosed(): boolean {
    if (this.#connection.isClosed()) this.#over.end("connection closed");
    return this.whyOver !== undefined;
  }

  /** Asks the server whether it has read everything: it answers in order. */
  #confirm(): void {
    if (this.#isConfirming || this.#isClosed) return;
    this.#isConfirming = true;
    const published = this.#published;
    this.#connection.flush().then(() => {
      this.#confirmed = published;
      this.#isConfirming = false;
    }, (error) => this.#over.end(error.message));
  }

  /** What the server may not do for this user, the client tells nobody else. */
  async #watchErrors(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === "error") this.#over.end(status.error.message);
    }
  }
}

/** The end of a link, which comes once. */
class Over {
  #observer: ((reason: string) => void) | undefined;
  #reason: string | undefined;

  /** Why it has come; `undefined` before. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** It has come. */
  end(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#observer?.(reason);
  }

  /** Calls back when it has come, at once if that was before. */
  observe(observer: (reason: string) => void): void {
    this.#observer = observer;
    if (this.#reason !== undefined) observer(this.#reason);
  }
}

function connectionOptions(
  { hostname, port, isSecure, credentials }: BusAddress,
  { server, timeoutMs }: NatsLinkOptions,
): ConnectionOptions {
  return {
    servers: `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`,
    ...credentials,
    ...(isSecure && { tls: {} }),
    name: `handshake-chat ${server}`,
    timeout: timeoutMs,
    noEcho: true,
    reconnect: false,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  };
}

/**
 * Waits for the first word of a NATS server. The client of NATS would leave the socket of an
 * attempt that timed out open for ever: a server that accepts and says nothing is found out here.
 */
async function greet(
  { hostname, port }: BusAddress,
  { timeoutMs, signal }: NatsLinkOptions,
): Promise<void> {
  const hosts = await resolveHosts(hostname);
  for (const [index, host] of hosts.entries()) {
    try {
      return await greetHost(host, port, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    } catch (error) {
      if (signal.aborted || index === hosts.length - 1) throw error;
    }
  }
}

async function greetHost(hostname: string, port: number, signal: AbortSignal): Promise<void> {
  await using connection = await connectTcp({ hostname, port, signal });
  const close = () => connection.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    const greeting = await connection.read();
    const word = new TextDecoder().decode(greeting?.subarray(0, 5) ?? new Uint8Array());
    if (word !== "INFO ") throw new Error("this is no NATS server");
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", close);
  }
}

/** Why a bus cannot be used, and what to do about it. */
function explain(error: unknown, timeoutMs: number): string {
  // Its class is not to be had from the package's front door.
  if ((error as Error).name === "JetStreamNotEnabled") {
    return "the server has no JetStream: start it with nats-server -js";
  }
  if (error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError) {
    return "the server refuses this user: give the right one, as in nats://USER:PASSWORD@HOST";
  }
  if (error instanceof PermissionViolationError) {
    return `the server does not allow it: ${error.message}`;
  }
  const isTimeout = error instanceof TimeoutError || (error as Error).name === "TimeoutError";
  if (isTimeout) return `no answer within ${timeoutMs} ms: is a NATS server there?`;
  if (error instanceof HostNotFoundError) return "there is no such host";
  const { code, message } = error as { code?: unknown; message?: string };
  const hint = code === "ECONNREFUSED"
    ? ": is nats-server running there?"
    : / certificate/.test(message ?? "")
    ? ": name the file of its authority in NODE_EXTRA_CA_CERTS"
    : "";
  return `${describeSystemError(error)}${hint}`;
}
