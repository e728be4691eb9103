/**
 * The shared memory of a team of threads, and the gate that counts its connections.
 *
 * @module
 */

import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import { runtime } from "../../net/runtime.ts";
import { SLOT_STATES, SLOT_WORDS } from "./descriptor_slot.ts";
import { COUNTER_BYTES } from "../core/counters.ts";
import { describeHost, type HostKey } from "../core/host_key.ts";
import type { OwnFigures, SharedPulses } from "../core/statistics_share.ts";
import { JOURNAL_BYTES } from "../journal/shared_journal.ts";

/** The memory that all threads of a server share. It is posted to each of them. */
export interface TeamMemory {
  /** The gate's words. */
  readonly gate: SharedArrayBuffer;
  /**
   * For each thread a descriptor slot, a word that says whether it may be in accept(2), one that says
   * whether it serves connections, and one for the descriptor with which it waits.
   */
  readonly slots: SharedArrayBuffer;
  /** A block of counters for each thread, and one for the main thread. */
  readonly counters: SharedArrayBuffer;
  /** A journal for each thread. */
  readonly journals: SharedArrayBuffer;
  /** Those who are refused because threads died of their connections. */
  readonly culprits?: SharedArrayBuffer | undefined;
  /** How many connections each host has, if that is limited. */
  readonly hosts?: SharedArrayBuffer | undefined;
  /** The heartbeats of the threads, if they are event loops and somebody wants to know. */
  readonly beats: SharedArrayBuffer | undefined;
}

/** One thread's part of the memory. */
export interface ThreadMemory {
  readonly slot: Int32Array;
  readonly accepting: Int32Array;
  readonly serving: Int32Array;
  readonly epoll: Int32Array;
  /** Whether it is in a protocol's code: see `pulse.ts`. */
  readonly pulse: Int32Array;
  /** For whom it works: see {@linkcode HostNote}. */
  readonly host: Int32Array;
  /** Whether a process has begun with the connection that it was handed. */
  readonly begun: Int32Array;
  /**
   * How many of its connections have left the gate, and their hosts, although their conversations are
   * not over: they are about to be closed.
   */
  readonly left: Int32Array;
  /** Whether its work is done: a process has no other way to say so at its end. */
  readonly finished: Int32Array;
  /** The number that the system has given to a process; 0 while there is none. */
  readonly pid: Int32Array;
  readonly countersOffset: number;
  readonly journalOffset: number;
}

/** The index of the gate's word that numbers the records of the journals. */
const RECORDS = 8;

/**
 * The word that numbers the records of all threads.
 *
 * @param memory the team's memory
 */
export function recordNumbers(memory: TeamMemory): Int32Array {
  return new Int32Array(memory.gate, RECORDS * 4, 1);
}

/** The index of the word that says what a process has begun with: the slot uses the first three. */
const BEGUN = 4;

/** The index of the word that counts connections which have left, and are not over. */
const LEFT_EARLY = 5;

/** The index of the word that has the number of a process. */
const PID = 6;

/** The index of the word that asks a thread to die: the one in the first part is for all of them. */
const DOOM = 7;

/** The index of a slot's accepting word: behind the words that the slot itself uses. */
const ACCEPTING = 8;

/** The index of the word after it, which says whether the thread serves connections. */
const SERVING = 9;

/** The index of the word that names the descriptor with which the thread waits for connections. */
const EPOLL = 10;

/** The index of the words that say for whom the thread works. */
const HOST = 11;
const HOST_WORDS = 3;

/** The index of the word that says whether the thread is in a protocol's code: see `pulse.ts`. */
const PULSE = 14;

/** The index of the word that says whether a process has done its work. */
const FINISHED = 15;

/**
 * The word that is 1 when the thread which takes a connection next is to die with it.
 *
 * @param memory the team's memory
 */
export function doomOf({ slots }: TeamMemory): Int32Array {
  return new Int32Array(slots, DOOM * 4, 1);
}

/**
 * The figures of the threads that serve by descriptor.
 *
 * @param memory the team's memory
 */
export function workerFigures(
  { slots: memory }: TeamMemory,
): Pick<OwnFigures, "busy" | "workers"> {
  const { first, stride } = SLOT_STATES;
  return {
    busy: { kind: "set", memory, first, stride },
    workers: { kind: "set", memory, first: SERVING, stride },
  };
}

/**
 * The pulses of these threads.
 *
 * @param memory the team's memory
 */
export function workerPulses({ slots: memory }: TeamMemory): SharedPulses {
  return { memory, first: PULSE, stride: SLOT_WORDS };
}

/**
 * The numbers of the processes that serve, for a team that has some.
 *
 * @param memory the team's memory
 */
export function processNumbers({ slots: memory }: TeamMemory): SharedPulses {
  return { memory, first: PID, stride: SLOT_WORDS };
}

/**
 * Makes the memory for a team.
 *
 * @param threads how many threads it may have at a time
 * @param beats the memory for their heartbeats, if they have any
 * @param allocate makes the memory; by default only threads share it
 */
