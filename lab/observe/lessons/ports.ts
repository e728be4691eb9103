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
const LAST = 40_004;

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
  why: "A connection is named by four values together: both addresses and both ports (RFC 9293, " +
    "section 3.3.1, and section 3.4 for what TIME_WAIT keeps away). One of them is enough to differ. " +
    "So a client has some 28,000 connections to one server at most (32768 to 60999: ip(7)), and a " +
    "server has as many as it has memory and descriptors: its own port is the same for all of them.",

  async run(stage) {
    if (stage.isOwn) await useUp(stage);
    else await useTwice(stage);
  },

  facts(seen) {
    const connected = (name: string) =>
      seen.sockets(name).some(({ state }) => state === "ESTABLISHED");
    const names = Array.from(
      { length: 7 },
      (_, index) => index === 0 ? "client" : `client ${index + 1}`,
    );
    const failed = names.findIndex((name) => seen.errors(name, "connect").length > 0);
    return [
      ...names.flatMap((name) => seen.errors(name, "connect")).slice(0, 1)
        .map((error) => ({ ...error, about: "connect to the same server" })),
      count("connections before that", names.slice(0, failed).filter(connected).length),
      count(
        "connections to another server after that",
        names.slice(failed + 1).filter(connected).length,
      ),
    ];
  },
};

/** In a network of one's own the range of ports can be made small. */
async function useUp(stage: Stage): Promise<void> {
  stage.set("ip_local_port_range", `${FIRST} ${LAST}`);
  stage.set("tcp_tw_reuse", 0);
  const listener = stage.listen();
  const other = stage.listen();
  await stage.explain(
    `In this network clients have the ports from ${FIRST} to ${LAST}, and no more.`,
  );
  for (let error: string | undefined; error === undefined;) {
    const client = stage.client();
    error = await client.connect(listener.address);
    if (error === undefined) await listener.accept();
  }
  await stage.explain(
    "The ports towards this server are used up: EADDRNOTAVAIL. (The two servers have " +
      "got theirs from the same range.) Towards the other server:",
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

/** Otherwise the client chooses one port, and uses it twice. */
async function useTwice(stage: Stage): Promise<void> {
  const listener = stage.listen();
  const other = stage.listen();
  await stage.explain(
    `Clients have the ports ${stage.setting("ip_local_port_range")} here. To make ` +
      "that range small takes a network of one's own. So this client asks for one certain port:",
  );
  const [first] = await stage.pair(listener);
  const port = Number(first.local?.split(":").at(-1));
  first.close();
  await stage.explain(
    `It closes, and its port ${port} is kept in TIME_WAIT as soon as the server ` +
      "closes too. Three connections with a chosen port:",
  );
  const free = await freePort(stage);
  const [, one] = await stage.pair(listener, stage.client({ port: free }));
  const again = stage.client({ port: free });
  await again.connect(listener.address);
  await stage.pair(other, stage.client({ port: free }));
  await stage.explain(
    "A second connection with the same four values cannot be: EADDRNOTAVAIL. To another " +
      "server the same port is good.",
  );
  one.send(1);
}

/** A port that nobody has. */
function freePort(stage: Stage): Promise<number> {
  const listener = stage.listen();
  stage.closeListener(listener);
  return Promise.resolve(listener.address.port);
}
