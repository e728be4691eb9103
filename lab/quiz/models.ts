/**
 * Questions about the models of concurrency. Servers of this project decide them, or the simulator
 * where time must be exact.
 *
 * @module
 */

import process from "node:process";
// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { Fact } from "../observe/stage/facts.ts";
import { count, order } from "../observe/stage/seen.ts";
import { askFrame, GUESTS } from "../simulator/clients.ts";
import { COMPANIES } from "../simulator/companies.ts";
import { simulate } from "../simulator/simulate.ts";
import type { SpanName } from "../../engine/recording/events.ts";
import type { Doing } from "../../engine/figures/life.ts";
import { said } from "./found.ts";
import type { Staying } from "./guests.ts";
import type {
  Choice,
  Question,
  ServerQuestion,
  Servers,
  SimulatedQuestion,
  Visited,
} from "./question.ts";

const [LONG, ECHO, SMALL] = GUESTS.map(({ name }) => name) as [string, string, string];

/** The three clients, in a question. */
const THREE = `Three clients come. "${LONG}" needs a long computation, "${ECHO}" wants its bytes ` +
  `echoed, "${SMALL}" needs a short computation.`;

/** Where a client was while it waited, in words. */
const PLACES: Readonly<Partial<Record<Doing, string>>> = {
  accept: "the accept queue",
  queue: "the server's own queue",
  thread: "a busy thread",
};

/** The order of the answers. */
function tellOrder({ seen }: Visited): Fact[] {
  const sorted = seen.toSorted((one, other) => one.answeredUs - other.answeredUs);
  return [order("the answers came in this order", sorted.map(({ name }) => name))];
}

/**
 * The order of the answers, and that of what other threads computed for their loop. Answers that come
 * while a client is held up are all there when it looks, and which of them it finds first says little.
 * The loop notes each result when it comes.
 */
function tellResults(visited: Visited): Fact[] {
  const results = spansOf(visited, "waiting for computing")
    .toSorted((one, other) => one.toUs - other.toUs);
  return [
    ...tellOrder(visited),
    order("what was computed was done in this order", results.map(({ name }) => name)),
  ];
}

/** What clients have waited for or had, by their names, as the server has recorded it. */
function spansOf(
  { seen, events }: Visited,
  what: SpanName,
): readonly { readonly name: string; readonly fromUs: number; readonly toUs: number }[] {
  const names = new Map(seen.map(({ name, peer }) => [peer, name]));
  const nameOf = new Map(
    events.flatMap((event) =>
      event.type === "begun" ? [[event.connection, names.get(event.peer)]] : []
    ),
  );
  return events.flatMap((event) => {
    if (event.type !== "span" || event.name !== what) return [];
    const name = nameOf.get(event.connection ?? 0);
    return name === undefined ? [] : [{ name, fromUs: event.at, toUs: event.to }];
  });
}

/** Who comes so shortly before the long computation ends has hardly waited, in microseconds. */
const SHORTLY_US = 5_000;

/** How often the clients are sent at most. */
const MOST_RUNS = 4;

/**
 * Whether all had come, and had asked for what takes computing, while the long computation went on,
 * and whoever could be answered meanwhile was. On a busy machine a client may be so late that there is
 * nobody to wait for: such a run says little.
 */
function wereTogether(visited: Visited): boolean {
  const { seen, lives } = visited;
  const ends = spansOf(visited, "computing").filter(({ name }) => name === LONG)
    .map(({ toUs }) => toUs);
  const came = lives.map(({ stretches }) => stretches[0]?.fromUs ?? Infinity);
  const asked = spansOf(visited, "waiting for computing").map(({ fromUs }) => fromUs);
  // Where another thread computes, the loop has time for whoever needs no computation.
  const echo = lives[seen.findIndex(({ name }) => name === ECHO)];
  const answered = asked.length > 0 ? [echo?.stretches.at(-1)?.toUs ?? Infinity] : [];
  return Math.max(...came, ...asked, ...answered) < Math.max(...ends) - SHORTLY_US;
}

