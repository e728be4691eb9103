/**
 * Questions about the accept queue, and about those who share a port.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { Fact } from "../observe/stage/facts.ts";
import { count } from "../observe/stage/seen.ts";
import type { Stage } from "../observe/stage/stage.ts";
import { said } from "./found.ts";
import { connectSome, outcomeOf, receiveNow } from "./helpers.ts";
import type { ServerQuestion, SocketQuestion } from "./question.ts";

/** How long to wait for somebody who does not answer, in milliseconds. */
const SILENCE_MS = 100;

/** How many clients come to a port that two share: it would be odd if all met the same one. */
const CROWD = 24;

const howManyWait: SocketQuestion = {
  id: "length-of-the-queue",
  topic: "queues",
  text:
    "A server on Linux calls listen(fd, 2), and never accepts. Five clients connect. How many " +
    "of the connections can wait in its accept queue?",
  answers: ["two", "three", "five: the queue grows"],
  book: 2,
  why:
    "The kernel takes a connection as long as the queue is not longer than its limit, so the last " +
    "one makes it longer. The limit is the backlog, and at most net.core.somaxconn, 4096 since Linux " +
    "5.4.",
  sources: ["listen(2)", "kernel: sk_acceptq_is_full() in include/net/sock.h"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen({ backlog: 2 });
    const clients = Array.from({ length: 5 }, () => stage.client());
    for (const client of clients) client.begin(listener.address);
    const outcomes = await Promise.all(clients.map((client) => outcomeOf(stage, client)));
    return [
      count("connections in the queue", stage.waiting(listener)),
      count("clients that are connected", outcomes.filter((is) => is === "connected").length),
      count("clients that hear nothing", outcomes.filter((is) => is === "nothing").length),
    ];
  },
  decide(found) {
    const waiting = found.count("connections in the queue");
    if (found.count("clients that are connected") !== waiting) return undefined;
    return waiting === 2 ? 1 : waiting === 3 ? 2 : waiting === 5 ? 3 : undefined;
  },
};

const fullQueue: SocketQuestion = {
  id: "full-queue",
  topic: "queues",
  text: "The accept queue of a server is full. What does the next client see that connects?",
  answers: [
    "ECONNREFUSED",
    "nothing: its SYN is dropped, and it sends it again after a second",
    "it is connected, and gets a RST",
  ],
  book: 2,
  why:
    "A moment later there may be room, so the kernel drops the SYN without a word and relies on " +
    "the client to repeat it. A server that is too slow looks like a network that is slow. Only with " +
    "tcp_abort_on_overflow, and only if the queue fills up between the SYN and the ACK, does the " +
    "kernel send a RST.",
  sources: ["listen(2)", "tcp(7): tcp_abort_on_overflow"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen({ backlog: 0 });
    await stage.client().connect(listener.address);
    const late = stage.client();
    late.begin(listener.address);
    await stage.pass(SILENCE_MS);
    const row = stage.rowOf(late);
    return [
      said("what the client has heard", await outcomeOf(stage, late)),
      said("its state", row?.state ?? "gone"),
      said("its timer", row?.timer ?? "none"),
    ];
  },
  decide(found) {
    const heard = found.word("what the client has heard");
    if (heard === "ECONNREFUSED") return 1;
    if (heard !== "nothing") return 3;
    const repeats = found.word("its timer") === "retransmission";
    return found.word("its state") === "SYN_SENT" && repeats ? 2 : undefined;
  },
};

const busyOwner: SocketQuestion = {
  id: "busy-loop-of-a-cluster",
  topic: "models",
  text:
    "Two event loops have a listener each on the same port (SO_REUSEPORT). One of them computes " +
    `for a minute, the other is idle. ${CROWD} clients connect. Who is served?`,
  answers: [
    "everybody: the kernel gives new connections to whoever is idle",
    "those whom the kernel has given to the idle loop; the others wait until the busy one is done",
    "nobody, until both are idle",
  ],
  book: 2,
  why:
    "The kernel chooses a listener by a hash of the addresses and the ports, when the SYN comes. It " +
    "does not know who is busy, and each listener has a queue of its own. One queue for all, as in a " +
    "pool that shares a listener, has no such fate.",
  sources: ["socket(7): SO_REUSEPORT", "The SO_REUSEPORT socket option (lwn.net/Articles/542629)"],
  on: "sockets",
  async run(stage) {
    const busy = stage.listen({ reusePort: true });
    const idle = stage.listen({ reusePort: true, port: busy.address.port });
    await connectSome(stage, idle, CROWD);
    let served = 0;
    for (let left = stage.waiting(idle); left > 0; left--) {
      await idle.accept();
      served++;
    }
    await stage.pass(SILENCE_MS);
    return [
      count("accepted by the idle one", served),
      count("still waiting for the busy one", stage.waiting(busy)),
    ];
  },
  decide(found) {
    const served = found.count("accepted by the idle one");
    const waiting = found.count("still waiting for the busy one");
    if (served + waiting !== CROWD) return undefined;
    return waiting === 0 ? 1 : served === 0 ? 3 : 2;
  },
};

