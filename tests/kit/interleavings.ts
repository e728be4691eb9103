/**
 * Explores all orders in which threads can take turns at shared memory.
 *
 * The code under test is the real one, untouched. It reaches shared memory through two globals,
 * `Atomics` and `Int32Array`, and these are replaced while the explorer runs. Each access of a
 * thread is a step. Before it the explorer may let any other thread take a step, and it tries every
 * choice, depth first.
 *
 * There are no real threads. What a thread does depends only on what its accesses return. So the
 * explorer keeps the results of each thread. To take one more step, it runs the thread's function
 * again, answers the accesses from those results, makes the next access for real, and leaves the
 * function by throwing at the access after that.
 *
 * Two states are the same if the memory, the waiting lists and the results of all threads are the
 * same: then everything that follows is the same too, and is explored once. A function that returns
 * hands over to the next one with a plain value, and its results are forgotten. An access that no
 * other thread can ever conflict with is made at once, without trying the other threads first. For
 * that the explorer has to know which words each thread may still use. It learns that: it searches
 * again and again until no thread has used a word that was not known before.
 *
 * `Atomics.wait` and `Atomics.notify` behave as ECMAScript says: the comparison and the falling
 * asleep are one step, the waiting lists are first in, first out, and nothing wakes by itself. A
 * wait with a time limit may end at any moment. The accesses have one order that all threads see.
 * For accesses by `Atomics` ECMAScript promises that. Plain accesses here only carry what an
 * access by `Atomics` publishes.
 *
 * @module
 */

/** What a thread carries from one of its functions to the next: plain data. */
export type State = string | number | boolean | null | readonly State[];

/** The state of a thread that has ended. */
export const ENDED = "ended";

/** A thread. */
export interface VirtualThread {
  /** Its name, for the report. */
  readonly name: string;
  /** Its first state. */
  readonly start: State;
  /**
   * Runs real code. It must do the same whenever its accesses return the same.
   *
   * @param state the state
   * @returns the next state, or {@linkcode ENDED}
   */
  turn(state: State): State;
}

/** What is explored. */
export interface Scenario {
  /** The threads. */
  readonly threads: readonly VirtualThread[];
  /**
   * Says where a loop begins anew and nothing of its past rounds matters any more. Then that past is
   * forgotten, so that states with different pasts are the same. The explorer checks this as it goes
   * on: it runs the thread with the whole past too, and both must make the same accesses.
   *
   * @param next the next access of a thread, for instance `ring[2] load`
   * @param past its accesses in its present state
   * @returns how many of them to remember, from the first; `undefined` for all
   */
  forgets?(next: string, past: readonly string[]): number | undefined;
  /**
   * Says which results nobody reads, so that states that differ in them are the same. The code then
   * gets something in their place that throws when it is used as a number.
   *
   * @param access an access, for instance `ring[5] add 1`
   */
  isUnread?(access: string): boolean;
  /**
   * Called whenever no thread can take a step. Throws if that should not be.
   *
   * @param asleep the names of the threads that have not ended: they sleep for ever
   */
  atRest(asleep: readonly string[]): void;
}

/** A fault that is put in on purpose, to see that the explorer finds it. */
export interface Fault {
  /** Makes a read-modify-write of these words two steps, as if it were not atomic. */
  readonly splits?: (word: string, by: string) => boolean;
  /** Loses calls of `Atomics.notify` on these words. */
  readonly losesNotify?: (word: string, by: string) => boolean;
  /** Waits on these words without comparing the value first. */
  readonly waitsBlindly?: (word: string, by: string) => boolean;
}

/** How to explore. */
export interface ExploreOptions {
  /** How many states there may be. @default {5_000_000} */
  readonly most?: number;
  /**
   * How often a thread may lose its turn although it could go on. With a limit not all orders are
   * tried.
   *
   * @default {Infinity}
   */
  readonly switches?: number;
}

/** What was explored. */
export interface Explored {
  /** How many different states there are. */
  readonly states: number;
  /** How many steps were taken between them. */
  readonly steps: number;
  /** How many states are the last: no thread can go on. */
  readonly endings: number;
}

