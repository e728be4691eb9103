/**
 * What the lessons record besides the models: a server that closes while a crowd waits, and a chat.
 *
 * @module
 */

import { spreadOf } from "../../engine/figures/line_table.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { RUNTIMES } from "../../engine/process/runtimes.ts";
import { COMPANIES } from "../../lab/simulator/companies.ts";
import { visitServer } from "../../lab/visited_server.ts";
import { predictClose } from "../../scripts/lesson_facts.ts";
import { predict } from "../../scripts/record_lessons.ts";
import { recordingOf, type ServerRecording } from "../../site/recordings.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, test } from "../kit/harness.ts";
import { eventsOf, readStrictly } from "../kit/recordings.ts";
import { commandOf, Program } from "../kit/server_process.ts";

const on = RUNTIMES.find(({ name }) => name === runtime.name);

test("a server that is told to close serves all who have come, and the simulator says the same", async () => {
  using folder = new Folder();
  assert(on !== undefined);
  const recording = recordingOf("closing-a-server") as ServerRecording;
  const { mode, flags, clients, closesAfter } = recording;
  assert(closesAfter !== undefined);
  const visit = { mode, flags, company: COMPANIES[clients], closesAfter };
  const look = async (time: number) => {
    const file = folder.path(`${time}.jsonl`);
    const { seen } = await visitServer(visit, on, file, AbortSignal.timeout(30_000));
    const recorded = readStrictly(file);
    const told = eventsOf(recorded, "closing");
    const over = eventsOf(recorded, "over");
    return { seen, told, over, isInTime: (over.at(-1)?.at ?? 0) > (told[0]?.at ?? Infinity) };
  };
  // It is told while some are served or wait. On a busy machine all may be done by then.
  let { seen, told, over, isInTime } = await look(0);
  for (let time = 1; time < 5 && !isInTime; time++) {
    ({ seen, told, over, isInTime } = await look(time));
  }
  assert(isInTime);
  assertEquals(told.length, 1);
  // On a busy machine some of those who come later may find the door still open.
  const refused = seen.map(({ wasRefused = false }) => wasRefused);
  assertEquals(refused.slice(0, closesAfter), Array(closesAfter).fill(false));
  const predicted = predict(recording) ?? [];
  assertEquals(
    predicted.map(({ refusal_predicted = false }) => refusal_predicted),
    seen.map((_, place) => place >= closesAfter),
  );
  assert(predicted.every(({ predicted_us }) => predicted_us !== null));

  const answered = refused.filter((wasRefused) => !wasRefused);
  assertEquals(over.map(({ outcome }) => outcome), answered.map(() => "done"));
});

test("the simulator's half of a connection can still be read when the other one is closed", () => {
  assertEquals(predictClose(), { first: "client", how: "FIN", bytes: 3 });
});

test("a recorded chat says which line has reached whom, and who has read none", async () => {
  using folder = new Folder();
  const file = folder.path("it.jsonl");
  const users = ["--clients", "3", "--rooms", "1", "--stalled", "1"];
  const load = [...users, "--rate", "20/s", "--duration", "200ms", "--record", file];
  await using program = new Program(commandOf("lab/chat_load.ts", load));
  const { code, stdout, stderr } = await program.end(30_000);
  assertEquals([code, stderr], [0, ""], stdout);
  const recorded = readStrictly(file);
  assert(recorded.isFinished);
  const { users: peers, lines } = spreadOf(recorded.events);
  assertEquals([peers.length, lines.length], [4, 4]);
  for (const { speaker, heard } of lines) {
    const readers = peers.slice(0, 3);
    assert(speaker !== undefined && readers.includes(speaker));
    assertEquals([...heard.keys()].sort(), readers.filter((peer) => peer !== speaker).sort());
  }
});
