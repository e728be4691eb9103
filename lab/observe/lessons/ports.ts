/**
 * Ports: how many connections a client can have, and to whom.
 *
 * @module
 */

import type { Lesson } from "../stage/lesson.ts";
import { count } from "../stage/seen.ts";
import type { Stage } from "../stage/stage.ts";

/** The range of ports of the sandbox's clients. */
const FIRST = 40_000;
const LAST = 40_003;

/** `observe lesson ports`. */
export const ports: Lesson = {
  name: "ports",
  summary: "how local ports run out, and why a server is not limited by them",
  question:
    "A client has used all its local ports for connections to one server. Can it connect to " +
    "another server?",
  answers: [
    "yes: the same ports can be used again towards another server",
    "no: each port belongs to one connection",
    "only when the first connections have left TIME_WAIT",
  ],
  right: 1,
  why:
    "A connection is defined by both addresses and both ports together: RFC 9293, section 3.4.1. It is " +
    "enough that one of the four differs. So a client has some 28,000 connections to one server at " +
    "most (ports 32768 to 60999, unless ip_local_port_range says otherwise: ip(7)). A server has as " +
    "many as it has memory and descriptors: its own port is the same for all of them.",

  async run(stage) {
    if (stage.isOwn) await useUp(stage);
    else await useTwice(stage);
  },

  facts(seen) {
    const failure = seen.failureOf("connect");
    const failedAt = failure?.at ?? Infinity;
    return [
      { fact: "error", about: "connect to the same server", value: failure?.error ?? "none" },
      count("connections before that", seen.connected((at) => at < failedAt)),
      count("connections to another server after that", seen.connected((at) => at > failedAt)),
    ];
  },
};

/** In a network of one's own the range of ports can be made small. */
async function useUp(stage: Stage): Promise<void> {
  // The servers take their ports from elsewhere.
  stage.set("ip_local_port_range", `${FIRST - 10_000} ${FIRST - 1}`);
  const listener = stage.listen();
  const other = stage.listen();
  stage.set("ip_local_port_range", `${FIRST} ${LAST}`);
  stage.set("tcp_tw_reuse", 0);
  await stage.explain(
    `In this network clients have the ports from ${FIRST} to ${LAST}, and no more.`,
  );
  while (await stage.client().connect(listener.address) === undefined) await listener.accept();
  await stage.explain(
    "The ports towards this server are used up: EADDRNOTAVAIL. Towards the other server:",
  );
  const [client, server] = await stage.pair(other);
  await stage.explain(
    "It has a port that is in use already. The four values differ, and that is enough. " +
      "TIME_WAIT keeps a port for a minute longer, for the end that has closed first, and towards the " +
      "same server only.",
  );
  client.send(1);
  await server.receive();
}

/** Otherwise three clients use one port. */
async function useTwice(stage: Stage): Promise<void> {
  const listener = stage.listen();
  const other = stage.listen();
  await stage.explain(
    `Clients have the ports ${
      stage.setting("ip_local_port_range")
    } here. To make that range small ` +
      "takes a network of one's own. So three clients ask for one and the same port:",
  );
  const first = stage.client({ port: 0 });
  const [, server] = await stage.pair(listener, first);
  const port = Number(first.local?.split(":").at(-1));
  await stage.client({ port }).connect(listener.address);
  await stage.pair(other, stage.client({ port }));
  await stage.explain(
    "A second connection with the same four values cannot be: EADDRNOTAVAIL. Towards another server the " +
      "same port is good.",
  );
  first.send(1);
  await server.receive();
}
