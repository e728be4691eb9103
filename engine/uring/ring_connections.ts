/**
 * The connections of one ring: it knows whose completion it is, and what is still under way.
 *
 * Whatever the kernel may still write to or read from stays where it is. Buffers and slots are mapped,
 * so no garbage collector knows them. A buffer is the kernel's until a completion names it, a slot until
 * its send is complete. A connection keeps its number, and its place here, until the last operation on
 * it is over, even if its conversation has long been.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../drivers/deadlines.ts";
import type { Sockets } from "../net/sockets.ts";
import { HangUps } from "./hang_ups.ts";
import { type ReceiveBufferOptions, ReceiveBuffers } from "./receive_buffers.ts";
import { OPERATION, type Ring } from "./ring.ts";
import { RingConnection, type RingShared } from "./ring_connection.ts";
import { SendSlots } from "./send_slots.ts";
import { UnreadBlocks } from "./unread.ts";

/** After a rush, how long its memory is kept for the next one, in milliseconds. */
const KEPT_MS = 1_000;

/** What the connections work with. */
export interface RingConnectionsParts {
  /** The Berkeley calls. */
  readonly sockets: Sockets;
  /** Their ring. */
  readonly ring: Ring;
  /** The limits of the loop. */
  readonly deadlines: Deadlines;
  /** How many buffers there are for what is received. */
  readonly buffers?: ReceiveBufferOptions;
  /** Called when a descriptor is about to be closed. */
  onClose(fd: number): void;
}

/** All connections of a ring. */
export class RingConnections {
  /** Those that were closed, and have still something to send. */
  readonly unsent = new Set<UnsentWriter>();
  /** Called when there is one. */
  onUnsent: (() => void) | undefined;
  readonly #shared: RingShared;
  readonly #deadlines: Deadlines;
  readonly #shrinks = new Deadline(() => this.#shrink(), true);
  /** By their numbers. */
  readonly #connections: (RingConnection | undefined)[] = [];
  readonly #freeIds: number[] = [];
  /** Those whose quiet sends are in the queue, and those whose quiet sends the kernel has. */
  #quiet: RingConnection[] = [];
  #submitted: RingConnection[] = [];
  /** Those for which the kernel had no buffer. */
  #starved: RingConnection[] = [];
  /** Those that were closed and have something to send, by connection. */
  readonly #writers = new Map<RingConnection, UnsentWriter>();

  /** @param parts what they work with */
  constructor({ sockets, ring, deadlines, buffers, onClose }: RingConnectionsParts) {
    this.#deadlines = deadlines;
    const hangUps = new HangUps(sockets, deadlines);
    this.#shared = {
      sockets,
      ring,
      buffers: new ReceiveBuffers(ring, buffers),
      slots: new SendSlots(),
      unread: new UnreadBlocks(),
      onMayEnd: (connection) => hangUps.add(connection),
      onStarved: (connection) => void this.#starved.push(connection),
      onQuiet: (connection) => void this.#quiet.push(connection),
      onUnsent: (connection) => {
        const writer = new UnsentWriter(connection);
        this.#writers.set(connection, writer);
        this.unsent.add(writer);
        this.onUnsent?.();
      },
      onClose,
      onGone: (connection) => this.#onGone(connection),
    };
  }

  /** The buffers and slots, as tests look at them. */
  get memory(): Pick<RingShared, "buffers" | "slots" | "unread"> {
    return this.#shared;
  }

  /** Whether there may be memory that nobody needs. */
  get #mayShrink(): boolean {
    const { buffers, slots, unread } = this.#shared;
    return buffers.mayShrink || slots.mayShrink || unread.mayShrink;
  }

  #shrink(): void {
    const { buffers, slots, unread } = this.#shared;
    buffers.shrink();
    slots.shrink();
    unread.shrink();
  }

  /** How many there are, with those that are about to close. */
  get size(): number {
    return this.#connections.length - this.#freeIds.length;
  }

  /**
   * Makes a connection.
   *
   * @param fd an accepted socket; it is closed with the connection
   * @param sockaddr the peer's address, as accept(2) fills it in; it is copied
   */
  add(fd: number, sockaddr: Uint8Array): RingConnection {
    const id = this.#freeIds.pop() ?? this.#connections.length;
    const connection = new RingConnection(id, fd, sockaddr, this.#shared);
    this.#connections[id] = connection;
    return connection;
  }

  /** Resumes the connection of the completion that the ring has taken, if it is one of theirs. */
  onCompletion(): void {
    const { ring } = this.#shared;
    const connection = this.#connections[ring.id];
    if (connection === undefined) return;
    if (ring.operation === OPERATION.receive) {
      // What was wrong with a send that was submitted comes before anything that was received then.
      if (this.#submitted.length > 0) this.#hearNothing();
      connection.onReceived(ring.result, ring.buffer, ring.hasMore);
    } else connection.onSent(ring.result);
  }

  /**
   * Ends a turn, when all completions were taken and nobody will push any more before the next call:
   * gives buffers back to the kernel, and lets those receive that had none.
   */
  endTurn(): void {
    if (this.#submitted.length > 0) this.#hearNothing();
    const empty = this.#submitted;
    this.#submitted = this.#quiet;
    this.#quiet = empty;
    this.#shared.buffers.publish();
    if (this.#mayShrink && this.#shrinks.queue === undefined) {
      this.#deadlines.set(this.#shrinks, KEPT_MS);
    }
    if (this.#starved.length === 0) return;
    const starved = this.#starved;
    this.#starved = [];
    for (const connection of starved) connection.receive();
  }

  /** Of some sends that were submitted nothing was heard: they are complete. */
  #hearNothing(): void {
    const submitted = this.#submitted;
    this.#submitted = [];
    for (const connection of submitted) {
      // If the kernel was short of memory, it may have left some in the queue.
      if (!connection.onQuiet()) this.#quiet.push(connection);
    }
    submitted.length = 0;
    this.#submitted = submitted;
  }

  /** Of those that were closed, throws away what the kernel has not taken. */
  dropUnsent(): void {
    for (const { connection } of this.unsent) connection.drop();
  }

  #onGone(connection: RingConnection): void {
    this.#connections[connection.id] = undefined;
    this.#freeIds.push(connection.id);
    const writer = this.#writers.get(connection);
    if (writer === undefined) return;
    this.#writers.delete(connection);
    this.unsent.delete(writer);
  }

  /** Gives all memory back. The ring must be closed, and there must be no connection. */
  dispose(): void {
    this.#shared.buffers.dispose();
    this.#shared.slots.dispose();
    this.#shared.unread.dispose();
  }
}

/** What a connection that was closed still sends, for those who look whether its peer takes it. */
export class UnsentWriter {
  /** Something waits to be sent. */
  readonly isWriting = true;
  /** Nothing new is written. */
  readonly writes = 0;
  /** The connection. */
  readonly connection: RingConnection;

  /** @param connection the connection */
  constructor(connection: RingConnection) {
    this.connection = connection;
  }

  /** The peer has taken nothing for too long. */
  giveUp(): void {
    this.connection.reset();
  }
}
