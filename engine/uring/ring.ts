/**
 * The two queues of io_uring (io_uring(7), Linux): operations for the kernel go into one, and it says
 * in the other what became of them. Both lie in memory that this thread and the kernel share, so one
 * system call hands over any number of operations and waits for completions.
 *
 * An operation has a number of two words: what was asked for, and for whom. The kernel gives them back
 * with the completion.
 *
 * With `DEFER_TASKRUN` the kernel works for this thread only while the thread is in the call. Nothing
 * else writes to the queues meanwhile, so plain loads and stores are enough.
 *
 * @module
 */

import { Mapping, unmap } from "../net/mapped_memory.ts";
import { SocketError } from "../net/socket_error.ts";
import { sockets } from "../net/sockets.ts";
import { type Enter, enterCall, register, setUp } from "./calls.ts";

/** What was asked for. */
export const OPERATION = {
  /** Receive, again and again. */
  receive: 1,
  /** Send what is in a slot. */
  send: 2,
  /** Accept, once or again and again. */
  accept: 3,
  /** Watch a descriptor. */
  watch: 4,
  /** Cancel another operation. */
  cancel: 5,
  /** Close a descriptor. */
  close: 6,
  /** The ring's own timer. */
  timer: 7,
} as const;

// Flags of io_uring_setup(2).
const CQSIZE = 1 << 3;
const CLAMP = 1 << 4;
const SUBMIT_ALL = 1 << 7;
const COOP_TASKRUN = 1 << 8;
const SINGLE_ISSUER = 1 << 12;
const DEFER_TASKRUN = 1 << 13;
const NO_SQARRAY = 1 << 16;

/** They are all there since Linux 6.1. */
const SETUP_FLAGS = CQSIZE | CLAMP | SUBMIT_ALL | COOP_TASKRUN | SINGLE_ISSUER | DEFER_TASKRUN;

// Places in `struct io_uring_params`, in words.
const SQ_ENTRIES = 0;
const CQ_ENTRIES = 1;
const FLAGS = 2;
const SQ_TAIL = 11;
const SQ_MASK = 12;
const SQ_ARRAY = 16;
const CQ_HEAD = 20;
const CQ_TAIL = 21;
const CQ_MASK = 22;
const CQ_OVERFLOW = 24;
const SQ_FLAGS = 14;
const CQ_ENTRY = 25;
const PARAMS_WORDS = 30;

/** Where the submission entries are mapped. */
const SQES_OFFSET = 0x1000_0000;

/** A request of io_uring_register(2). */
const REGISTER_BUFFERS = 22;

/** A flag of io_uring_enter(2). */
const GETEVENTS = 1;

// Opcodes.
const NOP = 0;
const POLL_ADD = 6;
const TIMEOUT = 11;
const TIMEOUT_REMOVE = 12;
const ACCEPT = 13;
const ASYNC_CANCEL = 14;
const CLOSE = 19;
const SEND = 26;
const RECV = 27;

// Flags of an operation, in the second byte of its first word.
const BUFFER_SELECT = 32 << 8;
const CQE_SKIP_SUCCESS = 64 << 8;

// Flags of single operations.
const ACCEPT_MULTISHOT = 1 << 16;
const RECV_MULTISHOT = 2 << 16;
const RECV_POLL_FIRST = 1 << 16;
const POLL_MULTISHOT = 1;
const CANCEL_ALL = 1;
const TIMEOUT_UPDATE = 2;
const MSG_DONTWAIT = 0x40;
/** `MSG_NOSIGNAL`, and `MSG_WAITALL`: a send that is cut short is no success. */
const SEND_FLAGS = 0x4000 | 0x100;

// Flags of a completion.
const CQE_BUFFER = 1;
const CQE_MORE = 2;

/** The bit of the queue's own flags that says that completions had no room in the other one. */
const HAS_OVERFLOWED = 2;

/** How many words an operation has: 64 bytes. */
const SQE_WORDS = 16;
const SQE_SHIFT = 4;
/** A completion has 4 words: 16 bytes. */
const CQE_SHIFT = 2;

/** How often a full queue is offered to a kernel that has no memory for it, and after which pause. */
const MOST_OFFERS = 1000;
const PAUSE_MS = 1;

/** How many entries the queues have. */
export interface RingOptions {
  /** Operations that are submitted at a time. @default {256} */
  readonly entries?: number;
  /**
   * Completions that fit before the kernel has to keep some for later, which is slower. @default
   * {2048}
   */
  readonly completions?: number;
}

