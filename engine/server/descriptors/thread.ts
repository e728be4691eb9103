/**
 * The inside of a Worker that serves connections by descriptor: what the worker half of a mode
 * is given.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { beginConversation } from "../../drivers/conversation.ts";
import { BlockingDriver } from "../../drivers/blocking.ts";
import { SOCKADDR_SIZE } from "../../net/address.ts";
import { Backoff, isOfOneConnection } from "../../net/backoff.ts";
import { DescriptorRing } from "./descriptor_ring.ts";
import { DescriptorSlot } from "../team/descriptor_slot.ts";
import { runtime } from "../../net/runtime.ts";
import { type ConnectionCalls, SocketError, type Sockets, sockets } from "../../net/sockets.ts";
import { LazyContext } from "../core/context.ts";
import type { CounterBlock } from "../core/counters.ts";
import type { DatagramShare, DatagramSocket } from "../datagrams/datagram_socket.ts";
import { CutError, type Observation, type Observer, tellWait } from "../core/observer.ts";
import type { TrackWriter } from "../trace/timeline_track.ts";
import { recordTasks } from "../trace/timeline_watch.ts";
import {
  type Assignment,
  onAssignment,
  takePlace,
  type ThreadMessage,
} from "../team/assignment.ts";
import type { Journal, LogEvent } from "../journal/journal.ts";
import { WakePolicy } from "./wake_policy.ts";
import type { Gate } from "../team/team_memory.ts";

/**
 * Whether connections inherit the listener's receive timeout: only Linux can be relied on. It is
 * another one once the server is closing.
 */
const INHERITED = runtime.os === "linux";

/** What is returned instead of a descriptor when the gate is closed. */
const REFUSED = -2;

/** How long a queue that does not move is watched before all threads are woken. */
const STALL_MS = 1;

/** What the threads of a server share beside their memory. */
export interface SharedSocket {
  /** The listening socket. */
  readonly listener: number;
  /** The queue of accepted connections. */
  readonly ring: SharedArrayBuffer;
  /** The UDP socket beside it, if there is one. */
  readonly datagrams: DatagramShare | undefined;
  /** Whether every call on a socket is to be shown. */
  readonly traceCalls: boolean;
}

/** What the threads of some modes have and the others need not load. */
export interface Equipment {
  /** Makes sockets that show every call. */
  readonly traceSockets?: (log: (event: LogEvent) => void, thread: string) => Sockets;
  /** Opens this thread's side of the UDP socket. */
  readonly openDatagrams?: (share: DatagramShare, calls: Sockets) => DatagramSocket;
}

/** A part that a thread can play; returns when the server closes. */
export type Role = (thread: Thread, data: never) => void | Promise<void>;

/**
 * The worker half of a mode. Does nothing in any other thread than one that was started for this
 * mode: not in another mode's Worker, though in an executable all modes share one module, and not
 * in a Worker of somebody who imports the library.
 *
 * @param mode the mode's name
 * @param roles its parts by name
 * @param equipment what not all modes have
 */
export function onThread(
  mode: string,
  roles: Readonly<Record<string, Role>>,
  equipment: Equipment = {},
): void {
  onAssignment(mode, async (assignment, protocol, tell) => {
    const thread = new Thread(assignment, protocol, equipment, tell);
    const role = roles[assignment.role] as Role;
    tell("ready");
    await role(thread, assignment.data as never);
  });
}

/** One thread of a server. */
export class Thread {
  /** The address of the peer whose descriptor was returned last. */
  readonly #sockaddr = new Uint8Array(SOCKADDR_SIZE);
  /** The UDP socket, if there is one. */
  readonly datagrams: DatagramSocket | undefined;
  readonly #sockets: Sockets;
  readonly #assignment: Assignment;
  readonly #listener: number;
  readonly #tell: (message: ThreadMessage) => void;
  readonly #ring: DescriptorRing;
  readonly #policy: WakePolicy;
  readonly #slot: DescriptorSlot;
  readonly #gate: Gate;
  readonly #accepting: Int32Array;
  readonly #counters: CounterBlock;
  readonly #journal: Journal;
  readonly #track: TrackWriter | undefined;
  readonly #observer: Observer;
  readonly #protocol: ProtocolDefinition;
  readonly #backoff = new Backoff();
  readonly #driver: BlockingDriver;
  #lastAccepted = -1;

