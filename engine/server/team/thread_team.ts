/**
 * The main thread's side of the Workers of a server.
 *
 * @module
 */

import { pause } from "../../values/pause.ts";
import { DescriptorSlot } from "./descriptor_slot.ts";
import type { Sockets } from "../../net/sockets.ts";
import { closeWait } from "./accept_wait.ts";
import { AT_REST } from "../../drivers/pulse.ts";
import { CounterBlock, type Counters } from "../core/counters.ts";
import { CulpritList } from "../core/culprits.ts";
import { HostCounts } from "../core/host_counts.ts";
import type { SharedFigure } from "../core/statistics_share.ts";
import { StrayLog } from "../core/stray_log.ts";
import { type Journal, MainJournal } from "../journal/journal.ts";
import type { CheckedOptions } from "../core/options.ts";
import { drainJournals, JournalReader } from "../journal/shared_journal.ts";
import type { Allocate } from "../../values/shared_memory.ts";
import { openGate, ProcessGate } from "./process_gate.ts";
import {
  createTeamMemory,
  doomOf,
  type Gate,
  HostNote,
  recordNumbers,
  type TeamMemory,
  threadMemory,
  workerPulses,
} from "./team_memory.ts";
import type { Assignment, ThreadMessage } from "./assignment.ts";
import {
  SupervisedWorker,
  type WorkerHandle,
  type WorkerPlan,
} from "../../workers/supervised_worker.ts";
import { threadName } from "../../workers/thread_names.ts";
import { LowestNumbers } from "../../workers/lowest_numbers.ts";
import { WorkerKeeper } from "../../workers/worker_keeper.ts";
import { createBeats, stopBeat } from "../statistics/heartbeat.ts";
import { ThreadWatch, type Watched } from "../statistics/thread_watch.ts";
import type { Timeline } from "../trace/timeline.ts";

/** How long a thread may take to end after its connections were cut, in milliseconds. */
export const CUT_MS = 1_000;

/** How long lines gather in the journals before they are printed together, in milliseconds. */
const JOURNAL_PAUSE_MS = 5;

/** What a team needs to know about its server. */
export interface TeamOptions {
  /** The name of the mode whose worker half the threads run. */
  readonly mode: string;
  /** The URL of the mode's module. */
  readonly url: string;
  /** The most threads at a time. */
  readonly threads: number;
  /** The server's options. */
  readonly options: CheckedOptions;
  /** Receives each message that a conversation reports. */
  readonly onReport: ((message: string) => void) | undefined;
  /** Whether the threads are event loops. @default {false} */
  readonly areLoops?: boolean;
  /** How large the young generation of a thread may become: see `ThreadOptions`. */
  readonly youngMiB?: number | undefined;
  /** The trace, if one is written. */
  readonly timeline?: Timeline | undefined;
  /** The Berkeley calls, if the threads serve by descriptor. */
  readonly sockets?: Sockets;
  /** What all threads share besides the memory: plain data, which the mode chooses. */
  readonly shared?: unknown;
  /** Starts the processes, if some of its members are no threads of this process. */
  readonly processes?: ProcessStarter | undefined;
}

/** A member of the team, from its start to its end: a thread, or a process. */
export interface MemberHandle extends WorkerHandle {
  /** Whether it has said that it is ready. */
  readonly isReady: boolean;
  /** Ends it: see `SupervisedWorker.end`. */
  end(error?: Error, mayRun?: boolean): void;
}

/** A member that is a process. */
export interface ProcessHandle extends MemberHandle {
  /** Whether a signal has ended it. */
  readonly wasKilled: boolean;
  /** Ends, again and again, every call in which it waits, so that it sees what it was asked. */
  interrupt(): void;
}

