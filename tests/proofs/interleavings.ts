/**
 * In every order in which its threads can take turns, a server loses, doubles and leaks no
 * descriptor, cuts nobody who is not meant, and leaves nobody asleep while there is work.
 *
 * What is explored are the ring, the slots and the gate themselves: see `tests/kit/interleavings.ts`.
 * The threads below use them as `thread.ts` and `descriptor_server.ts` do. Only the kernel is a
 * model: a table of descriptors, where the lowest free number is given away first.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { DescriptorRing } from "../../engine/server/descriptors/descriptor_ring.ts";
import { Waking } from "../../engine/server/descriptors/waking.ts";
import { DescriptorSlot, SLOT_WORDS } from "../../engine/server/team/descriptor_slot.ts";
import { createTeamMemory, Gate } from "../../engine/server/team/team_memory.ts";
import type { Sockets } from "../../engine/net/sockets.ts";
import { assert, assertEquals } from "../kit/harness.ts";
import {
  Counterexample,
  ENDED,
  type Explored,
  type ExploreOptions,
  type Fault,
  Lab,
  type Scenario,
  type VirtualThread,
} from "../kit/interleavings.ts";
import { prove } from "../kit/proof.ts";

/** How many descriptors the kernel has, besides number 0. */
const DESCRIPTORS = 6;

/** In a descriptor's word: the connection's number, and whether it was shut down. */
const SHUT = 0x100;

/** A stranger's descriptor: no connection of the server. */
const STRANGER = 0xff;

/** The descriptors of a process, and what has happened to its connections. */
class Kernel {
  readonly #lab: Lab;
  /** Word 0 counts the connections; then one word for each descriptor; then one for each fate. */
  readonly words: Int32Array;

  constructor(lab: Lab) {
    this.#lab = lab;
    this.words = lab.share("kernel", new Int32Array(32));
  }

  /** Accepts the next connection. */
  accept(): number {
    return this.#call("accept", (words) => this.#open(words, (words[0] as number) += 1));
  }

  /** Opens a descriptor that has nothing to do with the server. */
  openStranger(): number {
    return this.#call("open", (words) => this.#open(words, STRANGER));
  }

  #open(words: Int32Array, what: number): number {
    let fd = 1;
    while (words[fd] !== 0) fd++;
    assert(fd <= DESCRIPTORS, "there are descriptors left");
    words[fd] = what;
    return fd;
  }

  /** Waits until bytes come. @param talks whether they do; otherwise only a cut ends this */
  receive(fd: number, talks: boolean): void {
    this.#call(`recv ${fd}`, (words) => words[fd] as number, (words) => {
      return talks || (words[fd] as number) >= SHUT || words[fd] === 0;
    });
  }

  close(fd: number, isStranger = false): void {
    this.#call(`close ${fd}`, (words) => {
      const what = (words[fd] as number) & ~SHUT;
      assert(what !== 0, `descriptor ${fd} is closed twice`);
      assertEquals(what === STRANGER, isStranger, `somebody else's descriptor ${fd} is closed`);
      words[fd] = 0;
      if (!isStranger) this.#note(words, what);
      return 0;
    });
  }

  shutdown(fd: number): number {
    return this.#call(`shutdown ${fd}`, (words) => {
      assert(words[fd] !== 0, `descriptor ${fd} is shut down after its close`);
      assert(words[fd] !== STRANGER, `a stranger with descriptor ${fd} is cut`);
      words[fd] = (words[fd] as number) | SHUT;
      return 0;
    });
  }

  #note(words: Int32Array, connection: number): void {
    const at = DESCRIPTORS + connection;
    words[at] = (words[at] as number) + 1;
  }

  /**
   * Fails unless every connection that was accepted was closed once, and nothing is open.
   *
   * @param isOpen how many descriptors may be open
   * @param unclosed how many connections were left open on purpose
   */
  check(isOpen = 0, unclosed = 0): void {
    const peek = (index: number) => this.#lab.peek(this.words, index);
    let closed = 0;
    for (let connection = 1; connection <= peek(0); connection++) {
      const count = peek(DESCRIPTORS + connection);
      assert(count <= 1, `connection ${connection} is closed once`);
      closed += count;
    }
    assertEquals(closed, peek(0) - unclosed, "connections are closed");
    let open = 0;
    for (let fd = 1; fd <= DESCRIPTORS; fd++) if (peek(fd) !== 0) open++;
    assertEquals(open, isOpen, "descriptors are open at the end");
  }

  /** The part of the Berkeley calls that slots use. */
  get sockets(): Sockets {
    const calls = {
      constants: { SHUT_RDWR: 2 },
      shutdown: (fd: number) => this.shutdown(fd),
      close: (fd: number) => this.close(fd),
    };
    return calls as unknown as Sockets;
  }

  #call(
    text: string,
    run: (words: Int32Array) => number,
    isReady?: (words: Int32Array) => boolean,
  ): number {
    return this.#lab.call(this.words, 0, text, run, isReady);
  }
}