export function createTeamMemory(
  threads: number,
  beats?: SharedArrayBuffer,
  allocate: Allocate = ofThisProcess,
): TeamMemory {
  // There is one part more than threads. The main thread uses that part's counters.
  return {
    gate: allocate(64),
    slots: allocate((threads + 1) * SLOT_WORDS * 4),
    counters: allocate((threads + 1) * COUNTER_BYTES),
    journals: allocate((threads + 1) * JOURNAL_BYTES),
    beats,
  };
}

/**
 * One thread's part of the memory.
 *
 * @param memory the team's memory
 * @param index the thread's number, from 0
 */
export function threadMemory(memory: TeamMemory, index: number): ThreadMemory {
  const slot = new Int32Array(memory.slots, index * SLOT_WORDS * 4, SLOT_WORDS);
  return {
    slot,
    accepting: slot.subarray(ACCEPTING, ACCEPTING + 1),
    serving: slot.subarray(SERVING, SERVING + 1),
    epoll: slot.subarray(EPOLL, EPOLL + 1),
    pulse: slot.subarray(PULSE, PULSE + 1),
    host: slot.subarray(HOST, HOST + HOST_WORDS),
    begun: slot.subarray(BEGUN, BEGUN + 1),
    left: slot.subarray(LEFT_EARLY, LEFT_EARLY + 1),
    finished: slot.subarray(FINISHED, FINISHED + 1),
    pid: slot.subarray(PID, PID + 1),
    countersOffset: index * COUNTER_BYTES,
    journalOffset: index * JOURNAL_BYTES,
  };
}

/** How many bits of the first word have the kind of the host; its port is in those above. */
const KIND_BITS = 8;

/** Where a thread notes for whom it works. If it dies, that host is to blame. */
export class HostNote {
  readonly #words: Int32Array;

  /** @param words from {@linkcode ThreadMemory} */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /**
   * @param key the host; `undefined` if it is none, or one of several
   * @param port the port of its connection, for people; 0 if there is none
   */
  note(key: HostKey | undefined, port = 0): void {
    const { kind, high, low } = key ?? NOBODY;
    this.#words[0] = kind | port << KIND_BITS;
    this.#words[1] = high;
    this.#words[2] = low;
  }

  /** Reads it. @returns `undefined` if it is nobody, or not known */
  read(): HostKey | undefined {
    const [first = 0, high = 0, low = 0] = this.#words;
    const kind = first & (1 << KIND_BITS) - 1;
    return kind === 0 ? undefined : { kind, high, low };
  }

  /**
   * Writes it for people.
   *
   * @returns for instance `192.0.2.1:5000`, `2001:db8::/64 port 5000` or `user 1000`; `undefined` if it
   * is nobody, or not known
   */
  describe(): string | undefined {
    const key = this.read();
    if (key === undefined) return undefined;
    const port = (this.#words[0] as number) >>> KIND_BITS;
    const host = describeHost(key);
    if (port === 0) return host;
    return key.kind === 4 ? `${host}:${port}` : `${host} port ${port}`;
  }
}

const NOBODY: HostKey = { kind: 0, high: 0, low: 0 };

const CLOSING = 0;
const CUTTING = 1;
const OPEN = 2;
const LIMIT = 3;
const CEILING = 4;
const ASKED_FOR = 5;
/** Changes whenever there may be room for a thread that waits to enter. */
const LEFT = 6;
/** Whether a thread does what only one may do at a time. The word before it is `RECORDS`. */
const ALONE = 9;
/** Whether newcomers are kept out while the server closes, and whether everybody else is in. */
const SEAL = 10;
const TRAPPED = 1;
const SEALED = 2;
/** Or others go on accepting from the listener, and its queue is theirs. */
const LEFT_TO_OTHERS = 3;

/** The first word that is not the gate's own: see `process_gate.ts`. */
export const AFTER_GATE = 11;

/**
 * How long one thread may do that until another one takes its turn, in milliseconds: it was ended
 * meanwhile, and holds nobody up for longer. On a busy machine a thread may wait for seconds.
 */
const ALONE_MS = 10_000;

/**
 * Counts the open connections and limits them, as a semaphore does. It also tells all threads that
 * the server closes.
 */
export class Gate {
  protected readonly words: Int32Array;

  /** @param memory the gate's part of the team's memory */
  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
  }

  /** Whether the server has begun to close. Then nothing more is accepted. */
  get closing(): boolean {
    return Atomics.load(this.words, CLOSING) === 1;
  }

  /** Whether the time to finish has passed. Then connections are cut. */
  get cutting(): boolean {
    return Atomics.load(this.words, CUTTING) === 1;
  }

  /** The number of the first descriptor that connections may not use: accepting waits before it. */
  get ceiling(): number {
    return Atomics.load(this.words, CEILING);
  }

  /** How many connections there may be. */
  protected get connections(): number {
    return Atomics.load(this.words, LIMIT);
  }

