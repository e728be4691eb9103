/**
 * What happens to a server between two looks at it: honest clients by the thousand, honest clients
 * through faults, conversations of the definition in all framings, attacks, and clients that are torn
 * away. All of them come at the same time, and all of them are gone at the end.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { Address } from "../../protocols/effects.ts";
import type { Conformance } from "../../protocols/conformance.ts";
import { endure } from "../conform/abuse.ts";
import { type Attack, ATTACKS } from "../conform/attacks.ts";
import { type Caller, callerOf } from "../conform/caller.ts";
import { type Case, casesOf, honestTurns } from "../conform/cases.ts";
import { asMoves } from "../conform/framing.ts";
import { play } from "../conform/play.ts";
import type { Stage, Target } from "../conform/stage.ts";
import { type Faults, startFaults } from "../faults/proxy.ts";
import { parseToxics } from "../faults/toxic.ts";
import { runOnRuntime } from "../load/event_engine.ts";
import { loadLoadProtocol, type LoadProtocol } from "../load/load_protocol.ts";
import { clip } from "../report/screen.ts";
import { NO_PAUSES } from "../load/load_loop.ts";
import { makePlan, type PlanOptions, type Share, shareOut } from "../load/plan.ts";
import { Random } from "../load/random.ts";

/** What there can be besides the honest clients of the load. */
export const KINDS = ["cases", "abuse", "faults", "restarts"] as const;

/** One of them. */
export type Kind = typeof KINDS[number];

/** What the traffic must know. */
export interface TrafficOptions {
  readonly target: Target;
  /** What `makePlan` knows the protocol by. */
  readonly protocol: string;
  readonly conformance: Conformance;
  /** How many clients the server serves at once, as far as that was tried. */
  readonly clientsAtOnce: number;
  /** How long an honest client waits, in milliseconds. */
  readonly timeoutMs: number;
  readonly seed: number;
  /** What there is besides honest clients. */
  readonly kinds: readonly Kind[];
  /** Ends everything early. */
  readonly signal: AbortSignal;
}

/** How much traffic there is until the next look. */
export interface Amount {
  /** How long it goes on, in milliseconds. */
  readonly ms?: number;
  /** How many honest requests there are at least. */
  readonly requests?: number;
  /** Whether clients attack and are torn away, if any do at all. @default {false} */
  readonly attacks?: boolean;
}

/** A load of honest clients. */
interface HonestLoad extends PlanOptions {
  /** Its name, for people. */
  readonly name: string;
  readonly connections: number;
  /** Whether each request has a connection of its own. */
  readonly connect: boolean;
}

/** How often to look whether the time is over, in milliseconds. */
const LOOK_MS = 20;

/** How many connections bring one request each, and how many stay. */
const CONNECTING = 8;
const STAYING = 8;

/** How many come through faults. */
const THROUGH = 4;

/** How long a client waits before its next request, in milliseconds: others want to run too. */
const THINK_MS = 1;

/** How long a share takes about that comes after all requests that were asked for. */
const MORE_MS = 200;

/** How many requests the first share of a load has, and how many a share has at most. */
const FIRST_SHARE = 100;
const MOST_SHARE = 20_000;

/** How many bytes a request has. */
const SIZES = [1, 4096] as const;
const SIZES_THROUGH = [1, 64] as const;

/** What cuts and delays, and does no harm. */
const HARMLESS = "slicer:1..7 latency:3ms±2ms";

/** What tears clients away from the server. Each of them must be borne. */
const TEARING: readonly string[] = [
  "up:reset:1B",
  "up:reset:5B",
  "down:reset:1B",
  "down:reset:2ms",
  "reset",
  "up:limit:3B",
  "down:limit:1B",
  "vanish:4B",
  "slicer:1..2 up:reset:7B",
];

/** How many clients come through such a way, and how long each waits for its end, in milliseconds. */
const TORN_CLIENTS = 4;
const TORN_MS = 200;

/** How much is shown of what was said in a case that failed, in characters. */
const SHOWN = 60;

/** How many failures are enough to know that the server fails. */
const ENOUGH_FAILURES = 100;

/** The attacks that leave room for others. Whoever takes all the room there is must be expected to. */
const BEARABLE: readonly Attack[] = ATTACKS.filter(({ name }) =>
  name !== "more connections than descriptors"
);