/** An address whose bytes depend on the descriptor. */
function sockaddrOf(fd: number): Uint8Array {
  return Uint8Array.from({ length: SOCKADDR_SIZE }, (_, index) => fd * 31 + index);
}

/** How large a case is. */
interface Size {
  readonly connections: number;
  readonly workers: number;
  readonly capacity: number;
}

/** What all cases of a server have. */
class Bench {
  readonly lab: Lab;
  readonly kernel: Kernel;
  readonly ring: DescriptorRing;
  readonly gate: Gate;
  readonly slots: readonly DescriptorSlot[];
  /** A word for the acceptor: whether it may be in accept(2). */
  readonly accepting: Int32Array;

  constructor({ connections, workers, capacity }: Size, fault?: Fault) {
    const lab = this.lab = new Lab(fault);
    this.kernel = new Kernel(lab);
    const { memory } = DescriptorRing.create(capacity, workers);
    const entries = 16 + 1 + workers;
    const stamps = entries + 8 * 2 ** Math.ceil(Math.log2(capacity));
    // The words of an entry behind its second are read and written together with that one, and so is
    // its stamp.
    const isQuiet = (index: number) =>
      index >= stamps || index >= entries && (index - entries) % 8 > 1;
    this.ring = lab.build("ring", memory, (memory) => new DescriptorRing(memory), isQuiet);
    const { gate } = createTeamMemory(1);
    new Gate(gate).limit(connections, Infinity);
    this.gate = lab.build("gate", gate, (memory) => new Gate(memory));
    this.accepting = lab.share("accepting", new Int32Array(1).fill(1));
    this.slots = Array.from({ length: workers }, (_, index) =>
      new DescriptorSlot(
        lab.share(`slot ${index}`, new Int32Array(new SharedArrayBuffer(SLOT_WORDS * 4))),
      ));
  }

  /** Accepts connections and hands them over, as `Thread.handOver` does. */
  acceptor(connections: number): VirtualThread {
    const { ring, gate, kernel } = this;
    const isOver = () => gate.closing;
    // With so many processors it wakes a thread for each connection, and asks no clock.
    const waking = new Waking({ ring, gate, cores: 64, elastic: false, askForThreads() {} });
    return {
      name: "acceptor",
      start: ["accept", 0],
      turn: (state) => {
        const [at, count] = state as [string, number];
        switch (at) {
          case "accept":
            if (count === connections || isOver()) return ["stop"];
            return ["put", count + 1, kernel.accept()];
          case "put": {
            const fd = (state as [string, number, number])[2];
            assert(ring.tryPut(fd, sockaddrOf(fd)), "there is room");
            return ["wake", count];
          }
          case "wake":
            waking.queued();
            return ring.length < ring.capacity ? ["accept", count] : ["wake all", count];
          case "wake all":
            waking.wakeAll();
            return ["wait", count];
          case "wait":
            ring.waitForRoom(isOver);
            return ["accept", count];
          default:
            this.lab.call(this.accepting, 0, "accepts no more", (words) => words[0] = 0);
            return ENDED;
        }
      },
    };
  }