/** An order of steps in which something goes wrong. */
export class Counterexample extends Error {
  override readonly name = "Counterexample";

  /** The steps that lead there. */
  readonly steps: readonly string[];

  /** @param cause what went wrong @param steps the steps that lead there */
  constructor(cause: unknown, steps: readonly string[]) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${why}\n${steps.map((step) => `  ${step}`).join("\n")}`, { cause });
    this.steps = steps;
  }
}

/** Shared memory, as {@linkcode Lab} has made it. */
interface Region {
  readonly name: string;
  readonly words: Int32Array;
  /** Its accesses in words, by index and text. */
  readonly names: Map<string, string>[];
  /** The number of its first word, of all words. */
  readonly first: number;
  /** Whether the access to a word is made together with the one before. */
  readonly isQuiet: (index: number) => boolean;
}

/** The next access of a thread. */
interface Access {
  readonly kind: "load" | "store" | "read-modify-write" | "wait" | "notify" | "call";
  readonly region: Region;
  readonly index: number;
  /** Makes the access, and returns its result. */
  readonly run: () => number;
  /** Whether it can be made now. Without it, it always can. */
  readonly isReady: (() => boolean) | undefined;
  /** What it is, for the report. */
  readonly text: string;
  /** What a wait expects, and whether it has a time limit. */
  readonly expected?: number;
  readonly isLimited?: boolean;
}

/** A thread at some moment. It is never changed, only replaced. */
interface Moment {
  readonly state: State;
  /** How many states came before. */
  readonly turn: number;
  /** What its accesses in this state have returned. */
  readonly results: readonly number[];
  /** These accesses. */
  readonly past: readonly string[];
  /** The results of all its accesses, if some were forgotten. */
  readonly whole: readonly number[] | undefined;
  /** A hash of the state and the results. */
  readonly hash: number;
  /** The next access, if it has not ended. */
  readonly next: Access | undefined;
  /** The number of the word on which it sleeps, or -1. */
  readonly asleepOn: number;
}

/** The results of `Atomics.wait`. */
const OK = 0;
const NOT_EQUAL = 1;
const TIMED_OUT = 2;
const WAIT_RESULTS = ["ok", "not-equal", "timed-out"] as const;

/** How long an order of steps may be. All cases are finite and much shorter. */
const LONGEST = 800;

/** Stands for a result that nobody reads, and what the code gets then. */
const UNREAD = NaN;
const POISON = {
  valueOf(): never {
    throw new Error("A result that nobody should read is read");
  },
} as unknown as number;

/** Thrown to leave a thread's function at its next access. */
const LEAVE = Symbol("leave");

/** Whether an access may change its word, or what others see of it. */
function changes({ kind }: Access): boolean {
  return kind !== "load";
}

/** An access in words. */
function describe(access: Access, result?: number): string {
  const { kind, region: { names }, index, text } = access;
  const ofWord = names[index] ??= new Map();
  let its = ofWord.get(text);
  if (its === undefined) {
    its = `${access.region.name}[${index}] ${text}`;
    ofWord.set(text, its);
  }
  return kind === "wait" && result !== undefined ? `${its} → ${WAIT_RESULTS[result]}` : its;
}

/** Mixes a number into a hash of 32 bits. */
function mix(hash: number, value: number): number {
  hash = Math.imul(hash ^ value, 0x85eb_ca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

function hashText(text: string): number {
  let hash = 0x9e37_79b9 | 0;
  for (let at = 0; at < text.length; at++) hash = mix(hash, text.charCodeAt(at));
  return hash;
}

/** Shared memory as the code under test sees it. */
class Words {
  readonly region: Region;
  readonly length: number;
  [index: number]: number;

  constructor(region: Region, lab: Lab) {
    this.region = region;
    this.length = region.words.length;
    for (let index = 0; index < this.length; index++) {
      Object.defineProperty(this, index, {
        get: () => lab.access("load", region, index, () => region.words[index] as number, "read"),
        set: (value: number) =>
          void lab.access(
            "store",
            region,
            index,
            () => region.words[index] = value,
            `write ${value}`,
          ),
      });
    }
  }
}

/** A place in which real code runs on memory that the explorer watches. */
export class Lab {
  readonly #regions: Region[] = [];
  readonly #fault: Fault;
  #size = 0;
  #threads: readonly VirtualThread[] = [];
  #moments: Moment[] = [];
  /** Who waits on each word, in the order of arrival. */
  #waiting = new Map<number, readonly number[]>();
  /** The thread that runs, or -1: then accesses are made at once. */
  #running = -1;
  /** How many of its results have been given out again. */
  #given = 0;
  #results: number[] = [];
  #past: string[] = [];
  #scenario: Scenario | undefined;
  /** Whether it may make an access for real now. */
  #mayAccess = false;
  #next: Access | undefined;
  /** For each thread and state number: the words that it reads (1) and changes (2). */
  #known: Uint8Array[][] = [];
  /** The steps so far: whose, which access, and its result or, of a wait, what came of it. */
  readonly #trail: (readonly [thread: number, access: Access, result: number | string])[] = [];
  readonly #unread = new Map<string, boolean>();
  readonly #seen = new Set<number>();
  #steps = 0;
  #endings = 0;

  /** @param fault a fault to put in */
  constructor(fault: Fault = {}) {
    this.#fault = fault;
  }

  /**
   * Takes shared memory into the lab.
   *
   * @param name its name, for the report
   * @param memory its memory, or an array over it
   * @param isQuiet which words need no steps of their own: their access is made together with the
   * one before
   */
  share(
    name: string,
    memory: SharedArrayBuffer | Int32Array,
    isQuiet: (index: number) => boolean = () => false,
  ): Int32Array {
    const words = memory instanceof Int32Array ? memory : new Int32Array(memory);
    const region: Region = { name, words, names: [], first: this.#size, isQuiet };
    this.#size += words.length;
    this.#regions.push(region);
    return new Words(region, this) as unknown as Int32Array;
  }

  /**
   * Makes an object of the code under test, whose constructor makes an `Int32Array` over memory.
   *
   * @param name the name of the memory, for the report
   * @param memory the memory
   * @param make makes the object
   * @param isQuiet see {@linkcode Lab.share}
   */
  build<T>(
    name: string,
    memory: SharedArrayBuffer,
    make: (memory: SharedArrayBuffer) => T,
    isQuiet?: (index: number) => boolean,
  ): T {
    const real = globalThis.Int32Array;
    const words = this.share(name, memory, isQuiet);
    globalThis.Int32Array = function () {
      return words;
    } as unknown as typeof Int32Array;
    try {
      return make(memory);
    } finally {
      globalThis.Int32Array = real;
    }
  }

  /**
   * A step that is no access of the code under test: a system call, or a note of what has happened.
   *
   * @param words memory of this lab
   * @param index the word that decides who else this step concerns
   * @param text what it is, for the report
   * @param run makes it on the real memory, and returns its result
   * @param isReady whether it can be made now; otherwise the thread blocks
   */
  call(
    words: Int32Array,
    index: number,
    text: string,
    run: (real: Int32Array) => number,
    isReady?: (real: Int32Array) => boolean,
  ): number {
    const { region } = words as unknown as Words;
    const ready = isReady && (() => isReady(region.words));
    return this.access("call", region, index, () => run(region.words), text, { isReady: ready });
  }

  /** Reads a word without a step, for {@linkcode Scenario.atRest}. */
  peek(words: Int32Array, index: number): number {
    return (words as unknown as Words).region.words[index] as number;
  }

  /** An access of the thread that runs. */
  access(
    kind: Access["kind"],
    region: Region,
    index: number,
    run: () => number,
    text: string,
    more: {
      readonly isReady?: (() => boolean) | undefined;
      readonly expected?: number;
      readonly isLimited?: boolean;
    } = {},
  ): number {
    if (this.#running < 0) return run();
    if (this.#given < this.#results.length) {
      const result = this.#results[this.#given++] as number;
      return Number.isNaN(result) ? POISON : result;
    }
    const access: Access = { kind, region, index, run, text, isReady: undefined, ...more };
    this.#learn(access);
    const isStep = kind === "wait" || more.isReady !== undefined ||
      !(this.#given > 0 && region.isQuiet(index)) && !this.#isAlone(access);
    if (isStep || !this.#mayAccess) {
      this.#next = access;
      throw LEAVE;
    }
    const result = this.#perform(access);
    this.#results.push(result);
    this.#past.push(describe(access));
    this.#given++;
    return Number.isNaN(result) ? POISON : result;
  }

  #perform(access: Access): number {
    const result = access.run();
    this.#steps++;
    this.#trail.push([this.#running, access, result]);
    return this.#isUnread(access) ? UNREAD : result;
  }

  /** Notes that the running thread uses a word in its present state. */
  #learn(access: Access): void {
    const word = access.region.first + access.index;
    const use = changes(access) ? 2 : 1;
    const turn = this.#turn;
    const known = this.#known[this.#running] as Uint8Array[];
    while (known.length <= turn) known.push(new Uint8Array(this.#size));
    if (((known[turn] as Uint8Array)[word] as number) >= use) return;
    // This holds for all earlier states too: from there, too, the thread may come to use it.
    for (let at = 0; at <= turn; at++) {
      const words = known[at] as Uint8Array;
      words[word] = Math.max(words[word] as number, use);
    }
    this.#hasLearnt = true;
  }

  /** Whether no other thread will ever make an access that conflicts with this one. */
  #isAlone(access: Access): boolean {
    const word = access.region.first + access.index;
    const least = changes(access) ? 1 : 2;
    for (let other = 0; other < this.#threads.length; other++) {
      if (other === this.#running) continue;
      const moment = this.#moments[other];
      if (moment === undefined) return false;
      const { next, turn } = moment;
      if (next === undefined) continue;
      const use = this.#known[other]?.[turn]?.[word] ?? 0;
      if (use >= least) return false;
    }
    return true;
  }

  #turn = 0;
  #hasLearnt = false;

  /**
   * Runs a thread up to its next access that others may conflict with.
   *
   * @param thread its number
   * @param from what it was before its last access
   * @param result what that access has returned
   */
  #advance(thread: number, from: Moment, result: number): Moment {
    const { whole } = from;
    let { state, turn } = from;
    let results = [...from.results, result];
    let past = [...from.past, describe(from.next as Access, result)];
    const remembered = results.length - 1;
    for (;;) {
      const returned = this.#run(thread, { state, turn, results, past }, true);
      const isFirst = turn === from.turn;
      if (whole !== undefined && isFirst) {
        this.#compare(thread, from, [...whole, ...results.slice(remembered)], returned);
      }
      if (returned === undefined) break;
      state = returned;
      if (state === ENDED) break;
      turn++;
      results = [];
      past = [];
    }
    this.#running = -1;
    const next = state === ENDED ? undefined : this.#next;
    let all = whole === undefined || turn !== from.turn
      ? undefined
      : [...whole, ...results.slice(remembered)];
    const kept = next && this.#scenario?.forgets?.(describe(next), past);
    if (kept !== undefined && kept < results.length) {
      all ??= results;
      const moment = { state, turn, results: results.slice(0, kept), past: past.slice(0, kept) };
      ({ results, past } = moment);
      this.#compare(thread, { state, turn, next }, all, undefined);
      this.#compare(thread, { state, turn, next }, results, undefined);
    }
    if (state === ENDED) results = [];
    let hash = mix(hashText(JSON.stringify(state)), turn);
    for (const result of results) hash = mix(hash, result);
    return { state, turn, results, past, whole: all, hash, next, asleepOn: -1 };
  }

  /**
   * Runs a thread's function.
   *
   * @returns the next state, or `undefined` if it was left at an access
   */
  #run(
    thread: number,
    { state, turn, results, past }: {
      readonly state: State;
      readonly turn: number;
      readonly results: number[];
      readonly past: string[];
    },
    mayAccess: boolean,
  ): State | undefined {
    this.#running = thread;
    this.#mayAccess = mayAccess;
    this.#turn = turn;
    this.#results = results;
    this.#past = past;
    this.#given = 0;
    this.#next = undefined;
    try {
      return (this.#threads[thread] as VirtualThread).turn(state);
    } catch (thrown) {
      if (thrown !== LEAVE) throw thrown;
      return undefined;
    }
  }

  /** Fails if a thread with another past does not come to the same point. */
  #compare(
    thread: number,
    { state, turn }: Pick<Moment, "state" | "turn" | "next">,
    results: readonly number[],
    returned: State | undefined,
  ): void {
    const expected = this.#next;
    const got = this.#run(thread, { state, turn, results: [...results], past: [] }, false);
    const [mine, other] = [expected, this.#next].map((access) => access && describe(access));
    if (mine !== other || JSON.stringify(got) !== JSON.stringify(returned)) {
      throw new Error(`What is forgotten matters: ${mine} or ${other}`);
    }
    this.#next = expected;
  }

  /** Takes the next step of a thread. */
  #step(thread: number): void {
    const moment = this.#moments[thread] as Moment;
    const access = moment.next as Access;
    const word = access.region.first + access.index;
    this.#running = thread;
    if (access.kind === "wait") {
      const isBlind = this.#fault.waitsBlindly?.(this.#nameOf(access), this.#nameOfRunning());
      const value = access.region.words[access.index];
      this.#steps++;
      if (value !== access.expected && isBlind !== true) {
        this.#trail.push([thread, access, "not equal"]);
        this.#moments[thread] = this.#advance(thread, moment, NOT_EQUAL);
        return;
      }
      this.#trail.push([thread, access, "sleeps"]);
      this.#waiting.set(word, [...this.#waiting.get(word) ?? [], thread]);
      this.#moments[thread] = { ...moment, asleepOn: word, hash: mix(moment.hash, word + 1) };
      this.#running = -1;
      return;
    }
    const result = this.#perform(access);
    this.#moments[thread] = this.#advance(thread, moment, result);
  }

  /** Ends the sleep of a thread. */
  #wake(thread: number, result: number): void {
    const moment = this.#moments[thread] as Moment;
    const word = moment.asleepOn;
    const rest = (this.#waiting.get(word) ?? []).filter((its) => its !== thread);
    if (rest.length > 0) this.#waiting.set(word, rest);
    else this.#waiting.delete(word);
    const running = [
      this.#running,
      this.#given,
      this.#results,
      this.#past,
      this.#next,
      this.#turn,
    ] as const;
    this.#running = thread;
    this.#trail.push([thread, moment.next as Access, WAIT_RESULTS[result] as string]);
    this.#moments[thread] = this.#advance(thread, moment, result);
    [this.#running, this.#given, this.#results, this.#past, this.#next, this.#turn] = running;
  }

  #notify(word: number, count: number): number {
    const woken = (this.#waiting.get(word) ?? []).slice(0, count);
    for (const thread of woken) this.#wake(thread, OK);
    return woken.length;
  }

  #nameOf({ region, index }: Pick<Access, "region" | "index">): string {
    return `${region.name}[${index}]`;
  }

  #nameOfRunning(): string {
    return this.#threads[this.#running]?.name ?? "";
  }

  #isUnread(access: Access): boolean {
    const text = describe(access);
    let isUnread = this.#unread.get(text);
    if (isUnread === undefined) {
      isUnread = this.#scenario?.isUnread?.(text) ?? false;
      this.#unread.set(text, isUnread);
    }
    return isUnread;
  }

  /** The last steps, in words. */
  #told(most = Infinity): string[] {
    return this.#trail.slice(-most).map(([thread, access, result]) =>
      `${this.#threads[thread]?.name}: ${describe(access)} → ${result}`
    );
  }

  /** `Atomics`, for the code under test. */
  get #atomics(): typeof Atomics {
    const real = globalThis.Atomics;
    const update = (
      words: Int32Array,
      index: number,
      text: string,
      change: (old: number) => number,
      // A compare-and-swap that fails changes nothing.
    ): number => {
      const { region } = words as unknown as Words;
      const own = region.words;
      if (
        this.#running >= 0 &&
        this.#fault.splits?.(`${region.name}[${index}]`, this.#nameOfRunning())
      ) {
        const old = this.access(
          "load",
          region,
          index,
          () => own[index] as number,
          `load for ${text}`,
        );
        const value = change(old);
        if (value !== old) {
          this.access("store", region, index, () => own[index] = value, `put ${value} for ${text}`);
        }
        return old;
      }
      return this.access("read-modify-write", region, index, () => {
        const old = own[index] as number;
        own[index] = change(old);
        return old;
      }, text);
    };
    const regionOf = (words: Int32Array) => (words as unknown as Words).region;
    return {
      load: (words: Int32Array, index: number) => {
        const region = regionOf(words);
        return this.access("load", region, index, () => region.words[index] as number, "load");
      },
      store: (words: Int32Array, index: number, value: number) => {
        const region = regionOf(words);
        const run = () => region.words[index] = value;
        return this.access("store", region, index, run, `store ${value}`);
      },
      add: (words: Int32Array, index: number, by: number) =>
        update(words, index, `add ${by}`, (old) => (old + by) | 0),
      sub: (words: Int32Array, index: number, by: number) =>
        update(words, index, `sub ${by}`, (old) => (old - by) | 0),
      and: (words: Int32Array, index: number, by: number) =>
        update(words, index, `and ${by}`, (old) => old & by),
      or: (words: Int32Array, index: number, by: number) =>
        update(words, index, `or ${by}`, (old) => old | by),
      exchange: (words: Int32Array, index: number, by: number) =>
        update(words, index, `exchange ${by}`, () => by),
      compareExchange: (words: Int32Array, index: number, expected: number, by: number) =>
        update(
          words,
          index,
          `compare ${expected}, exchange ${by}`,
          (old) => old === expected ? by : old,
        ),
      wait: (words: Int32Array, index: number, expected: number, timeoutMs = Infinity) => {
        const region = regionOf(words);
        const more = { expected, isLimited: timeoutMs !== Infinity };
        const text = `wait while ${expected}`;
        return WAIT_RESULTS[this.access("wait", region, index, () => OK, text, more)];
      },
      notify: (words: Int32Array, index: number, count = Infinity) => {
        const region = regionOf(words);
        const by = this.#nameOfRunning();
        if (this.#fault.losesNotify?.(`${region.name}[${index}]`, by)) return 0;
        const run = () => this.#notify(region.first + index, count);
        return this.access("notify", region, index, run, "notify");
      },
      isLockFree: real.isLockFree,
    } as unknown as typeof Atomics;
  }

  /**
   * Explores a scenario.
   *
   * @param scenario what to explore
   * @param options how many states there may be, and which orders are tried
   * @throws {Counterexample} if something goes wrong in some order of steps
   */
  explore(
    scenario: Scenario,
    { most = 5_000_000, switches = Infinity }: ExploreOptions = {},
  ): Explored {
    this.#scenario = scenario;
    this.#threads = scenario.threads;
    this.#known = scenario.threads.map(() => []);
    const real = globalThis.Atomics;
    const begin = this.#regions.map(({ words }) => words.slice());
    globalThis.Atomics = this.#atomics;
    try {
      for (;;) {
        this.#regions.forEach(({ words }, index) => words.set(begin[index] as Int32Array));
        this.#waiting = new Map();
        this.#seen.clear();
        this.#trail.length = 0;
        this.#steps = 0;
        this.#endings = 0;
        this.#hasLearnt = false;
        this.#search(scenario, most, switches);
        if (this.#hasLearnt) continue;
        return { states: this.#seen.size, steps: this.#steps, endings: this.#endings };
      }
    } finally {
      this.#running = -1;
      globalThis.Atomics = real;
    }
  }

  #search(scenario: Scenario, most: number, switches: number): void {
    this.#moments = [];
    this.#guard(() => {
      this.#moments = this.#threads.map(({ start }, thread) => this.#look(thread, start));
    });
    this.#visit(scenario, most, switches, -1);
  }

  /** Runs a thread up to its very first access. */
  #look(thread: number, state: State): Moment {
    const returned = this.#run(thread, { state, turn: 0, results: [], past: [] }, false);
    if (returned !== undefined) {
      throw new Error("A thread's first function must access shared memory");
    }
    this.#running = -1;
    const hash = mix(hashText(JSON.stringify(state)), 0);
    return {
      state,
      turn: 0,
      results: [],
      past: [],
      whole: undefined,
      hash,
      next: this.#next,
      asleepOn: -1,
    };
  }

  #guard(body: () => void): void {
    try {
      body();
    } catch (thrown) {
      if (thrown instanceof Counterexample) throw thrown;
      throw new Counterexample(thrown, this.#told());
    }
  }

  /**
   * Explores all that can follow.
   *
   * @param left how often a thread may still lose its turn
   * @param last the thread that has taken the last step
   */
  #visit(scenario: Scenario, most: number, left: number, last: number): void {
    const key = this.#key(left === Infinity ? 0 : left * 64 + last);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (this.#seen.size > most) throw new Error(`There are more than ${most} states`);
    if (this.#trail.length > LONGEST) {
      throw new Counterexample("this may go on for ever", this.#told(LONGEST / 4));
    }
    const choices = this.#choices();
    if (choices.length === 0) {
      this.#endings++;
      const asleep = this.#threads.filter((_, thread) => this.#moments[thread]?.next !== undefined);
      this.#guard(() => scenario.atRest(asleep.map(({ name }) => name)));
      return;
    }
    const memory = this.#regions.map(({ words }) => words.slice());
    const moments = this.#moments;
    const waiting = this.#waiting;
    const length = this.#trail.length;
    const couldGoOn = choices.some(([thread, timesOut]) => thread === last && !timesOut);
    for (const [thread, timesOut] of choices) {
      const cost = couldGoOn && thread !== last ? 1 : 0;
      if (cost > left) continue;
      this.#moments = [...moments];
      this.#waiting = new Map(waiting);
      this.#guard(() => timesOut ? this.#wake(thread, TIMED_OUT) : this.#step(thread));
      this.#visit(scenario, most, left - cost, thread);
      this.#regions.forEach(({ words }, index) => words.set(memory[index] as Int32Array));
      this.#trail.length = length;
    }
    this.#moments = moments;
    this.#waiting = waiting;
  }

  /** The steps that can be taken: which thread, and whether the time limit of its sleep passes. */
  #choices(): (readonly [thread: number, timesOut: boolean])[] {
    const choices: (readonly [number, boolean])[] = [];
    for (let thread = 0; thread < this.#threads.length; thread++) {
      const { next, asleepOn } = this.#moments[thread] as Moment;
      if (next === undefined) continue;
      if (asleepOn >= 0) {
        if (next.isLimited) choices.push([thread, true]);
      } else if (next.isReady === undefined || next.isReady()) {
        // A step that concerns nobody else comes first, and alone.
        if (next.isReady === undefined && next.kind !== "wait" && this.#concernsNobody(thread)) {
          return [[thread, false]];
        }
        choices.push([thread, false]);
      }
    }
    return choices;
  }

  #concernsNobody(thread: number): boolean {
    this.#running = thread;
    const isAlone = this.#isAlone((this.#moments[thread] as Moment).next as Access);
    this.#running = -1;
    return isAlone;
  }

  #key(more: number): number {
    let low = 0x1234_5678 ^ more;
    let high = 0x0bad_cafe;
    for (const { words } of this.#regions) {
      for (let index = 0; index < words.length; index++) {
        const word = words[index] as number;
        low = mix(low, word);
        high = mix(high, word ^ 0x5555_5555);
      }
    }
    for (const { hash } of this.#moments) {
      low = mix(low, hash);
      high = mix(high, hash ^ 0x5555_5555);
    }
    for (const [word, threads] of [...this.#waiting].sort(([a], [b]) => a - b)) {
      for (const thread of threads) {
        low = mix(low, word * 64 + thread);
        high = mix(high, word * 64 + thread);
      }
    }
    return (high & 0x1f_ffff) * 2 ** 32 + (low >>> 0);
  }
}