/** The order of the answers, who waited for whom, and where. */
function tellWaits(visited: Visited): Fact[] {
  const { seen, lives } = visited;
  const names = seen.map(({ name }) => name);
  return [
    ...tellOrder(visited),
    ...lives.flatMap(({ stretches, waitedFor }, index): Fact[] => {
      const name = names[index] as string;
      if (waitedFor === undefined) return [said(`${name} has waited for`, "nobody")];
      const longest = stretches.filter(({ doing }) => PLACES[doing] !== undefined)
        .toSorted((one, other) => lengthOf(other) - lengthOf(one))[0];
      return [
        said(`${name} has waited for`, names[waitedFor] as string),
        said(`${name} has waited in`, PLACES[longest?.doing ?? "thread"] as string),
      ];
    }),
  ];
}

function lengthOf({ fromUs, toUs }: { readonly fromUs: number; readonly toUs: number }): number {
  return toUs - fromUs;
}

/** Sends the three clients to a server: once more, if they did not meet there. */
function three(
  tell: (visited: Visited) => Fact[],
  mode: ServerQuestion["modes"][number],
  ...flags: readonly string[]
): Pick<ServerQuestion, "on" | "modes" | "run"> {
  return {
    on: "servers",
    modes: [mode],
    async run(servers: Servers) {
      let visited = await servers.visit({ mode, flags }, COMPANIES.three);
      for (let runs = 1; runs < MOST_RUNS && !wereTogether(visited); runs++) {
        visited = await servers.visit({ mode, flags }, COMPANIES.three);
      }
      return tell(visited);
    },
  };
}

const whereTheyWait: ServerQuestion = {
  id: "where-they-wait",
  topic: "models",
  text:
    `${THREE} The server is sequential: it serves one after another. Where do the other two wait ` +
    "meanwhile?",
  answers: [
    "nowhere: their connect(2) fails",
    "in the kernel's accept queue: they are connected, and the server does not know of them",
    "in a list of the server's program",
  ],
  book: 2,
  why:
    "The server has one thread, and that is busy. The kernel completes the handshakes alone and " +
    "keeps the connections, as many as the backlog allows. What the clients send waits there too.",
  sources: ["listen(2)", "accept(2)", 'the lesson "Sequential"'],
  ...three(tellWaits, "sequential"),
  decide(found) {
    const places = [ECHO, SMALL].map((name) => found.word(`${name} has waited in`));
    if (places.every((place) => place === PLACES.accept)) return 2;
    return places.every((place) => place === PLACES.queue) ? 3 : undefined;
  },
};

const silentFirst: ServerQuestion = {
  id: "silent-client",
  topic: "models",
  text:
    "A client connects to the sequential server, and says nothing for a while. The next one wants " +
    "its bytes echoed. When does it get them?",
  answers: [
    "at once: the server computes nothing",
    "when the silent one has left",
    "never: the server has lost its place",
  ],
  book: 2,
  why:
    "A thread that waits for bytes of one client is as blocked as one that computes. It needs no " +
    "attacker: a slow network is enough. An event loop does not wait for anybody in particular.",
  sources: ["recv(2)", 'the lesson "Sequential"'],
  on: "servers",
  modes: ["sequential", "event"],
  async run(servers) {
    const company = COMPANIES["silent first"].slice(0, 2);
    const [one, other] = await Promise.all([
      servers.visit({ mode: "sequential" }, company),
      servers.visit({ mode: "event" }, company),
    ]);
    const ended = ({ seen }: Visited) =>
      seen.toSorted((a, b) => a.answeredUs - b.answeredUs).map(({ name }) => name);
    return [
      order("sequential: they were done in this order", ended(one)),
      order("event: they were done in this order", ended(other)),
    ];
  },
  decide(found) {
    const [first] = found.order("sequential: they were done in this order");
    return first === ECHO ? 1 : first === "silent" ? 2 : undefined;
  },
};

