/**
 * The handshake: three segments, two numbers, and who takes part in it.
 *
 * @module
 */

import { saveSyns, takeSavedSyn } from "../../../engine/kernel/saved_syn.ts";
import type { Lesson } from "../stage/lesson.ts";
import { count, order } from "../stage/seen.ts";

/** `observe lesson handshake`. */
export const handshake: Lesson = {
  name: "handshake",
  summary: "three segments, two numbers, and two kernels that agree on them",
  question:
    "A server has called listen(2) and is now busy with something else. A client connects. " +
    "When is the connection established?",
  answers: [
    "as soon as the server's program calls accept(2)",
    "before that: the two kernels do it alone",
    "as soon as the client has sent its first byte",
  ],
  right: 2,
  why:
    "The kernel of the listener answers the SYN by itself. accept(2) only fetches a connection " +
    "that is there already, from the accept queue. Each SYN takes up one number of the stream, so " +
    "each side acknowledges the other's first number plus one: RFC 9293, sections 3.4 and 3.5.",

  async run(stage) {
    const listener = stage.listen();
    saveSyns(stage.net, listener.fd);
    await stage.explain(
      "The client says which number it begins with: SYN. The server answers with " +
        "its own number and acknowledges the client's: SYN-ACK. The client acknowledges: ACK.",
    );
    const client = stage.client();
    await client.connect(listener.address);
    await stage.explain(
      "Both ends are ESTABLISHED, and nobody has called accept(2) yet: the " +
        "connection waits in the accept queue. The loopback is so fast that connect(2) was over " +
        "before SYN_SENT could be seen.",
    );
    client.send(5);
    await stage.explain("The client may even send already. The server's kernel keeps the bytes.");
    const server = await listener.accept();
    const syn = takeSavedSyn(stage.net, server.fd);
    if (syn !== undefined) {
      const { seq, options: { mss = 0, windowScale = 0 } } = syn;
      await stage.explain(
        `Now the server accepts. Any program may ask for the SYN that has opened ` +
          `its connection (TCP_SAVED_SYN): it began with the number ${seq}, offered segments of up ` +
          `to ${mss} bytes, and windows in units of 2^${windowScale} bytes.`,
      );
    }
    await server.receive();
  },

  facts(seen) {
    const [syn, answer, last] = seen.packets();
    const accepted = seen.sockets("server").findIndex(({ waiting }) => waiting !== true);
    const waited = seen.sockets("server").findIndex(({ waiting }) => waiting === true);
    return [
      seen.states("client", ["ESTABLISHED"]),
      seen.states("server", ["ESTABLISHED"]),
      order("server", [
        ...waited >= 0 ? ["ESTABLISHED, waits for accept"] : [],
        ...accepted > waited ? ["accepted"] : [],
      ]),
      count(
        "bytes that came before accept",
        seen.sockets("server")
          .filter(({ waiting }) => waiting === true).at(-1)?.receive_queue ?? 0,
      ),
      ...syn === undefined || answer === undefined || last === undefined ? [] : [
        order("segments", [syn, answer, last].map(({ flags }) => flags)),
        count(
          "what the server acknowledges, after the client's first number",
          (answer.ack ?? 0) - syn.seq,
        ),
        count(
          "what the client acknowledges, after the server's first number",
          (last.ack ?? 0) - answer.seq,
        ),
      ],
    ];
  },
};
