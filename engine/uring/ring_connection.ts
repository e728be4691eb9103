/**
 * A connection for which the kernel receives and sends by itself, and says when it has done so.
 *
 * - One operation receives again and again. It is put in once, and again only when it has ended: at an
 *   error, or when there was no buffer for it (`ENOBUFS`). Then the bytes wait in the socket.
 * - What comes while nobody asks for it is kept. When it is too much, receiving is cancelled until it is
 *   asked for, and TCP holds the peer back.
 * - A push copies its bytes into a slot and is done. Several pushes in one turn of the loop are one
 *   send. Mostly the kernel takes all at once and says nothing about it. If it cannot, it says so, and
 *   the rest is sent when the peer has made room. The next push waits for that. So at most one slot of
 *   bytes is on its way to the kernel.
 * - An operation that is under way keeps the socket open, whatever becomes of its descriptor. So a
 *   connection that closes waits for its send, cancels its receive and is forgotten when both are over.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import type { PackedAddress } from "../net/address.ts";
import { SocketError } from "../net/socket_error.ts";
import type { Sockets } from "../net/sockets.ts";
import { Connection, type Pulled, type Sink, UNREAD_LIMIT } from "../net/transport.ts";
import type { ReceiveBuffers } from "./receive_buffers.ts";
import type { Ring } from "./ring.ts";
import type { SendSlots, Slot } from "./send_slots.ts";
import { Unread, type UnreadBlocks } from "./unread.ts";

/** What the connections of one ring share. */
export interface RingShared {
  /** The Berkeley calls. */
  readonly sockets: Sockets;
  /** The queues. */
  readonly ring: Ring;
  /** Where the kernel receives. */
  readonly buffers: ReceiveBuffers;
  /** What it sends from. */
  readonly slots: SendSlots;
  /** Where bytes wait that have come and were not asked for. */
  readonly unread: UnreadBlocks;
  /** Called when it may have an end of which the kernel does not tell: see `hang_ups.ts`. */
  onMayEnd(connection: RingConnection): void;
  /** Called when the kernel had no buffer: {@linkcode RingConnection.receive} is to be called later. */
  onStarved(connection: RingConnection): void;
  /** Called when a send is in the queue of which nothing will be heard if all is well. */
  onQuiet(connection: RingConnection): void;
  /** Called when a connection that was closed has still something to send. */
  onUnsent(connection: RingConnection): void;
  /** Called when its descriptor is about to be closed. */
  onClose(fd: number): void;
  /** Called when nothing is under way for it any more, so that its number can be used again. */
  onGone(connection: RingConnection): void;
}

// What is true of a connection, as bits of one number: ten thousand idle ones take less memory.

/** The kernel receives. */
const RECEIVING = 1;
/** That was cancelled. */
const STOPPING = 2;
/** It waits for a buffer. */
const STARVED = 4;
/** The kernel sends. */
const SENDING = 8;
/** The peer's FIN has come. */
const ENDED = 16;
/** FIN is to be sent after what is being sent. */
const PARTING = 32;
/** It was closed. */
const CLOSED = 64;
/** Its descriptor was given back. */
const RELEASED = 128;
/** Nothing is under way for it any more. */
const GONE = 256;
/** What the kernel has not taken is thrown away. */
const DROPPING = 512;
/** Its send will complete. If not, only a failure is told. */
const ALOUD = 1024;
/** It will be looked at for an end of which the kernel does not tell. */
const WATCHED = 2048;
/** Bytes have come since it was to be looked at: whatever else comes wakes it again. */
const FRESH = 4096;

const NONE = -1;

/** What few connections need, and most of those for a moment. */
class Seldom {
  /** Who wants to know of the end. */
  watcher: Sink | undefined;
  /** What a push that waits has still to send, and who waits. */
  writing: Uint8Array | undefined;
  writer: Sink | undefined;
  /** What has come and was not asked for. It is there as long as its bytes are looked at. */
  unread: Unread | undefined;
  failure: Error | undefined;
}

/** A connection of a {@linkcode Ring}. */
export class RingConnection extends Connection {
  /** Its number among the connections of the ring. */
  readonly id: number;
  /** Its descriptor. */
  override readonly fd: number;
  readonly #shared: RingShared;
  readonly #peer: PackedAddress;
  #is = 0;
  #reader: Sink | undefined;
  #seldom: Seldom | undefined;
  /** The slot that the kernel sends from. */
  #slot: Slot | undefined;
  /** The buffer that its conversation still keeps. */
  #lent = NONE;