  /**
   * Takes connections and serves them, as `Thread.serve` does.
   *
   * @param index its number
   * @param talks whether its clients talk; otherwise it waits for them until it is cut
   * @param idleMs how long it waits for a connection
   */
  worker(index: number, talks = true, idleMs = Infinity): VirtualThread {
    const { ring, gate, kernel } = this;
    const slot = this.slots[index] as DescriptorSlot;
    return {
      name: `worker ${index}`,
      start: ["take"],
      turn: (state) => {
        const [at, fd = -1] = state as [string, number?];
        switch (at) {
          case "take": {
            const sockaddr = new Uint8Array(SOCKADDR_SIZE);
            const taken = ring.take(sockaddr, index, idleMs);
            if (taken < 0) return ENDED;
            assertEquals(sockaddr, sockaddrOf(taken), "a connection has its own address");
            return ["own", taken];
          }
          case "own":
            slot.own(fd);
            return ["serve", fd];
          case "serve":
            if (!gate.cutting) kernel.receive(fd, talks);
            return ["release", fd];
          case "release": {
            const released = slot.release();
            return released < 0 ? ["take"] : ["close", released];
          }
          default:
            kernel.close(fd);
            return ["take"];
        }
      },
    };
  }

  /** Puts descriptors into the queue as they come, and closes it. */
  producer(count: number): VirtualThread {
    const { ring, gate } = this;
    const waking = new Waking({ ring, gate, cores: 64, elastic: false, askForThreads() {} });
    return {
      name: "acceptor",
      start: ["put", 1],
      turn: (state) => {
        const [at, fd] = state as [string, number];
        switch (at) {
          case "put":
            if (fd > count) {
              ring.close();
              return ENDED;
            }
            ring.waitForRoom(() => false);
            assert(ring.tryPut(fd, sockaddrOf(fd)), "there is room");
            return ["wake", fd];
          default:
            waking.queued();
            return ["put", fd + 1];
        }
      },
    };
  }

  /** Takes descriptors out of the queue until it is closed. */
  taker(index: number, taken: Int32Array): VirtualThread {
    const { ring, lab } = this;
    return {
      name: `worker ${index}`,
      start: "take",
      turn: () => {
        const sockaddr = new Uint8Array(SOCKADDR_SIZE);
        const fd = ring.take(sockaddr, index);
        if (fd < 0) return ENDED;
        assertEquals(sockaddr, sockaddrOf(fd), "a connection has its own address");
        lab.call(taken, fd, "serve", (words) => words[fd] = (words[fd] as number) + 1);
        return "take";
      },
    };
  }

  /** Closes the server, as `DescriptorServer` does. @param cuts whether it cuts what is left */
  closer(cuts: boolean): VirtualThread {
    const { ring, gate, kernel, lab, slots } = this;
    return {
      name: "main",
      start: ["close"],
      turn: (state) => {
        const [at, index = 0] = state as [string, number?];
        switch (at) {
          case "close":
            gate.close();
            return ["wake"];
          case "wake":
            ring.wakeProducer();
            return ["look"];
          case "look":
            lab.call(this.accepting, 0, "looks", () => 0, (words) => words[0] === 0);
            return cuts ? ["drop"] : ["end"];
          case "drop": {
            const fd = ring.tryTake(new Uint8Array(SOCKADDR_SIZE));
            return fd < 0 ? ["end"] : ["dropped", fd];
          }
          case "dropped":
            kernel.close(index);
            return ["drop"];
          case "end":
            ring.close();
            return cuts ? ["cut"] : ENDED;
          case "cut":
            gate.cut();
            return ["cut slot", 0];
          default:
            if (index === slots.length) return ENDED;
            (slots[index] as DescriptorSlot).cut(kernel.sockets);
            return ["cut slot", index + 1];
        }
      },
    };
  }
}

