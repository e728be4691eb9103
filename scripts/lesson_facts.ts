/**
 * What the recordings of lessons say that are not those of the models: facts, each beside what the
 * simulator says of it.
 *
 * @module
 */

import type { Event } from "../engine/recording/events.ts";
import { formatTime } from "../engine/values/units.ts";
import { Seen } from "../lab/observe/stage/seen.ts";
import { Random } from "../lab/load/random.ts";
import type { Member, Step } from "../lab/simulator/chat/members.ts";
import { simulateChat } from "../lab/simulator/chat/simulate_chat.ts";
import { dial, Listener } from "../lab/simulator/network.ts";
import { VirtualTime } from "../lab/simulator/virtual_time.ts";
import type { MeasuredFact } from "../site/measured.ts";
import type { ChatRecording, SceneRecording } from "../site/recordings.ts";

/**
 * What a recording shows.
 *
 * @param recording how it was made
 * @param events what is in it
 * @returns `undefined` if its lesson has no table of that
 */
export function factsOf(
  recording: SceneRecording | ChatRecording,
  events: readonly Event[],
): readonly MeasuredFact[] | undefined {
  if (recording.kind === "chat") return factsOfChat(events, recording);
  return recording.scene === "close" ? factsOfClose(events) : undefined;
}

/** How many bytes the server still sends after the client's FIN, in the lesson on closing. */
const LAST_BYTES = 3;

/** What the simulator says of the lesson on closing. */
export interface PredictedClose {
  /** Who has sent the first FIN. */
  readonly first: "client" | "server";
  /** How many bytes the client could still read. */
  readonly bytes: number;
  /** How the connection has ended. */
  readonly how: "FIN" | "RST";
}

/**
 * Plays the lesson on closing in virtual time: the client closes its direction, the server answers
 * with a few bytes and closes too.
 */
export function predictClose(): PredictedClose {
  const time = new VirtualTime();
  const server = { hostname: "192.0.2.1", port: 8080 };
  const listener = new Listener(server, 1);
  const local = { hostname: "198.51.100.1", port: 32_768 };
  const { end: client } = dial(time, new Random(1), { delayUs: 10 }, listener, local);
  let ended: Pick<PredictedClose, "first" | "how"> | undefined;
  client.onEnded = (how, first) =>
    ended = {
      how: how === "fin" ? "FIN" : "RST",
      first: first === "local" ? "client" : "server",
    };
  time.run();
  const accepted = listener.accept();
  client.closeWrite();
  time.run();
  if (accepted?.receive() !== null) throw new Error("The client's FIN has not come");
  accepted.send(new Uint8Array(LAST_BYTES));
  accepted.close();
  time.run();
  const bytes = client.receive()?.length ?? 0;
  if (ended === undefined) throw new Error("The connection has not ended");
  return { ...ended, bytes };
}

/**
 * What was seen of the lesson on closing, beside what the simulator says.
 *
 * @param events the recording of `observe lesson close`
 */
function factsOfClose(events: readonly Event[]): readonly MeasuredFact[] {
  const { first, bytes, how } = predictClose();
  const seen = new Seen(events);
  const fins = seen.packets().filter(({ flags }) => flags.includes("F"));
  const [fin] = fins;
  const about = (name: string) => seen.packets(name);
  const segments = about("client").length + about("server").length;
  const received = seen.calls("client", "recv").reduce(
    (sum, { returned = 0 }) => sum + returned,
    0,
  );
  const resets = [...about("client"), ...about("server")]
    .filter(({ flags }) => flags.includes("R"));
  const waits = ["client", "server"].filter((name) =>
    seen.sockets(name).some(({ state }) => state === "TIME_WAIT")
  );
  const wire = (text: string) => fin === undefined ? null : text;
  return [
    {
      what: "sends the first FIN",
      predicted: first,
      measured: fin === undefined ? null : seen.senderOf(fin),
    },
    {
      what: "bytes that still come after it",
      predicted: String(bytes),
      measured: String(received),
    },
    {
      what: "ends with",
      predicted: how,
      measured: wire(resets.length === 0 ? "FIN" : "RST"),
    },
    { what: "segments in all", predicted: null, measured: wire(String(segments)) },
    { what: "stays in TIME_WAIT", predicted: null, measured: waits.join(", ") || null },
  ];
}

/** What was said in a chat, and when it was heard. */
interface Heard {
  /** How many lines were said. */
  readonly said: number;
  /** How long it took to each user who has heard one, in microseconds. */
  readonly times: readonly number[];
}

/** How often somebody says a line in the lesson's chat, in milliseconds, and how many lines there are. */
const EVERY_MS = 200;
const LINES = 10;

/**
 * Plays the same chat in virtual time: the server's own rooms and outboxes, and users who talk in turn
 * or never read.
 */
function predictChat({ readers, stalled }: Pick<ChatRecording, "readers" | "stalled">): Heard {
  const endMs = (LINES + 5) * EVERY_MS;
  const talkers = Array.from({ length: readers }, (_, place): Member => {
    const own = Array.from({ length: LINES }, (_, line) => line)
      .filter((line) => line % readers === place);
    // Each begins to talk when all have come.
    const steps = own.flatMap((line, index): Step[] => [
      { kind: "listens", ms: (line - (index === 0 ? -1 : own[index - 1] as number)) * EVERY_MS },
      { kind: "types", line: nameOf(line) },
    ]);
    return { name: `${place + 1}`, atUs: 0, steps, ending: "stays" };
  });
  const sleepers = Array.from({ length: stalled }, (_, place): Member => ({
    name: `${readers + place + 1}`,
    atUs: 0,
    steps: [{ kind: "sleeps", ms: endMs }],
    ending: "stays",
  }));
  const { happenings } = simulateChat({
    members: [...talkers, ...sleepers],
    slow: "drop",
    announcesAtMs: 0,
    closesAtMs: endMs,
  });
  const said = new Map(
    happenings.filter(({ what }) => what === "types").map(({ text, atUs }) => [text, atUs]),
  );
  const asleep = new Set(sleepers.map(({ name }) => name));
  const times = happenings.flatMap(({ what, member, text, atUs }) => {
    const at = said.get(text.replace(/^\[[^\]]*\] /, ""));
    return what === "hears" && at !== undefined && !asleep.has(member) ? [atUs - at] : [];
  });
  return { said: said.size, times };
}

function nameOf(line: number): string {
  return `line ${line + 1}`;
}

/** What was seen of a chat, beside what the simulator says. */
function factsOfChat(
  events: readonly Event[],
  recording: Pick<ChatRecording, "readers" | "stalled">,
): readonly MeasuredFact[] {
  const lines = events.filter((event) => event.type === "line");
  const said = new Map(
    lines.filter(({ does }) => does === "says").map((said) => [said.line, said]),
  );
  const heard = lines.filter(({ does }) => does === "hears");
  const measured: Heard = {
    said: said.size,
    times: heard.map(({ line, at }) => at - (said.get(line)?.at ?? at)),
  };
  const predicted = predictChat(recording);
  // Nobody hears what they have said themselves.
  const hearers = recording.readers - 1;
  const row = (what: string, say: (heard: Heard) => string): MeasuredFact => ({
    what,
    predicted: say(predicted),
    measured: say(measured),
  });
  const time = (share: number) => ({ times }: Heard) =>
    formatTime(times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) * share)] ?? null);
  return [
    row("lines said", ({ said }) => String(said)),
    row("heard by users who read", ({ said, times }) => `${times.length} of ${said * hearers}`),
    row("half were heard within", time(0.5)),
    row("all were heard within", time(1)),
  ];
}
