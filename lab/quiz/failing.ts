/**
 * Questions about peers that are gone.
 *
 * @module
 */

import { count } from "../observe/stage/seen.ts";
import { said } from "./found.ts";
import { DROP_ALL } from "../../engine/kernel/socket_filter.ts";
import { secondsOf } from "./helpers.ts";
import type { SocketQuestion } from "./question.ts";

/** How long the hasty end is patient, in milliseconds. */
const HASTY_MS = 300;

/** A time that nobody would call seconds any more, in seconds. */
const MINUTE_S = 60;

const silentPeer: SocketQuestion = {
  id: "silent-peer",
  topic: "failing",
  text: "A program waits in recv(2), and nothing was set. Nothing is being sent, when the peer's " +
    "machine loses its power. When does the program hear of it?",
  answers: ["after about a minute", "after about two hours", "never"],
  book: 3,
  why:
    "A connection without data sends no segments, so none is missed. Keepalive is off unless the " +
    "program sets SO_KEEPALIVE. Even then the first probe goes only after tcp_keepalive_time, which " +
    "is two hours, unless TCP_KEEPIDLE says less. A protocol with its own messages notices earlier.",
  sources: ["tcp(7): tcp_keepalive_time", "RFC 9293, section 3.8.4 (MUST-25)"],
  on: "sockets",
  async run(stage) {
    const { SOL_SOCKET, SO_KEEPALIVE } = stage.net.constants;
    const [client] = await stage.pair(stage.listen());
    const isOn = stage.net.getOption(client.fd, SOL_SOCKET, SO_KEEPALIVE) !== 0;
    const timer = stage.rowOf(client)?.timer ?? "none";
    stage.net.setOption(client.fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    return [
      said("SO_KEEPALIVE of a new socket", isOn ? "on" : "off"),
      said("timer of an idle connection", timer),
      count("seconds until a probe, with SO_KEEPALIVE", secondsOf(stage.rowOf(client)) ?? NaN),
    ];
  },
  decide(found) {
    if (found.word("timer of an idle connection") === "none") return 3;
    return found.count("seconds until a probe, with SO_KEEPALIVE") > 600 ? 2 : 1;
  },
};

const cutCable: SocketQuestion = {
  id: "cut-cable",
  topic: "failing",
  text:
    "The cable to the peer is cut, somewhere on the way. A program sends, and nothing was set. " +
    "After what time does a call fail?",
  answers: [
    "at once: the interface is down",
    "after some seconds without an ACK",
    "after about a quarter of an hour",
  ],
  book: 3,
  why:
    "The kernel sends again and again, with waits that double, tcp_retries2 times, which is 15. " +
    "From a first wait of 0.2 seconds that makes 924.6 seconds at least. Until then send(2) succeeds, " +
    "as long as there is room in the buffer. Whoever wants to know earlier sets TCP_USER_TIMEOUT.",
  sources: ["tcp(7): tcp_retries2", "kernel: ip-sysctl, tcp_retries2", "RFC 9293, section 3.8.3"],
  on: "sockets",
  needsOwnNetwork: true,
  async run(stage) {
    const { TCP_USER_TIMEOUT } = stage.net.constants;
    const listener = stage.listen();
    const [patient, first] = await stage.pair(listener);
    const [hasty, second] = await stage.pair(listener);
    hasty.set(TCP_USER_TIMEOUT, HASTY_MS);
    for (const server of [first, second]) stage.drop(server, DROP_ALL);
    for (const client of [patient, hasty]) client.send(5);
    const error = await hasty.receive();
    const row = stage.rowOf(patient);
    const retries = Number(stage.setting("tcp_retries2"));
    return [
      said(`recv(2) with a TCP_USER_TIMEOUT of ${HASTY_MS} ms`, String(error)),
      said("the other connection at that moment", row?.state ?? "gone"),
      count("how often it was sent again so far", row?.info?.total_retrans ?? 0),
      count("seconds until the kernel gives up, from tcp_retries2", patienceOf(retries)),
    ];
  },
  decide(found) {
    if (found.word(`recv(2) with a TCP_USER_TIMEOUT of ${HASTY_MS} ms`) !== "ETIMEDOUT") {
      return undefined;
    }
    const isThere = found.word("the other connection at that moment") === "ESTABLISHED";
    if (!isThere) return 2;
    if (!(found.count("how often it was sent again so far") > 0)) return undefined;
    const until = found.count("seconds until the kernel gives up, from tcp_retries2");
    return until > MINUTE_S ? 3 : 2;
  },
};

/** The first and the longest wait of the kernel before it sends again, in seconds. */
const FIRST_WAIT_S = 0.2;
const LONGEST_WAIT_S = 120;

/**
 * How long the kernel tries at least, as `tcp_retries2` in the kernel's ip-sysctl has it.
 *
 * @param retries how often it sends again
 * @returns seconds
 */
function patienceOf(retries: number): number {
  let total = 0;
  for (let sent = 0; sent <= retries; sent++) {
    total += Math.min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** sent);
  }
  return Math.round(total * 10) / 10;
}

/** The questions of this file. */
export const FAILING: readonly SocketQuestion[] = [silentPeer, cutCable];
