/**
 * Questions about how connections end.
 *
 * @module
 */

import { TCP_LINGER2 } from "../../engine/kernel/linux.ts";
import type { End, Listener } from "../observe/stage/ends.ts";
import { reset } from "../observe/lessons/reset.ts";
import { count, order } from "../observe/stage/seen.ts";
import type { Stage } from "../observe/stage/stage.ts";
import { said } from "./found.ts";
import { endsIn, rowsOf, secondsOf } from "./helpers.ts";
import { asIn, type SocketQuestion } from "./question.ts";

/** A short time for FIN_WAIT2, in seconds. */
const SHORT_S = 5;

/** A time that is surely longer, and surely shorter than that of TIME_WAIT, in seconds. */
const BETWEEN_S = 30;

/** How long programs do not close, in milliseconds. */
const FORGETFUL_MS = 200;

const sideOfTimeWait: SocketQuestion = {
  id: "side-of-time-wait",
  topic: "closing",
  text: "Both ends close a connection, one after the other. Which end stays in TIME_WAIT?",
  answers: ["the client", "the end that has closed first", "both"],
  book: 2,
  why:
    "Whoever closes first sends the last ACK, and must be able to send it again. TIME_WAIT also " +
    "keeps old segments away from the next connection with the same addresses and ports. If both " +
    "FINs cross on their way, both ends have closed first, and both wait.",
  sources: ["RFC 9293, section 3.6.1 (MUST-13)", "RFC 9293, section 3.3.2 (figure 5)"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen();
    const byClient = await closeBoth(stage, listener, "client");
    const byServer = await closeBoth(stage, listener, "server");
    return [
      order("in TIME_WAIT when the client closes first", byClient),
      order("in TIME_WAIT when the server closes first", byServer),
    ];
  },
  decide(found) {
    const waits = (first: string) =>
      found.order(`in TIME_WAIT when the ${first} closes first`).join();
    const both = [waits("client"), waits("server")].join(" ");
    if (both === "client client") return 1;
    if (both === "client server") return 2;
    return both === "client,server client,server" ? 3 : undefined;
  },
};

/** Closes a connection at both ends. @returns the ends that are in TIME_WAIT then */
async function closeBoth(
  stage: Stage,
  listener: Listener,
  first: "client" | "server",
): Promise<readonly string[]> {
  const [client, server] = await stage.pair(listener);
  const [one, other] = first === "client" ? [client, server] : [server, client];
  one.close();
  await other.receive();
  other.close();
  await stage.until("TIME_WAIT", () => endsIn(stage, client, "TIME_WAIT").length > 0);
  return endsIn(stage, client, "TIME_WAIT");
}

const shorterTimeWait: SocketQuestion = {
  id: "shorter-time-wait",
  topic: "closing",
  text: `Does TIME_WAIT become shorter if tcp_fin_timeout is set to ${SHORT_S} seconds?`,
  answers: [
    `yes: TIME_WAIT lasts ${SHORT_S} seconds then`,
    "no: TIME_WAIT lasts 60 seconds on Linux, whatever anybody sets",
    `no: TIME_WAIT lasts twice as long, ${2 * SHORT_S} seconds`,
  ],
  book: 2,
  why:
    "tcp_fin_timeout limits something else: how long an end stays in FIN_WAIT2 that its program has " +
    "closed and whose peer does not close. The 60 seconds of TIME_WAIT are a constant in the kernel. " +
    "They disturb less than people think.",
  sources: ["tcp(7): tcp_fin_timeout", "kernel: TCP_TIMEWAIT_LEN in include/net/tcp.h"],
  on: "sockets",
  async run(stage) {
    if (stage.isOwn) stage.set("tcp_fin_timeout", SHORT_S);
    const listener = stage.listen();
    const [both, bothServer] = await stage.pair(listener);
    const [alone, aloneServer] = await stage.pair(listener);
    // Elsewhere the option says the same for one socket: tcp(7).
    if (!stage.isOwn) { for (const end of [both, alone]) end.set(TCP_LINGER2, SHORT_S); }
    for (const client of [both, alone]) client.close();
    await bothServer.receive();
    bothServer.close();
    await aloneServer.receive();
    await stage.until(
      "the states",
      () =>
        endsIn(stage, both, "TIME_WAIT").length > 0 && endsIn(stage, alone, "FIN_WAIT2").length > 0,
    );
    return [
      count("seconds left of TIME_WAIT", secondsOf(rowsOf(stage, both).client) ?? NaN),
      count("seconds left of FIN_WAIT2", secondsOf(rowsOf(stage, alone).client) ?? NaN),
    ];
  },
  decide(found) {
    const [time, fin] = ["TIME_WAIT", "FIN_WAIT2"].map((state) =>
      found.count(`seconds left of ${state}`)
    ) as [number, number];
    if (!(fin <= BETWEEN_S)) return undefined;
    return time > BETWEEN_S ? 2 : time > SHORT_S ? 3 : 1;
  },
};