/** Mapped bytes that can be sent. */
export interface Sendable {
  /** The two words of their address. */
  readonly leftLow: number;
  readonly leftHigh: number;
  /** How many they are. */
  readonly left: number;
  /** The number by which the send is known: 24 bits. */
  readonly number: number;
  /** The place in the queue that {@linkcode Ring.send} has returned. */
  readonly place: number;
}

/** Where another thread finds a ring, if its own thread has died. */
export interface RingPlace {
  /** Its descriptor. */
  readonly fd: number;
  /** Where its queues are mapped, and how long they are. */
  readonly queues: number;
  readonly queuesLength: number;
  /** The same for its operations. */
  readonly operations: number;
  readonly operationsLength: number;
  /** Where in the queues the completions are. */
  readonly headAt: number;
  readonly tailAt: number;
  readonly mask: number;
  readonly entriesAt: number;
}

/** An instance of io_uring. It belongs to the thread that has made it. */
export class Ring {
  /** Its descriptor. */
  readonly fd: number;
  /** Of the completion that {@linkcode Ring.next} has found: what was asked for. */
  operation = 0;
  /** For whom. */
  id = 0;
  /** With which slot. */
  slot = 0;
  /** What it returned: a count or a descriptor, or the negated error number. */
  result = 0;
  /** Whether the same operation will say more. */
  hasMore = false;
  /** The number of the buffer that it has used; -1 for none. */
  buffer = -1;
  readonly #enterCall: Enter;
  readonly #words: Int32Array;
  readonly #sq: Int32Array;
  readonly #cq: Int32Array;
  readonly #sqMask: number;
  readonly #cqMask: number;
  readonly #sqTailAt: number;
  readonly #cqHeadAt: number;
  readonly #cqTailAt: number;
  readonly #overflowAt: number;
  readonly #flagsAt: number;
  readonly #queues: Mapping;
  readonly #operations: Mapping;
  readonly #time = new Mapping(16);
  readonly #timespec = new Int32Array(this.#time.buffer);
  readonly #entriesAt: number;
  /** The tail of the submissions, and how much of it the kernel has taken. */
  #tail = 0;
  #submitted = 0;
  /** The heads and tails of the completions. */
  #head: number;
  #end: number;
  /** When the timer goes off, on the clock of `performance.now()`. */
  #timerAt = Infinity;

  /**
   * @param options how large its queues are
   * @throws {SocketError} if the kernel makes none: see `whyNoRing`
   */
  constructor({ entries = 256, completions = 2048 }: RingOptions = {}) {
    const params = new Uint32Array(PARAMS_WORDS);
    const at = (index: number): number => params[index] as number;
    const make = (flags: number): number => {
      params.fill(0);
      params[CQ_ENTRIES] = completions;
      params[FLAGS] = flags;
      return setUp(entries, params);
    };
    let fd = make(SETUP_FLAGS | NO_SQARRAY);
    // Linux 6.6 can do without the array of indices.
    const hasArray = fd === -sockets().constants.errno.EINVAL;
    if (hasArray) fd = make(SETUP_FLAGS);
    if (fd < 0) throw new SocketError("io_uring_setup", -fd);
    this.fd = fd;
    const cqEnd = at(CQ_ENTRY) + at(CQ_ENTRIES) * 16;
    const sqEnd = hasArray ? at(SQ_ARRAY) + at(SQ_ENTRIES) * 4 : 0;
    this.#queues = new Mapping(Math.max(cqEnd, sqEnd), fd);
    this.#operations = new Mapping(at(SQ_ENTRIES) * SQE_WORDS * 4, fd, SQES_OFFSET);
    this.#words = new Int32Array(this.#queues.buffer);
    this.#sq = new Int32Array(this.#operations.buffer);
    this.#entriesAt = at(CQ_ENTRY);
    this.#cq = new Int32Array(this.#queues.buffer, this.#entriesAt, at(CQ_ENTRIES) * 4);
    this.#sqTailAt = at(SQ_TAIL) >> 2;
    this.#cqHeadAt = at(CQ_HEAD) >> 2;
    this.#cqTailAt = at(CQ_TAIL) >> 2;
    this.#overflowAt = at(CQ_OVERFLOW) >> 2;
    this.#flagsAt = at(SQ_FLAGS) >> 2;
    this.#sqMask = this.#words[at(SQ_MASK) >> 2] as number;
    this.#cqMask = this.#words[at(CQ_MASK) >> 2] as number;
    this.#head = this.#end = this.#words[this.#cqHeadAt] as number;
    if (hasArray) {
      for (let index = 0; index < at(SQ_ENTRIES); index++) {
        this.#words[(at(SQ_ARRAY) >> 2) + index] = index;
      }
    }
    this.#enterCall = enterCall();
  }

