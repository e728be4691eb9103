/**
 * Keepalive: how a silent connection finds out that its peer is gone.
 *
 * @module
 */

import { keepAlive } from "../../../engine/net/keepalive.ts";
import { DROP_ALL } from "../../../engine/kernel/socket_filter.ts";
import type { End } from "../stage/ends.ts";
import type { Lesson } from "../stage/lesson.ts";
import { count, order } from "../stage/seen.ts";
import type { Stage } from "../stage/stage.ts";

/** `observe lesson keepalive`. */
export const keepalive: Lesson = {
  name: "keepalive",
  summary: "how a silent connection finds out that its peer is gone",
  question:
    "A client is connected and silent. The server's machine loses its power. When does the " +
    "client's kernel notice, if nobody has set anything?",
  answers: ["after two hours", "never", "after about a minute"],
  right: 2,
  why: "A connection without data costs nothing, and no segment is sent, so nothing is missed. " +
    "Keepalive is off unless a program sets SO_KEEPALIVE: RFC 9293, section 3.8.4. Then the first " +
    "probe goes after tcp_keepalive_time, which is 7200 s, unless TCP_KEEPIDLE says less: tcp(7). A " +
    "protocol with its own messages notices earlier.",

  async run(stage) {
    const listener = stage.listen();
    stage.count("TCPKeepAlive");
    const time = stage.setting("tcp_keepalive_time");
    await stage.explain(
      `Probes begin after ${time} s of silence here, every ` +
        `${stage.setting("tcp_keepalive_intvl")} s, ${
          stage.setting("tcp_keepalive_probes")
        } of them. ` +
        "The client sets 1 s, 1 s and 2 probes for its own socket.",
    );
    const [alive, server] = await stage.pair(listener);
    keep(stage, alive);
    if (!stage.isOwn) return await answer(stage, alive);
    const [lonely, gone] = await stage.pair(listener);
    keep(stage, lonely);
    stage.drop(gone, DROP_ALL);
    await stage.explain(
      "A second client is connected in the same way, but from now on a filter drops " +
        "all that comes to its server, as if the power had failed.",
    );
    await answer(stage, alive);
    // The kernel says nothing to a program that does not ask.
    const error = await lonely.receive(10_000);
    stage.count("TCPKeepAlive");
    await stage.explain(
      `Two probes without an answer: the kernel gives up, and recv(2) says ${error}. ` +
        "The first client is still connected.",
    );
    alive.send(1);
    await server.receive();
  },

  facts(seen) {
    const probes = seen.moved("TCPKeepAlive");
    return [
      count(
        "sockets with a keepalive timer",
        ["client", "client 2"].filter((name) =>
          seen.sockets(name).some(({ timer }) => timer === "keepalive")
        ).length,
      ),
      order("after the silence", Number(probes.value) > 0 ? ["a probe"] : []),
      seen.states("client", ["ESTABLISHED", "CLOSE"]),
      ...seen.sockets("client 2").length === 0 ? [] : [
        seen.states("client 2", ["ESTABLISHED", "CLOSE"]),
        ...seen.errors("client 2", "recv"),
      ],
    ];
  },
};

function keep(stage: Stage, client: End): void {
  const times = { idleMs: 1_000, intervalMs: 1_000, probes: 2, userTimeoutMs: 0 };
  keepAlive(stage.net, client.fd, times);
}

/** Waits until a probe was answered. */
async function answer(stage: Stage, client: End): Promise<void> {
  // Each probe repeats the last number, and its answer is an ACK that carries no data.
  const before = client.info().segs_in ?? 0;
  await stage.until("an answer to a probe", () => (client.info().segs_in ?? 0) > before, 5_000);
  stage.count("TCPKeepAlive");
  await stage.explain(
    "The probe is a segment without data, one number back. The server's kernel " +
      "answers with an ACK. Neither program sees anything of that.",
  );
}
