/**
 * One connection to a NATS server, with everything that the chat needs from it.
 *
 * The client of NATS could reconnect by itself. It is not allowed to, because it would send what it
 * still held when the connection broke on the next connection. Here a link is one connection, and
 * what it has not sent dies with it.
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
import { isWithin } from "../../engine/values/pause.ts";
import { type BusAddress, BusError } from "./bus_url.ts";
import { NameBucket } from "./name_bucket.ts";
import { keepResetsHarmless } from "./nats_sockets.ts";

keepResetsHarmless();

/** The least `max_payload` that a NATS server must have, in bytes: more than a line needs. */
const LEAST_PAYLOAD = 8 * 1024;

/** When more bytes than this are on their way, the server is asked whether it has read them. */
const CONFIRM_BYTES = 64 * 1024;

/** How long the server may take to read the rest at the end, in milliseconds. */
const CLOSE_MS = 1_000;

/** Options for opening a link. */
export interface NatsLinkOptions {
  /** The name of this server: letters, digits, `_` and `-`. */
  readonly server: string;
  /** How long connecting and each answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How long a name is kept for a server that has fallen silent, in milliseconds. */
  readonly nameTtlMs: number;
  /** How many unanswered checks mean that the server is gone: see {@linkcode NatsLink.check}. */
  readonly checks: number;
  /** The most bytes that may be on their way: see {@linkcode NatsLink.publish}. */
  readonly outboxBytes: number;
  /** Makes connecting give up when it is aborted. */
  readonly signal: AbortSignal;
}

/** Is told what comes over a link. */
export interface NatsLinkListener {
  /** A packet has come. It may be from anybody. */
  onPacket(bytes: Uint8Array): void;
  /** The bucket of names was deleted by somebody else. It has been made anew, and is empty. */
  onNamesGone(): void;
  /** The link is over, for this reason. Called once, before any call fails because of it. */
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
  /** How many bytes have been published. */
  #published = 0;
  /** How many of those bytes the server is known to have read. */
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
   * @param address where the NATS server is
   * @param options how to open the link
   * @throws {BusError} if it cannot be opened
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

  /** Why the link is over; `undefined` as long as it is not. */
  get whyOver(): string | undefined {
    return this.#over.reason;
  }

  /** The most bytes that the server takes in one message. */
  get maxPayload(): number {
    return this.#connection.info?.max_payload ?? LEAST_PAYLOAD;
  }

  /**
   * Begins to receive what the other servers say.
   *
   * @param listener is told of it
   */
  listen(listener: NatsLinkListener): void {
    const connection = this.#connection;
    const callback = (error: Error | null, message: { readonly data: Uint8Array }) => {
      if (error === null) listener.onPacket(message.data);
      else this.#over.end(error.message);
    };
    this.#over.observe((reason) => {
      listener.onOver(reason);
      // What was not sent is dropped with the connection.
      return connection.close();
    });
    if (this.#isClosed) return;
    this.names.onRemade = () => listener.onNamesGone();
    connection.subscribe(this.#subjects.all, { callback });
    connection.subscribe(`${this.#subjects.one}.${this.#options.server}`, { callback });
    this.#watchErrors();
  }

  /**
   * Sends a packet. The bytes on their way are bounded, because the client of NATS would take any
   * number of them into memory: if the server does not keep up, the link ends.
   *
   * @param bytes the packet
   * @param server the receiver; all servers if left out
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

  /** Ends the link if the last few checks were not answered. It must be called regularly. */
  check(): void {
    if (!this.#isConfirming) this.#unansweredChecks = 0;
    else if (++this.#unansweredChecks >= this.#options.checks) this.#over.end("no answer");
    this.#confirm();
  }

  /** Waits until the server has read everything or the link is over. */
  async drained(): Promise<void> {
    if (this.#isClosed) return;
    await Promise.race([this.#connection.flush().catch(() => {}), this.#connection.closed()]);
  }

  /** Sends what is left if that is soon done, and ends the link. May be called twice. */
  async close(): Promise<void> {
    await isWithin(CLOSE_MS, this.drained());
    this.#over.end("closed");
    await this.#connection.close();
  }

  /** Whether nothing more can be sent. The connection knows this a moment before it says so. */
  get #isClosed(): boolean {
    if (this.#connection.isClosed()) this.#over.end("connection closed");
    return this.whyOver !== undefined;
  }

  /** Asks the server whether it has read everything. Its answer comes in order. */
  #confirm(): void {
    if (this.#isConfirming || this.#isClosed) return;
    this.#isConfirming = true;
    const published = this.#published;
    this.#connection.flush().then(() => {
      this.#confirmed = published;
      this.#isConfirming = false;
    }, (error) => this.#over.end(error.message));
  }

  /** Watches for errors that the client reports here alone, such as missing permissions. */
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

  /** Why the link has ended; `undefined` before it has. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Ends the link; only the first reason counts. */
  end(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#observer?.(reason);
  }

  /** Calls back when the link ends, or at once if it has ended already. */
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
 * Waits for the first word of a NATS server. When an attempt times out, the client of NATS leaves
 * its socket open for ever. So a server that accepts and says nothing is found out here first.
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
  // The package does not export the class of this error.
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
