/**
 * The Workers of a server as its main thread sees them.
 *
 * @module
 */

// @ts-types="../../types/delay.d.ts"
import { delay } from "@std/async/delay";
import { Backoff } from "../../net/backoff.ts";
import { DescriptorSlot } from "./descriptor_slot.ts";
import { runtime } from "../../net/runtime.ts";
import type { Sockets } from "../../net/sockets.ts";
import { abandonThread } from "../core/abandoned_threads.ts";
import { CounterBlock, type Counters } from "../core/counters.ts";
import { type Journal, MainJournal } from "../journal/journal.ts";
import type { CheckedOptions } from "../core/options.ts";
import { JournalReader } from "../journal/shared_journal.ts";
import { createTeamMemory, Gate, type TeamMemory, threadMemory } from "./team_memory.ts";
import type { Assignment, ThreadMessage } from "./assignment.ts";
import { threadName } from "../core/thread_names.ts";
import type { Timeline } from "../trace/timeline.ts";

/** How long a thread may take to end after its connections were cut, in milliseconds. */
export const CUT_MS = 1_000;

/** A thread that lived so long, in milliseconds, did not die of how it was started. */
const LIVED_MS = 10_000;

/** How long lines gather in a thread's journal before they are printed together. */
const JOURNAL_PAUSE_MS = 5;

/** What a team needs to know of its server. */
export interface TeamOptions {
  /** The mode: the worker half that the threads run. */
  readonly mode: string;
  /** The URL of the mode's module. */
  readonly url: string;
  /** The most threads at a time. */
  readonly threads: number;
  /** The server's options. */
  readonly options: CheckedOptions;
  /** Hears of each message received. */
  readonly onReport: ((message: string) => void) | undefined;
  /** Whether the threads are event loops. @default {false} */
  readonly areLoops?: boolean;
  /** The trace, where one is written. */
  readonly timeline?: Timeline | undefined;
  /** The Berkeley calls, where the threads serve by descriptor. */
  readonly sockets?: Sockets;
  /** What all threads share beside the memory: plain data, as their mode has it. */
  readonly shared?: unknown;
}

/** What a mode tells a thread that it starts. */
export interface ThreadData {
  /** Any plain data. */
  readonly data?: unknown;
  /** What of it changes its owner. */
  readonly transfer?: readonly Transferable[];
  /** Called when the thread is gone, with the error if it died, and whether it may still run. */
  readonly onGone?: (error: Error | undefined, mayRun: boolean) => void;
}

/**
 * Makes sure that Workers can be started.
 *
 * @param url the module that they run
 * @throws {Error} if the runtime does not allow it
 */
export function requireWorkers(url: string): void {
  const why = runtime.whyNoThreads(url);
  if (why !== undefined) throw new Error(`Cannot start threads: ${why}`);
}

/** A thread that was started. */
export interface ThreadHandle {
  /** Resolves when it has begun to play its part; rejects if it could not. */
  readonly ready: Promise<void>;
  /** Resolves when it is gone, with the error if it died. */
  readonly gone: Promise<Error | undefined>;
}

interface Member extends ThreadHandle {
  readonly worker: Worker;
  readonly slot: DescriptorSlot;
  readonly accepting: Int32Array;
  readonly journal: JournalReader;
  readonly counters: CounterBlock;
  isReady: boolean;
  /** Is gone, with the error if it died; a thread that was terminated may still run a while. */
  leave(error?: Error, mayRun?: boolean): void;
}

/** What a thread is called in a trace: `accepting worker 0`. */
function describeThread(role: string, index: number): string {
  return `${role.replace(/[A-Z]/, (letter) => ` ${letter.toLowerCase()}`)} ${index}`;
}

