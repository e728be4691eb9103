/**
 * The inside of a Worker that serves connections by descriptor: what the worker half of a mode
 * is given.
 *
 * @module
 */

import type { Address } from "../protocols/effects.ts";
import type { ProtocolDefinition } from "../protocols/catalogue.ts";
import { beginConversation } from "../drivers/conversation.ts";
import { BlockingDriver } from "../drivers/blocking.ts";
import { SOCKADDR_SIZE } from "../net/address.ts";
import { Backoff, isOfOneConnection } from "../net/backoff.ts";
import { DescriptorRing } from "../net/descriptor_ring.ts";
import { DescriptorSlot } from "../net/descriptor_slot.ts";
import { runtime } from "../net/runtime.ts";
import { SocketError, type Sockets, sockets } from "../net/sockets.ts";
import { LazyContext } from "./context.ts";
import { CounterBlock } from "./counters.ts";
import { CutError, Observer } from "./observer.ts";
import type { ServiceSettings } from "./options.ts";
import { loadProtocol } from "./protocol_loader.ts";
import { JournalWriter } from "./shared_journal.ts";
import { WakePolicy } from "./wake_policy.ts";
import { Gate, recordNumbers, type TeamMemory, threadMemory } from "./team_memory.ts";

/**
 * Whether connections inherit the listener's receive timeout: only Linux can be relied on. It is
 * another one once the server is closing.
 */
const INHERITED = runtime.os === "linux";

/** What is returned instead of a descriptor when the gate is closed. */
const REFUSED = -2;

/** How long a queue that does not move is watched before all threads are woken. */
const STALL_MS = 1;

/** What the main thread tells a thread first. */
export interface Assignment {
  /** Which part the thread plays in its mode. */
  readonly role: string;
  /** Its number in the team, from 0. */
  readonly index: number;
  /** What all threads of the server share. */
  readonly memory: TeamMemory;
  /** The listening socket. */
  readonly listener: number;
  /** The queue of accepted connections. */
  readonly ring: SharedArrayBuffer;
  /** Whether the main thread starts more threads when it is asked to. */
  readonly elastic: boolean;
  /** The protocol and its limits. */
  readonly settings: ServiceSettings;
  /** Whether anybody wants to hear reports and read the log. */
  readonly wants: { readonly reports: boolean; readonly log: boolean };
  /** What the mode itself wants to tell it. */
  readonly data: unknown;
}

/** What a thread tells the main thread. */
export type ThreadMessage = "ready" | "finished" | "bell" | "queued";

/** A part that a thread can play; returns when the server closes. */
export type Role = (thread: Thread, data: never) => void | Promise<void>;

/**
 * The worker half of a mode. Does nothing in any other thread than one that was started for this
 * mode: not in another mode's Worker, though in an executable all modes share one module, and not
 * in a Worker of somebody who imports the library.
 *
 * @param mode the mode's name
 * @param roles its parts by name
 */
export function onThread(mode: string, roles: Readonly<Record<string, Role>>): void {
  if (runtime.threadName !== threadName(mode)) return;
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = async ({ data: assignment }) => {
    scope.onmessage = null;
    const tell = (message: ThreadMessage) => scope.postMessage(message);
    const protocol = await loadProtocol(assignment.settings.protocol);
    const thread = new Thread(assignment, protocol, tell);
    const role = roles[assignment.role] as Role;
    tell("ready");
    await role(thread, assignment.data as never);
    tell("finished");
  };
}

/** The name of the Workers of a mode. */
export function threadName(mode: string): string {
  return `handshake ${mode}`;
}

/** What is used of a Worker's global scope. */
interface WorkerScope {
  onmessage: ((event: { data: Assignment }) => void) | null;
  postMessage(message: ThreadMessage): void;
}

/** One thread of a server. */
export class Thread {
  /** The address of the peer whose descriptor was returned last. */
  readonly #sockaddr = new Uint8Array(SOCKADDR_SIZE);
  readonly #sockets: Sockets = sockets();
  readonly #assignment: Assignment;
  readonly #tell: (message: ThreadMessage) => void;
  readonly #ring: DescriptorRing;
  readonly #policy: WakePolicy;
  readonly #slot: DescriptorSlot;
  readonly #gate: Gate;
  readonly #accepting: Int32Array;
  readonly #counters: CounterBlock;
  readonly #journal: JournalWriter;
  readonly #observer: Observer;
  readonly #protocol: ProtocolDefinition;
  readonly #backoff = new Backoff();
  readonly #driver: BlockingDriver;
  #lastAccepted = -1;

