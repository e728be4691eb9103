/**
 * Questions about what send(2) and recv(2) mean.
 *
 * @module
 */

import { TCP_QUICKACK } from "../../engine/kernel/linux.ts";
import { nagle } from "../observe/lessons/nagle.ts";
import { count, order } from "../observe/stage/seen.ts";
import { said } from "./found.ts";
import { receiveNow, sendNow } from "./helpers.ts";
import { asIn, type SocketQuestion } from "./question.ts";

/** How many bytes go each way in a round, and how many rounds there are. */
const ROUNDS = 10;

/** Of ten halves of requests, so many must have waited: the first few are acknowledged at once. */
const MOST_WAITED = 5;

const sent: SocketQuestion = {
  id: "sent-and-received",
  topic: "data",
  text: "send(2) has taken a million bytes, and says so. Who has got them?",
  answers: [
    "the peer's program: it has read them",
    "the peer's kernel: it has acknowledged them",
    "my own kernel, and no more is known",
  ],
  book: 3,
  why:
    "send(2) copies bytes into a buffer of the kernel, and returns. When they leave it, whether they " +
    "arrive, and whether anybody reads them is another matter: a successful send proves none of it. " +
    "Only an answer of the peer's program does.",
  sources: ["send(2)", "RFC 9293, section 3.9.1.2"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen({ small: true });
    const [client, server] = await stage.pair(listener, stage.client({ small: true }));
    const taken = client.fill();
    const unacknowledged = stage.rowOf(client)?.sendQueue ?? 0;
    server.reset();
    const reset = receiveNow(stage, client);
    return [
      count("bytes that send(2) has taken", taken),
      count("of these, the peer's kernel has not acknowledged", unacknowledged),
      said("then the peer resets, and the next call says", reset),
      said("and send(2) after that", sendNow(client)),
    ];
  },
  decide(found) {
    if (!(found.count("bytes that send(2) has taken") > 0)) return undefined;
    return found.count("of these, the peer's kernel has not acknowledged") > 0 ? 3 : 2;
  },
};

const oneSendOneRecv: SocketQuestion = {
  id: "one-send-one-recv",
  topic: "data",
  text: "A client calls send(2) twice, with 3 bytes and with 4. A moment later the server calls " +
    "recv(2) once, with a large buffer. What does it get?",
  answers: ["3 bytes: one message", "4 bytes: the latest message", "7 bytes: all that has come"],
  book: 3,
  why:
    "TCP carries a stream of bytes, and does not keep the borders between calls. One recv(2) can " +
    "return several messages, or a part of one. So a protocol must say where a message ends: by a " +
    "length before it, or by a mark after it.",
  sources: ["RFC 9293, section 2.2", "recv(2)"],
  on: "sockets",
  async run(stage) {
    const { TCP_NODELAY } = stage.net.constants;
    const [client, server] = await stage.pair(stage.listen());
    client.set(TCP_NODELAY, 1);
    client.send(3);
    client.send(4);
    await stage.until("seven bytes", () => (stage.rowOf(server)?.receiveQueue ?? 0) >= 7);
    const together = receiveNow(stage, server);
    client.send(5);
    await stage.until("five bytes", () => (stage.rowOf(server)?.receiveQueue ?? 0) >= 5);
    const parts = [0, 1, 2].map(() => receiveNow(stage, server, 2));
    return [
      count("after two calls of send(2), one recv(2) returns", Number(together)),
      order("after one send(2) of 5 bytes, calls of recv(2) with room for 2 return", parts),
    ];
  },
  decide(found) {
    const together = found.count("after two calls of send(2), one recv(2) returns");
    return together === 3 ? 1 : together === 4 ? 2 : together === 7 ? 3 : undefined;
  },
};

