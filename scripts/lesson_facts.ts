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

/**
 * What was seen of a chat.
 *
 * @param events the recording of `lab/chat_load.ts --record`
 * @param chat how many users read
 */
function factsOfChat(
  events: readonly Event[],
  { readers }: Pick<ChatRecording, "readers">,
): readonly MeasuredFact[] {
  const lines = events.filter((event) => event.type === "line");
  const said = new Map(
    lines.filter(({ does }) => does === "says").map((said) => [said.line, said]),
  );
  const heard = lines.filter(({ does }) => does === "hears");
  const times = heard.map(({ line, at }) => at - (said.get(line)?.at ?? at)).sort((a, b) => a - b);
  // Nobody hears what they have said themselves.
  const expected = said.size * (readers - 1);
  const row = (what: string, measured: string): MeasuredFact => ({
    what,
    predicted: null,
    measured,
  });
  return [
    row("lines said", String(said.size)),
    row("heard by users who read", `${heard.length} of ${expected}`),
    row("half were heard within", formatTime(times[Math.floor((times.length - 1) / 2)] ?? null)),
    row("all were heard within", formatTime(times.at(-1) ?? null)),
  ];
}