  /**
   * @param id its number
   * @param fd a connected socket; it is closed with the connection
   * @param sockaddr the peer's address, as accept(2) fills it in; it is copied
   * @param shared what the connections of its ring share
   */
  constructor(id: number, fd: number, sockaddr: Uint8Array, shared: RingShared) {
    super();
    this.id = id;
    this.fd = fd;
    this.#shared = shared;
    this.#peer = shared.sockets.packAddress(sockaddr);
    this.receive();
  }

  override get localAddress(): Address {
    return this.#shared.sockets.localAddress(this.fd);
  }

  override get remoteAddress(): Address {
    return this.#shared.sockets.readPacked(this.#peer);
  }

  get #rarely(): Seldom {
    return this.#seldom ??= new Seldom();
  }

  /** Has the kernel receive from now on. */
  receive(): void {
    if ((this.#is & (RECEIVING | ENDED | CLOSED)) !== 0) return;
    this.#is = (this.#is & ~STARVED) | RECEIVING;
    this.#shared.ring.receive(this.fd, this.id);
  }

  /** Has it looked at for an end of which the kernel does not tell. */
  #haveLookedAt(): void {
    if ((this.#is & (WATCHED | CLOSED)) !== 0) {
      this.#is |= FRESH;
      return;
    }
    this.#is |= WATCHED;
    this.#shared.onMayEnd(this);
  }

  /** Whether it need not be looked at yet, because more bytes have come since it was to be. */
  isLookedAtLater(): boolean {
    const isLater = (this.#is & (FRESH | CLOSED)) === FRESH;
    this.#is &= ~FRESH;
    return isLater;
  }

  /**
   * It is looked at for an end of which the kernel does not tell.
   *
   * @returns whether there may be one
   */
  isLookedAt(): boolean {
    this.#is &= ~WATCHED;
    return (this.#is & (RECEIVING | STOPPING | CLOSED)) === RECEIVING || this.#mayBeReset;
  }

  /** Whether somebody waits for something else, and only a reset can come. */
  get #mayBeReset(): boolean {
    return (this.#is & (ENDED | CLOSED)) === ENDED && this.#seldom?.watcher !== undefined;
  }

  /** It was looked at. @param hasEnded whether there is an end */
  onLook(hasEnded: boolean): void {
    if (this.#mayBeReset) {
      if (hasEnded) this.#failAfterEnd();
      else this.#haveLookedAt();
    } else if (hasEnded && (this.#is & (STOPPING | CLOSED)) === 0) {
      // The kernel looks at the socket again before it waits.
      this.#is |= STOPPING;
      this.#shared.ring.cancelReceive(this.id);
    }
  }

  /** A reset has followed FIN, or both directions are closed, and then nothing can follow. */
  #failAfterEnd(): void {
    const { sockets } = this.#shared;
    const { SOL_SOCKET, SO_ERROR } = sockets.constants;
    const errno = sockets.getOption(this.fd, SOL_SOCKET, SO_ERROR);
    if (errno !== 0) this.#fail(new SocketError("recv", errno));
  }

  override pull(sink: Sink): Pulled {
    if ((this.#is & CLOSED) !== 0) throw this.#closedError("recv");
    if (this.#lent !== NONE) this.#giveBack();
    const seldom = this.#seldom;
    if (seldom !== undefined) {
      const bytes = seldom.unread?.take();
      if (bytes !== undefined) return bytes;
      seldom.unread = undefined;
      if (seldom.failure !== undefined) throw seldom.failure;
    }
    if ((this.#is & ENDED) !== 0) return null;
    this.#reader = sink;
    if ((this.#is & (RECEIVING | STARVED)) === 0) this.receive();
    return undefined;
  }

  override get hasUnread(): boolean {
    const seldom = this.#seldom;
    if (seldom?.unread !== undefined && seldom.unread.length > 0) return true;
    if ((this.#is & (ENDED | CLOSED)) !== 0 || seldom?.failure !== undefined) return false;
    return this.#shared.sockets.hasUnread(this.fd);
  }

  #giveBack(): void {
    this.#shared.buffers.give(this.#lent);
    this.#lent = NONE;
  }

  override unpull(): void {
    this.#reader = undefined;
    if (this.#seldom !== undefined) this.#seldom.watcher = undefined;
  }

  override watch(sink: Sink): void {
    const seldom = this.#rarely;
    if (seldom.failure !== undefined) return;
    seldom.watcher = sink;
    if ((this.#is & ENDED) !== 0) this.#haveLookedAt();
  }

  /**
   * The kernel has received, or cannot.
   *
   * @param result how many bytes, 0 at the peer's FIN, or the negated error number
   * @param buffer the number of the buffer they are in; -1 for none
   * @param hasMore whether it goes on
   */
  onReceived(result: number, buffer: number, hasMore: boolean): void {
    if (!hasMore) this.#is &= ~(RECEIVING | STOPPING);
    if (result > 0) this.#received(result, buffer);
    else if (buffer !== NONE) {
      this.#shared.buffers.take(buffer, 0);
      this.#shared.buffers.give(buffer);
    }
    if ((this.#is & CLOSED) !== 0) {
      this.#settle();
      return;
    }
    if (hasMore) return;
    if (result === 0) this.#end();
    else if (result > 0) this.receive();
    else this.#stopped(-result);
  }

  #received(count: number, buffer: number): void {
    const { buffers } = this.#shared;
    const bytes = buffers.take(buffer, count);
    this.#haveLookedAt();
    const sink = this.#reader;
    if (sink !== undefined) {
      this.#reader = undefined;
      this.#lent = buffer;
      sink.onRead(bytes);
      return;
    }
    if ((this.#is & CLOSED) === 0) this.#keep(bytes);
    buffers.give(buffer);
  }

  /** Keeps what was not asked for, and holds the peer back if it is much. */
  #keep(bytes: Uint8Array): void {
    const unread = this.#rarely.unread ??= new Unread(this.#shared.unread);
    unread.add(bytes);
    const isStopping = (this.#is & (RECEIVING | STOPPING)) !== RECEIVING;
    if (unread.length < UNREAD_LIMIT || isStopping) return;
    this.#is |= STOPPING;
    this.#shared.ring.cancelReceive(this.id);
  }

  /** The peer's FIN. */
  #end(): void {
    // After a failed send the kernel has told the error already, and tells FIN from then on.
    const seldom = this.#seldom;
    if (seldom?.failure !== undefined) return;
    this.#is |= ENDED;
    const sink = this.#reader;
    this.#reader = undefined;
    if (sink !== undefined) sink.onRead(null);
    else if (seldom?.watcher !== undefined) {
      this.#haveLookedAt();
      seldom.watcher.onEnd?.();
    }
  }

  /** Receiving has ended with an error. */
  #stopped(errno: number): void {
    const { ENOBUFS, EAGAIN, EINTR, ECANCELED } = this.#shared.sockets.constants.errno;
    if (errno === ENOBUFS) {
      this.#is |= STARVED;
      this.#shared.onStarved(this);
    } else if (errno === EAGAIN || errno === EINTR) this.receive();
    else if (errno === ECANCELED) {
      // There was too much that nobody had asked for, perhaps until now.
      if ((this.#seldom?.unread?.length ?? 0) < UNREAD_LIMIT) this.receive();
    } else this.#fail(new SocketError("recv", errno));
  }

  #fail(error: Error): void {
    const seldom = this.#rarely;
    if (seldom.failure !== undefined) return;
    seldom.failure = error;
    const sink = seldom.writer ?? this.#reader ?? seldom.watcher;
    this.#reader = seldom.watcher = seldom.writer = undefined;
    seldom.writing = undefined;
    sink?.onError(error);
  }

  override push(bytes: Uint8Array, sink: Sink): boolean {
    if ((this.#is & CLOSED) !== 0) throw this.#closedError("send");
    if (bytes.length === 0) return true;
    const failure = this.#seldom?.failure;
    if (failure !== undefined) throw failure;
    if ((this.#is & SENDING) === 0 ? this.#send(bytes) : this.#sendWith(bytes)) return true;
    const seldom = this.#rarely;
    seldom.writer = sink;
    seldom.writing ??= bytes;
    return false;
  }

  /** Begins to send. Returns whether all of it fits; if not, the rest waits. */
  #send(bytes: Uint8Array): boolean {
    const slot = this.#shared.slots.fill(bytes);
    this.#slot = slot;
    const isWhole = slot.length === bytes.length;
    this.#is |= SENDING;
    this.#submit(slot, isWhole);
    if (!isWhole) this.#rarely.writing = bytes.subarray(slot.length);
    return isWhole;
  }

  #submit(slot: Slot, isQuiet: boolean): void {
    slot.place = this.#shared.ring.send(this.fd, slot, this.id, isQuiet);
    if (isQuiet) this.#shared.onQuiet(this);
    else this.#is |= ALOUD;
  }

  /** Adds bytes to a send that is not with the kernel yet. Returns whether that was possible. */
  #sendWith(bytes: Uint8Array): boolean {
    const { ring, slots } = this.#shared;
    const slot = this.#slot as Slot;
    if (!ring.isQueued(slot.place)) return false;
    const into = slots.append(slot, bytes);
    if (into === undefined) {
      this.#askForEnd();
      return false;
    }
    this.#slot = into;
    ring.sendMore(into);
    return true;
  }

  /** Somebody waits for the end of the send. */
  #askForEnd(): void {
    const { ring } = this.#shared;
    const { place } = this.#slot as Slot;
    // What the kernel has already is over soon.
    if ((this.#is & ALOUD) !== 0 || !ring.isQueued(place)) return;
    this.#is |= ALOUD;
    ring.sendAloud(place);
  }

  /**
   * Nothing was heard of a quiet send, and would have been by now if anything were wrong.
   *
   * @returns whether the kernel has it at all
   */
  onQuiet(): boolean {
    if ((this.#is & (SENDING | ALOUD)) !== SENDING) return true;
    if (this.#shared.ring.isQueued((this.#slot as Slot).place)) return false;
    this.#sent();
    return true;
  }

  /**
   * A send is over, or a quiet one has not sent all.
   *
   * @param result how many bytes were sent, or the negated error number
   */
  onSent(result: number): void {
    const { EAGAIN, EINTR } = this.#shared.sockets.constants.errno;
    const slot = this.#slot as Slot;
    const count = result === -EAGAIN || result === -EINTR ? 0 : result;
    const isWanted = count >= 0 && (this.#is & DROPPING) === 0;
    // The kernel has sent a part only. So it says too of a send that was cancelled in the middle.
    if (isWanted) slot.sent += count;
    if (isWanted && slot.left > 0) return this.#submit(slot, false);
    if (count >= 0) return this.#sent();
    this.#endSend();
    this.#is &= ~PARTING;
    if ((this.#is & CLOSED) !== 0) this.#settle();
    else this.#fail(new SocketError("send", -count));
  }

  #endSend(): void {
    this.#shared.slots.give(this.#slot as Slot);
    this.#slot = undefined;
    this.#is &= ~(SENDING | ALOUD);
  }

  /** A send is complete. What had to wait for that goes on. */
  #sent(): void {
    this.#endSend();
    const seldom = this.#seldom;
    if (seldom?.writing !== undefined) this.#sendRest(seldom, seldom.writing);
    if ((this.#is & SENDING) !== 0) return;
    if ((this.#is & CLOSED) !== 0) this.#settle();
    else if ((this.#is & PARTING) !== 0) this.#part();
  }

  #sendRest(seldom: Seldom, bytes: Uint8Array): void {
    seldom.writing = undefined;
    if (!this.#send(bytes)) return;
    const sink = seldom.writer;
    seldom.writer = undefined;
    sink?.onWritten();
  }

  override get pending(): number {
    if ((this.#is & RELEASED) !== 0) return 0;
    const inSlot = this.#slot?.left ?? 0;
    const waiting = this.#seldom?.writing?.length ?? 0;
    return waiting + inSlot + this.#shared.sockets.unacknowledged(this.fd);
  }

  override closeWrite(): void {
    if ((this.#is & CLOSED) !== 0) return;
    if ((this.#is & SENDING) === 0) return this.#part();
    this.#is |= PARTING;
    this.#askForEnd();
  }

  #part(): void {
    const { sockets } = this.#shared;
    this.#is &= ~PARTING;
    sockets.shutdown(this.fd, sockets.constants.SHUT_WR);
  }

  override close(): void {
    if ((this.#is & CLOSED) !== 0) return;
    this.#is |= CLOSED;
    this.#reader = undefined;
    const seldom = this.#seldom;
    if (seldom !== undefined) {
      seldom.watcher = seldom.writer = undefined;
      seldom.writing = undefined;
      seldom.unread?.clear();
      seldom.unread = undefined;
    }
    if (this.#lent !== NONE) this.#giveBack();
    this.#settle();
    if ((this.#is & SENDING) === 0) return;
    this.#askForEnd();
    this.#shared.onUnsent(this);
  }

  override reset(): void {
    if ((this.#is & RELEASED) !== 0) return;
    const { sockets } = this.#shared;
    sockets.resetOnClose(this.fd);
    this.drop();
    this.close();
  }

  /** Throws away what the kernel has not taken. What it has still goes to the peer. */
  drop(): void {
    if ((this.#is & (SENDING | DROPPING)) !== SENDING) return;
    this.#is |= DROPPING;
    this.#shared.ring.cancelSend(this.id, (this.#slot as Slot).number);
  }

  /** Goes on with closing: first what is being sent, then the descriptor, then the receive. */
  #settle(): void {
    if ((this.#is & SENDING) !== 0) return;
    const { ring } = this.#shared;
    if ((this.#is & RELEASED) === 0) {
      this.#is |= RELEASED;
      if ((this.#is & RECEIVING) !== 0) ring.cancelReceive(this.id);
      this.#shared.onClose(this.fd);
      ring.close(this.fd);
    }
    if ((this.#is & (RECEIVING | GONE)) !== 0) return;
    this.#is |= GONE;
    this.#shared.onGone(this);
  }

  #closedError(syscall: string): Error {
    return new SocketError(syscall, this.#shared.sockets.constants.errno.EBADF);
  }
}
