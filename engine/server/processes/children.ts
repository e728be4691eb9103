/**
 * The processes of a server, as their parent sees them.
 *
 * The main thread starts them, and nobody else: the kernel ends a process that asked for it when the
 * thread that has started it ends (`PR_SET_PDEATHSIG`, prctl(2)). All that they say goes to the desk
 * (`desk.ts`), because to listen to them is to wait, and the main thread never waits.
 *
 * @module
 */

import type { StartedProgram } from "../../net/adapter.ts";
import { CommonMemory } from "../../net/common_memory.ts";
import { describeSystemError } from "../../net/constants.ts";
import { runtime } from "../../net/runtime.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import { preferToThis } from "../../process/oom_score.ts";
import { describeTaskLimits } from "../../process/task_limits.ts";
import { sendSignal, SIGCONT, SIGKILL } from "../../process/send_signal.ts";
import type { Allocate } from "../../values/shared_memory.ts";
import type { WorkerPlan } from "../../workers/supervised_worker.ts";
import type { SharedFigure } from "../core/statistics_share.ts";
import type { SharedSocket } from "../descriptors/thread.ts";
import type { Assignment, ThreadMessage } from "../team/assignment.ts";
import { threadMemory } from "../team/team_memory.ts";
import type { ProcessHandle, ProcessStarter } from "../team/thread_team.ts";
import type { ChildAssignment } from "./child.ts";
import { type ChildCommand, commandLineOf } from "./child_command.ts";
import { readStray, SAY } from "./control.ts";
import {
  type ChildMessage,
  type Command,
  type DeskData,
  MISSING,
  startsTogether,
  UNWANTED,
  WAITING,
} from "./desk_talk.ts";
import { JobControl } from "./job_control.ts";
import { type MailboxEnds, makeMailbox } from "./mailbox.ts";
import { MeetingPoint } from "./meeting_point.ts";
import { Turns } from "./turns.ts";

/** How processes are started and used. */
export interface ChildrenPlan {
  /** The mode. */
  readonly mode: string;
  /** How they are started. */
  readonly command: ChildCommand;
  /** The roles that are those of processes. */
  readonly roles: readonly string[];
  /** Whether they let clients in themselves. If not, the desk does. */
  readonly accept: boolean;
  /** How many there are at a time at most. */
  readonly processes: number;
  /** How many connections may wait for processes that are about to start. */
  readonly queue: number;
  /** How many clients may wait beside these, because they have said nothing yet. */
  readonly silent: number;
  /** How many processes shall wait for connections, if they are started on demand. */
  readonly spare?: number;
}

/**
 * How many connections there may be beside those that have a process, and those that wait for one or
 * have said nothing: who comes while the server closes, and who is about to be passed on.
 */
const MORE_CONNECTIONS = 64;

/** How often a call of a process is ended until it has seen what it was asked, in milliseconds. */
const AGAIN_MS = 10;

/** How long the last words of a process may take after its end, in milliseconds. */
const WORDS_MS = 500;

/** Starts processes, and hears what the desk says of them. */
export class Children implements ProcessStarter {
  /** Whether one that waits for its turn to start is still wanted then. @default always */
  isWanted: () => boolean = () => true;
  readonly #plan: ChildrenPlan;
  readonly #net: Sockets = sockets();
  readonly #memory = CommonMemory.create();
  readonly #meeting: MeetingPoint;
  /** The main thread's end, and that of the desk. */
  readonly #commands: readonly [number, number];
  readonly #figures: Int32Array;
  readonly #children = new Map<number, Child>();
  /** Those that start. */
  readonly #turns = new Turns(startsTogether());
  /** What all processes are told, in shared memory. */
  #common: { readonly common: SharedArrayBuffer; readonly length: number } | undefined;
  /** What the desk has not taken yet. */
  #unsent: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #jobControl: JobControl;
  /** Hears of errors outside all conversations, whichever process tells of them. */
  #onStray: WorkerPlan<ThreadMessage>["onStray"];
  #isClosed = false;

