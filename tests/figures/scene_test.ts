/**
 * Who is where, as scenes say: compared with the histories of simulated servers, where everything is
 * known to the microsecond.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { laddersOf } from "../../engine/figures/ladders.ts";
import { inOrder, readLines } from "../../engine/figures/lines.ts";
import {
  describePart,
  describeParts,
  doingOf,
  placeOf,
  queueParts,
  titleOf,
} from "../../engine/figures/picture_table.ts";
import { describeQueue } from "../../engine/figures/queue_counts.ts";
import { type Dot, Scene, type View } from "../../engine/figures/scene.ts";
import type { Event, Header, ListenerEvent, SocketEvent } from "../../engine/recording/events.ts";
import { askFrame, threeClients } from "../../lab/simulator/clients.ts";
import { simulate, SIMULATED, type SimulationOptions } from "../../lab/simulator/simulate.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";
import { anyEvent, formatRecording, HEADER } from "../kit/recordings.ts";

type Recorded = readonly (Header | Event)[];

const PURE = { pure: true };

function sceneOf(recording: Recorded): Scene {
  const scene = new Scene();
  scene.add(recording);
  return scene;
}

function record(options: Pick<SimulationOptions, "mode"> & Partial<SimulationOptions>): Recorded {
  return simulate({ protocol: "frame", clients: threeClients(), ...options }).recording;
}

/** Forty clients, some of whom ask for a long computation. */
function crowd(mode: SimulationOptions["mode"]): Recorded {
  const clients = Array.from({ length: 40 }, (_, index) => ({
    name: `client ${index}`,
    atUs: index * 150,
    converse: () => askFrame(index % 5 === 0 ? "P9007199254740881" : "hello"),
  }));
  return record({ mode, clients, workers: 3, offload: 2, queue: 6 });
}

function eventsOf<Type extends Event["type"]>(recording: Recorded, type: Type) {
  return recording.filter((line) => line.type === type) as Extract<Event, { type: Type }>[];
}

/** When the first computation for the first client is half done. */
function middleOfLong(recording: Recorded): number {
  const [first] = eventsOf(recording, "span").filter(({ name, connection, at, to }) =>
    name === "computing" && connection === 1 && to - at > 10_000
  );
  assert(first !== undefined, "the first client has something computed");
  return (first.at + first.to) / 2;
}

/** Where the dots are: what a reader of the picture would say. */
function told({ dots, threads }: View): readonly string[] {
  return dots.map(({ connection, peer, place, doing, thread, waitsFor }: Dot) => {
    const name = threads.find(({ number }) => number === thread)?.name;
    const where = place === "thread" ? `${name}: ${doing}` : place;
    const whom = waitsFor === undefined ? "" : ` of ${waitsFor}`;
    return `${connection ?? peer} ${where}${whom}`;
  }).sort();
}

/** What the three clients do while the long prime of the first one is computed. */
const STORIES: readonly (readonly [
  options: Pick<SimulationOptions, "mode"> & Partial<SimulationOptions>,
  story: readonly string[],
])[] = [
  [{ mode: "sequential" }, ["1 worker 0: computing", "2 accept queue of 1", "3 accept queue of 1"]],
  [{ mode: "threadpool", workers: 1 }, [
    "1 worker 0: computing",
    "2 hand-over queue of 1",
    "3 hand-over queue of 1",
  ]],
  [{ mode: "threadpool", workers: 1, queue: 0 }, [
    "1 worker 0: computing",
    "2 accept queue of 1",
    "3 accept queue of 1",
  ]],
  [{ mode: "prefork", workers: 1 }, [
    "1 process 0: computing",
    "2 accept queue of 1",
    "3 accept queue of 1",
  ]],
  [{ mode: "event", offload: 1 }, [
    "1 main: waiting for computing",
    "3 main: waiting for computing of 1",
  ]],
];

for (const [options, story] of STORIES) {
  const { mode, workers, queue, offload } = options;
  const knobs = Object.entries({ workers, queue, offload }).filter(([, value]) =>
    value !== undefined
  );
  const name = [mode, ...knobs.map(([knob, value]) => `${knob} ${value}`)].join(", ");
  test(`while the long prime is computed, everybody is where the model has them: ${name}`, () => {
    const recording = record(options);
    assertEquals(told(sceneOf(recording).at(middleOfLong(recording))), story);
  }, PURE);
}

test("a loop that computes in place stands still, and says for whom the others wait", () => {
  const recording = record({ mode: "event", offload: 0, clients: threeClients(0) });
  const scene = sceneOf(recording);
  const view = scene.at(middleOfLong(recording));
  const [loop] = view.threads;
  assertEquals([loop?.isLoop, loop?.activity?.what, loop?.activity?.connection], [
    true,
    "computing",
    1,
  ]);
  const held = view.dots.filter(({ doing }) => doing === "waiting for the loop");
  const inQueue = view.dots.filter(({ place }) => place === "accept queue");
  assertEquals(held.length + inQueue.length, 2, told(view).join(", "));
  for (const dot of [...held, ...inQueue]) assertEquals(dot.waitsFor, 1);
  const later = scene.at(scene.toUs);
  assert((later.threads[0]?.turns ?? 0) > 3, "it has turned on");
}, PURE);

/** For whom each of the three clients waited, and where: what following them says. */
const WAITS: readonly (readonly [
  options: Pick<SimulationOptions, "mode"> & Partial<SimulationOptions>,
  waits: readonly (readonly string[])[],
])[] = [
  [{ mode: "sequential" }, [
    [],
    ["#2 waited … for #1 in the accept queue"],
    ["#3 waited … for #1 in the accept queue"],
  ]],
  [{ mode: "threadpool", workers: 1 }, [
    [],
    ["#2 waited … for #1 in the hand-over queue"],
    ["#3 waited … for #1 in the hand-over queue"],
  ]],
  [{ mode: "threadpool", workers: 2 }, [[], [], []]],
  // Nobody has what a thread needs that starts. The thread of the second takes the third meanwhile.
  [{ mode: "threaded" }, [
    ["#1 waited … in the hand-over queue"],
    ["#2 waited … in the hand-over queue"],
    [
      "#3 waited … in the accept queue",
      "#3 waited …, … of it for #2, in the hand-over queue",
    ],
  ]],
  [{ mode: "event", offload: 0 }, [
    [],
    ["#2 waited … for #1 in the accept queue"],
    ["#3 waited … for #1 in the accept queue"],
  ]],
  [{ mode: "event", offload: 0, clients: threeClients(0) }, [
    [],
    ["#2 waited … for #1 until its loop was free"],
    ["#3 waited … for #1 until its loop was free"],
  ]],
  [{ mode: "event", offload: 1 }, [
    [],
    [],
    ["#3 waited … for #1 until a thread could compute for it"],
  ]],
];