const closedOwner: SocketQuestion = {
  id: "end-of-a-listener",
  topic: "queues",
  text:
    "Two servers listen on the same port (SO_REUSEPORT), and connections wait in both of their " +
    "accept queues. One of the two ends. Which connections are lost?",
  answers: [
    "none: the other server takes over what waits",
    "those that wait in its own queue",
    "all that wait on that port",
  ],
  book: 2,
  why:
    "Each listener has a queue of its own, and closing it resets whoever waits there, although " +
    "somebody else listens on the port. Since Linux 5.14 the setting tcp_migrate_req moves them to " +
    "another listener; it is off unless somebody sets it.",
  sources: ["kernel: ip-sysctl, tcp_migrate_req", "socket(7): SO_REUSEPORT"],
  on: "sockets",
  async run(stage) {
    const facts = await closeOne(stage, "");
    if (!stage.isOwn || stage.setting("tcp_migrate_req") === undefined) return facts;
    stage.set("tcp_migrate_req", 1);
    return [...facts, ...await closeOne(stage, "with tcp_migrate_req: ")];
  },
  decide(found) {
    const lost = found.count("clients that read ECONNRESET");
    if (lost === 0) return 1;
    if (lost === CROWD) return 3;
    return lost === found.count("waited for the one that ended") ? 2 : undefined;
  },
};

/** Two listeners share a port, and one of them is closed. */
async function closeOne(stage: Stage, before: string): Promise<Fact[]> {
  const first = stage.listen({ reusePort: true });
  const second = stage.listen({ reusePort: true, port: first.address.port });
  const clients = await connectSome(stage, second, CROWD);
  const waited = stage.waiting(first);
  stage.closeListener(first);
  const answers = clients.map((client) => receiveNow(stage, client));
  return [
    count(`${before}waited for the one that ended`, waited),
    count(
      `${before}clients that read ECONNRESET`,
      answers.filter((answer) => answer === "ECONNRESET").length,
    ),
    count(`${before}wait for the other one`, stage.waiting(second)),
  ];
}

/** How many clients come one after another, how long after each other, and to how many threads. */
const TURNS = 8;
const PAUSE_MS = 10;
const THREADS = 4;

const whoAccepts: ServerQuestion = {
  id: "who-accepts",
  topic: "queues",
  text: `${THREADS} threads wait for the same listener, each with epoll(7), as in threadpool ` +
    `--queue 0. ${TURNS} clients come, each when the one before has gone. Who serves them?`,
  answers: [
    `each thread in turn: ${TURNS / THREADS} clients each`,
    "always the same thread, or nearly: the others sleep",
    "all threads wake up each time, and chance decides",
  ],
  book: 2,
  why:
    "Whoever waits with epoll stands in a list of the listener, and stays there. The kernel wakes " +
    "the first one in it that is idle. With little to do, that is always the same one. It does no " +
    "harm, for nobody waits longer; it only looks unfair. Threads that block in accept(2) itself are " +
    "served in the order in which they began to wait, and SO_REUSEPORT spreads by a hash.",
  sources: [
    "epoll_ctl(2): EPOLLEXCLUSIVE",
    "Majkowski, Why does one NGINX worker take all the load? (blog.cloudflare.com, 2017)",
  ],
  on: "servers",
  modes: ["threadpool"],
  async run(servers) {
    const flags = ["--workers", String(THREADS), "--queue", "0"];
    const { events } = await servers.use({ mode: "threadpool", flags }, async (server) => {
      for (let turn = 0; turn < TURNS; turn++) {
        await server.guests.ask("echo");
        // The thread has something to finish, and then sleeps again.
        await delay(PAUSE_MS);
      }
    });
    const served = events.flatMap((event) => event.type === "served" ? [event.thread] : []);
    const shares = [...new Set(served)]
      .map((thread) => served.filter((one) => one === thread).length);
    return [
      count("clients", served.length),
      count("threads that have served somebody", shares.length),
      count("clients of the thread that has served most", Math.max(0, ...shares)),
    ];
  },
  decide(found) {
    if (found.count("clients") !== TURNS) return undefined;
    const most = found.count("clients of the thread that has served most");
    if (most > TURNS / 2) return 2;
    return most === TURNS / THREADS ? 1 : 3;
  },
};

/** The questions of this file about queues. */
export const QUEUES: readonly (SocketQuestion | ServerQuestion)[] = [
  howManyWait,
  fullQueue,
  whoAccepts,
  closedOwner,
];

/** The question of this file about models. */
export const CLUSTERS: readonly SocketQuestion[] = [busyOwner];