const closeWait: SocketQuestion = {
  id: "close-wait-grows",
  topic: "closing",
  text: "The number of connections in CLOSE_WAIT grows and grows on a server. What is wrong?",
  answers: [
    "the network loses the ACKs of the clients",
    "the server's own program does not close them",
    "the kernel keeps them too long: a setting must be lowered",
  ],
  book: 2,
  why:
    "CLOSE_WAIT means that the peer has closed, and that this kernel waits for its own program to " +
    "do the same. No timer runs, and no setting ends it. The program has not read the end of the " +
    "stream, or has read it and forgot to close.",
  sources: ["RFC 9293, section 3.3.2", "RFC 9293, section 3.6"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen();
    const pairs: (readonly [End, End])[] = [];
    while (pairs.length < 3) pairs.push(await stage.pair(listener));
    for (const [client] of pairs) client.close();
    for (const [, server] of pairs) await server.receive();
    await stage.pass(FORGETFUL_MS);
    const rows = () =>
      pairs.map(([client]) => rowsOf(stage, client).server)
        .filter((row) => row?.state === "CLOSE_WAIT");
    const held = rows();
    for (const [, server] of pairs) server.close();
    await stage.until("the ends", () => rows().length === 0);
    return [
      count("in CLOSE_WAIT after the clients have closed", held.length),
      count("of these, with a timer of the kernel", held.filter((row) => row?.timer).length),
      count("in CLOSE_WAIT after the server's program has closed", rows().length),
    ];
  },
  decide(found) {
    if (found.count("in CLOSE_WAIT after the clients have closed") !== 3) return undefined;
    if (found.count("of these, with a timer of the kernel") > 0) return 3;
    return found.count("in CLOSE_WAIT after the server's program has closed") === 0 ? 2 : 1;
  },
};

const finWait2: SocketQuestion = {
  id: "fin-wait2-stays",
  topic: "closing",
  text:
    "My program has called close(2). The peer has acknowledged the FIN, and never closes its own " +
    "end. How long does my end stay in FIN_WAIT2?",
  answers: [
    "until the peer closes, however long that takes",
    "for 60 seconds, unless tcp_fin_timeout says otherwise",
    "for two hours, until keepalive finds out",
  ],
  book: 2,
  why:
    "Nobody can read any more what the peer might still send, so Linux forgets the connection after " +
    "a while, although TCP does not allow that. After shutdown(2) in place of close(2) the program may " +
    "still read, and then no timer runs.",
  sources: ["tcp(7): tcp_fin_timeout", "RFC 9293, section 3.6"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen();
    const [closed, first] = await stage.pair(listener);
    const [half, second] = await stage.pair(listener);
    closed.close();
    half.shutdown();
    await first.receive();
    await second.receive();
    await stage.until(
      "FIN_WAIT2",
      () => [closed, half].every((end) => endsIn(stage, end, "FIN_WAIT2").length > 0),
    );
    const [own, other] = [closed, half].map((end) => secondsOf(rowsOf(stage, end).client));
    return [
      said("FIN_WAIT2 after close(2) lasts", own === undefined ? "for ever" : `${own} s`),
      said("FIN_WAIT2 after shutdown(2) lasts", other === undefined ? "for ever" : `${other} s`),
      said("tcp_fin_timeout", `${stage.setting("tcp_fin_timeout")} s`),
    ];
  },
  decide(found) {
    const lasts = found.word("FIN_WAIT2 after close(2) lasts");
    if (lasts === "for ever") return 1;
    const seconds = parseInt(lasts);
    return seconds <= parseInt(found.word("tcp_fin_timeout")) ? 2 : seconds > 3600 ? 3 : undefined;
  },
};

const closeResets: SocketQuestion = {
  id: "close-that-resets",
  topic: "closing",
  text:
    "A server answers, and calls close(2). Now and then a client reads ECONNRESET where the end " +
    "of the stream should be. Why?",
  answers: [
    "the FIN was lost on its way",
    "bytes had come that the server had not read",
    "close(2) always resets: shutdown(2) alone is orderly",
  ],
  book: 2,
  why:
    "A FIN says: you have had everything from me. Whoever closes with unread bytes has lost some of " +
    "the peer's, and the kernel says so with a RST. It may even destroy the answer, if the client has " +
    "not read it yet. So read to the end before you close.",
  sources: ["RFC 9293, section 3.6.1 (SHLD-3)", "RFC 2525, section 2.17"],
  on: "sockets",
  run: asIn(reset),
  decide(found) {
    const [read, unread] = found.order("what the clients read");
    if (read === "ECONNRESET") return 3;
    return read === "0 bytes" && unread === "ECONNRESET" ? 2 : undefined;
  },
};

/** The questions of this file. */
export const CLOSING: readonly SocketQuestion[] = [
  sideOfTimeWait,
  shorterTimeWait,
  closeWait,
  finWait2,
  closeResets,
];