/** How many clients come and say nothing. */
const IDLE = 6;

const threadsForIdle: ServerQuestion = {
  id: "threads-for-idle-clients",
  topic: "models",
  text:
    `${IDLE} clients connect to the event server, and say nothing. How many threads does it start ` +
    "for them?",
  answers: [`${IDLE}, one for each`, "one for each core", "none"],
  book: 3,
  why:
    "A loop keeps a little memory for each connection, and no thread: the kernel tells it who is " +
    "ready. The threaded server has a thread for each client, also for those that only wait. That is " +
    "why it has a limit, and the loop hardly any.",
  sources: ["epoll(7)", 'the lesson "An event loop"'],
  on: "servers",
  modes: ["event", "threaded"],
  async run(servers) {
    const [event, threaded] = await Promise.all([
      threadsFor(servers, "event"),
      threadsFor(servers, "threaded", "--spare", "0"),
    ]);
    return [
      count(`event: threads that serve ${IDLE} clients`, event),
      count(`threaded: threads that serve ${IDLE} clients`, threaded),
    ];
  },
  decide(found) {
    const few = found.count(`event: threads that serve ${IDLE} clients`);
    if (found.count(`threaded: threads that serve ${IDLE} clients`) !== IDLE) return undefined;
    // The one that is there anyway.
    return few === 1 ? 3 : few === IDLE ? 1 : few > 1 ? 2 : undefined;
  },
};

/** How many threads of a server serve clients that are there at the same time. */
async function threadsFor(
  servers: Servers,
  mode: "event" | "threaded",
  ...flags: readonly string[]
): Promise<number> {
  const { events } = await servers.use({ mode, flags }, async ({ guests }) => {
    const staying: Staying[] = [];
    while (staying.length < IDLE) staying.push(await guests.stay());
    for (const guest of staying) guest.leave();
  });
  const served = events.flatMap((event) => event.type === "served" ? [event.thread] : []);
  return new Set(served).size;
}

const poolIsFull: ServerQuestion = {
  id: "full-pool",
  topic: "models",
  text: `A pool has one thread. ${THREE} What becomes of the other two, while the thread computes?`,
  answers: [
    "they are refused: nobody is free",
    "the server has accepted them, and they wait in a queue of its own",
    "the pool starts two more threads",
  ],
  book: 2,
  why:
    "A thread of its own accepts, and puts connections into a queue for whoever is free next. The " +
    "server knows of all of them, so it can count them, limit them, and refuse in order. A queue " +
    "without a limit only hides that there are too few threads.",
  sources: ['the lesson "A pool of threads"'],
  ...three(tellWaits, "threadpool", "--workers", "1"),
  decide(found) {
    const waits = [ECHO, SMALL].map((name) => found.word(`${name} has waited for`));
    if (waits.every((who) => who === "nobody")) return 3;
    const places = [ECHO, SMALL].map((name) => found.word(`${name} has waited in`));
    return places.every((place) => place === PLACES.queue) ? 2 : undefined;
  },
};

const loopComputes: ServerQuestion = {
  id: "threads-or-loop",
  topic: "models",
  text:
    `${THREE} The server is one event loop, and it computes by itself. Who has an answer first?`,
  answers: [
    `"${ECHO}", for it needs no computation`,
    `"${LONG}": whoever waits for the loop waits until it has computed`,
    "all three at the same time",
  ],
  book: 2,
  why: "A loop serves everybody as long as each turn is short. Waiting costs it nothing, and a " +
    "computation stops everybody, also those who need none. So: a loop for those who wait, threads " +
    "for those who compute, and for both a loop that gives computations away.",
  sources: [
    "nodejs.org: Don't block the event loop (or the worker pool)",
    'the lesson "Off-loading"',
  ],
  ...three(tellWaits, "event", "--offload", "0"),
  decide(found) {
    const [first] = found.order("the answers came in this order");
    if (first === ECHO || first === SMALL) return 1;
    return found.word(`${ECHO} has waited for`) === LONG ? 2 : undefined;
  },
};

