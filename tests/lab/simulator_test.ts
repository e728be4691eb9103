/**
 * Servers in virtual time: their histories, and what they say about real ones.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import type { Event } from "../../engine/recording/events.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { askFrame, beSilent, LONG_PRIME, threeClients } from "../../lab/simulator/clients.ts";
import type { Path } from "../../lab/simulator/network.ts";
import {
  type Client,
  simulate,
  SIMULATED,
  type Simulation,
  type SimulationOptions,
} from "../../lab/simulator/simulate.ts";
import { VirtualTime } from "../../lab/simulator/virtual_time.ts";
import { Random } from "../../lab/load/random.ts";
import { compute, helloClient, type Protocol, read, write } from "../../protocol.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, assertThrows, test } from "../kit/harness.ts";
import { ROWS } from "../kit/rows.ts";
import { ourRuntime, Program } from "../kit/server_process.ts";

/** A network on which everything may go wrong that TCP puts right. */
const ROUGH: Path = { delayUs: 100, jitterUs: 300, loss: 0.05, segment: 5, cuts: true };

/** The three clients of each lesson, with `frame`. */
function three(options: Partial<SimulationOptions> & Pick<SimulationOptions, "mode">): Simulation {
  return simulate({ protocol: "frame", clients: threeClients(), workers: 2, ...options });
}

/** The clients' names, in the order in which they had their answers. */
function orderOf({ clients }: Simulation): string {
  return clients.toSorted((one, other) => (one.overUs ?? 0) - (other.overUs ?? 0))
    .map(({ name }) => name).join();
}

/** The events of one type. */
function eventsOf<Type extends Event["type"]>({ recording }: Simulation, type: Type) {
  return recording.filter((event) => event.type === type) as Extract<Event, { type: Type }>[];
}

test("virtual time lets things happen in their order, and those of one moment as asked", () => {
  const time = new VirtualTime();
  const seen: string[] = [];
  const note = (name: string) => () => seen.push(`${name} ${time.nowUs}`);
  time.after(20, note("late"));
  time.after(10, note("first"));
  time.after(10, () => {
    note("second")();
    time.after(0, note("at once"));
  });
  time.after(15, note("never")).cancel();
  time.run(15);
  assertEquals(seen, ["first 10", "second 10", "at once 10"]);
  assertEquals(time.nowUs, 15);
  time.run();
  assertEquals(seen.at(-1), "late 20");
  assertThrows(() => time.after(-1, note("")), RangeError);
  assertThrows(() => time.after(NaN, note("")), RangeError);
}, { pure: true });

test("virtual time keeps the order of ten thousand things", () => {
  const time = new VirtualTime();
  const chance = new Random(7);
  const seen: number[] = [];
  for (let each = 0; each < 10_000; each++) {
    time.after(chance.between(0, 500), () => seen.push(time.nowUs));
  }
  time.run();
  assertEquals(seen, seen.toSorted((one, other) => one - other));
  assertEquals(seen.length, 10_000);
}, { pure: true });

test("what is asked for the same moment at different times happens in the order of asking", () => {
  const time = new VirtualTime();
  const chance = new Random(5);
  const seen: number[] = [];
  // Between two numbers of that size there are others: 0.1 + (0.3 - 0.1) is not always 0.3.
  const moment = 206_276.1;
  for (let asked = 0; asked < 1_000; asked++) {
    time.at(asked * 100 + chance.next() / 2 ** 32, () => time.at(moment, () => seen.push(asked)));
  }
  time.run();
  assertEquals(seen, Array.from({ length: 1_000 }, (_, asked) => asked));
  assertThrows(() => time.at(1, () => {}), RangeError);
}, { pure: true });

test("the same seed gives the same history, another seed another one", () => {
  for (const mode of SIMULATED) {
    const run = (seed: number) =>
      JSON.stringify(three({ mode, seed, path: ROUGH, shuffles: true }).recording);
    assertEquals(run(3), run(3));
    assert(run(3) !== run(4));
  }
}, { pure: true });

