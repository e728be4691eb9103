/**
 * The desk at which a parent deals with its processes. It is a thread of the parent, which blocks
 * until somebody has something to say: the main thread that has started a process, a process that has
 * come, or has nothing to do, or wants to leave a connection, and in some modes a client.
 *
 * Whoever connects to the parent's socket must be a process that the main thread has just started: the
 * kernel says which process it is (`SO_PEERCRED`, unix(7)).
 *
 * The desk hands a connection only to a process that waits for one. While none does, and none may be
 * started, it accepts none, and connections wait in the kernel's accept queue, where nobody can lose
 * them. Where a process is started for each connection, it has accepted the connection before, and
 * looks whether that is worth it: see `waiting_room.ts`.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import { AcceptPolicy } from "../../net/accept_policy.ts";
import { SOCKADDR_SIZE } from "../../net/address.ts";
import { EpollEvents, PollSet } from "../../net/poll_sets.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { Sockets } from "../../net/sockets.ts";
import { msSince } from "../../values/moment.ts";
import { tellWait } from "../core/observer.ts";
import { DescriptorRing } from "../descriptors/descriptor_ring.ts";
import type { SharedSocket, Thread } from "../descriptors/thread.ts";
import type { ThreadMessage } from "../team/assignment.ts";
import { ownUser } from "../takeover/private_path.ts";
import { LingerQueue } from "../team/linger_queue.ts";
import type { ProcessGate } from "../team/process_gate.ts";
import { type TeamMemory, threadMemory } from "../team/team_memory.ts";
import type { WatchingTrack } from "../trace/timeline_watch.ts";
import { Control, describeConnection, type Heard, MessageBuffers, SAY, TELL } from "./control.ts";
import { Mailbox } from "./mailbox.ts";
import { silenceOf, type Waiting, WaitingRoom } from "./waiting_room.ts";
import {
  type ChildMessage,
  type Command,
  type DeskData,
  MISSING,
  startsTogether,
  UNWANTED,
  WAITING,
} from "./desk_talk.ts";

/**
 * How soon the desk looks whether a process has begun with what it was handed, in milliseconds. Most
 * often something else happens before.
 */
const BEGUN_MS = 1;

/**
 * How long a process may leave a connection that it was handed, in milliseconds. Then the desk takes
 * that back: somebody may have stopped the process.
 */
const LATE_MS = 100;

/** How often the desk looks after those who are late with what they have taken, in milliseconds. */
const PATIENT_MS = 20;

/** How often the desk looks for connections that the main thread has rescued, in milliseconds. */
const LOOK_MS = 2;

/**
 * How many may have connected before the main thread has said who they are, beside those who start at
 * the same time.
 */
const MORE_STRANGERS = 64;

/** How many events one look takes. */
const EVENTS = 64;

/**
 * How many connections are accepted until the desk looks after everybody else. Clients that come and
 * leave at once must not keep it from that.
 */
const ACCEPTS = 16;

/** The word that says whether a process has begun with the connection that it was handed. */
const BEGUN = 0;

/** The number of no thread, in a trace. */
const NOBODY_SERVES = 0;

/** A process, as the desk knows it. */
interface Child {
  readonly pid: number;
  readonly index: number;
  readonly control: Control;
  /** Where it finds what it is handed. */
  readonly mailbox: Mailbox;
  /** Where it says that it has begun with what it was handed. */
  readonly begun: Int32Array;
  /** Whether it has started. */
  isReady: boolean;
  /** What it has said then, if the main thread does not know yet. */
  greeting: string | undefined;
  isIdle: boolean;
  /** The connection that it was handed, until it has begun with that. */
  held: Waiting | undefined;
  /** When it was handed that, in milliseconds. */
  handedAt: number;
}

/** A process that has been started. */
type Started = Extract<Command, { readonly say: "started" }>;

/** What was said to a process that has not answered yet. */
interface Told {
  readonly kind: typeof TELL.again | typeof TELL.end;
  /** When it was said, in milliseconds. */
  at: number;
  /** Whether it is in the mailbox. The system may have had no memory for it. */
  isIn: boolean;
}

