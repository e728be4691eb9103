/**
 * A server that hands connections to Workers as messages. The main thread owns every socket and
 * copies every byte. It is for systems where foreign functions cannot be called, and for measuring
 * the difference.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { ConversationError, type FailureKind } from "../../../protocols/errors.ts";
import { type Deadlines, TimedDeadlines } from "../../drivers/deadlines.ts";
import { LINGER_LIMITS, lingerLimits } from "../../drivers/limits.ts";
import { LingerSet } from "../../drivers/linger.ts";
import { AT_REST } from "../../drivers/pulse.ts";
import { SendQueueLooks } from "../../drivers/send_queue_looks.ts";
import { type SendQueues, WriteWatch } from "../../drivers/write_watch.ts";
import type { Listener } from "../../net/listener.ts";
import type { Connection } from "../../net/transport.ts";
import { CounterBlock } from "../core/counters.ts";
import { type Journal, MainJournal } from "../journal/journal.ts";
import type { MessageAssignment } from "./message_assignment.ts";
import type { SharedPulses } from "../core/statistics_share.ts";
import { CutError, type Observation, type ObservedLife, Observer } from "../core/observer.ts";
import {
  type CheckedOptions,
  checkOptions,
  refuseListener,
  refuseLogSyn,
  refuseUnix,
  type ServeOptions,
} from "../core/options.ts";
import { type Failure, type FromThread, Relay, type ToThread } from "./relay.ts";
import type { Door } from "../core/door.ts";
import { CulpritList } from "../core/culprits.ts";
import { hostKey } from "../core/host_key.ts";
import { hostCountsFor, openDoor } from "../core/open_door.ts";
import { Refusals } from "../core/refusals.ts";
import { StrayLog } from "../core/stray_log.ts";
import { type Arrival, openReception, type Reception } from "../core/reception.ts";
import { makeServer, type Server } from "../core/server.ts";
import { listen } from "../core/listening.ts";
import {
  countedCeiling,
  hasRoomForWorker,
  requireDescriptors,
} from "../../workers/descriptor_limits.ts";
import { LowestNumbers } from "../../workers/lowest_numbers.ts";
import {
  requireWorkers,
  SupervisedWorker,
  type WorkerHandle,
} from "../../workers/supervised_worker.ts";
import { messageThreadName } from "../../workers/thread_names.ts";
import { WorkerKeeper } from "../../workers/worker_keeper.ts";
import { CUT_MS } from "../team/thread_team.ts";
import { stopListening } from "../listening/stop_listening.ts";
import { startHeartbeat } from "../statistics/heartbeat.ts";
import { PoolGauge } from "../statistics/pool_gauge.ts";
import { ThreadWatch, type Watched } from "../statistics/thread_watch.ts";
import type { Timeline } from "../trace/timeline.ts";
import { openTimeline } from "../trace/open_timeline.ts";
import type { TrackShare } from "../trace/timeline_track.ts";

/** How a mode opens such a server. */
export interface MessagePlan {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of its module, which calls `onMessageThread`. */
  readonly url: string;
  /** The most threads. */
  readonly threads: number;
  /** How many accepted connections may wait for a thread. The accept queue holds the rest. */
  readonly queue: number;
  /**
   * How many threads without a connection are kept. If this is not set, all threads are kept, and
   * all are started at once.
   */
  readonly spare?: number;
  /** How long a spare thread is kept, in milliseconds. */
  readonly spareMs?: number;
}