/** Where the loops of the ring and the gate begin anew: see {@linkcode Scenario.forgets}. */
function forgets(next: string, past: readonly string[]): number | undefined {
  const last = past.at(-1) ?? "";
  // `take`, unless its time has passed; `waitForRoom`; `enter`; and `close`, which wakes all.
  if (next === "ring[2] load" && last.startsWith("ring[5] sub")) {
    return past.some((access) => access.endsWith("timed-out")) ? undefined : 0;
  }
  if (next === "gate[0] load" && last.startsWith("ring[6] sub")) return 0;
  if (next === "gate[6] load" && last !== "") return 0;
  if (next === "ring[16] load" && past[0] === "ring[2] store 1" && last !== past[0]) return 1;
  return undefined;
}

/**
 * Results that the ring and the gate do not read: those of counting, of setting a bit, of waking and
 * of storing.
 */
function isUnread(access: string): boolean {
  return /^ring\[(5|6|7)\] (add|sub)|^ring\[\d+\] (or|notify|store|write)|^gate\[\d\] (notify|store|add)|^slot \d\[\d\] (store|notify)/
    .test(access);
}

/** The size of a case without a queue. */
const SLOT_SIZE: Size = { connections: 2, workers: 1, capacity: 1 };

/** A case: its name, and how it is explored. */
export interface Case {
  readonly name: string;
  /** @param fault a fault to put in @param options how many orders are tried */
  explore(fault?: Fault, options?: ExploreOptions): Explored;
}

/** What is left of a scenario: its own threads, and what must hold at its end. */
type Plan = Pick<Scenario, "threads" | "atRest">;

function caseOf(name: string, size: Size, plan: (bench: Bench) => Plan): Case {
  return {
    name,
    explore(fault, options) {
      const bench = new Bench(size, fault);
      return bench.lab.explore({ ...plan(bench), forgets, isUnread }, options);
    },
  };
}

/** Connections go through the queue to workers that sleep, and then the queue is closed. */
function queue(size: Size): Case {
  const { connections, workers, capacity } = size;
  const name = `queue: ${connections} connections, ${workers} workers, room for ${capacity}`;
  return caseOf(name, size, (bench) => {
    const taken = bench.lab.share("taken", new Int32Array(8));
    return {
      threads: [bench.producer(connections), ...bench.slots.map((_, at) => bench.taker(at, taken))],
      atRest(asleep) {
        assertEquals(asleep, [], "threads sleep for ever");
        for (let fd = 1; fd <= connections; fd++) {
          assertEquals(bench.lab.peek(taken, fd), 1, `descriptor ${fd} is taken once`);
        }
      },
    };
  });
}

/** A server that serves its connections and closes; with `cuts` its clients do not talk. */
function server(size: Size, cuts: boolean): Case {
  const { connections, workers, capacity } = size;
  const sizes = `${connections} connections, ${workers} workers, room for ${capacity}`;
  return caseOf(`server: ${sizes}, ${cuts ? "cut" : "closed"}`, size, (bench) => ({
    threads: [
      bench.acceptor(connections),
      ...bench.slots.map((_, index) => bench.worker(index, !cuts)),
      bench.closer(cuts),
    ],
    atRest(asleep) {
      assertEquals(asleep, [], "threads sleep for ever");
      bench.kernel.check();
    },
  }));
}

/** One thread serves two connections, while another cuts and a stranger opens descriptors. */
const SLOT = caseOf("slot: an owner, a cutter and a stranger", SLOT_SIZE, ({ kernel, slots }) => {
  const [slot] = slots as [DescriptorSlot];
  return {
    threads: [owner(kernel, slot), {
      name: "main",
      start: 0,
      turn(count) {
        slot.cut(kernel.sockets);
        return count === 1 ? ENDED : 1;
      },
    }, {
      name: "stranger",
      start: 0,
      turn(fd) {
        if (fd === 0) return kernel.openStranger();
        kernel.close(fd as number, true);
        return ENDED;
      },
    }],
    atRest(asleep) {
      assertEquals(asleep, [], "threads sleep for ever");
      kernel.check();
    },
  };
});