/** The desk. */
export class Desk {
  readonly #thread: Thread;
  readonly #data: DeskData;
  readonly #net: Sockets;
  readonly #shared: SharedSocket;
  readonly #memory: TeamMemory;
  readonly #gate: ProcessGate;
  readonly #ring: DescriptorRing;
  readonly #lingering: LingerQueue;
  readonly #refused: LingerQueue;
  readonly #figures: Int32Array;
  readonly #tell: (message: ThreadMessage) => void;
  readonly #track: WatchingTrack | undefined;
  readonly #buffers = new MessageBuffers();
  readonly #events = new EpollEvents(EVENTS);
  /** Watches everybody but the listener. */
  readonly #epoll: number;
  /** That, and the listener. */
  readonly #poll = new PollSet(2);
  readonly #sockaddr = new Uint8Array(SOCKADDR_SIZE);
  /** Those who were started and have not come yet, by process. */
  readonly #started = new Map<number, Started>();
  /** Those who have come before the main thread has said so: their descriptors, by process. */
  readonly #strangers = new Map<number, number>();
  /** Those who are here, by descriptor. */
  readonly #children = new Map<number, Child>();
  /** Those of them who wait for a connection. The one that was busy last comes last. */
  readonly #idle: Child[] = [];
  readonly #room: WaitingRoom;
  /** Those who may not have begun yet with what they were handed. */
  readonly #beginning = new Set<Child>();
  /** Those to whom something was said that they have not answered yet. */
  readonly #told = new Map<Child, Told>();
  /** Those who were started in vain, as the main thread knows. */
  readonly #unwanted = new Set<number>();
  /** What the main thread says comes here. */
  readonly #received = new Uint8Array(4096);
  readonly #decoder = new TextDecoder();
  #commands = "";
  #hasSeenWake = false;
  /** How many connections were accepted since the desk has looked. */
  #accepts = 0;
  /** How processes are let in. */
  readonly #policy = new AcceptPolicy();
  /** When that goes on, if it has failed. */
  #meetsAt: number | undefined;
  #user: number | undefined;

  /** @param thread the thread that is the desk @param data what its mode has given it */
  constructor(thread: Thread, data: DeskData) {
    const { calls, assignment, place, tell } = thread.means;
    this.#thread = thread;
    this.#data = data;
    this.#net = calls;
    this.#shared = assignment.shared as SharedSocket;
    this.#memory = assignment.memory;
    this.#gate = place.gate as ProcessGate;
    this.#ring = new DescriptorRing(this.#shared.ring);
    this.#lingering = new LingerQueue(this.#shared.lingering);
    this.#refused = new LingerQueue(this.#shared.refused);
    this.#figures = new Int32Array(data.figures);
    this.#tell = tell;
    this.#track = place.track;
    const { EPOLL_CTL_ADD, EPOLLIN, POLLIN } = calls.constants;
    this.#epoll = calls.epollCreate();
    for (const fd of [data.meeting, data.commands, this.#shared.wake]) {
      calls.epollControl(this.#epoll, EPOLL_CTL_ADD, fd, EPOLLIN, fd);
    }
    const { door, protocol } = thread;
    const isLookedAt = data.spare !== undefined;
    this.#room = new WaitingRoom({
      net: calls,
      epoll: this.#epoll,
      silence: isLookedAt
        ? silenceOf(assignment.settings, protocol.opening, door.headerMs)
        : undefined,
      most: data.silent,
      onOver: (waiting, error, wasEmpty) => this.#turnAway(waiting, error, wasEmpty),
    });
    this.#poll.watch(0, this.#epoll, POLLIN);
    this.#poll.watch(1, this.#shared.listener, POLLIN);
  }

