/**
 * The accept queue: how many connections wait in it, and what becomes of the others.
 *
 * @module
 */

import type { Lesson } from "../stage/lesson.ts";
import { count } from "../stage/seen.ts";

const CLIENTS = 4;

/** `observe lesson backlog`. */
export const backlog: Lesson = {
  name: "backlog",
  summary: "the accept queue, how long it is, and what a client sees when it is full",
  question:
    `A server calls listen(fd, 2) and accepts nobody. ${CLIENTS} clients connect. What becomes ` +
    "of them?",
  answers: [
    "2 are connected, and 2 are refused",
    "3 are connected, and 1 hears nothing and tries again",
    "all 4 are connected: the queue grows",
  ],
  right: 2,
  why:
    "Linux takes one more than the backlog, for the queue is full when it is longer than that. " +
    "What comes to a full queue is dropped without a word, because a moment later there may be room: " +
    "the client tries again after a second. So a full queue looks slow, and not refused: listen(2).",

  async run(stage) {
    const listener = stage.listen({ backlog: 2 });
    stage.count("ListenOverflows");
    await stage.explain("The accept queue is empty. Its limit is 2.");
    const clients = Array.from({ length: CLIENTS }, () => stage.client());
    for (const client of clients) client.begin(listener.address);
    stage.count("ListenOverflows");
    await stage.explain(
      "Three connections wait in the queue of 2: ESTABLISHED, and nobody has accepted " +
        "them. The SYN of the fourth was dropped. Its client is in SYN_SENT.",
    );
    await stage.explain(
      "The server accepts one connection. That makes room, but nobody tells the client. " +
        "It tries again when its timer ends, a second after the first SYN.",
    );
    await listener.accept();
    await clients.at(-1)!.outcome();
    stage.count("ListenOverflows");
    await stage.explain(
      "Now the fourth is in, and the queue is full again. ListenOverflows counts each " +
        "SYN that was dropped for that reason, those that are sent again too.",
    );
  },

  facts(seen) {
    const listeners = seen.listeners();
    const longest = Math.max(...listeners.map(({ waiting = 0 }) => waiting));
    return [
      count("limit of the queue", listeners[0]?.limit ?? 0),
      count("longest queue", longest),
      ...["client", "client 2", "client 3", "client 4"].map((name) =>
        seen.states(name, ["SYN_SENT", "ESTABLISHED"])
      ),
      seen.moved("ListenOverflows"),
    ];
  },
};