/** Starts the members of a team that are processes. */
export interface ProcessStarter {
  /** Makes the memory that all of them share. */
  readonly allocate: Allocate;
  /** How many connections there are at most, those included that wait for one of them. */
  readonly connections: number;
  /** How many connections wait for one of them, if they wait in this process. */
  readonly queued?: SharedFigure | undefined;
  /** Whether a role is that of a process. */
  plays(role: string): boolean;
  /** Starts one. */
  start(plan: WorkerPlan<ThreadMessage>): ProcessHandle;
  /** Lets all of them go on that somebody has stopped: they are to see that the server closes. */
  continueAll(): void;
  /** A thread has spoken for a process. */
  hear(message: ThreadMessage): void;
  /** Kills one of them, and says so in words; `undefined` if there is none. */
  kill(): string | undefined;
  /** The team is no more. */
  close(): void;
}

/** What a mode gives to a thread that it starts. */
export interface ThreadData {
  /** Any plain data. */
  readonly data?: unknown;
  /** The objects in the data that are transferred, not copied. */
  readonly transfer?: readonly Transferable[];
  /** Called when the thread is gone, with the error if it died, and whether it may still run. */
  readonly onGone?: (error: Error | undefined, mayRun: boolean) => void;
}

interface Member {
  /** What it is called in a trace. */
  readonly name: string;
  readonly worker: MemberHandle;
  /** The same, if it is a process. */
  readonly process: ProcessHandle | undefined;
  readonly slot: DescriptorSlot;
  readonly accepting: Int32Array;
  readonly journal: JournalReader;
  readonly counters: CounterBlock;
}

/** The name of a thread in a trace, for instance `accepting worker 0`. */
function describeThread(role: string, index: number): string {
  return `${role.replace(/[A-Z]/, (letter) => ` ${letter.toLowerCase()}`)} ${index}`;
}

/** Starts threads, receives their messages, and cleans up after those that die. */
export class ThreadTeam {
  /** The gate that counts all connections. */
  readonly gate: Gate;
  /**
   * Called when connections wait and no thread is free. It receives how many threads to start. Set
   * it before the first thread is started.
   */
  onQueued: ((wanted: number) => void) | undefined;
  /** Closes a connection that a dead thread has left. By default it is closed at once. */
  onLeft: ((fd: number) => void) | undefined;
  /** Called when threads have given away connections that have to linger. */
  onLingering: (() => void) | undefined;
  readonly #options: TeamOptions;
  readonly #memory: TeamMemory;
  readonly #journal: Journal;
  readonly #members: (Member | undefined)[];
  readonly #blocks: CounterBlock[];
  readonly #hosts: HostCounts | undefined;
  readonly #culprits: CulpritList;
  readonly #numbers = new LowestNumbers();
  readonly #keeper: WorkerKeeper;
  readonly #strays: StrayLog;
  /** How many members were ended on purpose, and are not gone yet. */
  #killed = 0;
  /** Says who is stuck, if anybody wants to know. */
  readonly #stalls: ThreadWatch | undefined;
  #draining: ReturnType<typeof setTimeout> | undefined;