const offLoaded: ServerQuestion = {
  id: "off-loading",
  topic: "models",
  text: `${THREE} The server is one event loop, and two Workers beside it compute. Who waits?`,
  answers: [
    `"${ECHO}" and "${SMALL}" wait for "${LONG}"`,
    `only "${SMALL}" waits for "${LONG}"`,
    "nobody waits for anybody",
  ],
  book: 3,
  why:
    "The loop hands the computation to a Worker and goes on. Its turns stay short, and the second " +
    "Worker is free for the short computation. It costs a copy each way, and a Worker more in memory.",
  sources: ['the lesson "Off-loading"'],
  ...three(tellResults, "event", "--offload", "2"),
  decide: decideWhoWaits,
};

const offLoadedToOne: ServerQuestion = {
  id: "off-loading-to-one",
  topic: "models",
  text: `${THREE} The server is one event loop, and a single Worker beside it computes. Who waits?`,
  answers: [
    `"${ECHO}" and "${SMALL}" wait for "${LONG}"`,
    `only "${SMALL}" waits for "${LONG}"`,
    "nobody waits for anybody",
  ],
  book: 2,
  why:
    "The loop is free, so whoever needs no computation is served at once. The Worker is a pool of " +
    "one thread with a queue before it, and there the short computation stands behind the long one.",
  sources: ['the lesson "Off-loading"'],
  ...three(tellResults, "event", "--offload", "1"),
  decide: decideWhoWaits,
};

/** Whoever overtakes the long computation has not waited for it. */
function decideWhoWaits(found: Parameters<Question["decide"]>[0]): Choice | undefined {
  const answers = found.order("the answers came in this order");
  const results = found.order("what was computed was done in this order");
  if (answers.length !== GUESTS.length || results.length !== GUESTS.length - 1) return undefined;
  const isSmallLater = results.indexOf(SMALL) > results.indexOf(LONG);
  const isEchoLater = answers.indexOf(ECHO) > answers.indexOf(LONG);
  if (isEchoLater) return isSmallLater ? 1 : undefined;
  return isSmallLater ? 2 : 3;
}

const processDies: ServerQuestion = {
  id: "process-that-dies",
  topic: "models",
  text:
    "prefork has two processes, and each serves a client. A fault kills one of the processes. Who " +
    "loses the connection?",
  answers: [
    "both clients: the server ends",
    "the client of that process, and nobody else",
    "nobody: the other process goes on with the conversation",
  ],
  book: 2,
  why:
    "Processes share nothing but the listener. What one of them has in its memory dies with it, the " +
    "conversation too, and the kernel closes its descriptors. The parent hears of it and starts " +
    "another process. A fault in a thread, as a write to a wrong address, would end all of them.",
  sources: ["fork(2), wait(2)", 'the lesson "Processes"'],
  on: "servers",
  modes: ["prefork"],
  async run(servers) {
    const { result } = await servers.use(
      { mode: "prefork", flags: ["--workers", "2"] },
      async ({ guests, status }) => {
        const staying = [await guests.stay(), await guests.stay()];
        const [victim] = status.youngest;
        if (victim !== undefined) process.kill(victim, "SIGKILL");
        const answers = await Promise.all(
          staying.map((guest) => guest.ask("still here").catch(() => undefined)),
        );
        const late = await guests.ask("late").catch(() => undefined);
        for (const guest of staying) guest.leave();
        return { lost: answers.filter((answer) => answer === undefined).length, late };
      },
    );
    return [
      count("clients of two that have lost their connection", result.lost),
      said(
        "a client that comes after that",
        result.late !== undefined ? "is served" : "is not served",
      ),
    ];
  },
  decide(found) {
    const lost = found.count("clients of two that have lost their connection");
    if (lost === 2) return 1;
    if (found.word("a client that comes after that") !== "is served") return undefined;
    return lost === 1 ? 2 : lost === 0 ? 3 : undefined;
  },
};

