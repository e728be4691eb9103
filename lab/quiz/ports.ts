/**
 * Questions about ports: who holds one, and how many connections there can be.
 *
 * @module
 */

import { SocketError } from "../../engine/net/socket_error.ts";
import type { Listener } from "../observe/stage/ends.ts";
import { count } from "../observe/stage/seen.ts";
import type { ListenOptions, Stage } from "../observe/stage/stage.ts";
import { said } from "./found.ts";
import { endsIn } from "./helpers.ts";
import type { SocketQuestion } from "./question.ts";

/** The ports of the clients of a network of one's own. Servers have theirs from elsewhere. */
const FIRST = 40_000;
const LAST = 40_003;
const PORTS = LAST - FIRST + 1;

const addressInUse: SocketQuestion = {
  id: "address-in-use",
  topic: "ports",
  text:
    "A server has closed a connection and was ended. It is started again at once, and bind(2) " +
    "says EADDRINUSE. What holds the port?",
  answers: [
    "the old process: the kernel keeps its ports for a minute",
    "a connection in TIME_WAIT, and the servers did not set SO_REUSEADDR",
    "nothing: bind(2) fails at the first attempt, and succeeds at the second",
  ],
  book: 2,
  why:
    "The end that closes first stays in TIME_WAIT, and holds its address. SO_REUSEADDR allows to " +
    "bind to it all the same. On Linux both must have set it, the server before and the one after it; " +
    "nearly all runtimes do that for their servers. It does not help against somebody who listens.",
  sources: ["socket(7): SO_REUSEADDR, and its section BUGS", "RFC 9293, section 3.6.1"],
  on: "sockets",
  async run(stage) {
    const plain = await restart(stage, false);
    const reusing = await restart(stage, true);
    const living = stage.listen({ reuseAddress: true });
    const beside = bindAgain(stage, living, true);
    return [
      said("bind(2) with a connection in TIME_WAIT", plain),
      said("the same if both servers have set SO_REUSEADDR", reusing),
      said("the same while the other one still listens", beside),
    ];
  },
  decide(found) {
    const plain = found.word("bind(2) with a connection in TIME_WAIT");
    if (plain !== "EADDRINUSE") return undefined;
    const reusing = found.word("the same if both servers have set SO_REUSEADDR");
    return reusing === "bound" ? 2 : reusing === "EADDRINUSE" ? 1 : undefined;
  },
};

/** A server closes a connection first, ends, and is started again. @returns what bind(2) says */
async function restart(stage: Stage, reuseAddress: boolean): Promise<string> {
  const listener = stage.listen({ reuseAddress });
  const [client, server] = await stage.pair(listener);
  server.close();
  await client.receive();
  client.close();
  await stage.until("TIME_WAIT", () => endsIn(stage, client, "TIME_WAIT").includes("server"));
  stage.closeListener(listener);
  return bindAgain(stage, listener, reuseAddress);
}

function bindAgain(stage: Stage, { address }: Listener, reuseAddress: boolean): string {
  const options: ListenOptions = { port: address.port, reuseAddress };
  try {
    stage.listen(options);
    return "bound";
  } catch (error) {
    if (error instanceof SocketError) return error.code;
    throw error;
  }
}