test("whatever the network does and whoever comes first, each client gets its own answer", () => {
  const orders = new Set<string>();
  for (const mode of SIMULATED) {
    for (let seed = 1; seed <= 60; seed++) {
      const found = three({ mode, seed, path: ROUGH, shuffles: true, clients: threeClients(10) });
      const results = found.clients.map(({ result, error }) => error ?? result);
      assertEquals(results, ["prime", "fdip", "prime"], `${mode}, seed ${seed}`);
      if (mode === "threadpool") orders.add(orderOf(found));
    }
  }
  assert(orders.size > 2, "the seed decides who comes first");
}, { pure: true });

test("the models overtake where the real servers of the same mode do, as the contract says", () => {
  const seen = new Set<string>();
  for (const { mode, args, overtakes, name } of ROWS) {
    if (!SIMULATED.includes(mode)) continue;
    seen.add(mode);
    const offload = args.includes("--offload") ? { offload: 0 } : {};
    const queue = args.includes("--queue") ? { queue: 0 } : {};
    const found = three({ mode, ...offload, ...queue });
    const expected = overtakes ? "echo,small prime,long prime" : "long prime,echo,small prime";
    assertEquals(orderOf(found), expected, name);
  }
  assertEquals([...seen].sort(), SIMULATED.toSorted());
}, { pure: true });

test("a simulated recording is one that every reader of recordings takes", () => {
  for (const mode of SIMULATED) {
    const found = three({ mode });
    const text = found.recording.map((event) => JSON.stringify(event) + "\n").join("");
    const { events, isFinished } = readRecording(text, mode);
    assert(isFinished);
    assertEquals(events.length, found.recording.length - 1);
    assertEquals(eventsOf(found, "begun").length, 3);
    assertEquals(eventsOf(found, "over").map(({ outcome }) => outcome), ["done", "done", "done"]);
    const tasks = eventsOf(found, "span").filter(({ name }) => name === "computing");
    assertEquals(tasks.map(({ task }) => task), ["prime", "prime"]);
    // A thread does one thing at a time.
    for (const { thread } of eventsOf(found, "thread")) {
      const spans = eventsOf(found, "span").filter((span) => span.thread === thread)
        .filter(({ name }) => name === "computing");
      spans.reduce((last, { at, to }) => {
        assert(at >= last, `${mode}, thread ${thread}`);
        return to;
      }, 0);
    }
  }
}, { pure: true });

test("a loop that computes by itself holds everybody up, one that off-loads nobody", () => {
  const [inPlace, offloaded] = [0, 2].map((offload) => three({ mode: "event", offload }));
  const turns = (found: Simulation) =>
    eventsOf(found, "span").filter(({ name }) => name === "turn").map(({ at, to }) => to - at);
  assert(Math.max(...turns(inPlace as Simulation)) > 90_000);
  assert(Math.max(...turns(offloaded as Simulation)) < 1_000);
  const waits = eventsOf(offloaded as Simulation, "span").filter(({ name }) =>
    name === "waiting for computing"
  );
  assertEquals(waits.length, 2);
}, { pure: true });

test("a full accept queue drops the next SYN, which is sent again after a second", () => {
  const silent: Client = { name: "silent", atUs: 0, converse: () => beSilent(2_500) };
  const asks = (index: number): Client => ({
    name: `asks ${index}`,
    atUs: 1_000 * (index + 1),
    converse: () => askFrame("echo"),
  });
  const clients = [silent, ...[0, 1, 2].map(asks)];
  const found = simulate({ mode: "sequential", protocol: "frame", clients, backlog: 1 });
  // Linux takes one more than the limit: the fourth client finds no room.
  assertEquals(found.clients.map(({ result }) => result), [undefined, "fdip", "fdip", "fdip"]);
  const connected = found.clients.map(({ connectedUs = 0, atUs }) => connectedUs - atUs);
  assertEquals(connected.map((us) => Math.floor(us / 1_000_000)), [0, 0, 0, 3]);
  assertEquals(found.dropped, 3);
  const waiting = eventsOf(found, "listener").map(({ waiting: count }) => count);
  assertEquals(Math.max(...waiting as number[]), 2);
}, { pure: true });