/** The error of a conversation that failed in another thread. */
class RemoteError extends ConversationError {
  override readonly name = "RemoteError";
  override readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** A connection that a thread is serving. */
interface Serving {
  readonly id: number;
  readonly relay: Relay;
  readonly peer: Address;
  readonly observation: Observation;
  /** How the conversation ended. The socket may still have bytes to write. */
  outcome: (FromThread & { kind: "over" }) | undefined;
}

/** A connection that waits for a thread. */
interface Waiting {
  readonly connection: Connection;
  /** Its client, and the first bytes, if they came through a proxy. */
  readonly arrival: Arrival | undefined;
  /** When it began to wait, in the time of `performance.now()`. */
  readonly since: number;
  /** The same on the clock of the trace. */
  readonly queuedAt: number | undefined;
  /** Where those who read along see it wait: see `TrackWriter.entersQueue`. */
  readonly place: number;
}

/** A thread and the connection that it is serving. */
interface Member {
  /** Its number among those that there are. */
  readonly index: number;
  readonly name: string;
  readonly worker: SupervisedWorker<ToThread, FromThread>;
  /** The memory of its track, if a trace is written. */
  readonly track: TrackShare | undefined;
  /** Whether it was ended on purpose: then nobody is to blame. */
  wasAsked: boolean;
  serving: Serving | undefined;
  idleTimer: ReturnType<typeof setTimeout> | undefined;
  closeTimer: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Serves connections by messages.
 *
 * @param plan how the mode opens its server
 * @param options the caller's options
 * @param details how it runs, in words for people
 */
export async function serveByMessages(
  plan: MessagePlan,
  options: ServeOptions,
  details: readonly string[],
): Promise<Server> {
  requireWorkers(plan.url);
  const checked = await checkOptions(options);
  refuseLogSyn(checked, `${plan.mode} with messages`);
  refuseListener(checked, `${plan.mode} with messages`);
  refuseUnix(checked.address);
  const counters = new CounterBlock();
  const journal = new MainJournal(plan.mode, options.onReport);
  const { mode, threads } = plan;
  const timeline = await openTimeline(options, { mode, threads });
  const observer = new Observer(counters, journal, timeline?.main);
  const deadlines = new TimedDeadlines({ extendsLate: true });
  const { writeTimeoutMs = 0 } = checked.settings;
  const queues = new SendQueueLooks(deadlines, writeTimeoutMs);
  const limits = lingerLimits(countedCeiling(), writeTimeoutMs);
  const lingering = new LingerSet(deadlines, limits, queues);
  const { protocol, settings: { admission: rules } } = checked;
  const culprits = new CulpritList(journal);
  const door = openDoor(
    { rules, counters, journal, protocol },
    { hosts: hostCountsFor(rules, checked.maxConnections), culprits: culprits.memory },
  );
  const team = new MessageTeam(
    plan,
    checked,
    observer,
    journal,
    counters,
    timeline,
    lingering,
    queues,
    deadlines,
    door,
    culprits,
  );
  timeline?.offerKill(() => team.killOne());
  let listener: Listener | undefined;
  try {
    listener = await listen(checked, counters, journal);
    await team.start();
  } catch (error) {
    listener?.close();
    team.dispose();
    timeline?.[Symbol.dispose]();
    throw error;
  }
  const accepting = team.accept(listener);
  // The main thread copies the bytes of all connections, so its loop serves them too.
  const heartbeat = startHeartbeat(checked.statsEveryMs, deadlines, checked.stallMs > 0);
  return makeServer({
    mode,
    address: listener.address,
    protocol: checked.protocol.name,
    details,
    drainMs: checked.drainMs,
    signal: options.signal,
    timeline,
    count: () => CounterBlock.sum([counters]),
    counters: counters.memory,
    figures: {
      ...team.gauge.figures,
      pulses: team.pulses,
      beats: heartbeat?.memory,
      loopsOnMain: true,
    },
    async shutDown(drainMs) {
      using _heartbeat = heartbeat;
      using _limits = deadlines;
      const late = setTimeout(() => team.cutAll(), drainMs);
      const killer = setTimeout(() => team.terminateBusy(), drainMs + CUT_MS);
      await stopListening(
        listener,
        journal,
        () => drainMs === 0 || team.isCutting,
        timeline?.ownPort,
      );
      await accepting;
      await team.idle();
      await Promise.all([lingering.empty(), team.refusals.lingered()]);
      clearTimeout(late);
      clearTimeout(killer);
      team.dispose();
    },
  });
}

/** How far the pulses of two threads are apart, in words: no two share a cache line. */
const PULSE_WORDS = 16;

/** The threads of such a server. */
class MessageTeam {
  /** Shows other threads how busy the team is. */
  readonly gauge = new PoolGauge();
  /** The pulses of the threads. */
  readonly pulses: SharedPulses;
  readonly #plan: MessagePlan;
  readonly #options: CheckedOptions;
  readonly #observer: Observer;
  readonly #journal: Journal;
  readonly #counters: CounterBlock;
  readonly #strays: StrayLog;
  readonly #members = new Set<Member>();
  readonly #timeline: Timeline | undefined;
  readonly #lingering: LingerSet;
  /** Says who is stuck, if anybody wants to know. */
  readonly #stalls: ThreadWatch | undefined;
  readonly #waiting: Waiting[] = [];
  readonly #numbers = new LowestNumbers();
  readonly #writeWatch: WriteWatch | undefined;
  readonly #door: Door;
  readonly #culprits: CulpritList;
  readonly #refusals: Refusals;
  /** Receives clients that come through a proxy, if they do. */
  readonly #reception: Reception | undefined;
  readonly #keeper: WorkerKeeper;
  #isRetrying = false;
  #nextId = 1;
  /** How many connections have ended whose threads are not free yet. */
  #parted = 0;
  #cutting = false;
  #disposed = false;
  #changed: (() => void)[] = [];

