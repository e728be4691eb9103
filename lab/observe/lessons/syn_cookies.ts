/**
 * SYN cookies: a server that remembers nothing until the third segment.
 *
 * @module
 */

import type { Lesson } from "../stage/lesson.ts";
import { count } from "../stage/seen.ts";

const COUNTERS = ["SyncookiesSent", "SyncookiesRecv", "SyncookiesFailed", "TCPReqQFullDoCookies"];

/** `observe lesson syn-cookies`. */
export const synCookies: Lesson = {
  name: "syn-cookies",
  summary: "how a server answers SYNs without remembering them",
  question:
    "Somebody floods a server with SYNs and never answers. With SYN cookies the server still " +
    "takes honest clients. Where does it keep what it must know about each SYN?",
  answers: [
    "in a table of half-open connections, which grows",
    "in a cookie file on its disk",
    "nowhere: in the number of its SYN-ACK, which the client sends back",
  ],
  right: 3,
  why:
    "The server's first number is a keyed hash of both addresses, both ports and a slow clock, " +
    "with a few bits for the segment size. The client's ACK brings it back plus one, and from that " +
    "the server makes the connection. The price: other options survive only inside timestamps, and " +
    "a SYN-ACK that is lost is not sent again: RFC 4987, section 3.6.",

  async run(stage) {
    const listener = stage.listen();
    stage.count(...COUNTERS);
    const setting = stage.setting("tcp_syncookies") ?? "missing";
    if (!stage.isOwn) {
      await stage.explain(
        `tcp_syncookies is ${setting} here: ${SETTINGS[setting] ?? "unknown"}. To ` +
          "change that takes a network of one's own. An ordinary connection:",
      );
      const [client, server] = await stage.pair(listener);
      client.send(2);
      await server.receive();
      stage.count(...COUNTERS);
      await stage.explain(
        "The counters of the machine tell whether anybody has needed cookies since it " +
          `was started: ${
            describe(stage.counters(COUNTERS))
          }. TCPReqQFullDoCookies counts the SYNs ` +
          "that met a full queue and were answered with one.",
      );
      return;
    }
    await stage.explain(`tcp_syncookies is ${setting}: ${SETTINGS[setting] ?? ""}. One client:`);
    await stage.pair(listener);
    stage.count(...COUNTERS);
    await stage.explain(
      "No cookie was needed. In this network tcp_syncookies may be set to 2: then " +
        "every SYN-ACK is a cookie, and no flood is needed to see one. Another honest client:",
    );
    stage.set("tcp_syncookies", 2);
    const second = stage.client();
    await second.connect(listener.address);
    stage.count(...COUNTERS);
    await stage.explain(
      "SyncookiesSent: the SYN-ACK's number was a cookie, and the server forgot the " +
        "SYN at once. SyncookiesRecv: the ACK brought the cookie back, it was genuine, and only then the " +
        "connection was made. Nothing tells the client. It is a connection like any other:",
    );
    const server = await listener.accept();
    second.send(2);
    await server.receive();
  },

  facts(seen) {
    return [
      ...COUNTERS.slice(0, 3).filter((name) => seen.hasCounted(name)).map((name) =>
        seen.moved(name)
      ),
      count(
        "looks that saw SYN_RECV",
        [...seen.sockets("server"), ...seen.sockets("server 2")]
          .filter(({ state }) => state === "SYN_RECV").length,
      ),
      seen.states("client", ["ESTABLISHED"]),
      ...seen.sockets("client 2").length === 0 ? [] : [seen.states("client 2", ["ESTABLISHED"])],
    ];
  },
};

/** What the values of tcp_syncookies mean (ip-sysctl). */
const SETTINGS: Readonly<Record<string, string>> = {
  "0": "no cookies, so a full queue drops SYNs",
  "1": "cookies only while the queue of half-open connections is full",
  "2": "a cookie in every SYN-ACK, which is for tests",
};

function describe(counters: ReadonlyMap<string, number>): string {
  return [...counters].map(([name, value]) => `${name} ${value}`).join(", ");
}