  /** @param plan how they are started and used */
  constructor(plan: ChildrenPlan) {
    this.#plan = plan;
    this.#figures = new Int32Array(this.#memory.allocate(8));
    let meeting: MeetingPoint | undefined;
    try {
      this.#meeting = meeting = new MeetingPoint(this.#net);
      this.#commands = this.#net.socketpair();
    } catch (error) {
      meeting?.close();
      this.#memory.close();
      throw error;
    }
    this.#jobControl = new JobControl((signal) => this.#signalAll(signal));
  }

  #signalAll(signal: number): void {
    for (const child of this.#children.values()) child.signal(signal);
  }

  continueAll(): void {
    this.#signalAll(SIGCONT);
  }

  readonly allocate: Allocate = (bytes) => this.#memory.allocate(bytes);

  get connections(): number {
    const { processes, queue, silent } = this.#plan;
    return processes + queue + silent + MORE_CONNECTIONS;
  }

  /** What the desk needs. */
  get desk(): DeskData {
    const { accept, queue, silent, spare } = this.#plan;
    return {
      meeting: this.#meeting.fd,
      commands: this.#commands[1],
      figures: this.#figures.buffer as SharedArrayBuffer,
      accept,
      queue,
      silent,
      ...(spare !== undefined && { spare }),
    };
  }