  /**
   * Yields the connections that this desk accepts, until the server closes. Before each of them it
   * waits for a process that can have it.
   *
   * @returns descriptors; give each of them to {@linkcode Desk.pass}
   */
  *accepted(): Generator<number, void> {
    const thread = this.#thread;
    const accept = (sockaddr: Uint8Array) => this.#accept(sockaddr);
    const sleep = (ms: number) => this.#rest(ms);
    try {
      while (!thread.closing) {
        thread.mayAccept();
        if (!this.#awaitRoom()) continue;
        const fd = thread.admit(accept, sleep);
        if (fd !== undefined) yield fd;
      }
    } finally {
      thread.acceptsNoMore();
    }
  }

  /**
   * Hands a connection to a process that waits for one, or as soon as one does.
   *
   * @param fd a connection that this desk has accepted
   */
  pass(fd: number): void {
    // Without a queue a process waits for it.
    const since = this.#data.queue > 0 ? this.#track?.now() ?? 0 : 0;
    const startedAt = performance.now();
    this.#room.add({ fd, sockaddr: this.#thread.letGo().slice(), since, startedAt });
    this.#serveWaiting();
  }

  /** Deals with the processes until all are gone and there will be none. Accepts nobody. */
  attend(): void {
    while (!this.#isOver) {
      this.#look(this.#thread.closing ? LOOK_MS : -1);
      if (!this.#thread.closing) continue;
      this.#takeRescued();
      this.#serveWaiting();
      const isLast = this.#ring.closed && this.#ring.length === 0 && this.#room.size === 0;
      if (isLast || this.#gate.cutting) this.#dismissIdle();
      if (this.#gate.cutting) this.#cutWaiting();
    }
    this.#net.close(this.#epoll);
  }

  get #isOver(): boolean {
    return this.#thread.closing && this.#ring.closed && this.#children.size === 0 &&
      this.#started.size === 0 && this.#room.size === 0;
  }

  /** Waits until a connection may be accepted. Returns `false` if the server closes. */
  #awaitRoom(): boolean {
    if (++this.#accepts > ACCEPTS) this.#look(0);
    while (!this.#thread.closing) {
      if (this.#hasRoom) return true;
      this.#look(-1);
    }
    return false;
  }

  /** Whether there is somebody for another connection. */
  get #hasRoom(): boolean {
    const { queue } = this.#data;
    const room = this.#room;
    // Only who accepts a connection can refuse it.
    if (this.#thread.door.refusesOverflow) return room.ready <= queue;
    if (this.#gate.full) return false;
    if (queue === 0) return this.#idle.length > room.ready;
    // The process may start after the connection has come. Silent clients need none.
    return !room.isFull && this.#gate.open - room.silent < queue;
  }

  /** Accepts a connection, and deals with the processes meanwhile. */
  #accept(sockaddr: Uint8Array): number {
    const net = this.#net;
    const { errno: { EAGAIN }, POLLIN } = net.constants;
    const { listener } = this.#shared;
    for (;;) {
      const fd = this.#thread.mayAsk ? net.accept(listener, sockaddr) : -EAGAIN;
      if (fd !== -EAGAIN) return fd;
      if (this.#thread.closing) return -EAGAIN;
      net.pollAll(this.#poll, this.#tend());
      const isReady = (this.#poll.eventsAt(1) & POLLIN) !== 0;
      if (this.#poll.eventsAt(0) !== 0) this.#look(0);
      if (this.#thread.closing) return -EAGAIN;
      if (isReady && !this.#thread.mayAsk) return net.accept(listener, sockaddr);
      // The process that was to have the connection may have died.
      if (!isReady && !this.#hasRoom) return -EAGAIN;
    }
  }

  /** Accepts nobody for a while, and deals with the processes. */
  #rest(ms: number): void {
    const until = performance.now() + ms;
    for (let left = ms; left > 0 && !this.#thread.closing; left = until - performance.now()) {
      this.#look(Math.ceil(left));
    }
  }

  /** Looks who has something to say. */
  #look(timeoutMs: number): void {
    this.#accepts = 0;
    const { size } = this.#room;
    const dueMs = soonest(timeoutMs, this.#tend());
    // Somebody may wait for the room that there is now.
    const waitMs = this.#room.size < size ? 0 : dueMs;
    const count = this.#net.epollWait(this.#epoll, this.#events, waitMs);
    // Who is told of first is looked at first: a process that has come is known by then.
    const ready = Array.from({ length: Math.max(0, count) }, (_, at) => this.#events.tokenAt(at));
    let hasHeard = false;
    if (ready.includes(this.#data.commands)) this.#hearCommands();
    for (const fd of ready) {
      if (fd === this.#data.meeting) this.#meet();
      else if (fd === this.#shared.wake) this.#seeWake();
      else {
        const child = this.#children.get(fd);
        if (child !== undefined) this.#hearChild(child);
        else {
          this.#room.hear(fd);
          hasHeard = true;
        }
      }
    }
    if (hasHeard) this.#serveWaiting();
  }

  /**
   * Does what is due.
   *
   * @returns how long the desk may wait until it does this again, in milliseconds; -1 for ever
   */
  #tend(): number {
    const room = soonest(this.#room.tend(), this.#sayAgain());
    return soonest(room, soonest(this.#release(), this.#meetAgain()));
  }

  /**
   * Lets go of the connections with which processes have begun. Until then the desk has them too: a
   * process may have been killed, and only its last thread takes its sockets along. What a process
   * does not take is given to another one.
   *
   * @returns how long the desk may wait until it does this again, in milliseconds; -1 for ever
   */
  #release(): number {
    // There may be memory for that now.
    if (this.#isStuck) this.#serveWaiting();
    if (this.#beginning.size === 0) return this.#isStuck ? PATIENT_MS : -1;
    const now = performance.now();
    let waitMs = PATIENT_MS;
    for (const child of this.#beginning) {
      if (child.begun[BEGUN] === 1) this.#letGo(child);
      else if (now - child.handedAt < LATE_MS) waitMs = BEGUN_MS;
      else if (child.mailbox.takeBack()) this.#comesBack(child);
    }
    if (this.#isStuck) this.#serveWaiting();
    return this.#beginning.size === 0 && !this.#isStuck ? -1 : waitMs;
  }

  /** Whether a connection waits, and a process could have it. */
  get #isStuck(): boolean {
    return this.#room.ready > 0 && this.#idle.length > 0;
  }

  /** A process has not begun with its connection, and never will. It waits again, as the first. */
  #takeBack(child: Child): void {
    const held = child.held as Waiting;
    child.held = undefined;
    this.#beginning.delete(child);
    this.#leaveFor(child.index);
    this.#readmit(held);
    this.#room.addFirst(held);
  }

  /** A process has left its connection in the mailbox. Who knows whether it waits at all? */
  #comesBack(child: Child): void {
    this.#takeBack(child);
    this.#say(child, TELL.again);
    this.#want();
  }

  #letGo(child: Child): void {
    const { held } = child;
    this.#beginning.delete(child);
    child.held = undefined;
    if (held !== undefined) this.#net.close(held.fd);
  }

  /** The server closes. The socket that says so is ready from now on. */
  #seeWake(): void {
    if (this.#hasSeenWake) return;
    this.#hasSeenWake = true;
    const { EPOLL_CTL_DEL } = this.#net.constants;
    this.#net.epollControl(this.#epoll, EPOLL_CTL_DEL, this.#shared.wake, 0, 0);
  }

  #hearCommands(): void {
    const { MSG_DONTWAIT } = this.#net.constants;
    for (;;) {
      const count = this.#net.recv(this.#data.commands, this.#received, MSG_DONTWAIT);
      if (count <= 0) break;
      const bytes = this.#received.subarray(0, count);
      this.#commands += this.#decoder.decode(bytes, { stream: true });
    }
    const lines = this.#commands.split("\n");
    this.#commands = lines.pop() as string;
    for (const line of lines) this.#obey(JSON.parse(line));
  }

  #obey(command: Command): void {
    if (command.say === "gone") return this.#forget(command.pid);
    const fd = this.#strangers.get(command.pid);
    if (fd === undefined) return void this.#started.set(command.pid, command);
    this.#strangers.delete(command.pid);
    this.#welcome(fd, command);
  }

  /** Lets those in who have come. */
  #meet(): void {
    const net = this.#net;
    const { EAGAIN } = net.constants.errno;
    for (;;) {
      const fd = net.acceptNonBlocking(this.#data.meeting, this.#sockaddr);
      if (fd === -EAGAIN) return;
      if (fd < 0) {
        const error = new SocketError("accept a process", -fd);
        const waitMs = this.#policy.failed(error);
        if (waitMs > 0) return this.#avoid(waitMs, error.message);
        continue;
      }
      this.#policy.accepted(fd);
      const { pid = 0, user } = net.peerCredentials(fd) ?? {};
      const started = this.#started.get(pid);
      if (user !== (this.#user ??= ownUser(net))) net.close(fd);
      else if (started !== undefined) this.#welcome(fd, started);
      else this.#keepStranger(pid, fd);
    }
  }

  /** Lets nobody in for a while: above all there are no descriptors left. */
  #avoid(ms: number, reason: string): void {
    tellWait(this.#thread.means.place.journal, ms, reason);
    const { EPOLL_CTL_DEL } = this.#net.constants;
    this.#net.epollControl(this.#epoll, EPOLL_CTL_DEL, this.#data.meeting, 0, 0);
    this.#meetsAt = performance.now() + ms;
  }

  /** Lets them in again, if it is time. @returns how long that takes; -1 if it does already */
  #meetAgain(): number {
    if (this.#meetsAt === undefined) return -1;
    const leftMs = Math.ceil(this.#meetsAt - performance.now());
    if (leftMs > 0) return leftMs;
    this.#meetsAt = undefined;
    const { EPOLL_CTL_ADD, EPOLLIN } = this.#net.constants;
    const { meeting } = this.#data;
    this.#net.epollControl(this.#epoll, EPOLL_CTL_ADD, meeting, EPOLLIN, meeting);
    return -1;
  }

  /** Somebody has come whom the main thread has not announced yet, or never will. */
  #keepStranger(pid: number, fd: number): void {
    const most = startsTogether() + MORE_STRANGERS;
    for (const [other, its] of this.#strangers) {
      if (other !== pid && this.#strangers.size < most) continue;
      this.#net.close(its);
      this.#strangers.delete(other);
    }
    this.#strangers.set(pid, fd);
  }

  /** Tells a process that has come what it has to do. */
  #welcome(fd: number, { pid, index, assignment, descriptors, mailbox: ends }: Started): void {
    this.#started.delete(pid);
    const control = new Control(this.#net, fd, this.#buffers);
    const mailbox = new Mailbox(this.#net, ends, this.#buffers);
    if (!control.send(TELL.assignment, assignment, descriptors, this.#net.constants.MSG_DONTWAIT)) {
      mailbox.close();
      return control.close();
    }
    const { begun } = threadMemory(this.#memory, index);
    const child: Child = {
      ...{ pid, index, control, mailbox, begun },
      ...{ isReady: false, greeting: undefined, isIdle: false },
      ...{ held: undefined, handedAt: 0 },
    };
    this.#children.set(fd, child);
    const { EPOLL_CTL_ADD, EPOLLIN } = this.#net.constants;
    this.#net.epollControl(this.#epoll, EPOLL_CTL_ADD, fd, EPOLLIN, fd);
  }

  /** Hears all that a process has to say. */
  #hearChild(child: Child): void {
    const { MSG_DONTWAIT } = this.#net.constants;
    for (;;) {
      const heard = child.control.hear(MSG_DONTWAIT);
      if (heard === undefined) return;
      if (heard === "end") return this.#close(child);
      this.#answer(child, heard);
      // Nearly always there is nothing more.
      if (heard.kind === SAY.idle) return;
    }
  }

  #answer(child: Child, heard: Heard): void {
    switch (heard.kind) {
      case SAY.ready:
        child.isReady = true;
        child.greeting = child.control.textOf(heard);
        // Whoever is handed connections is ready when it waits for the first one.
        return this.#data.accept ? this.#greet(child) : undefined;
      case SAY.idle:
        if (child.isIdle) return;
        this.#letGo(child);
        this.#told.delete(child);
        child.isIdle = true;
        this.#idle.push(child);
        this.#serveWaiting();
        return this.#greet(child);
      case SAY.wake:
        return this.#tell({ kind: "wake" });
      case SAY.lingering:
        return this.#linger(this.#lingering, heard.descriptors);
      case SAY.refused:
        return this.#linger(this.#refused, heard.descriptors);
      default:
        this.#pass(child.pid, heard.kind, child.control.textOf(heard));
    }
  }

  /** Tells the main thread that a process is ready. */
  #greet(child: Child): void {
    const { greeting } = child;
    child.greeting = undefined;
    if (greeting !== undefined) this.#pass(child.pid, SAY.ready, greeting);
  }

  /** Tells the main thread what a process says. */
  #pass(pid: number, say: number, text: string): void {
    const message: ChildMessage = { kind: "child", pid, say, text };
    this.#tell(message);
  }

  /** Takes connections that a process has left. */
  #linger(queue: LingerQueue, descriptors: readonly number[]): void {
    for (const fd of descriptors) {
      if (!queue.put(fd)) this.#net.close(fd);
      else if (queue.mustCall()) this.#tell({ kind: "lingering" });
    }
  }

  /** A process has ended, as far as its socket tells. */
  #close(child: Child): void {
    const { control, mailbox } = child;
    if (!this.#children.delete(control.fd)) return;
    if (child.isIdle) this.#idle.splice(this.#idle.indexOf(child), 1);
    this.#told.delete(child);
    const isBack = child.held !== undefined && child.begun[BEGUN] === 0;
    if (isBack) this.#takeBack(child);
    // Another one with its number comes only after the main thread has said that this one is gone.
    else this.#leaveFor(child.index);
    this.#letGo(child);
    // To close it takes it out of the epoll set.
    control.close();
    mailbox.close();
    if (isBack) this.#serveWaiting();
    else this.#want();
  }

  /** A process has ended, as the main thread knows for sure. */
  #forget(pid: number): void {
    this.#started.get(pid)?.mailbox.forEach((fd) => this.#net.close(fd));
    this.#started.delete(pid);
    const stranger = this.#strangers.get(pid);
    if (stranger !== undefined) this.#net.close(stranger);
    this.#strangers.delete(pid);
    for (const child of this.#children.values()) {
      if (child.pid !== pid) continue;
      // What it has said before its end is still there.
      this.#hearChild(child);
      this.#close(child);
    }
    this.#want();
  }

  /** Hands waiting connections to processes that wait for them. */
  #serveWaiting(): void {
    const room = this.#room;
    for (let child = this.#idle.at(-1); child !== undefined; child = this.#idle.at(-1)) {
      const waiting = room.first();
      if (waiting === undefined || !this.#hand(child, waiting)) break;
      room.removeFirst();
      this.#idle.pop();
      child.isIdle = false;
    }
    this.#want();
  }

  /** A connection is over before a process had it. */
  #turnAway(waiting: Waiting, error: Error | undefined, wasEmpty: boolean): void {
    const { fd, sockaddr, since: queuedAt, neededSince = 0 } = waiting;
    const thread = this.#thread;
    const peer = this.#net.readAddress(sockaddr);
    thread.tellSyn(fd, peer);
    // It does not count any more when its client can see the end.
    this.#gate.leave();
    if (this.#countsHosts) thread.door.leave(peer);
    this.#net.close(fd);
    const waitedMs = msSince(neededSince);
    // The line of its end counts without the wait: what is left is for how long it was silent. A stamp
    // may be a millisecond off.
    const startedAt = Math.min(waiting.startedAt + waitedMs, performance.now());
    const life = { queuedAt, startedAt, waitedMs, servedBy: NOBODY_SERVES };
    thread.observer.begin({ peer }, "", life).over(error, wasEmpty);
    this.#want();
  }

  /** A process has died. What it has counted does not count any more. */
  #leaveFor(index: number): void {
    this.#gate.leaveFor(index);
    this.#thread.door.leaveFor(index);
  }

  /** Counts a connection here again that a process was handed, and has not taken. */
  #readmit(waiting: Waiting): void {
    this.#gate.readmit();
    if (this.#countsHosts) this.#thread.door.readmit(this.#net.readAddress(waiting.sockaddr));
  }

  /** Whether those who come are counted here for their hosts. Behind a proxy nobody is known yet. */
  get #countsHosts(): boolean {
    const { door } = this.#thread;
    return door.counts && door.headerMs === undefined;
  }

  /** Hands a connection to a process. @returns whether there was memory for that */
  #hand(child: Child, waiting: Waiting): boolean {
    const { fd, sockaddr, since, neededSince } = waiting;
    const { index, begun, mailbox } = child;
    begun[BEGUN] = 0;
    this.#gate.handTo(index);
    // The process shares the counts. It leaves them before its client can see the end.
    if (this.#countsHosts) this.#thread.door.handTo(this.#net.readAddress(sockaddr), index);
    if (!mailbox.put(TELL.connection, describeConnection(sockaddr, since, neededSince), [fd])) {
      // Whoever has buried the process may have emptied its seat already.
      this.#leaveFor(index);
      this.#readmit(waiting);
      return false;
    }
    child.held = waiting;
    child.handedAt = performance.now();
    this.#beginning.add(child);
    return true;
  }

  /** Says something to a process for which no answer has to be waited. */
  #say(child: Child, kind: Told["kind"]): void {
    const isIn = child.mailbox.put(kind);
    this.#told.set(child, { kind, at: performance.now(), isIn });
  }

  /**
   * Says again what the system had no memory for.
   *
   * @returns how long the desk may wait until it does this again, in milliseconds; -1 for ever
   */
  #sayAgain(): number {
    let waitMs = -1;
    for (const [child, told] of this.#told) {
      if (told.isIn) continue;
      told.isIn = child.mailbox.put(told.kind);
      told.at = performance.now();
      if (!told.isIn) waitMs = PATIENT_MS;
    }
    return waitMs;
  }

  /** Asks the main thread for the processes that are missing. */
  #want(): void {
    const { ready, size } = this.#room;
    Atomics.store(this.#figures, WAITING, size);
    const { spare } = this.#data;
    if (spare === undefined) return;
    const wanted = this.#thread.closing ? ready : ready + spare;
    const missing = Math.max(0, wanted - this.#idle.length);
    Atomics.store(this.#figures, MISSING, missing);
    if (missing > 0 && this.#gate.askForThreads(missing)) this.#tell({ kind: "queued" });
  }

  /** Takes the connections that the main thread has taken out of the accept queue. */
  #takeRescued(): void {
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    while (this.#room.ready <= this.#data.queue) {
      const fd = this.#ring.tryTake(sockaddr);
      if (fd < 0) return;
      const since = this.#track?.dequeued(fd) ?? 0;
      this.#room.add({ fd, sockaddr: sockaddr.slice(), since, startedAt: performance.now() });
    }
  }

  /** Tells those who wait that there will be nothing more, and those who start that they need not. */
  #dismissIdle(): void {
    const starting = [...this.#children.values()].filter(({ isReady }) => !isReady);
    for (const { pid } of [...this.#started.values(), ...starting]) {
      if (this.#unwanted.has(pid)) continue;
      this.#unwanted.add(pid);
      this.#pass(pid, UNWANTED, "");
    }
    for (const child of this.#idle.splice(0)) {
      child.isIdle = false;
      this.#say(child, TELL.end);
    }
    const now = performance.now();
    for (const [child, { at, isIn }] of this.#told) {
      if (!isIn || now - at < LATE_MS) continue;
      this.#told.delete(child);
      // Who has not even looked into its mailbox is stopped, and has no client.
      if (child.mailbox.takeBack()) this.#pass(child.pid, UNWANTED, "");
    }
  }

  /** Closes the connections that no process will serve: the time to finish has passed. */
  #cutWaiting(): void {
    const { counters } = this.#thread.means.place;
    for (const { fd, sockaddr, since } of this.#room.clear()) {
      this.#track?.refuse(formatAddress(this.#net.readAddress(sockaddr)), since);
      this.#gate.leave();
      this.#net.close(fd);
      counters.accepted();
      counters.cut();
    }
    this.#want();
  }
}

/** The shorter one of two times to wait. -1 is for ever. */
function soonest(one: number, other: number): number {
  return one < 0 || other < 0 ? Math.max(one, other) : Math.min(one, other);
}