/** A thread is given up while it still runs: its descriptor stays open, or the thread closes it. */
const ABANDONED = caseOf("slot: an owner that is given up", SLOT_SIZE, ({ kernel, slots, lab }) => {
  const [slot] = slots as [DescriptorSlot];
  const given = lab.share("abandoned", new Int32Array(1));
  return {
    threads: [owner(kernel, slot), {
      name: "main",
      start: "abandon",
      turn(state) {
        if (state === "abandon") return slot.abandon() ? "note" : ENDED;
        lab.call(given, 0, "note", (words) => words[0] = 1);
        return ENDED;
      },
    }],
    atRest(asleep) {
      assertEquals(asleep, [], "threads sleep for ever");
      const isGiven = lab.peek(given, 0);
      kernel.check(isGiven, isGiven);
    },
  };
});

/** A thread has died while it was serving, and what it has left is cut and closed. */
const DEAD = caseOf("slot: an owner that dies", SLOT_SIZE, ({ kernel, slots, lab }) => {
  const [slot] = slots as [DescriptorSlot];
  const dead = lab.share("dead", new Int32Array(1));
  return {
    threads: [{
      name: "worker",
      start: ["accept"],
      turn(state) {
        const [at, fd = -1] = state as [string, number?];
        if (at === "accept") return ["own", kernel.accept()];
        if (at === "own") {
          slot.own(fd);
          return ["die"];
        }
        lab.call(dead, 0, "dies", (words) => words[0] = 1);
        return ENDED;
      },
    }, {
      name: "main",
      start: "cut",
      turn(state) {
        if (state === "cut") {
          slot.cut(kernel.sockets);
          return "look";
        }
        if (state === "look") {
          lab.call(dead, 0, "hears of it", () => 0, (words) => words[0] === 1);
          return "reclaim";
        }
        slot.reclaim(kernel.sockets);
        return ENDED;
      },
    }],
    atRest(asleep) {
      assertEquals(asleep, [], "threads sleep for ever");
      kernel.check();
    },
  };
});

/** Accepts two connections, one after the other, and serves them. */
function owner(kernel: Kernel, slot: DescriptorSlot): VirtualThread {
  return {
    name: "owner",
    start: ["accept", 1],
    turn(state) {
      const [at, count, fd = -1] = state as [string, number, number?];
      switch (at) {
        case "accept":
          return ["own", count, kernel.accept()];
        case "own":
          slot.own(fd);
          return ["serve", count, fd];
        case "serve":
          kernel.receive(fd, true);
          return ["release", count];
        case "release": {
          const released = slot.release();
          if (released >= 0) return ["close", count, released];
          return count === 2 ? ENDED : ["accept", 2];
        }
        default:
          kernel.close(fd);
          return count === 2 ? ENDED : ["accept", 2];
      }
    },
  };
}

/** Threads go through the gate, and it may close meanwhile. */
function gate(threads: number, limit: number, isClosed: boolean): Case {
  const name = `gate: ${threads} threads, room for ${limit}${isClosed ? ", and a close" : ""}`;
  return caseOf(name, { ...SLOT_SIZE, connections: limit }, ({ gate, lab }) => {
    const inside = lab.share("inside", new Int32Array(2));
    const goer = (index: number): VirtualThread => ({
      name: `thread ${index}`,
      start: "enter",
      turn(state) {
        switch (state) {
          case "enter":
            return gate.enter() ? "inside" : ENDED;
          case "inside":
            lab.call(inside, 0, "is inside", (words) => {
              words[1] = (words[1] as number) + 1;
              assert((words[0] as number) < limit, "there are more inside than allowed");
              return words[0] = (words[0] as number) + 1;
            });
            return "outside";
          case "outside":
            lab.call(inside, 0, "goes", (words) => words[0] = (words[0] as number) - 1);
            return "leave";
          default:
            gate.leave();
            return ENDED;
        }
      },
    });
    const closer: VirtualThread = {
      name: "main",
      start: "close",
      turn() {
        gate.close();
        return ENDED;
      },
    };
    return {
      threads: [
        ...Array.from({ length: threads }, (_, index) => goer(index)),
        ...(isClosed ? [closer] : []),
      ],
      atRest(asleep) {
        assertEquals(asleep, [], "threads sleep for ever");
        assertEquals(gate.open, 0, "all have left");
        if (!isClosed) assertEquals(lab.peek(inside, 1), threads, "all have come in");
      },
    };
  });
}