for (const [options, waits] of WAITS) {
  const { clients, ...knobs } = options;
  const name = Object.entries(knobs).map(([knob, value]) => `${knob} ${value}`).join(", ");
  const how = clients === undefined ? "" : ", all at once";
  test(`whoever follows a connection reads for whom it waited: ${name}${how}`, () => {
    const recording = record(options);
    const scene = sceneOf(recording);
    scene.at(scene.toUs);
    const all = [1, 2, 3].map((connection) => {
      const dot = scene.find(connection, undefined);
      assert(dot !== undefined);
      return scene.lifeOf(dot).filter(({ text }) => text.includes("waited"));
    });
    assertEquals(
      all.map((life) => life.map(({ text }) => text.replaceAll(/[\d.]+ ms/g, "…"))),
      waits,
    );
    // It is told when it is over, and took at most from the first line until then.
    const [long] = eventsOf(recording, "span").filter(({ name }) => name === "computing")
      .toSorted((one, other) => other.to - other.at - (one.to - one.at));
    for (const { us, text } of all.flat().filter(({ text }) => text.includes("for #1"))) {
      assert(long !== undefined);
      const [, ms] = /waited ([\d.]+) ms/.exec(text) ?? [];
      assert(us >= long.to, text);
      assert(Number(ms) * 1_000 <= us && Number(ms) * 1_000 > (long.to - long.at) * 0.8, text);
    }
  }, PURE);
}

test("a wait for several is told with the share of each", () => {
  const scene = new Scene();
  const visit = (connection: number, at: number, to: number, seen = at): Event[] => [
    ...connection === 1
      ? []
      : [{ ...SOCKET, at: seen, remote: `127.0.0.1:${4000 + connection}`, waiting: true } as Event]
        .map((socket) => ({ ...socket, cookie: String(connection) })),
    { type: "begun", at, connection, peer: `127.0.0.1:${4000 + connection}` },
    { type: "served", at, connection, thread: 1 },
    { type: "over", at: to, connection, outcome: "done" },
  ];
  scene.add([HEADER, { type: "thread", at: 0, thread: 1, name: "loop 0" }]);
  scene.add([...visit(1, 0, 60_000), ...visit(2, 60_000, 90_000, 5_000)]);
  scene.add(visit(3, 90_500, 91_000, 10_000));
  const textOf = (connection: number) => {
    const dot = scene.find(connection, undefined);
    return dot && scene.lifeOf(dot).map(({ text }) => text).find((text) => text.includes("waited"));
  };
  assertEquals([1, 2, 3].map(textOf), [
    undefined,
    "#2 waited 55.0 ms for #1 in the accept queue",
    "#3 waited 80.5 ms, 50.0 ms of it for #1, 30.0 ms for #2, in the accept queue",
  ]);
}, PURE);

test(
  "whose turn stops a loop is computing, and it is said of everybody else that they wait",
  () => {
    const scene = new Scene();
    const thread: Event = { type: "thread", at: 0, thread: 1, name: "main", loop: true };
    const served = (connection: number): Event[] => [
      { type: "begun", at: 5, connection, peer: `127.0.0.1:${4000 + connection}` },
      { type: "served", at: 5, connection, thread: 1 },
    ];
    scene.add([HEADER, thread, ...served(1), ...served(2), {
      ...SOCKET,
      at: 30_000,
      cookie: "3",
      remote: "127.0.0.1:4003",
      waiting: true,
    } as Event, { type: "doing", at: 20_000, thread: 1, connection: 1, what: "turn" }]);
    const view = scene.at(50_000);
    assertEquals(told(view), [
      "1 main: computing",
      "127.0.0.1:4003 accept queue of 1",
      "2 main: waiting for the loop of 1",
    ]);
    assertEquals(view.threads.map(({ standsStill }) => standsStill), [true]);
    assertEquals(view.dots.map(({ sinceUs }) => sinceUs), [20_000, 20_000, 30_000]);
    assertEquals(told(scene.at(20_500)).slice(0, 1), ["1 main: reading"]);
  },
  PURE,
);

test("the threads that compute for a loop are busy with what its connections wait for", () => {
  const recording = record({ mode: "event", offload: 2 });
  const { threads } = sceneOf(recording).at(middleOfLong(recording));
  const computing = threads.filter(({ kind }) => kind === "computes");
  assertEquals(computing.length, 2);
  const busy = computing.map(({ activity }) => activity?.connection).filter((one) => one);
  assertEquals(busy, [1]);
}, PURE);

for (const mode of SIMULATED) {
  test(`queues are as long as the history says, at every moment: ${mode}`, () => {
    const recording = crowd(mode);
    const scene = sceneOf(recording);
    const listeners = eventsOf(recording, "listener");
    assert(listeners.length >= 80);
    const sums = new Map<string, number>();
    for (const [index, { at, cookie = "", waiting = 0 }] of listeners.entries()) {
      sums.set(cookie, waiting);
      // Only the last change of a moment holds after it.
      if (listeners[index + 1]?.at === at) continue;
      const view = scene.at(at);
      const seen = view.dots.filter(({ place }) => place === "accept queue").length;
      const all = [...sums.values()].reduce((sum, each) => sum + each, 0);
      assertEquals([seen, view.acceptQueue.waiting], [all, all], `at ${at} µs`);
    }
    const queued = eventsOf(recording, "queued");
    for (const { at } of [...queued, ...eventsOf(recording, "begun")]) {
      const inside = queued.filter((one) => one.at <= at && at < one.to).length;
      const { dots, handOverQueue } = scene.at(at);
      const seen = dots.filter(({ place }) => place === "hand-over queue").length;
      assertEquals([seen, handOverQueue.waiting], [inside, inside]);
    }
  }, PURE);

  test(
    `at the end all connections are over, and the totals are those of the history: ${mode}`,
    () => {
      const recording = crowd(mode);
      const scene = sceneOf(recording);
      assert(scene.isFinished);
      const { totals, dots } = scene.at(scene.toUs);
      const over = eventsOf(recording, "over");
      const ended = eventsOf(recording, "connection");
      assertEquals([totals.begun, over.length, ended.length, dots.length], [40, 40, 40, 0]);
      assertEquals(totals.outcomes.done, over.filter(({ outcome }) => outcome === "done").length);
      assertEquals(totals.endings, {
        FIN: ended.filter(({ ended_with }) => ended_with === "fin").length,
        RST: ended.filter(({ ended_with }) => ended_with === "reset").length,
        unknown: 0,
      });
    },
    PURE,
  );
}

