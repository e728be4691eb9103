/**
 * All eleven states of TCP, held at the same time.
 *
 * @module
 */

import { TCP_DEFER_ACCEPT } from "../../../engine/kernel/linux.ts";
import type { Lesson } from "../stage/lesson.ts";
import { count } from "../stage/seen.ts";

/** `observe lesson states`. */
export const states: Lesson = {
  name: "states",
  summary: "all eleven states of TCP, held at the same time",
  question:
    "TCP has eleven states. Some, such as CLOSING, are hardly ever seen. How many of them can " +
    "an ordinary user hold at the same time, with nothing but calls of sockets?",
  answers: [
    "five: the others last for microseconds",
    "ten: for CLOSING both ends must close in the same moment",
    "all eleven",
  ],
  right: 3,
  why:
    "A state is left when something comes: a segment, or a call. Whoever withholds that holds the " +
    "state: a full queue withholds the SYN-ACK, a full window withholds the FIN, and a program that " +
    "does not close withholds its own. CLOSING needs two FINs that cross, and a FIN that waits " +
    "behind a full window leaves all the time for that: RFC 9293, sections 3.3.2 and 3.6.",
  draws: "table",
  rows: [
    "fills the queue of 0",
    "its SYN is dropped: the queue is full",
    "TCP_DEFER_ACCEPT waits for data",
    "open",
    "FIN waits: the server does not read",
    "the same, and the server closes too",
    "the server's program does not close",
    "FIN waits: the client does not read",
    "both have closed",
    "a socket that is not connected",
  ],

  async run(stage) {
    await stage.explain(
      "Each row is one connection, with the states of both its ends, as netlink tells " +
        "them. A minus is an end that the kernel does not know, or does not know any more.",
    );
    const full = stage.listen({ backlog: 0 });
    await stage.client().connect(full.address);
    stage.client().begin(full.address);
    await stage.explain("LISTEN, and SYN_SENT: nobody answers the second client's SYN.");

    const deferring = stage.listen();
    deferring.set(TCP_DEFER_ACCEPT, 15);
    await stage.client().connect(deferring.address);
    await stage.explain("SYN_RECV: the server does not take the third segment until data comes.");

    const listener = stage.listen({ small: true });
    await stage.pair(listener, stage.client({ small: true }));
    const [writer, reader] = await stage.pair(listener, stage.client({ small: true }));
    writer.fill();
    writer.shutdown();
    await stage.explain(
      "ESTABLISHED. And FIN_WAIT1: the window is full, so the FIN cannot be sent.",
    );

    const [first, second] = await stage.pair(listener, stage.client({ small: true }));
    first.fill();
    first.shutdown();
    second.shutdown();
    await stage.explain(
      "CLOSING: the server's FIN has come before the client's FIN was acknowledged.",
    );

    const [half] = await stage.pair(listener, stage.client({ small: true }));
    half.shutdown();
    const [silent, talker] = await stage.pair(listener, stage.client({ small: true }));
    talker.fill();
    silent.shutdown();
    talker.shutdown();
    await stage.explain(
      "FIN_WAIT2 and CLOSE_WAIT: one direction is closed. LAST_ACK: the server's FIN " +
        "waits behind data that the client does not read.",
    );

    const [leaver, follower] = await stage.pair(listener, stage.client({ small: true }));
    leaver.shutdown();
    follower.shutdown();
    await stage.until("TIME_WAIT", () => stage.look().some(({ state }) => state === "TIME_WAIT"));
    stage.showUnconnected();
    const wanted = ["FIN_WAIT1", "FIN_WAIT2", "CLOSE_WAIT", "CLOSING", "LAST_ACK", "SYN_SENT"];
    await stage.until("all states", () => {
      const now = stage.look().map(({ state }) => state as string);
      return wanted.every((state) => now.includes(state));
    });
    await stage.explain(
      "TIME_WAIT, and CLOSE: a socket that is not connected. That is all of them. Now " +
        "everybody reads what was sent, and whatever waited goes on to its natural end:",
    );
    const isStuck = () =>
      stage.look().some(({ state }) => ["FIN_WAIT1", "CLOSING", "LAST_ACK"].includes(state));
    await stage.until("the natural ends", () => {
      for (const end of [reader, second, silent]) end.drain();
      return !isStuck();
    });
  },

  facts(seen) {
    const held = seen.heldAtOnce();
    return [
      { fact: "together", about: "held at the same time", value: held },
      count("states held at the same time", held.length),
      seen.states("client 6", ["CLOSING", "TIME_WAIT"]),
      seen.states("server 8", ["LAST_ACK", "CLOSE"]),
    ];
  },
};