const zero: SocketQuestion = {
  id: "recv-returns-zero",
  topic: "data",
  text: "recv(2) returns 0. What does it mean?",
  answers: [
    "nothing has come yet: try again later",
    "the peer has sent FIN: nothing more will come",
    "the peer has reset the connection",
  ],
  book: 2,
  why: "0 is the end of the stream, after everything that came before it. Whoever takes it for " +
    '"nothing yet" turns in a loop for ever, for it comes again and again. While nothing has come, ' +
    "recv(2) waits, or says EAGAIN on a socket that does not block. A reset is an error, ECONNRESET.",
  sources: ["recv(2)"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen();
    const [, silent] = await stage.pair(listener);
    const [closing, closed] = await stage.pair(listener);
    const [resetting, reset] = await stage.pair(listener);
    const nothing = receiveNow(stage, silent);
    closing.shutdown();
    const end = await closed.receive();
    resetting.reset();
    return [
      said("recv(2) while nothing has come", nothing),
      said("recv(2) after the peer's FIN", String(end)),
      said("recv(2) after the peer's RST", String(await reset.receive())),
    ];
  },
  decide(found) {
    const cases = [
      "recv(2) while nothing has come",
      "recv(2) after the peer's FIN",
      "recv(2) after the peer's RST",
    ];
    const zeros = cases.filter((about) => found.word(about) === "0");
    return zeros.length === 1 ? cases.indexOf(zeros[0]!) + 1 as 1 | 2 | 3 : undefined;
  },
};

const fortyMs: SocketQuestion = {
  id: "forty-milliseconds",
  topic: "data",
  text:
    "A client sends each request with two small calls of send(2), and waits for the answer. On a " +
    "loopback that needs microseconds, each request takes 40 milliseconds. Where do they come from?",
  answers: [
    "the scheduler: the server's thread is woken late",
    "the client holds the second half back, until the first is acknowledged",
    "the server waits, to see whether there is more to come",
  ],
  book: 2,
  why:
    "Nagle's algorithm holds a small segment back while another one is not acknowledged, and the " +
    "receiver delays its ACK, in the hope of an answer that can carry it. Each waits for the other, " +
    "until the ACK's timer ends, after 40 ms on Linux. One call of send(2) for the whole request " +
    "cures it, and so does TCP_NODELAY.",
  sources: ["RFC 9293, section 3.7.4", "RFC 9293, section 3.8.6.3"],
  on: "sockets",
  run: asIn(nagle),
  decide(found) {
    const held = (how: string) => found.count(`second halves held back with ${how}`);
    return held("TCP_NODELAY") > 0 ? undefined : held("Nagle") >= MOST_WAITED ? 2 : undefined;
  },
};

const delayedAcks: SocketQuestion = {
  id: "nodelay-and-acks",
  topic: "data",
  text: "Both ends of a connection have set TCP_NODELAY. Does that switch off delayed ACKs?",
  answers: [
    "yes: ACKs go at once, at both ends",
    "no: it concerns what is sent; who receives still delays its ACK",
    "only at the end of the server",
  ],
  book: 2,
  why:
    "TCP_NODELAY switches off Nagle's algorithm, which is the sender's. To delay an ACK is up to " +
    "the receiver. TCP_QUICKACK sends what is due at once, but it is not permanent: the kernel goes " +
    "back to its own ways.",
  sources: ["tcp(7): TCP_NODELAY and TCP_QUICKACK"],
  on: "sockets",
  async run(stage) {
    const { TCP_NODELAY } = stage.net.constants;
    const [client, server] = await stage.pair(stage.listen());
    for (const end of [client, server]) end.set(TCP_NODELAY, 1);
    let delayed = 0;
    let quick = 0;
    for (let round = 0; round < 2 * ROUNDS; round++) {
      client.sendQuietly(1);
      await server.take(1);
      // The first rounds make it a conversation, in which an answer may carry the ACK.
      if (round >= ROUNDS && (client.info().unacked ?? 0) > 0) {
        delayed++;
        server.set(TCP_QUICKACK, 1);
        if ((client.info().unacked ?? 0) === 0) quick++;
      }
      server.sendQuietly(1);
      await client.take(1);
    }
    return [
      count(`bytes of ${ROUNDS} that the server has read and not acknowledged`, delayed),
      count("of these, acknowledged at once with TCP_QUICKACK", quick),
    ];
  },
  decide(found) {
    const delayed = found.count(`bytes of ${ROUNDS} that the server has read and not acknowledged`);
    return delayed > 0 ? 2 : delayed === 0 ? 1 : undefined;
  },
};

/** The questions of this file. */
export const DATA: readonly SocketQuestion[] = [
  sent,
  oneSendOneRecv,
  zero,
  fortyMs,
  delayedAcks,
];
