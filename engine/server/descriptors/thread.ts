/**
 * The inside of a Worker that serves connections by descriptor. The worker half of a mode gets a
 * {@linkcode Thread}.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { Pulse } from "../../drivers/pulse.ts";
import { portIn, SOCKADDR_SIZE } from "../../net/address.ts";
import { AcceptPolicy } from "../../net/accept_policy.ts";
import { DescriptorRing } from "./descriptor_ring.ts";
import { type Leaving, LingerQueue } from "../team/linger_queue.ts";
import { DescriptorSlot } from "../team/descriptor_slot.ts";
import { runtime } from "../../net/runtime.ts";
import { msSince, stamp } from "../../values/moment.ts";
import { SocketError } from "../../net/socket_error.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import type { CounterBlock } from "../core/counters.ts";
import type { DatagramShare, SharedDatagramSocket } from "../datagrams/shared_datagram_socket.ts";
import { type Observer, tellWait } from "../core/observer.ts";
import type { SynLog } from "../core/syn_log.ts";
import type { WatchingTrack } from "../trace/timeline_watch.ts";
import {
  type Assignment,
  onAssignment,
  type Place,
  type ThreadMessage,
} from "../team/assignment.ts";
import type { Journal, LogEvent } from "../journal/journal.ts";
import { Service } from "./service.ts";
import type { Door } from "../core/door.ts";
import { hostKey, hostKeyIn } from "../core/host_key.ts";
import { type Accepting, STALL_MS, Waking } from "./waking.ts";
import { AcceptWait } from "../team/accept_wait.ts";
import { doomOf, type Gate, HostNote } from "../team/team_memory.ts";
import { openDoor } from "../core/open_door.ts";

/** No descriptor. */
const NONE = -1;

/** What the threads of a server share besides the memory of the team. */
export interface SharedSocket {
  /** The listening socket. */
  readonly listener: number;
  /** A socket that can be read from when the server closes. Nobody reads it. */
  readonly wake: number;
  /** The queue of accepted connections. */
  readonly ring: SharedArrayBuffer;
  /** The queue of connections that have to linger. */
  readonly lingering: SharedArrayBuffer;
  /** The queue of connections that were refused, and have to linger until their words were read. */
  readonly refused: SharedArrayBuffer;
  /** The UDP socket on the same port, if there is one. */
  readonly datagrams: DatagramShare | undefined;
  /** The places of those who wait for a PROXY header, if there are fewer than threads. */
  readonly places: SharedArrayBuffer | undefined;
  /** Whether the log shows every call on a socket. */
  readonly traceCalls: boolean;
  /** Whether the log tells what the SYN of each connection said. */
  readonly logSyn: boolean;
  /** Whether several threads accept. */
  readonly isCrowded: boolean;
  /** Whether connections inherit the receive timeout of the options from the listening socket. */
  readonly inheritsTimeout: boolean;
}

/** How connections come to a thread that another process hands them to, and how they leave it. */
export interface Passage {
  /** Waits for the next connection: see {@linkcode DescriptorRing.take}. */
  take(sockaddr: Uint8Array): number;
  /** The stamp of when the connection that was taken last began to wait: see `moment.ts`. */
  readonly since: number;
  /** Takes the connections that have to linger, and those of them that were refused. */
  readonly lingering: Leaving;
  readonly refused: Leaving;
}

/** What a thread knows that hands its connections over to processes. */
export interface Means {
  /** The Berkeley calls. */
  readonly calls: Sockets;
  /** Its assignment. */
  readonly assignment: Assignment;
  /** Its place in the team. */
  readonly place: Place;
  /** Sends a message to the main thread. */
  readonly tell: (message: ThreadMessage) => void;
}

/** What only the threads of some modes need. The other modes do not load it. */
export interface Equipment {
  /** Makes sockets that log every call. */
  readonly logCalls?: (log: (event: LogEvent) => void, thread: string) => Sockets;
  /** Opens this thread's side of the UDP socket. */
  readonly openDatagrams?: (share: DatagramShare, calls: Sockets) => SharedDatagramSocket;
  /** How connections come and go, if this thread is a process of its own. */
  readonly passage?: Passage;
}

