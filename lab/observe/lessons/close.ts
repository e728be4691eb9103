/**
 * Closing: two directions, each closed by its own FIN, and one end that has to wait.
 *
 * @module
 */

import type { Lesson } from "../stage/lesson.ts";
import { order } from "../stage/seen.ts";

/** `observe lesson close`. */
export const close: Lesson = {
  name: "close",
  summary: "four steps, half a connection, and who ends in TIME_WAIT",
  question:
    "A client has said everything and sends its FIN. Then the server still sends an answer, " +
    "and closes too. Which end stays in TIME_WAIT?",
  answers: [
    "the server, because it listens",
    "the client, because it sent the first FIN",
    "both, for one minute each",
  ],
  right: 2,
  why:
    "Who closes first must be able to repeat its last ACK, and must keep old segments away from " +
    "the next connection with the same ports: RFC 9293, section 3.6.1. Linux keeps TIME_WAIT for 60 " +
    "seconds, and no setting changes that: tcp_fin_timeout limits FIN_WAIT2 of closed sockets.",

  async run(stage) {
    const listener = stage.listen();
    const [client, server] = await stage.pair(listener);
    await stage.explain(
      "Step 1: the client sends its FIN with shutdown(2). It means: I have sent " +
        "everything. Step 2 is the server's ACK.",
    );
    client.shutdown();
    await server.receive();
    await stage.until("FIN_WAIT2", () => stage.rowOf(client)?.state === "FIN_WAIT2");
    await stage.explain(
      "The server has read 0, the end of the stream, and is in CLOSE_WAIT until its " +
        "own program closes. The client is in FIN_WAIT2. One direction is closed, the other is open.",
    );
    server.send(3);
    await client.receive();
    await stage.explain(
      "So the server could still answer. Step 3: now it closes too. Step 4 is the " +
        "client's ACK.",
    );
    server.close();
    await client.receive();
    await stage.until("TIME_WAIT", () => stage.rowOf(client)?.state === "TIME_WAIT");
    await stage.explain(
      "The server's socket is gone. The client's is in TIME_WAIT, although its " +
        "program has not closed it: the rest is the kernel's. Once more, and the server closes first:",
    );
    const [other, otherServer] = await stage.pair(listener);
    otherServer.close();
    await other.receive();
    other.close();
    await stage.until(
      "TIME_WAIT",
      () => stage.look().filter(({ state }) => state === "TIME_WAIT").length === 2,
    );
    await stage.explain(
      "This time the server's end is the one that waits. A busy server that closes " +
        "first has many of them; they cost little memory, and no port of its own.",
    );
  },

  facts(seen) {
    const fins = seen.packets().filter(({ flags }) => flags.includes("F"));
    return [
      seen.states("client", ["ESTABLISHED", "FIN_WAIT2", "TIME_WAIT"]),
      seen.states("server", ["ESTABLISHED", "CLOSE_WAIT", "CLOSE"]),
      order("recv of client", seen.calls("client", "recv").map(({ returned }) => String(returned))),
      seen.states("client 2", ["CLOSE_WAIT", "CLOSE"]),
      seen.states("server 2", ["TIME_WAIT"]),
      ...fins.length === 0 ? [] : [order("FINs", fins.map((fin) => seen.senderOf(fin)))],
    ];
  },
};