/** The views at many moments, as text. */
function course(scene: Scene, moments: readonly number[]): readonly string[] {
  return moments.map((us) => {
    const view = scene.at(us);
    return JSON.stringify([told(view), view.acceptQueue, view.totals, view.handOverQueue]);
  });
}

function momentsOf(recording: Recorded): readonly number[] {
  return recording.flatMap((line) => line.type === "recording" ? [] : [line.at, line.at + 1]);
}

test("lines that come when they are known give the same picture as a file in order", () => {
  for (const mode of SIMULATED) {
    const recording = crowd(mode);
    const served = new Map(
      eventsOf(recording, "served").map(({ connection, at }) => [connection, at]),
    );
    // A span is known at its end, and a server tells of a connection when a thread has taken it.
    const knownAt = (line: Header | Event) => {
      if (line.type === "recording") return -1;
      if (line.type === "begun") return served.get(line.connection) ?? line.at;
      return "to" in line && typeof line.to === "number" ? line.to : line.at;
    };
    const asKnown = recording.toSorted((one, other) => knownAt(one) - knownAt(other));
    const moments = momentsOf(recording);
    const scene = new Scene();
    for (const line of asKnown) scene.add([line]);
    assertEquals(course(scene, moments), course(sceneOf(recording), moments), mode);
  }
}, PURE);

test("looking back and forth changes nothing", () => {
  const recording = crowd("threadpool");
  const moments = momentsOf(recording).toSorted((a, b) => a - b);
  const scene = sceneOf(recording);
  const forth = course(scene, moments);
  assertEquals(course(scene, moments.toReversed()), forth.toReversed());
  const odd = moments.map((_, index) => index * 7919 % moments.length);
  assertEquals(
    course(scene, odd.map((index) => moments[index] as number)),
    odd.map((index) => forth[index] as string),
  );
}, PURE);

test(
  "a connection of which the kernel has told since when it waits is drawn there since then",
  () => {
    const [listener, peer] = ["127.0.0.1:1", "127.0.0.1:2"];
    const place = (lines: readonly Event[], us: number) =>
      sceneOf([HEADER, ...lines]).at(us).dots.map(({ place, sinceUs }) => [place, sinceUs]);
    // The server has asked at accept, and nobody has looked before.
    const begun: Event = { type: "begun", at: 900, connection: 1, peer, connected: 300 };
    assertEquals(place([begun], 299), []);
    assertEquals(place([begun], 500), [["accept queue", 300]]);
    assertEquals(place([begun], 950), [["hand-over queue", 900]]);
    // A look has found it there.
    const socket: Event = {
      ...{ type: "socket", at: 800, cookie: "1", local: listener, remote: peer },
      ...{ state: "ESTABLISHED", waiting: true, connected: 350 },
    };
    assertEquals(place([socket], 500), [["accept queue", 350]]);
    assertEquals(place([socket, begun], 320), [["accept queue", 300]]);
    // Its own end knows it better, whichever line comes first.
    const client: Event = { type: "client", at: 240, peer, connected: 250, to: 2_000 };
    for (const lines of [[begun, client], [client, begun]]) {
      assertEquals(place(lines, 249), []);
      assertEquals(place(lines, 260), [["accept queue", 250]]);
    }
    // The address was somebody else's before.
    const over: Event = { type: "over", at: 950, connection: 1, outcome: "done" };
    const next: Event = { ...begun, at: 3_000, connection: 2, connected: 2_900 };
    assertEquals(place([begun, over, next, client], 2_950), [["accept queue", 2_900]]);
  },
  PURE,
);

test("a connection that was never seen in the accept queue is never drawn there", () => {
  const recording = crowd("sequential").filter(({ type }) => type !== "socket");
  const scene = sceneOf(recording);
  let counted = 0;
  for (const us of momentsOf(recording)) {
    const { dots, acceptQueue } = scene.at(us);
    assertEquals(dots.filter(({ place }) => place === "accept queue"), []);
    const listener = eventsOf(recording, "listener").findLast(({ at }) => at <= us);
    assertEquals(acceptQueue.waiting, listener?.waiting, `at ${us} µs`);
    counted = Math.max(counted, acceptQueue.waiting ?? 0);
  }
  assert(counted > 10, "the box has the count");
}, PURE);

const LISTENER: Event = {
  ...{ type: "listener", at: 40, cookie: "9", local: "127.0.0.1:8080", waiting: 2, limit: 128 },
};

/** Two listeners on one port. */
const QUEUES: readonly ListenerEvent[] = ["8", "9"].map((cookie) => {
  return { type: "listener", at: 0, local: "127.0.0.1:8080", cookie };
});

const SOCKET: Event = {
  ...{ type: "socket", at: 40, cookie: "1", local: "127.0.0.1:8080", remote: "127.0.0.1:4000" },
  state: "ESTABLISHED",
};