  /** @param options what the team needs to know about its server */
  constructor(options: TeamOptions) {
    const { threads } = options;
    this.#options = options;
    const { areLoops = false, processes, options: { statsEveryMs, stallMs } } = options;
    const allocate = processes?.allocate;
    const { options: { settings: { admission }, maxConnections } } = options;
    if (admission !== undefined && admission.maxPerHost > 0) {
      const tables = areLoops || processes !== undefined ? threads : 1;
      const connections = Math.min(maxConnections, processes?.connections ?? Infinity);
      this.#hosts = HostCounts.create({ connections, tables }, allocate);
    }
    const beats = areLoops ? createBeats(threads, statsEveryMs, stallMs > 0) : undefined;
    this.#journal = new MainJournal(options.mode, options.onReport);
    this.#culprits = new CulpritList(this.#journal, allocate);
    this.#memory = {
      ...createTeamMemory(threads, beats, allocate),
      // The main thread has a seat too.
      ...(processes !== undefined && { gate: ProcessGate.create(threads + 1, allocate) }),
      hosts: this.#hosts?.memory,
      culprits: this.#culprits.memory,
    };
    this.gate = openGate(this.#memory.gate, threads);
    this.#keeper = new WorkerKeeper({
      journal: this.#journal,
      isWanted: () => !this.gate.cutting,
      // While the server closes, queued connections must not wait for a pause.
      isUrgent: () => this.gate.closing,
      // Connections have left enough descriptors for a replacement. The dead thread may have been
      // the only one.
      reserve: 0,
    });
    this.#members = new Array(threads).fill(undefined);
    this.#blocks = Array.from(
      { length: threads + 1 },
      (_, index) =>
        new CounterBlock(this.#memory.counters, threadMemory(this.#memory, index).countersOffset),
    );
    this.#strays = new StrayLog(this.#journal, this.counters);
    if (areLoops) return;
    options.timeline?.offerKill(() => this.#killOne());
    if (stallMs === 0) return;
    this.#stalls = new ThreadWatch({
      stallMs,
      pulses: workerPulses(this.#memory),
      journal: this.#journal,
      find: (index) => this.#find(index),
    });
  }

  /** Who has a number, and whose connection it serves. */
  #find(index: number): Watched | undefined {
    const member = this.#members[index];
    if (member === undefined) return undefined;
    const { pid, host } = threadMemory(this.#memory, index);
    const which = member.process === undefined ? "" : ` (${pid[0]})`;
    return { name: `${member.name}${which}`, peer: new HostNote(host).describe() };
  }

  /** How many threads there are. */
  get size(): number {
    return this.#members.reduce((sum, member) => sum + (member === undefined ? 0 : 1), 0);
  }

  /** How many of them have been started but do not run yet. */
  get starting(): number {
    return this.#members.reduce(
      (sum, member) => sum + (member?.worker.isReady === false ? 1 : 0),
      0,
    );
  }

  /** The journal of the main thread. */
  get journal(): Journal {
    return this.#journal;
  }

  /** The counters of the main thread. */
  get counters(): CounterBlock {
    return this.#blocks[this.#options.threads] as CounterBlock;
  }

  /** The memory that the threads share. */
  get memory(): TeamMemory {
    return this.#memory;
  }

  /** Those whose connections have ended threads. */
  get culprits(): CulpritList {
    return this.#culprits;
  }

  /** Adds up what all threads have counted. */
  count(): Counters {
    return CounterBlock.sum(this.#blocks);
  }

  /**
   * Starts a thread.
   *
   * @param role its role in its mode
   * @param told what the mode gives to it
   * @throws {RangeError} if there are already as many threads as allowed
   */
  start(role: string, { data, transfer = [], onGone }: ThreadData = {}): WorkerHandle {
    if (this.size === this.#members.length) {
      throw new RangeError(`Cannot start a thread: there are ${this.size} already`);
    }
    const index = this.#numbers.take();
    const { mode, url, shared, options, timeline, areLoops, processes } = this.#options;
    const isProcess = processes?.plays(role) === true;
    const memory = threadMemory(this.#memory, index);
    const name = isProcess ? `process ${index}` : describeThread(role, index);
    const track = timeline?.track(name, areLoops, isProcess, index);
    const assignment: Assignment = {
      role,
      index,
      memory: this.#memory,
      shared,
      elastic: this.onQueued !== undefined,
      settings: options.settings,
      wants: { reports: this.#journal.wantsReports, log: this.#journal.wantsLog },
      track,
      table: areLoops === true || processes !== undefined ? index : undefined,
      data,
    };
    const plan: WorkerPlan<ThreadMessage> = {
      url,
      youngMiB: this.#options.youngMiB,
      name: threadName(mode),
      assignment,
      transfer,
      onStray: this.#strays.tell,
      onMessage: (message) => {
        const { kind } = message;
        if (kind === "wake") this.#drainSoon();
        else if (kind === "child") processes?.hear(message);
        else if (kind === "lingering") this.onLingering?.();
        else this.onQueued?.(this.gate.takeThreadsAskedFor());
      },
      onGone: (error, mayRun) => {
        // Its last lines must stay in order with the lines of the others.
        this.printJournals();
        this.#members[index] = undefined;
        const note = new HostNote(memory.host);
        const host = note.read();
        if (error !== undefined) {
          if (assignment.table !== undefined) this.#hosts?.clear(index);
          else if (host !== undefined && memory.left[0] === 0) this.#hosts?.takeBack(0, host);
        }
        Atomics.store(memory.serving, 0, 0);
        // A thread that may still run closes it itself, or never.
        if (isProcess) Atomics.store(memory.epoll, 0, 0);
        else if (!mayRun && this.#options.sockets !== undefined) {
          closeWait(this.#options.sockets, memory.epoll);
        }
        if (this.#memory.beats !== undefined) stopBeat(this.#memory.beats, index);
        this.#numbers.giveBack(index);
        if (track !== undefined) timeline?.release(track, error, this.gate.cutting);
        if (error !== undefined) {
          if (!this.gate.cutting) this.counters.lostThread();
          // Somebody from outside may have killed a process while it waited: nobody is to blame.
          const wasWaiting = memory.pulse[0] === AT_REST;
          const isNobodys = this.#wasAsked() || process?.wasKilled === true && wasWaiting;
          const culprit = isNobodys ? undefined : host;
          if (!this.gate.closing && this.#culprits.blame(culprit)) this.#keeper.excuse(error);
          this.#bury(member, index, mayRun, memory.left);
        }
        note.note(undefined);
        if (isProcess) {
          // Whoever watches that threads do not compute for ever must not take it for one of them.
          Atomics.store(memory.pulse, 0, AT_REST);
          this.gate.leaveFor(index);
        }
        onGone?.(error, mayRun);
      },
    };
    const process = isProcess ? processes?.start(plan) : undefined;
    const worker = process ?? SupervisedWorker.start<never, ThreadMessage>(plan);
    const member: Member = {
      name,
      worker,
      process,
      slot: new DescriptorSlot(memory.slot),
      accepting: memory.accepting,
      journal: new JournalReader(this.#memory.journals, memory.journalOffset),
      counters: this.#blocks[index] as CounterBlock,
    };
    this.#members[index] = member;
    return worker;
  }

  /**
   * Starts a thread, and starts another one in its place whenever it dies.
   *
   * @param role its role in its mode
   * @param prepare returns what the mode gives to each of them, or `undefined` to start no other one
   * @param isNeeded whether the server cannot begin without the first one: see
   * {@linkcode WorkerKeeper.keepRunning}
   * @returns a promise that resolves when the first one runs, and rejects if it could not be
   * started
   */
  keepRunning(
    role: string,
    prepare: () => ThreadData | undefined = () => ({}),
    isNeeded?: () => boolean,
  ): Promise<void> {
    const replace = () => {
      const prepared = prepare();
      if (prepared === undefined) return undefined;
      const what = this.#options.processes?.plays(role) === true ? "process" : "thread";
      this.journal.log({ level: "warning", text: `a ${what} is replaced` });
      return this.start(role, prepared);
    };
    return this.#keeper.keepRunning(() => this.start(role, prepare()), replace, isNeeded);
  }

  /**
   * Waits until a thread is gone. If it died, this is logged, and the wait is a while longer.
   *
   * @param thread the thread
   * @returns the error, if the thread died of one
   */
  settle(thread: WorkerHandle): Promise<Error | undefined> {
    return this.#keeper.settle(thread);
  }

  /**
   * Ends a member that serves, as if it had died. A process is killed: one without a connection, if
   * there is one. A thread that waits in a system call is reached by nothing but a connection. So the
   * one that takes the next dies with it.
   *
   * @returns what was done, in words; `undefined` if there is nobody to end
   */
  #killOne(): string | undefined {
    if (this.gate.closing) return undefined;
    const killed = this.#options.processes?.kill();
    if (this.#options.processes !== undefined) {
      if (killed !== undefined) this.#killed++;
      return killed;
    }
    if (this.size === 0) return undefined;
    if (Atomics.exchange(doomOf(this.#memory), 0, 1) === 0) this.#killed++;
    return "the thread that took this connection has died of it";
  }

  /** Whether a member that has died was asked to: then nobody is to blame. */
  #wasAsked(): boolean {
    if (this.#killed === 0) return false;
    this.#killed--;
    return true;
  }

  /** Whether any thread may be in accept(2), and so may use the listener's descriptor. */
  get accepting(): boolean {
    return this.#members.some((member) =>
      member !== undefined && Atomics.load(member.accepting, 0) === 1
    );
  }

  /** Ends every connection that a thread is serving. */
  cutAll(): void {
    this.gate.cut();
    const { sockets } = this.#options;
    if (sockets === undefined) return;
    for (const member of this.#members) {
      if (member?.process === undefined) member?.slot.cut(sockets);
      else {
        member.slot.askToCut();
        member.process.interrupt();
      }
    }
  }

  /** Resolves when there is no thread left. */
  async empty(): Promise<void> {
    do {
      await Promise.all(this.#members.map((member) => member?.worker.gone));
      // A thread that died may have to be replaced. Let that happen before looking again.
      await pause(0);
    } while (this.size > 0);
  }

  /**
   * Terminates the threads that do not end by themselves, for instance one in an endless loop. If there
   * are processes, these are ended, and the threads that deal with them can end by themselves.
   */
  terminateAll(): void {
    const processes = this.#members.filter((member) => member?.process !== undefined);
    for (const member of processes.length > 0 ? processes : this.#members) {
      const what = member?.process === undefined
        ? "A thread did not end in time and was terminated"
        : "A process did not end in time and was killed";
      member?.worker.end(new Error(what), true);
    }
  }

  /** Prints what is left in the journals, and stops the timers. */
  dispose(): void {
    this.#keeper.stop();
    this.#stalls?.[Symbol.dispose]();
    this.#culprits[Symbol.dispose]();
    clearTimeout(this.#draining);
    this.printJournals();
    this.#options.processes?.close();
  }

  #bury(member: Member, index: number, mayRun: boolean, left: Int32Array): void {
    Atomics.store(member.accepting, 0, 0);
    const { counters } = member;
    // Who sees the end of its connection may come again at once, so its place is free before that.
    const places = counters.expected + counters.active - Atomics.exchange(left, 0, 0);
    for (let place = 0; place < places; place++) this.gate.leaveFor(index);
    const { sockets } = this.#options;
    // Another thread may close the descriptor of this one only if this one cannot run any more. On
    // Deno, `terminate` does not stop a thread that computes.
    if (mayRun || member.process !== undefined) member.slot.abandon();
    else if (sockets !== undefined) {
      member.slot.reclaim({ close: this.onLeft ?? sockets.close.bind(sockets) });
    }
    // The connection that it was serving is lost. The thread that gets its number starts with none.
    for (let lost = counters.expected; lost > 0; lost--) {
      counters.expectsNoMore();
      counters.accepted();
    }
    for (let lost = counters.active; lost > 0; lost--) {
      if (this.gate.cutting) counters.cut();
      else counters.failed("other");
    }
  }

  #drainSoon(): void {
    this.#draining ??= setTimeout(() => {
      this.#draining = undefined;
      this.printJournals();
    }, JOURNAL_PAUSE_MS);
  }

  /** Prints what the threads have written into their journals so far. */
  printJournals(): void {
    const readers = this.#members.flatMap((member) => member?.journal ?? []);
    const records = drainJournals(readers, recordNumbers(this.#memory));
    for (const record of records) record.tell(this.#journal);
  }
}