/** What a thread does in its mode. It returns when the server closes. */
export type Role = (thread: Thread, data: never) => void | Promise<void>;

/**
 * The worker half of a mode. It does something only in a thread that was started for this mode. It
 * does nothing in another mode's Worker, although in an executable all modes share one module. Nor
 * does it do anything in a Worker of somebody who imports the library.
 *
 * @param mode the mode's name
 * @param roles the roles of its threads, by name
 * @param equipment what only some modes need
 */
export function onThread(
  mode: string,
  roles: Readonly<Record<string, Role>>,
  equipment: Equipment = {},
): void {
  onAssignment(mode, async (assignment, place, protocol, tell, sayReady) => {
    const thread = new Thread(assignment, place, protocol, equipment, tell);
    await thread.prepare();
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
  /** Says when this thread is in the protocol's code. */
  readonly pulse: Pulse;
  readonly #sockets: Sockets;
  readonly #assignment: Assignment;
  readonly #listener: number;
  readonly #ring: DescriptorRing;
  readonly #refused: Leaving;
  readonly #policy: AcceptPolicy;
  readonly #waking: Waking;
  readonly #gate: Gate;
  readonly #accepting: Int32Array;
  readonly #serving: Int32Array;
  readonly #counters: CounterBlock;
  readonly #journal: Journal;
  readonly #track: WatchingTrack | undefined;
  readonly #observer: Observer;
  readonly #protocol: ProtocolDefinition;
  readonly #slot: DescriptorSlot;
  readonly #service: Service;
  readonly #isClosing = () => this.closing;
  readonly #wait: AcceptWait;
  /** How connections come, where the mode does not write it out. */
  readonly #arrivals: Accepting;
  readonly #accept = () => this.#waking.accept(this.#arrivals);
  /** Sleeps for {@linkcode STALL_MS} at most. Returns whether a connection has come. */
  readonly #pause = () =>
    this.#sockets.poll(this.#listener, this.#sockets.constants.POLLIN, STALL_MS) > 0;
  readonly #sleep = (ms: number) => this.#gate.sleep(ms);
  /** The connection that was accepted last, while it is neither served nor handed over. */
  #unclaimed = NONE;
  /** The stamp of when the connection that was taken last began to wait; 0 if it has none. */
  #since = 0;
  #synLog: SynLog | undefined;
  /** Keeps accept(2) from waiting on a listener that blocks, if this thread accepts. */
  #boundAccepts: ((net: Sockets, listener: number) => void) | undefined;
  /** Whether accept(2) returns at once, whoever was faster. */
  readonly #neverBlocks: boolean;
  /** Says who may come in. */
  readonly #door: Door;
  /** Whether clients come through proxies, and are known when these have named them. */
  readonly #hasProxies: boolean;
  /** The client whom a proxy has named, as long as its connection is here. */
  #client: Address | undefined;
  /** For whom this thread works. */
  readonly #host: HostNote;
  readonly #tell: (message: ThreadMessage) => void;
  readonly #place: Place;
  /** How connections come and go, if this thread is a process of its own. */
  readonly #passage: Passage | undefined;
  /** Whether this thread is to die with its next connection: see {@linkcode doomOf}. */
  readonly #doom: Int32Array;
  /** Where a process says that it has begun with the connection that it was handed. */
  readonly #begun: Int32Array | undefined;

  /**
   * @param assignment what the main thread wants this thread to do
   * @param place its place in the team
   * @param protocol the protocol
   * @param equipment what only some modes need
   * @param tell sends a message to the main thread
   */
  constructor(
    assignment: Assignment,
    place: Place,
    protocol: ProtocolDefinition,
    equipment: Equipment,
    tell: (message: ThreadMessage) => void,
  ) {
    this.#assignment = assignment;
    this.#protocol = protocol;
    this.#tell = tell;
    this.#place = place;
    const { passage } = equipment;
    this.#passage = passage;
    const { index, settings, role } = assignment;
    const { memory, gate, counters, journal, track, observer } = place;
    const shared = assignment.shared as SharedSocket;
    const { listener, wake, ring, lingering, refused, datagrams, traceCalls, isCrowded } = shared;
    this.#listener = listener;
    this.#ring = new DescriptorRing(ring);
    this.#refused = passage?.refused ?? new LingerQueue(refused);
    this.#begun = passage && memory.begun;
    this.#doom = doomOf(assignment.memory);
    this.#accepting = memory.accepting;
    this.#serving = memory.serving;
    this.#gate = gate;
    this.#counters = counters;
    this.#journal = journal;
    this.#track = track;
    this.#observer = observer;
    this.#host = new HostNote(memory.host);
    this.#door = openDoor(
      { rules: settings.admission, counters, journal, protocol, table: assignment.table },
      assignment.memory,
    );
    this.#hasProxies = this.#door.headerMs !== undefined;
    this.#sockets = traceCalls && equipment.logCalls !== undefined
      ? equipment.logCalls((event) => journal.log(event), `${role} ${index}`)
      : sockets();
    const net = this.#sockets;
    const { epoll } = memory;
    this.#wait = new AcceptWait({ sockets: sockets(), listener, wake, isCrowded, epoll });
    this.#neverBlocks = this.#wait.mayAsk || runtime.os === "linux";
    this.#policy = new AcceptPolicy({
      ceiling: () => gate.ceiling,
      nextDescriptor: () => net.nextDescriptor(),
    });
    this.#waking = new Waking({
      ring: this.#ring,
      gate,
      cores: runtime.cpus,
      elastic: assignment.elastic,
      askForThreads: () => tell({ kind: "queued" }),
    });
    this.#arrivals = {
      mayAsk: this.#wait.mayAsk,
      again: -net.constants.errno.EAGAIN,
      accept: () => net.accept(listener, this.#sockaddr),
      wait: () => this.#wait.wait() && this.#canAccept(),
      pause: () => this.#pause() && this.#canAccept(),
      isOver: this.#isClosing,
    };
    this.#slot = new DescriptorSlot(memory.slot);
    this.datagrams = datagrams && equipment.openDatagrams?.(datagrams, this.#sockets);
    this.pulse = new Pulse(memory.pulse);
    this.#service = new Service({
      sockets: net,
      protocol,
      settings,
      slot: this.#slot,
      gate,
      observer,
      track,
      pulse: this.pulse,
      lingering: passage?.lingering ?? new LingerQueue(lingering),
      refused: this.#refused,
      wakeLingerer: () => tell({ kind: "lingering" }),
      peer: this,
      inheritsTimeout: shared.inheritsTimeout,
      hearsCuts: passage !== undefined,
      left: memory.left,
      onParting: () => this.#leave(),
      onOver: () => {
        this.datagrams?.hasRoom();
        this.#forget();
      },
    });
  }

  /** Loads what only some servers want. */
  async prepare(): Promise<void> {
    if (!this.#wait.mayAsk && runtime.os === "linux") {
      this.#boundAccepts = (await import("../../net/accept_alarm.ts")).boundAccepts;
    }
    const { logSyn, places } = this.#assignment.shared as SharedSocket;
    const { headerMs } = this.#door;
    if (headerMs !== undefined) {
      const { BlockingReception } = await import("./blocking_reception.ts");
      const { Places } = await import("../core/header_places.ts");
      this.#service.receiveBy(
        new BlockingReception({
          sockets: this.#sockets,
          door: this.#door,
          headerMs,
          observer: this.#observer,
          places: places && new Places(places),
          mayWait: () => !this.#gate.cutting,
          onIn: (client) => {
            this.#client = client;
            this.#host.note(hostKey(client.hostname), client.port);
          },
        }),
      );
    }
    if (!logSyn) return;
    const { SynLog } = await import("../core/syn_log.ts");
    this.#synLog = new SynLog(this.#sockets, this.#journal);
  }

  /** The Berkeley calls. */
  get calls(): Sockets {
    return this.#sockets;
  }

  /** What it needs to hand connections over to processes. */
  get means(): Means {
    const [calls, assignment, place, tell] = [
      this.#sockets,
      this.#assignment,
      this.#place,
      this.#tell,
    ];
    return { calls, assignment, place, tell };
  }

  /**
   * Logs the SYN of a connection that this thread does not serve, if the log tells of them.
   *
   * @param fd the connection
   * @param peer who has sent it
   */
  tellSyn(fd: number, peer: Address): void {
    this.#synLog?.tell(fd, peer);
  }

  /** Whether the listener itself does not wait, so that it may be asked at any time. */
  get mayAsk(): boolean {
    return this.#wait.mayAsk;
  }

  /** The protocol. */
  get protocol(): ProtocolDefinition {
    return this.#protocol;
  }

  /** Counts what happens and reports it. */
  get observer(): Observer {
    return this.#observer;
  }

  /** Says who may come in. */
  get door(): Door {
    return this.#door;
  }

  /** How long a computation may take, in milliseconds; 0 means for ever. */
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
   * Yields the connections that this thread serves itself. Until the server closes, these are the
   * connections that it accepts. Then it gets its share of those that the server has rescued from
   * the accept queue.
   *
   * @returns descriptors; give each of them to {@linkcode Thread.serve}
   */
  *connections(): Generator<number, void> {
    Atomics.store(this.#serving, 0, 1);
    yield* this.accepted();
    yield* this.handedOver();
  }

  /**
   * Yields the connections that this thread accepts, one after another, until the server closes. It
   * counts connections that are lost before they are accepted. When the machine is in trouble, it
   * waits and tries again.
   *
   * @returns descriptors; give each of them to {@linkcode Thread.serve} or
   * {@linkcode Thread.handOver}, or it will be closed
   */
  *accepted(): Generator<number, void> {
    try {
      while (!this.closing) {
        this.mayAccept();
        this.#waking.watchQueue(this.#pause, this.#isClosing);
        const fd = this.admit(this.#accept);
        if (fd !== undefined) yield fd;
      }
    } finally {
      this.acceptsNoMore();
    }
  }

  /**
   * Yields the sockets that are ready, one after another, until the server closes. They are the
   * listener and the UDP socket on the same port. While neither is ready, the thread sleeps in
   * poll(2).
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
    const pause = () => {
      if (datagrams !== undefined) return poll(STALL_MS);
      if (this.#pause()) ready = listener;
      return ready !== undefined;
    };
    try {
      while (!this.closing) {
        this.mayAccept();
        ready = undefined;
        // What wakes this thread at closing comes once, and the pause may have taken it. A connection
        // that the pause has seen may be another process's by now, and is not waited for.
        this.#waking.watchQueue(pause, this.#isClosing);
        if (ready === undefined && !this.closing) {
          if (datagrams !== undefined) poll(-1);
          else if (this.#wait.wait()) ready = listener;
        }
        if (ready !== undefined && !this.closing) yield ready;
      }
    } finally {
      this.acceptsNoMore();
    }
  }

  /**
   * Accepts a connection. Before that it waits until `--max-connections` allows another one, and
   * until enough descriptors are free.
   *
   * @param accept the call; its argument is the buffer for the peer's address
   * @param sleep waits for a time in milliseconds, or until the server closes. Whoever others wait for
   * deals with them meanwhile: perhaps only they can give descriptors back
   * @returns the descriptor, or `undefined` if no connection was accepted, for whatever reason
   */
  admit(
    accept: (sockaddr: Uint8Array) => number,
    sleep: (ms: number) => void = this.#sleep,
  ): number | undefined {
    // A connection that may be refused has to be accepted first.
    const waits = !this.#door.refusesOverflow;
    if (waits && !this.#gate.enter()) return undefined;
    while (this.#policy.isShort && !this.closing) {
      this.#rest(this.#policy.pause(), "nearly out of descriptors", sleep);
    }
    const fd = this.closing ? undefined : accept(this.#sockaddr);
    if (fd !== undefined && fd >= 0) {
      this.#policy.accepted(fd);
      return this.#letIn(fd, waits) ? this.#unclaimed = fd : undefined;
    }
    if (waits) this.#gate.leave();
    if (fd !== undefined) this.#missed(-fd, sleep);
    return undefined;
  }

  /** Asks whether a connection may come in. If not, it is refused. */
  #letIn(fd: number, hasEntered: boolean): boolean {
    const door = this.#door;
    if (!door.asks) return true;
    const peer = this.remoteAddress;
    const why = door.enter(peer, () => hasEntered || this.#gate.tryEnter());
    if (why === undefined) {
      this.#noteHost();
      return true;
    }
    if (hasEntered) this.#gate.leave();
    this.#refuse(fd, door.lineFor(why));
    return false;
  }

  /** Refuses a connection, and gives it to the main thread if its client has something to read. */
  #refuse(fd: number, words: Uint8Array | undefined): void {
    const net = this.#sockets;
    const { MSG_DONTWAIT, SHUT_WR } = net.constants;
    const mustLinger = words !== undefined && net.send(fd, words, MSG_DONTWAIT) === words.length &&
      net.shutdown(fd, SHUT_WR) >= 0;
    if (!mustLinger || !this.#refused.put(fd)) net.close(fd);
    else if (this.#refused.mustCall()) this.#tell({ kind: "lingering" });
  }

  /** Refuses a connection that has waited in the queue while threads died of others of its host. */
  #isTurnedAway(fd: number): boolean {
    const door = this.#door;
    // Behind a proxy nobody is known before the header has come.
    if (!door.asks || this.#hasProxies || fd === this.datagrams?.fd) return false;
    const why = door.turnAway(this.remoteAddress);
    if (why === undefined) return false;
    this.#track?.dequeued(fd);
    this.#gate.leave();
    this.#refuse(fd, door.lineFor(why));
    return true;
  }

  /** Notes whose connection this thread has. A proxy is not to blame for its clients. */
  #noteHost(): void {
    if (this.#hasProxies) return;
    const key = hostKeyIn(this.#sockaddr, this.#sockets.constants);
    this.#host.note(key, portIn(this.#sockaddr, this.#sockets.constants));
  }

  /** The connection of this thread ends, and does not count for its host any more. */
  #leave(): void {
    if (!this.#door.counts) return;
    const client = this.#hasProxies ? this.#client : this.remoteAddress;
    if (client !== undefined) this.#door.leave(client);
  }

  /** The connection of this thread is over, and nobody is to blame for it any more. */
  #forget(): void {
    this.#client = undefined;
    this.#host.note(undefined);
  }

  /**
   * Hands a connection over through the queue to the thread that is free next. Then it waits until
   * the queue has room for another one. Meanwhile the kernel's accept queue holds the rest. Only
   * the thread that accepts may call this.
   *
   * @param fd a connection that this thread has accepted, or the UDP socket
   */
  handOver(fd: number): void {
    if (fd === this.datagrams?.fd) this.datagrams.leaveHome();
    else {
      this.#track?.enqueued(fd);
      this.#host.note(undefined);
    }
    this.#unclaimed = NONE;
    this.#ring.tryPut(fd, this.#sockaddr, this.#journal.wantsLog ? stamp() : 0);
    Atomics.store(this.#accepting, 0, 0);
    this.#waking.queued();
    if (this.#ring.length < this.#ring.capacity) return;
    this.#waking.wakeAll();
    this.#ring.waitForRoom(this.#isClosing);
  }

  /**
   * Lets go of the connection that was accepted last: this thread gives it to somebody else.
   *
   * @returns the peer's address, valid until the next connection is accepted
   */
  letGo(): Uint8Array {
    this.#host.note(undefined);
    this.#unclaimed = NONE;
    Atomics.store(this.#accepting, 0, 0);
    return this.#sockaddr;
  }

  /**
   * Takes connections that were handed over, one each time this thread comes back for the next. It
   * sleeps while there is none. It ends when the server has closed its queue.
   *
   * @param idleMs it also ends when no connection has come for this long, in milliseconds
   * @returns descriptors; give each of them to {@linkcode Thread.serve}
   */
  *handedOver(idleMs = Infinity): Generator<number, void> {
    const { index } = this.#assignment;
    Atomics.store(this.#serving, 0, 1);
    for (;;) {
      const fd = this.#passage?.take(this.#sockaddr) ??
        this.#ring.take(this.#sockaddr, index, idleMs);
      if (fd < 0) return;
      this.#since = (this.#passage ?? this.#ring).since;
      if (!this.#isTurnedAway(fd)) yield fd;
    }
  }

  /**
   * Says that this thread may be in accept(2) from now on. Until it says otherwise, the main thread
   * neither closes the listener nor puts anything into the queue. So a connection that is accepted
   * meanwhile has an owner before the main thread goes on.
   */
  mayAccept(): void {
    this.#closeUnclaimed();
    this.#boundAccepts?.(this.#sockets, this.#listener);
    this.#boundAccepts = undefined;
    Atomics.store(this.#accepting, 0, 1);
  }

  /**
   * Whether a connection that has come may be accepted. The kernel wakes one thread for a connection.
   * Another process may share the listener, and nobody there was woken. So this thread accepts even if
   * the server has begun to close, unless accept(2) could then wait for the next one.
   */
  #canAccept(): boolean {
    return this.#neverBlocks || !this.closing;
  }

  /** Says that this thread is not in accept(2) and will never be again. */
  acceptsNoMore(): void {
    this.#closeUnclaimed();
    this.#wait.close();
    Atomics.store(this.#accepting, 0, 0);
  }

  /** Closes a connection that the mode neither served nor handed over. */
  #closeUnclaimed(): void {
    if (this.#unclaimed === NONE) return;
    this.#counters.lost();
    this.#gate.leave();
    this.#leave();
    this.#forget();
    this.#sockets.close(this.#unclaimed);
    this.#unclaimed = NONE;
  }

  /** Decides what to do after an accept that failed. */
  #missed(number: number, sleep: (ms: number) => void): void {
    const { errno } = this.#sockets.constants;
    // Another thread was faster. And on a listener that blocks, the receive timeout that is there for
    // its connections to inherit ends an accept too.
    if (number === errno.EAGAIN || number === errno.EINTR || this.closing) return;
    const error = new SocketError("accept", number);
    const waitMs = this.#policy.failed(error);
    if (waitMs === 0) this.#counters.lost();
    else this.#rest(waitMs, error.message, sleep);
  }

  /** Waits for a time, or until the server closes. */
  #rest(ms: number, reason: string, sleep: (ms: number) => void): void {
    this.#waking.wakeAll();
    tellWait(this.#journal, ms, reason);
    sleep(ms);
  }

  /**
   * Serves a connection. Blocks the thread until the conversation is over.
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
   * Parts from the connection that it serves, in the middle of its conversation: this thread ends.
   *
   * @returns the descriptor, of which the connection does not count any more; -1 if there is none
   */
  part(): number {
    const fd = this.#slot.held;
    try {
      if (fd >= 0) this.#service.part();
    } catch {
      // Whatever has ended this thread may keep it from that, too. Then whoever buries it does it.
    }
    return fd;
  }

  /**
   * Begins to serve a connection, for a mode that makes the calls itself.
   *
   * @param fd see {@linkcode Thread.serve}
   * @returns what is left to do: make the calls, release and close the descriptor, and say that the
   * connection is over
   */
  begin(fd: number): Service {
    this.#unclaimed = NONE;
    this.#service.own(fd);
    // From now on the connection is lost with this process.
    if (this.#begun !== undefined) Atomics.store(this.#begun, 0, 1);
    this.#noteHost();
    Atomics.store(this.#accepting, 0, 0);
    if (this.#synLog !== undefined) this.tellSyn(fd, this.remoteAddress);
    this.#service.begin(msSince(this.#since));
    this.#since = 0;
    if (this.#doom[0] === 1 && Atomics.exchange(this.#doom, 0, 0) === 1) {
      throw new Error("It was ended from the live page");
    }
    return this.#service;
  }
}
