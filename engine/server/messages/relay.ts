/**
 * Relays a connection to a Worker by messages, where the Worker cannot use its descriptor. Every
 * byte is copied from one thread to the other.
 *
 * `postMessage` has no back-pressure: messages to a thread that does not read them pile up in
 * memory. So each direction has a window, as in TCP: about {@linkcode WINDOW} bytes may be under
 * way before the other side has acknowledged them. A message costs both threads time however short
 * it is, so each counts as {@linkcode MESSAGE_COST} bytes more. Without that a client that sends
 * thousands of short requests and reads no answer would keep the main thread from all others.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { joinBytes } from "../../../protocols/bytes.ts";
import { type FailureKind, SlowReaderError } from "../../../protocols/errors.ts";
import type { Lingerer } from "../../drivers/linger.ts";
import type { Writer } from "../../drivers/write_watch.ts";
import { Connection, type Pulled, type Sink } from "../../net/transport.ts";

/** How many bytes may be under way in one direction without an acknowledgement. */
const WINDOW = 64 * 1024;

/** What a message counts beside its bytes. */
const MESSAGE_COST = 1_024;

/** A side acknowledges when it has used up this much. */
const ACKNOWLEDGE = WINDOW / 2;

/** What a message takes of the window. */
function costOf(bytes: Uint8Array): number {
  return bytes.length + MESSAGE_COST;
}

/** What the main thread posts about a connection. */
export type ToThread =
  | {
    readonly kind: "open";
    readonly id: number;
    readonly peer: Address;
    readonly local: Address;
    /** The number of the connection in the trace; 0 if there is no trace. */
    readonly recordedAs: number;
  }
  | { readonly kind: "data"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly id: number }
  | {
    readonly kind: "lost";
    readonly id: number;
    /** Why: the system's words, or the limit that a slow reader has exceeded. */
    readonly message: string;
    /** Whether the main thread has given the peer up, because it took nothing. */
    readonly isSlow: boolean;
  }
  | { readonly kind: "written"; readonly id: number; readonly count: number }
  | { readonly kind: "cut"; readonly id: number };

/** What the thread posts about a connection. */
export type FromThread =
  | { readonly kind: "write"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "consumed"; readonly id: number; readonly count: number }
  | { readonly kind: "closeWrite"; readonly id: number }
  | { readonly kind: "close"; readonly id: number }
  | { readonly kind: "linger"; readonly id: number }
  | { readonly kind: "report"; readonly id: number; readonly message: string }
  | {
    readonly kind: "over";
    readonly id: number;
    readonly failure: Failure | undefined;
    /** Whether the peer ended the connection before it had sent a byte. */
    readonly wasEmpty: boolean;
  };

/** The parts of a conversation's error that can be posted. */
export interface Failure {
  /** How it is counted; `cut` when the server itself ended it. */
  readonly kind: FailureKind | "cut";
  /** The error's message. */
  readonly message: string;
}

/** The main thread's side: moves bytes between the socket and the thread. */
export class Relay implements Sink, Writer {
  readonly #connection: Connection;
  readonly #id: number;
  readonly #post: (message: ToThread) => void;
  readonly #lingerer: Lingerer;
  readonly #toWrite: Uint8Array[] = [];
  /** What that which is being written takes of the thread's window. */
  #writingCost = 0;
  #inFlight = 0;
  #reading = false;
  #writing = false;
  #hasWritten = false;
  #written = 0;
  #closeWriteWanted = false;
  #closeWanted = false;
  #lingerWanted = false;
  #over = false;
  #writes = 0;
  /** Why the socket was given up, if its peer took nothing of what was sent to it. */
  #slowness: SlowReaderError | undefined;
  /** Called when a write has to wait. */
  onWaiting: (() => void) | undefined;
  /** Called once, before the peer can see that the socket is closed, or its sending side. */
  onParting: (() => void) | undefined;
  #hasParted = false;
  /** Called once, when the socket is closed or begins to linger. */
  onClosed: (() => void) | undefined;

  /**
   * @param connection the socket
   * @param id its number in messages
   * @param lingerer takes the socket when it has to linger
   * @param post sends a message to the thread
   */
  constructor(
    connection: Connection,
    id: number,
    lingerer: Lingerer,
    post: (message: ToThread) => void,
  ) {
    this.#connection = connection;
    this.#id = id;
    this.#lingerer = lingerer;
    this.#post = post;
  }