test("a server that empties its queue before it closes loses nobody, one that closes first does", () => {
  // The first client keeps the only thread busy. The last one comes when the server is closing.
  const clients = [0, 1, 2, 3, 60].map((ms) => ({
    name: `${ms} ms`,
    atUs: ms * 1_000,
    converse: () => askFrame(LONG_PRIME),
  }));
  for (const mode of SIMULATED) {
    const close = (first: "queue" | "listener") =>
      simulate({ mode, protocol: "frame", clients, workers: 1, closing: { atUs: 50_000, first } });
    const gentle = close("queue");
    const refused = (found: Simulation) => found.clients.map(({ wasRefused }) => wasRefused);
    assertEquals(refused(gentle), [false, false, false, false, true], mode);
    assertEquals(gentle.clients.slice(0, 4).map(({ error }) => error), Array(4).fill(undefined));
    // Who is served while others wait in the accept queue: there nobody else accepts.
    const waits = mode === "sequential" || mode === "prefork";
    // As long as they wait, nobody hears a SYN. It is sent again after a second.
    const last = gentle.clients.at(-1);
    assertEquals((last?.overUs ?? 0) - (last?.atUs ?? 0) >= 1e6, waits, mode);
    assertEquals(eventsOf(gentle, "closing").length, 1);

    const rash = close("listener");
    assertEquals(refused(rash), [false, false, false, false, true], mode);
    const lost = rash.clients.filter(({ error, wasRefused }) => error !== undefined && !wasRefused);
    assertEquals(lost.length, waits ? 3 : 0, mode);
  }
});

test("a client that says nothing ends by the server's limit, and is told in the recording", () => {
  const clients = [
    { name: "silent", atUs: 0, converse: () => beSilent(60_000) },
    { name: "greets", atUs: 1_000, converse: () => helloClient(5) },
  ];
  const [silent, greets] = simulate({ mode: "sequential", protocol: "hello", clients }).clients;
  assertEquals(greets?.result, 6);
  // The read limit of hello is five seconds, and the one behind waits for as long.
  assertEquals(Math.floor((greets?.overUs ?? 0) / 1_000_000), 5);
  assertEquals(silent?.error, undefined);
  const found = simulate({ mode: "threadpool", workers: 2, protocol: "hello", clients });
  assertEquals(eventsOf(found, "over").map(({ failure, outcome }) => failure ?? outcome), [
    "done",
    "empty",
  ]);
}, { pure: true });

test("a client that leaves in the middle of a question is a peer that is gone", () => {
  function* leave(): Protocol {
    yield* read();
    yield* write(new TextEncoder().encode("^P12"));
  }
  const clients = [{ name: "leaves", atUs: 0, converse: leave }];
  for (const mode of SIMULATED) {
    const found = simulate({ mode, protocol: "frame", clients });
    assertEquals(eventsOf(found, "over").map(({ failure }) => failure), ["peer gone"], mode);
  }
}, { pure: true });

test("a writer waits for a reader that is late, and no byte is lost", () => {
  const total = 3_000_000;
  function* pour(): Protocol {
    yield* write(new Uint8Array(total).map((_, at) => at % 251));
  }
  function* readLate(): Protocol<number> {
    let count = 0;
    for (let bytes; (bytes = yield* read()) !== null; count += bytes.length) {
      assert(bytes.every((byte, at) => byte === (count + at) % 251));
    }
    return count;
  }
  const protocol = {
    name: "pour",
    summary: "",
    readTimeoutMs: 0,
    sessionTimeoutMs: 0,
    serve: pour,
  };
  const clients = [{ name: "late", atUs: 0, converse: readLate }];
  for (const mode of SIMULATED) {
    const found = simulate({ mode, protocol, clients, path: { delayUs: 20_000 } });
    assertEquals(found.clients[0]?.result, total, mode);
    assert(eventsOf(found, "span").some(({ name }) => name === "writing"), mode);
  }
}, { pure: true });