  /** @param assignment from the main thread @param protocol what to speak @param tell answers it */
  constructor(
    assignment: Assignment,
    protocol: ProtocolDefinition,
    tell: (message: ThreadMessage) => void,
  ) {
    this.#assignment = assignment;
    this.#protocol = protocol;
    this.#tell = tell;
    const { memory, index, settings, wants } = assignment;
    const own = threadMemory(memory, index);
    this.#ring = new DescriptorRing(assignment.ring);
    this.#policy = new WakePolicy(this.#ring, runtime.cpus);
    this.#slot = new DescriptorSlot(own.slot);
    this.#accepting = own.accepting;
    this.#gate = new Gate(memory.gate);
    this.#counters = new CounterBlock(memory.counters, own.countersOffset);
    this.#journal = new JournalWriter(
      memory.journals,
      own.journalOffset,
      recordNumbers(memory),
      wants,
      () => tell("bell"),
    );
    this.#observer = new Observer(this.#counters, this.#journal);
    this.#driver = new BlockingDriver(this.#sockets, {
      readTimeoutMs: settings.readTimeoutMs,
      sessionTimeoutMs: settings.sessionTimeoutMs,
      computeTimeoutMs: settings.computeTimeoutMs,
      receiveTimeoutMs: settings.readTimeoutMs,
      tasks: protocol.tasks,
      mayCompute: () => !this.#slot.wasCut,
      onReport: this.#observer.onReport,
    });
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
   * @param fd what {@linkcode Thread.accept} returned
   */
  enqueue(fd: number): void {
    this.#ring.tryPut(fd, this.#sockaddr);
    Atomics.store(this.#accepting, 0, 0);
    if (this.#policy.isUrgent(this.#gate.open - this.#ring.length)) this.#summon(1);
  }

  /** Whether there is a thread to wake, or there could be one to start. */
  get #mayCall(): boolean {
    return this.#ring.idle > 0 || this.#assignment.elastic;
  }

  /** Wakes threads, and asks for more where all are busy. */
  #summon(count: number): void {
    let called = 0;
    while (called < count && this.#ring.call()) called++;
    if (!this.#assignment.elastic || called >= count) return;
    if (this.#ring.length > this.#ring.idle && this.#gate.askForHelp(count - called)) {
      this.#tell("queued");
    }
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
   * Takes the next connection from the accept queue, waiting for one. What can go wrong with one
   * connection is counted; what is wrong with the machine is waited for.
   *
   * @returns a descriptor; -1 when the server is closing
   */
  accept(): number {
    // While this says 1, the main thread neither gives the listener's number back nor puts
    // anything into the queue: until the connection is served or queued.
    Atomics.store(this.#accepting, 0, 1);
    this.#watchQueue();
    const fd = this.#gate.enter() ? this.#acceptOne() : REFUSED;
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
      if (this.#sockets.poll(this.#assignment.listener, POLLIN, STALL_MS) > 0) return;
      this.#summon(this.#policy.wakeAfterPause());
    }
  }

  #acceptOne(): number {
    const { errno } = this.#sockets.constants;
    this.#keepReserve();
    while (!this.closing) {
      const fd = this.#sockets.accept(this.#assignment.listener, this.#sockaddr);
      if (fd >= 0) {
        this.#backoff.reset();
        this.#lastAccepted = fd;
        return fd;
      }
      // The listener's receive timeout, which its connections inherit, ends an accept too.
      if (fd === -errno.EAGAIN || fd === -errno.EINTR || this.closing) continue;
      const error = new SocketError("accept", -fd);
      if (isOfOneConnection(error)) this.#counters.lost();
      else this.#rest(error.message);
    }
    return -1;
  }

  /** Waits a while, longer each time, or until the server closes. */
  #rest(reason: string): void {
    this.#summon(Infinity);
    const ms = this.#backoff.next();
    this.#journal.log({
      level: "warning",
      text: "accepting waits {ms} ms: {reason}",
      properties: { ms, reason },
    });
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

  /**
   * Serves a connection, blocking the thread until it is over.
   *
   * @param fd its descriptor, with the peer's address in this thread
   */
  serve(fd: number): void {
    const { settings } = this.#assignment;
    const sockets = this.#sockets;
    this.#slot.own(fd);
    Atomics.store(this.#accepting, 0, 0);
    const context = new LazyContext(this);
    const observation = this.#observer.begin(context);
    let failure: unknown;
    try {
      if (this.#gate.cutting) throw new CutError();
      const conversation = beginConversation(this.#protocol, context, settings.protocolSettings);
      this.#driver.converse(fd, conversation, INHERITED && !this.closing);
    } catch (error) {
      failure = this.#slot.wasCut
        ? new CutError()
        : error ?? new Error("The protocol threw nothing");
    }
    // A thread that was given up has been counted by who gave it up.
    if (!this.#slot.close(sockets)) return;
    observation.over(failure);
    this.#gate.leave();
    context.end();
  }
}