test("who was counted in the accept queue, and is elsewhere since, is not counted there", () => {
  const scene = new Scene();
  // A look takes time: the server has taken 1 just before its moment, and 2 while it was taken.
  scene.add([
    ...[HEADER, ...BEGUN, LISTENER, { ...SOCKET, waiting: true }],
    { ...SOCKET, cookie: "2", remote: "127.0.0.1:4002" },
    { type: "begun", at: 38, connection: 2, peer: "127.0.0.1:4002" },
  ] as Recorded);
  assertEquals(describeQueue(scene.at(39).acceptQueue), "not known");
  assertEquals(scene.at(45).acceptQueue, { waiting: 0, limit: 128, countedUs: 40 });
  // The next look finds as many again, so nothing is told of the listener; both have just come.
  scene.add([
    { ...SOCKET, at: 60, cookie: "3", remote: "127.0.0.1:4003", waiting: true },
    { ...SOCKET, at: 60, cookie: "4", remote: "127.0.0.1:4004", waiting: true },
    { type: "begun", at: 70, connection: 3, peer: "127.0.0.1:4003" },
  ]);
  const said = [50, 65, 75].map((us) => scene.at(us).acceptQueue);
  assertEquals(said.map(({ waiting, countedUs }) => [waiting, countedUs]), [
    [0, 40],
    [2, 60],
    [1, 60],
  ]);
}, PURE);

/** Two loops with a listener each. The first one computes for 1 from 100 to 900 µs. */
const LOOPS: readonly Event[] = [0, 1].flatMap((index): Event[] => [
  { type: "thread", at: 1, thread: index + 2, name: `loop ${index}`, loop: true },
  { ...QUEUES[index] as ListenerEvent, at: 2, thread: index + 2 },
]);

const COMPUTING: readonly Event[] = [
  { type: "begun", at: 50, connection: 1, peer: "127.0.0.1:4000" },
  { type: "served", at: 50, connection: 1, thread: 2 },
  { type: "doing", at: 100, thread: 2, connection: 1, what: "computing", task: "prime" },
];

/** The queues as they are counted. @param at when @param counts how many wait in each */
function counted(at: number, ...counts: readonly number[]): readonly Event[] {
  return counts.map((waiting, index) => {
    return { ...QUEUES[index] as ListenerEvent, at, waiting, limit: 128 };
  });
}

/** Somebody is seen in an accept queue. */
function waitsAt(at: number, port: number): Event {
  const remote = `127.0.0.1:${port}`;
  return { ...SOCKET as SocketEvent, at, cookie: String(port), remote, waiting: true };
}

/** In whose queue everybody waits at a moment, and for whom, and how many wait in each queue. */
function whoseAt(scene: Scene, us: number) {
  const view = scene.at(us);
  const waiting = view.dots.filter(({ place }) => place === "accept queue");
  return {
    dots: waiting.map((dot) => `${placeOf(dot, view)}, for ${dot.waitsFor}`),
    queues: queueParts(view).map((part) => describePart(part, (number) => `#${number}`)),
  };
}

test(
  "of several loops with a queue each, it is said in whose somebody waits if that is certain",
  () => {
    const scene = new Scene();
    scene.add([HEADER, ...LOOPS, ...counted(10, 0, 0), ...COMPUTING]);
    assertEquals(whoseAt(scene, 150), { dots: [], queues: ["loop 0: 0", "loop 1: 0"] });
    // Nobody waits anywhere else.
    scene.add([...counted(200, 1, 0), waitsAt(200, 4001)]);
    const certain = {
      dots: ["accept queue of loop 0, for 1"],
      queues: ["loop 0: 1, for #1", "loop 1: 0"],
    };
    assertEquals(whoseAt(scene, 250), certain);
    // Who has come since nobody has counted may wait in either queue.
    scene.add([waitsAt(300, 4002), ...counted(300, 1, 1)]);
    assertEquals(whoseAt(scene, 350).dots, [
      "accept queue, for undefined",
      "accept queue, for undefined",
    ]);
    assertEquals(whoseAt(scene, 350).queues, ["loop 0: 1", "loop 1: 1"]);
    // The other loop has taken one of them, and so it was that one's.
    scene.add([
      { type: "begun", at: 400, connection: 2, peer: "127.0.0.1:4002" },
      { type: "served", at: 400, connection: 2, thread: 3 },
      ...counted(410, 1, 0),
    ]);
    assertEquals(whoseAt(scene, 450), certain);
    assertEquals(whoseAt(scene, 350).dots, [
      "accept queue, for undefined",
      "accept queue of loop 1, for undefined",
    ]);
    // More are seen than the only queue that is not empty was counted to have.
    scene.add([waitsAt(500, 4003)]);
    assertEquals(whoseAt(scene, 550).dots, [
      "accept queue, for undefined",
      "accept queue, for undefined",
    ]);
    // Once the first loop has served them, everybody knows.
    scene.add([
      {
        type: "span",
        name: "computing",
        at: 100,
        to: 900,
        thread: 2,
        connection: 1,
        task: "prime",
      },
      ...[4001, 4003].flatMap((port): Event[] => [
        { type: "begun", at: 910, connection: port, peer: `127.0.0.1:${port}` },
        { type: "served", at: 910, connection: port, thread: 2 },
      ]),
    ]);
    assertEquals(whoseAt(scene, 550).dots, [
      "accept queue of loop 0, for 1",
      "accept queue of loop 0, for 1",
    ]);
    assertEquals(whoseAt(scene, 920), { dots: [], queues: ["loop 0: 0", "loop 1: 0"] });
  },
  PURE,
);

test(
  "in whose queue somebody waits is said of many, never wrongly, and before they are served",
  () => {
    const recording = crowd("cluster");
    const servedBy = new Map(eventsOf(recording, "served").map((line) => [line.connection, line]));
    const threadOf = new Map(
      eventsOf(recording, "begun").map(({ peer, connection }) => {
        return [peer, servedBy.get(connection)?.thread];
      }),
    );
    // As it happens: nothing is known of what comes later.
    const scene = new Scene();
    const said = new Set<string>();
    for (const line of recording) {
      scene.add([line]);
      for (const { place, peer, queueOf } of scene.at(scene.toUs).dots) {
        if (place !== "accept queue" || queueOf === undefined) continue;
        assertEquals(queueOf, threadOf.get(peer), peer);
        said.add(peer);
      }
    }
    assert(said.size >= 5, `said of ${said.size}`);
    // Afterwards all is known, and each queue is as long as there are some of whom it is said.
    const waiting = new Set<string>();
    for (const { at } of eventsOf(recording, "listener")) {
      const { dots, acceptQueue } = scene.at(at);
      const inQueue = dots.filter(({ place }) => place === "accept queue");
      for (const { peer, queueOf } of inQueue) {
        assertEquals(queueOf, threadOf.get(peer), peer);
        waiting.add(peer);
      }
      for (const { thread, waiting: count } of acceptQueue.ofThreads ?? []) {
        assertEquals(count, inQueue.filter(({ queueOf }) => queueOf === thread).length);
      }
    }
    assert(waiting.size > said.size, `${waiting.size} have waited`);
  },
  PURE,
);