const portsRunOut: SocketQuestion = {
  id: "ports-run-out",
  topic: "ports",
  text:
    "Connections are made and closed, one after another, faster than TIME_WAIT ends. Can the ports " +
    "run out?",
  answers: [
    "yes, those of the server, if it closes first",
    "yes, those of the client towards this server, if the client closes first",
    "no: TIME_WAIT holds no port",
  ],
  book: 2,
  why:
    "The end in TIME_WAIT keeps the four numbers of a connection: both addresses and both ports. " +
    "A client that closes first can have one connection a minute from each of its 28,232 ports to one " +
    "server (32768 to 60999, unless ip_local_port_range says otherwise), and then connect(2) says " +
    "EADDRNOTAVAIL. A server has one port for all of its clients. To its TIME_WAIT a client may come " +
    "back with a new SYN at once.",
  sources: ["ip(7): ip_local_port_range", "RFC 9293, section 3.6.1 (MAY-2)"],
  on: "sockets",
  needsOwnNetwork: true,
  async run(stage) {
    // The servers take their ports from elsewhere.
    stage.set("ip_local_port_range", `${FIRST - 10_000} ${FIRST - 1}`);
    const [listener, other, third] = [stage.listen(), stage.listen(), stage.listen()];
    stage.set("ip_local_port_range", `${FIRST} ${LAST}`);
    stage.set("tcp_tw_reuse", 0);
    const byServer = await comeAndGo(stage, listener, "server");
    const byClient = await comeAndGo(stage, other, "client");
    const elsewhere = await stage.client().connect(third.address) ?? "connected";
    return [
      count("ports that the client has", PORTS),
      count(`connections of ${2 * PORTS} if the server closes first`, byServer.made),
      count(`connections of ${2 * PORTS} if the client closes first`, byClient.made),
      said("then connect(2) says", byClient.error),
      said("and towards another server", elsewhere),
    ];
  },
  decide(found) {
    const made = (first: string) =>
      found.count(`connections of ${2 * PORTS} if the ${first} closes first`);
    const [server, client] = [made("server"), made("client")];
    if (server === 2 * PORTS && client === 2 * PORTS) return 3;
    if (client === PORTS && server > PORTS) return 2;
    return server === PORTS && client > PORTS ? 1 : undefined;
  },
};

/** Makes connections and closes them, until it does not work any more. */
async function comeAndGo(
  stage: Stage,
  listener: Listener,
  first: "client" | "server",
): Promise<{ made: number; error: string }> {
  for (let made = 0;; made++) {
    if (made === 2 * PORTS) return { made, error: "connected" };
    const client = stage.client();
    const error = await client.connect(listener.address);
    if (error !== undefined) return { made, error };
    const server = await listener.accept();
    const [one, other] = first === "client" ? [client, server] : [server, client];
    one.close();
    await other.receive();
    other.close();
    await stage.until("TIME_WAIT", () => endsIn(stage, client, "TIME_WAIT").includes(first));
  }
}

const howMany: SocketQuestion = {
  id: "how-many-connections",
  topic: "ports",
  text: "A server listens on one port of one address. How many connections can it have at a time?",
  answers: [
    "65,535: there are no more ports",
    "about 28,000: that is the range of the clients' ports",
    "as many as memory and descriptors allow",
  ],
  book: 3,
  why:
    "A connection is defined by both addresses and both ports together, and it is enough that one " +
    "of the four differs. So two clients may even have the same port. A single client with a single " +
    "address can have no more connections to one server than it has ports.",
  sources: ["RFC 9293, section 3.4.1"],
  on: "sockets",
  async run(stage) {
    const listener = stage.listen();
    const first = stage.client({ port: 0 });
    await stage.pair(listener, first);
    const { port } = stage.net.localAddress(first.fd);
    const second = stage.client({ hostname: "127.0.0.2", port });
    await stage.pair(listener, second);
    const own = [first, second].map(({ fd }) => stage.net.localAddress(fd).port);
    const peers = [first, second].map(({ fd }) => stage.net.peerAddress(fd).port);
    return [
      count("connections", own.length),
      count("different ports of the server", new Set(peers).size),
      count("different ports of the clients", new Set(own).size),
    ];
  },
  decide(found) {
    if (found.count("connections") !== 2) return undefined;
    if (found.count("different ports of the server") !== 1) return 1;
    return found.count("different ports of the clients") === 1 ? 3 : 2;
  },
};

/** The questions of this file. */
export const PORTS_QUESTIONS: readonly SocketQuestion[] = [addressInUse, portsRunOut, howMany];