  /**
   * Registers a ring of buffers from which the kernel takes one for each receive.
   *
   * @param entries its memory, 16 bytes for each buffer @param count a power of two
   */
  registerBuffers(entries: Mapping, count: number): void {
    const registration = new DataView(new ArrayBuffer(40));
    registration.setBigUint64(0, BigInt(entries.address), true);
    registration.setUint32(8, count, true);
    const bytes = new Uint8Array(registration.buffer);
    const result = register(this.fd, REGISTER_BUFFERS, bytes, 1);
    if (result < 0) throw new SocketError("io_uring_register", -result);
  }

  /** Where its completions lie. */
  get place(): RingPlace {
    return {
      fd: this.fd,
      queues: this.#queues.address,
      queuesLength: this.#queues.buffer.byteLength,
      operations: this.#operations.address,
      operationsLength: this.#operations.buffer.byteLength,
      headAt: this.#cqHeadAt,
      tailAt: this.#cqTailAt,
      mask: this.#cqMask,
      entriesAt: this.#entriesAt,
    };
  }

  /** How many completions the kernel could not keep at all. It has to be 0. */
  get lost(): number {
    return this.#words[this.#overflowAt] as number;
  }

  /**
   * Has the kernel accept.
   *
   * @param listener a listening socket
   * @param isMultishot whether again and again, until it is cancelled or fails; the completion has it
   * as its slot
   */
  accept(listener: number, isMultishot: boolean): void {
    const { SOCK_CLOEXEC, SOCK_NONBLOCK } = sockets().constants;
    const [more, slot] = isMultishot ? [ACCEPT_MULTISHOT, 1] : [0, 0];
    const flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    this.#put(ACCEPT | more, listener, 0, 0, 0, flags, 0, OPERATION.accept << 24 | slot);
  }

  /** Ends all accepts that {@linkcode Ring.accept} has begun in that way. */
  cancelAccepts(isMultishot: boolean): void {
    this.#cancel(0, OPERATION.accept << 24 | (isMultishot ? 1 : 0), CANCEL_ALL);
  }

  /**
   * Has the kernel receive, again and again, into the buffers of {@linkcode Ring.registerBuffers}. It
   * begins after all operations that are submitted at the same time: what they complete comes first.
   */
  receive(fd: number, id: number): void {
    const head = RECV | BUFFER_SELECT | RECV_MULTISHOT | RECV_POLL_FIRST;
    this.#put(head, fd, 0, 0, 0, 0, id, OPERATION.receive << 24);
  }

  /** Ends that. If it has not ended by itself, it completes with `-ECANCELED`. */
  cancelReceive(id: number): void {
    this.#cancel(id, OPERATION.receive << 24, 0);
  }

  /**
   * Has the kernel send. A quiet send is complete when the operations that were submitted with it are
   * taken: there is no completion if all was sent, and one if not. Any other send waits for the peer
   * and goes on until all is sent.
   *
   * @param fd the connection
   * @param bytes where they are
   * @param id for whom
   * @param isQuiet whether it is a quiet one
   * @returns its place in the queue, for {@linkcode Ring.sendMore}
   */
  send(fd: number, bytes: Sendable, id: number, isQuiet: boolean): number {
    const head = isQuiet ? SEND | CQE_SKIP_SUCCESS : SEND;
    const flags = isQuiet ? SEND_FLAGS | MSG_DONTWAIT : SEND_FLAGS;
    const { leftLow, leftHigh, left, number } = bytes;
    this.#put(head, fd, leftLow, leftHigh, left, flags, id, OPERATION.send << 24 | number);
    return this.#tail;
  }