/** Clients that come at a steady rate, and stay for a while. */
const LITTLE = { clients: 24, apartMs: 25, stayMs: 100, threads: 8 } as const;

const poolSize: ServerQuestion = {
  id: "size-of-a-pool",
  topic: "models",
  text:
    "40 clients come in a second, and each keeps a thread for a tenth of a second, in which it only " +
    "waits. How many threads are busy at a time, on the average?",
  answers: ["1", "4", "40"],
  book: 2,
  why:
    "How many are there is how many come in a second, times how long each stays: Little's law. It " +
    "says what a pool needs at least, whatever they do meanwhile. For peaks it needs more, and a " +
    "queue with a limit. For computing, more threads than cores gain nothing.",
  sources: ["Little, A proof for the queuing formula L = λW (Operations Research 9, 1961)"],
  on: "servers",
  modes: ["threadpool"],
  async run(servers) {
    const { clients, apartMs, stayMs, threads } = LITTLE;
    const { events } = await servers.use(
      { mode: "threadpool", flags: ["--workers", String(threads)] },
      async ({ guests }) => {
        const staying: Promise<void>[] = [];
        while (staying.length < clients) {
          staying.push(guests.beSilent(stayMs));
          await delay(apartMs);
        }
        await Promise.all(staying);
      },
    );
    const times = (type: "served" | "over") =>
      events.flatMap((event) => event.type === type ? [event.at] : []).sort((a, b) => a - b);
    const [from, to] = [times("served"), times("over")];
    const sum = (list: readonly number[]) => list.reduce((total, at) => total + at, 0);
    // From the first client to the last one that comes, whatever is there.
    const span = Math.max(...from) - Math.min(...from) + apartMs * 1000;
    const busy = (sum(to) - sum(from)) / span;
    return [
      count("clients that were served", from.length),
      count("threads that were busy, on the average", Math.round(busy * 10) / 10),
    ];
  },
  decide(found) {
    if (found.count("clients that were served") !== LITTLE.clients) return undefined;
    const busy = found.count("threads that were busy, on the average");
    return busy < 2 ? 1 : busy < 13 ? 2 : 3;
  },
};

/** Computations, and what a long one costs, in microseconds. */
const COMPUTATIONS = 8;
const COMPUTES_US = 100_000;
const CORES = 2;

const threadsAndCores: SimulatedQuestion = {
  id: "threads-and-cores",
  topic: "models",
  text:
    `${COMPUTATIONS} clients each need a computation of 0.1 s. The machine has ${CORES} cores. How ` +
    `much sooner is a pool of ${COMPUTATIONS} threads done than a pool of ${CORES}?`,
  answers: [
    "four times as soon: all compute at the same time",
    "not at all: the cores are the limit",
    "twice as soon",
  ],
  book: 2,
  why:
    "A core computes one thing at a time. More threads than cores only take turns on them: the last " +
    "one is done when it would have been anyway, and all the others later. The kernel takes a core " +
    "from a thread that computes, so that a short computation need not wait for a long one.",
  sources: ["sched(7)"],
  on: "simulator",
  run() {
    const { few, many } = { few: endsOf(CORES), many: endsOf(COMPUTATIONS) };
    return [
      count(`with ${CORES} threads: ms until the last answer`, few.lastMs),
      count(`with ${COMPUTATIONS} threads: ms until the last answer`, many.lastMs),
      count(`with ${CORES} threads: ms until the first answer`, few.firstMs),
      count(`with ${COMPUTATIONS} threads: ms until the first answer`, many.firstMs),
    ];
  },
  decide(found) {
    const few = found.count(`with ${CORES} threads: ms until the last answer`);
    const gain = few / found.count(`with ${COMPUTATIONS} threads: ms until the last answer`);
    return gain > 3 ? 1 : gain > 1.5 ? 3 : gain > 0.8 ? 2 : undefined;
  },
};