test("a loop that is gone has no queue, and a recording that names no owners says of none", () => {
  const scene = new Scene();
  scene.add([HEADER, ...LOOPS, ...counted(10, 0, 0), ...COMPUTING]);
  scene.add([{ type: "thread", at: 150, thread: 2, name: "loop 0", gone: true }]);
  // Nor has it a limit any more, and the other one has its own.
  assertEquals([100, 150].map((us) => scene.at(us).acceptQueue.limit), [256, 128]);
  scene.add([...counted(200, 1, 0), waitsAt(200, 4001)]);
  assertEquals(whoseAt(scene, 250), { dots: ["accept queue, for undefined"], queues: [] });
  const old = new Scene();
  const threads = LOOPS.filter(({ type }) => type === "thread");
  old.add([HEADER, ...threads, ...COMPUTING, ...counted(200, 1, 0), waitsAt(200, 4001)]);
  assertEquals(whoseAt(old, 250), { dots: ["accept queue, for undefined"], queues: [] });
}, PURE);

/** The listener of the loop that takes the place of the first one, and has its number. */
const REPLACEMENT: ListenerEvent = { ...QUEUES[0] as ListenerEvent, cookie: "10" };

test("a loop that takes the place of a dead one has a queue since it is there", () => {
  const scene = new Scene();
  const gone = (at: number, thread: number): Event => {
    return { type: "thread", at, thread, name: `loop ${thread - 2}`, gone: true };
  };
  scene.add([HEADER, ...LOOPS, ...counted(10, 0, 1), gone(150, 2)]);
  // Who accepts from its listener is told after that has been counted.
  scene.add([
    { type: "thread", at: 200, thread: 2, name: "loop 0", loop: true },
    { ...REPLACEMENT, at: 230, waiting: 0, limit: 128 },
    { ...REPLACEMENT, at: 260, thread: 2 },
  ]);
  const shown = (us: number) => [scene.at(us).acceptQueue.limit, whoseAt(scene, us).queues];
  const both = ["loop 0: 0", "loop 1: 1"];
  assertEquals([100, 170, 240].map(shown), [[256, both], [128, []], [256, both]]);
  // When all have gone, it is as it was last.
  scene.add([gone(300, 2), gone(310, 3)]);
  assertEquals([305, 310, 400].map(shown), [[128, []], [128, []], [128, []]]);
  assertEquals([100, 240].map(shown), [[256, both], [256, both]]);
}, PURE);

test("a loop whose end was left out is gone when another one has its number", () => {
  const scene = new Scene();
  scene.add([HEADER, ...LOOPS, ...counted(10, 2, 0)]);
  // A reader that was slow is told how things are, and what it knew already again.
  scene.add([
    ...LOOPS.filter((line) => line.type === "thread" && line.thread === 3),
    { type: "thread", at: 200, thread: 2, name: "loop 0", loop: true },
    { ...REPLACEMENT, at: 230, waiting: 1, limit: 128 },
    { ...REPLACEMENT, at: 300, thread: 2 },
    { ...QUEUES[1] as ListenerEvent, at: 300, thread: 3 },
  ]);
  assertEquals(describeQueue(scene.at(350).acceptQueue), "1 of 256");
  assertEquals(whoseAt(scene, 350).queues, ["loop 0: 1", "loop 1: 0"]);
}, PURE);

test("whoever was counted in the queue of a loop waits there no more when it has died", () => {
  const scene = new Scene();
  const third: ListenerEvent = { ...QUEUES[0] as ListenerEvent, cookie: "11" };
  scene.add([HEADER, ...LOOPS, { type: "thread", at: 3, thread: 4, name: "loop 2", loop: true }, {
    ...{ ...third, at: 4, thread: 4 },
  }]);
  const ports = [4001, 4002];
  scene.add([...ports.map((port) => waitsAt(100, port)), ...counted(100, 2, 0)]);
  scene.add([{ ...third, at: 100, waiting: 0, limit: 128 }]);
  assertEquals(describeQueue(scene.at(120).acceptQueue), "2 of 384");
  scene.add([{ type: "thread", at: 150, thread: 2, name: "loop 0", gone: true }]);
  scene.add(ports.map((port) => ({ ...waitsAt(160, port), state: "CLOSE" }) as Event));
  scene.add([waitsAt(200, 4003), { ...QUEUES[1] as ListenerEvent, at: 200, waiting: 1 }]);
  assertEquals(scene.at(250).acceptQueue.waiting, 1);
  // Nor does it make unknown in whose queue the others wait.
  assertEquals(whoseAt(scene, 250), {
    dots: ["accept queue of loop 1, for undefined"],
    queues: ["loop 1: 1", "loop 2: 0"],
  });
}, PURE);

test("what is forgotten of a dead loop's queue does not come back", () => {
  const scene = new Scene({ keepUs: 1_000 });
  scene.add([HEADER, ...LOOPS, ...counted(10, 2, 0)]);
  scene.add([{ type: "thread", at: 150, thread: 2, name: "loop 0", gone: true }]);
  for (let at = 1_000; at <= 20_000; at += 500) {
    scene.add([{ ...QUEUES[1] as ListenerEvent, at, waiting: 1, limit: 128 }]);
  }
  assertEquals(describeQueue(scene.at(scene.toUs).acceptQueue), "1 of 128");
}, PURE);

test("a box with the queues of many loops says how many wait in those it has no line for", () => {
  const scene = new Scene();
  scene.add([HEADER]);
  const waiting = [0, 3, 1, 0, 2, 5, 1, 4];
  scene.add(waiting.flatMap((waiting, index): Event[] => [
    { type: "thread", at: 1, thread: index + 1, name: `loop ${index}`, loop: true },
    {
      ...{ type: "listener", at: 2, local: "127.0.0.1:8080", cookie: String(index) },
      ...{ waiting, limit: 128, thread: index + 1 },
    },
  ]));
  assertEquals(describeParts(scene.at(10), String), [
    "loop 1: 3",
    "loop 4: 2",
    "loop 5: 5",
    "loop 7: 4",
    "4 more: 2",
  ]);
}, PURE);