  /** How many operations are in the queue. */
  get queued(): number {
    return (this.#tail - this.#submitted) | 0;
  }

  /** Whether an operation is still in the queue and not with the kernel. @param place its place */
  isQueued(place: number): boolean {
    return ((place - this.#submitted) | 0) > 0;
  }

  /** Lets a send that is still in the queue send these bytes instead. */
  sendMore({ leftLow, leftHigh, left, number, place }: Sendable): void {
    const sq = this.#sq;
    const at = this.#at(place);
    sq[at + 4] = leftLow;
    sq[at + 5] = leftHigh;
    sq[at + 6] = left;
    sq[at + 9] = OPERATION.send << 24 | number;
  }

  /** Lets a quiet send that is still in the queue be one that completes. @param place its place */
  sendAloud(place: number): void {
    const at = this.#at(place);
    this.#sq[at] = SEND;
    this.#sq[at + 7] = SEND_FLAGS;
  }

  /** Where the words of an operation are. @param place its place in the queue */
  #at(place: number): number {
    return ((place - 1) & this.#sqMask) << SQE_SHIFT;
  }

  /** Ends a send. @param id for whom @param slot where its bytes are */
  cancelSend(id: number, slot: number): void {
    this.#cancel(id, OPERATION.send << 24 | slot, 0);
  }

  /** Has the kernel say whenever a descriptor can be read. @param id a number to know it by */
  watch(fd: number, id: number): void {
    const { POLLIN } = sockets().constants;
    this.#put(POLL_ADD, fd, 0, 0, POLL_MULTISHOT, POLLIN, id, OPERATION.watch << 24);
  }

  /** Has the kernel close a descriptor, after what was asked before. It says nothing about that. */
  close(fd: number): void {
    this.#put(CLOSE | CQE_SKIP_SUCCESS, fd, 0, 0, 0, 0, 0, OPERATION.close << 24);
  }

  #cancel(id: number, operation: number, flags: number): void {
    const head = ASYNC_CANCEL | CQE_SKIP_SUCCESS;
    this.#put(head, -1, id, operation, 0, flags, 0, OPERATION.cancel << 24);
  }

  /** Puts an operation into the queue. The words that are not written here are always 0. */
  #put(
    head: number,
    fd: number,
    low: number,
    high: number,
    length: number,
    flags: number,
    id: number,
    operation: number,
  ): void {
    if (((this.#tail - this.#submitted) | 0) > this.#sqMask) this.#makeRoom();
    const sq = this.#sq;
    const at = (this.#tail & this.#sqMask) << SQE_SHIFT;
    this.#tail = (this.#tail + 1) | 0;
    sq[at] = head;
    sq[at + 1] = fd;
    sq[at + 2] = 0;
    sq[at + 3] = 0;
    sq[at + 4] = low;
    sq[at + 5] = high;
    sq[at + 6] = length;
    sq[at + 7] = flags;
    sq[at + 8] = id;
    sq[at + 9] = operation;
  }

  #makeRoom(): void {
    for (let turn = 0; turn < MOST_OFFERS; turn++) {
      this.#enter(0, turn === 0 ? 0 : GETEVENTS);
      if (((this.#tail - this.#submitted) | 0) <= this.#sqMask) return;
      // The kernel is short of memory.
      sockets().poll(-1, 0, PAUSE_MS);
    }
    throw new SocketError("io_uring_enter", sockets().constants.errno.ENOMEM);
  }

  /**
   * Hands over what was asked for, and waits for a completion. This is the only call that waits.
   *
   * @param until when to stop waiting in any case, on the clock of `performance.now()`
   */
  submitAndWait(until = Infinity): void {
    if (until < this.#timerAt) this.#setTimer(until);
    this.#enter(1, GETEVENTS);
  }

  /** Whether something is complete, and not only the time is up until which it waited. */
  get hasNews(): boolean {
    const count = ((this.#words[this.#cqTailAt] as number) - this.#head) | 0;
    if (count !== 1) return count > 0;
    const operation = this.#cq[((this.#head & this.#cqMask) << CQE_SHIFT) + 1] as number;
    return operation >>> 24 !== OPERATION.timer;
  }

  /** Hands over what was asked for, and lets the kernel complete what it can at once. */
  submit(): void {
    this.#enter(0, GETEVENTS);
  }

  /** One timer is enough: it is set once and then moved forward. */
  #setTimer(until: number): void {
    const isSet = this.#timerAt !== Infinity;
    this.#timerAt = until;
    const ms = Math.max(0, until - performance.now());
    const seconds = Math.floor(ms / 1000);
    // The kernel reads this when it takes the operation, in the call that follows.
    this.#timespec[0] = seconds;
    this.#timespec[2] = Math.floor((ms - seconds * 1000) * 1e6);
    const { address } = this.#time;
    const low = address | 0;
    const high = Math.floor(address / 2 ** 32);
    const timer = OPERATION.timer << 24;
    if (!isSet) {
      this.#put(TIMEOUT, -1, low, high, 1, 0, 0, timer);
      return;
    }
    const head = TIMEOUT_REMOVE | CQE_SKIP_SUCCESS;
    this.#put(head, -1, 0, timer, 0, TIMEOUT_UPDATE, 0, OPERATION.cancel << 24);
    const at = ((this.#tail - 1) & this.#sqMask) << SQE_SHIFT;
    this.#sq[at + 2] = low;
    this.#sq[at + 3] = high;
  }

  #enter(wait: number, flags: number): void {
    this.#words[this.#sqTailAt] = this.#tail;
    const left = (this.#tail - this.#submitted) | 0;
    const count = this.#enterCall(this.fd, left, wait, flags);
    if (count >= 0) this.#submitted = (this.#submitted + count) | 0;
    else this.#refused(-count);
  }

  #refused(errno: number): void {
    const { EINTR, EAGAIN, EBUSY } = sockets().constants.errno;
    // A signal came, or the kernel has no memory at the moment: what was not taken stays in the queue.
    if (errno !== EINTR && errno !== EAGAIN && errno !== EBUSY) {
      throw new SocketError("io_uring_enter", errno);
    }
  }

  /**
   * Takes the next completion. Its parts are in the fields of the ring.
   *
   * @returns whether there was one
   */
  next(): boolean {
    const cq = this.#cq;
    for (;;) {
      if (this.#head === this.#end) {
        this.#end = this.#words[this.#cqTailAt] as number;
        if (this.#head === this.#end) {
          if (((this.#words[this.#flagsAt] as number) & HAS_OVERFLOWED) === 0) return false;
          // The kernel has kept some for which there was no room.
          this.#enter(0, GETEVENTS);
          this.#end = this.#words[this.#cqTailAt] as number;
          if (this.#head === this.#end) return false;
        }
      }
      const at = (this.#head & this.#cqMask) << CQE_SHIFT;
      const operation = cq[at + 1] as number;
      const flags = cq[at + 3] as number;
      this.operation = operation >>> 24;
      this.slot = operation & 0xff_ffff;
      this.id = cq[at] as number;
      this.result = cq[at + 2] as number;
      this.hasMore = (flags & CQE_MORE) !== 0;
      this.buffer = (flags & CQE_BUFFER) !== 0 ? flags >>> 16 : -1;
      // It is taken now: whoever looks after a dead thread must not find it again.
      this.#head = (this.#head + 1) | 0;
      this.#words[this.#cqHeadAt] = this.#head;
      if (this.operation <= OPERATION.watch) return true;
      // What was to be cancelled or closed may be over already. Nobody needs to know.
      if (this.operation === OPERATION.timer) this.#timerAt = Infinity;
    }
  }

  /** Makes sure that the call that waits is allowed too. */
  try(): void {
    this.#put(NOP | CQE_SKIP_SUCCESS, -1, 0, 0, 0, 0, 0, OPERATION.cancel << 24);
    this.submit();
  }

  /**
   * Closes it. Nothing may be under way any more that reads or writes memory: no receive and no send.
   * What is watched is forgotten.
   */
  dispose(): void {
    sockets().close(this.fd);
    for (const mapping of [this.#queues, this.#operations, this.#time]) mapping.unmap();
  }
}

/**
 * Closes the ring of a thread that has died. The kernel would go on working for it: it would be told of
 * connections, and nobody else.
 *
 * What the kernel might still write to stays mapped: buffers and slots.
 *
 * @param place where it was
 * @returns the descriptors that the kernel had accepted, and that the thread has not seen
 */
export function closeAbandoned(place: RingPlace): number[] {
  const { fd, queuesLength, headAt, tailAt, mask, entriesAt } = place;
  const queues = new Mapping(queuesLength, fd);
  const words = new Int32Array(queues.buffer);
  const found: number[] = [];
  const end = words[tailAt] as number;
  for (let head = words[headAt] as number; head !== end; head = (head + 1) | 0) {
    const at = (entriesAt >> 2) + ((head & mask) << CQE_SHIFT);
    const isAccepted = (words[at + 1] as number) >>> 24 === OPERATION.accept;
    if (isAccepted && (words[at + 2] as number) >= 0) found.push(words[at + 2] as number);
  }
  // Each mapping of its memory keeps it open too.
  queues.unmap();
  unmap(place.queues, queuesLength);
  unmap(place.operations, place.operationsLength);
  sockets().close(fd);
  return found;
}