/** When a pool has answered clients that all come at once. */
function endsOf(workers: number): { firstMs: number; lastMs: number } {
  const { clients } = simulate({
    mode: "threadpool",
    protocol: "frame",
    cores: CORES,
    workers,
    computeUs: () => COMPUTES_US,
    clients: Array.from({ length: COMPUTATIONS }, (_, place) => ({
      name: `client ${place + 1}`,
      atUs: 0,
      converse: () => askFrame("P7"),
    })),
  });
  const ends = clients.map(({ overUs = Infinity }) => Math.round(overUs / 1000));
  return { firstMs: Math.min(...ends), lastMs: Math.max(...ends) };
}

/** An overload: how many clients come, how many in a second, and what each costs. */
const OVERLOAD = { clients: 200, everyUs: 5_000, computeUs: 10_000, workers: 1 } as const;
const QUEUES = [4, 64] as const;
/** How long a client waits before it gives up, in microseconds. */
const PATIENCE_US = 250_000;

const longerQueue: SimulatedQuestion = {
  id: "longer-queue",
  topic: "models",
  text:
    "Twice as many clients come as a pool can serve, all the time, and each gives up after a quarter " +
    `of a second. Its queue is made longer, from ${QUEUES[0]} places to ${
      QUEUES[1]
    }. Are more of them ` +
    "answered in time?",
  answers: [
    "yes: nobody is turned away any more",
    "no, fewer: those who wait in a long queue have given up when their turn comes",
    "it makes no difference",
  ],
  book: 2,
  why:
    "A queue evens out bursts. Against a load that is always too high it only adds waiting: whoever " +
    "comes finds it full, and waits through all of it. Then the server works for clients that have gone. " +
    "A short queue, and a refusal that comes at once, serve more of them.",
  sources: ["Hebert, Queues Don't Fix Overload (ferd.ca, 2014)"],
  on: "simulator",
  run() {
    return QUEUES.map((queue) =>
      count(`with ${queue} places: answered within 250 ms`, answeredInTime(queue))
    );
  },
  decide(found) {
    const [short, long] = QUEUES.map((queue) =>
      found.count(`with ${queue} places: answered within 250 ms`)
    ) as [number, number];
    if (!(short > 0)) return undefined;
    const ratio = long / short;
    return ratio > 1.2 ? 1 : ratio < 0.8 ? 2 : 3;
  },
};

/** How many clients of an overloaded pool have their answer before they give up. */
function answeredInTime(queue: number): number {
  const { clients, everyUs, computeUs, workers } = OVERLOAD;
  const { clients: outcomes } = simulate({
    mode: "threadpool",
    protocol: "frame",
    cores: 2,
    workers,
    queue,
    // Who finds the server's queue full waits in the kernel's, which is short here.
    backlog: 0,
    computeUs: () => computeUs,
    clients: Array.from({ length: clients }, (_, place) => ({
      name: `client ${place + 1}`,
      atUs: place * everyUs,
      converse: () => askFrame("P7"),
    })),
  });
  return outcomes.filter(({ atUs, overUs = Infinity }) => overUs - atUs <= PATIENCE_US).length;
}

/** The questions of this file. */
export const MODELS: readonly (ServerQuestion | SimulatedQuestion)[] = [
  whereTheyWait,
  silentFirst,
  threadsForIdle,
  poolIsFull,
  poolSize,
  threadsAndCores,
  longerQueue,
  loopComputes,
  offLoaded,
  offLoadedToOne,
  processDies,
];