test("who is seen in the accept queue is there, also before anybody has counted", () => {
  const scene = new Scene();
  scene.add([HEADER, { ...SOCKET, at: 30, waiting: true } as Event]);
  assertEquals(describeQueue(scene.at(35).acceptQueue), "1");
  scene.add([{ ...LISTENER, waiting: 1 } as Event]);
  assertEquals([35, 45].map((us) => describeQueue(scene.at(us).acceptQueue)), [
    "1 of 128",
    "1 of 128",
  ]);
}, PURE);

test("a queue of which only the count is told is left by those who are taken", () => {
  const scene = new Scene();
  const taken = (at: number, connection: number): Event[] => [
    { type: "begun", at, connection, peer: `127.0.0.1:${4000 + connection}` },
    { type: "served", at: at + 5, connection, thread: 1 },
  ];
  const counters: Event = { type: "counters", at: 40, values: { queued: 2 } };
  scene.add([HEADER, LISTENER, counters, ...taken(50, 1), ...taken(60, 2), ...taken(70, 3)]);
  const said = [45, 52, 62, 72].map((us) => {
    const { acceptQueue, handOverQueue } = scene.at(us);
    return [acceptQueue.waiting, handOverQueue.waiting];
  });
  assertEquals(said, [[2, 2], [1, 2], [0, 1], [0, 0]]);
}, PURE);

test("the box of the hand-over queue is there before anybody waits in it, or never", () => {
  const hasHandOver = (values: Readonly<Record<string, number>>) => {
    const scene = new Scene();
    scene.add([HEADER, { type: "counters", at: 0, values }]);
    return scene.at(0).hasHandOver;
  };
  assertEquals([hasHandOver({ accepted: 0, queued: 0 }), hasHandOver({ accepted: 0 })], [
    true,
    false,
  ]);
}, PURE);

/** How soon whoever was counted in the accept queue is also seen, in microseconds. */
const SOON_US = 30_000;

const RECORDINGS = new URL("../../site/public/recordings/", import.meta.url);

for (const file of readdirSync(RECORDINGS)) {
  test(`nobody is counted in a queue who is elsewhere: ${file}`, () => {
    const { lines, damaged } = readLines(readFileSync(new URL(file, RECORDINGS), "utf8"));
    assertEquals(damaged, 0);
    const scene = new Scene();
    scene.add(inOrder(lines));
    const pictures = momentsOf(lines).map((us) => {
      const { dots, acceptQueue, handOverQueue } = scene.at(us);
      const seen = (where: string) => dots.filter(({ place }) => place === where).length;
      assertEquals(handOverQueue.waiting, seen("hand-over queue"), `hand-over queue, at ${us} µs`);
      // Nobody is seen there who was not counted.
      const unseen = (acceptQueue.waiting ?? 0) - seen("accept queue");
      assert(unseen >= 0, `accept queue, at ${us} µs: ${unseen}`);
      return { us, unseen, known: new Set(dots.map(({ id }) => id)) };
    });
    // Whoever was only counted is seen soon: when somebody looks, or when the server accepts.
    for (const { us, unseen, known } of pictures.filter(({ unseen }) => unseen > 0)) {
      const soon = pictures.filter((later) => later.us > us && later.us <= us + SOON_US);
      const come = soon.flatMap((later) => [...later.known]).filter((id) => !known.has(id));
      assert(new Set(come).size >= unseen, `accept queue, at ${us} µs: ${unseen} are never seen`);
    }
  });
}

const BEGUN: readonly Event[] = [
  { type: "thread", at: 1, thread: 1, name: "worker 0" },
  { type: "begun", at: 10, connection: 1, peer: "127.0.0.1:4000" },
  { type: "served", at: 10, connection: 1, thread: 1 },
];

test("what goes on is shown while it goes on, and until its span is told", () => {
  const scene = new Scene();
  scene.add([HEADER, ...BEGUN]);
  assertEquals(told(scene.at(20)), ["1 worker 0: reading"]);
  scene.add([{
    type: "doing",
    at: 15,
    thread: 1,
    connection: 1,
    what: "computing",
    task: "prime",
  }]);
  const { dots: [dot], threads: [thread] } = scene.at(20);
  assertEquals([dot?.doing, dot?.task, thread?.activity?.sinceUs], ["computing", "prime", 15]);
  assertEquals(told(scene.at(12)), ["1 worker 0: reading"]);
  scene.add([{ type: "span", at: 15, to: 30, name: "computing", thread: 1, connection: 1 }]);
  assertEquals(told(scene.at(29)), ["1 worker 0: computing"]);
  assertEquals(told(scene.at(31)), ["1 worker 0: reading"]);
  scene.add([{ type: "doing", at: 40, connection: 1, what: "writing" }]);
  assertEquals(told(scene.at(45)), ["1 worker 0: writing"]);
  scene.add([{ type: "doing", at: 50, connection: 1 }]);
  assertEquals(told(scene.at(55)), ["1 worker 0: reading"]);
}, PURE);

test(
  "who waits in the hand-over queue of a server that runs is there before it has a number",
  () => {
    const scene = new Scene();
    const peer = "127.0.0.1:4001";
    scene.add([HEADER, ...BEGUN, { type: "doing", at: 20, peer, what: "queued" }]);
    const both = ["1 worker 0: reading", `${peer} hand-over queue of 1`];
    const view = scene.at(30);
    assertEquals(told(view), both.sort());
    // It was accepted, whatever else is not known of it.
    const [, dot] = view.dots;
    assert(dot !== undefined);
    assertEquals(titleOf(dot, String), "accepted, no number yet");
    assertEquals(scene.lifeOf(dot).map(({ us, text }) => [us, text]), [
      [20, `${peer} is accepted`],
      [20, `${peer} waits in the hand-over queue`],
    ]);
    scene.add([
      { type: "over", at: 50, connection: 1, outcome: "done" },
      { type: "doing", at: 55, peer },
      { type: "begun", at: 20, connection: 2, peer },
      { type: "queued", at: 20, to: 55, connection: 2 },
      { type: "served", at: 55, connection: 2, thread: 1 },
    ]);
    assertEquals(told(scene.at(30)), ["1 worker 0: reading", "2 hand-over queue of 1"]);
    assertEquals(told(scene.at(60)), ["2 worker 0: reading"]);
  },
  PURE,
);