  constructor(
    plan: MessagePlan,
    options: CheckedOptions,
    observer: Observer,
    journal: Journal,
    counters: CounterBlock,
    timeline: Timeline | undefined,
    lingering: LingerSet,
    queues: SendQueues,
    deadlines: Deadlines,
    door: Door,
    culprits: CulpritList,
  ) {
    this.#door = door;
    this.#culprits = culprits;
    this.#refusals = new Refusals(deadlines);
    this.#reception = openReception({ door, observer, deadlines });
    this.#plan = plan;
    const memory = new SharedArrayBuffer(plan.threads * PULSE_WORDS * 4);
    this.pulses = { memory, first: 0, stride: PULSE_WORDS };
    const { stallMs } = options;
    this.#stalls = stallMs === 0 ? undefined : new ThreadWatch({
      stallMs,
      pulses: this.pulses,
      journal,
      find: (index) => this.#find(index),
    });
    this.#options = options;
    this.#observer = observer;
    this.#journal = journal;
    this.#counters = counters;
    this.#strays = new StrayLog(journal, counters);
    this.#keeper = new WorkerKeeper({ journal });
    this.#timeline = timeline;
    this.#lingering = lingering;
    const { writeTimeoutMs = 0 } = options.settings;
    const relays = { [Symbol.iterator]: () => this.#relays() };
    this.#writeWatch = writeTimeoutMs > 0
      ? new WriteWatch(deadlines, writeTimeoutMs, relays, queues)
      : undefined;
  }

  /** Who has a number, and whose connection it serves. */
  #find(index: number): Watched | undefined {
    for (const { name, serving, ...member } of this.#members) {
      if (member.index !== index) continue;
      return { name, peer: serving && formatAddress(serving.peer) };
    }
    return undefined;
  }

  /** The sockets of all threads that serve one. */
  *#relays(): Generator<Relay, void> {
    for (const { serving } of this.#members) if (serving !== undefined) yield serving.relay;
  }

  /** The connections that were refused. */
  get refusals(): Refusals {
    return this.#refusals;
  }

