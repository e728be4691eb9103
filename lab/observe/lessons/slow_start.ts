/**
 * Slow start: ten segments, then twenty, then forty.
 *
 * @module
 */

import { TCP_CONGESTION, TCP_MAXSEG } from "../../../engine/kernel/linux.ts";
import { DeviceError } from "../wire/device.ts";
import { delayAll } from "../wire/wire.ts";
import type { Lesson } from "../stage/lesson.ts";
import { count, order, type Seen } from "../stage/seen.ts";
import type { Stage, WiredServer } from "../stage/stage.ts";

/** The time for one way over the wire, in milliseconds. */
const WAY_MS = 100;

/** How much later than usual an acknowledgement may be, in microseconds. */
const PATIENCE_US = 3_000_000;

/** The segments of three round trips: 10 + 20 + 40. */
const BYTES = 70 * 1448;

/** The largest segment on the loopback, in bytes: many of them fit into the receiver's window. */
const SEGMENT = 1_000;

/** How often something is sent on the loopback, at most. */
const ROUNDS = 20;

/** `observe lesson slow-start`. */
export const slowStart: Lesson = {
  name: "slow-start",
  summary: "10, 20, 40 segments a round trip: how a sender finds out what the path can carry",
  question:
    "A connection is new, and its server has a megabyte to send. The way there and back takes " +
    "200 ms. How many segments does it send before the first acknowledgement comes?",
  answers: ["one", "ten", "as many as the receiver's window allows"],
  right: 2,
  why:
    "Nobody knows yet what the path can carry. The congestion window begins with 10 segments: RFC " +
    "6928, section 2. Each acknowledged segment opens it by one more, so it doubles in each round " +
    "trip: RFC 5681, section 3.1, which RFC 9293, section 3.8.2, requires. A short answer fits into " +
    "the first ten, and that is why its size decides how long it takes.",
  draws: "calls",

  async run(stage) {
    const wired = stage.isOwn ? await layWire(stage) : undefined;
    if (wired !== undefined) await overTheWire(stage, wired);
    else await onTheLoopback(stage);
  },

  facts(seen) {
    const rounds = roundsIn(seen);
    const [first = 0, second = 0, third = 0] = rounds;
    if (seen.hasCounted("cwnd at first")) {
      return [
        count("congestion window at first", seen.measured("cwnd at first")),
        order("congestion window", [
          "at first",
          seen.measured("cwnd later") >
              seen.measured("cwnd at first")
            ? "larger"
            : "not larger",
        ]),
      ];
    }
    return [
      count("segments of the first round trip", first),
      order("segments of a round trip", [
        "the first",
        second > first ? "more" : "no more",
        third > second ? "more" : "no more",
      ]),
    ];
  },
};

/**
 * How many segments of data the server has sent in each round trip. A round trip ends when the last
 * segment before it has been acknowledged, however long that takes.
 */
function roundsIn(seen: Seen): number[] {
  const data = seen.packets("server").filter(({ length }) => length > 0);
  // Sequence numbers wrap after 2^32 - 1 (RFC 9293, section 3.4).
  const from = (number: number) => (number - (data[0]?.seq ?? 0)) >>> 0;
  const sent = data.map(({ at, seq, length }) => ({ at, end: from(seq + length), isData: true }));
  const answers = seen.packets("client").filter(({ flags }) => !flags.includes("S"))
    .map(({ arrived = Infinity, ack = 0 }) => ({ at: arrived, end: from(ack), isData: false }));
  const rounds: number[] = [];
  // The numbers up to which everything was sent: in the rounds before this one, and at all.
  let before = -Infinity;
  let reached = -Infinity;
  for (const { at: _, end, isData } of [...sent, ...answers].sort((a, b) => a.at - b.at)) {
    if (!isData) {
      if (end > before && reached > before) before = reached;
      else continue;
      rounds.push(0);
    } else {
      if (rounds.length === 0) rounds.push(0);
      rounds.push((rounds.pop() as number) + 1);
      reached = end;
    }
  }
  return rounds.filter((segments) => segments > 0);
}

/** A wire with a delay; `undefined` where this user may not make one, which is explained. */
async function layWire(stage: Stage): Promise<WiredServer | undefined> {
  try {
    // This program may be late, on a busy machine. Nothing must be sent again for that reason.
    if (stage.setting("tcp_rto_min_us") !== undefined) stage.set("tcp_rto_min_us", PATIENCE_US);
    stage.set("tcp_early_retrans", 0);
    return stage.wire(delayAll(WAY_MS));
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    await stage.explain(`${error.message}. The lesson goes on without the wire.`);
    return undefined;
  }
}

async function overTheWire(stage: Stage, { listener, target }: WiredServer): Promise<void> {
  await stage.explain(
    `The wire takes ${WAY_MS} ms for each way. It is this program, and so it can ` +
      "count what passes. The handshake needs the first round trip:",
  );
  const client = stage.client();
  await client.connect(target);
  const server = await listener.accept();
  useReno(stage, server.fd);
  stage.measure({ "congestion window": server.info().snd_cwnd ?? 0 });
  await stage.explain(`The server sends ${BYTES} bytes, as fast as its kernel allows:`);
  let unsent = BYTES;
  let taken = 0;
  let said = 0;
  await stage.until("all data", () => {
    if (unsent > 0) unsent -= Math.max(0, server.sendQuietly(unsent));
    taken += client.drain();
    const cwnd = server.info().snd_cwnd ?? 0;
    if (cwnd >= said * 2) {
      stage.measure({ "congestion window": cwnd });
      said = cwnd;
    }
    return taken >= BYTES;
  });
  await stage.explain(
    `So many segments passed the wire in each round trip: ${
      roundsIn(stage.seen).join(", then ")
    }. ` +
      "The wire could have carried them all at once, but the sender could not know that.",
  );
}

async function onTheLoopback(stage: Stage): Promise<void> {
  const listener = stage.listen();
  const client = stage.client();
  client.set(TCP_MAXSEG, SEGMENT);
  const [, server] = await stage.pair(listener, client);
  useReno(stage, server.fd);
  const before = server.info().snd_cwnd ?? 0;
  await stage.explain(
    "The loopback has no delay, so that the rounds cannot be told apart. But the " +
      "kernel tells how large the congestion window is, before and after some data:",
  );
  stage.measure({ "cwnd at first": before });
  // Each time the client takes everything: what waited for room in its window would be sent again,
  // and then the congestion window begins anew.
  let later = before;
  for (let round = 0; round < ROUNDS && later <= before; round++) {
    await client.take(server.sendQuietly(2 * before * SEGMENT));
    later = server.info().snd_cwnd ?? 0;
  }
  stage.measure({ "cwnd later": later });
  await stage.explain(
    later > before
      ? `It began with ${before} segments, and has grown with acknowledgements.`
      : `It began with ${before} segments. It has not grown yet, because the data never filled it.`,
  );
}

/** The plainest of all, which every kernel has and allows to everybody. */
function useReno(stage: Stage, fd: number): void {
  const { IPPROTO_TCP } = stage.net.constants;
  stage.net.setOptionBytes(fd, IPPROTO_TCP, TCP_CONGESTION, new TextEncoder().encode("reno"));
}
