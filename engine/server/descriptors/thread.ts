/**
 * The inside of a Worker that serves connections by descriptor: what the worker half of a mode
 * is given.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { SOCKADDR_SIZE } from "../../net/address.ts";
import { AcceptPolicy } from "../../net/accept_policy.ts";
import { DescriptorRing } from "./descriptor_ring.ts";
import { LingerQueue } from "./linger_queue.ts";
import { DescriptorSlot } from "../team/descriptor_slot.ts";
import { runtime } from "../../net/runtime.ts";
import { SocketError } from "../../net/socket_error.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import type { CounterBlock } from "../core/counters.ts";
import type { DatagramShare, SharedDatagramSocket } from "../datagrams/shared_datagram_socket.ts";
import { type Observer, tellWait } from "../core/observer.ts";
import type { TrackWriter } from "../trace/timeline_track.ts";
import {
  type Assignment,
  onAssignment,
  takePlace,
  type ThreadMessage,
} from "../team/assignment.ts";
import type { Journal, LogEvent } from "../journal/journal.ts";
import { Service } from "./service.ts";
import { STALL_MS, Waking } from "./waking.ts";
import type { Gate } from "../team/team_memory.ts";

/** No descriptor. */
const NONE = -1;

/** What the threads of a server share beside their memory. */
export interface SharedSocket {
  /** The listening socket. */
  readonly listener: number;
  /** The queue of accepted connections. */
  readonly ring: SharedArrayBuffer;
  /** Where connections go that have to linger. */
  readonly lingering: SharedArrayBuffer;
  /** The UDP socket beside it, if there is one. */
  readonly datagrams: DatagramShare | undefined;
  /** Whether every call on a socket is to be shown. */
  readonly traceCalls: boolean;
}

/** What the threads of some modes have and the others need not load. */
export interface Equipment {
  /** Makes sockets that show every call. */
  readonly logCalls?: (log: (event: LogEvent) => void, thread: string) => Sockets;
  /** Opens this thread's side of the UDP socket. */
  readonly openDatagrams?: (share: DatagramShare, calls: Sockets) => SharedDatagramSocket;
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
  onAssignment(mode, async (assignment, protocol, tell, sayReady) => {
    const thread = new Thread(assignment, protocol, equipment, tell);
    const role = roles[assignment.role] as Role;
    sayReady();
    await role(thread, assignment.data as never);
  });
}

