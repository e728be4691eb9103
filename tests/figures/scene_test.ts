/**
 * Who is where, as scenes say: compared with the histories of simulated servers, where everything is
 * known to the microsecond.
 *
 * @module
 */

import fc from "fast-check";
import { laddersOf } from "../../engine/figures/ladders.ts";
import { readLines } from "../../engine/figures/lines.ts";
import { type Dot, Scene, type View } from "../../engine/figures/scene.ts";
import type { Event, Header } from "../../engine/recording/events.ts";
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
  [{ mode: "sequential" }, ["1 loop 0: computing", "2 accept queue of 1", "3 accept queue of 1"]],
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
      const said = view.listeners.reduce((sum, { waiting = 0 }) => sum + waiting, 0);
      assertEquals([seen, said], [all, all], `at ${at} µs`);
    }
    const queued = eventsOf(recording, "queued");
    for (const { at } of [...queued, ...eventsOf(recording, "begun")]) {
      const inside = queued.filter((one) => one.at <= at && at < one.to).length;
      const { dots } = scene.at(at);
      assertEquals(dots.filter(({ place }) => place === "hand-over queue").length, inside);
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
    return JSON.stringify([told(view), view.listeners, view.totals, view.queued]);
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
  },
  PURE,
);

test("a connection that was never seen in the accept queue is never drawn there", () => {
  const recording = crowd("sequential").filter(({ type }) => type !== "socket");
  const scene = sceneOf(recording);
  let counted = 0;
  for (const us of momentsOf(recording)) {
    const { dots, listeners } = scene.at(us);
    assertEquals(dots.filter(({ place }) => place === "accept queue"), []);
    counted = Math.max(counted, listeners[0]?.waiting ?? 0);
  }
  assert(counted > 10, "the box has the count");
}, PURE);

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
    assertEquals(told(scene.at(30)), both.sort());
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