/** What accept(2) returns when there is no connection. */
const NOBODY = -11;

/** How many pauses of a millisecond a connection may wait while a thread is idle: see `WakePolicy`. */
const MOST_PAUSES = 11;

/**
 * All processors are busy, and a connection is left to the threads that run. But they compute on and
 * on, and no other connection comes; one seems to, and is gone when it is accepted.
 */
const WATCHED: Case = caseOf(
  "watch: a connection that is left to busy threads while one is idle",
  { connections: 2, workers: 1, capacity: 1 },
  (bench) => {
    const { ring, gate, lab } = bench;
    // In the word of the connection are the pauses and, in its lowest bits, how often it was taken.
    const taken = lab.share("taken", new Int32Array(2));
    const pauses = (words: Int32Array) => (words[1] as number) >> 4;
    const isOver = () => false;
    const how = {
      mayAsk: true,
      again: NOBODY,
      accept: () => NOBODY,
      wait: () => lab.call(taken, 1, "wait", () => 1, () => false) === 1,
      pause: () =>
        lab.call(taken, 1, "pause", (words) => {
          words[1] = (words[1] as number) + 16;
          return pauses(words);
        }, (words) => pauses(words) < MOST_PAUSES || (words[1] as number) % 2 === 1) === 1,
      isOver,
    };
    return {
      threads: [{
        name: "acceptor",
        start: "accept",
        turn() {
          const clock = () => 0;
          const waking = new Waking({
            ring,
            gate,
            cores: 1,
            elastic: false,
            askForThreads() {},
            clock,
          });
          // The connection of a thread that computes, and the one that waits.
          for (let count = 0; count < 2; count++) gate.tryEnter();
          ring.tryPut(1, sockaddrOf(1));
          waking.queued();
          for (;;) {
            waking.watchQueue(how.pause, isOver);
            waking.accept(how);
          }
        },
      }, bench.taker(0, taken)],
      atRest() {
        assertEquals(lab.peek(taken, 1) & 1, 1, "the connection waits, and nobody will take it");
      },
    };
  },
);

/** Cases that take less than a second. */
export const SMALL: readonly Case[] = [
  queue({ connections: 1, workers: 1, capacity: 1 }),
  queue({ connections: 2, workers: 1, capacity: 1 }),
  SLOT,
  ABANDONED,
  DEAD,
  gate(2, 1, true),
  gate(3, 1, false),
  server({ connections: 1, workers: 1, capacity: 1 }, false),
  server({ connections: 1, workers: 1, capacity: 1 }, true),
];

/** The queue with two workers. */
const TWO_TAKERS: Case = queue({ connections: 1, workers: 2, capacity: 1 });

/** Cases of which all orders take seconds, and those with few switches do not. */
export const MIDDLE: readonly Case[] = [TWO_TAKERS, WATCHED];

/** Cases that are explored in all orders, in seconds or minutes. */
const LARGE: readonly Case[] = [
  ...MIDDLE,
  gate(3, 1, true),
  gate(3, 2, true),
  queue({ connections: 3, workers: 1, capacity: 2 }),
  server({ connections: 2, workers: 1, capacity: 1 }, false),
  server({ connections: 2, workers: 1, capacity: 1 }, true),
  server({ connections: 3, workers: 1, capacity: 2 }, true),
];

/** Cases that are explored in the orders in which threads lose their turn a few times only. */
const HUGE: readonly Case[] = [
  queue({ connections: 3, workers: 2, capacity: 1 }),
  server({ connections: 2, workers: 2, capacity: 1 }, false),
  server({ connections: 2, workers: 2, capacity: 1 }, true),
];

/** How often threads may lose their turn in those, and while a fault is looked for. */
const SWITCHES = 2;
const SWITCHES_FOR_FAULTS = 3;

