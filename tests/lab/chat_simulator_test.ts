/**
 * The chat in virtual time: thousands of histories in which its promises hold, and faults that were
 * put into it and are found.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { Desk } from "../../chat/host/desk.ts";
import { Outbox } from "../../chat/host/outbox.ts";
import { Visitors } from "../../chat/host/visitors.ts";
import { Hall } from "../../chat/rooms/hall.ts";
import { GOODBYE } from "../../chat/talk/notices.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { RUNTIMES } from "../../engine/process/runtimes.ts";
import { chatOf, type ChatTrial, explore } from "../../lab/simulator/chat/explore.ts";
import { companyOf } from "../../lab/simulator/chat/members.ts";
import { brokenPromises } from "../../lab/simulator/chat/promises.ts";
import { type ChatSimulation, simulateChat } from "../../lab/simulator/chat/simulate_chat.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, test } from "../kit/harness.ts";
import { commandOf, ourRuntime, Program } from "../kit/server_process.ts";
import { tryChats } from "../proofs/chat.ts";

const SCRIPT = "lab/simulate.ts";

/** So much waits for a slow reader that it takes seconds to read it. */
const STEADY = { slow: "drop", outboxBytes: 8_192 } as const;

/** All that is known of a history. */
function textOf({ happenings, recording }: ChatSimulation): string {
  return JSON.stringify([happenings, recording]);
}

test("whatever the network does and whoever comes first, the chat keeps its promises", () => {
  assert(tryChats(200) > 200);
  const ends = new Set<string>();
  for (let seed = 1; seed <= 40; seed++) {
    const { members, counts } = chatOf(seed);
    for (const { member, hasEnded, wasAccepted } of members) {
      if (wasAccepted) ends.add(`${member.ending} ${hasEnded}`);
    }
    assert(counts.delivered > 0, "something was heard");
  }
  assertEquals([...ends].sort(), ["quits true", "stays true", "vanishes false"]);
}, { pure: true });

test(
  "a member who reads too slowly loses its own connection, or its own lines, and no others",
  () => {
    let [cutOff, leftOut] = [0, 0];
    for (let seed = 1; seed <= 30; seed++) {
      const cut = chatOf(seed, { hasSleeper: true });
      assertEquals(brokenPromises(cut), [], `seed ${seed}`);
      const slow = cut.members.filter(({ wasSlow }) => wasSlow);
      assert(slow.every(({ name }) => name === "bob"), "only the sleeper is cut off");
      cutOff += slow.length;
      const drop = chatOf(seed, { hasSleeper: true, knobs: { slow: "drop" } });
      assertEquals(brokenPromises(drop), [], `seed ${seed}, with drop`);
      assertEquals(drop.members.filter(({ wasSlow }) => wasSlow), []);
      if (drop.counts.dropped > 0) leftOut++;
    }
    assert(cutOff > 10, `${cutOff} were cut off`);
    assert(leftOut > 10, `${leftOut} had to be told of lines that were left out`);
  },
  { pure: true },
);

test("a member may be told more than once of lines that were left out before it hears talk", () => {
  const found = chatOf(830, { hasSleeper: true, knobs: { slow: "drop" } });
  const told = found.members.map(({ heard }) =>
    heard.filter((line) => /^(?:\[|\* you missed )/.test(line)).map((line) => line.slice(0, 5))
  );
  assert(told.some(([first, second]) => first === "* you" && second === "* you"));
  assertEquals(brokenPromises(found), []);
}, { pure: true });

test(
  "a member who reads slowly but steadily has the last lines; one who sleeps on does not hold the server",
  () => {
    const endings = (sips: boolean, seed: number) => {
      const trial = { hasSleeper: true, sips, knobs: STEADY } as const;
      const found = sips ? chatOf(seed, trial) : simulateChat({
        members: companyOf(seed, { members: 4, lines: 4, hasSleeper: true }).map((member) => ({
          ...member,
          steps: member.steps.map((step) =>
            step.kind === "sleeps" ? { ...step, ms: 60_000 } : step
          ),
        })),
        path: { delayUs: 100, buffer: 2_048 },
        slow: "drop",
        seed,
      });
      const bob = found.members.find(({ name }) => name === "bob");
      return { seconds: (found.endedUs ?? Infinity) / 1_000_000, bob };
    };
    let late = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const { seconds, bob } = endings(true, seed);
      assertEquals([bob?.wasCut, bob?.heard.at(-1)], [false, GOODBYE], `seed ${seed}`);
      if (seconds > 3) late++;
      const asleep = endings(false, seed);
      assert(asleep.bob?.wasCut && asleep.seconds < 3, `seed ${seed}: ${asleep.seconds} s`);
    }
    assert(late > 10, `${late} servers have waited for the one who reads`);
  },
  { pure: true },
);