  get queued(): SharedFigure | undefined {
    if (this.#plan.queue === 0) return undefined;
    return { kind: "word", memory: this.#figures.buffer as SharedArrayBuffer, at: WAITING };
  }

  /** How many connections wait at the desk. */
  get waiting(): number {
    return Atomics.load(this.#figures, WAITING);
  }

  /** How many more processes there should be, if they are started on demand. */
  get missing(): number {
    return Atomics.load(this.#figures, MISSING);
  }

  kill(): string | undefined {
    const ready = [...this.#children].filter(([, child]) => child.isReady);
    // The one that was started last is the likeliest to have nothing to do.
    const [pid, child] = ready.at(-1) ?? [];
    if (child === undefined) return undefined;
    child.signal(SIGKILL);
    return `process ${pid} was killed`;
  }

  plays(role: string): boolean {
    return this.#plan.roles.includes(role);
  }

  start(plan: WorkerPlan<ThreadMessage>): ProcessHandle {
    const assignment = plan.assignment as Assignment;
    this.#onStray = plan.onStray;
    let mailbox: MailboxEnds | undefined;
    // What it cannot be started for is its end, like any other: the caller has given it a place.
    const start = async () => {
      mailbox = makeMailbox(this.#net);
      const parentage = { mode: this.#plan.mode, parent: runtime.pid, path: this.#meeting.path };
      const { path, args, folder } = commandLineOf(this.#plan.command, parentage);
      // Apart, because until it ignores the signals of a terminal (`parent.ts`) they would end it.
      const program = await runtime.startProgram(path, args, folder, true);
      preferToThis(program.pid);
      return program;
    };
    const child = new Child(plan, assignment, {
      isWanted: () => this.isWanted(),
      onStarted: (pid) => {
        this.#children.set(pid, child);
        const ends = mailbox as MailboxEnds;
        try {
          const [text, descriptors] = [
            this.#describe(assignment),
            this.#descriptors(assignment, ends),
          ];
          const { index } = assignment;
          this.#tell({ say: "started", pid, index, assignment: text, descriptors, mailbox: ends });
        } catch (error) {
          // The desk does not know them.
          ends.forEach((fd) => this.#net.close(fd));
          throw error;
        }
      },
      onEnded: (pid) => {
        this.#children.delete(pid);
        this.#tell({ say: "gone", pid });
      },
    });
    void child.follow(this.#turns, () =>
      start().catch((error) => {
        mailbox?.forEach((fd) => this.#net.close(fd));
        throw error;
      }));
    return child;
  }

  hear(message: ThreadMessage): void {
    const { pid, say, text } = message as ChildMessage;
    if (say !== SAY.stray) return this.#children.get(pid)?.hear(say, text);
    // The process may have ended since then.
    const report = readStray(text);
    if (report !== undefined) this.#onStray?.(report);
  }

  /** What is the same for all processes is written down once. */
  #describe({ role, index, track, table, data, ...rest }: Assignment): string {
    if (this.#common === undefined) {
      const bytes = new TextEncoder().encode(this.#memory.describe(rest));
      const common = this.#memory.allocate(bytes.length);
      new Uint8Array(common).set(bytes);
      this.#common = { common, length: bytes.length };
    }
    const own: ChildAssignment & Pick<Assignment, "table"> = {
      role,
      index,
      track,
      table,
      data,
      ...this.#common,
    };
    return this.#memory.describe(own);
  }

  #descriptors({ shared }: Assignment, [, mailbox]: MailboxEnds): number[] {
    const { listener, wake } = shared as SharedSocket;
    return [this.#memory.fd, wake, mailbox, ...(this.#plan.accept ? [listener] : [])];
  }

  #tell(command: Command): void {
    if (this.#isClosed) return;
    const line = new TextEncoder().encode(`${JSON.stringify(command)}\n`);
    const all = new Uint8Array(this.#unsent.length + line.length);
    all.set(this.#unsent);
    all.set(line, this.#unsent.length);
    this.#unsent = all;
    this.#flush();
  }

  /** The main thread never waits: what the desk has no room for is sent a moment later. */
  #flush(): void {
    const { MSG_DONTWAIT } = this.#net.constants;
    while (this.#unsent.length > 0) {
      const count = this.#net.send(this.#commands[0], this.#unsent, MSG_DONTWAIT);
      if (count <= 0) break;
      this.#unsent = this.#unsent.subarray(count);
    }
    clearTimeout(this.#timer);
    this.#timer = this.#unsent.length === 0 ? undefined : setTimeout(() => this.#flush(), 1);
  }

  /**
   * Ends all processes: nobody knows what they do now.
   *
   * @param error why, so that others take their places; without it none do
   */
  endAll(error?: Error): void {
    for (const child of this.#children.values()) child.end(error);
  }

  /** Closes everything. All processes are gone. May be called again. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#commands.forEach((fd) => this.#net.close(fd));
    this.#meeting.close();
    this.#jobControl.close();
    this.#memory.close();
  }
}

/** The error of a process that could not be started. */
function notStarted(cause: unknown): Error {
  return new Error(`Cannot start a process: ${whyNotStarted(cause)}`, { cause });
}

/** Why a process could not be started: fork(2) says EAGAIN if there are too many. */
function whyNotStarted(cause: unknown): string {
  const { code } = cause as { readonly code?: unknown };
  if (code !== "EAGAIN") return describeSystemError(cause);
  const limits = describeTaskLimits();
  return `the system allows no more processes and threads${limits === "" ? "" : `: ${limits}`}`;
}

/** What becomes of a process. */
interface ChildEvents {
  /** Whether it is wanted, now that it is its turn. */
  isWanted(): boolean;
  onStarted(pid: number): void;
  onEnded(pid: number): void;
}

/** A process, from its start to its end. */
class Child implements ProcessHandle {
  readonly ready: Promise<void>;
  readonly gone: Promise<Error | undefined>;
  readonly #plan: WorkerPlan<ThreadMessage>;
  readonly #finished: Int32Array;
  /** Where others find the number of the process. */
  readonly #pid: Int32Array;
  readonly #events: ChildEvents;
  readonly #whenReady = Promise.withResolvers<void>();
  readonly #whenGone = Promise.withResolvers<Error | undefined>();
  readonly #whenSpoken = Promise.withResolvers<void>();
  /** Its program, until that has ended: from then on somebody else may have its number. */
  #program: StartedProgram | undefined;
  #isReady = false;
  #isGone = false;
  /** Why it was ended, or what it has said about its end. */
  #error: Error | undefined;
  #wasEnded = false;
  #wasKilled = false;
  #signal = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(plan: WorkerPlan<ThreadMessage>, { memory, index }: Assignment, events: ChildEvents) {
    this.#plan = plan;
    this.#events = events;
    const own = threadMemory(memory, index);
    this.#finished = own.finished;
    this.#pid = own.pid;
    this.#finished[0] = 0;
    this.ready = this.#whenReady.promise;
    this.gone = this.#whenGone.promise;
    // Nobody may be waiting for it. Then its rejection must not end the process.
    this.ready.catch(() => {});
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get wasKilled(): boolean {
    return this.#wasKilled;
  }

  /**
   * Starts it when it is its turn, and waits for its end.
   *
   * @param turns says when that is
   * @param start starts it
   */
  async follow(turns: Turns, start: () => Promise<StartedProgram>): Promise<void> {
    let how = "";
    const pass = await turns.take();
    // Then another one can start.
    void this.ready.catch(() => {}).then(pass);
    // Nobody may want it any more.
    if (!this.#events.isWanted()) this.#wasEnded = true;
    if (this.#wasEnded) return this.#end(how);
    try {
      const program = this.#program = await start();
      Atomics.store(this.#pid, 0, program.pid);
      if (this.#wasEnded) this.signal(SIGKILL);
      this.#announce(program.pid);
      how = await program.ended;
      this.#program = undefined;
      this.#wasKilled = how.startsWith("SIG");
      await this.#lastWords(how);
      this.#events.onEnded(program.pid);
    } catch (cause) {
      this.#error ??= notStarted(cause);
    }
    this.#end(how);
  }

  /** Says that it has been started. If nobody can tell it what to do, it must not stay. */
  #announce(pid: number): void {
    try {
      this.#events.onStarted(pid);
    } catch (cause) {
      this.end(notStarted(cause));
    }
  }

  /** What it has said before its end may be told a moment after it. */
  async #lastWords(how: string): Promise<void> {
    if (how !== "exit status 70" || this.#error !== undefined) return;
    const timer = setTimeout(this.#whenSpoken.resolve, WORDS_MS);
    await this.#whenSpoken.promise;
    clearTimeout(timer);
  }

  hear(say: number, text: string): void {
    switch (say) {
      case SAY.ready:
        this.#signal = /^\d{1,2}$/.test(text) ? Number(text) : 0;
        this.#beReady();
        break;
      case UNWANTED:
        this.end();
        break;
      case SAY.cannotStart:
      case SAY.died: {
        const what = say === SAY.died ? "A process died" : "Cannot start a process";
        this.#error ??= new Error(`${what}: ${text}`);
        this.#whenSpoken.resolve();
      }
    }
  }

  #beReady(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#whenReady.resolve();
    this.#plan.onReady?.();
  }

  interrupt(): void {
    this.#timer ??= setInterval(() => this.#interruptOnce(), AGAIN_MS);
    this.#interruptOnce();
  }

  #interruptOnce(): void {
    if (this.#signal !== 0) this.signal(this.#signal);
  }

  /** Sends it a signal, if it runs. */
  signal(signal: number): void {
    if (this.#program !== undefined) sendSignal(this.#program.pid, signal);
  }

  end(error?: Error): void {
    if (this.#wasEnded || this.#isGone) return;
    this.#wasEnded = true;
    this.#error ??= error;
    this.signal(SIGKILL);
  }

  #end(how: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    Atomics.store(this.#pid, 0, 0);
    clearInterval(this.#timer);
    // A process with one connection may have served it before this thread hears that it was ready.
    if (this.#finished[0] === 1) this.#beReady();
    const isDone = this.#finished[0] === 1 || this.#wasEnded;
    const error = this.#error ??
      (isDone
        ? undefined
        : new Error(this.#isReady ? `A process died: ${how}` : `Cannot start a process: ${how}`));
    this.#plan.onGone?.(error, false);
    // If it was not ready yet, this rejects `ready`. Otherwise it changes nothing.
    this.#whenReady.reject(error ?? new Error("Cannot start a process: it ended at once"));
    this.#whenGone.resolve(error);
  }
}