/** How much garbage a client sends at most, in bytes. */
const GARBAGE_BYTES = 2_048;

/** Random bytes, with FIN or RST behind them. */
function garbage(random: Random): Attack {
  return {
    name: "garbage",
    connections: 1,
    begin: async (field) => {
      let count = 0;
      for (; count < 50 && !field.isEnough; count++) {
        const talk = await field.open({ forgets: true });
        if (talk === undefined) continue;
        const bytes = random.bytes(random.between(1, GARBAGE_BYTES)).slice();
        await Promise.race([talk.send([bytes]), delay(100)]);
        await talk.inbox.change(5);
        field.drop(talk, random.next() % 2 === 0 ? "FIN" : "RST");
      }
      return `${count} connections`;
    },
  };
}

/** The traffic to one server. It counts what it does. */
export class Traffic implements AsyncDisposable {
  /** How many honest requests of the load were answered. */
  requests = 0;
  requestsThroughFaults = 0;
  cases = 0;
  torn = 0;
  readonly attacks: Record<string, number> = {};
  /** Honest requests that failed, by kind, and the first of each kind in words. */
  readonly failed: Record<string, number> = {};
  readonly words: Record<string, string> = {};
  readonly #options: TrafficOptions;
  readonly #protocol: LoadProtocol;
  readonly #caller: Caller;
  readonly #random: Random;
  readonly #cases: Case[] = [];
  readonly #attacks: Attack[] = [];
  /** How often the present process of the server has borne each attack. */
  readonly #borne = new Map<string, number>();
  #faults: Faults | undefined;
  #connections = 0;
  /** How many requests of each load take about as long as there is until the next look. */
  readonly #shares = new Map<string, number>();
  #shareNumber = 0;