  /**
   * Begins to read.
   *
   * @param recordedAs the number of the connection in the trace; 0 if there is no trace
   * @param peer the address of the client, if a proxy has named it
   * @param first bytes that were read before
   */
  start(recordedAs: number, peer = this.#connection.remoteAddress, first?: Uint8Array): void {
    const { localAddress: local } = this.#connection;
    this.#post({ kind: "open", id: this.#id, peer, local, recordedAs });
    if (first !== undefined && first.length > 0) this.#forward(first.slice());
    this.#read();
  }

  /** Handles a message from the thread. */
  handle(message: FromThread): void {
    switch (message.kind) {
      case "write":
        this.#toWrite.push(message.bytes);
        this.#hasWritten = true;
        return this.#write();
      case "consumed":
        this.#inFlight -= message.count;
        return this.#read();
      case "closeWrite":
        this.#closeWriteWanted = true;
        return this.#write();
      case "close":
        this.#closeWanted = true;
        // The thread does not know whether bytes are on their way to it.
        this.#lingerWanted ||= this.#hasWritten && this.#inFlight >= ACKNOWLEDGE;
        return this.#write();
      case "linger":
        this.#lingerWanted = true;
        return this.#write();
    }
  }

  /** Closes the socket now, even if there are bytes to write. */
  close(): void {
    if (this.#over) return;
    this.#end();
    this.#part();
    this.#connection.close();
    this.onClosed?.();
  }

  /** Ends the connection because its thread has died: sends FIN, and lets it linger. */
  part(): void {
    if (!this.#over) this.#linger();
  }

  /**
   * Sends FIN and gives the socket to the lingerer, when all is written. Then the thread is free.
   */
  #linger(): void {
    this.#end();
    this.#part();
    this.#connection.closeWrite();
    this.#lingerer.add(this.#connection);
    this.onClosed?.();
  }

  #part(): void {
    if (this.#hasParted) return;
    this.#hasParted = true;
    this.onParting?.();
  }

  #end(): void {
    this.#over = true;
    this.#toWrite.length = 0;
    this.#connection.unpull();
  }

  /** Whether the socket is closed or lingers. */
  get closed(): boolean {
    return this.#over;
  }

  /** Why the socket was given up, if its peer took nothing of what was sent to it. */
  get slowness(): SlowReaderError | undefined {
    return this.#slowness;
  }

  get isWriting(): boolean {
    return this.#writing && !this.#over;
  }

  get writes(): number {
    return this.#writes;
  }

  get connection(): Connection {
    return this.#connection;
  }