test(
  "the same seed gives the same chat, and another seed lets the same members come otherwise",
  () => {
    assertEquals(textOf(chatOf(7)), textOf(chatOf(7)));
    const members = companyOf(7, { members: 4, lines: 4, hasSleeper: false });
    const histories = Array.from(
      { length: 100 },
      (_, seed) => textOf(simulateChat({ members, seed })),
    );
    assert(new Set(histories).size > 90, "nearly each seed has a history of its own");
  },
  { pure: true },
);

test("a simulated chat makes a recording that every reader of recordings takes", () => {
  const { recording, members } = chatOf(3);
  const text = recording.map((event) => JSON.stringify(event) + "\n").join("");
  const { events, isFinished } = readRecording(text, "chat");
  assert(isFinished);
  const begun = events.filter(({ type }) => type === "begun").length;
  assertEquals(begun, members.filter(({ connectedUs }) => connectedUs !== undefined).length);
  assertEquals(events.filter(({ type }) => type === "over").length, begun);
}, { pure: true });

/** A fault. */
interface Fault {
  readonly name: string;
  /** Puts it into the chat. Returns a function that takes it out again. */
  plant(): () => void;
  /** What is said of the history that shows it. */
  readonly told: RegExp;
  readonly trial?: ChatTrial;
}

/** Puts another method into a class. */
function replace<Class extends object, Name extends keyof Class>(
  prototype: Class,
  name: Name,
  make: (real: Class[Name]) => Class[Name],
): () => void {
  const real = prototype[name];
  prototype[name] = make(real);
  return () => void (prototype[name] = real);
}

const FAULTS: readonly Fault[] = [
  {
    name: "whoever moves to another room stays in the old one, too",
    plant: () =>
      replace(Hall.prototype, "join", (join) =>
        function (this: Hall, user, name) {
          const { room } = user;
          join.call(this, user, name);
          room.users.add(user);
        }),
    told: / was in \w+ and has heard: /,
  },
  {
    name: "a line is given twice to an outbox that has something to send",
    plant: () =>
      replace(Outbox.prototype, "hear", (hear) =>
        function (this: Outbox, line, isForFew) {
          const isSecond = this.isDue;
          hear.call(this, line, isForFew);
          if (isSecond) hear.call(this, line, isForFew);
        }),
    told: / has heard twice: | should have heard /,
  },
  {
    name: "a connection is closed before its last lines are sent",
    plant: () =>
      replace(Outbox.prototype, "finish", () =>
        function (this: Outbox, done) {
          done();
        }),
    told: / has heard last: | lines: not "/,
  },
  {
    name: "it is not seen that whoever reads slowly reads",
    plant() {
      const real = Object.getOwnPropertyDescriptor(Outbox.prototype, "left") as PropertyDescriptor;
      Object.defineProperty(Outbox.prototype, "left", { ...real, get: () => 1 });
      return () => void Object.defineProperty(Outbox.prototype, "left", real);
    },
    told: / has heard last: | lines: not "/,
    trial: { hasSleeper: true, sips: true, knobs: STEADY },
  },
  {
    name: "nobody is told that the server ends",
    plant: () => replace(Visitors.prototype, "tellAll", () => () => {}),
    told: / was not told that the server ends/,
  },
  {
    name: "a name is not given back if its user has gone before it was granted",
    plant: () => replace(Desk.prototype, "giveBack", () => () => {}),
    told: /when all were gone, there were still the name /,
    trial: { members: 8, lines: 2, knobs: { namesUs: 5_000 } },
  },
];