  /**
   * @param assignment from the main thread
   * @param protocol what to speak
   * @param equipment what not all modes have
   * @param tell answers the main thread
   */
  constructor(
    assignment: Assignment,
    protocol: ProtocolDefinition,
    equipment: Equipment,
    tell: (message: ThreadMessage) => void,
  ) {
    this.#assignment = assignment;
    this.#protocol = protocol;
    this.#tell = tell;
    const { index, settings, role } = assignment;
    const { memory, gate, counters, journal, track, observer } = takePlace(assignment, tell);
    const { listener, ring, datagrams, traceCalls } = assignment.shared as SharedSocket;
    this.#listener = listener;
    this.#ring = new DescriptorRing(ring);
    this.#policy = new WakePolicy(this.#ring, runtime.cpus);
    this.#slot = new DescriptorSlot(memory.slot);
    this.#accepting = memory.accepting;
    this.#gate = gate;
    this.#counters = counters;
    this.#journal = journal;
    this.#track = track;
    this.#observer = observer;
    this.#sockets = traceCalls && equipment.traceSockets !== undefined
      ? equipment.traceSockets((event) => journal.log(event), `${role} ${index}`)
      : sockets();
    this.datagrams = datagrams && equipment.openDatagrams?.(datagrams, this.#sockets);
    this.#driver = new BlockingDriver(this.#sockets, {
      readTimeoutMs: settings.readTimeoutMs,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      computeTimeoutMs: settings.computeTimeoutMs,
      receiveTimeoutMs: settings.readTimeoutMs,
      tasks: track === undefined ? protocol.tasks : recordTasks(protocol.tasks, track),
      mayCompute: () => !this.#slot.wasCut,
      onWaited: track && ((since) => track.waited(since)),
      onReport: observer.onReport,
    });
  }

  /** The Berkeley calls. */
  get calls(): Sockets {
    return this.#sockets;
  }

  /** What is spoken. */
  get protocol(): ProtocolDefinition {
    return this.#protocol;
  }

  /** Counts and tells. */
  get observer(): Observer {
    return this.#observer;
  }

  /** How long a computation may take, in milliseconds; 0 is for ever. */
  get computeTimeoutMs(): number {
    return this.#assignment.settings.computeTimeoutMs;
  }

  /** The address of the peer that is being served; see {@linkcode LazyContext}. */
  get remoteAddress(): Address {
    return this.#sockets.readAddress(this.#sockaddr);
  }

  /** Whether the server has begun to close. */
  get closing(): boolean {
    return this.#gate.closing;
  }

  /** How many threads of the server wait for work in its queue. */
  get idle(): number {
    return this.#ring.idle;
  }

  /**
   * Waits until the queue has room, so that the kernel's accept queue keeps what does not fit.
   *
   * @returns false when the server is closing
   */
  waitForRoom(): boolean {
    if (this.#ring.length >= this.#ring.capacity) this.#summon(Infinity);
    return this.#ring.waitForRoom(() => this.closing);
  }

  /**
   * Puts a connection into the queue, for another thread to serve. To be called by one thread
   * only, after {@linkcode Thread.waitForRoom}.
   *
   * @param fd what {@linkcode Thread.accept} returned, or the UDP socket
   */
  enqueue(fd: number): void {
    if (fd === this.datagrams?.fd) this.datagrams.leaveHome();
    else this.#track?.enqueued(fd);
    this.#ring.tryPut(fd, this.#sockaddr);
    Atomics.store(this.#accepting, 0, 0);
    if (this.#policy.isUrgent(this.#gate.open - this.#ring.length)) this.#summon(1);
  }

  /** Whether there is a thread to wake, or there could be one to start. */
  get #mayCall(): boolean {
    return this.#ring.idle > 0 || this.#assignment.elastic;
  }

  /** Wakes threads, and asks for more where all are busy; returns how many it woke. */
  #summon(count: number): number {
    let called = 0;
    while (called < count && this.#ring.call()) called++;
    const isShort = this.#assignment.elastic && called < count;
    if (
      isShort && this.#ring.length > this.#ring.idle && this.#gate.askForHelp(count - called)
    ) {
      this.#tell("queued");
    }
    return called;
  }

  /**
   * Takes the next connection out of the queue, sleeping until there is one.
   *
   * @param timeoutMs how long to sleep
   * @returns a descriptor; -1 when the time is over or the server has closed its queue
   */
  dequeue(timeoutMs = Infinity): number {
    return this.#ring.take(this.#sockaddr, this.#assignment.index, timeoutMs);
  }

  /**
   * Waits until there is a connection to accept or a datagram to receive.
   *
   * @returns the listener or the UDP socket, whichever has something; -1 when the server is closing
   */
  poll(): number {
    const { datagrams } = this;
    const listener = this.#listener;
    if (datagrams === undefined) return listener;
    Atomics.store(this.#accepting, 0, 1);
    while (!this.closing) {
      const isQueued = this.#ring.length > 0 && this.#mayCall;
      if (isQueued && this.#gate.full) this.#summon(Infinity);
      const ready = datagrams.poll(listener, this.#gate, isQueued ? STALL_MS : -1);
      if (ready >= 0) return ready;
      if (isQueued) this.#policy.woke(this.#summon(this.#policy.wakeAfterPause()));
    }
    Atomics.store(this.#accepting, 0, 0);
    return -1;
  }

  /**
   * Takes the next connection from the accept queue, waiting for one. What can go wrong with one
   * connection is counted; what is wrong with the machine is waited for.
   *
   * @param calls how to accept
   * @returns a descriptor; -1 when the server is closing, or when there is a UDP socket to look
   * after and there was no connection
   */
  accept(calls: ConnectionCalls = this.#sockets): number {
    // While this says 1, the main thread neither gives the listener's number back nor puts
    // anything into the queue: until the connection is served or queued.
    Atomics.store(this.#accepting, 0, 1);
    this.#watchQueue();
    const fd = this.#gate.enter() ? this.#acceptOne(calls) : REFUSED;
    if (fd >= 0) return fd;
    if (fd !== REFUSED) this.#gate.leave();
    Atomics.store(this.#accepting, 0, 0);
    return -1;
  }

  /**
   * While connections wait in the queue for a busy thread, this one does not sleep in accept(2)
   * for longer than it takes to see that none of them is getting on.
   */
  #watchQueue(): void {
    const { POLLIN } = this.#sockets.constants;
    while (this.#ring.length > 0 && !this.closing && this.#mayCall) {
      if (this.#gate.full) this.#summon(Infinity);
      if (this.#sockets.poll(this.#listener, POLLIN, STALL_MS) > 0) return;
      this.#policy.woke(this.#summon(this.#policy.wakeAfterPause()));
    }
  }

  #acceptOne(calls: ConnectionCalls): number {
    this.#keepReserve();
    while (!this.closing) {
      const fd = calls.accept(this.#listener, this.#sockaddr);
      if (fd >= 0) {
        this.#backoff.reset();
        this.#lastAccepted = fd;
        return fd;
      }
      this.#missed(-fd);
      if (this.datagrams !== undefined) break;
    }
    return -1;
  }

  /** No connection could be accepted. */
  #missed(number: number): void {
    const { errno } = this.#sockets.constants;
    // The listener's receive timeout, which its connections inherit, ends an accept too.
    if (number === errno.EAGAIN || number === errno.EINTR || this.closing) return;
    const error = new SocketError("accept", number);
    if (isOfOneConnection(error)) this.#counters.lost();
    else this.#rest(error.message);
  }

  /** Waits a while, longer each time, or until the server closes. */
  #rest(reason: string): void {
    this.#summon(Infinity);
    const ms = this.#backoff.next();
    tellWait(this.#journal, ms, reason);
    this.#gate.sleep(ms);
  }

  /**
   * Keeps some descriptors free for what the server itself needs, above all for a new thread in
   * the place of one that died. Descriptors are given out lowest number first, so the number of
   * the last one says how many are in use at least.
   */
  #keepReserve(): void {
    while (this.#lastAccepted >= this.#gate.ceiling && !this.closing) {
      const next = this.#sockets.nextDescriptor();
      this.#lastAccepted = next >= 0 ? next : this.#lastAccepted;
      if (this.#lastAccepted >= this.#gate.ceiling) this.#rest("nearly out of descriptors");
    }
  }

  #begin(fd: number, context: LazyContext): Observation {
    const track = this.#track;
    if (track === undefined) return this.#observer.begin(context);
    return this.#observer.begin(context, "", { queuedAt: track.dequeued(fd) });
  }

  /**
   * Serves a connection, blocking the thread until it is over.
   *
   * @param fd its descriptor, with the peer's address in this thread
   * @param calls how to receive, send and close
   */
  serve(fd: number, calls: ConnectionCalls = this.#sockets): void {
    const { settings } = this.#assignment;
    this.#slot.own(fd);
    Atomics.store(this.#accepting, 0, 0);
    const context = new LazyContext(this);
    const observation = this.#begin(fd, context);
    let failure: unknown;
    try {
      if (this.#gate.cutting) throw new CutError();
      const conversation = beginConversation(this.#protocol, context, settings.protocolSettings);
      this.#driver.converse(fd, conversation, INHERITED && !this.closing, calls);
    } catch (error) {
      failure = error;
    }
    // To a protocol that may end at any time, the end of a connection that was cut looks like FIN.
    if (this.#slot.wasCut) failure = new CutError();
    // A thread that was given up has been counted by who gave it up.
    if (!this.#slot.close(calls)) return;
    observation.over(failure);
    this.#gate.leave();
    this.datagrams?.hasRoom();
    context.end();
  }
}
