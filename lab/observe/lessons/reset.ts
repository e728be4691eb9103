/**
 * RST and FIN: two ends of a connection that mean different things.
 *
 * @module
 */

import type { Lesson } from "../stage/lesson.ts";
import { order } from "../stage/seen.ts";

/** `observe lesson reset`. */
export const reset: Lesson = {
  name: "reset",
  summary: "RST against FIN, and how unread data turns one into the other",
  question:
    "A client sends a request. The server has not read it, and calls close(2). What does the " +
    "client read?",
  answers: [
    "0: the end of the stream",
    "an error: ECONNRESET",
    "nothing: its recv(2) waits for ever",
  ],
  right: 2,
  why:
    "A FIN says: you have had everything from me, in order. Whoever closes with unread data has " +
    "lost some of the peer's, and must say so with a RST: RFC 1122, section 4.2.2.13, and RFC 2525, " +
    "section 2.17. So read to the end before you close.",

  async run(stage) {
    const listener = stage.listen();
    await stage.explain("1. The server reads the request, and closes: a FIN.");
    const [read, reader] = await stage.pair(listener);
    read.send(5);
    await reader.receive();
    reader.close();
    await read.receive();
    read.close();

    await stage.explain("2. The same, but the server closes without reading: a RST.");
    const [unread, closer] = await stage.pair(listener);
    unread.send(5);
    await stage.until("the request", () => (stage.rowOf(closer)?.receiveQueue ?? 0) > 0);
    closer.close();
    await unread.receive();

    await stage.explain(
      "3. The server has read everything, and asks for a RST (SO_LINGER with a time " +
        "of 0). No TIME_WAIT follows a RST, which is the only reason why people do this.",
    );
    const [cut, cutter] = await stage.pair(listener);
    cut.send(5);
    await cutter.receive();
    cutter.reset();
    await cut.receive();

    await stage.explain(
      "4. Nobody listens on the port at all: the SYN itself is answered by a RST.",
    );
    const other = stage.listen();
    stage.closeListener(other);
    const refused = stage.client();
    await refused.connect(other.address);
  },

  facts(seen) {
    const answers = ["client", "client 2", "client 3"].map((name) => {
      const [answer] = seen.calls(name, "recv");
      return answer?.error ?? `${answer?.returned} bytes`;
    });
    const lasts = ["server", "server 2", "server 3"].map((name) =>
      seen.packets(name).map(({ flags }) => flags).filter((flags) => /[FR]/.test(flags))[0]
    );
    return [
      order("what the clients read", answers),
      ...seen.errors("client 4", "connect"),
      ...lasts.every((flags) => flags !== undefined)
        ? [
          order(
            "how the servers ended",
            lasts.map((flags) => flags?.includes("R") ? "RST" : "FIN"),
          ),
        ]
        : [],
    ];
  },
};