  /** Sets the limits. `Infinity` means no limit. */
  limit(connections: number, ceiling: number): void {
    Atomics.store(this.words, LIMIT, Math.min(connections, 0x7fff_ffff));
    Atomics.store(this.words, CEILING, Math.min(ceiling, 0x7fff_ffff));
  }

  /**
   * Blocks the thread until another connection is allowed, and counts it.
   *
   * @returns whether it is allowed; `false` when the server is closing
   */
  enter(): boolean {
    const words = this.words;
    for (;;) {
      // Read this word before looking, so that a connection that ends afterwards is not missed.
      const left = Atomics.load(words, LEFT);
      if (this.closing) return false;
      if (this.tryEnter()) return true;
      Atomics.wait(words, LEFT, left);
    }
  }

  /**
   * Counts another connection if it is allowed.
   *
   * @returns whether it is
   */
  tryEnter(): boolean {
    const words = this.words;
    for (;;) {
      const open = Atomics.load(words, OPEN);
      if (open >= Atomics.load(words, LIMIT)) return false;
      if (Atomics.compareExchange(words, OPEN, open, open + 1) === open) return true;
    }
  }

  /** How many connections are open. */
  get open(): number {
    return Atomics.load(this.words, OPEN);
  }

  /** How many more connections are allowed. */
  get room(): number {
    return Math.max(0, this.connections - this.open);
  }

  /** Whether another connection would have to wait. */
  get full(): boolean {
    return this.open >= this.connections;
  }

  /**
   * Asks for more threads.
   *
   * @param count how many
   * @returns whether this is the first request since the last answer: then the main thread must be
   * woken
   */
  askForThreads(count: number): boolean {
    return Atomics.exchange(this.words, ASKED_FOR, Math.min(count, 0x7fff_ffff)) === 0;
  }

  /**
   * Takes the request for threads and returns how many. From now on there can be another request.
   */
  takeThreadsAskedFor(): number {
    return Atomics.exchange(this.words, ASKED_FOR, 0);
  }

  /**
   * Counts that a connection is over whose thread has died.
   *
   * @param _index the number of the thread
   */
  leaveFor(_index: number): void {
    this.leave();
  }

  /** Counts that a connection is over. */
  leave(): void {
    const open = Atomics.sub(this.words, OPEN, 1);
    if (open < Atomics.load(this.words, LIMIT)) return;
    Atomics.add(this.words, LEFT, 1);
    Atomics.notify(this.words, LEFT, 1);
  }

  /** Blocks the thread for a time, or until the server closes. */
  sleep(ms: number): void {
    runtime.waitWhile(this.words, CLOSING, 0, ms);
  }

  /**
   * Does something while no other thread of the team does so.
   *
   * @param act what to do
   * @returns its result
   */
  alone<Result>(act: () => Result): Result {
    const words = this.words;
    // A number that no other turn has, so that nobody gives back what another one has taken over.
    const own = 1 + Math.floor(Math.random() * 0x7fff_fffe);
    for (;;) {
      const owner = Atomics.compareExchange(words, ALONE, 0, own);
      if (owner === 0) break;
      const isLate = Atomics.wait(words, ALONE, owner, ALONE_MS) === "timed-out";
      if (isLate && Atomics.compareExchange(words, ALONE, owner, own) === owner) break;
    }
    try {
      return act();
    } finally {
      if (Atomics.compareExchange(words, ALONE, own, 0) === own) Atomics.notify(words, ALONE, 1);
    }
  }

  /**
   * Whether a loop may stop listening. While newcomers are kept out, it goes on accepting until the
   * main thread has seen that nobody waits any more.
   */
  get mayStopListening(): boolean {
    return this.closing && Atomics.load(this.words, SEAL) !== TRAPPED;
  }

  /** Says that newcomers are kept out. It comes before {@linkcode Gate.close}. */
  trap(): void {
    Atomics.store(this.words, SEAL, TRAPPED);
  }

  /** Says that nobody waits any more, and nobody can come. */
  seal(): void {
    Atomics.store(this.words, SEAL, SEALED);
  }

  /**
   * Says that others go on accepting from the listener: nobody is to empty its queue. It comes before
   * {@linkcode Gate.close}.
   */
  leaveQueue(): void {
    Atomics.store(this.words, SEAL, LEFT_TO_OTHERS);
  }

  /** Whether that was said. */
  get leavesQueue(): boolean {
    return Atomics.load(this.words, SEAL) === LEFT_TO_OTHERS;
  }

  /** Whether nobody waits any more. */
  get sealed(): boolean {
    return Atomics.load(this.words, SEAL) === SEALED;
  }

  /** Whether newcomers were kept out before the server closed. */
  get trapped(): boolean {
    return Atomics.load(this.words, SEAL) !== 0;
  }

  /** Says that the server begins to close. */
  close(): void {
    Atomics.store(this.words, CLOSING, 1);
    Atomics.notify(this.words, CLOSING);
    Atomics.add(this.words, LEFT, 1);
    Atomics.notify(this.words, LEFT);
  }

  /** Says that the time to finish has passed. */
  cut(): void {
    Atomics.store(this.words, CUTTING, 1);
  }
}