test("FIN and RST are two ends, and what the kernel does not tell is neither", () => {
  const ends = (["fin", "reset", undefined] as const).map((how) => {
    const scene = new Scene();
    scene.add([HEADER, ...BEGUN, { type: "over", at: 50, connection: 1, outcome: "done" }]);
    if (how !== undefined) {
      scene.add([{
        type: "connection",
        at: 60,
        local: "127.0.0.1:8080",
        remote: "127.0.0.1:4000",
        opened_by: "remote",
        closed_first: "remote",
        ended_with: how,
      }]);
    }
    const { dots: [dot] } = scene.at(70, 1_000);
    return dot?.ending;
  });
  assertEquals(ends, ["FIN", "RST", "unknown"]);
  // Whoever has seen the listener among the sockets tells of ends, too: the first is waited for.
  const scene = new Scene();
  scene.add([HEADER, ...BEGUN, { type: "over", at: 50, connection: 1, outcome: "done" }]);
  assertEquals(scene.at(70).areEndsTold, false);
  const listener = { type: "listener", local: "127.0.0.1:8080", waiting: 0, limit: 16 } as const;
  scene.add([{ ...listener, at: 60 }]);
  assertEquals(scene.at(70).areEndsTold, false);
  scene.add([{ ...listener, at: 61, cookie: "1" }]);
  const { areEndsTold, dots: [dot] } = scene.at(70);
  assertEquals([areEndsTold, dot?.place, dot?.ending], [true, "closing", undefined]);
}, PURE);

test("how a connection has ended is not said before the kernel has told it", () => {
  const scene = new Scene();
  const states = (us: number) => {
    const { dots: [dot], totals: { endings }, areEndsTold } = scene.at(us, 1_000);
    return [dot?.place, dot?.ending, endings.FIN, endings.unknown, areEndsTold];
  };
  scene.add([HEADER, LISTENER, ...BEGUN, SOCKET]);
  scene.add([{ type: "over", at: 50, connection: 1, outcome: "done" }]);
  // The kernel is seen, so nobody takes the server's word for it.
  assertEquals(states(60), ["closing", undefined, 0, 0, true]);
  scene.add([{ ...SOCKET, at: 70, state: "CLOSE" } as Event]);
  assertEquals(states(80), ["closing", undefined, 0, 0, true]);
  const [dot] = scene.at(80).dots;
  assert(dot !== undefined);
  assertEquals(doingOf(dot, String), "its conversation is over");
  scene.add([{
    ...{ type: "connection", at: 90, cookie: "1", local: "127.0.0.1:8080" },
    ...{ remote: "127.0.0.1:4000", opened_by: "remote", closed_first: "remote" },
    ended_with: "fin",
  }]);
  assertEquals(states(100), ["ended", "FIN", 1, 0, true]);
  assertEquals(states(80), ["closing", undefined, 0, 0, true]);
}, PURE);

test("a connection whose end the kernel never tells does not close for ever", () => {
  const scene = new Scene();
  scene.add([HEADER, LISTENER, ...BEGUN, SOCKET]);
  scene.add([{ type: "over", at: 50, connection: 1, outcome: "done" }]);
  scene.add([{ ...SOCKET, at: 70, state: "CLOSE" } as Event]);
  assertEquals(scene.at(1e6).dots.map(({ place }) => place), ["closing"]);
  assertEquals(scene.at(3e6).dots, []);
}, PURE);

test("a box for ends of which nobody can say how is there from the beginning, or never", () => {
  const unknownIn = (lines: Recorded, keepUs = Infinity) => {
    const scene = new Scene({ keepUs });
    scene.add([HEADER, ...lines]);
    const { areEndsTold, hasUnknownEnds } = scene.at(0);
    return [areEndsTold, hasUnknownEnds];
  };
  const { cookie: _, ...unnamed } = LISTENER as ListenerEvent;
  const left: Event = { type: "left_out", at: 99, count: 1, what: "connections" };
  assertEquals(unknownIn([LISTENER]), [true, false]);
  assertEquals(unknownIn([LISTENER, left]), [true, true]);
  assertEquals(unknownIn([LISTENER, { ...left, what: "spans" }]), [true, false]);
  // Of a server that runs, what will come is not known.
  assertEquals(unknownIn([LISTENER], 60e6), [true, true]);
  assertEquals(unknownIn([unnamed]), [false, true]);
}, PURE);

test(
  "who was left out does not stay in the picture, and is counted where the server counts",
  () => {
    const scene = new Scene();
    const counters = (at: number, accepted: number, live: number): Event => ({
      type: "counters",
      at,
      values: { accepted, live },
    });
    const closed: Event = {
      ...{ type: "socket", at: 5, cookie: "1", local: "127.0.0.1:8080", remote: "127.0.0.1:4999" },
      state: "CLOSE",
    };
    // The kernel tells of sockets, so ends are waited for.
    scene.add([HEADER, counters(5, 0, 0), closed, ...BEGUN, {
      ...{ type: "over", at: 50, connection: 1, outcome: "done" },
    }]);
    assertEquals(told(scene.at(60)), ["1 closing"]);
    // A flood: its end is among what is left out, and so are a hundred others.
    scene.add([
      { type: "left_out", at: 70, what: "connections", count: 100 },
      counters(70, 101, 0),
    ]);
    assertEquals(told(scene.at(80)), []);
    assertEquals(scene.at(80).totals.endings, { FIN: 0, RST: 0, unknown: 101 });
    // Afterwards one is told of that has ended meanwhile, and one that has not.
    scene.add([
      { type: "begun", at: 65, connection: 9, peer: "127.0.0.1:4009" },
      { type: "served", at: 65, connection: 9, thread: 1 },
      { type: "begun", at: 66, connection: 10, peer: "127.0.0.1:4010" },
      { type: "served", at: 66, connection: 10, thread: 1 },
      { type: "over", at: 90, connection: 9, outcome: "unknown" },
    ]);
    assertEquals(told(scene.at(85)), ["10 worker 0: reading", "9 worker 0: reading"]);
    assertEquals(told(scene.at(95)), ["10 worker 0: reading"]);
  },
  PURE,
);