/** A fault, what it is, and the case that shows it. */
export interface KnownFault {
  readonly what: string;
  readonly fault: Fault;
  readonly shownBy: Case;
}

/** Faults that must be found. */
export const FAULTS: readonly KnownFault[] = [
  {
    what: "a slot without its compare-and-swap",
    fault: { splits: (word) => word === "slot 0[0]" },
    shownBy: SLOT,
  },
  {
    what: "a slot that is given up without a compare-and-swap",
    fault: { splits: (word, by) => word === "slot 0[0]" && by === "main" },
    shownBy: ABANDONED,
  },
  {
    what: "a slot whose owner is not woken after a cut",
    fault: { losesNotify: (word) => word === "slot 0[0]" },
    shownBy: SLOT,
  },
  {
    what: "an owner that falls asleep although the cut is over",
    fault: { waitsBlindly: (word) => word === "slot 0[0]" },
    shownBy: SLOT,
  },
  {
    what: "a wake-up that is lost after all pauses",
    fault: { losesNotify: (word, by) => word === "ring[17]" && by === "acceptor" },
    shownBy: WATCHED,
  },
  {
    what: "a queue whose takers have no compare-and-swap",
    fault: { splits: (word) => word === "ring[0]" },
    shownBy: TWO_TAKERS,
  },
  {
    what: "a lost wake-up of a worker",
    fault: { losesNotify: (word, by) => /^ring\[1[7-9]\]$/.test(word) && by === "acceptor" },
    shownBy: SMALL[0] as Case,
  },
  {
    what: "a worker that falls asleep although it was woken",
    fault: { waitsBlindly: (word) => /^ring\[1[7-9]\]$/.test(word) },
    shownBy: SMALL[0] as Case,
  },
  {
    what: "a lost wake-up of the acceptor",
    fault: { losesNotify: (word) => word === "ring[7]" },
    shownBy: SMALL[1] as Case,
  },
  {
    what: "an acceptor that falls asleep although there is room",
    fault: { waitsBlindly: (word) => word === "ring[7]" },
    shownBy: SMALL[1] as Case,
  },
  {
    what: "idle bits that are set without a read-modify-write",
    fault: { splits: (word) => word === "ring[18]" || word === "ring[16]" },
    shownBy: TWO_TAKERS,
  },
  {
    what: "a gate that counts without a compare-and-swap",
    fault: { splits: (word) => word === "gate[2]" },
    shownBy: SMALL[5] as Case,
  },
  {
    what: "a gate that wakes nobody",
    fault: { losesNotify: (word) => word === "gate[6]" },
    shownBy: SMALL[6] as Case,
  },
  {
    what: "a thread that falls asleep although somebody has left the gate",
    fault: { waitsBlindly: (word) => word === "gate[6]" },
    shownBy: SMALL[6] as Case,
  },
];

/**
 * Looks for a fault that was put in.
 *
 * @param known the fault
 * @returns the steps that show it, or `undefined` if it was not found
 */
export function find({ fault, shownBy }: KnownFault): readonly string[] | undefined {
  try {
    shownBy.explore(fault, { switches: SWITCHES_FOR_FAULTS });
  } catch (error) {
    if (error instanceof Counterexample) return error.steps;
    throw error;
  }
  return undefined;
}

await prove(import.meta, () => {
  let states = 0;
  let steps = 0;
  const explore = (its: Case, options?: ExploreOptions) => {
    const found = its.explore(undefined, options);
    console.error(`${its.name}: ${found.states} states`);
    states += found.states;
    steps += found.steps;
  };
  for (const its of [...SMALL, ...LARGE]) explore(its);
  const all = states.toLocaleString("en");
  for (const its of HUGE) explore(its, { switches: SWITCHES });
  for (const known of FAULTS) assert(find(known) !== undefined, `not found: ${known.what}`);
  return `${all} states in all orders, ${states.toLocaleString("en")} with those of at most ` +
    `${SWITCHES} switches, ${steps.toLocaleString("en")} steps · ` +
    `${FAULTS.length} of ${FAULTS.length} faults found`;
});