  giveUp(error: SlowReaderError): void {
    if (this.#over) return;
    this.#slowness = error;
    this.#post({ kind: "lost", id: this.#id, message: error.limit, isSlow: true });
    this.#end();
    this.#part();
    this.#connection.reset();
    this.onClosed?.();
  }

  onRead(chunk: Uint8Array | null): void {
    this.#reading = false;
    this.#forward(chunk === null ? null : chunk.slice());
    if (chunk !== null) this.#read();
  }

  onWritten(): void {
    this.#writing = false;
    this.#tookWrite();
    this.#write();
  }

  onError(error: Error): void {
    this.#lose(error);
  }

  #read(): void {
    if (this.#reading || this.#over || this.#inFlight >= WINDOW) return;
    // What has come already becomes one message.
    const pieces: Uint8Array[] = [];
    let room = WINDOW - this.#inFlight;
    let pulled: Pulled;
    let failure: Error | undefined;
    try {
      do {
        pulled = this.#connection.pull(this);
        if (pulled == null) break;
        // Valid only until the next pull. To post a view would copy the whole buffer behind it.
        pieces.push(pulled.slice());
        room -= pulled.length;
      } while (room > 0);
    } catch (error) {
      failure = error as Error;
    }
    const [first] = pieces;
    if (first !== undefined) this.#forward(pieces.length === 1 ? first : joinBytes(pieces));
    if (failure !== undefined) return this.#lose(failure);
    this.#reading = pulled === undefined;
    if (pulled === null) this.#forward(null);
  }

  /** @param chunk bytes in a buffer of their own; `null` for the peer's FIN */
  #forward(chunk: Uint8Array | null): void {
    if (this.#over) return;
    if (chunk === null) return this.#post({ kind: "end", id: this.#id });
    this.#inFlight += costOf(chunk);
    this.#post({ kind: "data", id: this.#id, bytes: chunk });
  }

  #write(): void {
    try {
      while (!this.#writing && !this.#over) {
        if (this.#toWrite.length === 0) {
          if (this.#lingerWanted) this.#linger();
          // What the peer has taken is known only when all is written.
          else if (this.#closeWanted && this.#hasWritten && this.#connection.mayLose) {
            this.#linger();
          } else if (this.#closeWanted) this.close();
          else if (this.#closeWriteWanted) {
            this.#closeWriteWanted = false;
            this.#part();
            this.#connection.closeWrite();
          }
          return;
        }
        this.#writes++;
        if (this.#connection.push(this.#nextWrite(), this)) this.#tookWrite();
        else {
          this.#writing = true;
          this.onWaiting?.();
        }
      }
    } catch (error) {
      this.#lose(error as Error);
    }
  }

  /** Takes what is written next: of what has come, as much as a window holds. */
  #nextWrite(): Uint8Array {
    let count = 0;
    let length = 0;
    this.#writingCost = 0;
    for (const bytes of this.#toWrite) {
      if (count > 0 && length + bytes.length > WINDOW) break;
      count++;
      length += bytes.length;
      this.#writingCost += costOf(bytes);
    }
    return joinBytes(this.#toWrite.splice(0, count));
  }

  #tookWrite(): void {
    this.#written += this.#writingCost;
    if (this.#written < ACKNOWLEDGE) return;
    this.#post({ kind: "written", id: this.#id, count: this.#written });
    this.#written = 0;
  }

  #lose(error: Error): void {
    if (this.#over) return;
    this.#post({ kind: "lost", id: this.#id, message: error.message, isSlow: false });
    this.close();
  }
}

/** The message of the error for a connection that this side has closed. */
const CLOSED = "The connection is closed";

/** The thread's side: a connection like any other for the event-driven driver. */
export class RelayedConnection extends Connection {
  override readonly localAddress: Address;
  override readonly remoteAddress: Address;
  readonly #id: number;
  readonly #post: (message: FromThread) => void;
  readonly #unread: Uint8Array[] = [];
  #reader: Sink | undefined;
  #writer: Sink | undefined;
  #consumed = 0;
  #inFlight = 0;
  #ended = false;
  #failure: Error | undefined;
  #closed = false;

  /**
   * @param opened the main thread's message
   * @param post sends a message to the main thread
   */
  constructor(opened: ToThread & { kind: "open" }, post: (message: FromThread) => void) {
    super();
    this.localAddress = opened.local;
    this.remoteAddress = opened.peer;
    this.#id = opened.id;
    this.#post = post;
  }

  /** Handles a message from the main thread. */
  handle(message: ToThread): void {
    switch (message.kind) {
      case "data":
        this.#unread.push(message.bytes);
        return this.#deliver();
      case "end":
        this.#ended = true;
        return this.#deliver();
      case "lost": {
        this.#failure = message.isSlow
          ? new SlowReaderError(message.message)
          : new Error(message.message);
        const sink = this.#writer ?? this.#reader;
        this.#reader = this.#writer = undefined;
        return sink?.onError(this.#failure);
      }
      case "written": {
        this.#inFlight -= message.count;
        const sink = this.#writer;
        if (sink === undefined || this.#inFlight > WINDOW) return;
        this.#writer = undefined;
        return sink.onWritten();
      }
    }
  }

  override pull(sink: Sink): Pulled {
    const chunk = this.#unread.shift();
    if (chunk !== undefined) {
      this.#consumed += costOf(chunk);
      if (this.#consumed >= ACKNOWLEDGE) {
        this.#post({ kind: "consumed", id: this.#id, count: this.#consumed });
        this.#consumed = 0;
      }
      return chunk;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new Error(CLOSED);
    if (this.#ended) return null;
    this.#reader = sink;
    return undefined;
  }

  override get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  override unpull(): void {
    this.#reader = undefined;
  }

  /** Does nothing: this thread computes in place, and meanwhile no message can reach it. */
  override watch(): void {}

  override push(bytes: Uint8Array, sink: Sink): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) throw new Error(CLOSED);
    if (bytes.length === 0) return true;
    // Copies only these bytes. To post a view would copy the whole buffer behind it.
    this.#post({ kind: "write", id: this.#id, bytes: bytes.slice() });
    this.#inFlight += costOf(bytes);
    if (this.#inFlight <= WINDOW) return true;
    this.#writer = sink;
    return false;
  }

  override get pending(): number {
    return this.#inFlight;
  }

  override get mayLose(): boolean {
    // The main thread knows what the peer has taken.
    return this.hasUnread;
  }

  override closeWrite(): void {
    if (!this.#closed) this.#post({ kind: "closeWrite", id: this.#id });
  }

  /** Asks the main thread to close the socket when all is written and it has lingered. */
  linger(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#post({ kind: "linger", id: this.#id });
  }

  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#post({ kind: "close", id: this.#id });
  }

  #deliver(): void {
    const sink = this.#reader;
    if (sink === undefined) return;
    this.#reader = undefined;
    const pulled = this.pull(sink);
    if (pulled !== undefined) sink.onRead(pulled);
  }
}