  private constructor(options: TrafficOptions, protocol: LoadProtocol) {
    this.#options = options;
    this.#protocol = protocol;
    this.#random = new Random(options.seed, GARBAGE_BYTES);
    const caller = callerOf(options.target.address);
    this.#caller = {
      ...caller,
      get most() {
        return caller.most;
      },
      call: (how) => {
        this.#connections++;
        return caller.call(how);
      },
      [Symbol.dispose]: () => caller[Symbol.dispose](),
    };
  }

  /**
   * Makes traffic possible; there is none yet.
   *
   * @param options where to, and what
   */
  static async open(options: TrafficOptions): Promise<Traffic> {
    const traffic = new Traffic(options, await loadLoadProtocol(options.protocol));
    if (options.kinds.includes("faults")) {
      traffic.#faults = await startFaults({
        upstream: options.target.address,
        toxics: parseToxics(HARMLESS),
        seed: options.seed,
      });
    }
    return traffic;
  }

  /** How many connections there were. */
  get connections(): number {
    return this.#connections;
  }

  /** How often the present process of the server has borne each attack, at least. */
  get roundsBorne(): number {
    const isComplete = this.#borne.size === this.attackKinds && this.attackKinds > 0;
    return isComplete ? Math.min(...this.#borne.values()) : 0;
  }

  /** From now on another process serves. */
  onRestart(): void {
    this.#borne.clear();
    // All attacks are made before one is made again.
    this.#attacks.length = 0;
  }

  /** How many kinds of attack there are. */
  get attackKinds(): number {
    return this.#has("abuse") ? BEARABLE.length + 1 : 0;
  }

  /** How many honest requests have failed. */
  get failures(): number {
    return Object.values(this.failed).reduce((sum, count) => sum + count, 0);
  }

  /** Whether so much has failed that more would tell nothing new. */
  get hasFailedEnough(): boolean {
    return this.failures >= ENOUGH_FAILURES;
  }

  /**
   * Makes traffic, and ends it.
   *
   * @param amount how much
   * @param event what happens to the server meanwhile; the traffic goes on until it is over
   */
  async go(
    { ms, requests, attacks = false }: Amount,
    event: () => Promise<void> = async () => {},
  ): Promise<void> {
    const until = ms === undefined ? Infinity : performance.now() + ms;
    const over = new AbortController();
    const isOver = () => over.signal.aborted || this.#isEnded;
    const loads = this.#loads();
    /** Whether the time is over, or all requests that were asked for are. */
    let isMet = false;
    const asked = loads.map((load) => () =>
      requests === undefined
        ? Promise.resolve(0)
        : this.#load(load, { requests: Math.ceil(requests / loads.length) })
    );
    const met = async () => {
      try {
        await Promise.all(asked.map((load) => load()));
        while (requests === undefined && performance.now() < until && !this.#isEnded) {
          await delay(Math.min(LOOK_MS, Math.max(1, until - performance.now())));
        }
      } finally {
        isMet = true;
      }
    };
    const attack = async () => {
      if (!attacks || !this.#has("abuse")) return;
      do {
        await Promise.all(Array.from({ length: this.#attacksAtOnce }, () => this.#attack()));
      } while (!isMet && !this.#isEnded);
    };
    const again = async (action: () => Promise<unknown>) => {
      while (!isOver()) await action();
    };
    const meeting = met();
    const lasting = Promise.all([meeting, attack(), event()]).finally(() => over.abort());
    const parts = [
      lasting,
      // Attacks and restarts are to meet honest clients, even if there were enough of them.
      ...loads.map(async (load) => {
        if (requests !== undefined) await meeting;
        await delay(0);
        await again(() => this.#load(load, { ms: ms ?? MORE_MS }));
      }),
      ...(this.#has("cases") ? [again(() => this.#playCase())] : []),
      ...(this.#faults === undefined ? [] : [
        again(() => this.#comeThrough()),
        ...(attacks ? [again(() => this.#tear())] : []),
      ]),
    ];
    const ends = await Promise.allSettled(parts);
    const broken = ends.find((end) => end.status === "rejected");
    if (broken !== undefined && !this.#isEnded) throw broken.reason;
  }

  /** The loads that come straight to the server. */
  #loads(): HonestLoad[] {
    const shared = { size: SIZES, think: THINK_MS };
    const connecting = { ...shared, name: "connecting", connect: true, connections: CONNECTING };
    const staying = this.#staying;
    if (staying === 0) return [connecting];
    return [connecting, { ...shared, name: "staying", connect: false, connections: staying }];
  }

  #has(kind: Kind): boolean {
    return this.#options.kinds.includes(kind);
  }

  get #isEnded(): boolean {
    return this.#options.signal.aborted || this.hasFailedEnough;
  }

  /** How many honest connections stay: the others must find room too. */
  get #staying(): number {
    if (this.#protocol.connects === true) return 0;
    return Math.min(STAYING, this.#options.clientsAtOnce >> 1);
  }

  /** How many attacks there are at a time. */
  get #attacksAtOnce(): number {
    const { clientsAtOnce } = this.#options;
    return clientsAtOnce >= 2 * STAYING ? 4 : clientsAtOnce > 1 ? 2 : 1;
  }

  get #stage(): Stage {
    const { target, conformance, timeoutMs, clientsAtOnce, signal } = this.#options;
    return {
      target,
      caller: this.#caller,
      conformance,
      timeoutMs,
      signal,
      clientsAtOnce: Math.max(1, clientsAtOnce - this.#staying),
    };
  }

  #fail(kind: string, word: string, count = 1): void {
    if (count === 0) return;
    this.failed[kind] = (this.failed[kind] ?? 0) + count;
    if (word !== "") this.words[kind] ??= word;
  }

  /**
   * A share of a load: it is over when each of its requests was answered or has failed.
   *
   * @param load the load
   * @param amount how much; a time is met only about
   * @param address where to
   * @returns how many requests were answered
   */
  async #load(
    { name, ...load }: HonestLoad,
    { ms = 0, requests }: Amount,
    address: Address = this.#options.target.address,
  ): Promise<number> {
    const { protocol, timeoutMs, signal, seed } = this.#options;
    const count = requests ?? this.#shares.get(name) ?? FIRST_SHARE;
    const connections = Math.min(load.connections, count);
    const plan = await makePlan({
      ...load,
      protocol,
      connections,
      requests: count,
      timeout: timeoutMs,
      threads: 1,
      // They are in this thread, because another one takes longer to start than a share takes.
      engine: "runtime",
      seed: (seed + ++this.#shareNumber) & 0x7fff_ffff,
    });
    using caller = callerOf(address);
    // All are on one loop with the attackers: two loops in a thread would wait for each other.
    const open = async (over: AbortSignal) => {
      const connection = await caller.call({ withinMs: timeoutMs });
      if (!over.aborted) return connection;
      connection.close();
      throw over.reason;
    };
    const [share] = shareOut(plan, address) as [Share];
    const beganAt = performance.now();
    let answered = 0;
    let errors = 0;
    const { tally: { words } } = await runOnRuntime(
      share,
      this.#protocol,
      (second) => {
        answered += second.requests;
        for (const [kind, failed] of Object.entries(second.errors)) {
          errors += failed;
          this.#fail(kind, "", failed);
        }
      },
      () => signal.aborted || errors >= ENOUGH_FAILURES,
      NO_PAUSES,
      (_, over) => open(over),
    );
    for (const [kind, word] of Object.entries(words)) this.words[kind] ||= `${name}: ${word}`;
    this.requests += answered;
    this.#connections += plan.connect ? answered + errors : connections;
    if (ms > 0) {
      const fitting = Math.round(count * ms / Math.max(1, performance.now() - beganAt));
      this.#shares.set(name, Math.max(connections, Math.min(MOST_SHARE, fitting)));
    }
    return answered;
  }

  /** Honest requests through a network that cuts and delays. */
  async #comeThrough(): Promise<void> {
    const load: HonestLoad = {
      name: "through faults",
      connections: THROUGH,
      size: SIZES_THROUGH,
      // Where clients wait for each other, nobody stays who is slow.
      connect: this.#options.clientsAtOnce < 4 * STAYING,
    };
    const { address } = this.#faults as Faults;
    this.requestsThroughFaults += await this.#load(load, { ms: 500 }, address);
  }

  /** The next case of the definition. Each comes once before one comes again. */
  async #playCase(): Promise<void> {
    if (this.#cases.length === 0) {
      this.#cases.push(...this.#shuffled(casesOf(this.#options.conformance)));
    }
    const next = this.#cases.pop() as Case;
    const { verdict, remark, sent, expected, received } = await next.run(this.#stage);
    if (this.#options.signal.aborted) return;
    if (verdict === "failed") {
      const [asked, wanted, came] = [sent, expected, received].map((text) =>
        clip(`${text}`, SHOWN)
      );
      this.#fail(next.name, `${remark}: sent ${asked}, expected ${wanted}, received ${came}`);
    } else if (verdict !== "skipped") this.cases++;
  }

  /** The next attack. */
  async #attack(): Promise<void> {
    if (this.#attacks.length === 0) {
      this.#attacks.push(...this.#shuffled([...BEARABLE, garbage(this.#random)]));
    }
    const next = this.#attacks.pop() as Attack;
    const { verdict, remark } = await endure(this.#stage, next);
    if (this.#options.signal.aborted) return;
    if (verdict === "failed") this.#fail(`under attack by ${next.name}`, remark ?? verdict);
    this.#borne.set(next.name, (this.#borne.get(next.name) ?? 0) + 1);
    if (verdict !== "skipped") this.attacks[next.name] = (this.attacks[next.name] ?? 0) + 1;
  }

  /** Some clients whose way to the server breaks. What becomes of them says nothing about it. */
  async #tear(): Promise<void> {
    const { target, conformance } = this.#options;
    const toxics = TEARING[this.#random.next() % TEARING.length] as string;
    const seed = this.#random.next() & 0x7fff_ffff;
    const upstream = target.address;
    await using faults = await startFaults({ upstream, toxics: parseToxics(toxics), seed });
    using caller = callerOf(faults.address);
    const stage = { ...this.#stage, caller, target: { ...target, output: undefined } };
    const moves = asMoves(honestTurns(conformance));
    const how = { timeoutMs: TORN_MS, limitMs: 2 * TORN_MS };
    await Promise.all(Array.from({ length: TORN_CLIENTS }, () => play(stage, moves, how)));
    this.torn += faults.counts.accepted;
    this.#connections += faults.counts.accepted;
  }

  #shuffled<T>(list: T[]): T[] {
    for (let last = list.length - 1; last > 0; last--) {
      const other = this.#random.between(0, last);
      [list[last], list[other]] = [list[other] as T, list[last] as T];
    }
    return list;
  }

  /** Ends the proxy. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#faults?.close();
    this.#caller[Symbol.dispose]();
  }
}
