/**
 * Questions about how connections begin.
 *
 * @module
 */

import { saveSyns, takeSavedSyn } from "../../engine/kernel/saved_syn.ts";
import { formatAddress } from "../../protocols/address.ts";
import { whyThree } from "../observe/lessons/why_three.ts";
import { handshake } from "../observe/lessons/handshake.ts";
import { count, order } from "../observe/stage/seen.ts";
import type { Stage } from "../observe/stage/stage.ts";
import { said } from "./found.ts";
import { outcomeOf, receiveNow } from "./helpers.ts";
import { asIn, type SocketQuestion } from "./question.ts";

/** How many connections are made to compare their first numbers. */
const CONNECTIONS = 6;

/** A first number that lies no farther above the one before it could be a counter's. */
const STEP = 2 ** 24;

/** How long to wait for somebody who does not answer, in milliseconds. */
const SILENCE_MS = 100;

const acceptAndHandshake: SocketQuestion = {
  id: "accept-and-handshake",
  topic: "opening",
  text:
    "A server has called listen(2), and is busy with something else. A client connects and sends " +
    "five bytes. What has happened before the server calls accept(2)?",
  answers: [
    "nothing: the handshake begins with accept(2)",
    "the SYN has come, and waits for accept(2) to answer it",
    "all of it: they are connected, and the five bytes are there",
  ],
  book: 3,
  why:
    "The kernel of the listener answers the SYN by itself. accept(2) only fetches a connection " +
    "from the queue of those that are finished, and the bytes that have come meanwhile wait in it.",
  sources: ["accept(2)", "listen(2)", "RFC 9293, section 3.5"],
  on: "sockets",
  run: asIn(handshake),
  decide(found) {
    if (!found.order("server").includes("ESTABLISHED, waits for accept")) return 1;
    return found.count("bytes that came before accept") === 5 ? 3 : 2;
  },
};

const threeSteps: SocketQuestion = {
  id: "why-three-steps",
  topic: "opening",
  text: "SYN and SYN-ACK have arrived. Why is a third segment needed?",
  answers: [
    "it is not: the server is connected after two, and the third only confirms that",
    "only the third tells the server that its own number has arrived",
    "it carries the size of the window, without which nobody may send",
  ],
  book: 2,
  why:
    "The SYN-ACK proves to the client that the server has heard it. Nothing has proved the same to " +
    "the server yet: the SYN could be an old duplicate, for which nobody waits. Then the client " +
    "answers with a RST. So a server that took two steps for enough would open connections that " +
    "nobody wants.",
  sources: ["RFC 9293, section 3.5"],
  on: "sockets",
  run: asIn(whyThree),
  decide(found) {
    if (found.word("accept of server") !== "EAGAIN") return 1;
    return found.order("server").includes("SYN_RECV") ? 2 : undefined;
  },
};

const firstNumbers: SocketQuestion = {
  id: "first-numbers",
  topic: "opening",
  text: `A program makes ${CONNECTIONS} connections to one server, one after another. With which ` +
    "sequence numbers do they begin?",
  answers: [
    "each with the same number, 0 or 1",
    "each a little above the one before: a clock drives a counter",
    "each with one that is far from the others, and that strangers cannot foresee",
  ],
  book: 3,
  why:
    "A clock, which RFC 793 proposed alone, keeps segments of an old connection away from the next " +
    "one with the same ports. A secret hash of both addresses and both ports is added to it. So " +
    "whoever does not see the packets cannot guess a number that is taken.",
  sources: ["RFC 9293, section 3.4.1", "RFC 6528, section 3"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen();
    saveSyns(stage.net, listener.fd);
    const numbers: number[] = [];
    for (let made = 0; made < CONNECTIONS; made++) {
      const [, server] = await stage.pair(listener);
      const syn = takeSavedSyn(stage.net, server.fd);
      if (syn !== undefined) numbers.push(syn.seq);
    }
    const steps = numbers.slice(1).map((number, index) => (number - numbers[index]!) >>> 0);
    return [
      order("first numbers", numbers.map(String)),
      count("different ones", new Set(numbers).size),
      count(`no more than ${STEP} above the one before`, steps.filter((by) => by <= STEP).length),
    ];
  },
  decide(found) {
    const different = found.count("different ones");
    if (different === 1) return 1;
    if (different !== CONNECTIONS) return undefined;
    const near = found.count(`no more than ${STEP} above the one before`);
    return near === CONNECTIONS - 1 ? 2 : near <= 1 ? 3 : undefined;
  },
};

