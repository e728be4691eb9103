/**
 * Why three: what the third segment is for, shown by its absence.
 *
 * @module
 */

import { TCP_DEFER_ACCEPT } from "../../../engine/kernel/linux.ts";
import type { Filter } from "../../../engine/kernel/socket_filter.ts";
import type { Lesson } from "../stage/lesson.ts";
import { order } from "../stage/seen.ts";
import type { Stage } from "../stage/stage.ts";

/** Drops segments that are nothing but an ACK; what a socket of TCP sees begins with TCP's header. */
const PURE_ACKS: Filter = [
  // The byte with the flags; ACK is 16.
  [0x30, 0, 0, 13],
  [0x15, 0, 1, 0x10],
  [0x06, 0, 0, 0],
  [0x06, 0, 0, 0xffff_ffff],
];

/** `observe lesson why-three`. */
export const whyThree: Lesson = {
  name: "why-three",
  summary: "what becomes of a connection whose third segment is lost",
  question:
    "SYN and SYN-ACK have arrived, and the third segment, the ACK, is lost. Which end thinks " +
    "that the connection is there?",
  answers: ["none of them", "only the client", "both: two segments are enough"],
  right: 2,
  why: "The SYN-ACK proves to the client that the server has heard it. Nothing has proved to the " +
    "server that its own number arrived: the SYN could be an old duplicate, and then the client " +
    "would answer with a RST. That is what the third segment is for: RFC 9293, section 3.5. Any " +
    "segment with that acknowledgement will do, so the first data can take its place.",

  async run(stage) {
    if (stage.isOwn) await loseTheThird(stage);
    else await deferTheThird(stage);
  },

  facts(seen) {
    return [
      seen.states("client", ["SYN_SENT", "ESTABLISHED"]),
      seen.states("server", ["SYN_RECV", "ESTABLISHED"]),
      ...seen.errors("server", "accept"),
      order("server", [
        ...seen.sockets("server").some(({ state }) => state === "SYN_RECV") ? ["SYN_RECV"] : [],
        ...seen.calls("server", "recv").map(({ returned }) => `${returned} bytes`),
      ]),
    ];
  },
};

/** The filter of the listener drops the ACK, as a bad wire would. */
async function loseTheThird(stage: Stage): Promise<void> {
  const listener = stage.listen();
  stage.drop(listener, PURE_ACKS);
  await stage.explain(
    "A filter in front of the server drops each segment that is nothing but an ACK. " +
      "It lies behind the place where packets are seen, so the ACK is shown here.",
  );
  const client = stage.client();
  await client.connect(listener.address);
  listener.tryAccept();
  await stage.explain(
    "The client is ESTABLISHED: the SYN-ACK has told it everything. The server is " +
      "still in SYN_RECV, and accept(2) has nothing to give.",
  );
  await stage.explain(
    "The client does not know that, and sends five bytes. Each segment after the " +
      "SYN carries an acknowledgement, so the data brings what was lost.",
  );
  client.send(5);
  const server = await listener.accept();
  stage.dropNothing(server);
  await server.receive();
  await stage.explain(
    "Now the server is ESTABLISHED as well, and has the five bytes. Had the client " +
      "been silent, the server would have sent its SYN-ACK again after a second.",
  );
}

/** Without root, the option TCP_DEFER_ACCEPT makes the server wait for data in SYN_RECV. */
async function deferTheThird(stage: Stage): Promise<void> {
  const listener = stage.listen();
  listener.set(TCP_DEFER_ACCEPT, 10);
  await stage.explain(
    "To lose an ACK takes a network of one's own. The option TCP_DEFER_ACCEPT shows " +
      "the same: with it, the server does not take the third segment if it carries no data.",
  );
  const client = stage.client();
  await client.connect(listener.address);
  listener.tryAccept();
  await stage.explain(
    "The client is ESTABLISHED: the SYN-ACK has told it everything. The server's " +
      "entry is still in SYN_RECV, and accept(2) has nothing to give.",
  );
  await stage.explain("The client sends five bytes. They carry the acknowledgement once more.");
  client.send(5);
  const server = await listener.accept();
  await server.receive();
  await stage.explain("Now the server is ESTABLISHED as well, and has the five bytes.");
}