/** One thread of a server. */
export class Thread {
  /** The address of the peer whose descriptor was returned last. */
  readonly #sockaddr = new Uint8Array(SOCKADDR_SIZE);
  /** The UDP socket, if there is one. */
  readonly datagrams: SharedDatagramSocket | undefined;
  readonly #sockets: Sockets;
  readonly #assignment: Assignment;
  readonly #listener: number;
  readonly #ring: DescriptorRing;
  readonly #policy: AcceptPolicy;
  readonly #waking: Waking;
  readonly #gate: Gate;
  readonly #accepting: Int32Array;
  readonly #counters: CounterBlock;
  readonly #journal: Journal;
  readonly #track: TrackWriter | undefined;
  readonly #observer: Observer;
  readonly #protocol: ProtocolDefinition;
  readonly #service: Service;
  readonly #isClosing = () => this.closing;
  /** The call that accepts, where the mode does not write it out. */
  readonly #accept = (sockaddr: Uint8Array) => this.#sockets.accept(this.#listener, sockaddr);
  /** Sleeps for as long as a queue may stand still; returns whether a connection has come. */
  readonly #pause = () =>
    this.#sockets.poll(this.#listener, this.#sockets.constants.POLLIN, STALL_MS) > 0;
  /** The connection that was accepted last, while it is neither served nor handed over. */
  #unclaimed = NONE;

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
    const { index, settings, role } = assignment;
    const { memory, gate, counters, journal, track, observer } = takePlace(assignment, tell);
    const { listener, ring, lingering, datagrams, traceCalls } = assignment.shared as SharedSocket;
    this.#listener = listener;
    this.#ring = new DescriptorRing(ring);
    this.#accepting = memory.accepting;
    this.#gate = gate;
    this.#counters = counters;
    this.#journal = journal;
    this.#track = track;
    this.#observer = observer;
    this.#sockets = traceCalls && equipment.logCalls !== undefined
      ? equipment.logCalls((event) => journal.log(event), `${role} ${index}`)
      : sockets();
    const net = this.#sockets;
    this.#policy = new AcceptPolicy({
      get ceiling() {
        return gate.ceiling;
      },
      nextDescriptor: () => net.nextDescriptor(),
    });
    this.#waking = new Waking({
      ring: this.#ring,
      gate,
      cores: runtime.cpus,
      elastic: assignment.elastic,
      askForThreads: () => tell({ kind: "queued" }),
    });
    this.datagrams = datagrams && equipment.openDatagrams?.(datagrams, this.#sockets);
    this.#service = new Service({
      sockets: net,
      protocol,
      settings,
      slot: new DescriptorSlot(memory.slot),
      gate,
      observer,
      track,
      lingering: new LingerQueue(lingering),
      wakeLingerer: () => tell({ kind: "lingering" }),
      peer: this,
      onOver: () => this.datagrams?.hasRoom(),
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

  /** The address of the peer that is being served. */
  get remoteAddress(): Address {
    return this.#sockets.readAddress(this.#sockaddr);
  }

  /** Whether the server has begun to close. */
  get closing(): boolean {
    return this.#gate.closing;
  }

  /** The listening socket. */
  get listener(): number {
    return this.#listener;
  }

  /** How many threads of the server wait for a connection. */
  get idleThreads(): number {
    return this.#ring.idle;
  }

  /**
   * The connections that this thread is to serve itself: those that it accepts, until the server
   * closes, and then its share of those that were rescued from the accept queue.
   *
   * @returns descriptors, each to be given to {@linkcode Thread.serve}
   */
  *connections(): Generator<number, void> {
    yield* this.accepted();
    yield* this.handedOver();
  }

  /**
   * The connections that this thread accepts, one after another, until the server closes. Those that
   * are lost on the way are counted; what is wrong with the machine is waited for.
   *
   * @returns descriptors, each to be given to {@linkcode Thread.serve} or
   * {@linkcode Thread.handOver}; one that was given to neither is closed
   */
  *accepted(): Generator<number, void> {
    try {
      while (!this.closing) {
        this.#mayAccept();
        this.#waking.watchQueue(this.#pause, this.#isClosing);
        const fd = this.admit(this.#accept);
        if (fd !== undefined) yield fd;
      }
    } finally {
      this.#acceptsNoMore();
    }
  }

  /**
   * The sockets on which something waits, one after another, until the server closes: the listener,
   * or the UDP socket beside it. Its thread sleeps in poll(2) meanwhile.
   *
   * @returns the listener or the UDP socket
   */
  *readySockets(): Generator<number, void> {
    const { datagrams } = this;
    const listener = this.#listener;
    let ready: number | undefined;
    const poll = (timeoutMs: number) => {
      ready = datagrams?.poll(listener, this.#gate, timeoutMs);
      return ready !== undefined;
    };
    // Where there is no UDP socket, accept(2) waits just as well.
    const pause = datagrams === undefined ? this.#pause : () => poll(STALL_MS);
    try {
      while (!this.closing) {
        this.#mayAccept();
        ready = undefined;
        this.#waking.watchQueue(pause, this.#isClosing);
        if (datagrams === undefined) ready = listener;
        else if (ready === undefined) poll(-1);
        if (ready !== undefined) yield ready;
      }
    } finally {
      this.#acceptsNoMore();
    }
  }

  /**
   * Accepts a connection if it may: waits until `--max-connections` allows another one, and keeps
   * some descriptors free.
   *
   * @param accept the call; it is given room for the peer's address
   * @returns the descriptor; `undefined` if there is none, for whatever reason
   */
  admit(accept: (sockaddr: Uint8Array) => number): number | undefined {
    if (!this.#gate.enter()) return undefined;
    while (this.#policy.isShort && !this.closing) {
      this.#rest(this.#policy.pause(), "nearly out of descriptors");
    }
    const fd = this.closing ? undefined : accept(this.#sockaddr);
    if (fd !== undefined && fd >= 0) {
      this.#policy.accepted(fd);
      return this.#unclaimed = fd;
    }
    this.#gate.leave();
    if (fd !== undefined) this.#missed(-fd);
    return undefined;
  }

  /**
   * Hands a connection over to whichever thread is free next, through the queue. Waits until the
   * queue has room for another: the kernel's accept queue keeps what does not fit. For the one
   * thread that accepts.
   *
   * @param fd a connection that this thread has accepted, or the UDP socket
   */
  handOver(fd: number): void {
    if (fd === this.datagrams?.fd) this.datagrams.leaveHome();
    else this.#track?.enqueued(fd);
    this.#unclaimed = NONE;
    this.#ring.tryPut(fd, this.#sockaddr);
    Atomics.store(this.#accepting, 0, 0);
    this.#waking.queued();
    if (this.#ring.length < this.#ring.capacity) return;
    this.#waking.wakeAll();
    this.#ring.waitForRoom(this.#isClosing);
  }

  /**
   * The connections that were handed over, one after another, as this thread comes back for them;
   * it sleeps while there are none. Ends when the server has closed its queue.
   *
   * @param idleMs ends too when none came for so long
   * @returns descriptors, each to be given to {@linkcode Thread.serve}
   */
  *handedOver(idleMs = Infinity): Generator<number, void> {
    const { index } = this.#assignment;
    for (;;) {
      const fd = this.#ring.take(this.#sockaddr, index, idleMs);
      if (fd < 0) return;
      yield fd;
    }
  }

  /**
   * From now on this thread may be in accept(2). Until it is not, the main thread neither gives the
   * listener's number back nor puts anything into the queue: so the connection that is accepted
   * meanwhile has an owner before that.
   */
  #mayAccept(): void {
    this.#closeUnclaimed();
    Atomics.store(this.#accepting, 0, 1);
  }

  /** It is not in accept(2), and will not be any more. */
  #acceptsNoMore(): void {
    this.#closeUnclaimed();
    Atomics.store(this.#accepting, 0, 0);
  }

  /** Closes a connection that the mode neither served nor handed over. */
  #closeUnclaimed(): void {
    if (this.#unclaimed === NONE) return;
    this.#sockets.close(this.#unclaimed);
    this.#unclaimed = NONE;
    this.#counters.lost();
    this.#gate.leave();
  }

  /** No connection could be accepted. */
  #missed(number: number): void {
    const { errno } = this.#sockets.constants;
    // The listener's receive timeout, which its connections inherit, ends an accept too.
    if (number === errno.EAGAIN || number === errno.EINTR || this.closing) return;
    const error = new SocketError("accept", number);
    const waitMs = this.#policy.failed(error);
    if (waitMs === 0) this.#counters.lost();
    else this.#rest(waitMs, error.message);
  }

  /** Waits, but not longer than until the server closes. */
  #rest(ms: number, reason: string): void {
    this.#waking.wakeAll();
    tellWait(this.#journal, ms, reason);
    this.#gate.sleep(ms);
  }

  /**
   * Serves a connection, blocking the thread until it is over.
   *
   * @param fd a connection that this thread has accepted, or that was handed over to it
   */
  serve(fd: number): void {
    const service = this.begin(fd);
    service.converse();
    if (service.release()) this.#sockets.close(fd);
    service.over();
  }

  /**
   * Begins to serve a connection, for those who write its calls out.
   *
   * @param fd as of {@linkcode Thread.serve}
   * @returns what is left to do: the calls, to release and close the descriptor, and to say that it
   * is over
   */
  begin(fd: number): Service {
    this.#unclaimed = NONE;
    this.#service.begin(fd);
    Atomics.store(this.#accepting, 0, 0);
    return this.#service;
  }
}