const synCookies: SocketQuestion = {
  id: "price-of-syn-cookies",
  topic: "opening",
  text:
    "A server answers SYNs with cookies, so that it need not remember them. What does that cost?",
  answers: [
    "memory for each connection that is half open",
    "nothing: a connection from a cookie is like any other",
    "options that the client has offered, unless it sends timestamps to hide them in",
  ],
  book: 3,
  why: "The server forgets the SYN, and finds what it must know in the number that the client " +
    "acknowledges. There is room for the addresses, a slow clock and the size of a segment, and for " +
    "nothing else. Linux hides window scale and SACK in its timestamp, if there is one. And nobody " +
    "sends a SYN-ACK again that was lost, for nobody knows of it.",
  sources: ["RFC 4987, section 3.6", "tcp(7): tcp_syncookies"],
  on: "sockets",
  needsOwnNetwork: true,
  async run(stage) {
    const trials = [
      ["without a cookie, without timestamps", 0, 0],
      ["with a cookie, without timestamps", 2, 0],
      ["with a cookie, with timestamps", 2, 1],
    ] as const;
    const facts = [];
    for (const [name, cookies, timestamps] of trials) {
      stage.set("tcp_syncookies", cookies);
      stage.set("tcp_timestamps", timestamps);
      const [, server] = await stage.pair(stage.listen());
      const { sack, windowScale } = server.info().options;
      const kept = [...sack ? ["SACK"] : [], ...windowScale === undefined ? [] : ["window scale"]];
      facts.push(order(name, kept.length === 0 ? ["no option"] : kept));
    }
    return facts;
  },
  decide(found) {
    const kept = (trial: string) => found.order(trial).includes("SACK");
    if (!kept("without a cookie, without timestamps")) return undefined;
    if (kept("with a cookie, without timestamps")) return 2;
    return kept("with a cookie, with timestamps") ? 3 : undefined;
  },
};

const ownPeer: SocketQuestion = {
  id: "connected-to-nobody",
  topic: "opening",
  text: "A program tries again and again to connect to a port of its own machine on which nobody " +
    "listens. At last connect(2) succeeds, and still nobody listens. With whom is it connected?",
  answers: [
    "with nobody: the kernel keeps the connection until a server comes",
    "with itself: it was given that very port for its own end",
    "with another program that tries the same",
  ],
  book: 2,
  why:
    "A port for the client's end is chosen from a range, and the wanted port may lie in it. Then " +
    "the SYN meets the socket that has sent it. That is a simultaneous open, which TCP allows. Both " +
    "ends have the same address, so a program can find out, and should close.",
  sources: ["RFC 9293, section 3.5 (figure 7)", "ip(7): ip_local_port_range"],
  on: "sockets",
  async run(stage) {
    const client = stage.client({ port: 0 });
    const address = stage.net.localAddress(client.fd);
    const error = await client.connect(address);
    if (error !== undefined) return [said("connect", error)];
    const peer = formatAddress(stage.net.peerAddress(client.fd));
    client.send(5);
    await stage.until("five bytes", () => (stage.rowOf(client)?.receiveQueue ?? 0) >= 5);
    return [
      said("connect", "connected"),
      said("its peer's address", peer === client.local ? "its own" : peer),
      said("what it has sent comes to", receiveNow(stage, client) === "5" ? "itself" : "nobody"),
    ];
  },
  decide(found) {
    if (found.word("connect") !== "connected") return undefined;
    if (found.word("its peer's address") !== "its own") return 3;
    return found.word("what it has sent comes to") === "itself" ? 2 : 1;
  },
};

const refused: SocketQuestion = {
  id: "refused",
  topic: "opening",
  text: "connect(2) says ECONNREFUSED, and at once. What came back from the other machine?",
  answers: [
    "nothing: the SYN was lost, or a firewall has dropped it",
    "a RST: the machine is there, and nobody listens on that port",
    "a FIN: the server has closed the connection",
  ],
  book: 2,
  why:
    "A RST answers a SYN to a port on which nobody listens, and connect(2) calls that refused. If " +
    "nothing comes back, connect(2) waits and tries again, for two minutes, and ends with ETIMEDOUT. " +
    "A RST that comes later, to a connection, is ECONNRESET.",
  sources: ["RFC 9293, section 3.5.2", "connect(2)"],
  on: "sockets",
  draws: "everything",
  run: tellFailuresApart,
  decide(found) {
    if (found.word("nobody listens: connect") !== "ECONNREFUSED") return undefined;
    if (found.word("nobody answers: connect") === "ECONNREFUSED") return 1;
    if (found.word("the peer ends it later: recv") === "ECONNREFUSED") return undefined;
    // Without the means to see packets, the two others are told apart all the same.
    const answer = found.word("the answer to the SYN");
    return answer === "FIN" ? 3 : answer === "" || answer.includes("R") ? 2 : undefined;
  },
};

async function tellFailuresApart(stage: Stage): Promise<ReturnType<typeof said>[]> {
  const closed = stage.listen();
  stage.closeListener(closed);
  const first = stage.client();
  const error = await first.connect(closed.address) ?? "connected";
  const answers = stage.seen.packets().filter(({ from }) => from === formatAddress(closed.address));

  const full = stage.listen({ backlog: 0 });
  await stage.client().connect(full.address);
  const silent = stage.client();
  silent.begin(full.address);
  await stage.pass(SILENCE_MS);

  const [client, server] = await stage.pair(stage.listen());
  server.reset();
  const later = await client.receive();
  return [
    said("nobody listens: connect", error),
    ...answers.slice(0, 1).map(({ flags }) => said("the answer to the SYN", flags)),
    said("nobody answers: connect", await outcomeOf(stage, silent)),
    said("the peer ends it later: recv", typeof later === "string" ? later : `${later} bytes`),
  ];
}

/** The questions of this file. */
export const OPENING: readonly SocketQuestion[] = [
  acceptAndHandshake,
  threeSteps,
  firstNumbers,
  synCookies,
  ownPeer,
  refused,
];