/** Starts threads, hears from them, and buries those that die. */
export class ThreadTeam {
  /** The gate that all connections go through. */
  readonly gate: Gate;
  /**
   * Called when connections wait for which no thread is free, with how many threads to start. To
   * be set before the first thread is started.
   */
  onQueued: ((wanted: number) => void) | undefined;
  /** Called when threads have given connections away that have to linger. */
  onLingering: (() => void) | undefined;
  readonly #options: TeamOptions;
  readonly #memory: TeamMemory;
  readonly #journal: Journal;
  readonly #members: (Member | undefined)[];
  readonly #blocks: CounterBlock[];
  readonly #replacing = new Backoff();
  #draining: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  /** @param options what the server is */
  constructor(options: TeamOptions) {
    const { threads } = options;
    this.#options = options;
    this.#memory = createTeamMemory(threads);
    this.gate = new Gate(this.#memory.gate);
    this.#journal = new MainJournal(options.mode, options.onReport);
    this.#members = new Array(threads).fill(undefined);
    this.#blocks = Array.from(
      { length: threads + 1 },
      (_, index) =>
        new CounterBlock(this.#memory.counters, threadMemory(this.#memory, index).countersOffset),
    );
  }

  /** How many threads there are. */
  get size(): number {
    return this.#members.reduce((sum, member) => sum + (member === undefined ? 0 : 1), 0);
  }

  /** How many of them have been started and do not run yet. */
  get starting(): number {
    return this.#members.reduce((sum, member) => sum + (member?.isReady === false ? 1 : 0), 0);
  }

  /** The journal of the main thread. */
  get journal(): Journal {
    return this.#journal;
  }

  /** The counters of the main thread. */
  get counters(): CounterBlock {
    return this.#blocks[this.#options.threads] as CounterBlock;
  }

  /** Adds up what all threads have counted. */
  count(): Counters {
    return CounterBlock.sum(this.#blocks);
  }

  /**
   * Starts a thread.
   *
   * @param role the part it plays in its mode
   * @param told what the mode wants to tell it
   * @throws {RangeError} if there are as many as there may be
   */
  start(role: string, { data, transfer = [], onGone }: ThreadData = {}): ThreadHandle {
    const index = this.#members.indexOf(undefined);
    if (index < 0) throw new RangeError(`Cannot start a thread: there are ${this.size} already`);
    const { mode, url, shared, options, timeline, areLoops } = this.#options;
    const memory = threadMemory(this.#memory, index);
    const ready = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<Error | undefined>();
    const track = timeline?.track(describeThread(role, index), areLoops);
    const worker = runtime.startThread(url, threadName(mode));
    const member: Member = {
      worker,
      ready: ready.promise,
      gone: gone.promise,
      slot: new DescriptorSlot(memory.slot),
      accepting: memory.accepting,
      journal: new JournalReader(this.#memory.journals, memory.journalOffset),
      counters: this.#blocks[index] as CounterBlock,
      isReady: false,
      leave: (error, mayRun = false) => {
        if (this.#members[index] !== member) return;
        // What it has told last belongs among what the others tell.
        this.tell();
        this.#members[index] = undefined;
        if (mayRun) abandonThread(worker);
        else worker.terminate();
        if (track !== undefined) timeline?.release(track, error, this.gate.cutting);
        if (error !== undefined) this.#bury(member, mayRun);
        onGone?.(error, mayRun);
        // Before it is ready, whoever started it is told; afterwards this is a promise kept.
        ready.reject(error ?? new Error("Cannot start a thread: it ended at once"));
        gone.resolve(error);
      },
    };
    member.ready.catch(() => {});
    this.#members[index] = member;
    worker.onmessage = ({ data: message }: MessageEvent<ThreadMessage>) => {
      if (message === "ready") {
        member.isReady = true;
        ready.resolve();
      } else if (message === "wake") this.#drainSoon();
      else if (message === "queued") {
        this.onQueued?.(this.gate.answerHelp());
      } else if (message === "lingering") this.onLingering?.();
      else if (message === "finished") member.leave();
      else member.leave(new Error(`Cannot start a thread: ${message.cannotStart}`));
    };
    worker.onerror = (event) => {
      // On Deno an error that nobody prevents ends the main thread too.
      event.preventDefault();
      member.leave(new Error(`A thread died: ${event.message}`, { cause: event.error }));
    };
    const assignment: Assignment = {
      role,
      index,
      memory: this.#memory,
      shared,
      elastic: this.onQueued !== undefined,
      settings: options.settings,
      wants: { reports: this.#journal.wantsReports, log: this.#journal.wantsLog },
      track,
      data,
    };
    worker.postMessage(assignment, [...transfer]);
    return member;
  }

  /**
   * Starts a thread, and another in its place whenever it dies.
   *
   * @param role the part it plays in its mode
   * @param tell what the mode wants to tell each of them; `undefined` when it wants no other
   * @returns resolves when the first one runs; rejects if it could not be started
   */
  async keep(role: string, tell: () => ThreadData | undefined = () => ({})): Promise<void> {
    const handle = this.start(role, tell());
    await handle.ready;
    void this.#replace(role, handle, tell);
  }

  async #replace(
    role: string,
    handle: ThreadHandle,
    tell: () => ThreadData | undefined,
  ): Promise<void> {
    for (;;) {
      const error = await this.settle(handle);
      if (error === undefined) return;
      const isWanted = () => !this.#isOver && !this.gate.cutting;
      // Starting a Worker without descriptors would end the process of Deno.
      while (isWanted() && !runtime.hasDescriptors(runtime.descriptorsPerThread)) {
        await delay(this.#replacing.next());
      }
      const told = isWanted() ? tell() : undefined;
      if (told === undefined) return;
      this.journal.log({ level: "warning", text: "a thread is replaced" });
      handle = this.start(role, told);
    }
  }

  /**
   * Waits until a thread is gone. If it died that is logged, and waited for a while longer: one
   * that cannot live is not brought back to life without end.
   *
   * @param handle the thread
   * @returns the error that it died of, if it did
   */
  async settle(handle: ThreadHandle): Promise<Error | undefined> {
    const startedAt = performance.now();
    const error = await handle.gone;
    if (error !== undefined) {
      const properties = { error: error.message };
      this.journal.log({ level: "error", text: "{error}", properties });
    }
    if (performance.now() - startedAt > LIVED_MS) this.#replacing.reset();
    // While the server closes, what is queued must not wait for a pause.
    if (error !== undefined && !this.gate.closing) await delay(this.#replacing.next());
    return error;
  }

  /** Whether any thread may be inside accept(2), and so may use the listener's number. */
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
    for (const member of this.#members) member?.slot.cut(sockets);
  }

  /** Resolves when there is no thread left. */
  async empty(): Promise<void> {
    do {
      await Promise.all(this.#members.map((member) => member?.gone));
      // One that died may have to be replaced: whoever does that comes first.
      await delay(0);
    } while (this.size > 0);
  }

  /** Ends the threads that do not end by themselves, for instance one in an endless loop. */
  terminateAll(): void {
    for (const member of this.#members) {
      member?.leave(new Error("A thread did not end in time and was terminated"), true);
    }
  }

  /** Prints what is left in the journals, and stops the timer. */
  dispose(): void {
    this.#isOver = true;
    clearTimeout(this.#draining);
    this.tell();
  }

  #bury(member: Member, mayRun: boolean): void {
    Atomics.store(member.accepting, 0, 0);
    const { sockets } = this.#options;
    // Only of a thread that cannot run any more may somebody else close what it was serving. On
    // Deno `terminate` does not stop one that computes.
    if (mayRun) member.slot.abandon();
    else if (sockets !== undefined) member.slot.reclaim(sockets);
    // What it was serving is lost, and the thread that gets its number begins with nothing.
    for (let lost = member.counters.active; lost > 0; lost--) {
      if (this.gate.cutting) member.counters.cut();
      else member.counters.failed("other");
      this.gate.leave();
    }
  }

  #drainSoon(): void {
    this.#draining ??= setTimeout(() => {
      this.#draining = undefined;
      this.tell();
    }, JOURNAL_PAUSE_MS);
  }

  /** Prints what the threads have told so far. */
  tell(): void {
    const records = this.#members.flatMap((member) => member?.journal.drain() ?? []);
    records.sort((a, b) => (a.number - b.number) | 0);
    for (const record of records) {
      try {
        record.tell(this.#journal);
      } catch (error) {
        // Whoever listens to the reports has failed; the server goes on.
        const text = "a listener failed: {error}";
        this.#journal.log({ level: "error", text, properties: { error: String(error) } });
      }
    }
  }
}