/** A protocol with one request, which takes as long as its client says, in microseconds. */
const WORKS = {
  name: "works",
  summary: "",
  readTimeoutMs: 0,
  sessionTimeoutMs: 0,
  tasks: { work: () => 0 },
  *serve(): Protocol {
    const asked = yield* read();
    if (asked === null) return;
    yield* compute("work", Number(new TextDecoder().decode(asked)));
    yield* write(asked);
  },
};

/**
 * The mean time that a request waits for one of `c` servers when requests come by Poisson and take
 * exponentially long: Erlang's C formula (A. K. Erlang, 1917).
 *
 * @param c how many servers
 * @param rho how busy they are: 0 to 1
 * @param serviceUs the mean time that a request takes
 */
function erlangWaitUs(c: number, rho: number, serviceUs: number): number {
  const offered = c * rho;
  let [term, sum] = [1, 1];
  for (let k = 1; k < c; k++) sum += term *= offered / k;
  const last = term * offered / c / (1 - rho);
  return last / (sum + last) * serviceUs / (c * (1 - rho));
}

test("a simulated pool of c threads waits as queueing theory says: M/M/c", () => {
  const [c, rho, serviceUs, requests] = [3, 0.7, 1_000, 12_000];
  const chance = new Random(42);
  const exponential = (mean: number) => -mean * Math.log(1 - chance.next() / 2 ** 32);
  let atUs = 0;
  const clients = Array.from({ length: requests }, (_, index): Client => {
    atUs += exponential(serviceUs / (c * rho));
    const us = exponential(serviceUs);
    return {
      name: String(index),
      atUs,
      *converse() {
        yield* write(new TextEncoder().encode(String(us)));
        yield* read();
        return us;
      },
    };
  });
  const free = { acceptUs: 0, receiveUs: 0, sendUs: 0, byteUs: 0, wakeUs: 0, handOverUs: 0 };
  const found = simulate({
    mode: "threadpool",
    protocol: WORKS,
    clients,
    workers: c,
    queue: requests,
    cores: c,
    backlog: requests,
    path: { delayUs: 0 },
    costs: free,
    computeUs: (_, us) => us as number,
  });
  assertEquals(found.clients.filter(({ overUs }) => overUs === undefined).length, 0);
  const waits = found.clients.map(({ overUs, atUs, result }) =>
    (overUs as number) - atUs - (result as number)
  );
  const mean = waits.reduce((sum, us) => sum + us, 0) / requests;
  const expected = erlangWaitUs(c, rho, serviceUs);
  assert(Math.abs(mean / expected - 1) < 0.1, `${mean} µs, computed ${expected} µs`);
  assert(Math.abs(found.busyUs / (c * atUs) - rho) < 0.03);
}, { pure: true });

test("a mode without a model, and a history without an end, are refused", () => {
  assertThrows(() => three({ mode: "berkeley" }), RangeError, "Cannot simulate: expected");
  function* forEver(): Protocol {
    for (;;) yield* write(new Uint8Array(0));
  }
  const endless = { name: "", summary: "", readTimeoutMs: 0, sessionTimeoutMs: 0, serve: forEver };
  const clients = [{ name: "one", atUs: 0, converse: () => askFrame(LONG_PRIME) }];
  assertThrows(
    () => simulate({ mode: "sequential", protocol: endless, clients, mostSteps: 10_000 }),
    Error,
    "it does not end",
  );
}, { pure: true });

test("the example of the documentation runs, and prints who waits for whom", async () => {
  const document = new URL("../../docs/simulator.md", import.meta.url);
  const [, code = ""] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(document, "utf8")) ?? [];
  using folder = new Folder();
  const file = folder.path("example.ts");
  writeFileSync(file, code.replaceAll('"../', `"${new URL("../../", import.meta.url).href}`));
  await using program = new Program([ourRuntime.path, ...ourRuntime.run, file]);
  const { code: status, stdout, stderr } = await program.end();
  assertEquals([status, stderr], [0, ""]);
  const names = stdout.trim().split("\n").map((line) => line.replace(/ [\d.]+ ms$/, ""));
  assertEquals(names.slice(0, 3), ["long prime", "echo", "small prime"]);
  assertMatch(stdout, /^\d+ events$/m);
});