  /** How many connections wait for their PROXY header. */
  get #expected(): number {
    return this.#reception?.size ?? 0;
  }

  get #busy(): number {
    return this.gauge.busy;
  }

  /** Starts the threads of a pool. Where threads come and go, it starts one to see that it can. */
  async start(): Promise<void> {
    const threads = this.#plan.spare === undefined ? this.#plan.threads : 1;
    requireDescriptors(threads, "thread");
    await Promise.all(Array.from({ length: threads }, async () => {
      const { worker } = this.#add();
      await worker.ready;
      void this.#watch(worker);
    }));
  }

  /** Takes connections from the listener until it closes. */
  async accept(listener: Listener): Promise<void> {
    for await (const connection of listener) {
      const door = this.#door;
      const hasRoom = () => !door.refusesOverflow || !this.#isFull;
      const why = door.asks ? door.enter(connection.remoteAddress, hasRoom) : undefined;
      if (why !== undefined) {
        this.#refusals.refuse(connection, door.lineFor(why));
        continue;
      }
      if (this.#reception === undefined) this.#enqueue(connection);
      else this.#receive(this.#reception, connection);
      const mayWait = !door.refusesOverflow;
      while (mayWait && this.#isFull && !this.#cutting) await this.#change();
    }
  }

  #enqueue(connection: Connection, arrival?: Arrival): void {
    const track = this.#timeline?.main;
    const place = track?.entersQueue(() => formatAddress(connection.remoteAddress)) ?? 0;
    const since = performance.now();
    this.#waiting.push({ connection, arrival, since, queuedAt: track?.now(), place });
    if (this.#cutting) this.#cutWaiting();
    this.#dispatch();
  }

  /** Waits for the PROXY header of a connection. No thread is spent on that. */
  #receive(reception: Reception, connection: Connection): void {
    reception.receive(connection, {
      onIn: (arrival) => {
        // Its first bytes are only borrowed, and no thread may be free.
        this.#enqueue(connection, { ...arrival, rest: arrival.rest.slice() });
      },
      onRefused: (why) => {
        this.#refusals.refuse(connection, this.#door.lineFor(why));
        this.#notify();
      },
      onOver: () => this.#notify(),
    });
  }

  /** Whether the next connection has to wait in the accept queue. */
  get #isFull(): boolean {
    // A thread that is about to be free holds nobody up: its last client may be here again.
    const waiting = this.#waiting.length - this.#parted;
    return waiting + this.#busy + this.#expected >= this.#options.maxConnections ||
      waiting >= Math.max(1, this.#plan.queue);
  }

  /** Whether every connection was ended. */
  get isCutting(): boolean {
    return this.#cutting;
  }

  /** Resolves when no connection is being served and none waits. */
  async idle(): Promise<void> {
    while (this.#waiting.length + this.#busy + this.#expected > 0) await this.#change();
  }

  /** Ends every connection, also those that linger. */
  cutAll(): void {
    this.#cutting = true;
    this.#reception?.cutAll();
    this.#lingering.close();
    this.#refusals.close();
    for (const member of this.#members) {
      if (member.serving?.outcome !== undefined) member.serving.relay.close();
      else if (member.serving !== undefined) {
        this.#post(member, { kind: "cut", id: member.serving.id });
      }
    }
    this.#cutWaiting();
  }

  #cutWaiting(): void {
    for (const waiting of this.#waiting.splice(0)) {
      const { connection, arrival, place } = waiting;
      this.#timeline?.main.leavesQueue(place);
      const life = { ...lifeOf(waiting), servedBy: 0 };
      const { remoteAddress: peer } = arrival?.client ?? connection;
      const observation = this.#observer.begin({ peer }, "", life);
      this.#door.leave(peer);
      connection.close();
      observation.over(new CutError());
    }
    this.#notify();
  }

  /** Terminates the threads that have not ended their connection by themselves. */
  terminateBusy(): void {
    for (const member of this.#members) {
      if (member.serving !== undefined) {
        const error = new Error("A thread did not end in time and was terminated");
        member.worker.end(error, true);
      }
    }
  }

  /** Ends a thread as if it had died: one that has nothing to do, if there is one. */
  killOne(): string | undefined {
    const members = [...this.#members].filter(({ worker }) => worker.isReady);
    const member = members.find(({ serving }) => serving === undefined) ?? members[0];
    if (member === undefined || this.#disposed) return undefined;
    const isBusy = member.serving !== undefined;
    member.wasAsked = true;
    member.worker.end(new Error("It was ended from the live page"), isBusy);
    return `a thread was ended${isBusy ? " with its connection" : ""}`;
  }

  /** Ends all threads. */
  dispose(): void {
    this.#stalls?.[Symbol.dispose]();
    this.#disposed = true;
    this.#keeper.stop();
    this.#culprits[Symbol.dispose]();
    for (const { worker } of this.#members) worker.end();
  }

  /** Gives waiting connections to free threads, and starts more threads if that is allowed. */
  #dispatch(): void {
    this.#giveOut();
    this.#show();
  }

  #giveOut(): void {
    for (const member of this.#members) {
      if (member.worker.isReady && member.serving === undefined) {
        const waiting = this.#nextWaiting();
        if (waiting === undefined) return;
        this.#serve(member, waiting);
      }
    }
    const starting = [...this.#members].filter(({ worker }) => !worker.isReady).length;
    for (let wanted = this.#waiting.length - starting; wanted > 0; wanted--) {
      if (this.#disposed || this.#members.size >= this.#plan.threads) return;
      if (!hasRoomForWorker()) {
        // If there is a thread, this runs again when that thread has served its connection.
        if (this.#members.size === 0) void this.#dispatchLater();
        return;
      }
      void this.#watch(this.#add().worker);
    }
  }

  /** Takes the next connection that waits. Threads may have died of others of its host meanwhile. */
  #nextWaiting(): Waiting | undefined {
    const door = this.#door;
    for (;;) {
      const waiting = this.#waiting.shift();
      if (waiting !== undefined) this.#timeline?.main.leavesQueue(waiting.place);
      if (waiting === undefined || !door.asks) return waiting;
      const { connection, arrival } = waiting;
      const why = door.turnAway((arrival?.client ?? connection).remoteAddress);
      if (why === undefined) return waiting;
      this.#refusals.refuse(connection, door.lineFor(why));
    }
  }

  async #dispatchLater(): Promise<void> {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    await this.#keeper.pause();
    this.#isRetrying = false;
    this.#dispatch();
  }

  /** Waits for the end of a thread. If it died and connections wait, another one is started. */
  async #watch(worker: WorkerHandle): Promise<void> {
    if (await this.#keeper.settle(worker) !== undefined) this.#dispatch();
  }

  #serve(member: Member, waiting: Waiting): void {
    const { connection, arrival } = waiting;
    clearTimeout(member.idleTimer);
    const id = this.#nextId++;
    const client = arrival?.client ?? connection;
    const context = {
      get peer() {
        return client.remoteAddress;
      },
    };
    const { fd } = connection;
    const life = { ...lifeOf(waiting), servedBy: member.track?.number, fd };
    const observation = this.#observer.begin(context, "", life);
    const relay = new Relay(
      connection,
      id,
      this.#lingering,
      (message) => this.#post(member, message),
    );
    const peer = client.remoteAddress;
    member.serving = { id, relay, observation, peer, outcome: undefined };
    relay.onWaiting = () => this.#writeWatch?.wake();
    this.gauge.busy++;
    relay.onParting = () => {
      this.#parted++;
      this.#door.leave(peer);
    };
    relay.onClosed = () => this.#settle(member);
    relay.start(observation.id, peer, arrival?.rest);
    if (this.#cutting) this.#post(member, { kind: "cut", id });
  }

  #add(): Member {
    const { mode, url } = this.#plan;
    const index = this.#numbers.take();
    const name = `worker ${index}`;
    const track = this.#timeline?.track(name, false, false, index);
    const pulse = new Int32Array(this.pulses.memory, index * PULSE_WORDS * 4, 1);
    const assignment: MessageAssignment = {
      pulse,
      settings: this.#options.settings,
      wantsReports: this.#journal.wantsReports,
      track,
    };
    const worker = SupervisedWorker.start<ToThread, FromThread>({
      url,
      name: messageThreadName(mode),
      assignment,
      onStray: this.#strays.tell,
      onReady: () => this.#rest(member, false),
      onMessage: (message) => this.#handle(member, message),
      onGone: (error) => {
        this.#members.delete(member);
        this.#numbers.giveBack(index);
        pulse[0] = AT_REST;
        clearTimeout(member.idleTimer);
        clearTimeout(member.closeTimer);
        if (error !== undefined) {
          if (!this.#cutting) this.#counters.lostThread();
          this.#bury(member, error);
        }
        if (track !== undefined) this.#timeline?.release(track);
        this.#notify();
      },
    });
    const member: Member = {
      index,
      name,
      worker,
      track,
      wasAsked: false,
      serving: undefined,
      idleTimer: undefined,
      closeTimer: undefined,
    };
    this.#members.add(member);
    return member;
  }

  #handle(member: Member, message: FromThread): void {
    const { serving } = member;
    if (serving === undefined || message.id !== serving.id) return;
    if (message.kind === "report") this.#observer.onReport?.(message.message);
    else if (message.kind === "over") {
      serving.outcome = message;
      if (message.failure?.kind === "cut") serving.relay.close();
      // A peer that does not read must not hold the thread for ever. So the last bytes have to be
      // written within a limit: that of a whole conversation, or after a failure that of a silent
      // peer.
      const { sessionTimeoutMs } = this.#options.settings;
      const { silenceMs } = LINGER_LIMITS;
      const withinMs = message.failure === undefined ? sessionTimeoutMs : silenceMs;
      if (withinMs > 0 && !serving.relay.closed) {
        member.closeTimer = setTimeout(() => serving.relay.close(), withinMs);
      }
      this.#settle(member);
    } else serving.relay.handle(message);
  }

  /** Ends the connection when its conversation is over and its last byte is written. */
  #settle(member: Member): void {
    const { serving } = member;
    if (serving?.outcome === undefined || !serving.relay.closed) return;
    clearTimeout(member.closeTimer);
    member.serving = undefined;
    this.gauge.busy--;
    this.#parted--;
    const { relay: { slowness }, outcome: { failure, wasEmpty } } = serving;
    serving.observation.over(slowness ?? asError(failure), wasEmpty);
    this.#rest(member, true);
  }

  /** Lets an idle thread take the next connection, wait for a while, or end. */
  #rest(member: Member, hasServed: boolean): void {
    const { spare = Infinity, spareMs = 0 } = this.#plan;
    const idle = this.#members.size - this.#busy - 1;
    if (hasServed && idle >= spare) member.worker.end();
    else if (spareMs > 0) member.idleTimer = setTimeout(() => member.worker.end(), spareMs);
    this.#dispatch();
    this.#notify();
  }

  #bury(member: Member, error: Error): void {
    const { serving } = member;
    if (serving === undefined) return;
    member.serving = undefined;
    this.gauge.busy--;
    if (this.#cutting) serving.relay.close();
    else serving.relay.part();
    this.#parted--;
    serving.observation.over(this.#cutting ? new CutError() : error);
    if (
      !this.#cutting && !member.wasAsked && this.#culprits.blame(hostKey(serving.peer.hostname))
    ) {
      this.#keeper.excuse(error);
    }
  }

  #post(member: Member, message: ToThread): void {
    member.worker.post(message);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #show(): void {
    this.gauge.show(this.#waiting.length, this.#members.size);
  }

  #notify(): void {
    this.#show();
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}

/** What is known about a connection that waits no more. The line of its end counts without the wait. */
function lifeOf({ arrival, since, queuedAt }: Waiting): ObservedLife {
  const waitedMs = performance.now() - since;
  if (arrival === undefined) return { waitedMs, queuedAt };
  return { ...arrival, startedAt: arrival.startedAt + waitedMs, waitedMs, queuedAt };
}

function asError(failure: Failure | undefined): Error | undefined {
  if (failure === undefined) return undefined;
  return failure.kind === "cut" ? new CutError() : new RemoteError(failure.kind, failure.message);
}