/** Within how many seeds each of them is found. */
const SEEDS = 500;

for (const { name, plant, told, trial } of FAULTS) {
  test(`a planted fault is found by a seed, which shows it again: ${name}`, () => {
    const remove = plant();
    let seed: number;
    let history: string;
    try {
      const failure = explore(1, SEEDS, trial);
      assert(failure !== undefined, `it was found within ${SEEDS} seeds`);
      assertMatch(failure.broken.join("; "), told);
      seed = failure.seed;
      const again = chatOf(seed, trial);
      assertEquals(brokenPromises(again), failure.broken);
      history = textOf(again);
      assertEquals(textOf(chatOf(seed, trial)), history);
    } finally {
      remove();
    }
    assertEquals(brokenPromises(chatOf(seed, trial)), []);
  }, { pure: true });
}

test("both runtimes print and record the same history, byte for byte", async () => {
  using folder = new Folder();
  const found = await Promise.all(
    RUNTIMES.filter(({ isHere }) => isHere).map(async ({ name, path, run }) => {
      const file = folder.path(name);
      const args = [SCRIPT, "chat", "--seed", "11", "--members", "9", "--record", file];
      await using program = new Program([path, ...run, ...args]);
      const { code, stdout, stderr } = await program.end();
      assertEquals([code, stderr], [0, ""]);
      return [stdout, readFileSync(file, "utf8")];
    }),
  );
  assert(found.length > 0);
  for (const [stdout = "", recording = ""] of found) {
    assertEquals([stdout, recording], found[0] as string[]);
    assertMatch(stdout, /^ +\d+\.\d{3} ms {2}\w+ +> /m);
    assertMatch(stdout, /Each has heard what it should, once and in order\.$/m);
    assert(recording.length > 1_000);
  }
});

test("the command tries many seeds, tells the one that fails, and shows it again", async () => {
  const planted = [ourRuntime.path, ...ourRuntime.run, "tests/kit/planted_fault.ts"];
  await using whole = new Program(commandOf(SCRIPT, ["chat", "--seeds", "100"]));
  await using model = new Program(commandOf(SCRIPT, ["threadpool", "--seeds", "20"]));
  await using broken = new Program([...planted, "chat", "--seeds", "500"]);
  const [good, served, bad] = await Promise.all([whole.end(), model.end(), broken.end()]);
  assertEquals([good.code, good.stdout, good.stderr], [
    0,
    "100 histories, seeds 1 to 100: none has failed\n",
    "",
  ]);
  assertEquals([served.code, served.stderr], [0, ""]);
  assertEquals([bad.code, bad.stderr], [1, ""]);
  assertMatch(bad.stdout, /^seed \d+ fails, after \d+ that did not:$/m);
  const [, seed = ""] = /^See it again: .* chat --seed (\d+)$/m.exec(bad.stdout) ?? [];
  await using again = new Program([...planted, "chat", "--seed", seed]);
  const { code, stdout } = await again.end();
  assertEquals(code, 1);
  assertMatch(stdout, /^Broken: /m);
});

test("the command draws a model's history, and refuses what does not go together", async () => {
  await using drawn = new Program(commandOf(SCRIPT, ["event"]));
  await using strange = new Program(commandOf(SCRIPT, ["event", "--members", "3"]));
  await using both = new Program(commandOf(SCRIPT, ["chat", "--seeds", "2", "--record", "x"]));
  const [{ code, stdout }, flag, record] = await Promise.all([
    drawn.end(),
    strange.end(),
    both.end(),
  ]);
  assertEquals(code, 0);
  assertMatch(stdout, /^echo {2,}.*[░▒▓─█]/m);
  assertEquals([flag.code, flag.stderr], [2, "simulate: --members goes with chat alone\n"]);
  assertEquals([record.code, record.stderr], [
    2,
    "simulate: --record keeps one history: --seeds excludes it\n",
  ]);
});
