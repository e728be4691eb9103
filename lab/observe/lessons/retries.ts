/**
 * Retries: when a SYN is sent again, and who gives up when.
 *
 * @module
 */

import { TCP_SYNCNT } from "../../../engine/kernel/linux.ts";
import { synSchedule } from "../../../engine/kernel/proc_net.ts";
import type { PacketEvent } from "../../../engine/recording/events.ts";
import { DROP_ALL } from "../../../engine/kernel/socket_filter.ts";
import type { Lesson } from "../stage/lesson.ts";
import { order, type Seen } from "../stage/seen.ts";
import type { Stage } from "../stage/stage.ts";

/** From which ratio on a wait counts as twice as long as the one before. */
const GROWS = 1.5;

/** `observe lesson retries`. */
export const retries: Lesson = {
  name: "retries",
  summary: "when a SYN is sent again, and what one setting changes",
  question:
    "Nobody answers a SYN. The kernel waits a second and sends it again. When does it send " +
    "the third one, on a Linux of today as it is delivered?",
  answers: [
    "at 2 s: a second later again",
    "at 3 s: each wait is twice as long",
    "at 5 s: 1 s, then 4 s",
  ],
  right: 1,
  why: "RFC 6298, section 5.5, doubles the wait, and up to Linux 6.4 SYNs went at 0, 1, 3, 7 s. " +
    "Since 6.5 the first few go once a second (tcp_syn_linear_timeouts, 4 by default), so that a " +
    "client whose SYN was lost waits less. SYN-ACKs still double.",

  async run(stage) {
    if (stage.isOwn) await loseEverySyn(stage);
    else await fillTheQueue(stage);
  },

  facts(seen) {
    return [
      ...[...seen.errors("client", "connect"), ...seen.errors("client 2", "connect")],
      seen.states("client 2", ["SYN_SENT"]),
      ...shape(seen, "client 2", "tcp_syn_linear_timeouts 0"),
      ...shape(seen, "client 3", "tcp_syn_linear_timeouts 4"),
      order("SYNs of client 2", [
        "sent",
        ...seen.sockets("client 2").some(({ retransmissions = 0 }) => retransmissions > 0)
          ? ["sent again"]
          : [],
      ]),
    ];
  },
};

/** In what way the waits between SYNs grow. */
function shape(seen: Seen, name: string, about: string): ReturnType<typeof order>[] {
  const [first, second, third] = seen.packets(name).filter(({ flags }) =>
    flags === "S"
  ) as (PacketEvent | undefined)[];
  if (first === undefined || second === undefined || third === undefined) return [];
  const grows = (third.at - second.at) / (second.at - first.at) > GROWS;
  return [order(about, ["a wait", grows ? "a longer one" : "one as long"])];
}

/** The filter of the listener drops each SYN, as a bad wire would. */
async function loseEverySyn(stage: Stage): Promise<void> {
  const linear = Number(stage.setting("tcp_syn_linear_timeouts") ?? 0);
  const listener = stage.listen();
  stage.drop(listener, DROP_ALL);
  await stage.explain(
    "A filter in front of the server drops every segment. This kernel sends its SYNs " +
      `at ${synSchedule().sentAtS.join(", ")} s, and gives up at ${synSchedule().endsAtS} s ` +
      `(tcp_syn_retries ${stage.setting("tcp_syn_retries")}, tcp_syn_linear_timeouts ${linear}).`,
  );
  if (linear > 0) stage.set("tcp_syn_linear_timeouts", 0);
  const { sentAtS, endsAtS } = synSchedule(1, 0);
  await stage.explain(
    "First as it was before Linux 6.5: tcp_syn_linear_timeouts is 0. The second " +
      `client does as the kernel says. The first asks for one retry only (TCP_SYNCNT): SYNs at ` +
      `${sentAtS.join(" and ")} s, and the end at ${endsAtS} s.`,
  );
  const [first, second] = [stage.client(), stage.client()];
  first.set(TCP_SYNCNT, 1);
  first.begin(listener.address);
  second.begin(listener.address);
  const resent = (client: typeof first, times: number) => () =>
    (stage.rowOf(client)?.info?.total_retrans ?? 0) >= times;
  await stage.until("the third SYN", resent(second, 2), 8_000);
  await first.outcome();
  second.close();
  if (linear === 0) return;
  stage.set("tcp_syn_linear_timeouts", linear);
  await stage.explain(
    `The waits were 1 s and 2 s. Now with tcp_syn_linear_timeouts ${linear}, as this ` +
      "machine has it:",
  );
  const third = stage.client();
  third.begin(listener.address);
  await stage.until("the third SYN", resent(third, 2), 8_000);
  await stage.explain("This time both waits were 1 s.");
}

/** Without a network of one's own, a full accept queue drops SYNs. */
async function fillTheQueue(stage: Stage): Promise<void> {
  const listener = stage.listen({ backlog: 0 });
  await stage.client().connect(listener.address);
  const { sentAtS, endsAtS } = synSchedule();
  await stage.explain(
    `The accept queue is full, so the next SYN is dropped. This kernel sends it at ` +
      `${sentAtS.join(", ")} s and gives up at ${endsAtS} s; that is computed from its settings.`,
  );
  const client = stage.client();
  client.begin(listener.address);
  const resent = () => stage.rowOf(client)?.info?.total_retrans ?? 0;
  await stage.until("the second SYN", () => resent() >= 1, 8_000);
  await stage.explain(
    "A second has passed: the SYN was sent again, and the client is in SYN_SENT as " +
      "before. Its program sees nothing of that.",
  );
}