test("whoever comes late in the stream has the place of its time", () => {
  const scene = new Scene();
  const at = (us: number, connection: number): Event[] => [
    { type: "begun", at: us, connection, peer: `127.0.0.1:${5_000 + connection}` },
    { type: "served", at: us, connection, thread: 1 },
  ];
  scene.add([HEADER, { type: "thread", at: 0, thread: 1, name: "worker 0" }, ...at(10, 1)]);
  scene.add(at(30, 2));
  assertEquals(scene.at(40).dots.length, 2);
  // One whose beginning lies before what was looked at, and one behind it.
  scene.add([...at(20, 3), ...at(50, 4)]);
  assertEquals(scene.at(41).dots.length, 3);
  assertEquals(scene.at(60).dots.length, 4);
  assertEquals(scene.dots.map(({ connection }) => connection), [1, 3, 2, 4]);
  assertEquals(scene.at(15).dots.length, 1);
  scene.add(Array.from({ length: 1_000 }, (_, index) => at(2_000 - index, 10 + index)).flat());
  assertEquals(scene.at(3_000).dots.length, 1_004);
  assertEquals(scene.dots[4]?.connection, 10 + 999);
}, PURE);

test("a server that is told to close while somebody is there says so from then on", () => {
  const closing = { atUs: 20_000, first: "queue" } as const;
  const recording = record({ mode: "sequential", closing });
  const told = eventsOf(recording, "closing")[0]?.at ?? 0;
  const scene = sceneOf(recording);
  assertEquals([told - 1, told].map((us) => scene.at(us).isClosing), [false, true]);
  const happens = (scene: Scene) => scene.happenings().filter(({ text }) => text.includes("close"));
  assertEquals(happens(scene).map(({ us }) => us), [told]);
  // When all have gone, that is no part of the picture.
  const late = record({ mode: "sequential", closing: { ...closing, atUs: 1e9 } });
  assertEquals(happens(sceneOf(late)), []);
});

test("a ladder has the segments of each connection, and what its two ends did", () => {
  const [client, server] = ["127.0.0.1:40000", "127.0.0.1:80"];
  const packet = (at: number, flags: string, way: "out" | "back", more = {}): Event => ({
    type: "packet",
    at,
    from: way === "out" ? client : server,
    to: way === "out" ? server : client,
    flags,
    seq: 1,
    window: 1,
    length: 0,
    ...more,
  });
  const socket = { type: "socket", cookie: "1", end: "server", local: server } as const;
  const [ladder, ...others] = laddersOf([
    { type: "listener", at: 0, local: server },
    packet(30, "PA", "out", { length: 5 }),
    packet(10, "S", "out"),
    packet(20, "SA", "back", { lost: true }),
    { ...socket, at: 40, remote: client, state: "ESTABLISHED", waiting: true },
    { ...socket, at: 45, remote: client, state: "ESTABLISHED", waiting: true },
    {
      type: "call",
      at: 50,
      end: "client",
      call: "recv",
      local: client,
      remote: server,
      error: "ECONNRESET",
    },
    packet(60, "R", "back"),
    { ...socket, at: 70, remote: client, state: "CLOSE" },
  ]);
  assertEquals(others, []);
  assertEquals(
    ladder?.rungs.map(({ us, client, server, segment }) => [
      us,
      client.map(({ text }) => text).join(),
      segment === undefined ? "" : `${segment.way} ${segment.text}${segment.isLost ? " lost" : ""}`,
      server.map(({ text }) => text).join(),
    ]),
    [
      [0, "", "right SYN", ""],
      [10, "", "left SYN, ACK lost", ""],
      [20, "", "right ACK, 5 bytes", ""],
      [30, "", "", "ESTABLISHED, not accepted"],
      [40, "recv() = ECONNRESET", "", ""],
      [50, "", "left RST", ""],
      [60, "", "", "CLOSE"],
    ],
  );
});

test("a port that is used again is another connection", () => {
  const scene = new Scene();
  const end: Event = {
    type: "connection",
    at: 60,
    local: "127.0.0.1:8080",
    remote: "127.0.0.1:4000",
    opened_by: "remote",
    closed_first: "remote",
    ended_with: "reset",
  };
  scene.add([
    ...BEGUN,
    { type: "over", at: 50, connection: 1, outcome: "done" },
    end,
    { type: "begun", at: 100, connection: 2, peer: "127.0.0.1:4000" },
    { type: "served", at: 101, connection: 2, thread: 1 },
  ]);
  assertEquals(told(scene.at(110)), ["2 worker 0: reading"]);
  assertEquals(scene.at(70, 1_000).dots.map(({ ending }) => ending), ["RST"]);
}, PURE);

test("a scene of a server that runs remembers only the last while, and counts all", () => {
  const scene = new Scene({ keepUs: 1_000 });
  scene.add([HEADER, { type: "thread", at: 0, thread: 1, name: "worker 0" }]);
  for (let connection = 1; connection <= 2_000; connection++) {
    const at = connection * 10;
    const peer = `127.0.0.1:${1024 + connection}`;
    scene.add([
      { type: "begun", at, connection, peer },
      { type: "served", at, connection, thread: 1 },
      { type: "span", at, to: at + 3, name: "computing", thread: 1, connection },
      { type: "over", at: at + 5, connection, outcome: "done" },
    ]);
  }
  assert(scene.dots.length <= 150, `${scene.dots.length} are remembered`);
  const { totals } = scene.at(scene.toUs);
  assertEquals([totals.begun, totals.outcomes.done], [2_000, 2_000]);
}, PURE);

test("no line of a recording, and no text that is none, breaks a picture", () => {
  fc.assert(
    fc.property(fc.array(anyEvent), fc.array(fc.string()), (events, rubbish) => {
      const text = formatRecording(events) + rubbish.join("\n");
      const { lines } = readLines(text);
      assert(lines.length >= events.length);
      const scene = new Scene({ keepUs: 1_000 });
      scene.add(lines);
      for (const us of [0, scene.fromUs, scene.toUs]) scene.at(us, 1_000);
      scene.happenings();
    }),
    { numRuns: 100 },
  );
}, PURE);
